/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MODEL_STATE_H
#define MODEL_STATE_H 1

/* What the model keeps to itself: which rows have changed, how rows and
 * structs find each other, and what subnets look like inside.  For the files
 * of agent/policy alone.  [control]
 *
 * Rows of hnv, Physical_Switch and Physical_Port speak of this host alone and
 * are few: a change reads all of them again.  Logical_Switch, Logical_Router,
 * Ucast_Macs_* and Mcast_Macs_* speak of the whole fabric: a change costs what
 * it changes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent/model/acl.h"
#include "agent/model/map.h"
#include "agent/model/model.h"
#include "agent/ovsdb/store/database.h"

enum model_database {
	DB_HNV, DB_MS_VTEP, DB_HARDWARE_VTEP, DB_MS_FIREWALL, N_DBS
};

/* Tables whose rows are followed one by one. */
enum row_kind {
	ROW_LOGICAL_SWITCH,
	ROW_LOGICAL_ROUTER,
	ROW_UCAST_LOCAL,
	ROW_UCAST_REMOTE,
	ROW_MCAST_LOCAL,
	ROW_MCAST_REMOTE,
	ROW_LOCATOR,
	ROW_FIREWALL_RULE,
	N_FOLLOWED,
	ROW_HNV = N_FOLLOWED,	/* Read anew as a whole: */
	ROW_PHYSICAL, ROW_PHYSICAL_SWITCH,
	ROW_GLOBAL,		/* Only to know that it changed. */
	ROW_LIST,		/* ACL, ACL_entry: read anew as a whole. */
	ROW_TUNNEL,		/* The same. */
	ROW_OTHER
};

/* A row that a commit has touched; what became of it is in the table. */
struct touched {
	struct uuid row;
	uint64_t order;		/* Number of the commit. */
	uint8_t db, kind;
};

struct follower {		/* One for each database. */
	struct observer observer;
	struct model_state *state;
	struct database *database;	/* NULL: not served. */
	uint8_t db;
	uint8_t *kinds;			/* enum row_kind, by table index. */
	uint64_t *ignored;		/* Columns we write, by table. */
	struct table *tables[N_FOLLOWED];
	/* The columns of Ucast_Macs_*, by kind, looked up once. */
	struct mapping_columns {
		const struct column *mac, *ipaddr, *locator, *subnet, *type;
	} columns[N_FOLLOWED];
};

/* A row that is not in force, wholly or in part. */
struct row_fault {
	struct list link;		/* In model_state.faults. */
	enum model_reason reason;
	struct uuid row;
	const char *table;
	char *detail;
};

/* A Physical_Locator. */
struct place {
	struct keyed by_row;		/* In model_state.places[db]. */
	struct vsw_addr pa;
	enum vsw_encap encap;
	uint32_t vni;			/* Its own tunnel_key; 0: none. */
	bool is_own;			/* A provider address of this host. */
	bool is_down, has_flipped;	/* As BFD finds; in this update. */
	char *problem;			/* Why it cannot be used, or NULL. */
	size_t n_refs;
};

/* A row of Ucast_Macs_Remote or _Local.  Several may speak of one address: the
 * winners are in force, see mapping_beats(). */
struct mapping_row {
	struct model_mapping mapping;
	struct keyed by_row;		/* In model_state.mappings. */
	struct mapping_row *next_mac, *next_ca;	/* In subnet_table. */
	struct model_subnet *subnet;	/* NULL: row does not read, and then
					 * mapping.place is, too. */
	uint64_t order;			/* Of the commit that wrote it. */
	struct row_fault *fault;
	uint32_t mac_seen, ca_seen;	/* Update that judged the key. */
	uint32_t local_index;		/* In subnet_table.locals. */
	uint8_t db, kind;
	uint8_t rank;			/* 0 is best: load_balanced. */
	bool lost_mac : 1, lost_ca : 1;	/* Another row has the address, */
	bool is_copy : 1;		/* and says the same. */
	bool is_heard : 1;		/* Behind its port, and nobody has said
					 * that: it vouches for nothing. */
	bool is_old : 1;		/* Was there at the start, and nobody
					 * has heard of it since. */
};

/* How many rows of a subnet name a place. */
struct subnet_place {
	struct keyed by_place;
	struct place *place;
	size_t n_rows;
};

/* A row of Mcast_Macs_*. */
struct mcast_row {
	struct list link;		/* In subnet_table.mcasts. */
	struct keyed by_row;		/* In model_state.mcasts. */
	uint8_t db;
	struct model_subnet *subnet;
	uint8_t mac[6];			/* A group's; all ones: broadcast. */
	bool is_unknown;		/* "unknown-dst". */
	bool is_local;			/* Of Mcast_Macs_Local. */
	struct place **places;
	size_t n_places;
	struct row_fault *fault;
};

/* An address whose locations may have changed. */
struct mapping_key {
	struct vsw_addr ca;		/* n == 0: 'mac' is the key. */
	uint8_t mac[6];
};

struct mapping_hash {
	struct mapping_row **buckets;
	size_t n_buckets, n;
};

/* The inside of a model_subnet. */
struct subnet_table {
	struct model_subnet *subnet;
	struct keyed by_row;		/* In model_state.subnets[db]. */
	struct keyed by_vni;		/* In model_state.vnis, if 'vni'. */
	uint32_t vni;			/* As the row says. */
	struct row_fault *fault;	/* The subnet's, as the host tells. */
	struct row_fault *option_fault;
	struct row_fault *replication_fault;
	enum replication wanted_replication;
	uint8_t db;
	bool is_service_node;		/* replication_mode. */
	uint64_t seed;
	struct mapping_hash by_mac, by_ca;
	struct map places;		/* struct subnet_place. */
	struct list mcasts;
	struct mapping_row **locals;	/* Whose place is this host. */
	size_t n_locals, size_locals;
	struct model_port **ports;	/* Claimed by it. */
	size_t n_ports;
	struct list claims;		/* prefix_claim, in force or not. */
	struct list placements;		/* apply.c's, one for each switch. */

	/* Since the last policy_apply(). */
	struct list changed;		/* In model_state.changed. */
	struct mapping_key *keys;
	size_t n_keys, size_keys, n_judged;
	bool flood_changed;
};

/* An entry of a router's switch_binding. */
struct prefix_claim {
	struct model_prefix prefix;	/* In the subnet's if in force. */
	struct list by_subnet;		/* In subnet_table.claims. */
	struct list by_router;
	struct router_row *router;
};

struct router_row {
	struct model_router router;
	struct keyed by_row;		/* In model_state.routers[db]. */
	uint8_t db;
	struct list claims;
	uint32_t routes_seen;		/* Update that judged its routes. */
	struct row_fault **faults;	/* Of its entries. */
	size_t n_faults;
};

/* What a port and the VLANs in it have counted, as far as their turn has
 * come. */
struct port_sums {
	const struct model_port *of;	/* NULL: nobody's. */
	struct vsw_port_counters counters;
	struct vsw_port_classes classes;
	struct punts punts;
	uint64_t macs, macs_refused;	/* That were heard. */
};

enum { MAX_UNTOLD = 16 };

struct model_state {
	struct model *model;
	struct follower followers[N_DBS];
	uint64_t seed;
	uint64_t order;			/* Commits seen. */
	uint32_t n_updates;

	bool is_dirty;			/* Anything below, or a new cfg. */
	bool hnv_changed, physical_changed, switches_changed;
	struct touched *touched;
	size_t n_touched, size_touched;
	bool must_bind;			/* Ports or local mappings changed. */
	uint64_t n_bindings;		/* How often they have been bound. */
	bool ports_changed;		/* Since these were put in order: */
	struct model_port **sorted_ports;	/* model_binding.c's. */
	size_t n_sorted_ports;
	struct list unjudged;		/* model_port.unjudged. */

	struct map subnets[N_DBS], routers[N_DBS], places[N_DBS];
	struct map vnis, mappings, mcasts;
	struct vsw_addr *own;		/* Provider addresses of this host. */
	size_t n_own;
	struct list faults[MODEL_N_REASONS];
	size_t n_faults[MODEL_N_REASONS];

	struct row_fault *router_mac_fault;

	/* The firewall: model_firewall.c. */
	struct map firewall_rules, vnics;
	struct list changed_vnics;
	struct firewall *firewall;
	struct acl_table acls;
	bool is_governed;		/* By a firewall controller. */
	enum model_verdict firewall_default;	/* Host's. */
	struct map port_lists, bad_entries;	/* model_acl.c */
	bool lists_changed;
	bool paths_changed;		/* Rows that BFD is in, */
	bool paths_flipped;		/* what it finds, */
	bool must_tell_paths;		/* and what is not written yet. */

	/* For policy_apply(). */
	struct list changed;		/* Subnets, by subnet_table.changed. */
	bool structure_changed;		/* Routers, prefixes, ports, VNIs, */
	bool programs_changed;		/* or only programs of ports that are
					 * dirty. */
	uint32_t n_routes;		/* static_routes. */
	struct model_domain **domains;	/* By id. */
	size_t n_domains;
	struct list requests;		/* struct model_request. */
	size_t n_requests;
	bool requests_changed;		/* Since they were told. */
	bool is_in_force;		/* The last policy_apply() was whole; */
	struct model_fault engine_fault;	/* else what was the first. */
	struct model_fault store_fault;
	/* What the self-audit has come to, by policy/audit.c. */
	uint64_t audit_found, audit_repaired;
	char audit_last[160];
	size_t n_cut;			/* Addresses with too many places. */
	struct list gone_subnets, gone_routers;	/* Until then. */

	/* For model_round() and status_count(). */
	struct model_port *next_in_round;	/* NULL: the first. */
	uint32_t n_rounds;
	struct port_sums sums;

	/* For status_write(). */
	int64_t policy_time;		/* When a controller last changed
					 * anything, by the clock; 0: never. */
	int64_t policy_clock_s;		/* The same by state_clock_s(); 0: that
					 * was before this run. */
	/* Most of a controller's table that went at once, the last time. */
	struct {
		const struct table *table;	/* NULL: never. */
		size_t n;
		int64_t clock_s;		/* By state_clock_s(). */
	} loss;
	bool must_tell;			/* Physical_Port, Ucast_Macs_Local; */
	bool must_tell_all;		/* each row of Physical_Port, or only */
	struct uuid untold[MAX_UNTOLD];	/* these, and those whose ports */
	size_t n_untold;		/* have something new to say. */
	struct {
		struct uuid subnet;
		uint8_t mac[6];
	} *mac_news;			/* Of Ucast_Macs_Local: these, */
	size_t n_mac_news;
	bool must_tell_macs;		/* or all; that is also when another */
	uint64_t macs_told;		/* hash is of who would tell which. */
	bool has_lost_macs;		/* mac.is_lost. */
	bool has_new_macs;		/* Those of a former agent are old; */
	uint64_t old_macs_since_ns;	/* or else this has begun then. */
};

/* fault.c */
struct row_fault *row_fault_new(struct model_state *, enum model_reason,
				const char *table, const struct uuid *row,
				const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void row_fault_free(struct model_state *, struct row_fault *);

/* model.c */
const struct row *state_row(const struct model_state *, enum model_database,
			    enum row_kind, const struct uuid *);
const struct table *state_table(const struct model_state *,
				enum model_database, const char *name);
/* As if a commit had touched the row, or all that are followed. */
void state_touch(struct model_state *, enum model_database, enum row_kind,
		 const struct uuid *);
void state_touch_all(struct model_state *, enum model_database);
void state_subnet_changed(struct model_state *, struct model_subnet *);
/* What a port is judged by may have changed, and what it is guarded with; or
 * only the former; or both of all ports. */
void state_must_judge(struct model_state *, struct model_port *);
void state_must_look(struct model_state *, struct model_port *);
void state_judge_all(struct model_state *);
/* Frees subnets and routers whose rows are gone, once nothing is in force of
 * them. */
void state_bury(struct model_state *);
const char *database_text(enum model_database);
/* A column that is news now and then only. */
void state_follow_column(struct model_state *, const char *table,
			 const char *column, bool is_followed);
/* Seconds by a clock that nobody sets, and that runs while the machine sleeps;
 * never 0. */
int64_t state_clock_s(void);

/* model_host.c: hnv. */
struct model_port *port_new(void);	/* In nobody's list yet. */
void host_follow(struct model_state *);
void host_done(struct model_state *);
bool state_is_own(const struct model_state *, const struct vsw_addr *);
/* "{ABC...}" -> "abc...", xmalloc'ed. */
char *iface_id_from_text(const char *);

/* model_settings.c: options of Host and Switch. */
void settings_init(struct model *);
/* True: subnets are to be looked at again. */
bool settings_read(struct model *);
void settings_done(struct model *);
void switch_settings_init(struct model_switch *);
void switch_settings_read(struct model_switch *);

/* model_subnet.c: Logical_Switch. */
void subnet_follow(struct model_state *, enum model_database,
		   const struct uuid *);
struct model_subnet *subnet_find(const struct model_state *,
				 enum model_database, const struct uuid *);
/* Host's settings have changed. */
void subnets_follow_settings(struct model_state *);
void subnet_free(struct model_state *, struct model_subnet *);
/* Mappings have come or gone: may there be a copy for each? */
void subnet_settle(struct model_state *, struct model_subnet *);

/* model_router.c: Logical_Router. */
void router_follow(struct model_state *, enum model_database,
		   const struct uuid *);
void router_free(struct model_state *, struct model_router *);

/* model_domain.c: Routing_Domain. */
void domain_follow(struct model_state *);
void domain_done(struct model_state *);

/* model_route.c: static_routes, of either.  'owner' is the row's; 'subnet' or
 * 'router' is NULL. */
struct routes {
	struct list *of;		/* struct model_route. */
	const char *table;
	const struct uuid *owner;
	const struct model_router *router;	/* NULL: that of 'subnet'. */
	struct model_subnet *subnet;	/* Whose own they are; NULL: none's. */
};
/* True if they are others than before. */
bool routes_read(struct model_state *, const struct routes *,
		 const struct row *);
void routes_clear(struct model_state *, struct list *routes);
/* Says which next hops are not known; mappings have been judged. */
void routes_judge(struct model_state *);
void prefix_mask(struct vsw_addr *, unsigned bits);
bool prefix_has(const struct vsw_addr *network, unsigned bits,
		const struct vsw_addr *addr);
/* Where a route is on link; NULL: nowhere. */
struct model_subnet *route_link(const struct model_router *,
				struct model_subnet *own,
				const struct model_route *);

/* model_place.c: Physical_Locator. */
struct place *place_ref(struct model_state *, enum model_database,
			const struct uuid *);
void place_unref(struct model_state *, enum model_database, struct place *);
/* The row has changed: true if that makes a difference. */
bool place_follow(struct model_state *, enum model_database,
		  const struct uuid *);
/* This host's provider addresses have: true if any place is now another. */
bool place_own_follow(struct model_state *);

/* model_path.c: BFD. */
void path_follow(struct model_state *);
/* After it, and after what BFD found: which places are down. */
void path_settle(struct model_state *);
void path_done(struct model_state *);

/* model_mapping.c: Ucast_Macs_*. */
void mapping_follow(struct model_state *, const struct touched *);
/* Places have changed: looks at all rows again. */
void mapping_relocate(struct model_state *);
/* Places have gone down or up: looks at rows that have a choice of places. */
void mapping_flip(struct model_state *);
void mapping_free(struct model_state *, struct mapping_row *);
/* Says who wins the keys that changed, and who loses. */
void mapping_judge(struct model_state *, struct model_subnet *);
bool mapping_beats(const struct mapping_row *, const struct mapping_row *);

/* model_flood.c: Mcast_Macs_*. */
void mcast_follow(struct model_state *, const struct touched *);
void mcast_free(struct model_state *, struct mcast_row *);

/* model_binding.c: Physical_Switch, Physical_Port; ports to subnets, local
 * mappings to ports. */
void binding_follow(struct model_state *);
/* The row of Physical_Port that speaks of the port, or of the one that it is a
 * VLAN of; of several rows one that binds it.  NULL: there is none, or another
 * port has that name, too, and comes first. */
const struct row *binding_row(const struct model_state *, enum model_database,
			      const struct model_port *);
/* One local mapping, to the port it is of by now. */
void binding_assign(struct model_state *, struct mapping_row *);
/* The port of the subnet that is said to have the MAC, or that alone may use
 * it; NULL: none is. */
struct model_port *binding_said_owner(const struct subnet_table *,
				      const uint8_t mac[6]);

/* model_learned.c: MACs that were heard.  NULL: it is not, behind a port of the
 * subnet. */
struct model_port *learned_port(const struct model_state *,
				const struct model_subnet *,
				const uint8_t mac[6]);
/* Of our row for it: RFC 9562, version 8, which is ours to fill; 15 bytes of
 * subnet and MAC. */
struct uuid learned_uuid(const struct uuid *subnet, const uint8_t mac[6]);
void learned_forget_port(struct model_port *);
/* The port's MAC is its own, wherever it was heard. */
void learned_is_said(const struct model_state *, const struct model_port *);
/* A controller has said later than it was heard that it is elsewhere. */
void learned_lost(struct model_state *, const struct mapping_row *);
/* A row of Ucast_Macs_Local may have to come, change or go. */
void learned_is_news(struct model_state *, const struct uuid *subnet,
		     const uint8_t mac[6]);

/* model_firewall.c: ms_firewall, and which lists a port has. */
void firewall_init(struct model_state *);
void firewall_rule_follow(struct model_state *, const struct touched *);
/* The port's iface_id is another one, or the port is new; and before it goes.
 */
void firewall_name_port(struct model_state *, struct model_port *);
void firewall_forget_port(struct model_state *, struct model_port *);
/* Judges ports whose rules have changed, or that must be judged; or 'all'. */
void firewall_follow(struct model_state *, bool all);
/* What Physical_Port says of a name that a port here has, or rules: room for
 * binding_follow(); NULL: nobody has it. */
struct physical {
	const struct row *row;
	enum model_database db;
	uint64_t round;			/* Of binding, in which it was said. */
	struct said {			/* In each database. */
		struct uuid row;
		bool is_bound;
		uint64_t round;
	} said[N_DBS];
};
struct physical *firewall_physical(const struct model_state *,
				   const char *iface_id);
const struct physical *firewall_physical_of(const struct model_port *);
/* A port's fault that firewall_follow() tells and takes back. */
bool firewall_is_reason(enum model_reason);
/* The row of FW_Rules that is this rule of the port's, or NULL. */
const struct uuid *firewall_find_row(const struct model_port *, enum acl_tier,
				     const char *rule_id);
void firewall_done(struct model_state *);

/* model_acl.c: ACL, ACL_entry.  True: any may be another. */
bool port_lists_follow(struct model_state *);
void port_lists_done(struct model_state *);
/* NULL: no such row. */
struct acl *port_list_find(const struct model_state *, const struct uuid *,
			   bool *ret_is_bad);
bool port_list_entry_is_bad(const struct model_state *, const struct uuid *);

/* model_guard.c: whose addresses a port may use. */
enum model_verdict verdict_from_text(const char *);
/* Guards and allowed addresses of a row of hnv.Port. */
void guard_read(struct model_port *, const struct row *);
/* True if guards are to say something else than before. */
bool guard_follow(struct model_port *);
void guard_done(struct model_port *);

/* model_trunk.c: VLANs of a port, which are to be those of 'bindings' (NULL:
 * none).  True if there are new ones; those that are not to be any more are
 * removed. */
bool trunk_follow(struct model_port *trunk, const struct datum *bindings);
/* What a map from VLANs has for one; NULL: nothing. */
const union atom *trunk_get(const struct datum *map, int64_t vid);
/* Those of them that are in 'from', behind it in 'to'. */
void trunk_move(struct model_port *trunk, struct list *from,
		struct list *to);

/* model_round.c: before the port goes. */
void round_forget_port(struct model_state *, const struct model_port *);

/* model_vlan.c: role, VLANs and storm limit of a row of hnv.Port. */
void vlan_read(struct model_port *, const struct row *);

/* status_vtep.c: what ms_vtep and hardware_vtep are told. */
void status_vtep_write(struct model_state *, enum model_database);

/* subnet_table.c */
struct subnet_table *subnet_table_new(struct model_subnet *, uint64_t seed);
void subnet_table_free(struct subnet_table *);
void subnet_table_add(struct subnet_table *, struct mapping_row *);
void subnet_table_remove(struct subnet_table *, struct mapping_row *);
/* The first row of a key, and the next with the same key. */
struct mapping_row *subnet_table_find(const struct subnet_table *,
				      const struct mapping_key *);
struct mapping_row *subnet_table_next(const struct mapping_row *,
				      const struct mapping_key *);
/* Of those the one that wins. */
struct mapping_row *subnet_table_best(const struct subnet_table *,
				      const struct mapping_key *);
void subnet_table_touch(struct subnet_table *, const struct mapping_key *);
struct mapping_key mapping_key_mac(const uint8_t mac[6]);
struct mapping_key mapping_key_ca(const struct vsw_addr *);

#endif /* model/state.h */
