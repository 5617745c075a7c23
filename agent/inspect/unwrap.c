/* SPDX-License-Identifier: Apache-2.0 */

/* Outer headers of a frame from the wire.  An uplink that is a socket never
 * sees them: the host's stack takes them off, and says in which tunnel a packet
 * came; this does the same for a trace.  VXLAN: RFC 7348; NVGRE: RFC 7637. */

#include "agent/inspect/trace.h"

#include <stdlib.h>
#include <string.h>
#include "agent/answer/frame.h"
#include "agent/base/memory.h"

enum {
	PROTO_UDP = 17, PROTO_GRE = 47,
	UDP_SIZE = 8, VXLAN_SIZE = 8, NVGRE_SIZE = 8,
	VXLAN_HAS_VNI = 0x08
};

static uint16_t port_of(const struct model_pa *);
static uint32_t be24(const uint8_t *);

char *
trace_unwrap(const struct model_pa *pa, struct trace *trace)
{
	static const uint8_t nvgre[4] = { 0x20, 0x00, 0x65, 0x58 };
	char text[MODEL_ADDR_TEXT_SIZE];
	struct frame frame;
	const uint8_t *l4;
	size_t left, head;

	if (!frame_read(trace->frame, trace->size, &frame) || !frame.reads_ip
	    || frame.is_fragment)
		return xstrdup("the frame is no whole IP packet: the host's "
			       "own stack has it");
	if (memcmp(&frame.dst, &pa->addr, sizeof frame.dst)) {
		model_addr_to_text(&frame.dst, text);
		return xasprintf("the frame is for %s, and the uplink has %s",
				 text, pa->ip);
	}
	l4 = trace->frame + frame.l4;
	left = frame.end - frame.l4;
	if (frame.proto == PROTO_UDP && left >= UDP_SIZE + VXLAN_SIZE
	    && (l4[2] << 8 | l4[3]) == port_of(pa)) {
		trace->tunnel.encap = VSW_ENCAP_VXLAN;
		trace->tunnel.vni = be24(l4 + UDP_SIZE + 4);
		head = UDP_SIZE + VXLAN_SIZE;
		if (!(l4[UDP_SIZE] & VXLAN_HAS_VNI))
			return xstrdup("the frame is VXLAN without a VNI");
	} else if (frame.proto == PROTO_GRE && left >= NVGRE_SIZE
		   && !memcmp(l4, nvgre, sizeof nvgre)) {
		trace->tunnel.encap = VSW_ENCAP_NVGRE;
		trace->tunnel.vni = be24(l4 + 4);
		trace->tunnel.flow_id = l4[7];
		head = NVGRE_SIZE;
	} else {
		return xasprintf("the frame is neither VXLAN to port %u nor "
				 "NVGRE: the host's own stack has it",
				 port_of(pa));
	}
	trace->tunnel.src = frame.src;
	trace->tunnel.dst = frame.dst;
	trace->has_tunnel = true;
	trace->size = left - head;
	memmove(trace->frame, l4 + head, trace->size);
	return NULL;
}

static uint16_t
port_of(const struct model_pa *pa)
{
	const char *option = model_option(&pa->options, "vxlan_port", NULL);

	return option ? (uint16_t) strtoul(option, NULL, 10)
		      : pa->vxlan_port;
}

static uint32_t
be24(const uint8_t *p)
{
	return (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];
}
