/* SPDX-License-Identifier: Apache-2.0 */

#ifndef INSPECT_TRACE_H
#define INSPECT_TRACE_H 1

/* What an operator types, as a frame to be explained.
 *
 *     'SRC > DST PROTO [SPORT > DPORT] [KEY=VALUE]...'
 *     0200c0a8010a...		a whole frame, in hexadecimal digits
 *
 * SRC and DST are IPv4 or IPv6 addresses.  PROTO is icmp, icmp6, tcp, udp, arp
 * (a request for DST), or a number.  Keys: eth_src, eth_dst (default: what the
 * VM's ARP would have found), vlan, ttl, size (of the payload), flags (TCP:
 * letters of FSRPAU); and for a packet that comes in on the uplink vni, pa (the
 * sender's provider address), encap (vxlan, nvgre). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch.h>
#include "agent/model/model.h"

enum { TRACE_FRAME_MAX = 9216 };

struct trace {
	uint8_t frame[TRACE_FRAME_MAX];
	size_t size;
	bool has_tunnel;
	struct vsw_tunnel tunnel;
};

/* 'port' NULL: the uplink.  Returns NULL, or one line that says which word does
 * not read; free() it. */
char *trace_read(const struct model *, const struct model_port *port,
		 const char *text, struct trace *ret_trace);
/* unwrap.c.  Takes the outer headers off a frame that came to the provider
 * address on the wire; the same. */
char *trace_unwrap(const struct model_pa *, struct trace *);

#endif /* inspect/trace.h */
