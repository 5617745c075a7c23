/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROVIDER_NETLINK_H
#define PROVIDER_NETLINK_H 1

/* Requests to the kernel by rtnetlink(7), which answers while it is asked: none
 * of this waits for anybody.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>

struct netlink;

/* Attributes of one message, by type; NULL: not there. */
enum { NETLINK_ATTRS_MAX = 64 };
struct netlink_attrs {
	const struct nlattr *of[NETLINK_ATTRS_MAX];
};

/* In the network namespace that the caller is in.  0 or a negative errno. */
int netlink_open(struct netlink **ret_netlink);
void netlink_close(struct netlink *);	/* Accepts NULL. */

/* Sends 'message', which is NLM_F_DUMP, NLM_F_ACK or a question with one
 * answer, and shows 'read' (may be NULL) what comes back.  0, or a negative
 * errno: what the kernel said; -EINTR: a dump was overtaken by a change. */
int netlink_ask(struct netlink *, struct nlmsghdr *message,
		int (*read)(const struct nlmsghdr *, void *ctx), void *ctx);

/* A request in 'room'; NLM_F_REQUEST is added to 'flags'. */
struct nlmsghdr *netlink_start(void *room, uint16_t type, uint16_t flags);
/* 'header' is the size of what stands before the attributes. */
void netlink_parse(const struct nlmsghdr *, size_t header,
		   struct netlink_attrs *ret_attrs);
/* The same of what is nested in 'attr'. */
void netlink_parse_nested(const struct nlattr *attr,
			  struct netlink_attrs *ret_attrs);

#endif /* provider/netlink.h */
