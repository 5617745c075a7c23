/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/answer/snoop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/answer/frame.h"
#include "agent/base/list.h"
#include "agent/base/memory.h"
#include "agent/device/thread.h"
#include "agent/policy/group.h"
#include "agent/policy/bridge.h"
#include "agent/policy/policy.h"

enum {
	PROTO_HOP_BY_HOP = 0, PROTO_IGMP = 2, PROTO_ICMPV6 = 58,
	IGMP_QUERY = 0x11, IGMP_V1_REPORT = 0x12, IGMP_V2_REPORT = 0x16,
	IGMP_LEAVE = 0x17, IGMP_V3_REPORT = 0x22,
	MLD_QUERY = 130, MLD_V1_REPORT = 131, MLD_DONE = 132,
	MLD_V2_REPORT = 143,
	/* Types of records, RFC 3376, section 4.2.12. */
	IS_INCLUDE = 1, TO_INCLUDE = 3, BLOCK_OLD = 6,
	/* RFC 3376, section 8, in seconds. */
	MEMBER_S = 260, ROUTER_S = 255, QUERY_S = 125, TICK_S = 5,
	QUERY_SIZE_MAX = 128
};

static const uint64_t ns_per_s = 1000000000;

struct member {
	struct list link;		/* In snoop.members. */
	struct model_port *port;
	struct vsw_addr group;
	uint8_t mac[6];
	uint64_t until;
};

struct router {
	struct list link;		/* In snoop.routers. */
	struct model_port *port;
	uint64_t until;
};

struct snoop {
	struct model *model;
	struct vsw *vsw;
	struct vsw_worker *worker;
	struct event *timer;
	struct list members, routers;
	uint64_t query_at;		/* When to ask next. */
};

static void on_timer(evutil_socket_t, short what, void *snoop_);
static void skip_hop_by_hop(struct frame *);
static void heard_igmp(struct snoop *, struct model_port *,
		       const struct frame *, uint64_t now);
static void heard_mld(struct snoop *, struct model_port *,
		      const struct frame *, uint64_t now);
static void heard_records(struct snoop *, struct model_port *,
			  const uint8_t *p, size_t size, size_t n,
			  uint8_t addr_size, uint64_t now);
static void heard_group(struct snoop *, struct model_port *,
			const uint8_t *addr, uint8_t addr_size, bool wants,
			uint64_t now);
static void keep_others(struct snoop *, const struct model_port *,
			const uint8_t *addr, uint8_t addr_size, uint64_t now);
static void heard_query(struct snoop *, struct model_port *,
			const struct frame *, uint64_t now);
static bool mac_of(const struct vsw_addr *group, uint8_t ret_mac[6]);
static struct member *find(const struct snoop *, const struct model_port *,
			   const struct vsw_addr *, size_t *ret_n);
static void end_member(struct snoop *, struct member *);
static void ask(struct snoop *);
static bool is_asked(const struct model_port *);
static size_t make_igmp_query(const uint8_t mac[6], uint8_t *frame);
static size_t make_mld_query(const uint8_t mac[6], uint8_t *frame);
static void give(struct snoop *, struct vsw_port *, const uint8_t *frame,
		 size_t size);

int
snoop_new(struct event_base *base, struct model *model, struct vsw *vsw,
	  struct vsw_worker *worker, struct snoop **ret_snoop)
{
	struct snoop *snoop = xcalloc(1, sizeof *snoop);

	snoop->model = model;
	snoop->vsw = vsw;
	snoop->worker = worker;
	list_init(&snoop->members);
	list_init(&snoop->routers);
	snoop->timer = event_new(base, -1, 0, on_timer, snoop);
	if (!snoop->timer) {
		free(snoop);
		return -ENOMEM;
	}
	*ret_snoop = snoop;
	return 0;
}

void
snoop_free(struct snoop *snoop)
{
	if (!snoop)
		return;
	event_free(snoop->timer);
	while (!list_is_empty(&snoop->members)) {
		struct list *link = snoop->members.next;

		list_remove(link);
		free(LIST_ENTRY(link, struct member, link));
	}
	while (!list_is_empty(&snoop->routers)) {
		struct list *link = snoop->routers.next;

		list_remove(link);
		free(LIST_ENTRY(link, struct router, link));
	}
	free(snoop);
}

void
snoop_heard(struct snoop *snoop, struct model_port *port,
	    const struct frame *frame, uint64_t now)
{
	static const struct timeval tick = { .tv_sec = TICK_S };
	struct frame inner = *frame;

	if (frame->is_fragment)
		return;
	skip_hop_by_hop(&inner);
	if (inner.proto == PROTO_IGMP && inner.end >= inner.l4 + 8)
		heard_igmp(snoop, port, &inner, now);
	else if (inner.proto == PROTO_ICMPV6 && inner.end >= inner.l4 + 8)
		heard_mld(snoop, port, &inner, now);
	policy_apply(snoop->model);
	if (!evtimer_pending(snoop->timer, NULL))
		evtimer_add(snoop->timer, &tick);
}

void
snoop_tick(struct snoop *snoop, uint64_t now)
{
	struct list *link, *next;

	for (link = snoop->members.next; link != &snoop->members;
	     link = next) {
		struct member *member = LIST_ENTRY(link, struct member, link);

		next = link->next;
		if (now >= member->until)
			end_member(snoop, member);
	}
	for (link = snoop->routers.next; link != &snoop->routers;
	     link = next) {
		struct router *router = LIST_ENTRY(link, struct router, link);

		next = link->next;
		if (now < router->until)
			continue;
		group_set_router(snoop->model, router->port, false);
		list_remove(&router->link);
		free(router);
	}
	policy_apply(snoop->model);
	if (list_is_empty(&snoop->members)
	    || !list_is_empty(&snoop->routers) || now < snoop->query_at)
		return;
	snoop->query_at = now + QUERY_S * ns_per_s;
	ask(snoop);
}

void
snoop_forget(struct snoop *snoop, const struct model_port *port)
{
	struct list *link, *next;

	for (link = snoop->members.next; link != &snoop->members;
	     link = next) {
		struct member *member = LIST_ENTRY(link, struct member, link);

		next = link->next;
		if (member->port == port)
			end_member(snoop, member);
	}
	for (link = snoop->routers.next; link != &snoop->routers;
	     link = next) {
		struct router *router = LIST_ENTRY(link, struct router, link);

		next = link->next;
		if (router->port != port)
			continue;
		router->port->is_router = false;
		list_remove(&router->link);
		free(router);
	}
}

static void
on_timer(evutil_socket_t fd, short what, void *snoop_)
{
	static const struct timeval tick = { .tv_sec = TICK_S };
	struct snoop *snoop = snoop_;

	(void) fd;
	(void) what;
	snoop_tick(snoop, thread_now());
	if (!list_is_empty(&snoop->members)
	    || !list_is_empty(&snoop->routers))
		evtimer_add(snoop->timer, &tick);
}

/* MLD has a router alert in front (RFC 2710, section 3). */
static void
skip_hop_by_hop(struct frame *frame)
{
	const uint8_t *p = frame->bytes + frame->l4;

	if (frame->dst.n != 16 || frame->proto != PROTO_HOP_BY_HOP
	    || frame->end < frame->l4 + 8
	    || frame->end - frame->l4 < (p[1] + 1u) * 8)
		return;
	frame->proto = p[0];
	frame->l4 += (p[1] + 1u) * 8;
}

static void
heard_igmp(struct snoop *snoop, struct model_port *port,
	   const struct frame *frame, uint64_t now)
{
	const uint8_t *p = frame->bytes + frame->l4;
	size_t size = frame->end - frame->l4;

	switch (*p) {
	case IGMP_QUERY:
		heard_query(snoop, port, frame, now);
		break;
	case IGMP_V1_REPORT:
	case IGMP_V2_REPORT:
		heard_group(snoop, port, p + 4, 4, true, now);
		keep_others(snoop, port, p + 4, 4, now);
		break;
	case IGMP_LEAVE:
		heard_group(snoop, port, p + 4, 4, false, now);
		break;
	case IGMP_V3_REPORT:
		heard_records(snoop, port, p + 8, size - 8,
			      (size_t) (p[6] << 8 | p[7]), 4, now);
		break;
	}
}

static void
heard_mld(struct snoop *snoop, struct model_port *port,
	  const struct frame *frame, uint64_t now)
{
	const uint8_t *p = frame->bytes + frame->l4;
	size_t size = frame->end - frame->l4;

	if (*p == MLD_QUERY)
		heard_query(snoop, port, frame, now);
	else if (*p == MLD_V2_REPORT)
		heard_records(snoop, port, p + 8, size - 8,
			      (size_t) (p[6] << 8 | p[7]), 16, now);
	else if ((*p == MLD_V1_REPORT || *p == MLD_DONE) && size >= 24)
		heard_group(snoop, port, p + 8, 16, *p == MLD_V1_REPORT, now);
	if (*p == MLD_V1_REPORT && size >= 24)
		keep_others(snoop, port, p + 8, 16, now);
}

/* The two versions differ in the size of an address.  To include no source is
 * to want nothing. */
static void
heard_records(struct snoop *snoop, struct model_port *port, const uint8_t *p,
	      size_t size, size_t n, uint8_t addr_size, uint64_t now)
{
	while (n-- > 0 && size >= 4u + addr_size) {
		size_t n_sources = (size_t) (p[2] << 8 | p[3]);
		size_t length = 4u + addr_size + n_sources * addr_size
				+ p[1] * 4u;

		if (length > size)
			return;
		if (*p == TO_INCLUDE && !n_sources)
			heard_group(snoop, port, p + 4, addr_size, false, now);
		else if (*p && *p < BLOCK_OLD
			 && !(*p == IS_INCLUDE && !n_sources))
			heard_group(snoop, port, p + 4, addr_size, true, now);
		p += length;
		size -= length;
	}
}

static void
heard_group(struct snoop *snoop, struct model_port *port, const uint8_t *addr,
	    uint8_t addr_size, bool wants, uint64_t now)
{
	struct vsw_addr group = { .n = addr_size };
	struct member *member;
	uint8_t mac[6];
	size_t n;

	memcpy(group.bytes, addr, addr_size);
	if (!mac_of(&group, mac))
		return;
	member = find(snoop, port, &group, &n);
	if (!wants) {
		/* Behind others there may be more than one. */
		if (member && port->role == ROLE_VM
		    && port->vlan.mode != VLAN_TRUNK)
			end_member(snoop, member);
		return;
	}
	if (!member) {
		if (n >= SNOOP_PORT_GROUPS)
			return;
		member = xcalloc(1, sizeof *member);
		member->port = port;
		member->group = group;
		memcpy(member->mac, mac, 6);
		list_append(&snoop->members, &member->link);
		group_set(snoop->model, port, mac, true);
	}
	member->until = now + MEMBER_S * ns_per_s;
}

/* Others that want the group hear such a report, too, and keep their own to
 * themselves (RFC 2236, section 3; RFC 2710, section 4): it speaks for all. */
static void
keep_others(struct snoop *snoop, const struct model_port *port,
	    const uint8_t *addr, uint8_t addr_size, uint64_t now)
{
	for (struct list *link = snoop->members.next;
	     link != &snoop->members; link = link->next) {
		struct member *member = LIST_ENTRY(link, struct member, link);

		if (member->port->sw == port->sw
		    && member->port->subnet == port->subnet
		    && member->group.n == addr_size
		    && !memcmp(member->group.bytes, addr, addr_size))
			member->until = now + MEMBER_S * ns_per_s;
	}
}

/* Who asks from no address is a switch, and wants nothing itself (RFC 4541,
 * section 2.1.1). */
static void
heard_query(struct snoop *snoop, struct model_port *port,
	    const struct frame *frame, uint64_t now)
{
	static const uint8_t nobody[16];
	struct router *router = NULL;

	if (!memcmp(frame->src.bytes, nobody, frame->src.n))
		return;
	for (struct list *link = snoop->routers.next;
	     link != &snoop->routers; link = link->next)
		if (LIST_ENTRY(link, struct router, link)->port == port)
			router = LIST_ENTRY(link, struct router, link);
	if (!router) {
		router = xcalloc(1, sizeof *router);
		router->port = port;
		list_append(&snoop->routers, &router->link);
		group_set_router(snoop->model, port, true);
	}
	router->until = now + ROUTER_S * ns_per_s;
}

/* False: it is always flooded. */
static bool
mac_of(const struct vsw_addr *group, uint8_t ret_mac[6])
{
	const uint8_t *a = group->bytes;

	if (group->n == 4) {
		memcpy(ret_mac, "\x01\x00\x5e", 3);
		ret_mac[3] = a[1] & 0x7f;
		memcpy(ret_mac + 4, a + 2, 2);
		return a[0] >= 224 && a[0] < 240
		       && (ret_mac[3] || ret_mac[4]);
	}
	memcpy(ret_mac, "\x33\x33", 2);
	memcpy(ret_mac + 2, a + 12, 4);
	/* 33:33:ff is of solicited nodes; the lowest ones, and those of DHCP
	 * (33:33:00:01:00:02), are of link scope, too. */
	return a[0] == 0xff && (a[1] & 0x0f) > 2 && ret_mac[2] != 0xff
	       && (ret_mac[2] || ret_mac[3] > 1 || ret_mac[4] > 1);
}

static struct member *
find(const struct snoop *snoop, const struct model_port *port,
     const struct vsw_addr *group, size_t *ret_n)
{
	struct member *found = NULL;

	*ret_n = 0;
	for (struct list *link = snoop->members.next;
	     link != &snoop->members; link = link->next) {
		struct member *member = LIST_ENTRY(link, struct member, link);

		if (member->port != port)
			continue;
		++*ret_n;
		if (member->group.n == group->n
		    && !memcmp(member->group.bytes, group->bytes, group->n))
			found = member;
	}
	return found;
}

/* Another group may share the MAC. */
static void
end_member(struct snoop *snoop, struct member *member)
{
	bool is_last = true;

	list_remove(&member->link);
	for (struct list *link = snoop->members.next;
	     link != &snoop->members; link = link->next) {
		struct member *each = LIST_ENTRY(link, struct member, link);

		if (each->port == member->port
		    && !memcmp(each->mac, member->mac, 6))
			is_last = false;
	}
	if (is_last)
		group_set(snoop->model, member->port, member->mac, false);
	free(member);
}

static void
ask(struct snoop *snoop)
{
	const uint8_t *mac = snoop->model->router_mac;
	uint8_t igmp[QUERY_SIZE_MAX], mld[QUERY_SIZE_MAX];
	size_t igmp_size = make_igmp_query(mac, igmp);
	size_t mld_size = make_mld_query(mac, mld);
	struct list *switches = &snoop->model->switches;

	for (struct list *s = switches->next; s != switches; s = s->next) {
		struct model_switch *sw =
			LIST_ENTRY(s, struct model_switch, link);

		for (struct list *p = sw->ports.next;
		     sw->vsw == snoop->vsw && p != &sw->ports; p = p->next) {
			struct model_port *port =
				LIST_ENTRY(p, struct model_port, link);

			if (!is_asked(port))
				continue;
			give(snoop, port->port, igmp, igmp_size);
			give(snoop, port->port, mld, mld_size);
		}
	}
}

static bool
is_asked(const struct model_port *port)
{
	if (!port->port || port->is_removed)
		return false;
	return port->subnet || (port->bridged && port->role != ROLE_UPLINK
				&& port->vlan.mode != VLAN_TRUNK);
}

/* RFC 3376, section 4.1, with a router alert (RFC 2113) and from no address,
 * so that no real querier gives way to it. */
static size_t
make_igmp_query(const uint8_t mac[6], uint8_t *frame)
{
	static const uint8_t ip[] = {
		0x46, 0xc0, 0, 36, 0, 0, 0, 0, 1, PROTO_IGMP, 0, 0,
		0, 0, 0, 0, 224, 0, 0, 1, 0x94, 4, 0, 0
	};
	static const uint8_t igmp[] = {
		IGMP_QUERY, 100, 0, 0, 0, 0, 0, 0, 2, QUERY_S, 0, 0
	};
	uint8_t *p = frame + 14;
	uint16_t sum;

	memset(frame, 0, QUERY_SIZE_MAX);
	memcpy(frame, "\x01\x00\x5e\x00\x00\x01", 6);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, "\x08\x00", 2);
	memcpy(p, ip, sizeof ip);
	sum = frame_fold(frame_sum(p, sizeof ip, 0));
	p[10] = (uint8_t) (sum >> 8);
	p[11] = (uint8_t) sum;
	p += sizeof ip;
	memcpy(p, igmp, sizeof igmp);
	sum = frame_fold(frame_sum(p, sizeof igmp, 0));
	p[2] = (uint8_t) (sum >> 8);
	p[3] = (uint8_t) sum;
	return 60;
}

/* RFC 3810, section 5.1: from a link-local address, of the router's MAC. */
static size_t
make_mld_query(const uint8_t mac[6], uint8_t *frame)
{
	enum { MLD_SIZE = 28 };
	static const uint8_t hop_by_hop[] = { PROTO_ICMPV6, 0, 5, 2, 0, 0, 1,
					      0 };
	struct vsw_addr src = { .n = 16, .bytes = { 0xfe, 0x80 } };
	struct vsw_addr dst = { .n = 16, .bytes = { 0xff, 2 } };
	uint8_t *p = frame + 14;
	uint16_t sum;

	dst.bytes[15] = 1;
	memcpy(src.bytes + 8, mac, 3);
	src.bytes[8] ^= 2;
	src.bytes[11] = 0xff;
	src.bytes[12] = 0xfe;
	memcpy(src.bytes + 13, mac + 3, 3);
	memset(frame, 0, QUERY_SIZE_MAX);
	memcpy(frame, "\x33\x33\x00\x00\x00\x01", 6);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, "\x86\xdd", 2);
	p[0] = 0x60;
	p[5] = sizeof hop_by_hop + MLD_SIZE;
	p[7] = 1;
	memcpy(p + 8, src.bytes, 16);
	memcpy(p + 24, dst.bytes, 16);
	p += 40;
	memcpy(p, hop_by_hop, sizeof hop_by_hop);
	p += sizeof hop_by_hop;
	p[0] = MLD_QUERY;
	p[4] = 10000 >> 8;
	p[5] = 10000 & 0xff;
	p[24] = 2;
	p[25] = QUERY_S;
	sum = frame_fold(frame_sum(p, MLD_SIZE,
				   frame_sum_ipv6(&src, &dst, PROTO_ICMPV6,
						  MLD_SIZE)));
	p[2] = (uint8_t) (sum >> 8);
	p[3] = (uint8_t) sum;
	return 14 + 40 + sizeof hop_by_hop + MLD_SIZE;
}

static void
give(struct snoop *snoop, struct vsw_port *port, const uint8_t *frame,
     size_t size)
{
	struct vsw_packet *packet = vsw_packet_new(snoop->worker, size);

	if (!packet)
		return;
	memcpy(vsw_packet_data(packet), frame, size);
	vsw_worker_send(snoop->worker, port, &packet, 1, thread_now());
}
