/* SPDX-License-Identifier: Apache-2.0 */

#include "ctl/verbs.h"

#include <limits.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <db-ctl-base.h>
#include <openvswitch/json.h>
#include <ovsdb-idl.h>
#include <smap.h>
#include <svec.h>
#include <util.h>

#include "ctl/database.h"
#include "ctl/find.h"
#include "ctl/hnv-idl.h"
#include "ctl/settings.h"
#include "ctl/show.h"

static void add_switch(struct ctl_context *);
static const struct hnvrec_switch *new_switch(struct ctl_context *,
					      const char *name);
static void *with(const void *rows, size_t n, const void *row);
static void set_switch(struct ctl_context *, const struct hnvrec_switch *,
		       struct smap *settings);
static void merge(struct smap *settings, const struct smap *old);
static void del_switch(struct ctl_context *);
static void *without(const void *rows, size_t n, const void *row);
static void list_switches(struct ctl_context *);
static void print_sorted(struct ctl_context *, struct svec *names);
static void add_port(struct ctl_context *);
static void fail_elsewhere(struct ctl_context *, const char *what,
			   const char *name,
			   const struct hnvrec_switch *wanted,
			   const struct hnvrec_switch *found);
static void set_port(struct ctl_context *, const struct hnvrec_port *,
		     struct smap *settings);
static void del_port(struct ctl_context *);
static bool is_wanted(struct ctl_context *, const char *what,
		      const char *name, bool exists,
		      const struct hnvrec_switch *found);
static void list_ports(struct ctl_context *);
static void add_pa(struct ctl_context *);
static const struct hnvrec_provider_address *
new_pa(struct ctl_context *, const struct hnvrec_switch *, const char *ip);
static void set_pa(struct ctl_context *,
		   const struct hnvrec_provider_address *,
		   struct smap *settings);
static void del_pa(struct ctl_context *);
static void list_pas(struct ctl_context *);

static const struct ctl_command_syntax verbs[] = {
	{ "add-switch", 1, INT_MAX, "NAME [KEY=VALUE]...", find_subscribe,
	  add_switch, NULL, "--may-exist", RW },
	{ "del-switch", 1, 1, "NAME", find_subscribe,
	  del_switch, NULL, "--if-exists", RW },
	{ "list-switches", 0, 0, "", find_subscribe,
	  list_switches, NULL, "", RO },
	{ "add-port", 2, INT_MAX, "SWITCH PORT [KEY=VALUE]...",
	  find_subscribe, add_port, NULL, "--may-exist", RW },
	{ "del-port", 1, 2, "[SWITCH] PORT", find_subscribe,
	  del_port, NULL, "--if-exists", RW },
	{ "list-ports", 1, 1, "SWITCH", find_subscribe,
	  list_ports, NULL, "", RO },
	{ "add-pa", 2, INT_MAX, "SWITCH IP [KEY=VALUE]...", find_subscribe,
	  add_pa, NULL, "--may-exist", RW },
	{ "del-pa", 1, 2, "[SWITCH] IP", find_subscribe,
	  del_pa, NULL, "--if-exists", RW },
	{ "list-pas", 1, 1, "SWITCH", find_subscribe,
	  list_pas, NULL, "", RO },
	{ NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO },
};

static const struct ctl_command_syntax *tables[4];
static size_t n_tables;

void
verbs_register(void)
{
	verbs_add(verbs);
}

void
verbs_add(const struct ctl_command_syntax *table)
{
	ovs_assert(n_tables < ARRAY_SIZE(tables));
	tables[n_tables++] = table;
	ctl_register_commands(table);
}

const char *
verbs_arguments(const char *name)
{
	for (size_t i = 0; i < n_tables; i++)
		for (const struct ctl_command_syntax *verb = tables[i];
		     verb->name; verb++)
			if (!strcmp(verb->name, name))
				return verb->arguments;
	return NULL;
}

const struct hnvrec_switch *
verbs_need_switch(struct ctl_context *context, const char *name)
{
	const struct hnvrec_switch *sw = find_switch(context, name);

	if (!sw)
		ctl_error(context, "there is no switch %s", name);
	return sw;
}

const struct hnvrec_port *
verbs_new_port(struct ctl_context *context, const struct hnvrec_switch *sw,
	       const char *name)
{
	struct hnvrec_port *port = hnvrec_port_insert(context->txn);
	void *all = with(sw->ports, sw->n_ports, port);

	hnvrec_port_set_name(port, name);
	hnvrec_port_set_type(port, "tap");

	hnvrec_switch_verify_ports(sw);
	hnvrec_switch_set_ports(sw, all, sw->n_ports + 1);
	free(all);
	return port;
}

bool
verbs_check_tap_name(struct ctl_context *context,
		     const struct hnvrec_port *port)
{
	const char *name = smap_get_def(&port->options, "interface",
					port->name);

	if (context->error || strcmp(port->type, "tap"))
		return !context->error;
	if (strlen(name) >= IFNAMSIZ)
		ctl_error(context, "%s: a tap's name has at most %d bytes; "
			  "interface=NAME gives it another than the port's",
			  name, IFNAMSIZ - 1);
	else if (!*name || !strcmp(name, ".") || !strcmp(name, "..")
		 || strpbrk(name, "/: \t\n\v\f\r%"))
		ctl_error(context, "\"%s\" cannot be the name of a tap", name);
	return !context->error;
}

static void
add_switch(struct ctl_context *context)
{
	const char *name = context->argv[1];
	const struct hnvrec_switch *sw = find_switch(context, name);
	struct smap settings = SMAP_INITIALIZER(&settings);

	if (sw && !shash_find(&context->options, "--may-exist"))
		ctl_error(context, "there is a switch %s already", name);
	else if (settings_parse(context, 2, &settings)) {
		if (!sw)
			sw = new_switch(context, name);
		set_switch(context, sw, &settings);
	}
	smap_destroy(&settings);
}

static const struct hnvrec_switch *
new_switch(struct ctl_context *context, const char *name)
{
	const struct hnvrec_host *host = find_host(context);
	struct hnvrec_switch *sw = hnvrec_switch_insert(context->txn);
	void *all = with(host->switches, host->n_switches, sw);

	hnvrec_switch_set_name(sw, name);
	hnvrec_switch_set_type(sw, "external");

	hnvrec_host_verify_switches(host);
	hnvrec_host_set_switches(host, all, host->n_switches + 1);
	free(all);
	return sw;
}

/* A copy of the 'n' pointers at 'rows' with 'row' behind them.  Pointers to
 * rows of any table: they are copied as bytes. */
static void *
with(const void *rows, size_t n, const void *row)
{
	char *all = xmalloc((n + 1) * sizeof row);

	if (n > 0)
		memcpy(all, rows, n * sizeof row);
	memcpy(all + n * sizeof row, &row, sizeof row);
	return all;
}

static void
set_switch(struct ctl_context *context, const struct hnvrec_switch *sw,
	   struct smap *settings)
{
	char *type = settings_take(settings, "type");

	if (type)
		settings_set_word(context, "Switch", &sw->header_, "type",
				  type);
	if (!smap_is_empty(settings)) {
		merge(settings, &sw->options);
		hnvrec_switch_verify_options(sw);
		hnvrec_switch_set_options(sw, settings);
	}
	database_watch(&sw->header_);
	free(type);
}

/* Adds to 'settings' what stands in 'old' and is not given anew. */
static void
merge(struct smap *settings, const struct smap *old)
{
	const struct smap_node *node;

	SMAP_FOR_EACH (node, old)
		smap_add_once(settings, node->key, node->value);
}

/* The server lets go of what nothing refers to: the switch's ports and
 * provider addresses go with it. */
static void
del_switch(struct ctl_context *context)
{
	const char *name = context->argv[1];
	const struct hnvrec_switch *sw = find_switch(context, name);

	if (!sw) {
		if (!shash_find(&context->options, "--if-exists"))
			ctl_error(context, "there is no switch %s", name);
		return;
	}

	const struct hnvrec_host *host = find_host(context);
	void *rest = without(host->switches, host->n_switches, sw);

	hnvrec_host_verify_switches(host);
	hnvrec_host_set_switches(host, rest, host->n_switches - 1);
	free(rest);
}

/* A copy of the 'n' pointers at 'rows' but for 'row', which is among them. */
static void *
without(const void *rows, size_t n, const void *row)
{
	const char *from = rows;
	char *rest = xmalloc(n * sizeof row);
	char *to = rest;

	for (size_t i = 0; i < n; i++, from += sizeof row) {
		if (!memcmp(from, &row, sizeof row))
			continue;
		memcpy(to, from, sizeof row);
		to += sizeof row;
	}
	return rest;
}

static void
list_switches(struct ctl_context *context)
{
	const struct hnvrec_host *host = find_host(context);
	struct svec names = SVEC_EMPTY_INITIALIZER;

	for (size_t i = 0; host && i < host->n_switches; i++)
		svec_add(&names, host->switches[i]->name);
	print_sorted(context, &names);
}

/* Takes 'names' over. */
static void
print_sorted(struct ctl_context *context, struct svec *names)
{
	struct json *json = json_array_create_empty();
	const char *name;
	size_t i;

	svec_sort(names);
	SVEC_FOR_EACH (i, name, names) {
		json_array_add(json, json_string_create(name));
		if (!show_is_json())
			ds_put_format(&context->output, "%s\n", name);
	}
	if (show_is_json()) {
		json_to_ds(json, 0, &context->output);
		ds_put_char(&context->output, '\n');
	}
	json_destroy(json);
	svec_destroy(names);
}

static void
add_port(struct ctl_context *context)
{
	const char *name = context->argv[2];
	const struct hnvrec_switch *sw = verbs_need_switch(context,
						     context->argv[1]);
	const struct hnvrec_switch *on = NULL;
	const struct hnvrec_port *port = find_port(context, name, &on);
	struct smap settings = SMAP_INITIALIZER(&settings);

	if (!sw)
		return;
	if (port && (on != sw
		     || !shash_find(&context->options, "--may-exist")))
		fail_elsewhere(context, "port", name, sw, on);
	else if (settings_parse(context, 3, &settings)) {
		if (!port)
			port = verbs_new_port(context, sw, name);
		set_port(context, port, &settings);
	}
	smap_destroy(&settings);
}

static void
fail_elsewhere(struct ctl_context *context, const char *what,
	       const char *name, const struct hnvrec_switch *wanted,
	       const struct hnvrec_switch *found)
{
	if (found == wanted)
		ctl_error(context, "there is a %s %s on switch %s already",
			  what, name, found->name);
	else
		ctl_error(context, "%s %s is on switch %s, not on %s", what,
			  name, found->name, wanted->name);
}

static void
set_port(struct ctl_context *context, const struct hnvrec_port *port,
	 struct smap *settings)
{
	char *type = settings_take(settings, "type");
	char *role = settings_take(settings, "role");
	char *iface_id = settings_take(settings, "iface_id");
	char *given = settings_take(settings, "mac");
	char *mac = given && *given ? settings_mac(context, given)
				    : nullable_xstrdup(given);

	if (type)
		settings_set_word(context, "Port", &port->header_, "type",
				  type);
	if (role)
		settings_set_word(context, "Port", &port->header_, "role",
				  role);
	if (iface_id)
		hnvrec_port_set_iface_id(port, iface_id);
	if (mac)
		hnvrec_port_set_mac(port, mac);
	if (!smap_is_empty(settings)) {
		merge(settings, &port->options);
		hnvrec_port_verify_options(port);
		hnvrec_port_set_options(port, settings);
	}
	(void) verbs_check_tap_name(context, port);
	database_watch(&port->header_);
	free(type);
	free(role);
	free(iface_id);
	free(given);
	free(mac);
}

static void
del_port(struct ctl_context *context)
{
	const char *name = context->argv[context->argc - 1];
	const struct hnvrec_switch *sw = NULL;
	const struct hnvrec_port *port = find_port(context, name, &sw);

	if (!is_wanted(context, "port", name, port != NULL, sw))
		return;

	void *rest = without(sw->ports, sw->n_ports, port);

	hnvrec_switch_verify_ports(sw);
	hnvrec_switch_set_ports(sw, rest, sw->n_ports - 1);
	free(rest);
}

/* Whether a del- verb, whose arguments are [SWITCH] NAME, shall go on with
 * what was found; reports what must be reported. */
static bool
is_wanted(struct ctl_context *context, const char *what, const char *name,
	  bool exists, const struct hnvrec_switch *found)
{
	const struct hnvrec_switch *wanted = found;

	if (context->argc == 3) {
		wanted = find_switch(context, context->argv[1]);
		if (!wanted && !shash_find(&context->options, "--if-exists")) {
			ctl_error(context, "there is no switch %s",
				  context->argv[1]);
			return false;
		}
	}
	if (!exists) {
		if (!shash_find(&context->options, "--if-exists"))
			ctl_error(context, "there is no %s %s", what, name);
		return false;
	}
	/* A name on another switch is a mistake, whatever --if-exists. */
	if (found != wanted)
		ctl_error(context, "%s %s is on switch %s, not on %s", what,
			  name, found->name, context->argv[1]);
	return found == wanted;
}

static void
list_ports(struct ctl_context *context)
{
	const struct hnvrec_switch *sw = verbs_need_switch(context,
						     context->argv[1]);
	struct svec names = SVEC_EMPTY_INITIALIZER;

	for (size_t i = 0; sw && i < sw->n_ports; i++)
		svec_add(&names, sw->ports[i]->name);
	print_sorted(context, &names);
}

static void
add_pa(struct ctl_context *context)
{
	const struct hnvrec_switch *sw = verbs_need_switch(context,
						     context->argv[1]);
	const struct hnvrec_switch *on = NULL;
	char *ip = sw ? settings_ip(context, context->argv[2]) : NULL;
	struct smap settings = SMAP_INITIALIZER(&settings);

	if (!ip)
		return;

	const struct hnvrec_provider_address *pa = find_pa(context, ip, &on);

	if (pa && (on != sw || !shash_find(&context->options, "--may-exist")))
		fail_elsewhere(context, "provider address", ip, sw, on);
	else if (settings_parse(context, 3, &settings)) {
		if (!pa)
			pa = new_pa(context, sw, ip);
		set_pa(context, pa, &settings);
	}
	smap_destroy(&settings);
	free(ip);
}

static const struct hnvrec_provider_address *
new_pa(struct ctl_context *context, const struct hnvrec_switch *sw,
       const char *ip)
{
	struct hnvrec_provider_address *pa =
		hnvrec_provider_address_insert(context->txn);
	size_t n = sw->n_provider_addresses;
	void *all = with(sw->provider_addresses, n, pa);

	hnvrec_provider_address_set_ip(pa, ip);
	hnvrec_provider_address_set_device(pa, "socket");

	hnvrec_switch_verify_provider_addresses(sw);
	hnvrec_switch_set_provider_addresses(sw, all, n + 1);
	free(all);
	return pa;
}

static void
set_pa(struct ctl_context *context, const struct hnvrec_provider_address *pa,
       struct smap *settings)
{
	char *device = settings_take(settings, "device");

	if (device)
		settings_set_word(context, "Provider_Address", &pa->header_,
				  "device", device);
	if (!smap_is_empty(settings)) {
		merge(settings, &pa->options);
		hnvrec_provider_address_verify_options(pa);
		hnvrec_provider_address_set_options(pa, settings);
	}
	database_watch(&pa->header_);
	free(device);
}

static void
del_pa(struct ctl_context *context)
{
	char *ip = settings_ip(context, context->argv[context->argc - 1]);
	const struct hnvrec_switch *sw = NULL;
	const struct hnvrec_provider_address *pa =
		ip ? find_pa(context, ip, &sw) : NULL;

	if (ip && is_wanted(context, "provider address", ip, pa != NULL, sw)) {
		size_t n = sw->n_provider_addresses;
		void *rest = without(sw->provider_addresses, n, pa);

		hnvrec_switch_verify_provider_addresses(sw);
		hnvrec_switch_set_provider_addresses(sw, rest, n - 1);
		free(rest);
	}
	free(ip);
}

static void
list_pas(struct ctl_context *context)
{
	const struct hnvrec_switch *sw = verbs_need_switch(context,
						     context->argv[1]);
	struct svec names = SVEC_EMPTY_INITIALIZER;

	for (size_t i = 0; sw && i < sw->n_provider_addresses; i++)
		svec_add(&names, sw->provider_addresses[i]->ip);
	print_sorted(context, &names);
}
