/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/follow.h"

#include "libvswitch/base/hash.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/compose.h"
#include "libvswitch/datapath/flow.h"
#include "libvswitch/datapath/narrate.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/outer.h"
#include "libvswitch/policy/port.h"
#include "libvswitch/policy/program.h"

/* What a packet that hits is asked about one of its flow's connections. */
struct look {
	const struct vsw *vsw;
	struct connections *connections;
	const struct headers *headers;
	const uint8_t *frame;
	const struct vsw_port *port;
	uint64_t now;
	uint32_t vni;
	uint16_t vlan;
	uint32_t reference;		/* struct followed. */
	uint16_t serial;
	struct connection_listener listener;
	enum vsw_direction direction;
	bool is_absent;
};

static enum follow_verdict look_there(struct vsw_worker *, struct batch *,
				      unsigned i, const struct flow *,
				      const struct rewrite *,
				      enum vsw_direction, bool *is_watched);
static uint32_t vni_at(const struct vsw_port *, enum vsw_direction,
		       const struct flow_key *, const struct rewrite *);
static uint16_t vlan_at(enum vsw_direction, const struct flow_key *,
			const struct rewrite *);
static void approve(struct composition *, struct follow *);
static bool is_invalid_before(const struct composition *,
			      const struct follow *);
static void refuse(struct follow *);
static bool goes_somewhere(const struct decision *);
static enum vsw_drop end_one(struct composition *, enum vsw_direction,
			     bool passes, struct followed *);
static bool may_open(const struct follow *);
static void refer(const struct composition *, const struct follow *,
		  enum vsw_direction, struct followed *);
static uint32_t shape_of(const struct vsw *, const struct connection_view *);
static enum vsw_drop see(struct composition *, struct follow *,
			 enum vsw_direction, struct followed *);
static enum vsw_drop open_one(struct composition *, struct follow *,
			      enum vsw_direction, struct followed *);
static uint8_t flags_of(uint8_t proto, bool is_watched);
static bool is_icmp(const struct flow_key *);
static enum follow_verdict look_at_one(const struct look *,
				       bool *is_watched);
static enum follow_verdict look_for_absent(const struct look *, uint32_t hash,
					   bool *is_watched);
static enum follow_verdict look_by_key(const struct look *,
				       bool *is_watched);
static bool find_packet(const struct look *, struct connection_packet *);
static enum follow_verdict see_one(const struct look *,
				   const struct connection_packet *,
				   const struct connection_reference *,
				   bool *is_watched);

uint32_t
follow_foresee(const struct vsw_program *program, const struct vsw_port *port,
	       const struct headers *h, const uint8_t *frame)
{
	struct connections *connections = atomic_load_explicit(
		&program->vsw->connections, memory_order_acquire);
	struct connection_packet packet;
	uint32_t hash;

	if (!program->tracked
	    || !belong_find(h, frame, VSW_OUT, port,
			    vni_at(port, VSW_OUT, &h->key, NULL), h->key.vlan,
			    &packet))
		return 0;
	hash = connection_hash(connections, &packet.key);
	connection_fetch(connections, hash);
	return hash;
}

void
follow_foresee_more(const struct vsw_program *program, uint32_t hash)
{
	if (hash)
		connection_fetch_more(atomic_load_explicit(
			&program->vsw->connections, memory_order_acquire),
			hash);
}

void
follow_start(struct composition *c, enum vsw_direction direction,
	     struct vsw_port *port, const struct vsw_program *program)
{
	struct connections *connections = atomic_load_explicit(
		&c->vsw->connections, memory_order_acquire);
	struct follow *f = &c->follows[direction];
	uint16_t vlan = direction == VSW_OUT ? c->headers->key.vlan
					     : c->key.vlan;

	if (program->tracked && c->key.has & FLOW_NO_FIRST) {
		narrate(c->narrator, "may belong to a connection");
		compose_wait(c);
	}
	if (!program->tracked
	    || !belong_find(c->headers, c->frame, direction, port,
			    vni_at(port, direction, &c->headers->key,
				   &c->rewrite), vlan, &f->packet))
		return;
	f->is_following = true;
	f->is_refused = false;
	f->has_passed = false;
	f->wanted = 0;
	f->log_tag = 0;
	/* Before any of its layers that track is read. */
	f->serial = atomic_load_explicit(&program->serial,
					 memory_order_acquire);
	f->program = program;
	f->port = port;
	f->packet.hash = connection_hash(connections, &f->packet.key);
	f->is_found = connection_find(connections, &f->packet, c->now,
				      &f->view);
	c->follow = f;
	if (f->is_found) {
		bool is_other = track_begins_anew(f->view.state,
						  f->packet.event);

		narrate(c->narrator, "belongs to a connection: %s%s",
			track_name(f->view.state),
			f->packet.is_related ? ", about which it is" : "");
		if (f->view.program != f->serial)
			approve(c, f);
		else if (track_is_refused(f->view.state))
			refuse(f);
		/* Who opened it begins another if rules let him. */
		if (f->is_refused && !f->packet.is_related
		    && f->packet.direction == f->view.direction)
			f->is_refused = false;
		if (is_other) {
			narrate(c->narrator, "and begins another");
			f->is_found = f->is_refused = false;
		}
		if (f->is_found)
			return;
	}
	/* As its opener. */
	f->view = (struct connection_view) {
		.program = f->serial, .opener = c->opener
	};
}

bool
follow_passes(struct follow *f, size_t i)
{
	if (!f->is_found || i >= 32 || !(f->view.layers >> i & 1))
		return false;
	f->has_passed = true;
	return true;
}

void
follow_rule(struct follow *f, size_t i, const struct rule *rule)
{
	if (i >= 32 || !(f->program->tracked >> i & 1))
		return;
	if (!(rule->actions & ACTION_TRACK))
		return;
	f->wanted |= UINT32_C(1) << i;
	if (rule->actions & ACTION_LOG)
		f->log_tag = rule_log_tag(rule);
}

enum vsw_drop
follow_end(struct composition *c, struct followed *ret_followed)
{
	bool passes = goes_somewhere(c->decision);
	enum vsw_drop drop = VSW_N_DROPS;

	*ret_followed = (struct followed) { .flags = 0 };
	for (unsigned i = 0; i < 2 && drop == VSW_N_DROPS; i++)
		if (c->follows[i].is_following)
			drop = end_one(c, i, passes, ret_followed);
	return drop;
}

/* The bit that others set is cleared before the connections are looked at: what
 * they tell behind that stays. */
enum follow_verdict
follow_look(struct vsw_worker *worker, struct batch *batch, unsigned i,
	    struct flow *flow, const struct rewrite *rewrite)
{
	uint8_t flags = atomic_load_explicit(&flow->flags,
					     memory_order_relaxed);
	enum follow_verdict verdict = FOLLOW_HOLDS;
	bool is_watched = false;

	if (flags & FOLLOW_NOTHING)
		return FOLLOW_STALE;
	flags &= (uint8_t) ~FOLLOW_ALWAYS;
	atomic_store_explicit(&flow->flags, flags, memory_order_relaxed);
	for (unsigned d = 0; d < 2 && verdict == FOLLOW_HOLDS; d++)
		if (flow->connections[d])
			verdict = look_there(worker, batch, i, flow, rewrite,
					     d, &is_watched);
	if (verdict != FOLLOW_HOLDS || is_watched)
		atomic_store_explicit(&flow->flags, flags | FOLLOW_ALWAYS,
				      memory_order_relaxed);
	return verdict;
}

/* At the port that the packet comes from, or goes to. */
static enum follow_verdict
look_there(struct vsw_worker *worker, struct batch *batch, unsigned i,
	   const struct flow *flow, const struct rewrite *rewrite,
	   enum vsw_direction d, bool *is_watched)
{
	const struct headers *h = &batch->headers[i];
	struct look look = {
		.vsw = worker->vsw, .headers = h,
		.connections = atomic_load_explicit(
			&worker->vsw->connections, memory_order_acquire),
		.frame = batch->packets[i]->data, .direction = d,
		.now = batch->now,
		.port = d == VSW_OUT ? batch->port : rewrite->port,
		.vlan = vlan_at(d, &h->key, rewrite),
		.reference = flow->connections[d], .serial = flow->serials[d],
		.listener = { .worker = (uint8_t) worker->index,
			      .flow = flow_place(worker->flows, flow) },
		.is_absent = flow->flags & (d == VSW_OUT ? FOLLOW_ABSENT_OUT
							 : FOLLOW_ABSENT_IN)
	};

	/* Of a flow that is dropped on its way in it is not known any more
	 * where to. */
	if (d == VSW_IN && rewrite->drop != VSW_N_DROPS) {
		if (is_icmp(&h->key))
			return FOLLOW_STALE;
	} else {
		look.vni = vni_at(look.port, d, &h->key, rewrite);
	}
	if (is_icmp(&h->key))
		return look_by_key(&look, is_watched);
	if (look.is_absent)
		return look_for_absent(&look, look.reference, is_watched);
	return look_at_one(&look, is_watched);
}

/* On a port without tunnels there is none to be told from another. */
static uint32_t
vni_at(const struct vsw_port *port, enum vsw_direction direction,
       const struct flow_key *key, const struct rewrite *rewrite)
{
	if (!port_carries_tunnels(port))
		return 0;
	if (direction == VSW_OUT)
		return key->vni;
	return rewrite->ops & REWRITE_ENCAP ? rewrite->outer->tunnel.vni : 0;
}

/* What it has on the port's side: as it came, or as it leaves. */
static uint16_t
vlan_at(enum vsw_direction direction, const struct flow_key *key,
	const struct rewrite *rewrite)
{
	return direction == VSW_IN && rewrite->ops & REWRITE_VLAN
	       ? rewrite->vlan : key->vlan;
}

/* Another program than the one that approved: asks it about the opener, whoever
 * sends now.  What the host has seen is not asked for again. */
static void
approve(struct composition *c, struct follow *f)
{
	struct connections *connections = atomic_load_explicit(
		&c->vsw->connections, memory_order_acquire);
	struct follow trial = {
		.is_following = true, .program = f->program, .port = f->port
	};
	struct composition s = {
		.vsw = c->vsw, .in_port = c->in_port, .headers = c->headers,
		.decision = c->decision, .hash = c->hash, .key = c->key,
		.rewrite = { .drop = VSW_N_DROPS }, .follow = &trial,
		.is_trial = true, .now = c->now
	};

	if (f->packet.is_related || f->packet.direction != f->view.direction)
		belong_opener(&f->packet.key, &f->view, &s.key);
	s.key.has |= FLOW_RESUMED;
	decide_walk(&s, f->program, f->view.direction);
	f->view.layers = trial.wanted;
	if (s.is_over && s.rewrite.drop != VSW_DROP_RULE) {
		/* Not the rules' last word: they are asked again. */
		narrate(c->narrator, "which the program does not deny");
		if (track_is_refused(f->view.state))
			refuse(f);
		return;
	}
	f->is_found = !s.is_over && trial.wanted;
	narrate(c->narrator, f->is_found
		? "which the program would let begin"
		: "which the program would not let begin: it ends");
	if (s.is_over && track_refuse(f->view.state) != TRACK_NONE)
		refuse(f);
	if (c->is_trial || is_invalid_before(c, f))
		return;
	if (f->is_found)
		connection_approve(connections, &f->packet,
				   f->serial, trial.wanted,
				   trial.log_tag, c->now);
	else if (s.is_over)
		connection_refuse(connections, &f->packet,
				  f->serial, c->now);
	else
		connection_end(connections, &f->packet);
}

/* Its sender's connection does not take the packet: so it changes nothing here,
 * as if it had come by a cached flow, and had been dropped for that at once. */
static bool
is_invalid_before(const struct composition *c, const struct follow *f)
{
	const struct follow *first = &c->follows[VSW_OUT];

	return f == &c->follows[VSW_IN] && first->is_following
	       && first->is_found && first->packet.event == TRACK_INVALID
	       && !first->packet.is_related;
}

/* Rules are asked as if there were none; but it is not to be opened anew. */
static void
refuse(struct follow *f)
{
	f->is_found = false;
	f->is_refused = true;
}

/* Also to the host, who may answer. */
static bool
goes_somewhere(const struct decision *decision)
{
	for (uint32_t i = 0; i < decision->n; i++)
		if (decision->rewrites[i].drop == VSW_N_DROPS)
			return true;
	return false;
}

static enum vsw_drop
end_one(struct composition *c, enum vsw_direction direction, bool passes,
	struct followed *followed)
{
	struct follow *f = &c->follows[direction];
	uint32_t *connection = &followed->connections[direction];
	enum vsw_drop drop = VSW_N_DROPS;

	if (f->is_found && passes)
		drop = see(c, f, direction, followed);
	else if (f->is_found && f->has_passed)
		followed->flags |= FOLLOW_ALWAYS | FOLLOW_NOTHING;
	else if (!f->is_found && f->wanted && passes && may_open(f))
		drop = open_one(c, f, direction, followed);
	else if (!f->is_found) {
		/* As soon as there is one, it is to hear of this. */
		*connection = f->packet.hash;
		followed->flags |= FOLLOW_ALWAYS
				   | (direction == VSW_OUT
				      ? FOLLOW_ABSENT_OUT
				      : FOLLOW_ABSENT_IN);
	}
	/* A flow has many identifiers, which may belong to connections that
	 * pass other layers; and errors are about many packets. */
	if (f->packet.is_related)
		followed->flags |= FOLLOW_ALWAYS | FOLLOW_NOTHING;
	else if (f->packet.key.proto == IP_PROTO_ICMP && !*connection) {
		refer(c, f, direction, followed);
		followed->flags |= FOLLOW_ALWAYS;
	}
	return drop;
}

static bool
may_open(const struct follow *f)
{
	return !f->packet.is_related
	       && (f->packet.key.proto != IP_PROTO_ICMP
		   || f->packet.event != TRACK_ANSWER);
}

/* What flows remember of a connection.  Those of ICMP have many: they remember
 * what their connections have in common. */
static void
refer(const struct composition *c, const struct follow *f,
      enum vsw_direction direction, struct followed *followed)
{
	bool is_one = f->packet.key.proto != IP_PROTO_ICMP;

	followed->connections[direction] = is_one ? f->view.at.place + 1
						  : shape_of(c->vsw, &f->view);
	followed->serials[direction] = is_one ? f->view.at.serial : 0;
}

/* All by which a connection has a say in what is decided of its packets. */
static uint32_t
shape_of(const struct vsw *vsw, const struct connection_view *view)
{
	const uint64_t shape[2] = {
		view->program, (uint64_t) view->layers << 1 | view->direction
	};

	return hash_short(hash_with(shape, sizeof shape, &vsw->secret)) | 1;
}

static enum vsw_drop
see(struct composition *c, struct follow *f, enum vsw_direction direction,
    struct followed *followed)
{
	struct connections *connections = atomic_load_explicit(
		&c->vsw->connections, memory_order_acquire);
	uint8_t proto = f->packet.key.proto;

	if (c->is_trial)
		return f->packet.event == TRACK_INVALID
		       ? VSW_DROP_CONNECTION_STATE : VSW_N_DROPS;
	switch (connection_see(connections, &f->view.at, &f->packet, NULL,
			       c->now)) {
	case CONNECTION_INVALID:
		return VSW_DROP_CONNECTION_STATE;
	case CONNECTION_GONE:
		/* This moment: the next packet asks the rules. */
		followed->flags |= FOLLOW_ALWAYS | FOLLOW_NOTHING;
		return VSW_N_DROPS;
	case CONNECTION_WATCHED:
		followed->flags |= flags_of(proto, true);
		break;
	case CONNECTION_SETTLED:
		/* The flow does not listen yet: with its next packet. */
		followed->flags |= flags_of(proto, proto == IP_PROTO_TCP);
		break;
	}
	refer(c, f, direction, followed);
	return VSW_N_DROPS;
}

static enum vsw_drop
open_one(struct composition *c, struct follow *f, enum vsw_direction direction,
	 struct followed *followed)
{
	struct connections *connections = atomic_load_explicit(
		&c->vsw->connections, memory_order_acquire);
	uint8_t proto = f->packet.key.proto;
	int drop;

	if (f->is_refused) {
		narrate(c->narrator, "would open anew what policy has ended");
		if (!c->is_trial)
			connection_refuse(connections, &f->packet,
					  f->serial, c->now);
		return VSW_DROP_CONNECTION_ENDED;
	}
	narrate(c->narrator, "opens a connection at port \"%s\"",
		f->port->name);
	if (c->is_trial)
		return track_start(proto, f->packet.event) == TRACK_NONE
		       ? VSW_DROP_CONNECTION_STATE : VSW_N_DROPS;
	f->view.layers = f->wanted;
	f->view.log_tag = f->log_tag;
	drop = connection_open(connections, &f->packet, c->now, &f->view);
	if (drop != CONNECTION_OPENED)
		return (enum vsw_drop) drop;
	refer(c, f, direction, followed);
	followed->flags |= flags_of(proto, proto == IP_PROTO_TCP
				    || f->view.log_tag
				    || track_is_watched(f->view.state));
	return VSW_N_DROPS;
}

/* Of what is not TCP the headers have no TCP flags: ACK is missing, and none
 * else is there. */
static uint8_t
flags_of(uint8_t proto, bool is_watched)
{
	uint8_t flags = FOLLOW_TCP;

	if (proto != IP_PROTO_TCP)
		flags &= (uint8_t) ~TRACK_TCP_FLAG_ACK;
	return is_watched ? flags | FOLLOW_ALWAYS : flags;
}

static bool
is_icmp(const struct flow_key *key)
{
	return key->ip_proto == (key->has & FLOW_HAS_IPV4 ? IP_PROTO_ICMP
							  : IP_PROTO_ICMPV6);
}

static enum follow_verdict
look_at_one(const struct look *look, bool *is_watched)
{
	struct connection_reference at = {
		.place = look->reference - 1, .serial = look->serial
	};
	struct connection_packet packet;

	if (!find_packet(look, &packet))
		return FOLLOW_STALE;
	return see_one(look, &packet, &at, is_watched);
}

static enum follow_verdict
look_for_absent(const struct look *look, uint32_t hash, bool *is_watched)
{
	if (connection_may_be_there(look->connections, hash))
		return FOLLOW_STALE;
	*is_watched = true;
	return FOLLOW_HOLDS;
}

/* ICMP: the packet's own connection, by its identifier. */
static enum follow_verdict
look_by_key(const struct look *look, bool *is_watched)
{
	struct connection_packet packet;
	struct connection_view view;

	if (!find_packet(look, &packet))
		return FOLLOW_STALE;
	if (look->is_absent)
		return look_for_absent(look, packet.hash, is_watched);
	if (!connection_find(look->connections, &packet, look->now, &view)
	    || shape_of(look->vsw, &view) != look->reference)
		return FOLLOW_STALE;
	return see_one(look, &packet, &view.at, is_watched);
}

static bool
find_packet(const struct look *look, struct connection_packet *ret_packet)
{
	if (!belong_find(look->headers, look->frame, look->direction,
			 look->port, look->vni, look->vlan, ret_packet))
		return false;
	ret_packet->hash = connection_hash(look->connections,
					   &ret_packet->key);
	return true;
}

static enum follow_verdict
see_one(const struct look *look, const struct connection_packet *packet,
	const struct connection_reference *at, bool *is_watched)
{
	switch (connection_see(look->connections, at, packet, &look->listener,
			       look->now)) {
	case CONNECTION_INVALID:
		return FOLLOW_INVALID;
	case CONNECTION_WATCHED:
		*is_watched = true;
		return FOLLOW_HOLDS;
	case CONNECTION_SETTLED:
		return FOLLOW_HOLDS;
	default:
		return FOLLOW_STALE;
	}
}
