/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/answer/snoop.c: what is made of reports, queries and silence.
 * The clock is an argument, and the policy is a table here. */

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>

#include "agent/answer/frame.h"
#include "agent/answer/snoop.h"
#include "agent/policy/group.h"
#include "agent/policy/policy.h"

static const uint64_t s = 1000000000;

enum { MAX_WANTED = 512 };

static struct event_base *base;
static struct model model;
static struct model_port ports[2];
static struct snoop *snoop;
static struct wanted {
	const struct model_port *port;
	uint8_t mac[6];
} wanted[MAX_WANTED];
static size_t n_wanted;
static unsigned n_applied;

bool
group_set(struct model *m, struct model_port *port, const uint8_t mac[6],
	  bool is_wanted)
{
	ck_assert_ptr_eq(m, &model);
	for (size_t i = 0; i < n_wanted; i++)
		if (wanted[i].port == port && !memcmp(wanted[i].mac, mac, 6)) {
			if (!is_wanted)
				wanted[i] = wanted[--n_wanted];
			return !is_wanted;
		}
	if (!is_wanted)
		return false;
	ck_assert_uint_lt(n_wanted, MAX_WANTED);
	wanted[n_wanted].port = port;
	memcpy(wanted[n_wanted++].mac, mac, 6);
	return true;
}

void
group_set_router(struct model *m, struct model_port *port, bool is_router)
{
	ck_assert_ptr_eq(m, &model);
	port->is_router = is_router;
}

void
policy_apply(struct model *m)
{
	ck_assert_ptr_eq(m, &model);
	n_applied++;
}

/* Nobody asks here. */
const struct model_prefix *
model_find_gateway(const struct model_subnet *subnet,
		   const struct vsw_addr *addr)
{
	(void) subnet;
	(void) addr;
	return NULL;
}

const struct model_mapping *
model_find_ca(const struct model_subnet *subnet, const struct vsw_addr *ca)
{
	(void) subnet;
	(void) ca;
	return NULL;
}

static bool
wants(const struct model_port *port, const char *mac)
{
	for (size_t i = 0; i < n_wanted; i++)
		if (wanted[i].port == port && !memcmp(wanted[i].mac, mac, 6))
			return true;
	return false;
}

static void
setup(void)
{
	base = event_base_new();
	memset(&model, 0, sizeof model);
	memset(ports, 0, sizeof ports);
	list_init(&model.switches);
	n_wanted = 0;
	n_applied = 0;
	ck_assert_int_eq(snoop_new(base, &model, NULL, NULL, &snoop), 0);
}

static void
teardown(void)
{
	snoop_free(snoop);
	snoop_free(NULL);
	event_base_free(base);
}

/* An IGMP message, or behind a hop-by-hop header one of MLD, of bytes that are
 * where they would be freed if anybody read behind them. */
static void
hear(struct model_port *port, bool is_v6, const char *bytes, size_t size,
     uint64_t now)
{
	size_t before = is_v6 ? 8 : 0;
	uint8_t *copy = malloc(before + size);
	struct frame frame = {
		.bytes = copy, .size = before + size, .end = before + size,
		.proto = is_v6 ? 0 : 2,
		.src = { .n = is_v6 ? 16 : 4, .bytes = { 10, 0, 0, 1 } },
		.dst = { .n = is_v6 ? 16 : 4 }
	};

	if (is_v6)
		memcpy(copy, "\x3a\0\5\2\0\0\1\0", 8);
	memcpy(copy + before, bytes, size);
	snoop_heard(snoop, port, &frame, now);
	free(copy);
}

#define IGMP(PORT, BYTES, NOW) hear(PORT, false, BYTES, sizeof BYTES - 1, NOW)
#define MLD(PORT, BYTES, NOW) hear(PORT, true, BYTES, sizeof BYTES - 1, NOW)
#define MAC1 "\x01\x00\x5e\x01\x02\x03"
#define MAC6 "\x33\x33\x0d\xb8\x01\x23"
#define ADDR6 "\xff\x05\0\0\0\0\0\0\0\0\0\0\x0d\xb8\x01\x23"

START_TEST(joins_and_leaves)
{
	/* RFC 2236: report, leave. */
	IGMP(&ports[0], "\x16\0\0\0\xef\x01\x02\x03", 1);
	ck_assert(wants(&ports[0], MAC1));
	ck_assert(!wants(&ports[1], MAC1));
	ck_assert_uint_gt(n_applied, 0);
	IGMP(&ports[1], "\x12\0\0\0\xef\x81\x02\x03", 1);	/* Same MAC. */
	ck_assert(wants(&ports[1], MAC1));
	IGMP(&ports[0], "\x17\0\0\0\xef\x01\x02\x03", 1);
	ck_assert(!wants(&ports[0], MAC1));
	ck_assert(wants(&ports[1], MAC1));
	/* RFC 2710. */
	MLD(&ports[0], "\x83\0\0\0\0\0\0\0" ADDR6, 1);
	ck_assert(wants(&ports[0], MAC6));
	MLD(&ports[0], "\x84\0\0\0\0\0\0\0" ADDR6, 1);
	ck_assert(!wants(&ports[0], MAC6));
}
END_TEST

START_TEST(reads_records)
{
	/* RFC 3376: exclude nothing of 239.1.2.3, and of 239.1.2.4 include one
	 * source, with a word of auxiliary data. */
	IGMP(&ports[0], "\x22\0\0\0\0\0\0\2"
	     "\4\0\0\0\xef\x01\x02\x03"
	     "\5\1\0\1\xef\x01\x02\x04\x0a\0\0\1auxi", 1);
	ck_assert(wants(&ports[0], MAC1));
	ck_assert(wants(&ports[0], "\x01\x00\x5e\x01\x02\x04"));
	/* To block a source changes nothing; to include none ends it. */
	IGMP(&ports[0], "\x22\0\0\0\0\0\0\2"
	     "\6\0\0\1\xef\x01\x02\x03\x0a\0\0\1"
	     "\3\0\0\0\xef\x01\x02\x04", 1);
	ck_assert(wants(&ports[0], MAC1));
	ck_assert_uint_eq(n_wanted, 1);
	/* RFC 3810. */
	MLD(&ports[1], "\x8f\0\0\0\0\0\0\1\2\0\0\0" ADDR6, 1);
	ck_assert(wants(&ports[1], MAC6));
	MLD(&ports[1], "\x8f\0\0\0\0\0\0\1\3\0\0\0" ADDR6, 1);
	ck_assert(!wants(&ports[1], MAC6));
}
END_TEST

/* Every length that a message may be cut to, and counts that promise more than
 * there is: nothing is read that is not there (under the sanitizers). */
START_TEST(trusts_no_length)
{
	static const char report[] = "\x22\0\0\0\0\0\xff\xff"
		"\4\xff\xff\xff\xef\x01\x02\x03\x0a\0\0\1\x0a\0\0\2";
	static const char mld[] = "\x8f\0\0\0\0\0\xff\xff\4\xff\xff\xff" ADDR6;

	for (size_t size = 0; size < sizeof report; size++)
		hear(&ports[0], false, report, size, 1);
	for (size_t size = 0; size < sizeof mld; size++)
		hear(&ports[0], true, mld, size, 1);
	for (size_t size = 0; size < 24; size++)
		hear(&ports[0], true, "\x83\0\0\0\0\0\0\0" ADDR6, size, 1);
	ck_assert_uint_eq(n_wanted, 0);
}
END_TEST

/* Of link scope, and what has their MACs. */
START_TEST(leaves_some_to_all)
{
	IGMP(&ports[0], "\x16\0\0\0\xe0\0\0\xfb", 1);	/* 224.0.0.251 */
	IGMP(&ports[0], "\x16\0\0\0\xe1\0\0\xfb", 1);	/* 225.0.0.251 */
	IGMP(&ports[0], "\x16\0\0\0\x0a\0\1\1", 1);	/* None at all. */
	MLD(&ports[0], "\x83\0\0\0\0\0\0\0"
	    "\xff\x02\0\0\0\0\0\0\0\0\0\1\xff\1\2\3", 1);
	MLD(&ports[0], "\x83\0\0\0\0\0\0\0"
	    "\xff\x05\0\0\0\0\0\0\0\0\0\0\0\1\0\2", 1);
	ck_assert_uint_eq(n_wanted, 0);
}
END_TEST

START_TEST(forgets_who_is_silent)
{
	IGMP(&ports[0], "\x16\0\0\0\xef\x01\x02\x03", 1);
	IGMP(&ports[0], "\x16\0\0\0\xef\x01\x02\x04", 1);
	IGMP(&ports[0], "\x16\0\0\0\xef\x01\x02\x03", 100 * s);
	snoop_tick(snoop, 259 * s);
	ck_assert_uint_eq(n_wanted, 2);
	snoop_tick(snoop, 261 * s);
	ck_assert_uint_eq(n_wanted, 1);
	ck_assert(wants(&ports[0], MAC1));
	snoop_tick(snoop, 361 * s);
	ck_assert_uint_eq(n_wanted, 0);
}
END_TEST

/* Two groups of one MAC: it is wanted until neither is. */
/* Who hears another's report of version 1 or 2 sends none. */
START_TEST(one_speaks_for_all)
{
	struct model_subnet *other = (void *) &model;

	IGMP(&ports[0], "\x16\0\0\0\xe0\1\2\3", s);
	MLD(&ports[0], "\x83\0\0\0\0\0\0\0" ADDR6, s);
	for (unsigned i = 1; i < 5; i++) {
		IGMP(&ports[1], "\x16\0\0\0\xe0\1\2\3", i * 200 * s);
		MLD(&ports[1], "\x83\0\0\0\0\0\0\0" ADDR6, i * 200 * s);
		snoop_tick(snoop, i * 200 * s);
	}
	ck_assert(wants(&ports[0], MAC1));
	ck_assert(wants(&ports[0], MAC6));
	/* Not in another subnet, nor with version 3. */
	ports[1].subnet = other;
	IGMP(&ports[1], "\x16\0\0\0\xe0\1\2\3", 1000 * s);
	ports[1].subnet = NULL;
	IGMP(&ports[1], "\x22\0\0\0\0\0\0\1" "\2\0\0\0\xe0\1\2\3",
	     1000 * s);
	snoop_tick(snoop, 1061 * s);
	ck_assert(!wants(&ports[0], MAC1));
	ck_assert(wants(&ports[1], MAC1));
}
END_TEST

START_TEST(keeps_a_mac_for_its_last_group)
{
	IGMP(&ports[0], "\x16\0\0\0\xef\x01\x02\x03", 1);
	IGMP(&ports[0], "\x16\0\0\0\xef\x81\x02\x03", 1);
	IGMP(&ports[0], "\x17\0\0\0\xef\x01\x02\x03", 1);
	ck_assert(wants(&ports[0], MAC1));
	IGMP(&ports[0], "\x17\0\0\0\xef\x81\x02\x03", 1);
	ck_assert(!wants(&ports[0], MAC1));
}
END_TEST

/* Behind an uplink there may be somebody else who wants it. */
START_TEST(an_uplink_leaves_in_time)
{
	ports[0].role = ROLE_UPLINK;
	IGMP(&ports[0], "\x16\0\0\0\xef\x01\x02\x03", 1);
	IGMP(&ports[0], "\x17\0\0\0\xef\x01\x02\x03", 1);
	ck_assert(wants(&ports[0], MAC1));
	snoop_tick(snoop, 261 * s);
	ck_assert(!wants(&ports[0], MAC1));
}
END_TEST

START_TEST(a_port_has_so_many)
{
	char report[] = "\x16\0\0\0\xef\x01\0\0";

	for (unsigned i = 0; i < 2 * SNOOP_PORT_GROUPS; i++) {
		report[6] = (char) (i >> 8);
		report[7] = (char) i;
		hear(&ports[0], false, report, 8, 1);
	}
	ck_assert_uint_eq(n_wanted, SNOOP_PORT_GROUPS);
	IGMP(&ports[1], "\x16\0\0\0\xef\x01\x02\x03", 1);
	ck_assert(wants(&ports[1], MAC1));
	snoop_forget(snoop, &ports[0]);
	ck_assert_uint_eq(n_wanted, 1);
}
END_TEST

START_TEST(hears_who_asks)
{
	IGMP(&ports[1], "\x11\x64\0\0\0\0\0\0", 1);
	ck_assert(ports[1].is_router);
	ck_assert(!ports[0].is_router);
	IGMP(&ports[1], "\x11\x64\0\0\0\0\0\0", 100 * s);
	snoop_tick(snoop, 354 * s);
	ck_assert(ports[1].is_router);
	snoop_tick(snoop, 356 * s);
	ck_assert(!ports[1].is_router);
	MLD(&ports[0], "\x82\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 1);
	ck_assert(ports[0].is_router);
	snoop_forget(snoop, &ports[0]);
	ck_assert(!ports[0].is_router);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("snoop");
	TCase *tc = tcase_create("snoop");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, joins_and_leaves);
	tcase_add_test(tc, reads_records);
	tcase_add_test(tc, trusts_no_length);
	tcase_add_test(tc, leaves_some_to_all);
	tcase_add_test(tc, forgets_who_is_silent);
	tcase_add_test(tc, one_speaks_for_all);
	tcase_add_test(tc, keeps_a_mac_for_its_last_group);
	tcase_add_test(tc, an_uplink_leaves_in_time);
	tcase_add_test(tc, a_port_has_so_many);
	tcase_add_test(tc, hears_who_asks);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
