/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/answer/arp.c: each row of its table. */

#include <check.h>
#include <stdlib.h>

#include "tests/unit/asker.h"

static uint8_t answer[FRAME_MAX];

/* An ARP frame of Contoso's SQL. */
static void
make(uint8_t frame[46], uint8_t op, const uint8_t spa[4],
     const uint8_t tpa[4])
{
	static const uint8_t start[6] = { 0, 1, 0x08, 0, 6, 4 };

	memset(frame, 0, 46);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, sql_mac, 6);
	frame[12] = 0x08;
	frame[13] = 0x06;
	memcpy(frame + 14, start, 6);
	frame[21] = op;
	memcpy(frame + 22, sql_mac, 6);
	memcpy(frame + 28, spa, 4);
	memcpy(frame + 38, tpa, 4);
}

static size_t
ask(const uint8_t *bytes, size_t size)
{
	struct frame frame;

	return frame_read(bytes, size, &frame)
	       ? arp_answer(&asker, &frame, answer) : 0;
}

static const uint8_t sql[4] = { 10, 1, 1, 11 }, web[4] = { 10, 1, 1, 12 };
static const uint8_t none[4] = { 0 };

static const struct {
	const char *what;
	uint8_t op;
	uint8_t spa[4], tpa[4];
	const uint8_t *mac;		/* NULL: silence. */
} rows[] = {
	{ "request", 1, { 10, 1, 1, 11 }, { 10, 1, 1, 12 }, web_mac },
	{ "gateway", 1, { 10, 1, 1, 11 }, { 10, 1, 1, 1 }, router_mac },
	{ "other subnet's gateway", 1, { 10, 1, 1, 11 }, { 10, 1, 2, 1 },
	  NULL },
	{ "unknown", 1, { 10, 1, 1, 11 }, { 10, 1, 1, 99 }, NULL },
	{ "own address", 1, { 10, 1, 1, 77 }, { 10, 1, 1, 11 }, NULL },
	{ "probe of its own", 1, { 0 }, { 10, 1, 1, 11 }, NULL },
	{ "probe of another's", 1, { 0 }, { 10, 1, 1, 12 }, web_mac },
	{ "probe of the gateway's", 1, { 0 }, { 10, 1, 1, 1 }, router_mac },
	{ "announcement", 1, { 10, 1, 1, 11 }, { 10, 1, 1, 11 }, NULL },
	{ "announcement of another's", 1, { 10, 1, 1, 12 }, { 10, 1, 1, 12 },
	  NULL },
	{ "reply", 2, { 10, 1, 1, 11 }, { 10, 1, 1, 12 }, NULL }
};

START_TEST(answers_by_the_table)
{
	uint8_t frame[46];
	size_t size;

	make(frame, rows[_i].op, rows[_i].spa, rows[_i].tpa);
	size = ask(frame, sizeof frame);
	if (!rows[_i].mac) {
		ck_assert_msg(size == 0, "%s was answered", rows[_i].what);
		return;
	}
	ck_assert_msg(size == 42, "%s: %zu bytes", rows[_i].what, size);
	ck_assert_mem_eq(answer, sql_mac, 6);
	ck_assert_mem_eq(answer + 6, rows[_i].mac, 6);
	ck_assert_uint_eq(answer[21], 2);
	ck_assert_mem_eq(answer + 22, rows[_i].mac, 6);
	ck_assert_mem_eq(answer + 28, rows[_i].tpa, 4);
	ck_assert_mem_eq(answer + 32, sql_mac, 6);
	ck_assert_mem_eq(answer + 38, rows[_i].spa, 4);
}
END_TEST

/* Every event of every state, as it is to be: what a VM says of its own, of
 * another one's here, elsewhere, of learning_disabled, load_balanced (another's
 * and its own share), the gateway's, nobody's, of another routing domain's, and
 * of what a default location stands for. */
static const struct {
	uint8_t last;
	const char *mac_of;		/* "": silence, if it asks at all. */
} states[] = {
	{ 11, "" }, { 13, "\x13" }, { 12, "\x12" }, { 14, "\x14" },
	{ 15, "\x15" }, { 16, "" }, { 1, "router" }, { 99, "" }, { 21, "" },
	{ 99, "beyond" }
};
static const struct {
	const char *what;
	uint8_t op;
	bool is_unicast, is_probe, is_of_itself, may_be_answered;
} events[] = {
	{ "request", 1, false, false, false, true },
	{ "refresh", 1, true, false, false, true },
	{ "probe", 1, false, true, false, true },
	{ "probe to one", 1, true, true, false, true },
	{ "announcement", 1, false, false, true, false },
	{ "gratuitous reply", 2, false, false, true, false },
	{ "reply", 2, true, false, false, false },
	{ "reply to all", 2, false, false, false, false }
};
enum {
	N_STATES = sizeof states / sizeof states[0],
	N_EVENTS = sizeof events / sizeof events[0]
};

START_TEST(answers_each_cell)
{
	size_t event = (size_t) _i % N_EVENTS, state = (size_t) _i / N_EVENTS;
	uint8_t frame[46], tpa[4] = { 10, 1, 1, states[state].last }, mac[6];
	bool is_beyond = !strcmp(states[state].mac_of, "beyond");
	bool is_answered = events[event].may_be_answered
			   && *states[state].mac_of
			   && !(is_beyond && events[event].is_probe);
	size_t size;

	beyond = is_beyond;

	make(frame, events[event].op, events[event].is_probe ? none
	     : events[event].is_of_itself ? tpa : sql, tpa);
	/* Asking for its own address from it is an announcement. */
	if (states[state].last == 11 && !events[event].is_of_itself
	    && !events[event].is_probe)
		frame[31] = 77;
	if (events[event].is_unicast)
		memcpy(frame, web_mac, 6);
	size = ask(frame, sizeof frame);
	ck_assert_msg((size > 0) == is_answered, "%s of .%u: %zu bytes",
		      events[event].what, states[state].last, size);
	if (!is_answered)
		return;
	memcpy(mac, sql_mac, 6);
	mac[5] = (uint8_t) *states[state].mac_of;
	if (!strcmp(states[state].mac_of, "router"))
		memcpy(mac, router_mac, 6);
	if (is_beyond)
		memcpy(mac, "\2\0\0\0\0\xfe", 6);
	ck_assert_mem_eq(answer, sql_mac, 6);
	ck_assert_mem_eq(answer + 6, mac, 6);
	ck_assert_uint_eq(answer[21], 2);
	ck_assert_mem_eq(answer + 22, mac, 6);
	ck_assert_mem_eq(answer + 28, tpa, 4);
	ck_assert_mem_eq(answer + 32, sql_mac, 6);
	ck_assert_mem_eq(answer + 38, frame + 28, 4);
}
END_TEST

START_TEST(keeps_the_tag)
{
	uint8_t frame[46], tagged[50];

	make(frame, 1, sql, web);
	memcpy(tagged, frame, 12);
	memcpy(tagged + 12, "\x81\x00\x00\x07", 4);
	memcpy(tagged + 16, frame + 12, 34);
	ck_assert_uint_eq(ask(tagged, sizeof tagged), 46);
	ck_assert_mem_eq(answer + 12, "\x81\x00\x00\x07\x08\x06", 6);
	ck_assert_mem_eq(answer + 26, web_mac, 6);
}
END_TEST

/* Each field that makes it no request of Ethernet and IPv4, and a sender that
 * is not the frame's. */
START_TEST(is_silent_for_what_is_no_request)
{
	static const uint8_t at[] = { 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
				      27 };
	uint8_t frame[46];

	make(frame, 1, sql, web);
	ck_assert_uint_ne(ask(frame, sizeof frame), 0);
	for (size_t i = 0; i < sizeof at; i++) {
		make(frame, 1, sql, web);
		frame[at[i]] ^= 0x10;
		ck_assert_msg(ask(frame, sizeof frame) == 0, "byte %u",
			      at[i]);
	}
}
END_TEST

START_TEST(reads_no_byte_past_the_end)
{
	size_t size = (size_t) _i;
	uint8_t frame[46], *cut = malloc(size ? size : 1);

	make(frame, 1, sql, none);
	memcpy(cut, frame, size);
	ck_assert_uint_eq(ask(cut, size), 0);
	free(cut);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("arp");
	TCase *tcase = tcase_create("arp");

	asker_init();
	tcase_add_loop_test(tcase, answers_by_the_table, 0,
			    sizeof rows / sizeof rows[0]);
	tcase_add_loop_test(tcase, answers_each_cell, 0, N_STATES * N_EVENTS);
	tcase_add_test(tcase, keeps_the_tag);
	tcase_add_test(tcase, is_silent_for_what_is_no_request);
	tcase_add_loop_test(tcase, reads_no_byte_past_the_end, 0, 42);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
