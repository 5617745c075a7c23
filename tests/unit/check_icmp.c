/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/host/icmp.c. */

#include <check.h>
#include <stdlib.h>

#include "tests/unit/asker.h"

enum { L3 = 14, L4 = 34, PAYLOAD = 56, SIZE = L4 + 8 + PAYLOAD };

static uint8_t answer[FRAME_MAX];

static void
put_sum(uint8_t *at, uint16_t sum)
{
	at[0] = (uint8_t) (sum >> 8);
	at[1] = (uint8_t) sum;
}

/* Contoso's SQL sends 'proto' to 'dst', with TTL 1; ICMP: an echo. */
static void
make(uint8_t *frame, uint8_t proto, const uint8_t dst[4])
{
	static const uint8_t src[4] = { 10, 1, 1, 11 };

	memset(frame, 0, SIZE);
	memcpy(frame, router_mac, 6);
	memcpy(frame + 6, sql_mac, 6);
	frame[12] = 0x08;
	frame[L3] = 0x45;
	frame[L3 + 3] = SIZE - L3;
	frame[L3 + 8] = 1;
	frame[L3 + 9] = proto;
	memcpy(frame + L3 + 12, src, 4);
	memcpy(frame + L3 + 16, dst, 4);
	put_sum(frame + L3 + 10, frame_fold(frame_sum(frame + L3, 20, 0)));
	frame[L4] = 8;
	frame[L4 + 5] = 77;
	for (unsigned i = 0; i < PAYLOAD; i++)
		frame[L4 + 8 + i] = (uint8_t) i;
	put_sum(frame + L4 + 2, frame_fold(frame_sum(frame + L4, SIZE - L4,
						     0)));
}

static size_t
ask(const uint8_t *bytes, size_t size)
{
	struct frame frame;

	return frame_read(bytes, size, &frame)
	       ? icmp_answer(&asker, &frame, answer) : 0;
}

static size_t
expire(const uint8_t *bytes, size_t size)
{
	struct frame frame;

	return frame_read(bytes, size, &frame)
	       ? icmp_time_exceeded(&asker, &frame, answer) : 0;
}

static void
expect_ipv4(size_t size, const uint8_t src[4])
{
	struct frame read;

	ck_assert(frame_read(answer, size, &read));
	ck_assert_uint_eq(read.proto, 1);	/* So its header is right. */
	ck_assert_mem_eq(read.eth_src, router_mac, 6);
	ck_assert_mem_eq(read.eth_dst, sql_mac, 6);
	ck_assert_mem_eq(read.src.bytes, src, 4);
	ck_assert_uint_eq(read.dst.bytes[3], 11);
	ck_assert_uint_eq(read.end, size);
	ck_assert_uint_eq(frame_fold(frame_sum(answer + read.l4,
					       size - read.l4, 0)), 0);
}

static const uint8_t gateway[4] = { 10, 1, 1, 1 };
static const uint8_t other_gateway[4] = { 10, 1, 2, 1 };
static const uint8_t web[4] = { 10, 1, 1, 12 };

START_TEST(gateways_answer_ping)
{
	const uint8_t *dst = _i ? other_gateway : gateway;
	uint8_t frame[SIZE];

	make(frame, 1, dst);
	ck_assert_uint_eq(ask(frame, SIZE), SIZE);
	expect_ipv4(SIZE, dst);
	ck_assert_uint_eq(answer[L4], 0);
	ck_assert_mem_eq(answer + L4 + 4, frame + L4 + 4, 4 + PAYLOAD);
}
END_TEST

START_TEST(nobody_else_does)
{
	uint8_t frame[SIZE];

	make(frame, 1, web);
	ck_assert_uint_eq(ask(frame, SIZE), 0);
	router.is_enabled = false;
	make(frame, 1, other_gateway);
	ck_assert_uint_eq(ask(frame, SIZE), 0);
	router.is_enabled = true;
	make(frame, 17, gateway);
	ck_assert_uint_eq(ask(frame, SIZE), 0);
	make(frame, 1, gateway);
	frame[L4 + 20] ^= 1;		/* Checksum. */
	ck_assert_uint_eq(ask(frame, SIZE), 0);
	make(frame, 1, gateway);
	frame[L3 + 8] ^= 1;		/* IP's checksum. */
	ck_assert_uint_eq(ask(frame, SIZE), 0);
}
END_TEST

START_TEST(time_exceeded_quotes_the_packet)
{
	uint8_t frame[SIZE];
	size_t size;

	make(frame, 17, web);
	size = expire(frame, SIZE);
	ck_assert_uint_eq(size, L4 + 8 + SIZE - L3);
	expect_ipv4(size, gateway);
	ck_assert_uint_eq(answer[L4], 11);
	ck_assert_uint_eq(answer[L4 + 1], 0);
	ck_assert_mem_eq(answer + L4 + 8, frame + L3, SIZE - L3);
}
END_TEST

START_TEST(no_error_answers_an_error)
{
	uint8_t frame[SIZE];

	make(frame, 1, web);
	ck_assert_uint_ne(expire(frame, SIZE), 0);
	frame[L4] = 11;
	ck_assert_uint_eq(expire(frame, SIZE), 0);
	make(frame, 17, web);
	frame[0] |= 1;			/* Was a broadcast. */
	ck_assert_uint_eq(expire(frame, SIZE), 0);
	make(frame, 17, web);
	frame[L3 + 7] = 1;		/* Not the first fragment. */
	put_sum(frame + L3 + 10, 0);
	put_sum(frame + L3 + 10, frame_fold(frame_sum(frame + L3, 20, 0)));
	ck_assert_uint_eq(expire(frame, SIZE), 0);
}
END_TEST

START_TEST(reads_no_byte_past_the_end)
{
	size_t size = (size_t) _i;
	uint8_t frame[SIZE], *cut = malloc(size ? size : 1);

	make(frame, 1, gateway);
	memcpy(cut, frame, size);
	ck_assert_uint_eq(ask(cut, size), 0);
	ck_assert_uint_eq(expire(cut, size), 0);
	free(cut);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("icmp");
	TCase *tcase = tcase_create("icmp");

	asker_init();
	tcase_add_loop_test(tcase, gateways_answer_ping, 0, 2);
	tcase_add_test(tcase, nobody_else_does);
	tcase_add_test(tcase, time_exceeded_quotes_the_packet);
	tcase_add_test(tcase, no_error_answers_an_error);
	tcase_add_loop_test(tcase, reads_no_byte_past_the_end, 0, SIZE);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
