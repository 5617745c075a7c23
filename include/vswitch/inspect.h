/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VSWITCH_INSPECT_H
#define VSWITCH_INSPECT_H 1

/* Counters, flows, and what would happen to a packet.  Read <vswitch.h>
 * first. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/packet.h>
#include <vswitch/policy.h>
#include <vswitch/switch.h>
#include <vswitch/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every way a packet can go nowhere.  New ones are added at the end. */
#define VSW_DROPS(X)                                                        \
	X(SHORT, "frame ends before its headers do")                        \
	X(BAD_HEADER, "a header contradicts itself or the frame's size")    \
	X(BAD_OFFLOAD, "offload state does not fit the packet")             \
	X(NO_PROGRAM, "port has no program")                                \
	X(RULE, "a rule says drop")                                         \
	X(NO_OUTPUT, "no layer said where to")                              \
	X(NO_MAPPING, "address is not in the mapping")                      \
	X(NO_FLOOD, "broadcast has nowhere to go")                          \
	X(NOT_LOCAL, "tunnelled packet for an address that is not here")    \
	X(UNKNOWN_VNI, "virtual network is not known here")                 \
	X(UNKNOWN_PA, "tunnel from a provider address that is not known")   \
	X(BAD_TUNNEL, "tunnel header is damaged or asks for the unknown")   \
	X(NO_UPLINK, "no uplink to the provider address is up")             \
	X(NO_NEXT_HOP, "no way to the provider address, or no neighbour")   \
	X(SAME_PORT, "would go out where it came in")                       \
	X(TTL, "time to live is used up")                                   \
	X(NO_PUNT, "no port takes punts")                                   \
	X(PUNT_LIMIT, "port punts more than it may")                        \
	X(PORT_GONE, "output port was removed")                             \
	X(NO_ROOM, "no headroom left, or longer than a packet can be")      \
	X(TOO_BIG, "larger than the underlay takes")                        \
	X(SEGMENT, "cannot be cut into segments")                           \
	X(NO_MEMORY, "out of memory")                                       \
	X(DEVICE_FULL, "device's queue is full")                            \
	X(DEVICE_ERROR, "device failed")                                    \
	X(FLOW_LIMIT, "port starts more flows than it may")                 \
	X(CONNECTION_LIMIT, "no room for one connection more")              \
	X(CONNECTION_RATE, "port opens connections faster than it may")     \
	X(CONNECTION_HALF_OPEN, "too many connections wait for an answer")  \
	X(CONNECTION_STATE, "fits into no connection")                      \
	X(CONNECTION_ENDED, "goes on in a connection that policy has ended") \
	X(FRAGMENT_LOST, "fragment's ports count, and its first is not there") \
	X(FRAGMENT_LIMIT, "too many fragments wait for their first")        \
	X(FRAGMENT_OVERLAP, "fragment lies over what was there before")     \
	X(STORM_LIMIT, "port floods more than it may")                      \
	X(VLAN, "tagged with a VLAN that the port does not carry")

enum vsw_drop {
#define VSW_DROP_ENUM(NAME, TEXT) VSW_DROP_##NAME,
	VSW_DROPS(VSW_DROP_ENUM)
#undef VSW_DROP_ENUM
	VSW_N_DROPS
};

/* [any] "NO_MAPPING", and its text; NULL if there is no such drop. */
VSW_API const char *vsw_drop_name(enum vsw_drop);
VSW_API const char *vsw_drop_text(enum vsw_drop);

/* Seen from the switch: 'received' from the port, 'sent' to it.  A drop is
 * counted at the port the packet came from; those of 'transmit' and of a
 * missing program in direction VSW_IN at the port it was to go to.  Packets
 * with a segment size count once, and with all their bytes. */
struct vsw_port_counters {
	size_t size;			/* sizeof(struct vsw_port_counters). */
	uint64_t packets_received, bytes_received;
	uint64_t packets_sent, bytes_sent;
	uint64_t flows_hit, flows_missed, flows_stale;
	uint64_t punts;
	uint64_t drops[48];		/* By enum vsw_drop; rest is zero. */
	/* Of the port's own layers (vsw_rule_track()). */
	uint64_t connections;		/* Now. */
	uint64_t connections_opened;	/* Ever, */
	uint64_t connections_refused;	/* and for lack of room or rate. */
};
/* [any] Sums of what the workers counted; each number by itself is exact. */
VSW_API void vsw_port_get_counters(const struct vsw_port *,
				   struct vsw_port_counters *ret_counters);

/* What a port takes of the room that it shares with others, by class.  Flows
 * are those in the workers' caches that its packets go by; connections those of
 * its own layers, all of them, those of which one side alone has been heard,
 * and each protocol's. */
#define VSW_CLASSES(X)                                                      \
	X(FLOWS, "flows")                                                   \
	X(CONNECTIONS, "connections")                                       \
	X(HALF_OPEN, "half_open")                                           \
	X(TCP, "tcp")                                                       \
	X(UDP, "udp")                                                       \
	X(ICMP, "icmp")                                                     \
	X(OTHER, "other")

enum vsw_class {
#define VSW_CLASS_ENUM(NAME, TEXT) VSW_CLASS_##NAME,
	VSW_CLASSES(VSW_CLASS_ENUM)
#undef VSW_CLASS_ENUM
	VSW_N_CLASSES
};

/* [any] "half_open"; NULL if there is no such class. */
VSW_API const char *vsw_class_name(enum vsw_class);

struct vsw_class_counters {
	uint64_t n;			/* Now. */
	uint64_t max;			/* The most at a time, since the port
					 * was added.  Of flows: each worker's
					 * most, summed. */
	uint64_t limit;			/* What may be at a time; 0: there is
					 * none for this class alone.  Of flows:
					 * all workers' together. */
	uint64_t created;		/* Ever. */
};

struct vsw_port_classes {
	size_t size;			/* sizeof(struct vsw_port_classes). */
	struct vsw_class_counters of[8];	/* By enum vsw_class. */
};
/* [control] Counted where flows and connections come and go: no packet that
 * finds its flow pays for it. */
VSW_API void vsw_port_get_classes(const struct vsw_port *,
				  struct vsw_port_classes *ret_classes);

/* Where a packet is to be said to come from, for explain. */
struct vsw_explain_options {
	size_t size;			/* Of this struct. */
	const struct vsw_tunnel *tunnel;	/* On an uplink: it comes in
						 * this tunnel.  Or NULL. */
};

enum vsw_step_kind {
	VSW_STEP_PACKET,		/* What came in, tunnel taken off. */
	VSW_STEP_PORT,			/* The layers of 'port' are to be asked,
					 * in 'direction'; or it has no program,
					 * as 'text' says. */
	VSW_STEP_LAYER,			/* One was. */
	VSW_STEP_ACTION,		/* What its rule found, or did. */
	VSW_STEP_TARGET,		/* Where a copy is to go. */
	VSW_STEP_SENT,			/* The end of it, or of a copy. */
	VSW_STEP_DROPPED		/* And here, 'drop' says why. */
};

/* A step of deciding, as far as it has what the members say; else they are
 * NULL or 0. */
struct vsw_step {
	size_t size;			/* Of this struct, as the library knows
					 * it. */
	uint8_t kind;			/* enum vsw_step_kind. */
	uint8_t direction;		/* enum vsw_direction. */
	int drop;			/* enum vsw_drop; -1: none. */
	struct vsw_port *port;		/* Whose layers; where it is sent.
					 * TARGET, SENT: NULL, to none. */
	/* LAYER, and ACTION behind it: */
	const char *layer;
	const char *group;		/* The rule's that counts; NULL: no
					 * rule. */
	const char *rule;		/* Its name; NULL: has none. */
	uint32_t rule_number;		/* 1, 2, ...; 0: no rule. */
	uint32_t priority;
	const char *matched;		/* LAYER: what the rule asks for, all of
					 * which the packet has:
					 * "ipv4_dst=10.0.0.0/8, l4_dst=80". */
	/* LAYER: what it cost to ask: groups, look-ups of a field's value in an
	 * index, and rules that were compared one by one. */
	uint32_t n_groups, n_dimensions, n_rules;
	const char *text;		/* All of it in words, one line. */
	/* ACTION: in which mapping what was looked up, if it was: a MAC, or
	 * an address. */
	const char *mapping, *address;
};

typedef void vsw_explain_fn(void *ctx, const struct vsw_step *step);

/* [control] Walks 'frame' through the same code as packets, as if it had come
 * in on the port, without sending, counting or remembering anything, and tells
 * each step to 'explain'; the step and its strings last for the call.  The last
 * one is the end, VSW_STEP_SENT or _DROPPED; of a packet that is copied each
 * copy has one, at the end, in the order it is sent.  No fragment that came
 * before is known: a later one that has to wait for its first ends as dropped
 * (VSW_DROP_FRAGMENT_LOST). */
VSW_API VSW_MUST_CHECK int vsw_explain(struct vsw_port *,
				       const void *frame, size_t size,
				       const struct vsw_explain_options *,
				       vsw_explain_fn *explain, void *ctx);

/* [any] The step as a line for people, without a newline: its text, set in
 * under what it belongs to.  Cut to 'size', with a NUL; returns how long it
 * is, without the NUL. */
VSW_API size_t vsw_step_format(const struct vsw_step *, char *line,
			       size_t size);

/* Hits of rules.  A rule that was given a counter (vsw_rule_count()) counts
 * packets that went, or ended, as it says: those that a flow was made from, and
 * all that hit that flow later.  Hits cost nothing for it: a flow counts its
 * packets in any case, and these go to the counters of the rules that decided
 * it when it is decided anew, when it goes, and when vsw_worker_count() is
 * called; until then a counter lags behind, and in the end it is exact, as long
 * as that is at least once in 2^32 packets of a flow.
 *
 * Of the rules of a group that are asked only the one that counts counts, and
 * not rules of other layers that were overridden.  What passes a layer as a
 * connection's packet (vsw_rule_track()) counts for the rule that lets its
 * opener pass, if it goes the opener's way; replies count for no rule.  A
 * packet counts for the first 16 rules that it meets, which is of importance
 * to what is copied to many ports alone.  Packets that a limit stops, or that
 * no flow is kept for, count for no rule.
 *
 * A counter is no rule's own: an embedder that replaces a group, and gives
 * what is the same rule to it the same counter, loses no packet, not even of
 * flows that the old group decided. */
struct vsw_counter;
/* [control] Life of a counter: 0 or -ENOMEM; rules hold it as well. */
VSW_API VSW_MUST_CHECK int vsw_counter_new(struct vsw *,
					   struct vsw_counter **ret_counter);
VSW_API void vsw_counter_unref(struct vsw_counter *);
/* [any] Packets so far. */
VSW_API uint64_t vsw_counter_read(const struct vsw_counter *);
/* [worker] Brings counters up to what this worker has passed, in pieces: looks
 * at 'n' of its places for flows, beginning at '*at' (0 at first), which it
 * moves on.  False: that was the last piece. */
VSW_API bool vsw_worker_count(struct vsw_worker *, size_t *at, size_t n);

/* A cached flow, as plain text and numbers. */
struct vsw_flow_info {
	size_t size;			/* Of this struct. */
	struct vsw_port *in_port;
	const char *key;		/* "10.1.1.11:4000 > 10.1.1.12:80" */
	const char *rewrite;		/* "vxlan vni 5001 to 192.168.2.20" */
	uint64_t n_packets, n_bytes;
	uint64_t idle_ns;		/* In whole seconds. */
	int drop;			/* enum vsw_drop; -1: it goes on. */
};
typedef void vsw_flow_fn(void *ctx, const struct vsw_flow_info *);

/* [worker] Shows this worker's flows of 'port' (NULL: of all), at most 'max'.
 * Strings last for the call.  Returns how many there are. */
VSW_API size_t vsw_worker_flows(struct vsw_worker *, struct vsw_port *port,
				uint64_t now, size_t max, vsw_flow_fn *show,
				void *ctx);
/* [worker] The same in pieces, in no order, so that packets need not wait for
 * it: looks at 'n' of the worker's places for flows, beginning at '*at' (0 at
 * first), which it moves on.  What comes and goes between the pieces may be
 * shown or not.  False: that was the last piece. */
VSW_API bool vsw_worker_flows_from(struct vsw_worker *, struct vsw_port *port,
				   uint64_t now, size_t *at, size_t n,
				   vsw_flow_fn *show, void *ctx);

/* A connection (vsw_rule_track()), seen from its port: 'local' is behind it.
 * Ports of ICMP are the identifier, of other protocols 0. */
struct vsw_connection_info {
	size_t size;			/* Of this struct. */
	struct vsw_port *port;
	const char *state;		/* "established" */
	uint8_t direction;		/* enum vsw_direction, of who opened. */
	uint8_t ip_proto;
	uint16_t vlan;			/* 0: none. */
	uint32_t vni;			/* On ports that carry tunnels. */
	struct vsw_addr local, remote;
	uint16_t local_port, remote_port;
	uint32_t layers;		/* Bit i: passes layer i. */
	uint64_t age_ns;
	uint64_t idle_ns;		/* Of established ones to 17 s. */
};
typedef void vsw_connection_fn(void *ctx, const struct vsw_connection_info *);

/* [control] Shows connections of 'port' (NULL: of all), at most 'max'.  Returns
 * how many there are; what opens and ends meanwhile may be missing. */
VSW_API size_t vsw_connections(struct vsw *, struct vsw_port *port,
			       uint64_t now, size_t max,
			       vsw_connection_fn *show, void *ctx);
/* [control] The same in pieces: looks at 'n' of the places that the table finds
 * connections by, beginning at '*at' (0 at first), which it moves on.  False:
 * that was the last piece. */
VSW_API bool vsw_connections_from(struct vsw *, struct vsw_port *port,
				  uint64_t now, size_t *at, size_t n,
				  vsw_connection_fn *show, void *ctx);

/* What a worker tells the control thread about a packet for which a flow was
 * decided: never about one that found its flow in the cache. */
enum vsw_event_kind {
	VSW_EVENT_LEARNED,		/* vsw_rule_learn(): a source that is
					 * not known on this port. */
	VSW_EVENT_LOGGED,		/* vsw_rule_log(): a rule that is to be
					 * logged decided a new flow. */
	VSW_EVENT_ENDED,		/* A connection that such a rule let
					 * begin is over; the packet is its
					 * opener's. */
	VSW_EVENT_CONTINUED,		/* One goes on, of which that may be
					 * said: vsw_events_continue(). */
	VSW_N_EVENT_KINDS
};

/* The packet is described as it came in, without its tunnel. */
struct vsw_event {
	size_t size;			/* Of this struct, as the library knows
					 * it. */
	uint8_t kind;			/* enum vsw_event_kind. */
	uint8_t direction;		/* enum vsw_direction, */
	struct vsw_port *port;		/* of the layers of this port. */
	uint64_t tag;			/* The rule's. */
	uint64_t time_ns;		/* 'now' of the packet's worker. */
	uint8_t eth_src[6], eth_dst[6];
	uint16_t eth_type;		/* Host byte order; so are all. */
	uint16_t vlan;			/* VSW_FIELD_VLAN. */
	uint32_t vni;			/* Of its tunnel; 0: none. */
	struct vsw_addr src, dst;	/* n == 0: neither IP nor ARP. */
	uint8_t ip_proto;
	uint8_t fragment;		/* enum vsw_fragment. */
	uint16_t l4_src, l4_dst;	/* 0: none. */
	/* ENDED, CONTINUED: what the connection has passed since it was last
	 * told of: of its opener, and of the other.  Bytes are those of frames,
	 * without padding; packets with a segment size count once. */
	uint64_t packets[2], bytes[2];
};
typedef void vsw_event_fn(void *ctx, const struct vsw_event *);

/* [control] Takes events off, at most 'max', and shows each one; 'show' may
 * call the library, but for this function.  Returns how many: if that is
 * 'max', there may be more.  Of each worker they come in order; those of ports
 * that were removed are left out.  vsw_options.wake is called when it is time
 * to. */
VSW_API size_t vsw_events(struct vsw *, size_t max, vsw_event_fn *show,
			  void *ctx);

/* [control] Connections whose end is to be told, and that have had packets
 * since they were last told of, are told of as VSW_EVENT_CONTINUED.  In pieces,
 * as vsw_connections_from(): looks at 'n' places, beginning at '*at'; *ret_n is
 * how many were shown.  False: that was the last piece.
 *
 * A flow's packets are seen one by one where a connection of theirs is to be
 * told of; others pay nothing for it. */
VSW_API bool vsw_events_continue(struct vsw *, uint64_t now, size_t *at,
				 size_t n, size_t *ret_n, vsw_event_fn *show,
				 void *ctx);

/* Lost is what found no room: a worker keeps 1024 events, 128 of one port, and
 * a port tells no more than vsw_options.max_events_per_s. */
struct vsw_event_counters {
	size_t size;			/* sizeof(struct vsw_event_counters). */
	uint64_t told[8], lost[8];	/* By enum vsw_event_kind. */
};
/* [control] */
VSW_API void vsw_event_get_counters(const struct vsw *,
				    struct vsw_event_counters *ret_counters);

#ifdef __cplusplus
}
#endif

#endif /* vswitch/inspect.h */
