/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/journal_compact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/journal_read.h"
#include "agent/ovsdb/journal_record.h"
#include "agent/ovsdb/row.h"

/* The record of all rows can be larger than memory, and its header needs its
 * size and checksum: so it is made twice, row by row, once to measure and
 * once to write. */
struct sink {
	EVP_MD_CTX *digest;	/* Measures ... */
	FILE *stream;		/* ... or writes. */
	int64_t size;
};

static const char goes_up_to[] = "compacted up to transaction ";

static bool write_all(FILE *, const struct database *, int64_t *ret_size);
static void emit_database(struct sink *, const struct database *,
			  int64_t date);
static void emit_table(struct sink *, const struct table *);
static void emit(struct sink *, const char *text, size_t size);
static void emit_text(struct sink *, const char *text);
static size_t count_rows(const struct database *);
static char *dump(const json_t *);
static bool sync_directory(const char *path);

char *
journal_format(json_t *record, size_t *ret_size,
	       char ret_sha1[JOURNAL_SHA1_TEXT_SIZE])
{
	char header[JOURNAL_HEADER_MAX];
	char *json = dump(record);
	size_t size = strlen(json);
	size_t header_size;
	char *text;

	json[size++] = '\n';		/* In the place of the NUL. */
	journal_sha1(json, size, ret_sha1);
	header_size = snprintf(header, sizeof header, "OVSDB JSON %zu %s\n",
			       size, ret_sha1);
	text = xmalloc(header_size + size);
	memcpy(text, header, header_size);
	memcpy(text + header_size, json, size);
	free(json);
	*ret_size = header_size + size;
	return text;
}

struct ovsdb_error *
journal_write(int fd, const char *path, int64_t offset, const char *bytes,
	      size_t size)
{
	while (size) {
		ssize_t n = pwrite(fd, bytes, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ovsdb_error(OVSDB_IO_ERROR, "%s: cannot be"
					   " written: %s", path,
					   n ? strerror(errno)
					     : "no bytes were taken");
		bytes += n;
		size -= n;
		offset += n;
	}
	return NULL;
}

struct ovsdb_error *
journal_compact_to(const char *path, const struct database *db, int *ret_fd,
		   int64_t *ret_size)
{
	char *temporary = xasprintf("%s.tmp", path);
	struct ovsdb_error *error;
	FILE *stream = NULL;
	int fd, copy = -1;

	fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd >= 0)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy >= 0)
		stream = fdopen(copy, "w");
	if (stream && write_all(stream, db, ret_size) && !fsync(fd)
	    && !rename(temporary, path) && sync_directory(path)) {
		fclose(stream);
		free(temporary);
		*ret_fd = fd;
		return NULL;
	}

	error = ovsdb_error(OVSDB_IO_ERROR, "%s: cannot be written: %s",
			    temporary, strerror(errno));
	if (stream)
		fclose(stream);
	else if (copy >= 0)
		close(copy);
	if (fd >= 0) {
		unlink(temporary);
		close(fd);
	}
	free(temporary);
	return error;
}

bool
journal_compact_id(json_t *record, struct uuid *ret_id)
{
	const char *comment = json_string_value(json_object_get(record,
								"_comment"));
	size_t n = sizeof goes_up_to - 1;

	return comment && !strncmp(comment, goes_up_to, n)
	       && uuid_from_text(comment + n, ret_id)
	       && !uuid_is_zero(ret_id);
}

static bool
write_all(FILE *stream, const struct database *db, int64_t *ret_size)
{
	struct sink measure = { .digest = EVP_MD_CTX_new() };
	struct sink sink = { .stream = stream };
	unsigned char digest[EVP_MAX_MD_SIZE];
	json_t *schema = schema_to_json(db->schema);
	struct timespec now;
	char header[JOURNAL_HEADER_MAX];
	char sha1[JOURNAL_SHA1_TEXT_SIZE];
	int64_t date;
	unsigned n = 0;
	size_t size;
	char *text;
	int used;

	text = journal_format(schema, &size, sha1);
	json_decref(schema);
	emit(&sink, text, size);
	free(text);
	if (count_rows(db) || !uuid_is_zero(&db->last_recorded)) {
		clock_gettime(CLOCK_REALTIME, &now);
		date = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
		if (!measure.digest
		    || !EVP_DigestInit_ex(measure.digest, EVP_sha1(), NULL))
			abort();
		emit_database(&measure, db, date);
		EVP_DigestFinal_ex(measure.digest, digest, &n);
		used = snprintf(header, sizeof header, "OVSDB JSON %lld ",
				(long long) measure.size);
		for (size = 0; size < n; size++)
			used += snprintf(header + used, sizeof header - used,
					 "%02x", digest[size]);
		emit_text(&sink, header);
		emit_text(&sink, "\n");
		emit_database(&sink, db, date);
	}
	EVP_MD_CTX_free(measure.digest);
	*ret_size = sink.size;
	return !fflush(stream) && !ferror(stream);
}

static void
emit_database(struct sink *sink, const struct database *db, int64_t date)
{
	char text[64 + sizeof goes_up_to + UUID_TEXT_SIZE];
	char id[UUID_TEXT_SIZE];
	size_t i;

	uuid_to_text(&db->last_recorded, id);
	snprintf(text, sizeof text,
		 "{\"_date\":%lld,\"_comment\":\"%s%s\"",
		 (long long) date, goes_up_to, id);
	emit_text(sink, text);
	for (i = 0; i < db->schema->n_tables; i++) {
		if (db->tables[i].rows.n)
			emit_table(sink, &db->tables[i]);
	}
	emit_text(sink, "}\n");
}

static void
emit_table(struct sink *sink, const struct table *table)
{
	const char *comma = "";
	const struct row *row;

	emit_text(sink, ",\"");
	emit_text(sink, table->schema->name);
	emit_text(sink, "\":{");
	for (row = table_first(table); row; row = table_next(table, row)) {
		json_t *json = journal_record_from_row(row);
		char uuid[UUID_TEXT_SIZE];
		char *text = dump(json);

		uuid_to_text(row_uuid(row), uuid);
		emit_text(sink, comma);
		emit_text(sink, "\"");
		emit_text(sink, uuid);
		emit_text(sink, "\":");
		emit_text(sink, text);
		free(text);
		json_decref(json);
		comma = ",";
	}
	emit_text(sink, "}");
}

static void
emit(struct sink *sink, const char *text, size_t size)
{
	if (sink->digest)
		EVP_DigestUpdate(sink->digest, text, size);
	else
		fwrite(text, 1, size, sink->stream);
	sink->size += size;
}

static void
emit_text(struct sink *sink, const char *text)
{
	emit(sink, text, strlen(text));
}

static size_t
count_rows(const struct database *db)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < db->schema->n_tables; i++)
		n += db->tables[i].rows.n;
	return n;
}

/* Reals to the last bit; everything on one line. */
static char *
dump(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	if (!text)
		abort();
	return text;
}

static bool
sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash ? strndup(path, slash - path + 1)
				: xstrdup(".");
	int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY
				  | O_CLOEXEC) : -1;
	bool ok = fd >= 0 && !fsync(fd);

	if (fd >= 0)
		close(fd);
	free(directory);
	return ok;
}
