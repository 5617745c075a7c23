/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ANSWER_PUNT_H
#define ANSWER_PUNT_H 1

/* The punt port of a switch: packets that the policy sent to the host wait
 * here, in a bounded queue, until the main thread answers them.
 *
 * Worker threads put (punt_transmit, under a mutex held for a few
 * instructions); the main thread takes them all at once.  What does not fit is
 * dropped and counted at the punt port (VSW_DROP_DEVICE_FULL).  A port may have
 * as many wait as a quarter of the places that are left: so one that floods,
 * or many, leave room for a port that asks once.
 *
 * ICMP errors are limited for each port and for the switch (hnv(5),
 * icmp_errors_per_s). */

#include <stddef.h>
#include <event2/event.h>
#include <vswitch.h>
#include "agent/model/punts.h"

struct model;
struct punt;

/* [control] Adds the port "host" to the switch.  Answers go out through
 * 'worker', the main thread's.  0 or a negative errno. */
int punt_new(struct event_base *, struct model *, struct vsw *,
	     struct vsw_worker *worker, struct punt **ret_punt);
void punt_free(struct punt *);
struct vsw_port *punt_port(const struct punt *);

/* [control] Before 'port' is removed, after its queues are: forgets what waits
 * from it. */
void punt_forget(struct punt *, const struct vsw_port *port);

/* [control] Policy has changed: what waits for a mapping that is there now
 * goes on. */
void punt_settle(struct punt *);
/* [control] Who is given BFD, with the tunnel that it came in; NULL: nobody. */
typedef void punt_bfd_fn(void *ctx, const struct vsw_tunnel *,
			 const void *bytes, size_t size);
void punt_set_bfd(struct punt *, punt_bfd_fn *, void *ctx);

/* [control] Of the whole switch; each port has its own (model_port.punts). */
const struct punts *punt_counted(const struct punt *);

#endif /* answer/punt.h */
