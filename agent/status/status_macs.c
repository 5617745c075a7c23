/* SPDX-License-Identifier: Apache-2.0 */

/* What hardware_vtep is told of who is here: in Ucast_Macs_Local the MACs that
 * ports are said to have, or were heard with, and in Mcast_Macs_Local, for each
 * subnet that has a port here, that what is for all comes here, too.
 *
 * A row that is ours is known by its UUID, which is made of the subnet's and
 * the MAC: so it is still known after a restart, and what a controller has
 * written is left alone. */

#include "agent/status/status.h"

#include <stdlib.h>
#include "agent/base/memory.h"

/* One call of status_macs_write(). */
struct telling {
	struct model_state *state;
	struct teller *teller;
	struct table *macs, *groups, *locators;
	const struct model_pa *pa;	/* Whose locator was found last. */
	struct uuid locator;
};

/* A locator that is looked for in a transaction. */
struct find_locator {
	const struct vsw_addr *pa;
	struct uuid uuid;
	bool is_found;
};

static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static uint64_t hash_tellers(const struct model_state *);
static void tell_all(struct telling *);
static void tell_learned(struct telling *, const struct model_switch *);
static void tell_groups(struct telling *);
static void tell_group(struct telling *, const struct model_subnet *);
static void tell_mac(struct telling *, const struct uuid *subnet,
		     const uint8_t mac[6]);
static bool may_be_here(const struct telling *, const struct model_subnet *,
			const uint8_t mac[6], const struct uuid *ours);
static bool is_ours(const struct row *, struct uuid *ret_subnet,
		    uint8_t ret_mac[6]);
static const struct model_port *find_teller(const struct model_state *,
					    const struct model_subnet *,
					    const uint8_t mac[6]);
static bool is_told_by_other(const struct model_subnet *,
			     const uint8_t mac[6], const struct uuid *ours);
static const struct model_pa *find_pa(const struct model_switch *);
static bool get_locator(struct telling *, const struct model_pa *,
			struct uuid *ret_uuid);
static bool see_locator(void *find, const struct row *);
static bool get_set(struct telling *, const struct row *old,
		    const struct uuid *locator, struct uuid *ret_uuid);
static struct row *insert(struct telling *, struct table *,
			  const struct uuid *uuid,
			  const struct uuid *subnet, const char *mac);

void
status_macs_write(struct model_state *state, struct teller *teller)
{
	struct telling telling = {
		.state = state, .teller = teller,
		.macs = database_table(teller->database, "Ucast_Macs_Local"),
		.groups = database_table(teller->database,
					 "Mcast_Macs_Local"),
		.locators = database_table(teller->database,
					   "Physical_Locator")
	};
	uint64_t hash;

	if (state->must_tell) {
		hash = hash_tellers(state);
		state->must_tell_macs |= hash != state->macs_told;
		state->macs_told = hash;
	}
	if (state->must_tell_macs)
		tell_all(&telling);
	else
		for (size_t i = 0; i < state->n_mac_news; i++)
			tell_mac(&telling, &state->mac_news[i].subnet,
				 state->mac_news[i].mac);
	state->n_mac_news = 0;
	state->must_tell_macs = false;
}

/* Of who would tell what, but for what was heard; never 0. */
static uint64_t
hash_tellers(const struct model_state *state)
{
	const struct model_port *port = NULL;
	uint64_t hash = state->seed;

	while ((port = model_next_port(state->model, port))) {
		const struct model_subnet *subnet = port->claimed;
		const struct model_pa *pa = find_pa(port->sw);

		if (!subnet || !model_learns(subnet))
			continue;
		hash = map_hash(&port, sizeof port, hash);
		hash = map_hash(&subnet->row, sizeof subnet->row, hash);
		hash = map_hash(&subnet->vni, sizeof subnet->vni, hash);
		hash = map_hash(port->claimed_mac, 6, hash);
		if (pa)
			hash = map_hash(&pa->addr, sizeof pa->addr, hash);
	}
	return hash | 1;
}

static void
tell_all(struct telling *telling)
{
	const struct model_state *state = telling->state;
	const struct list *switches = &state->model->switches;
	const struct model_port *port = NULL;
	const struct row *row;
	struct uuid subnet;
	uint8_t mac[6];

	for (row = table_first(telling->macs); row;
	     row = table_next(telling->macs, row))
		if (is_ours(row, &subnet, mac))
			tell_mac(telling, &subnet, mac);
	while ((port = model_next_port(state->model, port)))
		if (port->claimed && model_learns(port->claimed))
			tell_mac(telling, &port->claimed->row,
				 port->claimed_mac);
	for (const struct list *link = switches->next; link != switches;
	     link = link->next)
		tell_learned(telling, LIST_ENTRY(link,
						 const struct model_switch,
						 link));
	tell_groups(telling);
}

static void
tell_learned(struct telling *telling, const struct model_switch *sw)
{
	for (const struct list *p = sw->ports.next; p != &sw->ports;
	     p = p->next) {
		const struct model_port *port =
			LIST_ENTRY(p, const struct model_port, link);
		const struct list *macs = &port->learned.macs;

		for (const struct list *link = macs->next; link != macs;
		     link = link->next)
			if (port->claimed)
				tell_mac(telling, &port->claimed->row,
					 LIST_ENTRY(link, const struct mac,
						    by_port)->mac);
	}
}

static void
tell_groups(struct telling *telling)
{
	const struct list *subnets = &telling->state->model->subnets;

	for (const struct list *link = subnets->next; link != subnets;
	     link = link->next) {
		const struct model_subnet *subnet =
			LIST_ENTRY(link, const struct model_subnet, link);

		if (model_learns(subnet))
			tell_group(telling, subnet);
	}
}

/* "unknown-dst", as vtep(5) has it: what has no row of its own may be here. */
static void
tell_group(struct telling *telling, const struct model_subnet *subnet)
{
	const struct subnet_table *table = subnet->table;
	struct uuid uuid = learned_uuid(&subnet->row, all);
	const struct row *old = table_find(telling->groups, &uuid);
	const struct model_pa *pa = NULL;
	struct uuid locator, set;
	struct datum value;
	struct row *row;

	for (size_t i = 0; !pa && i < table->n_ports; i++)
		pa = find_pa(table->ports[i]->sw);
	if (!pa || !get_locator(telling, pa, &locator)) {
		if (old)
			transaction_delete(
				teller_transaction(telling->teller), old);
		return;
	}
	if (!get_set(telling, old, &locator, &set))
		return;
	datum_set_uuid(&value, &set);
	if (old) {
		teller_set(telling->teller, old, "locator_set", &value);
		return;
	}
	row = insert(telling, telling->groups, &uuid, &subnet->row,
		     "unknown-dst");
	if (row)
		teller_put(row, "locator_set", &value);
}

static void
tell_mac(struct telling *telling, const struct uuid *subnet_row,
	 const uint8_t mac[6])
{
	struct transaction *transaction = telling->teller->transaction;
	const struct model_subnet *subnet =
		subnet_find(telling->state, DB_HARDWARE_VTEP, subnet_row);
	const struct model_port *port =
		subnet ? find_teller(telling->state, subnet, mac) : NULL;
	const struct model_pa *pa = port ? find_pa(port->sw) : NULL;
	struct uuid uuid = learned_uuid(subnet_row, mac), locator, theirs;
	const struct row *old = transaction
		? transaction_find(transaction, telling->macs, &uuid)
		: table_find(telling->macs, &uuid);
	char text[MODEL_MAC_TEXT_SIZE];
	struct datum value;
	struct row *row;
	uint8_t its[6];

	if (old && !is_ours(old, &theirs, its))
		return;
	if (!pa || is_told_by_other(subnet, mac, &uuid)) {
		if (old && !may_be_here(telling, subnet, mac, &uuid))
			transaction_delete(
				teller_transaction(telling->teller), old);
		return;
	}
	if (!get_locator(telling, pa, &locator))
		return;
	datum_set_uuid(&value, &locator);
	if (old) {
		teller_set(telling->teller, old, "locator", &value);
		return;
	}
	model_mac_to_text(mac, text);
	row = insert(telling, telling->macs, &uuid, &subnet->row, text);
	if (row)
		teller_put(row, "locator", &value);
}

/* Heard by an agent before this one, in a subnet that still has a port here,
 * and nobody says otherwise? */
static bool
may_be_here(const struct telling *telling, const struct model_subnet *subnet,
	    const uint8_t mac[6], const struct uuid *ours)
{
	struct mapping_key key = mapping_key_mac(mac);
	const struct mapping_row *row;

	if (!model_has_old_macs(telling->state->model) || !subnet
	    || !subnet->table->n_ports)
		return false;
	row = subnet_table_find(subnet->table, &key);
	for (; row; row = subnet_table_next(row, &key))
		if (!row->is_old || !uuid_equal(&row->by_row.key, ours))
			return false;
	return true;
}

static bool
is_ours(const struct row *row, struct uuid *ret_subnet, uint8_t ret_mac[6])
{
	struct datum room;
	const struct uuid *subnet =
		datum_uuid(row_get(row, "logical_switch", &room));
	const char *mac = row_string(row, "MAC", "");
	struct uuid uuid;

	if (!subnet || !model_mac_from_text(mac, ret_mac))
		return false;
	*ret_subnet = *subnet;
	uuid = learned_uuid(subnet, ret_mac);
	return uuid_equal(&uuid, row_uuid(row));
}

static const struct model_port *
find_teller(const struct model_state *state, const struct model_subnet *subnet,
	    const uint8_t mac[6])
{
	static const uint8_t none[6];
	const struct subnet_table *table = subnet->table;
	const struct model_port *port = learned_port(state, subnet, mac);

	for (size_t i = 0; !port && memcmp(mac, none, 6)
			   && i < table->n_ports; i++)
		if (!memcmp(table->ports[i]->claimed_mac, mac, 6))
			port = table->ports[i];
	return port;
}

static bool
is_told_by_other(const struct model_subnet *subnet, const uint8_t mac[6],
		 const struct uuid *ours)
{
	struct mapping_key key = mapping_key_mac(mac);
	const struct mapping_row *row = subnet_table_find(subnet->table, &key);

	for (; row; row = subnet_table_next(row, &key))
		if (row->kind == ROW_UCAST_LOCAL
		    && !uuid_equal(&row->by_row.key, ours))
			return true;
	return false;
}

static const struct model_pa *
find_pa(const struct model_switch *sw)
{
	const struct list *addresses = &sw->provider_addresses;

	for (const struct list *link = addresses->next; link != addresses;
	     link = link->next) {
		const struct model_pa *pa =
			LIST_ENTRY(link, const struct model_pa, link);

		if (!pa->is_removed && pa->addr.n == 4)
			return pa;
	}
	return NULL;
}

/* One that says the same may stand there already, from anybody. */
static bool
get_locator(struct telling *telling, const struct model_pa *pa,
	    struct uuid *ret_uuid)
{
	struct find_locator find = { .pa = &pa->addr };
	struct transaction *transaction = telling->teller->transaction;
	struct ovsdb_error *error;
	char text[MODEL_ADDR_TEXT_SIZE];
	struct datum value;
	struct row *row;

	if (telling->pa == pa) {
		*ret_uuid = telling->locator;
		return true;
	}
	for (const struct row *is = table_first(telling->locators);
	     is && see_locator(&find, is);
	     is = table_next(telling->locators, is))
		continue;
	if (!find.is_found && transaction)
		transaction_each(transaction, telling->locators, see_locator,
				 &find);
	if (!find.is_found) {
		transaction = teller_transaction(telling->teller);
		error = transaction_insert(transaction, telling->locators,
					   NULL, &row);
		if (error) {
			ovsdb_error_free(error);
			return false;
		}
		model_addr_to_text(&pa->addr, text);
		datum_set_string(&value, text);
		teller_put(row, "dst_ip", &value);
		datum_set_string(&value, "vxlan_over_ipv4");
		teller_put(row, "encapsulation_type", &value);
		find.uuid = *row_uuid(row);
	}
	telling->pa = pa;
	telling->locator = *ret_uuid = find.uuid;
	return true;
}

static bool
see_locator(void *ctx, const struct row *row)
{
	struct find_locator *find = ctx;
	struct datum room;
	struct vsw_addr addr;

	if (row_get(row, "tunnel_key", &room)->n
	    || !model_addr_from_text(row_string(row, "dst_ip", ""),
				     &addr)
	    || addr.n != find->pa->n
	    || memcmp(addr.bytes, find->pa->bytes, addr.n))
		return true;
	find->is_found = true;
	find->uuid = *row_uuid(row);
	return false;
}

/* What is in a set cannot change: another one takes its place. */
static bool
get_set(struct telling *telling, const struct row *old,
	const struct uuid *locator, struct uuid *ret_uuid)
{
	struct table *sets = database_table(telling->teller->database,
					    "Physical_Locator_Set");
	struct datum room, value;
	const struct uuid *uuid =
		old ? datum_uuid(row_get(old, "locator_set", &room)) : NULL;
	const struct row *set = uuid ? table_find(sets, uuid) : NULL;
	const struct datum *has = set ? row_get(set, "locators", &room) : NULL;
	struct ovsdb_error *error;
	struct row *row;

	if (has && has->n == 1 && uuid_equal(&datum_key(has, 0)->uuid,
					     locator)) {
		*ret_uuid = *row_uuid(set);
		return true;
	}
	error = transaction_insert(teller_transaction(telling->teller), sets,
				   NULL, &row);
	if (error) {
		ovsdb_error_free(error);
		return false;
	}
	datum_set_uuid(&value, locator);
	teller_put(row, "locators", &value);
	*ret_uuid = *row_uuid(row);
	return true;
}

/* NULL: refused. */
static struct row *
insert(struct telling *telling, struct table *table, const struct uuid *uuid,
       const struct uuid *subnet, const char *mac)
{
	struct ovsdb_error *error;
	struct datum value;
	struct row *row;

	error = transaction_insert(teller_transaction(telling->teller), table,
				   uuid, &row);
	if (error) {
		ovsdb_error_free(error);
		return NULL;
	}
	datum_set_string(&value, mac);
	teller_put(row, "MAC", &value);
	datum_set_uuid(&value, subnet);
	teller_put(row, "logical_switch", &value);
	return row;
}
