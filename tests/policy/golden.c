/* SPDX-License-Identifier: Apache-2.0 */

/* Rows, and the programs that they must become.
 *
 * A case is a folder with rows.json and expect.  rows.json is an array of
 * steps: the params of a "transact", which must succeed, or a string, at which
 * the model follows and everything that compile makes of it is printed under
 * that title.  With UPDATE in the environment expect is written, not
 * compared. */

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/ovsdb/operation/transact.h"
#include "agent/policy/compile.h"

enum { N_DATABASES = 4 };

static const char *const database_names[N_DATABASES] = {
	"hnv", "ms_vtep", "hardware_vtep", "ms_firewall"
};

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static struct database *
open_database(const char *name)
{
	char *path = xasprintf("%s/schema/%s.ovsschema",
			       getenv("top_srcdir"), name);
	struct schema *schema;
	struct ovsdb_error *error = schema_from_file(path, &schema);

	if (error)
		fail(path, error->details);
	free(path);
	return database_new(schema, NULL);
}

static void
transact(struct database *const databases[], json_t *params)
{
	const char *name = json_string_value(json_array_get(params, 0));
	struct transact_request request = { .params = params };
	int64_t deadline;
	json_t *reply, *result;
	size_t i;

	for (i = 0; i < N_DATABASES; i++)
		if (!strcmp(database_names[i], name))
			request.database = databases[i];
	if (transact_execute(&request, &reply, &deadline) != TRANSACT_DONE)
		fail(name, "waits");
	json_array_foreach(reply, i, result)
		if (json_object_get(result, "error"))
			fail(name, json_dumps(reply, 0));
	json_decref(reply);
}

static char *
play(const char *path)
{
	struct database *databases[N_DATABASES];
	json_error_t error;
	json_t *steps = json_load_file(path, 0, &error), *step;
	struct model *model;
	char *text;
	size_t i, size;
	FILE *out = open_memstream(&text, &size);

	if (!steps)
		fail(path, error.text);
	for (i = 0; i < N_DATABASES; i++)
		databases[i] = open_database(database_names[i]);
	model = model_new(databases, N_DATABASES);
	json_array_foreach(steps, i, step) {
		if (!json_is_string(step)) {
			transact(databases, step);
			continue;
		}
		model_update(model);
		fprintf(out, "# %s\n", json_string_value(step));
		compile_print(model, out);
	}
	model_free(model);
	for (i = 0; i < N_DATABASES; i++)
		database_free(databases[i]);
	json_decref(steps);
	fclose(out);
	return text;
}

static char *
read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = xstrdup("");
	}
	fclose(file);
	return text;
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file))
		fail(path, "cannot be written");
}

static void
show_difference(const char *expected, const char *actual)
{
	unsigned line = 1;

	while (*expected && *expected == *actual) {
		line += *expected == '\n';
		expected++;
		actual++;
	}
	while (*expected && expected[-1] != '\n') {
		expected--;
		actual--;
	}
	printf("  line %u\n  expected: %.*s\n  came:     %.*s\n", line,
	       (int) strcspn(expected, "\n"), expected,
	       (int) strcspn(actual, "\n"), actual);
}

static bool
check_case(const char *folder, const char *name)
{
	char *rows = xasprintf("%s/%s/rows.json", folder, name);
	char *expect = xasprintf("%s/%s/expect", folder, name);
	char *actual = play(rows), *again = play(rows);
	char *expected = read_file(expect);
	bool is_good;

	if (getenv("UPDATE")) {
		write_file(expect, actual);
		free(expected);
		expected = xstrdup(actual);
	}
	/* Pure: the same rows say the same in another order of hashes. */
	is_good = expected && !strcmp(expected, actual)
		  && !strcmp(actual, again);
	printf("%s %s\n", is_good ? "pass" : "FAIL", name);
	if (!is_good)
		show_difference(expected ? expected : "",
				expected && !strcmp(expected, actual)
					? again : actual);
	free(rows);
	free(expect);
	free(actual);
	free(again);
	free(expected);
	return is_good;
}

static int
is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && !strchr(entry->d_name, '.')
	       && strcmp(entry->d_name, "Makefile");
}

int
main(int argc, char *argv[])
{
	char *folder = xasprintf("%s/tests/policy", getenv("top_srcdir"));
	unsigned n_passed = 0, n_failed = 0;
	struct dirent **entries;
	int n;

	log_init("golden", LOG_LEVEL_ERROR, false);
	n = scandir(folder, &entries, is_case, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		char *rows = xasprintf("%s/%s/rows.json", folder, name);
		FILE *file = fopen(rows, "r");

		free(rows);
		if (file) {
			fclose(file);
			if (argc < 2 || !strcmp(argv[1], name)) {
				if (check_case(folder, name))
					n_passed++;
				else
					n_failed++;
			}
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	free(folder);
	printf("%u passed, %u failed\n", n_passed, n_failed);
	return n_failed || !n_passed;
}
