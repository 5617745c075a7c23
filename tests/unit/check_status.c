/* SPDX-License-Identifier: Apache-2.0 */

/* The way back: what rows are told, and that it is said once. */

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "agent/model/state.h"
#include "agent/status/write.h"
#include "tests/unit/policy_world.h"

static struct world world;
static unsigned n_commits, n_changes;

static void
count_commit(struct observer *observer, const struct commit *commit)
{
	(void) observer;
	n_commits++;
	n_changes += commit->n_changes;
}

static struct observer counters[WORLD_N] = {
	{ .committed = count_commit }, { .committed = count_commit },
	{ .committed = count_commit }, { .committed = count_commit }
};

static void
set_up(void)
{
	world_init(&world);
	world_add_host(&world);
	for (int i = 0; i < WORLD_N; i++)
		database_observe(world.databases[i], &counters[i]);
	n_commits = 0;
}

static void
tear_down(void)
{
	for (int i = 0; i < WORLD_N; i++)
		database_unobserve(world.databases[i], &counters[i]);
	world_done(&world);
}

static void
add_hardware_vtep(void)
{
	world_transact(&world,
		"['hardware_vtep',"
		"{'op':'insert','table':'Logical_Switch','uuid':'"
		SUBNET_5001 "','row':{'name':'ls0','tunnel_key':100}},"
		"{'op':'insert','table':'Physical_Port','uuid-name':'p',"
		" 'row':{'name':'a1','vlan_bindings':"
		"  ['map',[[0,['uuid','" SUBNET_5001 "']]]]}},"
		"{'op':'insert','table':'Physical_Switch','uuid-name':'ps',"
		" 'row':{'name':'host','ports':['named-uuid','p']}},"
		"{'op':'insert','table':'Global','row':"
		" {'switches':['named-uuid','ps']}}]");
}

static const char *
uuid_text(const struct uuid *uuid)
{
	static char text[UUID_TEXT_SIZE];

	uuid_to_text(uuid, text);
	return text;
}

static size_t
n_rows(int database, const char *table)
{
	return table_n_rows(database_table(world.databases[database], table));
}

/* Some ports' turn; was it the last one's? */
static bool
count_some(size_t max)
{
	struct model_port *ports[16];
	bool is_over;
	size_t n = model_round(world.model, ports, max, &is_over);

	ck_assert_uint_le(n, max);
	status_count(world.model, ports, n);
	return is_over;
}

START_TEST(said_once)
{
	world_add_story(&world);
	world_turn(&world);
	n_commits = 0;
	for (int i = 0; i < 5; i++)
		world_turn(&world);
	status_write(world.model, true);
	ck_assert_uint_eq(n_commits, 0);
	ck_assert(count_some(16));
	ck_assert(count_some(16));
	/* The statistics of ports that nothing has passed, once in each of two
	 * databases. */
	ck_assert_uint_eq(n_commits, 2);
	ck_assert_uint_eq(n_rows(WORLD_MS_VTEP, "Logical_Binding_Stats"), 1);
	/* One that is gone comes back. */
	world_transact(&world, "['ms_vtep',{'op':'update',"
		       "'table':'Physical_Port','where':[],"
		       "'row':{'vlan_stats':['map',[]]}}]");
	ck_assert_uint_eq(n_rows(WORLD_MS_VTEP, "Logical_Binding_Stats"), 0);
	world_turn(&world);
	count_some(16);
	ck_assert_uint_eq(n_rows(WORLD_MS_VTEP, "Logical_Binding_Stats"), 1);
}
END_TEST

/* Ports p0 to p6 behind the story's two, so that rounds have several parts. */
static void
add_ports(void)
{
	for (int i = 0; i < 7; i++)
		world_transact(&world,
			"['hnv',{'op':'insert','table':'Port','uuid-name':'p',"
			"'row':{'name':'p%d','type':'tap'}},"
			"{'op':'mutate','table':'Switch','where':[],"
			"'mutations':[['ports','insert',"
			"['named-uuid','p']]]}]", i);
	world_turn(&world);
	n_changes = 0;
}

static const char *
punts_of(const char *port)
{
	static char text[32];
	struct datum room;
	const struct table *table =
		database_table(world.databases[WORLD_HNV], "Port");
	const struct row *row = table_first(table);

	while (strcmp(row_string(row, "name", ""), port))
		row = table_next(table, row);

	const struct datum *statistics = row_get(row, "statistics", &room);

	for (uint32_t i = 0; i < statistics->n; i++)
		if (!strcmp(datum_key(statistics, i)->string->text,
			    "punts_arp")) {
			snprintf(text, sizeof text, "%lld", (long long)
				 datum_value(statistics, i)->integer);
			return text;
		}
	return "";
}

/* Each port is told once in a round, whatever its parts; then it is silent
 * until it has something new to say, or somebody else wrote it. */
START_TEST(counted_in_parts)
{
	unsigned n = 1;

	add_ports();
	ck_assert_uint_eq(model_round_size(world.model), 9);
	for (; !count_some(2); n++)
		ck_assert_uint_eq(n_changes, 2 * n);
	ck_assert_uint_eq(n, 5);
	ck_assert_uint_eq(n_changes, 9);
	n_changes = n_commits = 0;
	while (!count_some(4))
		;
	ck_assert_uint_eq(n_commits, 0);
	world_port(&world, "p3")->punts.of[PUNTED_ARP] = 5;
	while (!count_some(4))
		;
	ck_assert_uint_eq(n_changes, 1);
	ck_assert_str_eq(punts_of("p3"), "5");
	world_transact(&world, "['hnv',{'op':'update','table':'Port',"
		       "'where':[['name','==','p3']],"
		       "'row':{'statistics':['map',[]]}}]");
	ck_assert_str_eq(punts_of("p3"), "");
	while (!count_some(3))
		;
	ck_assert_str_eq(punts_of("p3"), "5");
	/* A round that ends with its last part is over then. */
	ck_assert(!count_some(3));
	ck_assert(!count_some(3));
	ck_assert(count_some(3));
}
END_TEST

/* Any port may go when it is about to be its turn, or all. */
START_TEST(ports_go_in_a_round)
{
	unsigned n_parts = 0;

	add_ports();
	for (int i = 0; i < 7; i++) {
		struct model_port *port = NULL;
		char name[16];

		for (int j = 0; j <= i % 3; j++)
			count_some(1);
		port = world.model->state->next_in_round;
		if (!port)
			port = model_next_port(world.model, NULL);
		snprintf(name, sizeof name, "%s", port->name);
		world_transact(&world,
			"['hnv',{'op':'mutate','table':'Switch','where':[],"
			"'mutations':[['ports','delete',['uuid','%s']]]}]",
			uuid_text(&port->row));
		world_turn(&world);
		ck_assert(world.model->state->next_in_round != port);
		for (port = NULL; (port = model_next_port(world.model, port));)
			ck_assert_str_ne(port->name, name);
	}
	while (!count_some(1))
		;
	n_changes = 0;
	for (struct model_port *port = NULL;
	     (port = model_next_port(world.model, port));)
		port->punts.of[PUNTED_ARP] = 7;
	do {
		n_parts++;
	} while (!count_some(1));
	ck_assert_uint_eq(n_parts, 2);
	ck_assert_uint_eq(n_changes, 2);
	world_transact(&world, "['hnv',{'op':'update','table':'Switch',"
		       "'where':[],'row':{'ports':['set',[]]}}]");
	world_turn(&world);
	ck_assert(count_some(1));
}
END_TEST

/* VLANs in a port are summed up as their turn comes, and told with the last. */
START_TEST(vlans_are_summed)
{
	struct model_port *port = NULL;
	unsigned n = 0;

	world_add_story(&world);
	world_transact(&world,
		"['ms_vtep',{'op':'update','table':'Physical_Port','where':"
		"[['name','==','{A1}']],'row':{'vlan_bindings':['map',["
		"[0,['uuid','" SUBNET_5001 "']],"
		"[10,['uuid','" SUBNET_5002 "']],"
		"[20,['uuid','" SUBNET_6001 "']]]]}}]");
	world_turn(&world);
	while ((port = model_next_port(world.model, port)))
		if (port->trunk || port == world_port(&world, "vm1"))
			port->punts.of[PUNTED_ARP] = 1u << 4 * n++;
	ck_assert_uint_eq(n, 3);
	while (!count_some(1))
		;
	ck_assert_str_eq(punts_of("vm1"), "273");	/* 0x111 */
	/* One that goes in the middle: no sum of some of them is told. */
	world_port(&world, "vm1")->punts.of[PUNTED_ARP] = 2;
	port = NULL;
	while (world.model->state->next_in_round
	       == NULL || !world.model->state->next_in_round->trunk)
		count_some(1);
	world_transact(&world,
		"['ms_vtep',{'op':'update','table':'Physical_Port','where':"
		"[['name','==','{A1}']],'row':{'vlan_bindings':['map',["
		"[0,['uuid','" SUBNET_5001 "']],"
		"[20,['uuid','" SUBNET_6001 "']]]]}}]");
	world_turn(&world);
	while (!count_some(1))
		;
	ck_assert_str_eq(punts_of("vm1"), "258");	/* 0x102 */
}
END_TEST

START_TEST(states)
{
	world_turn(&world);
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm1",
				      "status", "state"), "unbound");
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm1",
				      "status", "reason"), "no_policy");
	world_add_story(&world);
	world_turn(&world);
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm1",
				      "status", "state"), "bound");
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm1",
				      "status", "reason"), "");
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm1",
				      "status", "vsid"), "5001");
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Switch", "br0",
				      "status", "state"), "up");
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Provider_Address",
				      NULL, "status", "state"), "up");
	ck_assert_str_eq(world_status(&world, WORLD_MS_VTEP, "Physical_Port",
				      "{A1}", "status", "vm_nic_macaddress"),
			 "02:00:00:00:00:11");
	model_fault_set(&world_port(&world, "vm1")->device_fault,
			MODEL_NO_DEVICE, "%s", "no such interface");
	world.model->must_look = true;
	world_turn(&world);
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm1",
				      "status", "state"), "error");
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm1",
				      "status", "detail"),
			 "no such interface");
}
END_TEST

START_TEST(cfg_follows)
{
	world_add_story(&world);
	ck_assert_int_eq(world_integer(&world, WORLD_HNV, "Host", "cur_cfg"),
			 0);
	/* Not before packets obey. */
	status_write(world.model, false);
	ck_assert_int_eq(world_integer(&world, WORLD_HNV, "Host", "cur_cfg"),
			 0);
	world_turn(&world);
	ck_assert_int_eq(world_integer(&world, WORLD_HNV, "Host", "cur_cfg"),
			 7);
	ck_assert_int_eq(world_integer(&world, WORLD_MS_VTEP, "Global",
				       "cur_cfg"), 3);
}
END_TEST

START_TEST(others_keys_stay)
{
	world_add_story(&world);
	world_transact(&world,
		"['ms_vtep',{'op':'update','table':'Physical_Port',"
		"'where':[['name','==','{A1}']],'row':{'status':"
		"['map',[['vm_nic_vm_name','sql'],['reason','old']]]}}]");
	world_turn(&world);
	ck_assert_str_eq(world_status(&world, WORLD_MS_VTEP, "Physical_Port",
				      "{A1}", "status", "vm_nic_vm_name"),
			 "sql");
	ck_assert_str_eq(world_status(&world, WORLD_MS_VTEP, "Physical_Port",
				      "{A1}", "status", "reason"), "");
}
END_TEST

START_TEST(row_faults_are_counted)
{
	world_add_story(&world);
	for (int i = 0; i < 3; i++)
		world_transact(&world,
			"['ms_vtep',{'op':'insert','table':"
			"'Ucast_Macs_Remote','row':{'MAC':'bad','ipaddr':'',"
			"'logical_switch':['uuid','" SUBNET_5001 "'],"
			"'locator':['uuid','" HERE "'],"
			"'mapping_type':'default'}}]");
	world_turn(&world);
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Host", NULL,
				      "status", "faults"), "3");
	ck_assert_int_eq(strncmp(world_status(&world, WORLD_HNV, "Host", NULL,
					      "status", "fault_bad_mac"),
				 "3, as Ucast_Macs_Remote ", 24), 0);
	world_transact(&world,
		"['ms_vtep',{'op':'delete','table':'Ucast_Macs_Remote',"
		"'where':[['MAC','==','bad']]}]");
	world_turn(&world);
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Host", NULL,
				      "status", "fault_bad_mac"), "");
}
END_TEST

/* A bound port of hardware_vtep: its MAC is told, and then it is bound. */
START_TEST(local_mac_is_told)
{
	add_hardware_vtep();
	world_turn(&world);
	ck_assert_uint_eq(n_rows(WORLD_HARDWARE_VTEP, "Ucast_Macs_Local"), 1);
	ck_assert(model_is_dirty(world.model));
	world_turn(&world);
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm1",
				      "status", "state"), "bound");
	n_commits = 0;
	world_turn(&world);
	ck_assert_uint_eq(n_commits, 0);
	/* And taken back. */
	world_transact(&world,
		"['hnv',{'op':'update','table':'Port','where':"
		"[['name','==','vm1']],'row':{'iface_id':''}}]");
	world_turn(&world);
	ck_assert_uint_eq(n_rows(WORLD_HARDWARE_VTEP, "Ucast_Macs_Local"), 0);
	ck_assert_uint_eq(n_rows(WORLD_HARDWARE_VTEP, "Physical_Locator"), 0);
}
END_TEST

/* Where somebody else has told it, nothing is added, and ours goes. */
START_TEST(local_mac_of_others_stays)
{
	add_hardware_vtep();
	world_turn(&world);
	world_transact(&world,
		"['hardware_vtep',{'op':'insert','table':'Physical_Locator',"
		"'uuid-name':'l','row':{'dst_ip':'192.168.1.10',"
		"'tunnel_key':100,'encapsulation_type':'vxlan_over_ipv4'}},"
		"{'op':'insert','table':'Ucast_Macs_Local','row':{"
		"'MAC':'02:00:00:00:00:11','ipaddr':'10.0.0.11',"
		"'logical_switch':['uuid','" SUBNET_5001 "'],"
		"'locator':['named-uuid','l']}}]");
	world_turn(&world);
	world_turn(&world);
	ck_assert_uint_eq(n_rows(WORLD_HARDWARE_VTEP, "Ucast_Macs_Local"), 1);
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm1",
				      "status", "state"), "bound");
	n_commits = 0;
	world_turn(&world);
	ck_assert_uint_eq(n_commits, 0);
}
END_TEST

START_TEST(tunnel_ips_are_filled_in)
{
	const struct table *switches =
		database_table(world.databases[WORLD_HARDWARE_VTEP],
			       "Physical_Switch");
	const struct datum *ips;
	struct datum room;

	add_hardware_vtep();
	world_turn(&world);
	ips = row_get(table_first(switches), "tunnel_ips", &room);
	ck_assert_str_eq(datum_string(ips, ""), "192.168.1.10");
	world_transact(&world,
		"['hardware_vtep',{'op':'update','table':'Physical_Switch',"
		"'where':[],'row':{'tunnel_ips':'1.2.3.4'}}]");
	world_transact(&world,
		"['hnv',{'op':'update','table':'Port','where':[],'row':"
		"{'iface_id':'x'}}]");
	world_turn(&world);
	ips = row_get(table_first(switches), "tunnel_ips", &room);
	ck_assert_uint_eq(ips->n, 1);
	ck_assert_str_eq(datum_string(ips, ""), "1.2.3.4");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("status");
	TCase *tcase = tcase_create("status");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, said_once);
	tcase_add_test(tcase, counted_in_parts);
	tcase_add_test(tcase, ports_go_in_a_round);
	tcase_add_test(tcase, vlans_are_summed);
	tcase_add_test(tcase, states);
	tcase_add_test(tcase, cfg_follows);
	tcase_add_test(tcase, others_keys_stay);
	tcase_add_test(tcase, row_faults_are_counted);
	tcase_add_test(tcase, local_mac_is_told);
	tcase_add_test(tcase, local_mac_of_others_stays);
	tcase_add_test(tcase, tunnel_ips_are_filled_in);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
