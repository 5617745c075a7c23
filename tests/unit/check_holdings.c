/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/takeover/holdings.c: messages as the kernel dumps them, without
 * their interface, and about another one. */

#include "agent/takeover/holdings.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

static const struct interface eth0 = { 7, "eth0" };
static const struct interface host = { 9, "a-host-port-15b" };
static const struct interface other = { 8, "eth01" };
static char room[2048];

static struct nlmsghdr *
start(uint16_t type, size_t size)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(memset(room, 0,
							       sizeof room));

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_MULTI;
	message->nlmsg_seq = 77;
	*(uint8_t *) mnl_nlmsg_put_extra_header(message, size) = AF_INET;
	return message;
}

static const char *
text_at(const struct nlmsghdr *message, size_t header, int type)
{
	struct netlink_attrs attrs;

	netlink_parse(message, header, &attrs);
	ck_assert_ptr_nonnull(attrs.of[type]);
	return mnl_attr_get_str(attrs.of[type]);
}

static bool
has(const struct nlmsghdr *message, size_t header, int type)
{
	struct netlink_attrs attrs;

	netlink_parse(message, header, &attrs);
	return attrs.of[type];
}

static uint32_t
number_at(const struct nlmsghdr *message, size_t header, int type)
{
	struct netlink_attrs attrs;

	netlink_parse(message, header, &attrs);
	ck_assert_ptr_nonnull(attrs.of[type]);
	return mnl_attr_get_u32(attrs.of[type]);
}

static struct nlmsghdr *
address(const char *label, uint32_t flags, uint32_t valid)
{
	struct nlmsghdr *message = start(RTM_NEWADDR,
					 sizeof(struct ifaddrmsg));
	struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const struct ifa_cacheinfo cache = { valid, valid, 1, 2 };

	info->ifa_index = 7;
	info->ifa_prefixlen = 24;
	info->ifa_flags = (uint8_t) flags;
	mnl_attr_put_u32(message, IFA_ADDRESS, 0x0100000a);
	mnl_attr_put_u32(message, IFA_LOCAL, 0x0100000a);
	mnl_attr_put_strz(message, IFA_LABEL, label);
	mnl_attr_put_u32(message, IFA_FLAGS, flags);
	mnl_attr_put(message, IFA_CACHEINFO, sizeof cache, &cache);
	return message;
}

/* There and back: the same message. */
static void
goes_round(const struct nlmsghdr *item, const struct interface *by)
{
	struct nlmsghdr *there = holdings_aim(item, by);
	struct nlmsghdr *stripped, *back;

	ck_assert_ptr_nonnull(there);
	stripped = holdings_strip(there, by);
	ck_assert_ptr_nonnull(stripped);
	ck_assert(holdings_same(stripped, item));
	ck_assert_uint_eq(stripped->nlmsg_len, item->nlmsg_len);
	back = holdings_aim(stripped, &eth0);
	free(there);
	there = holdings_aim(item, &eth0);
	ck_assert_uint_eq(there->nlmsg_len, back->nlmsg_len);
	ck_assert_mem_eq(there, back, there->nlmsg_len);
	free(there);
	free(back);
	free(stripped);
}

START_TEST(addresses)
{
	static const struct { const char *is, *there; } labels[] = {
		{ "eth0", "a-host-port-15b" }, { "eth0:1", ":1" },
		{ "office", "office" }, { "eth01", "eth01" }
	};
	const size_t size = sizeof(struct ifaddrmsg);

	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
		struct nlmsghdr *item, *there;

		item = holdings_strip(address(labels[i].is, IFA_F_PERMANENT
					      | IFA_F_SECONDARY
					      | IFA_F_NOPREFIXROUTE, 10),
				      &eth0);
		ck_assert_ptr_nonnull(item);
		there = holdings_aim(item, &host);
		ck_assert_str_eq(text_at(there, size, IFA_LABEL),
				 labels[i].there);
		ck_assert_uint_eq(number_at(there, size, IFA_FLAGS),
				  IFA_F_NOPREFIXROUTE);
		ck_assert_uint_eq(((struct ifaddrmsg *)
				   mnl_nlmsg_get_payload(there))->ifa_index,
				  9);
		goes_round(item, &host);
		free(there);
		free(item);
	}
	ck_assert_ptr_null(holdings_strip(address("eth0", 0, 1), &other));
}
END_TEST

START_TEST(lifetimes)
{
	struct nlmsghdr *a = holdings_strip(address("eth0", 0, 10), &eth0);
	struct nlmsghdr *b = holdings_strip(address("eth0", 0, 11), &eth0);
	struct nlmsghdr *c = holdings_strip(address("eth0:1", 0, 10), &eth0);
	struct holdings holdings = { .n = 0 };
	struct holdings_index index;

	ck_assert(holdings_same(a, b));
	ck_assert(!holdings_same(a, c));
	ck_assert(holdings_is_empty(&holdings));
	ck_assert(holdings_add(&holdings, a));
	ck_assert(!holdings_is_empty(&holdings));
	holdings_sort(&holdings, &index);
	ck_assert(holdings_has(&index, b));
	ck_assert(!holdings_has(&index, c));
	holdings_index_done(&index);
	holdings_done(&holdings);
	free(b);
	free(c);
}
END_TEST

START_TEST(one_of_many)
{
	struct holdings holdings = { .n = 0 };
	struct holdings_index index;
	char label[16];

	for (int i = 0; i < 2000; i++) {
		snprintf(label, sizeof label, "eth0:%d", i / 2);
		ck_assert(holdings_add(&holdings, holdings_strip(
			address(label, 0, 10), &eth0)));
	}
	holdings_sort(&holdings, &index);
	for (int i = 0; i < 1100; i++) {
		struct nlmsghdr *item;

		snprintf(label, sizeof label, "eth0:%d", i);
		item = holdings_strip(address(label, 0, 99), &eth0);
		ck_assert_int_eq(holdings_has(&index, item), i < 1000);
		free(item);
	}
	holdings_index_done(&index);
	holdings_done(&holdings);
}
END_TEST

static struct nlmsghdr *
route(uint8_t table, uint8_t protocol)
{
	struct nlmsghdr *message = start(RTM_NEWROUTE, sizeof(struct rtmsg));
	struct rtmsg *info = mnl_nlmsg_get_payload(message);

	info->rtm_table = table;
	info->rtm_protocol = protocol;
	info->rtm_flags = RTNH_F_LINKDOWN | RTNH_F_ONLINK;
	mnl_attr_put_u32(message, RTA_TABLE, table);
	return message;
}

START_TEST(routes)
{
	const struct rta_cacheinfo cache = { .rta_expires = 12345 };
	const size_t size = sizeof(struct rtmsg);
	struct nlmsghdr *message = route(RT_TABLE_MAIN, RTPROT_RA);
	struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct nlmsghdr *item, *there;

	info->rtm_family = AF_INET6;
	mnl_attr_put_u32(message, RTA_OIF, 7);
	mnl_attr_put(message, RTA_CACHEINFO, sizeof cache, &cache);
	item = holdings_strip(message, &eth0);
	ck_assert_ptr_nonnull(item);
	ck_assert(!has(item, size, RTA_OIF));
	there = holdings_aim(item, &host);
	ck_assert_uint_eq(number_at(there, size, RTA_OIF), 9);
	ck_assert_uint_eq(number_at(there, size, RTA_EXPIRES), 124);
	info = mnl_nlmsg_get_payload(there);
	ck_assert_uint_eq(info->rtm_flags, RTNH_F_ONLINK);
	goes_round(item, &host);
	free(item);
	free(there);
	ck_assert_ptr_null(holdings_strip(message, &other));

	/* By nobody, and the kernel's own. */
	ck_assert_ptr_null(holdings_strip(route(RT_TABLE_MAIN, RTPROT_STATIC),
					  &eth0));
	message = route(RT_TABLE_LOCAL, RTPROT_KERNEL);
	mnl_attr_put_u32(message, RTA_OIF, 7);
	ck_assert_ptr_null(holdings_strip(message, &eth0));
	message = route(RT_TABLE_LOCAL, RTPROT_STATIC);
	mnl_attr_put_u32(message, RTA_OIF, 7);
	item = holdings_strip(message, &eth0);
	ck_assert_ptr_nonnull(item);
	free(item);
}
END_TEST

START_TEST(many_hops)
{
	const size_t size = sizeof(struct rtmsg);
	struct nlmsghdr *message = route(RT_TABLE_MAIN, RTPROT_STATIC);
	struct rtnexthop legs[3] = {
		{ .rtnh_len = sizeof *legs, .rtnh_ifindex = 3 },
		{ .rtnh_len = sizeof *legs, .rtnh_ifindex = 7, .rtnh_hops = 2,
		  .rtnh_flags = RTNH_F_DEAD },
		{ .rtnh_len = sizeof *legs, .rtnh_ifindex = 9 }
	};
	struct netlink_attrs attrs;
	struct nlmsghdr *item, *there;

	mnl_attr_put(message, RTA_MULTIPATH, sizeof legs, legs);
	item = holdings_strip(message, &eth0);
	ck_assert_ptr_nonnull(item);
	there = holdings_aim(item, &(struct interface) { 10, "x" });
	netlink_parse(there, size, &attrs);
	ck_assert_ptr_nonnull(attrs.of[RTA_MULTIPATH]);
	ck_assert_ptr_null(attrs.of[RTA_OIF]);
	memcpy(legs, mnl_attr_get_payload(attrs.of[RTA_MULTIPATH]),
	       sizeof legs);
	ck_assert_int_eq(legs[0].rtnh_ifindex, 3);
	ck_assert_int_eq(legs[1].rtnh_ifindex, 10);
	ck_assert_int_eq(legs[1].rtnh_hops, 2);
	ck_assert_int_eq(legs[1].rtnh_flags, 0);
	ck_assert_int_eq(legs[2].rtnh_ifindex, 9);
	goes_round(item, &(struct interface) { 10, "x" });
	free(there);
	free(item);
	ck_assert_ptr_null(holdings_strip(message, &other));
}
END_TEST

START_TEST(neighbours)
{
	static const struct { uint16_t state, becomes; uint8_t flags; } of[] = {
		{ NUD_PERMANENT, NUD_PERMANENT, 0 },
		{ NUD_REACHABLE, NUD_STALE, 0 }, { NUD_STALE, NUD_STALE, 0 },
		{ NUD_FAILED, 0, 0 }, { NUD_INCOMPLETE, 0, 0 },
		{ NUD_NOARP, 0, 0 }, { NUD_NONE, NUD_PERMANENT, NTF_PROXY }
	};

	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct nlmsghdr *message = start(RTM_NEWNEIGH,
						 sizeof(struct ndmsg));
		struct ndmsg *info = mnl_nlmsg_get_payload(message);
		struct nlmsghdr *item;

		info->ndm_ifindex = 7;
		info->ndm_state = of[i].state;
		info->ndm_flags = of[i].flags;
		mnl_attr_put_u32(message, NDA_DST, 0x0200000a);
		if (!of[i].flags)
			mnl_attr_put(message, NDA_LLADDR, 6, "\2\0\0\0\0\1");
		item = holdings_strip(message, &eth0);
		ck_assert_int_eq(!item, !of[i].becomes);
		if (!item)
			continue;
		info = mnl_nlmsg_get_payload(item);
		ck_assert_int_eq(info->ndm_state, of[i].becomes);
		goes_round(item, &host);
		free(item);
	}
}
END_TEST

START_TEST(rules)
{
	const size_t size = sizeof(struct fib_rule_hdr);
	struct nlmsghdr *message = start(RTM_NEWRULE, size);
	struct nlmsghdr *item, *there;

	mnl_attr_put_strz(message, FRA_IIFNAME, "lo");
	mnl_attr_put_strz(message, FRA_OIFNAME, "eth0");
	mnl_attr_put_u32(message, FRA_PRIORITY, 5);
	item = holdings_strip(message, &eth0);
	ck_assert_ptr_nonnull(item);
	there = holdings_aim(item, &host);
	ck_assert_str_eq(text_at(there, size, FRA_IIFNAME), "lo");
	ck_assert_str_eq(text_at(there, size, FRA_OIFNAME),
			 "a-host-port-15b");
	goes_round(item, &host);
	free(item);
	free(there);
	ck_assert_ptr_null(holdings_strip(message, &other));
}
END_TEST

/* From disk: lengths and kinds that are none. */
START_TEST(nonsense)
{
	struct holdings holdings = { .n = 0 };
	struct nlmsghdr *item = calloc(1, 256), *there;

	mnl_nlmsg_put_header(item);
	item->nlmsg_type = RTM_NEWROUTE;
	ck_assert(!holdings_add(&holdings, item));
	ck_assert_uint_eq(holdings.n, 0);

	for (int type = RTM_NEWADDR; type <= RTM_NEWRULE; type += 4)
		for (uint16_t attr = 1; attr < 40; attr++) {
			struct nlmsghdr *message = start((uint16_t) type, 12);

			mnl_attr_put(message, attr, 1, "x");
			there = holdings_strip(message, &eth0);
			free(there);
			there = holdings_aim(message, &eth0);
			free(there);
			/* Longer than the message. */
			((struct nlattr *) (room + message->nlmsg_len - 8))
				->nla_len = 200;
			there = holdings_aim(message, &eth0);
			free(there);
		}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("holdings");
	TCase *tcase = tcase_create("holdings");
	SRunner *runner;
	int n_failed;

	tcase_add_test(tcase, addresses);
	tcase_add_test(tcase, lifetimes);
	tcase_add_test(tcase, one_of_many);
	tcase_add_test(tcase, routes);
	tcase_add_test(tcase, many_hops);
	tcase_add_test(tcase, neighbours);
	tcase_add_test(tcase, rules);
	tcase_add_test(tcase, nonsense);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
