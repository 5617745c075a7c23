/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/describe.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/rewrite.h"
#include "libvswitch/policy/dimension.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/outer.h"
#include "libvswitch/policy/port.h"
#include "libvswitch/policy/set.h"

/* Text that is being put together; what does not fit is left out. */
struct text {
	char *bytes;
	size_t size, at;
};

static void append_match(struct text *, const struct match *);
static void append_value(struct text *, const struct match *);
static void append_point(struct text *, struct point, unsigned size,
			 bool is_addr);
static void append(struct text *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void append_addr(struct text *, const struct flow_key *,
			const uint8_t *addr, uint16_t port);
static void append_mac(struct text *, const uint8_t mac[6]);
static void append_proto(struct text *, const struct flow_key *);
static void append_tunnel(struct text *, const struct flow_key *);
static const char *encap_name(uint8_t encap);

void
describe_addr(const uint8_t *bytes, size_t n,
	      char ret_text[DESCRIBE_ADDR_SIZE])
{
	ret_text[0] = '\0';
	if (n == 4)
		inet_ntop(AF_INET, bytes, ret_text, DESCRIBE_ADDR_SIZE);
	else if (n == 16)
		inet_ntop(AF_INET6, bytes, ret_text, DESCRIBE_ADDR_SIZE);
}

void
describe_key(const struct flow_key *key, char ret_text[DESCRIBE_KEY_SIZE])
{
	struct text text = { ret_text, DESCRIBE_KEY_SIZE, 0 };
	bool has_l3 = key->has & (FLOW_HAS_IPV4 | FLOW_HAS_IPV6
				  | FLOW_HAS_ARP);

	ret_text[0] = '\0';
	if (has_l3) {
		append_addr(&text, key, flow_key_ip_src(key), key->l4_src);
		append(&text, " > ");
		append_addr(&text, key, flow_key_ip_dst(key), key->l4_dst);
		append_proto(&text, key);
		append(&text, ", ");
	}
	append_mac(&text, key->eth_src);
	append(&text, " > ");
	append_mac(&text, key->eth_dst);
	if (!has_l3)
		append(&text, " type 0x%04x", key->eth_type);
	if (key->vlan)
		append(&text, ", vlan %u", key->vlan & 0x0fffu);
	if (key->fragment == VSW_FRAGMENT_FIRST)
		append(&text, ", first fragment");
	else if (key->fragment == VSW_FRAGMENT_LATER)
		append(&text, ", later fragment");
	if (key->tunnel)
		append_tunnel(&text, key);
}

void
describe_rewrite(const struct rewrite *rewrite,
		 char ret_text[DESCRIBE_REWRITE_SIZE])
{
	struct text text = { ret_text, DESCRIBE_REWRITE_SIZE, 0 };
	char addr[DESCRIBE_ADDR_SIZE];

	ret_text[0] = '\0';
	if (rewrite->drop != VSW_N_DROPS) {
		append(&text, "drop %s",
		       vsw_drop_name((enum vsw_drop) rewrite->drop));
		return;
	}
	if (rewrite->ops & REWRITE_PUNT) {
		append(&text, "punt reason %u", rewrite->reason);
		return;
	}
	if (rewrite->ops & REWRITE_ETH_SRC) {
		append(&text, "from ");
		append_mac(&text, rewrite->eth_src);
		append(&text, ", ");
	}
	if (rewrite->ops & REWRITE_ETH_DST) {
		append(&text, "to ");
		append_mac(&text, rewrite->eth_dst);
		append(&text, ", ");
	}
	if (rewrite->has_address)
		append(&text, "to its address, ");
	if (rewrite->ops & REWRITE_VLAN && rewrite->vlan)
		append(&text, "vlan %u, ", rewrite->vlan & 0x0fffu);
	else if (rewrite->ops & REWRITE_VLAN)
		append(&text, "untagged, ");
	if (rewrite->ops & REWRITE_TTL)
		append(&text, "ttl, ");
	if (rewrite->ops & REWRITE_MSS)
		append(&text, "mss %u, ", rewrite->mss);
	if (rewrite->ops & REWRITE_ENCAP) {
		const struct vsw_tunnel *tunnel = &rewrite->outer->tunnel;

		describe_addr(tunnel->dst.bytes, tunnel->dst.n, addr);
		append(&text, "%s vni %u to %s, ", encap_name(tunnel->encap),
		       tunnel->vni, addr);
	}
	append(&text, "port %s", rewrite->port ? rewrite->port->name : "none");
}

void
describe_matches(const struct rule *rule,
		 char ret_text[DESCRIBE_MATCHES_SIZE])
{
	struct text text = { ret_text, DESCRIBE_MATCHES_SIZE, 0 };
	const uint8_t *at = NULL;
	struct match match;

	ret_text[0] = '\0';
	while (rule_next_match(rule, &at, &match)) {
		if (text.at)
			append(&text, ", ");
		append_match(&text, &match);
	}
	if (!at)
		append(&text, "everything");
}

static void
append_match(struct text *text, const struct match *match)
{
	for (const char *p = field_name(match->field); *p; p++)
		append(text, "%c", tolower((unsigned char) *p));
	if (match->kind == MATCH_SET)
		append(text, " in \"%s\"", match->set->name);
	else if (match->kind == MATCH_RANGE)
		append(text, "=%u-%u", (unsigned) match->range.first.low,
		       (unsigned) match->range.last.low);
	else
		append_value(text, match);
}

/* A mask with holes is written out, in the field's own manner. */
static void
append_value(struct text *text, const struct match *match)
{
	unsigned size = field_size(match->field), prefix;
	bool is_addr = size == 16 || match->field == VSW_FIELD_IPV4_SRC
		       || match->field == VSW_FIELD_IPV4_DST
		       || match->field == VSW_FIELD_TUNNEL_SRC4
		       || match->field == VSW_FIELD_TUNNEL_DST4;
	bool has_holes;

	prefix = dimension_prefix(match->field, match->mask, &has_holes);
	append(text, "=");
	append_point(text, match->value, size, is_addr);
	if (prefix == size * 8)
		return;
	append(text, "/");
	if (is_addr && !has_holes)
		append(text, "%u", prefix);
	else
		append_point(text, match->mask, size, is_addr);
}

static void
append_point(struct text *text, struct point p, unsigned size, bool is_addr)
{
	uint8_t bytes[16];
	char addr[DESCRIBE_ADDR_SIZE];

	for (unsigned i = 0; i < 16; i++)
		bytes[i] = (uint8_t) ((i < 8 ? p.high : p.low)
				      >> (56 - i % 8 * 8));
	if (is_addr) {
		describe_addr(bytes + 16 - size, size, addr);
		append(text, "%s", addr);
	} else if (size == 6) {
		append_mac(text, bytes + 10);
	} else {
		append(text, p.low > 0xff ? "0x%04x" : "%u",
		       (unsigned) p.low);
	}
}

static void
append(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->bytes + text->at, text->size - text->at, format,
		      args);
	va_end(args);
	if (n > 0)
		text->at += (size_t) n;
	if (text->at >= text->size)
		text->at = text->size - 1;
}

static void
append_addr(struct text *text, const struct flow_key *key,
	    const uint8_t *bytes, uint16_t port)
{
	bool is_ipv6 = key->has & FLOW_HAS_IPV6;
	bool has_port = key->has & FLOW_HAS_L4
			&& key->ip_proto != IP_PROTO_ICMP
			&& key->ip_proto != IP_PROTO_ICMPV6;
	char addr[DESCRIBE_ADDR_SIZE];

	describe_addr(bytes, is_ipv6 ? 16 : 4, addr);
	append(text, is_ipv6 && has_port ? "[%s]" : "%s", addr);
	if (has_port)
		append(text, ":%u", port);
}

static void
append_mac(struct text *text, const uint8_t mac[6])
{
	append(text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
	       mac[3], mac[4], mac[5]);
}

static void
append_proto(struct text *text, const struct flow_key *key)
{
	if (key->has & FLOW_HAS_ARP) {
		if (key->ip_proto == ARP_REQUEST)
			append(text, " arp request");
		else if (key->ip_proto == ARP_REPLY)
			append(text, " arp reply");
		else
			append(text, " arp %u", key->ip_proto);
		return;
	}
	switch (key->ip_proto) {
	case IP_PROTO_TCP:
		append(text, " tcp");
		break;
	case IP_PROTO_UDP:
		append(text, " udp");
		break;
	case IP_PROTO_SCTP:
		append(text, " sctp");
		break;
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMPV6:
		append(text, key->ip_proto == IP_PROTO_ICMP ? " icmp"
							    : " icmpv6");
		if (key->has & FLOW_HAS_L4)
			append(text, " %u/%u", key->l4_src, key->l4_dst);
		break;
	default:
		append(text, " proto %u", key->ip_proto);
	}
}

static void
append_tunnel(struct text *text, const struct flow_key *key)
{
	size_t n = flow_key_tunnel_is_ipv6(key) ? 16 : 4;
	uint8_t encap = key->tunnel;
	char addr[DESCRIBE_ADDR_SIZE];

	describe_addr(flow_key_tunnel_src(key), n, addr);
	append(text, ", in %s vni %u from %s", encap_name(encap), key->vni,
	       addr);
}

static const char *
encap_name(uint8_t encap)
{
	switch (encap) {
	case VSW_ENCAP_VXLAN:
		return "vxlan";
	case VSW_ENCAP_NVGRE:
		return "nvgre";
	default:
		return "none";
	}
}
