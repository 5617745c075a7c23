/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CTL_SHOW_H
#define CTL_SHOW_H 1

#include <stdbool.h>

/* The verb "show": host, switches, provider addresses and ports as a tree,
 * each with its state and, where it is not as it should be, why.  Registers
 * it; call it once, after ctl_init(). */
void show_register(void);
/* Has it print one JSON object in one line instead. */
void show_set_json(bool);

#endif /* ctl/show.h */
