/* SPDX-License-Identifier: Apache-2.0 */

/* The way back: what became of the rows. */

#include "agent/status/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/policy/bridge.h"
#include "agent/status/write.h"

static void forget_told(struct model *);
static void write_host(struct model_state *, struct teller *);
static void add_row_faults(const struct model_state *, struct datum *);
static void write_switch(const struct model *, struct teller *,
			 const struct table *switches,
			 const struct model_switch *);
static void add_tunnel_ip(void *status, const struct model_tunnel_ip *);
static void add_take_over(struct datum *, const struct model_take_over *);
static void write_pa(struct teller *, const struct table *addresses,
		     const struct model_pa *);
static void write_port(struct model_state *, struct teller *,
		       const struct table *ports, struct model_port *);
static void add_number(struct datum *, const char *key, size_t n);
static void add_time(struct datum *, const char *key, int64_t time_s);
static void start_map(struct datum *);

void
status_write(struct model *model, bool is_thorough)
{
	struct model_state *state = model->state;
	struct teller teller = { state->followers[DB_HNV].database, NULL };
	const struct table *ports = state_table(state, DB_HNV, "Port");
	const struct table *switches = state_table(state, DB_HNV, "Switch");
	const struct table *addresses =
		state_table(state, DB_HNV, "Provider_Address");
	struct list *s, *link;

	/* What the engine refused is tried again at a human's pace. */
	if (is_thorough && !state->is_in_force)
		state->is_dirty = true;
	for (s = model->switches.next; s != &model->switches; s = s->next) {
		struct model_switch *sw =
			LIST_ENTRY(s, struct model_switch, link);

		write_switch(model, &teller, switches, sw);
		for (link = sw->provider_addresses.next;
		     link != &sw->provider_addresses; link = link->next)
			write_pa(&teller, addresses,
				 LIST_ENTRY(link, struct model_pa, link));
		if (!model->must_look && !is_thorough)
			continue;
		for (link = sw->ports.next; link != &sw->ports;
		     link = link->next)
			write_port(state, &teller, ports,
				   LIST_ENTRY(link, struct model_port, link));
	}
	write_host(state, &teller);
	if (!teller_done(&teller))
		forget_told(model);
	else if (!is_thorough)
		model->must_look = false;
	status_vtep_write(state, DB_MS_VTEP);
	status_vtep_write(state, DB_HARDWARE_VTEP);
	status_vtep_write(state, DB_MS_FIREWALL);
	request_write(model);
	status_paths_write(state);
	state->must_tell = false;
}

struct transaction *
teller_transaction(struct teller *teller)
{
	if (!teller->transaction)
		teller->transaction = transaction_begin(teller->database);
	return teller->transaction;
}

void
teller_set(struct teller *teller, const struct row *row, const char *name,
	   struct datum *value)
{
	const struct column *column =
		table_schema_column(table_schema(row_table(row)), name);
	struct datum room;

	if (!column)
		abort();
	if (datum_equal(row_datum(row, column, &room), value, &column->type)) {
		datum_done(value, &column->type);
		return;
	}
	row_set(transaction_modify(teller_transaction(teller), row), column,
		value);
}

void
teller_put(struct row *row, const char *name, struct datum *value)
{
	const struct column *column =
		table_schema_column(table_schema(row_table(row)), name);

	if (!column)
		abort();
	row_set(row, column, value);
}

bool
teller_done(struct teller *teller)
{
	static struct log_limit limit;
	struct ovsdb_error *error;

	if (!teller->transaction)
		return true;
	error = transaction_commit(teller->transaction, false);
	teller->transaction = NULL;
	if (!error)
		return true;
	log_limited(&limit, LOG_LEVEL_ERROR, database_name(teller->database),
		    "status not written: %s: %s", error->name,
		    error->details ? error->details : "");
	ovsdb_error_free(error);
	return false;
}

const char *
status_of_port(const struct model_port *port,
	       const struct model_fault **ret_fault)
{
	static const struct model_fault no_device = { MODEL_NO_DEVICE, NULL };
	static const struct model_fault refused = { MODEL_ENGINE, NULL };
	static char many[] = "as many MACs as a port may have were heard: "
			     "others are not learned";
	static const struct model_fault full = { MODEL_LIMIT, many };

	*ret_fault = &port->fault;
	if (port->device_fault.reason) {
		*ret_fault = &port->device_fault;
		return "error";
	}
	if (!port->port) {
		*ret_fault = &no_device;
		return "error";
	}
	if (port->fault.reason == MODEL_ENGINE)
		return "error";
	if (!port->subnet && (port->bridged
			      || port->vlan_fault.reason == MODEL_BAD_OPTION))
		*ret_fault = &port->vlan_fault;
	if (port->bridged && port->bridged->program)
		return port->is_blocked ? "blocked" : "bridged";
	if (!port->subnet && !port->fault.reason && model_is_trunk(port))
		return "bound";
	if (!port->subnet)
		return "unbound";
	if (port->program && !port->fault.reason
	    && port->learned.n == MACS_OF_PORT)
		*ret_fault = &full;
	if (port->program)
		return port->is_blocked ? "blocked" : "bound";
	*ret_fault = &refused;
	return "error";
}

void
status_add_fault(struct datum *status, const struct model_fault *fault)
{
	if (!fault->reason)
		return;
	datum_add_string(status, "reason", model_reason_name(fault->reason));
	datum_add_string(status, "detail",
			 fault->detail ? fault->detail
				       : model_reason_text(fault->reason));
}

void
policy_set_time(struct model *model, int64_t time_s)
{
	model->state->policy_time = time_s;
}

int64_t
policy_get_time(const struct model *model)
{
	struct model_state *state = model->state;
	int64_t moved;

	if (!state->policy_clock_s)
		return state->policy_time;
	moved = time(NULL) - (state_clock_s() - state->policy_clock_s)
		- state->policy_time;
	/* Two clocks, each rounded, differ by a second now and then. */
	if (moved < -2 || moved > 2)
		state->policy_time += moved;
	return state->policy_time;
}

/* Nothing of what there was to say has been said. */
static void
forget_told(struct model *model)
{
	struct model_port *port = NULL;

	while ((port = model_next_port(model, port)))
		port->told = 0;
}

static void
write_host(struct model_state *state, struct teller *teller)
{
	const struct table *table = state_table(state, DB_HNV, "Host");
	const struct row *row = table ? table_first(table) : NULL;
	const struct model_fault *fault;
	struct datum status, cfg;

	if (!row)
		return;
	start_map(&status);
	fault = state->engine_fault.reason ? &state->engine_fault
		: state->store_fault.reason ? &state->store_fault
		: &state->model->settings.fault;
	datum_add_string(&status, "state", fault->reason ? "error" : "up");
	status_add_fault(&status, fault);
	add_row_faults(state, &status);
	add_time(&status, "policy_since", policy_get_time(state->model));
	if (state->audit_found) {
		add_number(&status, "audit_differences", state->audit_found);
		add_number(&status, "audit_repaired", state->audit_repaired);
		datum_add_string(&status, "audit_last", state->audit_last);
	}
	teller_set(teller, row, "status", &status);
	if (!state->is_in_force || state->is_dirty)
		return;
	datum_set_integer(&cfg, row_integer(row, "next_cfg", 0));
	teller_set(teller, row, "cur_cfg", &cfg);
}

/* Rows whose own tables have no place for it: how many, and one of each. */
static void
add_row_faults(const struct model_state *state, struct datum *status)
{
	size_t n = 0;

	for (int reason = 0; reason < MODEL_N_REASONS; reason++) {
		const struct row_fault *first;
		char row[UUID_TEXT_SIZE];
		char *key, *text;

		if (!state->n_faults[reason])
			continue;
		first = LIST_ENTRY(state->faults[reason].next,
				   const struct row_fault, link);
		uuid_to_text(&first->row, row);
		key = xasprintf("fault_%s", model_reason_name(reason));
		text = xasprintf("%zu, as %s %s: %s", state->n_faults[reason],
				 first->table, row, first->detail);
		datum_add_string(status, key, text);
		free(key);
		free(text);
		n += state->n_faults[reason];
	}
	if (n) {
		char *text = xasprintf("%zu", n);

		datum_add_string(status, "faults", text);
		free(text);
	}
	if (state->n_cut) {
		char *text = xasprintf("%zu addresses with more places than "
				       "%d", state->n_cut, 1024);

		datum_add_string(status, "fault_limit", text);
		free(text);
	}
}

static void
write_switch(const struct model *model, struct teller *teller,
	     const struct table *switches, const struct model_switch *sw)
{
	const struct row *row = table_find(switches, &sw->row);
	const struct model_fault *fault = sw->fault.reason
					  ? &sw->fault : &sw->settings.fault;
	struct datum status;

	if (!row || sw->is_removed)
		return;
	start_map(&status);
	datum_add_string(&status, "state",
			 sw->vsw && !fault->reason ? "up" : "error");
	status_add_fault(&status, fault);
	model_each_tunnel_ip(model, sw, add_tunnel_ip, &status);
	add_take_over(&status, &sw->take_over);
	teller_set(teller, row, "status", &status);
}

/* "up", or "no_address: no interface has the address". */
static void
add_tunnel_ip(void *status, const struct model_tunnel_ip *tunnel_ip)
{
	const struct model_fault *fault = tunnel_ip->fault;
	char *key = xasprintf("tunnel_ip_%s", tunnel_ip->ip);
	char *text = fault->reason
		     ? xasprintf("%s: %s", model_reason_name(fault->reason),
				 fault->detail
				 ? fault->detail
				 : model_reason_text(fault->reason))
		     : xstrdup("up");

	datum_add_string(status, key, text);
	free(key);
	free(text);
}

static void
add_take_over(struct datum *status, const struct model_take_over *take_over)
{
	const struct model_fault *fault = &take_over->fault;

	if (!take_over->state)
		return;
	datum_add_string(status, "take_over", take_over->state);
	datum_add_string(status, "take_over_interface", take_over->interface);
	if (*take_over->id)
		datum_add_string(status, "take_over_id", take_over->id);
	add_time(status, "take_over_until", take_over->until_s);
	if (!fault->reason)
		return;
	datum_add_string(status, "take_over_reason",
			 model_reason_name(fault->reason));
	datum_add_string(status, "take_over_detail",
			 fault->detail ? fault->detail
				       : model_reason_text(fault->reason));
}

static void
write_pa(struct teller *teller, const struct table *addresses,
	 const struct model_pa *pa)
{
	const struct row *row = table_find(addresses, &pa->row);
	struct datum status;

	if (!row || pa->is_removed)
		return;
	start_map(&status);
	datum_add_string(&status, "state", pa->fault.reason ? "error" : "up");
	status_add_fault(&status, &pa->fault);
	if (pa->n_remotes) {
		add_number(&status, "remotes", pa->n_remotes);
		add_number(&status, "unreachable", pa->n_unknown);
	}
	teller_set(teller, row, "status", &status);
}

/* By a hash of what there is to say, so that a thousand ports cost little when
 * nothing has happened. */
static void
write_port(struct model_state *state, struct teller *teller,
	   const struct table *ports, struct model_port *port)
{
	const struct row *row;
	struct datum status;
	uint64_t told;

	if (port->is_removed || port->trunk)
		return;
	told = status_hash_port(port, state->seed);
	if (told == port->told)
		return;
	row = table_find(ports, &port->row);
	if (!row)
		return;
	port->told = told;
	state->must_tell = true;
	start_map(&status);
	status_add_port(&status, port);
	if (port->subnet) {
		char vni[16];

		snprintf(vni, sizeof vni, "%u", port->subnet->vni);
		datum_add_string(&status, "vsid", vni);
	}
	teller_set(teller, row, "status", &status);
}

static void
add_number(struct datum *status, const char *key, size_t n)
{
	char *text = xasprintf("%zu", n);

	datum_add_string(status, key, text);
	free(text);
}

static void
add_time(struct datum *status, const char *key, int64_t time_s)
{
	time_t seconds = (time_t) time_s;
	char text[32];
	struct tm tm;

	if (!time_s)
		return;
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	datum_add_string(status, key, text);
}

static void
start_map(struct datum *datum)
{
	memset(datum, 0, sizeof *datum);
	datum->is_map = true;
}
