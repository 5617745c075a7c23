/* SPDX-License-Identifier: Apache-2.0 */

/* How flows keep their keys: the short part on their first line, addresses of
 * IPv6 on the second, and those of both packet and tunnel only if both are
 * IPv6's.  See flow_table.h. */

#include "libvswitch/datapath/flow_table.h"

#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"

static uint8_t *pair_of(const struct flow_table *, const struct flow *);

void
flow_get_key(const struct flow_table *t, const struct flow *flow,
	     struct flow_key *ret_key)
{
	const uint8_t *addresses = flow->addresses;

	memset(ret_key, 0, sizeof *ret_key);
	memcpy(ret_key, flow->key, sizeof flow->key);
	if (flow_key_is_ipv6(ret_key)) {
		memcpy(ret_key->ip6_src, addresses, FLOW_KEY_PAIR);
		addresses = pair_of(t, flow);
	}
	if (flow_key_tunnel_is_ipv6(ret_key))
		memcpy(ret_key->tunnel6_src, addresses, FLOW_KEY_PAIR);
}

bool
flow_key_set(struct flow_table *t, struct flow *flow,
	     const struct flow_key *key)
{
	uint32_t chunk = flow_table_place(t, flow) / PAIRS_CHUNK;
	uint8_t *addresses = flow->addresses;

	if (flow_key_is_ipv6(key) && flow_key_tunnel_is_ipv6(key)
	    && !t->pairs[chunk]) {
		t->pairs[chunk] = memory_alloc(&t->vsw->allocator,
					       FLOW_KEY_PAIR,
					       PAIRS_CHUNK
					       * sizeof *t->pairs[chunk]);
		if (!t->pairs[chunk])
			return false;
	}
	memcpy(flow->key, key, sizeof flow->key);
	if (flow_key_is_ipv6(key)) {
		memcpy(addresses, key->ip6_src, FLOW_KEY_PAIR);
		addresses = pair_of(t, flow);
	}
	if (flow_key_tunnel_is_ipv6(key))
		memcpy(addresses, key->tunnel6_src, FLOW_KEY_PAIR);
	return true;
}

bool
flow_key_addresses_equal(const struct flow_table *t, const struct flow *flow,
			 const struct flow_key *key)
{
	const uint8_t *addresses = flow->addresses;

	if (flow_key_is_ipv6(key)) {
		if (memcmp(addresses, key->ip6_src, FLOW_KEY_PAIR))
			return false;
		addresses = pair_of(t, flow);
	}
	return !flow_key_tunnel_is_ipv6(key)
	       || !memcmp(addresses, key->tunnel6_src, FLOW_KEY_PAIR);
}

/* There is none of most: then nobody looks at it. */
static uint8_t *
pair_of(const struct flow_table *t, const struct flow *flow)
{
	uint32_t place = flow_table_place(t, flow);
	uint8_t (*pairs)[FLOW_KEY_PAIR] = t->pairs[place / PAIRS_CHUNK];

	return pairs ? pairs[place % PAIRS_CHUNK] : NULL;
}
