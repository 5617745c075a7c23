/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_SCAN_H
#define OVSDB_SCAN_H 1

/* JSON text in memory, read token by token without a tree, for what comes a
 * thousand times a second.  Each function takes what it is asked for, with the
 * white space before it; if something else is there it says false and it is
 * not said where it stands: whoever asks puts the scan back and has jansson
 * read the same text.
 *
 * What is taken is JSON as jansson accepts it, and means the same
 * (check_scan.c).  The other way does not hold: what is rare is left to
 * jansson, which alone says what is not JSON.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "agent/ovsdb/value/datum.h"

struct scan {
	const char *p, *end;
};

/* Bytes of the text, or in memory of its own that lasts until the next string
 * is read. */
struct scanned {
	const char *text;	/* Not terminated. */
	size_t size;
};

static inline void
scan_space(struct scan *s)
{
	while (s->p < s->end && (unsigned char) *s->p <= ' '
	       && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t'
		   || *s->p == '\r'))
		s->p++;
}

/* Is this the next character? */
static inline bool
scan_is(struct scan *s, char c)
{
	scan_space(s);
	return s->p < s->end && *s->p == c;
}

static inline bool
scan_char(struct scan *s, char c)
{
	if (!scan_is(s, c))
		return false;
	s->p++;
	return true;
}

/* Nothing but white space is left. */
static inline bool
scan_end(struct scan *s)
{
	scan_space(s);
	return s->p == s->end;
}

static inline bool
scanned_is(const struct scanned *a, const char *text)
{
	return a->size == strlen(text) && !memcmp(a->text, text, a->size);
}

/* A string of ASCII without escapes. */
bool scan_plain(struct scan *, struct scanned *ret_string);
/* And with the escapes of one letter. */
bool scan_string(struct scan *, struct scanned *ret_string);
/* "NAME": */
bool scan_name(struct scan *, struct scanned *ret_name);
bool scan_integer(struct scan *, int64_t *ret_integer);
bool scan_boolean(struct scan *, bool *ret_boolean);
/* The next string that stands right behind a colon, without its escapes: a
 * guess, for those who want to be early. */
bool scan_guess(struct scan *, struct scanned *ret_string);
/* Any value, by its brackets and quotation marks: it may be no JSON. */
bool scan_extent(struct scan *, struct scan *ret_extent);

/* A value that datum_from_json() has no complaint about, and the same datum.
 * On false nothing is left behind but names in 'symbols'. */
bool scan_datum(struct scan *, const struct column_type *, struct symbols *,
		struct datum *ret_datum);

#endif /* ovsdb/value/scan.h */
