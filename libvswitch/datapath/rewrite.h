/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_REWRITE_H
#define DATAPATH_REWRITE_H 1

/* What is done to a packet: all layers' actions composed.  Plain data. */

#include <stdint.h>
#include <vswitch/inspect.h>

struct outer;
struct vsw_port;

enum rewrite_ops {
	REWRITE_ETH_SRC = 1 << 0,
	REWRITE_ETH_DST = 1 << 1,
	REWRITE_TTL = 1 << 2,		/* Decrement. */
	REWRITE_ENCAP = 1 << 3,		/* 'outer' is set. */
	REWRITE_PUNT = 1 << 4,		/* To the punt port, as it came; which
					 * one it is, is found when sending:
					 * 'port' is NULL. */
	REWRITE_VLAN = 1 << 5,		/* Tag becomes 'vlan'. */
	REWRITE_FLOOD = 1 << 6,		/* One copy of several, perhaps. */
	REWRITE_MSS = 1 << 7,		/* 'mss' is set. */
	REWRITE_EDITS = REWRITE_ETH_SRC | REWRITE_ETH_DST | REWRITE_TTL
			| REWRITE_VLAN | REWRITE_MSS
};

/* A 'max_size' that is no limit. */
enum { FIT_ANY = 0xffff };

/* No holes: what is equal byte for byte is the same. */
struct rewrite {
	uint8_t ops;
	uint8_t drop;			/* enum vsw_drop; VSW_N_DROPS: none. */
	uint8_t eth_src[6], eth_dst[6];
	uint16_t vlan;			/* VID | 0x1000; 0: no tag. */
	uint32_t reason;		/* REWRITE_PUNT: the rule's.  Else: of
					 * the punt when it is too big; 0:
					 * drop. */
	uint32_t ttl_reason;		/* REWRITE_TTL: of the punt when the
					 * TTL is used up; 0: drop. */
	uint32_t vni : 24;		/* The subnet it ends in, for punts. */
	uint32_t may_fragment : 4;	/* IPv4 that is too big is cut. */
	uint32_t has_address : 4;	/* A copy's, which stands beside:
					 * decided_addresses(). */
	uint16_t max_size;		/* Of the frame, as it came. */
	uint16_t mss;			/* REWRITE_MSS: TCP is not to agree on
					 * larger segments. */
	struct vsw_port *port;		/* Where to; of a drop: where it is
					 * counted, NULL: where it came from. */
	const struct outer *outer;
};

#endif /* datapath/rewrite.h */
