/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_NEXT_HOP_H
#define POLICY_NEXT_HOP_H 1

/* Behind which MAC of an uplink's wire a provider address is.  Workers never
 * look: they see the outer headers that are made of it.  [control] */

#include <stdint.h>
#include <vswitch/switch.h>
#include "libvswitch/base/table.h"

struct next_hop {
	struct vsw_addr pa;
	uint8_t mac[6];
};

struct next_hops {
	struct table table;		/* struct next_hop. */
	struct next_hop *any;		/* For all that are not named; NULL:
					 * none. */
	struct next_hop *spare;		/* Prepared; NULL: none. */
};

/* 0 or -ENOMEM: as next_hop_set() will do, so that it cannot fail.  'pa' with
 * n == 0: all that are not named. */
int next_hop_prepare(struct vsw_port *, const struct vsw_addr *pa);
/* 'mac' NULL forgets; this needs no preparation. */
void next_hop_set(struct vsw_port *, const struct vsw_addr *pa,
		  const uint8_t mac[6]);
/* NULL: not known. */
const uint8_t *next_hop_get(const struct vsw_port *,
			    const struct vsw_addr *pa);
/* Accepts NULL. */
void next_hops_free(struct vsw *, struct next_hops *);

#endif /* policy/next_hop.h */
