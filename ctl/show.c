/* SPDX-License-Identifier: Apache-2.0 */

#include "ctl/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <db-ctl-base.h>
#include <ovsdb-idl.h>
#include <smap.h>
#include <util.h>

#include "ctl/find.h"
#include "ctl/hnv-idl.h"

enum { INDENT = 4 };

static void subscribe(struct ctl_context *);
static void show(struct ctl_context *);
static void show_host(struct ds *, const struct hnvrec_host *);
static void show_faults(struct ds *, const struct smap *);
static void show_switch(struct ds *, const struct hnvrec_switch *);
static void show_pa(struct ds *, const struct hnvrec_provider_address *);
static void show_port(struct ds *, const struct hnvrec_port *);
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

void
show_register(void)
{
	ctl_register_commands(verbs);
}

static void
subscribe(struct ctl_context *context)
{
	find_subscribe(context);
	ovsdb_idl_add_column(context->idl, &hnvrec_host_col_host_id);
	ovsdb_idl_add_column(context->idl, &hnvrec_host_col_cur_cfg);
	ovsdb_idl_add_column(context->idl, &hnvrec_host_col_next_cfg);
	ovsdb_idl_add_column(context->idl, &hnvrec_host_col_status);
}

static void
show(struct ctl_context *context)
{
	const struct hnvrec_host *host = find_host(context);

	if (host)
		show_host(&context->output, host);
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
	if (smap_get(&host->status, "policy_since"))
		show_field(out, 1, "policy since",
			   smap_get(&host->status, "policy_since"));
	show_detail(out, 1, &host->status);
	show_faults(out, &host->status);

	for (size_t i = 0; i < host->n_switches; i++)
		show_switch(out, switches[i]);
	free(switches);
}

/* Rows that are not in force and have no status of their own. */
static void
show_faults(struct ds *out, const struct smap *status)
{
	const struct smap_node **nodes = smap_sort(status);

	for (size_t i = 0; i < smap_count(status); i++)
		if (!strncmp(nodes[i]->key, "fault_", 6))
			show_field(out, 1, nodes[i]->key, nodes[i]->value);
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
	for (size_t i = 0; i < sw->n_provider_addresses; i++)
		show_pa(out, pas[i]);
	for (size_t i = 0; i < sw->n_ports; i++)
		show_port(out, ports[i]);
	free(pas);
	free(ports);
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
