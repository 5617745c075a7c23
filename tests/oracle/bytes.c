/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/oracle/bytes.h"

#include <string.h>

static size_t frame_ipv4(const struct m_packet *, uint8_t *f);
static size_t frame_ipv6(const struct m_packet *, uint8_t *f);
static size_t frame_l4(const struct m_packet *, uint8_t *f);
static void sum_fragment(const struct m_packet *, uint8_t *field);
static void sum_l4(const struct m_packet *, uint8_t *f, unsigned n);
static uint16_t checksum(const uint8_t *p, unsigned n);

void
bytes_mac(unsigned mac, uint8_t bytes[6])
{
	memcpy(bytes, "\2\0\0\0\0\0", 6);
	if (mac == 6)
		bytes[0] = 1;
	if (mac == 7)
		memset(bytes, 0xff, 6);
	else
		bytes[5] = (uint8_t) mac;
}

struct vsw_addr
bytes_addr(unsigned n, unsigned i)
{
	struct vsw_addr addr = { .n = (uint8_t) n };

	memcpy(addr.bytes, n == 4 ? "\12\0\0" : "\x20\1\xd\xb8",
	       n == 4 ? 3 : 4);
	addr.bytes[n - 1] = (uint8_t) i;
	return addr;
}

struct vsw_addr
bytes_pa(unsigned pa)
{
	struct vsw_addr addr = bytes_addr(pa < 4 ? 4 : 16, pa + 100);

	addr.bytes[0] ^= 0x40;
	return addr;
}

uint16_t
bytes_eth_type(enum m_type type)
{
	return type == M_IPV4 ? 0x0800 : type == M_IPV6 ? 0x86dd
	       : type == M_ARP ? 0x0806 : 0x88b5;
}

size_t
bytes_frame(const struct m_packet *p, uint8_t frame[128])
{
	struct vsw_addr src = bytes_addr(p->type == M_IPV6 ? 16 : 4, p->src);
	struct vsw_addr dst = bytes_addr(src.n, p->dst);
	uint8_t *f = frame;

	memset(frame, 0, 128);
	memcpy(f, p->eth_dst, 6);
	memcpy(f + 6, p->eth_src, 6);
	f += 12;
	if (p->vlan) {
		bytes_put(f, 0x8100, 2);
		bytes_put(f + 2, p->vlan, 2);
		f += 4;
	}
	bytes_put(f, bytes_eth_type(p->type), 2);
	f += 2;
	switch (p->type) {
	case M_RAW:
		return (size_t) (f - frame) + 46;
	case M_ARP:
		memcpy(f, "\0\1\x08\0\6\4\0", 7);
		f[7] = p->proto;
		memcpy(f + 14, src.bytes, 4);
		memcpy(f + 24, dst.bytes, 4);
		return (size_t) (f - frame) + (p->is_trimmed ? 28 : 46);
	case M_IPV4:
		return (size_t) (f - frame) + frame_ipv4(p, f);
	case M_IPV6:
		return (size_t) (f - frame) + frame_ipv6(p, f);
	}
	return 0;
}

size_t
bytes_piece(const struct m_packet *p, unsigned mtu, unsigned piece,
	    uint8_t frame[128])
{
	uint8_t whole[128], *ip = frame + (p->vlan ? 18 : 14);
	size_t head = (size_t) (ip - frame) + 20;
	size_t n = bytes_frame(p, whole) - head;
	size_t room = (mtu - 20) / 8 * 8, at = 0, n_here = room;
	unsigned place;

	/* The last one may take what is not a whole unit. */
	for (; piece && n - at > mtu - 20; piece--)
		at += room;
	if (piece)
		return 0;
	if (n - at <= mtu - 20)
		n_here = n - at;
	memset(frame, 0, 128);
	memcpy(frame, whole, head);
	memcpy(ip + 20, whole + head + at, n_here);
	place = (unsigned) (ip[6] << 8 | ip[7]) + (unsigned) at / 8;
	if (at + n_here < n)
		place |= 0x2000;
	bytes_put(ip + 2, (uint32_t) (20 + n_here), 2);
	bytes_put(ip + 6, place, 2);
	bytes_put(ip + 10, 0, 2);
	bytes_put(ip + 10, checksum(ip, 20), 2);
	return head + n_here;
}

unsigned
bytes_size(const struct m_packet *p)
{
	unsigned headers = p->type == M_IPV4 ? 20 : 40;
	uint8_t frame[128];

	if (p->type == M_ARP)
		return 28;
	if (!p->large)
		return (unsigned) bytes_frame(p, frame) - (p->vlan ? 18 : 14);
	headers += p->proto == 17 ? 8 : 20;
	return headers + (p->segment && p->segment < p->large ? p->segment
							       : p->large);
}

unsigned
bytes_first_units(const struct m_packet *p)
{
	return (p->proto == 6 ? 3u : 2u) + p->has_options;
}

void
bytes_put(uint8_t *to, uint32_t value, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		to[i] = (uint8_t) (value >> 8 * (n - 1 - i));
}

static size_t
frame_ipv4(const struct m_packet *p, uint8_t *f)
{
	struct vsw_addr src = bytes_addr(4, p->src);
	struct vsw_addr dst = bytes_addr(4, p->dst);
	bool has_more = p->fragment && !p->is_last;
	size_t n = frame_l4(p, f + 20);

	f[0] = 0x45;
	bytes_put(f + 2, (uint32_t) (20 + n), 2);
	bytes_put(f + 4, p->id, 2);
	if (p->fragment == VSW_FRAGMENT_LATER)
		bytes_put(f + 6, p->at, 2);
	f[6] |= has_more ? 0x20 : 0;
	f[8] = p->ttl;
	f[9] = p->proto;
	memcpy(f + 12, src.bytes, 4);
	memcpy(f + 16, dst.bytes, 4);
	bytes_put(f + 10, checksum(f, 20), 2);
	return 20 + n;
}

static size_t
frame_ipv6(const struct m_packet *p, uint8_t *f)
{
	struct vsw_addr src = bytes_addr(16, p->src);
	struct vsw_addr dst = bytes_addr(16, p->dst);
	size_t extra = p->fragment ? 8 : 0;
	size_t n = extra + frame_l4(p, f + 40 + extra);

	f[0] = 0x60;
	bytes_put(f + 4, (uint32_t) n, 2);
	f[6] = p->fragment ? 44 : p->proto;
	f[7] = p->ttl;
	memcpy(f + 8, src.bytes, 16);
	memcpy(f + 24, dst.bytes, 16);
	if (!p->fragment)
		return 40 + n;
	f[40] = p->has_options ? 60 : p->proto;
	if (p->fragment == VSW_FRAGMENT_LATER)
		bytes_put(f + 42, p->at * 8u, 2);
	f[43] |= !p->is_last;
	bytes_put(f + 44, p->id, 4);
	return 40 + n;
}

static size_t
frame_l4(const struct m_packet *p, uint8_t *f)
{
	unsigned n;

	if (p->fragment == VSW_FRAGMENT_LATER) {
		memset(f, 0x5a, p->units * 8u);
		return p->units * 8u;
	}
	if (p->fragment && p->has_options) {
		struct m_packet rest = *p;

		/* Six bytes of padding: RFC 8200, section 4.2. */
		memcpy(f, "\0\0\1\4\0\0\0\0", 8);
		f[0] = p->proto;
		rest.has_options = false;
		return 8 + frame_l4(&rest, f + 8);
	}
	if (p->proto != 6 && p->proto != 17) {
		memset(f, 0x33, 16);
		return 16;
	}
	bytes_put(f, p->l4_src, 2);
	bytes_put(f + 2, p->l4_dst, 2);
	if (p->proto == 17)
		bytes_put(f + 4, 16, 2);
	else
		f[12] = p->mss ? 0x60 : 0x50;	/* TCP. */
	if (p->proto == 6 && p->mss) {
		f[13] = 0x02;
		f[20] = 2;
		f[21] = 4;
		bytes_put(f + 22, p->mss, 2);
	}
	n = p->proto == 17 ? 16 : 24;
	if (p->fragment)
		sum_fragment(p, f + (p->proto == 17 ? 6 : 16));
	else
		sum_l4(p, f, n);
	return n;
}

/* It is another's sum, too, of which is known what it was before the address
 * was another. */
static void
sum_fragment(const struct m_packet *p, uint8_t *field)
{
	struct vsw_addr is = bytes_addr(p->type == M_IPV6 ? 16 : 4, p->dst);
	struct vsw_addr was = bytes_addr(is.n, (unsigned) p->was_dst);
	uint32_t sum = 0xffff - 0xbeef;

	for (unsigned i = 0; p->was_dst >= 0 && i < is.n; i += 2)
		sum += (uint32_t) (is.bytes[i] << 8 | is.bytes[i + 1])
		       + 0xffff
		       - (uint32_t) (was.bytes[i] << 8 | was.bytes[i + 1]);
	if (p->was_mss)
		sum += p->mss + 0xffffu - p->was_mss;
	sum = 0xffff - sum % 0xffff;
	bytes_put(field, p->proto == 17 || sum != 0xffff ? sum : 0, 2);
}

/* RFC 768, RFC 9293, section 3.1: over a pseudo header, too. */
static void
sum_l4(const struct m_packet *p, uint8_t *f, unsigned n)
{
	struct vsw_addr src = bytes_addr(p->type == M_IPV6 ? 16 : 4, p->src);
	struct vsw_addr dst = bytes_addr(src.n, p->dst);
	uint8_t *field = f + (p->proto == 17 ? 6 : 16), all[128];
	uint16_t sum;

	memcpy(all, src.bytes, src.n);
	memcpy(all + src.n, dst.bytes, src.n);
	bytes_put(all + 2 * src.n, n, 2);
	bytes_put(all + 2 * src.n + 2, p->proto, 2);
	bytes_put(field, 0, 2);
	memcpy(all + 2 * src.n + 4, f, n);
	sum = checksum(all, 2u * src.n + 4 + n);
	bytes_put(field, sum ? sum : 0xffff, 2);
}

static uint16_t
checksum(const uint8_t *p, unsigned n)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < n; i += 2)
		sum += (uint32_t) (p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~sum;
}
