/* SPDX-License-Identifier: Apache-2.0 */

/* What a listener's test cannot see: which bytes go in which write. */

#include "agent/net/channel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <check.h>
#include <event2/event.h>

static struct event_base *base;
static struct channel *channel;
static int fd;
static int n_received, n_ended;
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
ended(void *ctx, enum channel_end why)
{
	ck_assert_ptr_eq(ctx, &fd);
	n_ended++;
	end = why;
}

static void
set_up(void)
{
	static const struct channel_ops ops = {
		.receive = receive, .ended = ended,
	};
	static const struct channel_limits limits = {
		.message_size = 100000, .output_size = 1000,
		.message_depth = 10,
	};
	int fds[2];

	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
	base = event_base_new();
	fd = fds[0];
	channel = channel_new(bufferevent_socket_new(base, fds[1],
						     BEV_OPT_CLOSE_ON_FREE),
			      &limits, &ops, &fd);
	n_received = n_ended = 0;
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
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
