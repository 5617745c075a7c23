/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/publish.h"

#include <stdlib.h>

#include "agent/base/chore.h"
#include "agent/base/memory.h"
#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb/store/journal.h"
#include "agent/ovsdb/store/journal_record.h"
#include "agent/ovsdb/store/transaction_row.h"

static void collect_changes(struct transaction *, struct commit *);
static struct ovsdb_error *write_record(const struct transaction *,
					struct commit *, bool durable);
static void remember(const struct commit *);
static void enter_rows(struct transaction *);
static bool weak_changed(const struct transaction_row *);
static void add_referrers(struct row *);
static void add_referrers_of(struct row *, const struct base_type *,
			     const struct datum *, bool is_value);
static void leave(struct transaction *);
static void tell(const struct commit *);
static void free_old(struct transaction *);

struct ovsdb_error *
publish(struct transaction *txn, bool durable)
{
	struct commit commit;
	struct ovsdb_error *error;

	collect_changes(txn, &commit);
	chore_begin(CHORE_RECORD);
	error = write_record(txn, &commit, durable);
	chore_end();
	if (!error) {
		remember(&commit);
		enter_rows(txn);
		leave(txn);
		if (commit.n_changes) {
			chore_begin(CHORE_TELL);
			tell(&commit);
			chore_end();
		}
		free_old(txn);
	}
	free((struct change *) commit.changes);
	return error;
}

static void
collect_changes(struct transaction *txn, struct commit *commit)
{
	struct change *changes = xmalloc(txn->n_rows * sizeof *changes);
	size_t n = 0;
	size_t i;

	for (i = 0; i < txn->n_rows; i++) {
		const struct transaction_row *r = txn->rows[i];

		if (r->old == r->new)
			continue;
		changes[n].table = r->table;
		changes[n].uuid = r->uuid;
		changes[n].old = r->old;
		changes[n].new = r->new;
		changes[n].changed = r->changed;
		n++;
	}
	commit->database = txn->database;
	commit->changes = changes;
	commit->n_changes = n;
}

/* Gives the commit its id. */
static struct ovsdb_error *
write_record(const struct transaction *txn, struct commit *commit,
	     bool durable)
{
	struct database *db = txn->database;
	struct ovsdb_error *error;

	if (!db->journal
	    || !journal_record_from_commit(commit, txn->comment,
					   journal_begin(db->journal))) {
		if (!uuid_is_zero(&db->replayed))
			commit->id = db->replayed;
		else
			uuid_generate(&commit->id);
		if (!db->journal)
			db->last_recorded = commit->id;
		return NULL;
	}
	commit->id = db->last_recorded;
	error = journal_append(db->journal, durable, &commit->id);
	if (!error)
		db->last_recorded = commit->id;
	return error;
}

static void
remember(const struct commit *commit)
{
	struct database *db = commit->database;

	history_add(db->history, commit, &db->last_transaction,
		    db->is_last_from_file);
	if (db->journal)
		history_set_end(db->history, journal_size(db->journal),
				&db->last_recorded);
	db->last_transaction = commit->id;
	db->is_last_from_file = !uuid_is_zero(&db->replayed);
}

/* Weak references are taken out of the lists of rows before those rows go,
 * and put in after all rows have come. */
static void
enter_rows(struct transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->n_rows; i++) {
		struct transaction_row *r = txn->rows[i];

		if (r->old && r->table->has_weak && weak_changed(r))
			row_drop_referrers(r->old);
	}
	for (i = 0; i < txn->n_rows; i++) {
		struct transaction_row *r = txn->rows[i];

		if (!r->old && r->new) {
			table_insert(r->table, r->new);
		} else if (r->old && !r->new) {
			table_remove(r->table, r->old);
		} else if (r->old != r->new) {
			row_succeed(r->old, r->new);
			table_replace(r->table, r->old, r->new);
		}
		if (r->new)
			row_set_refs(r->new, r->n_refs);
	}
	for (i = 0; i < txn->n_rows; i++) {
		struct transaction_row *r = txn->rows[i];

		if (r->new && r->table->has_weak && weak_changed(r))
			add_referrers(r->new);
	}
}

static bool
weak_changed(const struct transaction_row *r)
{
	const struct table_schema *schema = r->table->schema;
	size_t i;

	if (r->old == r->new)
		return false;
	if (!r->old || !r->new)
		return true;
	for (i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct column *column = schema->columns[i];
		const struct base_type *key = &column->type.key;
		const struct base_type *value = &column->type.value;

		if (transaction_row_has_changed(r, column)
		    && ((key->ref_table && key->ref_kind == REFERENCE_WEAK)
			|| (value->ref_table
			    && value->ref_kind == REFERENCE_WEAK)))
			return true;
	}
	return false;
}

static void
add_referrers(struct row *row)
{
	const struct table_schema *schema = row_table(row)->schema;
	size_t i;

	for (i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct column_type *type = &schema->columns[i]->type;
		struct datum room;
		const struct datum *d = row_datum(row, schema->columns[i],
						  &room);

		add_referrers_of(row, &type->key, d, false);
		add_referrers_of(row, &type->value, d, true);
	}
}

static void
add_referrers_of(struct row *row, const struct base_type *base,
		 const struct datum *d, bool is_value)
{
	const struct table *table = row_target(row_table(row), base);
	uint32_t i;

	if (!table || base->ref_kind != REFERENCE_WEAK)
		return;
	for (i = 0; i < d->n; i++) {
		const union atom *atom = is_value ? datum_value(d, i)
						  : datum_key(d, i);
		const struct row *target = table_find(table, &atom->uuid);

		if (target)
			row_add_referrer(row, (struct row *) target);
	}
}

/* From here on the rows are nobody's: an observer may begin a transaction of
 * its own. */
static void
leave(struct transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->n_rows; i++) {
		struct transaction_row *r = txn->rows[i];

		if (r->old)
			r->old->transaction = NULL;
		if (r->new)
			r->new->transaction = NULL;
	}
	txn->database->transaction = NULL;
}

static void
tell(const struct commit *commit)
{
	struct observer *o, *next;

	for (o = commit->database->observers; o; o = next) {
		next = o->next;
		o->committed(o, commit);
	}
}

static void
free_old(struct transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->n_rows; i++) {
		struct transaction_row *r = txn->rows[i];

		if (r->old != r->new)
			pin_discard(txn->database, r->old);
		r->old = r->new = NULL;
	}
}
