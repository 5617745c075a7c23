/* SPDX-License-Identifier: Apache-2.0 */

#ifndef UNIT_JOURNAL_FIXTURE_H
#define UNIT_JOURNAL_FIXTURE_H 1

/* A directory with a schema, and databases in files. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "agent/ovsdb/store/journal.h"
#include "agent/ovsdb/value/encode.h"
#include "tests/unit/ovsdb_tools.h"
#include "tests/unit/scratch.h"

static char directory[SCRATCH_SIZE];
static char path[128], schema_path[128], other_path[128];

static inline void
write_file(const char *name, const char *bytes, size_t size)
{
	FILE *stream = fopen(name, "w");

	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(fwrite(bytes, 1, size, stream), size);
	ck_assert_int_eq(fclose(stream), 0);
}

static inline char *
read_file(const char *name, size_t *ret_size)
{
	FILE *stream = fopen(name, "r");
	char *bytes = malloc(1 << 20);

	ck_assert_ptr_nonnull(stream);
	*ret_size = fread(bytes, 1, (1 << 20) - 1, stream);
	bytes[*ret_size] = '\0';
	fclose(stream);
	return bytes;
}

static inline void
setup(void)
{
	json_t *schema = parse(everything);

	scratch_make(directory);
	snprintf(path, sizeof path, "%s/t.db", directory);
	snprintf(other_path, sizeof other_path, "%s/other.db", directory);
	snprintf(schema_path, sizeof schema_path, "%s/t.ovsschema",
		 directory);
	ck_assert_int_eq(json_dump_file(schema, schema_path, 0), 0);
	json_decref(schema);
}

static inline struct database *
open_file(const char *name, const char *schema)
{
	struct database *db = NULL;
	struct ovsdb_error *error;
	char *warning;

	error = journal_open_database(name, schema, &db, &warning);
	ck_assert_msg(!error, "%s", error ? error->details : "");
	ck_assert_ptr_null(warning);
	return db;
}

/* Opening fails, in one line that holds these words. */
static inline void
check_refused(const char *name, const char *schema, const char *words)
{
	struct database *db = NULL;
	struct ovsdb_error *error;
	char *warning;

	error = journal_open_database(name, schema, &db, &warning);
	ck_assert_msg(error != NULL, "%s was opened", name);
	ck_assert_msg(strstr(error->details, words) != NULL, "%s",
		      error->details);
	ck_assert_ptr_null(strchr(error->details, '\n'));
	ck_assert_ptr_nonnull(strstr(error->details, name));
	ovsdb_error_free(error);
}

static inline void
append(struct database *db, const char *record)
{
	struct encoding *out = journal_begin(database_journal(db));
	json_t *json = parse(record);
	char *text = json_dumps(json, JSON_COMPACT);
	struct uuid id = { { 0 } };

	encode_text(out, text);
	ck_assert_ptr_null(journal_append(database_journal(db), true, &id));
	free(text);
	json_decref(json);
}

static inline void
fill(struct database *db)
{
	static const char *const operations[] = {
		"{'op':'insert','table':'R','row':{'name':'a','i':1,'oi':5,"
		"'si':['set',[1,2,3]],'r':0.1,'m':['map',[['k','v'],['l',"
		"'w']]],'ep':'gone','strong':['named-uuid','c']}},"
		"{'op':'insert','table':'C','row':{'name':'\\n\\u00e9'},"
		"'uuid-name':'c'}",
		"{'op':'mutate','table':'R','where':[],'mutations':[['si',"
		"'insert',['set',[7,8]]],['si','delete',1],['m','delete',"
		"'k'],['oi','+=',1]]},{'op':'update','table':'R','where':[],"
		"'row':{'ep':'x'}}",
		"{'op':'update','table':'R','where':[],'row':{'m':['map',"
		"[['l','other']]],'oi':['set',[]],'r':1e-300}}",
		"{'op':'update','table':'R','where':[],'row':{'ep':'y'}}",
		"{'op':'insert','table':'R','row':{'name':'b'}},{'op':"
		"'comment','comment':'why'},{'op':'commit','durable':true}",
		"{'op':'delete','table':'R','where':[['name','==','b']]},"
		"{'op':'insert','table':'M1','row':{'i':-9}}",
	};
	size_t i;

	for (i = 0; i < sizeof operations / sizeof *operations; i++) {
		json_t *reply = run(db, operations[i]);

		ck_assert_str_eq(error_of(reply), "");
		json_decref(reply);
	}
}

#endif
