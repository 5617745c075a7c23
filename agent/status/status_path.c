/* SPDX-License-Identifier: Apache-2.0 */

/* What BFD finds, in bfd_status: vtep(5). */

#include "agent/status/status.h"

static void write_row(struct model_state *, struct teller *,
		      const struct row *);
static const struct model_path *find_path(const struct model *,
					  const struct uuid *);
static void fill_in(const struct model_path *, struct datum *);

void
status_paths_write(struct model_state *state)
{
	static const struct {
		enum model_database db;
		const char *table;
	} tables[] = {
		{ DB_MS_VTEP, "Physical_Locator" },
		{ DB_HARDWARE_VTEP, "Tunnel" }
	};
	bool is_told = true;

	if (!state->must_tell_paths)
		return;
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		const struct table *table =
			state_table(state, tables[i].db, tables[i].table);
		struct teller teller = {
			state->followers[tables[i].db].database, NULL
		};
		const struct row *row;

		if (!table)
			continue;
		for (row = table_first(table); row;
		     row = table_next(table, row))
			write_row(state, &teller, row);
		is_told &= teller_done(&teller);
	}
	state->must_tell_paths = !is_told;
}

/* A path that is not watched has no status. */
static void
write_row(struct model_state *state, struct teller *teller,
	  const struct row *row)
{
	const struct model_path *path = find_path(state->model, row_uuid(row));
	struct datum status;

	datum_init_empty(&status, &table_schema_column(
				 table_schema(row_table(row)),
				 "bfd_status")->type);
	if (path && !path->is_removed)
		fill_in(path, &status);
	teller_set(teller, row, "bfd_status", &status);
}

static const struct model_path *
find_path(const struct model *model, const struct uuid *row)
{
	for (const struct list *link = model->paths.next;
	     link != &model->paths; link = link->next) {
		const struct model_path *path =
			LIST_ENTRY(link, const struct model_path, link);

		if (uuid_equal(&path->row, row))
			return path;
	}
	return NULL;
}

static void
fill_in(const struct model_path *path, struct datum *status)
{
	const struct model_path_state *now = &path->now;

	datum_add_string(status, "enabled", path->problem ? "false" : "true");
	if (path->problem || now->problem)
		datum_add_string(status, "info", path->problem
				 ? path->problem : now->problem);
	if (path->problem || !now->state)
		return;
	datum_add_string(status, "state", now->state);
	datum_add_string(status, "forwarding",
			 now->is_forwarding ? "true" : "false");
	datum_add_string(status, "diagnostic", now->diagnostic);
	datum_add_string(status, "remote_state", now->remote_state);
	datum_add_string(status, "remote_diagnostic", now->remote_diagnostic);
}
