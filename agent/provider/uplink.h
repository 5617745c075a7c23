/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROVIDER_UPLINK_H
#define PROVIDER_UPLINK_H 1

/* The uplinks of a switch: one for each of its provider addresses, a socket on
 * the host's stack or an interface that is taken over.  Each comes and goes by
 * itself.  The kernel tells when a wire does (kernel.h), within milliseconds:
 * then flows are spread over the others, and the row says link_down.
 *
 * What a packet device puts in front of packets is the kernel's: MAC and MTU of
 * the interface that has the address (which may be a VLAN interface on top of
 * the one taken over), the next hop and its MAC (reach.h).  The kernel's own
 * stack, which gets a copy of what comes in, is kept from answering that nobody
 * listens.  [control] */

#include <stdbool.h>
#include <event2/event.h>
#include "agent/device/attach.h"
#include "agent/model/model.h"

struct uplinks;

/* 'turn' asks for another turn of the loop. */
struct uplinks *uplinks_new(struct event_base *, struct model *,
			    struct model_switch *, void (*turn)(void *ctx),
			    void *ctx);
/* Closes all.  Accepts NULL. */
void uplinks_free(struct uplinks *);

/* Opens and closes what differs from the model, and fills in the switch's list
 * of uplinks.  False: some did not open, and are to be tried again. */
bool uplinks_apply(struct uplinks *, const struct attach_place *);
/* attach_check() of each: false if one has failed. */
bool uplinks_check(struct uplinks *);

#endif /* provider/uplink.h */
