/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_LEARN_H
#define DATAPATH_LEARN_H 1

/* Learning: a packet's source is looked up, and whether it is news is noted
 * for the control thread, which alone edits mappings. */

struct composition;
struct rule_learn;

/* Of a rule with ACTION_LEARN, in direction VSW_OUT. */
void learn_source(struct composition *, const struct rule_learn *);

#endif /* datapath/learn.h */
