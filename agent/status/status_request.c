/* SPDX-License-Identifier: Apache-2.0 */

/* hnv.Mapping_Request and the status of Routing_Domain.  A controller that
 * monitors the former sees a row for each address that somebody sends to and
 * nobody knows, and answers by writing the mapping, as any other.  The rows
 * are the agent's: whatever else stands there is taken away. */

#include "agent/status/status.h"

#include <stdlib.h>
#include "agent/base/memory.h"
#include "agent/status/write.h"

static bool is_ours(const struct model_state *, const struct uuid *);
static void add_row(struct model_state *, struct teller *, struct table *,
		    struct model_request *);
static void set(struct row *, const char *name, struct datum *value);
static void write_domain(struct model_state *, struct teller *,
			 const struct model_domain *);
static void add_count(struct datum *, const char *key, uint64_t n);

void
request_write(struct model *model)
{
	struct model_state *state = model->state;
	struct teller teller = { state->followers[DB_HNV].database, NULL };
	struct table *table = database_table(teller.database,
					     "Mapping_Request");
	const struct row *row;

	if (!state->requests_changed || !table)
		return;
	state->requests_changed = false;
	for (row = table_first(table); row; row = table_next(table, row))
		if (!is_ours(state, row_uuid(row)))
			transaction_delete(teller_transaction(&teller), row);
	for (struct list *link = state->requests.next;
	     link != &state->requests; link = link->next) {
		struct model_request *request =
			LIST_ENTRY(link, struct model_request, link);

		if (!request->is_told)
			add_row(state, &teller, table, request);
	}
	for (size_t i = 0; i < state->n_domains; i++)
		write_domain(state, &teller, state->domains[i]);
	teller_done(&teller);
}

static bool
is_ours(const struct model_state *state, const struct uuid *row)
{
	for (struct list *link = state->requests.next;
	     link != &state->requests; link = link->next) {
		struct model_request *request =
			LIST_ENTRY(link, struct model_request, link);

		if (request->is_told && uuid_equal(&request->row, row))
			return true;
	}
	return false;
}

static void
add_row(struct model_state *state, struct teller *teller, struct table *table,
	struct model_request *request)
{
	const struct model_subnet *subnet =
		model_find_subnet(state->model, request->vni, NULL);
	char text[MODEL_ADDR_TEXT_SIZE];
	struct ovsdb_error *error;
	struct datum value;
	struct row *row;

	if (!subnet)
		return;
	error = transaction_insert(teller_transaction(teller), table, NULL,
				   &row);
	if (error) {
		ovsdb_error_free(error);
		return;
	}
	request->row = *row_uuid(row);
	request->is_told = true;
	if (request->addr.n)
		model_addr_to_text(&request->addr, text);
	else
		model_mac_to_text(request->mac, text);
	datum_set_string(&value, text);
	set(row, "address", &value);
	datum_set_string(&value, subnet->name);
	set(row, "logical_switch", &value);
	datum_set_integer(&value, request->vni);
	set(row, "vsid", &value);
	datum_set_string(&value, subnet->router ? subnet->router->name : "");
	set(row, "logical_router", &value);
	datum_set_string(&value, request->port_name);
	set(row, "port", &value);
	datum_set_integer(&value, request->since_ms);
	set(row, "since", &value);
}

static void
set(struct row *row, const char *name, struct datum *value)
{
	const struct column *column =
		table_schema_column(table_schema(row_table(row)), name);

	if (!column)
		abort();
	row_set(row, column, value);
}

static void
write_domain(struct model_state *state, struct teller *teller,
	     const struct model_domain *domain)
{
	const struct table *table =
		state_table(state, DB_HNV, "Routing_Domain");
	const struct row *row = table_find(table, &domain->row);
	struct datum status;

	if (!row)
		return;
	memset(&status, 0, sizeof status);
	status.is_map = true;
	datum_add_string(&status, "state",
			 domain->fault.reason ? "error" : "up");
	status_add_fault(&status, &domain->fault);
	add_count(&status, "requests", domain->n_asked);
	add_count(&status, "requests_answered", domain->n_answered);
	add_count(&status, "requests_timed_out", domain->n_timed_out);
	add_count(&status, "requests_refused", domain->n_refused);
	teller_set(teller, row, "status", &status);
}

static void
add_count(struct datum *status, const char *key, uint64_t n)
{
	char *text = xasprintf("%llu", (unsigned long long) n);

	datum_add_string(status, key, text);
	free(text);
}
