/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/history.h"
#include "agent/ovsdb/journal_compact.h"
#include "agent/ovsdb/journal_lock.h"
#include "agent/ovsdb/journal_read.h"
#include "agent/ovsdb/journal_record.h"
#include "agent/ovsdb/row.h"

struct journal {
	char *path;
	struct journal_lock *lock;
	int fd;
	int64_t size;		/* Up to the end of the last whole record. */
	bool has_rubbish;	/* Behind it, and it could not be cut off. */
};

static struct ovsdb_error *open_file(struct journal *,
				     const char *schema_path);
static struct ovsdb_error *create(struct journal *, const char *schema_path);
static struct ovsdb_error *load(struct journal *, struct database **,
				bool *ret_is_torn);
static struct ovsdb_error *load_record(const struct journal_reader *,
				       json_t *, struct database **);
static struct ovsdb_error *replay(const struct journal_reader *, json_t *,
				  struct database *);
static struct ovsdb_error *check_schema(const struct journal *,
					const struct database *,
					const char *schema_path);
static struct ovsdb_error *cut_off(struct journal *, char **ret_warning);
static struct ovsdb_error *cut_rubbish(struct journal *);
static struct ovsdb_error *problem(const struct journal *, const char *what);
static char *find_path(const char *path);

struct ovsdb_error *
journal_open_database(const char *path, const char *schema_path,
		      struct database **ret_database, char **ret_warning)
{
	struct journal *journal = xcalloc(1, sizeof *journal);
	struct database *db = NULL;
	struct ovsdb_error *error;
	bool is_torn = false;

	*ret_warning = NULL;
	journal->fd = -1;
	journal->path = find_path(path);
	error = journal_lock_take(journal->path, &journal->lock);
	if (!error)
		error = open_file(journal, schema_path);
	if (!error)
		error = load(journal, &db, &is_torn);
	if (!error && is_torn)
		error = cut_off(journal, ret_warning);

	/* Torn within the schema: nothing was ever acknowledged. */
	if (!error && !db && schema_path) {
		error = create(journal, schema_path);
		if (!error)
			error = load(journal, &db, &is_torn);
	} else if (!error && !db) {
		error = ovsdb_error(OVSDB_IO_ERROR, "%s: this file has no"
				    " schema", journal->path);
	}
	if (!error)
		error = check_schema(journal, db, schema_path);
	if (error) {
		free(*ret_warning);
		*ret_warning = NULL;
		database_free(db);
		journal_close(journal);
		return error;
	}
	db->journal = journal;
	*ret_database = db;
	return NULL;
}

struct ovsdb_error *
journal_append(struct journal *journal, json_t *record, bool durable,
	       struct uuid *id)
{
	char sha1[JOURNAL_SHA1_TEXT_SIZE];
	struct ovsdb_error *error;
	char *text;
	size_t size;

	if (journal->has_rubbish) {
		error = cut_rubbish(journal);
		if (error)
			return error;
	}
	text = journal_format(record, &size, sha1);
	error = journal_write(journal->fd, journal->path, journal->size, text,
			      size);
	free(text);
	if (!error && durable && fdatasync(journal->fd) < 0)
		error = problem(journal, "cannot be written to disk");
	if (!error) {
		journal->size += size;
		history_next_id(id, sha1, id);
		return NULL;
	}
	journal->has_rubbish = true;
	ovsdb_error_free(cut_rubbish(journal));
	return error;
}

struct ovsdb_error *
journal_compact(struct journal *journal, const struct database *db)
{
	struct ovsdb_error *error;
	int64_t size;
	int fd;

	error = journal_compact_to(journal->path, db, &fd, &size);
	if (error)
		return error;
	close(journal->fd);
	journal->fd = fd;
	journal->size = size;
	journal->has_rubbish = false;
	return NULL;
}

int64_t
journal_size(const struct journal *journal)
{
	return journal->size;
}

void
journal_close(struct journal *journal)
{
	if (!journal)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	journal_lock_release(journal->lock);
	free(journal->path);
	free(journal);
}

static struct ovsdb_error *
open_file(struct journal *journal, const char *schema_path)
{
	struct stat st;

	journal->fd = open(journal->path, O_RDWR | O_CLOEXEC);
	if (journal->fd < 0 && errno == ENOENT && schema_path)
		return create(journal, schema_path);
	if (journal->fd < 0 || fstat(journal->fd, &st) < 0)
		return problem(journal, "cannot be opened for writing");
	if (!S_ISREG(st.st_mode))
		return ovsdb_error(OVSDB_IO_ERROR, "%s: this is not a file",
				   journal->path);
	if (!st.st_size && schema_path)
		return create(journal, schema_path);
	journal->size = st.st_size;
	return NULL;
}

static struct ovsdb_error *
create(struct journal *journal, const char *schema_path)
{
	struct ovsdb_error *error;
	struct schema *schema;
	struct database *db;

	error = schema_from_file(schema_path, &schema);
	if (error)
		return error;
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
	db = database_new(schema, NULL);
	error = journal_compact_to(journal->path, db, &journal->fd,
				   &journal->size);
	database_free(db);
	return error;
}

/* On return 'size' is where the last whole record ends. */
static struct ovsdb_error *
load(struct journal *journal, struct database **ret_database,
     bool *ret_is_torn)
{
	struct journal_reader reader = {
		.path = journal->path, .size = journal->size
	};
	enum journal_read_result result;
	struct ovsdb_error *error = NULL;
	int fd = fcntl(journal->fd, F_DUPFD_CLOEXEC, 0);
	json_t *record;

	reader.stream = fd < 0 ? NULL : fdopen(fd, "r");
	if (!reader.stream)
		return problem(journal, "cannot be read");
	rewind(reader.stream);
	while ((result = journal_read(&reader, &record, &error))
	       == JOURNAL_READ_RECORD) {
		error = load_record(&reader, record, ret_database);
		json_decref(record);
		if (error)
			break;
		journal->size = reader.offset;
	}
	fclose(reader.stream);
	*ret_is_torn = result == JOURNAL_READ_TORN;
	if (*ret_is_torn)
		journal->size = reader.offset;
	return error;
}

static struct ovsdb_error *
load_record(const struct journal_reader *reader, json_t *record,
	    struct database **db)
{
	struct ovsdb_error *error;
	struct schema *schema;

	if (*db) {
		error = replay(reader, record, *db);
	} else {
		error = schema_from_json(record, &schema);
		if (!error)
			*db = database_new(schema, NULL);
	}
	return ovsdb_error_prefix(error, "%s: the record before offset %lld"
				  " makes no sense", reader->path,
				  (long long) reader->offset);
}

/* A compacted file begins with a record that says which transaction it goes up
 * to; every other has an id that comes from what it says. */
static struct ovsdb_error *
replay(const struct journal_reader *reader, json_t *record,
       struct database *db)
{
	struct ovsdb_error *error;

	if (!uuid_is_zero(&db->last_recorded)
	    || !journal_compact_id(record, &db->replayed))
		history_next_id(&db->last_recorded, reader->sha1,
				&db->replayed);
	error = journal_record_apply(record, db);
	db->last_transaction = db->last_recorded = db->replayed;
	db->is_last_from_file = true;
	memset(&db->replayed, 0, sizeof db->replayed);
	return error;
}

static struct ovsdb_error *
check_schema(const struct journal *journal, const struct database *db,
	     const char *schema_path)
{
	struct ovsdb_error *error;
	struct schema *schema;

	if (!schema_path)
		return NULL;
	error = schema_from_file(schema_path, &schema);
	if (error)
		return error;
	if (strcmp(schema->name, database_name(db)))
		error = ovsdb_error(OVSDB_IO_ERROR, "%s: this file holds the"
				    " database %s, not %s", journal->path,
				    database_name(db), schema->name);
	schema_free(schema);
	return error;
}

static struct ovsdb_error *
cut_off(struct journal *journal, char **ret_warning)
{
	struct ovsdb_error *error;
	struct stat st;

	if (fstat(journal->fd, &st) < 0)
		return problem(journal, "cannot be read");
	error = cut_rubbish(journal);
	if (!error)
		*ret_warning = xasprintf("%s: the last record was not written"
					 " whole: %lld bytes at offset %lld"
					 " cut off", journal->path,
					 (long long) (st.st_size
						      - journal->size),
					 (long long) journal->size);
	return error;
}

static struct ovsdb_error *
cut_rubbish(struct journal *journal)
{
	if (ftruncate(journal->fd, journal->size) < 0
	    || fdatasync(journal->fd) < 0)
		return problem(journal, "cannot be cut back to its last whole"
			       " record");
	journal->has_rubbish = false;
	return NULL;
}

static struct ovsdb_error *
problem(const struct journal *journal, const char *what)
{
	return ovsdb_error(OVSDB_IO_ERROR, "%s: %s: %s", journal->path, what,
			   strerror(errno));
}

/* Where a link leads, so that the lock is beside the file itself; absolute,
 * because a daemon leaves the directory in which it was started. */
static char *
find_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	char *real = realpath(path, NULL);
	char *directory;

	if (real)
		return real;
	directory = slash ? xasprintf("%.*s", (int) (slash - path + 1), path)
			  : xstrdup(".");
	real = realpath(directory, NULL);
	free(directory);
	if (!real)
		return xstrdup(path);
	directory = real;
	real = xasprintf("%s/%s", strcmp(directory, "/") ? directory : "",
			 base);
	free(directory);
	return real;
}
