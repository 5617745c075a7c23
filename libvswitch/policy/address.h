/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_ADDRESS_H
#define POLICY_ADDRESS_H 1

/* Addresses as keys of tables. */

#include <stdbool.h>
#include <string.h>
#include <vswitch/switch.h>
#include "libvswitch/base/hash.h"

/* An address of 4 or 16 bytes, with nothing behind them. */
static inline bool
address_is_good(const struct vsw_addr *addr)
{
	static const uint8_t zero[12];

	return addr->n == 16
	       || (addr->n == 4 && !memcmp(addr->bytes + 4, zero, 12));
}

static inline bool
address_equal(const struct vsw_addr *a, const struct vsw_addr *b)
{
	return a->n == b->n && !memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static inline uint32_t
address_hash(const struct vsw_addr *addr, uint64_t seed)
{
	return hash_short(hash_bytes(addr, sizeof *addr, seed));
}

#endif /* policy/address.h */
