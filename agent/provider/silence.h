/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROVIDER_SILENCE_H
#define PROVIDER_SILENCE_H 1

/* Keeps what comes in on an interface from the host's own stack: packet
 * sockets see it, and behind them a filter drops it (tc-bpf(8) of "clsact").
 * Who is at the interface's other end then speaks to the switch and to nobody
 * else of this host.  At a port's interface, another filter drops what goes out
 * and is not the switch's (ATTACH_MARK): router solicitations, duplicate
 * address detection, ARP.  No setting of the interface is touched, so that
 * there is none to put back.  It lasts when the agent is gone.  [control] */

#include "agent/provider/netlink.h"

/* Who wants it: an interface is silent as long as anybody does.  Each is the
 * priority of a filter, so that it is known again. */
enum silence_for { SILENCE_TAKE_OVER = 0x686e, SILENCE_PORT = 0x686f };
/* Does nothing if it is so already.  0 or a negative errno.  Both may have
 * Linux take the interface's queueing disciplines away for some milliseconds,
 * and what is sent through them then is lost. */
int silence_begin(struct netlink *, int index, enum silence_for);
void silence_end(struct netlink *, int index, enum silence_for);

/* The same for a port, in another namespace; 'netns' as in devices' options,
 * NULL: the agent's own.  -ENODEV: there is no interface of the name. */
int silence_interface(const char *netns, const char *name);
void silence_end_in(const char *netns, int index);

#endif /* provider/silence.h */
