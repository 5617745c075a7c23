/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/learn.h"

#include <errno.h>
#include <stdlib.h>
#include "agent/base/memory.h"
#include "agent/model/state.h"

static int place(void *model_, const struct mac *);
static void ask(void *model_, const struct mac *);
static void forget(void *model_, const struct mac *);
static void tell(struct model *, const struct mac *);
static struct placement *find_placement(const struct model *,
					const struct mac *);
static struct model_port *port_of(const struct mac *);
static bool is_of(void *vni_, const struct mac *);
static bool is_lost(void *ctx, const struct mac *);
static void age_old(struct model *, uint64_t ageing_ns, uint64_t now);

static const struct macs_ops ops = {
	.place = place, .ask = ask, .forget = forget
};

void
learn_open(struct model *model, struct model_switch *sw)
{
	sw->learned.ops = &ops;
	sw->learned.ctx = model;
}

int
learn_begin(struct instance *instance, const struct model_subnet *subnet,
	    struct vsw_mapping **ret_sources)
{
	char *name = xasprintf("sources in %s", subnet->name);
	int err = vsw_mapping_new(instance->vsw_domain, name, 0, ret_sources);

	free(name);
	return err;
}

void
learn_heard(struct model *model, struct model_port *port, uint32_t vni,
	    const uint8_t mac[6], uint64_t now)
{
	/* Told before it was bound, or unbound. */
	if (!port->subnet || port->subnet->vni != vni
	    || !model_learns(port->subnet))
		return;
	if (model_may_learn(model, port, mac))
		macs_heard(&port->sw->learned, &port->learned, vni, 0, mac,
			   now);
	else
		port->learned.n_refused++;
}

bool
learn_age(struct model *model, uint64_t now)
{
	bool has_lost = model->state->has_lost_macs;
	uint64_t longest_ns = 0;
	size_t n = 0;

	model->state->has_lost_macs = false;
	for (struct list *link = model->switches.next;
	     link != &model->switches; link = link->next) {
		struct model_switch *sw =
			LIST_ENTRY(link, struct model_switch, link);

		sw->learned.ageing_ns = sw->settings.ageing_s
					* UINT64_C(1000000000);
		if (sw->learned.ageing_ns > longest_ns)
			longest_ns = sw->learned.ageing_ns;
		if (has_lost)
			macs_forget_if(&sw->learned, is_lost, NULL);
		macs_age(&sw->learned, now);
		n += sw->learned.map.n;
	}
	if (model_has_old_macs(model))
		age_old(model, longest_ns, now);
	return n || model_has_old_macs(model);
}

void
learn_leave(struct placement *placement)
{
	macs_forget_if(&placement->instance->sw->learned, is_of,
		       &placement->vni);
}

static int
place(void *model_, const struct mac *mac)
{
	struct model *model = model_;
	const struct model_port *port = port_of(mac);
	const struct placement *placement = find_placement(model, mac);
	struct vsw_location location = {
		.size = sizeof location, .port = port->applied
	};
	int err;

	if (!placement || !placement->sources || !port->applied)
		return -ENOENT;
	err = vsw_mapping_set_mac(placement->sources, mac->mac, &location, 1);
	if (!err)
		tell(model, mac);
	return err;
}

static void
ask(void *model_, const struct mac *mac)
{
	const struct placement *placement = find_placement(model_, mac);

	if (placement && placement->sources)
		vsw_mapping_remove_mac(placement->sources, mac->mac);
}

static void
forget(void *model_, const struct mac *mac)
{
	ask(model_, mac);
	tell(model_, mac);
}

static void
tell(struct model *model, const struct mac *mac)
{
	struct model_subnet *subnet = model_find_subnet(model, mac->family,
							NULL);

	if (subnet)
		model_learned(model, subnet, mac->mac);
}

/* NULL: nothing of the subnet is in force in the switch, not any more. */
static struct placement *
find_placement(const struct model *model, const struct mac *mac)
{
	const struct model_subnet *subnet =
		model_find_subnet(model, mac->family, NULL);

	return subnet ? applied_find(subnet, port_of(mac)->sw) : NULL;
}

static struct model_port *
port_of(const struct mac *mac)
{
	return LIST_ENTRY(mac->port, struct model_port, learned);
}

static bool
is_of(void *vni_, const struct mac *mac)
{
	return mac->family == *(const uint32_t *) vni_;
}

static bool
is_lost(void *ctx, const struct mac *mac)
{
	(void) ctx;
	return mac->is_lost;
}

static void
age_old(struct model *model, uint64_t ageing_ns, uint64_t now)
{
	uint64_t *since = &model->state->old_macs_since_ns;

	if (!*since)
		*since = now;
	else if (now - *since >= ageing_ns)
		model_forget_old_macs(model);
}
