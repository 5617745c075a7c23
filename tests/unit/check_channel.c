/* SPDX-License-Identifier: Apache-2.0 */

/* What a listener's test cannot see: which bytes go in which write. */

#include "agent/net/channel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <check.h>
#include <event2/event.h>
#include "agent/net/turn.h"

static struct event_base *base;
static struct channel *channel;
static int fd;
static int n_received, n_ended, n_drained;
static enum channel_end end;

static void
receive(void *ctx, json_t *message)
{
	ck_assert_ptr_eq(ctx, &fd);
	ck_assert(json_is_object(message));
	n_received++;
	if (json_object_get(message, "end"))
		channel_end(channel, CHANNEL_REFUSED);
}

static void
drained(void *ctx)
{
	ck_assert_ptr_eq(ctx, &fd);
	ck_assert(!channel_is_lagging(channel));
	n_drained++;
}

static void
ended(void *ctx, enum channel_end why)
{
	ck_assert_ptr_eq(ctx, &fd);
	n_ended++;
	end = why;
}

static void
set_up_for(size_t output_size)
{
	static const struct channel_ops ops = {
		.receive = receive, .drained = drained, .ended = ended,
	};
	const struct channel_limits limits = {
		.message_size = 100000, .output_size = output_size,
		.message_depth = 10,
	};
	int fds[2];

	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
	base = event_base_new();
	fd = fds[0];
	channel = channel_new(bufferevent_socket_new(base, fds[1],
						     BEV_OPT_CLOSE_ON_FREE),
			      &limits, &ops, &fd);
	n_received = n_ended = n_drained = 0;
}

static void
set_up(void)
{
	set_up_for(1000);
}

static void
set_up_large(void)
{
	set_up_for(1 << 20);
}

static void
tear_down(void)
{
	channel_free(channel);
	event_base_free(base);
	close(fd);
}

static void
turn(void)
{
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void
put(const char *key)
{
	channel_send(channel, json_pack("{s:[]}", key));
}

/* All that has been written is this. */
static void
hear(const char *expected)
{
	char text[1000] = "";
	ssize_t n = recv(fd, text, sizeof text - 1, 0);

	ck_assert(n >= 0 || errno == EAGAIN);
	ck_assert_str_eq(text, expected);
}

/* And these pieces, behind 'first'. */
static void
hear_pieces(const char *first, struct text *const *texts, size_t n_texts)
{
	static char text[10000];
	ssize_t n = recv(fd, text, sizeof text, 0);
	size_t at = strlen(first);

	ck_assert_int_ge(n, (ssize_t) at);
	ck_assert(!memcmp(text, first, at));
	for (size_t i = 0; i < n_texts; at += texts[i++]->size) {
		ck_assert_int_ge(n, (ssize_t) (at + texts[i]->size));
		ck_assert(!memcmp(text + at, texts[i]->bytes, texts[i]->size));
	}
	ck_assert_int_eq(n, (ssize_t) at);
}

START_TEST(together)
{
	put("a");
	put("b");
	turn();
	hear("{\"a\":[]}{\"b\":[]}");
}
END_TEST

START_TEST(alone)
{
	put("a");
	channel_send_alone(channel, json_pack("{s:[]}", "alone"));
	put("b");
	/* A second one says nothing that the first does not say. */
	channel_send_alone(channel, json_pack("{s:[]}", "again"));
	put("c");
	turn();
	hear("{\"a\":[]}");
	turn();
	hear("{\"alone\":[]}");
	turn();
	hear("{\"b\":[]}{\"c\":[]}");
	turn();
	hear("");
	channel_send_alone(channel, json_pack("{s:[]}", "alone"));
	put("d");
	turn();
	hear("{\"alone\":[]}");
	turn();
	hear("{\"d\":[]}");
}
END_TEST

/* Whatever ends first is the reason, and the owner hears of it once, later;
 * nothing is received any more. */
START_TEST(ends_once)
{
	static const char text[] = "{}{\"end\":1}{}{}";

	ck_assert_int_eq(send(fd, text, strlen(text), 0),
			 (ssize_t) strlen(text));
	for (int i = 0; i < 3; i++)
		turn();
	ck_assert_int_eq(n_received, 2);
	ck_assert_int_eq(n_ended, 1);
	ck_assert_int_eq(end, CHANNEL_REFUSED);
	channel_end(channel, CHANNEL_SILENT);
	put("a");
	channel_send_alone(channel, json_object());
	turn();
	hear("");
	ck_assert_int_eq(n_ended, 1);
	ck_assert_int_eq(end, CHANNEL_REFUSED);
}
END_TEST

START_TEST(ends_later)
{
	channel_end(channel, CHANNEL_SILENT);
	ck_assert_int_eq(n_ended, 0);
	turn();
	ck_assert_int_eq(n_ended, 1);
	ck_assert_int_eq(end, CHANNEL_SILENT);
}
END_TEST

START_TEST(backlog)
{
	for (int i = 0; i < 200; i++) {
		put("0123456789");
		turn();
		hear("{\"0123456789\":[]}");
	}
	ck_assert_int_eq(n_ended, 0);
	for (int i = 0; i < 200; i++)
		put("0123456789");
	turn();
	ck_assert_int_eq(n_ended, 1);
	ck_assert_int_eq(end, CHANNEL_BACKLOGGED);
}
END_TEST

/* What was answered is sent, even if the channel goes in the same turn. */
START_TEST(last_words)
{
	put("a");
	channel_free(channel);
	channel = NULL;
	hear("{\"a\":[]}");
}
END_TEST

/* Pieces are one message, behind what was sent before; a small one is copied,
 * a large one held until the peer has it, or will not get it. */
START_TEST(pieces)
{
	static char large[5000];
	struct text *texts[3] = {
		text_copy("{\"a\":", 5), NULL, text_copy("}", 1),
	};

	memset(large, ' ', sizeof large);
	memcpy(large, "12", 2);
	texts[1] = text_copy(large, sizeof large);
	put("first");
	channel_send_text(channel, texts, 3);
	ck_assert_uint_eq(texts[0]->n_refs, 1);
	ck_assert_uint_eq(texts[1]->n_refs, 2);
	for (int i = 0; i < 3; i++)
		turn();
	ck_assert_uint_eq(texts[1]->n_refs, 1);
	hear_pieces("{\"first\":[]}", texts, 3);

	channel_end(channel, CHANNEL_SILENT);
	channel_send_text(channel, texts, 3);
	ck_assert_uint_eq(texts[1]->n_refs, 1);
	for (int i = 0; i < 3; i++)
		text_unref(texts[i]);
}
END_TEST

START_TEST(pieces_held)
{
	struct text *text = text_copy("{\"b\":1}", 7);

	put("a");
	channel_send_alone(channel, json_pack("{s:[]}", "alone"));
	channel_send_text(channel, &text, 1);
	turn();
	hear("{\"a\":[]}");
	turn();
	hear("{\"alone\":[]}");
	turn();
	hear("{\"b\":1}");
	text_unref(text);
}
END_TEST

/* Who leaves more than 1 MiB is not read from until all of it has gone. */
START_TEST(full_and_drained)
{
	static char bytes[1 << 18];
	struct text *text = text_copy(bytes, sizeof bytes);
	size_t n;

	memset(bytes, ' ', sizeof bytes);
	for (int k = 1; k < 3; k++) {
		for (int i = 0; i < 4; i++)
			channel_send_text(channel, &text, 1);
		ck_assert(!channel_is_lagging(channel));
		put("a");
		ck_assert(channel_is_lagging(channel));
		ck_assert_int_eq(send(fd, "{}", 2, 0), 2);
		for (n = 0; n < 4 * sizeof bytes + 8;) {
			ssize_t more;

			ck_assert_int_eq(n_drained, k - 1);
			ck_assert_int_eq(n_received, k - 1);
			turn();
			more = recv(fd, bytes, sizeof bytes, 0);
			n += more > 0 ? (size_t) more : 0;
		}
		while (n_received < k)
			turn();
		ck_assert_int_eq(n_drained, k);
		ck_assert(!channel_is_lagging(channel));
	}
	text_unref(text);
}
END_TEST

/* Who leaves more than 64 KiB lags, but only once its socket takes no more. */
START_TEST(lagging)
{
	static char bytes[1 << 18];
	struct text *text;
	int n = 0;

	memset(bytes, ' ', sizeof bytes);
	text = text_copy(bytes, sizeof bytes / 2);
	for (int i = 0; i < 5; i++) {
		channel_send_text(channel, &text, 1);
		ck_assert(!channel_is_lagging(channel));
		turn();
		ck_assert(!channel_is_lagging(channel));
		while (recv(fd, bytes, sizeof bytes, 0) > 0)
			turn();
	}
	ck_assert_int_eq(n_drained, 0);
	for (; !channel_is_lagging(channel); n++) {
		ck_assert_int_lt(n, 6);
		channel_send_text(channel, &text, 1);
		turn();
	}
	for (; !n_drained; n++) {
		ck_assert_int_lt(n, 100);
		ck_assert(channel_is_lagging(channel));
		turn();
		ck_assert_int_gt(recv(fd, bytes, sizeof bytes, 0), 0);
	}
	ck_assert(!channel_is_lagging(channel));
	text_unref(text);
}
END_TEST

/* What is no JSON, as an array inside of itself, cannot be sent. */
START_TEST(unspeakable)
{
	json_t *outer = json_array(), *inner = json_array();

	json_array_append(outer, inner);
	json_array_append(inner, outer);
	channel_send(channel, json_incref(outer));
	turn();
	ck_assert_int_eq(n_ended, 1);
	ck_assert_int_eq(end, CHANNEL_UNSPEAKABLE);
	json_array_clear(inner);
	json_decref(inner);
	json_decref(outer);
}
END_TEST

static void
wait_ms(int64_t ms)
{
	int64_t now_ms = turn_now_ms();

	while (turn_now_ms() < now_ms + ms)
		continue;
}

/* A message of so many pieces, of which each says which one it is. */
enum { PIECE_SIZE = 20000 };
struct test_source {
	struct source source;
	unsigned n, n_empty;
	unsigned n_asked, n_freed;
	int64_t needs_ms;
};

static struct text *
next_piece(struct source *source_)
{
	struct test_source *source = (struct test_source *) source_;
	char bytes[PIECE_SIZE];

	ck_assert_uint_eq(source->n_freed, 0);
	if (source->n_empty) {
		source->n_empty--;
		return text_copy("", 0);
	}
	if (source->n_asked == source->n)
		return NULL;
	wait_ms(source->needs_ms);
	memset(bytes, ' ', sizeof bytes);
	bytes[sprintf(bytes, "%u", source->n_asked++)] = ' ';
	return text_copy(bytes, sizeof bytes);
}

static void
end_source(struct source *source)
{
	((struct test_source *) source)->n_freed++;
}

/* It outlives its test, as the channel does. */
static struct test_source sources[3];

static struct test_source *
source_of(int i, unsigned n)
{
	sources[i] = (struct test_source) {
		.source = { .next = next_piece, .free = end_source }, .n = n,
	};
	return &sources[i];
}

/* What has been written by now, without spaces, behind what is in 'text'. */
static void
hear_some(char *text, size_t size)
{
	char bytes[50000];
	ssize_t n = recv(fd, bytes, sizeof bytes, 0);

	text += strlen(text);
	for (ssize_t i = 0; i < n; i++)
		if (bytes[i] != ' ') {
			ck_assert_uint_gt(--size, 0);
			*text++ = bytes[i];
		}
	*text = '\0';
}

/* As much is made as is taken; what is sent later comes later, and what is
 * asked meanwhile is looked at afterwards. */
START_TEST(source_is_asked_as_its_pieces_are_taken)
{
	static char heard[10000], expected[10000];
	struct test_source *source = source_of(0, 1000);
	unsigned n_asked;

	put("before");
	channel_send_source(channel, &source->source);
	ck_assert_uint_gt(source->n_asked, 0);
	put("behind");
	/* Not needed: who takes the message lives. */
	channel_send_alone(channel, json_pack("{s:[]}", "alone"));
	ck_assert_int_eq(send(fd, "{}", 2, 0), 2);
	for (int i = 0; i < 200; i++)
		turn();
	/* What the kernel takes, and a little more. */
	n_asked = source->n_asked;
	ck_assert_uint_lt(n_asked, 100);
	strcpy(expected, "{\"before\":[]}");
	for (unsigned i = 0; i < 1000; i++)
		sprintf(expected + strlen(expected), "%u", i);
	strcat(expected, "{\"behind\":[]}");
	for (int i = 0; i < 10000 && strlen(heard) < strlen(expected); i++) {
		unsigned before = source->n_asked;

		hear_some(heard, sizeof heard);
		turn();
		ck_assert_uint_lt(source->n_asked - before, 10);
		ck_assert(!n_received || source->n_freed);
	}
	ck_assert_str_eq(heard, expected);
	ck_assert_uint_eq(source->n_freed, 1);
	for (int i = 0; i < 3; i++)
		turn();
	ck_assert_int_eq(n_received, 1);
	put("last");
	turn();
	hear("{\"last\":[]}");
}
END_TEST

START_TEST(sources_come_in_their_order)
{
	struct test_source *first = source_of(0, 1);
	struct test_source *second = source_of(1, 40);
	struct test_source *third = source_of(2, 0);
	static char heard[1000];

	channel_send_alone(channel, json_pack("{s:[]}", "alone"));
	channel_send_source(channel, &first->source);
	ck_assert_uint_eq(first->n_asked, 0);
	put("a");
	channel_send_source(channel, &second->source);
	channel_send_source(channel, &third->source);
	put("b");
	for (int i = 0; i < 200; i++) {
		turn();
		hear_some(heard, sizeof heard);
	}
	ck_assert_str_eq(heard, "{\"alone\":[]}0{\"a\":[]}012345678910111213"
			 "1415161718192021222324252627282930313233343536373839"
			 "{\"b\":[]}");
	ck_assert_uint_eq(first->n_freed + second->n_freed + third->n_freed, 3);
	first = source_of(0, 1);
	channel_send_source(channel, &first->source);
	for (int i = 0; i < 10 && !first->n_freed; i++)
		turn();
	ck_assert_uint_eq(first->n_freed, 1);
}
END_TEST

/* Who has nothing to say yet is asked again, but in another turn. */
START_TEST(source_may_need_time)
{
	struct test_source *source = source_of(0, 1);
	static char heard[1000];
	int n = 0;

	source->n_empty = 5;
	channel_send_source(channel, &source->source);
	ck_assert_uint_eq(source->n_empty, 4);
	for (; n < 1000 && !*heard; n++) {
		turn();
		hear_some(heard, sizeof heard);
	}
	ck_assert_str_eq(heard, "0");
	ck_assert_int_ge(n, 4);
}
END_TEST

/* It is not asked for as much as others, and goes on all the same. */
START_TEST(source_may_be_slow)
{
	struct test_source *source = source_of(0, 20);
	static char heard[1000];

	source->needs_ms = 5;
	channel_send_source(channel, &source->source);
	for (int i = 0; i < 1000 && !source->n_freed; i++) {
		unsigned n_asked = source->n_asked;

		turn();
		/* By an event for output and one for what is left. */
		ck_assert_uint_le(source->n_asked, n_asked + 2);
		hear_some(heard, sizeof heard);
	}
	ck_assert_uint_eq(source->n_freed, 1);
}
END_TEST

START_TEST(source_goes_with_its_channel)
{
	struct test_source *source = source_of(0, 1000);
	struct test_source *late = source_of(1, 1);
	unsigned n_asked;

	channel_send_source(channel, &source->source);
	channel_end(channel, CHANNEL_LAGGING);
	n_asked = source->n_asked;
	channel_send_source(channel, &late->source);
	ck_assert_uint_eq(late->n_freed, 1);
	ck_assert_uint_eq(late->n_asked, 0);
	for (int i = 0; i < 10; i++)
		turn();
	ck_assert_int_eq(end, CHANNEL_LAGGING);
	ck_assert_uint_eq(source->n_asked, n_asked);
	channel_free(channel);
	channel = NULL;
	ck_assert_uint_eq(source->n_freed, 1);
}
END_TEST

/* What waits behind a source waits, too. */
START_TEST(backlog_behind_a_source)
{
	struct test_source *source = source_of(0, 1000);

	channel_send_source(channel, &source->source);
	for (int i = 0; i < 20000 && !n_ended; i++) {
		for (int j = 0; j < 100; j++)
			put("0123456789");
		turn();
	}
	ck_assert_int_eq(n_ended, 1);
	ck_assert_int_eq(end, CHANNEL_BACKLOGGED);
}
END_TEST

/* Also if it is always ready for more than there is. */
START_TEST(taking_a_source_is_a_sign_of_life)
{
	struct test_source *source = source_of(0, 1000);
	static char heard[10000];
	int64_t alive_ms;

	channel_send_source(channel, &source->source);
	for (int i = 0; i < 200; i++)
		turn();
	alive_ms = channel_alive_ms(channel);
	wait_ms(2);
	turn();
	ck_assert_int_eq(channel_alive_ms(channel), alive_ms);
	for (int i = 0; i < 10; i++) {
		hear_some(heard, sizeof heard);
		turn();
	}
	ck_assert_int_gt(channel_alive_ms(channel), alive_ms);
}
END_TEST

START_TEST(peer_goes)
{
	shutdown(fd, SHUT_WR);
	turn();
	turn();
	ck_assert_int_eq(n_ended, 1);
	ck_assert_int_eq(end, CHANNEL_CLOSED);
}
END_TEST

START_TEST(each_end_has_a_text)
{
	for (int i = 0; i < N_CHANNEL_ENDS; i++)
		ck_assert_ptr_nonnull(channel_end_text(
				(enum channel_end) i));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("channel");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, together);
	tcase_add_test(tcase, alone);
	tcase_add_test(tcase, ends_once);
	tcase_add_test(tcase, ends_later);
	tcase_add_test(tcase, backlog);
	tcase_add_test(tcase, last_words);
	tcase_add_test(tcase, pieces);
	tcase_add_test(tcase, pieces_held);
	tcase_add_test(tcase, unspeakable);
	tcase_add_test(tcase, peer_goes);
	tcase_add_test(tcase, each_end_has_a_text);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("sources");
	tcase_add_checked_fixture(tcase, set_up_large, tear_down);
	tcase_add_test(tcase, source_is_asked_as_its_pieces_are_taken);
	tcase_add_test(tcase, sources_come_in_their_order);
	tcase_add_test(tcase, source_may_need_time);
	tcase_add_test(tcase, source_may_be_slow);
	tcase_add_test(tcase, source_goes_with_its_channel);
	tcase_add_test(tcase, backlog_behind_a_source);
	tcase_add_test(tcase, taking_a_source_is_a_sign_of_life);
	tcase_add_test(tcase, full_and_drained);
	tcase_add_test(tcase, lagging);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
