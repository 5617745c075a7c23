/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TAKEOVER_TAKEOVER_H
#define TAKEOVER_TAKEOVER_H 1

/* Interfaces that switches take over from the host: addresses, routes and
 * neighbours go to the switch's host port in one step, and come back when the
 * operator does not confirm in time, when the row no longer asks for it, when
 * the agent stops, and, by --give-back, when it was killed.
 *
 * What of it is in force stands in model_switch.take_over, and on disk in
 * DIR/take-over (record.h).  Called once per turn of the loop at two places:
 *
 *     takeovers_release()   what is no longer wanted comes back, while the
 *     host_apply()          devices are still there;
 *     policy_apply() ...
 *     takeovers_apply()     what is wanted is taken, once packets pass.
 *
 * [control] */

#include <event2/event.h>
#include "agent/model/model.h"

struct control;
struct takeovers;

struct takeovers_options {
	struct event_base *base;
	struct model *model;
	const char *db_dir;
	/* Asks for another turn. */
	void (*turn)(void *ctx);
	void *ctx;
};

/* Before the first turn: what an agent before this one has left half done is
 * put back.  0 or a negative errno; -EBUSY: another agent has the directory. */
int takeovers_new(const struct takeovers_options *,
		  struct takeovers **ret_takeovers);
/* Before the host closes devices: everything comes back; what is confirmed is
 * taken again by the next agent. */
void takeovers_stop(struct takeovers *);
void takeovers_free(struct takeovers *);

void takeovers_release(struct takeovers *);
void takeovers_apply(struct takeovers *);

/* Of struct record. */
const struct list *takeovers_records(const struct takeovers *);
/* takeover_show.c: the command "take-overs". */
void takeovers_add_commands(struct control *, struct takeovers *);

/* hnv-agent --give-back: what an agent that is no more has taken over.  An exit
 * status. */
int takeovers_give_back(const char *db_dir);

#endif /* takeover/takeover.h */
