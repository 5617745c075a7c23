/* SPDX-License-Identifier: Apache-2.0 */

/* Ucast_Macs_Remote and Ucast_Macs_Local: where customer addresses live, and
 * which row wins when several speak of one. */

#include "agent/model/state.h"

#include <stdlib.h>
#include "agent/base/memory.h"

enum { RANK_LOAD_BALANCED, RANK_DEFAULT, RANK_LEARNING_DISABLED };

static const char *table_name(const struct mapping_row *);
static void read_row(struct model_state *, struct mapping_row *,
		     const struct row *);
static bool read_addresses(struct model_state *, struct mapping_row *,
			   const struct mapping_columns *, const struct row *);
static void touch_keys(struct model_state *, const struct mapping_row *);
static uint8_t read_rank(const struct mapping_columns *, const struct row *);
static void set_place(struct mapping_row *);
static void enter(struct model_state *, struct mapping_row *);
static void leave(struct model_state *, struct mapping_row *);
static void settle_local(struct model_state *, struct mapping_row *);
static bool is_judged(const struct model_state *, struct mapping_row *,
		      const struct mapping_key *);
static void judge(struct model_state *, const struct mapping_key *,
		  struct mapping_row *first, const struct mapping_row *best);
static void tell(struct model_state *, struct mapping_row *,
		 const struct mapping_row *best);

void
mapping_follow(struct model_state *state, const struct touched *touched)
{
	struct keyed *keyed = map_find(&state->mappings, &touched->row);
	const struct row *row = state_row(state, touched->db, touched->kind,
					  &touched->row);
	struct mapping_row *mapping;

	if (keyed) {
		mapping = KEYED_ENTRY(keyed, struct mapping_row, by_row);
		leave(state, mapping);
		if (!row) {
			map_remove(&state->mappings, keyed);
			mapping_free(state, mapping);
			return;
		}
	} else if (row) {
		mapping = xcalloc(1, sizeof *mapping);
		mapping->by_row.key = touched->row;
		mapping->db = touched->db;
		mapping->kind = touched->kind;
		mapping->is_old = state->n_updates == 1;
		map_add(&state->mappings, &mapping->by_row);
	} else {
		return;
	}
	mapping->order = touched->order;
	read_row(state, mapping, row);
	enter(state, mapping);
}

void
mapping_relocate(struct model_state *state)
{
	struct list *subnets = &state->model->subnets;

	for (struct list *link = subnets->next; link != subnets;
	     link = link->next) {
		struct model_subnet *subnet =
			LIST_ENTRY(link, struct model_subnet, link);

		subnet->table->flood_changed = true;
		state_subnet_changed(state, subnet);
	}
	for (size_t i = 0; i < state->mappings.n_buckets; i++) {
		struct keyed *k = state->mappings.buckets[i];

		for (; k; k = k->next) {
			struct mapping_row *mapping =
				KEYED_ENTRY(k, struct mapping_row, by_row);

			if (!mapping->subnet)
				continue;
			subnet_table_remove(mapping->subnet->table, mapping);
			if (mapping->mapping.port)
				state_must_judge(state, mapping->mapping.port);
			mapping->mapping.port = NULL;
			set_place(mapping);
			enter(state, mapping);
		}
	}
	state->must_bind = true;
}

void
mapping_flip(struct model_state *state)
{
	struct list *subnets = &state->model->subnets;

	for (struct list *link = subnets->next; link != subnets;
	     link = link->next) {
		struct model_subnet *subnet =
			LIST_ENTRY(link, struct model_subnet, link);

		if (!subnet->table->is_service_node)
			continue;
		subnet->table->flood_changed = true;
		state_subnet_changed(state, subnet);
	}
	for (size_t i = 0; i < state->mappings.n_buckets; i++) {
		struct keyed *k = state->mappings.buckets[i];

		for (; k; k = k->next) {
			struct mapping_row *row =
				KEYED_ENTRY(k, struct mapping_row, by_row);

			if (row->subnet && row->rank == RANK_LOAD_BALANCED
			    && row->mapping.place->has_flipped)
				touch_keys(state, row);
		}
	}
}

void
mapping_free(struct model_state *state, struct mapping_row *mapping)
{
	leave(state, mapping);
	free(mapping);
}

void
mapping_judge(struct model_state *state, struct model_subnet *subnet)
{
	struct subnet_table *table = subnet->table;
	size_t n = table->n_judged;

	/* A key that has changed twice is judged, and told, once. */
	for (size_t i = table->n_judged; i < table->n_keys; i++) {
		struct mapping_key key = table->keys[i];
		struct mapping_row *first = subnet_table_find(table, &key);

		if (first && is_judged(state, first, &key))
			continue;
		table->keys[n++] = key;
		if (first)
			judge(state, &key, first,
			      subnet_table_best(table, &key));
	}
	table->n_keys = table->n_judged = n;
}

bool
mapping_beats(const struct mapping_row *a, const struct mapping_row *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank;
	if (a->rank != RANK_LOAD_BALANCED && a->order != b->order)
		return a->order > b->order;
	return uuid_compare(&a->by_row.key, &b->by_row.key) < 0;
}

static const char *
table_name(const struct mapping_row *mapping)
{
	return mapping->kind == ROW_UCAST_LOCAL ? "Ucast_Macs_Local"
						: "Ucast_Macs_Remote";
}

static void
read_row(struct model_state *state, struct mapping_row *mapping,
	 const struct row *row)
{
	const struct mapping_columns *columns =
		&state->followers[mapping->db].columns[mapping->kind];
	struct datum subnet_room, place_room;
	const struct uuid *subnet =
		datum_uuid(row_datum(row, columns->subnet, &subnet_room));
	const struct uuid *place =
		datum_uuid(row_datum(row, columns->locator, &place_room));

	mapping->lost_mac = mapping->lost_ca = mapping->is_copy = false;
	if (!subnet || !place
	    || !read_addresses(state, mapping, columns, row))
		return;
	mapping->mapping.place = place_ref(state, mapping->db, place);
	if (mapping->mapping.place->problem) {
		mapping->fault = row_fault_new(state, MODEL_BAD_ADDRESS,
					       table_name(mapping),
					       &mapping->by_row.key, "%s",
					       mapping->mapping.place->problem);
		place_unref(state, mapping->db, mapping->mapping.place);
		mapping->mapping.place = NULL;
		return;
	}
	mapping->rank = read_rank(columns, row);
	mapping->mapping.kind =
		mapping->rank == RANK_LOAD_BALANCED ? MAPPING_LOAD_BALANCED
		: mapping->rank == RANK_LEARNING_DISABLED
			? MAPPING_LEARNING_DISABLED : MAPPING_DEFAULT;
	mapping->subnet = subnet_find(state, mapping->db, subnet);
	set_place(mapping);
}

static bool
read_addresses(struct model_state *state, struct mapping_row *mapping,
	       const struct mapping_columns *columns, const struct row *row)
{
	struct datum room;
	const char *mac = datum_string(row_datum(row, columns->mac, &room),
				       "");
	const char *ip = datum_string(row_datum(row, columns->ipaddr, &room),
				      "");
	static const struct vsw_addr any;
	struct vsw_addr ca = any;

	if (!model_mac_from_text(mac, mapping->mapping.mac)
	    || mapping->mapping.mac[0] & 1) {
		mapping->fault = row_fault_new(state, MODEL_BAD_MAC,
					       table_name(mapping),
					       &mapping->by_row.key,
					       "MAC \"%s\"", mac);
		return false;
	}
	if (*ip && !model_addr_from_text(ip, &ca)) {
		mapping->fault = row_fault_new(state, MODEL_BAD_ADDRESS,
					       table_name(mapping),
					       &mapping->by_row.key,
					       "ipaddr \"%s\"", ip);
		return false;
	}
	/* 0.0.0.0 is how some say that there is none. */
	if (!memcmp(ca.bytes, any.bytes, sizeof ca.bytes))
		ca = any;
	mapping->mapping.ca = ca;
	return true;
}

static void
touch_keys(struct model_state *state, const struct mapping_row *row)
{
	struct mapping_key key = mapping_key_mac(row->mapping.mac);

	subnet_table_touch(row->subnet->table, &key);
	key = mapping_key_ca(&row->mapping.ca);
	if (key.ca.n)
		subnet_table_touch(row->subnet->table, &key);
	state_subnet_changed(state, row->subnet);
}

static uint8_t
read_rank(const struct mapping_columns *columns, const struct row *row)
{
	struct datum room;
	const char *type;

	if (!columns->type)
		return RANK_DEFAULT;
	type = datum_string(row_datum(row, columns->type, &room), "");
	if (!strcmp(type, "load_balanced"))
		return RANK_LOAD_BALANCED;
	if (!strcmp(type, "learning_disabled"))
		return RANK_LEARNING_DISABLED;
	return RANK_DEFAULT;
}

static void
set_place(struct mapping_row *mapping)
{
	struct model_mapping *m = &mapping->mapping;

	m->is_local = mapping->kind == ROW_UCAST_LOCAL
		      || mapping->mapping.place->is_own;
	m->port = NULL;
	mapping->is_heard = false;
}

static void
enter(struct model_state *state, struct mapping_row *mapping)
{
	if (!mapping->subnet)
		return;
	subnet_table_add(mapping->subnet->table, mapping);
	state_subnet_changed(state, mapping->subnet);
	if (!mapping->mapping.is_local)
		return;
	if (model_learns(mapping->subnet))
		binding_assign(state, mapping);
	settle_local(state, mapping);
}

static void
leave(struct model_state *state, struct mapping_row *mapping)
{
	if (mapping->subnet) {
		if (mapping->mapping.is_local)
			settle_local(state, mapping);
		if (mapping->mapping.port && !mapping->is_heard)
			state_must_judge(state, mapping->mapping.port);
		subnet_table_remove(mapping->subnet->table, mapping);
		state_subnet_changed(state, mapping->subnet);
		mapping->subnet = NULL;
	}
	place_unref(state, mapping->db, mapping->mapping.place);
	mapping->mapping.place = NULL;
	row_fault_free(state, mapping->fault);
	mapping->fault = NULL;
}

/* Which port is bound does not depend on rows where ports learn. */
static void
settle_local(struct model_state *state, struct mapping_row *mapping)
{
	if (model_learns(mapping->subnet))
		learned_is_news(state, &mapping->subnet->row,
				mapping->mapping.mac);
	else
		state->must_bind = true;
}

static bool
is_judged(const struct model_state *state, struct mapping_row *row,
	  const struct mapping_key *key)
{
	return (key->ca.n ? row->ca_seen : row->mac_seen) == state->n_updates;
}

static void
judge(struct model_state *state, const struct mapping_key *key,
      struct mapping_row *first, const struct mapping_row *best)
{
	for (struct mapping_row *row = first; row;
	     row = subnet_table_next(row, key)) {
		bool has_lost = row != best
			&& (best->rank != RANK_LOAD_BALANCED
			    || row->rank != RANK_LOAD_BALANCED);
		bool is_there = row->mapping.place == best->mapping.place;

		if (key->ca.n) {
			row->ca_seen = state->n_updates;
			row->lost_ca = has_lost;
			row->is_copy = has_lost && is_there
				&& !memcmp(row->mapping.mac,
					   best->mapping.mac, 6);
		} else {
			/* One MAC may have many addresses, at one place. */
			row->mac_seen = state->n_updates;
			row->lost_mac = has_lost && !is_there
				&& !(row->mapping.is_local
				     && best->mapping.is_local);
			if (!row->mapping.ca.n)
				row->is_copy = has_lost && !row->lost_mac
					&& !best->mapping.ca.n;
		}
		tell(state, row, best);
	}
}

static void
tell(struct model_state *state, struct mapping_row *row,
     const struct mapping_row *best)
{
	enum model_reason reason = MODEL_OK;
	char winner[UUID_TEXT_SIZE];
	char mac[MODEL_MAC_TEXT_SIZE], ca[MODEL_ADDR_TEXT_SIZE];

	if (row->is_copy && !row->lost_mac)
		reason = MODEL_DUPLICATE;
	else if (row->lost_ca || row->lost_mac)
		reason = MODEL_CONFLICT;
	if (row->lost_mac && model_learns(row->subnet))
		learned_lost(state, row);
	if (reason == (row->fault ? row->fault->reason : MODEL_OK))
		return;
	row_fault_free(state, row->fault);
	row->fault = NULL;
	if (reason == MODEL_OK)
		return;
	uuid_to_text(&best->by_row.key, winner);
	model_mac_to_text(row->mapping.mac, mac);
	model_addr_to_text(&row->mapping.ca, ca);
	row->fault = row_fault_new(state, reason, table_name(row),
				   &row->by_row.key,
				   "%s%s%s in subnet %s: row %s wins", mac,
				   *ca ? " " : "", ca, row->subnet->name,
				   winner);
}
