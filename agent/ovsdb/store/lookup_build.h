/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_LOOKUP_BUILD_H
#define OVSDB_LOOKUP_BUILD_H 1

/* A lookup of a table with very many rows is built a part at a time, in the
 * order of the rows' places in the table, while transactions change it.  Rows
 * up to 'built_to' are in it, and come and go as in any other; those behind
 * will be come upon as they are by then.  [control] */

#include "agent/ovsdb/store/lookup.h"

/* One that is empty, with its columns. */
void lookup_build_begin(struct table *, struct lookup *);
/* About 'max' rows more; if these are the last, it is built. */
void lookup_build_more(struct table *, struct lookup *, size_t max);
/* It goes, or is built. */
void lookup_build_end(struct table *, struct lookup *);

/* Is the row, if it is in the table, in the lookup? */
bool lookup_build_has(const struct table *, const struct lookup *,
		      const struct row *);

#endif /* ovsdb/store/lookup_build.h */
