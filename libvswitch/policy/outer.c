/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/outer.h"

#include <string.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/policy/port.h"

static void put_all(struct outer *, const struct vsw_underlay *,
		    const uint8_t mac[6]);
static size_t put_ethernet(uint8_t *, const struct vsw_underlay *,
			   const uint8_t mac[6], unsigned eth_type);
static size_t put_ipv4(uint8_t *, const struct vsw_underlay *,
		       const struct vsw_addr *pa, unsigned proto);
static size_t put_ipv6(uint8_t *, const struct vsw_underlay *,
		       const struct vsw_addr *pa, unsigned proto);
static size_t put_tunnel(uint8_t *, const struct vsw_underlay *,
			 uint8_t encap, uint32_t vni);
static uint32_t sum(const uint8_t *, size_t n);

void
outer_build(struct vsw_port *port, const struct vsw_addr *pa, uint8_t encap,
	    uint32_t vni, const uint8_t mac[6], struct outer *outer)
{
	const struct uplink *uplink = NULL;
	const struct vsw_addr *local;
	bool is_v6 = pa->n == 16;

	*outer = (struct outer) {
		.drop = VSW_DROP_NO_UPLINK,
		.tunnel = { .dst = *pa, .vni = vni, .encap = encap }
	};
	if (port)
		outer->max_size = outer_max_size(port, is_v6, encap);
	if (port && port->ops.abilities & VSW_PORT_TUNNEL) {
		if (port->ops.abilities & (is_v6 ? VSW_PORT_ONLY_IPV4
						 : VSW_PORT_ONLY_IPV6))
			return;
		outer->uplink = port;
		outer->drop = VSW_N_DROPS;
		return;
	}
	if (port)
		uplink = atomic_load_explicit(&port->uplink,
					      memory_order_acquire);
	if (!uplink)
		return;
	local = is_v6 ? &uplink->underlay.local_v6
		      : &uplink->underlay.local_v4;
	if (!local->n)
		return;
	if (!mac) {
		outer->drop = VSW_DROP_NO_NEXT_HOP;
		return;
	}
	outer->uplink = port;
	outer->drop = VSW_N_DROPS;
	outer->tunnel.src = *local;
	outer->can_sum = port->ops.abilities & VSW_PORT_CHECKSUM;
	put_all(outer, &uplink->underlay, mac);
}

/* The greatest of numbers that depend on the flow and one uplink each.  The
 * hash also picks locations, senders and source ports, by its bits as they are:
 * so it is mixed before it is looked at. */
const struct outer *
outer_pick(const struct outers *outers, uint32_t hash)
{
	const struct outer *best = &outers->of[0];
	uint64_t weight = 0;

	if (outers->n == 1)
		return best;
	for (uint32_t i = 0; i < outers->n; i++) {
		uint64_t each = hash_derive(hash,
					    outers->of[i].uplink->serial);

		if (each >= weight) {
			weight = each;
			best = &outers->of[i];
		}
	}
	return best;
}

uint32_t
outer_max_size(const struct vsw_port *port, bool is_ipv6, uint8_t encap)
{
	const struct uplink *uplink = atomic_load_explicit(
		&port->uplink, memory_order_acquire);
	uint32_t mtu = uplink ? uplink->underlay.mtu
			      : atomic_load_explicit(&port->mtu,
						     memory_order_relaxed);
	uint32_t overhead = is_ipv6 ? IPV6_HEADER_SIZE : IPV4_HEADER_SIZE;

	overhead += encap == VSW_ENCAP_NVGRE
		    ? NVGRE_HEADER_SIZE : UDP_HEADER_SIZE + VXLAN_HEADER_SIZE;
	/* The IPv6 length does not count its header, but 64 KiB is enough. */
	if (!mtu || mtu > UINT16_MAX)
		mtu = UINT16_MAX;
	return mtu > overhead ? mtu - overhead : 0;
}

static void
put_all(struct outer *outer, const struct vsw_underlay *underlay,
	const uint8_t mac[6])
{
	const struct vsw_addr *pa = &outer->tunnel.dst;
	uint8_t encap = outer->tunnel.encap;
	bool is_v6 = pa->n == 16;
	unsigned proto;
	size_t n;

	outer->is_ipv6 = is_v6;
	outer->is_nvgre = encap == VSW_ENCAP_NVGRE;
	proto = encap == VSW_ENCAP_VXLAN ? IP_PROTO_UDP : IP_PROTO_GRE;
	n = put_ethernet(outer->bytes, underlay, mac,
			 is_v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4);
	outer->l3 = (uint8_t) n;
	if (is_v6)
		n += put_ipv6(outer->bytes + n, underlay, pa, proto);
	else
		n += put_ipv4(outer->bytes + n, underlay, pa, proto);
	outer->l4 = (uint8_t) n;
	if (!is_v6)
		outer->ipv4_sum = sum(outer->bytes + outer->l3,
				      IPV4_HEADER_SIZE);
	n += put_tunnel(outer->bytes + n, underlay, encap, outer->tunnel.vni);
	outer->size = (uint8_t) n;
	if (is_v6)
		outer->udp_sum = sum(outer->bytes + outer->l3 + 8, 32)
				 + sum(outer->bytes + outer->l4,
				       n - outer->l4) + IP_PROTO_UDP;
}

static size_t
put_ethernet(uint8_t *p, const struct vsw_underlay *underlay,
	     const uint8_t mac[6], unsigned eth_type)
{
	memcpy(p, mac, 6);
	memcpy(p + 6, underlay->mac, 6);
	if (!underlay->vlan) {
		put_be16(p + 12, (uint16_t) eth_type);
		return ETH_HEADER_SIZE;
	}
	put_be16(p + 12, ETH_TYPE_VLAN);
	put_be16(p + 14, underlay->vlan);
	put_be16(p + 16, (uint16_t) eth_type);
	return ETH_HEADER_SIZE + VLAN_HEADER_SIZE;
}

/* Never fragmented on its way: RFC 7348, section 4.3, wants tunnel packets
 * whole, and what is too big is to be told. */
static size_t
put_ipv4(uint8_t *p, const struct vsw_underlay *underlay,
	 const struct vsw_addr *pa, unsigned proto)
{
	p[0] = 0x45;
	put_be16(p + 6, IPV4_DONT_FRAGMENT);
	p[8] = underlay->ttl;
	p[9] = (uint8_t) proto;
	memcpy(p + 12, underlay->local_v4.bytes, 4);
	memcpy(p + 16, pa->bytes, 4);
	return IPV4_HEADER_SIZE;
}

static size_t
put_ipv6(uint8_t *p, const struct vsw_underlay *underlay,
	 const struct vsw_addr *pa, unsigned proto)
{
	p[0] = 0x60;
	p[6] = (uint8_t) proto;
	p[7] = underlay->ttl;
	memcpy(p + 8, underlay->local_v6.bytes, 16);
	memcpy(p + 24, pa->bytes, 16);
	return IPV6_HEADER_SIZE;
}

static size_t
put_tunnel(uint8_t *p, const struct vsw_underlay *underlay, uint8_t encap,
	   uint32_t vni)
{
	if (encap == VSW_ENCAP_VXLAN) {
		put_be16(p + 2, underlay->vxlan_port);
		p[UDP_HEADER_SIZE] = VXLAN_FLAG_VNI;
		put_be32(p + UDP_HEADER_SIZE + 4, vni << 8);
		return UDP_HEADER_SIZE + VXLAN_HEADER_SIZE;
	}
	/* RFC 7637, section 3.2: no checksum, no sequence number; the key's
	 * last byte is the flow id, which each packet gets. */
	put_be16(p, GRE_FLAG_KEY);
	put_be16(p + 2, ETH_TYPE_TEB);
	put_be32(p + 4, vni << 8);
	return NVGRE_HEADER_SIZE;
}

static uint32_t
sum(const uint8_t *p, size_t n)
{
	uint32_t total = 0;

	for (size_t i = 0; i < n; i += 2)
		total += get_be16(p + i);
	return total;
}
