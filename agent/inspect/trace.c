/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/inspect/trace.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "agent/answer/beyond.h"
#include "agent/answer/frame.h"
#include "agent/base/memory.h"

enum {
	PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58,
	PROTO_ARP = 256,		/* Ours: beyond IP's numbers. */
	WORDS_MAX = 32,
	PAYLOAD_MAX = 8900
};

/* What the words said. */
struct wish {
	struct vsw_addr src, dst;
	unsigned proto;
	uint16_t sport, dport, vlan;
	uint8_t eth_src[6], eth_dst[6];
	bool has_eth_src, has_eth_dst;
	uint8_t ttl, tcp_flags;
	size_t size;
	uint32_t vni;
	struct vsw_addr pa;
	uint8_t encap;
};

static bool is_hex(const char *);
static char *read_hex(const char *, struct trace *);
static char *read_words(char *words[], size_t n, struct wish *);
static bool read_proto(const char *, unsigned *ret_proto);
static char *read_key(char *word, struct wish *);
static bool read_number(const char *, unsigned long max,
			unsigned long *ret_number);
static bool read_flags(const char *, uint8_t *ret_flags);
static void fill_macs(const struct model *, const struct model_port *,
		      struct wish *);
static void write_frame(const struct wish *, struct trace *);
static size_t write_arp(const struct wish *, uint8_t *at);
static size_t write_ip(const struct wish *, uint8_t *at);
static size_t write_l4(const struct wish *, uint8_t *at);
static void put16(uint8_t *, unsigned);

char *
trace_read(const struct model *model, const struct model_port *port,
	   const char *text, struct trace *ret_trace)
{
	char *copy, *words[WORDS_MAX], *rest, *word, *problem;
	struct wish wish = { .ttl = 64, .sport = 40000, .dport = 80,
			     .tcp_flags = 0x02,
			     .encap = VSW_ENCAP_VXLAN };
	size_t n = 0;

	memset(ret_trace, 0, sizeof *ret_trace);
	if (is_hex(text))
		return read_hex(text, ret_trace);
	copy = xstrdup(text);
	for (word = strtok_r(copy, " \t", &rest); word && n < WORDS_MAX;
	     word = strtok_r(NULL, " \t", &rest))
		words[n++] = word;
	problem = word ? xstrdup("too many words") : read_words(words, n,
								&wish);
	free(copy);
	if (problem)
		return problem;
	if (!port && !wish.pa.n)
		return xstrdup("on an uplink, say pa=ADDRESS and vni=NUMBER: "
			       "where the packet comes from");
	fill_macs(model, port, &wish);
	write_frame(&wish, ret_trace);
	return NULL;
}

static bool
is_hex(const char *text)
{
	size_t n = strspn(text, "0123456789abcdefABCDEF");

	return n >= 28 && !text[n];
}

static char *
read_hex(const char *text, struct trace *trace)
{
	size_t n = strlen(text);

	if (n % 2 || n / 2 > sizeof trace->frame)
		return xasprintf("%zu hexadecimal digits are no frame: an "
				 "even number is, up to %zu", n,
				 2 * sizeof trace->frame);
	for (size_t i = 0; i < n / 2; i++) {
		char digits[3] = { text[2 * i], text[2 * i + 1] };

		trace->frame[i] = (uint8_t) strtoul(digits, NULL, 16);
	}
	trace->size = n / 2;
	return NULL;
}

static char *
read_words(char *words[], size_t n, struct wish *wish)
{
	unsigned long number;
	char *problem;
	size_t i = 4;

	if (n < 4 || strcmp(words[1], ">"))
		return xstrdup("expected 'SRC > DST PROTO', as in "
			       "'10.1.1.11 > 10.1.1.12 icmp'");
	if (!model_addr_from_text(words[0], &wish->src))
		return xasprintf("\"%s\" is not an address", words[0]);
	if (!model_addr_from_text(words[2], &wish->dst))
		return xasprintf("\"%s\" is not an address", words[2]);
	if (wish->src.n != wish->dst.n)
		return xstrdup("one address is IPv4 and one is IPv6");
	if (!read_proto(words[3], &wish->proto))
		return xasprintf("\"%s\" is not a protocol: icmp, icmp6, tcp, "
				 "udp, arp, or a number to 255", words[3]);
	if (wish->proto == PROTO_ARP && wish->src.n != 4)
		return xstrdup("arp goes with IPv4 addresses");
	if (n >= 7 && !strcmp(words[5], ">")) {
		if (!read_number(words[4], 65535, &number))
			return xasprintf("\"%s\" is not a port", words[4]);
		wish->sport = (uint16_t) number;
		if (!read_number(words[6], 65535, &number))
			return xasprintf("\"%s\" is not a port", words[6]);
		wish->dport = (uint16_t) number;
		i = 7;
	} else if (n >= 5 && read_number(words[4], 65535, &number)) {
		wish->dport = (uint16_t) number;
		i = 5;
	}
	for (; i < n; i++) {
		problem = read_key(words[i], wish);
		if (problem)
			return problem;
	}
	return NULL;
}

static bool
read_proto(const char *text, unsigned *ret_proto)
{
	static const struct {
		const char *name;
		unsigned proto;
	} names[] = {
		{ "icmp", PROTO_ICMP }, { "icmp6", PROTO_ICMPV6 },
		{ "icmpv6", PROTO_ICMPV6 }, { "tcp", PROTO_TCP },
		{ "udp", PROTO_UDP }, { "arp", PROTO_ARP }
	};
	unsigned long number;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!strcmp(text, names[i].name)) {
			*ret_proto = names[i].proto;
			return true;
		}
	if (!read_number(text, 255, &number))
		return false;
	*ret_proto = (unsigned) number;
	return true;
}

static char *
read_key(char *word, struct wish *wish)
{
	char *value = strchr(word, '=');
	unsigned long number = 0;
	bool good;

	if (!value)
		return xasprintf("\"%s\" is neither KEY=VALUE nor a port",
				 word);
	*value++ = '\0';
	if (!strcmp(word, "eth_src")) {
		good = model_mac_from_text(value, wish->eth_src);
		wish->has_eth_src = true;
	} else if (!strcmp(word, "eth_dst")) {
		good = model_mac_from_text(value, wish->eth_dst);
		wish->has_eth_dst = true;
	} else if (!strcmp(word, "vlan")) {
		good = read_number(value, 4094, &number);
		wish->vlan = (uint16_t) number;
	} else if (!strcmp(word, "ttl")) {
		good = read_number(value, 255, &number);
		wish->ttl = (uint8_t) number;
	} else if (!strcmp(word, "size")) {
		good = read_number(value, PAYLOAD_MAX, &number);
		wish->size = number;
	} else if (!strcmp(word, "flags")) {
		good = read_flags(value, &wish->tcp_flags);
	} else if (!strcmp(word, "vni")) {
		good = read_number(value, 0xffffff, &number);
		wish->vni = (uint32_t) number;
	} else if (!strcmp(word, "pa")) {
		good = model_addr_from_text(value, &wish->pa);
	} else if (!strcmp(word, "encap")) {
		good = !strcmp(value, "vxlan") || !strcmp(value, "nvgre");
		wish->encap = !strcmp(value, "nvgre") ? VSW_ENCAP_NVGRE
						      : VSW_ENCAP_VXLAN;
	} else {
		return xasprintf("\"%s\" is not a key: eth_src, eth_dst, "
				 "vlan, ttl, size, flags, vni, pa, encap",
				 word);
	}
	return good ? NULL : xasprintf("%s=\"%s\" does not read", word, value);
}

static bool
read_number(const char *text, unsigned long max, unsigned long *ret_number)
{
	char *end;

	if (!isdigit((unsigned char) *text))
		return false;
	*ret_number = strtoul(text, &end, 10);
	return !*end && *ret_number <= max;
}

static bool
read_flags(const char *text, uint8_t *ret_flags)
{
	static const char letters[] = "FSRPAU";

	*ret_flags = 0;
	for (; *text; text++) {
		const char *at = strchr(letters, toupper((unsigned char)
							 *text));

		if (!at)
			return false;
		*ret_flags |= (uint8_t) (1u << (at - letters));
	}
	return true;
}

/* As the VM would have it: its own MAC, and what its ARP would be told. */
static void
fill_macs(const struct model *model, const struct model_port *port,
	  struct wish *wish)
{
	struct model_subnet *subnet = port ? port->subnet
		: model_find_subnet(model, wish->vni, NULL);
	const struct asker asker = { .model = model,
				     .port = (struct model_port *) port };
	const struct model_mapping *mapping;

	if (!wish->has_eth_src) {
		mapping = subnet ? model_find_ca(subnet, &wish->src) : NULL;
		if (mapping)
			memcpy(wish->eth_src, mapping->mac, 6);
		else if (port)
			memcpy(wish->eth_src, port->mac, 6);
	}
	if (wish->has_eth_dst)
		return;
	if (wish->proto == PROTO_ARP) {
		memset(wish->eth_dst, 0xff, 6);
		return;
	}
	mapping = subnet ? model_find_ca(subnet, &wish->dst) : NULL;
	if (mapping)
		memcpy(wish->eth_dst, mapping->mac, 6);
	else if (!port || !subnet
		 || !beyond_find(&asker, &wish->dst, wish->eth_dst))
		memcpy(wish->eth_dst, model->router_mac, 6);
}

static void
write_frame(const struct wish *wish, struct trace *trace)
{
	uint8_t *at = trace->frame;

	memcpy(at, wish->eth_dst, 6);
	memcpy(at + 6, wish->eth_src, 6);
	at += 12;
	if (wish->vlan) {
		put16(at, 0x8100);
		put16(at + 2, wish->vlan);
		at += 4;
	}
	put16(at, wish->proto == PROTO_ARP ? 0x0806
	      : wish->src.n == 4 ? 0x0800 : 0x86dd);
	at += 2;
	at += wish->proto == PROTO_ARP ? write_arp(wish, at)
				       : write_ip(wish, at);
	trace->size = (size_t) (at - trace->frame);
	if (wish->pa.n) {
		trace->has_tunnel = true;
		trace->tunnel.src = wish->pa;
		trace->tunnel.vni = wish->vni;
		trace->tunnel.encap = wish->encap;
	}
}

static size_t
write_arp(const struct wish *wish, uint8_t *at)
{
	static const uint8_t start[8] = { 0, 1, 0x08, 0, 6, 4, 0, 1 };

	memcpy(at, start, sizeof start);
	memcpy(at + 8, wish->eth_src, 6);
	memcpy(at + 14, wish->src.bytes, 4);
	memcpy(at + 24, wish->dst.bytes, 4);
	return 28;
}

static size_t
write_ip(const struct wish *wish, uint8_t *at)
{
	size_t header = wish->src.n == 4 ? 20 : 40;
	size_t payload = write_l4(wish, at + header);

	if (wish->src.n == 16) {
		at[0] = 0x60;
		put16(at + 4, (unsigned) payload);
		at[6] = (uint8_t) wish->proto;
		at[7] = wish->ttl;
		memcpy(at + 8, wish->src.bytes, 16);
		memcpy(at + 24, wish->dst.bytes, 16);
		return header + payload;
	}
	at[0] = 0x45;
	put16(at + 2, (unsigned) (header + payload));
	at[8] = wish->ttl;
	at[9] = (uint8_t) wish->proto;
	memcpy(at + 12, wish->src.bytes, 4);
	memcpy(at + 16, wish->dst.bytes, 4);
	put16(at + 10, frame_fold(frame_sum(at, header, 0)));
	return header + payload;
}

/* Checksums of layer 4 stay zero: nobody looks at them on the way. */
static size_t
write_l4(const struct wish *wish, uint8_t *at)
{
	switch (wish->proto) {
	case PROTO_TCP:
		put16(at, wish->sport);
		put16(at + 2, wish->dport);
		at[12] = 0x50;
		at[13] = wish->tcp_flags;
		return 20 + wish->size;
	case PROTO_UDP:
		put16(at, wish->sport);
		put16(at + 2, wish->dport);
		put16(at + 4, (unsigned) (8 + wish->size));
		return 8 + wish->size;
	case PROTO_ICMP:
		at[0] = 8;
		return 8 + wish->size;
	case PROTO_ICMPV6:
		at[0] = 128;
		return 8 + wish->size;
	}
	return wish->size;
}

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t) (v >> 8);
	p[1] = (uint8_t) v;
}
