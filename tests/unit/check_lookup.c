/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/ovsdb/store/lookup.c and transaction_lookup.c: random work on
 * rows, and as a twin a look at each of them. */

#include "agent/ovsdb/store/lookup.h"

#include "agent/base/memory.h"
#include "agent/ovsdb/operation/condition.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/transaction.h"
#include "tests/unit/ovsdb_tools.h"

static const char macs[] =
	"{'name':'T','version':'1.0.0','tables':{"
	"'Mac':{'isRoot':true,'columns':{'mac':{'type':'string'},"
	"'ls':{'type':'integer'},'x':{'type':'integer'},"
	"'y':{'type':'integer'},'kind':{'type':'string'},"
	"'oi':{'type':{'key':'integer','min':0,'max':1}},"
	"'si':{'type':{'key':'integer','min':0,'max':3}},"
	"'r':{'type':'real'},"
	"'a':{'type':'integer'},'b':{'type':'integer'},"
	"'c':{'type':'integer'},'d':{'type':'integer'},"
	"'e':{'type':'integer'},'f':{'type':'integer'}}},"
	"'Unique':{'isRoot':true,'columns':{'p':{'type':'integer'},"
	"'q':{'type':'string'},'x':{'type':'integer'}},"
	"'indexes':[['p','q']]}}}";

static uint32_t
random_below(uint64_t *state, uint32_t n)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return (*state >> 33) % n;
}

/* Assertions of libcheck take a system call each; there are millions here. */
static void
must(bool holds)
{
	if (!holds)
		ck_abort();
}

static int
compare_pointers(const void *a, const void *b)
{
	const char *p = *(char *const *) a, *q = *(char *const *) b;

	return (p > q) - (p < q);
}

struct found {
	const struct condition *condition;	/* NULL: all count. */
	const struct row **rows;
	size_t n, max;
};

static bool
note(void *found_, const struct row *row)
{
	struct found *found = found_;

	if (found->condition && !condition_matches(found->condition, row))
		return true;
	if (found->n == found->max) {
		found->max = found->max ? found->max * 2 : 64;
		found->rows = xrealloc(found->rows,
				       found->max * sizeof *found->rows);
	}
	found->rows[found->n++] = row;
	return true;
}

static struct condition
condition_of(struct table *table, const char *text)
{
	json_t *json = parse(text);
	struct condition condition;
	struct ovsdb_error *error;

	error = condition_from_json(json, table_schema(table), NULL,
				    &condition);
	ck_assert_msg(!error, "%s: %s", text, error ? error->details : "");
	json_decref(json);
	return condition;
}

/* Rows found; they are those that a look at each finds. */
static size_t
search(struct transaction *txn, struct table *table, const char *where)
{
	struct condition condition = condition_of(table, where);
	struct found quick = { .n = 0 }, naive = { &condition, NULL, 0, 0 };
	size_t i;

	condition_each(&condition, txn, table, note, &quick);
	transaction_each(txn, table, note, &naive);
	ck_assert_msg(quick.n == naive.n, "%s: %zu rows, not %zu", where,
		      quick.n, naive.n);
	if (quick.n) {
		qsort(quick.rows, quick.n, sizeof *quick.rows,
		      compare_pointers);
		qsort(naive.rows, naive.n, sizeof *naive.rows,
		      compare_pointers);
	}
	for (i = 0; i < quick.n; i++)
		must(quick.rows[i] == naive.rows[i]);
	free(quick.rows);
	free(naive.rows);
	condition_done(&condition);
	return i;
}

static void
set_integer(struct row *row, const char *column, int64_t value)
{
	struct datum d;

	datum_set_integer(&d, value);
	row_set(row, table_schema_column(table_schema(row_table(row)), column),
		&d);
}

static void
set_string(struct row *row, const char *column, const char *value)
{
	struct datum d;

	datum_set_string(&d, value);
	row_set(row, table_schema_column(table_schema(row_table(row)), column),
		&d);
}

static void
set_mac(struct row *row, uint32_t number)
{
	char text[32];

	snprintf(text, sizeof text, "00:00:00:%02x:%02x:%02x", number >> 16,
		 number >> 8 & 0xff, number & 0xff);
	set_string(row, "mac", text);
}

static struct row *
insert(struct transaction *txn, struct table *table)
{
	struct ovsdb_error *error;
	struct row *row;

	error = transaction_insert(txn, table, NULL, &row);
	must(!error);
	return row;
}

static void
commit(struct transaction *txn)
{
	struct ovsdb_error *error = transaction_commit(txn, false);

	ck_assert_msg(!error, "%s", error ? error->details : "");
}

/* Rows 0 to n - 1: MACs of their own, ten in a logical switch, 'x' and 'y'
 * tell them apart together up to 2,000, half of them of kind "a". */
static struct database *
open_macs(uint32_t n)
{
	struct database *db = database_new(schema_of(macs), NULL);
	struct table *table = database_table(db, "Mac");
	struct transaction *txn = transaction_begin(db);

	for (uint32_t i = 0; i < n; i++) {
		struct row *row = insert(txn, table);

		set_mac(row, i);
		set_integer(row, "ls", i / 10);
		set_integer(row, "x", i % 50);
		set_integer(row, "y", i / 50 % 40);
		set_string(row, "kind", i % 2 ? "a" : i % 1024 ? "b" : "c");
		for (const char *p = "abcdef"; *p; p++)
			set_integer(row, (char []) { *p, '\0' }, i + *p);
	}
	commit(txn);
	return db;
}

static struct lookup_counters
counters_of(const struct database *db)
{
	struct lookup_counters counters;

	database_lookup_counters(db, &counters);
	return counters;
}

/* In a transaction of its own. */
static size_t
search_alone(struct database *db, const char *where)
{
	struct transaction *txn = transaction_begin(db);
	size_t n = search(txn, database_table(db, "Mac"), where);

	transaction_abort(txn);
	return n;
}

/* The names of the columns of the table's lookups that searches asked for. */
static const char *
demanded(struct database *db, const char *name)
{
	static char text[256];
	struct table *table = database_table(db, name);

	*text = '\0';
	for (size_t i = table->schema->n_indexes; i < table->lookups.n; i++) {
		const struct lookup *lookup = &table->lookups.all[i];

		for (size_t j = 0; j < lookup->n_columns; j++) {
			strcat(text, lookup->columns[j]->name);
			strcat(text, j + 1 < lookup->n_columns ? "+" : " ");
		}
	}
	return text;
}

START_TEST(a_search_builds_what_the_next_one_finds_by)
{
	struct database *db = open_macs(1000);
	struct lookup_counters c;

	ck_assert_uint_eq(search_alone(
			db, "[['mac','==','00:00:00:00:01:00']]"), 1);
	c = counters_of(db);
	ck_assert_uint_eq(c.n_built, 1);
	ck_assert_uint_eq(c.n_lookups, 1);
	ck_assert_uint_eq(c.n_by_lookup, 1);
	ck_assert_uint_ge(c.size, 1000 * sizeof(struct row *));
	/* For a scalar, to include is to equal; a value that is not there is
	 * not there at once. */
	ck_assert_uint_eq(search_alone(
			db, "[['mac','includes','00:00:00:00:01:01'],"
			"['ls','>',7]]"), 1);
	ck_assert_uint_eq(search_alone(db, "[['mac','==','none']]"), 0);
	c = counters_of(db);
	ck_assert_uint_eq(c.n_built, 1);
	ck_assert_uint_eq(c.n_by_lookup, 3);
	ck_assert_uint_eq(c.n_scans, 0);
	/* So it is where there is one at most. */
	ck_assert_uint_eq(search_alone(db, "[['oi','includes',7]]"), 0);
	ck_assert_uint_eq(search_alone(db, "[['oi','==',7]]"), 0);
	ck_assert_str_eq(demanded(db, "Mac"), "mac oi ");
	/* What no lookup can answer. */
	search_alone(db, "[['oi','includes',['set',[]]]]");
	search_alone(db, "[['mac','!=','none']]");
	search_alone(db, "[['ls','<',3]]");
	search_alone(db, "[['si','includes',3]]");
	search_alone(db, "[]");
	c = counters_of(db);
	ck_assert_uint_eq(c.n_scans, 4);
	ck_assert_uint_eq(c.n_built, 2);
	database_free(db);
}
END_TEST

START_TEST(small_tables_get_none)
{
	struct database *db = open_macs(LOOKUP_MIN_ROWS - 1);
	struct table *table = database_table(db, "Mac");
	struct transaction *txn = transaction_begin(db);

	ck_assert_uint_eq(search(txn, table, "[['mac','==','x']]"), 0);
	ck_assert_uint_eq(counters_of(db).n_built, 0);
	/* What the transaction has inserted counts. */
	set_string(insert(txn, table), "mac", "x");
	ck_assert_uint_eq(search(txn, table, "[['mac','==','x']]"), 1);
	ck_assert_uint_eq(counters_of(db).n_built, 1);
	transaction_abort(txn);
	database_free(db);
}
END_TEST

START_TEST(what_half_of_the_rows_hold_is_not_worth_it)
{
	struct database *db = open_macs(10240);

	ck_assert_uint_eq(search_alone(db, "[['kind','==','a']]"), 5120);
	ck_assert_uint_eq(counters_of(db).n_built, 0);
	ck_assert_uint_eq(counters_of(db).n_scans, 1);
	/* What few hold is, whatever the others do. */
	ck_assert_uint_eq(search_alone(db, "[['kind','==','c']]"), 10);
	ck_assert_uint_eq(counters_of(db).n_built, 1);
	ck_assert_uint_eq(search_alone(db, "[['kind','==','a']]"), 5120);
	ck_assert_uint_eq(counters_of(db).n_by_lookup, 2);
	database_free(db);
}
END_TEST

START_TEST(the_most_selective_column_is_chosen)
{
	struct database *db = open_macs(10000);
	unsigned i;

	ck_assert_uint_eq(search_alone(db, "[['kind','==','a'],['ls','==',25],"
				       "['mac','==','00:00:00:00:00:ff']]"),
			  1);
	ck_assert_str_eq(demanded(db, "Mac"), "mac ");
	ck_assert_uint_eq(search_alone(
			db, "[['ls','==',25],['x','==',1]]"), 1);
	ck_assert_str_eq(demanded(db, "Mac"), "mac ls ");
	database_free(db);

	/* Two that tell rows apart only together. */
	db = open_macs(10000);
	ck_assert_uint_eq(search_alone(
			db, "[['y','==',7],['x','==',3]]"), 5);
	ck_assert_str_eq(demanded(db, "Mac"), "x+y ");
	ck_assert_uint_eq(search_alone(
			db, "[['x','==',3],['y','==',8],['kind','!=','c']]"),
			  5);
	ck_assert_uint_eq(counters_of(db).n_built, 1);
	database_free(db);

	/* One that is there already, but leaves 200 rows each time, and is
	 * asked too much. */
	db = open_macs(10000);
	ck_assert_uint_eq(search_alone(db, "[['x','==',3]]"), 200);
	ck_assert_str_eq(demanded(db, "Mac"), "x ");
	for (i = 0; i < 40; i++)
		search_alone(db, "[['x','==',3],['y','==',8]]");
	ck_assert_str_eq(demanded(db, "Mac"), "x ");
	for (i = 0; i < 40; i++)
		search_alone(db, "[['x','==',3],['y','==',8]]");
	ck_assert_str_eq(demanded(db, "Mac"), "x x+y ");
	/* The better one answers. */
	ck_assert_uint_eq(search_alone(
			db, "[['x','==',4],['y','==',8],"
			"['mac','==','00:00:00:00:01:94']]"), 1);
	ck_assert_str_eq(demanded(db, "Mac"), "x x+y ");
	database_free(db);
}
END_TEST

START_TEST(an_unused_one_is_dropped_and_built_again)
{
	struct database *db = open_macs(100);
	struct table *table = database_table(db, "Mac");
	const unsigned limit = LOOKUP_IDLE_CHANGES + 2 * 100;
	struct lookup_counters c;
	unsigned i;

	search_alone(db, "[['mac','==','00:00:00:00:00:09']]");
	for (i = 0; i < limit + 9; i++) {
		struct transaction *txn = transaction_begin(db);
		const struct row *row = table_first(table);

		/* A search gives it another life. */
		if (i == 9)
			search(txn, table, "[['mac','==','x']]");
		set_integer(transaction_modify(txn, row), "ls", 1000 + i);
		commit(txn);
	}
	c = counters_of(db);
	ck_assert_uint_eq(c.n_dropped, 0);
	ck_assert_uint_eq(c.n_lookups, 1);
	struct transaction *txn = transaction_begin(db);
	set_integer(transaction_modify(txn, table_first(table)), "ls", 1);
	commit(txn);
	c = counters_of(db);
	ck_assert_uint_eq(c.n_dropped, 1);
	ck_assert_uint_eq(c.n_lookups, 0);
	ck_assert_uint_eq(c.size, 0);
	ck_assert_uint_eq(search_alone(
			db, "[['mac','==','00:00:00:00:00:09']]"), 1);
	c = counters_of(db);
	ck_assert_uint_eq(c.n_built, 2);
	ck_assert_uint_eq(c.n_lookups, 1);
	database_free(db);
}
END_TEST

/* Of a search that may wait: true, it must. */
static bool
must_wait_for(struct database *db, const char *where)
{
	struct condition condition = condition_of(database_table(db, "Mac"),
						  where);
	struct transaction *txn = transaction_begin(db);
	struct found found = { .n = 0 };
	bool must_wait;

	transaction_be_patient(txn);
	condition_each(&condition, txn, database_table(db, "Mac"), note,
		       &found);
	must_wait = transaction_must_wait(txn);
	must(!must_wait || !found.n);
	transaction_abort(txn);
	free(found.rows);
	condition_done(&condition);
	return must_wait;
}

/* Some rows come, go, and change what they are searched by. */
static void
change_some(struct database *db, uint64_t *state)
{
	struct table *table = database_table(db, "Mac");
	struct transaction *txn = transaction_begin(db);
	const struct row *row = table_first(table);

	for (uint32_t n = random_below(state, 500); n--;)
		row = table_next(table, row);
	for (int i = 0; i < 300; i++, row = table_next(table, row))
		switch (random_below(state, 3)) {
		case 0:
			set_mac(insert(txn, table),
				random_below(state, 1 << 14));
			break;
		case 1:
			transaction_delete(txn, row);
			break;
		default:
			set_mac(transaction_modify(txn, row),
				random_below(state, 1 << 14));
		}
	commit(txn);
}

static void
search_some(struct database *db)
{
	char where[64];

	for (uint32_t i = 0; i < 1 << 14; i += 137) {
		snprintf(where, sizeof where,
			 "[['mac','==','00:00:00:00:%02x:%02x']]", i >> 8,
			 i & 0xff);
		search_alone(db, where);
	}
}

START_TEST(built_in_parts)
{
	static const char where[] = "[['mac','==','00:00:00:00:00:09']]";
	uint64_t state = 1;

	for (int round = 0; round < 3; round++) {
		struct database *db = open_macs(8 * LOOKUP_BUILD_ROWS);
		unsigned n_parts = 0;

		ck_assert(!database_is_building(db));
		for (; must_wait_for(db, where); n_parts++) {
			ck_assert(database_is_building(db));
			ck_assert(lookup_deadline(db) == INT64_MIN);
			change_some(db, &state);
			/* Somebody who cannot wait. */
			if (round == 2 && n_parts == 4)
				search_alone(db, where);
			lookup_run(db, 10);
		}
		ck_assert(!database_is_building(db));
		ck_assert_uint_ge(n_parts, round == 2 ? 5 : 7);
		ck_assert_uint_eq(counters_of(db).n_built, 1);
		search_some(db);
		for (int i = 0; i < 10; i++)
			change_some(db, &state);
		search_some(db);
		ck_assert_uint_eq(counters_of(db).n_scans, 0);
		database_free(db);
	}
}
END_TEST

/* Of a table in which nothing is left, and of a database that goes. */
START_TEST(building_ends)
{
	static const char where[] = "[['mac','==','00:00:00:00:00:09']]";
	struct database *db = open_macs(2 * LOOKUP_BUILD_ROWS);
	struct table *table = database_table(db, "Mac");
	struct transaction *txn;
	const struct row *row;

	ck_assert(must_wait_for(db, where));
	lookup_run(db, 10);
	txn = transaction_begin(db);
	for (row = table_first(table); row; row = table_next(table, row))
		transaction_delete(txn, row);
	commit(txn);
	for (int i = 0; database_is_building(db); i++) {
		ck_assert_int_lt(i, 10);
		lookup_run(db, 10);
	}
	ck_assert_uint_eq(search_alone(db, where), 0);
	database_free(db);
	db = open_macs(2 * LOOKUP_BUILD_ROWS);
	ck_assert(must_wait_for(db, where));
	lookup_run(db, 10);
	database_free(db);
}
END_TEST

START_TEST(time_drops_what_nobody_uses)
{
	struct database *db = open_macs(1000);

	ck_assert_int_eq(lookup_deadline(db), INT64_MAX);
	search_alone(db, "[['mac','==','00:00:00:00:00:09']]");
	search_alone(db, "[['ls','==',4]]");
	lookup_run(db, 1000);
	ck_assert_int_eq(lookup_deadline(db), 1000 + LOOKUP_IDLE_MS);
	lookup_run(db, 999 + LOOKUP_IDLE_MS);
	search_alone(db, "[['mac','==','00:00:00:00:00:09']]");
	lookup_run(db, 1000 + LOOKUP_IDLE_MS);
	ck_assert_uint_eq(counters_of(db).n_lookups, 2);
	search_alone(db, "[['ls','==',4]]");
	lookup_run(db, 1000 + 2 * LOOKUP_IDLE_MS);
	ck_assert_str_eq(demanded(db, "Mac"), "ls ");
	lookup_run(db, 1000 + 3 * LOOKUP_IDLE_MS);
	ck_assert_str_eq(demanded(db, "Mac"), "");
	ck_assert_uint_eq(counters_of(db).n_dropped, 2);
	ck_assert_int_eq(lookup_deadline(db), INT64_MAX);
	/* And it begins anew. */
	search_alone(db, "[['ls','==',4]]");
	ck_assert_int_le(lookup_deadline(db), 0);
	lookup_run(db, 5);
	lookup_run(db, 5 + LOOKUP_IDLE_MS);
	lookup_run(db, 5 + 2 * LOOKUP_IDLE_MS);
	ck_assert_uint_eq(counters_of(db).n_dropped, 3);
	database_free(db);
}
END_TEST

START_TEST(a_table_has_so_many_and_no_more)
{
	static const char *const columns[] = {
		"ls", "x", "y", "a", "b", "c", "d", "e", "f"
	};
	struct database *db = open_macs(5000);
	char where[64];
	unsigned i;

	for (i = 0; i < 9; i++) {
		snprintf(where, sizeof where, "[['%s','==',0]]", columns[i]);
		search_alone(db, where);
	}
	ck_assert_uint_eq(counters_of(db).n_built, LOOKUP_MAX_DEMANDED);
	ck_assert_uint_eq(counters_of(db).n_lookups, LOOKUP_MAX_DEMANDED);
	ck_assert_uint_eq(counters_of(db).n_scans, 1);
	ck_assert_str_eq(demanded(db, "Mac"), "ls x y a b c d e ");
	/* Until one is not searched by for long. */
	for (i = 0; i < LOOKUP_IDLE_SEARCHES; i++) {
		if (i % 100 == 0)
			search_alone(db, "[['ls','==',1]]");
		search_alone(db, "[['y','==',70]]");
	}
	search_alone(db, where);
	ck_assert_str_eq(demanded(db, "Mac"), "ls f y a b c d e ");
	ck_assert_uint_eq(counters_of(db).n_dropped, 1);
	database_free(db);
}
END_TEST

/* In one transaction, which must stay linear: each finds what those before it
 * have left, and nothing is looked at twice. */
START_TEST(a_hundred_thousand_updates_are_one_transaction)
{
	enum { N = 100000 };
	struct database *db = open_macs(N);
	struct table *table = database_table(db, "Mac");
	const struct column *mac = table_schema_column(table_schema(table),
						       "mac");
	struct transaction *txn = transaction_begin(db);
	struct condition condition = condition_of(
			table, "[['mac','==','00:00:00:00:00:00']]");
	struct found found = { .n = 0 };

	/* One row after the other takes the number of the one before it:
	 * row i + 1 is found under its own number, then under that of i. */
	for (uint32_t i = 0; i + 1 < N; i++) {
		for (unsigned again = 0; again < 2; again++) {
			uint32_t wanted = again ? i + N : i;
			char text[32];

			snprintf(text, sizeof text, "00:00:00:%02x:%02x:%02x",
				 wanted >> 16, wanted >> 8 & 0xff,
				 wanted & 0xff);
			datum_done(&condition.clauses[0].argument, &mac->type);
			datum_set_string(&condition.clauses[0].argument, text);
			found.n = 0;
			condition_each(&condition, txn, table, note, &found);
			must(found.n == 1);
			set_mac(transaction_modify(txn, found.rows[0]),
				again ? i : i + N);
		}
	}
	ck_assert_uint_eq(counters_of(db).n_scans, 0);
	commit(txn);
	free(found.rows);
	condition_done(&condition);
	database_free(db);
}
END_TEST

/* They cannot stand; that must be seen soon. */
START_TEST(a_hundred_thousand_equal_rows_in_a_unique_index)
{
	struct database *db = database_new(schema_of(macs), NULL);
	struct table *table = database_table(db, "Unique");
	struct transaction *txn = transaction_begin(db);
	struct ovsdb_error *error;

	for (unsigned i = 0; i < 100000; i++)
		set_integer(insert(txn, table), "p", 5);
	ck_assert_uint_eq(search(txn, table, "[['p','==',5],['q','==','']]"),
			  100000);
	ck_assert_uint_eq(counters_of(db).n_by_index, 1);
	error = transaction_commit(txn, false);
	ck_assert_ptr_nonnull(error);
	ck_assert_str_eq(error->name, OVSDB_CONSTRAINT_VIOLATION);
	ovsdb_error_free(error);
	database_free(db);
}
END_TEST

static void
random_values(uint64_t *state, struct row *row)
{
	const struct table_schema *schema = table_schema(row_table(row));
	struct datum d;

	if (random_below(state, 2))
		set_mac(row, random_below(state, 150));
	if (random_below(state, 2))
		set_integer(row, "x", random_below(state, 4));
	if (random_below(state, 2))
		set_integer(row, "ls", random_below(state, 20));
	if (random_below(state, 4) == 0)
		set_string(row, "kind", random_below(state, 9) ? "k" : "z");
	if (random_below(state, 4) == 0) {
		const struct column *oi = table_schema_column(schema, "oi");

		datum_init_empty(&d, &oi->type);
		if (random_below(state, 3))
			datum_set_integer(&d, random_below(state, 9));
		row_set(row, oi, &d);
	}
	if (random_below(state, 4) == 0) {
		const struct column *r = table_schema_column(schema, "r");

		datum_init_default(&d, &r->type);
		/* Both are one number. */
		d.one.real = random_below(state, 2) ? 0.0 : -0.0;
		if (random_below(state, 4))
			d.one.real = random_below(state, 40) / 4.;
		row_set(row, r, &d);
	}
}

static void
random_clause(uint64_t *state, FILE *stream)
{
	switch (random_below(state, 9)) {
	case 0: case 1: {
		uint32_t mac = random_below(state, 150);

		fprintf(stream, "['mac','%s','00:00:00:00:00:%02x']",
			random_below(state, 2) ? "==" : "includes", mac);
		break;
	}
	case 2:
		fprintf(stream, "['x','==',%u]", random_below(state, 4));
		break;
	case 3:
		fprintf(stream, "['ls','==',%u]", random_below(state, 20));
		break;
	case 4:
		fprintf(stream, "['ls','%s',%u]",
			random_below(state, 2) ? "<" : "!=",
			random_below(state, 20));
		break;
	case 5:
		fprintf(stream, "['kind','==','%s']",
			random_below(state, 2) ? "k" : "z");
		break;
	case 6:
		if (random_below(state, 4))
			fprintf(stream, "['oi','%s',%u]",
				random_below(state, 2) ? "==" : "includes",
				random_below(state, 9));
		else
			fprintf(stream, "['oi','==',['set',[]]]");
		break;
	case 7:
		fprintf(stream, "['r','==',%s]", random_below(state, 2)
			? "0.0" : "1.25");
		break;
	default:
		fprintf(stream, "true");
	}
}

static char *
random_where(uint64_t *state)
{
	unsigned n = 1 + random_below(state, 3);
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	putc('[', stream);
	while (n--) {
		random_clause(state, stream);
		fputs(n ? "," : "]", stream);
	}
	fclose(stream);
	return text;
}

struct changes {
	struct transaction *txn;
	uint64_t *state;
	bool deletes;
	unsigned left;
};

static bool
change(void *changes_, const struct row *row)
{
	struct changes *changes = changes_;

	if (changes->deletes)
		transaction_delete(changes->txn, row);
	else
		random_values(changes->state,
			      transaction_modify(changes->txn, row));
	return --changes->left > 0;
}

/* What a transaction inserts, changes and deletes by conditions, it finds by
 * conditions; and so do those after it, whether it stands or not. */
START_TEST(searches_equal_a_look_at_each)
{
	struct database *db = open_macs(_i % 3 * 60);
	struct table *table = database_table(db, "Mac");
	uint64_t state = _i + 77;
	size_t n_found = 0;

	for (unsigned t = 0; t < 120; t++) {
		struct transaction *txn = transaction_begin(db);
		unsigned n = random_below(&state, 30);

		while (n--) {
			struct changes changes = {
				txn, &state, random_below(&state, 3) == 0,
				1 + random_below(&state, 12)
			};
			char *where = random_where(&state);
			struct condition condition = condition_of(table,
								  where);
			unsigned i = random_below(&state, 5);

			if (random_below(&state, 3))
				condition_each(&condition, txn, table, change,
					       &changes);
			while (table_n_rows(table) < 600 && i--)
				random_values(&state, insert(txn, table));
			n_found += search(txn, table, where);
			condition_done(&condition);
			free(where);
		}
		if (random_below(&state, 3))
			commit(txn);
		else
			transaction_abort(txn);
	}
	ck_assert_uint_gt(n_found, 1000);
	ck_assert_uint_gt(counters_of(db).n_by_lookup, 100);
	ck_assert_uint_gt(counters_of(db).n_built, 1);
	database_free(db);
}
END_TEST

CHECK_MAIN_LOOP("lookup", searches_equal_a_look_at_each, 9,
		a_search_builds_what_the_next_one_finds_by,
		small_tables_get_none,
		what_half_of_the_rows_hold_is_not_worth_it,
		the_most_selective_column_is_chosen,
		an_unused_one_is_dropped_and_built_again,
		built_in_parts,
		building_ends,
		time_drops_what_nobody_uses,
		a_table_has_so_many_and_no_more,
		a_hundred_thousand_updates_are_one_transaction,
		a_hundred_thousand_equal_rows_in_a_unique_index)
