/* SPDX-License-Identifier: Apache-2.0 */

/* Spellings: what reads, as what it is written, and what does not read. */

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "agent/model/state.h"

static const struct spelling {
	const char *text;
	const char *canonical;		/* NULL: does not read. */
} macs[] = {
	{ "00:15:5d:aa:bb:cc", "00:15:5d:aa:bb:cc" },
	{ "00-15-5D-AA-BB-CC", "00:15:5d:aa:bb:cc" },
	{ "00155dAABBcc", "00:15:5d:aa:bb:cc" },
	{ "0015.5daa.bbcc", "00:15:5d:aa:bb:cc" },
	{ "00:15-5d:aa:bb:cc", NULL },
	{ "0:15:5d:aa:bb:cc", NULL },
	{ "00:15:5d:aa:bb", NULL },
	{ "00:15:5d:aa:bb:cc:", NULL },
	{ "00:15:5d:aa:bb:cg", NULL },
	{ "00155daabbc", NULL },
	{ "00155daabbccd", NULL },
	{ " 00155daabbcc", NULL },
	{ "unknown-dst", NULL },
	{ "", NULL }
}, addresses[] = {
	{ "10.1.1.12", "10.1.1.12" },
	{ "fd00::1", "fd00::1" },
	{ "FD00:0:0::0001", "fd00::1" },
	{ "::ffff:10.1.1.12", "::ffff:10.1.1.12" },
	{ "10.1.1", NULL },
	{ "10.1.1.256", NULL },
	{ "10.1.1.12/24", NULL },
	{ "10.01.1.12", NULL },
	{ "fe80::1%eth0", NULL },
	{ "", NULL }
}, prefixes[] = {
	{ "10.1.1.0/24", "10.1.1.0 24" },
	{ "10.1.1.1/24", "10.1.1.1 24" },
	{ "10.1.1.1", "10.1.1.1 32" },
	{ "0.0.0.0/0", "0.0.0.0 0" },
	{ "fd00::/64", "fd00:: 64" },
	{ "fd00::1", "fd00::1 128" },
	{ "fd00::/129", NULL },
	{ "10.1.1.0/33", NULL },
	{ "10.1.1.0/", NULL },
	{ "10.1.1.0/024", NULL },
	{ "10.1.1.0/24 ", NULL },
	{ "10.1.1.0/99999999999", NULL },
	{ "10.1.1.0/-1", NULL },
	{ "/24", NULL },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/64", NULL }
}, iface_ids[] = {
	{ "{5FE4DBEA-b4f2}", "5fe4dbea-b4f2" },
	{ "5FE4DBEA-b4f2", "5fe4dbea-b4f2" },
	{ "{}", "" },
	{ "{", "{" },
	{ "{x", "{x" },
	{ "", "" }
};

#define N_OF(ARRAY) ((int) (sizeof ARRAY / sizeof *ARRAY))

START_TEST(mac_reads)
{
	const struct spelling *s = &macs[_i];
	char text[MODEL_MAC_TEXT_SIZE];
	uint8_t mac[6] = { 9, 9, 9, 9, 9, 9 };

	ck_assert_int_eq(model_mac_from_text(s->text, mac),
			 s->canonical != NULL);
	model_mac_to_text(mac, text);
	ck_assert_str_eq(text, s->canonical ? s->canonical
					    : "09:09:09:09:09:09");
}
END_TEST

START_TEST(address_reads)
{
	const struct spelling *s = &addresses[_i];
	char text[MODEL_ADDR_TEXT_SIZE];
	struct vsw_addr addr = { .n = 4, .bytes = { 9, 9, 9, 9 } };

	ck_assert_int_eq(model_addr_from_text(s->text, &addr),
			 s->canonical != NULL);
	model_addr_to_text(&addr, text);
	ck_assert_str_eq(text, s->canonical ? s->canonical : "9.9.9.9");
}
END_TEST

START_TEST(prefix_reads)
{
	const struct spelling *s = &prefixes[_i];
	char text[MODEL_ADDR_TEXT_SIZE + 8];
	struct vsw_addr addr;
	unsigned bits;

	if (!s->canonical) {
		ck_assert(!model_prefix_from_text(s->text, &addr, &bits));
		return;
	}
	ck_assert(model_prefix_from_text(s->text, &addr, &bits));
	model_addr_to_text(&addr, text);
	snprintf(text + strlen(text), 8, " %u", bits);
	ck_assert_str_eq(text, s->canonical);
}
END_TEST

START_TEST(iface_id_reads)
{
	char *id = iface_id_from_text(iface_ids[_i].text);

	ck_assert_str_eq(id, iface_ids[_i].canonical);
	free(id);
}
END_TEST

START_TEST(no_address_is_no_text)
{
	struct vsw_addr none = { .n = 0 };
	char text[MODEL_ADDR_TEXT_SIZE] = "x";

	model_addr_to_text(&none, text);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(reasons_have_names)
{
	for (int i = 0; i < MODEL_N_REASONS; i++) {
		ck_assert_ptr_nonnull(model_reason_name(i));
		ck_assert_ptr_nonnull(model_reason_text(i));
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(model_reason_name(i),
					 model_reason_name(j));
	}
	ck_assert_str_eq(model_reason_name(MODEL_ENGINE), "engine");
	ck_assert_str_eq(model_reason_name(MODEL_NO_PROVIDER_ADDRESS),
			 "no_provider_address");
}
END_TEST

START_TEST(fault_tells_changes)
{
	struct model_fault fault = { MODEL_OK, NULL };

	ck_assert(!model_fault_set(&fault, MODEL_OK, NULL));
	ck_assert(model_fault_set(&fault, MODEL_LIMIT, "%d", 5));
	ck_assert(!model_fault_set(&fault, MODEL_LIMIT, "%d", 5));
	ck_assert(model_fault_set(&fault, MODEL_LIMIT, "%d", 6));
	ck_assert_str_eq(fault.detail, "6");
	ck_assert(model_fault_set(&fault, MODEL_LIMIT, NULL));
	ck_assert(model_fault_set(&fault, MODEL_OK, NULL));
	ck_assert_ptr_null(fault.detail);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");
	SRunner *runner;
	int n_failed;

	tcase_add_loop_test(tcase, mac_reads, 0, N_OF(macs));
	tcase_add_loop_test(tcase, address_reads, 0, N_OF(addresses));
	tcase_add_loop_test(tcase, prefix_reads, 0, N_OF(prefixes));
	tcase_add_loop_test(tcase, iface_id_reads, 0, N_OF(iface_ids));
	tcase_add_test(tcase, no_address_is_no_text);
	tcase_add_test(tcase, reasons_have_names);
	tcase_add_test(tcase, fault_tells_changes);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
