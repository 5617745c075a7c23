/* SPDX-License-Identifier: Apache-2.0 */

/* What ports have counted: some ports at a time, as their turn comes.  All of
 * a thousand take 10 ms, and a change of policy would wait for that.
 *
 * A row of hnv.Port tells the sums of the port and of the VLANs in it, which
 * may be thousands: they are summed up from turn to turn, and told with the
 * last one. */

#include "agent/status/status.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "agent/base/memory.h"
#include "agent/model/map.h"
#include "agent/policy/bridge.h"
#include "agent/status/write.h"

enum {
	DISK_ROUNDS = 12,	/* ms_vtep's are on disk. */
	MAX_COUNTERS = 128	/* Of a row. */
};

/* A map of them that is being made. */
struct counters {
	union atom keys[MAX_COUNTERS], values[MAX_COUNTERS];
	uint32_t n;
};

static const struct column_type integers = {
	.key.type = ATOM_STRING, .value.type = ATOM_INTEGER,
	.n_max = UINT32_MAX
};

static void count_port(struct model_state *, struct teller *,
		       const struct table *ports, struct model_port *);
static void add_macs(struct port_sums *, const struct mac_port *);
static void sum(uint64_t *of, const uint64_t *more, size_t size);
static bool is_last(const struct model_port *);
static void tell_sums(struct model_state *, struct teller *,
		      const struct row *, struct model_port *);
static void add_classes(struct counters *, const struct vsw_port_classes *);
static void add_punts(struct counters *, const struct punts *);
static void add_drops(struct counters *, const struct vsw_port_counters *);
static void add_of(struct counters *, const char *of, const char *name,
		   uint64_t value);
static void add(struct counters *, const char *name, uint64_t value);
static void count_binding(const struct model_state *, struct teller *,
			  enum model_database, const struct model_port *);
static bool has_each(const struct datum *bindings, const struct datum *stats);
static void make_missing(struct teller *, const struct row *,
			 const struct model_port *,
			 const struct datum *bindings,
			 const struct datum *stats);
static bool make_one(struct teller *, const struct model_port *,
		     struct uuid *ret_uuid);
static void tell_binding(struct teller *, const struct row *,
			 struct row *new, const struct model_port *);

void
status_count(struct model *model, struct model_port *const ports[], size_t n)
{
	struct model_state *state = model->state;
	struct teller tellers[N_DBS];
	const struct table *table = state_table(state, DB_HNV, "Port");

	for (int db = 0; db < N_DBS; db++)
		tellers[db] = (struct teller) {
			state->followers[db].database, NULL
		};
	for (size_t i = 0; i < n; i++) {
		struct model_port *port = ports[i];

		count_port(state, &tellers[DB_HNV], table, port);
		for (int db = DB_MS_VTEP; db <= DB_HARDWARE_VTEP; db++)
			if (tellers[db].database)
				count_binding(state, &tellers[db], db, port);
	}
	for (int db = 0; db < N_DBS; db++)
		teller_done(&tellers[db]);
}

static void
count_port(struct model_state *state, struct teller *teller,
	   const struct table *ports, struct model_port *port)
{
	struct port_sums *sums = &state->sums;
	struct model_port *whole = port->trunk ? port->trunk : port;
	struct vsw_port_counters counters = { .size = sizeof counters };
	struct vsw_port_classes classes = { .size = sizeof classes };
	const struct row *row;

	if (whole == port) {
		memset(sums, 0, sizeof *sums);
		sums->of = port->port && !port->is_removed ? port : NULL;
	}
	if (sums->of != whole)
		return;
	if (port->port && !port->is_removed) {
		vsw_port_get_counters(port->port, &counters);
		vsw_port_get_classes(port->port, &classes);
		sum(&sums->counters.packets_received,
		    &counters.packets_received, sizeof counters
		    - offsetof(struct vsw_port_counters, packets_received));
		sum(&sums->classes.of[0].n, &classes.of[0].n,
		    sizeof classes.of);
		sum(sums->punts.of, port->punts.of, sizeof port->punts.of);
		add_macs(sums, &port->learned);
		if (port->bridged)
			add_macs(sums, &port->bridged->macs);
	}
	if (!is_last(port))
		return;
	row = table_find(ports, &whole->row);
	if (row)
		tell_sums(state, teller, row, whole);
	sums->of = NULL;
}

static void
add_macs(struct port_sums *sums, const struct mac_port *macs)
{
	sums->macs += macs->n;
	sums->macs_refused += macs->n_refused;
}

/* Of structs that are nothing but such numbers. */
static void
sum(uint64_t *of, const uint64_t *more, size_t size)
{
	for (size_t i = 0; i < size / sizeof *of; i++)
		of[i] += more[i];
}

/* Of a port and the VLANs in it. */
static bool
is_last(const struct model_port *port)
{
	const struct list *next = port->link.next;

	return next == &port->sw->ports
	       || !LIST_ENTRY(next, const struct model_port, link)->trunk;
}

/* Nothing has been counted, and nobody has written the row, since it was told:
 * then that is the same. */
static void
tell_sums(struct model_state *state, struct teller *teller,
	  const struct row *row, struct model_port *port)
{
	const struct vsw_port_counters *c = &state->sums.counters;
	struct uuid version = row_version(row);
	struct counters counters;
	struct datum statistics;
	uint64_t hash = map_hash(&state->sums, sizeof state->sums,
				 state->seed);

	hash = map_hash(&version, sizeof version, hash);
	if (hash == port->told_sums)
		return;
	port->told_sums = hash;
	counters.n = 0;
	add(&counters, "rx_packets", c->packets_received);
	add(&counters, "rx_bytes", c->bytes_received);
	add(&counters, "tx_packets", c->packets_sent);
	add(&counters, "tx_bytes", c->bytes_sent);
	add(&counters, "flows_hit", c->flows_hit);
	add(&counters, "flows_missed", c->flows_missed);
	add(&counters, "flows_stale", c->flows_stale);
	add_classes(&counters, &state->sums.classes);
	add_punts(&counters, &state->sums.punts);
	add(&counters, "connections_opened", c->connections_opened);
	add(&counters, "connections_refused", c->connections_refused);
	add(&counters, "macs", state->sums.macs);
	add(&counters, "macs_refused", state->sums.macs_refused);
	add(&counters, "punts", c->punts);
	add_drops(&counters, c);
	datum_take_unsorted(&statistics, &integers,
			    xmemdup(counters.keys, counters.n
				    * sizeof *counters.keys),
			    xmemdup(counters.values, counters.n
				    * sizeof *counters.values), counters.n);
	teller_set(teller, row, "statistics", &statistics);
}

/* Flows and connections always, of other classes those that there were. */
static void
add_classes(struct counters *counters, const struct vsw_port_classes *classes)
{
	for (int i = 0; i < VSW_N_CLASSES; i++) {
		const struct vsw_class_counters *c = &classes->of[i];
		const char *class = vsw_class_name((enum vsw_class) i);

		if (!c->created && i > VSW_CLASS_CONNECTIONS)
			continue;
		add(counters, class, c->n);
		add_of(counters, class, "max", c->max);
		add_of(counters, class, "created", c->created);
		if (c->limit)
			add_of(counters, class, "limit", c->limit);
	}
}

static void
add_punts(struct counters *counters, const struct punts *punts)
{
	for (int i = 0; i < N_PUNTED; i++)
		if (punts->of[i])
			add_of(counters, "punts",
			       punts_name((enum punted) i), punts->of[i]);
}

static void
add_drops(struct counters *counters, const struct vsw_port_counters *c)
{
	uint64_t total = 0;

	for (int drop = 0; drop < VSW_N_DROPS; drop++) {
		char name[64] = "drop_";
		const char *text = vsw_drop_name(drop);
		size_t n = strlen(name);

		if (!c->drops[drop])
			continue;
		total += c->drops[drop];
		for (; *text && n < sizeof name - 1; text++)
			name[n++] = (char) tolower((unsigned char) *text);
		name[n] = '\0';
		add(counters, name, c->drops[drop]);
	}
	add(counters, "drops", total);
}

static void
add_of(struct counters *counters, const char *of, const char *name,
       uint64_t value)
{
	char whole[64];

	snprintf(whole, sizeof whole, "%s_%s", of, name);
	add(counters, whole, value);
}

static void
add(struct counters *counters, const char *name, uint64_t value)
{
	static_assert(12 + 4 * VSW_N_CLASSES + N_PUNTED + VSW_N_DROPS
		      <= MAX_COUNTERS, "there is room for each");
	uint32_t n = counters->n++;

	memset(&counters->keys[n], 0, sizeof counters->keys[n]);
	memset(&counters->values[n], 0, sizeof counters->values[n]);
	counters->keys[n].string = string_intern(name, strlen(name));
	counters->values[n].integer = (int64_t) value;
}

/* Each VLAN of a Physical_Port has a row; they go with the port's row, or when
 * that has the VLAN no more. */
static void
count_binding(const struct model_state *state, struct teller *teller,
	      enum model_database db, const struct model_port *port)
{
	const struct row *row = binding_row(state, db, port);
	struct datum room, stats_room;
	const struct datum *bindings, *stats;
	const union atom *known;

	if (!row)
		return;
	bindings = row_get(row, "vlan_bindings", &room);
	stats = row_get(row, "vlan_stats", &stats_room);
	if (!port->trunk && !has_each(bindings, stats))
		make_missing(teller, row, port, bindings, stats);
	if (!port->port || !port->subnet
	    || (db == DB_MS_VTEP && state->n_rounds % DISK_ROUNDS
				    != DISK_ROUNDS - 1))
		return;
	known = trunk_get(stats, port->vid);
	row = known ? table_find(database_table(teller->database,
						"Logical_Binding_Stats"),
				 &known->uuid) : NULL;
	if (row && trunk_get(bindings, port->vid))
		tell_binding(teller, row, NULL, port);
}

static bool
has_each(const struct datum *bindings, const struct datum *stats)
{
	if (bindings->n != stats->n)
		return false;
	for (uint32_t i = 0; i < stats->n; i++)
		if (datum_key(bindings, i)->integer
		    != datum_key(stats, i)->integer)
			return false;
	return true;
}

static void
make_missing(struct teller *teller, const struct row *row,
	     const struct model_port *port, const struct datum *bindings,
	     const struct datum *stats)
{
	const struct column *column = table_schema_column(
		table_schema(row_table(row)), "vlan_stats");
	struct datum all = { .is_map = true };
	const struct model_port *last = NULL;
	union atom *keys = xcalloc(bindings->n, sizeof *keys);
	union atom *values = xcalloc(bindings->n, sizeof *values);
	uint32_t n = 0;

	for (uint32_t i = 0; i < bindings->n; i++) {
		int64_t vid = datum_key(bindings, i)->integer;
		const union atom *known = trunk_get(stats, vid);
		const struct model_port *one = status_vlan_port(port, vid,
								last);

		last = one ? one : last;
		if (known)
			values[n].uuid = known->uuid;
		else if (!make_one(teller, one, &values[n].uuid))
			continue;
		keys[n++].integer = vid;
	}
	if (n) {
		datum_take(&all, &column->type, keys, values, n);
	} else {
		free(keys);
		free(values);
	}
	if (n || !bindings->n)
		teller_set(teller, row, "vlan_stats", &all);
}

/* 'port' NULL: there is none.  False: there is nothing to refer to. */
static bool
make_one(struct teller *teller, const struct model_port *port,
	 struct uuid *ret_uuid)
{
	struct table *table = database_table(teller->database,
					     "Logical_Binding_Stats");
	struct ovsdb_error *error;
	struct row *new;

	if (!port || !port->port || !port->subnet)
		return false;
	error = transaction_insert(teller_transaction(teller), table, NULL,
				   &new);
	if (error) {
		ovsdb_error_free(error);
		return false;
	}
	tell_binding(teller, NULL, new, port);
	*ret_uuid = *row_uuid(new);
	return true;
}

/* Into the row that is there, or the new one. */
static void
tell_binding(struct teller *teller, const struct row *row, struct row *new,
	     const struct model_port *port)
{
	struct vsw_port_counters c = { .size = sizeof c };

	vsw_port_get_counters(port->port, &c);

	const struct {
		const char *name;
		uint64_t value;
	} columns[] = {
		{ "packets_from_local", c.packets_received },
		{ "bytes_from_local", c.bytes_received },
		{ "packets_to_local", c.packets_sent },
		{ "bytes_to_local", c.bytes_sent }
	};

	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		struct datum value;

		datum_set_integer(&value, (int64_t) columns[i].value);
		if (row)
			teller_set(teller, row, columns[i].name, &value);
		else
			teller_put(new, columns[i].name, &value);
	}
}
