/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_VIEW_H
#define OVSDB_VIEW_H 1

/* What one or more monitors want to know of one table: columns, for each
 * column the kinds of change that show it, and which rows; and the words in
 * which they are told.  Monitors that want the same share one view, so that a
 * commit is put into words once, however many listen.  Its users come and go;
 * the hub that it stands in has a reference, and so has whoever reads it for
 * longer than a monitor does.
 *
 * A view is a draft until view_settle(), and never changes afterwards.
 * [control] */

#include <stdbool.h>
#include <stddef.h>
#include "agent/base/list.h"
#include "agent/base/text.h"
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/encode.h"
#include "agent/ovsdb/server/filter.h"

/* The kinds of change that a monitor selects. */
enum {
	SELECT_INITIAL = 1 << 0,
	SELECT_INSERT = 1 << 1,
	SELECT_DELETE = 1 << 2,
	SELECT_MODIFY = 1 << 3,
	SELECT_ALL = SELECT_INITIAL | SELECT_INSERT | SELECT_DELETE
		     | SELECT_MODIFY
};

struct view_column {
	const struct column *column;
	unsigned select;
};

struct view {
	uint32_t n_refs;
	struct list link;		/* In monitor_hub.views[]. */
	struct list users;		/* struct subscription. */
	struct list touched_link;	/* While a commit is told. */
	bool is_touched;
	struct text *told;		/* What was said of the commit. */
	struct encoding words;		/* What is being said. */
	size_t n_before;		/* Of these, before the first row. */
	size_t n_listeners;		/* Users that are not behind. */
	const struct table_schema *table;
	bool is_diff;			/* <row-update2>, not <row-update>. */
	unsigned select;		/* Of any column, and of none. */
	struct filter filter;
	size_t n_columns;
	struct view_column columns[];	/* By index. */
};

struct view *view_new(const struct table_schema *, bool is_diff);
struct view *view_ref(struct view *);
/* With the last reference, nobody may use it any more. */
void view_unref(struct view *);
/* To a draft.  Returns false if the column is in it already. */
bool view_add_column(struct view *, const struct column *, unsigned select);
void view_settle(struct view *);
/* A settled view like that one, but for the filter, which is empty. */
struct view *view_like(const struct view *);
bool view_equal(const struct view *, const struct view *);
/* Does it show what is not in the file: ephemeral columns, or _version? */
bool view_is_fleeting(const struct view *);

/* What is said of a row, as text: "UUID":{...}, without a comma.  Each returns
 * false, having appended nothing, if the row is not shown.
 *
 * Of a row as it is at the beginning; */
bool view_encode_row(const struct view *, const struct row *,
		     struct encoding *);
/* of a row that was changed; */
bool view_encode_change(const struct view *, const struct change *,
			struct encoding *);
/* for somebody who looked at a row through one view and now does through
 * another, whose filter is different. */
bool view_encode_move(const struct view *from, const struct view *to,
		      const struct row *, struct encoding *);

/* The same, but the view keeps the words, and gives them away when the last
 * row has been shown: as "TABLE":{"UUID":{...},...}, with one reference, which
 * is the caller's; NULL if no row was shown. */
bool view_say_change(struct view *, const struct change *);
bool view_say_move(const struct view *from, struct view *to,
		   const struct row *);
struct text *view_take_words(struct view *);

#endif /* ovsdb/server/view.h */
