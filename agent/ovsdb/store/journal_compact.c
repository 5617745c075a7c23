/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal_compact.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/resource.h>
#include <openssl/evp.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb/store/journal_read.h"
#include "agent/ovsdb/store/journal_record.h"
#include "agent/ovsdb/store/journal_write.h"
#include "agent/ovsdb/store/row.h"

enum {
	BUFFER_SIZE = 256 << 10,
	TAIL_MAX = 64 << 10,	/* What compaction_adopt() may be left. */
	MAX_PASSES = 16,	/* At a tail that grows as fast. */
	SLICE_ROWS = 4096,	/* Listed in one go, */
	SLICE_CHANGES = 1024,	/* and undone. */
	NICE = 10
};

struct listed_table {
	const struct table *table;
	unsigned bits;			/* It has 2^bits ranges, */
	uint32_t n_ranges;		/* of which so many are listed. */
	struct pin_rows list;
};

struct compaction {
	struct pin *pin;
	struct history_past *past;	/* What the rows were. */
	char *path, *temporary;
	struct listed_table *tables;
	size_t n_tables, n_listed;
	bool is_started;		/* The thread. */

	/* The thread's, until 'is_over'. */
	struct encoding out;		/* First the schema, as a record. */
	EVP_MD_CTX *digest;
	int fd, old_fd;
	int64_t size, rows_end, old_offset;
	int problem;			/* Negative errno. */
	const char *doing;		/* When that happened. */

	pthread_t thread;
	bool is_joined;
	int64_t old_begin;		/* What is copied. */
	_Atomic int64_t old_size;	/* Written by [control]. */
	_Atomic bool is_canceled;	/* By [control], */
	_Atomic bool is_over;		/* and by the thread. */
};

/* While rows are written. */
struct row_writer {
	struct compaction *compaction;
	const struct table *table;
	size_t n;			/* Of this table. */
};

static const char goes_up_to[] = "compacted up to transaction ";

static void prepare_lists(struct compaction *, struct database *);
static void encode_schema(struct compaction *, const struct schema *);
static bool list_rows(struct compaction *, size_t max);
static void start_thread(struct compaction *);
static void *work_behind(void *compaction);
static void work(struct compaction *);
static void write_rows(struct compaction *);
static bool write_table(struct compaction *, const struct listed_table *);
static void write_row(void *row_writer, const struct row *);
static void write_header(struct compaction *, int64_t start);
static void flush(struct compaction *, bool is_rows);
static void check_past(struct compaction *, int64_t to);
static void copy_tail(struct compaction *, int64_t to);
static void sync_file(struct compaction *);
static void fail(struct compaction *, const char *doing, int problem);
static int sync_directory(const char *path);
static void close_elsewhere(int fd);
static void *close_it(void *fd);

struct compaction *
compaction_start(const char *path, struct database *db, int old_fd,
		 int64_t old_size, int64_t max_past)
{
	struct compaction *c = xcalloc(1, sizeof *c);

	c->path = xstrdup(path);
	c->temporary = xasprintf("%s.tmp", path);
	c->old_begin = old_size;
	c->old_size = old_size;
	c->old_fd = -1;
	c->fd = open(c->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
		     0640);
	if (c->fd < 0)
		fail(c, "cannot be made", -errno);
	if (old_fd >= 0) {
		c->old_fd = fcntl(old_fd, F_DUPFD_CLOEXEC, 0);
		if (c->old_fd < 0)
			fail(c, "cannot be made", -errno);
	}
	c->pin = pin_take(db);
	c->past = history_past_begin(db, c->pin, old_fd < 0 ? 0 : max_past);
	prepare_lists(c, db);
	encode_schema(c, db->schema);
	compaction_run(c);
	return c;
}

void
compaction_extend(struct compaction *c, int64_t old_size)
{
	c->old_size = old_size;
}

bool
compaction_run(struct compaction *c)
{
	if (c->is_started)
		return false;
	if (history_past_step(c->past, SLICE_CHANGES)
	    || list_rows(c, SLICE_ROWS))
		return true;
	start_thread(c);
	return false;
}

bool
compaction_is_ready(const struct compaction *c)
{
	return c->is_over;
}

void
compaction_wait(struct compaction *c)
{
	while (compaction_run(c))
		continue;
	if (!c->is_joined)
		pthread_join(c->thread, NULL);
	c->is_joined = true;
}

struct ovsdb_error *
compaction_adopt(struct compaction *c, struct compacted *ret_compacted)
{
	*ret_compacted = (struct compacted) { .fd = -1 };
	compaction_wait(c);
	if (c->old_fd >= 0 && c->old_offset < c->old_size) {
		copy_tail(c, c->old_size);
		sync_file(c);
	}
	if (!c->problem && rename(c->temporary, c->path) < 0)
		fail(c, "cannot be renamed", -errno);
	if (!c->problem) {
		*ret_compacted = (struct compacted) {
			.fd = c->fd, .size = c->size,
			.rows_end = c->rows_end, .from = c->old_begin,
		};
		c->fd = -1;
		fail(c, "cannot be kept in its directory",
		     sync_directory(c->path));
	}
	if (!c->problem)
		return NULL;
	return ovsdb_error(OVSDB_IO_ERROR, "%s: %s: %s", c->temporary,
			   c->doing, strerror(-c->problem));
}

void
compaction_free(struct compaction *c)
{
	size_t i;

	if (!c)
		return;
	c->is_canceled = true;
	if (c->is_started)
		compaction_wait(c);
	if (c->fd >= 0) {
		unlink(c->temporary);
		close(c->fd);
	}
	if (c->old_fd >= 0)
		close_elsewhere(c->old_fd);
	for (i = 0; i < c->n_tables; i++)
		pin_rows_done(&c->tables[i].list);
	free(c->tables);
	history_past_free(c->past);
	pin_release(c->pin);
	EVP_MD_CTX_free(c->digest);
	encode_done(&c->out);
	free(c->temporary);
	free(c->path);
	free(c);
}

bool
journal_compact_id(const char *comment, size_t size, struct uuid *ret_id)
{
	const size_t n = sizeof goes_up_to - 1;
	char id[UUID_TEXT_SIZE];

	if (size != n + UUID_TEXT_SIZE - 1 || memcmp(comment, goes_up_to, n))
		return false;
	memcpy(id, comment + n, sizeof id - 1);
	id[sizeof id - 1] = '\0';
	return uuid_from_text(id, ret_id) && !uuid_is_zero(ret_id);
}

static void
prepare_lists(struct compaction *c, struct database *db)
{
	c->n_tables = db->schema->n_tables;
	c->tables = xcalloc(c->n_tables, sizeof *c->tables);
	for (size_t i = 0; i < c->n_tables; i++) {
		struct listed_table *table = &c->tables[i];

		table->table = &db->tables[i];
		table->bits = pin_bits(table->table);
		table->list.max = row_map_n(&table->table->rows);
		table->list.rows = xmalloc(table->list.max
					   * sizeof *table->list.rows);
	}
}

/* Here, because jansson counts references where others might, too. */
static void
encode_schema(struct compaction *c, const struct schema *from)
{
	json_t *schema = schema_to_json(from);
	char *text = json_dumps(schema, JSON_COMPACT);
	char sha1[JOURNAL_SHA1_TEXT_SIZE];
	size_t size, header;
	char *json;

	if (!text)
		abort();
	size = strlen(text) + 1;
	encode_reserve(&c->out, JOURNAL_HEADER_MAX + size + BUFFER_SIZE);
	json = c->out.bytes + JOURNAL_HEADER_MAX;
	memcpy(json, text, size - 1);
	json[size - 1] = '\n';
	header = journal_put_header(json, size, sha1);
	memmove(c->out.bytes, json - header, header + size);
	c->out.n = header + size;
	free(text);
	json_decref(schema);
}

/* Returns whether there are more than that. */
static bool
list_rows(struct compaction *c, size_t max)
{
	size_t n = 0;

	while (c->n_listed < c->n_tables) {
		struct listed_table *table = &c->tables[c->n_listed];
		size_t before = table->list.n;

		if (table->n_ranges >> table->bits) {
			c->n_listed++;
			continue;
		}
		if (n >= max)
			return true;
		pin_read(c->pin, table->table, table->bits,
			 table->n_ranges++, &table->list);
		n += table->list.n - before;
	}
	return false;
}

/* Signals are the main thread's.  Where there can be no thread, the work is
 * done all the same. */
static void
start_thread(struct compaction *c)
{
	sigset_t all, before;

	c->is_started = true;
	if (c->old_fd >= 0)
		c->old_begin = history_past_offset(c->past);
	c->old_offset = c->old_begin;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&c->thread, NULL, work_behind, c)) {
		c->is_joined = true;
		work(c);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Nobody waits for it, and clients wait for whom it would keep off a CPU. */
static void *
work_behind(void *c)
{
	(void) !setpriority(PRIO_PROCESS, (id_t) gettid(), NICE);
	work(c);
	return NULL;
}

static void
work(struct compaction *c)
{
	int64_t left = TAIL_MAX;
	int n;

	if (c->old_offset < c->old_size)
		check_past(c, c->old_size);
	write_rows(c);
	sync_file(c);
	for (n = 0; n < MAX_PASSES && left >= TAIL_MAX && !c->problem; n++) {
		int64_t to = c->old_size;

		left = to - c->old_offset;
		if (!left || c->old_fd < 0)
			break;
		copy_tail(c, to);
		sync_file(c);
	}
	c->is_over = true;
}

/* The schema's record, and one of all rows.  Its header is written last, when
 * size and checksum are known; so the size has zeros in front. */
static void
write_rows(struct compaction *c)
{
	struct timespec now;
	int64_t start;
	char id[UUID_TEXT_SIZE];
	const struct uuid *upto = history_past_id(c->past);
	bool any = !uuid_is_zero(upto);
	size_t i;

	flush(c, false);
	start = c->size;
	encode_reserve(&c->out, JOURNAL_HEADER_MAX);
	memset(c->out.bytes, ' ', JOURNAL_HEADER_MAX);
	c->out.n = sizeof "OVSDB JSON 000000000000000 \n" - 1
		   + 2 * JOURNAL_SHA1_SIZE;
	flush(c, false);
	c->digest = EVP_MD_CTX_new();
	if (!c->digest || !EVP_DigestInit_ex(c->digest, EVP_sha1(), NULL))
		abort();
	clock_gettime(CLOCK_REALTIME, &now);
	encode_text(&c->out, "{\"_date\":");
	encode_integer(&c->out, now.tv_sec * INT64_C(1000)
				+ now.tv_nsec / 1000000);
	uuid_to_text(upto, id);
	encode_text(&c->out, ",\"_comment\":\"");
	encode_text(&c->out, goes_up_to);
	encode_text(&c->out, id);
	encode_text(&c->out, "\"");
	for (i = 0; i < c->n_tables; i++)
		any |= write_table(c, &c->tables[i]);
	encode_text(&c->out, "}\n");
	flush(c, true);
	if (any)
		write_header(c, start);
	else if (!c->problem && ftruncate(c->fd, start) < 0)
		fail(c, "cannot be written", -errno);
	else
		c->size = start;
	c->rows_end = c->size;
}

/* As it was then; returns whether there was any row. */
static bool
write_table(struct compaction *c, const struct listed_table *table)
{
	struct row_writer writer = { c, table->table, 0 };

	for (size_t i = 0; i < table->list.n && !c->problem; i++) {
		const struct row *row = history_past_find(
			c->past, table->list.rows[i]);

		if (row)
			write_row(&writer, row);
	}
	history_past_visit_gone(c->past, table->table, write_row, &writer);
	if (writer.n)
		encode_text(&c->out, "}");
	return writer.n;
}

static void
write_row(void *writer_, const struct row *row)
{
	struct row_writer *writer = writer_;
	struct compaction *c = writer->compaction;

	if (writer->n++) {
		encode_bytes(&c->out, ",", 1);
	} else {
		encode_text(&c->out, ",\"");
		encode_text(&c->out, table_schema(writer->table)->name);
		encode_text(&c->out, "\":{");
	}
	encode_uuid(&c->out, row_uuid(row));
	encode_bytes(&c->out, ":", 1);
	journal_record_from_row(row, &c->out);
	if (c->out.n >= BUFFER_SIZE)
		flush(c, true);
}

static void
write_header(struct compaction *c, int64_t start)
{
	const int64_t header_size = sizeof "OVSDB JSON 000000000000000 \n" - 1
				    + 2 * JOURNAL_SHA1_SIZE;
	unsigned char digest[EVP_MAX_MD_SIZE];
	char sha1[JOURNAL_SHA1_TEXT_SIZE];
	char header[JOURNAL_HEADER_MAX];
	int problem;

	if (c->problem)
		return;
	EVP_DigestFinal_ex(c->digest, digest, NULL);
	journal_sha1_text(digest, sha1);
	snprintf(header, sizeof header, "OVSDB JSON %015lld %s\n",
		 (long long) (c->size - start - header_size), sha1);
	problem = journal_write(c->fd, start, header, header_size);
	if (problem)
		fail(c, "cannot be written", problem);
}

static void
flush(struct compaction *c, bool is_rows)
{
	if (c->is_canceled)
		fail(c, "is not wanted", -ECANCELED);
	if (is_rows)
		EVP_DigestUpdate(c->digest, c->out.bytes, c->out.n);
	if (!c->problem)
		fail(c, "cannot be written",
		     journal_write(c->fd, c->size, c->out.bytes, c->out.n));
	c->size += c->out.n;
	c->out.n = 0;
}

/* Damage that is not copied is gone with the old file. */
static void
check_past(struct compaction *c, int64_t to)
{
	struct journal_reader reader = {
		.path = c->path, .offset = c->old_begin, .size = to
	};
	int fd = fcntl(c->old_fd, F_DUPFD_CLOEXEC, 0);
	struct ovsdb_error *error = NULL;
	enum journal_read_result result;

	reader.stream = fd < 0 ? NULL : fdopen(fd, "r");
	if (!reader.stream
	    || fseeko(reader.stream, reader.offset, SEEK_SET) < 0) {
		fail(c, "cannot be copied to", -errno);
	} else {
		do
			result = journal_read(&reader, &error);
		while (result == JOURNAL_READ_RECORD && !c->is_canceled);
		if (result != JOURNAL_READ_END)
			fail(c, "would get what is damaged", -EIO);
	}
	ovsdb_error_free(error);
	journal_read_done(&reader);
	if (reader.stream)
		fclose(reader.stream);
	else if (fd >= 0)
		close(fd);
}

static void
copy_tail(struct compaction *c, int64_t to)
{
	encode_reserve(&c->out, BUFFER_SIZE);
	while (c->old_offset < to && !c->problem) {
		int64_t left = to - c->old_offset;
		ssize_t n;

		n = pread(c->old_fd, c->out.bytes,
			  left < BUFFER_SIZE ? left : BUFFER_SIZE,
			  c->old_offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			fail(c, "cannot be read", n ? -errno : -EIO);
			return;
		}
		c->old_offset += n;
		c->out.n = n;
		flush(c, false);
	}
}

static void
sync_file(struct compaction *c)
{
	if (!c->problem && fsync(c->fd) < 0)
		fail(c, "cannot be written to disk", -errno);
}

/* The first problem stays. */
static void
fail(struct compaction *c, const char *doing, int problem)
{
	if (c->problem || !problem)
		return;
	c->problem = problem;
	c->doing = doing;
}

static int
sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash ? xasprintf("%.*s", (int) (slash - path + 1),
					    path)
				: xstrdup(".");
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int problem = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(directory);
	return problem;
}

/* With the last descriptor goes the file, and of a large one that takes its
 * time. */
static void
close_elsewhere(int fd)
{
	pthread_attr_t detached;
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &detached, close_it,
			   (void *) (intptr_t) fd))
		close(fd);
	pthread_attr_destroy(&detached);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void *
close_it(void *fd)
{
	close((int) (intptr_t) fd);
	return NULL;
}
