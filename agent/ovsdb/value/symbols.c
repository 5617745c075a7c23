/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/symbols.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/value/hash.h"

struct slot {
	char *name;		/* NULL: free. */
	uint32_t hash;
	struct symbol symbol;
};

struct symbols {
	struct slot *slots;	/* A power of two, half of them free. */
	size_t n_slots;
	size_t n;
};

static struct slot *find(const struct symbols *, const char *name,
			 uint32_t hash);
static void grow(struct symbols *);

struct symbols *
symbols_new(void)
{
	return xcalloc(1, sizeof(struct symbols));
}

void
symbols_free(struct symbols *symbols)
{
	size_t i;

	if (!symbols)
		return;
	for (i = 0; i < symbols->n_slots; i++)
		free(symbols->slots[i].name);
	free(symbols->slots);
	free(symbols);
}

struct symbol *
symbols_get(struct symbols *symbols, const char *name)
{
	uint32_t hash = hash_bytes(name, strlen(name), 0);
	struct slot *slot;

	if ((symbols->n + 1) * 2 > symbols->n_slots)
		grow(symbols);
	slot = find(symbols, name, hash);
	if (!slot->name) {
		slot->name = xstrdup(name);
		slot->hash = hash;
		uuid_generate(&slot->symbol.uuid);
		symbols->n++;
	}
	return &slot->symbol;
}

static struct slot *
find(const struct symbols *symbols, const char *name, uint32_t hash)
{
	size_t i = hash & (symbols->n_slots - 1);

	while (symbols->slots[i].name
	       && (symbols->slots[i].hash != hash
		   || strcmp(symbols->slots[i].name, name)))
		i = (i + 1) & (symbols->n_slots - 1);
	return &symbols->slots[i];
}

static void
grow(struct symbols *symbols)
{
	struct slot *old = symbols->slots;
	size_t n_old = symbols->n_slots;
	size_t i;

	symbols->n_slots = n_old ? n_old * 2 : 16;
	symbols->slots = xcalloc(symbols->n_slots, sizeof *symbols->slots);
	for (i = 0; i < n_old; i++) {
		if (old[i].name)
			*find(symbols, old[i].name, old[i].hash) = old[i];
	}
	free(old);
}
