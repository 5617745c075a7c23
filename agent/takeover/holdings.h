/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TAKEOVER_HOLDINGS_H
#define TAKEOVER_HOLDINGS_H 1

/* What an interface is to the host's IP stack: addresses, routes, neighbours
 * and policy rules that name it, as the messages of rtnetlink(7) that would
 * make them.
 *
 * A message is kept without the interface: its number is 0 and its name is
 * empty wherever they stand, and what the kernel finds out by itself is left
 * out.  So holdings of two interfaces can be compared, and that of one be made
 * to be another's.  Not kept is what comes by itself with an address, or with
 * an interface that is up: the kernel's routes in table local.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>
#include "agent/provider/netlink.h"

struct holdings {
	size_t n;
	struct nlmsghdr **items;	/* RTM_NEWADDR, _NEWROUTE, _NEWNEIGH,
					 * _NEWRULE; in the kernel's order. */
};

enum {
	HOLDINGS_ITEM_MAX = 16384,	/* Bytes of one message. */
	HOLDINGS_ITEMS_MAX = 65536
};

/* An interface, as messages name it. */
struct interface {
	int index;
	char name[16];
};

/* All that 'link' has.  0 or a negative errno: -EOPNOTSUPP: there are routes
 * of a kind that is not known how to move. */
int holdings_take(struct netlink *, const struct interface *,
		  struct holdings *ret_holdings);
void holdings_done(struct holdings *);

/* Takes over 'item'.  False, and it is freed: it is not one that holdings may
 * hold. */
bool holdings_add(struct holdings *, struct nlmsghdr *item);
/* One message as the kernel dumps it, without the interface 'link'.  To be
 * freed; NULL: it is not about that interface, or is nothing to be kept. */
struct nlmsghdr *holdings_strip(const struct nlmsghdr *,
				const struct interface *);
/* The same message about 'link', to be freed. */
struct nlmsghdr *holdings_aim(const struct nlmsghdr *item,
			      const struct interface *);
/* Do they say the same?  Lifetimes that run are not looked at. */
bool holdings_same(const struct nlmsghdr *, const struct nlmsghdr *);
/* All of them in an order of their own, so that one among many is found. */
struct holdings_index {
	size_t n;
	struct holdings_key *keys;
};
void holdings_sort(const struct holdings *, struct holdings_index *ret_index);
void holdings_index_done(struct holdings_index *);
bool holdings_has(const struct holdings_index *, const struct nlmsghdr *);
/* Has it addresses, or routes that did not come with them? */
bool holdings_is_empty(const struct holdings *);

#endif /* takeover/holdings.h */
