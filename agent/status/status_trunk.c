/* SPDX-License-Identifier: Apache-2.0 */

/* A port that has VLANs is one row, which tells of all of them. */

#include "agent/status/status.h"

#include <stdio.h>
#include <stdlib.h>
#include "agent/base/memory.h"
#include "agent/model/map.h"

/* Keys and values of a map that is being made. */
struct pairs {
	union atom *keys, *values;
	uint32_t n, max;
};

static const struct column_type strings = {
	.key.type = ATOM_STRING, .value.type = ATOM_STRING,
	.n_max = UINT32_MAX
};

static void add_vlans(struct datum *, const struct model_port *trunk);
static const struct model_port *next_vlan(const struct model_port *trunk,
					  const struct model_port *after);
static void add_first_fault(struct datum *, const struct model_port *trunk);
static void add_vlan(struct pairs *, const struct model_port *);
static void add(struct pairs *, const struct model_port *, const char *key,
		const char *value);

void
status_add_port(struct datum *status, const struct model_port *port)
{
	const struct model_fault *fault;

	datum_add_string(status, "state", status_of_port(port, &fault));
	if (fault->reason)
		status_add_fault(status, fault);
	else
		add_first_fault(status, port);
	add_vlans(status, port);
}

uint64_t
status_hash_port(const struct model_port *port, uint64_t hash)
{
	const struct model_port *vlan = NULL;
	const struct model_fault *fault;
	const char *text = status_of_port(port, &fault);
	uint32_t numbers[3] = {
		fault->reason, port->subnet ? port->subnet->vni : 0, port->vid
	};

	hash = map_hash(text, strlen(text), hash);
	hash = map_hash(numbers, sizeof numbers, hash);
	if (fault->detail)
		hash = map_hash(fault->detail, strlen(fault->detail), hash);
	while ((vlan = next_vlan(port, vlan)))
		hash = status_hash_port(vlan, hash);
	return hash ? hash : 1;
}

const struct model_port *
status_vlan_port(const struct model_port *trunk, int64_t vid,
		 const struct model_port *after)
{
	const struct model_port *vlan = after == trunk ? NULL : after;

	if (!vid)
		return trunk;
	while ((vlan = next_vlan(trunk, vlan)))
		if (vlan->vid == vid)
			return vlan;
	return after && after != trunk ? status_vlan_port(trunk, vid, NULL)
				       : NULL;
}

/* There may be thousands, and a key that is added to a map costs as much as
 * there are. */
static void
add_vlans(struct datum *status, const struct model_port *trunk)
{
	const struct model_port *vlan = NULL;
	struct pairs pairs = { .n = 0 };
	struct datum all;

	while ((vlan = next_vlan(trunk, vlan)))
		add_vlan(&pairs, vlan);
	if (!pairs.n)
		return;
	datum_take_unsorted(&all, &strings, pairs.keys, pairs.values,
			    pairs.n);
	datum_union(status, &all, &strings, true);
	datum_done(&all, &strings);
}

/* NULL: the first; NULL: no more. */
static const struct model_port *
next_vlan(const struct model_port *trunk, const struct model_port *after)
{
	const struct list *link = after ? &after->link : &trunk->link;

	while ((link = link->next) != &trunk->sw->ports) {
		const struct model_port *port =
			LIST_ENTRY(link, const struct model_port, link);

		if (port->trunk != trunk)
			break;
		if (!port->is_removed)
			return port;
	}
	return NULL;
}

static void
add_first_fault(struct datum *status, const struct model_port *trunk)
{
	const struct model_port *vlan = NULL;
	const struct model_fault *fault;
	char *detail;

	while ((vlan = next_vlan(trunk, vlan))) {
		status_of_port(vlan, &fault);
		if (!fault->reason)
			continue;
		detail = xasprintf("VLAN %u: %s", vlan->vid,
				   fault->detail ? fault->detail
				   : model_reason_text(fault->reason));
		datum_add_string(status, "reason",
				 model_reason_name(fault->reason));
		datum_add_string(status, "detail", detail);
		free(detail);
		return;
	}
}

static void
add_vlan(struct pairs *pairs, const struct model_port *vlan)
{
	const struct model_fault *fault;

	add(pairs, vlan, "state", status_of_port(vlan, &fault));
	if (fault->reason) {
		add(pairs, vlan, "reason", model_reason_name(fault->reason));
		add(pairs, vlan, "detail",
		    fault->detail ? fault->detail
				  : model_reason_text(fault->reason));
	}
	if (vlan->subnet) {
		char *vni = xasprintf("%u", vlan->subnet->vni);

		add(pairs, vlan, "vsid", vni);
		free(vni);
	}
}

/* "vlan_10_state". */
static void
add(struct pairs *pairs, const struct model_port *vlan, const char *key,
    const char *value)
{
	char whole[32];
	size_t size = (size_t) snprintf(whole, sizeof whole, "vlan_%u_%s",
					vlan->vid, key);
	uint32_t n = pairs->n++;

	if (n == pairs->max) {
		pairs->max = 2 * n + 64;
		pairs->keys = xrealloc(pairs->keys, pairs->max
				       * sizeof *pairs->keys);
		pairs->values = xrealloc(pairs->values, pairs->max
					 * sizeof *pairs->values);
	}
	memset(&pairs->keys[n], 0, sizeof pairs->keys[n]);
	memset(&pairs->values[n], 0, sizeof pairs->values[n]);
	pairs->keys[n].string = string_intern(whole, size);
	pairs->values[n].string = string_intern(value, strlen(value));
}
