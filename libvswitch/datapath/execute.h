/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_EXECUTE_H
#define DATAPATH_EXECUTE_H 1

/* What a rewrite does to bytes.  The station itself is in batch.h.
 * [worker] */

#include <stdbool.h>
#include <stdint.h>

struct headers;
struct rewrite;
struct vsw_packet;

/* Would the rewrite's decrement leave no time to live? */
bool execute_ttl_ends(const struct headers *, const struct rewrite *);
/* MACs, TTL, and the segment size that a SYN asks for; tunnels and offload
 * state are not touched. */
void execute_edit(struct vsw_packet *, const struct headers *,
		  const struct rewrite *);

#endif /* datapath/execute.h */
