/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/policy_world.h"

#include <check.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vswitch.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/ovsdb/operation/transact.h"
#include "agent/status/write.h"

static const char *const database_names[WORLD_N] = {
	"hnv", "ms_vtep", "hardware_vtep", "ms_firewall"
};

static void
transmit(void *ctx, struct vsw_worker *worker,
	 struct vsw_packet *const packets[], size_t n)
{
	(void) ctx;
	(void) worker;
	for (size_t i = 0; i < n; i++)
		vsw_packet_free(packets[i]);
}

static struct vsw_port *
add_port(struct vsw *vsw, const char *name, uint32_t abilities)
{
	struct vsw_port_ops ops = {
		.size = sizeof ops, .abilities = abilities,
		.transmit = transmit
	};
	struct vsw_port *port;

	ck_assert_int_eq(vsw_port_add(vsw, name, &ops, NULL, &port), 0);
	return port;
}

void
world_init(struct world *world)
{
	log_init("check", LOG_LEVEL_ERROR, false);
	for (int i = 0; i < WORLD_N; i++) {
		char *path = xasprintf("%s/schema/%s.ovsschema",
				       getenv("top_srcdir"),
				       database_names[i]);
		struct schema *schema;

		ck_assert_ptr_null(schema_from_file(path, &schema));
		free(path);
		world->databases[i] = database_new(schema, NULL);
	}
	world->model = model_new(world->databases, WORLD_N);
}

static void
close_port(struct world *world, struct model_port *port)
{
	policy_leave_port(world->model, port);
	vsw_port_remove(port->port);
	port->port = NULL;
}

static void
close_switch(struct world *world, struct model_switch *sw)
{
	struct list *link;

	policy_leave_switch(world->model, sw);
	for (link = sw->ports.next; link != &sw->ports; link = link->next)
		close_port(world, LIST_ENTRY(link, struct model_port, link));
	if (sw->n_uplinks)
		vsw_port_remove(sw->uplinks[0]);
	vsw_port_remove(sw->punt);
	vsw_free(sw->vsw);
	sw->vsw = NULL;
	sw->n_uplinks = sw->n_up = 0;
	sw->punt = NULL;
}

static void
follow_switch(struct world *world, struct model_switch *sw)
{
	struct vsw_options options;
	struct list *link, *next;

	if (sw->is_removed) {
		close_switch(world, sw);
		model_forget_switch(world->model, sw);
		return;
	}
	if (!sw->vsw) {
		vsw_options_init(&options);
		ck_assert_int_eq(vsw_new(&options, &sw->vsw), 0);
		sw->punt = add_port(sw->vsw, "punt", VSW_PORT_PUNT);
		sw->uplinks[0] = add_port(sw->vsw, "uplink", VSW_PORT_TUNNEL);
		sw->n_uplinks = sw->n_up = 1;
	}
	for (link = sw->ports.next; link != &sw->ports; link = next) {
		struct model_port *port =
			LIST_ENTRY(link, struct model_port, link);

		next = link->next;
		if (port->is_removed) {
			close_port(world, port);
			model_forget_port(world->model, port);
		} else if (!port->port) {
			port->port = add_port(sw->vsw, port->name, 0);
			world->model->must_look = true;
		}
	}
	for (link = sw->provider_addresses.next;
	     link != &sw->provider_addresses; link = next) {
		struct model_pa *pa = LIST_ENTRY(link, struct model_pa, link);

		next = link->next;
		if (pa->is_removed)
			model_forget_pa(world->model, pa);
	}
}

void
world_done(struct world *world)
{
	struct list *switches = &world->model->switches;

	for (struct list *link = switches->next; link != switches;
	     link = link->next) {
		struct model_switch *sw =
			LIST_ENTRY(link, struct model_switch, link);

		if (sw->vsw)
			close_switch(world, sw);
	}
	model_free(world->model);
	for (int i = 0; i < WORLD_N; i++)
		database_free(world->databases[i]);
}

void
world_transact(struct world *world, const char *format, ...)
{
	struct transact_request request = { .database = NULL };
	json_t *params, *reply, *result;
	json_error_t error;
	int64_t deadline;
	va_list args;
	char *text;
	size_t i;

	va_start(args, format);
	ck_assert_int_ge(vasprintf(&text, format, args), 0);
	va_end(args);
	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	params = json_loads(text, 0, &error);
	if (!params)
		ck_abort_msg("%s: %s", error.text, text);
	request.params = params;
	for (i = 0; i < WORLD_N; i++)
		if (!strcmp(database_names[i],
			    json_string_value(json_array_get(params, 0))))
			request.database = world->databases[i];
	ck_assert_int_eq(transact_execute(&request, &reply, &deadline),
			 TRANSACT_DONE);
	json_array_foreach(reply, i, result)
		if (json_object_get(result, "error"))
			ck_abort_msg("%s: %s", json_dumps(result, 0), text);
	json_decref(reply);
	json_decref(params);
	free(text);
}

void
world_turn(struct world *world)
{
	struct list *switches = &world->model->switches, *link, *next;

	model_update(world->model);
	for (link = switches->next; link != switches; link = next) {
		next = link->next;
		follow_switch(world,
			      LIST_ENTRY(link, struct model_switch, link));
	}
	policy_apply(world->model);
	status_write(world->model, false);
}

struct model_switch *
world_switch(struct world *world)
{
	return LIST_ENTRY(world->model->switches.next, struct model_switch,
			  link);
}

struct model_port *
world_port(struct world *world, const char *name)
{
	struct model_switch *sw = world_switch(world);

	for (struct list *link = sw->ports.next; link != &sw->ports;
	     link = link->next) {
		struct model_port *port =
			LIST_ENTRY(link, struct model_port, link);

		if (!strcmp(port->name, name))
			return port;
	}
	ck_abort_msg("no port %s", name);
}

struct model_subnet *
world_subnet(struct world *world, uint32_t vni)
{
	struct model_subnet *subnet =
		model_find_subnet(world->model, vni, NULL);

	ck_assert_ptr_nonnull(subnet);
	return subnet;
}

static const struct row *
find_row(struct world *world, int database, const char *table,
	 const char *name)
{
	const struct table *rows =
		database_table(world->databases[database], table);

	for (const struct row *row = table_first(rows); row;
	     row = table_next(rows, row))
		if (!name || !strcmp(row_string(row, "name", ""),
				     name))
			return row;
	ck_abort_msg("no row %s in %s", name ? name : "", table);
}

const char *
world_status(struct world *world, int database, const char *table,
	     const char *name, const char *column, const char *key)
{
	struct datum room;

	return datum_map_string(row_get(find_row(world, database, table, name),
					column, &room), key, "");
}

int64_t
world_integer(struct world *world, int database, const char *table,
	      const char *column)
{
	return row_integer(find_row(world, database, table, NULL), column, -1);
}

void
world_add_host(struct world *world)
{
	world_transact(world,
		"['hnv',"
		"{'op':'insert','table':'Port','uuid-name':'p1','row':"
		" {'name':'vm1','type':'tap','iface_id':'{A1}',"
		"  'mac':'02-00-00-00-00-11'}},"
		"{'op':'insert','table':'Port','uuid-name':'p2','row':"
		" {'name':'vm2','type':'tap','iface_id':'a2'}},"
		"{'op':'insert','table':'Provider_Address','uuid-name':'pa',"
		" 'row':{'ip':'192.168.1.10','device':'socket'}},"
		"{'op':'insert','table':'Switch','uuid-name':'sw','row':"
		" {'name':'br0','type':'external',"
		"  'ports':['set',[['named-uuid','p1'],['named-uuid','p2']]],"
		"  'provider_addresses':['named-uuid','pa']}},"
		"{'op':'insert','table':'Host','row':"
		" {'switches':['named-uuid','sw'],'next_cfg':7}}]");
}

void
world_add_story(struct world *world)
{
	world_transact(world,
		"['ms_vtep',"
		"{'op':'insert','table':'Logical_Switch','uuid':'"
		SUBNET_5001 "','row':{'name':'5001','tunnel_key':5001}},"
		"{'op':'insert','table':'Logical_Switch','uuid':'"
		SUBNET_5002 "','row':{'name':'5002'}},"
		"{'op':'insert','table':'Logical_Switch','uuid':'"
		SUBNET_6001 "','row':{'name':'fabrikam','tunnel_key':6001}},"
		"{'op':'insert','table':'Physical_Port','uuid':'" U("51") "',"
		" 'row':{'name':'{A1}',"
		"  'vlan_bindings':['map',[[0,['uuid','" SUBNET_5001
		"']]]]}},"
		"{'op':'insert','table':'Physical_Port','uuid':'" U("52") "',"
		" 'row':{'name':'{a2}'}},"
		"{'op':'insert','table':'Physical_Switch','uuid':'" U("61")
		"','row':{'name':'host',"
		"  'ports':['set',[['uuid','" U("51") "'],"
		"   ['uuid','" U("52") "']]]}},"
		"{'op':'insert','table':'Global','row':"
		" {'switches':['uuid','" U("61") "'],'next_cfg':3}}]");
	world_transact(world,
		"['ms_vtep',"
		"{'op':'insert','table':'Physical_Locator','uuid':'" HERE "',"
		" 'row':{'dst_ip':'192.168.1.10',"
		"  'encapsulation_type':'vxlan_over_ipv4'}},"
		"{'op':'insert','table':'Physical_Locator','uuid':'" THERE "',"
		" 'row':{'dst_ip':'192.168.2.20',"
		"  'encapsulation_type':'vxlan_over_ipv4'}},"
		"{'op':'insert','table':'Logical_Router','uuid':'" ROUTER "',"
		" 'row':{'name':'contoso','enable_logical_router':true,"
		"  'switch_binding':['map',["
		"   ['10.1.1.0/24',['uuid','" SUBNET_5001 "']],"
		"   ['10.1.2.254/24',['uuid','" SUBNET_5002 "']]]]}},"
		"{'op':'insert','table':'Ucast_Macs_Remote','uuid':'" VM1
		"','row':{'MAC':'02:00:00:00:00:11','ipaddr':'10.1.1.11',"
		"  'logical_switch':['uuid','" SUBNET_5001 "'],"
		"  'locator':['uuid','" HERE "'],'mapping_type':'default'}},"
		"{'op':'insert','table':'Ucast_Macs_Remote','uuid':'" WEB
		"','row':{'MAC':'02:00:00:00:00:12','ipaddr':'10.1.1.12',"
		"  'logical_switch':['uuid','" SUBNET_5001 "'],"
		"  'locator':['uuid','" THERE "'],"
		"  'mapping_type':'default'}},"
		"{'op':'insert','table':'Ucast_Macs_Remote','uuid':'" OTHER
		"','row':{'MAC':'02:00:00:00:02:21','ipaddr':'10.1.2.21',"
		"  'logical_switch':['uuid','" SUBNET_5002 "'],"
		"  'locator':['uuid','" THERE "'],"
		"  'mapping_type':'default'}}]");
}
