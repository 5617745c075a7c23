/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ORACLE_BYTES_H
#define ORACLE_BYTES_H 1

/* Which bytes the model's small numbers stand for, and its packets as bytes. */

#include "tests/oracle/model.h"

void bytes_mac(unsigned, uint8_t ret_mac[6]);
struct vsw_addr bytes_addr(unsigned n, unsigned);
struct vsw_addr bytes_pa(unsigned);
uint16_t bytes_eth_type(enum m_type);
/* The packet as bytes; returns their number. */
size_t bytes_frame(const struct m_packet *, uint8_t ret_frame[128]);
/* One of the fragments of an IPv4 packet, of 'mtu' bytes at most; 0: there are
 * not as many. */
size_t bytes_piece(const struct m_packet *, unsigned mtu, unsigned piece,
		   uint8_t ret_frame[128]);
/* How large it is for an MTU: without Ethernet's header, or what each segment
 * is. */
unsigned bytes_size(const struct m_packet *);
/* How many units a first fragment's frame has. */
unsigned bytes_first_units(const struct m_packet *);
/* The lowest 'n' bytes of 'value', the highest first. */
void bytes_put(uint8_t *to, uint32_t value, unsigned n);

#endif /* oracle/bytes.h */
