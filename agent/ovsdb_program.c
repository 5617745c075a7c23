/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb_program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb/store/journal.h"

static char *full_path(const struct program *, const char *path);
static char *text_of(struct ovsdb_error *);
static void restore_remotes(struct program *);
static void remove_database(struct program *, size_t index);
static void replace(char ***ret_names, size_t *ret_n, const json_t *names);

char *
program_add_database(struct program *program, const char *path)
{
	struct database *database = NULL;
	struct ovsdb_error *error;
	char *warning = NULL, *full;

	for (size_t i = 0; i < program->n_databases; i++)
		if (!strcmp(program->databases[i].path, path))
			return xasprintf("ovsdb error: %s: already open",
					 path);
	full = full_path(program, path);
	if (access(full, F_OK)) {
		char *problem = xasprintf("I/O error: %s: open failed (%s)",
					  path, strerror(errno));

		free(full);
		return problem;
	}
	error = journal_open_database(full, NULL, &database, &warning);
	free(full);
	if (error)
		return text_of(error);
	if (warning)
		log_line(LOG_LEVEL_WARN, path, "%s", warning);
	free(warning);
	history_set_size(database_history(database),
			 program->options.history_size);
	error = server_add_database(program->server, database);
	if (error) {
		database_free(database);
		return text_of(ovsdb_error_prefix(error, "%s", path));
	}
	program->databases = xrealloc(program->databases,
				      (program->n_databases + 1)
				      * sizeof *program->databases);
	program->databases[program->n_databases++]
		= (struct program_database) { xstrdup(path), database };
	restore_remotes(program);
	log_line(LOG_LEVEL_DEBUG, path, "serving database %s",
		 database_name(database));
	return NULL;
}

char *
program_remove_database(struct program *program, const char *name)
{
	for (size_t i = 0; i < program->n_databases; i++)
		if (!strcmp(database_name(program->databases[i].database),
			    name)) {
			remove_database(program, i);
			return NULL;
		}
	return xstrdup("Failed to find the database.");
}

char *
program_add_remote(struct program *program, const char *name)
{
	char *problem = NULL;

	for (size_t i = 0; i < program->n_remote_names; i++)
		if (!strcmp(program->remote_names[i], name))
			return NULL;
	if (!remotes_add(program->remotes, name, &problem))
		return problem;
	program->remote_names = xrealloc(program->remote_names,
					 (program->n_remote_names + 1)
					 * sizeof *program->remote_names);
	program->remote_names[program->n_remote_names++] = xstrdup(name);
	return NULL;
}

char *
program_remove_remote(struct program *program, const char *name)
{
	for (size_t i = 0; i < program->n_remote_names; i++) {
		char **names = program->remote_names;

		if (strcmp(names[i], name))
			continue;
		remotes_remove(program->remotes, name);
		free(names[i]);
		names[i] = names[--program->n_remote_names];
		return NULL;
	}
	return xstrdup("no such remote");
}

void
program_reconnect(struct program *program)
{
	remotes_reconnect(program->remotes);
}

void
program_end(struct program *program)
{
	event_base_loopbreak(program->base);
}

void
program_load(struct program *program)
{
	struct program_options *options = &program->options;
	json_t *state;

	if (program->state_fd < 0
	    || lseek(program->state_fd, 0, SEEK_SET) < 0)
		return;
	state = json_loadfd(program->state_fd, 0, NULL);
	if (!state)
		return;
	replace(&options->files, &options->n_files,
		json_object_get(state, "databases"));
	replace(&options->remotes, &options->n_remotes,
		json_object_get(state, "remotes"));
	json_decref(state);
}

void
program_save(struct program *program)
{
	json_t *databases, *remotes, *state;

	if (program->state_fd < 0)
		return;
	databases = json_array();
	remotes = json_array();
	for (size_t i = 0; i < program->n_databases; i++)
		json_array_append_new(databases,
				      json_string(program->databases[i].path));
	for (size_t i = 0; i < program->n_remote_names; i++)
		json_array_append_new(remotes,
				      json_string(program->remote_names[i]));
	state = json_pack("{s:o, s:o}", "databases", databases, "remotes",
			  remotes);
	if (ftruncate(program->state_fd, 0)
	    || lseek(program->state_fd, 0, SEEK_SET) < 0
	    || json_dumpfd(state, program->state_fd, 0))
		log_line(LOG_LEVEL_WARN, program->options.program,
			 "cannot save what is served, for a daemon that "
			 "follows: %s", strerror(errno));
	json_decref(state);
}

/* A daemon that goes to "/" finds its files there no more. */
static char *
full_path(const struct program *program, const char *path)
{
	char *here, *full;

	if (*path == '/' || !program->options.daemon.detach
	    || program->options.daemon.stay || !(here = getcwd(NULL, 0)))
		return xstrdup(path);
	full = xasprintf("%s/%s", here, path);
	free(here);
	return full;
}

static char *
text_of(struct ovsdb_error *error)
{
	char *text = xasprintf("%s: %s", error->name, error->details);

	ovsdb_error_free(error);
	return text;
}

/* Those that stood in the database may be there again. */
static void
restore_remotes(struct program *program)
{
	for (size_t i = 0; i < program->n_remote_names; i++) {
		char *problem;

		if (!remotes_add(program->remotes, program->remote_names[i],
				 &problem))
			free(problem);
	}
}

static void
remove_database(struct program *program, size_t index)
{
	struct program_database *entry = &program->databases[index];

	remotes_forget(program->remotes, entry->database);
	server_remove_database(program->server, entry->database);
	database_free(entry->database);
	free(entry->path);
	*entry = program->databases[--program->n_databases];
}

static void
replace(char ***ret_names, size_t *ret_n, const json_t *names)
{
	for (size_t i = 0; i < *ret_n; i++)
		free((*ret_names)[i]);
	free(*ret_names);
	*ret_n = json_array_size(names);
	*ret_names = xcalloc(*ret_n + 1, sizeof **ret_names);
	for (size_t i = 0; i < *ret_n; i++)
		(*ret_names)[i] = xstrdup(json_string_value(
						json_array_get(names, i)));
}
