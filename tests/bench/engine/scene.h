/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BENCH_ENGINE_SCENE_H
#define BENCH_ENGINE_SCENE_H 1

/* A switch as an agent sets it up: a VM's port and an uplink, and five layers
 * between them.
 *
 *     guard      the VM's own MAC and addresses, and no others
 *     intercept  ARP and neighbour discovery are the host's
 *     acl        groups of many rules, of which one lets each flow pass
 *     route      to the router's MAC: into another subnet
 *     vnet       subnets' mappings, and tunnels to where they say
 *
 * The port takes what is sent to it and frees it. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch.h>

struct scene_options {
	const struct vsw_allocator *allocator;	/* NULL: the library's. */
	uint32_t max_flows;
	uint32_t n_workers;
	uint32_t n_hosts;		/* With VMs that can be sent to, */
	uint32_t n_remotes;		/* and so many VMs on them in each of
					 * the two subnets, with a MAC and an
					 * address each; at most 250 for each
					 * rule. */
	uint32_t n_groups, n_rules;	/* Of the ACL; rules of each. */
	uint32_t n_prefixes;		/* Of each rule's set; 0: one prefix,
					 * and no set. */
	uint8_t encap;			/* enum vsw_encap. */
	bool outer_v6, inner_v6;
	/* The ACL tracks what it lets pass; 0: it does not.  Of this many
	 * there is room, for the VM's port alone. */
	uint32_t max_connections;
	uint8_t proto;			/* That it lets pass. */
};
void scene_options_init(struct scene_options *);

enum { SCENE_WORKERS = 4, SCENE_VNI = 5001, SCENE_OTHER_VNI };

struct scene {
	struct scene_options options;
	struct vsw *vsw;
	struct vsw_worker *worker;	/* The first. */
	struct vsw_port *vm, *wire;
	struct vsw_domain *domain;
	struct vsw_mapping *own, *other;
	double seal_ms;			/* What making the ACL took. */
	struct {
		_Alignas(64) uint64_t n;
	} sent[SCENE_WORKERS];		/* By worker. */
};

/* Ends the program if there is no memory. */
struct scene *scene_new(const struct scene_options *);
void scene_free(struct scene *);

/* MACs and addresses of remote VM 'i', and where its host is. */
enum scene_subnet { SCENE_OWN, SCENE_OTHER };
void scene_mac(enum scene_subnet, uint32_t i, uint8_t ret_mac[6]);
struct vsw_addr scene_addr(enum scene_subnet, uint32_t i, bool is_v6);
struct vsw_location scene_location(const struct scene *, enum scene_subnet,
				   uint32_t i);

extern const uint8_t scene_vm_mac[6], scene_router_mac[6];

/* An ACL's group: 'n_rules' that look at addresses, protocol and ports of who
 * is on the other side, and one that drops what is left.  'which' makes groups
 * different.  Sealed. */
struct vsw_group *scene_acl(struct vsw *, const struct scene_options *,
			    enum vsw_direction, uint32_t which);

#endif /* bench/engine/scene.h */
