/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb/store/journal_ahead.h"
#include "agent/ovsdb/store/journal_compact.h"
#include "agent/ovsdb/store/journal_load.h"
#include "agent/ovsdb/store/journal_read.h"
#include "agent/ovsdb/store/journal_write.h"

struct opening {
	const char *path, *name;	/* The caller's. */
	int fd;
	int64_t size, rows_end;
	struct database *db;		/* NULL: there is no schema yet. */
	bool is_torn;			/* Behind 'size'; */
	char *rubbish;			/* or this is. */
};

enum { READ_SIZE = 64 << 10 };

static struct ovsdb_error *open_file(struct opening *,
				     const char *schema_path);
static struct ovsdb_error *create(struct opening *, const char *schema_path);
static struct ovsdb_error *load(struct opening *);
static struct ovsdb_error *load_records(struct opening *,
					struct journal_ahead *,
					struct journal_reader *,
					enum journal_read_result *ret_result);
static char *describe(const struct ovsdb_error *);
static struct ovsdb_error *load_schema(struct journal_reader *,
				       struct database **);
static struct ovsdb_error *make_no_sense(const struct journal_reader *,
					 struct ovsdb_error *);
static struct ovsdb_error *cut_off(struct opening *, char **ret_warning);
static struct ovsdb_error *put_aside(const struct opening *,
				     const char *path, int64_t size);
static struct ovsdb_error *copy_tail(const struct opening *, int fd,
				     int64_t size);
static struct ovsdb_error *check_schema(const struct opening *,
					const char *schema_path);
static struct ovsdb_error *problem(const struct opening *, const char *what);

struct ovsdb_error *
journal_open(const char *path, const char *name, const char *schema_path,
	     struct journal_opened *ret_opened, char **ret_warning)
{
	struct opening o = { .path = path, .name = name, .fd = -1 };
	struct ovsdb_error *error;
	char *warning = NULL;

	error = open_file(&o, schema_path);
	if (!error)
		error = load(&o);
	if (!error && (o.is_torn || o.rubbish))
		error = cut_off(&o, &warning);
	free(o.rubbish);
	o.rubbish = NULL;

	/* Torn within the schema: nothing was ever acknowledged. */
	if (!error && !o.db && schema_path) {
		error = create(&o, schema_path);
		if (!error)
			error = load(&o);
	} else if (!error && !o.db) {
		error = ovsdb_error(OVSDB_IO_ERROR, "%s: this file has no"
				    " schema", path);
	}
	if (!error)
		error = check_schema(&o, schema_path);
	if (error) {
		free(warning);
		database_free(o.db);
		if (o.fd >= 0)
			close(o.fd);
		return error;
	}
	*ret_opened = (struct journal_opened) {
		.fd = o.fd, .size = o.size, .rows_end = o.rows_end,
		.database = o.db,
	};
	*ret_warning = warning;
	return NULL;
}

static struct ovsdb_error *
open_file(struct opening *o, const char *schema_path)
{
	struct stat st;

	o->fd = open(o->path, O_RDWR | O_CLOEXEC);
	if (o->fd < 0 && errno == ENOENT && schema_path)
		return create(o, schema_path);
	if (o->fd < 0 || fstat(o->fd, &st) < 0)
		return problem(o, "cannot be opened for writing");
	if (!S_ISREG(st.st_mode))
		return ovsdb_error(OVSDB_IO_ERROR, "%s: this is not a file",
				   o->path);
	if (!st.st_size && schema_path)
		return create(o, schema_path);
	o->size = st.st_size;
	return NULL;
}

static struct ovsdb_error *
create(struct opening *o, const char *schema_path)
{
	struct compaction *compaction;
	struct compacted compacted;
	struct ovsdb_error *error;
	struct schema *schema;
	struct database *db;

	error = schema_from_file(schema_path, &schema);
	if (error)
		return error;
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
	db = database_new(schema, NULL);
	compaction = compaction_start(o->path, db, -1, 0, 0);
	error = compaction_adopt(compaction, &compacted);
	o->fd = compacted.fd;
	o->size = compacted.size;
	compaction_free(compaction);
	database_free(db);
	return error;
}

/* On return 'size' is where the last record ends that makes sense.  What is
 * behind it, if anything, is torn, or 'rubbish' says what is wrong with it. */
static struct ovsdb_error *
load(struct opening *o)
{
	struct journal_reader reader = { .path = o->name, .size = o->size };
	int fd = fcntl(o->fd, F_DUPFD_CLOEXEC, 0);
	enum journal_read_result result;
	struct journal_ahead *ahead;
	struct ovsdb_error *error;

	reader.stream = fd < 0 ? NULL : fdopen(fd, "r");
	if (!reader.stream)
		return problem(o, "cannot be read");
	rewind(reader.stream);
	setvbuf(reader.stream, NULL, _IOFBF, READ_SIZE);
	ahead = journal_ahead_new(&reader);
	error = load_records(o, ahead, &reader, &result);
	o->is_torn = result == JOURNAL_READ_TORN;
	if (o->is_torn || result == JOURNAL_READ_RUBBISH)
		o->size = reader.offset;
	if (result == JOURNAL_READ_RUBBISH) {
		o->rubbish = describe(error);
		ovsdb_error_free(error);
		error = NULL;
	}
	journal_ahead_free(ahead);
	journal_read_done(&reader);
	fclose(reader.stream);
	return error;
}

static struct ovsdb_error *
load_records(struct opening *o, struct journal_ahead *ahead,
	     struct journal_reader *reader,
	     enum journal_read_result *ret_result)
{
	struct journal_load *load = NULL;
	struct ovsdb_error *error = NULL;
	uint64_t n_records = 0;

	while (!error && (*ret_result = journal_ahead_next(ahead, &error))
			 == JOURNAL_READ_RECORD) {
		bool is_last = o->db && reader->offset == reader->size;

		error = load ? journal_load_record(load, reader)
			     : load_schema(reader, &o->db);
		if (error && is_last) {
			o->rubbish = describe(error);
			ovsdb_error_free(error);
			error = NULL;
			break;
		}
		if (error) {
			error = make_no_sense(reader, error);
			break;
		}
		if (!load)
			load = journal_load_new(o->db);
		o->size = reader->offset;
		if (++n_records <= 2)
			o->rows_end = reader->offset;
		history_set_end(database_history(o->db), reader->offset,
				database_last_recorded(o->db));
		if (!reader->body
		    && fseeko(reader->stream, reader->offset, SEEK_SET) < 0)
			error = problem(o, "cannot be read");
	}
	journal_load_free(load);
	return error;
}

/* As people know it from ovsdb-server. */
static char *
describe(const struct ovsdb_error *error)
{
	char *syntax = error->syntax ? json_dumps(error->syntax, JSON_COMPACT)
				     : NULL;
	char *text;

	text = syntax ? xasprintf("syntax \"%.1000s\": %s: %s", syntax,
				  error->name, error->details)
	       : xasprintf("%s: %s", error->name, error->details);
	free(syntax);
	return text;
}

static struct ovsdb_error *
load_schema(struct journal_reader *reader, struct database **db)
{
	struct ovsdb_error *error;
	struct schema *schema;
	json_t *json;

	json = reader->body ? json_loadb(reader->body, reader->body_size, 0,
					 NULL)
			    : NULL;
	error = schema_from_json(json, &schema);
	json_decref(json);
	if (!error)
		*db = database_new(schema, NULL);
	return error;
}

/* Takes over 'error'. */
static struct ovsdb_error *
make_no_sense(const struct journal_reader *reader, struct ovsdb_error *error)
{
	struct ovsdb_error *whole;

	whole = ovsdb_error(error->name, "%s: the record before offset %lld"
			    " makes no sense: %s", reader->path,
			    (long long) reader->offset, error->details);
	ovsdb_error_free(error);
	return whole;
}

/* What was only half written goes; what somebody else has written there is
 * put aside first. */
static struct ovsdb_error *
cut_off(struct opening *o, char **ret_warning)
{
	const long long offset = o->size;
	struct ovsdb_error *error = NULL;
	char *aside = NULL;
	struct stat st;
	long long size;

	if (fstat(o->fd, &st) < 0)
		return problem(o, "cannot be read");
	size = st.st_size - offset;
	if (o->rubbish) {
		aside = xasprintf("%s.cut-%lld", o->path, offset);
		error = put_aside(o, aside, size);
	}
	if (!error && journal_cut(o->fd, offset) < 0)
		error = problem(o, "cannot be cut back to its last whole"
				" record");
	if (!error && o->rubbish)
		*ret_warning = xasprintf("%s; %lld bytes at offset %lld moved"
					 " to %s", o->rubbish, size, offset,
					 aside);
	else if (!error)
		*ret_warning = xasprintf("%s: the last record was not written"
					 " whole: %lld bytes at offset %lld"
					 " cut off", o->path, size, offset);
	free(aside);
	return error;
}

static struct ovsdb_error *
put_aside(const struct opening *o, const char *path, int64_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
			    | O_NOFOLLOW, 0600);
	struct ovsdb_error *error;

	error = fd < 0 ? problem(o, "what makes no sense at its end"
				 " cannot be put aside")
		: copy_tail(o, fd, size);
	if (fd >= 0)
		close(fd);
	return error;
}

static struct ovsdb_error *
copy_tail(const struct opening *o, int fd, int64_t size)
{
	int64_t offset = o->size, end = offset + size;
	char bytes[4096];
	ssize_t n = 1;

	while (offset < end && n > 0) {
		n = pread(o->fd, bytes, sizeof bytes, offset);
		if (n > 0)
			n = write(fd, bytes, n);
		if (n > 0)
			offset += n;
	}
	if (offset < end || fsync(fd) < 0)
		return problem(o, "what makes no sense at its end"
			       " cannot be put aside");
	return NULL;
}

static struct ovsdb_error *
check_schema(const struct opening *o, const char *schema_path)
{
	struct ovsdb_error *error;
	struct schema *schema;

	if (!schema_path)
		return NULL;
	error = schema_from_file(schema_path, &schema);
	if (error)
		return error;
	if (strcmp(schema->name, database_name(o->db)))
		error = ovsdb_error(OVSDB_IO_ERROR, "%s: this file holds the"
				    " database %s, not %s", o->path,
				    database_name(o->db), schema->name);
	schema_free(schema);
	return error;
}

static struct ovsdb_error *
problem(const struct opening *o, const char *what)
{
	return ovsdb_error(OVSDB_IO_ERROR, "%s: %s: %s", o->path, what,
			   strerror(errno));
}
