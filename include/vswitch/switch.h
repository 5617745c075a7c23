/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VSWITCH_SWITCH_H
#define VSWITCH_SWITCH_H 1

/* Switches and their ports.  Read <vswitch.h> first. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <vswitch/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vsw;
struct vsw_packet;
struct vsw_port;
struct vsw_group;
struct vsw_program;
struct vsw_worker;

/* An IPv4 or IPv6 address, in network byte order.  'n' is 4 or 16; 0 means no
 * address at all.  What 'n' leaves of 'bytes' is zero. */
struct vsw_addr {
	uint8_t n;
	uint8_t bytes[16];
};

enum vsw_log_level {
	VSW_LOG_ERROR,		/* The switch does less than it was told to. */
	VSW_LOG_WARNING,	/* Odd, and worth a look. */
	VSW_LOG_INFO,		/* Once per change of configuration. */
	VSW_LOG_DEBUG
};

/* Where memory comes from.  'alloc' returns NULL when there is none, and the
 * library copes.  Both may be called by any thread.  The library's own uses 2
 * MB pages for what is large, where the kernel has them; one of the embedder's
 * is asked for pieces of 1 MB and above at an alignment of 2 MB, so that it can
 * do so, too.  Flows are looked at in no order, and find themselves faster on
 * such pages. */
struct vsw_allocator {
	void *(*alloc)(void *ctx, size_t alignment, size_t size);
	void (*free)(void *ctx, void *memory, size_t size);
	void *ctx;
};

/* Where messages go.  'message' is one line without a newline.  Called by
 * [control] functions only: packets are counted, never logged. */
struct vsw_logger {
	void (*log)(void *ctx, enum vsw_log_level, const char *message);
	void *ctx;
};

struct vsw_options {
	size_t size;			/* Set by vsw_options_init(). */
	struct vsw_allocator allocator;	/* All zero: malloc() and free(). */
	struct vsw_logger logger;	/* All zero: silence. */
	uint64_t hash_seed;		/* 0: random.  Tests set it. */
	uint32_t max_ports;		/* At most 65535. */
	uint32_t max_flows;		/* In each worker's cache; their
					 * memory is there from the start,
					 * up to 192 bytes for each. */
	uint32_t max_workers;		/* At most 256. */
	uint32_t flow_idle_s;		/* A flow this long unused goes, to
					 * the second; at most 9 hours. */
	uint32_t max_punts_per_s;	/* Of each source port, per worker. */
	/* How many new flows a port may start, in each worker: so many a
	 * second (0: 40000), and so many at once (0: a tenth of a second's
	 * worth, but 256 at least).  What it starts beyond that is dropped
	 * (VSW_DROP_FLOW_LIMIT), at the price of a look-up, so that its scans
	 * are its own loss.  Ports that tunnels come in by may start eight
	 * times that.  Established flows that policy has overtaken have a
	 * share of their own to be decided anew from: four times the rate,
	 * and each of the cache's flows once at any time. */
	uint32_t max_new_flows_per_s;	/* VSW_UNLIMITED: no limit. */
	uint32_t new_flow_burst;

	/* Connections (vsw_rule_track()).  0 in any of these: what is said
	 * beside it. */
	uint32_t max_connections;	/* Of the switch, at most 2^26.
					 * 1048576, of 140 bytes and 4 to 8
					 * more; taken as needed. */
	uint32_t max_port_connections;	/* Of one port.  262144. */
	uint32_t max_port_half_open;	/* Of these, with only one side heard.
					 * 16384. */
	uint32_t max_port_connections_per_s;	/* That it opens.  100000;
						 * VSW_UNLIMITED: no limit. */
	/* Seconds that one lasts without packets; what is established or
	 * closing, up to 17 longer. */
	uint32_t tcp_half_open_s;	/* 60. */
	uint32_t tcp_established_s;	/* 7440: RFC 5382, section 5. */
	uint32_t tcp_closing_s;		/* From the first FIN.  120. */
	uint32_t tcp_reset_s;		/* 30. */
	uint32_t udp_single_s;		/* Not answered yet, and not TCP or
					 * ICMP.  30. */
	uint32_t udp_s;			/* 300: RFC 4787, section 4.3. */
	uint32_t icmp_s;		/* 60: RFC 5508, section 3.2. */
	uint32_t other_s;		/* 600. */

	/* Events (vsw_events()): what each port may tell in each worker, in a
	 * second; 0: 1000.  VSW_UNLIMITED: no limit. */
	uint32_t max_events_per_s;
	/* Called by a worker that has told an event, if it is the first one
	 * since vsw_events() was called; must not block, nor call the library.
	 * NULL: nobody waits. */
	void (*wake)(void *ctx);
	void *wake_ctx;
};

#define VSW_UNLIMITED UINT32_MAX

static inline void
vsw_options_init(struct vsw_options *options)
{
	memset(options, 0, sizeof *options);
	options->size = sizeof *options;
	options->max_ports = 256;
	options->max_flows = 65536;
	options->max_workers = 16;
	options->flow_idle_s = 60;
	options->max_punts_per_s = 2000;
}

/* [control] Life of a switch. */
VSW_API VSW_MUST_CHECK int vsw_new(const struct vsw_options *,
				   struct vsw **ret_switch);
VSW_API void vsw_free(struct vsw *);

/* What a port's way out can do by itself with a packet's offload state
 * (<vswitch/packet.h>).  What it cannot, the switch finishes in software
 * before 'transmit': it cuts segments and fills in checksums. */
enum vsw_port_ability {
	VSW_PORT_CHECKSUM = 1 << 0,	/* Fills in partial checksums. */
	VSW_PORT_TSO4 = 1 << 1,		/* Cuts TCP over IPv4, */
	VSW_PORT_TSO6 = 1 << 2,		/* over IPv6, */
	VSW_PORT_USO = 1 << 3,		/* and UDP. */
	/* Packets on this port belong to tunnels and carry their outer side
	 * as struct vsw_tunnel instead of as headers: a 'transmit' finds it
	 * with vsw_packet_tunnel(), a receiver sets it. */
	VSW_PORT_TUNNEL = 1 << 4,
	/* This port is where punts go: to the embedding program. */
	VSW_PORT_PUNT = 1 << 5,
	/* With VSW_PORT_TUNNEL: it reaches provider addresses of this family
	 * alone.  Neither: of both. */
	VSW_PORT_ONLY_IPV4 = 1 << 6,
	VSW_PORT_ONLY_IPV6 = 1 << 7
};

/* What a port can do.  'transmit' owns the packets it is given (at most 64 at
 * a time, order kept); it is called on the thread of 'worker' and must not
 * block.  Several workers may call it at once.  Packets are freed, or handed
 * on, before it returns: what is needed later is copied. */
struct vsw_port_ops {
	size_t size;			/* sizeof(struct vsw_port_ops). */
	uint32_t abilities;		/* enum vsw_port_ability, or'ed. */
	void (*transmit)(void *ctx, struct vsw_worker *worker,
			 struct vsw_packet *const packets[], size_t n);
};

/* [control] Life of a port.  'name' is unique in the switch, at most 63 bytes.
 * A new port has no program: nothing passes, in either direction.  When
 * remove returns, no worker will call 'transmit' again: it waits for batches
 * that are under way. */
VSW_API VSW_MUST_CHECK int vsw_port_add(struct vsw *, const char *name,
					const struct vsw_port_ops *,
					void *ctx,
					struct vsw_port **ret_port);
VSW_API void vsw_port_remove(struct vsw_port *);

/* [control] Adds a port inside of another, its trunk.  What comes out of the
 * trunk with an 802.1Q tag of 'vlan', 1 to 4094, comes in on this port instead,
 * without that tag; what is sent to this port leaves by the trunk's way out,
 * with that tag and priority 0.  In all else it is a port like any: program,
 * limits, counters, flows and connections are its own, and so is its MTU, which
 * is that of packets without the tag.
 *
 * What comes out of a trunk without a tag, or with one that is a priority alone
 * (VID 0, IEEE 802.1Q, section 6.9), which is taken off, is the trunk's own;
 * what has a tag of no port's VLAN is dropped (VSW_DROP_VLAN).  One tag is
 * looked at, of EtherType 0x8100: what is behind it is the program's matter.  A
 * port that has no other inside of it is no trunk, and leaves tags as they are.
 *
 * It is removed as any other, before its trunk or behind it: what is sent to it
 * when the trunk is gone is VSW_DROP_PORT_GONE.  -EEXIST: the name or the VLAN
 * is taken; -EINVAL: 'trunk' carries tunnels, takes punts, or is inside of
 * another. */
VSW_API VSW_MUST_CHECK int vsw_port_add_vlan(struct vsw_port *trunk,
					     const char *name, uint16_t vlan,
					     struct vsw_port **ret_port);

/* [control] Replaces a port's program at once: each packet sees either all of
 * the old program or all of the new one.  NULL: none.  An unsealed program is
 * -EINVAL. */
VSW_API VSW_MUST_CHECK int vsw_port_set_program(struct vsw_port *,
						struct vsw_program *);

/* [control] The same for many ports of one switch, whose flows are told once:
 * what one change of policy means for all of them.  A packet of one port may
 * meet the new policy before one of another does.  On -EINVAL, -ENOMEM none has
 * another program. */
VSW_API VSW_MUST_CHECK int
vsw_port_set_programs(struct vsw_port *const ports[],
		      struct vsw_program *const programs[], size_t n);

/* [control] The same as if each of the ports had got another program, which
 * says what its own says, with the sealed group to[i] in each place where that
 * has from[i]: for a rule that a thousand ports have.  It costs little more
 * than that, where no reference but its port's is left to a program: such a one
 * is not made anew.  Others that hold a program keep it as it was.
 *
 * -ENOENT: a port's program has none of 'from', or it has no program; -EINVAL:
 * a group may not stand there; -ENOMEM.  Then nothing has changed. */
VSW_API VSW_MUST_CHECK int
vsw_port_exchange_groups(struct vsw_port *const ports[], size_t n_ports,
			 struct vsw_group *const from[],
			 struct vsw_group *const to[], size_t n);

/* [control] The one it has, or NULL.  Takes no reference. */
VSW_API struct vsw_program *vsw_port_get_program(const struct vsw_port *);

/* What one port may do, in each worker, where it is to be something else than
 * what the switch's options say of all; 0: as they say.  Of connections: in
 * all of them. */
struct vsw_port_limits {
	size_t size;			/* sizeof(struct vsw_port_limits). */
	uint32_t max_new_flows_per_s;	/* As in struct vsw_options, */
	uint32_t new_flow_burst;
	uint32_t max_punts_per_s;	/* and VSW_UNLIMITED for all three. */
	uint32_t max_flows;		/* In the cache.  A port that holds so
					 * many gives its own oldest for each
					 * new one.  0: as many as fit; when
					 * the cache is full, the port that
					 * holds most gives way. */
	uint32_t max_floods_per_s;	/* Packets of its that go to all of
					 * several places: broadcast, multicast
					 * and unknown MACs; a second's worth at
					 * once.  What is beyond is dropped
					 * (VSW_DROP_STORM_LIMIT).  0: no
					 * limit. */
	uint32_t max_connections;	/* As max_port_connections, */
	uint32_t max_half_open;		/* max_port_half_open, */
	uint32_t max_connections_per_s;	/* and max_port_connections_per_s, in
					 * struct vsw_options. */
};

/* [control] NULL: as the switch's options say. */
VSW_API VSW_MUST_CHECK int vsw_port_set_limits(struct vsw_port *,
					       const struct vsw_port_limits *);

/* [control] The largest IP packet that the port's way out takes; 0, as at
 * first: any.  On a port with VSW_PORT_TUNNEL it is the outer packet.  What is
 * larger is cut, punted or dropped as the policy says (vsw_rule_too_big()). */
VSW_API VSW_MUST_CHECK int vsw_port_set_mtu(struct vsw_port *, uint32_t mtu);

/* The provider side of a port that carries outer headers as bytes (a port
 * without VSW_PORT_TUNNEL that tunnels are to leave by). */
struct vsw_underlay {
	size_t size;			/* sizeof(struct vsw_underlay). */
	struct vsw_addr local_v4;	/* This host's provider addresses; */
	struct vsw_addr local_v6;	/* n == 0: none. */
	uint8_t mac[6];			/* Source of outer frames. */
	uint16_t vlan;			/* Outer tag, 1 to 4094; 0: none. */
	uint16_t vxlan_port;		/* Destination; 0: 4789. */
	uint8_t ttl;			/* 0: 64. */
	uint32_t mtu;			/* Of outer IP packets; 0: 1500. */
};

/* [control] Makes a port an uplink (NULL: no longer); -EINVAL for a port with
 * VSW_PORT_TUNNEL, which needs none, for a trunk, and for what is inside of
 * one.  Frames received on it that are VXLAN or
 * NVGRE to a local provider address are tunnel packets (their VNI and
 * addresses are in VSW_FIELD_VNI, _TUNNEL_SRC, _TUNNEL_DST, and the inner
 * headers in all other fields). */
VSW_API VSW_MUST_CHECK int vsw_port_set_underlay(struct vsw_port *,
						 const struct vsw_underlay *);
/* [control] Behind which MAC the provider address 'pa' is; 'pa' with n == 0:
 * all that are not named.  'mac' NULL forgets.  Outer headers of locations
 * are made anew. */
VSW_API VSW_MUST_CHECK int vsw_port_set_next_hop(struct vsw_port *,
						 const struct vsw_addr *pa,
						 const uint8_t mac[6]);

/* [any] */
VSW_API const char *vsw_port_name(const struct vsw_port *);
VSW_API struct vsw *vsw_port_switch(const struct vsw_port *);
/* [control] NULL if there is none. */
VSW_API struct vsw_port *vsw_port_find(struct vsw *, const char *name);

/* [worker] For devices: packets that were given to 'transmit' and that the
 * device could not take (VSW_DROP_DEVICE_FULL, VSW_DROP_DEVICE_ERROR), or
 * that came in damaged (VSW_DROP_DEVICE_ERROR). */
VSW_API void vsw_port_count_drops(struct vsw_port *, struct vsw_worker *,
				  int drop, uint64_t n);

#ifdef __cplusplus
}
#endif

#endif /* vswitch/switch.h */
