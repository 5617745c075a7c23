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
 * out, or fetches in vain, costs time and nothing else.  What layers answered
 * is kept until the batch is decided, with what they were asked: who comes to
 * the same layer with the same key need not ask again.  [worker] */

#include <stdint.h>

struct batch;
struct flow_key;
struct layer_groups;
struct rule;
struct vsw_worker;

enum {
	FORESEEN_MAX = 4,		/* Answers.  Of a key, layers change */
	FORESEEN_HEAD = 16		/* nothing but this, and the VNI. */
};

/* Of one packet. */
struct foreseen {
	uint32_t n;
	struct foreseen_answer {
		uint32_t vni;
		uint8_t head[FORESEEN_HEAD];
		const struct layer_groups *groups;
		const struct rule *rule;	/* NULL: none. */
	} answers[FORESEEN_MAX];
};

/* For what has missed; begins its '->foreseen' in the worker. */
void foresee(struct vsw_worker *, struct batch *);
/* As decide_find(), for a key of the packet that this is about; accepts NULL.
 * Under the read mark that foresee() ran under. */
const struct rule *foresee_find(const struct foreseen *,
				const struct layer_groups *,
				const struct flow_key *);

#endif /* datapath/foresee.h */
