/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_LAYOUT_H
#define OVSDB_LAYOUT_H 1

/* How the rows of a table are packed: each column's value in as few bytes as
 * its type allows, without gaps.  Made once, when the database is.  Knows
 * types and offsets; row.c reads and writes what stands there.
 *
 *     of the schema        in the row
 *     -------------------  ------------------------------------------------
 *     one uuid             16 bytes
 *     one string           8: struct string *
 *     one integer, real    8
 *     one boolean          1
 *     at most one uuid, integer, real or boolean
 *                          likewise, and 1 that counts
 *     at most one string   8: struct string *, or NULL
 *     other sets, maps     8, and 4 that count: the atoms' array, as in a
 *                          datum; in a set of one, that atom, if 8 bytes
 *                          hold it
 *
 * Those with the strictest alignment come first.  What others hold against a
 * row is there only in tables that the schema lets them refer to. */

#include <stddef.h>
#include <stdint.h>

#include "agent/ovsdb/value/schema.h"

enum column_form {
	FORM_UUID,
	FORM_STRING,
	FORM_WORD,
	FORM_BOOLEAN,
	FORM_MAYBE_UUID,
	FORM_MAYBE_STRING,
	FORM_MAYBE_WORD,
	FORM_MAYBE_BOOLEAN,
	FORM_MANY
};

struct layout {
	uint32_t size;			/* Of a row, a multiple of 8. */
	/* Of rows that others may refer to or that refer weakly themselves:
	 * offsets; 0: the table has no such rows. */
	uint32_t n_refs, in, out;
	/* Columns whose values hold memory of their own, or strings. */
	const struct column **held;
	size_t n_held;
};

/* For a table of the schema; 'start' bytes at the start are the row's own.
 * Writes into the columns, but for the standard ones, where they are. */
void layout_init(struct layout *, const struct schema *,
		 struct table_schema *, size_t start);
void layout_done(struct layout *);

#endif /* ovsdb/store/layout.h */
