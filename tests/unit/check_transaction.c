/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/transaction.h"

#include "agent/ovsdb/store/journal.h"
#include "agent/ovsdb/store/row.h"
#include "tests/unit/ovsdb_tools.h"
#include "tests/unit/scratch.h"

/* A naive database of two tables, and transactions drawn at random.
 *
 * The naive one knows nothing of counts, referrers and indexes: after each
 * transaction it looks at every row again, as RFC 7047 puts it. */
enum { N_ROWS = 12 };

struct naive_row {
	bool exists;
	bool is_spent;		/* This transaction has deleted it. */
	struct uuid uuid;
	int name;		/* R: unique.  C: anything. */
	int next;		/* C: -1 or another of C. */
	bool strong[N_ROWS], weak[N_ROWS];	/* R: to C. */
};

struct naive {
	struct naive_row r[N_ROWS], c[N_ROWS];
};

static unsigned
draw(uint64_t *state, unsigned n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % n;
}

static bool
is_referred(const struct naive *naive, int target)
{
	int i;

	for (i = 0; i < N_ROWS; i++) {
		if (naive->r[i].exists && naive->r[i].strong[target])
			return true;
		if (i != target && naive->c[i].exists
		    && naive->c[i].next == target)
			return true;
	}
	return false;
}

/* Only rows that the transaction has touched, or let go of, are collected:
 * a cycle stays. */
static bool
naive_commit(struct naive *naive)
{
	bool again = true;
	int i, j;

	for (i = 0; i < N_ROWS; i++) {
		if (!naive->c[i].exists && is_referred(naive, i))
			return false;
	}
	while (again) {
		again = false;
		for (i = 0; i < N_ROWS; i++) {
			if (naive->c[i].exists && !is_referred(naive, i)) {
				naive->c[i].exists = false;
				again = true;
			}
		}
	}
	for (i = 0; i < N_ROWS; i++) {
		for (j = 0; j < N_ROWS; j++) {
			if (!naive->c[j].exists)
				naive->r[i].weak[j] = false;
			if (i != j && naive->r[i].exists && naive->r[j].exists
			    && naive->r[i].name == naive->r[j].name)
				return false;
		}
	}
	return true;
}

static void
set_uuids(struct row *row, const char *name, const bool *members,
	  const struct naive *naive)
{
	const struct column *column =
		table_schema_column(table_schema(row_table(row)), name);
	struct datum d;
	int i;

	datum_init_empty(&d, &column->type);
	for (i = 0; i < N_ROWS; i++) {
		if (members[i])
			datum_add_uuid(&d, &naive->c[i].uuid);
	}
	row_set(row, column, &d);
}

static void
set_name(struct row *row, int name)
{
	const struct column *column =
		table_schema_column(table_schema(row_table(row)), "name");
	struct datum d;
	char text[16];

	snprintf(text, sizeof text, "%d", name);
	datum_set_string(&d, text);
	row_set(row, column, &d);
}

static void
set_next(struct row *row, const struct naive_row *to,
	 const struct naive *naive)
{
	const struct column *column =
		table_schema_column(table_schema(row_table(row)), "next");
	struct datum d;

	datum_init_empty(&d, &column->type);
	if (to->next >= 0)
		datum_set_uuid(&d, &naive->c[to->next].uuid);
	row_set(row, column, &d);
}

static struct row *
edit(struct transaction *txn, struct table *table, struct naive_row *naive)
{
	const struct row *row = transaction_find(txn, table, &naive->uuid);
	struct row *fresh;

	ck_assert_int_eq(row != NULL, naive->exists);
	if (row)
		return transaction_modify(txn, row);
	if (naive->is_spent)
		return NULL;
	naive->exists = true;
	naive->next = -1;
	memset(naive->strong, 0, sizeof naive->strong);
	memset(naive->weak, 0, sizeof naive->weak);
	ck_assert_ptr_null(transaction_insert(txn, table, &naive->uuid,
					      &fresh));
	return fresh;
}

static void
change_at_random(struct transaction *txn, struct database *db,
		 struct naive *naive, uint64_t *state)
{
	struct table *r = database_table(db, "R");
	struct table *c = database_table(db, "C");
	int i = draw(state, N_ROWS);
	int j = draw(state, N_ROWS);
	struct naive_row *nr = &naive->r[i], *nc = &naive->c[i];
	struct row *row;

	switch (draw(state, 8)) {
	case 0:
		if (nr->exists)
			transaction_delete(txn, transaction_find(txn, r,
								 &nr->uuid));
		nr->is_spent |= nr->exists;
		nr->exists = false;
		break;
	case 1:
		if (nc->exists)
			transaction_delete(txn, transaction_find(txn, c,
								 &nc->uuid));
		nc->is_spent |= nc->exists;
		nc->exists = false;
		break;
	case 2:
		row = edit(txn, c, nc);
		if (!row)
			break;
		nc->name = draw(state, 5);
		set_name(row, nc->name);
		break;
	case 3:
		row = edit(txn, c, nc);
		if (!row)
			break;
		nc->next = draw(state, 2) ? j : -1;
		set_next(row, nc, naive);
		break;
	default:
		row = edit(txn, r, nr);
		if (!row)
			break;
		/* Seldom another row's name, or the tests would end there. */
		nr->name = draw(state, 6) ? i : (int) draw(state, N_ROWS);
		if (draw(state, 2))
			nr->strong[j] = draw(state, 3);
		else
			nr->weak[j] = draw(state, 3);
		set_name(row, nr->name);
		set_uuids(row, "strong", nr->strong, naive);
		set_uuids(row, "weak", nr->weak, naive);
		break;
	}
}

static void
check_members(const struct row *row, const char *column, const bool *members,
	      const struct naive *naive)
{
	struct datum room;
	const struct datum *d = row_get(row, column, &room);
	struct column_type set = { .key.type = ATOM_UUID };
	uint32_t n = 0;
	int i;

	for (i = 0; i < N_ROWS; i++) {
		const union atom key = { .uuid = naive->c[i].uuid };

		ck_assert_int_eq(members[i], datum_find(d, &set, &key) >= 0);
		n += members[i];
	}
	ck_assert_uint_eq(d->n, n);
}

static void
check_same(const struct database *db, const struct naive *naive)
{
	const struct table *r = database_table(db, "R");
	const struct table *c = database_table(db, "C");
	size_t n_r = 0, n_c = 0;
	int i;

	for (i = 0; i < N_ROWS; i++) {
		const struct row *row = table_find(r, &naive->r[i].uuid);

		ck_assert_int_eq(row != NULL, naive->r[i].exists);
		if (row) {
			check_members(row, "strong", naive->r[i].strong,
				      naive);
			check_members(row, "weak", naive->r[i].weak, naive);
			ck_assert_int_eq(atoi(row_string(row, "name", "")),
					naive->r[i].name);
			n_r++;
		}
		row = table_find(c, &naive->c[i].uuid);
		ck_assert_int_eq(row != NULL, naive->c[i].exists);
		if (row) {
			struct datum room;
			const struct uuid *next =
				datum_uuid(row_get(row, "next", &room));

			ck_assert_int_eq(next != NULL, naive->c[i].next >= 0);
			if (next)
				ck_assert(uuid_equal(next, &naive->c[
						naive->c[i].next].uuid));
			ck_assert_int_eq(atoi(row_string(row, "name", "")),
					naive->c[i].name);
			n_c++;
		}
	}
	ck_assert_uint_eq(table_n_rows(r), n_r);
	ck_assert_uint_eq(table_n_rows(c), n_c);
}

/* Rows that are gone get a UUID under which they may come back, and which
 * others may refer to before that. */
static void
forget_gone(struct naive *naive)
{
	int i, j;

	for (i = 0; i < N_ROWS; i++) {
		naive->r[i].is_spent = naive->c[i].is_spent = false;
		if (!naive->r[i].exists)
			uuid_generate(&naive->r[i].uuid);
		if (naive->c[i].exists)
			continue;
		uuid_generate(&naive->c[i].uuid);
		for (j = 0; j < N_ROWS; j++) {
			naive->r[j].weak[i] = false;
			if (!naive->r[j].exists)
				naive->r[j].strong[i] = false;
		}
		naive->c[i].next = -1;
		naive->c[i].name = 0;
	}
}

struct files {
	char path[SCRATCH_SIZE + 8], schema[SCRATCH_SIZE + 16];
};

static struct database *
open_database(const struct files *files)
{
	struct ovsdb_error *error;
	struct database *db;
	char *warning;

	error = journal_open_database(files->path, files->schema, &db,
				      &warning);
	ck_assert_msg(!error, "%s", error ? error->details : "");
	ck_assert_ptr_null(warning);
	return db;
}

static void
make_files(struct files *files)
{
	json_t *schema = parse(everything);
	char directory[SCRATCH_SIZE];

	scratch_make(directory);
	snprintf(files->path, sizeof files->path, "%s/t.db", directory);
	snprintf(files->schema, sizeof files->schema, "%s/t.ovsschema",
		 directory);
	ck_assert_int_eq(json_dump_file(schema, files->schema, 0), 0);
	json_decref(schema);
}

/* One transaction, here and there; true if it was good. */
static bool
run_round(struct database *db, struct naive *naive, uint64_t *state)
{
	struct transaction *txn = transaction_begin(db);
	struct naive before, after;
	struct ovsdb_error *error;
	bool good;
	int i;

	forget_gone(naive);
	before = after = *naive;
	for (i = draw(state, 6); i >= 0; i--)
		change_at_random(txn, db, &after, state);
	if (!draw(state, 10)) {
		transaction_abort(txn);
		return true;
	}
	good = naive_commit(&after);
	error = transaction_commit(txn, false);
	ck_assert_msg(!error == good, "%s",
		      error ? error->details : "it was good");
	ovsdb_error_free(error);
	*naive = good ? after : before;
	return good;
}

START_TEST(random_transactions_end_as_the_naive_do)
{
	struct naive naive = { .r = { { .name = 0 } } };
	uint64_t state = _i + 1;
	int round, n_good = 0;
	struct database *db;
	struct files files;

	make_files(&files);
	db = open_database(&files);
	forget_gone(&naive);
	for (round = 0; round < 700; round++) {
		n_good += run_round(db, &naive, &state);
		check_same(db, &naive);
		if (round % 250 == 249) {
			database_free(db);
			db = open_database(&files);
			check_same(db, &naive);
		}
		if (round % 300 == 299)
			ck_assert_ptr_null(journal_compact(
					database_journal(db), true));
	}
	ck_assert_int_gt(n_good, 150);
	ck_assert_int_lt(n_good, 650);
	database_free(db);
}
END_TEST

struct watcher {
	struct observer observer;
	int n_commits, n_changes, n_inserted, n_deleted;
	bool changed_i, changed_ep;
};

static void
watch(struct observer *observer, const struct commit *commit)
{
	struct watcher *watcher = (struct watcher *) observer;
	size_t i;

	watcher->n_commits++;
	ck_assert(uuid_equal(&commit->id,
			     database_last_transaction(commit->database)));
	for (i = 0; i < commit->n_changes; i++) {
		const struct change *change = &commit->changes[i];
		const struct table_schema *table = table_schema(change->table);
		const struct column *column;

		watcher->n_changes++;
		watcher->n_inserted += !change->old;
		watcher->n_deleted += !change->new;
		ck_assert(change->old || change->new);
		ck_assert_ptr_eq(table_find(change->table, &change->uuid),
				 change->new);
		column = table_schema_column(table, "i");
		watcher->changed_i = column && change_has(change, column);
		column = table_schema_column(table, "ep");
		watcher->changed_ep = column && change_has(change, column);
	}
}

START_TEST(observers_see_what_changed)
{
	struct database *db = open_everything();
	struct watcher first = { .observer.committed = watch };
	struct watcher second = { .observer.committed = watch };

	database_observe(db, &first.observer);
	database_observe(db, &second.observer);
	ck_assert(uuid_is_zero(database_last_transaction(db)));
	json_decref(run(db, "{'op':'insert','table':'R','row':{'name':'a',"
			"'strong':['named-uuid','c']}},{'op':'insert','table':"
			"'C','row':{},'uuid-name':'c'}"));
	ck_assert_int_eq(first.n_commits, 1);
	ck_assert_int_eq(first.n_inserted, 2);
	ck_assert(!uuid_is_zero(database_last_transaction(db)));
	json_decref(run(db, "{'op':'update','table':'R','where':[],'row':{'i':"
			"5,'ep':''}}"));
	ck_assert_int_eq(first.n_commits, 2);
	ck_assert(first.changed_i && !first.changed_ep);

	/* Nothing, or nothing that lasts: nobody is told. */
	json_decref(run(db, "{'op':'update','table':'R','where':[],'row':{'i':"
			"5}},{'op':'insert','table':'C','row':{}}"));
	ck_assert_int_eq(first.n_commits, 2);
	json_decref(run(db, "{'op':'insert','table':'M1','row':{}},{'op':"
			"'insert','table':'M1','row':{}}"));
	ck_assert_int_eq(first.n_commits, 2);

	/* What is collected is in the same commit. */
	database_unobserve(db, &second.observer);
	json_decref(run(db, "{'op':'delete','table':'R','where':[]}"));
	ck_assert_int_eq(first.n_commits, 3);
	ck_assert_int_eq(first.n_deleted, 2);
	ck_assert_int_eq(second.n_commits, 2);
	database_free(db);
}
END_TEST

CHECK_MAIN_LOOP("transaction", random_transactions_end_as_the_naive_do, 4,
		observers_see_what_changed)
