/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_VXLAN_H
#define DATAPATH_VXLAN_H 1

/* VXLAN, RFC 7348, section 5.  [worker] */

#include <stdint.h>
#include "libvswitch/base/cursor.h"

struct vsw_tunnel;

/* Reads the header behind UDP's and steps over it.  Returns PARSE_GOOD and
 * the tunnel's kind and VNI, or an enum vsw_drop. */
int vxlan_read(struct cursor *, struct vsw_tunnel *);

/* 'udp': header in front of VXLAN's; 'size': from there to the packet's
 * end. */
void vxlan_stamp(uint8_t *udp, uint16_t size, const struct vsw_tunnel *);

#endif /* datapath/vxlan.h */
