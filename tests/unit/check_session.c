/* SPDX-License-Identifier: Apache-2.0 */

/* Clients at the other ends of sockets, some of which do not read. */

#include "agent/net/session.h"

#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include "agent/net/turn.h"
#include "agent/ovsdb/store/history.h"
#include "tests/unit/server_fixture.h"

enum {
	N_READERS = 4, N_WRITES = 150,
	SIZE = 65536,			/* Of a row. */
	PATIENCE_MS = 10000
};

static const char schema[] =
	"{'name':'t','version':'1.0.0','tables':{'A':{'isRoot':true,"
	"'columns':{'n':{'type':'integer'},'s':{'type':'string'}}}}}";

struct reader {
	int fd;
	struct session *session;
	bool has_ended;
	enum channel_end end;
	char *text;			/* Has not been read as JSON. */
	size_t size;
	uint64_t n_bytes;		/* Ever. */
	int n_updates;
	json_int_t n;			/* Of the row, as it was told. */
};

static struct event_base *base;
static struct test_client writer;
static struct reader readers[N_READERS];

static void
ended(void *reader_, struct session *session, enum channel_end why)
{
	struct reader *reader = reader_;

	ck_assert(!reader->has_ended);
	reader->has_ended = true;
	reader->end = why;
	session_free(session);
	reader->session = NULL;
}

static void
set_up(void)
{
	static const struct channel_limits limits = {
		.message_size = 1 << 20, .output_size = 1 << 29,
		.message_depth = 10,
	};

	fixture_init(schema);
	base = event_base_new();
	test_client_init(&writer);
	for (int i = 0; i < N_READERS; i++) {
		struct reader *reader = &readers[i];
		struct bufferevent *bev;
		int fds[2];

		*reader = (struct reader) { .n = -1 };
		ck_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
				      fds));
		reader->fd = fds[0];
		bev = bufferevent_socket_new(base, fds[1],
					     BEV_OPT_CLOSE_ON_FREE);
		reader->session = session_new(bev, server, "test", &limits,
					      -1, ended, reader);
	}
}

static void
tear_down(void)
{
	for (int i = 0; i < N_READERS; i++) {
		session_free(readers[i].session);
		close(readers[i].fd);
		free(readers[i].text);
	}
	test_client_done(&writer);
	event_base_free(base);
	fixture_done();
}

static void
turn(void)
{
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* The last one that it was told of. */
static void
note_row(struct reader *reader, json_t *updates)
{
	const char *uuid, *kind;
	json_t *row, *columns;

	json_object_foreach(json_object_get(updates, "A"), uuid, row)
		json_object_foreach(row, kind, columns)
			if (strcmp(kind, "old"))
				reader->n = json_integer_value(
					json_object_get(columns, "n"));
}

static void
take_in(struct reader *reader, json_t *message)
{
	json_t *params = json_object_get(message, "params");

	if (!params)
		return;			/* The reply. */
	reader->n_updates++;
	note_row(reader, json_array_get(params, json_array_size(params) - 1));
}

/* What is there. */
static void
read_some(struct reader *reader)
{
	static char bytes[1 << 18];
	ssize_t n = recv(reader->fd, bytes, sizeof bytes, 0);
	json_t *message;
	json_error_t error;

	if (n <= 0)
		return;
	reader->n_bytes += (uint64_t) n;
	reader->text = realloc(reader->text, reader->size + (size_t) n);
	memcpy(reader->text + reader->size, bytes, (size_t) n);
	reader->size += (size_t) n;
	while (reader->size
	       && (message = json_loadb(reader->text, reader->size,
					JSON_DISABLE_EOF_CHECK, &error))) {
		size_t used = (size_t) error.position;

		take_in(reader, message);
		json_decref(message);
		reader->size -= used;
		memmove(reader->text, reader->text + used, reader->size);
	}
}

static void
monitor_all(void)
{
	static const char *const requests[N_READERS] = {
		"{\"id\":1,\"method\":\"monitor\",\"params\":[\"t\",1,{\"A\":"
		"{}}]}",
		"{\"id\":1,\"method\":\"monitor_cond\",\"params\":[\"t\",1,"
		"{\"A\":[{\"columns\":[\"n\",\"s\"]}]}]}",
		"{\"id\":1,\"method\":\"monitor_cond_since\",\"params\":["
		"\"t\",1,{\"A\":[{}]},\"00000000-0000-0000-0000-"
		"000000000000\"]}",
		"{\"id\":1,\"method\":\"monitor_cond\",\"params\":[\"t\",1,"
		"{\"A\":[{\"columns\":[\"n\",\"s\"]}]}]}",
	};

	for (int i = 0; i < N_READERS; i++) {
		struct server_counters counters;
		const char *request = requests[i];

		ck_assert_int_eq(send(readers[i].fd, request, strlen(request),
				      0), (ssize_t) strlen(request));
		for (int k = 0; k < 100; k++) {
			turn();
			server_counters(server, &counters);
			if (counters.n_monitors == (uint32_t) i + 1)
				break;
		}
		ck_assert_uint_eq(counters.n_monitors, i + 1);
	}
}

/* The row has this number, and a text of 64 KiB. */
static void
write_row(int n)
{
	json_t *request, *row;
	char *text = malloc(SIZE + 1);

	memset(text, 'a' + n % 26, SIZE);
	text[SIZE] = '\0';
	row = json_pack("{s:i, s:s}", "n", n, "s", text);
	if (!n)
		request = json_pack("{s:i, s:s, s:[s, {s:s, s:s, s:o}]}", "id",
				    1, "method", "transact", "params", "t",
				    "op", "insert", "table", "A", "row", row);
	else
		request = json_pack("{s:i, s:s, s:[s, {s:s, s:s, s:o, s:[]}]"
				    "}", "id", 1, "method", "transact",
				    "params", "t", "op", "update", "table",
				    "A", "row", row, "where");
	put(&writer, request, 0);
	json_decref(take(&writer));
	free(text);
}

/* Until it has heard of this row. */
static void
await(struct reader *reader, json_int_t n)
{
	int64_t end_ms = turn_now_ms() + PATIENCE_MS;

	while (reader->n != n) {
		ck_assert_msg(turn_now_ms() < end_ms, "%d bytes, row %d",
			      (int) reader->n_bytes, (int) reader->n);
		turn();
		read_some(reader);
	}
}

/* The last two do not read. */
static void
write_much(void)
{
	monitor_all();
	for (int n = 0; n < N_WRITES; n++) {
		write_row(n);
		for (int i = 0; i < 2; i++) {
			await(&readers[i], n);
			ck_assert_int_eq(readers[i].n_updates, n + 1);
		}
	}
}

/* Who reads hears of each change at once; who does not is told of them all
 * together as soon as it does, and what is kept for it has a bound. */
START_TEST(slow)
{
	struct server_counters counters;

	write_much();
	server_counters(server, &counters);
	ck_assert_uint_eq(counters.n_combined_updates, 0);
	for (int i = 2; i < N_READERS; i++) {
		struct reader *reader = &readers[i];

		await(reader, N_WRITES - 1);
		ck_assert_int_lt(reader->n_updates, N_WRITES / 2);
		ck_assert_uint_lt(reader->n_bytes, 20 * SIZE);
	}
	server_counters(server, &counters);
	ck_assert_uint_eq(counters.n_combined_updates, 2);
	write_row(N_WRITES);
	for (int i = 0; i < N_READERS; i++)
		await(&readers[i], N_WRITES);
	server_counters(server, &counters);
	ck_assert_uint_eq(counters.n_combined_updates, 2);
}
END_TEST

/* When it is too late for that, its session ends, and nobody else's. */
START_TEST(too_slow)
{
	struct server_counters counters;
	struct server_limits limits;
	int64_t end_ms;

	history_set_size(database_history(database), 10 * SIZE);
	server_limits(server, &limits);
	limits.behind_size = 20 * SIZE;
	server_set_limits(server, &limits);
	write_much();
	for (int i = 2; i < N_READERS; i++) {
		end_ms = turn_now_ms() + PATIENCE_MS;
		while (!readers[i].has_ended) {
			ck_assert(turn_now_ms() < end_ms);
			turn();
			read_some(&readers[i]);
		}
		ck_assert_int_eq(readers[i].end, CHANNEL_OUTRUN);
		ck_assert_int_lt(readers[i].n, N_WRITES - 1);
	}
	server_counters(server, &counters);
	ck_assert_uint_eq(counters.n_lost_clients, 2);
	ck_assert_uint_eq(counters.n_clients, 3);	/* And the writer. */
	write_row(N_WRITES);
	for (int i = 0; i < 2; i++)
		await(&readers[i], N_WRITES);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, slow);
	tcase_add_test(tcase, too_slow);
	return run_suite(tcase, "session");
}
