/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VSWITCH_PACKET_H
#define VSWITCH_PACKET_H 1

/* Packets, and the workers that carry them.  Read <vswitch.h> first. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include <vswitch/switch.h>
#include <vswitch/version.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	VSW_PACKET_MAX = 65550,		/* Bytes of one frame: 64 KiB of IP. */
	VSW_PACKET_HEADROOM = 160	/* In front, for headers to push. */
};

/* [control] One for each thread that carries packets. */
VSW_API VSW_MUST_CHECK int vsw_worker_new(struct vsw *,
					  struct vsw_worker **ret_worker);
VSW_API void vsw_worker_free(struct vsw_worker *);
/* [any] 0, 1, ...: the lowest that was free. */
VSW_API unsigned vsw_worker_index(const struct vsw_worker *);

/* [worker] Takes 'packets' in on 'port' and carries each one through to its
 * end: sent, or dropped and counted.  'now' is the time in nanoseconds by any
 * clock that does not run backwards; the library reads none. */
VSW_API void vsw_worker_receive(struct vsw_worker *, struct vsw_port *,
				struct vsw_packet *const packets[], size_t n,
				uint64_t now);

/* [worker] Gives packets to 'port' as they are: no layer is asked, what its way
 * out cannot do is finished in software.  For answers to punts. */
VSW_API void vsw_worker_send(struct vsw_worker *, struct vsw_port *,
			     struct vsw_packet *const packets[], size_t n,
			     uint64_t now);

struct vsw_tunnel;
/* [control], on the worker's thread.  Sends 'packet' out of an uplink, in the
 * tunnel that 'tunnel' says: 'dst', 'vni', 'encap', 'hash' and 'tos'; the
 * source is the uplink's.  No layer is asked.  For what hosts have to say to
 * each other.  Takes the packet.  0; -ENETUNREACH: no uplink, or not of that
 * family; -EHOSTUNREACH: the next hop is not known; -ENOBUFS: no headroom. */
VSW_API VSW_MUST_CHECK int vsw_worker_send_tunnel(
	struct vsw_worker *, struct vsw_port *uplink,
	const struct vsw_tunnel *tunnel, struct vsw_packet *packet,
	uint64_t now);

/* [worker] Carries packets that were punted from 'port' on, as if it had just
 * given them: no rule punts them again, all others apply, and they do not
 * count as received a second time.  For what the host looked at and left to
 * the switch. */
VSW_API void vsw_worker_resume(struct vsw_worker *, struct vsw_port *,
			       struct vsw_packet *const packets[], size_t n,
			       uint64_t now);

/* [worker] Ages flows and connections out, a bounded number each time.  Returns
 * when it wants to be called again at the latest: nanoseconds, as 'now';
 * UINT64_MAX: when there was traffic. */
VSW_API uint64_t vsw_worker_idle(struct vsw_worker *, uint64_t now);

/* [worker] A new packet of 'size' bytes (not zeroed), with headroom.  NULL:
 * larger than VSW_PACKET_MAX, or out of memory.  Packets come from a pool of
 * the worker's and are freed by its thread. */
VSW_API struct vsw_packet *vsw_packet_new(struct vsw_worker *, size_t size);
VSW_API void vsw_packet_free(struct vsw_packet *);
VSW_API uint8_t *vsw_packet_data(struct vsw_packet *);
VSW_API size_t vsw_packet_size(const struct vsw_packet *);
/* Cuts to 'size' bytes; no more than it has. */
VSW_API void vsw_packet_trim(struct vsw_packet *, size_t size);
/* Makes room for 'n' bytes in front and returns where they begin; NULL if
 * there is no headroom left. */
VSW_API uint8_t *vsw_packet_push(struct vsw_packet *, size_t n);
/* Takes 'n' bytes off the front; no more than it has. */
VSW_API void vsw_packet_pull(struct vsw_packet *, size_t n);
VSW_API struct vsw_port *vsw_packet_in_port(const struct vsw_packet *);

/* What is still to be done to a packet, as in virtio's network header. */
enum vsw_segment_kind { VSW_SEGMENT_NONE, VSW_SEGMENT_TCP4, VSW_SEGMENT_TCP6,
			VSW_SEGMENT_UDP };
enum vsw_checksum_state {
	VSW_CHECKSUM_UNKNOWN,		/* As it stands in the packet. */
	VSW_CHECKSUM_GOOD,		/* Somebody has verified it. */
	VSW_CHECKSUM_PARTIAL		/* The field holds the pseudo header's
					 * sum; from 'checksum_start' to the
					 * end is to be added. */
};
struct vsw_offload {
	uint8_t segment_kind;
	uint8_t checksum;		/* enum vsw_checksum_state. */
	bool ecn;			/* TCP: CWR on first segment only. */
	uint16_t segment_size;		/* Payload bytes of each segment. */
	uint16_t checksum_start;	/* From the packet's first byte. */
	uint16_t checksum_offset;	/* Of the field, from there. */
};

/* [worker] The packet's own; write to it before vsw_worker_receive().  What
 * does not fit the packet's bytes makes it VSW_DROP_BAD_OFFLOAD. */
VSW_API struct vsw_offload *vsw_packet_offload(struct vsw_packet *);

/* The outer side of a packet on a port with VSW_PORT_TUNNEL. */
struct vsw_tunnel {
	struct vsw_addr src, dst;	/* Provider addresses; on transmit 'src'
					 * with n == 0: the device's own. */
	uint32_t vni;			/* Host byte order. */
	uint32_t hash;			/* Of the inner flow, for entropy. */
	uint8_t encap;			/* enum vsw_encap; NONE: no tunnel. */
	uint8_t tos;			/* Of the outer header. */
	uint8_t flow_id;		/* NVGRE's. */
};
VSW_API struct vsw_tunnel *vsw_packet_tunnel(struct vsw_packet *);

/* [worker] Why a packet came to the punt port, as its rule said, and from
 * where: vsw_packet_in_port().  'ret_vni' may be NULL. */
VSW_API uint32_t vsw_packet_punt(const struct vsw_packet *,
				 uint32_t *ret_vni);

/* [worker] Of one that was too big: the size of the largest IP packet that
 * would have fit, which is what an ICMP error says.  0: it was not. */
VSW_API uint32_t vsw_packet_punt_mtu(const struct vsw_packet *);

/* [worker] Finishes in software: cuts a packet that has a segment size into
 * packets without, and fills partial checksums in.  Takes 'packet'; writes at
 * most 'max' packets and returns how many, or a negative errno (packet freed).
 * For devices that find out late what they cannot do. */
VSW_API VSW_MUST_CHECK int vsw_packet_finish(struct vsw_worker *,
					     struct vsw_packet *packet,
					     struct vsw_packet *ret_packets[],
					     size_t max);

#ifdef __cplusplus
}
#endif

#endif /* vswitch/packet.h */
