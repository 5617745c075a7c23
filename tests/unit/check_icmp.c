/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/answer/icmp.c. */

#include <check.h>
#include <stdlib.h>

#include "tests/unit/asker.h"

enum {
	L3 = 14, L4 = 34, PAYLOAD = 56, SIZE = L4 + 8 + PAYLOAD,
	SIZE6 = 14 + 40 + 64
};

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

static void
fix_sum(uint8_t *frame)
{
	put_sum(frame + L3 + 10, 0);
	put_sum(frame + L3 + 10, frame_fold(frame_sum(frame + L3, 20, 0)));
}

static void
set_size(uint8_t *frame, size_t size)
{
	put_sum(frame + L3 + 2, (uint16_t) (size - L3));
	fix_sum(frame);
}

/* The same of IPv6: from fd00::11 to fd00::LAST. */
static void
make6(uint8_t *frame, uint8_t proto, uint8_t last)
{
	memset(frame, 0, SIZE6);
	memcpy(frame, router_mac, 6);
	memcpy(frame + 6, sql_mac, 6);
	frame[12] = 0x86;
	frame[13] = 0xdd;
	frame[L3] = 0x60;
	frame[L3 + 5] = SIZE6 - L3 - 40;
	frame[L3 + 6] = proto;
	frame[L3 + 7] = 1;
	frame[L3 + 8] = frame[L3 + 24] = 0xfd;
	frame[L3 + 23] = 0x11;
	frame[L3 + 39] = last;
	for (unsigned i = 54; i < SIZE6; i++)
		frame[i] = (uint8_t) i;
}

static size_t
ask(const uint8_t *bytes, size_t size)
{
	struct frame frame;

	return frame_read(bytes, size, &frame)
	       ? icmp_answer(&asker, &frame, answer) : 0;
}

static size_t
tell_of(const uint8_t *bytes, size_t size, size_t whole, enum icmp_error error,
	uint32_t mtu)
{
	struct frame frame;

	return frame_read_cut(bytes, size, whole, &frame)
	       && icmp_may_tell(&asker, &frame, error)
	       ? icmp_tell(&asker, &frame, error, mtu, answer) : 0;
}

static size_t
expire(const uint8_t *bytes, size_t size)
{
	return tell_of(bytes, size, size, ICMP_TIME_EXCEEDED, 0);
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

/* Every error in both versions: type, code and what else there is to say. */
START_TEST(each_error_says_what_it_must)
{
	static const struct {
		enum icmp_error error;
		uint32_t mtu;
		uint8_t start4[8], start6[8];
	} of[] = {
		{ ICMP_TIME_EXCEEDED, 0, { 11, 0 }, { 3, 0 } },
		{ ICMP_NO_ROUTE, 0, { 3, 0 }, { 1, 0 } },
		{ ICMP_UNREACHABLE, 0, { 3, 1 }, { 1, 3 } },
		{ ICMP_TOO_BIG, 1450, { 3, 4, [6] = 5, [7] = 0xaa },
		  { 2, 0, [6] = 5, [7] = 0xaa } },
		{ ICMP_TOO_BIG_HERE, 1280, { 3, 4, [6] = 5, [7] = 0 },
		  { 2, 0, [6] = 5, [7] = 0 } },
		{ ICMP_TOO_BIG, 70000, { 3, 4, [6] = 255, [7] = 255 },
		  { 2, 0, [6] = 255, [7] = 255 } }
	};

	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		uint8_t frame[SIZE6], start[8];
		struct frame read;
		size_t size;

		make(frame, 17, web);
		size = tell_of(frame, SIZE, SIZE, of[i].error, of[i].mtu);
		ck_assert_uint_eq(size, L4 + 8 + SIZE - L3);
		expect_ipv4(size, gateway);
		memcpy(start, answer + L4, 8);
		start[2] = start[3] = 0;
		ck_assert_mem_eq(start, of[i].start4, 8);
		ck_assert_mem_eq(answer + L4 + 8, frame + L3, SIZE - L3);

		make6(frame, 17, 0x12);
		size = tell_of(frame, SIZE6, SIZE6, of[i].error, of[i].mtu);
		ck_assert_uint_eq(size, SIZE6 + 48);
		ck_assert(frame_read(answer, size, &read));
		ck_assert_mem_eq(read.src.bytes, prefixes[1].gateway.bytes,
				 16);
		ck_assert_uint_eq(read.dst.bytes[15], 0x11);
		ck_assert_mem_eq(read.eth_src, router_mac, 6);
		ck_assert_uint_eq(frame_fold(frame_sum(
			answer + 54, size - 54,
			frame_sum_ipv6(&read.src, &read.dst, 58, size - 54))),
			0);
		memcpy(start, answer + 54, 8);
		start[2] = start[3] = 0;
		ck_assert_mem_eq(start, of[i].start6, 8);
		ck_assert_mem_eq(answer + 62, frame + L3, SIZE6 - L3);
	}
}
END_TEST

/* As much as fits, and of a packet that was cut as much as there is. */
START_TEST(quotes_as_much_as_it_may)
{
	static uint8_t frame[4000];
	size_t size;

	make(frame, 17, web);
	set_size(frame, 3000);
	size = tell_of(frame, 3000, 3000, ICMP_TOO_BIG, 1400);
	ck_assert_uint_eq(size, L3 + 576);
	size = tell_of(frame, 200, 3000, ICMP_TOO_BIG, 1400);
	ck_assert_uint_eq(size, L4 + 8 + 200 - L3);
	ck_assert_uint_eq(answer[L4 + 8 + 2], (3000 - L3) >> 8);
	make6(frame, 17, 0x12);
	frame[L3 + 4] = 3000 >> 8;
	frame[L3 + 5] = 3000 & 0xff;
	size = tell_of(frame, 3054, 3054, ICMP_TOO_BIG, 1400);
	ck_assert_uint_eq(size, L3 + 1280);
}
END_TEST

/* Where there is no gateway: in the name of whom it was for, but only what the
 * router had no part in. */
START_TEST(tells_in_anothers_name)
{
	struct list own = subnets[0].prefixes;
	uint8_t frame[SIZE];
	size_t size;

	list_init(&subnets[0].prefixes);
	make(frame, 17, web);
	memcpy(frame, web_mac, 6);
	ck_assert_uint_eq(tell_of(frame, SIZE, SIZE, ICMP_TOO_BIG, 1), 0);
	ck_assert_uint_eq(expire(frame, SIZE), 0);
	size = tell_of(frame, SIZE, SIZE, ICMP_TOO_BIG_HERE, 1450);
	ck_assert_uint_ne(size, 0);
	ck_assert_mem_eq(answer, sql_mac, 6);
	ck_assert_mem_eq(answer + 6, web_mac, 6);
	ck_assert_mem_eq(answer + L3 + 12, web, 4);
	subnets[0].prefixes = own;
}
END_TEST

/* Of several prefixes the one that the sender is in. */
START_TEST(speaks_from_the_senders_prefix)
{
	struct model_prefix other = { .subnet = &subnets[0], .bits = 24,
				      .gateway = IP4(10, 9, 9, 1) };
	uint8_t frame[SIZE];
	static const uint8_t far[4] = { 10, 9, 9, 1 };

	list_append(subnets[0].prefixes.next, &other.link);
	make(frame, 17, web);
	expect_ipv4(expire(frame, SIZE), gateway);
	frame[L3 + 13] = frame[L3 + 14] = 9;
	fix_sum(frame);
	ck_assert_uint_ne(expire(frame, SIZE), 0);
	ck_assert_mem_eq(answer + L3 + 12, far, 4);
	list_remove(&other.link);
}
END_TEST

/* RFC 1812, section 4.3.2.7, item by item. */
START_TEST(says_nothing_of_ipv4_that_it_must_not)
{
	static const uint8_t errors[] = { 3, 4, 5, 11, 12 };
	static const uint8_t queries[] = { 0, 8, 9, 10, 13, 14, 15, 16, 17 };
	static const struct { uint8_t src[4], dst[4]; bool is_told; } of[] = {
		{ { 10, 1, 1, 11 }, { 10, 1, 2, 12 }, true },
		{ { 10, 1, 1, 11 }, { 224, 0, 0, 5 }, false },
		{ { 10, 1, 1, 11 }, { 255, 255, 255, 255 }, false },
		{ { 10, 1, 1, 11 }, { 10, 1, 1, 255 }, false },
		{ { 10, 1, 1, 11 }, { 10, 1, 2, 255 }, false },
		{ { 10, 1, 1, 11 }, { 10, 1, 3, 255 }, true },
		{ { 0, 0, 0, 0 }, { 10, 1, 2, 12 }, false },
		{ { 127, 0, 0, 1 }, { 10, 1, 2, 12 }, false },
		{ { 224, 0, 0, 1 }, { 10, 1, 2, 12 }, false },
		{ { 240, 0, 0, 1 }, { 10, 1, 2, 12 }, false },
		{ { 255, 255, 255, 255 }, { 10, 1, 2, 12 }, false },
		{ { 10, 1, 1, 255 }, { 10, 1, 2, 12 }, false }
	};
	uint8_t frame[SIZE];

	for (int e = 0; e < ICMP_N_ERRORS; e++) {
		for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
			make(frame, 17, web);
			memcpy(frame + L3 + 12, of[i].src, 4);
			memcpy(frame + L3 + 16, of[i].dst, 4);
			fix_sum(frame);
			ck_assert_int_eq(tell_of(frame, SIZE, SIZE,
						 (enum icmp_error) e, 99) > 0,
					 of[i].is_told);
		}
		for (size_t i = 0; i < sizeof errors; i++) {
			make(frame, 1, web);
			frame[L4] = errors[i];
			ck_assert_uint_eq(tell_of(frame, SIZE, SIZE,
						  (enum icmp_error) e, 9), 0);
		}
		for (size_t i = 0; i < sizeof queries; i++) {
			make(frame, 1, web);
			frame[L4] = queries[i];
			ck_assert_uint_ne(tell_of(frame, SIZE, SIZE,
						  (enum icmp_error) e, 9), 0);
		}
		make(frame, 17, web);
		frame[L3 + 6] = 0x20;		/* The first fragment. */
		fix_sum(frame);
		ck_assert_uint_ne(tell_of(frame, SIZE, SIZE,
					  (enum icmp_error) e, 9), 0);
		frame[L3 + 6] = 0x21;		/* And another one. */
		fix_sum(frame);
		ck_assert_uint_eq(tell_of(frame, SIZE, SIZE,
					  (enum icmp_error) e, 9), 0);
		make(frame, 17, web);
		frame[6] |= 1;
		ck_assert_uint_eq(tell_of(frame, SIZE, SIZE,
					  (enum icmp_error) e, 9), 0);
	}
}
END_TEST

/* RFC 4443, section 2.4 (e). */
START_TEST(says_nothing_of_ipv6_that_it_must_not)
{
	uint8_t frame[SIZE6];

	for (int i = 0; i < ICMP_N_ERRORS; i++) {
		enum icmp_error e = (enum icmp_error) i;
		bool is_too_big = e == ICMP_TOO_BIG || e == ICMP_TOO_BIG_HERE;

		for (unsigned type = 0; type < 256; type++) {
			make6(frame, 58, 0x12);
			frame[54] = (uint8_t) type;
			ck_assert_int_eq(tell_of(frame, SIZE6, SIZE6, e, 9)
					 > 0, type >= 128 && type != 137);
			/* Behind options for the destination. */
			make6(frame, 60, 0x12);
			memset(frame + 54, 0, 8);
			frame[54] = 58;
			frame[62] = (uint8_t) type;
			ck_assert_int_eq(tell_of(frame, SIZE6, SIZE6, e, 9)
					 > 0, type >= 128 && type != 137);
		}
		make6(frame, 17, 0x12);
		memset(frame + L3 + 8, 0, 16);
		ck_assert_uint_eq(tell_of(frame, SIZE6, SIZE6, e, 9), 0);
		make6(frame, 17, 0x12);
		frame[L3 + 8] = 0xff;
		ck_assert_uint_eq(tell_of(frame, SIZE6, SIZE6, e, 9), 0);
		make6(frame, 17, 0x12);
		frame[L3 + 24] = 0xff;
		frame[0] = 0x33;
		ck_assert_int_eq(tell_of(frame, SIZE6, SIZE6, e, 9) > 0,
				 is_too_big);
		/* A later fragment of ICMPv6, and of UDP. */
		make6(frame, 44, 0x12);
		memset(frame + 54, 0, 8);
		frame[54] = 58;
		frame[57] = 8;
		ck_assert_uint_eq(tell_of(frame, SIZE6, SIZE6, e, 9), 0);
		frame[54] = 17;
		ck_assert_uint_ne(tell_of(frame, SIZE6, SIZE6, e, 9), 0);
		/* Headers that never end. */
		memset(frame + 54, 0, SIZE6 - 54);
		make6(frame, 0, 0x12);
		memset(frame + 54, 0, SIZE6 - 54);
		ck_assert_uint_eq(tell_of(frame, SIZE6, SIZE6, e, 9), 0);
	}
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
	tcase_add_test(tcase, each_error_says_what_it_must);
	tcase_add_test(tcase, quotes_as_much_as_it_may);
	tcase_add_test(tcase, tells_in_anothers_name);
	tcase_add_test(tcase, speaks_from_the_senders_prefix);
	tcase_add_test(tcase, says_nothing_of_ipv4_that_it_must_not);
	tcase_add_test(tcase, says_nothing_of_ipv6_that_it_must_not);
	tcase_add_loop_test(tcase, reads_no_byte_past_the_end, 0, SIZE);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
