/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/device/coalesce.h"

#include <string.h>
#include <vswitch.h>

#include "libvswitch/device/sum.h"

enum {
	TCP_FIN = 0x01,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_ECE = 0x40,
	/* Segments smaller than this gain too little. */
	MIN_PAYLOAD = 64,
	MAX_IP_SIZE = 65535
};

static bool may_open(const uint8_t *frame, size_t size, const struct inner *,
		     const struct arrival *);
static bool append(struct coalesce *, const uint8_t *frame, size_t size,
		   const struct inner *, const struct vsw_tunnel *);
static bool same_headers(const struct coalesce *, const uint8_t *first,
			 const uint8_t *frame, const struct inner *);
static bool same_tunnel(const struct vsw_tunnel *, const struct vsw_tunnel *);
static bool header_is_good(const uint8_t *frame, const struct inner *);
static bool is_partial(const uint8_t *frame, const struct inner *);
static bool checksum_is_good(const uint8_t *frame, const struct inner *);
static struct vsw_packet *add_packet(struct coalesce *, const uint8_t *frame,
				     size_t size, size_t room,
				     const struct vsw_tunnel *);
static void mark_partial(struct vsw_packet *, const struct inner *,
			 const struct arrival *);
static void close_open(struct coalesce *);
static void write_headers(const struct coalesce *, uint8_t *frame);

void
coalesce_init(struct coalesce *c, struct vsw_worker *worker,
	      struct vsw_port *port, uint64_t now)
{
	c->worker = worker;
	c->port = port;
	c->now = now;
	c->n = 0;
	c->n_no_memory = 0;
	c->open = false;
}

void
coalesce_add(struct coalesce *c, const uint8_t *frame, size_t size,
	     const struct arrival *arrival)
{
	struct inner inner;
	struct vsw_packet *packet;
	bool known = inner_parse(frame, size, &inner);
	bool partial = known && is_partial(frame, &inner);
	bool opens;

	if (c->open && known
	    && append(c, frame, size, &inner, arrival->tunnel))
		return;
	close_open(c);

	opens = known && !partial && may_open(frame, size, &inner, arrival)
		&& checksum_is_good(frame, &inner);
	packet = add_packet(c, frame, size, opens ? VSW_PACKET_MAX : size,
			    arrival->tunnel);
	if (!packet)
		return;
	if (partial)
		mark_partial(packet, &inner, arrival);
	if (!opens)
		return;
	vsw_packet_offload(packet)->checksum = VSW_CHECKSUM_GOOD;
	c->open = true;
	c->size = (uint32_t) size;
	c->inner = inner;
	c->segment_size = (uint16_t) (inner.end - inner.payload);
	c->n_segments = 1;
	c->last_flags = 0;
}

void
coalesce_flush(struct coalesce *c)
{
	close_open(c);
	if (c->n)
		vsw_worker_receive(c->worker, c->port, c->packets, c->n,
				   c->now);
	c->n = 0;
	if (c->n_no_memory)
		vsw_port_count_drops(c->port, c->worker, VSW_DROP_NO_MEMORY,
				     c->n_no_memory);
	c->n_no_memory = 0;
}

/* Whether another frame might follow this one in the same packet.  TCP goes on
 * in the next message, too; a datagram mostly stands alone. */
static bool
may_open(const uint8_t *frame, size_t size, const struct inner *inner,
	 const struct arrival *arrival)
{
	size_t payload_size = inner->end - inner->payload;

	if (inner->end != size || !header_is_good(frame, inner))
		return false;
	if (inner->protocol == INNER_UDP)
		return arrival->more && payload_size > 0;
	return payload_size >= MIN_PAYLOAD
	       && (frame[inner->l4 + 13] & ~TCP_ECE) == TCP_ACK;
}

/* Returns false, and has done nothing, if the frame does not continue the open
 * packet. */
static bool
append(struct coalesce *c, const uint8_t *frame, size_t size,
       const struct inner *inner, const struct vsw_tunnel *tunnel)
{
	struct vsw_packet *packet = c->packets[c->n - 1];
	uint8_t *first = vsw_packet_data(packet);
	size_t payload_size = inner->end - inner->payload;

	if (inner->protocol != c->inner.protocol
	    || inner->version != c->inner.version
	    || inner->l3 != c->inner.l3
	    || inner->l4 != c->inner.l4
	    || inner->payload != c->inner.payload
	    || inner->end != size
	    || payload_size == 0
	    || payload_size > c->segment_size
	    || c->size + payload_size > c->inner.l3 + (size_t) MAX_IP_SIZE
	    || c->size + payload_size > VSW_PACKET_MAX
	    || !same_headers(c, first, frame, inner)
	    || !same_tunnel(vsw_packet_tunnel(packet), tunnel)
	    || !header_is_good(frame, inner)
	    || !checksum_is_good(frame, inner))
		return false;

	memcpy(first + c->size, frame + inner->payload, payload_size);
	c->size += (uint32_t) payload_size;
	c->n_segments++;
	if (inner->protocol == INNER_TCP)
		c->last_flags = frame[inner->l4 + 13] & (TCP_PSH | TCP_FIN);
	if (payload_size < c->segment_size || c->last_flags
	    || (inner->protocol == INNER_UDP
		&& c->n_segments == COALESCE_MAX_DATAGRAMS))
		close_open(c);
	return true;
}

/* Equal in all that cutting repeats, and next in what it counts on. */
static bool
same_headers(const struct coalesce *c, const uint8_t *first,
	     const uint8_t *frame, const struct inner *inner)
{
	const uint8_t *a = first + inner->l3, *b = frame + inner->l3;
	const uint8_t *s = first + inner->l4, *t = frame + inner->l4;
	uint32_t n_bytes = c->size - c->inner.payload;

	if (memcmp(first, frame, inner->l3))
		return false;
	if (inner->version == 4) {
		if (a[0] != b[0] || a[1] != b[1] || memcmp(a + 6, b + 6, 4)
		    || memcmp(a + 12, b + 12, 8)
		    || (uint16_t) (be16_get(a + 4) + c->n_segments)
		       != be16_get(b + 4))
			return false;
	} else if (memcmp(a, b, 4) || memcmp(a + 6, b + 6, 34)) {
		return false;
	}
	if (inner->protocol == INNER_UDP)
		return !memcmp(s, t, 4);
	return !memcmp(s, t, 4)
	       && be32_get(s + 4) + n_bytes == be32_get(t + 4)
	       && !memcmp(s + 8, t + 8, 5)
	       && s[13] == (t[13] & ~(TCP_PSH | TCP_FIN))
	       && !memcmp(s + 14, t + 14, 2)
	       && !memcmp(s + 18, t + 18, inner->payload - inner->l4 - 18u);
}

static bool
same_tunnel(const struct vsw_tunnel *a, const struct vsw_tunnel *b)
{
	return a->vni == b->vni && a->encap == b->encap && a->tos == b->tos
	       && a->flow_id == b->flow_id
	       && !memcmp(&a->src, &b->src, sizeof a->src)
	       && !memcmp(&a->dst, &b->dst, sizeof a->dst);
}

/* IPv4 without options, and its checksum. */
static bool
header_is_good(const uint8_t *frame, const struct inner *inner)
{
	if (inner->version == 6)
		return true;
	return inner->l4 - inner->l3 == 20
	       && !(be16_get(frame + inner->l3 + 6) & 0x8000)
	       && sum_get(frame + inner->l3 + 10) != 0xffff
	       && sum_fold(sum_add(0, frame + inner->l3, 20))
		  == 0xffff;
}

/* The field holds the pseudo header's sum, which a checksum that was really
 * made does once in 65536 times; to make it again does no harm then. */
static bool
is_partial(const uint8_t *frame, const struct inner *inner)
{
	uint16_t field = sum_get(frame + inner->l4
				      + inner_checksum_offset(inner));

	return field != 0
	       && field == sum_fold(inner_pseudo_sum(
			frame, inner, inner->end - inner->l4));
}

/* Of the two ways to write zero, cutting knows one: 0xffff for UDP, where 0
 * says that there is no checksum, and 0 for TCP. */
static bool
checksum_is_good(const uint8_t *frame, const struct inner *inner)
{
	size_t l4_size = inner->end - inner->l4;
	uint64_t sum = inner_pseudo_sum(frame, inner, l4_size);
	uint16_t field = sum_get(frame + inner->l4
				 + inner_checksum_offset(inner));

	return field != (inner->protocol == INNER_UDP ? 0 : 0xffff)
	       && sum_fold(sum_add(sum, frame + inner->l4, l4_size))
		  == 0xffff;
}

/* Adds a packet that holds 'frame' and has room for 'room' bytes. */
static struct vsw_packet *
add_packet(struct coalesce *c, const uint8_t *frame, size_t size, size_t room,
	   const struct vsw_tunnel *tunnel)
{
	struct vsw_packet *packet;

	if (c->n == DEVICE_BATCH) {
		vsw_worker_receive(c->worker, c->port, c->packets, c->n,
				   c->now);
		c->n = 0;
	}
	packet = vsw_packet_new(c->worker, room);
	if (!packet) {
		c->n_no_memory++;
		return NULL;
	}
	memcpy(vsw_packet_data(packet), frame, size);
	*vsw_packet_tunnel(packet) = *tunnel;
	c->packets[c->n++] = packet;
	return packet;
}

static void
mark_partial(struct vsw_packet *packet, const struct inner *inner,
	     const struct arrival *arrival)
{
	struct vsw_offload *offload = vsw_packet_offload(packet);
	size_t header_size = inner->payload - inner->l3;

	/* The sum goes to the packet's end, and must not take padding in. */
	vsw_packet_trim(packet, inner->end);
	offload->checksum = VSW_CHECKSUM_PARTIAL;
	offload->checksum_start = inner->l4;
	offload->checksum_offset = inner_checksum_offset(inner);
	if (inner->protocol == INNER_UDP) {
		if (arrival->segment_size == 0)
			return;
		offload->segment_kind = VSW_SEGMENT_UDP;
		offload->segment_size = arrival->segment_size;
		return;
	}
	if (inner->end - inner->l3 <= arrival->inner_mtu
	    || arrival->inner_mtu <= header_size)
		return;
	offload->segment_kind = inner->version == 4 ? VSW_SEGMENT_TCP4
						    : VSW_SEGMENT_TCP6;
	offload->segment_size = (uint16_t) (arrival->inner_mtu - header_size);
}

static void
close_open(struct coalesce *c)
{
	struct vsw_packet *packet;
	struct vsw_offload *offload;

	if (!c->open)
		return;
	c->open = false;
	packet = c->packets[c->n - 1];
	vsw_packet_trim(packet, c->size);
	if (c->n_segments == 1)
		return;
	write_headers(c, vsw_packet_data(packet));
	offload = vsw_packet_offload(packet);
	offload->segment_kind = c->inner.protocol == INNER_UDP
		? VSW_SEGMENT_UDP : c->inner.version == 4
		? VSW_SEGMENT_TCP4 : VSW_SEGMENT_TCP6;
	offload->segment_size = c->segment_size;
	offload->checksum = VSW_CHECKSUM_PARTIAL;
	offload->checksum_start = c->inner.l4;
	offload->checksum_offset = inner_checksum_offset(&c->inner);
}

static void
write_headers(const struct coalesce *c, uint8_t *frame)
{
	uint8_t *ip = frame + c->inner.l3, *l4 = frame + c->inner.l4;
	size_t l4_size = c->size - c->inner.l4;

	if (c->inner.version == 4) {
		be16_put(ip + 2, (uint16_t) (c->size - c->inner.l3));
		memset(ip + 10, 0, 2);
		sum_put(ip + 10, (uint16_t) ~sum_fold(sum_add(0, ip, 20)));
	} else {
		be16_put(ip + 4, (uint16_t) l4_size);
	}
	if (c->inner.protocol == INNER_UDP)
		be16_put(l4 + 4, (uint16_t) l4_size);
	else
		l4[13] |= c->last_flags;
	sum_put(l4 + inner_checksum_offset(&c->inner),
		sum_fold(inner_pseudo_sum(frame, &c->inner, l4_size)));
}
