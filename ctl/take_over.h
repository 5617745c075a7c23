/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CTL_TAKE_OVER_H
#define CTL_TAKE_OVER_H 1

/* The verbs that have a switch take an interface over from the host, confirm
 * it, and give it back: see hnv-ctl(8). */

struct hnvrec_switch;

/* Registers them; call it once, after ctl_init(). */
void take_over_register(void);

/* Says what became of a switch's take-over, if it has one.  Returns an exit
 * status: EXIT_SUCCESS, or 'failure' if it is not taken over. */
int take_over_report(const struct hnvrec_switch *, int failure);

#endif /* ctl/take_over.h */
