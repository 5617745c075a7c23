/* SPDX-License-Identifier: Apache-2.0 */

/* What the controllers' databases are told: cur_cfg, Physical_Port.status,
 * and tunnel_ips that nobody has set. */

#include "agent/status/status.h"

#include <stdlib.h>
#include "agent/base/memory.h"

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
static void write_bindings(struct model_state *, struct teller *);
static bool is_bad_map(const struct model_port *, const struct datum *vlans);
static void write_fault(struct teller *, const struct row *,
			const char *column, const char *fault);

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
		if (db == DB_HARDWARE_VTEP)
			write_lists(state, &teller);
	}
	if (db == DB_HARDWARE_VTEP)
		status_macs_write(state, &teller);
	if (!teller_done(&teller))
		state->must_tell_all = state->must_tell_macs = true;
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
	write_bindings(state, teller);
}

/* Lists of a whole port, and of VLANs that it has, are all that is bound. */
static void
write_bindings(struct model_state *state, struct teller *teller)
{
	const struct table *ports =
		database_table(teller->database, "Physical_Port");
	const struct table *routers =
		database_table(teller->database, "Logical_Router");
	struct datum room, room_vlans;
	struct named_port *named = NULL;
	const struct row *row;
	size_t n = 0;

	if (table_first(ports))
		named = collect_ports(state, &n);
	for (row = table_first(ports); row; row = table_next(ports, row)) {
		const struct datum *lists =
			row_get(row, "acl_bindings", &room);
		const struct datum *vlans =
			row_get(row, "vlan_bindings", &room_vlans);
		bool is_bad = false;
		struct datum faults;

		for (uint32_t i = 0; i < lists->n; i++) {
			int64_t vid = datum_key(lists, i)->integer;

			is_bad |= vid && !trunk_get(vlans, vid);
		}
		memset(&faults, 0, sizeof faults);
		if (is_bad)
			datum_add_string(&faults, "invalid_ACL_binding", NULL);
		if (is_bad_map(find_port(named, n, row), vlans))
			datum_add_string(&faults, "invalid_vlan_map", NULL);
		teller_set(teller, row, "port_fault_status", &faults);
	}
	free(named);
	for (row = table_first(routers); row; row = table_next(routers, row))
		write_fault(teller, row, "LR_fault_status",
			    row_get(row, "acl_binding", &room)->n
				    ? "invalid_ACL_binding" : NULL);
}

/* Is one of its VLANs where its MAC is already? */
static bool
is_bad_map(const struct model_port *port, const struct datum *vlans)
{
	const struct model_port *last = NULL;

	for (uint32_t i = 0; port && i < vlans->n; i++) {
		const struct model_port *one = status_vlan_port(
			port, datum_key(vlans, i)->integer, last);

		if (one && one->fault.reason == MODEL_CONFLICT)
			return true;
		last = one ? one : last;
	}
	return false;
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
