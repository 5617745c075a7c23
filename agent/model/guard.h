/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MODEL_GUARD_H
#define MODEL_GUARD_H 1

/* What a port may say it is: put together from its mappings, its subnet and
 * its row.  [control] */

#include "agent/model/model.h"

struct guard {
	uint8_t on;			/* Bits: enum model_guard. */
	uint8_t (*macs)[6];		/* In order, each once; so are the */
	size_t n_macs;
	struct acl_addresses v4, v6;	/* addresses. */
};

/* A port that is not bound has no guards. */
void guard_init(struct guard *, const struct model_port *);
void guard_clear(struct guard *);

#endif /* model/guard.h */
