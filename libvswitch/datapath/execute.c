/* SPDX-License-Identifier: Apache-2.0 */

/* Station 4 of the packet's way: see worker.c. */

#include "libvswitch/datapath/execute.h"

#include <string.h>

#include "libvswitch/base/checksum.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/fit.h"
#include "libvswitch/datapath/flow.h"
#include "libvswitch/datapath/fragment.h"
#include "libvswitch/datapath/mss.h"
#include "libvswitch/datapath/vlan.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/segment.h"
#include "libvswitch/datapath/transmit.h"
#include "libvswitch/datapath/tunnel.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/outer.h"
#include "libvswitch/policy/port.h"

static void carry_out_all(struct vsw_worker *, struct batch *, unsigned i,
			  struct vsw_packet *);
static void carry_out(struct vsw_worker *, struct batch *, unsigned i,
		      struct vsw_packet *, const struct rewrite *,
		      const struct new_address *);
static void send_to(struct vsw_worker *, struct batch *, unsigned i,
		    struct vsw_packet *, const struct rewrite *,
		    const struct new_address *);
static inline void send(struct vsw_worker *, struct batch *, unsigned i,
			struct vsw_packet *, const struct rewrite *)
	__attribute__((always_inline));
static void end(struct vsw_worker *, struct batch *, unsigned i,
		struct vsw_packet *, const struct rewrite *);
static void make_fit(struct vsw_worker *, struct batch *, unsigned i,
		     struct vsw_packet *, const struct rewrite *,
		     const struct new_address *);
static void send_fragments(struct vsw_worker *, struct batch *, unsigned i,
			   struct vsw_packet *, const struct rewrite *);
static void tell(struct vsw_worker *, struct batch *, struct vsw_packet *,
		 uint32_t reason, uint32_t vni, uint32_t mtu);
static void punt(struct vsw_worker *, struct batch *, struct vsw_packet *,
		 uint32_t reason, uint32_t vni, uint32_t mtu);
static inline void encap(struct vsw_worker *, struct batch *, unsigned i,
			 struct vsw_packet *, const struct rewrite *)
	__attribute__((always_inline));
static inline void push(struct vsw_worker *, struct batch *,
			struct vsw_packet *, const struct rewrite *,
			const struct vsw_tunnel *);
static void push_segments(struct vsw_worker *, struct batch *,
			  struct vsw_packet *, const struct rewrite *,
			  const struct vsw_tunnel *);
static uint32_t hash_of_all_fragments(const struct vsw_worker *,
				      const struct flow_key *);

void
batch_execute(struct vsw_worker *worker, struct batch *batch)
{
	for (uint32_t left = batch->live; left; left &= left - 1) {
		unsigned i = (unsigned) __builtin_ctz(left);
		struct vsw_packet *packet = batch->packets[i];
		const struct rewrite *rewrite = &batch->decided[i]->rewrite;

		flow_add(batch->flows[i], packet->size);
		if (batch->decided[i]->is_usual
		    && packet->size <= rewrite->max_size
		    && !execute_ttl_ends(&batch->headers[i], rewrite))
			send(worker, batch, i, packet, rewrite);
		else
			carry_out_all(worker, batch, i, packet);
	}
}

bool
execute_ttl_ends(const struct headers *h, const struct rewrite *rewrite)
{
	return rewrite->ops & REWRITE_TTL
	       && h->key.has & (FLOW_HAS_IPV4 | FLOW_HAS_IPV6)
	       && h->ttl <= 1;
}

void
execute_edit(struct vsw_packet *packet, const struct headers *h,
	     const struct rewrite *rewrite)
{
	uint8_t *frame = packet->data, *l3 = frame + h->l3;

	if (rewrite->ops & REWRITE_MSS)
		mss_clamp(packet, h, rewrite->mss);
	if (rewrite->ops & REWRITE_ETH_DST)
		memcpy(frame, rewrite->eth_dst, 6);
	if (rewrite->ops & REWRITE_ETH_SRC)
		memcpy(frame + 6, rewrite->eth_src, 6);
	if (!(rewrite->ops & REWRITE_TTL))
		return;
	if (h->key.has & FLOW_HAS_IPV4) {
		uint16_t old = get_be16(l3 + 8);

		l3[8]--;
		put_be16(l3 + 10, checksum_update(get_be16(l3 + 10), old,
						  get_be16(l3 + 8)));
	} else if (h->key.has & FLOW_HAS_IPV6) {
		l3[7]--;
	}
}

/* What is not one packet, to one port.  All rewrites but the last are carried
 * out on copies; that one is for the packet itself. */
static void
carry_out_all(struct vsw_worker *worker, struct batch *batch, unsigned i,
	      struct vsw_packet *packet)
{
	const struct decided *decided = batch->decided[i];
	const struct new_address *address = decided_addresses(decided);
	const struct rewrite *rewrite = &decided->rewrite;

	if (rewrite->ops & REWRITE_FLOOD
	    && !port_may_flood(batch->port, worker->index, batch->now)) {
		transmit_drop(worker, batch->port, packet,
			      VSW_DROP_STORM_LIMIT);
		return;
	}
	for (uint32_t n = 0; n + 1 < decided->n_rewrites; n++) {
		struct vsw_packet *copy = packet_clone(packet);

		if (copy)
			carry_out(worker, batch, i, copy, rewrite, address);
		else
			transmit_drop(worker, batch->port, NULL,
				      VSW_DROP_NO_MEMORY);
		if (rewrite->has_address)
			address++;
		rewrite = &decided->more[n];
	}
	carry_out(worker, batch, i, packet, rewrite, address);
}

/* Nothing is changed before it is known that the packet goes on: what is
 * punted is punted as it came.  'address' is for those that have one. */
static void
carry_out(struct vsw_worker *worker, struct batch *batch, unsigned i,
	  struct vsw_packet *packet, const struct rewrite *rewrite,
	  const struct new_address *address)
{
	if (!rewrite->has_address)
		address = NULL;
	if (rewrite->drop != VSW_N_DROPS || rewrite->ops & REWRITE_PUNT
	    || !rewrite->port
	    || execute_ttl_ends(&batch->headers[i], rewrite))
		end(worker, batch, i, packet, rewrite);
	else if (packet->size > rewrite->max_size)
		make_fit(worker, batch, i, packet, rewrite, address);
	else
		send_to(worker, batch, i, packet, rewrite, address);
}

/* 'address' NULL: to the one it has. */
static void
send_to(struct vsw_worker *worker, struct batch *batch, unsigned i,
	struct vsw_packet *packet, const struct rewrite *rewrite,
	const struct new_address *address)
{
	if (address)
		address_set(packet, &batch->headers[i], address);
	send(worker, batch, i, packet, rewrite);
}

static inline void
send(struct vsw_worker *worker, struct batch *batch, unsigned i,
     struct vsw_packet *packet, const struct rewrite *rewrite)
{
	if (rewrite->ops & REWRITE_EDITS) {
		execute_edit(packet, &batch->headers[i], rewrite);
		if (rewrite->ops & REWRITE_VLAN
		    && !vlan_set(packet, &batch->headers[i], rewrite->vlan)) {
			transmit_drop(worker, batch->port, packet,
				      VSW_DROP_NO_ROOM);
			return;
		}
	}
	packet->tunnel.encap = VSW_ENCAP_NONE;
	if (rewrite->ops & REWRITE_ENCAP)
		encap(worker, batch, i, packet, rewrite);
	else
		transmit_add(worker, batch, packet, rewrite->port);
}

/* Of packets that do not go where they wanted. */
static void
end(struct vsw_worker *worker, struct batch *batch, unsigned i,
    struct vsw_packet *packet, const struct rewrite *rewrite)
{
	if (rewrite->drop == VSW_DROP_FRAGMENT_LOST)
		fragment_wait(worker, batch, i, packet);
	else if (rewrite->drop != VSW_N_DROPS)
		transmit_drop(worker,
			      rewrite->port ? rewrite->port : batch->port,
			      packet, (enum vsw_drop) rewrite->drop);
	else if (rewrite->ops & REWRITE_PUNT)
		punt(worker, batch, packet, rewrite->reason, rewrite->vni, 0);
	else if (!execute_ttl_ends(&batch->headers[i], rewrite))
		transmit_drop(worker, batch->port, packet,
			      VSW_DROP_NO_OUTPUT);
	else if (rewrite->ttl_reason)
		tell(worker, batch, packet, rewrite->ttl_reason,
		     rewrite->vni, 0);
	else
		transmit_drop(worker, batch->port, packet, VSW_DROP_TTL);
}

/* Of packets that are too big, or seem to be. */
static void
make_fit(struct vsw_worker *worker, struct batch *batch, unsigned i,
	 struct vsw_packet *packet, const struct rewrite *rewrite,
	 const struct new_address *address)
{
	const struct headers *h = &batch->headers[i];

	switch (fit_judge(packet, h, rewrite)) {
	case FIT_WITHOUT_PADDING:
		packet->size = h->l3_end;
		send_to(worker, batch, i, packet, rewrite, address);
		break;
	case FIT_AS_IT_IS:
		send_to(worker, batch, i, packet, rewrite, address);
		break;
	case FIT_IN_FRAGMENTS:
		if (address)
			address_set(packet, h, address);
		send_fragments(worker, batch, i, packet, rewrite);
		break;
	case FIT_NOT:
		if (fit_is_told(h, rewrite))
			tell(worker, batch, packet, rewrite->reason,
			     rewrite->vni, rewrite->max_size - h->l3);
		else
			transmit_drop(worker, batch->port, packet,
				      VSW_DROP_TOO_BIG);
		break;
	}
}

/* All of them take the whole packet's way: its headers say which. */
static void
send_fragments(struct vsw_worker *worker, struct batch *batch, unsigned i,
	       struct vsw_packet *packet, const struct rewrite *rewrite)
{
	struct rewrite pieces = *rewrite;
	struct fragments fragments;

	/* Only the first one will have a TCP header. */
	if (pieces.ops & REWRITE_MSS)
		mss_clamp(packet, &batch->headers[i], pieces.mss);
	pieces.ops &= (uint8_t) ~REWRITE_MSS;
	if (fragments_start(&fragments, packet, rewrite->max_size)) {
		transmit_drop(worker, batch->port, NULL, VSW_DROP_SEGMENT);
		return;
	}
	while ((packet = fragments_next(&fragments)))
		send(worker, batch, i, packet, &pieces);
	if (fragments.has_failed)
		transmit_drop(worker, batch->port, NULL, VSW_DROP_NO_MEMORY);
}

/* The sender is to hear of it once: of segments the first one is enough. */
static void
tell(struct vsw_worker *worker, struct batch *batch, struct vsw_packet *packet,
     uint32_t reason, uint32_t vni, uint32_t mtu)
{
	struct segments segments;

	if (packet->offload.segment_kind != VSW_SEGMENT_NONE) {
		if (segments_start(&segments, packet)) {
			transmit_drop(worker, batch->port, NULL,
				      VSW_DROP_SEGMENT);
			return;
		}
		packet = segments_next(&segments);
		segments_stop(&segments);
	}
	if (packet)
		punt(worker, batch, packet, reason, vni, mtu);
	else
		transmit_drop(worker, batch->port, NULL, VSW_DROP_NO_MEMORY);
}

static void
punt(struct vsw_worker *worker, struct batch *batch, struct vsw_packet *packet,
     uint32_t reason, uint32_t vni, uint32_t mtu)
{
	struct vsw *vsw = worker->vsw;
	struct port_counts *counts = &batch->port->counts[worker->index];
	struct vsw_port *port = atomic_load_explicit(&vsw->punt_port,
						     memory_order_acquire);

	if (!port) {
		transmit_drop(worker, batch->port, packet, VSW_DROP_NO_PUNT);
	} else if (port == batch->port) {
		transmit_drop(worker, port, packet, VSW_DROP_SAME_PORT);
	} else if (!port_may_punt(batch->port, worker->index, batch->now)) {
		transmit_drop(worker, batch->port, packet,
			      VSW_DROP_PUNT_LIMIT);
	} else {
		count_add(&counts->punts, 1);
		packet->punt_reason = reason;
		packet->punt_vni = vni;
		packet->punt_mtu = mtu;
		transmit_add(worker, batch, packet, port);
	}
}

/* A port with VSW_PORT_TUNNEL gets the outer side as data, and the inner
 * packet's offload state as far as its abilities go.  Outer headers as bytes
 * can only stand in front of a finished packet: devices know of one level of
 * offload, and it is the outer one's. */
static inline void
encap(struct vsw_worker *worker, struct batch *batch, unsigned i,
      struct vsw_packet *packet, const struct rewrite *rewrite)
{
	const struct headers *h = &batch->headers[i];
	const struct outer *outer = rewrite->outer;
	uint32_t hash = batch->hashes[i];
	struct vsw_tunnel tunnel;

	if (h->key.fragment != VSW_FRAGMENT_NONE)
		hash = hash_of_all_fragments(worker, &h->key);
	if (!outer->size) {
		tunnel_describe(outer, h, hash, &packet->tunnel);
		transmit_add(worker, batch, packet, rewrite->port);
		return;
	}
	tunnel_stamp(h, hash, &tunnel);
	if (!segment_needed(&packet->offload, 0))
		push(worker, batch, packet, rewrite, &tunnel);
	else
		push_segments(worker, batch, packet, rewrite, &tunnel);
}

static inline void
push(struct vsw_worker *worker, struct batch *batch, struct vsw_packet *packet,
     const struct rewrite *rewrite, const struct vsw_tunnel *tunnel)
{
	int drop = tunnel_push(packet, rewrite->outer, tunnel);

	if (drop == PARSE_GOOD)
		transmit_add(worker, batch, packet, rewrite->port);
	else
		transmit_drop(worker, batch->port, packet,
			      (enum vsw_drop) drop);
}

static void
push_segments(struct vsw_worker *worker, struct batch *batch,
	      struct vsw_packet *packet, const struct rewrite *rewrite,
	      const struct vsw_tunnel *tunnel)
{
	struct segments segments;

	if (segments_start(&segments, packet)) {
		transmit_drop(worker, batch->port, NULL, VSW_DROP_SEGMENT);
		return;
	}
	while ((packet = segments_next(&segments)))
		push(worker, batch, packet, rewrite, tunnel);
	for (uint32_t n = segments.index; n < segments.n; n++)
		transmit_drop(worker, batch->port, NULL, VSW_DROP_NO_MEMORY);
}

/* Fragments of one packet are to take one path through the underlay, and only
 * the first one has ports. */
static uint32_t
hash_of_all_fragments(const struct vsw_worker *worker,
		      const struct flow_key *key)
{
	struct flow_key portless = flow_key_of_any_fragment(key);

	return flow_hash(&portless, worker->vsw->seed);
}
