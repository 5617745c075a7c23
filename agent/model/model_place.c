/* SPDX-License-Identifier: Apache-2.0 */

/* Physical_Locator: behind which provider address, in which encapsulation. */

#include "agent/model/state.h"

#include <stdlib.h>
#include "agent/base/memory.h"

static void read_place(struct model_state *, enum model_database,
		       struct place *);
static bool read_encap(const char *, enum vsw_encap *, uint8_t *ret_family);

struct place *
place_ref(struct model_state *state, enum model_database db,
	  const struct uuid *uuid)
{
	struct map *places = &state->places[db];
	struct keyed *keyed = map_find(places, uuid);
	struct place *place;

	if (keyed) {
		place = KEYED_ENTRY(keyed, struct place, by_row);
	} else {
		place = xcalloc(1, sizeof *place);
		place->by_row.key = *uuid;
		map_add(places, &place->by_row);
		read_place(state, db, place);
		state->model->places_version++;
	}
	place->n_refs++;
	return place;
}

void
place_unref(struct model_state *state, enum model_database db,
	    struct place *place)
{
	if (!place || --place->n_refs)
		return;
	state->model->places_version++;
	map_remove(&state->places[db], &place->by_row);
	free(place->problem);
	free(place);
}

bool
place_follow(struct model_state *state, enum model_database db,
	     const struct uuid *uuid)
{
	struct keyed *keyed = map_find(&state->places[db], uuid);
	struct place *place;
	uint32_t vni;

	if (!keyed || !state_row(state, db, ROW_LOCATOR, uuid))
		return false;
	place = KEYED_ENTRY(keyed, struct place, by_row);
	vni = place->vni;
	read_place(state, db, place);
	state->model->places_version++;
	return vni != place->vni;
}

bool
place_own_follow(struct model_state *state)
{
	bool is_changed = false;

	for (int db = 0; db < N_DBS; db++)
		for (size_t i = 0; i < state->places[db].n_buckets; i++) {
			struct keyed *k = state->places[db].buckets[i];

			for (; k; k = k->next) {
				struct place *place =
					KEYED_ENTRY(k, struct place, by_row);
				bool is_own = state_is_own(state, &place->pa);

				is_changed |= is_own != place->is_own;
				place->is_own = is_own;
			}
		}
	state->model->places_version += is_changed;
	return is_changed;
}

void
model_each_remote(const struct model *model,
		  void (*each)(void *ctx, const struct vsw_addr *,
			       enum vsw_encap), void *ctx)
{
	const struct model_state *state = model->state;

	for (int db = 0; db < N_DBS; db++)
		for (size_t i = 0; i < state->places[db].n_buckets; i++)
			for (const struct keyed *k =
			     state->places[db].buckets[i]; k; k = k->next) {
				const struct place *place = KEYED_ENTRY(k,
					const struct place, by_row);

				if (!place->problem && !place->is_own)
					each(ctx, &place->pa, place->encap);
			}
	for (const struct list *link = model->paths.next;
	     link != &model->paths; link = link->next) {
		const struct model_path *path =
			LIST_ENTRY(link, const struct model_path, link);

		if (!path->is_removed && !path->problem)
			each(ctx, &path->remote, path->encap);
	}
	for (const struct list *link = model->domains.next;
	     link != &model->domains; link = link->next) {
		const struct model_domain *domain =
			LIST_ENTRY(link, const struct model_domain, link);

		if (domain->pa.n)
			each(ctx, &domain->pa, domain->encap);
	}
}

static void
read_place(struct model_state *state, enum model_database db,
	   struct place *place)
{
	const struct row *row =
		state_row(state, db, ROW_LOCATOR, &place->by_row.key);
	const char *ip, *encap;
	uint8_t family = 0;
	int64_t key;

	free(place->problem);
	place->problem = NULL;
	if (!row) {
		place->problem = xstrdup("locator is gone");
		return;
	}
	ip = row_string(row, "dst_ip", "");
	encap = row_string(row, "encapsulation_type", "");
	key = row_integer(row, "tunnel_key", 0);
	if (!read_encap(encap, &place->encap, &family))
		place->problem = xasprintf("locator's encapsulation_type "
					   "\"%s\"", encap);
	else if (!model_addr_from_text(ip, &place->pa))
		place->problem = xasprintf("locator's dst_ip \"%s\"", ip);
	else if (place->pa.n != family)
		place->problem = xasprintf("locator's dst_ip \"%s\" is not "
					   "%s", ip, encap);
	else if (key < 0 || key > 0xffffff)
		place->problem = xasprintf("locator's tunnel_key %lld",
					   (long long) key);
	place->vni = place->problem ? 0 : (uint32_t) key;
	place->is_own = !place->problem && state_is_own(state, &place->pa);
}

static bool
read_encap(const char *text, enum vsw_encap *ret_encap, uint8_t *ret_family)
{
	static const struct {
		const char *text;
		enum vsw_encap encap;
		uint8_t family;
	} known[] = {
		{ "vxlan_over_ipv4", VSW_ENCAP_VXLAN, 4 },
		{ "vxlan_over_ipv6", VSW_ENCAP_VXLAN, 16 },
		{ "nvgre_over_ipv4", VSW_ENCAP_NVGRE, 4 },
		{ "nvgre_over_ipv6", VSW_ENCAP_NVGRE, 16 }
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(known[i].text, text)) {
			*ret_encap = known[i].encap;
			*ret_family = known[i].family;
			return true;
		}
	return false;
}
