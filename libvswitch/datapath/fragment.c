/* SPDX-License-Identifier: Apache-2.0 */

/* A station of the packet's way, for fragments alone: see worker.c. */

#include "libvswitch/datapath/fragment.h"

#include <string.h>

#include "libvswitch/base/cursor.h"
#include "libvswitch/base/hash.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/ranking.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/transmit.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"

enum {
	UNIT = 8,			/* Bytes that offsets count by. */
	DATAGRAM_MAX = 65535,
	BUCKETS = 2 * FRAGMENT_DATAGRAMS,
	NONE = UINT16_MAX,
	EXPIRE_EACH = 4,		/* Given up with each batch. */
	ROOMY = 4096			/* A packet of this much room is worth
					 * a copy while it waits. */
};

_Static_assert((int) BUCKETS < (int) NONE, "places are of 16 bits");
_Static_assert((BUCKETS & (BUCKETS - 1)) == 0, "buckets are masked");

/* What all fragments of a datagram have in common.  No holes. */
struct id {
	uint8_t src[16], dst[16], tunnel_src[16];
	uint32_t in_port, vni, number;
	uint16_t vlan;
	uint8_t proto;			/* IPv4's; RFC 8200, section 4.5 leaves
					 * it out. */
	uint8_t tunnel;
};

_Static_assert(sizeof(struct id) == 64, "an id has holes");

/* From the beginning of the datagram, in units. */
struct piece {
	uint16_t start, end;
};

struct waiting {
	struct waiting *next;
	struct vsw_packet *packet;
	struct headers headers;
};

struct datagram {
	struct id id;
	uint64_t used_ns;
	uint64_t port_serial;
	uint32_t hash;
	uint16_t next;			/* In its bucket, or free. */
	uint16_t older, newer;		/* Of all, */
	uint16_t port_older, port_newer;	/* of its port's. */
	uint16_t l4_src, l4_dst, icmp_id;
	uint8_t proto;			/* As the first one says. */
	bool has_first, has_l4;		/* The latter: it has ports. */
	bool is_spoilt;			/* By pieces that overlap. */
	uint8_t n_seen;
	struct piece seen[FRAGMENT_RANGES];	/* Apart, and in order. */
	uint16_t end;			/* Behind the last one; 0: not seen. */
	uint16_t n_waiting;
	struct waiting *waiting, **last_waiting;
};

struct ages {
	uint16_t oldest, newest;
};

struct fragments {
	struct ages all;
	uint16_t free;			/* Linked by 'next'. */
	uint16_t n;
	struct waiting *free_waiting, *ready, **last_ready;
	uint16_t n_waiting;		/* Those that are ready, too. */
	struct ages *ports;		/* options.max_ports. */
	struct ranking by_datagrams, by_waiting;	/* Ports. */
	uint16_t buckets[BUCKETS];
	struct datagram datagrams[FRAGMENT_DATAGRAMS];
	struct waiting slots[FRAGMENT_WAITING];
};

/* How a piece goes with what has been seen. */
enum fit { FITS, REPEATS, OVERLAPS, TOO_MANY };

static void join(struct vsw_worker *, struct batch *, unsigned i);
static void join_first(struct vsw_worker *, struct batch *, unsigned i,
			 const struct id *, const struct piece *, bool is_last);
static void join_later(struct vsw_worker *, struct batch *, unsigned i,
			 const struct id *, const struct piece *, bool is_last);
static struct fragments *get(struct vsw_worker *);
static bool read_piece(const struct vsw_packet *, const struct headers *,
		       struct id *, struct piece *, bool *ret_is_last);
static bool find_header(const struct vsw_packet *, const struct headers *,
			size_t *ret_at);
static void fill_id(const struct headers *, uint32_t number, struct id *);
static uint16_t *bucket_of(struct fragments *, uint32_t hash);
static struct datagram *find(struct vsw_worker *, const struct id *);
static struct datagram *add(struct vsw_worker *, struct vsw_port *,
			    const struct id *, uint64_t now);
static void touch(struct fragments *, struct datagram *, uint64_t now);
static enum fit put_piece(struct datagram *, const struct piece *,
			  bool is_last);
static enum fit add_range(struct datagram *, const struct piece *, unsigned i);
static bool is_whole(const struct datagram *);
static int spoil(struct vsw_worker *, struct datagram *, enum fit);
static void take_ports(const struct datagram *, struct headers *);
static void make_ready(struct fragments *, struct datagram *);
static struct waiting *take_slot(struct vsw_worker *,
				 const struct datagram *);
static struct vsw_packet *tighten(struct vsw_packet *);
static void drop_waiting(struct vsw_worker *, struct datagram *,
			 enum vsw_drop);
static struct vsw_port *port_of(const struct vsw_worker *,
				const struct datagram *);
static void give_up(struct vsw_worker *, struct datagram *, enum vsw_drop);
static uint16_t place_of(const struct fragments *, const struct datagram *);
static void link_newest(struct fragments *, struct datagram *);
static void unlink_ages(struct fragments *, struct datagram *);

void
batch_join(struct vsw_worker *worker, struct batch *batch)
{
	for (uint32_t left = batch->live; left; left &= left - 1) {
		unsigned i = (unsigned) __builtin_ctz(left);

		if (batch->headers[i].key.fragment != VSW_FRAGMENT_NONE)
			join(worker, batch, i);
	}
	if (worker->fragments)
		fragment_expire(worker, batch->now, EXPIRE_EACH);
}

void
fragment_wait(struct vsw_worker *worker, struct batch *batch, unsigned i,
	      struct vsw_packet *packet)
{
	const struct headers *headers = &batch->headers[i];
	struct fragments *f = get(worker);
	enum vsw_drop why = VSW_DROP_NO_MEMORY;
	struct waiting *slot = NULL;
	struct datagram *d = NULL;
	struct piece piece;
	struct id id;
	bool is_last;

	/* batch_join() has looked at it already, but to be sure. */
	if (!read_piece(packet, headers, &id, &piece, &is_last)) {
		transmit_drop(worker, batch->port, packet,
			      VSW_DROP_BAD_HEADER);
		return;
	}
	if (f) {
		d = find(worker, &id);
		if (!d)
			d = add(worker, batch->port, &id, batch->now);
		slot = take_slot(worker, d);
		why = VSW_DROP_FRAGMENT_LIMIT;
	}
	if (slot) {
		int drop = spoil(worker, d, put_piece(d, &piece, is_last));

		if (drop == PARSE_GOOD) {
			f->free_waiting = slot->next;
			f->n_waiting++;
			*slot = (struct waiting) {
				.packet = tighten(packet), .headers = *headers
			};
			*d->last_waiting = slot;
			d->last_waiting = &slot->next;
			d->n_waiting++;
			ranking_add(&f->by_waiting, d->id.in_port, 1);
			/* The first one may stand behind it in the batch. */
			if (d->has_first)
				make_ready(f, d);
			if (is_whole(d))
				give_up(worker, d, VSW_DROP_FRAGMENT_LOST);
			return;
		}
		why = (enum vsw_drop) drop;
	}
	transmit_drop(worker, batch->port, packet, why);
}

bool
fragment_refill(struct vsw_worker *worker, struct batch *batch)
{
	struct fragments *f = worker->fragments;

	batch->n = 0;
	while (f && f->ready && batch->n < BATCH_MAX) {
		struct waiting *slot = f->ready;

		f->ready = slot->next;
		batch->packets[batch->n] = slot->packet;
		batch->headers[batch->n++] = slot->headers;
		slot->next = f->free_waiting;
		f->free_waiting = slot;
		f->n_waiting--;
	}
	if (!batch->n)
		return false;
	if (!f->ready)
		f->last_ready = &f->ready;
	batch->n_out = 0;
	batch->dropped = 0;
	batch->live = UINT32_MAX >> (BATCH_MAX - batch->n);
	return true;
}

uint64_t
fragment_expire(struct vsw_worker *worker, uint64_t now, size_t n)
{
	struct fragments *f = worker->fragments;

	while (f && f->all.oldest != NONE) {
		struct datagram *d = &f->datagrams[f->all.oldest];

		if (now - d->used_ns < FRAGMENT_IDLE_NS || !n--)
			return d->used_ns + FRAGMENT_IDLE_NS;
		give_up(worker, d, VSW_DROP_FRAGMENT_LOST);
	}
	return UINT64_MAX;
}

void
fragment_free(struct vsw_worker *worker, struct fragments *f)
{
	const struct vsw_allocator *allocator = &worker->vsw->allocator;

	if (!f)
		return;
	for (uint16_t i = f->all.oldest; f->n && i != NONE;
	     i = f->datagrams[i].newer)
		for (struct waiting *slot = f->datagrams[i].waiting; slot;
		     slot = slot->next)
			vsw_packet_free(slot->packet);
	ranking_done(&f->by_datagrams, allocator);
	ranking_done(&f->by_waiting, allocator);
	memory_free(allocator, f->ports,
		    worker->vsw->options.max_ports * sizeof *f->ports);
	memory_free(allocator, f, sizeof *f);
}

size_t
fragment_n_datagrams(const struct fragments *f)
{
	return f ? f->n : 0;
}

size_t
fragment_n_waiting(const struct fragments *f)
{
	return f ? f->n_waiting : 0;
}

static void
join(struct vsw_worker *worker, struct batch *batch, unsigned i)
{
	struct headers *headers = &batch->headers[i];
	struct piece piece;
	struct id id;
	bool is_last;

	if (!read_piece(batch->packets[i], headers, &id, &piece, &is_last))
		batch_drop(batch, i, VSW_DROP_BAD_HEADER);
	else if (headers->key.fragment == VSW_FRAGMENT_FIRST)
		join_first(worker, batch, i, &id, &piece, is_last);
	else
		join_later(worker, batch, i, &id, &piece, is_last);
}

/* Without memory it is not followed, and that is all.  One without ports has
 * nothing to tell, unless it knows the protocol better (IPv6). */
static void
join_first(struct vsw_worker *worker, struct batch *batch, unsigned i,
	     const struct id *id, const struct piece *piece, bool is_last)
{
	const struct flow_key *key = &batch->headers[i].key;
	struct fragments *f = get(worker);
	struct datagram *d;
	int drop;

	if (!f || !(key->has & (FLOW_HAS_L4 | FLOW_HAS_IPV6)))
		return;
	d = find(worker, id);
	if (d && key->has & FLOW_HAS_IPV4 && (d->has_first || d->is_spoilt)) {
		d->has_first = d->is_spoilt = false;
		d->n_seen = 0;
		d->end = 0;
	}
	if (!d)
		d = add(worker, batch->port, id, batch->now);
	drop = spoil(worker, d, put_piece(d, piece, is_last));
	if (drop != PARSE_GOOD) {
		batch_drop(batch, i, (enum vsw_drop) drop);
		return;
	}
	d->has_first = true;
	d->has_l4 = key->has & FLOW_HAS_L4;
	d->proto = key->ip_proto;
	d->l4_src = key->l4_src;
	d->l4_dst = key->l4_dst;
	d->icmp_id = batch->headers[i].icmp_id;
	touch(f, d, batch->now);
	make_ready(f, d);
	if (is_whole(d))
		give_up(worker, d, VSW_DROP_FRAGMENT_LOST);
}

static void
join_later(struct vsw_worker *worker, struct batch *batch, unsigned i,
	     const struct id *id, const struct piece *piece, bool is_last)
{
	struct flow_key *key = &batch->headers[i].key;
	struct datagram *d;
	int drop;

	if (!worker->fragments || !(key->has & FLOW_NO_FIRST))
		return;
	d = find(worker, id);
	if (!d || (!d->has_first && !d->is_spoilt))
		return;
	drop = spoil(worker, d, put_piece(d, piece, is_last));
	if (drop != PARSE_GOOD) {
		batch_drop(batch, i, (enum vsw_drop) drop);
		return;
	}
	take_ports(d, &batch->headers[i]);
	touch(worker->fragments, d, batch->now);
	if (is_whole(d))
		give_up(worker, d, VSW_DROP_FRAGMENT_LOST);
}

/* NULL: no memory. */
static struct fragments *
get(struct vsw_worker *worker)
{
	const struct vsw *vsw = worker->vsw;
	const struct vsw_allocator *allocator = &vsw->allocator;
	uint32_t n_ports = vsw->options.max_ports;
	struct fragments *f = worker->fragments;

	if (f)
		return f;
	f = memory_alloc(allocator, 0, sizeof *f);
	if (!f)
		return NULL;
	f->ports = memory_alloc(allocator, 0, n_ports * sizeof *f->ports);
	if (!f->ports || ranking_init(&f->by_datagrams, allocator, n_ports)
	    || ranking_init(&f->by_waiting, allocator, n_ports)) {
		fragment_free(worker, f);
		return NULL;
	}
	f->all = (struct ages) { NONE, NONE };
	for (uint32_t i = 0; i < n_ports; i++)
		f->ports[i] = f->all;
	memset(f->buckets, 0xff, sizeof f->buckets);
	for (uint16_t i = 0; i < FRAGMENT_DATAGRAMS; i++)
		f->datagrams[i].next = (uint16_t) (i + 1);
	f->datagrams[FRAGMENT_DATAGRAMS - 1].next = NONE;
	for (uint16_t i = 0; i + 1 < FRAGMENT_WAITING; i++)
		f->slots[i].next = &f->slots[i + 1];
	f->free_waiting = &f->slots[0];
	f->last_ready = &f->ready;
	worker->fragments = f;
	return f;
}

/* Pieces that are empty, that are no whole units before the last one, or that
 * end behind the longest packet there can be, belong to no datagram (RFC 791,
 * section 3.2; RFC 8200, section 4.5). */
static bool
read_piece(const struct vsw_packet *packet, const struct headers *h,
	   struct id *ret_id, struct piece *ret_piece, bool *ret_is_last)
{
	const uint8_t *l3 = packet->data + h->l3;
	size_t start, size, before = 0;
	uint32_t number;
	bool more;

	if (h->key.has & FLOW_HAS_IPV4) {
		uint16_t field = get_be16(l3 + 6);

		before = (size_t) (l3[0] & 0x0f) * 4;
		number = get_be16(l3 + 4);
		start = field & IPV4_FRAGMENT_OFFSET;
		more = field & IPV4_MORE_FRAGMENTS;
		size = h->l3_end - h->l3 - before;
	} else {
		size_t at;

		if (!find_header(packet, h, &at))
			return false;
		start = get_be16(packet->data + at + 2) >> 3;
		more = packet->data[at + 3] & 1;
		number = get_be32(packet->data + at + 4);
		size = h->l3_end - at - UNIT;
	}
	if (!size || (more && size % UNIT)
	    || before + start * UNIT + size > DATAGRAM_MAX)
		return false;
	fill_id(h, number, ret_id);
	ret_piece->start = (uint16_t) start;
	ret_piece->end = (uint16_t) (start + (size + UNIT - 1) / UNIT);
	*ret_is_last = !more;
	return true;
}

/* Where the IPv6 fragment header is, which parse.c has come by. */
static bool
find_header(const struct vsw_packet *packet, const struct headers *h,
	    size_t *ret_at)
{
	struct cursor c = cursor_over(packet->data, h->l3_end);
	uint8_t kind = packet->data[h->l3 + 6];

	cursor_skip(&c, (size_t) h->l3 + IPV6_HEADER_SIZE);
	while (kind != IP_PROTO_FRAGMENT) {
		uint8_t next = cursor_u8(&c);
		size_t size = cursor_u8(&c);

		if (kind == IP_PROTO_AH)
			cursor_skip(&c, (size + 2) * 4 - 2);
		else
			cursor_skip(&c, (size + 1) * 8 - 2);
		if (c.is_short)
			return false;
		kind = next;
	}
	*ret_at = c.at;
	return cursor_left(&c) >= UNIT;
}

static void
fill_id(const struct headers *h, uint32_t number, struct id *id)
{
	const struct flow_key *key = &h->key;

	bool is_ipv6 = flow_key_is_ipv6(key);
	size_t n = is_ipv6 ? 16 : 4;

	memset(id, 0, sizeof *id);
	memcpy(id->src, flow_key_ip_src(key), n);
	memcpy(id->dst, flow_key_ip_dst(key), n);
	memcpy(id->tunnel_src, flow_key_tunnel_src(key),
	       flow_key_tunnel_is_ipv6(key) ? 16 : 4);
	id->in_port = key->in_port;
	id->vni = key->vni;
	id->number = number;
	id->vlan = key->vlan;
	id->proto = is_ipv6 ? 0 : key->ip_proto;
	/* Families do not mix, nor what the host has seen with what it has
	 * not; the tunnel's kind takes the lowest four bits. */
	id->tunnel = (uint8_t) (key->tunnel | (is_ipv6 ? 0x10 : 0)
				| (key->has & FLOW_RESUMED ? 0x20 : 0)
				| (flow_key_tunnel_is_ipv6(key) ? 0x40 : 0));
}

static uint16_t *
bucket_of(struct fragments *f, uint32_t hash)
{
	return &f->buckets[hash & (BUCKETS - 1)];
}

/* A port that is gone may have had the number of this one. */
static struct datagram *
find(struct vsw_worker *worker, const struct id *id)
{
	struct fragments *f = worker->fragments;
	uint32_t hash = hash_short(hash_bytes(id, sizeof *id,
					      worker->vsw->seed));

	for (uint16_t i = *bucket_of(f, hash); i != NONE;
	     i = f->datagrams[i].next) {
		struct datagram *d = &f->datagrams[i];

		if (d->hash != hash || memcmp(&d->id, id, sizeof *id))
			continue;
		if (port_of(worker, d))
			return d;
		give_up(worker, d, VSW_DROP_FRAGMENT_LOST);
		return NULL;
	}
	return NULL;
}

static struct datagram *
add(struct vsw_worker *worker, struct vsw_port *port, const struct id *id,
    uint64_t now)
{
	struct fragments *f = worker->fragments;
	struct datagram *d;
	uint16_t *bucket;

	if (f->free == NONE) {
		uint32_t most = ranking_first(&f->by_datagrams);

		give_up(worker, &f->datagrams[f->ports[most].oldest],
			VSW_DROP_FRAGMENT_LIMIT);
	}
	d = &f->datagrams[f->free];
	f->free = d->next;
	*d = (struct datagram) {
		.id = *id, .used_ns = now, .port_serial = port->serial,
		.hash = hash_short(hash_bytes(id, sizeof *id,
					      worker->vsw->seed))
	};
	d->last_waiting = &d->waiting;
	bucket = bucket_of(f, d->hash);
	d->next = *bucket;
	*bucket = place_of(f, d);
	link_newest(f, d);
	f->n++;
	ranking_add(&f->by_datagrams, id->in_port, 1);
	return d;
}

/* What waits does not wait longer because more comes. */
static void
touch(struct fragments *f, struct datagram *d, uint64_t now)
{
	d->used_ns = now;
	unlink_ages(f, d);
	link_newest(f, d);
}

static enum fit
put_piece(struct datagram *d, const struct piece *piece, bool is_last)
{
	uint16_t furthest = d->n_seen ? d->seen[d->n_seen - 1].end : 0;
	const struct piece *seen = d->seen;
	enum fit fit;
	unsigned i = 0;

	if (d->is_spoilt)
		return OVERLAPS;
	while (i < d->n_seen && seen[i].end < piece->start)
		i++;
	if (i < d->n_seen && seen[i].start <= piece->start
	    && seen[i].end >= piece->end)
		return REPEATS;
	if ((d->end && (piece->end > d->end || is_last))
	    || (is_last && furthest > piece->end))
		return OVERLAPS;
	fit = add_range(d, piece, i);
	if (fit == FITS && is_last)
		d->end = piece->end;
	return fit;
}

/* No range before the 'i'th one reaches the piece. */
static enum fit
add_range(struct datagram *d, const struct piece *piece, unsigned i)
{
	struct piece *seen = d->seen;

	if (i < d->n_seen && seen[i].end == piece->start) {
		bool has_next = i + 1 < d->n_seen;

		if (has_next && seen[i + 1].start < piece->end)
			return OVERLAPS;
		seen[i].end = piece->end;
		if (has_next && seen[i + 1].start == piece->end) {
			seen[i].end = seen[i + 1].end;
			d->n_seen--;
			memmove(&seen[i + 1], &seen[i + 2],
				(d->n_seen - i - 1) * sizeof *seen);
		}
		return FITS;
	}
	if (i < d->n_seen && seen[i].start < piece->end)
		return OVERLAPS;
	if (i < d->n_seen && seen[i].start == piece->end) {
		seen[i].start = piece->start;
		return FITS;
	}
	if (d->n_seen == FRAGMENT_RANGES)
		return TOO_MANY;
	memmove(&seen[i + 1], &seen[i], (d->n_seen - i) * sizeof *seen);
	seen[i] = *piece;
	d->n_seen++;
	return FITS;
}

static bool
is_whole(const struct datagram *d)
{
	return d->has_first && d->end && d->n_seen == 1 && !d->seen[0].start
	       && d->seen[0].end == d->end;
}

/* PARSE_GOOD, or what the piece is to be dropped as. */
static int
spoil(struct vsw_worker *worker, struct datagram *d, enum fit fit)
{
	switch (fit) {
	case FITS:
		return PARSE_GOOD;
	case TOO_MANY:
		return VSW_DROP_FRAGMENT_LIMIT;
	case OVERLAPS:
		d->is_spoilt = true;
		drop_waiting(worker, d, VSW_DROP_FRAGMENT_OVERLAP);
		break;
	case REPEATS:
		break;
	}
	return VSW_DROP_FRAGMENT_OVERLAP;
}

static void
take_ports(const struct datagram *d, struct headers *headers)
{
	struct flow_key *key = &headers->key;

	key->has &= (uint8_t) ~FLOW_NO_FIRST;
	key->ip_proto = d->proto;
	if (!d->has_l4)
		return;
	key->has |= FLOW_HAS_L4;
	key->l4_src = d->l4_src;
	key->l4_dst = d->l4_dst;
	headers->icmp_id = d->icmp_id;
}

static void
make_ready(struct fragments *f, struct datagram *d)
{
	ranking_add(&f->by_waiting, d->id.in_port, -(int32_t) d->n_waiting);
	for (struct waiting *slot = d->waiting; slot; slot = slot->next)
		take_ports(d, &slot->headers);
	if (d->waiting) {
		*f->last_ready = d->waiting;
		f->last_ready = d->last_waiting;
	}
	d->waiting = NULL;
	d->last_waiting = &d->waiting;
	d->n_waiting = 0;
}

/* Stays the first of those that are free.  NULL: it may not wait. */
static struct waiting *
take_slot(struct vsw_worker *worker, const struct datagram *d)
{
	struct fragments *f = worker->fragments;
	uint32_t port = d->id.in_port;

	if (d->n_waiting >= FRAGMENT_DATAGRAM_WAITING
	    || ranking_of(&f->by_waiting, port) >= FRAGMENT_PORT_WAITING)
		return NULL;
	while (!f->free_waiting) {
		uint32_t most = ranking_first(&f->by_waiting);
		uint16_t i = f->ports[most].oldest;

		if (ranking_of(&f->by_waiting, most)
		    <= ranking_of(&f->by_waiting, port))
			return NULL;
		while (!f->datagrams[i].n_waiting)
			i = f->datagrams[i].port_newer;
		give_up(worker, &f->datagrams[i], VSW_DROP_FRAGMENT_LIMIT);
	}
	return f->free_waiting;
}

/* What waits does not hold more memory than it needs. */
static struct vsw_packet *
tighten(struct vsw_packet *packet)
{
	struct vsw_packet *clone;

	if (packet->capacity <= ROOMY || packet->size > packet->capacity / 4)
		return packet;
	clone = packet_clone(packet);
	if (!clone)
		return packet;
	vsw_packet_free(packet);
	return clone;
}

static void
drop_waiting(struct vsw_worker *worker, struct datagram *d, enum vsw_drop why)
{
	struct fragments *f = worker->fragments;
	struct vsw_port *port = port_of(worker, d);

	ranking_add(&f->by_waiting, d->id.in_port, -(int32_t) d->n_waiting);
	f->n_waiting = (uint16_t) (f->n_waiting - d->n_waiting);
	while (d->waiting) {
		struct waiting *slot = d->waiting;

		d->waiting = slot->next;
		if (port)
			transmit_drop(worker, port, slot->packet, why);
		else
			vsw_packet_free(slot->packet);
		slot->next = f->free_waiting;
		f->free_waiting = slot;
	}
	d->last_waiting = &d->waiting;
	d->n_waiting = 0;
}

/* NULL: it has gone. */
static struct vsw_port *
port_of(const struct vsw_worker *worker, const struct datagram *d)
{
	struct vsw_port *port = atomic_load_explicit(
		&worker->vsw->ports[d->id.in_port], memory_order_acquire);

	return port && port->serial == d->port_serial ? port : NULL;
}

static void
give_up(struct vsw_worker *worker, struct datagram *d, enum vsw_drop why)
{
	struct fragments *f = worker->fragments;
	uint16_t *at = bucket_of(f, d->hash);

	drop_waiting(worker, d, why);
	while (*at != place_of(f, d))
		at = &f->datagrams[*at].next;
	*at = d->next;
	unlink_ages(f, d);
	ranking_add(&f->by_datagrams, d->id.in_port, -1);
	f->n--;
	d->next = f->free;
	f->free = place_of(f, d);
}

static uint16_t
place_of(const struct fragments *f, const struct datagram *d)
{
	return (uint16_t) (d - f->datagrams);
}

static void
link_newest(struct fragments *f, struct datagram *d)
{
	struct ages *of_port = &f->ports[d->id.in_port];
	uint16_t place = place_of(f, d);

	d->older = f->all.newest;
	d->newer = NONE;
	if (d->older == NONE)
		f->all.oldest = place;
	else
		f->datagrams[d->older].newer = place;
	f->all.newest = place;

	d->port_older = of_port->newest;
	d->port_newer = NONE;
	if (d->port_older == NONE)
		of_port->oldest = place;
	else
		f->datagrams[d->port_older].port_newer = place;
	of_port->newest = place;
}

static void
unlink_ages(struct fragments *f, struct datagram *d)
{
	struct ages *of_port = &f->ports[d->id.in_port];

	if (d->older == NONE)
		f->all.oldest = d->newer;
	else
		f->datagrams[d->older].newer = d->newer;
	if (d->newer == NONE)
		f->all.newest = d->older;
	else
		f->datagrams[d->newer].older = d->older;

	if (d->port_older == NONE)
		of_port->oldest = d->port_newer;
	else
		f->datagrams[d->port_older].port_newer = d->port_newer;
	if (d->port_newer == NONE)
		of_port->newest = d->port_older;
	else
		f->datagrams[d->port_newer].port_older = d->port_older;
}
