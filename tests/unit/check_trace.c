/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/inspect/trace.c: what is typed, as a frame. */

#include <check.h>
#include <stdlib.h>

#include "agent/inspect/trace.h"
#include "tests/unit/asker.h"

static struct trace trace;

struct model_subnet *
model_find_subnet(const struct model *m, uint32_t vni,
		  const struct model_router *r)
{
	(void) m;
	(void) r;
	return vni == 5001 ? &subnets[0] : NULL;
}

/* The frame's bytes from 'at' on are 'hex'. */
static void
expect(size_t at, const char *hex)
{
	for (; *hex; hex += 2, at++) {
		char digits[3] = { hex[0], hex[1], '\0' };

		ck_assert_uint_lt(at, trace.size);
		ck_assert_msg(trace.frame[at]
			      == strtoul(digits, NULL, 16),
			      "byte %zu is %02x and not %s", at,
			      trace.frame[at], digits);
	}
}

static void
read_good(const char *text)
{
	char *problem = trace_read(&model, &port, text, &trace);

	ck_assert_msg(!problem, "\"%s\": %s", text, problem);
}

START_TEST(reads_tcp)
{
	struct frame f;

	read_good("10.1.1.11 > 10.1.1.12 tcp 4000 > 80 ttl=7 flags=SA "
		  "size=10");
	ck_assert_uint_eq(trace.size, 14 + 20 + 20 + 10);
	/* The MACs that ARP would have told. */
	expect(0, "021001010012" "021001010011" "0800");
	ck_assert(frame_read(trace.frame, trace.size, &f));
	ck_assert_uint_eq(f.proto, 6);
	ck_assert_uint_eq(f.ttl, 7);
	ck_assert_uint_eq(f.end, trace.size);
	expect(f.l4, "0fa00050");
	expect(f.l4 + 12, "5012");
	ck_assert(!trace.has_tunnel);
}
END_TEST

START_TEST(sends_the_unknown_to_the_router)
{
	read_good("10.1.1.11 > 10.9.9.9 udp 53");
	expect(0, "02005e000101");
	expect(14 + 20 + 2, "0035");
}
END_TEST

START_TEST(reads_icmp_vlan_and_macs)
{
	read_good("10.1.1.11 > 10.1.1.12 icmp vlan=7 "
		  "eth_dst=00-11-22-33-44-55 eth_src=001122334456");
	expect(0, "001122334455" "001122334456" "81000007" "0800");
	expect(18 + 20, "08");
}
END_TEST

START_TEST(reads_ipv6)
{
	struct frame f;

	read_good("fd00::11 > fd00::12 icmp6");
	expect(0, "021001010012" "021001010011" "86dd");
	ck_assert(frame_read(trace.frame, trace.size, &f));
	ck_assert_uint_eq(f.proto, 58);
	expect(f.l4, "80");
}
END_TEST

START_TEST(reads_arp)
{
	read_good("10.1.1.11 > 10.1.1.12 arp");
	ck_assert_uint_eq(trace.size, 42);
	expect(0, "ffffffffffff" "021001010011" "0806" "0001080006040001"
	       "021001010011" "0a01010b" "000000000000" "0a01010c");
}
END_TEST

START_TEST(reads_a_tunnel)
{
	char *problem = trace_read(&model, NULL, "10.1.1.12 > 10.1.1.11 tcp "
				   "pa=192.168.2.20 vni=5001 encap=nvgre",
				   &trace);

	ck_assert_ptr_null(problem);
	ck_assert(trace.has_tunnel);
	ck_assert_uint_eq(trace.tunnel.vni, 5001);
	ck_assert_uint_eq(trace.tunnel.encap, VSW_ENCAP_NVGRE);
	ck_assert_uint_eq(trace.tunnel.src.bytes[3], 20);
	expect(0, "021001010011" "021001010012");
}
END_TEST

START_TEST(reads_hex)
{
	read_good("ffffffffffff0210010100110806" "0001");
	ck_assert_uint_eq(trace.size, 16);
	expect(0, "ffffffffffff" "021001010011" "0806" "0001");
}
END_TEST

static const struct {
	const char *text, *word;	/* The problem names the word. */
} bad[] = {
	{ "", "SRC > DST" },
	{ "10.1.1.11 10.1.1.12 icmp", "SRC > DST" },
	{ "10.1.1.11 > 10.1.1.12", "SRC > DST" },
	{ "10.1.1 > 10.1.1.12 icmp", "10.1.1" },
	{ "10.1.1.11 > ten icmp", "ten" },
	{ "10.1.1.11 > fd00::1 icmp", "IPv6" },
	{ "10.1.1.11 > 10.1.1.12 ftp", "ftp" },
	{ "10.1.1.11 > 10.1.1.12 256", "256" },
	{ "fd00::11 > fd00::12 arp", "IPv4" },
	{ "10.1.1.11 > 10.1.1.12 tcp 1 > 65536", "65536" },
	{ "10.1.1.11 > 10.1.1.12 tcp x > 1", "x" },
	{ "10.1.1.11 > 10.1.1.12 tcp ttl", "ttl" },
	{ "10.1.1.11 > 10.1.1.12 tcp ttl=256", "ttl" },
	{ "10.1.1.11 > 10.1.1.12 tcp ttl=", "ttl" },
	{ "10.1.1.11 > 10.1.1.12 tcp speed=1", "speed" },
	{ "10.1.1.11 > 10.1.1.12 tcp flags=Q", "flags" },
	{ "10.1.1.11 > 10.1.1.12 tcp size=8901", "size" },
	{ "10.1.1.11 > 10.1.1.12 tcp vlan=4095", "vlan" },
	{ "10.1.1.11 > 10.1.1.12 tcp eth_src=1", "eth_src" },
	{ "10.1.1.11 > 10.1.1.12 tcp encap=gre", "encap" },
	{ "ffffffffffff02100101001108060", "29" },
	{ "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
	  "too many" }
};

START_TEST(names_the_word_that_does_not_read)
{
	char *problem = trace_read(&model, &port, bad[_i].text, &trace);

	ck_assert_msg(problem != NULL, "\"%s\" was read", bad[_i].text);
	ck_assert_msg(strstr(problem, bad[_i].word) != NULL,
		      "\"%s\": %s", bad[_i].text, problem);
	free(problem);
}
END_TEST

START_TEST(an_uplink_wants_a_tunnel)
{
	char *problem = trace_read(&model, NULL, "10.1.1.12 > 10.1.1.11 tcp",
				   &trace);

	ck_assert_ptr_nonnull(problem);
	ck_assert_ptr_nonnull(strstr(problem, "pa="));
	free(problem);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trace");
	TCase *tcase = tcase_create("trace");

	asker_init();
	memcpy(port.mac, sql_mac, 6);
	tcase_add_test(tcase, reads_tcp);
	tcase_add_test(tcase, sends_the_unknown_to_the_router);
	tcase_add_test(tcase, reads_icmp_vlan_and_macs);
	tcase_add_test(tcase, reads_ipv6);
	tcase_add_test(tcase, reads_arp);
	tcase_add_test(tcase, reads_a_tunnel);
	tcase_add_test(tcase, reads_hex);
	tcase_add_loop_test(tcase, names_the_word_that_does_not_read, 0,
			    sizeof bad / sizeof bad[0]);
	tcase_add_test(tcase, an_uplink_wants_a_tunnel);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
