/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/device/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
netns_enter(struct netns *netns, const struct device_opening *opening,
	    const char *name)
{
	char path[PATH_MAX];
	int there, error;

	netns->home = -1;
	if (!name)
		return 0;
	if ((size_t) snprintf(path, sizeof path, "%s%s",
			      strchr(name, '/') ? "" : "/run/netns/", name)
	    >= sizeof path)
		return device_fail(opening, ENAMETOOLONG, "namespace");

	there = open(path, O_RDONLY | O_CLOEXEC);
	if (there < 0)
		return device_fail(opening, errno, "cannot open namespace %s",
				   path);
	netns->home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (netns->home < 0) {
		error = device_fail(opening, errno,
				    "cannot open the own namespace");
		goto close_there;
	}
	if (setns(there, CLONE_NEWNET)) {
		error = device_fail(opening, errno,
				    "cannot enter namespace %s%s", path,
				    errno == EPERM ? " without CAP_SYS_ADMIN"
						   : "");
		close(netns->home);
		netns->home = -1;
		goto close_there;
	}
	error = 0;
close_there:
	close(there);
	return error;
}

int
netns_leave(struct netns *netns, const struct device_opening *opening)
{
	int error = 0;

	if (netns->home < 0)
		return 0;
	if (setns(netns->home, CLONE_NEWNET))
		error = device_fail(opening, errno,
				    "cannot come back from its namespace");
	close(netns->home);
	netns->home = -1;
	return error;
}
