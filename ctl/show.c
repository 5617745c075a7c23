/* SPDX-License-Identifier: Apache-2.0 */

#include "ctl/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <db-ctl-base.h>
#include <openvswitch/json.h>
#include <ovsdb-idl.h>
#include <smap.h>
#include <util.h>

#include "ctl/find.h"
#include "ctl/hnv-idl.h"
#include "ctl/verbs.h"

enum { INDENT = 4, CLOCKS_DIFFER_S = 2 };

static void subscribe(struct ctl_context *);
static void show(struct ctl_context *);
static struct json *host_to_json(const struct hnvrec_host *);
static struct json *switch_to_json(const struct hnvrec_switch *);
static void show_host(struct ds *, const struct hnvrec_host *);
static void show_age(struct ds *, const char *since);
static void show_each(struct ds *, int level, const struct smap *status,
		      const char *prefix);
static void show_switch(struct ds *, const struct hnvrec_switch *);
static void show_take_over(struct ds *, const struct smap *status);
static void show_pa(struct ds *, const struct hnvrec_provider_address *);
static void show_port(struct ds *, const struct hnvrec_port *);
static void show_class(struct ds *, const struct hnvrec_port *,
		       const char *class);
static void show_family(struct ds *, const struct hnvrec_port *,
			const char *name, const char *prefix);
static int64_t statistic(const struct hnvrec_port *, const char *name,
			 const char *suffix);
static struct json *statistics_to_json(const struct hnvrec_port *);
static void show_line(struct ds *, int level, const char *what,
		      const char *name, const char *kind,
		      const struct smap *status);
static void show_detail(struct ds *, int level, const struct smap *status);
static void show_field(struct ds *, int level, const char *name,
		       const char *value);
static void *sorted(const void *rows, size_t n,
		    int (*compare)(const void *, const void *));
static int compare_switches(const void *, const void *);
static int compare_pas(const void *, const void *);
static int compare_ports(const void *, const void *);

static const struct ctl_command_syntax verbs[] = {
	{ "show", 0, 0, "", subscribe, show, NULL, "", RO },
	{ NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO },
};

/* Verbs are not told the command line's options. */
static bool is_json;
static int flags;

void
show_set_json(bool json, int json_flags)
{
	is_json = json;
	flags = json_flags;
}

bool
show_is_json(void)
{
	return is_json;
}

void
show_register(void)
{
	verbs_add(verbs);
}

static void
subscribe(struct ctl_context *context)
{
	find_subscribe(context);
	ovsdb_idl_add_column(context->idl, &hnvrec_host_col_host_id);
	ovsdb_idl_add_column(context->idl, &hnvrec_host_col_cur_cfg);
	ovsdb_idl_add_column(context->idl, &hnvrec_host_col_next_cfg);
	ovsdb_idl_add_column(context->idl, &hnvrec_host_col_status);
	ovsdb_idl_add_column(context->idl, &hnvrec_port_col_statistics);
}

static void
show(struct ctl_context *context)
{
	const struct hnvrec_host *host = find_host(context);
	struct json *json;

	if (!host)
		return;
	if (!is_json) {
		show_host(&context->output, host);
		return;
	}
	json = host_to_json(host);
	json_to_ds(json, JSSF_SORT | flags, &context->output);
	ds_put_char(&context->output, '\n');
	json_destroy(json);
}

static struct json *
host_to_json(const struct hnvrec_host *host)
{
	struct hnvrec_switch **switches =
		sorted(host->switches, host->n_switches, compare_switches);
	struct json *json = json_object_create();
	struct json *list = json_array_create_empty();

	json_object_put_string(json, "host_id", host->host_id);
	json_object_put(json, "next_cfg", json_integer_create(host->next_cfg));
	json_object_put(json, "cur_cfg", json_integer_create(host->cur_cfg));
	json_object_put(json, "status", smap_to_json(&host->status));
	for (size_t i = 0; i < host->n_switches; i++)
		json_array_add(list, switch_to_json(switches[i]));
	json_object_put(json, "switches", list);
	free(switches);
	return json;
}

static struct json *
switch_to_json(const struct hnvrec_switch *sw)
{
	struct hnvrec_provider_address **pas =
		sorted(sw->provider_addresses, sw->n_provider_addresses,
		       compare_pas);
	struct hnvrec_port **ports = sorted(sw->ports, sw->n_ports,
					    compare_ports);
	struct json *json = json_object_create();
	struct json *list = json_array_create_empty();

	json_object_put_string(json, "name", sw->name);
	json_object_put_string(json, "type", sw->type);
	json_object_put(json, "status", smap_to_json(&sw->status));
	for (size_t i = 0; i < sw->n_provider_addresses; i++) {
		struct json *pa = json_object_create();

		json_object_put_string(pa, "ip", pas[i]->ip);
		json_object_put_string(pa, "device", pas[i]->device);
		json_object_put(pa, "status", smap_to_json(&pas[i]->status));
		json_array_add(list, pa);
	}
	json_object_put(json, "provider_addresses", list);
	list = json_array_create_empty();
	for (size_t i = 0; i < sw->n_ports; i++) {
		struct json *port = json_object_create();

		json_object_put_string(port, "name", ports[i]->name);
		json_object_put_string(port, "type", ports[i]->type);
		json_object_put_string(port, "iface_id", ports[i]->iface_id);
		json_object_put_string(port, "mac", ports[i]->mac);
		json_object_put(port, "status",
				smap_to_json(&ports[i]->status));
		json_object_put(port, "statistics",
				statistics_to_json(ports[i]));
		json_array_add(list, port);
	}
	json_object_put(json, "ports", list);
	free(pas);
	free(ports);
	return json;
}

static void
show_host(struct ds *out, const struct hnvrec_host *host)
{
	struct hnvrec_switch **switches =
		sorted(host->switches, host->n_switches, compare_switches);

	show_line(out, 0, "Host", host->host_id, NULL, &host->status);
	ds_put_format(out, "%*sconfiguration: ", INDENT, "");
	if (host->cur_cfg == host->next_cfg)
		ds_put_format(out, "%"PRId64", in force\n", host->next_cfg);
	else
		ds_put_format(out, "%"PRId64", in force: %"PRId64"\n",
			      host->next_cfg, host->cur_cfg);
	show_age(out, smap_get(&host->status, "policy_since"));
	show_detail(out, 1, &host->status);
	show_each(out, 1, &host->status, "fault_");
	show_each(out, 1, &host->status, "audit_");

	for (size_t i = 0; i < host->n_switches; i++)
		show_switch(out, switches[i]);
	free(switches);
}

/* "policy since: 2026-11-22T12:00:00Z (3 h ago)": its age, whether a controller
 * is there or not. */
static void
show_age(struct ds *out, const char *since)
{
	struct tm tm;
	long long int age;
	const char *unit;

	if (!since)
		return;
	memset(&tm, 0, sizeof tm);
	if (!strptime(since, "%Y-%m-%dT%H:%M:%SZ", &tm)) {
		show_field(out, 1, "policy since", since);
		return;
	}
	age = (long long int) (time(NULL) - timegm(&tm));
	if (age < -CLOCKS_DIFFER_S) {
		show_field(out, 1, "policy since", since);
		return;
	}
	if (age < 0)
		age = 0;
	unit = age < 120 ? "s" : age < 7200 ? "min"
	       : age < 172800 ? "h" : "days";
	age /= age < 120 ? 1 : age < 7200 ? 60 : age < 172800 ? 3600 : 86400;
	ds_put_format(out, "%*spolicy since: %s (%lld %s ago)\n", INDENT, "",
		      since, age, unit);
}

/* What begins so: rows, or addresses, that have no status of their own. */
static void
show_each(struct ds *out, int level, const struct smap *status,
	  const char *prefix)
{
	const struct smap_node **nodes = smap_sort(status);

	for (size_t i = 0; i < smap_count(status); i++)
		if (!strncmp(nodes[i]->key, prefix, strlen(prefix)))
			show_field(out, level, nodes[i]->key,
				   nodes[i]->value);
	free(nodes);
}

static void
show_switch(struct ds *out, const struct hnvrec_switch *sw)
{
	struct hnvrec_provider_address **pas =
		sorted(sw->provider_addresses, sw->n_provider_addresses,
		       compare_pas);
	struct hnvrec_port **ports = sorted(sw->ports, sw->n_ports,
					    compare_ports);

	show_line(out, 1, "Switch", sw->name, sw->type, &sw->status);
	show_detail(out, 2, &sw->status);
	show_each(out, 2, &sw->status, "tunnel_ip_");
	show_take_over(out, &sw->status);
	for (size_t i = 0; i < sw->n_provider_addresses; i++)
		show_pa(out, pas[i]);
	for (size_t i = 0; i < sw->n_ports; i++)
		show_port(out, ports[i]);
	free(pas);
	free(ports);
}

static void
show_take_over(struct ds *out, const struct smap *status)
{
	const char *state = smap_get(status, "take_over");
	const char *until = smap_get(status, "take_over_until");
	const char *reason = smap_get(status, "take_over_reason");

	if (!state)
		return;
	ds_put_format(out, "%*stakes over %s: %s", 2 * INDENT, "",
		      smap_get_def(status, "take_over_interface", ""), state);
	if (until)
		ds_put_format(out, " until %s", until);
	if (reason)
		ds_put_format(out, ", %s (%s)", reason,
			      smap_get_def(status, "take_over_detail", ""));
	ds_put_char(out, '\n');
}

static void
show_pa(struct ds *out, const struct hnvrec_provider_address *pa)
{
	show_line(out, 2, "Provider_Address", pa->ip, pa->device,
		  &pa->status);
	show_detail(out, 3, &pa->status);
}

static void
show_port(struct ds *out, const struct hnvrec_port *port)
{
	show_line(out, 2, "Port", port->name, port->type, &port->status);
	show_field(out, 3, "iface_id", port->iface_id);
	show_field(out, 3, "mac", port->mac);
	show_detail(out, 3, &port->status);
	show_class(out, port, "flows");
	show_class(out, port, "connections");
	show_class(out, port, "half_open");
	show_family(out, port, "drops", "drop_");
	show_family(out, port, "punts", "punts_");
}

/* "flows: 3 of 65536, at most 12, created 40". */
static void
show_class(struct ds *out, const struct hnvrec_port *port, const char *class)
{
	int64_t created = statistic(port, class, "_created");
	int64_t limit = statistic(port, class, "_limit");

	if (!created)
		return;
	ds_put_format(out, "%*s%s: %"PRId64, 3 * INDENT, "", class,
		      statistic(port, class, ""));
	if (limit)
		ds_put_format(out, " of %"PRId64, limit);
	ds_put_format(out, ", at most %"PRId64", created %"PRId64"\n",
		      statistic(port, class, "_max"), created);
}

/* All that begin alike and are there: "drops: no_mapping 3, rule 5". */
static void
show_family(struct ds *out, const struct hnvrec_port *port, const char *name,
	    const char *prefix)
{
	const char *before = "";
	size_t n = strlen(prefix);

	for (size_t i = 0; i < port->n_statistics; i++) {
		if (strncmp(port->key_statistics[i], prefix, n))
			continue;
		if (!*before)
			ds_put_format(out, "%*s%s:", 3 * INDENT, "", name);
		ds_put_format(out, "%s %s %"PRId64, before,
			      port->key_statistics[i] + n,
			      port->value_statistics[i]);
		before = ",";
	}
	if (*before)
		ds_put_char(out, '\n');
}

/* 0: there is none. */
static int64_t
statistic(const struct hnvrec_port *port, const char *name,
	  const char *suffix)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < port->n_statistics; i++)
		if (!strncmp(port->key_statistics[i], name, n)
		    && !strcmp(port->key_statistics[i] + n, suffix))
			return port->value_statistics[i];
	return 0;
}

static struct json *
statistics_to_json(const struct hnvrec_port *port)
{
	struct json *json = json_object_create();

	for (size_t i = 0; i < port->n_statistics; i++)
		json_object_put(json, port->key_statistics[i],
				json_integer_create(
					port->value_statistics[i]));
	return json;
}

/* One object: what it is, its name, its kind in brackets, its state. */
static void
show_line(struct ds *out, int level, const char *what, const char *name,
	  const char *kind, const struct smap *status)
{
	const char *state = smap_get(status, "state");

	ds_put_format(out, "%*s%s", level * INDENT, "", what);
	if (*name)
		ds_put_format(out, " %s", name);
	if (kind)
		ds_put_format(out, " (%s)", kind);
	if (state)
		ds_put_format(out, ": %s", state);
	ds_put_char(out, '\n');
}

static void
show_detail(struct ds *out, int level, const struct smap *status)
{
	const char *reason = smap_get(status, "reason");
	const char *detail = smap_get(status, "detail");

	if (reason && detail && *detail)
		ds_put_format(out, "%*sreason: %s (%s)\n", level * INDENT, "",
			      reason, detail);
	else if (reason)
		show_field(out, level, "reason", reason);
}

static void
show_field(struct ds *out, int level, const char *name, const char *value)
{
	if (*value)
		ds_put_format(out, "%*s%s: %s\n", level * INDENT, "", name,
			      value);
}

/* A sorted copy of the 'n' pointers at 'rows', to be freed; NULL for none. */
static void *
sorted(const void *rows, size_t n,
       int (*compare)(const void *, const void *))
{
	void *copy;

	if (n == 0)
		return NULL;
	copy = xmemdup(rows, n * sizeof(void *));
	qsort(copy, n, sizeof(void *), compare);
	return copy;
}

static int
compare_switches(const void *a, const void *b)
{
	const struct hnvrec_switch *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static int
compare_pas(const void *a, const void *b)
{
	const struct hnvrec_provider_address *const *left = a;
	const struct hnvrec_provider_address *const *right = b;

	return strcmp((*left)->ip, (*right)->ip);
}

static int
compare_ports(const void *a, const void *b)
{
	const struct hnvrec_port *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}
