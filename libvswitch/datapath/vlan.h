/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_VLAN_H
#define DATAPATH_VLAN_H 1

#include <stdbool.h>
#include <stdint.h>

struct headers;
struct vsw_packet;

/* Makes the packet's outermost 802.1Q tag say 'vlan' (VID | 0x1000; 0: takes it
 * off), as it came in with these headers, whose offsets do not hold behind it.
 * A tag that is there keeps its priority (IEEE 802.1Q, section 9.6); a new one
 * has none.  false: no headroom left, nothing is changed. */
bool vlan_set(struct vsw_packet *, const struct headers *, uint16_t vlan);

/* Puts a tag on, of priority 0, or takes the outermost one off, which is
 * there. */
bool vlan_push(struct vsw_packet *, uint16_t vlan);
void vlan_pop(struct vsw_packet *);

#endif /* datapath/vlan.h */
