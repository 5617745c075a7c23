/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/model/state.h"
#include "agent/policy/applied.h"
#include "agent/policy/bridge.h"
#include "agent/policy/policy.h"

enum { STEP = 64 };			/* Checks between looks at the clock. */

/* What a round consists of, in this order. */
enum part {
	PART_COUNTS,			/* Rows, by number. */
	PART_ROWS,			/* Ucast_Macs_*. */
	PART_PROGRAMS,
	PART_MODEL,			/* Addresses that are to be there. */
	PART_ENGINE,			/* And those that are. */
	N_PARTS
};

struct audit {
	struct model *model;
	enum part part;
	size_t at;			/* In the part, or in its mapping. */
	size_t n_placements;		/* That are done. */
	bool by_ca;
	struct edit edit;
	struct edited *edited;		/* Whose engine's side is walked. */
	struct audit_counters counters;
};

static bool may_look(const struct model_state *);
static bool step(struct audit *, size_t n);
static bool check_counts(struct audit *, size_t n);
static size_t count_rows(const struct model_state *, enum model_database,
			 const char *table);
static bool check_rows(struct audit *, size_t n);
static void check_row(struct audit *, const struct mapping_row *);
static bool check_programs(struct audit *, size_t n);
static void check_port(struct audit *, struct model_port *);
static bool mend_port(struct model *, struct model_port *);
static void check_program(struct audit *, const char *name, struct vsw_port *,
			  struct vsw_program *);
static struct placement *next_placement(struct audit *);
static bool check_model(struct audit *, size_t n);
static bool check_engine(struct audit *, size_t n);
static void check_entry(void *audit_, const struct vsw_addr *,
			const uint8_t mac[6]);
static void check_key(struct audit *, struct edited *,
		      const struct mapping_key *);
static void found(struct audit *, uint64_t *counter, bool is_repaired,
		  const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static uint64_t now_ns(void);

struct audit *
audit_new(struct model *model)
{
	struct audit *audit = xcalloc(1, sizeof *audit);

	audit->model = model;
	edit_init(&audit->edit);
	return audit;
}

void
audit_free(struct audit *audit)
{
	if (!audit)
		return;
	edit_done(&audit->edit);
	free(audit);
}

bool
audit_slice(struct audit *audit, uint64_t max_ns)
{
	uint64_t end = now_ns() + max_ns;

	while (may_look(audit->model->state) && step(audit, STEP))
		if (now_ns() >= end)
			return true;
	return false;
}

void
audit_round(struct audit *audit)
{
	audit->part = PART_COUNTS;
	audit->at = audit->n_placements = 0;
	audit->by_ca = false;
	while (may_look(audit->model->state) && step(audit, STEP))
		;
}

const struct audit_counters *
audit_counters(const struct audit *audit)
{
	return &audit->counters;
}

/* Who has a change before him would find nothing but that. */
static bool
may_look(const struct model_state *state)
{
	return state->is_in_force && !state->is_dirty
	       && !state->structure_changed && !state->programs_changed
	       && list_is_empty(&state->changed);
}

/* False: the round is over, or has ended early for a repair. */
static bool
step(struct audit *audit, size_t n)
{
	static bool (*const parts[N_PARTS])(struct audit *, size_t) = {
		check_counts, check_rows, check_programs, check_model,
		check_engine
	};

	if (parts[audit->part](audit, n))
		return true;
	audit->at = audit->n_placements = 0;
	audit->by_ca = false;
	if (++audit->part < N_PARTS)
		return true;
	audit->part = PART_COUNTS;
	audit->counters.n_rounds++;
	return false;
}

static bool
check_counts(struct audit *audit, size_t n)
{
	struct model_state *state = audit->model->state;
	size_t n_macs = 0, n_rules;

	(void) n;
	for (enum model_database db = DB_MS_VTEP; db <= DB_HARDWARE_VTEP; db++)
		n_macs += count_rows(state, db, "Ucast_Macs_Local")
			  + count_rows(state, db, "Ucast_Macs_Remote");
	n_rules = count_rows(state, DB_MS_FIREWALL, "FW_Rules");
	audit->counters.n_checks += 2;
	if (n_macs != state->mappings.n) {
		found(audit, &audit->counters.n_rows, true, "%zu rows of "
		      "Ucast_Macs_*, of which the model knows %zu", n_macs,
		      state->mappings.n);
		state_touch_all(state, DB_MS_VTEP);
		state_touch_all(state, DB_HARDWARE_VTEP);
	}
	if (n_rules != state->firewall_rules.n) {
		found(audit, &audit->counters.n_rows, true, "%zu rows of "
		      "FW_Rules, of which the model knows %zu", n_rules,
		      state->firewall_rules.n);
		state_touch_all(state, DB_MS_FIREWALL);
	}
	return false;
}

static size_t
count_rows(const struct model_state *state, enum model_database db,
	   const char *name)
{
	const struct table *table = state->followers[db].database
				    ? state_table(state, db, name) : NULL;

	return table ? table_n_rows(table) : 0;
}

/* One by one, as they stand in the model; a row that the model does not know
 * was found by its number. */
static bool
check_rows(struct audit *audit, size_t n)
{
	const struct map *map = &audit->model->state->mappings;

	for (; n && audit->at < map->n_buckets; audit->at++, n--)
		for (struct keyed *keyed = map->buckets[audit->at]; keyed;
		     keyed = keyed->next)
			check_row(audit, KEYED_ENTRY(keyed, struct mapping_row,
						     by_row));
	return audit->at < map->n_buckets;
}

static void
check_row(struct audit *audit, const struct mapping_row *mapping)
{
	struct model_state *state = audit->model->state;
	const struct uuid *uuid = &mapping->by_row.key;
	const struct row *row = state_row(state, mapping->db, mapping->kind,
					  uuid);
	struct vsw_addr ca;
	uint8_t mac[6];
	char text[UUID_TEXT_SIZE];
	bool is_same = row != NULL;

	audit->counters.n_checks++;
	if (row && mapping->subnet) {
		const char *ip = row_string(row, "ipaddr", "");

		is_same = model_mac_from_text(row_string(row, "MAC", ""), mac)
			  && !memcmp(mac, mapping->mapping.mac, 6);
		if (is_same && *ip)
			is_same = model_addr_from_text(ip, &ca)
				  && ca.n == mapping->mapping.ca.n
				  && !memcmp(ca.bytes,
					     mapping->mapping.ca.bytes, ca.n);
	}
	if (is_same)
		return;
	uuid_to_text(uuid, text);
	found(audit, &audit->counters.n_rows, true,
	      "row %s says otherwise than the model", text);
	state_touch(state, mapping->db, mapping->kind, uuid);
}

static bool
check_programs(struct audit *audit, size_t n)
{
	const struct list *switches = &audit->model->switches;

	(void) n;
	for (const struct list *s = switches->next; s != switches;
	     s = s->next) {
		struct model_switch *sw =
			LIST_ENTRY(s, struct model_switch, link);

		if (!sw->vsw || !sw->applied || sw->is_removed)
			continue;
		for (const struct list *link = sw->ports.next;
		     link != &sw->ports; link = link->next) {
			struct model_port *port =
				LIST_ENTRY(link, struct model_port, link);

			if (port->applied && !port->is_removed)
				check_port(audit, port);
		}
		for (size_t i = 0; i < sw->applied->programmed.n; i++)
			check_program(audit, "uplink",
				      sw->applied->programmed.of[i],
				      sw->applied->program);
	}
	return false;
}

/* What is to be there, and is not, is gone. */
static void
check_port(struct audit *audit, struct model_port *port)
{
	if (!port->program) {
		check_program(audit, port->name, port->applied,
			      port->bridged ? port->bridged->program : NULL);
		return;
	}
	audit->counters.n_checks++;
	if (vsw_port_get_program(port->applied) != port->program)
		found(audit, &audit->counters.n_programs,
		      mend_port(audit->model, port),
		      "port %s has another program than was set", port->name);
}

static bool
mend_port(struct model *model, struct model_port *port)
{
	apply_port_forget(port);
	model->state->programs_changed = true;
	policy_apply(model);
	return port->program;
}

static void
check_program(struct audit *audit, const char *name, struct vsw_port *port,
	      struct vsw_program *program)
{
	audit->counters.n_checks++;
	if (vsw_port_get_program(port) == program)
		return;
	found(audit, &audit->counters.n_programs,
	      !vsw_port_set_program(port, program),
	      "port %s has another program than was set", name);
}

/* The one where the round is, of all in all switches; NULL: it is through. */
static struct placement *
next_placement(struct audit *audit)
{
	const struct list *switches = &audit->model->switches;
	size_t n = audit->n_placements;

	for (const struct list *s = switches->next; s != switches;
	     s = s->next) {
		struct applied_switch *applied =
			LIST_ENTRY(s, struct model_switch, link)->applied;
		const struct list *i, *p;

		if (!applied)
			continue;
		for (i = applied->instances.next; i != &applied->instances;
		     i = i->next) {
			struct instance *instance =
				LIST_ENTRY(i, struct instance, link);

			for (p = instance->placements.next;
			     p != &instance->placements; p = p->next)
				if (!n--)
					return LIST_ENTRY(p, struct placement,
							  by_instance);
		}
	}
	return NULL;
}

static bool
check_model(struct audit *audit, size_t n)
{
	struct placement *placement = next_placement(audit);
	const struct subnet_table *table;
	const struct mapping_hash *hash;

	if (!placement)
		return false;
	table = placement->edited.subnet->table;
	hash = audit->by_ca ? &table->by_ca : &table->by_mac;
	for (; n && audit->at < hash->n_buckets; audit->at++, n--) {
		struct mapping_row *row = hash->buckets[audit->at];

		for (; row; row = audit->by_ca ? row->next_ca
					       : row->next_mac) {
			struct mapping_key key = audit->by_ca
				? mapping_key_ca(&row->mapping.ca)
				: mapping_key_mac(row->mapping.mac);

			check_key(audit, &placement->edited, &key);
		}
	}
	if (audit->at < hash->n_buckets)
		return true;
	audit->at = 0;
	audit->by_ca = !audit->by_ca;
	audit->n_placements += !audit->by_ca;
	return true;
}

static bool
check_engine(struct audit *audit, size_t n)
{
	struct placement *placement = next_placement(audit);

	if (!placement)
		return false;
	audit->edited = &placement->edited;
	if (!vsw_mapping_entries_from(placement->edited.mapping, &audit->at,
				      n, check_entry, audit)) {
		audit->at = 0;
		audit->n_placements++;
	}
	return true;
}

static void
check_entry(void *audit_, const struct vsw_addr *addr, const uint8_t mac[6])
{
	struct audit *audit = audit_;
	struct mapping_key key = addr ? mapping_key_ca(addr)
				      : mapping_key_mac(mac);

	check_key(audit, audit->edited, &key);
}

static void
check_key(struct audit *audit, struct edited *edited,
	  const struct mapping_key *key)
{
	char text[MODEL_ADDR_TEXT_SIZE];

	audit->counters.n_checks++;
	audit->edit.err = 0;
	if (!edit_mend(&audit->edit, edited, key))
		return;
	if (key->ca.n)
		model_addr_to_text(&key->ca, text);
	else
		model_mac_to_text(key->mac, text);
	found(audit, &audit->counters.n_addresses, !audit->edit.err,
	      "%s in subnet %s of %s is elsewhere than the rows say", text,
	      edited->subnet->name, edited->sw->name);
}

static void
found(struct audit *audit, uint64_t *counter, bool is_repaired,
      const char *format, ...)
{
	struct model_state *state = audit->model->state;
	static struct log_limit limit;
	va_list args;

	(*counter)++;
	audit->counters.n_repaired += is_repaired;
	state->audit_found++;
	state->audit_repaired += is_repaired;
	va_start(args, format);
	vsnprintf(audit->counters.last, sizeof audit->counters.last, format,
		  args);
	va_end(args);
	snprintf(state->audit_last, sizeof state->audit_last, "%s",
		 audit->counters.last);
	log_limited(&limit, LOG_LEVEL_WARN, "audit", "%s: %s",
		    audit->counters.last,
		    is_repaired ? "repaired" : "cannot be repaired now");
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}
