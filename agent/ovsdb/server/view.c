/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/view.h"

#include <assert.h>
#include <stdlib.h>

#include "agent/base/memory.h"

/* Room for words that is kept from one commit to the next. */
enum { KEPT_SIZE = 16384 };

static size_t size_of(const struct table_schema *);
static void begin_words(struct view *);
static bool is_fleeting(const struct column *);
static size_t begin_row(struct view *);
static bool end_row(struct view *, size_t start, bool is_shown);
static unsigned kind_of(const struct view *, const struct change *);
static bool is_changed(const struct change *, const struct column *);
static void encode_gone(const struct uuid *, struct encoding *);
static void encode_present(const struct view *, const struct row *,
			   unsigned kind, struct encoding *);
static bool encode_plain(const struct view *, const struct change *,
			 unsigned kind, struct encoding *);
static bool encode_modify(const struct view *, const struct change *,
			  struct encoding *);
static void encode_columns(const struct view *, const struct row *,
			   unsigned kind, struct encoding *);
static bool encode_modified(const struct view *, const struct change *,
			    struct encoding *);
static void encode_difference(const struct change *, const struct column *,
			      struct encoding *);
static void encode_name(const char *, struct encoding *);
static void replace_last(struct encoding *, char);

struct view *
view_new(const struct table_schema *table, bool is_diff)
{
	struct view *view = xcalloc(1, size_of(table));

	view->n_refs = 1;
	view->table = table;
	view->is_diff = is_diff;
	list_init(&view->users);
	begin_words(view);
	return view;
}

struct view *
view_ref(struct view *view)
{
	view->n_refs++;
	return view;
}

void
view_unref(struct view *view)
{
	if (!view || --view->n_refs)
		return;
	assert(list_is_empty(&view->users) && !view->told);
	filter_done(&view->filter);
	encode_done(&view->words);
	free(view);
}

/* In a draft, 'columns' has a place for each column of the table, and those
 * that nobody asked for have none in theirs. */
bool
view_add_column(struct view *view, const struct column *column,
		unsigned select)
{
	struct view_column *place = &view->columns[column->index];

	if (place->column)
		return false;
	place->column = column;
	place->select = select;
	return true;
}

void
view_settle(struct view *view)
{
	for (size_t i = 0; i < view->table->n_columns; i++)
		if (view->columns[i].column)
			view->columns[view->n_columns++] = view->columns[i];
}

struct view *
view_like(const struct view *view)
{
	struct view *copy = xmemdup(view, size_of(view->table));

	copy->n_refs = 1;
	copy->filter = (struct filter) { 0 };
	copy->told = NULL;
	copy->n_listeners = 0;
	copy->words = (struct encoding) { 0 };
	list_init(&copy->users);
	begin_words(copy);
	return copy;
}

bool
view_equal(const struct view *a, const struct view *b)
{
	if (a->is_diff != b->is_diff || a->select != b->select
	    || a->n_columns != b->n_columns)
		return false;
	for (size_t i = 0; i < a->n_columns; i++)
		if (a->columns[i].column != b->columns[i].column
		    || a->columns[i].select != b->columns[i].select)
			return false;
	return filter_equal(&a->filter, &b->filter);
}

bool
view_is_fleeting(const struct view *view)
{
	for (size_t i = 0; i < view->n_columns; i++)
		if (is_fleeting(view->columns[i].column))
			return true;
	for (size_t i = 0; i < view->filter.n; i++)
		if (view->filter.clauses[i].column
		    && is_fleeting(view->filter.clauses[i].column))
			return true;
	return false;
}

bool
view_encode_row(const struct view *view, const struct row *row,
		struct encoding *e)
{
	if (!(view->select & SELECT_INITIAL)
	    || !filter_matches(&view->filter, row))
		return false;
	encode_present(view, row, SELECT_INITIAL, e);
	return true;
}

bool
view_encode_change(const struct view *view, const struct change *change,
		   struct encoding *e)
{
	unsigned kind = kind_of(view, change);

	if (!(view->select & kind))
		return false;
	if (!view->is_diff)
		return encode_plain(view, change, kind, e);
	if (kind == SELECT_MODIFY)
		return encode_modify(view, change, e);
	if (kind == SELECT_DELETE)
		encode_gone(&change->uuid, e);
	else
		encode_present(view, change->new, kind, e);
	return true;
}

bool
view_encode_move(const struct view *from, const struct view *to,
		 const struct row *row, struct encoding *e)
{
	bool was = filter_matches(&from->filter, row);
	bool is = filter_matches(&to->filter, row);

	if (is && !was && to->select & SELECT_INSERT) {
		encode_present(to, row, SELECT_INSERT, e);
		return true;
	}
	if (was && !is && to->select & SELECT_DELETE) {
		encode_gone(row_uuid(row), e);
		return true;
	}
	return false;
}

bool
view_say_change(struct view *view, const struct change *change)
{
	size_t start = begin_row(view);

	return end_row(view, start,
		       view_encode_change(view, change, &view->words));
}

bool
view_say_move(const struct view *from, struct view *to, const struct row *row)
{
	size_t start = begin_row(to);

	return end_row(to, start, view_encode_move(from, to, row,
						   &to->words));
}

struct text *
view_take_words(struct view *view)
{
	struct encoding *words = &view->words;
	struct text *text;

	if (words->n == view->n_before)
		return NULL;
	encode_text(words, "}");
	if (words->n > KEPT_SIZE) {
		text = text_take(words->bytes, words->n);
		*words = (struct encoding) { 0 };
		begin_words(view);
	} else {
		text = text_copy(words->bytes, words->n);
		words->n = view->n_before;
	}
	return text;
}

static size_t
size_of(const struct table_schema *table)
{
	return sizeof(struct view)
	       + table->n_columns * sizeof(struct view_column);
}

static void
begin_words(struct view *view)
{
	encode_name(view->table->name, &view->words);
	encode_text(&view->words, "{");
	view->n_before = view->words.n;
}

static bool
is_fleeting(const struct column *column)
{
	return column->is_ephemeral || column->index == COLUMN_VERSION;
}

/* Returns where to go back to if the row is not shown. */
static size_t
begin_row(struct view *view)
{
	size_t start = view->words.n;

	if (start > view->n_before)
		encode_text(&view->words, ",");
	return start;
}

static bool
end_row(struct view *view, size_t start, bool is_shown)
{
	if (!is_shown)
		view->words.n = start;
	return is_shown;
}

/* What the change is for those who know only rows that match. */
static unsigned
kind_of(const struct view *view, const struct change *change)
{
	bool was = change->old && filter_matches(&view->filter, change->old);
	bool is = change->new && filter_matches(&view->filter, change->new);

	if (was)
		return is ? SELECT_MODIFY : SELECT_DELETE;
	return is ? SELECT_INSERT : 0;
}

static bool
is_changed(const struct change *change, const struct column *column)
{
	if (column->index == COLUMN_VERSION) {
		struct uuid old = row_version(change->old);
		struct uuid new = row_version(change->new);

		return !uuid_equal(&old, &new);
	}
	return change_has(change, column);
}

static void
encode_gone(const struct uuid *uuid, struct encoding *e)
{
	encode_uuid(e, uuid);
	encode_text(e, ":{\"delete\":null}");
}

/* A row that was there at the beginning, or came. */
static void
encode_present(const struct view *view, const struct row *row, unsigned kind,
	       struct encoding *e)
{
	encode_uuid(e, row_uuid(row));
	encode_text(e, !view->is_diff ? ":{\"new\":"
		       : kind == SELECT_INITIAL ? ":{\"initial\":"
						: ":{\"insert\":");
	encode_columns(view, row, kind, e);
	encode_text(e, "}");
}

/* <row-update> of RFC 7047, section 4.1.6. */
static bool
encode_plain(const struct view *view, const struct change *change,
	     unsigned kind, struct encoding *e)
{
	size_t start = e->n;

	encode_uuid(e, &change->uuid);
	encode_text(e, ":{");
	if (kind != SELECT_INSERT) {
		encode_text(e, "\"old\":");
		if (kind == SELECT_DELETE) {
			encode_columns(view, change->old, kind, e);
		} else if (!encode_modified(view, change, e)) {
			e->n = start;
			return false;
		}
		encode_text(e, ",");
	}
	if (change->new) {
		encode_text(e, "\"new\":");
		encode_columns(view, change->new, kind, e);
		encode_text(e, "}");
	} else {
		replace_last(e, '}');
	}
	return true;
}

/* <row-update2> of ovsdb-server(7), section 4.1.14, of a row that stays. */
static bool
encode_modify(const struct view *view, const struct change *change,
	      struct encoding *e)
{
	size_t start = e->n;

	encode_uuid(e, &change->uuid);
	encode_text(e, ":{\"modify\":");
	if (!encode_modified(view, change, e)) {
		e->n = start;
		return false;
	}
	encode_text(e, "}");
	return true;
}

static void
encode_columns(const struct view *view, const struct row *row, unsigned kind,
	       struct encoding *e)
{
	size_t start = e->n;

	for (size_t i = 0; i < view->n_columns; i++) {
		const struct column *column = view->columns[i].column;
		const struct datum *datum;
		struct datum room;

		if (!(view->columns[i].select & kind))
			continue;
		datum = row_datum(row, column, &room);
		if (view->is_diff && datum_is_default(datum, &column->type))
			continue;
		encode_text(e, e->n == start ? "{" : ",");
		encode_name(column->name, e);
		encode_datum(e, datum, &column->type);
	}
	encode_text(e, e->n == start ? "{}" : "}");
}

/* The columns that were modified, with their old values or the differences.
 * Returns false, having appended nothing, if there are none among those that
 * are monitored for that. */
static bool
encode_modified(const struct view *view, const struct change *change,
		struct encoding *e)
{
	size_t start = e->n;

	for (size_t i = 0; i < view->n_columns; i++) {
		const struct column *column = view->columns[i].column;
		struct datum room;

		if (!(view->columns[i].select & SELECT_MODIFY)
		    || !is_changed(change, column))
			continue;
		encode_text(e, e->n == start ? "{" : ",");
		encode_name(column->name, e);
		if (view->is_diff)
			encode_difference(change, column, e);
		else
			encode_datum(e, row_datum(change->old, column, &room),
				     &column->type);
	}
	if (e->n == start)
		return false;
	encode_text(e, "}");
	return true;
}

static void
encode_difference(const struct change *change, const struct column *column,
		  struct encoding *e)
{
	const struct column_type *type = &column->type;
	struct datum old_room, new_room, diff;
	const struct datum *new = row_datum(change->new, column, &new_room);

	if (type->n_max <= 1) {		/* datum_diff() would copy it. */
		encode_datum(e, new, type);
		return;
	}
	datum_diff(row_datum(change->old, column, &old_room), new, type,
		   &diff);
	encode_datum(e, &diff, type);
	datum_done(&diff, type);
}

/* Of a table or a column: an <id>, nothing to escape. */
static void
encode_name(const char *name, struct encoding *e)
{
	encode_bytes(e, "\"", 1);
	encode_text(e, name);
	encode_bytes(e, "\":", 2);
}

static void
replace_last(struct encoding *e, char c)
{
	e->bytes[e->n - 1] = c;
}
