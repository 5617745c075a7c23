/* SPDX-License-Identifier: Apache-2.0 */

#ifndef AGENT_COUNTERS_H
#define AGENT_COUNTERS_H 1

/* What an OVSDB server has counted since its start: what was done, what was
 * refused because of a limit, which connections ended for what.  [control] */

#include <stddef.h>
#include <stdint.h>
#include "agent/net/control.h"
#include "agent/net/remotes.h"
#include "agent/ovsdb/server/server.h"

enum { MAX_COUNTERS = 64 };

struct counted {
	const struct server *server;
	const struct remotes *remotes;
};

struct counter {
	char name[32];
	uint64_t value;
};

/* How many there are, at most MAX_COUNTERS. */
size_t counters_read(const struct counted *, struct counter *);

/* The sums over all databases. */
void counters_of_lookups(const struct server *,
			 struct lookup_counters *ret_sum);

/* "coverage/show" and "coverage/read-counter".  'counted' must outlive the
 * control. */
void counters_add_commands(struct control *, struct counted *);

#endif /* agent/counters.h */
