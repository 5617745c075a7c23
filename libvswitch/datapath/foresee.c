/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/foresee.h"

#include <stddef.h>
#include <string.h>
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/decide.h"
#include "libvswitch/datapath/follow.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/mapping.h"
#include "libvswitch/policy/port.h"
#include "libvswitch/policy/program.h"
#include "libvswitch/policy/rules.h"

/* One packet's next look-up. */
struct sight {
	struct mapping_fetch fetch;
	const struct flow_key *key;
	const struct rule_route *route;	/* Whose next hop is looked for;
					 * NULL: none. */
	struct foreseen *foreseen;
	uint32_t connection;		/* Hash, or 0. */
};

static bool begin(const struct vsw_program *, const struct batch *,
		  unsigned i, struct sight *);
static bool seek_hop(struct sight *, const struct rule_route *);
static bool seek_mac(const struct vsw_program *, struct sight *,
		     const struct flow_key *);
static bool go_on(const struct vsw_program *, struct sight *);
static const struct rule *ask(const struct vsw_program *, struct foreseen *,
			      uint32_t layers, const struct flow_key *,
			      unsigned actions);
static void note(struct foreseen *, const struct layer_groups *,
		 const struct flow_key *, const struct rule *);

_Static_assert(offsetof(struct flow_key, vlan) + sizeof(uint16_t)
	       == FORESEEN_HEAD, "MACs and tag are the head of a key");

void
foresee(struct vsw_worker *worker, struct batch *batch)
{
	const struct vsw_program *program = atomic_load_explicit(
		&batch->port->program, memory_order_acquire);
	uint32_t n_new = port_decisions_left(batch->port, worker->index,
					     batch->now);
	struct sight sights[BATCH_MAX];
	unsigned n = 0;

	for (uint32_t left = batch->missed; left; left &= left - 1)
		worker->foreseen[__builtin_ctz(left)].n = 0;
	/* One alone has nobody to wait for. */
	if (!program || !(batch->missed & (batch->missed - 1)))
		return;
	for (uint32_t left = batch->missed; left; left &= left - 1) {
		unsigned i = (unsigned) __builtin_ctz(left);

		sights[n].foreseen = &worker->foreseen[i];
		/* Who may start no more flows is not worth it. */
		if (!batch->flows[i] && !n_new)
			continue;
		if (!batch->flows[i])
			n_new--;
		n += begin(program, batch, i, &sights[n]);
	}
	for (unsigned i = 0; i < n; i++)
		follow_foresee_more(program, sights[i].connection);
	while (n) {
		unsigned n_left = 0;

		for (unsigned i = 0; i < n; i++)
			if (go_on(program, &sights[i]))
				sights[n_left++] = sights[i];
		n = n_left;
	}
}

const struct rule *
foresee_find(const struct foreseen *foreseen,
	     const struct layer_groups *groups, const struct flow_key *key)
{
	uint32_t n = foreseen ? foreseen->n : 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct foreseen_answer *a = &foreseen->answers[i];

		if (a->groups == groups && a->vni == key->vni
		    && !memcmp(a->head, key, sizeof a->head))
			return a->rule;
	}
	return decide_find(groups, key);
}

/* Of what waits for a first fragment nobody can say where it goes. */
static bool
begin(const struct vsw_program *program, const struct batch *batch,
      unsigned i, struct sight *s)
{
	const struct headers *headers = &batch->headers[i];
	const struct rule *rule;

	if (headers->key.has & FLOW_NO_FIRST)
		return false;
	s->key = &headers->key;
	s->connection = follow_foresee(program, batch->port, headers,
				       batch->packets[i]->data);
	rule = ask(program, s->foreseen, program->routed, s->key,
		   ACTION_ROUTE);
	return rule ? seek_hop(s, rule_route(rule))
		    : seek_mac(program, s, s->key);
}

/* Where there are several, they are few for many flows, and near. */
static bool
seek_hop(struct sight *s, const struct rule_route *route)
{
	const struct next_hop *hop = &route->hops[0];

	s->route = route;
	if (route->n_hops > 1
	    || !(s->key->has & (FLOW_HAS_IPV4 | FLOW_HAS_IPV6)))
		return false;
	if (hop->addr.n)
		mapping_fetch_addr(hop->mapping, hop->addr.bytes, hop->addr.n,
				   &s->fetch);
	else
		mapping_fetch_addr(hop->mapping, flow_key_ip_dst(s->key),
				   s->key->has & FLOW_HAS_IPV6 ? 16 : 4,
				   &s->fetch);
	return true;
}

static bool
seek_mac(const struct vsw_program *program, struct sight *s,
	 const struct flow_key *key)
{
	const struct rule *rule = ask(program, s->foreseen, program->mapped,
				      key, ACTION_ENCAP | ACTION_DECAP);

	s->route = NULL;
	if (rule)
		mapping_fetch_mac(rule_mapping(rule), key->eth_dst,
				  &s->fetch);
	return rule;
}

/* When the next hop's entry has come, it says which MAC is to be looked for. */
static bool
go_on(const struct vsw_program *program, struct sight *s)
{
	struct flow_key key;

	if (!s->route || !s->fetch.entry)
		return mapping_fetch_more(&s->fetch);
	if (s->fetch.entry->place.kind == PLACE_MANY)
		return false;
	key = *s->key;
	key.vni = s->route->hops[0].mapping->vni & 0xffffff;
	memcpy(key.eth_src, s->route->router_mac, sizeof key.eth_src);
	memcpy(key.eth_dst, s->fetch.entry->place.mac, sizeof key.eth_dst);
	return seek_mac(program, s, &key);
}

static const struct rule *
ask(const struct vsw_program *program, struct foreseen *foreseen,
    uint32_t layers, const struct flow_key *key, unsigned actions)
{
	for (; layers; layers &= layers - 1) {
		const struct vsw_layer *layer = program_get_layer(
			program, (size_t) __builtin_ctz(layers));
		const struct layer_groups *groups = &layer->groups[VSW_OUT];
		const struct rule *rule = decide_find(groups, key);

		note(foreseen, groups, key, rule);
		if (rule && rule->actions & actions)
			return rule;
	}
	return NULL;
}

static void
note(struct foreseen *foreseen, const struct layer_groups *groups,
     const struct flow_key *key, const struct rule *rule)
{
	struct foreseen_answer *a = &foreseen->answers[foreseen->n];

	if (foreseen->n == FORESEEN_MAX)
		return;
	foreseen->n++;
	a->groups = groups;
	a->rule = rule;
	a->vni = key->vni;
	memcpy(a->head, key, sizeof a->head);
}
