/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/pin.h"

#include <limits.h>

#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/transaction.h"
#include "tests/unit/ovsdb_tools.h"

/* A naive store of all versions that there ever were, with the numbers of the
 * transactions that made and replaced them. */
enum {
	N_NAMES = 700,
	N_PINS = 6,
	N_STEPS = 1500,
	MAX_VERSIONS = 40000
};

struct version {
	struct uuid uuid;
	int64_t i;
	int birth, death;	/* INT_MAX: it is there. */
	bool is_seen;
};

struct held {
	struct pin *pin;
	int step;
};

static struct version versions[MAX_VERSIONS];
static int n_versions, current[N_NAMES];
static struct held held[N_PINS];
static int step;

static unsigned
draw(uint64_t *state, unsigned n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % n;
}

static bool
shows(int at, const struct version *v)
{
	return v->birth <= at && at < v->death;
}

static void
naive_end(int name)
{
	if (current[name] >= 0)
		versions[current[name]].death = step;
	current[name] = -1;
}

static void
naive_begin(int name, const struct uuid *uuid, int64_t i)
{
	naive_end(name);
	ck_assert_int_lt(n_versions, MAX_VERSIONS);
	versions[n_versions] = (struct version) { *uuid, i, step, INT_MAX,
						  false };
	current[name] = n_versions++;
}

static void
set(struct row *row, const char *column, struct datum *value)
{
	row_set(row, table_schema_column(row_table(row)->schema, column),
		value);
}

/* Inserts, changes or deletes the row of that name. */
static void
change(struct transaction *txn, struct table *table, int name,
       bool is_deletion)
{
	bool exists = current[name] >= 0;
	struct datum value;
	const struct row *old;
	struct row *row;
	char text[16];

	old = exists ? table_find(table, &versions[current[name]].uuid) : NULL;
	ck_assert(!exists || old);
	if (is_deletion) {
		if (exists)
			transaction_delete(txn, old);
		naive_end(name);
		return;
	}
	if (exists) {
		row = transaction_modify(txn, old);
	} else {
		ck_assert_ptr_null(transaction_insert(txn, table, NULL, &row));
		snprintf(text, sizeof text, "%d", name);
		datum_set_string(&value, text);
		set(row, "name", &value);
	}
	datum_set_integer(&value, step);
	set(row, "i", &value);
	naive_begin(name, row_uuid(row), step);
}

static void
write_some(struct database *db, uint64_t *random)
{
	struct table *table = database_table(db, "R");
	struct transaction *txn = transaction_begin(db);
	unsigned n = draw(random, 20), mood = draw(random, 100);
	unsigned first = draw(random, N_NAMES);

	step++;
	for (int name = 0; name < N_NAMES && mood < 2; name++)
		change(txn, table, name, mood == 0);
	for (; mood >= 2 && n; n--)
		change(txn, table, (int) (first + n * 31) % N_NAMES,
		       draw(random, 3) == 0);
	ck_assert_ptr_null(transaction_commit(txn, false));
}

static void
compare(struct table *table, const struct held *h, unsigned bits)
{
	struct pin_rows rows = { 0 };
	size_t n_expected = 0;

	for (uint32_t range = 0; range < 1u << bits; range++)
		pin_read(h->pin, table, bits, range, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		struct datum room;
		int64_t value = datum_integer(row_get(rows.rows[i], "i",
						      &room), -1);
		int found = -1;

		for (int j = 0; j < n_versions && found < 0; j++)
			if (shows(h->step, &versions[j])
			    && uuid_equal(&versions[j].uuid,
					  row_uuid(rows.rows[i])))
				found = j;
		ck_assert_int_ge(found, 0);
		ck_assert_int_eq(versions[found].i, value);
		ck_assert(!versions[found].is_seen);
		versions[found].is_seen = true;
	}
	for (int j = 0; j < n_versions; j++) {
		n_expected += shows(h->step, &versions[j]);
		versions[j].is_seen = false;
	}
	ck_assert_uint_eq(rows.n, n_expected);
	pin_rows_done(&rows);
}

/* No version is kept that no pin shows. */
static void
check_kept(struct database *db)
{
	size_t n = 0;

	ck_assert(!pin_reclaim(db, SIZE_MAX));
	for (int i = 0; i < n_versions; i++) {
		bool is_needed = false;

		for (int j = 0; j < N_PINS; j++)
			is_needed |= held[j].pin
				     && shows(held[j].step, &versions[i]);
		n += is_needed && versions[i].death != INT_MAX;
	}
	ck_assert_uint_eq(db->pins->n_kept, n);
	ck_assert_uint_eq(db->pins->kept_size > 0, n > 0);
}

START_TEST(each_pin_shows_its_commit_and_keeps_no_more)
{
	struct database *db = open_everything();
	struct table *table = database_table(db, "R");
	uint64_t random = 7 + (uint64_t) _i;
	size_t n_kept = 0;
	unsigned n_compared = 0;

	/* In the odd rounds, numbers run out midway. */
	if (_i % 2)
		db->pins->epoch = PIN_MAX_EPOCH - 60;
	memset(held, 0, sizeof held);
	n_versions = step = 0;
	for (int name = 0; name < N_NAMES; name++)
		current[name] = -1;
	for (int i = 0; i < N_STEPS; i++) {
		struct held *h = &held[draw(&random, N_PINS)];

		if (draw(&random, 10) == 0 && !h->pin) {
			h->pin = pin_take(db);
			h->step = step;
		} else if (draw(&random, 12) == 0) {
			pin_release(h->pin);
			h->pin = NULL;
		} else {
			write_some(db, &random);
		}
		if (db->pins->n_kept > n_kept)
			n_kept = db->pins->n_kept;
		if (i % 8 == 0 && h->pin) {
			compare(table, h, draw(&random, 5));
			n_compared++;
		}
		if (i % 50 == 0)
			check_kept(db);
	}
	ck_assert_uint_gt(n_kept, N_NAMES);
	ck_assert_uint_gt(n_compared, 30);
	ck_assert_uint_eq(db->pins->n_renumbered, _i % 2);
	for (int i = 0; i < N_PINS; i++)
		pin_release(held[i].pin);
	memset(held, 0, sizeof held);
	check_kept(db);
	database_free(db);
}
END_TEST

START_TEST(without_a_commit_it_is_the_same_pin)
{
	struct database *db = open_everything();
	struct pin *a = pin_take(db), *b = pin_take(db), *c;

	ck_assert_ptr_eq(a, b);
	json_decref(run(db, "{'op':'insert','table':'R','row':{}}"));
	c = pin_take(db);
	ck_assert_ptr_ne(a, c);
	pin_release(a);
	pin_release(c);
	json_decref(run(db, "{'op':'update','table':'R','where':[],'row':"
			"{'i':1}}"));
	ck_assert_uint_eq(db->pins->n_kept, 0);
	pin_release(b);
	database_free(db);
}
END_TEST

/* What is freed by and by does not have to be freed at once. */
START_TEST(rows_are_freed_in_slices)
{
	struct database *db = open_everything();
	struct pin *pin;
	size_t n;

	for (int i = 0; i < 1000; i++)
		json_decref(run(db, "{'op':'insert','table':'C','row':{},"
				"'uuid-name':'c'},{'op':'insert','table':'E1',"
				"'row':{'e':'x'}}"));
	pin = pin_take(db);
	json_decref(run(db, "{'op':'delete','table':'E1','where':[]}"));
	ck_assert_uint_eq(db->pins->n_kept, 1000);
	pin_release(pin);
	n = db->pins->n_kept;
	ck_assert_uint_gt(n, 500);
	ck_assert(pin_reclaim(db, 100));
	ck_assert_uint_eq(db->pins->n_kept, n - 100);
	json_decref(run(db, "{'op':'insert','table':'E1','row':{'e':'x'}}"));
	json_decref(run(db, "{'op':'delete','table':'E1','where':[]}"));
	ck_assert_uint_lt(db->pins->n_kept, n - 100);
	/* Closing does not need to be told. */
	database_free(db);
}
END_TEST

/* A range that is not said to have changed has not. */
START_TEST(changes_are_written_down_by_range)
{
	struct database *db = open_everything();
	struct table *table = database_table(db, "E1");
	struct pin *before, *after;
	struct pin_rows rows = { 0 };
	unsigned bits, n_changed = 0;

	for (int i = 0; i < 3000; i++)
		json_decref(run(db, "{'op':'insert','table':'E1','row':"
				"{'e':'x'}}"));
	bits = pin_bits(table);
	ck_assert_uint_ge(bits, 3);
	pin_watch(table, bits);
	before = pin_take(db);
	json_decref(run(db, "{'op':'insert','table':'E1','row':{'e':'y'}}"));
	after = pin_take(db);
	for (uint32_t range = 0; range < 1u << bits; range++) {
		bool is_changed = pin_changed(table, bits, range)
				  > before->epoch;
		size_t n;

		rows.n = 0;
		pin_read(before, table, bits, range, &rows);
		n = rows.n;
		pin_read(after, table, bits, range, &rows);
		ck_assert_uint_eq(rows.n - n, n + is_changed);
		n_changed += is_changed;
	}
	ck_assert_uint_eq(n_changed, 1);
	/* Of other ranges it only knows that something has. */
	ck_assert_uint_gt(pin_changed(table, bits + 1, 0), before->epoch);
	pin_release(before);
	pin_release(after);
	pin_rows_done(&rows);
	database_free(db);
}
END_TEST

CHECK_MAIN_LOOP("pin", each_pin_shows_its_commit_and_keeps_no_more, 6,
		without_a_commit_it_is_the_same_pin, rows_are_freed_in_slices,
		changes_are_written_down_by_range)
