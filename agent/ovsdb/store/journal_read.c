/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal_read.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <openssl/evp.h>

#include "agent/base/pages.h"

enum { SECTOR_SIZE = 512 };	/* No disk tears what is smaller. */

static const char magic[] = "OVSDB JSON ";

struct header {
	char text[JOURNAL_HEADER_MAX];
	size_t size;		/* With the newline, if there is one. */
	bool is_whole;
	int64_t body_size;
	char sha1[JOURNAL_SHA1_TEXT_SIZE];
};

static bool read_body(struct journal_reader *, int64_t size);
static void begin_digest(struct journal_reader *);
static void read_header(struct journal_reader *, struct header *);
static bool parse_header(struct header *);
static bool begins_header(const struct header *);
static bool has_hole(const struct journal_reader *, int64_t offset,
		     int64_t size);
static bool has_later_record(const struct journal_reader *,
			     int64_t expected);
static enum journal_read_result no_header(const struct journal_reader *,
					  const struct header *,
					  struct ovsdb_error **);
static struct ovsdb_error *quote(const struct journal_reader *,
				 const struct header *);
static enum journal_read_result damaged(const struct journal_reader *,
					struct ovsdb_error **,
					const char *what);
static bool is_hex(char);

enum journal_read_result
journal_read(struct journal_reader *reader, struct ovsdb_error **ret_error)
{
	int64_t left = reader->size - reader->offset;
	struct header header;

	if (!left)
		return JOURNAL_READ_END;
	read_header(reader, &header);
	if (!header.is_whole || !parse_header(&header))
		return no_header(reader, &header, ret_error);
	left -= header.size;
	if (header.body_size > left)
		return has_later_record(reader, -1)
		       ? damaged(reader, ret_error, "has a wrong size")
		       : JOURNAL_READ_TORN;

	if (!read_body(reader, header.body_size))
		return damaged(reader, ret_error, "cannot be read");
	if (strcasecmp(reader->sha1, header.sha1))
		return has_hole(reader, reader->offset + (int64_t) header.size,
				header.body_size)
		       || !has_later_record(reader, reader->offset
					    + (int64_t) header.size
					    + header.body_size)
		       ? JOURNAL_READ_TORN
		       : damaged(reader, ret_error,
				 "does not match its checksum");
	reader->offset += header.size + header.body_size;
	return JOURNAL_READ_RECORD;
}

void
journal_read_done(struct journal_reader *reader)
{
	reader->room = pages_resize(reader->room, reader->room_size, 0);
	reader->room_size = 0;
	reader->body = NULL;
	EVP_MD_CTX_free(reader->digest);
	reader->digest = NULL;
}

/* And its checksum.  The size is no more than the file holds. */
static bool
read_body(struct journal_reader *reader, int64_t size)
{
	size_t room = size > JOURNAL_READ_BODY_MAX ? JOURNAL_READ_BODY_MAX
		      : size ? (size_t) size : 1;
	unsigned char digest[EVP_MAX_MD_SIZE];

	begin_digest(reader);
	reader->room = pages_resize(reader->room, reader->room_size, room);
	reader->room_size = room;
	reader->body = size > JOURNAL_READ_BODY_MAX ? NULL : reader->room;
	reader->body_size = size;
	while (size) {
		size_t n = fread(reader->room, 1, size < (int64_t) room
						  ? (size_t) size : room,
				 reader->stream);

		if (!n)
			break;
		EVP_DigestUpdate(reader->digest, reader->room, n);
		size -= n;
	}
	EVP_DigestFinal_ex(reader->digest, digest, NULL);
	journal_sha1_text(digest, reader->sha1);
	return !size;
}

/* One for all records: it takes longer to make than to use. */
static void
begin_digest(struct journal_reader *reader)
{
	const EVP_MD *type = NULL;

	if (!reader->digest) {
		reader->digest = EVP_MD_CTX_new();
		type = EVP_sha1();
	}
	if (!reader->digest || !EVP_DigestInit_ex(reader->digest, type, NULL))
		abort();
}

static void
read_header(struct journal_reader *reader, struct header *header)
{
	int c = 0;

	memset(header, 0, sizeof *header);
	while (header->size < sizeof header->text - 1 && c != '\n'
	       && (c = getc_unlocked(reader->stream)) != EOF)
		header->text[header->size++] = c;
	header->is_whole = c == '\n';
}

static bool
parse_header(struct header *header)
{
	const char *p = header->text;
	size_t n;

	if (strncmp(p, magic, sizeof magic - 1))
		return false;
	p += sizeof magic - 1;
	n = strspn(p, "0123456789");
	if (!n || n > 18 || p[n] != ' ')
		return false;
	header->body_size = strtoll(p, NULL, 10);
	p += n + 1;
	for (n = 0; is_hex(p[n]); n++)
		continue;
	if (n != sizeof header->sha1 - 1 || p[n] != '\n')
		return false;
	memcpy(header->sha1, p, n);
	return true;
}

/* Could the bytes, where the file ends, have become a header? */
static bool
begins_header(const struct header *header)
{
	size_t n = header->size;
	const char *p = header->text;
	size_t part;

	part = n < sizeof magic - 1 ? n : sizeof magic - 1;
	if (memcmp(p, magic, part))
		return false;
	p += part;
	n -= part;
	part = strspn(p, "0123456789");
	p += part;
	n -= part;
	if (!n)
		return true;
	if (!part || part > 18 || *p != ' ')
		return false;
	p++;
	n--;
	for (part = 0; is_hex(p[part]); part++)
		continue;
	return part == n && n < JOURNAL_SHA1_TEXT_SIZE;
}

/* There are no zeros in a record.  Where they fill a sector, or its end, or
 * the file's, the file was made longer and what belongs there was not written
 * before the power failed: neither that record nor one behind it can have been
 * acknowledged as durable. */
static bool
has_hole(const struct journal_reader *reader, int64_t offset, int64_t size)
{
	const int64_t end = offset + size;
	bool is_zero = false;
	int c;

	if (fseeko(reader->stream, offset, SEEK_SET))
		return false;
	while ((offset < end || is_zero)
	       && (c = getc(reader->stream)) != EOF) {
		offset++;
		is_zero = !c;
		if (is_zero && (offset % SECTOR_SIZE == 0
				|| offset == reader->size))
			return true;
	}
	return false;
}

/* JSON is written on one line, so a header at the start of another line is
 * the header of a record; and so is one where it is expected. */
static bool
has_later_record(const struct journal_reader *reader, int64_t expected)
{
	int64_t offset = reader->offset;
	bool at_start = false;
	size_t matched = 0;
	int c;

	if (fseeko(reader->stream, reader->offset, SEEK_SET))
		return true;
	while ((c = getc(reader->stream)) != EOF) {
		if (offset++ == expected && !at_start) {
			at_start = true;
			matched = 0;
		}
		if (c == '\n') {
			at_start = true;
			matched = 0;
		} else if (at_start && c == magic[matched]) {
			if (++matched == sizeof magic - 1)
				return true;
		} else {
			at_start = false;
		}
	}
	return false;
}

static enum journal_read_result
no_header(const struct journal_reader *reader, const struct header *header,
	  struct ovsdb_error **ret_error)
{
	bool at_end = reader->offset + (int64_t) header->size == reader->size;

	if (reader->offset == 0
	    && !strncmp(header->text, "OVSDB CLUSTER", 13)) {
		*ret_error = ovsdb_error(OVSDB_IO_ERROR, "%s: this is a"
					 " clustered database, which is not"
					 " served here; \"ovsdb-tool"
					 " cluster-to-standalone\" converts it",
					 reader->path);
		return JOURNAL_READ_DAMAGED;
	}
	if (!header->is_whole && at_end && begins_header(header))
		return JOURNAL_READ_TORN;
	if (reader->offset > 0
	    && has_hole(reader, reader->offset, header->size))
		return JOURNAL_READ_TORN;
	if (reader->offset > 0 && !has_later_record(reader, -1)) {
		*ret_error = quote(reader, header);
		return JOURNAL_READ_RUBBISH;
	}
	if (reader->offset == 0) {
		*ret_error = ovsdb_error(OVSDB_IO_ERROR, "%s: this is not an"
					 " OVSDB database file", reader->path);
		return JOURNAL_READ_DAMAGED;
	}
	return damaged(reader, ret_error, "has no header");
}

/* In the words of ovsdb-server; it goes to a log. */
static struct ovsdb_error *
quote(const struct journal_reader *reader, const struct header *header)
{
	char line[JOURNAL_HEADER_MAX];
	size_t n;

	for (n = 0; n < header->size && header->text[n] != '\n'; n++)
		line[n] = header->text[n] < ' ' || header->text[n] > '~'
			  ? '?' : header->text[n];
	line[n] = '\0';
	return ovsdb_error(OVSDB_SYNTAX_ERROR, "%s: parse error at offset %lld"
			   " in header line \"%s\"", reader->path,
			   (long long) reader->offset, line);
}

static enum journal_read_result
damaged(const struct journal_reader *reader, struct ovsdb_error **ret_error,
	const char *what)
{
	*ret_error = ovsdb_error(OVSDB_IO_ERROR, "%s: damaged: the record at"
				 " offset %lld %s", reader->path,
				 (long long) reader->offset, what);
	return JOURNAL_READ_DAMAGED;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')
	       || (c >= 'A' && c <= 'F');
}
