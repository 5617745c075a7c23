/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/difference.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/ovsdb/store/history.h"

enum {
	MAX_KEPT = 8,
	MAX_AGE = 100,		/* Commits. */
	MAX_SIZE = 32 << 20
};

struct kept {
	struct list link;		/* In differences.list. */
	struct uuid since;
	struct difference difference;
	uint64_t made_at;		/* In differences.n_commits. */
	size_t n_views;
	const struct view *views[];
};

static void forget(struct differences *, struct kept *);
static bool has_view(const struct kept *, const struct view *);
static struct kept *find(const struct differences *,
			 struct view *const views[], size_t n_views,
			 const struct uuid *since);
static bool is_of(const struct kept *, struct view *const views[],
		  size_t n_views);
static bool say_since(const struct database *, struct view *const views[],
		      size_t n_views, const struct uuid *since);
static void say_change(void *by_table, const struct change *);
static struct kept *keep(struct differences *, struct view *const views[],
			 size_t n_views, const struct uuid *since);
static struct text *take_words(struct view *const views[], size_t n_views);

void
differences_init(struct differences *differences,
		 const struct database *database)
{
	*differences = (struct differences) { .database = database };
	list_init(&differences->list);
}

void
differences_done(struct differences *differences)
{
	while (!list_is_empty(&differences->list))
		forget(differences, LIST_ENTRY(differences->list.next,
					       struct kept, link));
}

void
differences_grow_old(struct differences *differences)
{
	differences->n_commits++;
	while (!list_is_empty(&differences->list)) {
		struct kept *oldest = LIST_ENTRY(differences->list.prev,
						 struct kept, link);

		if (differences->n_commits - oldest->made_at <= MAX_AGE)
			return;
		forget(differences, oldest);
	}
}

void
differences_forget_view(struct differences *differences,
			const struct view *view)
{
	struct list *link, *next;

	for (link = differences->list.next; link != &differences->list;
	     link = next) {
		struct kept *kept = LIST_ENTRY(link, struct kept, link);

		next = link->next;
		if (has_view(kept, view))
			forget(differences, kept);
	}
}

bool
difference_find(struct differences *differences, struct view *const views[],
		size_t n_views, const struct uuid *since,
		struct difference *ret_difference)
{
	const struct database *database = differences->database;
	struct kept *kept;

	if (uuid_equal(since, database_last_transaction(database))) {
		ret_difference->words = NULL;
		ret_difference->upto = *since;
		ret_difference->last_recorded
			= *database_last_recorded(database);
		return true;
	}
	kept = find(differences, views, n_views, since);
	if (!kept) {
		if (!say_since(database, views, n_views, since))
			return false;
		kept = keep(differences, views, n_views, since);
	}
	*ret_difference = kept->difference;
	if (ret_difference->words)
		text_ref(ret_difference->words);
	return true;
}

static void
forget(struct differences *differences, struct kept *kept)
{
	struct text *words = kept->difference.words;

	differences->n--;
	if (words)
		differences->size -= words->size;
	text_unref(words);
	list_remove(&kept->link);
	free(kept);
}

static bool
has_view(const struct kept *kept, const struct view *view)
{
	for (size_t i = 0; i < kept->n_views; i++)
		if (kept->views[i] == view)
			return true;
	return false;
}

static struct kept *
find(const struct differences *differences, struct view *const views[],
     size_t n_views, const struct uuid *since)
{
	const struct list *link;

	for (link = differences->list.next; link != &differences->list;
	     link = link->next) {
		struct kept *kept = LIST_ENTRY(link, struct kept, link);

		if (uuid_equal(&kept->since, since)
		    && is_of(kept, views, n_views))
			return kept;
	}
	return NULL;
}

static bool
is_of(const struct kept *kept, struct view *const views[], size_t n_views)
{
	if (kept->n_views != n_views)
		return false;
	for (size_t i = 0; i < n_views; i++)
		if (kept->views[i] != views[i])
			return false;
	return true;
}

static bool
say_since(const struct database *database, struct view *const views[],
	  size_t n_views, const struct uuid *since)
{
	struct view **by_table;
	bool is_known;

	by_table = xcalloc(database_schema(database)->n_tables,
			   sizeof *by_table);
	for (size_t i = 0; i < n_views; i++)
		by_table[views[i]->table->index] = views[i];
	is_known = history_recall(database, since, say_change, by_table);
	free(by_table);
	return is_known;
}

static void
say_change(void *by_table_, const struct change *change)
{
	struct view **by_table = by_table_;
	struct view *view = by_table[table_schema(change->table)->index];

	if (view)
		view_say_change(view, change);
}

/* What the views have to say. */
static struct kept *
keep(struct differences *differences, struct view *const views[],
     size_t n_views, const struct uuid *since)
{
	const struct database *database = differences->database;
	struct kept *kept = xmalloc(sizeof *kept
				    + n_views * sizeof *kept->views);

	kept->since = *since;
	kept->difference.words = take_words(views, n_views);
	kept->difference.upto = *database_last_transaction(database);
	kept->difference.last_recorded = *database_last_recorded(database);
	kept->made_at = differences->n_commits;
	kept->n_views = n_views;
	for (size_t i = 0; i < n_views; i++)
		kept->views[i] = views[i];

	list_append(differences->list.next, &kept->link);
	differences->n++;
	differences->n_made++;
	if (kept->difference.words)
		differences->size += kept->difference.words->size;
	while (differences->n > MAX_KEPT
	       || (differences->n > 1 && differences->size > MAX_SIZE))
		forget(differences, LIST_ENTRY(differences->list.prev,
					       struct kept, link));
	return kept;
}

static struct text *
take_words(struct view *const views[], size_t n_views)
{
	struct encoding all = { 0 };

	for (size_t i = 0; i < n_views; i++) {
		struct text *text = view_take_words(views[i]);

		if (!text)
			continue;
		if (all.n)
			encode_text(&all, ",");
		encode_bytes(&all, text->bytes, text->size);
		text_unref(text);
	}
	return all.n ? text_take(xrealloc(all.bytes, all.n), all.n) : NULL;
}
