/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/takeover/record.c: what is written is what is read, and nothing
 * that is damaged reads at all. */

#include "agent/takeover/record.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/rtnetlink.h>

#include "agent/base/log.h"
#include "tests/unit/scratch.h"

static char dir[SCRATCH_SIZE];
static char path[128];

static void
make_dir(void)
{
	scratch_make(dir);
	snprintf(path, sizeof path, "%s/eth0", dir);
}

static struct nlmsghdr *
route(uint32_t priority)
{
	struct nlmsghdr *item = calloc(1, 256);
	struct rtmsg *info;

	mnl_nlmsg_put_header(item);
	item->nlmsg_type = RTM_NEWROUTE;
	info = mnl_nlmsg_put_extra_header(item, sizeof *info);
	info->rtm_family = 2;
	mnl_attr_put_u32(item, RTA_OIF, 0);
	mnl_attr_put_u32(item, RTA_PRIORITY, priority);
	return item;
}

static struct record *
sample(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 255 };
	struct record *record = record_new("eth0");

	free(record->switch_name);
	record->switch_name = strdup("a switch\nwith \\ all");
	strcpy(record->port, "hp");
	strcpy(record->id, "0123456789abcdef");
	record->state = RECORD_PENDING;
	record->then = RECORD_ROLLED_BACK;
	record->deadline_ms = INT64_C(123456789012);
	record->until_s = 1700000000;
	record->gen_mode = 255;
	memcpy(record->port_mac, mac, 6);
	model_fault_set(&record->fault, MODEL_IN_USE, "line\nand \\n");
	for (uint32_t i = 0; i < 5; i++)
		ck_assert(holdings_add(&record->holdings, route(i)));
	return record;
}

static char *
load(size_t *size)
{
	FILE *file = fopen(path, "r");
	char *bytes = malloc(65536);

	ck_assert_ptr_nonnull(file);
	*size = fread(bytes, 1, 65536, file);
	fclose(file);
	return bytes;
}

static void
store(const char *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

START_TEST(there_and_back)
{
	struct record *to, *record = sample();

	ck_assert_int_eq(record_write(dir, record), 0);
	ck_assert_int_eq(record_read(dir, "eth0", &to), 0);
	ck_assert_str_eq(to->switch_name, record->switch_name);
	ck_assert_str_eq(to->interface, "eth0");
	ck_assert_str_eq(to->port, "hp");
	ck_assert_str_eq(to->request, "");
	ck_assert_str_eq(to->id, record->id);
	ck_assert_str_eq(to->boot, record->boot);
	ck_assert_uint_gt(strlen(to->boot), 30);
	ck_assert_int_eq(to->state, RECORD_PENDING);
	ck_assert_int_eq(to->then, RECORD_ROLLED_BACK);
	ck_assert_int_eq(to->deadline_ms, record->deadline_ms);
	ck_assert_int_eq(to->until_s, record->until_s);
	ck_assert_int_eq(to->gen_mode, 255);
	ck_assert_mem_eq(to->port_mac, record->port_mac, 6);
	ck_assert_int_eq(to->fault.reason, MODEL_IN_USE);
	ck_assert_str_eq(to->fault.detail, record->fault.detail);
	ck_assert_uint_eq(to->holdings.n, 5);
	for (size_t i = 0; i < 5; i++) {
		ck_assert(holdings_same(to->holdings.items[i],
					record->holdings.items[i]));
		ck_assert(i == 0 || !holdings_same(to->holdings.items[i],
						   record->holdings.items[0]));
	}
	record_remove(dir, record);
	ck_assert_int_eq(access(path, F_OK), -1);
	record_free(to);
	record_free(record);
}
END_TEST

START_TEST(torn_anywhere)
{
	struct record *to, *record = sample();
	size_t size;
	char *bytes;

	ck_assert_int_eq(record_write(dir, record), 0);
	bytes = load(&size);
	for (size_t i = 0; i < size; i++) {
		store(bytes, i);
		ck_assert_int_eq(record_read(dir, "eth0", &to), -EBADMSG);
	}
	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= 1;
		store(bytes, size);
		ck_assert_int_eq(record_read(dir, "eth0", &to), -EBADMSG);
		bytes[i] ^= 1;
	}
	store(bytes, size);
	ck_assert_int_eq(record_read(dir, "eth0", &to), 0);
	record_free(to);
	free(bytes);
	record_free(record);
}
END_TEST

/* With a sum that is right. */
static int
read_text(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	struct record *record;
	char whole[4096];
	int error;

	for (const char *c = text; *c; c++)
		hash = (hash ^ (uint8_t) *c) * UINT64_C(0x100000001b3);
	snprintf(whole, sizeof whole, "%ssum %016llx\n", text,
		 (unsigned long long) hash);
	store(whole, strlen(whole));
	error = record_read(dir, "eth0", &record);
	if (!error)
		record_free(record);
	return error;
}

START_TEST(nonsense)
{
	static const char first[] = "hnv-agent take-over 1\ninterface eth0\n";
	static const char *const lines[] = {
		"interface eth1\n", "interface ../../etc/passwd\n",
		"interface a-name-that-is-too-long\n", "port a/b\n",
		"state gone\n", "state what\n", "then what\n", "state\n",
		"reason what\n", "deadline x\n", "deadline\n",
		"deadline 99999999999999999999\n", "gen_mode 256\n",
		"gen_mode -1\n", "port_mac 0200000000\n",
		"port_mac 02000000000g\n", "port_mac 02000000000000\n",
		"id 0123456789abcdef0\n", "detail \\x\n", "item 00\n",
		"item zz\n", "item 0\n", "what is this\n", "\n",
		/* Too short for what it is, and of no kind. */
		"item 10000000180000000000000000000000\n",
		"item 1400000099000000000000000000000002000000\n"
	};
	char text[4096];

	ck_assert_int_eq(read_text(first), 0);
	ck_assert_int_eq(read_text(""), -EBADMSG);
	ck_assert_int_eq(read_text("hnv-agent take-over 2\n"
				   "interface eth0\n"), -EBADMSG);
	ck_assert_int_eq(read_text("hnv-agent take-over 1\n"), -EBADMSG);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		snprintf(text, sizeof text, "%s%s", first, lines[i]);
		ck_assert_msg(read_text(text) == -EBADMSG, "%s", lines[i]);
	}
}
END_TEST

START_TEST(put_aside)
{
	struct record *record = sample();
	struct list records;
	char broken[sizeof path + 8];

	log_init("check_record", LOG_LEVEL_ERROR, false);
	list_init(&records);
	ck_assert_int_eq(record_write(dir, record), 0);
	strcpy(record->interface, "eth1");
	ck_assert_int_eq(record_write(dir, record), 0);
	store("hnv-agent take-over 1\n", 22);
	record_read_all(dir, &records);
	ck_assert(!list_is_empty(&records));
	ck_assert_ptr_eq(records.next->next, &records);
	ck_assert_str_eq(LIST_ENTRY(records.next, struct record,
				    link)->interface, "eth1");
	snprintf(broken, sizeof broken, "%s.broken", path);
	ck_assert_int_eq(access(broken, F_OK), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
	record_free(LIST_ENTRY(records.next, struct record, link));
	list_init(&records);
	record_read_all("/nonexistent", &records);
	ck_assert(list_is_empty(&records));
	ck_assert_int_eq(record_write("/nonexistent", record), -ENOENT);
	record_free(record);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("record");
	TCase *tcase = tcase_create("record");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, make_dir, NULL);
	tcase_add_test(tcase, there_and_back);
	tcase_add_test(tcase, torn_anywhere);
	tcase_add_test(tcase, nonsense);
	tcase_add_test(tcase, put_aside);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
