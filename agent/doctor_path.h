/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DOCTOR_PATH_H
#define DOCTOR_PATH_H 1

/* What kernels say of the ways from this host's provider addresses to others':
 * each is asked in the network namespace, and for the interface, that packets
 * of that address leave by.  Nothing is sent.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include "agent/model/model.h"

struct doctor_path {
	const struct vsw_addr *remote;
	const struct model_pa *local;	/* NULL: none of its family is up. */
	int error;			/* An errno: there is no way. */
	unsigned mtu;			/* Else what goes through. */
	bool has_other;			/* Another address has a way there. */
	/* By whom it goes; 'is_silent': the kernel does not know his MAC
	 * address, as when he does not answer. */
	struct vsw_addr next_hop;
	bool is_silent;
};

/* From each address that is up to each other host's that a locator names, those
 * where the next hop is given apart.  Returns how many more remote addresses
 * there are than were looked at. */
size_t doctor_each_path(const struct model *,
			void (*each)(void *ctx, const struct doctor_path *),
			void *ctx);

#endif /* doctor_path.h */
