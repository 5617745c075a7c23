/* SPDX-License-Identifier: Apache-2.0 */

#ifndef INSPECT_COUNTS_H
#define INSPECT_COUNTS_H 1

/* What was counted at a port, in words and as JSON.  [control] */

#include <vswitch.h>
#include "agent/base/report.h"
#include "agent/model/punts.h"

/* Packets and bytes. */
void counts_say_traffic(struct report *, const struct vsw_port *);
/* By name; those that there were. */
void counts_say_drops(struct report *, const struct vsw_port *);
/* Flows and connections by class: how many there are, were at most, may be, and
 * were ever.  Classes that there never was one of are left out of the text. */
void counts_say_classes(struct report *, const struct vsw_port *);
/* What came to the host, and what became of it.  NULL: nothing ever. */
void counts_say_punts(struct report *, const struct punts *);

#endif /* inspect/counts.h */
