/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/address.h"

#include <string.h>
#include "libvswitch/base/checksum.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/compose.h"
#include "libvswitch/datapath/describe.h"
#include "libvswitch/datapath/narrate.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/policy/entry.h"

enum {
	IPV4_CHECKSUM_OFFSET = 10, IPV4_DST_OFFSET = 16, IPV6_DST_OFFSET = 24,
	IP_PROTO_DCCP = 33, DCCP_CHECKSUM_OFFSET = 6,
	IP_PROTO_UDP_LITE = 136
};

static void address_ip(struct composition *, const uint8_t *addr, unsigned n);
static uint8_t *find_checksum(struct vsw_packet *, const struct headers *);
static void update(uint8_t *field, const uint8_t *old, const uint8_t *new,
		   unsigned n);

void
address_copy(struct composition *c, uint32_t i)
{
	static const uint8_t nobody[6];
	const struct inhabitant *who = places_inhabitants(c->places,
							  c->n_places);
	const struct place *place = &c->places[i];

	if (memcmp(place->mac, nobody, 6))
		compose_set_mac(c, REWRITE_ETH_DST, place->mac);
	if (!who || c->addressing != ADDRESSING_IP)
		return;
	if (c->key.has & FLOW_HAS_IPV4 && who[i].has_v4)
		address_ip(c, who[i].v4, 4);
	else if (c->key.has & FLOW_HAS_IPV6 && who[i].has_v6)
		address_ip(c, who[i].v6, 16);
}

void
address_set(struct vsw_packet *packet, const struct headers *h,
	    const struct new_address *to)
{
	bool is_ipv6 = flow_key_is_ipv6(&h->key);
	unsigned n = is_ipv6 ? 16 : 4;
	uint8_t *ip = packet->data + h->l3;
	uint8_t *dst = ip + (is_ipv6 ? IPV6_DST_OFFSET : IPV4_DST_OFFSET);
	uint8_t *field = find_checksum(packet, h);

	if (!is_ipv6)
		update(ip + IPV4_CHECKSUM_OFFSET, dst, to->bytes, n);
	if (field && packet->offload.checksum == VSW_CHECKSUM_PARTIAL) {
		/* The pseudo header's sum, which is no complement. */
		update(field, to->bytes, dst, n);
	} else if (field) {
		bool is_udp = h->key.ip_proto == IP_PROTO_UDP;

		/* Zero says that there is none (RFC 768). */
		if (!is_udp || get_be16(field))
			update(field, dst, to->bytes, n);
		else
			is_udp = false;
		if (is_udp && !get_be16(field))
			put_be16(field, 0xffff);
	}
	memcpy(dst, to->bytes, n);
}

static void
address_ip(struct composition *c, const uint8_t *addr, unsigned n)
{
	if (c->narrator) {
		char text[DESCRIBE_ADDR_SIZE];

		describe_addr(addr, n, text);
		narrate(c->narrator, "destination address becomes %s", text);
	}
	c->rewrite.has_address = true;
	memset(&c->address, 0, sizeof c->address);
	memcpy(c->address.bytes, addr, n);
	memcpy(n == 4 ? c->key.ip_dst : c->key.ip6_dst, addr, n);
}

/* Of what sums up a pseudo header; NULL: nothing does, or it is not here. */
static uint8_t *
find_checksum(struct vsw_packet *packet, const struct headers *h)
{
	unsigned offset;

	if (h->l4 == HEADER_NONE || h->key.fragment == VSW_FRAGMENT_LATER)
		return NULL;
	switch (h->key.ip_proto) {
	case IP_PROTO_TCP:
		offset = TCP_CHECKSUM_OFFSET;
		break;
	case IP_PROTO_UDP:
	case IP_PROTO_UDP_LITE:
		offset = UDP_CHECKSUM_OFFSET;
		break;
	case IP_PROTO_DCCP:
		offset = DCCP_CHECKSUM_OFFSET;
		break;
	case IP_PROTO_ICMPV6:
		if (!flow_key_is_ipv6(&h->key))
			return NULL;
		offset = ICMP_CHECKSUM_OFFSET;
		break;
	default:
		return NULL;
	}
	return h->l4 + offset + 2 <= h->l3_end ? packet->data + h->l4 + offset
					       : NULL;
}

/* Equation 3 of RFC 1624, word by word. */
static void
update(uint8_t *field, const uint8_t *old, const uint8_t *new, unsigned n)
{
	uint16_t checksum = get_be16(field);

	for (unsigned i = 0; i < n; i += 2)
		checksum = checksum_update(checksum, get_be16(old + i),
					   get_be16(new + i));
	put_be16(field, checksum);
}
