/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/fit.c: what is said of every size, and fragments,
 * put together again by somebody who only knows RFC 791. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/fit.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/rewrite.h"
#include "tests/unit/packet_rig.h"
#include "tests/walk/frame.h"

enum { JOINED_MAX = 70000 };

/* A datagram that is being put together. */
struct joined {
	uint8_t bytes[JOINED_MAX];
	bool there[JOINED_MAX / 8 + 1];
	size_t size;			/* 0: the last piece is missing. */
	unsigned n;
};

static struct packet_rig rig;
static struct frame frame;
static struct headers h;
static struct joined joined;
static char problem[160];

static void
setup(void)
{
	packet_rig_up(&rig);
}

static void
teardown(void)
{
	packet_rig_down(&rig);
}

static struct vsw_packet *
packet_of(const char *text)
{
	struct vsw_packet *p;

	frame_must_make(&frame, "%s", text);
	p = packet_rig_packet(&rig, &frame);
	ck_assert_int_eq(parse_frame(p->data, p->size, &h), PARSE_GOOD);
	return p;
}

static enum fit
judge(const char *text, uint32_t max_size, bool may_fragment)
{
	struct rewrite rewrite = { .may_fragment = may_fragment,
				   .max_size = (uint16_t) max_size };
	struct vsw_packet *p = packet_of(text);
	enum fit fit = fit_judge(p, &h, &rewrite);

	vsw_packet_free(p);
	return fit;
}

static void
join(const struct vsw_packet *p, size_t l3, size_t header_size)
{
	const uint8_t *ip = p->data + l3;
	size_t at = (get_be16(ip + 6) & IPV4_FRAGMENT_OFFSET) * 8u;
	size_t size = p->size - l3 - header_size;

	ck_assert_uint_eq((ip[0] & 15u) * 4, header_size);
	ck_assert_uint_eq(get_be16(ip + 2), header_size + size);
	ck_assert(!(get_be16(ip + 6) & IPV4_DONT_FRAGMENT));
	ck_assert_uint_eq(frame_naive_checksum(ip, header_size, 0), 0);
	if (get_be16(ip + 6) & IPV4_MORE_FRAGMENTS)
		ck_assert_uint_eq(size % 8, 0);
	else
		joined.size = at + size;
	memcpy(joined.bytes + at, ip + header_size, size);
	for (size_t i = at / 8; i < (at + size + 7) / 8; i++) {
		ck_assert(!joined.there[i]);
		joined.there[i] = true;
	}
	joined.n++;
}

/* Cuts what 'text' says, and holds what comes out against it. */
static void
cut(const char *text, uint32_t max_size)
{
	struct vsw_packet *p = packet_of(text), *part;
	size_t l3 = h.l3, header_size = (frame.bytes[l3] & 15u) * 4;
	size_t size = get_be16(frame.bytes + l3 + 2) - header_size;
	struct fragments fragments;

	memset(&joined, 0, sizeof joined);
	ck_assert_int_eq(fragments_start(&fragments, p, max_size), 0);
	while ((part = fragments_next(&fragments))) {
		ck_assert_uint_le(part->size, max_size);
		ck_assert_mem_eq(part->data, frame.bytes, l3);
		ck_assert_mem_eq(part->data + l3 + 4, frame.bytes + l3 + 4, 2);
		ck_assert_mem_eq(part->data + l3 + 8, frame.bytes + l3 + 8, 2);
		ck_assert_mem_eq(part->data + l3 + 12, frame.bytes + l3 + 12,
				 8);
		ck_assert_uint_ne(part->offload.checksum,
				  VSW_CHECKSUM_PARTIAL);
		ck_assert_msg(frame_is_sound(part->data, part->size, NULL,
					     problem, sizeof problem),
			      "%s", problem);
		join(part, l3, header_size);
		vsw_packet_free(part);
	}
	ck_assert(!fragments.has_failed);
	ck_assert_uint_eq(joined.size, size);
	for (size_t i = 0; i < (size + 7) / 8; i++)
		ck_assert(joined.there[i]);
	ck_assert_mem_eq(joined.bytes, frame.bytes + l3 + header_size, size);
}

START_TEST(says_what_fits)
{
	const char *udp = "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2 payload 100";
	const char *df = "eth 1>2 ip 1.1.1.1>2.2.2.2 df udp 1>2 payload 100";
	const char *v6 = "eth 1>2 ip fd00::1>fd00::2 udp 1>2 payload 100";
	const char *tagged = "eth 1>2 vlan 5 ip 1.1.1.1>2.2.2.2 udp 1>2 "
			     "payload 96";

	ck_assert_int_eq(judge(udp, 142, false), FIT_AS_IT_IS);
	ck_assert_int_eq(judge(udp, 141, false), FIT_NOT);
	ck_assert_int_eq(judge(udp, 141, true), FIT_IN_FRAGMENTS);
	ck_assert_int_eq(judge(tagged, 142, true), FIT_AS_IT_IS);
	ck_assert_int_eq(judge(tagged, 141, true),
			 FIT_IN_FRAGMENTS);
	ck_assert_int_eq(judge(df, 142, true), FIT_AS_IT_IS);
	ck_assert_int_eq(judge(df, 141, true), FIT_NOT);
	ck_assert_int_eq(judge(v6, 162, true), FIT_AS_IT_IS);
	ck_assert_int_eq(judge(v6, 161, true), FIT_NOT);
	ck_assert_int_eq(judge("eth 1>2 type 0x88cc payload 100", 113,
			       true), FIT_NOT);
	ck_assert_int_eq(judge("eth 1>2 arp request 1.1.1.1>2.2.2.2 pad 99",
			       100, true), FIT_WITHOUT_PADDING);
	ck_assert_int_eq(judge("eth 1>2 arp request 1.1.1.1>2.2.2.2", 41,
			       true), FIT_NOT);
	/* Eight bytes beside the header there must be. */
	ck_assert_int_eq(judge(udp, 42, true), FIT_IN_FRAGMENTS);
	ck_assert_int_eq(judge(udp, 41, true), FIT_NOT);
	ck_assert_int_eq(judge(udp, 0, true), FIT_NOT);
	ck_assert_int_eq(judge("eth 1>2 ip 1.1.1.1>2.2.2.2 options 8 udp 1>2 "
			       "payload 100", 49, true), FIT_NOT);
}
END_TEST

/* Of what is not IP nobody could be told. */
START_TEST(tells_of_ip)
{
	struct rewrite rewrite = { .reason = 0 };

	vsw_packet_free(packet_of("eth 1>2 ip 10.0.0.1>10.0.0.2 udp 5>6"));
	ck_assert(!fit_is_told(&h, &rewrite));
	rewrite.reason = 7;
	ck_assert(fit_is_told(&h, &rewrite));
	vsw_packet_free(packet_of("eth 1>2 ip fd00::1>fd00::2 udp 5>6"));
	ck_assert(fit_is_told(&h, &rewrite));
	vsw_packet_free(packet_of("eth 1>2 arp request 10.0.0.1>10.0.0.2"));
	ck_assert(!fit_is_told(&h, &rewrite));
	vsw_packet_free(packet_of("eth 1>2 type 0x88b5 payload 50"));
	ck_assert(!fit_is_told(&h, &rewrite));
}
END_TEST

START_TEST(forgets_padding)
{
	const char *padded = "eth 1>2 ip 1.1.1.1>2.2.2.2 df udp 1>2 "
			     "payload 100 pad 50";

	ck_assert_int_eq(judge(padded, 192, false), FIT_AS_IT_IS);
	ck_assert_int_eq(judge(padded, 191, false), FIT_WITHOUT_PADDING);
	ck_assert_int_eq(judge(padded, 142, false), FIT_WITHOUT_PADDING);
	ck_assert_int_eq(judge(padded, 141, false), FIT_NOT);
}
END_TEST

START_TEST(measures_segments)
{
	const char *tcp = "segments 100 eth 1>2 ip 1.1.1.1>2.2.2.2 df "
			  "tcp 1>2 partial payload 3000";
	const char *one = "segments 100 eth 1>2 ip 1.1.1.1>2.2.2.2 df "
			  "tcp 1>2 partial payload 90";

	ck_assert_int_eq(judge(tcp, 154, false), FIT_AS_IT_IS);
	ck_assert_int_eq(judge(tcp, 153, false), FIT_NOT);
	/* One that needs no cutting is as large as it is. */
	ck_assert_int_eq(judge(one, 144, false), FIT_AS_IT_IS);
	ck_assert_int_eq(judge(one, 143, false), FIT_NOT);
}
END_TEST

START_TEST(cuts)
{
	cut("eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2 payload 100", 141);
	ck_assert_uint_eq(joined.n, 2);
	cut("eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2 payload 100", 50);
	ck_assert_uint_eq(joined.n, 7);
	cut("eth 1>2 vlan 5 ip 1.1.1.1>2.2.2.2 udp 1>2 payload 101 pad 3",
	    100);
	ck_assert_uint_eq(joined.n, 2);
	cut("eth 1>2 ip 1.1.1.1>2.2.2.2 id 7 tcp 1>2 payload 8192", 1464);
	ck_assert_uint_eq(joined.n, 6);
	cut("eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2 payload 65507", 600);
}
END_TEST

/* Sizes, limits and options at random. */
START_TEST(cuts_anything)
{
	uint64_t random = 7;
	unsigned n_pieces = 0;
	char text[200];

	for (unsigned i = 0; i < 400; i++) {
		unsigned options = rig_random(&random) % 11 * 4;
		unsigned size = rig_random(&random)
				% (i % 10 ? 3000 : 60000);
		uint32_t least = 14 + 20 + options + 8;
		uint32_t most = least + 8 + size;

		snprintf(text, sizeof text, "eth 1>2 ip 1.1.1.1>2.2.2.2 "
			 "id %u options %u udp 1>2 payload %u",
			 rig_random(&random) & 0xffff, options, size);
		if (size > 10000)
			least += 200;
		cut(text, least + rig_random(&random) % (most - least));
		n_pieces += joined.n;
	}
	ck_assert_uint_gt(n_pieces, 2000);
}
END_TEST

/* What was a fragment stays one: offsets add up, and only what was the last
 * ends it. */
START_TEST(cuts_fragments)
{
	static const struct { const char *flags; unsigned offset; bool more; }
	of[] = {
		{ "mf", 0, true }, { "mf offset 40", 40, true },
		{ "offset 185", 185, false }
	};
	char text[160];

	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct vsw_packet *part;
		struct fragments fragments;
		unsigned next = of[i].offset, n = 0;
		uint16_t place = 0;

		snprintf(text, sizeof text, "eth 1>2 ip 1.1.1.1>2.2.2.2 "
			 "proto 17 %s payload 800", of[i].flags);
		ck_assert_int_eq(fragments_start(&fragments, packet_of(text),
						 334), 0);
		while ((part = fragments_next(&fragments))) {
			place = get_be16(part->data + 20);
			ck_assert_uint_eq(place & IPV4_FRAGMENT_OFFSET, next);
			next += (part->size - 34) / 8;
			ck_assert_mem_eq(part->data + 34, frame.bytes + 34
					 + n * 296, part->size - 34);
			if (++n < 3)
				ck_assert(place & IPV4_MORE_FRAGMENTS);
			vsw_packet_free(part);
		}
		ck_assert_uint_eq(n, 3);
		ck_assert_uint_eq(next, of[i].offset + 100);
		ck_assert_int_eq(!!(place & IPV4_MORE_FRAGMENTS), of[i].more);
	}
}
END_TEST

/* RFC 791, section 3.1: with the copied flag an option is in all fragments, and
 * without it in the first. */
START_TEST(copies_options)
{
	/* Record route (7), router alert (148), timestamp (68), end. */
	static const uint8_t options[16] = {
		7, 3, 4, 148, 4, 0, 0, 1, 68, 6, 5, 0, 0, 0, 0, 0
	};
	static const uint8_t later[16] = {
		1, 1, 1, 148, 4, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0
	};
	struct vsw_packet *p, *part;
	struct fragments fragments;
	unsigned n = 0;

	p = packet_of("eth 1>2 ip 1.1.1.1>2.2.2.2 options 16 udp 1>2 "
		      "payload 200");
	memcpy(p->data + 34, options, sizeof options);
	put_be16(p->data + 24, 0);
	put_be16(p->data + 24, frame_naive_checksum(p->data + 14, 36, 0));
	ck_assert_int_eq(fragments_start(&fragments, p, 130), 0);
	while ((part = fragments_next(&fragments))) {
		ck_assert_mem_eq(part->data + 34, n++ ? later : options, 16);
		vsw_packet_free(part);
	}
	ck_assert_uint_eq(n, 3);

	/* What does not read is left alone. */
	p = packet_of("eth 1>2 ip 1.1.1.1>2.2.2.2 options 4 udp 1>2 "
		      "payload 200");
	memcpy(p->data + 34, "\7\11\1\1", 4);
	ck_assert_int_eq(fragments_start(&fragments, p, 130), 0);
	while ((part = fragments_next(&fragments))) {
		ck_assert_mem_eq(part->data + 34, "\7\11\1\1", 4);
		vsw_packet_free(part);
	}
}
END_TEST

/* Each segment is a datagram, and is cut by itself; checksums are those of
 * whole ones. */
START_TEST(cuts_segments)
{
	struct vsw_packet *p = packet_of("segments 500 eth 1>2 "
					 "ip 1.1.1.1>2.2.2.2 id 5 udp 1>2 "
					 "partial payload 1200");
	struct fragments fragments;
	struct vsw_packet *part;
	unsigned n = 0, n_of[3] = { 0 };
	uint16_t id;

	ck_assert_int_eq(fragments_start(&fragments, p, 14 + 20 + 256), 0);
	while ((part = fragments_next(&fragments))) {
		id = get_be16(part->data + 18);
		ck_assert_uint_ge(id, 5);
		ck_assert_uint_le(id, 7);
		if (!n_of[id - 5])
			memset(&joined, 0, sizeof joined);
		join(part, 14, 20);
		n_of[id - 5]++;
		n++;
		if (joined.size) {
			size_t size = id == 7 ? 200 : 500;
			uint8_t pseudo[12 + 508];

			ck_assert_uint_eq(joined.size, size + 8);
			memcpy(pseudo, part->data + 26, 8);
			memcpy(pseudo + 8, "\0\x11", 2);
			put_be16(pseudo + 10, (uint16_t) (size + 8));
			memcpy(pseudo + 12, joined.bytes, size + 8);
			ck_assert_uint_eq(frame_naive_checksum(
				pseudo, size + 20, 0), 0);
			ck_assert_mem_eq(joined.bytes + 8, frame.bytes + 42
					 + (id - 5) * 500u, size);
		}
		vsw_packet_free(part);
	}
	ck_assert_uint_eq(n, 5);
	ck_assert_uint_eq(n_of[0], 2);
	ck_assert_uint_eq(n_of[1], 2);
	ck_assert_uint_eq(n_of[2], 1);
}
END_TEST

/* One that is not cut, but whose sum is still to be made. */
START_TEST(finishes_sums)
{
	cut("eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2 payload 1", 100);
	ck_assert_uint_eq(joined.n, 1);

	struct vsw_packet *p = packet_of("eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2 "
					 "partial payload 300"), *part;
	struct fragments fragments;
	uint16_t sum = 0;

	ck_assert_int_eq(fragments_start(&fragments, p, 200), 0);
	while ((part = fragments_next(&fragments))) {
		if (!sum)
			sum = get_be16(part->data + 40);
		vsw_packet_free(part);
	}
	frame_must_make(&frame, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2 "
			"payload 300");
	ck_assert_uint_eq(sum, get_be16(frame.bytes + 40));
}
END_TEST

START_TEST(survives_lack_of_memory)
{
	/* Of sizes that the pool keeps none of. */
	const char *text = "segments 30000 eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2 "
			   "partial payload 60000";
	unsigned long n_calls = 4, n_failed = 0;

	for (unsigned long at = 1; at <= n_calls + 1; at++) {
		struct vsw_packet *p = packet_of(text), *part, *held[8];
		struct fragments fragments;
		unsigned n = 0;

		rig.memory.fail_at = rig.memory.n_calls + at;
		ck_assert_int_eq(fragments_start(&fragments, p, 15000), 0);
		while ((part = fragments_next(&fragments)))
			held[n++] = part;
		n_calls = rig.memory.n_calls - (rig.memory.fail_at - at);
		rig.memory.fail_at = 0;
		n_failed += fragments.has_failed;
		ck_assert(fragments.has_failed || n == 6);
		while (n)
			vsw_packet_free(held[--n]);
		/* What the pool kept would be there the next time. */
		teardown();
		setup();
	}
	ck_assert_uint_gt(n_failed, 3);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fit");
	TCase *tcase = tcase_create("fit");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, says_what_fits);
	tcase_add_test(tcase, tells_of_ip);
	tcase_add_test(tcase, forgets_padding);
	tcase_add_test(tcase, measures_segments);
	tcase_add_test(tcase, cuts);
	tcase_add_test(tcase, cuts_anything);
	tcase_add_test(tcase, cuts_fragments);
	tcase_add_test(tcase, copies_options);
	tcase_add_test(tcase, cuts_segments);
	tcase_add_test(tcase, finishes_sums);
	tcase_add_test(tcase, survives_lack_of_memory);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
