/* SPDX-License-Identifier: Apache-2.0 */

/* hnv: this host's switches, ports and provider addresses. */

#include "agent/model/state.h"

#include <ctype.h>
#include <stdlib.h>
#include "agent/base/memory.h"
#include "agent/model/request.h"

static void follow_settings(struct model_state *);
static void forget_groups(struct model_port *);
static void unlist(struct list *, struct list *ret_old);
static void read_switch(struct model_state *, const struct row *,
			struct list *old);
static struct model_switch *new_switch(const struct model_state *,
				       const struct row *);
static void read_ports(struct model_state *, struct model_switch *,
		       const struct row *);
static struct model_port *find_port(struct list *, const struct uuid *);
static struct model_port *make_port(struct model_switch *,
				    const struct row *);
static void read_port(struct model_port *, const struct row *);
static void read_addresses(struct model_state *, struct model_switch *,
			   const struct row *);
static struct model_pa *find_pa(struct list *, const struct row *,
				uint16_t vxlan_port);
static struct model_pa *new_pa(struct model_switch *, const struct row *);
static void read_tunnel_ips(struct model_state *, struct model_switch *,
			    uint16_t vxlan_port, struct list *old);
static void read_tunnel_ip(struct model_switch *, const char *ip,
			   const char *device, uint16_t vxlan_port,
			   struct list *old);
static bool is_listed(const struct model_state *, const struct model_switch *,
		      const char *ip);
static void get_provider_options(const struct model_switch *,
				 struct model_options *);
static bool same_options(const struct model_options *,
			 const struct model_options *);
static void collect_own(struct model_state *);
static void follow_tunnel_ips(struct model_state *);
static bool replace(char **, const char *);
static bool read_options(struct model_options *, const struct datum *);
static bool has_options(const struct model_options *, const struct datum *);
static void done_options(struct model_options *);
static const char *get_string(const struct row *, const char *column);

void
host_follow(struct model_state *state)
{
	struct model *model = state->model;
	const struct table *table = state_table(state, DB_HNV, "Switch");
	const struct row *row;
	struct list old;

	follow_settings(state);
	state->ports_changed = true;
	unlist(&model->switches, &old);
	if (table)
		for (row = table_first(table); row;
		     row = table_next(table, row))
			read_switch(state, row, &old);
	while (!list_is_empty(&old)) {
		struct model_switch *sw =
			LIST_ENTRY(old.next, struct model_switch, link);

		sw->is_removed = true;
		list_remove(&sw->link);
		list_append(&model->switches, &sw->link);
		for (struct list *p = sw->ports.next; p != &sw->ports;
		     p = p->next)
			LIST_ENTRY(p, struct model_port, link)->is_removed
				= true;
		for (struct list *p = sw->provider_addresses.next;
		     p != &sw->provider_addresses; p = p->next)
			LIST_ENTRY(p, struct model_pa, link)->is_removed
				= true;
	}
	collect_own(state);
	follow_tunnel_ips(state);
}

void
host_done(struct model_state *state)
{
	struct model *model = state->model;
	struct list *switches = &model->switches;
	struct model_port *port = NULL;

	while ((port = model_next_port(model, port)))
		port->is_removed = true;
	state->ports_changed = true;
	binding_follow(state);
	while (!list_is_empty(switches))
		model_forget_switch(model,
				    LIST_ENTRY(model->switches.next,
					       struct model_switch, link));
	free(state->sorted_ports);
	done_options(&model->settings.options);
	settings_done(model);
}

bool
state_is_own(const struct model_state *state, const struct vsw_addr *addr)
{
	for (size_t i = 0; i < state->n_own; i++)
		if (state->own[i].n == addr->n
		    && !memcmp(state->own[i].bytes, addr->bytes, addr->n))
			return true;
	return false;
}

char *
iface_id_from_text(const char *text)
{
	size_t size = strlen(text);
	char *id;

	if (size >= 2 && text[0] == '{' && text[size - 1] == '}') {
		text++;
		size -= 2;
	}
	id = xmalloc(size + 1);
	for (size_t i = 0; i < size; i++)
		id[i] = (char) tolower((unsigned char) text[i]);
	id[size] = '\0';
	return id;
}

const char *
model_option(const struct model_options *options, const char *key,
	     const char *fallback)
{
	for (size_t i = 0; i < options->n; i++)
		if (!strcmp(options->of[i].key, key))
			return options->of[i].value;
	return fallback;
}

struct model_port *
port_new(void)
{
	struct model_port *port = xcalloc(1, sizeof *port);

	list_init(&port->link);
	list_init(&port->groups);
	list_init(&port->by_vnic);
	list_init(&port->unjudged);
	mac_port_init(&port->learned);
	return port;
}

void
model_forget_port(struct model *model, struct model_port *port)
{
	struct list *end = model_behind(port);

	while (port->link.next != end)
		model_forget_port(model, LIST_ENTRY(port->link.next,
						    struct model_port, link));
	if (port->trunk)
		port->sw->n_vlans--;
	model->state->ports_changed = true;
	/* Somebody's mapping may still point here. */
	if (port->claimed || port->n_mappings) {
		port->is_removed = true;
		binding_follow(model->state);
	}
	learned_forget_port(port);
	request_forget_port(model, port);
	round_forget_port(model->state, port);
	firewall_forget_port(model->state, port);
	list_remove(&port->link);
	model->state->ports_changed = true;
	free(port->name);
	free(port->type);
	free(port->iface_id);
	done_options(&port->options);
	for (int tier = 0; tier < ACL_N_TIERS; tier++)
		acl_unref(port->acls[tier]);
	acl_unref(port->list);
	for (int i = 0; i < PORT_N_LISTS; i++)
		acl_unref(port->in_force[i]);
	guard_done(port);
	forget_groups(port);
	free(port->vlan_problem);
	free(port->vlan_fault.detail);
	free(port->device_fault.detail);
	free(port->fault.detail);
	free(port);
}

void
model_forget_pa(struct model *model, struct model_pa *pa)
{
	(void) model;
	list_remove(&pa->link);
	free(pa->ip);
	free(pa->device);
	done_options(&pa->options);
	free(pa->fault.detail);
	free(pa);
}

void
model_forget_switch(struct model *model, struct model_switch *sw)
{
	while (!list_is_empty(&sw->ports))
		model_forget_port(model, LIST_ENTRY(sw->ports.next,
						    struct model_port, link));
	while (!list_is_empty(&sw->provider_addresses))
		model_forget_pa(model, LIST_ENTRY(sw->provider_addresses.next,
						  struct model_pa, link));
	list_remove(&sw->link);
	free(sw->name);
	free(sw->type);
	done_options(&sw->options);
	macs_done(&sw->learned);
	free(sw->settings.fault.detail);
	free(sw->fault.detail);
	free(sw->take_over.fault.detail);
	free(sw);
}

static void
follow_settings(struct model_state *state)
{
	const struct table *table = state_table(state, DB_HNV, "Host");
	const struct row *row = table ? table_first(table) : NULL;
	static const struct datum none = { .is_map = true };
	struct datum room;

	read_options(&state->model->settings.options,
		     row ? row_get(row, "options", &room) : &none);
	if (settings_read(state->model))
		subnets_follow_settings(state);
}

/* Moves everything to 'ret_old'. */
static void
forget_groups(struct model_port *port)
{
	while (!list_is_empty(&port->groups)) {
		struct list *link = port->groups.next;

		list_remove(link);
		free(LIST_ENTRY(link, struct port_group, link));
	}
}

static void
unlist(struct list *list, struct list *ret_old)
{
	list_init(ret_old);
	while (!list_is_empty(list)) {
		struct list *link = list->next;

		list_remove(link);
		list_append(ret_old, link);
	}
}

static void
read_switch(struct model_state *state, const struct row *row,
	    struct list *old)
{
	struct model_switch *sw = NULL;
	struct datum room;

	for (struct list *link = old->next; link != old; link = link->next) {
		struct model_switch *each =
			LIST_ENTRY(link, struct model_switch, link);

		if (!each->is_removed
		    && uuid_equal(&each->row, row_uuid(row))) {
			sw = each;
			break;
		}
	}
	if (!sw)
		sw = new_switch(state, row);
	list_remove(&sw->link);
	list_append(&state->model->switches, &sw->link);
	replace(&sw->type, get_string(row, "type"));
	if (read_options(&sw->options, row_get(row, "options", &room)))
		state->structure_changed = true;
	switch_settings_read(sw);
	read_ports(state, sw, row);
	read_addresses(state, sw, row);
}

static struct model_switch *
new_switch(const struct model_state *state, const struct row *row)
{
	struct model_switch *sw = xcalloc(1, sizeof *sw);

	macs_init(&sw->learned, NULL, NULL, state->seed);
	list_init(&sw->link);
	sw->row = *row_uuid(row);
	sw->name = xstrdup(get_string(row, "name"));
	list_init(&sw->ports);
	list_init(&sw->provider_addresses);
	switch_settings_init(sw);
	return sw;
}

static void
read_ports(struct model_state *state, struct model_switch *sw,
	   const struct row *row)
{
	const struct table *table = state_table(state, DB_HNV, "Port");
	struct datum room;
	const struct datum *ports = row_get(row, "ports", &room);
	struct list old;

	unlist(&sw->ports, &old);
	for (uint32_t i = 0; i < ports->n; i++) {
		const struct row *port_row =
			table_find(table, &datum_key(ports, i)->uuid);
		struct model_port *port;

		if (!port_row)
			continue;
		port = find_port(&old, row_uuid(port_row));
		if (!port)
			port = make_port(sw, port_row);
		list_remove(&port->link);
		list_append(&sw->ports, &port->link);
		trunk_move(port, &old, &sw->ports);
		read_port(port, port_row);
		firewall_name_port(state, port);
	}
	while (!list_is_empty(&old)) {
		struct model_port *port =
			LIST_ENTRY(old.next, struct model_port, link);

		port->is_removed = true;
		firewall_name_port(state, port);
		list_remove(&port->link);
		list_append(&sw->ports, &port->link);
	}
}

static struct model_port *
find_port(struct list *old, const struct uuid *uuid)
{
	for (struct list *link = old->next; link != old; link = link->next) {
		struct model_port *port =
			LIST_ENTRY(link, struct model_port, link);

		if (!port->is_removed && !port->trunk
		    && uuid_equal(&port->row, uuid))
			return port;
	}
	return NULL;
}

static struct model_port *
make_port(struct model_switch *sw, const struct row *row)
{
	struct model_port *port = port_new();

	port->row = *row_uuid(row);
	port->sw = sw;
	port->name = xstrdup(get_string(row, "name"));
	return port;
}

static void
read_port(struct model_port *port, const struct row *row)
{
	const char *mac = get_string(row, "mac");
	char *iface_id = iface_id_from_text(get_string(row, "iface_id"));
	uint8_t old_mac[6];
	bool is_new = !port->type;
	struct datum room;

	if (replace(&port->type, get_string(row, "type")) && !is_new)
		port->is_changed = true;
	if (read_options(&port->options, row_get(row, "options", &room))
	    && !is_new)
		port->is_changed = true;
	free(port->iface_id);
	port->iface_id = iface_id;
	memcpy(old_mac, port->mac, 6);
	memset(port->mac, 0, 6);
	port->is_mac_bad = *mac && (!model_mac_from_text(mac, port->mac)
				    || port->mac[0] & 1);
	if (port->is_mac_bad)
		memset(port->mac, 0, 6);
	guard_read(port, row);
	vlan_read(port, row);
	/* A tap carries it. */
	if (!is_new && memcmp(old_mac, port->mac, 6))
		port->is_changed = true;
}

static void
read_addresses(struct model_state *state, struct model_switch *sw,
	       const struct row *row)
{
	const struct table *table =
		state_table(state, DB_HNV, "Provider_Address");
	struct datum room;
	const struct datum *addresses =
		row_get(row, "provider_addresses", &room);
	uint16_t vxlan_port = (uint16_t) state->model->settings.vxlan_port;
	struct list old;

	unlist(&sw->provider_addresses, &old);
	for (uint32_t i = 0; i < addresses->n; i++) {
		const struct row *pa_row =
			table_find(table, &datum_key(addresses, i)->uuid);
		struct model_pa *pa;

		if (!pa_row)
			continue;
		pa = find_pa(&old, pa_row, vxlan_port);
		if (!pa)
			pa = new_pa(sw, pa_row);
		pa->vxlan_port = vxlan_port;
		list_remove(&pa->link);
		list_append(&sw->provider_addresses, &pa->link);
	}
	read_tunnel_ips(state, sw, vxlan_port, &old);
	while (!list_is_empty(&old)) {
		struct model_pa *pa =
			LIST_ENTRY(old.next, struct model_pa, link);

		pa->is_removed = true;
		list_remove(&pa->link);
		list_append(&sw->provider_addresses, &pa->link);
	}
}

/* One whose device or options have changed is another one: the old is closed,
 * the new opened. */
static struct model_pa *
find_pa(struct list *old, const struct row *row, uint16_t vxlan_port)
{
	for (struct list *link = old->next; link != old; link = link->next) {
		struct model_pa *pa = LIST_ENTRY(link, struct model_pa, link);
		struct datum room;

		if (!pa->is_removed && uuid_equal(&pa->row, row_uuid(row))
		    && pa->vxlan_port == vxlan_port
		    && !strcmp(pa->device, get_string(row, "device"))
		    && has_options(&pa->options,
				   row_get(row, "options", &room)))
			return pa;
	}
	return NULL;
}

static struct model_pa *
new_pa(struct model_switch *sw, const struct row *row)
{
	struct model_pa *pa = xcalloc(1, sizeof *pa);
	struct datum room;

	list_init(&pa->link);
	pa->row = *row_uuid(row);
	pa->sw = sw;
	pa->ip = xstrdup(get_string(row, "ip"));
	pa->device = xstrdup(get_string(row, "device"));
	read_options(&pa->options, row_get(row, "options", &room));
	if (!model_addr_from_text(pa->ip, &pa->addr))
		model_fault_set(&pa->fault, MODEL_BAD_ADDRESS, "\"%s\"",
				pa->ip);
	return pa;
}

/* Addresses that a controller gives the host, where a switch has them be used,
 * besides those that have a row here. */
static void
read_tunnel_ips(struct model_state *state, struct model_switch *sw,
		uint16_t vxlan_port, struct list *old)
{
	const char *device = sw->settings.provider_device;

	if (!device)
		return;
	for (int db = 0; db < N_DBS; db++) {
		const struct table *table =
			state_table(state, db, "Physical_Switch");
		const struct row *row = table ? table_first(table) : NULL;

		for (; row; row = table_next(table, row)) {
			struct datum room;
			const struct datum *ips;

			if (strcmp(get_string(row, "name"), sw->name))
				continue;
			ips = row_get(row, "tunnel_ips", &room);
			for (uint32_t i = 0; i < ips->n; i++) {
				const char *ip =
					datum_key(ips, i)->string->text;

				if (!is_listed(state, sw, ip))
					read_tunnel_ip(sw, ip, device,
						       vxlan_port, old);
			}
		}
	}
}

static void
read_tunnel_ip(struct model_switch *sw, const char *ip, const char *device,
	       uint16_t vxlan_port, struct list *old)
{
	struct model_options options;
	struct model_pa *pa = NULL;

	get_provider_options(sw, &options);
	for (struct list *link = old->next; link != old && !pa;
	     link = link->next) {
		struct model_pa *each = LIST_ENTRY(link, struct model_pa,
						   link);

		if (!each->is_removed && each->is_given
		    && !strcmp(each->ip, ip) && !strcmp(each->device, device)
		    && each->vxlan_port == vxlan_port
		    && same_options(&each->options, &options))
			pa = each;
	}
	if (pa) {
		done_options(&options);
	} else {
		pa = xcalloc(1, sizeof *pa);
		list_init(&pa->link);
		pa->sw = sw;
		pa->ip = xstrdup(ip);
		pa->device = xstrdup(device);
		pa->options = options;
		pa->vxlan_port = vxlan_port;
		pa->is_given = true;
		model_addr_from_text(ip, &pa->addr);
	}
	list_remove(&pa->link);
	list_append(&sw->provider_addresses, &pa->link);
}

/* By a row of Provider_Address, of any switch, or by another one before. */
static bool
is_listed(const struct model_state *state, const struct model_switch *sw,
	  const char *ip)
{
	const struct table *table =
		state_table(state, DB_HNV, "Provider_Address");
	const struct list *addresses = &sw->provider_addresses;
	const struct row *row;
	struct vsw_addr addr, other;

	if (!model_addr_from_text(ip, &addr))
		return true;
	for (row = table_first(table); row; row = table_next(table, row))
		if (model_addr_from_text(get_string(row, "ip"), &other)
		    && !memcmp(&addr, &other, sizeof addr))
			return true;
	for (const struct list *link = addresses->next; link != addresses;
	     link = link->next)
		if (!memcmp(&LIST_ENTRY(link, const struct model_pa,
					link)->addr, &addr, sizeof addr))
			return true;
	return false;
}

/* What the switch's options say of them behind "provider_". */
static void
get_provider_options(const struct model_switch *sw,
		     struct model_options *options)
{
	static const char prefix[] = "provider_";
	const size_t size = sizeof prefix - 1;

	options->n = 0;
	options->of = xcalloc(sw->options.n, sizeof *options->of);
	for (size_t i = 0; i < sw->options.n; i++) {
		const char *key = sw->options.of[i].key;

		if (strncmp(key, prefix, size)
		    || !strcmp(key + size, "device"))
			continue;
		options->of[options->n].key = xstrdup(key + size);
		options->of[options->n++].value =
			xstrdup(sw->options.of[i].value);
	}
}

static bool
same_options(const struct model_options *a, const struct model_options *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->of[i].key, b->of[i].key)
		    || strcmp(a->of[i].value, b->of[i].value))
			return false;
	return true;
}

static void
collect_own(struct model_state *state)
{
	struct list *switches = &state->model->switches;

	state->n_own = 0;
	for (struct list *s = switches->next; s != switches; s = s->next) {
		struct list *addresses =
			&LIST_ENTRY(s, struct model_switch, link)
			->provider_addresses;

		for (struct list *p = addresses->next; p != addresses;
		     p = p->next) {
			const struct model_pa *pa =
				LIST_ENTRY(p, struct model_pa, link);

			if (pa->is_removed || !pa->addr.n)
				continue;
			state->own = xrealloc(state->own, (state->n_own + 1)
						  * sizeof *state->own);
			state->own[state->n_own++] = pa->addr;
		}
	}
}

/* Otherwise they are what the agent itself writes. */
static void
follow_tunnel_ips(struct model_state *state)
{
	struct list *switches = &state->model->switches;
	bool is_wanted = false;

	for (struct list *link = switches->next; link != switches;
	     link = link->next) {
		const struct model_switch *sw =
			LIST_ENTRY(link, const struct model_switch, link);

		is_wanted |= !sw->is_removed && sw->settings.provider_device;
	}
	state_follow_column(state, "Physical_Switch", "tunnel_ips", is_wanted);
}

static bool
replace(char **text, const char *with)
{
	if (*text && !strcmp(*text, with))
		return false;
	free(*text);
	*text = xstrdup(with);
	return true;
}

static bool
read_options(struct model_options *options, const struct datum *datum)
{
	if (has_options(options, datum))
		return false;
	done_options(options);
	options->n = datum->n;
	options->of = xcalloc(datum->n, sizeof *options->of);
	for (uint32_t i = 0; i < datum->n; i++) {
		options->of[i].key = xstrdup(datum_key(datum, i)->string->text);
		options->of[i].value =
			xstrdup(datum_value(datum, i)->string->text);
	}
	return true;
}

static bool
has_options(const struct model_options *options, const struct datum *datum)
{
	if (options->n != datum->n)
		return false;
	for (uint32_t i = 0; i < datum->n; i++)
		if (strcmp(options->of[i].key,
			   datum_key(datum, i)->string->text)
		    || strcmp(options->of[i].value,
			      datum_value(datum, i)->string->text))
			return false;
	return true;
}

static void
done_options(struct model_options *options)
{
	for (size_t i = 0; i < options->n; i++) {
		free(options->of[i].key);
		free(options->of[i].value);
	}
	free(options->of);
	memset(options, 0, sizeof *options);
}

static const char *
get_string(const struct row *row, const char *column)
{
	return row_string(row, column, "");
}
