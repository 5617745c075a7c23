/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/atom.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/slab.h"
#include "agent/ovsdb/value/hash.h"
#include "agent/ovsdb/value/hash_set.h"

enum {
	STEP = 4,		/* Strings are made in multiples of it ... */
	N_POOLS = 256 / STEP + 1	/* ... up to here; by malloc() then. */
};

/* Every string that somebody holds, but for the empty one. */
static struct hash_set strings;
static struct slab_pool pools[N_POOLS];
static union {
	struct string string;
	char room[sizeof(struct string) + 1];
} nothing = { .string = { .n_refs = 1 } };

static struct string *find(const char *text, size_t size, uint32_t hash);
static struct string *allocate(size_t size);
static void release(struct string *);
static size_t pool_for(size_t size);

struct string *
string_intern(const char *text, size_t size)
{
	struct string *string;
	uint32_t hash;

	if (!size)
		return string_ref(&nothing.string);
	hash = hash_bytes(text, size, 0);
	string = find(text, size, hash);
	if (string)
		return string_ref(string);
	string = allocate(size);
	string->n_refs = 1;
	string->size = size;
	memcpy(string->text, text, size);
	string->text[size] = '\0';
	hash_set_insert(&strings, hash, string);
	return string;
}

void
string_loosen_all(void)
{
	hash_set_loosen(&strings);
}

void
string_tighten_all(void)
{
	hash_set_tighten(&strings);
}

void
string_prefetch(const char *text, size_t size)
{
	hash_set_prefetch(&strings, hash_bytes(text, size, 0));
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
		hash_set_remove(&strings, string_hash(string), string);
		release(string);
	}
}

uint32_t
string_hash(const struct string *string)
{
	return hash_bytes(string->text, string->size, 0);
}

static struct string *
find(const char *text, size_t size, uint32_t hash)
{
	struct string *string;
	size_t cursor = 0;

	while ((string = hash_set_match(&strings, hash, &cursor))) {
		if (string->size == size && !memcmp(string->text, text, size))
			break;
	}
	return string;
}

static struct string *
allocate(size_t size)
{
	size_t i = pool_for(size);

	if (i >= N_POOLS)
		return xmalloc(sizeof(struct string) + size + 1);
	if (!pools[i].size)
		slab_pool_init(&pools[i], i * STEP, NULL);
	return slab_alloc(&pools[i]);
}

static void
release(struct string *string)
{
	if (pool_for(string->size) < N_POOLS)
		slab_free(string);
	else
		free(string);
}

static size_t
pool_for(size_t size)
{
	return (sizeof(struct string) + size + 1 + STEP - 1) / STEP;
}
