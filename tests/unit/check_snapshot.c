/* SPDX-License-Identifier: Apache-2.0 */

/* Initial replies that are made while others write: each is what there was
 * when it was asked for, however long its client takes. */

#include "agent/ovsdb/server/snapshot.h"

#include "agent/ovsdb/store/row.h"
#include "tests/unit/server_fixture.h"

enum { N_ROWS = 4000, N_READERS = 6, N_STEPS = 1500 };

static const char schema[] =
	"{'name':'t','version':'1.0.0','tables':{"
	"'A':{'isRoot':true,'columns':{'i':{'type':'integer'},"
	"'s':{'type':'string'}}},"
	"'B':{'isRoot':true,'columns':{'i':{'type':'integer'}}},"
	"'Empty':{'isRoot':true,'columns':{'i':{'type':'integer'}}}}}";

/* Who is given what he asked for piece by piece. */
struct reader {
	struct test_client client;
	struct source *source;
	char *text;
	size_t n;
	int below;			/* Rows of A with less than that. */
	bool is_given_up;
	int64_t expected[N_ROWS];	/* Of row i; 0: there was none. */
};

static struct test_client writer;
static struct reader readers[N_READERS];
static int64_t now[N_ROWS], next_value, time_ms;
static uint64_t random_state;

static unsigned
draw(unsigned n)
{
	random_state = random_state * 6364136223846793005u
		       + 1442695040888963407u;
	return (random_state >> 33) % n;
}

static void
keep_source(void *client, struct source *source)
{
	struct reader *reader = (struct reader *) client;

	ck_assert_ptr_null(reader->source);
	reader->source = source;
}

static void
give_up(void *client)
{
	((struct reader *) client)->is_given_up = true;
}

static void
reader_init(struct reader *reader)
{
	static const struct client_ops ops = {
		.send = pile_up,
		.send_source = keep_source,
		.give_up = give_up,
		.dismiss = dismiss,
	};

	*reader = (struct reader) { .source = NULL };
	reader->client.inbox = json_array();
	reader->client.client = server_connect(server, "reader", &ops, reader);
}

static void
forget_source(struct reader *reader)
{
	if (reader->source)
		reader->source->free(reader->source);
	reader->source = NULL;
	free(reader->text);
	reader->text = NULL;
	reader->n = 0;
}

static void
reader_done(struct reader *reader)
{
	test_client_done(&reader->client);
	forget_source(reader);
}

static void
set_up(void)
{
	fixture_init(schema);
	test_client_init(&writer);
	for (int i = 0; i < N_READERS; i++)
		reader_init(&readers[i]);
	memset(now, 0, sizeof now);
	next_value = 1;
	time_ms = 0;
	random_state = 1;
}

static void
tear_down(void)
{
	for (int i = 0; i < N_READERS; i++)
		reader_done(&readers[i]);
	test_client_done(&writer);
	fixture_done();
}

static struct server_counters
counters(void)
{
	struct server_counters c;

	server_counters(server, &c);
	return c;
}

/* Row i is to be there, with a new value, or not to be there; 's' is so
 * long. */
static json_t *
operation(int i, bool is_there, int size)
{
	char uuid[64], *s = calloc(1, (size_t) size + 1);
	json_t *where, *row, *op;

	snprintf(uuid, sizeof uuid, "00000000-0000-0000-0000-%012d", i);
	memset(s, 'x', (size_t) size);
	where = json_pack("[[s,s,[s,s]]]", "_uuid", "==", "uuid", uuid);
	row = json_pack("{s:I,s:s}", "i", (json_int_t) next_value, "s", s);
	if (!is_there)
		op = json_pack("{s:s,s:s,s:O}", "op", "delete", "table", "A",
			       "where", where);
	else if (now[i])
		op = json_pack("{s:s,s:s,s:O,s:O}", "op", "update", "table",
			       "A", "where", where, "row", row);
	else
		op = json_pack("{s:s,s:s,s:s,s:O}", "op", "insert", "table",
			       "A", "uuid", uuid, "row", row);
	now[i] = is_there ? next_value++ : 0;
	json_decref(where);
	json_decref(row);
	free(s);
	return op;
}

static void
commit(json_t *params)
{
	json_t *reply, *results, *result;
	size_t i;

	put(&writer, json_pack("{s:i,s:s,s:o}", "id", 1, "method", "transact",
			       "params", params), 0);
	reply = take(&writer);
	results = json_object_get(reply, "result");
	json_array_foreach(results, i, result)
		ck_assert_msg(!json_object_get(result, "error"), "%s",
			      json_dumps(reply, 0));
	ck_assert_uint_gt(i, 0);
	json_decref(reply);
}

static void
fill(int n, int size)
{
	json_t *params = json_pack("[s]", "t");
	bool is_first = !now[0];

	for (int i = 0; i < n; i++)
		json_array_append_new(params, operation(i, true, size));
	if (is_first)
		json_array_append_new(params, json_pack("{s:s,s:s,s:{s:i}}",
							"op", "insert",
							"table", "B",
							"row", "i", 7));
	commit(params);
}

static void
write_some(void)
{
	json_t *params = json_pack("[s]", "t");
	unsigned first = draw(N_ROWS), n = 1 + draw(40), step = 1 + draw(9);

	for (unsigned i = 0; i < n; i++) {
		int row = (int) ((first + i * step) % N_ROWS);

		json_array_append_new(params, operation(row, draw(4) != 0,
							0));
	}
	commit(params);
}

static void
begin(struct reader *reader, int below)
{
	char text[400];

	reader->below = below;
	for (int i = 0; i < N_ROWS; i++)
		reader->expected[i] = !reader->below || now[i] < reader->below
				      ? now[i] : 0;
	if (!reader->below)
		strcpy(text, "{'id':'m','method':'monitor','params':"
		       "['t','m',{'A':{'columns':['i']},'B':{},'Empty':{}}]}");
	else
		snprintf(text, sizeof text, "{'id':'m','method':"
			 "'monitor_cond_since','params':['t','m',{'A':"
			 "[{'columns':['i'],'where':[['i','<',%d]]}],'B':[{}],"
			 "'Empty':[{}]},"
			 "'00000000-0000-0000-0000-000000000000']}", below);
	put(&reader->client, json_of(text), time_ms);
	ck_assert_ptr_nonnull(reader->source);
}

static void
check_reply(const struct reader *reader, json_t *reply)
{
	const char *kind = reader->below ? "initial" : "new", *uuid;
	json_t *result = json_object_get(reply, "result"), *rows, *row;
	size_t n = 0;

	ck_assert_uint_eq(json_object_size(reply), 3);
	ck_assert(json_is_null(json_object_get(reply, "error")));
	if (reader->below)
		result = json_array_get(result, 2);
	rows = json_object_get(result, "A");
	for (int i = 0; i < N_ROWS; i++)
		n += reader->expected[i] > 0;
	ck_assert_uint_eq(json_object_size(rows), n);
	json_object_foreach(rows, uuid, row) {
		json_t *columns = json_object_get(row, kind);
		int i = atoi(uuid + 24);

		ck_assert_int_eq(json_integer_value(
					 json_object_get(columns, "i")),
				 reader->expected[i]);
	}
	ck_assert_uint_eq(json_object_size(json_object_get(result, "B")), 1);
	ck_assert_uint_eq(json_object_size(result), n ? 2 : 1);
}

/* Returns whether there is more. */
static bool
pull(struct reader *reader)
{
	struct text *piece = reader->source->next(reader->source);
	json_t *reply;

	if (piece) {
		reader->text = realloc(reader->text, reader->n + piece->size);
		memcpy(reader->text + reader->n, piece->bytes, piece->size);
		reader->n += piece->size;
		text_unref(piece);
		return true;
	}
	reply = json_loadb(reader->text, reader->n, JSON_REJECT_DUPLICATES,
			   NULL);
	ck_assert_msg(reply != NULL, "%.*s", (int) reader->n, reader->text);
	check_reply(reader, reply);
	json_decref(reply);
	forget_source(reader);
	return false;
}

static void
cancel(struct reader *reader)
{
	ask(&reader->client, "{'id':'c','method':'monitor_cancel',"
	    "'params':['m']}");
}

START_TEST(each_is_told_what_there_was)
{
	unsigned n_over = 0;

	random_state = (uint64_t) _i;
	fill(N_ROWS, 0);
	for (int step = 0; step < N_STEPS; step++) {
		struct reader *reader = &readers[draw(N_READERS)];
		unsigned what = draw(100);

		if (what < 20) {
			write_some();
		} else if (what == 20 && reader->source) {
			reader_done(reader);
			reader_init(reader);
		} else if (what == 21 && reader->source) {
			server_run(server, 0);
		} else if (!reader->source) {
			cancel(reader);
			begin(reader, draw(2) ? 0 : (int) draw(
					(unsigned) next_value));
			/* It may well go before its reply is over. */
			if (draw(4) == 0)
				cancel(reader);
		} else {
			for (unsigned n = draw(20); n && reader->source; n--)
				n_over += !pull(reader);
		}
	}
	for (int i = 0; i < N_READERS; i++)
		while (readers[i].source)
			n_over += !pull(&readers[i]);
	ck_assert_uint_gt(n_over, 50);
	ck_assert_uint_gt(counters().n_shared_chunks, 50);
	ck_assert_uint_eq(counters().n_streams, 0);
	ck_assert(!pin_reclaim(database, SIZE_MAX));
	ck_assert_uint_eq(database->pins->n_kept, 0);
}
END_TEST

/* Whoever asks at the same time, or later, when nothing has changed. */
START_TEST(words_are_shared)
{
	uint64_t n_alone;

	fill(N_ROWS, 0);
	begin(&readers[0], 0);
	while (pull(&readers[0]))
		continue;
	n_alone = counters().n_chunks;
	ck_assert_uint_gt(n_alone, 10);
	ck_assert_uint_eq(counters().n_shared_chunks, 0);
	for (int i = 0; i < N_READERS; i++) {
		cancel(&readers[i]);
		begin(&readers[i], 0);
		pull(&readers[i]);
		pull(&readers[i]);
		pull(&readers[i]);
	}
	for (bool again = true; again;) {
		again = false;
		for (int i = 0; i < N_READERS; i++)
			if (readers[i].source)
				again |= pull(&readers[i]);
	}
	/* What the first one made when it was alone was not remembered. */
	ck_assert_uint_le(counters().n_chunks, 2 * n_alone + 5);
	ck_assert_uint_ge(counters().n_shared_chunks,
			  (N_READERS - 1) * (n_alone - 5));
}
END_TEST

/* A few pieces wait for a client, not all that there is of a range. */
START_TEST(long_rows_make_more_pieces)
{
	struct reader *reader = &readers[0];
	size_t longest = 0, n = 0;

	fill(40, 100000);
	for (int i = 0; i < 40; i++)
		reader->expected[i] = now[i];
	ask(&reader->client, "{'id':1,'method':'monitor','params':['t','m',"
	    "{'A':{},'B':{}}]}");
	while (reader->source) {
		size_t before = reader->n;

		if (pull(reader) && reader->n - before > longest)
			longest = reader->n - before;
		n++;
	}
	ck_assert_uint_lt(longest, 400000);
	ck_assert_uint_gt(n, 10);
}
END_TEST

/* Nobody is let finish what takes him too long; he lets go of everything. */
START_TEST(time_is_up)
{
	struct server_limits limits;

	fill(N_ROWS, 0);
	server_limits(server, &limits);
	limits.snapshot_ms = 1000;
	server_set_limits(server, &limits);
	begin(&readers[0], 0);
	ck_assert_int_eq(server_deadline(server), 1000);
	pull(&readers[0]);
	server_run(server, time_ms = 999);
	ck_assert(!readers[0].is_given_up);
	begin(&readers[1], 0);
	server_run(server, 1000);
	ck_assert(readers[0].is_given_up);
	ck_assert(!readers[1].is_given_up);
	while (readers[1].source)
		pull(&readers[1]);
	ck_assert_uint_eq(counters().n_lagging_clients, 1);
	ck_assert_uint_eq(counters().n_streams, 0);
	ck_assert(list_is_empty(&database->pins->held));
	ck_assert_ptr_null(readers[0].source->next(readers[0].source));
	ck_assert_int_eq(server_deadline(server), INT64_MAX);
}
END_TEST

static unsigned n_woken;

static void
wake(void *ctx)
{
	(void) ctx;
	n_woken++;
}

/* The oldest pin goes first, and the next one only if that did not help. */
START_TEST(rows_are_kept_up_to_a_limit)
{
	struct server_limits limits;

	fill(N_ROWS, 0);
	server_limits(server, &limits);
	limits.kept_size = 100000;
	server_set_limits(server, &limits);
	begin(&readers[0], 0);
	server_set_wake(server, wake, NULL);
	fill(500, 0);
	begin(&readers[1], 0);
	ck_assert_int_eq(server_deadline(server), 600000);
	n_woken = 0;
	for (int i = 0; server_deadline(server) > INT64_MIN; i++) {
		ck_assert_int_lt(i, 100);
		ck_assert_uint_eq(n_woken, 0);
		write_some();
	}
	ck_assert_uint_gt(n_woken, 0);
	for (int i = 0; server_deadline(server) == INT64_MIN; i++) {
		ck_assert_int_lt(i, 100);
		server_run(server, 0);
	}
	ck_assert(readers[0].is_given_up);
	ck_assert(!readers[1].is_given_up);
	ck_assert_uint_eq(counters().n_lagging_clients, 1);
	while (readers[1].source)
		pull(&readers[1]);
	server_run(server, 0);
	ck_assert_uint_eq(database->pins->n_kept, 0);
	server_set_wake(server, NULL, NULL);
}
END_TEST

START_TEST(databases_go)
{
	fill(N_ROWS, 0);
	begin(&readers[0], 0);
	pull(&readers[0]);
	server_remove_database(server, database);
	ck_assert(readers[0].client.is_dismissed);
	ck_assert(list_is_empty(&database->pins->held));
	ck_assert_ptr_null(readers[0].source->next(readers[0].source));
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, each_is_told_what_there_was, 0, 4);
	tcase_add_test(tcase, words_are_shared);
	tcase_add_test(tcase, long_rows_make_more_pieces);
	tcase_add_test(tcase, time_is_up);
	tcase_add_test(tcase, rows_are_kept_up_to_a_limit);
	tcase_add_test(tcase, databases_go);
	return run_suite(tcase, "snapshot");
}
