/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb_commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/ovsdb/store/journal.h"
#include "agent/counters.h"
#include "agent/ovsdb_log.h"

/* Clients are served meanwhile. */
struct compaction {
	struct control_request *request;
	size_t n_left;
	char *problems;			/* One a line. */
};

typedef void command(struct control_request *, size_t n_args,
		     const char *const args[], void *program);

static command quit, add_remote, remove_remote, list_remotes, add_database,
	       remove_database, list_databases, compact, reconnect,
	       disable_conditions, storage,
	       log_set, log_list, log_list_pattern, log_reopen, log_close,
	       do_nothing, memory, no_counters, trim;

static void done(struct program *, struct control_request *, char *problem);
static void reply_lines(struct control_request *, char **lines, size_t n);
static int compare(const void *, const void *);
static void compacted(void *compaction, struct ovsdb_error *);
static void count_atoms(const struct program *, uint64_t *ret_atoms,
			uint64_t *ret_cells);
static uint64_t row_atoms(const struct row *, const struct table_schema *);
static uint64_t atoms_of(const struct datum *);

void
commands_add(struct program *program)
{
	static const struct {
		const char *name, *usage;
		size_t min, max;
		command *run;
	} all[] = {
		{ "exit", "", 0, 0, quit },
		{ "ovsdb-server/add-remote", "REMOTE", 1, 1, add_remote },
		{ "ovsdb-server/remove-remote", "REMOTE", 1, 1,
		  remove_remote },
		{ "ovsdb-server/list-remotes", "", 0, 0, list_remotes },
		{ "ovsdb-server/add-db", "DB", 1, 1, add_database },
		{ "ovsdb-server/remove-db", "DB", 1, 1, remove_database },
		{ "ovsdb-server/list-dbs", "", 0, 0, list_databases },
		{ "ovsdb-server/compact", "", 0, 1, compact },
		{ "ovsdb-server/reconnect", "", 0, 0, reconnect },
		{ "ovsdb-server/disable-monitor-cond", "", 0, 0,
		  disable_conditions },
		{ "ovsdb-server/get-db-storage-status", "DB", 1, 1, storage },
		{ "ovsdb-server/memory-trim-on-compaction", "on|off", 1, 1,
		  trim },
		{ "ovsdb-server/perf-counters-show", "", 0, 0, no_counters },
		{ "ovsdb-server/perf-counters-clear", "", 0, 0, do_nothing },
		{ "memory/show", "", 0, 0, memory },
		{ "vlog/set", "{spec | PATTERN:destination:pattern}", 1,
		  SIZE_MAX, log_set },
		{ "vlog/list", "", 0, 0, log_list },
		{ "vlog/list-pattern", "", 0, 0, log_list_pattern },
		{ "vlog/reopen", "", 0, 0, log_reopen },
		{ "vlog/close", "", 0, 0, log_close },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		control_add_command(program->control, all[i].name,
				    all[i].usage, all[i].min, all[i].max,
				    all[i].run, program);
	program->counted.server = program->server;
	program->counted.remotes = program->remotes;
	counters_add_commands(program->control, &program->counted);
}

static void
quit(struct control_request *request, size_t n_args,
     const char *const args[], void *program)
{
	(void) n_args;
	(void) args;
	control_reply(request, "");
	program_end(program);
}

static void
add_remote(struct control_request *request, size_t n_args,
	   const char *const args[], void *program)
{
	(void) n_args;
	done(program, request, program_add_remote(program, args[0]));
}

static void
remove_remote(struct control_request *request, size_t n_args,
	      const char *const args[], void *program)
{
	(void) n_args;
	done(program, request, program_remove_remote(program, args[0]));
}

static void
list_remotes(struct control_request *request, size_t n_args,
	     const char *const args[], void *program_)
{
	const struct program *program = program_;
	char **names = xcalloc(program->n_remote_names + 1, sizeof *names);

	(void) n_args;
	(void) args;
	for (size_t i = 0; i < program->n_remote_names; i++)
		names[i] = program->remote_names[i];
	reply_lines(request, names, program->n_remote_names);
}

static void
add_database(struct control_request *request, size_t n_args,
	     const char *const args[], void *program)
{
	(void) n_args;
	done(program, request, program_add_database(program, args[0]));
}

static void
remove_database(struct control_request *request, size_t n_args,
		const char *const args[], void *program)
{
	(void) n_args;
	done(program, request, program_remove_database(program, args[0]));
}

static void
list_databases(struct control_request *request, size_t n_args,
	       const char *const args[], void *program_)
{
	const struct program *program = program_;
	char **names = xcalloc(program->n_databases + 1, sizeof *names);
	static char built_in[] = "_Server";
	size_t n = 0;

	(void) n_args;
	(void) args;
	for (; n < program->n_databases; n++)
		names[n] = (char *)
			database_name(program->databases[n].database);
	if (server_find_database(program->server, built_in))
		names[n++] = built_in;
	reply_lines(request, names, n);
}

static void
compact(struct control_request *request, size_t n_args,
	const char *const args[], void *program_)
{
	struct program *program = program_;
	struct compaction *compaction;
	bool found = false;

	if (n_args && *args[0] == '_') {
		control_fail(request, "cannot compact built-in databases");
		return;
	}
	compaction = xcalloc(1, sizeof *compaction);
	compaction->request = request;
	compaction->n_left = 1;
	compaction->problems = xstrdup("");
	for (size_t i = 0; i < program->n_databases; i++) {
		const struct database *db = program->databases[i].database;

		if (n_args && strcmp(database_name(db), args[0]))
			continue;
		found = true;
		compaction->n_left++;
		journal_compact_begin(database_journal(db), false,
				      compacted, compaction);
	}
	if (!found && n_args) {
		free(compaction->problems);
		compaction->problems = xstrdup("no database by that name");
	}
	compacted(compaction, NULL);
	turn_soon(program->turn);
}

static void
reconnect(struct control_request *request, size_t n_args,
	  const char *const args[], void *program)
{
	(void) n_args;
	(void) args;
	program_reconnect(program);
	control_reply(request, "");
}

/* Clients come back, and find that they have to do without. */
static void
disable_conditions(struct control_request *request, size_t n_args,
		   const char *const args[], void *program_)
{
	struct program *program = program_;

	(void) n_args;
	(void) args;
	server_disable_conditions(program->server);
	program_reconnect(program);
	control_reply(request, "");
}

static void
storage(struct control_request *request, size_t n_args,
	const char *const args[], void *program_)
{
	struct program *program = program_;
	const struct database *db = server_find_database(program->server,
							 args[0]);
	struct journal_status status = { .problem = NULL };
	char *text;

	(void) n_args;
	if (!db) {
		control_fail(request, "Failed to find the database.");
		return;
	}
	if (database_journal(db))
		journal_status(database_journal(db), &status);
	text = xasprintf("status: %s", status.problem ? status.problem : "ok");
	control_reply(request, text);
	free(text);
}

static void
log_set(struct control_request *request, size_t n_args,
	const char *const args[], void *program)
{
	(void) program;
	for (size_t i = 0; i < n_args; i++) {
		char *problem = ovsdb_log_set(args[i]);

		if (problem) {
			control_fail(request, problem);
			free(problem);
			return;
		}
	}
	control_reply(request, "");
}

static void
log_list(struct control_request *request, size_t n_args,
	 const char *const args[], void *program)
{
	char *text = ovsdb_log_levels();

	(void) n_args;
	(void) args;
	(void) program;
	control_reply(request, text);
	free(text);
}

static void
log_list_pattern(struct control_request *request, size_t n_args,
		 const char *const args[], void *program)
{
	char *text = ovsdb_log_patterns();

	(void) n_args;
	(void) args;
	(void) program;
	control_reply(request, text);
	free(text);
}

static void
log_reopen(struct control_request *request, size_t n_args,
	   const char *const args[], void *program)
{
	(void) n_args;
	(void) args;
	(void) program;
	if (!ovsdb_log_path())
		control_fail(request, "Logging to file not configured");
	else if (!ovsdb_log_reopen())
		control_fail(request, "the log file cannot be opened");
	else
		control_reply(request, "");
}

static void
log_close(struct control_request *request, size_t n_args,
	  const char *const args[], void *program)
{
	(void) n_args;
	(void) args;
	(void) program;
	ovsdb_log_close();
	control_reply(request, "");
}

static void
do_nothing(struct control_request *request, size_t n_args,
	   const char *const args[], void *program)
{
	(void) n_args;
	(void) args;
	(void) program;
	control_reply(request, "");
}

static void
memory(struct control_request *request, size_t n_args,
       const char *const args[], void *program_)
{
	const struct program *program = program_;
	struct server_counters counters;
	struct lookup_counters lookups;
	uint64_t atoms, cells, n_durable = 0, n_syncs = 0;
	char *text;

	(void) n_args;
	(void) args;
	server_counters(program->server, &counters);
	count_atoms(program, &atoms, &cells);
	for (size_t i = 0; i < program->n_databases; i++) {
		struct journal_status status;

		journal_status(database_journal(
				program->databases[i].database), &status);
		n_durable += status.n_durable;
		n_syncs += status.n_syncs;
	}
	counters_of_lookups(program->server, &lookups);
	text = xasprintf("atoms:%" PRIu64 " cells:%" PRIu64
			 " monitors:%" PRIu32 " sessions:%" PRIu32
			 " triggers:%" PRIu32 " durable:%" PRIu64
			 " syncs:%" PRIu64 " held:%" PRIu32
			 " lookups:%" PRIu32 " lookup-bytes:%zu", atoms, cells,
			 counters.n_monitors, counters.n_clients,
			 counters.n_waits, n_durable, n_syncs,
			 counters.n_held, lookups.n_lookups, lookups.size);
	control_reply(request, text);
	free(text);
}

static void
no_counters(struct control_request *request, size_t n_args,
	    const char *const args[], void *program)
{
	(void) n_args;
	(void) args;
	(void) program;
	control_reply(request, "performance counter is not supported on this "
		      "platform");
}

/* Memory of a compaction is always given back. */
static void
trim(struct control_request *request, size_t n_args,
     const char *const args[], void *program)
{
	(void) n_args;
	(void) program;
	if (strcmp(args[0], "on") && strcmp(args[0], "off"))
		control_fail(request, "invalid argument");
	else
		control_reply(request, "");
}

static void
done(struct program *program, struct control_request *request, char *problem)
{
	if (problem) {
		control_fail(request, problem);
		free(problem);
		return;
	}
	program_save(program);
	control_reply(request, "");
}

/* Sorts and frees 'lines'; not what they point to. */
static void
reply_lines(struct control_request *request, char **lines, size_t n)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	qsort(lines, n, sizeof *lines, compare);
	for (size_t i = 0; i < n; i++)
		fprintf(stream, "%s\n", lines[i]);
	fclose(stream);
	control_reply(request, text);
	free(text);
	free(lines);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Of one database; with the last one, the command is done. */
static void
compacted(void *compaction_, struct ovsdb_error *error)
{
	struct compaction *compaction = compaction_;

	if (error) {
		char *all = xasprintf("%s%s: %s\n", compaction->problems,
				      error->name, error->details);

		free(compaction->problems);
		compaction->problems = all;
		ovsdb_error_free(error);
	}
	if (--compaction->n_left)
		return;
	if (*compaction->problems)
		control_fail(compaction->request, compaction->problems);
	else
		control_reply(compaction->request, "");
	free(compaction->problems);
	free(compaction);
}

static void
count_atoms(const struct program *program, uint64_t *ret_atoms,
	    uint64_t *ret_cells)
{
	*ret_atoms = *ret_cells = 0;
	for (size_t i = 0; i < program->n_databases; i++) {
		const struct database *db = program->databases[i].database;
		struct table *table;

		for (size_t t = 0; (table = database_table_at(db, t)); t++) {
			const struct table_schema *schema
				= table_schema(table);
			const struct row *row;

			*ret_cells += table_n_rows(table) * schema->n_columns;
			for (row = table_first(table); row;
			     row = table_next(table, row))
				*ret_atoms += row_atoms(row, schema);
		}
	}
}

static uint64_t
row_atoms(const struct row *row, const struct table_schema *schema)
{
	uint64_t n = 0;

	for (size_t i = 0; i < schema->n_columns; i++) {
		struct datum room;

		n += atoms_of(row_datum(row, schema->columns[i], &room));
	}
	return n;
}

static uint64_t
atoms_of(const struct datum *datum)
{
	return datum->is_map ? 2 * (uint64_t) datum->n : datum->n;
}
