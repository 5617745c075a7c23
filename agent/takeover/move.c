/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/takeover/move.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "agent/base/memory.h"

/* A route may need another one that leads to its gateway. */
enum { PASSES = 3 };

static int add_addresses(struct netlink *, const struct holdings *,
			 const struct interface *to);
static int add_address(struct netlink *, const struct nlmsghdr *item,
		       const struct interface *to);
static int settle_addresses(struct netlink *, const struct holdings *,
			    const struct interface *to);
static int add_routes(struct netlink *, const struct holdings *,
		      const struct interface *to, bool is_v6_multipath);
static int add_route(struct netlink *, const struct nlmsghdr *item,
		     const struct interface *to);
static int add_rules(struct netlink *, const struct holdings *,
		     const struct interface *to);
static bool is_v6_multipath(const struct nlmsghdr *item);
static uint8_t family_of(const struct nlmsghdr *item);
static int send_item(struct netlink *, const struct nlmsghdr *item,
		     const struct interface *, uint16_t type,
		     uint16_t flags);

int
move_copy_addresses(struct netlink *netlink, const struct holdings *holdings,
		    const struct interface *to, const char **ret_what)
{
	*ret_what = "an address";
	return add_addresses(netlink, holdings, to);
}

int
move_copy_neighbours(struct netlink *netlink, const struct holdings *holdings,
		     const struct interface *to, const char **ret_what)
{
	*ret_what = "a neighbour";
	for (size_t i = 0; i < holdings->n; i++) {
		const struct nlmsghdr *item = holdings->items[i];
		const struct ndmsg *info = mnl_nlmsg_get_payload(item);
		int error;

		if (item->nlmsg_type != RTM_NEWNEIGH)
			continue;
		error = send_item(netlink, item, to, RTM_NEWNEIGH,
				  NLM_F_CREATE | NLM_F_REPLACE);
		/* The rest may be found again by itself. */
		if (error && (info->ndm_flags & NTF_PROXY
			      || info->ndm_state & NUD_PERMANENT))
			return error;
	}
	return 0;
}

int
move_copy_routes(struct netlink *netlink, const struct holdings *holdings,
		 const struct interface *to, const char **ret_what)
{
	int error = add_routes(netlink, holdings, to, false);

	*ret_what = "a route";
	if (error)
		return error;
	*ret_what = "a policy rule";
	return add_rules(netlink, holdings, to);
}

int
move_finish(struct netlink *netlink, const struct holdings *holdings,
	    const struct interface *from, const struct interface *to,
	    const char **ret_what)
{
	int error;

	*ret_what = "a route";
	error = add_routes(netlink, holdings, to, true);
	if (error)
		return error;
	move_remove(netlink, holdings, from);
	*ret_what = "an address";
	return settle_addresses(netlink, holdings, to);
}

int
move_make_equal(struct netlink *netlink, const struct holdings *wanted,
		const struct interface *to, const char **ret_what)
{
	struct holdings_index index;
	struct holdings seen, missing;
	int error = holdings_take(netlink, to, &seen);

	*ret_what = "a route";
	if (error)
		return error;
	holdings_sort(wanted, &index);
	for (size_t i = 0; i < seen.n; i++)
		if (seen.items[i]->nlmsg_type == RTM_NEWROUTE
		    && !holdings_has(&index, seen.items[i]))
			(void) !send_item(netlink, seen.items[i], to,
					  RTM_DELROUTE, 0);
	holdings_index_done(&index);
	/* Borrowed items. */
	missing.n = 0;
	missing.items = xcalloc(wanted->n + 1, sizeof *missing.items);
	holdings_sort(&seen, &index);
	for (size_t i = 0; i < wanted->n; i++)
		if (wanted->items[i]->nlmsg_type == RTM_NEWROUTE
		    && !holdings_has(&index, wanted->items[i]))
			missing.items[missing.n++] = wanted->items[i];
	holdings_index_done(&index);
	error = add_routes(netlink, &missing, to, false);
	if (!error)
		error = add_routes(netlink, &missing, to, true);
	free(missing.items);
	holdings_done(&seen);
	return error;
}

void
move_renew_proxies(struct netlink *netlink, const struct holdings *holdings,
		   const struct interface *to)
{
	for (size_t i = 0; i < holdings->n; i++) {
		const struct nlmsghdr *item = holdings->items[i];
		const struct ndmsg *info = mnl_nlmsg_get_payload(item);

		if (item->nlmsg_type == RTM_NEWNEIGH
		    && info->ndm_flags & NTF_PROXY)
			(void) !send_item(netlink, item, to, RTM_NEWNEIGH,
					  NLM_F_CREATE);
	}
}

/* Routes before addresses, which take routes with them.  Each in the order
 * against that of its coming: so what is left, if this ends in the middle, are
 * those that came first; and a primary address of IPv4 takes its secondaries
 * with it. */
void
move_remove(struct netlink *netlink, const struct holdings *holdings,
	    const struct interface *from)
{
	static const struct { uint16_t is, remove; } order[] = {
		{ RTM_NEWROUTE, RTM_DELROUTE }, { RTM_NEWRULE, RTM_DELRULE },
		{ RTM_NEWNEIGH, RTM_DELNEIGH }, { RTM_NEWADDR, RTM_DELADDR }
	};

	for (size_t k = 0; k < sizeof order / sizeof *order; k++)
		for (size_t i = 0; i < holdings->n; i++) {
			const struct nlmsghdr *v6 = holdings->items[i];
			const struct nlmsghdr *v4 =
				holdings->items[holdings->n - 1 - i];

			/* Rules outlive an interface.  One that names nothing
			 * is whichever comes first. */
			if (order[k].is == RTM_NEWRULE ? !*from->name
						       : from->index <= 0)
				continue;
			if (v4->nlmsg_type == order[k].is
			    && family_of(v4) == AF_INET)
				(void) !send_item(netlink, v4, from,
						  order[k].remove, 0);
			if (v6->nlmsg_type == order[k].is
			    && family_of(v6) == AF_INET6
			    && !is_v6_multipath(v6))
				(void) !send_item(netlink, v6, from,
						  order[k].remove, 0);
		}
}

/* The kernel lists IPv4's in the order of their coming, IPv6's the other way
 * round. */
static int
add_addresses(struct netlink *netlink, const struct holdings *holdings,
	      const struct interface *to)
{
	for (size_t i = 0; i < holdings->n; i++) {
		const struct nlmsghdr *v4 = holdings->items[i];
		const struct nlmsghdr *v6 = holdings->items[holdings->n - 1
							    - i];
		int error = 0;

		if (v4->nlmsg_type == RTM_NEWADDR && family_of(v4) == AF_INET)
			error = add_address(netlink, v4, to);
		if (!error && v6->nlmsg_type == RTM_NEWADDR
		    && family_of(v6) == AF_INET6)
			error = add_address(netlink, v6, to);
		if (error)
			return error;
	}
	return 0;
}

/* Nobody else may have it, since the host has it already: an IPv6 address that
 * first asks around would be of no use for a second. */
static int
add_address(struct netlink *netlink, const struct nlmsghdr *item,
	    const struct interface *to)
{
	struct nlmsghdr *message = holdings_aim(item, to);
	int error;

	if (!message)
		return -EINVAL;
	if (family_of(item) == AF_INET6) {
		struct netlink_attrs attrs;
		uint32_t *flags;

		netlink_parse(message, sizeof(struct ifaddrmsg), &attrs);
		if (attrs.of[IFA_FLAGS]) {
			flags = mnl_attr_get_payload(attrs.of[IFA_FLAGS]);
			*flags |= IFA_F_NODAD;
		}
	}
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE
			       | NLM_F_EXCL;
	error = netlink_ask(netlink, message, NULL, NULL);
	free(message);
	return error == -EEXIST ? 0 : error;
}

/* With the flags and lifetimes that they are to have. */
static int
settle_addresses(struct netlink *netlink, const struct holdings *holdings,
		 const struct interface *to)
{
	for (size_t i = 0; i < holdings->n; i++) {
		const struct nlmsghdr *item = holdings->items[i];
		int error;

		if (item->nlmsg_type != RTM_NEWADDR
		    || family_of(item) != AF_INET6)
			continue;
		error = send_item(netlink, item, to, RTM_NEWADDR,
				  NLM_F_REPLACE);
		if (error)
			return error;
	}
	return 0;
}

/* Those of IPv6 with many hops are another matter: see add_route(). */
static int
add_routes(struct netlink *netlink, const struct holdings *holdings,
	   const struct interface *to, bool wants_v6)
{
	int error = 0;

	for (int pass = 0; pass < PASSES; pass++) {
		int first_error = 0;

		for (size_t i = 0; i < holdings->n; i++) {
			const struct nlmsghdr *item = holdings->items[i];

			if (item->nlmsg_type != RTM_NEWROUTE
			    || is_v6_multipath(item) != wants_v6)
				continue;
			error = add_route(netlink, item, to);
			if (error && !first_error)
				first_error = error;
		}
		error = first_error;
		if (!error)
			break;
	}
	return error;
}

/* IPv4 has any number of routes that differ in the interface alone, and the
 * first of them wins.  So has IPv6; with gateways they are hops of one route,
 * each as good as the other.  One that has hops by other interfaces as well is
 * replaced whole. */
static int
add_route(struct netlink *netlink, const struct nlmsghdr *item,
	  const struct interface *to)
{
	uint16_t how = is_v6_multipath(item) ? NLM_F_REPLACE : NLM_F_APPEND;
	int error = send_item(netlink, item, to, RTM_NEWROUTE,
			      NLM_F_CREATE | how);

	return error == -EEXIST ? 0 : error;
}

static int
add_rules(struct netlink *netlink, const struct holdings *holdings,
	  const struct interface *to)
{
	for (size_t i = 0; i < holdings->n; i++) {
		int error;

		if (holdings->items[i]->nlmsg_type != RTM_NEWRULE)
			continue;
		error = send_item(netlink, holdings->items[i], to, RTM_NEWRULE,
				  NLM_F_CREATE | NLM_F_EXCL);
		if (error && error != -EEXIST)
			return error;
	}
	return 0;
}

static bool
is_v6_multipath(const struct nlmsghdr *item)
{
	struct netlink_attrs attrs;

	if (item->nlmsg_type != RTM_NEWROUTE || family_of(item) != AF_INET6)
		return false;
	netlink_parse(item, sizeof(struct rtmsg), &attrs);
	return attrs.of[RTA_MULTIPATH];
}

/* The first byte of each of these headers. */
static uint8_t
family_of(const struct nlmsghdr *item)
{
	return *(const uint8_t *) mnl_nlmsg_get_payload(item);
}

static int
send_item(struct netlink *netlink, const struct nlmsghdr *item,
	  const struct interface *link, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = holdings_aim(item, link);
	int error;

	if (!message)
		return -EINVAL;
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	error = netlink_ask(netlink, message, NULL, NULL);
	free(message);
	return error;
}
