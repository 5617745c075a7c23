/* SPDX-License-Identifier: Apache-2.0 */

/* Tests what libvswitch/datapath/execute.c does to bytes; the station as a
 * whole is walked (tests/walk). */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/datapath/execute.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/rewrite.h"
#include "libvswitch/policy/port.h"
#include "tests/walk/frame.h"

static struct frame frame, expected;
static struct headers h;

static void
edit(const struct rewrite *rewrite, const char *from, const char *to)
{
	frame_must_make(&frame, "%s", from);
	frame_must_make(&expected, "%s", to);
	ck_assert_int_eq(parse_frame(frame.bytes, frame.size, &h),
			 PARSE_GOOD);
	struct vsw_packet packet = {
		.data = frame.bytes, .size = (uint32_t) frame.size
	};

	execute_edit(&packet, &h, rewrite);
	ck_assert(frame_matches(&expected, frame.bytes, frame.size));
}

START_TEST(edits_what_it_is_told_to)
{
	struct rewrite r = { .eth_src = { 2, 0, 0, 0, 0, 9 },
			     .eth_dst = { 2, 0, 0, 0, 0, 8 } };

	edit(&r, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2",
	     "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2");
	r.ops = REWRITE_ETH_SRC;
	edit(&r, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2",
	     "eth 9>2 ip 1.1.1.1>2.2.2.2 udp 1>2");
	r.ops = REWRITE_ETH_DST | REWRITE_TTL;
	edit(&r, "eth 1>2 vlan 5 ip 1.1.1.1>2.2.2.2 ttl 9 udp 1>2",
	     "eth 1>8 vlan 5 ip 1.1.1.1>2.2.2.2 ttl 8 udp 1>2");
	edit(&r, "eth 1>2 ip fd00::1>fd00::2 ttl 255 udp 1>2",
	     "eth 1>8 ip fd00::1>fd00::2 ttl 254 udp 1>2");
	edit(&r, "eth 1>2 arp request 1.1.1.1>2.2.2.2 pad 9",
	     "eth 1>8 arp request 1.1.1.1>2.2.2.2 pad 9");
}
END_TEST

/* Every TTL, with checksums of all kinds: as if made anew. */
START_TEST(keeps_checksums_right)
{
	struct rewrite r = { .ops = REWRITE_TTL };
	char from[120], to[120];

	for (unsigned ttl = 2; ttl < 256; ttl++)
		for (unsigned id = 0; id < 65536; id += 257) {
			snprintf(from, sizeof from, "eth 1>2 ip 1.1.1.1>"
				 "2.2.2.2 ttl %u id %u udp 1>2", ttl, id);
			snprintf(to, sizeof to, "eth 1>2 ip 1.1.1.1>"
				 "2.2.2.2 ttl %u id %u udp 1>2", ttl - 1, id);
			edit(&r, from, to);
		}
}
END_TEST

START_TEST(knows_when_a_ttl_ends)
{
	static const struct {
		const char *text;
		bool ends;
	} frames[] = {
		{ "eth 1>2 ip 1.1.1.1>2.2.2.2 ttl 0 udp 1>2", true },
		{ "eth 1>2 ip 1.1.1.1>2.2.2.2 ttl 1 udp 1>2", true },
		{ "eth 1>2 ip 1.1.1.1>2.2.2.2 ttl 2 udp 1>2", false },
		{ "eth 1>2 ip fd00::1>fd00::2 ttl 1", true },
		{ "eth 1>2 ip fd00::1>fd00::2 ttl 2", false },
		{ "eth 1>2 arp request 1.1.1.1>2.2.2.2", false },
		{ "eth 1>2 type 0x88cc payload 50", false },
	};
	struct rewrite with = { .ops = REWRITE_TTL }, without = { .ops = 0 };

	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		frame_must_make(&frame, "%s", frames[i].text);
		parse_frame(frame.bytes, frame.size, &h);
		ck_assert_int_eq(execute_ttl_ends(&h, &with),
				 frames[i].ends);
		ck_assert(!execute_ttl_ends(&h, &without));
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("execute");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_test(all, edits_what_it_is_told_to);
	tcase_add_test(all, keeps_checksums_right);
	tcase_add_test(all, knows_when_a_ttl_ends);
	suite_add_tcase(suite, all);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
