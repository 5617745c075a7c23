/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/answer/nd.c. */

#include <check.h>
#include <stdlib.h>

#include "tests/unit/asker.h"

enum { SIZE = 14 + 40 + 32, NS = 14 + 40 };

static uint8_t answer[FRAME_MAX];

static void
seal(uint8_t *frame)
{
	struct vsw_addr src = { .n = 16 }, dst = { .n = 16 };
	uint16_t sum;

	memcpy(src.bytes, frame + 22, 16);
	memcpy(dst.bytes, frame + 38, 16);
	frame[NS + 2] = frame[NS + 3] = 0;
	sum = frame_fold(frame_sum(frame + NS, 32,
				   frame_sum_ipv6(&src, &dst, 58, 32)));
	frame[NS + 2] = (uint8_t) (sum >> 8);
	frame[NS + 3] = (uint8_t) sum;
}

/* A solicitation of Contoso's SQL for fd00::LAST. */
static void
make(uint8_t *frame, bool is_probe, uint8_t last)
{
	memset(frame, 0, SIZE);
	memcpy(frame, "\x33\x33\xff\x00\x00\x00", 6);
	frame[5] = last;
	memcpy(frame + 6, sql_mac, 6);
	frame[12] = 0x86;
	frame[13] = 0xdd;
	frame[14] = 0x60;
	frame[19] = 32;
	frame[20] = 58;
	frame[21] = 255;
	if (!is_probe) {
		frame[22] = 0xfd;
		frame[37] = 0x11;
	}
	memcpy(frame + 38, "\xff\x02\0\0\0\0\0\0\0\0\0\x01\xff\0\0", 15);
	frame[53] = last;
	frame[NS] = 135;
	frame[NS + 8] = 0xfd;
	frame[NS + 23] = last;
	frame[NS + 24] = 1;
	frame[NS + 25] = 1;
	memcpy(frame + NS + 26, sql_mac, 6);
	seal(frame);
}

static size_t
ask(const uint8_t *bytes, size_t size)
{
	struct frame frame;

	return frame_read(bytes, size, &frame)
	       ? nd_answer(&asker, &frame, answer) : 0;
}

static const struct {
	const char *what;
	bool is_probe;
	uint8_t last;
	const uint8_t *mac;
	uint8_t flags;
} rows[] = {
	{ "known", false, 0x12, web_mac, 0x60 },
	{ "gateway", false, 1, router_mac, 0xe0 },
	{ "unknown", false, 0x99, NULL, 0 },
	{ "its own", false, 0x11, NULL, 0 },
	{ "probe of its own", true, 0x11, NULL, 0 },
	{ "probe of another's", true, 0x12, web_mac, 0x20 }
};

START_TEST(answers_by_the_table)
{
	uint8_t frame[SIZE];
	struct frame read;
	size_t size;

	make(frame, rows[_i].is_probe, rows[_i].last);
	size = ask(frame, sizeof frame);
	if (!rows[_i].mac) {
		ck_assert_msg(size == 0, "%s was answered", rows[_i].what);
		return;
	}
	ck_assert_msg(size == SIZE, "%s: %zu bytes", rows[_i].what, size);
	ck_assert(frame_read(answer, size, &read));
	ck_assert_uint_eq(read.ttl, 255);
	ck_assert_uint_eq(answer[NS], 136);
	ck_assert_uint_eq(answer[NS + 4], rows[_i].flags);
	ck_assert_mem_eq(answer + NS + 8, frame + NS + 8, 16);
	ck_assert_mem_eq(answer + NS + 26, rows[_i].mac, 6);
	ck_assert_mem_eq(answer + 6, rows[_i].mac, 6);
	/* To all nodes if the asker has no address. */
	ck_assert_uint_eq(read.dst.bytes[0], rows[_i].is_probe ? 0xff : 0xfd);
	ck_assert_uint_eq(frame_fold(frame_sum(answer + NS, 32,
		frame_sum_ipv6(&read.src, &read.dst, 58, 32))), 0);
}
END_TEST

/* Every event of every state, as in check_arp.c. */
static const struct {
	uint8_t last;
	const char *mac_of;
} states[] = {
	{ 0x11, "" }, { 0x13, "\x13" }, { 0x12, "\x12" }, { 0x14, "\x14" },
	{ 0x15, "\x15" }, { 0x16, "" }, { 1, "router" }, { 0x99, "" },
	{ 0x21, "" }, { 0x99, "beyond" }
};
static const struct {
	const char *what;
	uint8_t type, flags;
	bool is_unicast, is_probe, may_be_answered;
} events[] = {
	{ "solicitation", 135, 0, false, false, true },
	{ "solicitation to one", 135, 0, true, false, true },
	{ "duplicate address detection", 135, 0, false, true, true },
	{ "unsolicited advertisement", 136, 0x20, false, false, false },
	{ "solicited advertisement", 136, 0x60, true, false, false },
	{ "router solicitation", 133, 0, false, false, false },
	{ "router advertisement", 134, 0, false, false, false },
	{ "redirect", 137, 0, true, false, false }
};
enum {
	N_STATES = sizeof states / sizeof states[0],
	N_EVENTS = sizeof events / sizeof events[0]
};

START_TEST(answers_each_cell)
{
	size_t event = (size_t) _i % N_EVENTS, state = (size_t) _i / N_EVENTS;
	bool is_beyond = !strcmp(states[state].mac_of, "beyond");
	bool is_answered = events[event].may_be_answered
			   && *states[state].mac_of
			   && !(is_beyond && events[event].is_probe);
	bool is_router = !strcmp(states[state].mac_of, "router");
	uint8_t frame[SIZE], mac[6];
	size_t size;

	beyond = is_beyond;
	make(frame, events[event].is_probe, states[state].last);
	frame[NS] = events[event].type;
	frame[NS + 4] = events[event].flags;
	if (events[event].is_unicast) {
		memcpy(frame, web_mac, 6);
		memset(frame + 38, 0, 15);
		frame[38] = 0xfd;
	}
	seal(frame);
	size = ask(frame, sizeof frame);
	ck_assert_msg((size > 0) == is_answered, "%s of ::%x: %zu bytes",
		      events[event].what, states[state].last, size);
	if (!is_answered)
		return;
	memcpy(mac, sql_mac, 6);
	mac[5] = (uint8_t) *states[state].mac_of;
	if (is_router)
		memcpy(mac, router_mac, 6);
	if (is_beyond)
		memcpy(mac, "\2\0\0\0\0\xfe", 6);
	ck_assert_mem_eq(answer, events[event].is_probe
			 ? (const uint8_t *) "\x33\x33\0\0\0\1" : sql_mac, 6);
	ck_assert_mem_eq(answer + NS + 26, mac, 6);
	ck_assert_uint_eq(answer[NS + 4], (events[event].is_probe ? 0x20 : 0x60)
					  | (is_router ? 0x80 : 0));
}
END_TEST

START_TEST(is_silent_for_what_is_not_valid)
{
	uint8_t frame[SIZE];

	make(frame, false, 0x12);
	frame[21] = 254;		/* Has been routed. */
	ck_assert_uint_eq(ask(frame, SIZE), 0);
	make(frame, false, 0x12);
	frame[NS + 1] = 1;		/* Code. */
	seal(frame);
	ck_assert_uint_eq(ask(frame, SIZE), 0);
	make(frame, false, 0x12);
	frame[NS + 3] ^= 1;		/* Checksum. */
	ck_assert_uint_eq(ask(frame, SIZE), 0);
	make(frame, false, 0x12);
	frame[NS] = 136;		/* An advertisement. */
	seal(frame);
	ck_assert_uint_eq(ask(frame, SIZE), 0);
}
END_TEST

START_TEST(reads_no_byte_past_the_end)
{
	size_t size = (size_t) _i;
	uint8_t frame[SIZE], *cut = malloc(size ? size : 1);

	make(frame, false, 0x12);
	memcpy(cut, frame, size);
	ck_assert_uint_eq(ask(cut, size), 0);
	free(cut);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("nd");
	TCase *tcase = tcase_create("nd");

	asker_init();
	tcase_add_loop_test(tcase, answers_by_the_table, 0,
			    sizeof rows / sizeof rows[0]);
	tcase_add_loop_test(tcase, answers_each_cell, 0, N_STATES * N_EVENTS);
	tcase_add_test(tcase, is_silent_for_what_is_not_valid);
	tcase_add_loop_test(tcase, reads_no_byte_past_the_end, 0, SIZE);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
