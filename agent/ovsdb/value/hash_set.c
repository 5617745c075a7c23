/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/hash_set.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "agent/base/memory.h"
#include "agent/base/pages.h"
#include "agent/ovsdb/value/hash.h"

enum {
	FIRST_HOMES = 8,
	EVEN_GROWTH = 1024,	/* Homes; up to there they double. */
	SPLIT = 16384,		/* Homes; twice that in a loose set. */
	MIN_SHARE = 1024,	/* Things for each entry of the directory. */
	MAX_BITS = 20,
	NEAR = 6		/* Slots: what is looked for is no farther away,
				 * mostly, where there is room. */
};

/* Place p is at home in slot p * n_homes / 2^32, p without the bits that led
 * here.  Slots are in ascending order of their places; between a thing and its
 * home there is no free slot. */
struct hash_part {
	uint32_t n;
	uint32_t n_homes;	/* n <= 15/16 of them; 3/4 in a loose set. */
	uint32_t n_slots;	/* Some more, for those at the end. */
	uint32_t n_bits;	/* That led here. */
	void *things[];		/* Then a uint32_t place for each; 0: free. */
};

static void free_parts(struct hash_set *);
static uint32_t new_mix(void);
static size_t lead(const struct hash_set *, uint32_t place);
static struct hash_part **entry(const struct hash_set *, size_t at);
static size_t n_entries(const struct hash_set *, const struct hash_part *);
static uint32_t *places_of(const struct hash_part *);
static size_t size_of(uint32_t n_slots);
static uint32_t home_of(const struct hash_part *, uint32_t place);
static uint32_t find_first(const struct hash_part *, uint32_t place);
static uint32_t find(const struct hash_part *, uint32_t place, const void *);
static bool put(struct hash_part *, uint32_t place, void *);
static uint32_t next_free(const struct hash_part *, uint32_t i);
static bool is_full(const struct hash_set *, const struct hash_part *);
static void make_room(struct hash_set *, uint32_t place);
static void enter(struct hash_set *, uint32_t place, struct hash_part *);
static bool may_split(const struct hash_set *, const struct hash_part *);
static void split(struct hash_set *, uint32_t place);
static uint32_t homes_for(const struct hash_set *, uint32_t n);
static void double_directory(struct hash_set *);
static struct hash_part *part_new(uint32_t n_bits);
static struct hash_part *resettle(struct hash_part *, uint32_t n_homes);
static void pack(struct hash_part *);
static struct hash_part *move_to_end(struct hash_part *, uint32_t n_slots);
static bool spread(struct hash_part *, uint32_t n_slots);
static struct hash_part *shorten(struct hash_part *, uint32_t n_slots);

void
hash_set_done(struct hash_set *set)
{
	if (set->part)
		free_parts(set);
	memset(set, 0, sizeof *set);
}

void
hash_set_reserve(struct hash_set *set, size_t n)
{
	size_t n_homes, i;

	assert(!set->n && !set->part);
	if (!set->mix)
		set->mix = new_mix();
	while (n >> set->n_bits > SPLIT / 2 && set->n_bits < MAX_BITS)
		set->n_bits++;
	if (set->n_bits)
		set->parts = xcalloc((size_t) 1 << set->n_bits,
				     sizeof *set->parts);
	n_homes = (n >> set->n_bits) * 9 / 8 + FIRST_HOMES;
	for (i = 0; i < (size_t) 1 << set->n_bits; i++)
		enter(set, ((uint64_t) i << 32) >> set->n_bits,
		      resettle(part_new(set->n_bits), n_homes));
}

void
hash_set_loosen(struct hash_set *set)
{
	set->is_loose = true;
}

void
hash_set_tighten(struct hash_set *set)
{
	size_t at = 0;

	if (!set->is_loose)
		return;
	set->is_loose = false;
	while (set->n && at < (size_t) 1 << set->n_bits) {
		struct hash_part *part = *entry(set, at);
		uint32_t n_homes = homes_for(set, part->n);
		size_t n = n_entries(set, part);

		if (n_homes != part->n_homes)
			enter(set, ((uint64_t) at << 32) >> set->n_bits,
			      resettle(part, n_homes));
		at += n;
	}
}

void
hash_set_insert(struct hash_set *set, uint32_t hash, void *thing)
{
	uint32_t place;

	if (!set->mix)
		set->mix = new_mix();
	place = hash_set_place(set, hash);
	if (!set->part)
		enter(set, place, part_new(0));
	for (;;) {
		struct hash_part *part = *entry(set, lead(set, place));

		if (!is_full(set, part) && put(part, place, thing))
			break;
		make_room(set, place);
	}
	set->n++;
}

void
hash_set_remove(struct hash_set *set, uint32_t hash, const void *thing)
{
	uint32_t place = hash_set_place(set, hash);
	struct hash_part *part = *entry(set, lead(set, place));
	uint32_t *places = places_of(part);
	uint32_t i = find(part, place, thing), end;

	/* Those behind it that are not at home move up. */
	for (end = i + 1; end < part->n_slots && places[end]
	     && home_of(part, places[end]) != end; end++)
		;
	memmove(&part->things[i], &part->things[i + 1],
		(end - i - 1) * sizeof *part->things);
	memmove(&places[i], &places[i + 1], (end - i - 1) * sizeof *places);
	places[end - 1] = 0;
	part->n--;
	if (!--set->n)
		free_parts(set);
	else if (part->n_homes > 2 * FIRST_HOMES
		 && part->n < part->n_homes / 4)
		enter(set, place, resettle(part, part->n_homes / 2));
}

void
hash_set_replace(struct hash_set *set, uint32_t hash, const void *old,
		 void *new)
{
	uint32_t place = hash_set_place(set, hash);
	struct hash_part *part = *entry(set, lead(set, place));

	part->things[find(part, place, old)] = new;
}

/* The part itself is near.  A free slot is often some places behind a home, and
 * that may be in the next line. */
void
hash_set_prefetch(const struct hash_set *set, uint32_t hash)
{
	uint32_t place = hash_set_place(set, hash);
	const struct hash_part *part;
	uint32_t home;

	if (!set->n)
		return;
	part = *entry(set, lead(set, place));
	home = home_of(part, place);
	__builtin_prefetch(&places_of(part)[home], 1);
	__builtin_prefetch(&places_of(part)[home] + NEAR, 1);
	__builtin_prefetch(&part->things[home], 1);
	__builtin_prefetch(&part->things[home] + NEAR, 1);
}

void *
hash_set_match(const struct hash_set *set, uint32_t hash, size_t *cursor)
{
	uint32_t place = hash_set_place(set, hash);
	const struct hash_part *part;
	size_t i;

	if (!set->n)
		return NULL;
	part = *entry(set, lead(set, place));
	i = find_first(part, place) + *cursor;
	if (i >= part->n_slots || places_of(part)[i] != place)
		return NULL;
	++*cursor;
	return part->things[i];
}

/* The cursor is the entry of the directory, then the slot. */
void *
hash_set_next(const struct hash_set *set, size_t *cursor)
{
	size_t at = *cursor >> set->slot_bits;
	size_t i = *cursor - (at << set->slot_bits);

	while (set->n && at < (size_t) 1 << set->n_bits) {
		const struct hash_part *part = *entry(set, at);
		const uint32_t *places = places_of(part);

		while (i < part->n_slots && !places[i])
			i++;
		if (i < part->n_slots) {
			*cursor = (at << set->slot_bits) + i + 1;
			return part->things[i];
		}
		at += n_entries(set, part);
		i = 0;
	}
	*cursor = at << set->slot_bits;
	return NULL;
}

void *
hash_set_range(const struct hash_set *set, uint32_t first, uint32_t last,
	       size_t *cursor)
{
	const struct hash_part *part;
	void *thing;
	size_t at;

	if (!set->n)
		return NULL;
	if (!*cursor) {
		at = lead(set, first);
		part = *entry(set, at);
		at &= ~(n_entries(set, part) - 1);
		*cursor = (at << set->slot_bits) + find_first(part, first);
	}
	thing = hash_set_next(set, cursor);
	if (!thing)
		return NULL;
	at = (*cursor - 1) >> set->slot_bits;
	part = *entry(set, at);
	return places_of(part)[*cursor - 1 - (at << set->slot_bits)] <= last
	       ? thing : NULL;
}

size_t
hash_set_cursor_after(const struct hash_set *set, uint32_t hash,
		      const void *thing)
{
	uint32_t place = hash_set_place(set, hash);
	size_t at = lead(set, place);
	const struct hash_part *part = *entry(set, at);

	at &= ~(n_entries(set, part) - 1);
	return (at << set->slot_bits) + find(part, place, thing) + 1;
}

static void
free_parts(struct hash_set *set)
{
	size_t n = (size_t) 1 << set->n_bits, at = 0;

	while (at < n) {
		struct hash_part *part = *entry(set, at);

		at += n_entries(set, part);
		pages_resize(part, size_of(part->n_slots), 0);
	}
	if (set->n_bits)
		free(set->parts);
	set->part = NULL;
	set->n_bits = set->slot_bits = 0;
}

static uint32_t
new_mix(void)
{
	static uint32_t n;

	return hash_word(n++, 0) | 1;
}

static size_t
lead(const struct hash_set *set, uint32_t place)
{
	return (uint64_t) place << set->n_bits >> 32;
}

static struct hash_part **
entry(const struct hash_set *set, size_t at)
{
	return set->n_bits ? &set->parts[at]
			   : (struct hash_part **) &set->part;
}

/* Of the directory, side by side. */
static size_t
n_entries(const struct hash_set *set, const struct hash_part *part)
{
	return (size_t) 1 << (set->n_bits - part->n_bits);
}

static uint32_t *
places_of(const struct hash_part *part)
{
	return (uint32_t *) (part->things + part->n_slots);
}

static size_t
size_of(uint32_t n_slots)
{
	return sizeof(struct hash_part)
	       + n_slots * (sizeof(void *) + sizeof(uint32_t));
}

static uint32_t
home_of(const struct hash_part *part, uint32_t place)
{
	return (uint64_t) (place << part->n_bits) * part->n_homes >> 32;
}

/* The first slot of this place, or where it would be. */
static uint32_t
find_first(const struct hash_part *part, uint32_t place)
{
	const uint32_t *places = places_of(part);
	uint32_t i = home_of(part, place);

	while (i < part->n_slots && places[i] && places[i] < place)
		i++;
	return i;
}

static uint32_t
find(const struct hash_part *part, uint32_t place, const void *thing)
{
	uint32_t i = find_first(part, place);

	while (part->things[i] != thing)
		i++;
	return i;
}

/* Returns false if the last slot is taken. */
static bool
put(struct hash_part *part, uint32_t place, void *thing)
{
	uint32_t *places = places_of(part);
	uint32_t i = home_of(part, place), end;

	while (i < part->n_slots && places[i] && places[i] <= place)
		i++;
	end = next_free(part, i);
	if (end == part->n_slots)
		return false;
	memmove(&part->things[i + 1], &part->things[i],
		(end - i) * sizeof *part->things);
	memmove(&places[i + 1], &places[i], (end - i) * sizeof *places);
	part->things[i] = thing;
	places[i] = place;
	part->n++;
	return true;
}

static uint32_t
next_free(const struct hash_part *part, uint32_t i)
{
	const uint32_t *places = places_of(part);

#if WCHAR_MAX >= INT32_MAX
	/* Many of them at once: the C library knows how. */
	const wchar_t *free = wmemchr((const wchar_t *) places + i, 0,
				      part->n_slots - i);

	return free ? free - (const wchar_t *) places : part->n_slots;
#else
	while (i < part->n_slots && places[i])
		i++;
	return i;
#endif
}

static bool
is_full(const struct hash_set *set, const struct hash_part *part)
{
	uint32_t n_free = part->n_homes / (set->is_loose ? 4 : 16);

	return part->n >= part->n_homes - n_free;
}

static void
make_room(struct hash_set *set, uint32_t place)
{
	struct hash_part *part = *entry(set, lead(set, place));
	uint32_t n_homes = part->n_homes;

	if (is_full(set, part))
		n_homes += n_homes < EVEN_GROWTH || set->is_loose
			   ? n_homes : n_homes / 6;
	if (n_homes > (set->is_loose ? 2 * SPLIT : SPLIT)
	    && may_split(set, part))
		split(set, place);
	else
		enter(set, place, resettle(part, n_homes));
}

/* Puts the part where its places lead. */
static void
enter(struct hash_set *set, uint32_t place, struct hash_part *part)
{
	size_t n = n_entries(set, part);
	size_t first = lead(set, place) & ~(n - 1);

	for (size_t i = 0; i < n; i++)
		*entry(set, first + i) = part;
	while (part->n_slots >> set->slot_bits)
		set->slot_bits++;
}

/* Where too many hashes are the same it would not help. */
static bool
may_split(const struct hash_set *set, const struct hash_part *part)
{
	return part->n_bits < set->n_bits
	       || (set->n_bits < MAX_BITS
		   && set->n >> set->n_bits >= MIN_SHARE);
}

static void
split(struct hash_set *set, uint32_t place)
{
	struct hash_part *low, *high;
	uint32_t *places;
	uint32_t bit, cut;

	low = *entry(set, lead(set, place));
	if (low->n_bits == set->n_bits)
		double_directory(set);
	bit = (uint32_t) 1 << 31 >> low->n_bits;
	high = part_new(low->n_bits + 1);
	pack(low);
	places = places_of(low);
	for (cut = 0; cut < low->n && !(places[cut] & bit); cut++)
		;
	high = pages_resize(high, size_of(high->n_slots), size_of(low->n));
	high->n_slots = low->n;
	high->n = low->n - cut;
	memcpy(high->things, low->things + cut,
	       high->n * sizeof *high->things);
	memcpy(places_of(high), places + cut, high->n * sizeof *places);
	memset(places_of(high) + high->n, 0, cut * sizeof *places);
	memset(places + cut, 0, high->n * sizeof *places);
	low->n = cut;
	low->n_bits++;
	enter(set, place & ~bit, resettle(low, homes_for(set, cut)));
	enter(set, place | bit, resettle(high, homes_for(set, high->n)));
}

/* And for some that are to come. */
static uint32_t
homes_for(const struct hash_set *set, uint32_t n)
{
	return n + (set->is_loose ? n : n / 8) + FIRST_HOMES;
}

static void
double_directory(struct hash_set *set)
{
	size_t n = (size_t) 1 << set->n_bits;
	struct hash_part **parts = xmalloc(2 * n * sizeof *parts);

	for (size_t i = 0; i < 2 * n; i++)
		parts[i] = *entry(set, i / 2);
	if (set->n_bits)
		free(set->parts);
	set->parts = parts;
	set->n_bits++;
}

static struct hash_part *
part_new(uint32_t n_bits)
{
	struct hash_part *part;

	part = pages_resize(NULL, 0, size_of(2 * FIRST_HOMES));
	part->n = 0;
	part->n_homes = FIRST_HOMES;
	part->n_slots = 2 * FIRST_HOMES;
	part->n_bits = n_bits;
	memset(places_of(part), 0, part->n_slots * sizeof(uint32_t));
	return part;
}

/* Returns where the part is now.  So many slots as always do; where hashes are
 * the same, perhaps more. */
static struct hash_part *
resettle(struct hash_part *part, uint32_t n_homes)
{
	uint32_t more = n_homes < 512 ? 8 : n_homes < 4096 ? n_homes / 64 : 64;
	uint32_t n_slots = n_homes;
	bool is_settled;

	do {
		n_slots += more;
		pack(part);
		part = move_to_end(part, n_slots > part->n_slots
					 ? n_slots : part->n_slots);
		part->n_homes = n_homes;
		/* Room for more to come at the end. */
		is_settled = spread(part, n_slots - more / 2);
		more *= 2;
	} while (!is_settled);
	return shorten(part, n_slots);
}

/* Closes the gaps. */
static void
pack(struct hash_part *part)
{
	uint32_t *places = places_of(part);
	uint32_t n = 0;

	for (uint32_t i = 0; i < part->n_slots; i++) {
		uint32_t place = places[i];

		places[n] = place;
		part->things[n] = part->things[i];
		n += place != 0;
	}
}

/* Those of a packed part; at least as many slots as before. */
static struct hash_part *
move_to_end(struct hash_part *part, uint32_t n_slots)
{
	uint32_t n_old = part->n_slots, n = part->n;
	uint32_t *from;

	if (n_slots > n_old)
		part = pages_resize(part, size_of(n_old), size_of(n_slots));
	from = places_of(part);
	part->n_slots = n_slots;
	memmove(places_of(part) + n_slots - n, from, n * sizeof *from);
	memmove(part->things + n_slots - n, part->things,
		n * sizeof *part->things);
	return part;
}

/* The things stand at the end of the slots; each moves to where it belongs,
 * within the first 'n_slots'.  Returns false if they do not suffice; those
 * that were not moved stay at the end. */
static bool
spread(struct hash_part *part, uint32_t n_slots)
{
	uint32_t *places = places_of(part);
	uint32_t end = 0;

	for (uint32_t i = part->n_slots - part->n; i < part->n_slots; i++) {
		uint32_t place = places[i];
		void *thing = part->things[i];
		uint32_t home = home_of(part, place);

		if ((home > end ? home : end) >= n_slots - (part->n_slots - i)
						 + 1) {
			memset(&places[end], 0, (i - end) * sizeof *places);
			return false;
		}
		for (; end < home; end++)
			places[end] = 0;
		places[end] = place;
		part->things[end++] = thing;
	}
	memset(&places[end], 0, (part->n_slots - end) * sizeof *places);
	return true;
}

static struct hash_part *
shorten(struct hash_part *part, uint32_t n_slots)
{
	uint32_t n_old = part->n_slots;
	const uint32_t *places = places_of(part);

	if (n_slots >= n_old)
		return part;
	part->n_slots = n_slots;
	memmove(places_of(part), places, n_slots * sizeof *places);
	return pages_resize(part, size_of(n_old), size_of(n_slots));
}
