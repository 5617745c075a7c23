/* SPDX-License-Identifier: Apache-2.0 */

/* The firewall at ports of learning switches: the same groups as at ports of
 * subnets.
 *
 * Its layers come behind the one that learns and sends, so that where a source
 * is, is known also if what it sends is dropped: an answer that is to find its
 * connection must not be flooded for ever, since copies open none.  They come
 * before the one that takes tags off: connections are known by the tag that the
 * port's own packets have. */

#include "agent/policy/bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/model/state.h"
#include "agent/policy/applied.h"

static const struct built_group *get_group(const struct model_port *,
					   const struct program_entry *,
					   int *ret_err);

uint64_t
bridge_firewall_hash(const struct model_port *port, uint64_t hash)
{
	struct program_draft draft;

	compile_bridged(port, &draft);
	for (size_t i = 0; i < draft.n; i++) {
		const struct program_entry *entry = &draft.entries[i];

		hash = map_hash(&entry->kind, sizeof entry->kind, hash);
		hash = map_hash(&entry->acl, sizeof entry->acl, hash);
	}
	return hash;
}

int
bridge_firewall_add(const struct model_port *port,
		    struct vsw_program *program)
{
	struct vsw_layer *layer = NULL;
	struct program_draft draft;
	int err = 0;

	compile_bridged(port, &draft);
	for (size_t i = 0; i < draft.n && !err; i++) {
		const struct program_entry *entry = &draft.entries[i];
		const struct built_group *built = get_group(port, entry, &err);

		if (!i || strcmp(entry->layer, draft.entries[i - 1].layer))
			layer = vsw_program_add_layer(program, entry->layer);
		if (built)
			vsw_layer_add_group(layer, entry->direction,
					    built->group);
	}
	return err;
}

static const struct built_group *
get_group(const struct model_port *port, const struct program_entry *entry,
	  int *ret_err)
{
	struct applied_switch *applied = port->sw->applied;
	const struct built_group *built = NULL;
	char *problem = NULL;

	if (applied && entry->kind == GROUP_ACL)
		built = apply_acl_get(&applied->acls, port->sw, entry->acl,
				      entry->direction, ret_err, &problem);
	else if (applied)
		built = &applied->groups[entry->kind];
	free(problem);
	if (!*ret_err && (!built || !built->group))
		*ret_err = -EAGAIN;
	return *ret_err ? NULL : built;
}
