/* SPDX-License-Identifier: Apache-2.0 */

/* How protocols, ports and addresses of a rule are spelled, and that equal
 * lists are one. */

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/model/acl.h"
#include "agent/model/model.h"

static char text[16384];

static const char *
say(const char *format, ...)
{
	size_t n = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + n, sizeof text - n, format, args);
	va_end(args);
	return text;
}

static const char *
say_ranges(char *problem, struct acl_ranges *ranges)
{
	text[0] = '\0';
	if (problem) {
		ck_assert_uint_eq(ranges->n, 0);
		ck_assert_ptr_null(ranges->of);
		say("%s", problem);
		free(problem);
		return text;
	}
	for (size_t i = 0; i < ranges->n; i++)
		say("%s%u-%u", i ? " " : "", ranges->of[i].first,
		    ranges->of[i].last);
	free(ranges->of);
	return *text ? text : "any";
}

static const char *
protos(const char *from)
{
	struct acl_ranges ranges;
	char *problem = acl_read_protos(from, &ranges);

	return say_ranges(problem, &ranges);
}

static const char *
ports(const char *from)
{
	struct acl_ranges ranges;
	char *problem = acl_read_ports(from, &ranges);

	return say_ranges(problem, &ranges);
}

static const char *
addresses(const char *from)
{
	struct acl_addresses read;
	char *problem = acl_read_addresses(from, &read);

	text[0] = '\0';
	if (problem) {
		ck_assert_uint_eq(read.n, 0);
		say("%s", problem);
		free(problem);
		return text;
	}
	for (size_t i = 0; i < read.n; i++) {
		char addr[MODEL_ADDR_TEXT_SIZE];

		model_addr_to_text(&read.of[i].addr, addr);
		say("%s%s/%u", i ? " " : "", addr, read.of[i].bits);
	}
	free(read.of);
	return *text ? text : "any";
}

START_TEST(protocols_have_names_and_numbers)
{
	ck_assert_str_eq(protos("TCP"), "6-6");
	ck_assert_str_eq(protos("tcp, UDP,47"), "6-6 17-17 47-47");
	ck_assert_str_eq(protos("Icmp"), "1-1 58-58");
	ck_assert_str_eq(protos("ICMPv4 ICMPv6"), "1-1 58-58");
	ck_assert_str_eq(protos("6 TCP 6"), "6-6");
	ck_assert_str_eq(protos("igmp gre esp ah sctp 255"),
			 "2-2 47-47 50-50 51-51 132-132 255-255");
}
END_TEST

START_TEST(any_has_many_spellings)
{
	const char *const words[] = {
		"", " ", ",", "*", "All", "ANY", "all", "TCP,*", "0"
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		ck_assert_str_eq(protos(words[i]), "any");
	for (size_t i = 0; i < 7; i++) {
		ck_assert_str_eq(ports(words[i]), "any");
		ck_assert_str_eq(addresses(words[i]), "any");
	}
	ck_assert_str_eq(ports("80,*"), "any");
	ck_assert_str_eq(ports("0-65535"), "any");
	ck_assert_str_eq(addresses("10.0.0.1 *"), "any");
}
END_TEST

START_TEST(what_is_no_protocol_is_told)
{
	ck_assert_str_eq(protos("TCP,HTTP"), "\"HTTP\" is no protocol");
	ck_assert_str_eq(protos("256"), "\"256\" is no protocol");
	ck_assert_str_eq(protos("06"), "\"06\" is no protocol");
	ck_assert_str_eq(protos("-1"), "\"-1\" is no protocol");
	ck_assert_str_eq(protos("*,HTTP"), "\"HTTP\" is no protocol");
}
END_TEST

START_TEST(ports_are_numbers_and_ranges)
{
	ck_assert_str_eq(ports("80"), "80-80");
	ck_assert_str_eq(ports("80,443, 1024-2047 65535"),
			 "80-80 443-443 1024-2047 65535-65535");
	ck_assert_str_eq(ports("0-1023"), "0-1023");
	ck_assert_str_eq(ports("0"), "\"0\" is no port or range");
	ck_assert_str_eq(ports("80-79"), "\"80-79\" is no port or range");
	ck_assert_str_eq(ports("65536"), "\"65536\" is no port or range");
	ck_assert_str_eq(ports("99999999999"),
			 "\"99999999999\" is no port or range");
	ck_assert_str_eq(ports("80-"), "\"80-\" is no port or range");
	ck_assert_str_eq(ports("-80"), "\"-80\" is no port or range");
	ck_assert_str_eq(ports("1-2-3"), "\"1-2-3\" is no port or range");
	ck_assert_str_eq(ports("http"), "\"http\" is no port or range");
}
END_TEST

START_TEST(addresses_are_single_or_prefixes)
{
	ck_assert_str_eq(addresses("10.1.1.4"), "10.1.1.4/32");
	ck_assert_str_eq(addresses("10.1.1.4/24"), "10.1.1.0/24");
	ck_assert_str_eq(addresses("0.0.0.0/0"), "0.0.0.0/0");
	ck_assert_str_eq(addresses("10.0.0.0/8,fd00::1"),
			 "10.0.0.0/8 fd00::1/128");
	ck_assert_str_eq(addresses("fd00::ff/64"), "fd00::/64");
	ck_assert_str_eq(addresses("10.1.1.0/33"), "\"10.1.1.0/33\" is no "
			 "address, prefix or range");
	ck_assert_str_eq(addresses("VirtualNetwork"), "\"VirtualNetwork\" is "
			 "no address, prefix or range");
	ck_assert_str_eq(addresses("10.1.1.1,10.1.1"), "\"10.1.1\" is no "
			 "address, prefix or range");
}
END_TEST

START_TEST(ranges_of_addresses_become_few_prefixes)
{
	ck_assert_str_eq(addresses("10.1.1.4-10.1.1.4"), "10.1.1.4/32");
	ck_assert_str_eq(addresses("10.1.1.4-10.1.1.9"),
			 "10.1.1.4/30 10.1.1.8/31");
	ck_assert_str_eq(addresses("10.1.1.1-10.1.1.4"),
			 "10.1.1.1/32 10.1.1.2/31 10.1.1.4/32");
	ck_assert_str_eq(addresses("0.0.0.0-255.255.255.255"), "0.0.0.0/0");
	ck_assert_str_eq(addresses("255.255.255.254-255.255.255.255"),
			 "255.255.255.254/31");
	ck_assert_str_eq(addresses("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
				   ), "::/0");
	ck_assert_str_eq(addresses("fd00::fffe-fd00::1:1"),
			 "fd00::fffe/127 fd00::1:0/127");
	ck_assert_str_eq(addresses("10.1.1.9-10.1.1.4"), "\"10.1.1.9-10.1.1.4"
			 "\" is no address, prefix or range");
	ck_assert_str_eq(addresses("10.1.1.9-fd00::1"), "\"10.1.1.9-fd00::1"
			 "\" is no address, prefix or range");
	ck_assert_str_eq(addresses("10.1.1.9-"), "\"10.1.1.9-\" is no "
			 "address, prefix or range");
	/* The worst there is: 254 prefixes. */
	addresses("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
	ck_assert_ptr_nonnull(strstr(text, " 8000::/2 "));
}
END_TEST

START_TEST(there_is_a_limit)
{
	char *many = xmalloc(4 * 5000 + 1);

	many[0] = '\0';
	for (int i = 0; i < 5000; i++)
		memcpy(many + 3 * i, "80,", 4);
	ck_assert_str_eq(ports(many), "more than 4096 items");
	many[3 * ACL_MAX_ITEMS] = '\0';
	ck_assert_str_ne(ports(many), "more than 4096 items");
	memset(many, 'x', 5000);
	many[5000] = '\0';
	ck_assert_str_eq(ports(many), "an item of 5000 bytes");
	free(many);
}
END_TEST

static struct acl_rule *
make_rule(void)
{
	struct acl_rule *rule = xcalloc(1, sizeof *rule);

	rule->name = xstrdup("r");
	return rule;
}

START_TEST(equal_lists_are_one)
{
	struct acl_table table;
	struct acl *one, *two, *other;

	memset(&table, 0, sizeof table);
	map_init(&table.acls, 1);
	one = acl_intern(&table, "a", make_rule(), 1);
	two = acl_intern(&table, "a", make_rule(), 1);
	other = acl_intern(&table, "b", make_rule(), 1);
	ck_assert_ptr_eq(one, two);
	ck_assert_ptr_ne(one, other);
	ck_assert_uint_ne(one->number, other->number);
	ck_assert_uint_eq(one->n_refs, 2);
	acl_unref(one);
	ck_assert_ptr_eq(acl_find(&table, "a"), two);
	acl_unref(two);
	acl_unref(two);
	ck_assert_ptr_null(acl_find(&table, "a"));
	acl_unref(other);
	acl_unref(NULL);
	ck_assert_uint_eq(table.acls.n, 0);
	map_done(&table.acls);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("acl");
	TCase *tcase = tcase_create("acl");
	SRunner *runner;
	int n_failed;

	tcase_add_test(tcase, protocols_have_names_and_numbers);
	tcase_add_test(tcase, any_has_many_spellings);
	tcase_add_test(tcase, what_is_no_protocol_is_told);
	tcase_add_test(tcase, ports_are_numbers_and_ranges);
	tcase_add_test(tcase, addresses_are_single_or_prefixes);
	tcase_add_test(tcase, ranges_of_addresses_become_few_prefixes);
	tcase_add_test(tcase, there_is_a_limit);
	tcase_add_test(tcase, equal_lists_are_one);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
