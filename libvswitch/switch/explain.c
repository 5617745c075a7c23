/* SPDX-License-Identifier: Apache-2.0 */

#include <vswitch/inspect.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/connection/connection.h"
#include "libvswitch/datapath/decide.h"
#include "libvswitch/datapath/describe.h"
#include "libvswitch/datapath/execute.h"
#include "libvswitch/datapath/fit.h"
#include "libvswitch/datapath/flow.h"
#include "libvswitch/datapath/narrate.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/trunk.h"
#include "libvswitch/policy/outer.h"
#include "libvswitch/policy/port.h"

static void explain_packet(struct vsw_port *, struct vsw_packet *,
			   const struct narrator *, struct decision *);
static uint64_t now_of(struct vsw *);
static void say_ends(struct vsw *, struct vsw_port *, struct vsw_packet *,
		     const struct headers *, const struct narrator *,
		     const struct decision *);
static void say_sent(struct vsw *, struct vsw_port *, struct vsw_packet *,
		     const struct headers *, const struct narrator *,
		     const struct rewrite *);
static void say_punt(const struct vsw *, const struct vsw_port *in_port,
		     const struct narrator *, uint32_t reason, uint32_t vni);

int
vsw_explain(struct vsw_port *port, const void *frame, size_t size,
	    const struct vsw_explain_options *options,
	    vsw_explain_fn *explain, void *ctx)
{
	struct vsw *vsw = port->vsw;
	const struct vsw_allocator *allocator = &vsw->allocator;
	struct vsw_step step = { .size = sizeof step };
	char address[DESCRIBE_ADDR_SIZE];
	struct narrator narrator = { .say = explain, .ctx = ctx,
				     .step = &step, .address = address };
	struct decision decision = { .n = 0 };
	size_t packet_size = sizeof(struct vsw_packet) + size;
	struct vsw_packet *packet;

	if (size > VSW_PACKET_MAX || !explain
	    || (options && options->size < sizeof *options))
		return -EINVAL;
	if (options && options->tunnel
	    && !(port->ops.abilities & VSW_PORT_TUNNEL))
		return -EINVAL;
	packet = memory_alloc(allocator, _Alignof(struct vsw_packet),
			      packet_size);
	if (!packet)
		return -ENOMEM;
	packet->data = packet->buffer;
	packet->size = (uint32_t) size;
	packet->capacity = (uint32_t) size;
	packet->in_port = port;
	if (size)
		memcpy(packet->data, frame, size);
	if (options && options->tunnel)
		packet->tunnel = *options->tunnel;
	port = trunk_enter(port, packet);
	packet->in_port = port;
	if (port)
		explain_packet(port, packet, &narrator, &decision);
	else
		narrate_drop(&narrator, VSW_DROP_VLAN);
	decision_done(vsw, &decision);
	memory_free(allocator, packet, packet_size);
	return 0;
}

size_t
vsw_step_format(const struct vsw_step *step, char *line, size_t size)
{
	int indent = step->kind == VSW_STEP_LAYER ? 1
		     : step->kind == VSW_STEP_ACTION ? 2 : 0;
	int n = snprintf(line, size, "%*s%s", indent, "", step->text);

	return n > 0 ? (size_t) n : 0;
}

static void
explain_packet(struct vsw_port *port, struct vsw_packet *packet,
	       const struct narrator *narrator, struct decision *decision)
{
	struct vsw *vsw = port->vsw;
	struct headers headers;
	int drop = parse_packet(port, packet, &headers);

	if (drop != PARSE_GOOD) {
		narrate_drop(narrator, (enum vsw_drop) drop);
		return;
	}
	narrate_packet(narrator, &headers.key);
	decide(vsw, port, &headers, packet->data,
	       flow_hash(&headers.key, vsw->seed), now_of(vsw), narrator,
	       decision);
	say_ends(vsw, port, packet, &headers, narrator, decision);
}

/* Nobody says what time it is: that of the last packet that opened a
 * connection. */
static uint64_t
now_of(struct vsw *vsw)
{
	const struct connections *connections = atomic_load_explicit(
		&vsw->connections, memory_order_acquire);

	return connections ? connections_now(connections) : 0;
}

/* One line for each copy. */
static void
say_ends(struct vsw *vsw, struct vsw_port *port, struct vsw_packet *packet,
	 const struct headers *headers, const struct narrator *narrator,
	 const struct decision *decision)
{
	for (uint32_t i = 0; i < decision->n; i++) {
		const struct rewrite *rewrite = &decision->rewrites[i];

		if (rewrite->drop != VSW_N_DROPS) {
			narrate_drop(narrator, (enum vsw_drop) rewrite->drop);
		} else if (rewrite->ops & REWRITE_PUNT) {
			say_punt(vsw, port, narrator, rewrite->reason,
				 rewrite->vni);
		} else if (execute_ttl_ends(headers, rewrite)) {
			if (rewrite->ttl_reason)
				say_punt(vsw, port, narrator,
					 rewrite->ttl_reason, rewrite->vni);
			else
				narrate_drop(narrator, VSW_DROP_TTL);
		} else {
			say_sent(vsw, port, packet, headers, narrator,
				 rewrite);
		}
	}
}

static void
say_sent(struct vsw *vsw, struct vsw_port *port, struct vsw_packet *packet,
	 const struct headers *headers, const struct narrator *narrator,
	 const struct rewrite *rewrite)
{
	enum fit fit = fit_judge(packet, headers, rewrite);
	char text[DESCRIBE_REWRITE_SIZE];

	if (fit != FIT_NOT) {
		describe_rewrite(rewrite, text);
		narrate_sent(narrator, rewrite->port, "sent%s: %s",
			     fit == FIT_IN_FRAGMENTS ? " in fragments" : "",
			     text);
	} else if (fit_is_told(headers, rewrite)) {
		say_punt(vsw, port, narrator, rewrite->reason, rewrite->vni);
	} else {
		narrate_drop(narrator, VSW_DROP_TOO_BIG);
	}
}

static void
say_punt(const struct vsw *vsw, const struct vsw_port *in_port,
	 const struct narrator *narrator, uint32_t reason, uint32_t vni)
{
	struct vsw_port *port = atomic_load_explicit(&vsw->punt_port,
						     memory_order_acquire);

	if (!port)
		narrate_drop(narrator, VSW_DROP_NO_PUNT);
	else if (port == in_port)
		narrate_drop(narrator, VSW_DROP_SAME_PORT);
	else
		narrate_sent(narrator, port, "sent: punt to port \"%s\", "
			     "reason %u, VNI %u", port->name, reason, vni);
}
