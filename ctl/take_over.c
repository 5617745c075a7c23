/* SPDX-License-Identifier: Apache-2.0 */

#include "ctl/take_over.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <db-ctl-base.h>
#include <ovsdb-idl.h>
#include <smap.h>
#include <timeval.h>
#include <util.h>

#include "ctl/database.h"
#include "ctl/find.h"
#include "ctl/hnv-idl.h"
#include "ctl/settings.h"
#include "ctl/verbs.h"

static void subscribe(struct ctl_context *);
static void take_over(struct ctl_context *);
static bool make_uplink(struct ctl_context *, const struct hnvrec_switch *,
			const char *interface);
static bool make_host_port(struct ctl_context *, const struct hnvrec_switch *,
			   const char *name);
static bool make_port(struct ctl_context *, const struct hnvrec_switch *,
		      const char *name, const char *type, const char *role,
		      const char *interface);
static bool has_role(const struct hnvrec_port *, const char *role);
static void ask(const struct hnvrec_switch *, const char *interface,
		const char *confirm_within);
static void confirm(struct ctl_context *);
static void give_back(struct ctl_context *);
static void remove_ports(const struct hnvrec_switch *);

/* Whoever made a port takes it away. */
static const char mark[] = "made_by", marked[] = "take-over";

static const struct ctl_command_syntax verbs[] = {
	{ "take-over", 2, INT_MAX, "SWITCH INTERFACE [KEY=VALUE]...",
	  subscribe, take_over, NULL, "", RW },
	{ "confirm", 1, 1, "SWITCH", subscribe, confirm, NULL, "", RW },
	{ "give-back", 1, 1, "SWITCH", subscribe, give_back, NULL,
	  "--if-exists", RW },
	{ NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO },
};

void
take_over_register(void)
{
	verbs_add(verbs);
}

int
take_over_report(const struct hnvrec_switch *sw, int failure)
{
	const struct smap *status = &sw->status;
	const char *state = smap_get(status, "take_over");
	const char *interface = smap_get_def(status, "take_over_interface",
					     "");

	if (!state || !strcmp(state, "confirmed"))
		return EXIT_SUCCESS;
	if (!strcmp(state, "pending")) {
		printf("%s has taken over %s until %s, unless confirmed: "
		       "hnv-ctl confirm %s\n", sw->name, interface,
		       smap_get_def(status, "take_over_until", "?"), sw->name);
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "hnv-ctl: %s has not taken over %s (%s): %s: %s\n",
		sw->name, interface, state,
		smap_get_def(status, "take_over_reason", "?"),
		smap_get_def(status, "take_over_detail", ""));
	return failure;
}

static void
subscribe(struct ctl_context *context)
{
	find_subscribe(context);
	ovsdb_idl_add_column(context->idl, &hnvrec_port_col_role);
}

static void
take_over(struct ctl_context *context)
{
	const char *interface = context->argv[2];
	const struct hnvrec_switch *sw = verbs_need_switch(context,
							   context->argv[1]);
	struct smap settings = SMAP_INITIALIZER(&settings);
	char *port = NULL, *within = NULL;

	if (!sw || !settings_parse(context, 3, &settings))
		goto out;
	port = settings_take(&settings, "port");
	within = settings_take(&settings, "confirm_within");
	if (!smap_is_empty(&settings)) {
		ctl_error(context, "what can be set is confirm_within and "
			  "port");
		goto out;
	}
	if (!make_uplink(context, sw, interface)
	    || !make_host_port(context, sw, port ? port : sw->name))
		goto out;
	ask(sw, interface, within);
	database_watch(&sw->header_);
out:
	smap_destroy(&settings);
	free(port);
	free(within);
}

static bool
make_uplink(struct ctl_context *context, const struct hnvrec_switch *sw,
	    const char *interface)
{
	for (size_t i = 0; i < sw->n_ports; i++) {
		const struct hnvrec_port *port = sw->ports[i];

		if (has_role(port, "uplink")
		    && !strcmp(smap_get_def(&port->options, "interface",
					    port->name), interface))
			return true;
	}
	return make_port(context, sw, interface, "packet", "uplink",
			 interface);
}

static bool
make_host_port(struct ctl_context *context, const struct hnvrec_switch *sw,
	       const char *name)
{
	for (size_t i = 0; i < sw->n_ports; i++)
		if (has_role(sw->ports[i], "host"))
			return true;
	return make_port(context, sw, name, "tap", "host", NULL);
}

static bool
make_port(struct ctl_context *context, const struct hnvrec_switch *sw,
	  const char *name, const char *type, const char *role,
	  const char *interface)
{
	const struct hnvrec_switch *on = NULL;
	struct smap options = SMAP_INITIALIZER(&options);
	const struct hnvrec_port *port = find_port(context, name, &on);

	if (port) {
		ctl_error(context, "there is a port %s on switch %s already, "
			  "and it is none of role %s", name, on->name, role);
		return false;
	}
	port = verbs_new_port(context, sw, name);
	hnvrec_port_set_type(port, type);
	hnvrec_port_set_role(port, role);
	smap_add(&options, mark, marked);
	if (interface)
		smap_add(&options, "interface", interface);
	hnvrec_port_set_options(port, &options);
	smap_destroy(&options);
	return verbs_check_tap_name(context, port);
}

static bool
has_role(const struct hnvrec_port *port, const char *role)
{
	return port->role && !strcmp(port->role, role);
}

/* One that differs from the last one is tried, whatever became of that. */
static void
ask(const struct hnvrec_switch *sw, const char *interface,
    const char *confirm_within)
{
	struct smap options;

	smap_clone(&options, &sw->options);
	smap_replace(&options, "take_over", interface);
	smap_remove(&options, "take_over_confirmed");
	smap_remove(&options, "take_over_request");
	smap_add_format(&options, "take_over_request", "%llx",
			time_wall_usec());
	smap_replace(&options, "learning", "true");
	if (confirm_within)
		smap_replace(&options, "confirm_within", confirm_within);
	hnvrec_switch_verify_options(sw);
	hnvrec_switch_set_options(sw, &options);
	smap_destroy(&options);
}

static void
confirm(struct ctl_context *context)
{
	const struct hnvrec_switch *sw = verbs_need_switch(context,
							   context->argv[1]);
	const char *state = sw ? smap_get_def(&sw->status, "take_over", "none")
			       : "none";
	const char *id = sw ? smap_get(&sw->status, "take_over_id") : NULL;
	struct smap options;

	if (!sw || !strcmp(state, "confirmed"))
		return;
	if (strcmp(state, "pending") || !id) {
		ctl_error(context, "%s has taken over nothing that could be "
			  "confirmed: %s: %s", sw->name, state,
			  smap_get_def(&sw->status, "take_over_detail", ""));
		return;
	}
	smap_clone(&options, &sw->options);
	smap_replace(&options, "take_over_confirmed", id);
	hnvrec_switch_verify_options(sw);
	hnvrec_switch_set_options(sw, &options);
	smap_destroy(&options);
	database_watch(&sw->header_);
}

static void
give_back(struct ctl_context *context)
{
	const struct hnvrec_switch *sw = find_switch(context,
						     context->argv[1]);
	bool must = !shash_find(&context->options, "--if-exists");
	struct smap options;

	if (!sw || !smap_get(&sw->options, "take_over")) {
		if (must && !sw)
			ctl_error(context, "there is no switch %s",
				  context->argv[1]);
		else if (must)
			ctl_error(context, "switch %s takes over nothing",
				  sw->name);
		return;
	}
	smap_clone(&options, &sw->options);
	smap_remove(&options, "take_over");
	smap_remove(&options, "take_over_request");
	smap_remove(&options, "take_over_confirmed");
	smap_remove(&options, "confirm_within");
	hnvrec_switch_verify_options(sw);
	hnvrec_switch_set_options(sw, &options);
	smap_destroy(&options);
	remove_ports(sw);
	database_watch(&sw->header_);
}

static void
remove_ports(const struct hnvrec_switch *sw)
{
	struct hnvrec_port **rest = xmalloc((sw->n_ports + 1) * sizeof *rest);
	size_t n = 0;

	for (size_t i = 0; i < sw->n_ports; i++)
		if (strcmp(smap_get_def(&sw->ports[i]->options, mark, ""),
			   marked))
			rest[n++] = sw->ports[i];
	hnvrec_switch_verify_ports(sw);
	hnvrec_switch_set_ports(sw, rest, n);
	free(rest);
}
