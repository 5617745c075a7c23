/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_MEMBERS_H
#define OVSDB_MEMBERS_H 1

/* Reads the members of a JSON object: asks for each by name and type, and
 * once, at the end, whether all went well.  The first problem sticks; what is
 * read after it is NULL.  A member that nobody asked for is a problem too.
 * [control] */

#include <stdbool.h>
#include <jansson.h>
#include "agent/ovsdb/value/error.h"

enum {
	MEMBER_STRING = 1 << 0,
	MEMBER_ID = 1 << 1,	/* A string that is an <id> of RFC 7047. */
	MEMBER_INTEGER = 1 << 2,
	MEMBER_NUMBER = 1 << 3,
	MEMBER_BOOLEAN = 1 << 4,
	MEMBER_ARRAY = 1 << 5,
	MEMBER_OBJECT = 1 << 6,
	MEMBER_ANY = 1 << 7,
	MEMBER_OPTIONAL = 1 << 8
};

enum { MEMBERS_MAX = 16 };	/* Asked for of one object. */

struct members {
	json_t *object;
	const char *asked[MEMBERS_MAX];
	size_t n_asked;
	size_t n_found;
	struct ovsdb_error *error;	/* Without the object's name. */
};

void members_begin(struct members *, json_t *object);
/* A reference of the object's, or NULL. */
json_t *members_get(struct members *, const char *name, unsigned types);
/* Adds a problem of the caller's own, if it is the first. */
void members_fail(struct members *, const char *details, ...)
	__attribute__((format(printf, 2, 3)));
/* The first problem, with what the object is in front. */
struct ovsdb_error *members_end(struct members *, const char *what, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/* RFC 7047's <id>: [a-zA-Z_][a-zA-Z0-9_]* */
bool members_is_id(const char *);

#endif /* ovsdb/value/members.h */
