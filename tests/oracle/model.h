/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ORACLE_MODEL_H
#define ORACLE_MODEL_H 1

/* What <vswitch/policy.h> says, in the plainest way there is: arrays, linear
 * searches, no engine.  Written from that header's text alone.
 *
 * Values are few, so that policy and packets meet: they are named by small
 * numbers; bytes.h says which bytes they stand for. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch.h>

enum {
	N_MACS = 8,			/* 6: multicast, 7: broadcast. */
	N_ADDRS = 6,			/* Of each family. */
	N_PAS = 6,			/* 4 and 5: IPv6. */
	N_PORTS = 6,
	PORT_WIRE = 0,			/* VSW_PORT_TUNNEL. */
	PORT_PUNT = 5,
	N_MAPPINGS = 3,			/* 0 and 1: domain 0; 2: domain 1. */
	N_DOMAINS = 2,
	N_SETS = 4,			/* 0, 1: addresses; 2, 3: ports. */
	N_OUT_GROUPS = 8, N_IN_GROUPS = 5,
	N_GROUPS = N_OUT_GROUPS + N_IN_GROUPS,
	N_PROGRAMS = 8,
	MAX_RULES = 14, MAX_MATCHES = 3, MAX_LAYERS = 3, MAX_LOCATIONS = 4,
	MAX_HOPS = 4,
	MAX_OUTCOMES = 512
};

struct m_location {
	int port;			/* -1: remote. */
	unsigned pa, mac;
	int v4, v6;			/* Who is there; -1: nobody said. */
	uint32_t vni;
	uint8_t encap;
};

struct m_entry {
	unsigned n;			/* 0: not there. */
	struct m_location locations[MAX_LOCATIONS];
};

struct m_mapping {
	struct m_entry macs[N_MACS], v4[N_ADDRS], v6[N_ADDRS], flood;
	bool unknown_unicast;
	/* Of what is not known. */
	uint32_t punt_reason;		/* 0: not punted. */
	struct m_entry unknown;		/* At most one location. */
};

struct m_set {
	unsigned n;
	struct vsw_addr prefixes[4];
	unsigned bits[4];
	uint16_t first[4], last[4];
};

enum m_match_kind { M_VALUE, M_RANGE, M_SET };

struct m_match {
	enum m_match_kind kind;
	enum vsw_field field;
	uint8_t value[16], mask[16];
	uint16_t first, last;
	unsigned set;
};

struct m_rule {
	uint32_t priority;
	bool terminating;
	unsigned n_matches;
	struct m_match matches[MAX_MATCHES];
	bool drop, punt, ttl, route;
	int output, encap, decap;	/* Port, mapping, mapping; -1: no. */
	int eth_src, eth_dst;		/* MACs; -1: no. */
	int vlan;			/* 0: untags; -1: no. */
	bool address, address_ip;	/* vsw_rule_address_copies(). */
	uint32_t reason, ttl_reason;
	bool too_big, may_fragment;	/* vsw_rule_too_big(). */
	uint32_t too_big_reason;
	bool clamp;			/* vsw_rule_clamp_mss(). */
	uint16_t mss;
	unsigned router_mac, n_hops;
	bool is_any;			/* vsw_rule_route_any(). */
	struct m_hop {
		unsigned mapping;
		int addr;		/* IPv4 address; -1: the packet's. */
	} hops[MAX_HOPS];
};

struct m_group {
	unsigned n_rules;
	struct m_rule rules[MAX_RULES];
};

struct m_layer {
	unsigned n[2];
	unsigned groups[2][3];
};

struct m_program {
	unsigned n_layers;
	struct m_layer layers[MAX_LAYERS];
};

struct model {
	struct m_set sets[N_SETS];
	struct m_group groups[N_GROUPS];
	struct m_program programs[N_PROGRAMS];
	int program_of[N_PORTS];	/* -1: none. */
	struct m_mapping mappings[N_MAPPINGS];
	bool has_uplink[N_DOMAINS];	/* PORT_WIRE. */
	unsigned mtu[N_PORTS];		/* Of PORT_WIRE, of outer packets; 0:
					 * any. */
};

enum m_type { M_RAW, M_ARP, M_IPV4, M_IPV6 };

struct m_packet {
	unsigned in_port;
	uint8_t eth_src[6], eth_dst[6];
	uint16_t vlan;			/* 0: untagged. */
	enum m_type type;
	unsigned src, dst;		/* Addresses. */
	int was_dst;			/* That a copy had before; -1: the
					 * same. */
	uint8_t proto;			/* ARP: operation. */
	uint8_t fragment, ttl;
	uint16_t l4_src, l4_dst;
	uint16_t mss;			/* TCP: a SYN that says so; 0: none. */
	uint16_t was_mss;		/* Before it was clamped; 0: it was
					 * not. */
	bool is_trimmed;		/* ARP: its padding. */
	uint16_t large, segment;	/* Payload, where it is not the usual
					 * one, and that of each segment. */
	/* Of fragments: */
	uint32_t id;
	uint16_t at, units;		/* Where a later one lies, and its
					 * size, in units of 8 bytes. */
	bool is_last;
	bool has_options;		/* IPv6: destination options behind
					 * the fragment header, in the first
					 * one. */
	bool has_first;			/* A later one whose first has been
					 * seen: what that said counts. */
	bool tunnel;
	unsigned tunnel_src, tunnel_dst;	/* Provider addresses. */
	uint8_t encap;
	uint32_t vni;			/* Of the tunnel, or routed to. */
};

struct m_result {
	enum vsw_drop drop;		/* VSW_N_DROPS: none. */
	unsigned port;			/* Where to; a drop: counted where. */
	bool is_punt;
	bool is_told;			/* Of segments, the first one. */
	uint32_t reason;
	uint32_t vni;			/* Of the punt, or the tunnel's. */
	bool is_remote;
	unsigned pa;
	uint8_t encap;
	unsigned mtu;			/* That was too small for the packet,
					 * which is told of it, or is cut, */
	bool is_cut;
	unsigned piece;			/* of which this is one. */
	struct m_packet packet;		/* As it leaves. */
};

/* All that becomes of one packet: one result, or one for each copy. */
struct m_outcome {
	unsigned n;
	struct m_result results[MAX_LOCATIONS];
};

struct m_outcomes {
	unsigned n;
	struct m_outcome all[MAX_OUTCOMES];
};

unsigned model_domain(unsigned mapping);

/* What may become of the packet.  Where one of several locations or next hops
 * is picked, the contract leaves open which: '*ret' has all that is allowed, in
 * an order that is the same for each packet of a flow as long as nothing is
 * edited.  A later fragment that has to wait for its first ends as
 * VSW_DROP_FRAGMENT_LOST. */
void model_decide(const struct model *, const struct m_packet *,
		  struct m_outcomes *ret);

#endif /* oracle/model.h */
