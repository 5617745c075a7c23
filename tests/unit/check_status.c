/* SPDX-License-Identifier: Apache-2.0 */

/* The way back: what rows are told, and that it is said once. */

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "agent/status/write.h"
#include "tests/unit/policy_world.h"

static struct world world;
static unsigned n_commits;

static void
count_commit(struct observer *observer, const struct commit *commit)
{
	(void) observer;
	(void) commit;
	n_commits++;
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

static size_t
n_rows(int database, const char *table)
{
	return table_n_rows(database_table(world.databases[database], table));
}

START_TEST(said_once)
{
	world_add_story(&world);
	world_turn(&world);
	n_commits = 0;
	for (int i = 0; i < 5; i++)
		world_turn(&world);
	status_write(world.model, true);
	status_write(world.model, true);
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
	status_write(world.model, true);
	ck_assert_uint_eq(n_rows(WORLD_MS_VTEP, "Logical_Binding_Stats"), 1);
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
