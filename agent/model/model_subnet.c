/* SPDX-License-Identifier: Apache-2.0 */

/* Logical_Switch: a subnet and its number. */

#include "agent/model/state.h"

#include <errno.h>
#include <stdlib.h>
#include "agent/base/memory.h"

static struct model_subnet *new_subnet(struct model_state *,
				       enum model_database,
				       const struct row *);
static void follow_routes(struct model_state *, struct model_subnet *,
			  enum model_database, const struct row *);
static void follow_options(struct model_state *, struct model_subnet *,
			   const struct row *);
static const char *read_replication(const struct datum *options,
				    enum replication *);
static void touch_groups(struct subnet_table *);
static bool read_flag(const struct datum *options, const char *key,
		      bool fallback, const char **bad);
static void set_vni(struct model_state *, struct model_subnet *, uint32_t);
static bool read_vni(const struct row *, uint32_t *ret_vni,
		     char **ret_problem);
static struct uuid vni_key(uint32_t vni);
static void elect(struct model_state *, uint32_t vni);
static void set_fault(struct model_state *, struct model_subnet *,
		      enum model_reason, const char *detail);
static bool is_before(const struct model_state *, const struct subnet_table *,
		      const struct subnet_table *);
static bool is_there(const struct model_state *, const struct subnet_table *);
static void set_in_force(struct model_state *, struct model_subnet *,
			 uint32_t vni);

void
subnet_follow(struct model_state *state, enum model_database db,
	      const struct uuid *uuid)
{
	const struct row *row =
		state_row(state, db, ROW_LOGICAL_SWITCH, uuid);
	struct model_subnet *subnet = subnet_find(state, db, uuid);
	const char *name, *mode;
	char *problem;
	uint32_t vni;

	if (!row) {
		if (!subnet)
			return;
		set_vni(state, subnet, 0);
		set_fault(state, subnet, MODEL_OK, NULL);
		routes_clear(state, &subnet->static_routes);
		row_fault_free(state, subnet->table->option_fault);
		row_fault_free(state, subnet->table->replication_fault);
		subnet->table->option_fault = NULL;
		subnet->table->replication_fault = NULL;
		subnet->table->wanted_replication = REPLICATE_HOST;
		map_remove(&state->subnets[db], &subnet->table->by_row);
		list_remove(&subnet->link);
		list_append(&state->gone_subnets, &subnet->link);
		state->structure_changed = state->must_bind = true;
		return;
	}
	if (!subnet)
		subnet = new_subnet(state, db, row);
	name = row_string(row, "name", "");
	if (strcmp(subnet->name, name)) {
		free(subnet->name);
		subnet->name = xstrdup(name);
	}
	follow_routes(state, subnet, db, row);
	follow_options(state, subnet, row);
	mode = row_string(row, "replication_mode", "");
	if (subnet->table->is_service_node != !strcmp(mode, "service_node")) {
		subnet->table->is_service_node = !strcmp(mode, "service_node");
		subnet->table->flood_changed = true;
		state_subnet_changed(state, subnet);
	}
	if (!read_vni(row, &vni, &problem)) {
		set_vni(state, subnet, 0);
		set_fault(state, subnet, MODEL_BAD_VNI, problem);
		free(problem);
		return;
	}
	if (!vni)
		set_fault(state, subnet, MODEL_NO_SUBNET, NULL);
	set_vni(state, subnet, vni);
}

struct model_subnet *
subnet_find(const struct model_state *state, enum model_database db,
	    const struct uuid *uuid)
{
	struct keyed *keyed = map_find(&state->subnets[db], uuid);

	return keyed ? KEYED_ENTRY(keyed, struct subnet_table, by_row)->subnet
		     : NULL;
}

void
subnets_follow_settings(struct model_state *state)
{
	struct list *subnets = &state->model->subnets;

	for (struct list *link = subnets->next; link != subnets;
	     link = link->next) {
		struct model_subnet *subnet =
			LIST_ENTRY(link, struct model_subnet, link);
		const struct row *row =
			state_row(state, subnet->table->db,
				  ROW_LOGICAL_SWITCH, &subnet->row);

		if (row)
			follow_options(state, subnet, row);
	}
}

void
subnet_free(struct model_state *state, struct model_subnet *subnet)
{
	row_fault_free(state, subnet->table->fault);
	row_fault_free(state, subnet->table->option_fault);
	row_fault_free(state, subnet->table->replication_fault);
	routes_clear(state, &subnet->static_routes);
	list_remove(&subnet->link);
	subnet_table_free(subnet->table);
	free(subnet->name);
	free(subnet->fault.detail);
	free(subnet);
}

void
subnet_settle(struct model_state *state, struct model_subnet *subnet)
{
	struct subnet_table *table = subnet->table;
	enum replication replication = table->wanted_replication;
	bool is_large = replication == REPLICATE_VM
			&& table->by_mac.n > MODEL_MAX_COPIED;

	if (is_large)
		replication = REPLICATE_HOST;
	if (is_large != !!table->replication_fault) {
		row_fault_free(state, table->replication_fault);
		table->replication_fault = !is_large ? NULL : row_fault_new(
			state, MODEL_LIMIT, "Logical_Switch", &subnet->row,
			"\"%s\": replicate=vm is for %u mappings at most; a "
			"copy goes to each host", subnet->name,
			MODEL_MAX_COPIED);
	}
	if (subnet->replication == replication)
		return;
	subnet->replication = replication;
	touch_groups(table);
	table->flood_changed = true;
	state_subnet_changed(state, subnet);
	for (size_t i = 0; i < table->n_ports; i++)
		table->ports[i]->is_dirty = true;
	state->structure_changed = true;
}

static struct model_subnet *
new_subnet(struct model_state *state, enum model_database db,
	   const struct row *row)
{
	struct model_subnet *subnet = xcalloc(1, sizeof *subnet);

	subnet->row = *row_uuid(row);
	subnet->database = database_text(db);
	subnet->name = xstrdup("");
	list_init(&subnet->prefixes);
	list_init(&subnet->static_routes);
	subnet->table = subnet_table_new(subnet, state->seed);
	subnet->table->db = db;
	subnet->table->by_row.key = *row_uuid(row);
	map_add(&state->subnets[db], &subnet->table->by_row);
	list_append(&state->model->subnets, &subnet->link);
	state->structure_changed = true;
	return subnet;
}

/* Whether it has any says which group its ports have.  Only ms_vtep's may. */
static void
follow_routes(struct model_state *state, struct model_subnet *subnet,
	      enum model_database db, const struct row *row)
{
	const struct subnet_table *table = subnet->table;

	if (db != DB_MS_VTEP
	    || !routes_read(state, &(struct routes) {
			.of = &subnet->static_routes,
			.table = "Logical_Switch", .owner = &subnet->row,
			.subnet = subnet }, row))
		return;
	for (size_t i = 0; i < table->n_ports; i++)
		table->ports[i]->is_dirty = true;
	state->structure_changed = true;
}

static void
follow_options(struct model_state *state, struct model_subnet *subnet,
	       const struct row *row)
{
	struct subnet_table *table = subnet->table;
	struct datum room;
	const struct datum *options = row_get(row, "other_config", &room);
	const char *bad = NULL;
	const struct host_settings *usual = &state->model->settings;
	bool keeps_whole = !read_flag(options, "fragmentation",
				      usual->may_fragment, &bad);
	bool clamps_mss = read_flag(options, "mss_clamp", usual->clamps_mss,
				    &bad);

	const char *replicate = read_replication(options,
						 &table->wanted_replication);

	row_fault_free(state, table->option_fault);
	table->option_fault = NULL;
	if (bad || replicate)
		table->option_fault = row_fault_new(
			state, MODEL_BAD_OPTION, "Logical_Switch",
			&subnet->row,
			bad ? "\"%s\": %s is neither true nor false"
			    : "\"%s\": replicate=%s is neither host, vm nor "
			      "none",
			subnet->name, bad ? bad : replicate);
	subnet_settle(state, subnet);
	if (subnet->keeps_whole == keeps_whole
	    && subnet->clamps_mss == clamps_mss)
		return;
	subnet->keeps_whole = keeps_whole;
	subnet->clamps_mss = clamps_mss;
	for (size_t i = 0; i < table->n_ports; i++)
		table->ports[i]->is_dirty = true;
	state->structure_changed = true;
}

/* NULL, or what does not read. */
static const char *
read_replication(const struct datum *options, enum replication *replication)
{
	static const char *const texts[] = {
		[REPLICATE_HOST] = "host", [REPLICATE_VM] = "vm",
		[REPLICATE_NONE] = "none"
	};
	const char *text = datum_map_string(options, "replicate", "host");

	*replication = REPLICATE_HOST;
	for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (!strcmp(text, texts[i])) {
			*replication = (enum replication) i;
			return NULL;
		}
	return text;
}

static void
touch_groups(struct subnet_table *table)
{
	struct mapping_key key;

	for (struct list *link = table->mcasts.next; link != &table->mcasts;
	     link = link->next) {
		key = mapping_key_mac(LIST_ENTRY(link, struct mcast_row,
						 link)->mac);
		subnet_table_touch(table, &key);
	}
	for (size_t i = 0; i < table->n_ports; i++) {
		struct list *groups = &table->ports[i]->groups;

		for (struct list *link = groups->next; link != groups;
		     link = link->next) {
			key = mapping_key_mac(LIST_ENTRY(
				link, struct port_group, link)->mac);
			subnet_table_touch(table, &key);
		}
	}
}

static bool
read_flag(const struct datum *options, const char *key, bool fallback,
	  const char **bad)
{
	const char *value = datum_map_string(options, key, "");

	if (!strcmp(value, "true") || !strcmp(value, "false"))
		return *value == 't';
	if (*value)
		*bad = key;
	return fallback;
}

/* What the row says.  Two subnets may say the same. */
static void
set_vni(struct model_state *state, struct model_subnet *subnet, uint32_t vni)
{
	struct subnet_table *table = subnet->table;
	uint32_t old = table->vni;

	if (old == vni)
		return;
	if (old) {
		map_remove(&state->vnis, &table->by_vni);
		table->vni = 0;
		set_in_force(state, subnet, 0);
		elect(state, old);
	}
	table->vni = vni;
	if (vni) {
		table->by_vni.key = vni_key(vni);
		map_add(&state->vnis, &table->by_vni);
		elect(state, vni);
	}
}

/* tunnel_key; without it the name, if that is a number: controllers of
 * ms_vtep call a subnet by its VSID. */
static bool
read_vni(const struct row *row, uint32_t *ret_vni, char **ret_problem)
{
	struct datum room;
	const struct datum *key = row_get(row, "tunnel_key", &room);
	const char *name = row_string(row, "name", "");
	int64_t vni = datum_integer(key, 0);
	char *end;

	if (!key->n) {
		errno = 0;
		vni = strtoll(name, &end, 10);
		if (*name < '0' || *name > '9' || *end || errno) {
			*ret_vni = 0;
			return true;
		}
	}
	if (vni < 1 || vni > 0xffffff) {
		*ret_problem = xasprintf("%s %lld", key->n ? "tunnel_key"
							   : "name",
					 (long long) vni);
		return false;
	}
	*ret_vni = (uint32_t) vni;
	return true;
}

static struct uuid
vni_key(uint32_t vni)
{
	struct uuid key;

	memset(&key, 0, sizeof key);
	memcpy(&key, &vni, sizeof vni);
	return key;
}

static void
elect(struct model_state *state, uint32_t vni)
{
	struct uuid key = vni_key(vni);
	struct subnet_table *best = NULL;
	struct keyed *keyed;

	for (keyed = map_find(&state->vnis, &key); keyed;
	     keyed = map_find_next(keyed)) {
		struct subnet_table *table =
			KEYED_ENTRY(keyed, struct subnet_table, by_vni);

		if (!best || is_before(state, table, best))
			best = table;
	}
	for (keyed = map_find(&state->vnis, &key); keyed;
	     keyed = map_find_next(keyed)) {
		struct subnet_table *table =
			KEYED_ENTRY(keyed, struct subnet_table, by_vni);
		struct model_subnet *subnet = table->subnet;

		set_in_force(state, subnet, table == best ? vni : 0);
		if (table == best) {
			set_fault(state, subnet, MODEL_OK, NULL);
		} else if (is_there(state, table)) {
			char *detail = xasprintf(
				"%u is %s's logical switch \"%s\"", vni,
				best->subnet->database, best->subnet->name);

			set_fault(state, subnet, MODEL_CONFLICT, detail);
			free(detail);
		}
	}
}

/* Ports say it of their subnet; one that has none here must be heard, too. */
static void
set_fault(struct model_state *state, struct model_subnet *subnet,
	  enum model_reason reason, const char *detail)
{
	struct subnet_table *table = subnet->table;

	if (!model_fault_set(&subnet->fault, reason, detail ? "%s" : NULL,
			     detail))
		return;
	row_fault_free(state, table->fault);
	table->fault = NULL;
	if (reason != MODEL_OK)
		table->fault = row_fault_new(state, reason, "Logical_Switch",
					     &subnet->row, "\"%s\"%s%s",
					     subnet->name, detail ? ": " : "",
					     detail ? detail : "");
}

static bool
is_before(const struct model_state *state, const struct subnet_table *a,
	  const struct subnet_table *b)
{
	bool is_there_a = is_there(state, a);

	if (is_there_a != is_there(state, b))
		return is_there_a;
	if (a->db != b->db)
		return a->db < b->db;
	return uuid_compare(&a->by_row.key, &b->by_row.key) < 0;
}

/* False: its row has gone, perhaps for another one in the same transaction. */
static bool
is_there(const struct model_state *state, const struct subnet_table *table)
{
	return state_row(state, table->db, ROW_LOGICAL_SWITCH,
			 &table->by_row.key);
}

static void
set_in_force(struct model_state *state, struct model_subnet *subnet,
	     uint32_t vni)
{
	if (subnet->vni == vni)
		return;
	subnet->vni = vni;
	state->structure_changed = state->must_bind = true;
}
