/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H 1

/* The model: what the rows of all databases mean, as plain structs.
 *
 * It is the one place that agent/policy and agent/host share.  Rows come in
 * through the databases' observers, which mark things dirty; once per turn of
 * the loop the main thread makes the model follow, in this order:
 *
 *     model_update()    rows -> model                 model.c, model_*.c
 *     host_apply()      model -> switches, devices    host/host.c
 *     policy_apply()    model -> programs, mappings   compile.c, apply.c
 *     status_write()    what came of it -> rows       status.c
 *
 * The policy does not open devices and the host does not read rows: a port's
 * wanted side is written by the model, its actual side by the host.
 *
 * Everything is [control]. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch.h>
#include "agent/base/list.h"
#include "agent/model/acl.h"
#include "agent/model/macs.h"
#include "agent/model/punts.h"
#include "agent/ovsdb/value/uuid.h"

struct applied_port;
struct place;
struct database;
struct model;

enum { MODEL_MAC_TEXT_SIZE = 18, MODEL_ADDR_TEXT_SIZE = 46 };

/* Why something is not in force: a typed reason, and words.  Written to
 * 'reason' and 'detail' of status columns.  MODEL_OK: it is. */
#define MODEL_REASONS(X)                                                      \
	X(OK, "")                                                             \
	X(NO_POLICY, "no controller has bound this port")                     \
	X(NO_IFACE_ID, "port has no iface_id to be bound by")                 \
	X(NO_DEVICE, "device could not be opened")                            \
	X(NO_NETNS, "its network namespace is not there")                     \
	X(NO_ADDRESS, "no interface has the address")                         \
	X(LINK_DOWN, "its interface is down")                                 \
	X(NO_SUBNET, "its logical switch has no VSID")                        \
	X(NO_MAPPING, "no row says which MAC and address it has")             \
	X(NO_PROVIDER_ADDRESS, "switch has no provider address")              \
	X(BAD_MAC, "MAC address does not read")                               \
	X(BAD_ADDRESS, "IP address does not read")                            \
	X(BAD_PREFIX, "prefix does not read")                                 \
	X(NO_NEXT_HOP, "a route's next hop is not known")                     \
	X(BAD_VNI, "tunnel key is not a 24-bit number")                       \
	X(BAD_OPTION, "option does not read")                                 \
	X(BAD_RULE, "firewall rule does not read")                            \
	X(PORT_BLOCKED, "no firewall rule speaks of this port")               \
	X(DUPLICATE, "another row says the same of the same")                 \
	X(CONFLICT, "another row says otherwise and wins")                    \
	X(NOT_ALLOWED, "its switch's type does not allow it")                \
	X(NOT_SUPPORTED, "not supported")                                     \
	X(LIMIT, "more than the host takes")                                  \
	X(NOT_STORED, "a database's file cannot be written")                  \
	X(IN_USE, "something else uses it")                                   \
	X(NOT_CONFIRMED, "nobody confirmed it in time")                       \
	X(INTERRUPTED, "it ended before it was confirmed")                    \
	X(SYSTEM, "the system refused")                                       \
	X(ENGINE, "the switch refused")

enum model_reason {
#define MODEL_REASON_ENUM(NAME, TEXT) MODEL_##NAME,
	MODEL_REASONS(MODEL_REASON_ENUM)
#undef MODEL_REASON_ENUM
	MODEL_N_REASONS
};

struct model_fault {
	enum model_reason reason;
	char *detail;			/* One line, or NULL. */
};

/* "no_policy", and its text. */
const char *model_reason_name(enum model_reason);
const char *model_reason_text(enum model_reason);
/* 'format' NULL: no detail.  Replaces what was there; true if it changed. */
bool model_fault_set(struct model_fault *, enum model_reason,
		     const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Key-value options of hnv's rows, sorted by key. */
struct model_options {
	size_t n;
	struct { char *key, *value; } *of;
};
const char *model_option(const struct model_options *, const char *key,
			 const char *fallback);

/* What options say, as far as they read; else what they said before. */
struct host_settings {
	struct model_options options;
	uint32_t vxlan_port;
	bool may_fragment, clamps_mss;	/* Of subnets that do not say. */
	char *flow_log;			/* A path or "none"; NULL: usual. */
	bool flow_log_syslog;
	uint32_t flow_log_interval_s;	/* 0: nothing of what goes on. */
	struct model_fault fault;
};

/* Of a port: storm_limit and the column limits; 0: none of its own. */
struct model_limits {
	uint32_t storm;			/* Packets a second. */
	uint32_t flows, new_flows_per_s;	/* In each worker. */
	uint32_t connections, half_open, connections_per_s;
};

/* As a switch is opened with them. */
struct connection_settings {
	uint32_t max, flow_idle_s;
	uint32_t tcp_half_open_s, tcp_established_s, tcp_closing_s;
	uint32_t udp_single_s, udp_s, icmp_s;
};

struct switch_settings {
	struct connection_settings connections;
	bool learns, snoops;
	uint32_t ageing_s, icmp_errors_per_s;
	uint32_t confirm_within_s;	/* What is taken over. */
	const char *provider_device;	/* NULL: tunnel_ips are not used. */
	struct model_fault fault;
};

/* What became of a switch's options:take_over.  takeover/takeover.c */
struct model_take_over {
	const char *state;		/* A constant text; NULL: no wish. */
	char id[17];			/* It is confirmed by; or "". */
	char interface[16];
	int64_t until_s;		/* Since 1970; 0: no matter. */
	struct model_fault fault;
};

/* hnv.Switch. */
struct model_switch {
	struct list link;		/* In model.switches. */
	struct uuid row;
	char *name, *type;		/* "external", ... */
	struct model_options options;
	struct switch_settings settings;
	struct list ports;		/* struct model_port. */
	struct list provider_addresses;	/* struct model_pa. */
	size_t n_vlans;			/* Ports that are inside of others. */
	bool is_removed;		/* Row is gone: the host closes it, then
					 * model_forget_switch(). */

	/* The actual side: the host's. */
	struct vsw *vsw;		/* NULL: not there. */
	/* Of provider addresses that are open: 'n_up' first that can send,
	 * then those whose wire is down. */
	struct vsw_port *uplinks[VSW_MAX_UPLINKS];
	size_t n_uplinks, n_up;
	struct vsw_port *punt;
	const struct punts *punts;	/* What came there; NULL: no punt. */
	void *host;			/* The host's. */
	struct model_fault fault;
	struct model_take_over take_over;
	struct applied_switch *applied;	/* Ours: what is in force. apply.c */
	struct hits *hits;		/* Ours: what its rules count in. */
	struct bridge *bridge;		/* NULL: learns nothing. bridge.c */
	struct macs learned;		/* In hardware_vtep's subnets; families
					 * are VNIs. policy/learn.c */
};

/* hnv.Provider_Address. */
struct model_pa {
	struct list link;		/* In its switch. */
	struct uuid row;
	struct model_switch *sw;
	char *ip, *device;
	struct vsw_addr addr;		/* n == 0: 'ip' does not read. */
	struct model_options options;
	bool is_given;			/* By a controller, in tunnel_ips: it
					 * has no row of its own. */
	uint16_t vxlan_port;		/* The host's; options may say
					 * otherwise. */
	bool is_removed;
	void *host;			/* The host's. */
	struct vsw_port *port;		/* NULL: not open. */
	bool is_up;			/* It is open, and so is its wire. */
	/* Others' addresses that it is to reach, and those to which the host
	 * knows no way: packet devices that ask the kernel. */
	size_t n_remotes, n_unknown;
	struct model_fault fault;
};

/* What a port is to its switch: a VM's, the way out of the host, or the host's
 * own. */
enum model_role { ROLE_VM, ROLE_UPLINK, ROLE_HOST };

enum {
	VLAN_LAST = 4094,
	MODEL_MAX_VLANS = 4096		/* That are bound, in a switch. */
};

enum vlan_mode {
	VLAN_UNTAGGED, VLAN_ACCESS, VLAN_TRUNK,
	/* Of private VLANs: */
	VLAN_ISOLATED, VLAN_COMMUNITY, VLAN_PROMISCUOUS
};

struct vlan_set {
	uint64_t bits[64];
};

/* hnv.Port.vlan. */
struct port_vlan {
	enum vlan_mode mode;
	uint16_t id;			/* Access; a trunk's native one, 0:
					 * untagged stays so; the primary. */
	uint16_t secondary;
	bool is_all;			/* A trunk of whatever others are in. */
	struct vlan_set set;		/* A trunk's allowed ones, or a
					 * promiscuous port's secondaries. */
};

enum model_verdict { VERDICT_UNSAID, VERDICT_ALLOW, VERDICT_BLOCK };

/* What a port must not pretend to be.  Each can be switched on or off. */
enum model_guard {
	GUARD_MAC, GUARD_IP, GUARD_ARP, GUARD_ND, GUARD_DHCP, GUARD_ROUTER,
	GUARD_REDIRECT, N_GUARDS
};

/* A multicast group that somebody behind a port wants, in model_port.groups. */
struct port_group {
	struct list link;
	uint8_t mac[6];
};

/* Of access lists: each tier's, and hardware_vtep's ACL. */
enum { PORT_N_LISTS = ACL_N_TIERS + 1 };

/* hnv.Port. */
struct model_port {
	struct list link;		/* In model_switch.ports. */
	struct uuid row;
	struct model_switch *sw;
	char *name, *type;
	char *iface_id;			/* Without braces, lower case. */
	uint8_t mac[6];			/* All zero: not given. */
	bool is_mac_bad;		/* Given, and does not read. */
	struct model_options options;
	enum model_role role;
	struct port_vlan vlan;
	char *vlan_problem;		/* What does not read, or NULL. */
	struct model_limits limits;
	/* A VLAN that a controller has bound is a port of its own, inside of
	 * the one that has the row and the device: model_trunk.c. */
	struct model_port *trunk;	/* It stands before; NULL: is none. */
	uint16_t vid;			/* With this tag. */
	bool has_cut_vlans;		/* Of a trunk: more than may be. */
	bool is_changed;		/* Wanted side: open it anew. */
	bool is_removed;		/* Row, or VLAN, is gone: the host
					 * closes it, then
					 * model_forget_port(). */

	/* The actual side: the host's. */
	struct vsw_port *port;		/* NULL: no device. */
	void *host;
	struct punts punts;		/* What it had the host do. */
	struct model_fault device_fault;

	/* Binding: ours.  A bound port has a subnet, at least one mapping, and
	 * a program in force. */
	struct model_subnet *subnet;	/* NULL: unbound, see 'fault'. */
	struct model_fault fault;
	struct vsw_port *applied;	/* 'port', as mappings know it. */
	struct vsw_program *program;	/* In force: 'applied' alone holds
					 * it. apply.c */
	bool is_dirty;			/* Compile anew; */
	bool lists_changed;		/* or only its lists are others than */
	struct acl *in_force[PORT_N_LISTS];	/* those of the program: the
					 * tiers', and its ACL. */

	/* Firewall: ours, from the rows of hnv and ms_firewall. */
	enum model_verdict firewall_default;	/* As its row says. */
	enum model_verdict firewall_verdict;	/* And as it is. */
	bool is_blocked;		/* No rule at all, and none passes. */
	struct acl *acls[ACL_N_TIERS];	/* NULL: no rule of that tier. */
	struct vnic *vnic;		/* NULL: it has no iface_id. */
	struct list by_vnic;
	struct list unjudged;		/* In model_state.unjudged; */
	bool must_judge;		/* guards, too. */

	bool has_list;			/* Its Physical_Port binds one: */
	struct uuid list_row;
	struct acl *list;		/* NULL: none. */
	bool is_list_bad;

	/* Guards: ours.  Off where a port has no address of its own. */
	uint8_t guards_on, guards_off;	/* By its row; bits: model_guard. */
	uint8_t (*allowed_macs)[6];	/* That it may use besides its own. */
	size_t n_allowed_macs;
	struct acl_addresses allowed;
	char *allowed_problem;		/* What does not read, or NULL. */
	uint64_t guarded;		/* Hash of what guards are to say, */
	bool is_guarded;		/* if they are to say anything. */

	/* In force. apply_port.c */
	struct applied_port *applied_port;
	struct bridge_port *bridged;	/* NULL: in no learning switch. */
	struct mac_port learned;	/* In its subnet. */
	struct list groups;		/* That somebody there wants. */
	bool is_router;			/* A querier of groups is there. */
	struct model_fault vlan_fault;	/* Of that, beside others' VLANs. */
	struct vsw_port *limited;	/* Has these limits. */
	struct model_limits limited_to;

	/* Ours, on the way there. */
	bool is_second;			/* Another one has its iface_id. */
	struct model_subnet *claimed;	/* What its Physical_Port says. */
	uint8_t claimed_mac[6];		/* 'mac', or what the controller says
					 * is its MAC; all zero: unknown. */
	size_t n_mappings;		/* Local ones that are its. */
	size_t n_requests;		/* That it has open, and may open: */
	int64_t ask_tokens, asked_ms;	/* request.c */
	uint64_t told_sums;		/* Hash of what was last told of what
					 * it, and VLANs in it, counted, */
	uint64_t told;			/* of the status last written, */
	uint64_t told_physical;		/* and of that of its Physical_Port */
	bool has_physical;		/* of ms_vtep: */
	struct uuid physical;
};

enum mapping_kind {
	MAPPING_DEFAULT, MAPPING_LEARNING_DISABLED, MAPPING_LOAD_BALANCED
};

/* One CA of a subnet: a Ucast_Macs_Remote or _Local row that is in force. */
struct model_mapping {
	uint8_t mac[6];
	bool is_local : 1;		/* 'port' may still be NULL. */
	uint8_t kind : 2;		/* enum mapping_kind. */
	struct vsw_addr ca;		/* n == 0: layer 2 alone. */
	struct place *place;		/* Where it lives (model/state.h); of
					 * a local one, this host. */
	struct model_port *port;
};

/* What becomes of broadcast and multicast of a subnet: a copy to each host, a
 * copy to each VM with its own MAC and address, or nothing. */
enum replication { REPLICATE_HOST, REPLICATE_VM, REPLICATE_NONE };

/* So many rows of mappings may a subnet have whose VMs get copies of their
 * own: a packet becomes no more than that. */
enum { MODEL_MAX_COPIED = 1024 };

/* A Logical_Switch: one VSID. */
struct model_subnet {
	struct list link;		/* In model.subnets. */
	struct uuid row;
	const char *database;		/* "ms_vtep" or "hardware_vtep". */
	char *name;			/* Logical_Switch.name. */
	uint32_t vni;			/* 0: unknown; then see 'fault'. */
	struct model_router *router;	/* NULL: belongs to none. */
	struct list prefixes;		/* struct model_prefix. */
	struct list static_routes;	/* struct model_route; its own. */
	bool keeps_whole;		/* fragmentation=false, */
	bool clamps_mss;		/* mss_clamp=true: other_config's, or
					 * Host's. */
	enum replication replication;	/* In force. */
	size_t n_mappings;
	struct model_fault fault;
	struct subnet_table *table;	/* Ours: mappings by MAC and by CA. */
};

/* One entry of Logical_Router.switch_binding. */
struct model_prefix {
	struct list link;		/* In model_subnet.prefixes. */
	struct model_subnet *subnet;
	struct vsw_addr network;	/* Host bits zero. */
	unsigned bits;
	struct vsw_addr gateway;	/* As written, or the lowest usable. */
};

/* A Logical_Router: one routing domain (RDID).  A subnet without one is its
 * own domain. */
struct model_router {
	struct list link;		/* In model.routers. */
	struct uuid row;
	const char *database;
	char *name;
	bool is_enabled;
	struct list static_routes;	/* struct model_route. */
	struct model_fault fault;
};

/* An entry of static_routes. */
struct model_route {
	struct list link;
	char *prefix, *value;		/* As written. */
	struct vsw_addr network;	/* Host bits zero.  n == 0: does not
					 * read, and is no route at all. */
	unsigned bits;
	bool is_null;			/* Drops, as it says. */
	bool is_on_link;		/* By the packets' own addresses. */
	struct vsw_addr *next_hops;	/* Of equal cost; none: drops. */
	size_t n_next_hops;
	bool is_bad;			/* The value does not read: drops. */
	struct row_fault *fault;	/* Ours. model_route.c */
};

/* hnv.Routing_Domain: what is to become of what no mapping names. */
struct model_domain {
	struct list link;		/* In model.domains. */
	struct uuid row;
	char *id;			/* Of its router, or lone subnet, as an
					 * iface_id. */
	struct vsw_addr pa;		/* Where to; n == 0: nowhere. */
	enum vsw_encap encap;
	uint8_t mac[6];			/* Of what is routed; all zero: that is
					 * dropped. */
	bool asks;			/* Controllers, before that. */
	unsigned timeout_ms;
	struct model_fault fault;
	uint64_t n_asked, n_answered, n_timed_out, n_refused;
};

/* A mapping that is missed: request.h. */
struct model_request {
	struct list link;
	uint32_t vni;
	struct vsw_addr addr;		/* n == 0: 'mac' is missed. */
	uint8_t mac[6];
	struct model_port *port;	/* That asked first; NULL: is gone. */
	char *port_name;
	int64_t since_ms;		/* Since 1970. */
	int64_t deadline_ms;
	struct uuid row;		/* If it is told. */
	bool is_told;
	unsigned n_refs;
};

/* What bfd_status says: constant texts; NULL: nothing yet. */
struct model_path_state {
	bool is_forwarding;
	const char *state, *diagnostic, *remote_state, *remote_diagnostic;
	const char *problem;		/* Why there is no session. */
};

/* A way to another host that BFD watches: a row of hardware_vtep's Tunnel, or
 * a Physical_Locator of ms_vtep whose 'bfd' asks for it. */
struct model_path {
	struct list link;		/* In model.paths. */
	struct uuid row;
	const char *database;
	struct vsw_addr local;		/* n == 0: any that is up. */
	struct vsw_addr remote;
	enum vsw_encap encap;
	uint32_t min_tx_us, min_rx_us;
	uint8_t mult;
	bool cpath_down;
	uint8_t local_mac[6], remote_mac[6];	/* Inner ones. */
	struct vsw_addr local_ip, remote_ip;
	char *problem;			/* What does not read, or NULL. */
	bool is_removed;		/* The host forgets it, then
					 * model_forget_path(). */
	void *host;			/* The host's. */
	struct model_path_state now;	/* Set by model_path_set(). */
	bool is_told;			/* It has been set. */
};

struct model {
	struct host_settings settings;
	struct list switches;
	struct list domains;
	struct list subnets;
	struct list routers;
	uint8_t router_mac[6];		/* Physical_Switch.
					 * distributed_router_mac, or derived
					 * and the same on every host. */
	uint64_t version;		/* Moves when anything changed. */
	uint64_t ports_version;		/* When a port's wanted side may. */
	bool must_look;			/* At each port: what it has, or what
					 * becomes of it, may be another than
					 * in the last turn. */
	uint64_t places_version;	/* When model_each_remote() may. */
	struct list paths;		/* struct model_path. */
	uint64_t paths_version;		/* Moves when they are read anew. */
	struct model_state *state;	/* Ours. */
};

/* Databases by name; "hnv" must be there, "ms_vtep" and "hardware_vtep" may. */
struct model *model_new(struct database *const databases[], size_t n);
void model_free(struct model *);

/* Did a commit mark anything since the last update?  Cheap. */
bool model_is_dirty(const struct model *);
void model_update(struct model *);
/* With those inside of it. */
void model_forget_port(struct model *, struct model_port *);
void model_forget_pa(struct model *, struct model_pa *);
void model_forget_switch(struct model *, struct model_switch *);
void model_forget_path(struct model *, struct model_path *);
/* What BFD finds: the next model_update() and status_write() follow it. */
void model_path_set(struct model *, struct model_path *,
		    const struct model_path_state *);

/* A port's VLANs stand behind it: where what is behind them begins.  Are there
 * any? */
struct list *model_behind(const struct model_port *);
bool model_is_trunk(const struct model_port *);

/* All ports of all switches, one after the other: the one behind 'port', NULL:
 * the first; NULL: there is none. */
struct model_port *model_next_port(const struct model *,
				   const struct model_port *port);

/* For what is to be looked at again and again: up to 'max' ports, those whose
 * turn it is; returns how many.  A round is over with the last port; the next
 * call begins with the first.  While ports come and go, some may have to wait
 * for the round after that. */
size_t model_round(struct model *, struct model_port *ports[], size_t max,
		   bool *ret_is_over);
/* How many there were when they were last bound. */
size_t model_round_size(const struct model *);

/* For those who answer packets: what is in force. */
struct model_port *model_find_port(const struct model *,
				   const struct vsw_port *);
struct model_subnet *model_find_subnet(const struct model *, uint32_t vni,
				       const struct model_router *);
const struct model_mapping *model_find_ca(const struct model_subnet *,
					  const struct vsw_addr *ca);
/* Does a row that is in force say that 'mac' has it?  Of load_balanced ones any
 * may. */
bool model_has_ca(const struct model_subnet *, const struct vsw_addr *ca,
		  const uint8_t mac[6]);
const struct model_mapping *model_find_mac(const struct model_subnet *,
					   const uint8_t mac[6]);
/* The prefix of the subnet whose gateway 'addr' is, or NULL. */
const struct model_prefix *model_find_gateway(const struct model_subnet *,
					      const struct vsw_addr *addr);

/* NULL: nothing is said of the subnet's routing domain. */
struct model_domain *model_find_domain(const struct model *,
				       const struct model_subnet *);
/* Is the address in a prefix of the subnet, or does the subnet say none? */
bool model_is_on_link(const struct model_subnet *, const struct vsw_addr *);
/* Where a packet to 'addr' goes that a VM of 'subnet' gives to the router.
 * False: nowhere, no route names it.  Else 'ret_route' is the static one, or
 * NULL, and then it is on link in '*ret_subnet'. */
bool model_find_route(const struct model_subnet *subnet,
		      const struct vsw_addr *addr,
		      const struct model_route **ret_route,
		      struct model_subnet **ret_subnet);
/* The subnet of the router in which a next hop is, by the longest prefix. */
struct model_subnet *model_find_hop(const struct model_router *,
				    const struct vsw_addr *);
/* Each provider address that a locator names and that is not this host's, with
 * the locator's encapsulation; some more than once. */
void model_each_remote(const struct model *,
		       void (*each)(void *ctx, const struct vsw_addr *,
				    enum vsw_encap), void *ctx);

/* An address that a controller lists in tunnel_ips of a switch, and what became
 * of it. */
struct model_tunnel_ip {
	const char *ip;			/* As written. */
	const struct model_pa *pa;	/* NULL: it is none. */
	const struct model_fault *fault;	/* MODEL_OK: it is up. */
};
void model_each_tunnel_ip(const struct model *, const struct model_switch *,
			  void (*each)(void *ctx,
				       const struct model_tunnel_ip *),
			  void *ctx);

/* May the port say that it has the address?  True as well if the guard, of ARP
 * or of ND, is off. */
bool model_may_claim(const struct model_port *, enum model_guard,
		     const struct vsw_addr *);

/* May VMs be behind addresses that no row names?  In hardware_vtep, whose
 * controllers may know MACs alone, and where an unknown-dst row says so: then
 * ARP and ND that the agent cannot answer are left to the VMs. */
bool model_is_bridged(const struct model_subnet *);

/* Do its ports tell by their packets which MACs are behind them?  Of
 * hardware_vtep: vtep(5) leaves Ucast_Macs_Local to whoever has the ports. */
bool model_learns(const struct model_subnet *);
/* May the MAC be heard behind the port, which is bound to such a subnet?  Not
 * if it is said to be another's, or the router's. */
bool model_may_learn(const struct model *, const struct model_port *,
		     const uint8_t mac[6]);
/* It is heard behind a port of the subnet, another than before, or is no more:
 * rows follow with the next turn. */
void model_learned(struct model *, struct model_subnet *,
		   const uint8_t mac[6]);
/* Rows of what an agent before this one has learned stay for as long as nobody
 * says that whoever lives would have been heard by now. */
bool model_has_old_macs(const struct model *);
void model_forget_old_macs(struct model *);

/* A database's file cannot be written, as 'problem' says; NULL: all can.  True:
 * that is news. */
bool model_set_store_problem(struct model *, const char *problem);

/* Why the type of its switch, or its own, does not allow a port, or a provider
 * address; NULL: it does. */
const char *model_forbids_port(const struct model_port *);
const char *model_forbids_addresses(const struct model_switch *);
/* Is it listened to who wants which multicast group? */
bool model_snoops(const struct model_switch *);
bool vlan_set_has(const struct vlan_set *, uint16_t id);

/* Any usual spelling: 00-11-22-33-44-55, 00:11:..., 001122334455,
 * 0011.2233.4455. */
bool model_mac_from_text(const char *, uint8_t ret_mac[6]);
void model_mac_to_text(const uint8_t mac[6],
		       char ret_text[MODEL_MAC_TEXT_SIZE]);
bool model_addr_from_text(const char *, struct vsw_addr *ret_addr);
void model_addr_to_text(const struct vsw_addr *,
			char ret_text[MODEL_ADDR_TEXT_SIZE]);
/* "10.1.1.0/24", "10.1.1.1/24"; 'ret_addr' as written. */
bool model_prefix_from_text(const char *, struct vsw_addr *ret_addr,
			    unsigned *ret_bits);

#endif /* model/model.h */
