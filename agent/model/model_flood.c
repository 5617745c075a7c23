/* SPDX-License-Identifier: Apache-2.0 */

/* Mcast_Macs_Remote and Mcast_Macs_Local: where broadcast, multicast and
 * unknown MACs go, when a controller says so. */

#include "agent/model/state.h"

#include <stdlib.h>
#include "agent/base/memory.h"

static bool read_row(struct model_state *, struct mcast_row *,
		     const struct touched *, const struct row *);
static bool read_mac(struct mcast_row *, const char *);
static void read_places(struct model_state *, struct mcast_row *,
			const struct touched *, const struct row *);
static void leave(struct model_state *, struct mcast_row *);
static void touch(struct model_state *, struct mcast_row *);

void
mcast_follow(struct model_state *state, const struct touched *touched)
{
	struct keyed *keyed = map_find(&state->mcasts, &touched->row);
	const struct row *row = state_row(state, touched->db, touched->kind,
					  &touched->row);
	struct mcast_row *mcast;

	if (keyed) {
		mcast = KEYED_ENTRY(keyed, struct mcast_row, by_row);
		leave(state, mcast);
		if (!row) {
			/* It may have been ours. */
			state->must_tell_macs |= mcast->is_local;
			map_remove(&state->mcasts, keyed);
			mcast_free(state, mcast);
			return;
		}
	} else if (row) {
		mcast = xcalloc(1, sizeof *mcast);
		mcast->by_row.key = touched->row;
		mcast->db = touched->db;
		mcast->is_local = touched->kind == ROW_MCAST_LOCAL;
		list_init(&mcast->link);
		map_add(&state->mcasts, &mcast->by_row);
	} else {
		return;
	}
	if (!read_row(state, mcast, touched, row))
		return;
	list_append(&mcast->subnet->table->mcasts, &mcast->link);
	touch(state, mcast);
}

bool
model_is_bridged(const struct model_subnet *subnet)
{
	const struct list *mcasts = &subnet->table->mcasts;

	if (model_learns(subnet))
		return true;
	for (const struct list *link = mcasts->next; link != mcasts;
	     link = link->next)
		if (LIST_ENTRY(link, const struct mcast_row, link)->is_unknown)
			return true;
	return false;
}

void
mcast_free(struct model_state *state, struct mcast_row *mcast)
{
	leave(state, mcast);
	free(mcast);
}

static bool
read_row(struct model_state *state, struct mcast_row *mcast,
	 const struct touched *touched, const struct row *row)
{
	struct datum room;
	const struct uuid *subnet =
		datum_uuid(row_get(row, "logical_switch", &room));
	const char *mac = row_string(row, "MAC", "");

	if (!read_mac(mcast, mac)) {
		mcast->fault = row_fault_new(
			state, MODEL_BAD_MAC,
			touched->kind == ROW_MCAST_LOCAL ? "Mcast_Macs_Local"
							 : "Mcast_Macs_Remote",
			&touched->row, "MAC \"%s\"", mac);
		return false;
	}
	mcast->subnet = subnet ? subnet_find(state, touched->db, subnet)
			       : NULL;
	if (!mcast->subnet)
		return false;
	read_places(state, mcast, touched, row);
	return true;
}

static bool
read_mac(struct mcast_row *mcast, const char *text)
{
	mcast->is_unknown = !strcmp(text, "unknown-dst");
	if (mcast->is_unknown) {
		memset(mcast->mac, 0xff, 6);
		return true;
	}
	return model_mac_from_text(text, mcast->mac) && mcast->mac[0] & 1;
}

static void
read_places(struct model_state *state, struct mcast_row *mcast,
	    const struct touched *touched, const struct row *row)
{
	const struct table *sets =
		state_table(state, touched->db, "Physical_Locator_Set");
	struct datum set_room, locators_room;
	const struct uuid *uuid =
		datum_uuid(row_get(row, "locator_set", &set_room));
	const struct row *set = uuid ? table_find(sets, uuid) : NULL;
	const struct datum *locators;

	if (!set)
		return;
	locators = row_get(set, "locators", &locators_room);
	mcast->places = xcalloc(locators->n, sizeof *mcast->places);
	for (uint32_t i = 0; i < locators->n; i++) {
		struct place *place =
			place_ref(state, touched->db,
				  &datum_key(locators, i)->uuid);

		if (place->problem) {
			if (!mcast->fault)
				mcast->fault = row_fault_new(
					state, MODEL_BAD_ADDRESS,
					"Physical_Locator_Set", uuid, "%s",
					place->problem);
			place_unref(state, touched->db, place);
			continue;
		}
		mcast->places[mcast->n_places++] = place;
	}
}

static void
leave(struct model_state *state, struct mcast_row *mcast)
{
	if (mcast->subnet) {
		list_remove(&mcast->link);
		touch(state, mcast);
		mcast->subnet = NULL;
	}
	for (size_t i = 0; i < mcast->n_places; i++)
		place_unref(state, mcast->db, mcast->places[i]);
	free(mcast->places);
	mcast->places = NULL;
	mcast->n_places = 0;
	row_fault_free(state, mcast->fault);
	mcast->fault = NULL;
}

/* Broadcast is the subnet's flood, another group a key of its own. */
static void
touch(struct model_state *state, struct mcast_row *mcast)
{
	static const uint8_t broadcast[6] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	struct mapping_key key = mapping_key_mac(mcast->mac);

	if (!memcmp(mcast->mac, broadcast, 6))
		mcast->subnet->table->flood_changed = true;
	else
		subnet_table_touch(mcast->subnet->table, &key);
	state_subnet_changed(state, mcast->subnet);
}
