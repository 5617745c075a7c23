/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_READ_H
#define OVSDB_JOURNAL_READ_H 1

/* Reads the records of a database file one after the other and says how it
 * ends.  Trusts nothing that it reads.  [any], one thread for a reader. */

#include <stdint.h>
#include <stdio.h>
#include <openssl/evp.h>
#include "agent/ovsdb/value/error.h"
#include "agent/ovsdb/store/journal_write.h"

enum journal_read_result {
	JOURNAL_READ_RECORD,
	JOURNAL_READ_END,
	JOURNAL_READ_TORN,	/* What is left was never written whole: the
				 * last record does not read, or holes are
				 * where the next one should be. */
	JOURNAL_READ_RUBBISH,	/* What is left is no record and never was:
				 * '*ret_error' quotes it. */
	JOURNAL_READ_DAMAGED	/* '*ret_error' says where and what. */
};

struct journal_reader {
	FILE *stream;		/* The caller's. */
	const char *path;	/* For errors; the caller's. */
	int64_t offset;		/* Of the next record. */
	int64_t size;		/* Of the file. */
	EVP_MD_CTX *digest;	/* Ours, */
	char *room;		/* and so is this, for bodies. */
	size_t room_size;

	/* The record that was read last, and whose SHA-1 is right: its JSON,
	 * or NULL if it is large, and is to be read from the stream, where it
	 * stands right before 'offset'. */
	const char *body;
	int64_t body_size;
	char sha1[JOURNAL_SHA1_TEXT_SIZE];
};

enum { JOURNAL_READ_BODY_MAX = 4 << 20 };	/* In memory. */

enum journal_read_result journal_read(struct journal_reader *,
				      struct ovsdb_error **ret_error);
void journal_read_done(struct journal_reader *);

#endif /* ovsdb/store/journal_read.h */
