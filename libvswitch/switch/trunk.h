/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SWITCH_TRUNK_H
#define SWITCH_TRUNK_H 1

struct vsw_port;

/* [control] Takes a port that is to be removed out of the one that it is inside
 * of, if it is: workers that find it there are to be waited for. */
void trunk_remove(struct vsw_port *);

#endif /* switch/trunk.h */
