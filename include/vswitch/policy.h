/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VSWITCH_POLICY_H
#define VSWITCH_POLICY_H 1

/* Programs (layers, groups, rules), sets, and mappings.  Read <vswitch.h>
 * first.
 *
 * A packet that a port gives to the switch walks the port's layers in
 * direction VSW_OUT, in the order added.  When a layer has named an output,
 * the rest of the layers still run; then the packet walks the layers of the
 * port it goes to in direction VSW_IN, in reverse order.  A packet that has no
 * output at the end is dropped (VSW_DROP_NO_OUTPUT).
 *
 * In a layer the groups of the direction are asked in the order added.  Of a
 * group at most one rule matches: the one with the lowest priority number,
 * among equals the one added first.  A later group's rule overrides an earlier
 * group's unless the earlier rule is terminating.  So a layer acts at most
 * once.  Each layer sees the headers as the layers before it left them.
 *
 * Of several layers that name an output in direction VSW_OUT the last one
 * counts.  A drop, a punt, or a look-up that finds nothing ends the walk at
 * once: no layer that follows is asked.  Addresses are looked up when the
 * layer is asked, by the headers as they are then.
 *
 * Each copy of a packet that goes to several places walks the layers of its
 * own port, and ends by itself.  In direction VSW_IN groups may drop, punt
 * and edit; one that says where packets go (output, encap, decap, route)
 * cannot be added (-EINVAL), because that is known by then.  Nothing leaves by
 * the port it came from (VSW_DROP_SAME_PORT), but an uplink may encapsulate
 * what came in on it, for another provider address. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/switch.h>
#include <vswitch/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vsw_counter;
struct vsw_domain;
struct vsw_group;
struct vsw_layer;
struct vsw_mapping;
struct vsw_rule;
struct vsw_set;

/* Seen from whoever is behind the port (a VM, or the wire). */
enum vsw_direction { VSW_OUT, VSW_IN };

enum vsw_encap { VSW_ENCAP_NONE, VSW_ENCAP_VXLAN, VSW_ENCAP_NVGRE };

/* What rules look at.  Sizes in bytes; numbers are in network byte order. */
enum vsw_field {
	VSW_FIELD_ETH_SRC,	/* 6. */
	VSW_FIELD_ETH_DST,	/* 6. */
	VSW_FIELD_ETH_TYPE,	/* 2.  Behind 802.1Q. */
	VSW_FIELD_VLAN,		/* 2.  802.1Q VID | 0x1000; 0: untagged. */
	VSW_FIELD_IP_PROTO,	/* 1.  After extension headers.  ARP: 1
				 * request, 2 reply.  IP and ARP alone. */
	VSW_FIELD_IPV4_SRC,	/* 4.  ARP: sender's. */
	VSW_FIELD_IPV4_DST,	/* 4.  ARP: target's. */
	VSW_FIELD_IPV6_SRC,	/* 16. */
	VSW_FIELD_IPV6_DST,	/* 16. */
	VSW_FIELD_L4_SRC,	/* 2.  TCP, UDP; ICMP: the type. */
	VSW_FIELD_L4_DST,	/* 2.  TCP, UDP; ICMP: the code. */
	VSW_FIELD_FRAGMENT,	/* 1.  enum vsw_fragment.  Not IP: NONE. */
	VSW_FIELD_VNI,		/* 4.  The subnet the packet is in: as it came
				 * in the tunnel, or as a route action set it;
				 * 0: none yet.  What comes in a tunnel with
				 * VNI 0 is no subnet's, but what the hosts
				 * have to say to each other (BFD). */
	VSW_FIELD_TUNNEL_SRC4,	/* 4.  Outer addresses; an IPv6 tunnel does */
	VSW_FIELD_TUNNEL_DST4,	/* 4.  not match these two, */
	VSW_FIELD_TUNNEL_SRC6,	/* 16. nor an IPv4 tunnel these. */
	VSW_FIELD_TUNNEL_DST6,	/* 16. */
	VSW_N_FIELDS
};

enum vsw_fragment {
	VSW_FRAGMENT_NONE = 0,
	VSW_FRAGMENT_FIRST = 1,	/* Has ports. */
	VSW_FRAGMENT_LATER = 2	/* Has the first one's, see below. */
};

/* A later fragment has no ports, and policy never makes any up.  It is asked
 * about with those of the first fragment of its datagram, which a worker
 * remembers for a second, and so takes the first one's way.  When the first
 * has not come yet, a later one goes on at once if what becomes of it does
 * not depend on ports: if in each group that is asked, in any layer, the rule
 * that counts does so whatever the ports are, and if it is nowhere to be sent
 * to one of several places.  Otherwise it waits, for a second at most and
 * within limits (libvswitch(3)), and is carried on when its first one has
 * been, or dropped (VSW_DROP_FRAGMENT_LOST, _LIMIT).  Of IPv6 the same is true
 * of VSW_FIELD_IP_PROTO where extension headers follow the fragment header.
 * Fragments that lie over others (VSW_DROP_FRAGMENT_OVERLAP), first ones that
 * end before their ports do (_SHORT), and those that belong to no datagram
 * (_BAD_HEADER) are dropped. */

/* A match on IPv4 fields implies EtherType 0x0800 or 0x0806, on IPv6 fields
 * 0x86dd, on L4 fields that the packet has a layer 4 header, on tunnel fields
 * that it came in a tunnel: also if the mask is all zero. */

/* [control] Named sets of prefixes or of port ranges that rules refer to.
 * Sealed by the first use in a rule.  What is sealed (a set, a group, a
 * program) cannot be added to: that does nothing, and is logged. */
enum vsw_set_kind { VSW_SET_ADDRESSES, VSW_SET_PORTS };
VSW_API VSW_MUST_CHECK int vsw_set_new(struct vsw *, const char *name,
				       enum vsw_set_kind,
				       struct vsw_set **ret_set);
VSW_API void vsw_set_add_prefix(struct vsw_set *, const struct vsw_addr *,
				unsigned prefix_bits);
VSW_API void vsw_set_add_ports(struct vsw_set *, uint16_t first,
			       uint16_t last);
VSW_API VSW_MUST_CHECK int vsw_set_seal(struct vsw_set *, char *ret_problem,
					size_t size);
VSW_API void vsw_set_unref(struct vsw_set *);

/* [control] Drafting a group: the unit of sharing between programs.  On a
 * draft with a problem the adders do nothing; those that return something
 * return NULL, which each of them accepts. */
VSW_API VSW_MUST_CHECK int vsw_group_new(struct vsw *, const char *name,
					 struct vsw_group **ret_group);
/* Lower priorities are asked first.  'name' is for explain; NULL: none. */
VSW_API struct vsw_rule *vsw_group_add_rule(struct vsw_group *,
					    uint32_t priority,
					    const char *name);
/* Value and mask have the field's size, and are in network byte order; mask
 * NULL: all bits; bits of the value outside of the mask do not count.  Several
 * matches of a rule must all hold, also of one field.  A rule without a match
 * matches everything. */
VSW_API void vsw_rule_match(struct vsw_rule *, enum vsw_field,
			    const void *value, const void *mask);
/* IPV4/IPV6 fields with address sets (both families in one set: name either
 * field, the packet's family decides), L4 fields with port sets. */
VSW_API void vsw_rule_match_set(struct vsw_rule *, enum vsw_field,
				struct vsw_set *);
/* Of fields of 1 and 2 bytes; both ends belong to it. */
VSW_API void vsw_rule_match_range(struct vsw_rule *, enum vsw_field,
				  uint16_t first, uint16_t last);
VSW_API void vsw_rule_terminate(struct vsw_rule *);

/* Actions.  A rule may have several, each at most once; 'drop' and 'track'
 * stand alone, and of 'output', 'punt', 'encap' and 'decap' there is at most
 * one.  Edits come first, whatever the order they were added in: 'route', then
 * MACs and VLAN, then the TTL, which goes down once at most on a packet's whole
 * way.  A rule without an action lets pass. */
VSW_API void vsw_rule_drop(struct vsw_rule *);
/* Drops as vsw_rule_drop() does, under another name: any of enum vsw_drop
 * (<vswitch/inspect.h>). */
VSW_API void vsw_rule_drop_as(struct vsw_rule *, int drop);
/* Lets pass, and remembers it: the packet opens a connection at the port whose
 * layers it walks, once it is known to go somewhere.  From then on packets of
 * the connection pass this layer, in both directions, without its groups being
 * asked.  Who is behind the port and who beyond it, which side uses which L4
 * port, and the VLAN make a connection; so do ICMP's requests and answers of
 * one identifier, and two addresses under other IP protocols.  ICMP errors
 * about one of its packets pass where it does.
 *
 * TCP is followed loosely: a rule may let a connection begin in the middle, and
 * one direction may take another way.  What fits into no state of TCP is
 * dropped (VSW_DROP_CONNECTION_STATE), and so is an RST of no connection.  An
 * RST or a FIN whose number is far from what is expected passes, and ends
 * nothing by itself (RFC 5961).  How
 * long connections last, and how many there may be, is in the switch's options;
 * half-open and closing ones give way when there is no room, established ones
 * never.
 *
 * When the port gets another program, that is asked about the connection's
 * first packet on the next one of either direction: if no layer of it that
 * tracks lets it pass any more, the connection ends, and its packets are as any
 * others.  If it is denied (vsw_rule_drop()), the other side cannot go on as if
 * it had begun: what rules would let it open in its stead is dropped
 * (VSW_DROP_CONNECTION_ENDED), for TCP until a SYN begins anew or there was
 * nothing of it for tcp_established_s; for UDP, and what else has no beginning,
 * for udp_single_s, after which its packets begin another like any others.  It
 * goes on if a later program lets its first packet pass, and who began it may
 * do so again as soon as rules let him.  (Under a program that tracks nothing
 * at all, connections count for nothing, and are left to their time.)
 *
 * Connections stay within a port: a packet from one VM to another may have one
 * at each.  Copies open none at the several places that they go to, nor do
 * neighbour discovery and what is not IP anywhere: they are let pass.  Later
 * fragments wait for their first one.  On a port that tunnels come in by, a
 * connection is of one VNI, the tunnels' in both directions.  Only the first 32
 * layers of a program may track, and not those whose rules look at tunnels'
 * addresses, which replies do not have (-EINVAL).  The VLAN is that of the tag
 * which packets have on the port's side of all layers: one that changes tags in
 * direction VSW_IN comes behind those that track in the program, so that it is
 * asked before them (-EINVAL). */
VSW_API void vsw_rule_track(struct vsw_rule *);
VSW_API void vsw_rule_output(struct vsw_rule *, struct vsw_port *);
/* To the switch's punt port (VSW_PORT_PUNT), rate-limited, as the packet came;
 * 'reason' and the subnet it is in come with it (vsw_packet_punt()).  No IN
 * layers run. */
VSW_API void vsw_rule_punt(struct vsw_rule *, uint32_t reason);
/* Looks the destination MAC up in 'mapping': a local location is output to
 * its port, a remote one encapsulated and output to the domain's uplink, a
 * flood location copied to each of its places but the one the packet came
 * from.  Broadcast, multicast and unknown MACs use the mapping's flood
 * location if it has one (unknown unicast only if it says so; else see
 * vsw_mapping_set_unknown()).  A copy goes
 * neither to the port nor to the provider address that the packet came from;
 * if that leaves none: VSW_DROP_NO_FLOOD. */
VSW_API void vsw_rule_encap(struct vsw_rule *, struct vsw_mapping *);
/* For packets from a tunnel: the outer source must be a provider address of
 * the mapping's domain (else VSW_DROP_UNKNOWN_PA); then the destination MAC is
 * looked up as by 'encap', and only local places count: nothing goes from wire
 * to wire.  A MAC that is known, but not here: VSW_DROP_NOT_LOCAL.  That of the
 * domain and not of the mapping: routers are distributed, so that a packet
 * comes with the VNI of where it goes, from a host that may have nobody in that
 * subnet, and is one of the domain. */
VSW_API void vsw_rule_decap(struct vsw_rule *, struct vsw_mapping *);
VSW_API void vsw_rule_set_eth_src(struct vsw_rule *, const uint8_t mac[6]);
VSW_API void vsw_rule_set_eth_dst(struct vsw_rule *, const uint8_t mac[6]);
/* The packet's 802.1Q tag becomes this VLAN's, 1 to 4094, or 0: is taken off.
 * Rules of later layers, and of the port that it goes to, see it so.  A tag
 * that was there keeps its priority. */
VSW_API void vsw_rule_set_vlan(struct vsw_rule *, uint16_t vlan);
VSW_API void vsw_rule_decrement_ttl(struct vsw_rule *);
/* Has the copies of a broadcast or multicast packet that a look-up makes
 * addressed each to whom it is for: the destination MAC becomes the location's,
 * if it has one (not all zero), and, if 'ip', the destination address of IP
 * becomes the location's of that family, if it has one ('v4', 'v6'); checksums
 * follow.  The layers of the port that a copy goes to see it so.  Which packets
 * may bear another address is for the rules to say: not all protocols do.  Of
 * several rules that say so on a packet's way the last one counts.  It is an
 * edit, as the ones above, in direction VSW_OUT alone. */
VSW_API void vsw_rule_address_copies(struct vsw_rule *, bool ip);
/* What becomes of IP packets that are larger than the way they go takes: the
 * underlay's MTU without the tunnel's headers, or the port's
 * (vsw_port_set_mtu()).  A packet with a segment size is as large as its
 * segments.  With 'may_fragment' IPv4 packets without DF are cut.  What is not
 * cut is punted with 'reason' if that is not 0, as it came, but of segments the
 * first one, with the size that would have fit (vsw_packet_punt_mtu()); else,
 * and if it is not IP, it is dropped (VSW_DROP_TOO_BIG), as without this
 * action.  Of several rules that say so on a packet's way the last one counts.
 * It is an edit, as the ones above. */
VSW_API void vsw_rule_too_big(struct vsw_rule *, bool may_fragment,
			      uint32_t reason);
/* Has TCP agree on segments that fit: in what opens a connection (SYN) a larger
 * maximum segment size (RFC 9293, section 3.7.1) becomes what the way there
 * takes, or the way back to where the packet came from if that is less, or
 * 'mss' if that is still less (0: it is not asked).  An option that is not
 * there is not added.  An edit, too. */
VSW_API void vsw_rule_clamp_mss(struct vsw_rule *, uint16_t mss);
/* Routes into the subnet of 'mapping': looks 'next_hop' (n == 0: the packet's
 * destination address) up there, sets the destination MAC from it, the source
 * MAC to 'router_mac', the VNI to the mapping's, and decrements the TTL.  A
 * TTL that would become zero is punted with reason 'ttl_reason' if that is
 * not 0 (of segments the first one), else dropped (VSW_DROP_TTL).  Unknown,
 * without a MAC (all zero): as the mapping says of what is unknown
 * (vsw_mapping_set_unknown()), or VSW_DROP_NO_MAPPING.  The latter as well if
 * it is no IP packet at all. */
VSW_API void vsw_rule_route(struct vsw_rule *, struct vsw_mapping *,
			    const struct vsw_addr *next_hop,
			    const uint8_t router_mac[6],
			    uint32_t ttl_reason);
/* One of several next hops: 'addr' as above, in the subnet of 'mapping'. */
struct vsw_next_hop {
	size_t size;			/* sizeof(struct vsw_next_hop). */
	struct vsw_mapping *mapping;
	struct vsw_addr addr;
};
#define VSW_MAX_NEXT_HOPS 64
/* Routes as vsw_rule_route() does, by one of 1 to VSW_MAX_NEXT_HOPS next hops
 * that are worth the same.  Each flow has an order of its own of them, made of
 * its hash and the hops' VNIs and addresses, and takes the first that is known
 * and has a MAC: so they share the flows evenly, all of a flow's packets and
 * fragments go one way, a hop that comes or goes, here or in its mapping, takes
 * along its share alone, and those that are not known carry nothing.  If none
 * is, the flow's first one is what is unknown.  The hops are copied. */
VSW_API void vsw_rule_route_any(struct vsw_rule *,
				const struct vsw_next_hop hops[],
				size_t n_hops, const uint8_t router_mac[6],
				uint32_t ttl_reason);

/* Learns: looks the source MAC of a packet that comes out of a port up in
 * 'mapping'.  If it is not known to be behind this port, that is told as an
 * event (VSW_EVENT_LEARNED, with 'tag'; <vswitch/inspect.h>), and the packet
 * goes on.  Nothing is edited: what to make of it is the embedder's matter.
 * A flow is told of once, and once more when its source's entry in the mapping
 * was edited.  Packets from tunnels, and those whose source is no one station's
 * MAC, are nothing to learn from. */
VSW_API void vsw_rule_learn(struct vsw_rule *, struct vsw_mapping *,
			    uint64_t tag);
/* [control] Has packets that the rule decides counted in 'counter', which the
 * rule holds (<vswitch/inspect.h>).  No action: it may stand beside any.  NULL:
 * none, as at first.  Several rules may share one. */
VSW_API void vsw_rule_count(struct vsw_rule *, struct vsw_counter *);

/* Has new flows that the rule decides told as events (VSW_EVENT_LOGGED,
 * <vswitch/inspect.h>), and the ends of connections that it lets begin
 * (VSW_EVENT_ENDED), with 'tag'; 0: neither, as at first.  No action: it may
 * stand beside any.  What goes on under a flow or a connection that is known
 * tells nothing; a connection that another program approves has the tag of
 * the rule that does, from then on. */
VSW_API void vsw_rule_log(struct vsw_rule *, uint16_t tag);

/* What the rule's route finds no next hop for, and would drop
 * (VSW_DROP_NO_MAPPING), is punted with 'reason' instead, with the mapping's
 * VNI; 0: it is not.  Also what was punted before and has been resumed: so the
 * host must not resume it once more. */
VSW_API void vsw_rule_unreachable(struct vsw_rule *, uint32_t reason);

/* [control] Ends drafting.  Returns 0, or the draft's first problem and in
 * 'ret_problem' one line that names the group and the rule.  A group's rules
 * are moved together: what vsw_group_add_rule() returned is gone when it is
 * sealed. */
VSW_API VSW_MUST_CHECK int vsw_group_seal(struct vsw_group *,
					  char *ret_problem, size_t size);
VSW_API void vsw_group_unref(struct vsw_group *);

/* What sealing made of a group: how a look-up goes about it, and what that and
 * the rules take of memory.  All zero of a draft. */
struct vsw_group_shape {
	size_t size;			/* sizeof(struct vsw_group_shape). */
	uint64_t n_rules;
	uint64_t n_blocks;		/* Asked one after the other. */
	uint64_t n_dimensions;		/* Of all blocks; 0: each rule is
					 * asked. */
	uint64_t n_intervals;		/* Of all dimensions. */
	uint64_t n_bytes;		/* Of all that, */
	uint64_t n_rule_bytes;		/* and of the rules themselves; sets
					 * are not counted. */
};
/* [control] */
VSW_API void vsw_group_get_shape(const struct vsw_group *,
				 struct vsw_group_shape *ret_shape);

/* [control] Drafting a program.  Groups must be sealed, and may stand in any
 * number of programs.  Sealing makes layers of programs that say the same one
 * layer, so that pointers to them are gone. */
VSW_API VSW_MUST_CHECK int vsw_program_new(struct vsw *,
					   struct vsw_program **ret_program);
VSW_API struct vsw_layer *vsw_program_add_layer(struct vsw_program *,
						const char *name);
VSW_API void vsw_layer_add_group(struct vsw_layer *, enum vsw_direction,
				 struct vsw_group *);
VSW_API VSW_MUST_CHECK int vsw_program_seal(struct vsw_program *,
					    char *ret_problem, size_t size);
VSW_API void vsw_program_unref(struct vsw_program *);

/* Where a customer address (CA) lives.  Remote: behind provider address 'pa',
 * in encapsulation 'encap' with 'vni'.  Local: 'port' is not NULL, and 'pa',
 * 'encap' and 'vni' do not count.  What names a port holds it: a port that is
 * removed meanwhile is VSW_DROP_PORT_GONE to packets. */
struct vsw_location {
	size_t size;			/* sizeof(struct vsw_location). */
	struct vsw_port *port;
	struct vsw_addr pa;
	uint32_t vni;			/* Host byte order, 24 bits. */
	uint8_t encap;			/* enum vsw_encap. */
	uint8_t mac[6];			/* The CA's own, for routed packets. */
	/* Of each family the address of who is there, for copies
	 * (vsw_rule_address_copies()); n == 0: none. */
	struct vsw_addr v4, v6;
};

/* [control] A routing domain: mappings that may be routed between, their
 * uplinks, and the provider addresses that they know.  An edit of an address in
 * a mapping has those flows decided anew that looked it up, and few others;
 * any other change, all of the domain's flows.  At most 16384 (-ENOSPC). */
VSW_API VSW_MUST_CHECK int vsw_domain_new(struct vsw *, const char *name,
					  struct vsw_domain **ret_domain);
/* Where remote locations are sent: ports with VSW_PORT_TUNNEL or with an
 * underlay (which may follow later).  Of several each flow uses one that can
 * reach the location (has an address of its family, and a next hop), picked by
 * the flow's hash; if one goes or comes, only flows that used it, or will,
 * change.  Packets are taken out of tunnels on whichever they come in.  None:
 * VSW_DROP_NO_UPLINK; at most VSW_MAX_UPLINKS (-E2BIG), each once (-EINVAL). */
enum { VSW_MAX_UPLINKS = 16 };
VSW_API VSW_MUST_CHECK int vsw_domain_set_uplinks(
	struct vsw_domain *, struct vsw_port *const ports[], size_t n);
/* The same of one; NULL: none. */
VSW_API VSW_MUST_CHECK int vsw_domain_set_uplink(struct vsw_domain *,
						 struct vsw_port *);
VSW_API void vsw_domain_unref(struct vsw_domain *);

/* [control] Between them, edits of the domain's mappings cost less, and flows
 * that are cached hear of them at commit, all at once; new flows see each one
 * as it is made.  They may be nested.  A controller's transaction is the right
 * measure: what is replaced takes memory until it is committed. */
VSW_API void vsw_domain_begin(struct vsw_domain *);
VSW_API void vsw_domain_commit(struct vsw_domain *);

/* [control] One virtual subnet's CA to PA table: MACs and addresses of both
 * families in one.  'vni' in host byte order. */
VSW_API VSW_MUST_CHECK int vsw_mapping_new(struct vsw_domain *,
					   const char *name, uint32_t vni,
					   struct vsw_mapping **ret_mapping);
VSW_API void vsw_mapping_unref(struct vsw_mapping *);

/* [control] Edits, each visible to packets at once.  'set' adds or replaces;
 * it wants at least one location (-EINVAL) and at most 1024 (-E2BIG).  Of
 * several under one address one is picked by the hash of the flow, the same
 * for all its packets and fragments as long as nothing is changed.  Removing
 * what is not there does nothing. */
VSW_API VSW_MUST_CHECK int vsw_mapping_set_mac(struct vsw_mapping *,
					       const uint8_t mac[6],
					       const struct vsw_location *,
					       size_t n_locations);
VSW_API VSW_MUST_CHECK int vsw_mapping_set_addr(struct vsw_mapping *,
						const struct vsw_addr *ca,
						const struct vsw_location *,
						size_t n_locations);
VSW_API void vsw_mapping_remove_mac(struct vsw_mapping *,
				    const uint8_t mac[6]);
VSW_API void vsw_mapping_remove_addr(struct vsw_mapping *,
				     const struct vsw_addr *ca);
/* Where broadcast and multicast go, a copy to each; n == 0: nowhere
 * (VSW_DROP_NO_FLOOD).  A multicast MAC that was set with set_mac() goes to
 * all of its locations instead.  'unknown_unicast': unicast MACs that are not
 * known go there too, instead of being dropped (VSW_DROP_NO_MAPPING). */
VSW_API VSW_MUST_CHECK int vsw_mapping_set_flood(struct vsw_mapping *,
						 const struct vsw_location *,
						 size_t n_locations,
						 bool unknown_unicast);

/* What becomes of what a mapping does not know: of a unicast MAC that is looked
 * up by 'encap', and of which the flood location does not say that it goes
 * there, and of an address that is routed to. */
struct vsw_unknown {
	size_t size;			/* sizeof(struct vsw_unknown). */
	/* The packet is punted with this reason, and with the mapping's VNI;
	 * 0: it is not.  It goes on as below when it is resumed. */
	uint32_t punt_reason;
	/* Where it goes then, and, if routed, under which MAC (all zero: not at
	 * all); NULL: nowhere (VSW_DROP_NO_MAPPING). */
	const struct vsw_location *location;
};
/* [control] NULL: it is dropped (VSW_DROP_NO_MAPPING).  What tunnels bring is,
 * in any case. */
VSW_API VSW_MUST_CHECK int vsw_mapping_set_unknown(
	struct vsw_mapping *, const struct vsw_unknown *);

/* [any] Looks up; copies up to 'max' locations and returns how many there
 * are.  0: unknown. */
VSW_API size_t vsw_mapping_get_mac(const struct vsw_mapping *,
				   const uint8_t mac[6],
				   struct vsw_location ret_locations[],
				   size_t max);
VSW_API size_t vsw_mapping_get_addr(const struct vsw_mapping *,
				    const struct vsw_addr *ca,
				    struct vsw_location ret_locations[],
				    size_t max);
VSW_API size_t vsw_mapping_n_entries(const struct vsw_mapping *);
/* [control] Shows what the mapping knows, in no order and in pieces: looks at
 * 'n' of its places, beginning at '*at' (0 at first), which it moves on.
 * 'addr' NULL: it is 'mac'.  'show' may edit the mapping; what is set between
 * the pieces may be shown twice, or not at all.  False: that was the last
 * piece. */
typedef void vsw_entry_fn(void *ctx, const struct vsw_addr *addr,
			  const uint8_t mac[6]);
VSW_API bool vsw_mapping_entries_from(const struct vsw_mapping *, size_t *at,
				      size_t n, vsw_entry_fn *show,
				      void *ctx);

#ifdef __cplusplus
}
#endif

#endif /* vswitch/policy.h */
