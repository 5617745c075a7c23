/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/atom.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/value/hash.h"

/* Every string that somebody holds: open addressing, linear probing, at most
 * three quarters full, so that a probe always ends. */
static struct string **slots;
static size_t n_slots;
static size_t n_strings;

static size_t find_slot(const char *text, size_t size, uint32_t hash);
static void grow(void);
static void forget(struct string *);

struct string *
string_intern(const char *text, size_t size)
{
	uint32_t hash = hash_bytes(text, size, 0);
	struct string *string;
	size_t slot;

	if ((n_strings + 1) * 4 > n_slots * 3)
		grow();
	slot = find_slot(text, size, hash);
	if (slots[slot])
		return string_ref(slots[slot]);

	string = xmalloc(sizeof *string + size + 1);
	string->n_refs = 1;
	string->hash = hash;
	string->size = size;
	memcpy(string->text, text, size);
	string->text[size] = '\0';
	slots[slot] = string;
	n_strings++;
	return string;
}

struct string *
string_ref(struct string *string)
{
	string->n_refs++;
	return string;
}

void
string_unref(struct string *string)
{
	if (string && !--string->n_refs) {
		forget(string);
		free(string);
	}
}

static size_t
find_slot(const char *text, size_t size, uint32_t hash)
{
	size_t slot = hash & (n_slots - 1);

	for (; slots[slot]; slot = (slot + 1) & (n_slots - 1)) {
		const struct string *s = slots[slot];

		if (s->hash == hash && s->size == size
		    && !memcmp(s->text, text, size))
			break;
	}
	return slot;
}

static void
grow(void)
{
	struct string **old = slots;
	size_t n_old = n_slots;
	size_t i;

	n_slots = n_old ? n_old * 2 : 256;
	slots = xcalloc(n_slots, sizeof *slots);
	for (i = 0; i < n_old; i++) {
		size_t slot;

		if (!old[i])
			continue;
		slot = old[i]->hash & (n_slots - 1);
		while (slots[slot])
			slot = (slot + 1) & (n_slots - 1);
		slots[slot] = old[i];
	}
	free(old);
}

static void
forget(struct string *string)
{
	size_t mask = n_slots - 1;
	size_t hole = string->hash & mask;
	size_t next;

	while (slots[hole] != string)
		hole = (hole + 1) & mask;

	/* Those behind the hole whose home is not behind it move up. */
	for (next = (hole + 1) & mask; slots[next]; next = (next + 1) & mask) {
		size_t home = slots[next]->hash & mask;

		if (((next - home) & mask) >= ((next - hole) & mask)) {
			slots[hole] = slots[next];
			hole = next;
		}
	}
	slots[hole] = NULL;
	if (!--n_strings) {
		free(slots);
		slots = NULL;
		n_slots = 0;
	}
}
