/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/jsonrpc.h"

#include <stdlib.h>
#include <string.h>
#include <check.h>

enum { MAX_SIZE = 1000, MAX_DEPTH = 10 };

static struct jsonrpc_reader reader;

static void
set_up(void)
{
	jsonrpc_reader_init(&reader, MAX_SIZE, MAX_DEPTH);
}

static void
tear_down(void)
{
	jsonrpc_reader_done(&reader);
}

/* Reads the text in pieces of the given size; returns the messages, or the
 * status at which the stream was lost. */
static enum jsonrpc_status
read_all(const char *text, size_t size, size_t piece, json_t *messages)
{
	for (size_t i = 0; i < size;) {
		size_t n = size - i < piece ? size - i : piece;
		json_t *message;
		size_t used;
		enum jsonrpc_status status
			= jsonrpc_read(&reader, text + i, n, &used, &message);

		if (status == JSONRPC_MESSAGE)
			ck_assert(!json_array_append_new(messages, message));
		else if (status != JSONRPC_MORE)
			return status;
		ck_assert_uint_le(used, n);
		ck_assert(used > 0);
		i += used;
	}
	return JSONRPC_MORE;
}

static enum jsonrpc_status
status_of(const char *text)
{
	json_t *messages = json_array();
	enum jsonrpc_status status = read_all(text, strlen(text), 3,
					      messages);

	json_decref(messages);
	jsonrpc_reader_done(&reader);
	set_up();
	return status;
}

START_TEST(pieces_of_any_size)
{
	static const char text[] =
		" \r\n\t{\"a\":1}{\"b\":\"}\\\"{\\\\\"}\n\n"
		"{\"c\":[{},[[]],\"]\",\"\\u00e4\xc3\xa4\"]}  {}";
	json_t *expected = json_loads(
		"[{\"a\":1},{\"b\":\"}\\\"{\\\\\"},"
		"{\"c\":[{},[[]],\"]\",\"\xc3\xa4\xc3\xa4\"]},{}]", 0, NULL);

	for (size_t piece = 1; piece <= sizeof text; piece++) {
		json_t *messages = json_array();

		ck_assert_int_eq(read_all(text, strlen(text), piece,
					  messages), JSONRPC_MORE);
		ck_assert(json_equal(messages, expected));
		json_decref(messages);
	}
	json_decref(expected);
}
END_TEST

/* Room that was taken for a large message goes with it. */
START_TEST(large_ones_are_forgotten)
{
	static char text[300000];
	const char *read;
	size_t used, size;

	jsonrpc_reader_done(&reader);
	jsonrpc_reader_init(&reader, sizeof text, MAX_DEPTH);
	memset(text, ' ', sizeof text);
	text[0] = '{';
	text[sizeof text - 1] = '}';
	ck_assert_int_eq(jsonrpc_read_text(&reader, text, 200000, &used, &read,
					   &size), JSONRPC_MORE);
	ck_assert_uint_eq(used, 200000);
	ck_assert_int_eq(jsonrpc_read_text(&reader, text + used,
					   sizeof text - used, &used, &read,
					   &size), JSONRPC_MESSAGE);
	ck_assert_uint_eq(used, sizeof text - 200000);
	ck_assert_uint_eq(size, sizeof text);
	ck_assert(!memcmp(read, text, size));
	ck_assert_uint_ge(reader.allocated, sizeof text);
	jsonrpc_forget(&reader);
	ck_assert_uint_eq(reader.allocated, 0);
}
END_TEST

START_TEST(what_is_no_object)
{
	static const char *const texts[] = {
		"[1]", "5", "\"x\"", "null", "}", "x{}", "{]", "{\"a\"}",
		"{\"a\":1,}", "{\"a\":01}", "{a:1}", "{\"a\":\"\n\"}",
		"{\"a\":\"\\u0000\"}", "{\"a\":\"\xff\"}", "{\"a\":1}x",
		"{\"a\":nul}", "{\"a\":[}]}", "{\"\\ud800\":1}",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		ck_assert_msg(status_of(texts[i]) == JSONRPC_MALFORMED,
			      "%s", texts[i]);
}
END_TEST

START_TEST(what_is_not_complete)
{
	static const char *const texts[] = {
		"", " ", "{", "{\"a\":\"}", "{\"a\":\"\\\"}", "{\"a\":{}",
		"{}{",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		ck_assert_msg(status_of(texts[i]) == JSONRPC_MORE, "%s",
			      texts[i]);
}
END_TEST

START_TEST(longest_message)
{
	char text[MAX_SIZE + 2];

	memset(text, ' ', sizeof text);
	text[0] = '{';
	text[MAX_SIZE - 1] = '}';
	text[MAX_SIZE] = '\0';
	ck_assert_int_eq(status_of(text), JSONRPC_MORE);
	text[MAX_SIZE - 1] = ' ';
	text[MAX_SIZE] = '}';
	text[MAX_SIZE + 1] = '\0';
	ck_assert_int_eq(status_of(text), JSONRPC_TOO_LONG);
	/* Without an end it is refused as soon as it is too long. */
	text[MAX_SIZE] = ' ';
	ck_assert_int_eq(status_of(text), JSONRPC_TOO_LONG);
}
END_TEST

/* Blanks between messages belong to none, however many. */
START_TEST(blanks_have_no_end)
{
	char blanks[3 * MAX_SIZE + 1];

	memset(blanks, ' ', sizeof blanks - 1);
	blanks[sizeof blanks - 1] = '\0';
	ck_assert_int_eq(status_of(blanks), JSONRPC_MORE);
}
END_TEST

START_TEST(deepest_message)
{
	char text[2 * MAX_DEPTH + 20];
	size_t n = 0;

	n += (size_t) sprintf(text, "{\"a\":");
	for (int i = 1; i < MAX_DEPTH; i++)
		text[n++] = '[';
	for (int i = 1; i < MAX_DEPTH; i++)
		text[n++] = ']';
	strcpy(text + n, "}");
	ck_assert_int_eq(status_of(text), JSONRPC_MORE);

	/* It does not wait for the rest. */
	n = (size_t) sprintf(text, "{\"a\":");
	for (int i = 0; i < MAX_DEPTH; i++)
		text[n++] = i % 2 ? '[' : '{';
	text[n] = '\0';
	ck_assert_int_eq(status_of(text), JSONRPC_TOO_DEEP);
}
END_TEST

/* Beside a naive twin: texts made by the library, joined, cut at random. */
START_TEST(random_pieces)
{
	char text[20000] = "";
	json_t *expected = json_array(), *messages = json_array();
	size_t size, i = 0;

	srand(_i);
	for (int k = 0; k < 40; k++) {
		char string[20];
		json_t *message;
		char *one;

		for (size_t c = 0; c < sizeof string; c++)
			string[c] = "{}[]\"\\ ,:x"[rand() % 10];
		string[rand() % (int) sizeof string] = '\0';
		string[sizeof string - 1] = '\0';
		message = json_pack("{s:[i,{s:s}], s:f}", string, rand(),
				    "k", string, "other", 1.5 * rand());
		one = json_dumps(message, rand() % 2 ? JSON_COMPACT
						     : JSON_INDENT(3));
		strcat(text, one);
		if (rand() % 2)
			strcat(text, "\r\n");
		free(one);
		json_array_append_new(expected, message);
	}
	size = strlen(text);
	while (i < size) {
		size_t n = 1 + (size_t) rand() % 50;

		n = n < size - i ? n : size - i;
		ck_assert_int_eq(read_all(text + i, n, n, messages),
				 JSONRPC_MORE);
		i += n;
	}
	ck_assert(json_equal(messages, expected));
	json_decref(messages);
	json_decref(expected);
}
END_TEST

START_TEST(each_status_has_a_text)
{
	for (int i = JSONRPC_MORE; i <= JSONRPC_TOO_DEEP; i++)
		ck_assert_ptr_nonnull(jsonrpc_status_text(
				(enum jsonrpc_status) i));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("jsonrpc");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, pieces_of_any_size);
	tcase_add_test(tcase, large_ones_are_forgotten);
	tcase_add_test(tcase, what_is_no_object);
	tcase_add_test(tcase, what_is_not_complete);
	tcase_add_test(tcase, longest_message);
	tcase_add_test(tcase, blanks_have_no_end);
	tcase_add_test(tcase, deepest_message);
	tcase_add_loop_test(tcase, random_pieces, 0, 20);
	tcase_add_test(tcase, each_status_has_a_text);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
