/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TAKEOVER_WISH_H
#define TAKEOVER_WISH_H 1

/* What a switch's row asks for: an interface that is to be taken over, and the
 * two ports that it takes.  And whether it can be had.  [control] */

#include <stdbool.h>
#include "agent/model/model.h"
#include "agent/provider/netlink.h"
#include "agent/takeover/link.h"

struct wish {
	struct model_switch *sw;
	const char *interface;
	const char *request;		/* Asked anew if it is another. */
	const char *confirmed;		/* The id of what is confirmed. */
	struct model_port *uplink, *host;	/* NULL: not there. */
	const char *host_interface;
};

/* False: the switch asks for nothing. */
bool wish_read(struct model_switch *, struct wish *ret_wish);
/* Are both ports there, and will they be after the next host_apply()? */
bool wish_has_ports(const struct wish *);
/* Are they in force, so that packets pass?  Else the fault says why not. */
bool wish_is_ready(const struct wish *, struct model_fault *);
/* May the interface be taken?  Else the fault says why not. */
bool wish_check(const struct wish *, const struct model *, struct netlink *,
		const struct link *interface, const struct link *host,
		struct model_fault *);

#endif /* takeover/wish.h */
