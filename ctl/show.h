/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CTL_SHOW_H
#define CTL_SHOW_H 1

#include <stdbool.h>

/* The verb "show": host, switches, provider addresses and ports as a tree,
 * each with its state and, where it is not as it should be, why.  Registers
 * it; call it once, after ctl_init(). */
void show_register(void);
/* Has it, and verbs that list names, print JSON instead, in one line or as
 * 'json_flags' (JSSF_*) say. */
void show_set_json(bool, int json_flags);
bool show_is_json(void);

#endif /* ctl/show.h */
