/* SPDX-License-Identifier: Apache-2.0 */

/* The mappings of one subnet by MAC and by customer address, how many of them
 * each place has, and which of them have changed. */

#include "agent/model/state.h"

#include <stdlib.h>
#include "agent/base/memory.h"

enum { MIN_BUCKETS = 16 };

static struct mapping_row **row_next(struct mapping_row *, bool by_ca);
static size_t find_bucket(const struct subnet_table *,
			  const struct mapping_hash *,
			  const struct mapping_key *);
static bool has_key(const struct mapping_row *, const struct mapping_key *);
static void chain(struct subnet_table *, struct mapping_hash *,
		  struct mapping_row *, bool by_ca);
static void unchain(struct subnet_table *, struct mapping_hash *,
		    struct mapping_row *, bool by_ca);
static void grow(struct subnet_table *, struct mapping_hash *, bool by_ca);
static struct mapping_key row_key(const struct mapping_row *, bool by_ca);
static void count_place(struct subnet_table *, struct place *);
static void uncount_place(struct subnet_table *, struct place *);
static struct uuid place_key(const struct place *);
static void add_local(struct subnet_table *, struct mapping_row *);
static void remove_local(struct subnet_table *, struct mapping_row *);

struct subnet_table *
subnet_table_new(struct model_subnet *subnet, uint64_t seed)
{
	struct subnet_table *table = xcalloc(1, sizeof *table);

	table->subnet = subnet;
	table->seed = seed;
	map_init(&table->places, seed);
	list_init(&table->mcasts);
	list_init(&table->claims);
	list_init(&table->placements);
	list_init(&table->changed);
	return table;
}

void
subnet_table_free(struct subnet_table *table)
{
	size_t bucket = 0;
	struct keyed *keyed;

	while ((keyed = map_pop(&table->places, &bucket)))
		free(KEYED_ENTRY(keyed, struct subnet_place, by_place));
	map_done(&table->places);
	list_remove(&table->changed);
	free(table->by_mac.buckets);
	free(table->by_ca.buckets);
	free(table->locals);
	free(table->ports);
	free(table->keys);
	free(table);
}

void
subnet_table_add(struct subnet_table *table, struct mapping_row *row)
{
	struct mapping_key key = row_key(row, false);

	chain(table, &table->by_mac, row, false);
	subnet_table_touch(table, &key);
	if (row->mapping.ca.n) {
		key = row_key(row, true);
		chain(table, &table->by_ca, row, true);
		subnet_table_touch(table, &key);
	}
	table->subnet->n_mappings++;
	count_place(table, row->mapping.place);
	if (row->mapping.is_local)
		add_local(table, row);
}

void
subnet_table_remove(struct subnet_table *table, struct mapping_row *row)
{
	struct mapping_key key = row_key(row, false);

	unchain(table, &table->by_mac, row, false);
	subnet_table_touch(table, &key);
	if (row->mapping.ca.n) {
		key = row_key(row, true);
		unchain(table, &table->by_ca, row, true);
		subnet_table_touch(table, &key);
	}
	table->subnet->n_mappings--;
	uncount_place(table, row->mapping.place);
	if (row->mapping.is_local)
		remove_local(table, row);
}

struct mapping_row *
subnet_table_find(const struct subnet_table *table,
		  const struct mapping_key *key)
{
	const struct mapping_hash *hash =
		key->ca.n ? &table->by_ca : &table->by_mac;
	struct mapping_row *row;

	if (!hash->n)
		return NULL;
	row = hash->buckets[find_bucket(table, hash, key)];
	while (row && !has_key(row, key))
		row = *row_next(row, key->ca.n);
	return row;
}

struct mapping_row *
subnet_table_next(const struct mapping_row *row,
		  const struct mapping_key *key)
{
	struct mapping_row *next = key->ca.n ? row->next_ca : row->next_mac;

	while (next && !has_key(next, key))
		next = *row_next(next, key->ca.n);
	return next;
}

struct mapping_row *
subnet_table_best(const struct subnet_table *table,
		  const struct mapping_key *key)
{
	struct mapping_row *best = subnet_table_find(table, key);

	for (struct mapping_row *row = best; row;
	     row = subnet_table_next(row, key))
		if (row != best && mapping_beats(row, best))
			best = row;
	return best;
}

void
subnet_table_touch(struct subnet_table *table, const struct mapping_key *key)
{
	if (table->n_keys == table->size_keys) {
		table->size_keys = table->size_keys ? table->size_keys * 2
						    : 16;
		table->keys = xrealloc(table->keys, table->size_keys
						    * sizeof *table->keys);
	}
	table->keys[table->n_keys++] = *key;
}

struct mapping_key
mapping_key_mac(const uint8_t mac[6])
{
	struct mapping_key key;

	memset(&key, 0, sizeof key);
	memcpy(key.mac, mac, 6);
	return key;
}

struct mapping_key
mapping_key_ca(const struct vsw_addr *ca)
{
	struct mapping_key key;

	memset(&key, 0, sizeof key);
	key.ca = *ca;
	return key;
}

static struct mapping_row **
row_next(struct mapping_row *row, bool by_ca)
{
	return by_ca ? &row->next_ca : &row->next_mac;
}

static size_t
find_bucket(const struct subnet_table *table, const struct mapping_hash *hash,
	    const struct mapping_key *key)
{
	uint64_t value = key->ca.n
		? map_hash(key->ca.bytes, key->ca.n, table->seed)
		: map_hash(key->mac, 6, table->seed);

	return value & (hash->n_buckets - 1);
}

static bool
has_key(const struct mapping_row *row, const struct mapping_key *key)
{
	if (!key->ca.n)
		return !memcmp(row->mapping.mac, key->mac, 6);
	return row->mapping.ca.n == key->ca.n
	       && !memcmp(row->mapping.ca.bytes, key->ca.bytes, key->ca.n);
}

static void
chain(struct subnet_table *table, struct mapping_hash *hash,
      struct mapping_row *row, bool by_ca)
{
	struct mapping_key key = row_key(row, by_ca);
	struct mapping_row **bucket;

	if (hash->n >= hash->n_buckets)
		grow(table, hash, by_ca);
	bucket = &hash->buckets[find_bucket(table, hash, &key)];
	*row_next(row, by_ca) = *bucket;
	*bucket = row;
	hash->n++;
}

static void
unchain(struct subnet_table *table, struct mapping_hash *hash,
	struct mapping_row *row, bool by_ca)
{
	struct mapping_key key = row_key(row, by_ca);
	struct mapping_row **p =
		&hash->buckets[find_bucket(table, hash, &key)];

	while (*p != row)
		p = row_next(*p, by_ca);
	*p = *row_next(row, by_ca);
	hash->n--;
}

static void
grow(struct subnet_table *table, struct mapping_hash *hash, bool by_ca)
{
	struct mapping_row **old = hash->buckets;
	size_t n_old = hash->n_buckets;

	hash->n_buckets = n_old ? n_old * 2 : MIN_BUCKETS;
	hash->buckets = xcalloc(hash->n_buckets, sizeof *hash->buckets);
	for (size_t i = 0; i < n_old; i++)
		while (old[i]) {
			struct mapping_row *row = old[i], **bucket;
			struct mapping_key key = row_key(row, by_ca);

			old[i] = *row_next(row, by_ca);
			bucket = &hash->buckets[find_bucket(table, hash,
							    &key)];
			*row_next(row, by_ca) = *bucket;
			*bucket = row;
		}
	free(old);
}

static struct mapping_key
row_key(const struct mapping_row *row, bool by_ca)
{
	return by_ca ? mapping_key_ca(&row->mapping.ca)
		     : mapping_key_mac(row->mapping.mac);
}

static void
count_place(struct subnet_table *table, struct place *place)
{
	struct uuid key = place_key(place);
	struct keyed *keyed = map_find(&table->places, &key);
	struct subnet_place *count;

	if (!keyed) {
		count = xcalloc(1, sizeof *count);
		count->by_place.key = key;
		count->place = place;
		map_add(&table->places, &count->by_place);
		keyed = &count->by_place;
		table->flood_changed = true;
	}
	KEYED_ENTRY(keyed, struct subnet_place, by_place)->n_rows++;
}

static void
uncount_place(struct subnet_table *table, struct place *place)
{
	struct uuid key = place_key(place);
	struct keyed *keyed = map_find(&table->places, &key);
	struct subnet_place *count =
		KEYED_ENTRY(keyed, struct subnet_place, by_place);

	if (--count->n_rows)
		return;
	map_remove(&table->places, keyed);
	free(count);
	table->flood_changed = true;
}

static struct uuid
place_key(const struct place *place)
{
	return place->by_row.key;
}

static void
add_local(struct subnet_table *table, struct mapping_row *row)
{
	if (table->n_locals == table->size_locals) {
		table->size_locals = table->size_locals
					     ? table->size_locals * 2 : 4;
		table->locals = xrealloc(table->locals,
					 table->size_locals
					 * sizeof *table->locals);
	}
	row->local_index = (uint32_t) table->n_locals;
	table->locals[table->n_locals++] = row;
}

static void
remove_local(struct subnet_table *table, struct mapping_row *row)
{
	struct mapping_row *last = table->locals[--table->n_locals];

	table->locals[row->local_index] = last;
	last->local_index = row->local_index;
}
