/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/policy/group.h"
#include "agent/model/state.h"

/* One call of bridge_apply(). */
struct turn {
	struct model_switch *sw;
	struct bridge *bridge;
	uint64_t seed;
	int err;
};

static void leave_groups(struct model_port *);
static int apply(struct model *, struct model_switch *);
static int apply_limits(struct model_switch *);
static bool is_wanted(const struct model_switch *);
static bool may_join(const struct model_port *);
static uint64_t hash_of(const struct model_switch *, uint64_t seed);
static int open_bridge(struct model *, struct model_switch *);
static void join_ports(struct turn *);
static void want_vlans(struct turn *);
static void want_of_port(struct turn *, struct bridge_port *);
static void want(struct turn *, struct bridge_port *, uint16_t id,
		 uint16_t family, enum vlan_kind);
static void make_mappings(struct turn *);
static int make_mapping(struct turn *, const char *what, uint16_t id,
			struct vsw_mapping **);
static void set_floods(struct turn *);
static void set_flood(struct turn *, struct bridge_vlan *,
		      struct vsw_location *);
static void set_programs(struct turn *);
static void set_program(struct turn *, struct bridge_port *, bool is_new);
static int build(struct turn *, struct bridge_port *);
static void drop_vlans(struct turn *);
static void free_vlan(struct bridge *, struct bridge_vlan *);
static void note(struct turn *, int err);

void
bridges_apply(struct model *model)
{
	if (!model->must_look)
		return;
	for (struct list *link = model->switches.next;
	     link != &model->switches; link = link->next) {
		struct model_switch *sw =
			LIST_ENTRY(link, struct model_switch, link);
		int err = apply(model, sw);

		if (!err && sw->vsw)
			err = apply_limits(sw);
		if (!err)
			continue;
		model->state->is_in_force = false;
		model_fault_set(&model->state->engine_fault, MODEL_ENGINE,
				"%s: %s", sw->name, strerror(-err));
	}
}

/* Programs go first, then what they lead to. */
void
bridge_leave_port(struct model_port *port)
{
	struct bridge_port *bridged = port->bridged;

	port->limited = NULL;
	if (!bridged)
		return;
	if (bridged->program && port->port == bridged->vsw_port
	    && !port->program)
		(void) !vsw_port_set_program(bridged->vsw_port, NULL);
	macs_forget_port(&port->sw->bridge->macs, &bridged->macs);
	vsw_program_unref(bridged->program);
	vsw_group_unref(bridged->out);
	vsw_group_unref(bridged->in);
	free(bridged);
	port->bridged = NULL;
	port->sw->bridge->state = 0;
	leave_groups(port);
}

void
bridge_leave_switch(struct model_switch *sw)
{
	struct bridge *bridge = sw->bridge;

	if (!bridge)
		return;
	for (struct list *link = sw->ports.next; link != &sw->ports;
	     link = link->next)
		bridge_leave_port(LIST_ENTRY(link, struct model_port, link));
	for (unsigned id = VLAN_IDS; id-- > 0;)
		if (bridge->vlans[id])
			free_vlan(bridge, bridge->vlans[id]);
	vsw_group_unref(bridge->group);
	vsw_group_unref(bridge->snoop);
	vsw_domain_unref(bridge->domain);
	macs_done(&bridge->macs);
	free(bridge);
	sw->bridge = NULL;
}

static void
leave_groups(struct model_port *port)
{
	for (struct list *link = port->groups.next; link != &port->groups;
	     link = link->next)
		bridge_place_group(port->sw->bridge,
				   LIST_ENTRY(link, struct port_group,
					      link)->mac);
}

static int
apply(struct model *model, struct model_switch *sw)
{
	struct turn turn = { .sw = sw, .seed = model->state->seed };
	uint64_t hash;

	if (!is_wanted(sw)) {
		bridge_leave_switch(sw);
		return 0;
	}
	if (!sw->bridge) {
		turn.err = open_bridge(model, sw);
		if (turn.err)
			return turn.err;
	}
	turn.bridge = sw->bridge;
	turn.bridge->macs.ageing_ns = sw->settings.ageing_s
				      * UINT64_C(1000000000);
	hash = hash_of(sw, turn.seed);
	if (hash == turn.bridge->state)
		return 0;
	join_ports(&turn);
	want_vlans(&turn);
	make_mappings(&turn);
	set_floods(&turn);
	set_programs(&turn);
	drop_vlans(&turn);
	bridge_place_groups(turn.bridge);
	turn.bridge->state = turn.err ? 0 : hash;
	return turn.err;
}

/* Of all ports, in a learning switch or not. */
static int
apply_limits(struct model_switch *sw)
{
	for (struct list *link = sw->ports.next; link != &sw->ports;
	     link = link->next) {
		struct model_port *port =
			LIST_ENTRY(link, struct model_port, link);
		struct vsw_port_limits limits = {
			.size = sizeof limits,
			.max_floods_per_s = port->limits.storm,
			.max_flows = port->limits.flows,
			.max_new_flows_per_s = port->limits.new_flows_per_s,
			.max_connections = port->limits.connections,
			.max_half_open = port->limits.half_open,
			.max_connections_per_s =
				port->limits.connections_per_s
		};
		int err;

		if (!port->port || port->is_removed
		    || (port->limited == port->port
			&& !memcmp(&port->limited_to, &port->limits,
				   sizeof port->limits)))
			continue;
		err = vsw_port_set_limits(port->port, &limits);
		if (err)
			return err;
		port->limited = port->port;
		port->limited_to = port->limits;
	}
	return 0;
}

static bool
is_wanted(const struct model_switch *sw)
{
	return sw->vsw && !sw->is_removed && sw->settings.learns;
}

/* What a controller has bound, or wants to bind, is the controller's. */
static bool
may_join(const struct model_port *port)
{
	return port->port && !port->is_removed && !port->claimed
	       && !port->subnet && !port->vlan_problem
	       && (port->fault.reason == MODEL_NO_POLICY
		   || port->fault.reason == MODEL_NO_IFACE_ID);
}

static uint64_t
hash_of(const struct model_switch *sw, uint64_t seed)
{
	uint64_t hash = seed | 1;

	for (const struct list *link = sw->ports.next; link != &sw->ports;
	     link = link->next) {
		const struct model_port *port =
			LIST_ENTRY(link, const struct model_port, link);

		if (!may_join(port))
			continue;
		hash = map_hash(&port->port, sizeof port->port, hash);
		hash = map_hash(&port->row, sizeof port->row, hash);
		hash = map_hash(&port->vlan, sizeof port->vlan, hash);
		hash = bridge_firewall_hash(port, hash);
	}
	return (hash ^ (uint64_t) model_snoops(sw) << 1) | 1;
}

static int
open_bridge(struct model *model, struct model_switch *sw)
{
	struct bridge *bridge = xcalloc(1, sizeof *bridge);
	int err = vsw_domain_new(sw->vsw, sw->name, &bridge->domain);

	if (err) {
		free(bridge);
		return err;
	}
	bridge->sw = sw;
	macs_init(&bridge->macs, &bridge_macs_ops, bridge, model->state->seed);
	sw->bridge = bridge;
	return 0;
}

static void
join_ports(struct turn *turn)
{
	struct list *ports = &turn->sw->ports;

	for (struct list *link = ports->next; link != ports;
	     link = link->next) {
		struct model_port *port =
			LIST_ENTRY(link, struct model_port, link);
		bool joins = may_join(port);

		if (port->bridged
		    && (!joins || port->bridged->vsw_port != port->port
			|| memcmp(&port->bridged->vlan, &port->vlan,
				  sizeof port->vlan)))
			bridge_leave_port(port);
		if (!joins || port->bridged)
			continue;
		port->bridged = xcalloc(1, sizeof *port->bridged);
		port->bridged->port = port;
		port->bridged->vsw_port = port->port;
		memcpy(&port->bridged->vlan, &port->vlan, sizeof port->vlan);
		mac_port_init(&port->bridged->macs);
		if (!firewall_is_reason(port->vlan_fault.reason))
			model_fault_set(&port->vlan_fault, MODEL_OK, NULL);
	}
}

static void
want_vlans(struct turn *turn)
{
	struct list *ports = &turn->sw->ports;

	for (unsigned id = 0; id < VLAN_IDS; id++)
		if (turn->bridge->vlans[id])
			turn->bridge->vlans[id]->is_wanted = false;
	/* Those first who know what kind a VLAN is. */
	for (int pass = 0; pass < 2; pass++)
		for (struct list *link = ports->next; link != ports;
		     link = link->next) {
			struct model_port *port =
				LIST_ENTRY(link, struct model_port, link);

			if (port->bridged
			    && pass == (port->vlan.mode < VLAN_ISOLATED))
				want_of_port(turn, port->bridged);
		}
}

static void
want_of_port(struct turn *turn, struct bridge_port *port)
{
	const struct port_vlan *vlan = &port->vlan;
	enum vlan_kind kind = VLAN_IS_ISOLATED;

	switch (vlan->mode) {
	case VLAN_UNTAGGED:
	case VLAN_ACCESS:
		want(turn, port, vlan->id, vlan->id, VLAN_PLAIN);
		break;
	case VLAN_TRUNK:
		want(turn, port, vlan->id, vlan->id, VLAN_PLAIN);
		/* An uplink's "all" is what others are in. */
		for (unsigned id = 1; id <= VLAN_LAST && !vlan->is_all; id++)
			if (vlan_set_has(&vlan->set, (uint16_t) id))
				want(turn, port, (uint16_t) id,
				     (uint16_t) id, VLAN_PLAIN);
		break;
	case VLAN_COMMUNITY:
		kind = VLAN_IS_COMMUNITY;
		/* fall through */
	case VLAN_ISOLATED:
		want(turn, port, vlan->id, vlan->id, VLAN_IS_PRIMARY);
		want(turn, port, vlan->secondary, vlan->id, kind);
		break;
	case VLAN_PROMISCUOUS:
		want(turn, port, vlan->id, vlan->id, VLAN_IS_PRIMARY);
		break;
	}
}

static void
want(struct turn *turn, struct bridge_port *port, uint16_t id,
     uint16_t family, enum vlan_kind kind)
{
	struct bridge *bridge = turn->bridge;
	struct bridge_vlan *vlan = bridge->vlans[id];

	/* A trunk carries it, whatever it is. */
	if (vlan && vlan->is_wanted) {
		if (kind != VLAN_PLAIN
		    && (vlan->kind != kind || vlan->family != family))
			model_fault_set(&port->port->vlan_fault,
					MODEL_CONFLICT, "another port has "
					"VLAN %u otherwise", id);
		else if (port->vlan.mode == VLAN_ACCESS
			 && vlan->kind != VLAN_PLAIN)
			model_fault_set(&port->port->vlan_fault,
					MODEL_CONFLICT,
					"VLAN %u is a private one", id);
		return;
	}
	if (vlan && (vlan->kind != kind || vlan->family != family)) {
		free_vlan(bridge, vlan);
		vlan = NULL;
	}
	if (!vlan) {
		vlan = xcalloc(1, sizeof *vlan);
		vlan->id = id;
		vlan->family = family;
		vlan->kind = kind;
		vlan->is_new = true;
		bridge->vlans[id] = vlan;
		bridge->n_vlans++;
	}
	vlan->is_wanted = true;
}

static void
make_mappings(struct turn *turn)
{
	for (unsigned id = 0; id < VLAN_IDS; id++) {
		struct bridge_vlan *vlan = turn->bridge->vlans[id];

		if (!vlan || !vlan->is_wanted)
			continue;
		if (!vlan->mapping)
			note(turn, make_mapping(turn, "VLAN", vlan->id,
						&vlan->mapping));
		if (!vlan->sources && vlan->family == vlan->id)
			note(turn, make_mapping(turn, "sources of VLAN",
						vlan->id, &vlan->sources));
	}
}

static int
make_mapping(struct turn *turn, const char *what, uint16_t id,
	     struct vsw_mapping **ret_mapping)
{
	char *name = xasprintf("%s %u of %s", what, id, turn->sw->name);
	int err = vsw_mapping_new(turn->bridge->domain, name, 0, ret_mapping);

	free(name);
	return err;
}

static void
set_floods(struct turn *turn)
{
	struct vsw_location *wanted =
		xcalloc(MAX_FLOOD, sizeof *wanted);

	for (unsigned id = 0; id < VLAN_IDS; id++) {
		struct bridge_vlan *vlan = turn->bridge->vlans[id];

		if (vlan && vlan->is_wanted && vlan->mapping)
			set_flood(turn, vlan, wanted);
	}
	free(wanted);
}

static void
set_flood(struct turn *turn, struct bridge_vlan *vlan,
	  struct vsw_location *wanted)
{
	struct list *ports = &turn->sw->ports;
	size_t n = 0;
	int err;

	for (struct list *link = ports->next; link != ports;
	     link = link->next) {
		struct bridge_port *port =
			LIST_ENTRY(link, struct model_port, link)->bridged;

		if (!port || !vlan_leaves_by(&port->vlan, vlan->id))
			continue;
		if (n == MAX_FLOOD) {
			model_fault_set(&port->port->vlan_fault, MODEL_LIMIT,
					"broadcast of VLAN %u goes to %u "
					"other ports", vlan->id, MAX_FLOOD);
			continue;
		}
		wanted[n] = (struct vsw_location) {
			.size = sizeof *wanted, .port = port->vsw_port
		};
		n++;
	}
	if (!vlan->is_new && n == vlan->n_flood
	    && (!n || !memcmp(wanted, vlan->flood, n * sizeof *wanted)))
		return;
	err = vsw_mapping_set_flood(vlan->mapping, wanted, n, true);
	note(turn, err);
	if (err)
		return;
	free(vlan->flood);
	vlan->flood = n ? xmemdup(wanted, n * sizeof *wanted) : NULL;
	vlan->n_flood = n;
}

static void
set_programs(struct turn *turn)
{
	struct list *ports = &turn->sw->ports;
	struct bridge *bridge = turn->bridge;
	bool is_new = !bridge->group;
	struct vsw_group *group;
	int err;

	for (unsigned id = 0; id < VLAN_IDS; id++)
		if (bridge->vlans[id]
		    && (!bridge->vlans[id]->is_wanted
			|| bridge->vlans[id]->is_new))
			is_new = true;
	if (turn->err)
		return;
	if (model_snoops(turn->sw) != (bridge->snoop != NULL)) {
		is_new = true;
		vsw_group_unref(bridge->snoop);
		bridge->snoop = NULL;
		if (model_snoops(turn->sw))
			note(turn, layer_snoop(turn->sw->vsw, &bridge->snoop));
	}
	if (is_new) {
		err = layer_learn(turn->sw->vsw, bridge, &group);
		note(turn, err);
		if (err)
			return;
		vsw_group_unref(bridge->group);
		bridge->group = group;
	}
	for (struct list *link = ports->next; link != ports;
	     link = link->next) {
		struct bridge_port *port =
			LIST_ENTRY(link, struct model_port, link)->bridged;

		if (port)
			set_program(turn, port, is_new);
	}
}

static void
set_program(struct turn *turn, struct bridge_port *port, bool is_new)
{
	uint64_t firewall = bridge_firewall_hash(port->port, turn->seed);
	struct vsw_program *program;
	int err;

	if (port->program && !is_new && port->firewall == firewall)
		return;
	err = build(turn, port);
	if (!err)
		err = vsw_program_new(turn->sw->vsw, &program);
	if (err) {
		note(turn, err);
		return;
	}
	vsw_layer_add_group(vsw_program_add_layer(program, "vlan"), VSW_OUT,
			    port->out);
	if (turn->bridge->snoop)
		vsw_layer_add_group(vsw_program_add_layer(program,
							  "intercept"),
				    VSW_OUT, turn->bridge->snoop);
	vsw_layer_add_group(vsw_program_add_layer(program, "switch"), VSW_OUT,
			    turn->bridge->group);
	err = bridge_firewall_add(port->port, program);
	vsw_layer_add_group(vsw_program_add_layer(program, "vlan"), VSW_IN,
			    port->in);
	if (!err)
		err = vsw_program_seal(program, NULL, 0);
	if (!err)
		err = vsw_port_set_program(port->vsw_port, program);
	note(turn, err);
	if (err) {
		vsw_program_unref(program);
		return;
	}
	vsw_program_unref(port->program);
	port->program = program;
	port->firewall = firewall;
}

static int
build(struct turn *turn, struct bridge_port *port)
{
	int err = 0;

	if (!port->out)
		err = layer_vlan(turn->sw->vsw, &port->vlan, VSW_OUT,
				 &port->out);
	if (!port->in && !err)
		err = layer_vlan(turn->sw->vsw, &port->vlan, VSW_IN,
				 &port->in);
	return err;
}

static void
drop_vlans(struct turn *turn)
{
	for (unsigned id = 0; id < VLAN_IDS; id++) {
		struct bridge_vlan *vlan = turn->bridge->vlans[id];

		if (!vlan)
			continue;
		if (!turn->err)
			vlan->is_new = false;
		if (!vlan->is_wanted && !turn->err)
			free_vlan(turn->bridge, vlan);
	}
}

static void
free_vlan(struct bridge *bridge, struct bridge_vlan *vlan)
{
	bridge_forget_vlan(bridge, vlan);
	vsw_mapping_unref(vlan->mapping);
	vsw_mapping_unref(vlan->sources);
	free(vlan->flood);
	bridge->vlans[vlan->id] = NULL;
	bridge->n_vlans--;
	free(vlan);
}

static void
note(struct turn *turn, int err)
{
	if (err && !turn->err)
		turn->err = err;
}
