/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_EDIT_H
#define POLICY_EDIT_H 1

/* Edits of a switch's mappings: what differs, and nothing else.  [control] */

#include <stdbool.h>
#include "agent/model/state.h"
#include "agent/policy/compile.h"

/* A subnet's mapping in one switch, with what broadcast was last told. */
struct edited {
	const struct model_switch *sw;
	struct model_subnet *subnet;
	struct vsw_domain *domain;
	struct vsw_mapping *mapping;
	struct vsw_location *flood;
	size_t n_flood;
	bool flood_unknown;
	bool has_flood;			/* Was told at all. */
	uint32_t unknown_reason;	/* As was told last. */
	bool has_unknown;
	struct vsw_location unknown;
};

/* Scratch for any number of edits, and what went wrong. */
struct edit {
	struct draft_location *drafts;	/* MAX_LOCATIONS of each. */
	struct vsw_location *wanted, *have;
	int err;			/* The first. */
	size_t n_cut;			/* Addresses with too many places. */
};

void edit_init(struct edit *);
void edit_done(struct edit *);

/* Between them flows that are cached hear of no edit, and of all at the end. */
void edit_begin(struct edit *, struct edited *);
void edit_commit(struct edit *, struct edited *);
/* Everything, into a mapping that is empty. */
void edit_fill(struct edit *, struct edited *);
/* The keys of the subnet that changed: first what is to be there, MACs before
 * the addresses that lead to them, and flood; later what is not. */
void edit_set(struct edit *, struct edited *);
void edit_remove(struct edit *, struct edited *);
/* What becomes of what the mapping does not know; 'domain' NULL: is dropped. */
void edit_unknown(struct edit *, struct edited *, const struct model_domain *);
/* True: the engine had it otherwise than it is to be; it has not any more, but
 * for edit->err. */
bool edit_mend(struct edit *, struct edited *, const struct mapping_key *);
void edited_done(struct edited *);	/* Leaves the mapping. */

#endif /* policy/edit.h */
