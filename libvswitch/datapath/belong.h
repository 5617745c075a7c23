/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_BELONG_H
#define DATAPATH_BELONG_H 1

/* To which connection a packet belongs, if there is one: its own addresses and
 * ports, or, of an ICMP error, those of the packet that it is about. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/connection/connection.h"
#include "libvswitch/datapath/parse.h"

struct vsw_port;

/* Of a packet that goes 'direction' at the port; 'vni' is its tunnel's there,
 * 'vlan' (VID | 0x1000, or 0) the tag that it has on the port's side.
 * Everything but the hash.  False: it belongs to none, and opens none.  'frame'
 * is what the headers stand in. */
bool belong_find(const struct headers *, const uint8_t *frame,
		 enum vsw_direction, const struct vsw_port *, uint32_t vni,
		 uint16_t vlan, struct connection_packet *ret_packet);
/* The packet that opened a connection, as far as rules look at it, and as it
 * came to the port's layers. */
void belong_opener(const struct connection_key *,
		   const struct connection_view *,
		   struct flow_key *ret_key);

#endif /* datapath/belong.h */
