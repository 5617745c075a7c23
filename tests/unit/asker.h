/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_ASKER_H
#define TESTS_ASKER_H 1

/* What the responders of agent/host ask the model, out of a short table: the
 * story's subnet 5001 with its gateway, seen by Contoso's SQL; and 5002, in
 * the same router. */

#include <string.h>
#include "agent/answer/beyond.h"
#include "agent/answer/frame.h"

static const uint8_t sql_mac[6] = { 2, 0x10, 1, 1, 0, 0x11 };
static const uint8_t web_mac[6] = { 2, 0x10, 1, 1, 0, 0x12 };
static const uint8_t router_mac[6] = { 2, 0, 0x5e, 0, 1, 1 };

#define IP4(A, B, C, D) { .n = 4, .bytes = { A, B, C, D } }
#define IP6(LAST) { .n = 16, .bytes = { 0xfd, 0, [15] = LAST } }

static struct model_router router = { .is_enabled = true };
static struct model_subnet subnets[2] = {
	{ .vni = 5001, .router = &router }, { .vni = 5002, .router = &router }
};
static struct model_prefix prefixes[3] = {
	{ .subnet = &subnets[0], .bits = 24, .gateway = IP4(10, 1, 1, 1) },
	{ .subnet = &subnets[0], .bits = 64, .gateway = IP6(1) },
	{ .subnet = &subnets[1], .bits = 24, .gateway = IP4(10, 1, 2, 1) }
};
static const struct model_mapping mappings[] = {
	{ .mac = { 2, 0x10, 1, 1, 0, 0x11 }, .ca = IP4(10, 1, 1, 11) },
	{ .mac = { 2, 0x10, 1, 1, 0, 0x12 }, .ca = IP4(10, 1, 1, 12) },
	{ .mac = { 2, 0x10, 1, 1, 0, 0x11 }, .ca = IP6(0x11) },
	{ .mac = { 2, 0x10, 1, 1, 0, 0x12 }, .ca = IP6(0x12) },
	/* One for each state that there is; of load_balanced rows the first
	 * one of an address is the best. */
	{ .mac = { 2, 0x10, 1, 1, 0, 0x13 }, .ca = IP4(10, 1, 1, 13),
	  .is_local = true },
	{ .mac = { 2, 0x10, 1, 1, 0, 0x13 }, .ca = IP6(0x13),
	  .is_local = true },
	{ .mac = { 2, 0x10, 1, 1, 0, 0x14 }, .ca = IP4(10, 1, 1, 14),
	  .kind = MAPPING_LEARNING_DISABLED },
	{ .mac = { 2, 0x10, 1, 1, 0, 0x14 }, .ca = IP6(0x14),
	  .kind = MAPPING_LEARNING_DISABLED },
	{ .mac = { 2, 0x10, 1, 1, 0, 0x15 }, .ca = IP4(10, 1, 1, 15),
	  .kind = MAPPING_LOAD_BALANCED },
	{ .mac = { 2, 0x10, 1, 1, 0, 0x15 }, .ca = IP6(0x15),
	  .kind = MAPPING_LOAD_BALANCED },
	{ .mac = { 2, 0x10, 1, 1, 0, 0x16 }, .ca = IP4(10, 1, 1, 16),
	  .kind = MAPPING_LOAD_BALANCED },
	{ .mac = { 2, 0x10, 1, 1, 0, 0x11 }, .ca = IP4(10, 1, 1, 16),
	  .kind = MAPPING_LOAD_BALANCED },
	{ .mac = { 2, 0x10, 1, 1, 0, 0x16 }, .ca = IP6(0x16),
	  .kind = MAPPING_LOAD_BALANCED },
	{ .mac = { 2, 0x10, 1, 1, 0, 0x11 }, .ca = IP6(0x16),
	  .kind = MAPPING_LOAD_BALANCED }
};
enum { N_MAPPINGS = sizeof mappings / sizeof mappings[0] };
static struct model model;
static struct model_switch the_switch;
static struct model_port port = { .sw = &the_switch, .subnet = &subnets[0] };
static const struct asker asker = { .model = &model, .port = &port };

static inline void
asker_init(void)
{
	list_init(&model.subnets);
	memcpy(model.router_mac, router_mac, 6);
	for (size_t i = 0; i < 2; i++) {
		list_init(&subnets[i].prefixes);
		list_append(&model.subnets, &subnets[i].link);
	}
	for (size_t i = 0; i < 3; i++)
		list_append(&prefixes[i].subnet->prefixes, &prefixes[i].link);
}

const struct model_prefix *
model_find_gateway(const struct model_subnet *subnet,
		   const struct vsw_addr *addr)
{
	for (size_t i = 0; i < 3; i++)
		if (prefixes[i].subnet == subnet
		    && !memcmp(&prefixes[i].gateway, addr, sizeof *addr))
			return &prefixes[i];
	return NULL;
}

const struct model_mapping *
model_find_ca(const struct model_subnet *subnet, const struct vsw_addr *ca)
{
	for (size_t i = 0; i < N_MAPPINGS && subnet == &subnets[0]; i++)
		if (!memcmp(&mappings[i].ca, ca, sizeof *ca))
			return &mappings[i];
	return NULL;
}

/* Where 'beyond' says so, the default location stands for all others. */
static bool beyond;

bool
beyond_find(const struct asker *who, const struct vsw_addr *addr,
	    uint8_t ret_mac[6])
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 0xfe };

	(void) addr;
	if (!beyond || who->asks_first)
		return false;
	memcpy(ret_mac, mac, 6);
	return true;
}

bool
model_has_ca(const struct model_subnet *subnet, const struct vsw_addr *ca,
	     const uint8_t mac[6])
{
	for (size_t i = 0; i < N_MAPPINGS && subnet == &subnets[0]; i++)
		if (!memcmp(&mappings[i].ca, ca, sizeof *ca)
		    && !memcmp(mappings[i].mac, mac, 6))
			return true;
	return false;
}

#endif /* tests/asker.h */
