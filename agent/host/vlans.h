/* SPDX-License-Identifier: Apache-2.0 */

#ifndef HOST_VLANS_H
#define HOST_VLANS_H 1

/* VLANs of a port that controllers have bound: each is a port of the switch
 * inside of it.  [control] */

#include <stdbool.h>

struct model;
struct model_port;
struct punt;

/* Makes them be what the model wants, once their trunk is open; forgets those
 * that are removed.  False: one is worth another try. */
bool vlans_apply(struct model *, struct model_port *trunk, struct punt *);
/* Before their trunk is closed. */
void vlans_close(struct model *, struct model_port *trunk, struct punt *);

#endif /* host/vlans.h */
