/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CTL_VERBS_H
#define CTL_VERBS_H 1

#include <stdbool.h>

/* The verbs that add, delete and list switches, ports and provider addresses:
 * see hnv-ctl(8).  Registers them; call it once, after ctl_init(). */
void verbs_register(void);

/* Registers others, which must last. */
struct ctl_command_syntax;
void verbs_add(const struct ctl_command_syntax *);
/* Of one that was registered here, what is to stand behind it.  NULL: there is
 * none of that name. */
const char *verbs_arguments(const char *name);

/* For other verbs.  The switch of that name; NULL: a problem has been
 * reported. */
struct ctl_context;
struct hnvrec_port;
struct hnvrec_switch;
const struct hnvrec_switch *verbs_need_switch(struct ctl_context *,
					      const char *name);
/* A tap, which is added to the switch. */
const struct hnvrec_port *verbs_new_port(struct ctl_context *,
					 const struct hnvrec_switch *,
					 const char *name);
/* A tap is called like its port unless it is said otherwise, and the kernel has
 * its own idea of names.  False: a problem has been reported. */
bool verbs_check_tap_name(struct ctl_context *, const struct hnvrec_port *);

#endif /* ctl/verbs.h */
