/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_MAPPING_H
#define POLICY_MAPPING_H 1

/* Mappings: MACs and addresses of both families in one table (entry.h).
 * Edited by control, read by workers under their read mark. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/base/generation.h"
#include "libvswitch/policy/domain.h"
#include "libvswitch/policy/endpoint.h"
#include "libvswitch/policy/entry.h"

enum { MAPPING_LOCATIONS_MAX = 1024 };

/* What becomes of what is not known. */
struct unknown {
	struct retired retired;
	uint32_t punt_reason;		/* 0: not punted. */
	bool has_place;
	struct place place;		/* One that is not PLACE_MANY. */
};

struct vsw_mapping {
	struct vsw_domain *domain;		/* Holds. */
	uint32_t n_refs;
	uint32_t vni;
	uint64_t salt;				/* Of its addresses' stripes. */
	struct entry_table entries;
	_Atomic(struct places *) flood;		/* NULL: nowhere. */
	_Atomic(struct unknown *) unknown;	/* NULL: is dropped. */
	char *name;
};

/* [control] Takes a reference. */
struct vsw_mapping *mapping_ref(struct vsw_mapping *);
/* [any] Under a read mark.  The places that the MAC, or the address of 'n'
 * bytes, is at; NULL: not known.  What the answer depends on is noted in
 * 'deps' (NULL: nobody wants to know). */
const struct place *mapping_find_mac(const struct vsw_mapping *,
				     const uint8_t mac[6],
				     struct dependencies *deps,
				     uint32_t *ret_n);
const struct place *mapping_find_addr(const struct vsw_mapping *,
				      const uint8_t *addr, unsigned n,
				      struct dependencies *deps,
				      uint32_t *ret_n);
/* [any] Under a read mark.  What is about to be looked up for many packets: so
 * that they do not wait for memory one after the other, each call has the
 * lines on their way that the next one reads, and mapping_find_mac() or
 * _addr(), and who follows the place to its outer headers.  Between two of them
 * there should be those of other packets.  more: false, there is nothing left
 * to do.  It goes by tags and may be wrong: nothing that it finds means
 * anything. */
struct mapping_fetch {
	const struct vsw_mapping *mapping;
	uint64_t hash;
	const struct entry *entry;	/* NULL: not known yet. */
	const struct endpoint *endpoint;	/* The same. */
};
void mapping_fetch_mac(const struct vsw_mapping *, const uint8_t mac[6],
		       struct mapping_fetch *);
void mapping_fetch_addr(const struct vsw_mapping *, const uint8_t *addr,
			unsigned n, struct mapping_fetch *);
bool mapping_fetch_more(struct mapping_fetch *);
/* [any] Under a read mark.  NULL: nowhere.  Depends on what a MAC that was not
 * found depends on. */
static inline const struct places *
mapping_flood(const struct vsw_mapping *mapping)
{
	return atomic_load_explicit(&mapping->flood, memory_order_acquire);
}

/* The same of what becomes of it. */
static inline const struct unknown *
mapping_unknown(const struct vsw_mapping *mapping)
{
	return atomic_load_explicit(&mapping->unknown, memory_order_acquire);
}

#endif /* policy/mapping.h */
