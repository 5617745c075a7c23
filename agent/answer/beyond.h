/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ANSWER_BEYOND_H
#define ANSWER_BEYOND_H 1

/* Addresses of a subnet that no mapping names, where its routing domain has a
 * default location: what a VM sends to one of them goes there.  So that it can
 * be sent at all, the VM is told default_mac, which is what routed packets get
 * on their way there, too. */

#include <stdbool.h>
#include <stdint.h>
#include "agent/answer/frame.h"

/* Does the domain's default location stand for the address, which nobody else
 * has?  'ret_mac' is under which MAC.  Not in a subnet whose VMs are asked
 * (model_is_bridged()), nor on the host whose own the location is. */
bool beyond_find(const struct asker *, const struct vsw_addr *,
		 uint8_t ret_mac[6]);
/* Are controllers asked for what is missing, before the default counts? */
bool beyond_is_asked_for(const struct asker *);

#endif /* answer/beyond.h */
