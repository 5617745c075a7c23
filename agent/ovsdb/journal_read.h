/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_READ_H
#define OVSDB_JOURNAL_READ_H 1

/* Reads the records of a database file one after the other and says how it
 * ends.  Trusts nothing that it reads.  [control] */

#include <stdint.h>
#include <stdio.h>
#include <jansson.h>
#include "agent/ovsdb/error.h"
#include "agent/ovsdb/journal_write.h"

enum journal_read_result {
	JOURNAL_READ_RECORD,	/* '*ret_record' is the next one. */
	JOURNAL_READ_END,
	JOURNAL_READ_TORN,	/* What is left was never written whole: the
				 * last record does not read, or holes are
				 * where the next one should be. */
	JOURNAL_READ_DAMAGED	/* '*ret_error' says where and what. */
};

struct journal_reader {
	FILE *stream;		/* The caller's. */
	const char *path;	/* For errors; the caller's. */
	int64_t offset;		/* Of the next record. */
	int64_t size;		/* Of the file. */
	char sha1[JOURNAL_SHA1_TEXT_SIZE]; /* Of the record read last. */
};

enum journal_read_result journal_read(struct journal_reader *,
				      json_t **ret_record,
				      struct ovsdb_error **ret_error);

#endif /* ovsdb/journal_read.h */
