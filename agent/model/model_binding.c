/* SPDX-License-Identifier: Apache-2.0 */

/* Physical_Switch and Physical_Port: which port is in which subnet, and which
 * local mapping is whose.
 *
 * A Physical_Port of the name of a port's iface_id claims the port for the
 * subnet that its VLAN 0 is bound to, and what is inside of it for those that
 * the other VLANs are.  A local mapping of that subnet is the port's whose MAC
 * it has, or that alone may use it besides its own.  A port whose MAC nobody
 * has said takes those that no other port has, if it is the only such port of
 * the subnet here: with two of them nobody can tell, and neither gets any. */

#include "agent/model/state.h"

#include <stdlib.h>
#include "agent/base/memory.h"

/* A port, and what it was judged by before. */
struct judged {
	struct model_port *port;
	enum model_reason reason;
	bool has_list;
	struct uuid list_row;
	uint8_t mac[6];
	struct model_subnet *claimed;
};

struct binding {
	struct model_state *state;
	struct judged *ports;		/* By iface_id, then name. */
	size_t n_ports;
};

static void read_router_mac(struct model_state *);
static void tell_router_mac(struct model_state *, const struct row *bad);
static void collect_physicals(struct binding *);
static void note_said(struct physical *of, const struct physical *);
static bool beats(const struct physical *, const struct physical *);
static void collect_ports(struct binding *);
static void sort_ports(struct model_state *);
static int compare_ports(const void *, const void *);
static void follow_trunks(struct binding *);
static const struct datum *get_bindings(const struct binding *, size_t i,
					struct datum *room);
static void claim_ports(struct binding *);
static void claim(struct binding *, struct model_port *,
		  const struct model_port *before);
static bool is_second(const struct model_port *,
		      const struct model_port *before);
static const struct physical *find_physical(const struct binding *,
					    const struct model_port *);
static void claim_subnet(struct binding *, struct model_port *,
			 const struct physical *);
static void tell_cut(struct model_port *, const struct datum *vlans);
static void read_list(struct model_port *, const struct physical *,
		      const struct datum *vlans);
static void read_claimed_mac(struct model_port *, const struct physical *);
static void add_port(struct model_subnet *, struct model_port *);
static void assign_all(struct model_state *);
static struct model_port *find_owner(const struct model_state *,
				     const struct mapping_row *,
				     bool *ret_is_heard);
static struct model_port *find_lone(const struct subnet_table *,
				    const uint8_t mac[6]);
static bool may_use(const struct model_port *, const uint8_t mac[6]);
static bool has_mac(const struct model_port *);
static void bind_port(struct binding *, struct model_port *);
static bool is_alone(const struct model_port *, const struct model_subnet *);
static bool is_judged_alike(const struct judged *);
static void explain_no_mapping(struct model_port *, struct model_subnet *);
static bool has_address(const struct model_switch *);
static void touch_subnet(struct model_state *, struct model_subnet *);

void
binding_follow(struct model_state *state)
{
	struct binding binding = { .state = state };

	read_router_mac(state);
	collect_physicals(&binding);
	collect_ports(&binding);
	follow_trunks(&binding);
	claim_ports(&binding);
	assign_all(state);
	for (size_t i = 0; i < binding.n_ports; i++) {
		bind_port(&binding, binding.ports[i].port);
		if (!is_judged_alike(&binding.ports[i]))
			state_must_judge(state, binding.ports[i].port);
	}
	free(binding.ports);
	state->must_tell = true;
	state->model->must_look = true;
	state->model->ports_version++;
}

const struct row *
binding_row(const struct model_state *state, enum model_database db,
	    const struct model_port *port)
{
	const struct model_port *whole = port->trunk ? port->trunk : port;
	const struct physical *physical = firewall_physical_of(whole);

	if (port->is_removed || whole->is_second || !physical
	    || physical->said[db].round != state->n_bindings)
		return NULL;
	return table_find(state_table(state, db, "Physical_Port"),
			  &physical->said[db].row);
}

void
binding_assign(struct model_state *state, struct mapping_row *row)
{
	struct subnet_table *table = row->subnet->table;
	bool is_heard;
	struct model_port *port = find_owner(state, row, &is_heard);
	struct mapping_key key;

	if (row->mapping.port == port && row->is_heard == is_heard)
		return;
	if (row->mapping.port && !row->is_heard)
		state_must_judge(state, row->mapping.port);
	if (port && !is_heard)
		state_must_judge(state, port);
	row->mapping.port = port;
	row->is_heard = is_heard;
	key = mapping_key_mac(row->mapping.mac);
	subnet_table_touch(table, &key);
	key = mapping_key_ca(&row->mapping.ca);
	if (key.ca.n)
		subnet_table_touch(table, &key);
	state_subnet_changed(state, row->subnet);
}

struct model_port *
binding_said_owner(const struct subnet_table *table, const uint8_t mac[6])
{
	struct model_port *other = NULL;
	size_t n_others = 0;

	for (size_t i = 0; i < table->n_ports; i++) {
		struct model_port *port = table->ports[i];

		if (has_mac(port) && !memcmp(port->claimed_mac, mac, 6))
			return port;
		if (may_use(port, mac)) {
			other = port;
			n_others++;
		}
	}
	return n_others == 1 ? other : NULL;
}

/* Of several switches the one of the lowest name says it. */
static void
read_router_mac(struct model_state *state)
{
	static const uint8_t otherwise[6] = { 0x02, 0x68, 0x6e, 0x76, 0, 1 };
	const struct table *table =
		state_table(state, DB_MS_VTEP, "Physical_Switch");
	const struct row *row, *best = NULL, *bad = NULL;
	uint8_t mac[6];

	for (row = table ? table_first(table) : NULL; row;
	     row = table_next(table, row)) {
		const char *text = row_string(row, "distributed_router_mac",
					      "");
		uint8_t each[6];

		if (!*text)
			continue;
		if (!model_mac_from_text(text, each) || each[0] & 1) {
			bad = row;
			continue;
		}
		if (best && strcmp(row_string(row, "name", ""),
				   row_string(best, "name", "")) > 0)
			continue;
		best = row;
		memcpy(mac, each, 6);
	}
	tell_router_mac(state, bad);
	if (!best)
		memcpy(mac, otherwise, 6);
	if (memcmp(state->model->router_mac, mac, 6)) {
		memcpy(state->model->router_mac, mac, 6);
		state->structure_changed = true;
	}
}

/* 'bad' NULL: all read.  Told once for as long as it is the same. */
static void
tell_router_mac(struct model_state *state, const struct row *bad)
{
	char *detail = bad ? xasprintf(
		"distributed_router_mac \"%s\"",
		row_string(bad, "distributed_router_mac", ""))
		: NULL;
	struct row_fault *old = state->router_mac_fault;

	if (!old != !bad
	    || (old && (!uuid_equal(&old->row, row_uuid(bad))
			|| strcmp(old->detail, detail)))) {
		row_fault_free(state, old);
		state->router_mac_fault = bad ? row_fault_new(
			state, MODEL_BAD_MAC, "Physical_Switch",
			row_uuid(bad), "%s", detail) : NULL;
	}
	free(detail);
}

static void
collect_physicals(struct binding *binding)
{
	struct model_state *state = binding->state;

	state->n_bindings++;
	for (int db = DB_MS_VTEP; db < N_DBS; db++) {
		const struct table *table =
			state_table(state, db, "Physical_Port");
		const struct row *row;

		for (row = table ? table_first(table) : NULL; row;
		     row = table_next(table, row)) {
			struct physical physical = {
				.row = row, .db = db, .round = state->n_bindings
			};
			char *id = iface_id_from_text(
				row_string(row, "name", ""));
			struct physical *of = firewall_physical(state, id);

			free(id);
			if (!of)
				continue;
			/* Who speaks for a port is told of it alone: these are
			 * both. */
			if (of->round == physical.round)
				state->must_tell_all = true;
			note_said(of, &physical);
			if (of->round == physical.round
			    && !beats(&physical, of))
				continue;
			memcpy(physical.said, of->said, sizeof of->said);
			*of = physical;
		}
	}
}

static void
note_said(struct physical *of, const struct physical *physical)
{
	struct said *said = &of->said[physical->db];
	struct datum room;
	bool is_bound = row_get(physical->row, "vlan_bindings", &room)->n;

	if (said->round == physical->round && said->is_bound >= is_bound)
		return;
	said->row = *row_uuid(physical->row);
	said->is_bound = is_bound;
	said->round = physical->round;
}

/* Of two that name one port the one that binds it counts. */
static bool
beats(const struct physical *a, const struct physical *b)
{
	struct datum room;
	int order = !row_get(a->row, "vlan_bindings", &room)->n
		    - !row_get(b->row, "vlan_bindings", &room)->n;

	if (!order)
		order = a->db - b->db;
	if (!order)
		order = uuid_compare(row_uuid(a->row), row_uuid(b->row));
	return order < 0;
}

static void
collect_ports(struct binding *binding)
{
	struct model_state *state = binding->state;

	if (state->ports_changed)
		sort_ports(state);
	binding->n_ports = state->n_sorted_ports;
	binding->ports = xcalloc(binding->n_ports, sizeof *binding->ports);
	for (size_t i = 0; i < binding->n_ports; i++)
		binding->ports[i].port = state->sorted_ports[i];
}

/* What is inside of trunks comes and goes here: with such, it is done anew
 * each time. */
static void
sort_ports(struct model_state *state)
{
	struct model_port *port = NULL;
	size_t n = 0;

	state->ports_changed = false;
	while ((port = model_next_port(state->model, port))) {
		state->ports_changed |= port->trunk != NULL;
		if (!(n & (n + 1)))
			state->sorted_ports = xrealloc(
				state->sorted_ports, (2 * n + 1)
				* sizeof *state->sorted_ports);
		state->sorted_ports[n++] = port;
	}
	state->n_sorted_ports = n;
	if (n)
		qsort(state->sorted_ports, n, sizeof *state->sorted_ports,
		      compare_ports);
}

static int
compare_ports(const void *pa, const void *pb)
{
	const struct model_port *a = *(struct model_port *const *) pa;
	const struct model_port *b = *(struct model_port *const *) pb;
	int order = a->is_removed - b->is_removed;

	if (!order)
		order = strcmp(a->iface_id, b->iface_id);
	if (!order)
		order = !b->trunk - !a->trunk;
	return order ? order : strcmp(a->name, b->name);
}

/* Makes the VLANs that are bound be ports. */
static void
follow_trunks(struct binding *binding)
{
	bool is_other = false;

	for (size_t i = 0; i < binding->n_ports; i++) {
		struct model_port *port = binding->ports[i].port;
		struct datum room;

		if (!port->trunk)
			is_other |= trunk_follow(port, get_bindings(binding, i,
								    &room));
	}
	if (!is_other)
		return;
	binding->state->ports_changed = true;
	free(binding->ports);
	collect_ports(binding);
}

/* Those of the port's Physical_Port; NULL: it is bound by none. */
static const struct datum *
get_bindings(const struct binding *binding, size_t i, struct datum *room)
{
	const struct model_port *port = binding->ports[i].port;
	const struct model_port *before = i ? binding->ports[i - 1].port
					    : NULL;
	const struct physical *physical;

	if (port->is_removed || !*port->iface_id || port->is_mac_bad
	    || is_second(port, before))
		return NULL;
	physical = find_physical(binding, port);
	return physical ? row_get(physical->row, "vlan_bindings", room)
			: NULL;
}

static void
claim_ports(struct binding *binding)
{
	struct list *subnets = &binding->state->model->subnets;

	for (struct list *link = subnets->next; link != subnets;
	     link = link->next)
		LIST_ENTRY(link, struct model_subnet, link)->table->n_ports
			= 0;
	for (size_t i = 0; i < binding->n_ports; i++) {
		struct judged *judged = &binding->ports[i];
		struct model_port *port = judged->port;

		judged->reason = port->fault.reason;
		judged->has_list = port->has_list;
		judged->list_row = port->list_row;
		memcpy(judged->mac, port->claimed_mac, 6);
		judged->claimed = port->claimed;
		claim(binding, port, i ? judged[-1].port : NULL);
		if (port->claimed != judged->claimed)
			learned_forget_port(port);
		if (port->claimed
		    && (port->claimed != judged->claimed
			|| memcmp(port->claimed_mac, judged->mac, 6)))
			learned_is_said(binding->state, port);
	}
}

static void
claim(struct binding *binding, struct model_port *port,
      const struct model_port *before)
{
	const struct physical *physical;

	/* Others' names change with their rows. */
	if (port->trunk)
		firewall_name_port(binding->state, port);
	physical = find_physical(binding, port);
	port->claimed = NULL;
	port->has_list = port->has_physical = false;
	port->n_mappings = 0;
	memcpy(port->claimed_mac, port->mac, 6);
	if (port->is_removed)
		return;
	port->is_second = is_second(port, before);
	if (physical && physical->db == DB_MS_VTEP && !port->trunk) {
		port->has_physical = true;
		port->physical = *row_uuid(physical->row);
	}
	if (!*port->iface_id)
		model_fault_set(&port->fault, MODEL_NO_IFACE_ID, NULL);
	else if (port->is_mac_bad)
		model_fault_set(&port->fault, MODEL_BAD_MAC, NULL);
	else if (port->is_second) {
		model_fault_set(&port->fault, MODEL_CONFLICT,
				"port \"%s\" has the same iface_id",
				before->name);
		binding->state->must_tell_all = true;
	} else if (!physical)
		model_fault_set(&port->fault, MODEL_NO_POLICY, NULL);
	else
		claim_subnet(binding, port, physical);
}

/* Has the port before it the same iface_id?  Its VLANs have, by right. */
static bool
is_second(const struct model_port *port, const struct model_port *before)
{
	return before && !before->is_removed && !port->trunk
	       && !strcmp(before->iface_id, port->iface_id);
}

/* What is in a trunk goes by its trunk's name. */
static const struct physical *
find_physical(const struct binding *binding, const struct model_port *port)
{
	const struct physical *physical = firewall_physical_of(port);

	return physical && physical->round == binding->state->n_bindings
	       ? physical : NULL;
}

/* Of a trunk that has VLANs alone, what is untagged is nobody's. */
static void
claim_subnet(struct binding *binding, struct model_port *port,
	     const struct physical *physical)
{
	struct datum room;
	const struct datum *vlans =
		row_get(physical->row, "vlan_bindings", &room);
	const union atom *bound = trunk_get(vlans, port->vid);
	struct model_subnet *subnet;

	if (!vlans->n) {
		model_fault_set(&port->fault, MODEL_NO_POLICY,
				"its Physical_Port in %s has no vlan_bindings",
				database_text(physical->db));
		read_list(port, physical, vlans);
		return;
	}
	subnet = bound ? subnet_find(binding->state, physical->db,
				     &bound->uuid) : NULL;
	if (bound && (!subnet || !subnet->vni)) {
		model_fault_set(&port->fault, MODEL_NO_SUBNET, "\"%s\": %s%s%s",
				subnet ? subnet->name : "",
				subnet ? model_reason_text(
						 subnet->fault.reason)
				       : "gone",
				subnet && subnet->fault.detail ? ": " : "",
				subnet && subnet->fault.detail
					? subnet->fault.detail : "");
		return;
	}
	tell_cut(port, vlans);
	if (!subnet)
		return;
	port->claimed = subnet;
	read_claimed_mac(port, physical);
	read_list(port, physical, vlans);
	add_port(subnet, port);
}

static void
tell_cut(struct model_port *port, const struct datum *vlans)
{
	int64_t last = datum_key(vlans, vlans->n - 1)->integer;

	if (!port->trunk && last > VLAN_LAST)
		model_fault_set(&port->fault, MODEL_NOT_SUPPORTED,
				"VLAN %lld is none", (long long) last);
	else if (port->has_cut_vlans)
		model_fault_set(&port->fault, MODEL_LIMIT,
				"more than %d VLANs are bound in its switch",
				MODEL_MAX_VLANS);
	else if (!firewall_is_reason(port->fault.reason))
		model_fault_set(&port->fault, MODEL_OK, NULL);
}

/* Its VLAN's, or else the whole port's: vtep(5). */
static void
read_list(struct model_port *port, const struct physical *physical,
	  const struct datum *vlans)
{
	struct datum room;
	const struct datum *lists =
		row_get(physical->row, "acl_bindings", &room);
	const union atom *list = trunk_get(lists, port->vid);

	if (!list)
		list = trunk_get(lists, 0);
	if (list) {
		port->has_list = true;
		port->list_row = list->uuid;
	}
	for (uint32_t i = 0; i < lists->n && !port->trunk; i++) {
		int64_t vid = datum_key(lists, i)->integer;

		if (vid && !trunk_get(vlans, vid)
		    && (!port->fault.reason
			|| firewall_is_reason(port->fault.reason)))
			model_fault_set(&port->fault, MODEL_NOT_SUPPORTED,
					"an ACL for VLAN %lld, which is in no "
					"logical switch", (long long) vid);
	}
}

/* Said by the operator, or else by the controller. */
static void
read_claimed_mac(struct model_port *port, const struct physical *physical)
{
	struct datum room;
	const char *text = datum_map_string(
		row_get(physical->row, "other_config", &room),
		"vm_nic_macaddress", "");
	uint8_t mac[6];

	if (!has_mac(port) && model_mac_from_text(text, mac) && !(mac[0] & 1))
		memcpy(port->claimed_mac, mac, 6);
}

static void
add_port(struct model_subnet *subnet, struct model_port *port)
{
	struct subnet_table *table = subnet->table;

	for (size_t i = 0; has_mac(port) && i < table->n_ports; i++)
		if (!memcmp(table->ports[i]->claimed_mac, port->claimed_mac,
			    6)) {
			model_fault_set(&port->fault, MODEL_CONFLICT,
					"port \"%s\" has the same MAC",
					table->ports[i]->name);
			port->claimed = NULL;
			return;
		}
	table->ports = xrealloc(table->ports, (table->n_ports + 1)
				* sizeof *table->ports);
	table->ports[table->n_ports++] = port;
}

static void
assign_all(struct model_state *state)
{
	struct list *subnets = &state->model->subnets;

	for (struct list *link = subnets->next; link != subnets;
	     link = link->next) {
		struct model_subnet *subnet =
			LIST_ENTRY(link, struct model_subnet, link);
		struct subnet_table *table = subnet->table;

		for (size_t i = 0; i < table->n_locals; i++) {
			struct mapping_row *row = table->locals[i];

			binding_assign(state, row);
			if (row->mapping.port)
				row->mapping.port->n_mappings++;
		}
	}
}

/* Whose it was heard to be has been held against who is said to have it. */
static struct model_port *
find_owner(const struct model_state *state, const struct mapping_row *row,
	   bool *ret_is_heard)
{
	const struct subnet_table *table = row->subnet->table;
	const uint8_t *mac = row->mapping.mac;
	struct uuid ours;
	struct model_port *port = learned_port(state, row->subnet, mac);

	*ret_is_heard = port && memcmp(port->claimed_mac, mac, 6)
			&& !may_use(port, mac);
	if (!port)
		port = binding_said_owner(table, mac);
	if (port)
		return port;
	/* Heard by an agent before this one, or on its way out. */
	ours = learned_uuid(&row->subnet->row, mac);
	*ret_is_heard = uuid_equal(&row->by_row.key, &ours);
	return find_lone(table, mac);
}

/* The only port that nobody has said a MAC of, if none may use this one. */
static struct model_port *
find_lone(const struct subnet_table *table, const uint8_t mac[6])
{
	struct model_port *without = NULL;

	for (size_t i = 0; i < table->n_ports; i++) {
		struct model_port *port = table->ports[i];

		if (may_use(port, mac) || (!has_mac(port) && without))
			return NULL;
		if (!has_mac(port))
			without = port;
	}
	return without;
}

/* Besides its own? */
static bool
may_use(const struct model_port *port, const uint8_t mac[6])
{
	for (size_t i = 0; i < port->n_allowed_macs; i++)
		if (!memcmp(port->allowed_macs[i], mac, 6))
			return true;
	return false;
}

static bool
has_mac(const struct model_port *port)
{
	static const uint8_t none[6];

	return memcmp(port->claimed_mac, none, 6);
}

static void
bind_port(struct binding *binding, struct model_port *port)
{
	struct model_subnet *subnet = port->claimed;

	if (subnet && !port->n_mappings
	    && !(model_learns(subnet) && has_address(port->sw))) {
		explain_no_mapping(port, subnet);
		subnet = NULL;
	}
	if (port->subnet == subnet)
		return;
	touch_subnet(binding->state, port->subnet);
	touch_subnet(binding->state, subnet);
	if (is_alone(port, port->subnet) || is_alone(port, subnet))
		binding->state->structure_changed = true;
	binding->state->programs_changed = true;
	port->subnet = subnet;
	port->is_dirty = true;
	state_must_judge(binding->state, port);
}

/* Is the subnet in force in the port's switch for the port's sake? */
static bool
is_alone(const struct model_port *port, const struct model_subnet *subnet)
{
	const struct subnet_table *table = subnet ? subnet->table : NULL;

	for (size_t i = 0; table && i < table->n_ports; i++)
		if (table->ports[i] != port && table->ports[i]->sw == port->sw
		    && table->ports[i]->subnet == subnet)
			return false;
	return subnet;
}

static bool
is_judged_alike(const struct judged *judged)
{
	const struct model_port *port = judged->port;

	return port->fault.reason == judged->reason
	       && port->has_list == judged->has_list
	       && (!port->has_list
		   || uuid_equal(&port->list_row, &judged->list_row))
	       && !memcmp(port->claimed_mac, judged->mac, 6);
}

static void
explain_no_mapping(struct model_port *port, struct model_subnet *subnet)
{
	char mac[MODEL_MAC_TEXT_SIZE];
	size_t n_without = 0;

	for (size_t i = 0; i < subnet->table->n_ports; i++)
		n_without += !has_mac(subnet->table->ports[i]);
	model_mac_to_text(port->claimed_mac, mac);
	if (!has_address(port->sw) && !subnet->table->n_locals)
		model_fault_set(&port->fault, MODEL_NO_PROVIDER_ADDRESS, NULL);
	else if (has_mac(port))
		model_fault_set(&port->fault, MODEL_NO_MAPPING,
				"none of subnet %s for MAC %s is on this host",
				subnet->name, mac);
	else if (n_without > 1)
		model_fault_set(&port->fault, MODEL_NO_MAPPING,
				"%zu ports of subnet %s have no mac: nobody "
				"can tell whose the local mappings are",
				n_without, subnet->name);
	else
		model_fault_set(&port->fault, MODEL_NO_MAPPING,
				"none of subnet %s is on this host",
				subnet->name);
}

static bool
has_address(const struct model_switch *sw)
{
	const struct list *addresses = &sw->provider_addresses;

	for (const struct list *link = addresses->next; link != addresses;
	     link = link->next)
		if (!LIST_ENTRY(link, const struct model_pa, link)->is_removed)
			return true;
	return false;
}

static void
touch_subnet(struct model_state *state, struct model_subnet *subnet)
{
	if (!subnet)
		return;
	subnet->table->flood_changed = true;
	state_subnet_changed(state, subnet);
}
