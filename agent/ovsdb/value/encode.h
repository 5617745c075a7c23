/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_ENCODE_H
#define OVSDB_ENCODE_H 1

/* Atoms and data straight to JSON text, byte for byte what jansson would
 * write for datum_to_json() with JSON_COMPACT: for those who write a million
 * of them.  decode.h is the other way.  [any] */

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "agent/ovsdb/value/datum.h"

/* Text that grows.  Zero-initialised; not terminated. */
struct encoding {
	char *bytes;
	size_t n, max;
};

void encode_done(struct encoding *);
/* Room for 'size' more bytes behind 'n'. */
void encode_reserve(struct encoding *, size_t size);

static inline void
encode_bytes(struct encoding *e, const char *bytes, size_t size)
{
	if (e->max - e->n < size)
		encode_reserve(e, size);
	memcpy(e->bytes + e->n, bytes, size);
	e->n += size;
}

static inline void
encode_text(struct encoding *e, const char *text)
{
	encode_bytes(e, text, strlen(text));
}

/* A JSON string, with quotation marks. */
void encode_string(struct encoding *, const char *, size_t size);
void encode_integer(struct encoding *, int64_t);
void encode_uuid(struct encoding *, const struct uuid *);	/* "..." */
void encode_atom(struct encoding *, enum atom_type, const union atom *);
void encode_datum(struct encoding *, const struct datum *,
		  const struct column_type *);

#endif /* ovsdb/value/encode.h */
