/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_OVSDB_MATCH_H
#define TESTS_OVSDB_MATCH_H 1

/* Does a message look as a transcript says?
 *
 * "<0>", "<1>", ... stand for UUIDs, the same number for the same one: a
 * number that is new takes the UUID that stands in its place.  "<#>" stands
 * for a number that is different each time.  Both may be parts of strings.
 *
 * The order of the elements does not matter where OVSDB gives none: in sets,
 * maps, and the "rows" of a select.  Of an <error>, "details" and "syntax"
 * count only where they are expected: they are for humans. */

#include <stdbool.h>
#include <jansson.h>

enum { MATCH_MAX_UUIDS = 200, MATCH_UUID_SIZE = 36 };

struct match {
	char uuids[MATCH_MAX_UUIDS][MATCH_UUID_SIZE + 1];  /* "": not yet. */
};

bool match_equal(struct match *, json_t *expected, json_t *actual);

/* A copy of the JSON with the UUIDs in their places.  A number that is new
 * takes a UUID of its own. */
json_t *match_fill(struct match *, json_t *);

#endif
