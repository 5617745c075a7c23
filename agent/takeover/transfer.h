/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TAKEOVER_TRANSFER_H
#define TAKEOVER_TRANSFER_H 1

/* The two ways of an interface, each as one step: all that it has goes to the
 * host port, or comes back.  What has been done is for the caller to record,
 * before and after.  [control] */

#include "agent/device/attach.h"
#include "agent/takeover/link.h"
#include "agent/takeover/record.h"

/* Moves 'record->holdings' from the interface, which the switch has open as
 * 'uplink' (NULL: it has not), to the host port.
 * On failure some of it may be there, and transfer_back() is needed; the fault
 * says what was refused. */
bool transfer_take(struct netlink *, struct record *,
		   const struct attached *uplink, const struct link *from,
		   const struct link *to, struct model_fault *);
/* And back again, from wherever it is.  All that can be done is, even if
 * something is refused.  What stands in queues of the switch is waited for,
 * some milliseconds: its uplink and its host port, NULL where there is none.  0
 * or a negative errno; -ENODEV: there is no such interface now. */
int transfer_back(struct netlink *, struct record *,
		  struct attached *const devices[2], struct model_fault *);

/* While it is taken over: somebody has given the interface addresses or routes,
 * or it is another one of that name.  As it should be again. */
int transfer_repeat(struct netlink *, struct record *,
		    const struct link *from, const struct link *to);

#endif /* takeover/transfer.h */
