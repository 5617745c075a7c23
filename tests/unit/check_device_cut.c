/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/device/{sum,inner,cut}.c. */

#include "libvswitch/device/cut.h"

#include <check.h>

#include "libvswitch/device/sum.h"
#include "tests/unit/device_frame.h"

static uint8_t frame[70000], whole[70000], expected[70000];

START_TEST(sum_is_the_naive_one)
{
	unsigned n_checked = 0;

	for (size_t i = 0; i < sizeof frame; i++)
		frame[i] = (uint8_t) rand();
	/* Each end of each loop, at each alignment. */
	for (size_t size = 0; size < 300; size++)
		for (size_t at = 0; at < 8; at++, n_checked++) {
			uint8_t field[2];

			sum_put(field, sum_fold(sum_add(0, frame + at,
							size)));
			ck_assert_uint_eq(be16_get(field) % 0xffff,
					  naive_sum(0, frame + at, size)
					  % 0xffff);
		}
	memset(frame, 0xff, sizeof frame);
	ck_assert_uint_eq(sum_fold(sum_add(0xffffffff, frame, 65536)), 0xffff);
	ck_assert_uint_eq(n_checked, 2400);
}
END_TEST

START_TEST(parse_finds_the_headers)
{
	struct spec s = { .version = 4, .protocol = 6, .n_options = 3,
			  .payload_size = 10 };
	struct inner inner;
	size_t size = make_frame(&s, frame, false);

	ck_assert(inner_parse(frame, size, &inner));
	ck_assert_uint_eq(inner.l3, 14);
	ck_assert_uint_eq(inner.l4, 34);
	ck_assert_uint_eq(inner.payload, 66);
	ck_assert_uint_eq(inner.end, 76);
	/* Padding is not the packet's. */
	ck_assert(inner_parse(frame, size + 4, &inner));
	ck_assert_uint_eq(inner.end, 76);
}
END_TEST

/* No prefix of a frame is one, and nothing past it is read: the frame stands
 * at the end of memory of its own. */
START_TEST(parse_refuses_what_is_cut_short)
{
	static const struct spec specs[] = {
		{ .version = 4, .protocol = 6, .n_options = 10 },
		{ .version = 6, .protocol = 6, .tagged = true },
		{ .version = 4, .protocol = 17, .tagged = true,
		  .payload_size = 9 },
		{ .version = 6, .protocol = 17, .payload_size = 1 },
	};

	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
		size_t size = make_frame(&specs[i], frame, false);

		for (size_t n = 0; n <= size; n++) {
			uint8_t *copy = malloc(n ? n : 1);
			struct inner inner;

			memcpy(copy, frame, n);
			ck_assert_int_eq(inner_parse(copy, n, &inner),
					 n == size);
			free(copy);
		}
	}
}
END_TEST

START_TEST(parse_refuses_what_it_does_not_know)
{
	struct spec s = { .version = 4, .protocol = 6, .payload_size = 10 };
	struct inner inner;
	size_t size = make_frame(&s, frame, false);

	frame[14 + 6] = 0x20;		/* More fragments. */
	ck_assert(!inner_parse(frame, size, &inner));
	frame[14 + 6] = 0;
	frame[14 + 7] = 1;		/* A later fragment. */
	ck_assert(!inner_parse(frame, size, &inner));
	frame[14 + 7] = 0;
	ck_assert(inner_parse(frame, size, &inner));
	frame[14 + 9] = 1;		/* ICMP. */
	ck_assert(!inner_parse(frame, size, &inner));
	frame[14 + 9] = 6;
	frame[14] = 0x44;		/* A header of 16 bytes. */
	ck_assert(!inner_parse(frame, size, &inner));
	frame[14] = 0x45;
	frame[34 + 12] = 0x40;		/* TCP's, too. */
	ck_assert(!inner_parse(frame, size, &inner));
}
END_TEST

/* Every segment is, byte for byte, what the naive one cuts. */
START_TEST(cut_is_the_naive_one)
{
	unsigned n_segments = 0;

	for (int round = 0; round < 400; round++) {
		struct spec s = {
			.version = rand() % 2 ? 4 : 6,
			.protocol = rand() % 3 ? 6 : 17,
			.tagged = rand() % 4 == 0,
			.n_options = (uint8_t) (rand() % 11),
			.flags = (uint8_t) (0x10 | (rand() & 0x49)),
			.id = (uint16_t) (rand() % 3 ? rand() : 0xffff),
			.sequence = (uint32_t) rand() * 2u,
			.port = (uint16_t) rand(),
			.payload_size = 1 + (size_t) rand()
				% (round % 8 ? 9000 : 64000),
		};
		struct vsw_offload offload = {
			.segment_kind = s.protocol == 17 ? VSW_SEGMENT_UDP
				: s.version == 4 ? VSW_SEGMENT_TCP4
				: VSW_SEGMENT_TCP6,
			.segment_size = (uint16_t) (100 + rand() % 1400),
		};
		size_t size = make_frame(&s, whole, true), n, i = 0;
		const uint8_t *payload;
		struct cut cut;

		ck_assert(cut_begin(&cut, whole, size, &offload));
		while ((n = cut_next(&cut, frame, &payload)) > 0) {
			size_t m = naive_segment(&s, whole,
						 offload.segment_size, i++,
						 expected);

			memcpy(frame + cut.header_size, payload, n);
			ck_assert_uint_eq(cut.header_size + n, m);
			ck_assert_mem_eq(frame, expected, m);
			n_segments++;
		}
		ck_assert_uint_eq(i, cut.n_segments);
		ck_assert_uint_eq(naive_segment(&s, whole,
						offload.segment_size, i,
						expected), 0);
	}
	ck_assert_uint_gt(n_segments, 2000);
}
END_TEST

START_TEST(cut_keeps_cwr_on_the_first)
{
	struct spec s = { .version = 4, .protocol = 6, .flags = 0x90,
			  .payload_size = 300 };
	struct vsw_offload offload = { .segment_kind = VSW_SEGMENT_TCP4,
				       .segment_size = 100, .ecn = true };
	size_t size = make_frame(&s, whole, true);
	const uint8_t *payload;
	struct cut cut;

	ck_assert(cut_begin(&cut, whole, size, &offload));
	for (int i = 0; i < 3; i++) {
		uint32_t sum;

		ck_assert_uint_eq(cut_next(&cut, frame, &payload), 100);
		memcpy(frame + cut.header_size, payload, 100);
		ck_assert_uint_eq(frame[34 + 13], i == 0 ? 0x90 : 0x10);
		sum = naive_pseudo(&s, frame, 120);
		ck_assert_uint_eq(naive_sum(sum, frame + 34, 120), 0xffff);
	}
}
END_TEST

START_TEST(cut_refuses_what_does_not_fit)
{
	struct spec s = { .version = 4, .protocol = 6, .payload_size = 3000 };
	struct vsw_offload offload = { .segment_kind = VSW_SEGMENT_TCP4,
				       .segment_size = 1000 };
	size_t size = make_frame(&s, whole, true);
	struct cut cut;

	ck_assert(cut_begin(&cut, whole, size, &offload));
	offload.segment_size = 0;
	ck_assert(!cut_begin(&cut, whole, size, &offload));
	offload.segment_size = 2;	/* 1500 segments. */
	ck_assert(!cut_begin(&cut, whole, size, &offload));
	offload.segment_size = 1000;
	offload.segment_kind = VSW_SEGMENT_TCP6;
	ck_assert(!cut_begin(&cut, whole, size, &offload));
	offload.segment_kind = VSW_SEGMENT_UDP;
	ck_assert(!cut_begin(&cut, whole, size, &offload));
	offload.segment_kind = UINT8_MAX;
	ck_assert(!cut_begin(&cut, whole, size, &offload));
	s.payload_size = 0;
	size = make_frame(&s, whole, true);
	offload.segment_kind = VSW_SEGMENT_TCP4;
	ck_assert(!cut_begin(&cut, whole, size, &offload));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("device_cut");
	TCase *tc = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int n_failed;

	srand(1);
	tcase_add_test(tc, sum_is_the_naive_one);
	tcase_add_test(tc, parse_finds_the_headers);
	tcase_add_test(tc, parse_refuses_what_is_cut_short);
	tcase_add_test(tc, parse_refuses_what_it_does_not_know);
	tcase_add_test(tc, cut_is_the_naive_one);
	tcase_add_test(tc, cut_keeps_cwr_on_the_first);
	tcase_add_test(tc, cut_refuses_what_does_not_fit);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
