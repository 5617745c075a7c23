/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_DECIDE_H
#define DATAPATH_DECIDE_H 1

/* What the policy says of a packet that no flow is known for: classify.c walks
 * layers, groups and rules, compose.c makes one rewrite of their actions.
 * vsw_explain() calls the very same with a narrator. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/inspect.h>
#include "libvswitch/base/generation.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/rewrite.h"

struct narrator;
struct vsw;
struct vsw_port;

/* Of one flow: at least one rewrite (a drop is one), several for copies.  The
 * array belongs to the decision and is used again and again; it grows. */
struct decision {
	struct dependencies deps;
	struct rewrite *rewrites;
	uint32_t n;
	size_t size;			/* Room in 'rewrites', allocated; 0:
					 * it is 'one'. */
	struct rewrite one;
};

/* Under the caller's read mark, or by the control thread, which alone frees.
 * Never fails: running out of memory decides VSW_DROP_NO_MEMORY (and is not to
 * be cached: returns false).  A decision starts as all zero. */
bool decide(struct vsw *, struct vsw_port *in_port, const struct headers *,
	    uint32_t hash, const struct narrator *, struct decision *);
void decision_done(struct vsw *, struct decision *);

#endif /* datapath/decide.h */
