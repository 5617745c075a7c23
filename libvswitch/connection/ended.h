/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONNECTION_ENDED_H
#define CONNECTION_ENDED_H 1

/* Connections that are over and are to be told of (vsw_rule_log()), until
 * control takes them.  Whoever takes a connection away puts it here, which is
 * any thread; there is room for so many, and what finds none is counted.
 * Memory is asked for with the first one. [any] */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "libvswitch/base/lock.h"
#include "libvswitch/connection/connection.h"
#include "libvswitch/connection/tally.h"

enum { ENDED_MAX = 1024 };

struct ended {
	struct connection_key key;
	struct connection_opener opener;
	uint64_t time_ns;
	struct tally tally;		/* Since it was last told of. */
	uint16_t tag;
	uint8_t direction;		/* Of the opener. */
};

struct ended_ring {
	_Alignas(64) struct lock lock;
	struct ended *of;		/* NULL: none yet. */
	uint32_t n_put, n_taken;	/* Ever. */
	_Atomic uint64_t n_told, n_lost;
};

void ended_done(struct ended_ring *, const struct vsw_allocator *);
/* True: it is there. */
bool ended_put(struct ended_ring *, const struct vsw_allocator *,
	       const struct ended *);
/* The oldest one, taken off; false: there is none. */
bool ended_take(struct ended_ring *, struct ended *ret_ended);

#endif /* connection/ended.h */
