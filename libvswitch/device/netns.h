/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DEVICE_NETNS_H
#define DEVICE_NETNS_H 1

/* A visit to another network namespace, by the calling thread alone. */

#include "libvswitch/device/device.h"

struct netns {
	int home;		/* -1: the thread never left. */
};

/* Moves the thread into the namespace 'name', as ip-netns(8) gives it, or a
 * path if it has a slash; NULL: stays.  Each enter that returned 0 must be
 * followed by a leave. */
int netns_enter(struct netns *, const struct device_opening *,
		const char *name);

/* Goes home.  An error means that the thread is where it should not be: the
 * caller gives up what it did there, and says so. */
int netns_leave(struct netns *, const struct device_opening *);

#endif /* device/netns.h */
