/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TAKEOVER_MOVE_H
#define TAKEOVER_MOVE_H 1

/* Moves what one interface has to another, while packets go on: what is new is
 * there before what is old goes, so that at no time an address is nobody's or
 * a route leads nowhere.
 *
 * First what there is is made a second time, in the order of the functions
 * here; old routes, which stand in front of the new ones, still win, but for
 * some of IPv6, which share what is sent.  So from move_copy_neighbours() on
 * the new interface must have the old one's MAC: that makes the kernel forget
 * neighbours, and who is asked from another MAC believes it.  When the new one
 * hears what comes in, move_finish() takes away what the old one has.  Nothing
 * is lost by copies alone: whoever fails in the middle moves the other way.
 * move_make_equal() is for the end: some routes come with addresses, and go
 * with them, whether they were there before or not.  [control] */

#include "agent/takeover/holdings.h"

/* Each 0 or a negative errno, and then '*ret_what' is a constant text: what
 * the kernel refused.  What is there already is no mistake. */
int move_copy_addresses(struct netlink *, const struct holdings *,
			const struct interface *to, const char **ret_what);
int move_copy_neighbours(struct netlink *, const struct holdings *,
			 const struct interface *to, const char **ret_what);
/* And policy rules. */
int move_copy_routes(struct netlink *, const struct holdings *,
		     const struct interface *to, const char **ret_what);
int move_finish(struct netlink *, const struct holdings *,
		const struct interface *from, const struct interface *to,
		const char **ret_what);
int move_make_equal(struct netlink *, const struct holdings *wanted,
		    const struct interface *to, const char **ret_what);

/* Neighbours that the host answers for: the kernel forgets them when a wire
 * goes. */
void move_renew_proxies(struct netlink *, const struct holdings *,
			const struct interface *to);
/* Takes away all of it, as far as it is there.  'from' may be no interface,
 * with an index below 0: then rules go that name it, if it has a name.  So may
 * that of move_finish(). */
void move_remove(struct netlink *, const struct holdings *,
		 const struct interface *from);

#endif /* takeover/move.h */
