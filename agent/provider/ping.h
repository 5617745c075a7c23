/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROVIDER_PING_H
#define PROVIDER_PING_H 1

/* One ICMP echo request by the host's own stack, from a provider address, in
 * its network namespace; and what else ICMP says meanwhile of packets to that
 * host.  [control] */

#include <stdbool.h>
#include "agent/model/model.h"

struct ping;

/* NULL: it cannot be sent. */
struct ping *ping_new(const struct model_pa *, const struct vsw_addr *remote);
/* What has come back by now; 'ret_error' is an errno that the way there has
 * told, or 0.  'ret_is_refused': who has the address takes no such packets as
 * were sent there. */
void ping_hear(struct ping *, bool *ret_is_answered, bool *ret_is_refused,
	       int *ret_error);
void ping_free(struct ping *);

#endif /* provider/ping.h */
