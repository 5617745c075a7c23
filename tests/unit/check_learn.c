/* SPDX-License-Identifier: Apache-2.0 */

/* From a packet whose source nobody knows to a row of Ucast_Macs_Local, and to
 * the port that the MAC is behind; and back. */

#include "agent/policy/learn.h"

#include <check.h>
#include <stdlib.h>
#include "agent/model/guard.h"
#include "agent/model/state.h"
#include "tests/unit/policy_world.h"

#define S UINT64_C(1000000000)
#define LS U("51")

static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 0xa };
static const uint8_t mac_b[6] = { 2, 0, 0, 0, 0, 0xb };
static const uint8_t mac_c[6] = { 2, 0, 0, 0, 0, 0xc };
static const uint8_t mac_vm1[6] = { 2, 0, 0, 0, 0, 0x11 };

static struct world world;

/* Both ports in one subnet; vm1's MAC is said, vm2's is not. */
static void
begin(void)
{
	world_init(&world);
	world_add_host(&world);
	world_transact(&world,
		"['hardware_vtep',"
		"{'op':'insert','table':'Logical_Switch','uuid':'" LS "',"
		"'row':{'name':'ls0','tunnel_key':100}},"
		"{'op':'insert','table':'Physical_Port','uuid-name':'p1',"
		"'row':{'name':'a1','vlan_bindings':['map',[[0,"
		"['uuid','" LS "']]]]}},"
		"{'op':'insert','table':'Physical_Port','uuid-name':'p2',"
		"'row':{'name':'a2','vlan_bindings':['map',[[0,"
		"['uuid','" LS "']]]]}},"
		"{'op':'insert','table':'Physical_Switch','uuid-name':'s',"
		"'row':{'name':'br0','tunnel_ips':'192.168.1.10','ports':"
		"['set',[['named-uuid','p1'],['named-uuid','p2']]]}},"
		"{'op':'insert','table':'Global','row':"
		"{'switches':['named-uuid','s']}}]");
}

static void
setup(void)
{
	begin();
	for (int i = 0; i < 4; i++)
		world_turn(&world);
}

/* As one that was here before has left it; the locator is there already. */
static void
leave_row(const uint8_t mac[6])
{
	struct uuid subnet, uuid;
	char row[UUID_TEXT_SIZE], text[MODEL_MAC_TEXT_SIZE];

	ck_assert(uuid_from_text(LS, &subnet));
	uuid = learned_uuid(&subnet, mac);
	uuid_to_text(&uuid, row);
	model_mac_to_text(mac, text);
	world_transact(&world,
		"['hardware_vtep',{'op':'insert','table':'Ucast_Macs_Local',"
		"'uuid':'%s','row':{'MAC':'%s','logical_switch':"
		"['uuid','" LS "'],'locator':['uuid','" HERE "']}}]", row,
		text);
}

static void
teardown(void)
{
	world_done(&world);
}

static size_t
n_told(const char *table)
{
	return table_n_rows(database_table(
		world.databases[WORLD_HARDWARE_VTEP], table));
}

static void
hear(const char *port, const uint8_t mac[6], uint64_t now)
{
	learn_heard(world.model, world_port(&world, port), 100, mac, now);
	while (model_is_dirty(world.model))
		world_turn(&world);
}

static void
age(uint64_t now)
{
	learn_age(world.model, now);
	while (model_is_dirty(world.model))
		world_turn(&world);
}

/* Where the engine finds it; NULL: nowhere. */
static const struct model_port *
engine_has(const uint8_t mac[6])
{
	const struct placement *placement = applied_find(
		world_subnet(&world, 100), world_switch(&world));
	struct vsw_location at = { .size = sizeof at };

	ck_assert_ptr_nonnull(placement);
	if (!vsw_mapping_get_mac(placement->edited.mapping, mac, &at, 1))
		return NULL;
	ck_assert_ptr_nonnull(at.port);
	return model_find_port(world.model, at.port);
}

START_TEST(is_bound_without_a_mac)
{
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm2",
				      "status", "state"), "bound");
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 1);
	ck_assert_uint_eq(n_told("Mcast_Macs_Local"), 1);
	ck_assert_ptr_eq(engine_has(mac_vm1), world_port(&world, "vm1"));
}
END_TEST

START_TEST(is_told_and_found)
{
	hear("vm2", mac_a, S);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 2);
	ck_assert_ptr_eq(engine_has(mac_a), world_port(&world, "vm2"));
	hear("vm1", mac_b, S);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 3);
	ck_assert_ptr_eq(engine_has(mac_b), world_port(&world, "vm1"));
	hear("vm1", mac_a, 2 * S);	/* Moves. */
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 3);
	ck_assert_ptr_eq(engine_has(mac_a), world_port(&world, "vm1"));
}
END_TEST

START_TEST(what_is_said_is_not_heard)
{
	hear("vm2", mac_vm1, S);
	hear("vm2", world.model->router_mac, S);
	ck_assert_uint_eq(world_port(&world, "vm2")->learned.n_refused, 2);
	ck_assert_ptr_eq(engine_has(mac_vm1), world_port(&world, "vm1"));
	learn_heard(world.model, world_port(&world, "vm2"), 101, mac_a, S);
	ck_assert_uint_eq(world_port(&world, "vm2")->learned.n, 0);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 1);
	/* Nor when it is said later. */
	hear("vm2", mac_a, S);
	world_transact(&world,
		"['hnv',{'op':'update','table':'Port','where':"
		"[['name','==','vm1']],'row':{'mac':'02:00:00:00:00:0a'}}]");
	do
		world_turn(&world);
	while (model_is_dirty(world.model));
	ck_assert_uint_eq(world_port(&world, "vm2")->learned.n, 0);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 1);
	ck_assert_ptr_eq(engine_has(mac_a), world_port(&world, "vm1"));
}
END_TEST

START_TEST(goes_when_it_is_silent)
{
	hear("vm2", mac_a, S);
	age(S);
	age(100 * S);
	hear("vm2", mac_b, 100 * S);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 3);
	age(400 * S);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 2);
	ck_assert_ptr_null(engine_has(mac_a));
	ck_assert_ptr_eq(engine_has(mac_b), world_port(&world, "vm2"));
	ck_assert(learn_age(world.model, 401 * S));
	age(800 * S);
	age(1200 * S);
	ck_assert(!learn_age(world.model, 1201 * S));
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 1);
}
END_TEST

START_TEST(goes_with_its_port_or_its_binding)
{
	hear("vm2", mac_a, S);
	world_transact(&world,
		"['hardware_vtep',{'op':'update','table':'Physical_Port',"
		"'where':[['name','==','a2']],'row':{'vlan_bindings':"
		"['map',[]]}}]");
	world_turn(&world);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 1);
	ck_assert_uint_eq(world_port(&world, "vm2")->learned.n, 0);
	hear("vm2", mac_a, 2 * S);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 1);
	hear("vm1", mac_a, 3 * S);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 2);
	world_transact(&world,
		"['hnv',{'op':'update','table':'Switch','where':[],"
		"'row':{'ports':['set',[]]}}]");
	while (model_is_dirty(world.model))
		world_turn(&world);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 0);
	ck_assert_uint_eq(n_told("Mcast_Macs_Local"), 0);
	ck_assert_uint_eq(n_told("Physical_Locator"), 0);
}
END_TEST

/* What an agent before this one has heard stays until it would have aged. */
START_TEST(restart_loses_nobody)
{
	world_done(&world);
	begin();
	world_transact(&world,
		"['hardware_vtep',"
		"{'op':'insert','table':'Physical_Locator','uuid':'" HERE "',"
		"'row':{'dst_ip':'192.168.1.10',"
		"'encapsulation_type':'vxlan_over_ipv4'}},"
		"{'op':'insert','table':'Physical_Locator','uuid':'" THERE "',"
		"'row':{'dst_ip':'192.168.2.20',"
		"'encapsulation_type':'vxlan_over_ipv4'}},"
		"{'op':'insert','table':'Ucast_Macs_Remote','row':{"
		"'MAC':'02:00:00:00:00:0c','logical_switch':"
		"['uuid','" LS "'],'locator':['uuid','" THERE "']}},"
		"{'op':'insert','table':'Ucast_Macs_Local','row':{"
		"'MAC':'02:00:00:00:00:0d','logical_switch':"
		"['uuid','" LS "'],'locator':['uuid','" HERE "']}}]");
	leave_row(mac_a);
	leave_row(mac_b);
	leave_row(mac_c);
	do
		world_turn(&world);
	while (model_is_dirty(world.model));
	/* Theirs, vm1's, a and b; c is elsewhere by now. */
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 4);
	ck_assert_ptr_eq(engine_has(mac_a), world_port(&world, "vm2"));
	hear("vm1", mac_b, S);
	age(S);
	age(299 * S);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 4);
	hear("vm1", mac_b, 299 * S);
	age(301 * S);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 3);
	ck_assert_ptr_null(engine_has(mac_a));
	ck_assert_ptr_eq(engine_has(mac_b), world_port(&world, "vm1"));
}
END_TEST

/* A controller that knows later knows better. */
START_TEST(goes_when_it_is_elsewhere)
{
	hear("vm2", mac_a, S);
	world_transact(&world,
		"['hardware_vtep',{'op':'insert','table':'Physical_Locator',"
		"'uuid-name':'there','row':{'dst_ip':'192.168.2.20',"
		"'encapsulation_type':'vxlan_over_ipv4'}},"
		"{'op':'insert','table':'Ucast_Macs_Remote','row':{"
		"'MAC':'02:00:00:00:00:0a','logical_switch':"
		"['uuid','" LS "'],'locator':['named-uuid','there']}}]");
	world_turn(&world);
	age(2 * S);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 1);
	hear("vm2", mac_a, 3 * S);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 2);
	ck_assert_ptr_eq(engine_has(mac_a), world_port(&world, "vm2"));
}
END_TEST

/* One that a controller has written says nothing of the port, and is not
 * written a second time. */
START_TEST(others_rows_stay)
{
	world_transact(&world,
		"['hnv',{'op':'update','table':'Port','where':"
		"[['name','==','vm1']],'row':{'mac':''}}]");
	world_turn(&world);
	world_transact(&world,
		"['hardware_vtep',{'op':'insert','table':'Physical_Locator',"
		"'uuid-name':'there','row':{'dst_ip':'192.168.1.10',"
		"'encapsulation_type':'vxlan_over_ipv4','tunnel_key':1}},"
		"{'op':'insert','table':'Ucast_Macs_Local','row':{"
		"'MAC':'02:00:00:00:00:0a','logical_switch':"
		"['uuid','" LS "'],'locator':['named-uuid','there']}}]");
	world_turn(&world);
	ck_assert_ptr_null(engine_has(mac_a));	/* Whose of the two? */
	hear("vm2", mac_a, S);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 1);
	ck_assert_ptr_eq(engine_has(mac_a), world_port(&world, "vm2"));
	age(S);
	age(100 * S);
	age(500 * S);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 1);
	ck_assert_ptr_null(engine_has(mac_a));
}
END_TEST

/* Else whoever has spoken first might go on. */
START_TEST(what_is_heard_vouches_for_nothing)
{
	struct guard guard;

	hear("vm2", mac_a, S);
	world_transact(&world, "['hardware_vtep',{'op':'update','table':"
		       "'Ucast_Macs_Local','where':[],'row':"
		       "{'ipaddr':'10.0.0.1'}}]");
	while (model_is_dirty(world.model))
		world_turn(&world);
	ck_assert(!world_port(&world, "vm2")->is_guarded);
	ck_assert(world_port(&world, "vm1")->is_guarded);
	world_transact(&world, "['hnv',{'op':'update','table':'Port','where':"
		       "[],'row':{'guards':['map',[['mac',true]]]}}]");
	while (model_is_dirty(world.model))
		world_turn(&world);
	ck_assert(world_port(&world, "vm2")->is_guarded);
	guard_init(&guard, world_port(&world, "vm2"));
	ck_assert_uint_eq(guard.n_macs, 0);
	guard_clear(&guard);
	ck_assert_uint_eq(world_port(&world, "vm2")->learned.n, 0);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 1);
}
END_TEST

/* What is withdrawn by somebody else is still so. */
START_TEST(is_told_again)
{
	hear("vm2", mac_a, S);
	world_transact(&world, "['hardware_vtep',{'op':'delete','table':"
		       "'Ucast_Macs_Local','where':[]},{'op':'delete',"
		       "'table':'Mcast_Macs_Local','where':[]}]");
	while (model_is_dirty(world.model))
		world_turn(&world);
	ck_assert_uint_eq(n_told("Ucast_Macs_Local"), 2);
	ck_assert_uint_eq(n_told("Mcast_Macs_Local"), 1);
	ck_assert_ptr_eq(engine_has(mac_a), world_port(&world, "vm2"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("learn");
	TCase *tcase = tcase_create("learn");
	SRunner *runner = srunner_create(suite);
	int n_failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, is_bound_without_a_mac);
	tcase_add_test(tcase, is_told_and_found);
	tcase_add_test(tcase, what_is_said_is_not_heard);
	tcase_add_test(tcase, goes_when_it_is_silent);
	tcase_add_test(tcase, goes_with_its_port_or_its_binding);
	tcase_add_test(tcase, restart_loses_nobody);
	tcase_add_test(tcase, goes_when_it_is_elsewhere);
	tcase_add_test(tcase, others_rows_stay);
	tcase_add_test(tcase, what_is_heard_vouches_for_nothing);
	tcase_add_test(tcase, is_told_again);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
