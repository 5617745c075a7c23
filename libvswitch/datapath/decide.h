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
#include "libvswitch/datapath/event.h"
#include "libvswitch/datapath/follow.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/rewrite.h"

struct composition;
struct foreseen;
struct layer_groups;
struct narrator;
struct vsw_counter;
struct vsw;
struct vsw_port;
struct vsw_program;
struct rule;

/* Of the rules that a packet meets so many count it. */
enum { DECISION_COUNTERS = 16 };

/* Of one flow: at least one rewrite (a drop is one), several for copies.  The
 * array belongs to the decision and is used again and again; it grows. */
struct decision {
	const struct foreseen *foreseen;	/* What is known already, or
						 * NULL. */
	struct dependencies deps;
	struct rewrite *rewrites;
	uint32_t n;
	size_t size;			/* Room in 'rewrites', allocated; 0:
					 * it is 'one'. */
	struct rewrite one;
	/* Of the rewrites that have one, in their order. */
	struct new_address *addresses;
	uint32_t n_addresses;
	size_t size_addresses;
	struct followed followed;
	struct event_notes notes;	/* What is to be told of it. */
	/* Of the rules that count, each once. */
	struct vsw_counter *counters[DECISION_COUNTERS];
	uint32_t n_counters;
};

/* Under the caller's read mark, or by the control thread, which alone frees.
 * 'frame' is what the headers stand in.  With a narrator, nothing is opened,
 * and connections stay as they are.  Never fails: running out of memory decides
 * VSW_DROP_NO_MEMORY.  False: it is a drop that is not to be cached.  A
 * decision starts as all zero. */
bool decide(struct vsw *, struct vsw_port *in_port, const struct headers *,
	    const uint8_t *frame, uint32_t hash, uint64_t now,
	    const struct narrator *, struct decision *);
void decision_done(struct vsw *, struct decision *);
/* Asks the program's layers, in the order of the direction, until it is
 * over. */
void decide_walk(struct composition *, const struct vsw_program *,
		 enum vsw_direction);
/* A layer's rule for the key, found with few questions: of its groups the first
 * one's that terminates, or else that of the last one that has any.  NULL:
 * none. */
const struct rule *decide_find(const struct layer_groups *,
			       const struct flow_key *);

#endif /* datapath/decide.h */
