/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/base/brackets.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <check.h>

enum { MAX_DEPTH = 9, MAX_SIZE = 400 };

/* Byte by byte, and nothing else: the twin. */
static enum brackets_status
look(const char *bytes, size_t size, size_t *ret_end)
{
	bool is_string = false;
	unsigned depth = 0;
	size_t i;

	for (i = 0; i < size; i++) {
		if (is_string && bytes[i] == '\\')
			i++;
		else if (bytes[i] == '"')
			is_string = !is_string;
		else if (is_string)
			continue;
		else if (bytes[i] == '[' || bytes[i] == '{')
			depth++;
		else if (bytes[i] == ']' || bytes[i] == '}')
			depth--;
		else
			continue;
		*ret_end = i + 1;
		if (depth > MAX_DEPTH)
			return BRACKETS_TOO_DEEP;
		if (!depth)
			return BRACKETS_CLOSED;
	}
	*ret_end = size;
	return BRACKETS_OPEN;
}

/* In pieces of random sizes. */
static enum brackets_status
scan(const char *bytes, size_t size, size_t max_piece, size_t *ret_end)
{
	struct brackets brackets = { .max_depth = MAX_DEPTH };
	enum brackets_status status = BRACKETS_OPEN;
	size_t i = 0, end;

	while (i < size && status == BRACKETS_OPEN) {
		size_t n = 1 + (size_t) rand() % max_piece;

		n = n < size - i ? n : size - i;
		status = brackets_scan(&brackets, bytes + i, n, &end);
		ck_assert(status != BRACKETS_OPEN || end == n);
		i += end;
	}
	ck_assert(status != BRACKETS_CLOSED
		  || (!brackets.depth && !brackets.is_string
		      && !brackets.is_escaped));
	*ret_end = i;
	return status;
}

/* Few brackets, so that texts get long; now and then no backslashes, or a
 * lot. */
static void
make_text(char *text, size_t size)
{
	static const char *const kinds[] = {
		"abcdefghijklmnopqrstuvwx   ,,,:::[]{}\"\"\"\"",
		"abcdefgh[]{}\"\"\\\\\\\\\\",
		"a,[[[[{{{{{]\"\"",
		"Yy_\x7f,:[]{}\"\"\"",
		"\xfb\xfd\xdb\xa2\xdc\x1b\x5c[]\"\"abcde\x01\x02",
	};
	const char *kind = kinds[rand() % 5];
	size_t i;

	text[0] = "[{"[rand() % 2];
	for (i = 1; i < size; i++)
		text[i] = kind[(size_t) rand() % strlen(kind)];
}

START_TEST(as_byte_by_byte)
{
	unsigned n[3] = { 0, 0, 0 };
	char text[MAX_SIZE];
	int i;

	srand(_i);
	for (i = 0; i < 20000; i++) {
		size_t size = 1 + (size_t) rand() % MAX_SIZE, end, twin;
		enum brackets_status status;

		make_text(text, size);
		status = look(text, size, &twin);
		ck_assert_int_eq(scan(text, size, MAX_SIZE, &end), status);
		ck_assert_uint_eq(end, twin);
		ck_assert_int_eq(scan(text, size, 1 + i % 70, &end), status);
		ck_assert_uint_eq(end, twin);
		n[status]++;
	}
	for (i = 0; i < 3; i++)
		ck_assert_uint_gt(n[i], 500);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("brackets");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_add_loop_test(tcase, as_byte_by_byte, 0, 4);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
