/* SPDX-License-Identifier: Apache-2.0 */

/* MACs that ports of hardware_vtep's subnets were heard with.  The table is the
 * switch's (macs.h) and policy/learn.c fills it; what the model makes of it is
 * whose a local mapping is, and which rows of Ucast_Macs_Local there are to be
 * (status/status_macs.c). */

#include "agent/model/state.h"

#include <stdlib.h>
#include "agent/base/memory.h"

enum { NEWS_MAX = 65536 };	/* Beyond that all rows are looked at. */

bool
model_learns(const struct model_subnet *subnet)
{
	return subnet->table->db == DB_HARDWARE_VTEP;
}

bool
model_may_learn(const struct model *model, const struct model_port *port,
		const uint8_t mac[6])
{
	const struct model_port *owner;

	if (!memcmp(mac, model->router_mac, 6))
		return false;
	owner = binding_said_owner(port->subnet->table, mac);
	return !owner || owner == port;
}

void
model_learned(struct model *model, struct model_subnet *subnet,
	      const uint8_t mac[6])
{
	struct model_state *state = model->state;
	struct mapping_key key = mapping_key_mac(mac);
	struct mapping_row *row = subnet_table_find(subnet->table, &key);

	for (; row; row = subnet_table_next(row, &key)) {
		row->is_old = false;
		if (row->mapping.is_local)
			binding_assign(state, row);
	}
	learned_is_news(state, &subnet->row, mac);
	state->is_dirty = true;
}

void
model_forget_old_macs(struct model *model)
{
	struct model_state *state = model->state;

	state->has_new_macs = true;
	state->must_tell_macs = true;
	state->is_dirty = true;
}

bool
model_has_old_macs(const struct model *model)
{
	return !model->state->has_new_macs;
}

struct model_port *
learned_port(const struct model_state *state,
	     const struct model_subnet *subnet, const uint8_t mac[6])
{
	const struct list *switches = &state->model->switches;

	for (const struct list *link = switches->next; link != switches;
	     link = link->next) {
		const struct mac *known = macs_find(
			&LIST_ENTRY(link, const struct model_switch, link)
			->learned, mac, subnet->vni);
		struct model_port *port =
			known ? LIST_ENTRY(known->port, struct model_port,
					   learned) : NULL;

		if (port && port->claimed == subnet)
			return port;
	}
	return NULL;
}

struct uuid
learned_uuid(const struct uuid *subnet, const uint8_t mac[6])
{
	struct uuid uuid;

	memcpy(uuid.bytes, subnet->bytes, 16);
	for (int i = 0; i < 6; i++)
		uuid.bytes[10 + i] ^= mac[i];
	uuid.bytes[6] = (uint8_t) (0x80 | (subnet->bytes[6] & 0x0f));
	uuid.bytes[8] = (uint8_t) (0x80 | (subnet->bytes[8] & 0x3f));
	return uuid;
}

void
learned_forget_port(struct model_port *port)
{
	macs_forget_port(&port->sw->learned, &port->learned);
}

void
learned_is_said(const struct model_state *state, const struct model_port *port)
{
	const struct model_port *other =
		learned_port(state, port->claimed, port->claimed_mac);

	if (other && other != port)
		macs_forget(&other->sw->learned,
			    macs_find(&other->sw->learned, port->claimed_mac,
				      port->claimed->vni));
}

void
learned_lost(struct model_state *state, const struct mapping_row *row)
{
	const struct model_port *port =
		learned_port(state, row->subnet, row->mapping.mac);

	learned_is_news(state, &row->subnet->row, row->mapping.mac);
	if (!port)
		return;
	macs_find(&port->sw->learned, row->mapping.mac, row->subnet->vni)
		->is_lost = true;
	state->has_lost_macs = true;
}

void
learned_is_news(struct model_state *state, const struct uuid *subnet,
		const uint8_t mac[6])
{
	/* A port may be full now, or not any more. */
	state->model->must_look = true;
	if (state->n_mac_news == NEWS_MAX)
		state->must_tell_macs = true;
	if (state->must_tell_macs)
		return;
	if (!(state->n_mac_news & (state->n_mac_news + 1)))
		state->mac_news = xrealloc(state->mac_news,
					   (2 * state->n_mac_news + 1)
					   * sizeof *state->mac_news);
	state->mac_news[state->n_mac_news].subnet = *subnet;
	memcpy(state->mac_news[state->n_mac_news++].mac, mac, 6);
}
