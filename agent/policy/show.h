/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_SHOW_H
#define POLICY_SHOW_H 1

/* What is in force, for those who ask: rules and their hits, mappings, and
 * which row of which database something comes from.  [control] */

#include "agent/base/report.h"
#include "agent/model/model.h"

/* The layers, groups and rules of the port's program; NULL: of the switch's
 * uplink.  Their hits are as of the last vsw_worker_count(). */
void show_rules(const struct model *, const struct model_switch *,
		const struct model_port *, struct report *);

/* "ms_firewall FW_Rules UUID": where what the step tells of stands written,
 * to be freed; NULL: nowhere, it is the host's own.  'port' is the one whose
 * layers were asked, NULL: the uplink. */
char *show_row(const struct model *, const struct model_switch *,
	       const struct model_port *, const struct vsw_step *);

/* The rule that logs with this tag; one that is gone may be known still.
 * False: it is not. */
bool show_logged(const struct model_switch *, uint64_t tag,
		 const char **ret_rule, bool *ret_allows);

/* Where a walk of all mappings is; starts as all zero but the wishes. */
struct show_mappings {
	/* Wishes. */
	const char *subnet;		/* VSID or name; NULL: all. */
	size_t max;
	/* The way. */
	size_t n_subnets;		/* That are done. */
	size_t bucket;
	size_t n_shown, n_more;
};

/* Goes through about 'n' rows.  False: that was the last. */
bool show_mappings(const struct model *, struct show_mappings *, size_t n,
		   struct report *);
/* Is there one of that VSID or name? */
bool show_knows_subnet(const struct model *, const char *subnet);

#endif /* policy/show.h */
