/* SPDX-License-Identifier: Apache-2.0 */

/* Station 3 of the packet's way, first half: see worker.c. */

#include "libvswitch/datapath/decide.h"

#include <string.h>

#include "libvswitch/base/memory.h"
#include "libvswitch/base/probe.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/compose.h"
#include "libvswitch/datapath/flow.h"
#include "libvswitch/datapath/foresee.h"
#include "libvswitch/datapath/narrate.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/port.h"
#include "libvswitch/policy/program.h"

enum {
	ESTABLISHED_PACKETS = 2,	/* Scans send one. */
	WALKS_MAX = 8
};

static struct flow *decide_flow(struct vsw_worker *, struct batch *,
				unsigned i, enum vsw_drop *ret_why);
static struct flow *find_again(struct vsw_worker *, struct batch *,
			       unsigned i);
static bool may_decide(struct vsw_worker *, struct batch *,
		       const struct flow *);
static uint32_t spread_hash(const struct vsw *, const struct flow_key *,
			    uint32_t hash);
static void walk(struct composition *);
static void walk_out(struct composition *);
static void walk_in(struct composition *, struct vsw_port *);
static void start_following(struct composition *, enum vsw_direction);
static void walk_copies(struct composition *);
static const struct vsw_program *program_of(struct composition *,
					    struct vsw_port *);
static void ask(struct composition *, const struct vsw_program *,
		size_t layer_i, enum vsw_direction);
static void count_passing(struct composition *, const struct layer_groups *);
static void note_log(struct composition *, const struct rule *,
		     enum vsw_direction);
static void note_counter(struct composition *, const struct rule *);
static const struct rule *find_in_order(struct composition *,
					const struct vsw_layer *,
					const struct layer_groups *);

void
batch_classify(struct vsw_worker *worker, struct batch *batch)
{
	batch->has_decided = batch->is_spent = false;
	if (batch->missed)
		foresee(worker, batch);
	for (uint32_t left = batch->missed; left; left &= left - 1) {
		unsigned i = (unsigned) __builtin_ctz(left);
		enum vsw_drop why = VSW_DROP_NO_MEMORY;

		batch->flows[i] = decide_flow(worker, batch, i, &why);
		if (batch->flows[i])
			batch->decided[i] = flow_decided(worker->flows,
							 batch->flows[i]);
		else
			batch_drop(batch, i, why);
	}
}

bool
decide(struct vsw *vsw, struct vsw_port *in_port,
       const struct headers *headers, const uint8_t *frame, uint32_t hash,
       uint64_t now, const struct narrator *narrator,
       struct decision *decision)
{
	uint32_t spread = spread_hash(vsw, &headers->key, hash);
	struct composition c;
	enum vsw_drop drop;

	if (!decision->size)
		decision->rewrites = &decision->one;
	/* Policy may change while it is walked: once more, then. */
	for (unsigned i = 0; i < WALKS_MAX; i++) {
		c = (struct composition) {
			.vsw = vsw, .in_port = in_port, .headers = headers,
			.frame = frame, .narrator = narrator,
			.foreseen = decision->foreseen,
			.decision = decision, .now = now,
			.is_trial = narrator != NULL, .hash = spread,
			.key = headers->key, .rewrite = { .drop = VSW_N_DROPS }
		};
		walk(&c);
		if (dependencies_stand(&decision->deps, &vsw->generations))
			break;
	}
	decision->followed = (struct followed) { .flags = 0 };
	if (c.asks_first) {
		/* All of it waits, whichever copy it was that asked. */
		decision->n = 1;
		decision->n_counters = decision->n_addresses = 0;
		decision->rewrites[0] = (struct rewrite) {
			.drop = VSW_DROP_FRAGMENT_LOST
		};
		return true;
	}
	drop = c.has_failed ? VSW_DROP_NO_MEMORY
			    : follow_end(&c, &decision->followed);
	if (drop == VSW_N_DROPS)
		return true;
	decision->n = 1;
	decision->n_addresses = 0;
	decision->rewrites[0] = (struct rewrite) { .drop = (uint8_t) drop };
	return false;
}

void
decision_done(struct vsw *vsw, struct decision *decision)
{
	if (decision->size)
		memory_free(&vsw->allocator, decision->rewrites,
			    decision->size * sizeof *decision->rewrites);
	memory_free(&vsw->allocator, decision->addresses,
		    decision->size_addresses * sizeof *decision->addresses);
	*decision = (struct decision) { .n = 0 };
}

void
decide_walk(struct composition *c, const struct vsw_program *program,
	    enum vsw_direction direction)
{
	size_t n = program->n_layers;

	for (size_t i = 0; i < n && !c->is_over; i++)
		ask(c, program, direction == VSW_OUT ? i : n - 1 - i,
		    direction);
}

const struct rule *
decide_find(const struct layer_groups *groups, const struct flow_key *key)
{
	const struct rule *found = NULL;
	size_t n_asked = 0;

	for (size_t i = 0; i < groups->n; i++) {
		const struct rule *rule;

		if (!groups->groups[i]->has_terminating)
			continue;
		rule = group_find(groups->groups[i], key);
		if (rule && rule->is_terminating)
			return rule;
		if (rule) {
			found = rule;
			n_asked = i + 1;
		}
	}
	/* The last one counts: none before the one that was found, nor any
	 * that was asked already and had nothing. */
	for (size_t i = groups->n; i-- > n_asked;) {
		const struct rule *rule;

		if (groups->groups[i]->has_terminating)
			continue;
		rule = group_find(groups->groups[i], key);
		if (rule)
			return rule;
	}
	return found;
}

static struct flow *
decide_flow(struct vsw_worker *worker, struct batch *batch, unsigned i,
	    enum vsw_drop *ret_why)
{
	struct vsw *vsw = worker->vsw;
	const struct headers *headers = &batch->headers[i];
	uint32_t hash = batch->hashes[i];
	struct flow *flow = find_again(worker, batch, i);
	bool is_good;

	if (flow && dependencies_hold(&flow_decided(worker->flows, flow)->deps,
				      &vsw->generations)) {
		enum follow_verdict verdict = flow_look(worker, batch, i,
							flow);

		if (verdict == FOLLOW_HOLDS) {
			flow_touch(worker->flows, flow, batch->now);
			return flow;
		}
		*ret_why = VSW_DROP_CONNECTION_STATE;
		if (verdict == FOLLOW_INVALID)
			return NULL;
	}
	if (!may_decide(worker, batch, flow)) {
		*ret_why = VSW_DROP_FLOW_LIMIT;
		return NULL;
	}
	batch->has_decided = true;
	worker->decision.foreseen = &worker->foreseen[i];
	is_good = decide(vsw, batch->port, headers, batch->packets[i]->data,
			 hash, batch->now, NULL, &worker->decision);
	if (worker->decision.notes.n
	    && !event_tell(worker, &worker->decision.notes, headers, !flow,
			   batch->now))
		worker->decision.followed.flags |= FOLLOW_ALWAYS
						   | FOLLOW_NOTHING;
	if (!is_good) {
		*ret_why = worker->decision.rewrites[0].drop;
		return NULL;
	}
	*ret_why = VSW_DROP_NO_MEMORY;
	return flow_put(worker->flows, &headers->key, hash, &worker->decision,
			batch->now);
}

/* Several packets of a flow that is new may be in one batch: the first one
 * makes the flow that the others find.  What lookup has found holds until
 * then. */
static struct flow *
find_again(struct vsw_worker *worker, struct batch *batch, unsigned i)
{
	if (!batch->has_decided)
		return batch->flows[i];
	return flow_find(worker->flows, &batch->headers[i].key,
			 batch->hashes[i]);
}

/* What deciding costs is the port's own, within limits; so is the room that
 * its flows take.  Who has used up his budget pays for a look-up, and no more
 * than that: he may be somebody who scans. */
static bool
may_decide(struct vsw_worker *worker, struct batch *batch,
	   const struct flow *flow)
{
	struct vsw_port *port = batch->port;
	uint32_t max_flows = atomic_load_explicit(&port->limits.max_flows,
						  memory_order_relaxed);

	if (!flow && batch->is_spent)
		return false;
	if (!port_may_decide(port, worker->index,
			     flow && flow_n_packets(flow)
				     >= ESTABLISHED_PACKETS,
			     batch->now)) {
		batch->is_spent = true;
		return false;
	}
	if (!flow && max_flows
	    && flow_count_port(worker->flows, port->number) >= max_flows)
		flow_give_way(worker->flows, port->number);
	return true;
}

/* All packets of a flow are to go one way, in pieces or not, and whether the
 * host has seen them or not. */
static uint32_t
spread_hash(const struct vsw *vsw, const struct flow_key *key, uint32_t hash)
{
	struct flow_key whole;

	if (key->fragment == VSW_FRAGMENT_NONE && !(key->has & FLOW_RESUMED))
		return hash;
	whole = *key;
	whole.fragment = VSW_FRAGMENT_NONE;
	whole.has &= (uint8_t) ~FLOW_RESUMED;
	return flow_hash(&whole, vsw->seed);
}

static void
walk(struct composition *c)
{
	struct decision *decision = c->decision;

	event_forget(&decision->notes);
	decision->n = decision->n_counters = decision->n_addresses = 0;
	dependencies_start(&decision->deps, &c->vsw->generations);
	walk_out(c);
	if (c->is_over)
		compose_end(c);
	else
		walk_copies(c);
	if (!decision->n && !c->has_failed) {
		/* Nobody there but who sent it. */
		compose_drop(c, VSW_DROP_NO_FLOOD, NULL);
		compose_end(c);
	}
}

static void
walk_out(struct composition *c)
{
	const struct vsw_program *program = program_of(c, c->in_port);

	narrate_port(c->narrator, c->in_port, VSW_OUT, program);
	if (!program) {
		compose_drop(c, VSW_DROP_NO_PROGRAM, NULL);
		return;
	}
	start_following(c, VSW_OUT);
	follow_start(c, VSW_OUT, c->in_port, program);
	decide_walk(c, program, VSW_OUT);
}

static void
walk_copies(struct composition *c)
{
	const struct flow_key key = c->key;
	const struct rewrite rewrite = c->rewrite;
	uint32_t n = compose_n_copies(c);

	for (uint32_t i = 0; i < n && !c->has_failed; i++) {
		struct vsw_port *port;

		c->key = key;
		c->rewrite = rewrite;
		c->is_over = false;
		port = compose_aim(c, i);
		if (port)
			walk_in(c, port);
		if (port || c->is_over)
			compose_end(c);
	}
}

static void
walk_in(struct composition *c, struct vsw_port *port)
{
	const struct vsw_program *program = program_of(c, port);

	if (atomic_load_explicit(&port->is_gone, memory_order_acquire)) {
		compose_drop(c, VSW_DROP_PORT_GONE, NULL);
		return;
	}
	narrate_port(c->narrator, port, VSW_IN, program);
	if (!program) {
		compose_drop(c, VSW_DROP_NO_PROGRAM, port);
		return;
	}
	start_following(c, VSW_IN);
	/* Copies to many open no connections there. */
	if (c->target != TARGET_PLACES && program->retags)
		c->follow_later = port;
	else if (c->target != TARGET_PLACES)
		follow_start(c, VSW_IN, port, program);
	decide_walk(c, program, VSW_IN);
	/* What no layer that tracks was asked about is known all the same. */
	if (c->follow_later && !(c->key.has & FLOW_NO_FIRST))
		follow_start(c, VSW_IN, port, program);
}

/* The walk changes the key. */
static void
start_following(struct composition *c, enum vsw_direction direction)
{
	c->follow = NULL;
	c->follow_later = NULL;
	c->follows[direction].is_following = false;
	c->opener.vni = c->key.vni;
	c->opener.vlan = c->key.vlan;
	memcpy(c->opener.eth_src, c->key.eth_src, 6);
	memcpy(c->opener.eth_dst, c->key.eth_dst, 6);
}

static const struct vsw_program *
program_of(struct composition *c, struct vsw_port *port)
{
	/* First what it may change to, then what it is. */
	dependencies_add(&c->decision->deps, &c->vsw->generations,
			 port->generation);
	return atomic_load_explicit(&port->program, memory_order_acquire);
}

static void
ask(struct composition *c, const struct vsw_program *program, size_t layer_i,
    enum vsw_direction direction)
{
	const struct vsw_layer *layer = program_get_layer(program, layer_i);
	const struct layer_groups *groups = &layer->groups[direction];
	const struct rule *found;

	if (c->follow_later && layer_i < 32
	    && program->tracked >> layer_i & 1) {
		follow_start(c, direction, c->follow_later, program);
		c->follow_later = NULL;
		if (c->is_over)
			return;
	}
	if (c->follow && follow_passes(c->follow, layer_i)) {
		narrate_layer(c->narrator, layer, NULL,
			      "passes, as its connection does");
		count_passing(c, groups);
		return;
	}
	found = c->narrator || c->key.has & FLOW_NO_FIRST
		? find_in_order(c, layer, groups)
		: foresee_find(c->foreseen, groups, &c->key);
	if (c->is_over)
		return;
	if (!found) {
		if (c->narrator)
			narrate_layer(c->narrator, layer, NULL, "no rule");
		return;
	}
	PROBE2(rule, found->group->name, found->number);
	if (c->narrator)
		narrate_layer(c->narrator, layer, found,
			      !(found->actions & ~ACTION_LOG) ? ": passes"
			      : found->actions & ACTION_TRACK
				? ": passes, and tracks" : "");
	if (c->follow)
		follow_rule(c->follow, layer_i, found);
	note_counter(c, found);
	if (found->actions & ACTION_LOG && !c->is_trial)
		note_log(c, found, direction);
	compose_rule(c, found);
}

static void
note_log(struct composition *c, const struct rule *rule,
	 enum vsw_direction direction)
{
	event_note(&c->decision->notes, &(struct event_note) {
		.kind = VSW_EVENT_LOGGED, .direction = (uint8_t) direction,
		.port = direction == VSW_OUT ? c->in_port : c->rewrite.port,
		.tag = rule_log_tag(rule)
	});
}

/* Whoever sends as the opener does is asked about only to be counted. */
static void
count_passing(struct composition *c, const struct layer_groups *groups)
{
	const struct rule *rule;
	bool counts = false;

	if (c->is_trial || c->follow->packet.is_related
	    || c->follow->packet.direction != c->follow->view.direction)
		return;
	for (size_t i = 0; i < groups->n; i++)
		counts |= groups->groups[i]->has_counters;
	rule = counts ? decide_find(groups, &c->key) : NULL;
	if (rule)
		note_counter(c, rule);
}

static void
note_counter(struct composition *c, const struct rule *rule)
{
	struct decision *decision = c->decision;
	struct vsw_counter *counter = rule_counter(rule);

	if (!counter || c->is_trial
	    || decision->n_counters == DECISION_COUNTERS)
		return;
	for (uint32_t i = 0; i < decision->n_counters; i++)
		if (decision->counters[i] == counter)
			return;
	decision->counters[decision->n_counters++] = counter;
}

/* Tells of each group that is asked, and each may have the packet wait for the
 * first fragment. */
static const struct rule *
find_in_order(struct composition *c, const struct vsw_layer *layer,
	      const struct layer_groups *groups)
{
	const struct rule *found = NULL;

	for (size_t i = 0; i < groups->n; i++) {
		const struct rule *rule = group_find(groups->groups[i],
						     &c->key);

		if (c->narrator)
			narrate_group(c->narrator, groups->groups[i],
				      &c->key);
		if (rule)
			found = rule;
		if (rule && rule_asks_unknown(rule, &c->key)) {
			narrate_layer(c->narrator, layer, rule,
				      ": may match");
			compose_wait(c);
			return NULL;
		}
		if (rule && rule->is_terminating)
			break;
	}
	return found;
}
