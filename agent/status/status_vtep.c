/* SPDX-License-Identifier: Apache-2.0 */

/* What the controllers' databases are told: cur_cfg, Physical_Port.status,
 * tunnel_ips that nobody has set, and the local MACs of hardware_vtep.
 *
 * A row of Ucast_Macs_Local that is ours is known by its UUID, which is made
 * of the subnet's and the MAC: so it is still known after a restart, and what
 * a controller has written is left alone. */

#include "agent/status/status.h"

#include <stdlib.h>
#include "agent/base/memory.h"

/* A locator that is looked for in a transaction. */
struct find_locator {
	const struct vsw_addr *pa;
	struct uuid uuid;
	bool is_found;
};

/* A port while rows look for theirs. */
struct named_port {
	const struct model_port *port;
	size_t place;
};

static void write_cfg(struct model_state *, enum model_database,
		      struct teller *);
static void write_faults(struct model_state *, struct teller *);
static const struct row *find_switch_row(const struct table *,
					 const char *name);
static void look_at_one(void *is_bad, const struct model_tunnel_ip *);
static void write_tunnel_ips(struct model_state *, enum model_database,
			     struct teller *);
static bool are_given(const struct model_state *, const char *name);
static void write_physicals(struct model_state *, struct teller *);
static void write_all(struct model_state *, struct teller *);
static void write_untold(struct model_state *, struct teller *);
static bool has_news(struct model_port *, uint64_t seed);
static const struct model_port *find_first(const struct model_state *,
					   const struct row *);
static struct named_port *collect_ports(const struct model_state *,
					size_t *ret_n);
static int compare_ports(const void *, const void *);
static const struct model_port *find_port(const struct named_port *, size_t n,
					  const struct row *);
static void write_physical(struct teller *, const struct row *,
			   const struct model_port *);
static void write_lists(struct model_state *, struct teller *);
static void write_bindings(struct teller *);
static void write_fault(struct teller *, const struct row *,
			const char *column, const char *fault);
static void write_locals(struct model_state *, struct teller *);
static void remove_stale(struct model_state *, struct teller *,
			 struct table *);
static void add_local(struct teller *, struct table *,
		      const struct model_port *);
static struct uuid local_uuid(const struct uuid *subnet, const uint8_t mac[6]);
static bool is_ours(const struct row *, struct uuid *ret_subnet,
		    uint8_t ret_mac[6]);
static const struct model_port *find_claim(const struct model_subnet *,
					   const uint8_t mac[6]);
static bool is_told_by_other(const struct model_subnet *,
			     const uint8_t mac[6], const struct uuid *ours);
static const struct model_pa *find_pa(const struct model_switch *);
static bool get_locator(struct teller *, const struct model_pa *,
			struct uuid *ret_uuid);
static bool see_locator(void *find, const struct row *);

void
status_vtep_write(struct model_state *state, enum model_database db)
{
	struct teller teller = { state->followers[db].database, NULL };

	if (!teller.database)
		return;
	write_cfg(state, db, &teller);
	if (db == DB_HARDWARE_VTEP)
		write_faults(state, &teller);
	if (db == DB_MS_VTEP && state->must_tell)
		write_physicals(state, &teller);
	if (state->must_tell && db != DB_MS_FIREWALL) {
		write_tunnel_ips(state, db, &teller);
		if (db == DB_HARDWARE_VTEP) {
			write_locals(state, &teller);
			write_lists(state, &teller);
		}
	}
	if (!teller_done(&teller))
		state->must_tell_all = true;
}

static void
write_cfg(struct model_state *state, enum model_database db,
	  struct teller *teller)
{
	const struct table *table = state_table(
		state, db, db == DB_MS_FIREWALL ? "FW_Global" : "Global");
	const struct row *row = table ? table_first(table) : NULL;
	struct datum cfg;

	if (!row || !state->is_in_force || state->is_dirty
	    || !table_schema_column(table_schema(table), "cur_cfg"))
		return;
	datum_set_integer(&cfg, row_integer(row, "next_cfg", 0));
	teller_set(teller, row, "cur_cfg", &cfg);
}

/* Physical_Switch of hardware_vtep may say that something is wrong, and not
 * what; hnv.Switch has it for each address. */
static void
write_faults(struct model_state *state, struct teller *teller)
{
	const struct table *table =
		state_table(state, DB_HARDWARE_VTEP, "Physical_Switch");
	const struct list *switches = &state->model->switches;

	for (const struct list *link = switches->next; link != switches;
	     link = link->next) {
		const struct model_switch *sw =
			LIST_ENTRY(link, const struct model_switch, link);
		const struct row *row = find_switch_row(table, sw->name);
		bool is_bad = sw->fault.reason || sw->settings.fault.reason;
		struct datum faults;

		if (!row)
			continue;
		memset(&faults, 0, sizeof faults);
		model_each_tunnel_ip(state->model, sw, look_at_one, &is_bad);
		if (is_bad)
			datum_add_string(&faults, "unspecified_fault", NULL);
		teller_set(teller, row, "switch_fault_status", &faults);
	}
}

static const struct row *
find_switch_row(const struct table *table, const char *name)
{
	const struct row *row = table ? table_first(table) : NULL;

	while (row && strcmp(row_string(row, "name", ""), name))
		row = table_next(table, row);
	return row;
}

static void
look_at_one(void *is_bad, const struct model_tunnel_ip *tunnel_ip)
{
	*(bool *) is_bad |= tunnel_ip->fault->reason != MODEL_OK;
}

static void
write_tunnel_ips(struct model_state *state, enum model_database db,
		 struct teller *teller)
{
	const struct table *table = state_table(state, db, "Physical_Switch");
	const struct row *row;

	for (row = table_first(table); row && state->n_own;
	     row = table_next(table, row)) {
		struct datum ips, room;

		if (row_get(row, "tunnel_ips", &room)->n
		    || are_given(state, row_string(row, "name", "")))
			continue;
		memset(&ips, 0, sizeof ips);
		for (size_t i = 0; i < state->n_own; i++) {
			char text[MODEL_ADDR_TEXT_SIZE];

			model_addr_to_text(&state->own[i], text);
			datum_add_string(&ips, text, NULL);
		}
		teller_set(teller, row, "tunnel_ips", &ips);
	}
}

/* Does the switch take them from the controller? */
static bool
are_given(const struct model_state *state, const char *name)
{
	const struct list *switches = &state->model->switches;

	for (const struct list *link = switches->next; link != switches;
	     link = link->next) {
		const struct model_switch *sw =
			LIST_ENTRY(link, const struct model_switch, link);

		if (!strcmp(sw->name, name)
		    && sw->settings.provider_device)
			return true;
	}
	return false;
}

/* A thousand ports cost little when one of them has something new to say. */
static void
write_physicals(struct model_state *state, struct teller *teller)
{
	const struct table *table =
		state_table(state, DB_MS_VTEP, "Physical_Port");
	struct model_port *port = NULL;
	bool all = state->must_tell_all;

	if (all)
		write_all(state, teller);
	else
		write_untold(state, teller);
	state->must_tell_all = false;
	state->n_untold = 0;
	while ((port = model_next_port(state->model, port))) {
		const struct row *row =
			has_news(port, state->seed) && !all
			? table_find(table, &port->physical) : NULL;

		if (row)
			write_physical(teller, row, port);
	}
}

static void
write_all(struct model_state *state, struct teller *teller)
{
	const struct table *table =
		state_table(state, DB_MS_VTEP, "Physical_Port");
	size_t n;
	struct named_port *ports = collect_ports(state, &n);
	const struct row *row;

	for (row = table_first(table); row; row = table_next(table, row))
		write_physical(teller, row, find_port(ports, n, row));
	free(ports);
}

/* Rows that are new, or of another name now. */
static void
write_untold(struct model_state *state, struct teller *teller)
{
	const struct table *table =
		state_table(state, DB_MS_VTEP, "Physical_Port");

	for (size_t i = 0; i < state->n_untold; i++) {
		const struct row *row = table_find(table, &state->untold[i]);

		if (row)
			write_physical(teller, row, find_first(state, row));
	}
}

/* write_port() has looked at what there is to say: what 'told' is made of. */
static bool
has_news(struct model_port *port, uint64_t seed)
{
	uint64_t hash;

	if (port->is_removed || !port->has_physical)
		return false;
	hash = map_hash(&port->physical, sizeof port->physical,
			port->told ^ seed);
	hash = map_hash(port->claimed_mac, 6, hash);
	if (hash == port->told_physical)
		return false;
	port->told_physical = hash;
	return true;
}

/* The same as find_port() finds. */
static const struct model_port *
find_first(const struct model_state *state, const struct row *row)
{
	char *id = iface_id_from_text(row_string(row, "name", ""));
	const struct model_port *port = NULL;

	while (*id && (port = model_next_port(state->model, port)))
		if (!port->is_removed && !port->trunk
		    && !strcmp(port->iface_id, id))
			break;
	free(id);
	return port;
}

/* Those that have a name, in order. */
static struct named_port *
collect_ports(const struct model_state *state, size_t *ret_n)
{
	const struct model_port *port = NULL;
	struct named_port *ports = NULL;
	size_t n = 0, size = 0;

	while ((port = model_next_port(state->model, port))) {
		if (port->is_removed || port->trunk || !*port->iface_id)
			continue;
		if (n == size) {
			size = 2 * size + 16;
			ports = xrealloc(ports, size * sizeof *ports);
		}
		ports[n] = (struct named_port) { port, n };
		n++;
	}
	if (n)
		qsort(ports, n, sizeof *ports, compare_ports);
	*ret_n = n;
	return ports;
}

/* Of one name the one that stands first in its switch. */
static int
compare_ports(const void *pa, const void *pb)
{
	const struct named_port *a = pa, *b = pb;
	int order = strcmp(a->port->iface_id, b->port->iface_id);

	return order ? order : (a->place > b->place) - (a->place < b->place);
}

static const struct model_port *
find_port(const struct named_port *ports, size_t n, const struct row *row)
{
	char *id = iface_id_from_text(row_string(row, "name", ""));
	size_t low = 0, high = n;
	bool is_found;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(ports[middle].port->iface_id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	is_found = low < n && !strcmp(ports[low].port->iface_id, id);
	free(id);
	return is_found ? ports[low].port : NULL;
}

/* Keys that are not ours stay. */
static void
write_physical(struct teller *teller, const struct row *row,
	       const struct model_port *port)
{
	static const char *const ours[] = {
		"state", "reason", "detail", "vm_nic_macaddress"
	};
	struct datum room;
	const struct datum *old = row_get(row, "status", &room);
	struct datum status;

	memset(&status, 0, sizeof status);
	status.is_map = true;
	for (uint32_t i = 0; i < old->n; i++) {
		const char *key = datum_key(old, i)->string->text;
		bool is_mine = !strncmp(key, "vlan_", 5);

		for (size_t j = 0; j < sizeof ours / sizeof *ours; j++)
			is_mine |= !strcmp(key, ours[j]);
		if (!is_mine)
			datum_add_string(&status, key,
					 datum_value(old, i)->string->text);
	}
	if (port) {
		static const uint8_t none[6];
		char mac[MODEL_MAC_TEXT_SIZE];

		status_add_port(&status, port);
		model_mac_to_text(port->claimed_mac, mac);
		if (memcmp(port->claimed_mac, none, 6))
			datum_add_string(&status, "vm_nic_macaddress", mac);
	}
	teller_set(teller, row, "status", &status);
}

static void
write_lists(struct model_state *state, struct teller *teller)
{
	const struct table *entries =
		database_table(teller->database, "ACL_entry");
	const struct table *lists = database_table(teller->database, "ACL");
	const struct row *row;

	for (row = table_first(entries); row; row = table_next(entries, row))
		write_fault(teller, row, "acle_fault_status",
			    port_list_entry_is_bad(state, row_uuid(row))
				    ? "invalid_acl_entry" : NULL);
	for (row = table_first(lists); row; row = table_next(lists, row)) {
		bool is_bad = false;

		(void) port_list_find(state, row_uuid(row), &is_bad);
		write_fault(teller, row, "acl_fault_status",
			    is_bad ? "invalid_acl" : NULL);
	}
	write_bindings(teller);
}

/* Lists of a whole port, and of VLANs that it has, are all that is bound. */
static void
write_bindings(struct teller *teller)
{
	const struct table *ports =
		database_table(teller->database, "Physical_Port");
	const struct table *routers =
		database_table(teller->database, "Logical_Router");
	struct datum room, room_vlans;
	const struct row *row;

	for (row = table_first(ports); row; row = table_next(ports, row)) {
		const struct datum *lists =
			row_get(row, "acl_bindings", &room);
		const struct datum *vlans =
			row_get(row, "vlan_bindings", &room_vlans);
		bool is_bad = false;

		for (uint32_t i = 0; i < lists->n; i++) {
			int64_t vid = datum_key(lists, i)->integer;

			is_bad |= vid && !trunk_get(vlans, vid);
		}

		write_fault(teller, row, "port_fault_status",
			    is_bad ? "invalid_ACL_binding" : NULL);
	}
	for (row = table_first(routers); row; row = table_next(routers, row))
		write_fault(teller, row, "LR_fault_status",
			    row_get(row, "acl_binding", &room)->n
				    ? "invalid_ACL_binding" : NULL);
}

/* 'fault' NULL: none. */
static void
write_fault(struct teller *teller, const struct row *row, const char *column,
	    const char *fault)
{
	struct datum faults;

	memset(&faults, 0, sizeof faults);
	if (fault)
		datum_add_string(&faults, fault, NULL);
	teller_set(teller, row, column, &faults);
}

static void
write_locals(struct model_state *state, struct teller *teller)
{
	const struct model_port *port = NULL;
	struct table *table =
		database_table(teller->database, "Ucast_Macs_Local");

	remove_stale(state, teller, table);
	while ((port = model_next_port(state->model, port)))
		add_local(teller, table, port);
}

static void
remove_stale(struct model_state *state, struct teller *teller,
	     struct table *table)
{
	const struct row *row;

	for (row = table_first(table); row; row = table_next(table, row)) {
		const struct model_subnet *subnet;
		struct uuid uuid;
		uint8_t mac[6];

		if (!is_ours(row, &uuid, mac))
			continue;
		subnet = subnet_find(state, DB_HARDWARE_VTEP, &uuid);
		if (subnet && find_claim(subnet, mac)
		    && !is_told_by_other(subnet, mac, row_uuid(row)))
			continue;
		transaction_delete(teller_transaction(teller), row);
	}
}

static void
add_local(struct teller *teller, struct table *table,
	  const struct model_port *port)
{
	const struct model_subnet *subnet = port->claimed;
	const struct model_pa *pa = find_pa(port->sw);
	char mac[MODEL_MAC_TEXT_SIZE];
	struct ovsdb_error *error;
	struct uuid uuid, locator;
	struct datum value;
	struct row *row;

	if (!subnet || subnet->table->db != DB_HARDWARE_VTEP || !pa
	    || find_claim(subnet, port->claimed_mac) != port)
		return;
	uuid = local_uuid(&subnet->row, port->claimed_mac);
	if (table_find(table, &uuid)
	    || is_told_by_other(subnet, port->claimed_mac, &uuid)
	    || !get_locator(teller, pa, &locator))
		return;
	error = transaction_insert(teller_transaction(teller), table, &uuid,
				   &row);
	if (error) {
		ovsdb_error_free(error);
		return;
	}
	model_mac_to_text(port->claimed_mac, mac);
	datum_set_string(&value, mac);
	teller_put(row, "MAC", &value);
	datum_set_uuid(&value, &subnet->row);
	teller_put(row, "logical_switch", &value);
	datum_set_uuid(&value, &locator);
	teller_put(row, "locator", &value);
}

/* RFC 9562, version 8: ours to fill.  15 bytes of subnet and MAC. */
static struct uuid
local_uuid(const struct uuid *subnet, const uint8_t mac[6])
{
	struct uuid uuid;

	memcpy(uuid.bytes, subnet->bytes, 16);
	for (int i = 0; i < 6; i++)
		uuid.bytes[10 + i] ^= mac[i];
	uuid.bytes[6] = (uint8_t) (0x80 | (subnet->bytes[6] & 0x0f));
	uuid.bytes[8] = (uint8_t) (0x80 | (subnet->bytes[8] & 0x3f));
	return uuid;
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
	uuid = local_uuid(subnet, ret_mac);
	return uuid_equal(&uuid, row_uuid(row));
}

static const struct model_port *
find_claim(const struct model_subnet *subnet, const uint8_t mac[6])
{
	static const uint8_t none[6];
	const struct subnet_table *table = subnet->table;

	for (size_t i = 0; memcmp(mac, none, 6) && i < table->n_ports; i++)
		if (!memcmp(table->ports[i]->claimed_mac, mac, 6))
			return table->ports[i];
	return NULL;
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
get_locator(struct teller *teller, const struct model_pa *pa,
	    struct uuid *ret_uuid)
{
	struct table *table =
		database_table(teller->database, "Physical_Locator");
	struct transaction *transaction = teller_transaction(teller);
	struct find_locator find = { .pa = &pa->addr };
	struct ovsdb_error *error;
	char text[MODEL_ADDR_TEXT_SIZE];
	struct datum value;
	struct row *row;

	transaction_each(transaction, table, see_locator, &find);
	if (find.is_found) {
		*ret_uuid = find.uuid;
		return true;
	}
	error = transaction_insert(transaction, table, NULL, &row);
	if (error) {
		ovsdb_error_free(error);
		return false;
	}
	model_addr_to_text(&pa->addr, text);
	datum_set_string(&value, text);
	teller_put(row, "dst_ip", &value);
	datum_set_string(&value, "vxlan_over_ipv4");
	teller_put(row, "encapsulation_type", &value);
	*ret_uuid = *row_uuid(row);
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
