/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_MAPPING_H
#define POLICY_MAPPING_H 1

/* Mappings: MACs and addresses of both families in one table, an entry of 64
 * bytes for each that has one location.  Edited by control, read by workers
 * under their read mark; an entry is never changed, but replaced whole and
 * retired. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/base/table.h"
#include "libvswitch/policy/domain.h"
#include "libvswitch/policy/endpoint.h"

enum { MAPPING_LOCATIONS_MAX = 1024 };

enum place_kind { PLACE_LOCAL, PLACE_REMOTE, PLACE_MANY };

/* A location, as it is kept. */
struct place {
	union {
		struct vsw_port *port;		/* PLACE_LOCAL; holds. */
		struct endpoint *endpoint;	/* PLACE_REMOTE; holds. */
		struct places *many;		/* PLACE_MANY: an entry's. */
	};
	uint8_t mac[6];
	uint8_t kind;
	uint8_t key_kind;			/* An entry's: enum key_kind. */
};

struct places {
	struct retired retired;			/* Of a flood's. */
	bool unknown_unicast;			/* Of a flood's. */
	uint32_t n;
	struct place places[];
};

struct vsw_mapping {
	struct vsw_domain *domain;		/* Holds. */
	uint32_t n_refs;
	uint32_t vni;
	struct table entries;
	_Atomic(struct places *) flood;		/* NULL: nowhere. */
	char *name;
};

/* [control] Takes a reference. */
struct vsw_mapping *mapping_ref(struct vsw_mapping *);
/* [any] Under a read mark.  The places that the MAC, or the address of 'n'
 * bytes, is at; NULL: not known. */
const struct place *mapping_find_mac(const struct vsw_mapping *,
				     const uint8_t mac[6], uint32_t *ret_n);
const struct place *mapping_find_addr(const struct vsw_mapping *,
				      const uint8_t *addr, unsigned n,
				      uint32_t *ret_n);
/* [any] Under a read mark.  NULL: nowhere. */
static inline const struct places *
mapping_flood(const struct vsw_mapping *mapping)
{
	return atomic_load_explicit(&mapping->flood, memory_order_acquire);
}

#endif /* policy/mapping.h */
