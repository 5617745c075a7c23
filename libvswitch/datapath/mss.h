/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_MSS_H
#define DATAPATH_MSS_H 1

/* The segment size that TCP agrees on.  [worker] */

#include <stdint.h>

struct headers;
struct vsw_packet;

/* If the packet, TCP by its headers and no later fragment, has SYN set and a
 * maximum segment size (RFC 9293, section 3.7.1) larger than 'mss', that
 * becomes 'mss', and the checksum follows. */
void mss_clamp(struct vsw_packet *, const struct headers *, uint16_t mss);

#endif /* datapath/mss.h */
