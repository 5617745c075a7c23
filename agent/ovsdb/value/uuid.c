/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/uuid.h"

#include <stdlib.h>
#include <sys/random.h>

static bool is_dash(size_t position);
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
	struct uuid uuid = { { 0 } };
	size_t digits = 0;
	size_t i;

	for (i = 0; i < UUID_TEXT_SIZE - 1; i++) {
		int digit = hex_digit(text[i]);

		if (is_dash(i)) {
			if (text[i] != '-')
				return false;
			continue;
		}
		if (digit < 0)
			return false;
		uuid.bytes[digits / 2] |= digits % 2 ? digit : digit << 4;
		digits++;
	}
	if (text[i])
		return false;
	*ret_uuid = uuid;
	return true;
}

void
uuid_to_text(const struct uuid *uuid, char ret_text[UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;
	size_t i;

	for (i = 0; i < UUID_TEXT_SIZE - 1; i++) {
		if (is_dash(i)) {
			ret_text[i] = '-';
			continue;
		}
		ret_text[i] = digits[uuid->bytes[n / 2] >> (n % 2 ? 0 : 4)
				     & 0xf];
		n++;
	}
	ret_text[i] = '\0';
}

static bool
is_dash(size_t position)
{
	return position == 8 || position == 13 || position == 18
	       || position == 23;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
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
