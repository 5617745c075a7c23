/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_UUID_H
#define OVSDB_UUID_H 1

/* UUIDs (RFC 4122), 16 bytes in the order in which they are written. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct uuid {
	uint8_t bytes[16];
};

enum { UUID_TEXT_SIZE = 37 };		/* With the final NUL. */

void uuid_generate(struct uuid *ret_uuid);	/* Random, version 4. */

/* Accepts the 36 characters of RFC 4122 alone, in either case. */
bool uuid_from_text(const char *text, struct uuid *ret_uuid);
/* The same for UUID_TEXT_SIZE - 1 bytes that nothing terminates. */
bool uuid_from_bytes(const char *bytes, struct uuid *ret_uuid);
void uuid_to_text(const struct uuid *, char ret_text[UUID_TEXT_SIZE]);

static inline bool
uuid_is_zero(const struct uuid *uuid)
{
	static const struct uuid zero;

	return !memcmp(uuid, &zero, sizeof zero);
}

static inline bool
uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return !memcmp(a, b, sizeof *a);
}

static inline int
uuid_compare(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a, b, sizeof *a);
}

#endif /* ovsdb/value/uuid.h */
