/* SPDX-License-Identifier: Apache-2.0 */

#ifndef INSPECT_INSPECT_H
#define INSPECT_INSPECT_H 1

/* Commands that look at what there may be a million of: flows, connections,
 * mappings, and the hits of rules.  They go through it in pieces, each in a
 * turn of the loop of its own, so that neither packets nor controllers wait,
 * and show a bounded number.  [control] */

struct commands;
struct control;

void inspect_add(struct control *, struct commands *);
/* Whoever still waits for an answer is refused one. */
void inspect_stop(struct commands *);

#endif /* inspect/inspect.h */
