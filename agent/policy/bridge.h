/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_BRIDGE_H
#define POLICY_BRIDGE_H 1

/* A plain learning switch: the ports of a switch with options:learning that no
 * controller has bound.
 *
 * Each VLAN that such a port is in has a mapping, which says where its MACs
 * are; what is not there is flooded to the VLAN's ports.  Inside of the switch
 * every packet has its VLAN's tag; a port's first layer puts it on what comes
 * out of it, and its last takes it off what goes to it, if the port wants that.
 *
 * What is learned, and how it is forgotten, is in agent/model/macs.h.
 *
 * A private VLAN (RFC 5517) is a family of VLANs, the primary and its
 * secondaries, that learn together and flood apart: what comes from the primary
 * goes to all of them, from an isolated one to promiscuous ports and trunks
 * alone, from a community also to that.  All [control]. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch.h>
#include "agent/model/macs.h"
#include "agent/model/model.h"

enum {
	VLAN_IDS = 4096,
	MAX_FLOOD = 1024		/* As the engine takes. */
};

/* Of one VLAN, or of what is untagged (0). */
enum vlan_kind { VLAN_PLAIN, VLAN_IS_PRIMARY, VLAN_IS_ISOLATED,
		 VLAN_IS_COMMUNITY };

struct bridge_vlan {
	uint16_t id, family;
	enum vlan_kind kind;
	struct vsw_mapping *mapping;
	struct vsw_mapping *sources;	/* Of a family's first. */
	struct vsw_location *flood;	/* As last set. */
	size_t n_flood;
	bool is_wanted, is_new;		/* In this turn. */
};

/* model_port.bridged. */
struct bridge_port {
	struct model_port *port;
	struct vsw_port *vsw_port;	/* Has the program. */
	struct port_vlan vlan;		/* That the groups speak of. */
	struct vsw_group *out, *in;
	struct vsw_program *program;
	uint64_t firewall;		/* bridge_firewall_hash(), of that. */
	struct mac_port macs;
};

struct bridge {
	struct model_switch *sw;
	struct vsw_domain *domain;
	struct bridge_vlan *vlans[VLAN_IDS];
	size_t n_vlans;
	struct vsw_group *group;	/* Of all ports: learn, and send. */
	struct vsw_group *snoop;	/* To the host, if groups are heard. */
	uint64_t state;			/* Hash of what is in force. */
	struct macs macs;		/* Families are VLANs'. */
};

/* bridge.c: makes ports, VLANs, programs and storm limits be what the model
 * says; what the engine refuses is the model's engine fault, and is tried
 * again. */
void bridges_apply(struct model *);
/* Before the port is closed. */
void bridge_leave_port(struct model_port *);
/* Before the switch is freed: its ports have been left. */
void bridge_leave_switch(struct model_switch *);

/* bridge_mac.c: what is where. */
extern const struct macs_ops bridge_macs_ops;	/* ctx: struct bridge. */
void bridge_heard(struct bridge *, struct bridge_port *, uint16_t vlan,
		  const uint8_t mac[6], uint64_t now);
void bridge_forget_vlan(struct bridge *, const struct bridge_vlan *);

/* bridge_group.c: where a multicast group goes, and all of them. */
void bridge_place_group(struct bridge *, const uint8_t mac[6]);
void bridge_place_groups(struct bridge *);

/* bridge_firewall.c: layers for what rules say of the port; 0 or a negative
 * errno, and then the program is of no use.  And what they depend on. */
int bridge_firewall_add(const struct model_port *, struct vsw_program *);
uint64_t bridge_firewall_hash(const struct model_port *, uint64_t hash);

/* layer_vlan.c, layer_learn.c: groups, sealed.  0 or a negative errno. */
int layer_vlan(struct vsw *, const struct port_vlan *, enum vsw_direction,
	       struct vsw_group **ret_group);
int layer_learn(struct vsw *, const struct bridge *,
		struct vsw_group **ret_group);
int layer_snoop(struct vsw *, struct vsw_group **ret_group);
/* May a packet of the VLAN leave by the port? */
bool vlan_leaves_by(const struct port_vlan *, uint16_t id);

#endif /* policy/bridge.h */
