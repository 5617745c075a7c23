/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONNECTION_LISTEN_H
#define CONNECTION_LISTEN_H 1

/* Who is to be told when a connection that was left alone needs looking after:
 * flows whose packets it does not hear of while it is settled (track.h).  Of
 * each direction that is one flow, the last that was seen; if packets of a
 * direction take several flows, each of them hears that another has taken its
 * place, and so none is left alone.  Used by connection/connection.c, of places
 * whose entry is locked. */

#include <stdint.h>
#include "libvswitch/connection/connection.h"

struct ear;
struct room;

/* 'listener' is to be told of packets' 'direction'. */
void listen_add(const struct room *, const struct ear *ears, uint32_t place,
		uint8_t direction, const struct connection_listener *);
/* Tells all there are, and forgets them. */
void listen_tell(const struct room *, const struct ear *ears, uint32_t place);

#endif /* connection/listen.h */
