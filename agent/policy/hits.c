/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/hits.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/model/map.h"

struct hit {
	struct keyed by_name;		/* In hits.map. */
	struct hits *hits;
	struct vsw_counter *counter;
	size_t n_users, n_shown;
	uint16_t tag;			/* 0: none. */
};

/* What a tag stands for, or stood. */
struct tagged {
	char *rule;			/* NULL: never used. */
	bool allows;
	bool is_used;
};

struct hits {
	struct vsw *vsw;
	struct map map;
	struct tagged *tags;		/* UINT16_MAX + 1, with the first. */
	uint16_t last_tag;
};

static struct uuid make_key(const char *scope, const char *rule,
			    uint64_t key);

struct hits *
hits_new(struct vsw *vsw)
{
	struct hits *hits = xcalloc(1, sizeof *hits);

	hits->vsw = vsw;
	map_init(&hits->map, 0);
	return hits;
}

void
hits_free(struct hits *hits)
{
	if (!hits)
		return;
	map_done(&hits->map);
	for (size_t i = 0; hits->tags && i <= UINT16_MAX; i++)
		free(hits->tags[i].rule);
	free(hits->tags);
	free(hits);
}

struct hit *
hits_get(struct hits *hits, const char *scope, const char *rule, uint64_t key)
{
	struct uuid name = make_key(scope, rule, key);
	struct keyed *keyed = map_find(&hits->map, &name);
	struct vsw_counter *counter;
	struct hit *hit;

	if (keyed) {
		hit = KEYED_ENTRY(keyed, struct hit, by_name);
		hit->n_users++;
		return hit;
	}
	if (vsw_counter_new(hits->vsw, &counter))
		return NULL;
	hit = xcalloc(1, sizeof *hit);
	hit->by_name.key = name;
	hit->hits = hits;
	hit->counter = counter;
	hit->n_users = 1;
	map_add(&hits->map, &hit->by_name);
	return hit;
}

void
hits_put(struct hit *hit)
{
	if (!hit || --hit->n_users)
		return;
	map_remove(&hit->hits->map, &hit->by_name);
	if (hit->tag)
		hit->hits->tags[hit->tag].is_used = false;
	vsw_counter_unref(hit->counter);
	free(hit);
}

/* The next one that is free, so that what ends under one that was given up is
 * known for long. */
uint16_t
hits_tag(struct hit *hit, const char *rule, bool allows)
{
	struct hits *hits = hit->hits;
	struct tagged *tagged;

	if (!hits->tags)
		hits->tags = xcalloc(UINT16_MAX + 1, sizeof *hits->tags);
	for (uint32_t n = 0; !hit->tag && n < UINT16_MAX; n++) {
		hits->last_tag = hits->last_tag == UINT16_MAX
				 ? 1 : hits->last_tag + 1;
		if (!hits->tags[hits->last_tag].is_used)
			hit->tag = hits->last_tag;
	}
	if (!hit->tag)
		return 0;
	tagged = &hits->tags[hit->tag];
	free(tagged->rule);
	*tagged = (struct tagged) { xstrdup(rule), allows, true };
	return hit->tag;
}

bool
hits_find_tag(const struct hits *hits, uint16_t tag, const char **ret_rule,
	      bool *ret_allows)
{
	if (!hits->tags || !hits->tags[tag].rule)
		return false;
	*ret_rule = hits->tags[tag].rule;
	*ret_allows = hits->tags[tag].allows;
	return true;
}

struct vsw_counter *
hit_counter(const struct hit *hit)
{
	return hit ? hit->counter : NULL;
}

uint64_t
hit_n_packets(const struct hit *hit)
{
	return hit ? vsw_counter_read(hit->counter) : 0;
}

size_t *
hit_n_shown(struct hit *hit)
{
	return &hit->n_shown;
}

/* 128 bits of hash stand for the words: that two are called alike by chance is
 * not to be expected, and would mix two numbers up. */
static struct uuid
make_key(const char *scope, const char *rule, uint64_t key)
{
	uint64_t halves[2];
	struct uuid uuid;

	halves[0] = map_hash(rule, strlen(rule),
			     map_hash(scope, strlen(scope), 1));
	halves[1] = map_hash(rule, strlen(rule),
			     map_hash(scope, strlen(scope), 2));
	if (key) {
		halves[0] = map_hash(&key, sizeof key, halves[0]);
		halves[1] = map_hash(&key, sizeof key, halves[1]);
	}
	memset(&uuid, 0, sizeof uuid);
	memcpy(&uuid, halves, sizeof halves);
	return uuid;
}
