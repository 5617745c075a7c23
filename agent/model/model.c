/* SPDX-License-Identifier: Apache-2.0 */

/* The model follows the databases.  Start reading the policy's way here:
 * committed() hears of each commit, model_update() conducts. */

#include "agent/model/model.h"

#include <stdlib.h>
#include <time.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/model/state.h"

enum { LOSS_MIN = 100 };		/* Rows. */

static const uint8_t default_router_mac[6] = {
	0x02, 0x68, 0x6e, 0x76, 0x00, 0x01
};

static const char *const database_texts[] = {
	"hnv", "ms_vtep", "hardware_vtep", "ms_firewall"
};

static const struct table_kind {
	const char *name;
	enum row_kind kind;
} table_kinds[] = {
	{ "Logical_Switch", ROW_LOGICAL_SWITCH },
	{ "Logical_Router", ROW_LOGICAL_ROUTER },
	{ "Ucast_Macs_Local", ROW_UCAST_LOCAL },
	{ "Ucast_Macs_Remote", ROW_UCAST_REMOTE },
	{ "Mcast_Macs_Local", ROW_MCAST_LOCAL },
	{ "Mcast_Macs_Remote", ROW_MCAST_REMOTE },
	{ "Physical_Locator", ROW_LOCATOR },
	{ "Physical_Switch", ROW_PHYSICAL_SWITCH },
	{ "Physical_Port", ROW_PHYSICAL },
	{ "Global", ROW_GLOBAL },
	{ "ACL", ROW_LIST },
	{ "ACL_entry", ROW_LIST },
	{ "Tunnel", ROW_TUNNEL },
	{ "FW_Rules", ROW_FIREWALL_RULE },
	{ "FW_Global", ROW_GLOBAL }
};

/* Columns that the agent itself writes, or that say nothing to it: changes of
 * these alone are nobody's business here. */
static const char *const ignored_columns[] = {
	"status", "statistics", "cur_cfg", "vlan_stats", "bfd_status",
	"port_fault_status", "switch_fault_status", "LR_fault_status",
	"acl_fault_status", "acle_fault_status", "acl_name",
	"managers", "tunnel_ips", "management_ips", "description"
};

static void follow(struct model_state *, enum model_database,
		   struct database *);
static enum row_kind find_kind(enum model_database, const char *table);
static uint64_t find_ignored(const struct table_schema *, enum row_kind);
static uint64_t column_bit(const struct table_schema *, const char *name);
static void find_columns(struct follower *, enum row_kind);
static void touch_all(struct follower *);
static void committed(struct observer *, const struct commit *);
static void note_loss(struct model_state *, const struct table *, size_t n);
static void touch_physical(struct model_state *, enum model_database,
			   const struct uuid *row);
static bool matters(const struct follower *, const struct change *);
static void touch(struct follower *, enum row_kind, const struct uuid *);
static void follow_rows(struct model_state *, bool (*wanted)(enum row_kind),
			bool is_gone_too);
static void foresee(const struct model_state *,
		    bool (*wanted)(enum row_kind), size_t at);
static const struct map *find_map(const struct model_state *, enum row_kind);
static bool is_subnet(enum row_kind);
static bool is_locator(enum row_kind);
static bool is_other(enum row_kind);
static void follow_row(struct model_state *, const struct touched *);
static void free_rows(struct model_state *);

struct model *
model_new(struct database *const databases[], size_t n)
{
	struct model *model = xcalloc(1, sizeof *model);
	struct model_state *state = xcalloc(1, sizeof *state);
	struct uuid random;

	uuid_generate(&random);
	memcpy(&state->seed, &random, sizeof state->seed);
	list_init(&model->switches);
	list_init(&model->subnets);
	list_init(&model->routers);
	list_init(&model->paths);
	memcpy(model->router_mac, default_router_mac, 6);
	model->state = state;
	state->model = model;
	settings_init(model);
	for (int i = 0; i < MODEL_N_REASONS; i++)
		list_init(&state->faults[i]);
	list_init(&state->changed);
	list_init(&state->requests);
	list_init(&model->domains);
	list_init(&state->gone_subnets);
	list_init(&state->gone_routers);
	map_init(&state->vnis, state->seed);
	map_init(&state->mappings, state->seed);
	map_init(&state->mcasts, state->seed);
	firewall_init(state);
	map_init(&state->port_lists, state->seed);
	map_init(&state->bad_entries, state->seed);
	state->lists_changed = state->paths_changed = true;
	for (int db = 0; db < N_DBS; db++) {
		map_init(&state->subnets[db], state->seed);
		map_init(&state->routers[db], state->seed);
		map_init(&state->places[db], state->seed);
		for (size_t i = 0; i < n; i++)
			if (!strcmp(database_name(databases[i]),
				    database_texts[db]))
				follow(state, db, databases[i]);
	}
	state->is_dirty = state->hnv_changed = true;
	state->physical_changed = state->switches_changed = true;
	state->must_tell_all = true;
	model->must_look = true;
	return model;
}

void
model_free(struct model *model)
{
	struct model_state *state;

	if (!model)
		return;
	state = model->state;
	host_done(state);
	domain_done(state);
	row_fault_free(state, state->router_mac_fault);
	for (int db = 0; db < N_DBS; db++) {
		struct follower *follower = &state->followers[db];

		if (!follower->database)
			continue;
		database_unobserve(follower->database, &follower->observer);
		free(follower->kinds);
		free(follower->ignored);
	}
	free_rows(state);
	port_lists_done(state);
	path_done(state);
	firewall_done(state);
	free(state->touched);
	free(state->mac_news);
	free(state->own);
	free(state->store_fault.detail);
	free(state);
	free(model);
}

bool
model_set_store_problem(struct model *model, const char *problem)
{
	return model_fault_set(&model->state->store_fault,
			       problem ? MODEL_NOT_STORED : MODEL_OK,
			       problem ? "%s" : NULL, problem);
}

bool
model_is_dirty(const struct model *model)
{
	return model->state->is_dirty;
}

void
model_update(struct model *model)
{
	struct model_state *state = model->state;
	bool judge_all;

	if (!state->is_dirty)
		return;
	state->is_dirty = false;
	state->n_updates++;
	model->version++;
	/* tunnel_ips may be provider addresses. */
	if (state->hnv_changed || state->switches_changed) {
		host_follow(state);
		model->places_version++;
		domain_follow(state);
		state->requests_changed = true;
		state->must_bind = true;
		if (place_own_follow(state))
			mapping_relocate(state);
	}
	/* What is referred to comes before what refers to it, and goes after
	 * it. */
	follow_rows(state, is_subnet, false);
	follow_rows(state, is_locator, true);
	follow_rows(state, is_other, true);
	follow_rows(state, is_subnet, true);
	/* What binding changes it says of each port. */
	judge_all = state->hnv_changed || state->structure_changed;
	if (state->physical_changed || state->must_bind)
		binding_follow(state);
	path_follow(state);
	path_settle(state);
	judge_all |= port_lists_follow(state);
	firewall_follow(state, judge_all);
	for (struct list *link = state->changed.next; link != &state->changed;
	     link = link->next) {
		struct model_subnet *subnet =
			LIST_ENTRY(link, struct subnet_table, changed)->subnet;

		subnet_settle(state, subnet);
		mapping_judge(state, subnet);
	}
	routes_judge(state);
	state->hnv_changed = state->physical_changed = false;
	state->switches_changed = false;
	state->must_bind = false;
	free(state->touched);
	state->touched = NULL;
	state->n_touched = state->size_touched = 0;
}

struct model_port *
model_next_port(const struct model *model, const struct model_port *port)
{
	const struct list *sw = port ? &port->sw->link : &model->switches;
	const struct list *link = port ? port->link.next : NULL;

	for (;;) {
		const struct list *ports;

		if (sw != &model->switches) {
			ports = &LIST_ENTRY(sw, const struct model_switch,
					    link)->ports;
			if (!link)
				link = ports->next;
			if (link != ports)
				return LIST_ENTRY(link, struct model_port,
						  link);
		}
		sw = sw->next;
		if (sw == &model->switches)
			return NULL;
		link = NULL;
	}
}

struct model_port *
model_find_port(const struct model *model, const struct vsw_port *vsw_port)
{
	struct model_port *port = NULL;

	while (vsw_port && (port = model_next_port(model, port)))
		if (port->port == vsw_port)
			return port;
	return NULL;
}

struct model_subnet *
model_find_subnet(const struct model *model, uint32_t vni,
		  const struct model_router *router)
{
	struct uuid key;
	struct keyed *keyed;

	memset(&key, 0, sizeof key);
	memcpy(&key, &vni, sizeof vni);
	for (keyed = map_find(&model->state->vnis, &key); keyed;
	     keyed = map_find_next(keyed)) {
		struct model_subnet *subnet =
			KEYED_ENTRY(keyed, struct subnet_table, by_vni)
			->subnet;

		if (subnet->vni == vni && (!router || subnet->router == router))
			return subnet;
	}
	return NULL;
}

const struct model_mapping *
model_find_ca(const struct model_subnet *subnet, const struct vsw_addr *ca)
{
	struct mapping_key key = mapping_key_ca(ca);
	struct mapping_row *row;

	if (!ca->n)
		return NULL;
	row = subnet_table_best(subnet->table, &key);
	return row ? &row->mapping : NULL;
}

bool
model_has_ca(const struct model_subnet *subnet, const struct vsw_addr *ca,
	     const uint8_t mac[6])
{
	struct mapping_key key = mapping_key_ca(ca);
	const struct mapping_row *best, *row;

	if (!ca->n)
		return false;
	best = subnet_table_best(subnet->table, &key);
	if (!best || !memcmp(best->mapping.mac, mac, 6))
		return best != NULL;
	if (best->mapping.kind != MAPPING_LOAD_BALANCED)
		return false;
	for (row = subnet_table_find(subnet->table, &key); row;
	     row = subnet_table_next(row, &key))
		if (row->mapping.kind == MAPPING_LOAD_BALANCED
		    && !memcmp(row->mapping.mac, mac, 6))
			return true;
	return false;
}

const struct model_mapping *
model_find_mac(const struct model_subnet *subnet, const uint8_t mac[6])
{
	struct mapping_key key = mapping_key_mac(mac);
	struct mapping_row *row = subnet_table_best(subnet->table, &key);

	return row ? &row->mapping : NULL;
}

const struct model_prefix *
model_find_gateway(const struct model_subnet *subnet,
		   const struct vsw_addr *addr)
{
	if (!subnet->router || !subnet->router->is_enabled)
		return NULL;
	for (const struct list *link = subnet->prefixes.next;
	     link != &subnet->prefixes; link = link->next) {
		const struct model_prefix *prefix =
			LIST_ENTRY(link, const struct model_prefix, link);

		if (prefix->gateway.n == addr->n
		    && !memcmp(prefix->gateway.bytes, addr->bytes, addr->n))
			return prefix;
	}
	return NULL;
}

const struct row *
state_row(const struct model_state *state, enum model_database db,
	  enum row_kind kind, const struct uuid *uuid)
{
	const struct table *table = state->followers[db].tables[kind];

	return table ? table_find(table, uuid) : NULL;
}

const struct table *
state_table(const struct model_state *state, enum model_database db,
	    const char *name)
{
	const struct follower *follower = &state->followers[db];

	return follower->database ? database_table(follower->database, name)
				  : NULL;
}

void
state_touch(struct model_state *state, enum model_database db,
	    enum row_kind kind, const struct uuid *row)
{
	touch(&state->followers[db], kind, row);
	state->is_dirty = true;
}

void
state_touch_all(struct model_state *state, enum model_database db)
{
	if (!state->followers[db].database)
		return;
	touch_all(&state->followers[db]);
	state->is_dirty = true;
}

void
state_subnet_changed(struct model_state *state, struct model_subnet *subnet)
{
	if (list_is_empty(&subnet->table->changed))
		list_append(&state->changed, &subnet->table->changed);
}

void
state_must_judge(struct model_state *state, struct model_port *port)
{
	port->must_judge = true;
	state_must_look(state, port);
}

void
state_must_look(struct model_state *state, struct model_port *port)
{
	if (list_is_empty(&port->unjudged))
		list_append(&state->unjudged, &port->unjudged);
}

void
state_judge_all(struct model_state *state)
{
	struct model_port *port = NULL;

	while ((port = model_next_port(state->model, port)))
		state_must_judge(state, port);
}

void
state_bury(struct model_state *state)
{
	while (!list_is_empty(&state->gone_subnets)) {
		struct model_subnet *subnet =
			LIST_ENTRY(state->gone_subnets.next,
				   struct model_subnet, link);

		subnet_free(state, subnet);
	}
	while (!list_is_empty(&state->gone_routers)) {
		struct model_router *router =
			LIST_ENTRY(state->gone_routers.next,
				   struct model_router, link);

		router_free(state, router);
	}
}

void
state_follow_column(struct model_state *state, const char *table_name,
		    const char *name, bool is_followed)
{
	for (int db = 0; db < N_DBS; db++) {
		const struct table *table = state_table(state, db,
							table_name);
		const struct column *column;
		uint64_t *ignored;

		if (!table)
			continue;
		column = table_schema_column(table_schema(table), name);
		if (!column || column->index >= 64)
			continue;
		ignored = &state->followers[db]
			   .ignored[table_schema(table)->index];
		*ignored |= (uint64_t) 1 << column->index;
		if (is_followed)
			*ignored &= ~((uint64_t) 1 << column->index);
	}
}

int64_t
state_clock_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec + 1;
}

const char *
database_text(enum model_database db)
{
	return database_texts[db];
}

static void
follow(struct model_state *state, enum model_database db,
       struct database *database)
{
	struct follower *follower = &state->followers[db];
	const struct schema *schema = database_schema(database);

	follower->state = state;
	follower->database = database;
	follower->db = db;
	follower->kinds = xcalloc(schema->n_tables, 1);
	follower->ignored = xcalloc(schema->n_tables,
				    sizeof *follower->ignored);
	for (size_t i = 0; i < schema->n_tables; i++) {
		const struct table_schema *table = schema->tables[i];
		enum row_kind kind = find_kind(db, table->name);

		follower->kinds[table->index] = (uint8_t) kind;
		follower->ignored[table->index] =
			find_ignored(table, kind);
		if (kind < N_FOLLOWED) {
			follower->tables[kind] =
				database_table(database, table->name);
			find_columns(follower, kind);
		}
	}
	follower->observer.committed = committed;
	database_observe(database, &follower->observer);
	touch_all(follower);
}

static enum row_kind
find_kind(enum model_database db, const char *table)
{
	if (db == DB_HNV)
		return strcmp(table, "Mapping_Request") ? ROW_HNV : ROW_OTHER;
	for (size_t i = 0; i < sizeof table_kinds / sizeof *table_kinds; i++)
		if (!strcmp(table_kinds[i].name, table))
			return table_kinds[i].kind;
	return ROW_OTHER;
}

/* Columns past the 64th are never ignored: one look too many. */
static uint64_t
find_ignored(const struct table_schema *table, enum row_kind kind)
{
	uint64_t ignored = (uint64_t) 1 << COLUMN_VERSION;

	for (size_t i = 0;
	     i < sizeof ignored_columns / sizeof *ignored_columns; i++)
		ignored |= column_bit(table, ignored_columns[i]);
	/* Its ports say themselves that they are there. */
	if (kind == ROW_PHYSICAL_SWITCH)
		ignored |= column_bit(table, "ports");
	return ignored;
}

static uint64_t
column_bit(const struct table_schema *table, const char *name)
{
	const struct column *column = table_schema_column(table, name);

	return column && column->index < 64 ? (uint64_t) 1 << column->index
					    : 0;
}

static void
find_columns(struct follower *follower, enum row_kind kind)
{
	const struct table_schema *table =
		table_schema(follower->tables[kind]);
	struct mapping_columns *columns = &follower->columns[kind];

	columns->mac = table_schema_column(table, "MAC");
	columns->ipaddr = table_schema_column(table, "ipaddr");
	columns->locator = table_schema_column(table, "locator");
	columns->subnet = table_schema_column(table, "logical_switch");
	columns->type = table_schema_column(table, "mapping_type");
}

static void
touch_all(struct follower *follower)
{
	for (int kind = 0; kind < N_FOLLOWED; kind++) {
		const struct table *table = follower->tables[kind];
		const struct row *row;

		if (!table)
			continue;
		for (row = table_first(table); row;
		     row = table_next(table, row))
			touch(follower, kind, row_uuid(row));
	}
}

static void
committed(struct observer *observer, const struct commit *commit)
{
	struct follower *follower = (struct follower *) observer;
	struct model_state *state = follower->state;
	const struct table *table = NULL;
	size_t n_deleted = 0;

	state->order++;
	for (size_t i = 0; i < commit->n_changes; i++) {
		const struct change *change = &commit->changes[i];
		enum row_kind kind =
			follower->kinds[table_schema(change->table)->index];

		if (kind == ROW_OTHER || !matters(follower, change))
			continue;
		if (change->table != table) {
			note_loss(state, table, n_deleted);
			table = change->table;
			n_deleted = 0;
		}
		n_deleted += !change->new && follower->db != DB_HNV;
		state->is_dirty = true;
		if (follower->db != DB_HNV) {
			state->policy_time = time(NULL);
			state->policy_clock_s = state_clock_s();
		}
		if (kind == ROW_HNV)
			state->hnv_changed = state->must_tell_all = true;
		else if (kind == ROW_PHYSICAL_SWITCH)
			state->physical_changed = state->switches_changed
				= true;
		else if (kind == ROW_PHYSICAL)
			touch_physical(state, follower->db, &change->uuid);
		else if (kind == ROW_LIST)
			state->lists_changed = true;
		else if (kind == ROW_TUNNEL)
			state->paths_changed = true;
		else if (kind < N_FOLLOWED)
			touch(follower, kind, &change->uuid);
	}
	note_loss(state, table, n_deleted);
}

/* More than is left, and no few: that may have been a mistake. */
static void
note_loss(struct model_state *state, const struct table *table, size_t n)
{
	if (n < LOSS_MIN || n <= table_n_rows(table))
		return;
	state->loss.table = table;
	state->loss.n = n;
	state->loss.clock_s = state_clock_s();
	log_line(LOG_LEVEL_WARN, table_schema(table)->name, "%zu rows were "
		 "deleted at once, %zu are left", n, table_n_rows(table));
}

/* Of many at once the status is written as if of all. */
static void
touch_physical(struct model_state *state, enum model_database db,
	       const struct uuid *row)
{
	state->physical_changed = true;
	if (db != DB_MS_VTEP)
		return;
	if (state->n_untold == MAX_UNTOLD)
		state->must_tell_all = true;
	else
		state->untold[state->n_untold++] = *row;
}

static bool
matters(const struct follower *follower, const struct change *change)
{
	const struct table_schema *table = table_schema(change->table);
	uint64_t ignored = follower->ignored[table->index];

	if (!change->old || !change->new)
		return true;
	for (size_t word = 0; word * 64 < table->n_columns; word++) {
		if (change->changed[word] & ~ignored)
			return true;
		ignored = 0;
	}
	return false;
}

static void
touch(struct follower *follower, enum row_kind kind, const struct uuid *row)
{
	struct model_state *state = follower->state;
	struct touched *touched;

	if (state->n_touched == state->size_touched) {
		state->size_touched = state->size_touched
					      ? state->size_touched * 2 : 64;
		state->touched = xrealloc(state->touched, state->size_touched
					  * sizeof *state->touched);
	}
	touched = &state->touched[state->n_touched++];
	touched->row = *row;
	touched->order = state->order;
	touched->db = follower->db;
	touched->kind = (uint8_t) kind;
}

static void
follow_rows(struct model_state *state, bool (*wanted)(enum row_kind),
	    bool is_gone_too)
{
	for (size_t i = 0; i < state->n_touched; i++) {
		const struct touched *touched = &state->touched[i];

		foresee(state, wanted, i);
		if (wanted(touched->kind)
		    && (is_gone_too || state_row(state, touched->db,
						 touched->kind,
						 &touched->row)))
			follow_row(state, touched);
	}
}

/* Of a thousand rows that change together none is in the processor's cache:
 * what will be looked up is on its way before it is needed. */
static void
foresee(const struct model_state *state, bool (*wanted)(enum row_kind),
	size_t at)
{
	enum { FAR = 12, NEAR = 6 };

	if (at + FAR < state->n_touched) {
		const struct touched *t = &state->touched[at + FAR];
		const struct map *map = find_map(state, t->kind);

		if (map && wanted(t->kind)) {
			map_prefetch(map, &t->row);
			table_prefetch(state->followers[t->db]
				       .tables[t->kind], &t->row);
		}
	}
	if (at + NEAR < state->n_touched) {
		const struct touched *t = &state->touched[at + NEAR];
		const struct map *map = find_map(state, t->kind);

		if (map && wanted(t->kind))
			map_prefetch_first(map, &t->row);
	}
}

/* Of tables that have many rows. */
static const struct map *
find_map(const struct model_state *state, enum row_kind kind)
{
	switch (kind) {
	case ROW_UCAST_LOCAL:
	case ROW_UCAST_REMOTE:
		return &state->mappings;
	case ROW_FIREWALL_RULE:
		return &state->firewall_rules;
	default:
		return NULL;
	}
}

static bool
is_subnet(enum row_kind kind)
{
	return kind == ROW_LOGICAL_SWITCH;
}

static bool
is_locator(enum row_kind kind)
{
	return kind == ROW_LOCATOR;
}

static bool
is_other(enum row_kind kind)
{
	return kind != ROW_LOGICAL_SWITCH && kind != ROW_LOCATOR;
}

static void
follow_row(struct model_state *state, const struct touched *touched)
{
	switch (touched->kind) {
	case ROW_LOGICAL_SWITCH:
		subnet_follow(state, touched->db, &touched->row);
		break;
	case ROW_LOGICAL_ROUTER:
		router_follow(state, touched->db, &touched->row);
		break;
	case ROW_UCAST_LOCAL:
	case ROW_UCAST_REMOTE:
		mapping_follow(state, touched);
		break;
	case ROW_MCAST_LOCAL:
	case ROW_MCAST_REMOTE:
		mcast_follow(state, touched);
		break;
	case ROW_FIREWALL_RULE:
		firewall_rule_follow(state, touched);
		break;
	case ROW_LOCATOR:
		state->paths_changed = true;
		if (place_follow(state, touched->db, &touched->row))
			mapping_relocate(state);
		break;
	}
}

static void
free_rows(struct model_state *state)
{
	struct model *model = state->model;
	struct keyed *keyed;
	size_t bucket = 0;

	while ((keyed = map_pop(&state->mappings, &bucket)))
		mapping_free(state, KEYED_ENTRY(keyed, struct mapping_row,
						by_row));
	map_done(&state->mappings);
	bucket = 0;
	while ((keyed = map_pop(&state->mcasts, &bucket)))
		mcast_free(state, KEYED_ENTRY(keyed, struct mcast_row,
					      by_row));
	map_done(&state->mcasts);
	state_bury(state);
	while (!list_is_empty(&model->routers))
		router_free(state, LIST_ENTRY(model->routers.next,
					      struct model_router, link));
	while (!list_is_empty(&model->subnets))
		subnet_free(state, LIST_ENTRY(model->subnets.next,
					      struct model_subnet, link));
	for (int db = 0; db < N_DBS; db++) {
		map_done(&state->subnets[db]);
		map_done(&state->routers[db]);
		map_done(&state->places[db]);
	}
	map_done(&state->vnis);
}
