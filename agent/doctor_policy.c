/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/doctor_policy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/base/memory.h"
#include "agent/model/state.h"
#include "agent/net/listener.h"
#include "agent/status/status.h"
#include "agent/status/write.h"

enum { CLOCKS_DIFFER_S = 2 };

static void look_at_managers(struct findings *, const struct table *);
static char *age_text(int64_t seconds);
static void look_at_loss(const struct model_state *, struct findings *);
static void look_at_listeners(const struct remotes *, struct findings *);

void
doctor_look_at_policy(const struct doctor *doctor, struct findings *findings)
{
	const struct model *model = doctor->model;
	int64_t since = policy_get_time(model);
	char *age = age_text(time(NULL) - since);

	for (int db = DB_MS_VTEP; db <= DB_HARDWARE_VTEP; db++)
		look_at_managers(findings, state_table(model->state, db,
						       "Manager"));
	/* Given before this run, or it would have moved with the clock. */
	if (since > time(NULL) + CLOCKS_DIFFER_S)
		findings_tell(findings, LOOK, "policy", "is of a time to "
			      "come: the clock has been set back since");
	else if (since)
		findings_tell(findings, WELL, "policy", "is %s old", age);
	else
		findings_tell(findings, LOOK, "policy", "no controller has "
			      "ever given any");
	free(age);
	look_at_loss(model->state, findings);
	look_at_listeners(doctor->remotes, findings);
}

/* Until half of it is back. */
static void
look_at_loss(const struct model_state *state, struct findings *findings)
{
	size_t n = state->loss.n;
	char *age;

	if (!state->loss.table || table_n_rows(state->loss.table) * 2 >= n)
		return;
	age = age_text(state_clock_s() - state->loss.clock_s);
	findings_tell(findings, LOOK, "policy", "%zu rows of %s were deleted "
		      "at once, %s ago; it has %zu now", n,
		      table_schema(state->loss.table)->name, age,
		      table_n_rows(state->loss.table));
	free(age);
}

/* Where controllers connect to, those of rows apart. */
static void
look_at_listeners(const struct remotes *remotes, struct findings *findings)
{
	for (size_t i = 0; i < remotes_n(remotes); i++) {
		const struct listener *listener = remotes_listener(remotes, i);
		const char *name = remotes_name(remotes, i);
		struct listener_counters c;
		struct listener_status status;
		uint64_t n_refused = 0;

		if (!listener || !strncmp(name, "punix:", 6))
			continue;
		listener_counters(listener, &c);
		listener_status(listener, &status);
		for (size_t k = 0; k < N_TLS_REFUSALS; k++)
			n_refused += c.n_tls_refusals[k];
		if (n_refused)
			findings_tell(findings, LOOK, "controller", "%s has %u "
				      "clients, and TLS has refused %" PRIu64
				      "; last error: %s", name,
				      status.n_connections, n_refused,
				      status.last_error ? status.last_error
							: "-");
		else if (*name != 'p' && !status.n_connections)
			findings_tell(findings, LOOK, "controller", "%s is "
				      "not connected%s%s; the last policy "
				      "stays in force", name,
				      status.last_error ? ": " : "",
				      status.last_error ? status.last_error
							: "");
		else
			findings_tell(findings, WELL, "controller", "%s has "
				      "%u clients", name,
				      status.n_connections);
	}
}

static void
look_at_managers(struct findings *findings, const struct table *table)
{
	const struct row *row = table ? table_first(table) : NULL;

	for (; row; row = table_next(table, row)) {
		const char *target = row_string(row, "target", "");
		struct datum room;
		const struct datum *status = row_get(row, "status", &room);
		const char *why = datum_map_string(status, "last_error", "");
		const char *age = datum_map_string(
			status, "sec_since_disconnect", "");

		if (datum_boolean(row_get(row, "is_connected", &room), false))
			findings_tell(findings, WELL, "controller", "%s is "
				      "connected", target);
		else
			findings_tell(findings, LOOK, "controller", "%s is "
				      "not connected%s%s%s%s%s; the last "
				      "policy stays in force", target,
				      *age ? ", for " : "", age,
				      *age ? " s" : "", *why ? ": " : "", why);
	}
}

/* To be freed. */
static char *
age_text(int64_t s)
{
	if (s < 120)
		return xasprintf("%" PRId64 " s", s < 0 ? 0 : s);
	if (s < 7200)
		return xasprintf("%" PRId64 " min", s / 60);
	if (s < 172800)
		return xasprintf("%" PRId64 " h", s / 3600);
	return xasprintf("%" PRId64 " days", s / 86400);
}
