/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_NVGRE_H
#define DATAPATH_NVGRE_H 1

/* NVGRE, RFC 7637, section 3.2.  [worker] */

#include <stdint.h>

struct vsw_tunnel;

/* Reads the GRE header, NVGRE_HEADER_SIZE bytes.  Returns PARSE_GOOD and the
 * tunnel's kind, VSID and flow id, or an enum vsw_drop. */
int nvgre_read(const uint8_t *, struct vsw_tunnel *);

void nvgre_stamp(uint8_t *gre, const struct vsw_tunnel *);

#endif /* datapath/nvgre.h */
