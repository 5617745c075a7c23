/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MODEL_PUNTS_H
#define MODEL_PUNTS_H 1

/* What came to the host from a port's packets, or a switch's, and what became
 * of it.  Counted by those who answer, told by commands and rows.  [control] */

#include <stdint.h>

#define PUNTS(X)                                                              \
	/* What it was. */                                                    \
	X(ARP, "arp")                                                         \
	X(ND, "nd")                                                           \
	X(GATEWAY, "gateway")		/* To a gateway's own address. */     \
	X(TTL, "ttl")			/* Lived too long, */                 \
	X(TOO_BIG, "too_big")		/* would not fit, */                  \
	X(NO_ROUTE, "no_route")		/* or has no way. */                  \
	X(UNREACHABLE, "unreachable")                                         \
	X(MISSING, "missing")		/* A mapping that controllers are     \
					 * asked for. */                      \
	X(GROUPS, "groups")		/* IGMP and MLD. */                   \
	X(BFD, "bfd")                                                         \
	/* What became of it. */                                              \
	X(ANSWERED, "answered")                                               \
	X(SILENT, "silent")                                                   \
	X(RESUMED, "resumed")		/* Went on, to VMs. */                \
	X(HELD, "held")			/* Waits for a mapping. */            \
	X(CROWDED, "crowded")		/* Had its share of the queue. */     \
	/* ICMP errors: sent, over a limit, and such as are never sent. */    \
	X(ERRORS, "icmp_errors")                                              \
	X(ERRORS_LIMITED, "icmp_errors_limited")                              \
	X(ERRORS_FORBIDDEN, "icmp_errors_forbidden")

enum punted {
#define PUNTED_ENUM(NAME, TEXT) PUNTED_##NAME,
	PUNTS(PUNTED_ENUM)
#undef PUNTED_ENUM
	N_PUNTED
};

struct punts {
	uint64_t of[N_PUNTED];
};

/* "icmp_errors". */
const char *punts_name(enum punted);

#endif /* model/punts.h */
