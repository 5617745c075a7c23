/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_DECODE_H
#define OVSDB_DECODE_H 1

/* JSON text straight to data, piece by piece, for text that is larger than one
 * would like to have in memory, or of which there is a lot.  The shapes that
 * are common are read here, everything else by jansson; the data are the same
 * (check_decode.c).  encode.h is the other way.
 *
 * Finding where a value ends looks at brackets and quotation marks alone:
 * whoever skips a value does not know whether it was JSON.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "agent/ovsdb/value/datum.h"

struct decoding {
	FILE *stream;		/* The caller's.  NULL: */
	int64_t unread;		/* Bytes in it that belong to the text. */
	char *bytes;		/* 'bytes' to 'end' is all there is. */
	size_t begin, end, max;
	size_t held;		/* Stays, and what follows; or SIZE_MAX. */
};

/* Of text in memory, which stays the caller's. */
void decode_text(struct decoding *, const char *text, size_t size);
/* Of as many bytes from where the stream is. */
void decode_stream(struct decoding *, FILE *stream, int64_t size);
void decode_done(struct decoding *);

/* Is this the next character, after white space?  Then it is taken. */
bool decode_char(struct decoding *, char);
/* A string without escapes, terminated; false if it is something else. */
bool decode_name(struct decoding *, char *ret_name, size_t max);
/* The next value, as text that is good until the next call. */
bool decode_extent(struct decoding *, const char **ret_text,
		   size_t *ret_size);

/* From here on the text stays, though perhaps not where it is, until this is
 * called again. */
void decode_hold(struct decoding *);
/* What has been taken since then, and where it is now. */
size_t decode_held(const struct decoding *, const char **ret_text);

/* What datum_from_json_unchecked() makes of the JSON. */
struct ovsdb_error *decode_datum(const char *text, size_t size,
				 const struct column_type *,
				 struct datum *ret_datum);

#endif /* ovsdb/value/decode.h */
