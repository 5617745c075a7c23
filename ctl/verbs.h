/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CTL_VERBS_H
#define CTL_VERBS_H 1

/* The verbs that add, delete and list switches, ports and provider addresses:
 * see hnv-ctl(8).  Registers them; call it once, after ctl_init(). */
void verbs_register(void);

#endif /* ctl/verbs.h */
