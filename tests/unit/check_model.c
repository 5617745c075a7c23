/* SPDX-License-Identifier: Apache-2.0 */

/* The model follows the rows: what is found, and a twin that knows only the
 * rows and reads all of them each time. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/model/state.h"
#include "tests/unit/policy_world.h"

static struct world world;

static void
set_up(void)
{
	world_init(&world);
	world_add_host(&world);
	world_add_story(&world);
	world_turn(&world);
}

static void
tear_down(void)
{
	world_done(&world);
}

static const struct model_mapping *
find_ca(uint32_t vni, const char *text)
{
	struct vsw_addr ca;

	ck_assert(model_addr_from_text(text, &ca));
	return model_find_ca(world_subnet(&world, vni), &ca);
}

static bool
is_gateway(uint32_t vni, const char *text)
{
	struct vsw_addr addr;

	ck_assert(model_addr_from_text(text, &addr));
	return model_find_gateway(world_subnet(&world, vni), &addr);
}

START_TEST(finds)
{
	struct model_port *vm1 = world_port(&world, "vm1");
	const struct model_mapping *mapping = find_ca(5001, "10.1.1.11");
	uint8_t mac[6];

	ck_assert_ptr_eq(model_find_port(world.model, vm1->port), vm1);
	ck_assert_ptr_null(model_find_port(world.model, NULL));
	ck_assert_ptr_eq(mapping->port, vm1);
	ck_assert(mapping->is_local);
	ck_assert_ptr_null(find_ca(5002, "10.1.1.11"));
	ck_assert_ptr_null(find_ca(5001, "fd00::1"));
	ck_assert(!find_ca(5001, "10.1.1.12")->is_local);
	ck_assert(model_mac_from_text("02:00:00:00:00:12", mac));
	ck_assert_ptr_eq(model_find_mac(world_subnet(&world, 5001), mac),
			 find_ca(5001, "10.1.1.12"));
	ck_assert_ptr_null(model_find_mac(world_subnet(&world, 6001), mac));
	ck_assert_ptr_null(model_find_subnet(world.model, 7001, NULL));
	ck_assert_ptr_null(model_find_subnet(
		world.model, 6001, world_subnet(&world, 5001)->router));
}
END_TEST

START_TEST(gateways)
{
	ck_assert(is_gateway(5001, "10.1.1.1"));
	ck_assert(!is_gateway(5001, "10.1.2.254"));
	ck_assert(is_gateway(5002, "10.1.2.254"));
	ck_assert(!is_gateway(5002, "10.1.2.1"));
	ck_assert(!is_gateway(6001, "10.1.1.1"));
	world_transact(&world,
		"['ms_vtep',{'op':'update','table':'Logical_Router',"
		"'where':[],'row':{'enable_logical_router':false}}]");
	world_turn(&world);
	ck_assert(!is_gateway(5001, "10.1.1.1"));
}
END_TEST

START_TEST(own_writes_are_not_news)
{
	ck_assert(!model_is_dirty(world.model));
	world_transact(&world,
		"['hnv',{'op':'update','table':'Port','where':[],'row':"
		"{'status':['map',[['state','mine']]]}}]");
	ck_assert(!model_is_dirty(world.model));
	world_transact(&world,
		"['hnv',{'op':'update','table':'Port','where':[],'row':"
		"{'iface_id':'a3'}}]");
	ck_assert(model_is_dirty(world.model));
}
END_TEST

/* Another address of this host's own: what lived there is local now. */
START_TEST(provider_address_comes)
{
	ck_assert(!find_ca(5001, "10.1.1.12")->is_local);
	world_transact(&world,
		"['hnv',{'op':'insert','table':'Provider_Address',"
		"'uuid-name':'pa','row':{'ip':'192.168.2.20',"
		"'device':'socket'}},"
		"{'op':'mutate','table':'Switch','where':[],'mutations':"
		"[['provider_addresses','insert',['named-uuid','pa']]]}]");
	world_turn(&world);
	ck_assert(find_ca(5001, "10.1.1.12")->is_local);
	world_transact(&world,
		"['hnv',{'op':'update','table':'Switch','where':[],'row':"
		"{'provider_addresses':['set',[]]}}]");
	world_turn(&world);
	ck_assert(!find_ca(5001, "10.1.1.12")->is_local);
	ck_assert(!find_ca(5001, "10.1.1.11")->is_local);
	ck_assert_ptr_null(world_port(&world, "vm1")->subnet);
	ck_assert_int_eq(world_port(&world, "vm1")->fault.reason,
			 MODEL_NO_PROVIDER_ADDRESS);
}
END_TEST

/* What a reader of all rows would say wins (subnet, CA); order of time is the
 * twin's own note. */
enum { TWIN_ROWS = 40, TWIN_CAS = 6 };

static struct twin_row {
	bool is_there;
	int subnet, ca, mac, place, rank;
	unsigned time;
} twin[TWIN_ROWS];

static const struct twin_row *
twin_best(int subnet, int ca)
{
	const struct twin_row *best = NULL;

	for (int i = 0; i < TWIN_ROWS; i++) {
		const struct twin_row *row = &twin[i];

		if (!row->is_there || row->subnet != subnet || row->ca != ca)
			continue;
		if (!best || row->rank < best->rank
		    || (row->rank == best->rank && row->rank
			&& row->time > best->time))
			best = row;
	}
	return best;
}

static void
twin_write(int i, unsigned time)
{
	static const char *const types[] = {
		"load_balanced", "default", "learning_disabled"
	};
	static const char *const subnets[] = { SUBNET_5001, SUBNET_6001 };
	static const char *const places[] = { HERE, THERE };
	struct twin_row *row = &twin[i];

	if (row->is_there) {
		world_transact(&world,
			"['ms_vtep',{'op':'delete','table':"
			"'Ucast_Macs_Remote','where':[['_uuid','==',['uuid',"
			"'00000000-0000-4000-8000-00000001%04d']]]}]", i);
		row->is_there = false;
		return;
	}
	row->is_there = true;
	row->subnet = rand() % 2;
	row->ca = rand() % TWIN_CAS;
	row->mac = rand() % 8;
	row->place = rand() % 2;
	row->rank = rand() % 3;
	row->time = time;
	world_transact(&world,
		"['ms_vtep',{'op':'insert','table':'Ucast_Macs_Remote',"
		"'uuid':'00000000-0000-4000-8000-00000001%04d','row':{"
		"'MAC':'02:00:00:00:09:%02x','ipaddr':'10.3.0.%d',"
		"'logical_switch':['uuid','%s'],'locator':['uuid','%s'],"
		"'mapping_type':'%s'}}]", i, row->mac, row->ca + 1,
		subnets[row->subnet], places[row->place], types[row->rank]);
}

static void
twin_compare(void)
{
	static const uint32_t vnis[] = { 5001, 6001 };
	size_t n_rows = 0, n_mappings = 0;

	for (int subnet = 0; subnet < 2; subnet++) {
		n_mappings += world_subnet(&world, vnis[subnet])->n_mappings;
		for (int ca = 0; ca < TWIN_CAS; ca++) {
			const struct twin_row *best = twin_best(subnet, ca);
			const struct model_mapping *mapping;
			char text[16];

			snprintf(text, sizeof text, "10.3.0.%d", ca + 1);
			mapping = find_ca(vnis[subnet], text);
			ck_assert_int_eq(mapping != NULL, best != NULL);
			if (!best)
				continue;
			ck_assert_int_eq(mapping->mac[5], best->mac);
			ck_assert_int_eq(mapping->is_local, !best->place);
		}
	}
	for (int i = 0; i < TWIN_ROWS; i++)
		n_rows += twin[i].is_there;
	/* And the two of the story. */
	ck_assert_uint_eq(n_mappings, n_rows + 2);
}

START_TEST(twin_agrees)
{
	unsigned n_compared = 0;

	srand(7);
	memset(twin, 0, sizeof twin);
	/* UUIDs ascend with the index, so the first best is the lowest. */
	for (unsigned time = 1; time < 3000; time++) {
		twin_write(rand() % TWIN_ROWS, time);
		if (rand() % 3)
			continue;
		world_turn(&world);
		twin_compare();
		n_compared++;
	}
	ck_assert_uint_gt(n_compared, 500);
	for (int i = 0; i < TWIN_ROWS; i++)
		if (twin[i].is_there)
			twin_write(i, 0);
	world_turn(&world);
	twin_compare();
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Host", NULL,
				      "status", "faults"), "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("model");
	TCase *tcase = tcase_create("model");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, finds);
	tcase_add_test(tcase, gateways);
	tcase_add_test(tcase, own_writes_are_not_news);
	tcase_add_test(tcase, provider_address_comes);
	tcase_add_test(tcase, twin_agrees);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
