/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/uuid.h"

#include <stdlib.h>
#include <sys/random.h>

/* Where the digits of each byte begin. */
static const unsigned char places[] = {
	0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34,
};

static int hex_digit(char);
static void refill(struct uuid *pool, size_t n);

void
uuid_generate(struct uuid *ret_uuid)
{
	static struct uuid pool[64];
	static size_t n_left;

	if (!n_left) {
		n_left = sizeof pool / sizeof *pool;
		refill(pool, n_left);
	}
	*ret_uuid = pool[--n_left];
	ret_uuid->bytes[6] = (ret_uuid->bytes[6] & 0x0f) | 0x40;
	ret_uuid->bytes[8] = (ret_uuid->bytes[8] & 0x3f) | 0x80;
}

bool
uuid_from_text(const char *text, struct uuid *ret_uuid)
{
	return strlen(text) == UUID_TEXT_SIZE - 1
	       && uuid_from_bytes(text, ret_uuid);
}

bool
uuid_from_bytes(const char *bytes, struct uuid *ret_uuid)
{
	struct uuid uuid;
	int all = 0;
	size_t i;

	if (bytes[8] != '-' || bytes[13] != '-' || bytes[18] != '-'
	    || bytes[23] != '-')
		return false;
	for (i = 0; i < sizeof uuid.bytes; i++) {
		int high = hex_digit(bytes[places[i]]);
		int low = hex_digit(bytes[places[i] + 1]);

		all |= high | low;
		uuid.bytes[i] = (unsigned) high << 4 | (unsigned) low;
	}
	if (all < 0)
		return false;
	*ret_uuid = uuid;
	return true;
}

void
uuid_to_text(const struct uuid *uuid, char ret_text[UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < sizeof uuid->bytes; i++) {
		ret_text[places[i]] = digits[uuid->bytes[i] >> 4];
		ret_text[places[i] + 1] = digits[uuid->bytes[i] & 15];
	}
	ret_text[8] = ret_text[13] = ret_text[18] = ret_text[23] = '-';
	ret_text[UUID_TEXT_SIZE - 1] = '\0';
}

static int
hex_digit(char c)
{
	/* One more than the digit is worth; 0: none. */
	static const signed char values[256] = {
		['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
		['A'] = 11, 12, 13, 14, 15, 16,
		['a'] = 11, 12, 13, 14, 15, 16,
	};

	return values[(unsigned char) c] - 1;
}

static void
refill(struct uuid *pool, size_t n)
{
	size_t size = n * sizeof *pool;
	size_t done = 0;

	while (done < size) {
		ssize_t got = getrandom((char *) pool + done, size - done, 0);

		/* Rows whose names could collide are worse than no agent. */
		if (got < 0)
			abort();
		done += got;
	}
}
