/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/oracle/wire.h"

#include <string.h>
#include "tests/oracle/bytes.h"
#include "tests/walk/frame.h"

static size_t header_size(const struct m_packet *);
static size_t l3_at(const struct m_packet *);
static size_t l4_at(const struct m_packet *);
static void set_lengths(const struct m_packet *, uint8_t *frame, size_t size);
static void put(uint8_t *to, uint32_t value, unsigned n);
static uint32_t get(const uint8_t *from, unsigned n);

void
wire_macs(uint8_t own[6], uint8_t next_hop[6])
{
	memcpy(own, "\2\0\0\0\12\1", 6);
	memcpy(next_hop, "\2\0\0\0\12\376", 6);
}

size_t
wire_wrap(const struct m_packet *p, const uint8_t *frame, size_t size,
	  uint8_t *b)
{
	struct vsw_addr src = bytes_pa(p->tunnel_src);
	struct vsw_addr dst = bytes_pa(p->tunnel_dst);
	bool is_v4 = src.n == 4, is_vxlan = p->encap == VSW_ENCAP_VXLAN;
	size_t ip_size = is_v4 ? 20 : 40, l4_size = is_vxlan ? 16 : 8;
	uint8_t *ip = b + 14, *l4 = ip + ip_size;

	memset(b, 0, WIRE_ROOM);
	wire_macs(b, b + 6);
	put(b + 12, is_v4 ? 0x0800 : 0x86dd, 2);
	if (is_v4) {
		ip[0] = 0x45;
		put(ip + 2, (uint32_t) (20 + l4_size + size), 2);
		ip[8] = 60;
		ip[9] = is_vxlan ? 17 : 47;
		memcpy(ip + 12, src.bytes, 4);
		memcpy(ip + 16, dst.bytes, 4);
		put(ip + 10, frame_naive_checksum(ip, 20, 0), 2);
	} else {
		ip[0] = 0x60;
		put(ip + 4, (uint32_t) (l4_size + size), 2);
		ip[6] = is_vxlan ? 17 : 47;
		ip[7] = 60;
		memcpy(ip + 8, src.bytes, 16);
		memcpy(ip + 24, dst.bytes, 16);
	}
	if (is_vxlan) {
		put(l4, 50000, 2);
		put(l4 + 2, 4789, 2);
		put(l4 + 4, (uint32_t) (l4_size + size), 2);
		l4[8] = 0x08;
		put(l4 + 12, p->vni, 3);
	} else {
		put(l4, 0x20006558, 4);
		put(l4 + 4, p->vni << 8 | 7, 4);
	}
	memcpy(l4 + l4_size, frame, size);
	return 14 + ip_size + l4_size + size;
}

size_t
wire_unwrap(const uint8_t *b, size_t size, struct vsw_tunnel *t)
{
	bool is_v4 = size > 14 && get(b + 12, 2) == 0x0800;
	struct vsw_addr own = bytes_pa(is_v4 ? WIRE_PA4 : WIRE_PA6);
	size_t ip_size = is_v4 ? 20 : 40;
	const uint8_t *ip = b + 14, *l4 = ip + ip_size;
	uint8_t own_mac[6], next_hop[6];
	unsigned proto;

	wire_macs(own_mac, next_hop);
	if (size < 14 + ip_size + 16 || memcmp(b, next_hop, 6)
	    || memcmp(b + 6, own_mac, 6)
	    || (!is_v4 && get(b + 12, 2) != 0x86dd))
		return 0;
	*t = (struct vsw_tunnel) { .dst.n = own.n };
	proto = is_v4 ? ip[9] : ip[6];
	if (memcmp(is_v4 ? ip + 12 : ip + 8, own.bytes, own.n))
		return 0;
	memcpy(t->dst.bytes, is_v4 ? ip + 16 : ip + 24, own.n);
	if (proto == 17) {
		t->encap = VSW_ENCAP_VXLAN;
		t->vni = get(l4 + 12, 3);
		if (get(l4, 2) < 49152 || get(l4 + 2, 2) != 4789
		    || get(l4 + 8, 4) != 0x08000000 || l4[15])
			return 0;
		return 14 + ip_size + 16;
	}
	t->encap = VSW_ENCAP_NVGRE;
	t->vni = get(l4 + 4, 3);
	return proto == 47 && get(l4, 4) == 0x20006558 ? 14 + ip_size + 8 : 0;
}

size_t
large_make(const struct m_packet *p, size_t n, uint8_t *f)
{
	size_t size = header_size(p) + n, l4 = l4_at(p);
	size_t addrs = p->type == M_IPV6 ? 32 : 8;
	uint8_t pseudo[36];

	bytes_frame(p, f);
	for (size_t i = 0; i < n; i++)
		f[size - n + i] = (uint8_t) (i * 7 + i / 256);
	set_lengths(p, f, size);
	memcpy(pseudo, f + l4 - addrs, addrs);
	put(pseudo + addrs, (uint32_t) (size - l4), 2);
	put(pseudo + addrs + 2, p->proto, 2);
	/* Summed up, and not yet turned round. */
	put(f + l4 + (p->proto == 17 ? 6 : 16),
	    0xffffu - frame_naive_checksum(pseudo, addrs + 4, 0), 2);
	return size;
}

struct vsw_offload
large_offload(const struct m_packet *p, uint16_t segment)
{
	return (struct vsw_offload) {
		.segment_kind = !segment ? VSW_SEGMENT_NONE
				: p->proto == 17 ? VSW_SEGMENT_UDP
				: p->type == M_IPV4 ? VSW_SEGMENT_TCP4
						    : VSW_SEGMENT_TCP6,
		.segment_size = segment, .checksum = VSW_CHECKSUM_PARTIAL,
		.checksum_start = (uint16_t) l4_at(p),
		.checksum_offset = p->proto == 17 ? 6 : 16
	};
}

bool
large_follows(const struct m_packet *p, size_t n, uint16_t segment,
	      const uint8_t *frame, size_t size,
	      const struct vsw_offload *offload, unsigned i, size_t *at)
{
	static uint8_t whole[FRAME_ROOM], piece[FRAME_ROOM];
	size_t head = header_size(p), l4 = l4_at(p), n_here = size - head;
	bool is_cut = segment && !offload->segment_kind;
	size_t expected = !is_cut ? n : n - *at < segment ? n - *at : segment;
	uint32_t id = 0;

	if (size < head || n_here != expected)
		return false;
	large_make(p, n, whole);
	memcpy(piece, frame, size);
	if (memcmp(piece + head, whole + head + *at, n_here))
		return false;
	/* What differs from piece to piece, each for its own reason; sums are
	 * another reader's. */
	set_lengths(p, whole, size);
	if (p->type == M_IPV4) {
		id = (get(whole + l3_at(p) + 4, 2) + i) & 0xffff;
		if (get(piece + l3_at(p) + 4, 2) != id)
			return false;
		memcpy(whole + l3_at(p) + 4, piece + l3_at(p) + 4, 2);
		memcpy(whole + l3_at(p) + 10, piece + l3_at(p) + 10, 2);
	}
	if (p->proto == 6) {
		put(whole + l4 + 4,
		    get(whole + l4 + 4, 4) + (uint32_t) *at, 4);
		memcpy(whole + l4 + 16, piece + l4 + 16, 2);
	} else {
		memcpy(whole + l4 + 6, piece + l4 + 6, 2);
	}
	*at += n_here;
	return !memcmp(piece, whole, head);
}

/* A model's frame has 8 bytes of payload behind UDP, and 4 behind TCP. */
static size_t
header_size(const struct m_packet *p)
{
	return l4_at(p) + (p->proto == 17 ? 8 : 20);
}

static size_t
l3_at(const struct m_packet *p)
{
	return p->vlan ? 18 : 14;
}

static size_t
l4_at(const struct m_packet *p)
{
	return l3_at(p) + (p->type == M_IPV4 ? 20 : 40);
}

static void
set_lengths(const struct m_packet *p, uint8_t *f, size_t size)
{
	uint8_t *l3 = f + l3_at(p), *l4 = f + l4_at(p);

	if (p->type == M_IPV4) {
		put(l3 + 2, (uint32_t) (size - l3_at(p)), 2);
		put(l3 + 10, 0, 2);
		put(l3 + 10, frame_naive_checksum(l3, 20, 0), 2);
	} else {
		put(l3 + 4, (uint32_t) (size - l4_at(p)), 2);
	}
	if (p->proto == 17)
		put(l4 + 4, (uint32_t) (size - l4_at(p)), 2);
}

static void
put(uint8_t *to, uint32_t value, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		to[i] = (uint8_t) (value >> 8 * (n - 1 - i));
}

static uint32_t
get(const uint8_t *from, unsigned n)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value = value << 8 | from[i];
	return value;
}
