/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ANSWER_PEND_H
#define ANSWER_PEND_H 1

/* Packets that wait for a mapping which controllers have been asked for
 * (hnv.Mapping_Request): for a bounded time, and some of each address only.
 * One for each punt port.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <event2/event.h>
#include "agent/answer/frame.h"

struct pend;

/* What had been waiting and goes on: 'is_known' tells whether it was worth it.
 * The bytes last for the call. */
typedef void pend_go_fn(void *ctx, struct model_port *, uint32_t reason,
			uint32_t vni, const void *bytes, size_t size,
			bool is_known);

/* 0 or a negative errno. */
int pend_new(struct event_base *, struct model *, pend_go_fn *, void *ctx,
	     struct pend **ret_pend);
/* Forgets what waits. */
void pend_free(struct pend *);

/* A packet that was punted, for 'reason' and from subnet 'vni', and that cannot
 * be answered: true if an address was asked for, and it waits for that. */
bool pend_hold(struct pend *, const struct asker *, const struct frame *,
	       uint32_t reason, uint32_t vni);
/* Policy has changed: lets those go whose address is known now. */
void pend_settle(struct pend *);
/* The port goes: forgets what waits from it; NULL: everything. */
void pend_forget(struct pend *, const struct model_port *);

#endif /* answer/pend.h */
