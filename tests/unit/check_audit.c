/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/policy/audit.c: somebody reaches around the model into the
 * switch, or around the databases' observers into the model, and it is found,
 * mended and counted. */

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/log.h"
#include "agent/model/state.h"
#include "agent/policy/applied.h"
#include "agent/policy/audit.h"
#include "tests/unit/policy_world.h"

static struct world world;
static struct audit *audit;

static void
setup(void)
{
	log_init("check_audit", LOG_LEVEL_ERROR, false);
	world_init(&world);
	world_add_host(&world);
	world_add_story(&world);
	world_turn(&world);
	audit = audit_new(world.model);
}

static void
teardown(void)
{
	audit_free(audit);
	world_done(&world);
}

static struct vsw_mapping *
mapping_of(uint32_t vni)
{
	struct placement *placement = applied_find(world_subnet(&world, vni),
						   world_switch(&world));

	ck_assert_ptr_nonnull(placement);
	return placement->edited.mapping;
}

static void
expect(uint64_t rows, uint64_t programs, uint64_t addresses)
{
	const struct audit_counters *c = audit_counters(audit);

	ck_assert_uint_eq(c->n_rows, rows);
	ck_assert_uint_eq(c->n_programs, programs);
	ck_assert_uint_eq(c->n_addresses, addresses);
	ck_assert_uint_eq(c->n_repaired, rows + programs + addresses);
	ck_assert_int_eq(*c->last != '\0', rows + programs + addresses > 0);
}

START_TEST(finds_nothing_where_nothing_is)
{
	audit_round(audit);
	expect(0, 0, 0);
	ck_assert_uint_eq(audit_counters(audit)->n_rounds, 1);
	/* Two rows' counts, three rows, ports and the uplink, and addresses of
	 * two subnets from both sides. */
	ck_assert_uint_ge(audit_counters(audit)->n_checks, 16);
	audit_slice(audit, 1000000000);
	ck_assert_uint_eq(audit_counters(audit)->n_rounds, 2);
}
END_TEST

START_TEST(mends_addresses)
{
	static const uint8_t foreign[6] = { 2, 0, 0, 0, 0, 0x99 };
	struct vsw_mapping *mapping = mapping_of(5001);
	size_t n = vsw_mapping_n_entries(mapping);
	struct vsw_location location, seen;
	struct vsw_addr ca;

	ck_assert(model_addr_from_text("10.1.1.12", &ca));
	ck_assert_uint_eq(vsw_mapping_get_addr(mapping, &ca, &location, 1), 1);

	/* One that is gone, */
	vsw_mapping_remove_addr(mapping, &ca);
	audit_round(audit);
	expect(0, 0, 1);
	ck_assert_uint_eq(vsw_mapping_get_addr(mapping, &ca, &seen, 1), 1);
	/* one that is elsewhere, */
	seen.vni = 77;
	ck_assert_int_eq(vsw_mapping_set_addr(mapping, &ca, &seen, 1), 0);
	audit_round(audit);
	expect(0, 0, 2);
	ck_assert_uint_eq(vsw_mapping_get_addr(mapping, &ca, &seen, 1), 1);
	ck_assert_uint_eq(seen.vni, location.vni);
	/* and two that nobody has asked for. */
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, foreign, &seen, 1), 0);
	ca.bytes[3] = 200;
	ck_assert_int_eq(vsw_mapping_set_addr(mapping, &ca, &seen, 1), 0);
	audit_round(audit);
	expect(0, 0, 4);
	ck_assert_uint_eq(vsw_mapping_n_entries(mapping), n);
	audit_round(audit);
	expect(0, 0, 4);
}
END_TEST

START_TEST(mends_programs)
{
	struct model_port *port = world_port(&world, "vm1");

	ck_assert_ptr_eq(vsw_port_get_program(port->port), port->program);
	ck_assert_int_eq(vsw_port_set_program(port->port, NULL), 0);
	audit_round(audit);
	expect(0, 1, 0);
	ck_assert_ptr_eq(vsw_port_get_program(port->port), port->program);
}
END_TEST

/* A commit that nobody told the model of. */
START_TEST(mends_rows)
{
	struct model_state *state = world.model->state;
	struct uuid row;
	struct keyed *keyed;
	struct mapping_row *mapping;
	struct vsw_mapping *engine = mapping_of(5001);
	struct vsw_location seen;
	struct vsw_addr ca;

	ck_assert(model_addr_from_text("10.1.1.12", &ca));
	keyed = map_find(&state->mappings,
			 &subnet_table_best(world_subnet(&world, 5001)->table,
					    &(struct mapping_key) { .ca = ca })
				  ->by_row.key);
	ck_assert_ptr_nonnull(keyed);
	row = keyed->key;
	mapping = KEYED_ENTRY(keyed, struct mapping_row, by_row);
	mapping->mapping.mac[5] ^= 0x40;
	audit_round(audit);
	ck_assert_uint_ge(audit_counters(audit)->n_rows, 1);
	/* The row is followed anew. */
	mapping->mapping.mac[5] ^= 0x40;
	ck_assert(model_is_dirty(world.model));
	world_turn(&world);
	ck_assert(map_find(&state->mappings, &row) != NULL);
	ck_assert_uint_eq(vsw_mapping_get_addr(engine, &ca, &seen, 1), 1);
	ck_assert_uint_eq(seen.mac[5], 0x12);
	audit_round(audit);
	ck_assert_uint_eq(audit_counters(audit)->n_rows, 1);

	/* Rows that the model has never heard of. */
	database_unobserve(world.databases[WORLD_MS_VTEP],
			   &state->followers[DB_MS_VTEP].observer);
	world_transact(&world, "['ms_vtep',{'op':'insert',"
		       "'table':'Ucast_Macs_Remote','row':{"
		       "'MAC':'020000000077','ipaddr':'10.1.1.77',"
		       "'logical_switch':['uuid','" SUBNET_5001 "'],"
		       "'locator':['uuid','" THERE "'],"
		       "'mapping_type':'default'}}]");
	database_observe(world.databases[WORLD_MS_VTEP],
			 &state->followers[DB_MS_VTEP].observer);
	world_turn(&world);
	ck_assert(model_addr_from_text("10.1.1.77", &ca));
	ck_assert_uint_eq(vsw_mapping_get_addr(engine, &ca, &seen, 1), 0);
	audit_round(audit);
	ck_assert_uint_eq(audit_counters(audit)->n_rows, 2);
	world_turn(&world);
	ck_assert_uint_eq(vsw_mapping_get_addr(engine, &ca, &seen, 1), 1);
	audit_round(audit);
	ck_assert_uint_eq(audit_counters(audit)->n_rows, 2);
}
END_TEST

/* While a change is on its way there is nothing to be compared. */
START_TEST(waits_for_changes)
{
	uint64_t n = audit_counters(audit)->n_checks;

	world_transact(&world, "['ms_vtep',{'op':'delete',"
		       "'table':'Ucast_Macs_Remote','where':[]}]");
	audit_round(audit);
	ck_assert_uint_eq(audit_counters(audit)->n_checks, n);
	world_turn(&world);
	audit_round(audit);
	expect(0, 0, 0);
	ck_assert_uint_gt(audit_counters(audit)->n_checks, n);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("audit");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, finds_nothing_where_nothing_is);
	tcase_add_test(all, mends_addresses);
	tcase_add_test(all, mends_programs);
	tcase_add_test(all, mends_rows);
	tcase_add_test(all, waits_for_changes);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
