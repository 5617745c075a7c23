/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_FORESEE_H
#define DATAPATH_FORESEE_H 1

/* First packets wait for memory: a mapping of a million addresses, the table of
 * connections and the headers of a thousand tunnels are in no cache, and to
 * decide one packet is to go from one of them to the next.  So before the
 * first of a batch's is decided, all of them have a look at what they will ask
 * for: the layers that route and that ask mappings are asked which mapping it
 * will be, and the lines are fetched for all of them at once, step by step.
 *
 * It is a guess: nothing is decided, noted or remembered, and what it leaves
 * out, or fetches in vain, costs time and nothing else.  [worker] */

struct batch;
struct vsw_worker;

/* For what has missed. */
void foresee(struct vsw_worker *, struct batch *);

#endif /* datapath/foresee.h */
