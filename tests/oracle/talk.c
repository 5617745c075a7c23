/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/oracle/talk.h"

#include <stdlib.h>

struct walked {
	struct conversation *c;
	unsigned wanted;
	bool follows, refused;
	struct conversation *asked, before;	/* By another program. */
};

static enum verb ask_group(const struct acl_group *, const struct message *);
static bool is_of(const struct conversation *, unsigned port, bool is_out,
		  const struct message *);
static bool begins_anew(const struct conversation *, const struct message *);
static bool is_half_open(const struct conversation *);
static void learn(struct conversation *, unsigned side, enum event e);
static void hear(struct conversation *, bool is_opener, enum event e,
		 bool is_wild);
static bool approve(struct world *, struct conversation *,
		    const struct acl_program *, const struct message *);
static bool walk(struct world *, unsigned port, bool is_out,
		 const struct message *, struct walked *);
static enum vsw_drop follow(struct world *, unsigned port, bool is_out,
			    const struct message *, const struct walked *);

enum vsw_drop
talk_say(struct world *w, const struct message *m)
{
	struct walked out, in;
	enum vsw_drop drop;
	bool passes;

	if (!walk(w, m->from, true, m, &out))
		return VSW_DROP_RULE;
	if (m->to == m->from)
		return VSW_DROP_SAME_PORT;
	passes = walk(w, m->to, false, m, &in);
	/* What the sender's connection does not take changes none of the
	 * receiver's. */
	if (out.c && !m->is_error && m->event == INVALID && in.asked)
		*in.asked = in.before;
	if (!passes)
		return VSW_DROP_RULE;
	drop = follow(w, m->from, true, m, &out);
	return drop == VSW_N_DROPS ? follow(w, m->to, false, m, &in) : drop;
}

bool
talk_may_be_wild(const struct world *w, const struct message *m)
{
	if (m->event != RST || m->proto != TCP)
		return false;
	for (unsigned i = 0; i < w->n; i++) {
		const struct conversation *c = &w->all[i];
		bool at_from = is_of(c, m->from, true, m);

		if ((at_from || is_of(c, m->to, false, m))
		    && !c->known[c->is_out != at_from] && !is_half_open(c))
			return false;
	}
	return true;
}

static enum verb
ask_group(const struct acl_group *g, const struct message *m)
{
	for (unsigned i = 0; i < g->n; i++) {
		const struct acl_rule *r = &g->rules[i];
		bool has_ports = m->proto == TCP || m->proto == UDP;

		if ((r->src == ANY || r->src == m->src)
		    && (r->dst == ANY || r->dst == m->dst)
		    && (r->proto == ANY || r->proto == m->proto)
		    && (r->sport == ANY || (has_ports && r->sport == m->sport))
		    && (r->dport == ANY
			|| (has_ports && r->dport == m->dport)))
			return r->verb;
	}
	return PASS;
}

static bool
is_of(const struct conversation *c, unsigned port, bool is_out,
      const struct message *m)
{
	uint8_t src = m->src, dst = m->dst, proto = m->proto;

	/* An error is about what went the other way. */
	if (m->is_error) {
		src = m->dst;
		dst = m->far;
		proto = UDP;
		is_out = !is_out;
	}
	if (!c->is_there || c->port != port || c->is_v6 != m->is_v6
	    || c->vlan != m->vlan || c->proto != proto
	    || c->local != (is_out ? src : dst)
	    || c->remote != (is_out ? dst : src))
		return false;
	if (proto == ICMP)
		return c->lport == m->sport;
	if (proto != TCP && proto != UDP)
		return true;
	return c->lport == (is_out ? m->sport : m->dport)
	       && c->rport == (is_out ? m->dport : m->sport);
}

static bool
begins_anew(const struct conversation *c, const struct message *m)
{
	return c->proto == TCP && m->proto == TCP && m->event == SYN
	       && (c->reset || c->joined || c->refused
		   || (c->fin[0] && c->fin[1]));
}

static bool
is_half_open(const struct conversation *c)
{
	return c->asked || c->answered || c->joined;
}

/* Whose numbers has it seen for certain?  Of what is not half-open, only FINs
 * are looked at, and few others. */
static void
learn(struct conversation *c, unsigned side, enum event e)
{
	if (e == RST || (!is_half_open(c) && e != FIN))
		return;
	c->known[side] = true;
	c->known[1 - side] |= e != SYN;
}

static void
hear(struct conversation *c, bool is_opener, enum event e, bool is_wild)
{
	unsigned side = is_opener ? 0 : 1;

	if (c->proto != TCP || (c->fin[0] && c->fin[1] && !c->reset))
		return;
	learn(c, side, e);
	/* That counts only as long as nobody has been told a number. */
	if (e == RST && is_wild && !is_half_open(c))
		return;
	if (c->reset) {
		if (e == RST)
			c->alive[0] = c->alive[1] = false;
		if (e == PLAIN)
			c->alive[side] = true;
		if (c->alive[0] && c->alive[1])
			c->reset = c->asked = c->joined = c->fin[0]
				= c->fin[1] = false;
	} else if (e == RST) {
		c->reset = true;
		c->asked = c->answered = c->joined = false;
		c->alive[0] = c->alive[1] = false;
	} else if (e == FIN && !(c->asked && !is_opener)) {
		c->fin[side] = true;
		c->asked = c->answered = c->joined = false;
	} else if (!is_opener && (e == SYN || e == SYN_ACK) && c->asked) {
		c->asked = false;
		c->answered = true;
	} else if (is_opener && (e == PLAIN || e == SYN_ACK)) {
		c->answered = false;
	} else if (!is_opener && (e == PLAIN || e == SYN_ACK)) {
		c->joined = false;
	}
}

/* Layers in their order, for the opener of one that another program approved:
 * false, it is over. */
static bool
approve(struct world *w, struct conversation *c, const struct acl_program *p,
	const struct message *m)
{
	unsigned wanted = 0;

	for (unsigned i = 0; i < N_ACLS; i++) {
		unsigned acl = c->is_out ? i : N_ACLS - 1 - i;
		enum verb verb = ask_group(&w->groups[p->groups[acl][
				!c->is_out]], m);

		if (verb == DROP) {
			c->is_there = c->proto != ICMP;
			c->refused = true;
			c->serial = p->serial;
			return false;
		}
		if (verb == TRACK)
			wanted |= 1u << acl;
	}
	c->is_there = wanted != 0;
	c->layers = wanted;
	c->serial = p->serial;
	if (c->refused) {
		c->refused = c->asked = c->answered = c->reset = c->fin[0]
			   = c->fin[1] = false;
		c->joined = c->proto == TCP;
	}
	return c->is_there;
}

static bool
walk(struct world *w, unsigned port, bool is_out, const struct message *m,
     struct walked *walked)
{
	const struct acl_program *p = &w->programs[port];
	bool nd = m->proto == ICMP && m->event == INVALID, is_other;
	const struct conversation *refused;

	*walked = (struct walked) {
		.follows = (p->tracks[0] || p->tracks[1]) && !nd
	};
	for (unsigned i = 0; walked->follows && i < w->n; i++)
		if (is_of(&w->all[i], port, is_out, m)
		    && (!begins_anew(&w->all[i], m) || w->all[i].refused))
			walked->c = &w->all[i];
	refused = walked->c;
	is_other = walked->c && begins_anew(walked->c, m);
	if (walked->c && walked->c->serial != p->serial) {
		struct conversation *c = walked->c;
		const struct message *opener =
			!m->is_error && c->is_out == is_out ? m : &c->opener;

		walked->asked = c;
		walked->before = *c;
		if (!approve(w, c, p, opener)) {
			walked->c = NULL;
			walked->refused = c->is_there;
			w->talked.n_ended++;
		}
	} else if (walked->c && walked->c->refused) {
		walked->c = NULL;
		walked->refused = true;
	}
	/* The opener's own packets are for the rules alone to judge. */
	if (refused && !m->is_error && refused->is_out == is_out)
		walked->refused = false;
	/* A SYN after all; the old one has been asked about. */
	if (is_other) {
		walked->c = NULL;
		walked->refused = false;
	}
	for (unsigned i = 0; i < N_ACLS; i++) {
		unsigned acl = is_out ? i : N_ACLS - 1 - i;
		enum verb verb;

		if (walked->c && walked->c->layers >> acl & 1) {
			w->talked.n_by_connection++;
			continue;
		}
		verb = ask_group(&w->groups[p->groups[acl][!is_out]], m);
		if (verb == DROP)
			return false;
		if (verb == TRACK)
			walked->wanted |= 1u << acl;
	}
	return true;
}

static enum vsw_drop
follow(struct world *w, unsigned port, bool is_out, const struct message *m,
       const struct walked *walked)
{
	struct conversation *c = walked->c;

	if (!walked->follows)
		return VSW_N_DROPS;
	if (c) {
		w->talked.n_related += m->is_error;
		if (m->is_error)
			return VSW_N_DROPS;
		if (m->event == INVALID)
			return VSW_DROP_CONNECTION_STATE;
		hear(c, c->is_out == is_out, m->event, m->is_wild);
		return VSW_N_DROPS;
	}
	if (!walked->wanted || m->is_error
	    || (m->proto == ICMP && m->event == ANSWER))
		return VSW_N_DROPS;
	if (walked->refused)
		return VSW_DROP_CONNECTION_ENDED;
	if (m->event == RST || m->event == INVALID)
		return VSW_DROP_CONNECTION_STATE;
	for (unsigned i = 0; i < w->n; i++)
		if (is_of(&w->all[i], port, is_out, m))
			w->all[i].is_there = false;
	if (w->n == MAX_CONNECTIONS_OF)
		abort();
	w->all[w->n++] = (struct conversation) {
		.is_there = true, .port = port, .is_out = is_out,
		.local = is_out ? m->src : m->dst,
		.remote = is_out ? m->dst : m->src, .proto = m->proto,
		.lport = is_out || m->proto == ICMP ? m->sport : m->dport,
		.rport = is_out ? m->dport : m->sport, .vlan = m->vlan,
		.is_v6 = m->is_v6, .opener = *m,
		.serial = w->programs[port].serial,
		.layers = walked->wanted, .asked = m->event == SYN,
		.joined = m->event == PLAIN || m->event == SYN_ACK,
		.fin = { m->event == FIN }, .known = { true, m->event != SYN }
	};
	w->talked.n_opened++;
	return VSW_N_DROPS;
}
