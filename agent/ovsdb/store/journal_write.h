/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_WRITE_H
#define OVSDB_JOURNAL_WRITE_H 1

/* Bytes of records, to a file. */

#include <stddef.h>
#include <stdint.h>
#include "agent/ovsdb/value/error.h"

enum {
	JOURNAL_HEADER_MAX = 96,	/* With the newline. */
	JOURNAL_SHA1_SIZE = 20,
	JOURNAL_SHA1_TEXT_SIZE = 41	/* With the final NUL. */
};

/* [control].  Writes the header of 'size' bytes of JSON into the room in front
 * of it, so that it ends where they begin.  Returns how long it is, and their
 * SHA-1. */
size_t journal_put_header(char *json, size_t size,
			  char ret_sha1[JOURNAL_SHA1_TEXT_SIZE]);

/* [control].  Of 'size' bytes. */
void journal_sha1(const void *bytes, size_t size,
		  unsigned char ret_digest[JOURNAL_SHA1_SIZE]);
/* [any].  In hexadecimal. */
void journal_sha1_text(const unsigned char digest[JOURNAL_SHA1_SIZE],
		       char ret_text[JOURNAL_SHA1_TEXT_SIZE]);

/* [any].  All the bytes, at this offset: 0 or negative errno. */
int journal_write(int fd, int64_t offset, const char *bytes, size_t size);
/* [any].  Cuts off what is behind, on the disk, too: 0 or negative errno,
 * which it leaves in errno as well. */
int journal_cut(int fd, int64_t size);

#endif /* ovsdb/store/journal_write.h */
