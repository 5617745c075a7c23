/* SPDX-License-Identifier: Apache-2.0 */

/* Who goes first: orders of age, and the ranking of ports: flow_table.h. */

#include "libvswitch/datapath/flow_table.h"

#include "libvswitch/base/switch.h"

static struct age_list *list_of_port(struct flow_table *, const struct flow *);

void
flow_ages_link(struct flow_table *t, struct flow *flow)
{
	struct age_list *of_port = list_of_port(t, flow);
	uint32_t place = flow_table_place(t, flow);

	flow->older = t->ages.newest;
	flow->newer = NO_FLOW;
	if (flow->older == NO_FLOW)
		t->ages.oldest = place;
	else
		flow_table_at(t, flow->older)->newer = place;
	t->ages.newest = place;

	flow->port_older = of_port->newest;
	flow->port_newer = NO_FLOW;
	if (flow->port_older == NO_FLOW)
		of_port->oldest = place;
	else
		flow_table_at(t, flow->port_older)->port_newer = place;
	of_port->newest = place;
}

void
flow_ages_unlink(struct flow_table *t, struct flow *flow)
{
	struct age_list *of_port = list_of_port(t, flow);

	if (flow->older == NO_FLOW)
		t->ages.oldest = flow->newer;
	else
		flow_table_at(t, flow->older)->newer = flow->newer;
	if (flow->newer == NO_FLOW)
		t->ages.newest = flow->older;
	else
		flow_table_at(t, flow->newer)->older = flow->older;

	if (flow->port_older == NO_FLOW)
		of_port->oldest = flow->port_newer;
	else
		flow_table_at(t, flow->port_older)->port_newer
			= flow->port_newer;
	if (flow->port_newer == NO_FLOW)
		of_port->newest = flow->port_older;
	else
		flow_table_at(t, flow->port_newer)->port_older
			= flow->port_older;
}

void
flow_ages_weigh(struct flow_table *t, uint32_t in_port)
{
	const struct port_flows *port = &t->ports[in_port];
	uint32_t n = ranking_of(&t->holders, in_port);

	ranking_add(&t->holders, in_port,
		    (int32_t) (flow_port_n(port) + port->n_more - n));
}

struct flow *
flow_ages_oldest_of(const struct flow_table *t, uint32_t in_port)
{
	uint32_t place = t->ports[in_port].ages.oldest;

	while (place != NO_FLOW && flow_table_at(t, place)->batch == t->batch)
		place = flow_table_at(t, place)->port_newer;
	return place == NO_FLOW ? NULL : flow_table_at(t, place);
}

/* All flows of a batch are of one port, so that few are passed over; if that
 * port has no other, the oldest of all. */
struct flow *
flow_ages_first_to_go(const struct flow_table *t)
{
	struct flow *flow = flow_ages_oldest_of(t, ranking_first(&t->holders));
	uint32_t place = t->ages.oldest;

	if (flow)
		return flow;
	while (place != NO_FLOW && flow_table_at(t, place)->batch == t->batch)
		place = flow_table_at(t, place)->newer;
	return place == NO_FLOW ? NULL : flow_table_at(t, place);
}

static struct age_list *
list_of_port(struct flow_table *t, const struct flow *flow)
{
	return &t->ports[flow_key_in_port(flow)].ages;
}
