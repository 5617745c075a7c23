/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_DIFFERENCE_H
#define OVSDB_DIFFERENCE_H 1

/* What somebody missed who was told everything up to a transaction, and then
 * nothing: found in the database's history, put into words, and kept for a
 * while for others who missed the same.
 *
 * A thousand clients that were cut off together come back together, and mostly
 * with the same last transaction.  A difference is good for them also when
 * there were commits after it: what is between its end and now is a difference
 * again, and a small one.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent/base/list.h"
#include "agent/base/text.h"
#include "agent/ovsdb/server/view.h"

/* Those that are kept of one database: at most 8, none for more than 100
 * commits; more than 32 MiB only if it is one alone. */
struct differences {
	const struct database *database;
	struct list list;		/* struct kept, newest first. */
	size_t n, size;
	uint64_t n_commits;
	uint64_t n_made;		/* Ever. */
};

struct difference {
	/* The members of <table-updates>, with a reference for the caller;
	 * NULL if there are none. */
	struct text *words;
	struct uuid upto;		/* A transaction, ... */
	struct uuid last_recorded;	/* ... and as the file knows it. */
};

void differences_init(struct differences *, const struct database *);
void differences_done(struct differences *);
/* There was another commit, a view goes. */
void differences_grow_old(struct differences *);
void differences_forget_view(struct differences *, const struct view *);

/* From right after the transaction 'since' to now, or to a while ago.  Returns
 * false if that transaction is not known.  Not while the views hold words. */
bool difference_find(struct differences *, struct view *const views[],
		     size_t n_views, const struct uuid *since,
		     struct difference *ret_difference);

#endif /* ovsdb/server/difference.h */
