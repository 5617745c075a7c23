/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/shape.h"

#include "libvswitch/base/wire.h"

static void build(const struct vsw_underlay *, size_t l3, bool is_ipv6,
		  bool is_nvgre, struct shape *);
static void demand(struct shape *, size_t at, const void *bytes, size_t n);
static void demand_bits(struct shape *, size_t at, unsigned value,
			unsigned mask);

void
shapes_build(const struct vsw_underlay *underlay, struct shapes *shapes)
{
	memset(shapes, 0, sizeof *shapes);
	shapes->l3 = ETH_HEADER_SIZE;
	if (underlay->vlan)
		shapes->l3 += VLAN_HEADER_SIZE;
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
		for (unsigned is_nvgre = 0; is_nvgre < 2; is_nvgre++)
			build(underlay, shapes->l3, is_ipv6, is_nvgre,
			      &shapes->of[is_ipv6][is_nvgre]);
}

static void
build(const struct vsw_underlay *underlay, size_t l3, bool is_ipv6,
      bool is_nvgre, struct shape *shape)
{
	static const uint8_t no_mac[6];
	const struct vsw_addr *local = is_ipv6 ? &underlay->local_v6
					       : &underlay->local_v4;
	unsigned proto = is_nvgre ? IP_PROTO_GRE : IP_PROTO_UDP;
	size_t l4 = l3 + (is_ipv6 ? IPV6_HEADER_SIZE : IPV4_HEADER_SIZE);

	if (!local->n) {
		shape->value[0] = 1;
		return;
	}
	if (memcmp(underlay->mac, no_mac, sizeof no_mac))
		demand(shape, 0, underlay->mac, sizeof underlay->mac);
	if (underlay->vlan) {
		demand_bits(shape, 12, ETH_TYPE_VLAN, 0xffff);
		demand_bits(shape, 14, underlay->vlan, 0x0fff);
	}
	demand_bits(shape, l3 - 2, is_ipv6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4,
		    0xffff);
	if (is_ipv6) {
		demand_bits(shape, l3, 0x6000, 0xf000);
		demand_bits(shape, l3 + 6, proto << 8, 0xff00);
		demand(shape, l3 + 24, local->bytes, 16);
	} else {
		demand_bits(shape, l3, 0x4500, 0xff00);
		demand_bits(shape, l3 + 6, 0,
			    IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET);
		demand_bits(shape, l3 + 8, proto, 0x00ff);
		demand(shape, l3 + 16, local->bytes, 4);
	}
	if (is_nvgre) {
		demand_bits(shape, l4, GRE_FLAG_KEY, 0xffff);
		demand_bits(shape, l4 + 2, ETH_TYPE_TEB, 0xffff);
	} else {
		demand_bits(shape, l4 + 2, underlay->vxlan_port, 0xffff);
		demand_bits(shape, l4 + UDP_HEADER_SIZE, VXLAN_FLAG_VNI << 8,
			    VXLAN_FLAG_VNI << 8);
	}
}

static void
demand(struct shape *shape, size_t at, const void *bytes, size_t n)
{
	memcpy(shape->value + at, bytes, n);
	memset(shape->mask + at, 0xff, n);
}

static void
demand_bits(struct shape *shape, size_t at, unsigned value, unsigned mask)
{
	put_be16(shape->value + at, (uint16_t) value);
	put_be16(shape->mask + at, (uint16_t) mask);
}
