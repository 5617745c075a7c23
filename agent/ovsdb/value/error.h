/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_ERROR_H
#define OVSDB_ERROR_H 1

/* Errors are values: RFC 7047's name, and details for a human that name the
 * table, the column, the row and what was expected.
 *
 * A function that can fail returns NULL on success and an error that the
 * caller owns otherwise.  Nothing here logs. */

#include <stdbool.h>
#include <jansson.h>

/* The names of RFC 7047, section 3.1 and 4.1.3, and of ovsdb-server(7). */
#define OVSDB_DOMAIN_ERROR "domain error"
#define OVSDB_RANGE_ERROR "range error"
#define OVSDB_TIMED_OUT "timed out"
#define OVSDB_NOT_OWNER "not owner"
#define OVSDB_ABORTED "aborted"
#define OVSDB_NOT_SUPPORTED "not supported"
#define OVSDB_RESOURCES_EXHAUSTED "resources exhausted"
#define OVSDB_IO_ERROR "I/O error"
#define OVSDB_CONSTRAINT_VIOLATION "constraint violation"
#define OVSDB_REFERENTIAL_INTEGRITY "referential integrity violation"
#define OVSDB_DUPLICATE_UUID_NAME "duplicate uuid-name"
#define OVSDB_DUPLICATE_UUID "duplicate uuid"
#define OVSDB_PERMISSION_ERROR "permission error"
#define OVSDB_UNKNOWN_DATABASE "unknown database"
#define OVSDB_CANCELED "canceled"
#define OVSDB_SYNTAX_ERROR "syntax error"
#define OVSDB_NOT_ALLOWED "not allowed"
#define OVSDB_UNKNOWN_TABLE "unknown table"
#define OVSDB_UNKNOWN_COLUMN "unknown column"
#define OVSDB_UNKNOWN_FUNCTION "unknown function"
#define OVSDB_UNKNOWN_MUTATOR "unknown mutator"

/* Bytes of the JSON at fault that an error carries to the peer. */
enum { OVSDB_ERROR_MAX_SYNTAX = 1024 };

struct ovsdb_error {
	const char *name;	/* One of the names above. */
	char *details;
	json_t *syntax;		/* The JSON that was at fault, or NULL. */
	/* The details are word for word what ovsdb-server says, which test
	 * suites compare: they take no prefix. */
	bool is_verbatim;
};

struct ovsdb_error *ovsdb_error(const char *name, const char *details, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/* As RFC 7047's "syntax error"; takes a reference to 'syntax'. */
struct ovsdb_error *ovsdb_syntax_error(json_t *syntax, const char *details,
				       ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/* One whose details take no prefix; with 'syntax' or NULL, of which it takes
 * a reference. */
struct ovsdb_error *ovsdb_error_verbatim(const char *name, json_t *syntax,
					 const char *details, ...)
	__attribute__((format(printf, 3, 4), warn_unused_result));

/* Puts "PREFIX: " before the details; NULL stays NULL. */
struct ovsdb_error *ovsdb_error_prefix(struct ovsdb_error *,
				       const char *prefix, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/* The <error> object of RFC 7047, {"error": ..., "details": ...}, and with
 * "syntax" the JSON at fault as text, as ovsdb-server gives it. */
json_t *ovsdb_error_to_json(const struct ovsdb_error *);

void ovsdb_error_free(struct ovsdb_error *);

#endif /* ovsdb/value/error.h */
