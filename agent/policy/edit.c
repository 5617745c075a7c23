/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/edit.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/policy/group.h"
#include "agent/policy/policy.h"

/* A quarter of a megabyte, which nobody needs from one call to the next: all
 * edits share it. */
static struct room {
	struct draft_location drafts[MAX_LOCATIONS];
	struct vsw_location wanted[MAX_LOCATIONS], have[MAX_LOCATIONS];
} *room;
static size_t room_users;

static void set_groups(struct edit *, struct edited *);
static void fill_hash(struct edit *, struct edited *, bool by_ca);
static void set_key(struct edit *, struct edited *, const struct mapping_key *,
		    bool is_new);
static void remove_key(struct edit *, struct edited *,
		       const struct mapping_key *);
static void set_flood(struct edit *, struct edited *);
static size_t convert(struct edit *, size_t n);
static bool are_equal(const struct vsw_location *, const struct vsw_location *,
		      size_t n);
static void note(struct edit *, int err);

void
edit_init(struct edit *edit)
{
	if (!room_users++)
		room = xmalloc(sizeof *room);
	*edit = (struct edit) {
		.drafts = room->drafts, .wanted = room->wanted,
		.have = room->have
	};
}

void
edit_done(struct edit *edit)
{
	(void) edit;
	if (!--room_users)
		free(room);
}

void
edit_begin(struct edit *edit, struct edited *edited)
{
	(void) edit;
	vsw_domain_begin(edited->domain);
}

void
edit_commit(struct edit *edit, struct edited *edited)
{
	(void) edit;
	vsw_domain_commit(edited->domain);
}

void
edit_fill(struct edit *edit, struct edited *edited)
{
	fill_hash(edit, edited, false);
	set_groups(edit, edited);
	fill_hash(edit, edited, true);
	set_flood(edit, edited);
}

void
edit_set(struct edit *edit, struct edited *edited)
{
	const struct subnet_table *table = edited->subnet->table;

	for (int by_ca = 0; by_ca < 2; by_ca++)
		for (size_t i = 0; i < table->n_keys; i++)
			if (by_ca == !!table->keys[i].ca.n)
				set_key(edit, edited, &table->keys[i], false);
	if (table->flood_changed
	    || edited->subnet->replication == REPLICATE_VM)
		set_flood(edit, edited);
	/* Any row may be somebody who is to get a copy, or is not any more. */
	if (edited->subnet->replication == REPLICATE_VM)
		set_groups(edit, edited);
}

void
edit_remove(struct edit *edit, struct edited *edited)
{
	const struct subnet_table *table = edited->subnet->table;

	for (int by_ca = 1; by_ca >= 0; by_ca--)
		for (size_t i = 0; i < table->n_keys; i++)
			if (by_ca == !!table->keys[i].ca.n)
				remove_key(edit, edited, &table->keys[i]);
}

void
edit_unknown(struct edit *edit, struct edited *edited,
	     const struct model_domain *domain)
{
	struct vsw_unknown unknown = {
		.size = sizeof unknown,
		.punt_reason = domain && domain->asks ? PUNT_MISSING : 0
	};
	size_t n = convert(edit, locate_unknown(domain, edited->subnet,
						edited->sw, edit->drafts));
	int err;

	if (edited->unknown_reason == unknown.punt_reason
	    && edited->has_unknown == n
	    && (!n || are_equal(&edited->unknown, edit->wanted, 1)))
		return;
	unknown.location = n ? edit->wanted : NULL;
	err = vsw_mapping_set_unknown(edited->mapping, &unknown);
	note(edit, err);
	if (err)
		return;
	edited->unknown_reason = unknown.punt_reason;
	edited->has_unknown = n;
	if (n)
		edited->unknown = edit->wanted[0];
}

bool
edit_mend(struct edit *edit, struct edited *edited,
	  const struct mapping_key *key)
{
	size_t n = convert(edit, locate_key(edited->subnet, edited->sw, key,
					    edit->drafts));
	size_t n_have = key->ca.n
		? vsw_mapping_get_addr(edited->mapping, &key->ca, edit->have,
				       MAX_LOCATIONS)
		: vsw_mapping_get_mac(edited->mapping, key->mac, edit->have,
				      MAX_LOCATIONS);

	if (n_have == n && are_equal(edit->have, edit->wanted, n))
		return false;
	if (n)
		set_key(edit, edited, key, true);
	else
		remove_key(edit, edited, key);
	return true;
}

void
edited_done(struct edited *edited)
{
	free(edited->flood);
	edited->flood = NULL;
	edited->n_flood = 0;
	edited->has_flood = false;
}

static void
set_groups(struct edit *edit, struct edited *edited)
{
	const struct subnet_table *table = edited->subnet->table;
	const struct list *mcasts = &table->mcasts;

	for (const struct list *link = mcasts->next; link != mcasts;
	     link = link->next) {
		struct mapping_key key = mapping_key_mac(
			LIST_ENTRY(link, struct mcast_row, link)->mac);

		if (memcmp(key.mac, "\xff\xff\xff\xff\xff\xff", 6))
			set_key(edit, edited, &key, false);
	}
	for (size_t i = 0; i < table->n_ports; i++) {
		const struct list *groups = &table->ports[i]->groups;

		for (const struct list *link = groups->next; link != groups;
		     link = link->next) {
			struct mapping_key key = mapping_key_mac(
				LIST_ENTRY(link, struct port_group, link)->mac);

			set_key(edit, edited, &key, false);
		}
	}
}

static void
fill_hash(struct edit *edit, struct edited *edited, bool by_ca)
{
	const struct subnet_table *table = edited->subnet->table;
	const struct mapping_hash *hash =
		by_ca ? &table->by_ca : &table->by_mac;

	for (size_t i = 0; i < hash->n_buckets; i++) {
		struct mapping_row *row = hash->buckets[i];

		for (; row; row = by_ca ? row->next_ca : row->next_mac) {
			struct mapping_key key = by_ca
				? mapping_key_ca(&row->mapping.ca)
				: mapping_key_mac(row->mapping.mac);

			if (subnet_table_best(table, &key) == row)
				set_key(edit, edited, &key, true);
		}
	}
}

static void
set_key(struct edit *edit, struct edited *edited,
	const struct mapping_key *key, bool is_new)
{
	size_t n = convert(edit, locate_key(edited->subnet, edited->sw, key,
					    edit->drafts));
	bool by_ca = key->ca.n;
	size_t n_have;

	if (!n)
		return;
	if (!is_new) {
		n_have = by_ca
			? vsw_mapping_get_addr(edited->mapping, &key->ca,
					       edit->have, MAX_LOCATIONS)
			: vsw_mapping_get_mac(edited->mapping, key->mac,
					      edit->have, MAX_LOCATIONS);
		if (n_have == n && are_equal(edit->have, edit->wanted, n))
			return;
	}
	note(edit, by_ca ? vsw_mapping_set_addr(edited->mapping, &key->ca,
						edit->wanted, n)
			 : vsw_mapping_set_mac(edited->mapping, key->mac,
					       edit->wanted, n));
}

static void
remove_key(struct edit *edit, struct edited *edited,
	   const struct mapping_key *key)
{
	if (convert(edit, locate_key(edited->subnet, edited->sw, key,
				     edit->drafts)))
		return;
	if (key->ca.n) {
		if (vsw_mapping_get_addr(edited->mapping, &key->ca,
					 edit->have, 1))
			vsw_mapping_remove_addr(edited->mapping, &key->ca);
	} else if (vsw_mapping_get_mac(edited->mapping, key->mac, edit->have,
				       1)) {
		vsw_mapping_remove_mac(edited->mapping, key->mac);
	}
}

static void
set_flood(struct edit *edit, struct edited *edited)
{
	bool unknown;
	size_t n = convert(edit, locate_flood(edited->subnet, edited->sw,
					      edit->drafts, &unknown));
	int err;

	if (edited->has_flood && edited->n_flood == n
	    && edited->flood_unknown == unknown
	    && are_equal(edited->flood, edit->wanted, n))
		return;
	err = vsw_mapping_set_flood(edited->mapping, edit->wanted, n,
				    unknown);
	note(edit, err);
	if (err)
		return;
	free(edited->flood);
	edited->flood = xmemdup(edit->wanted, n * sizeof *edit->wanted);
	edited->n_flood = n;
	edited->flood_unknown = unknown;
	edited->has_flood = true;
}

/* From edit->drafts to edit->wanted; ports without a device are nowhere. */
static size_t
convert(struct edit *edit, size_t n)
{
	size_t n_wanted = 0;

	if (n > MAX_LOCATIONS) {
		edit->n_cut++;
		n = MAX_LOCATIONS;
	}
	for (size_t i = 0; i < n; i++) {
		const struct draft_location *draft = &edit->drafts[i];
		struct vsw_location *location = &edit->wanted[n_wanted];

		if (draft->port && !draft->port->applied)
			continue;
		memset(location, 0, sizeof *location);
		location->size = sizeof *location;
		location->port = draft->port ? draft->port->applied : NULL;
		location->pa = draft->pa;
		location->vni = draft->vni;
		location->encap = (uint8_t) draft->encap;
		location->v4 = draft->v4;
		location->v6 = draft->v6;
		memcpy(location->mac, draft->mac, 6);
		n_wanted++;
	}
	return n_wanted;
}

/* Of local ones what the engine does not look at need not come back. */
static bool
are_equal(const struct vsw_location *a, const struct vsw_location *b,
	  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (a[i].port != b[i].port || memcmp(a[i].mac, b[i].mac, 6)
		    || memcmp(&a[i].v4, &b[i].v4, sizeof a[i].v4)
		    || memcmp(&a[i].v6, &b[i].v6, sizeof a[i].v6))
			return false;
		if (!a[i].port
		    && (a[i].pa.n != b[i].pa.n
			|| memcmp(a[i].pa.bytes, b[i].pa.bytes, a[i].pa.n)
			|| a[i].vni != b[i].vni || a[i].encap != b[i].encap))
			return false;
	}
	return true;
}

static void
note(struct edit *edit, int err)
{
	if (err && !edit->err)
		edit->err = err;
}
