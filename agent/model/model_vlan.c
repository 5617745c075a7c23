/* SPDX-License-Identifier: Apache-2.0 */

/* What rows of hnv say of a port's place in a switch: its role, its VLANs, and
 * whether a switch of this type may have it. */

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/model/state.h"

static void read_limits(struct model_port *, const struct row *);
static void read_vlan(struct model_port *, const struct datum *);
static enum vlan_mode mode_of(const char *text, bool *ret_is_known);
static bool read_id(struct model_port *, const struct datum *,
		    const char *key, bool is_needed, uint16_t *ret_id);
static bool read_set(struct model_port *, const struct datum *,
		     const char *key, struct vlan_set *);
static bool read_number(const char **text, uint16_t *ret_id);
static void set_range(struct vlan_set *, unsigned first, unsigned last);
static void complain(struct model_port *, const char *key,
		     const char *value);

void
vlan_read(struct model_port *port, const struct row *row)
{
	const char *role = row_string(row, "role", "");
	struct datum room;

	port->role = !strcmp(role, "uplink") ? ROLE_UPLINK
		     : !strcmp(role, "host") ? ROLE_HOST : ROLE_VM;
	read_vlan(port, row_get(row, "vlan", &room));
	if (port->vlan_problem)
		model_fault_set(&port->vlan_fault, MODEL_BAD_OPTION, "%s",
				port->vlan_problem);
	else if (port->vlan_fault.reason == MODEL_BAD_OPTION)
		model_fault_set(&port->vlan_fault, MODEL_OK, NULL);
	read_limits(port, row);
}

bool
vlan_set_has(const struct vlan_set *set, uint16_t id)
{
	return set->bits[id / 64] >> id % 64 & 1;
}

const char *
model_forbids_port(const struct model_port *port)
{
	const char *type = port->sw->type;

	if (port->role == ROLE_UPLINK && strcmp(type, "external"))
		return "a switch that is not external has no uplink";
	if (port->role == ROLE_HOST && !strcmp(type, "private"))
		return "a private switch is for VMs alone";
	if (port->role == ROLE_UPLINK && strcmp(port->type, "packet"))
		return "an uplink is a port of type packet";
	if (port->role == ROLE_HOST && strcmp(port->type, "tap"))
		return "a host port is of type tap";
	return NULL;
}

const char *
model_forbids_addresses(const struct model_switch *sw)
{
	return strcmp(sw->type, "external")
	       ? "a switch that is not external has no provider address"
	       : NULL;
}

bool
model_snoops(const struct model_switch *sw)
{
	return sw->settings.snoops;
}

/* The schema says which keys there are, and how large values may be. */
static void
read_limits(struct model_port *port, const struct row *row)
{
	const struct { const char *key; uint32_t *limit; } keys[] = {
		{ "flows", &port->limits.flows },
		{ "new_flows_per_s", &port->limits.new_flows_per_s },
		{ "connections", &port->limits.connections },
		{ "half_open", &port->limits.half_open },
		{ "connections_per_s", &port->limits.connections_per_s }
	};
	struct datum room;
	const struct datum *limits = row_get(row, "storm_limit", &room);

	memset(&port->limits, 0, sizeof port->limits);
	if (limits->n)
		port->limits.storm =
			(uint32_t) datum_key(limits, 0)->integer;
	limits = row_get(row, "limits", &room);
	for (uint32_t i = 0; i < limits->n; i++)
		for (size_t j = 0; j < sizeof keys / sizeof *keys; j++)
			if (!strcmp(datum_key(limits, i)->string->text,
				    keys[j].key))
				*keys[j].limit = (uint32_t)
					datum_value(limits, i)->integer;
}

static void
read_vlan(struct model_port *port, const struct datum *vlan)
{
	struct port_vlan *to = &port->vlan;
	const char *mode = datum_map_string(vlan, "mode", "");
	bool is_known;

	memset(to, 0, sizeof *to);
	free(port->vlan_problem);
	port->vlan_problem = NULL;
	if (!vlan->n && port->role == ROLE_UPLINK) {
		to->mode = VLAN_TRUNK;
		to->is_all = true;
		set_range(&to->set, 1, VLAN_LAST);
		return;
	}
	to->mode = mode_of(mode, &is_known);
	if (!is_known) {
		complain(port, "mode", mode);
		return;
	}
	switch (to->mode) {
	case VLAN_UNTAGGED:
		break;
	case VLAN_ACCESS:
		read_id(port, vlan, "id", true, &to->id);
		break;
	case VLAN_TRUNK:
		read_id(port, vlan, "native", false, &to->id);
		read_set(port, vlan, "allowed", &to->set);
		break;
	case VLAN_ISOLATED:
	case VLAN_COMMUNITY:
		if (read_id(port, vlan, "primary", true, &to->id)
		    && read_id(port, vlan, "secondary", true, &to->secondary)
		    && to->id == to->secondary)
			complain(port, "secondary", "the primary");
		break;
	case VLAN_PROMISCUOUS:
		if (read_id(port, vlan, "primary", true, &to->id)
		    && read_set(port, vlan, "secondaries", &to->set)
		    && vlan_set_has(&to->set, to->id))
			complain(port, "secondaries", "the primary");
		break;
	}
}

static enum vlan_mode
mode_of(const char *text, bool *ret_is_known)
{
	static const char *const names[] = {
		[VLAN_UNTAGGED] = "untagged", [VLAN_ACCESS] = "access",
		[VLAN_TRUNK] = "trunk", [VLAN_ISOLATED] = "isolated",
		[VLAN_COMMUNITY] = "community",
		[VLAN_PROMISCUOUS] = "promiscuous"
	};

	*ret_is_known = true;
	for (int mode = VLAN_UNTAGGED; mode <= VLAN_PROMISCUOUS; mode++)
		if (!strcmp(names[mode], text))
			return (enum vlan_mode) mode;
	*ret_is_known = !*text;
	return VLAN_UNTAGGED;
}

static bool
read_id(struct model_port *port, const struct datum *vlan, const char *key,
	bool is_needed, uint16_t *ret_id)
{
	const char *text = datum_map_string(vlan, key, ""), *p = text;

	if ((!*text && !is_needed)
	    || (read_number(&p, ret_id) && !*p && *ret_id))
		return true;
	complain(port, key, text);
	return false;
}

/* "1,5-9". */
static bool
read_set(struct model_port *port, const struct datum *vlan, const char *key,
	 struct vlan_set *set)
{
	const char *text = datum_map_string(vlan, key, ""), *p = text;

	while (*p) {
		uint16_t first, last;

		while (*p == ' ' || *p == ',')
			p++;
		if (!*p)
			break;
		if (!read_number(&p, &first) || !first)
			goto bad;
		last = first;
		if (*p == '-') {
			p++;
			if (!read_number(&p, &last) || last < first)
				goto bad;
		}
		if (*p && *p != ',' && *p != ' ')
			goto bad;
		set_range(set, first, last);
	}
	return true;
bad:
	complain(port, key, text);
	return false;
}

static bool
read_number(const char **text, uint16_t *ret_id)
{
	const char *p = *text;
	unsigned n = 0;

	if (*p < '0' || *p > '9')
		return false;
	while (*p >= '0' && *p <= '9' && n <= VLAN_LAST)
		n = n * 10 + (unsigned) (*p++ - '0');
	*text = p;
	*ret_id = (uint16_t) n;
	return n <= VLAN_LAST;
}

static void
set_range(struct vlan_set *set, unsigned first, unsigned last)
{
	for (unsigned id = first; id <= last; id++)
		set->bits[id / 64] |= UINT64_C(1) << id % 64;
}

static void
complain(struct model_port *port, const char *key, const char *value)
{
	if (!port->vlan_problem)
		port->vlan_problem = xasprintf("vlan:%s \"%s\"", key, value);
}
