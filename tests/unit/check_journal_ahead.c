/* SPDX-License-Identifier: Apache-2.0 */

/* Records read ahead are those that are read one after the other. */

#include "agent/ovsdb/store/journal_ahead.h"

#include <string.h>

#include "tests/unit/ovsdb_tools.h"

static FILE *stream;

static void
add(size_t size, char fill)
{
	size_t room = JOURNAL_HEADER_MAX;
	char *text = malloc(room + size), sha1[JOURNAL_SHA1_TEXT_SIZE];
	size_t header;

	memset(text + room, fill, size);
	text[room + size - 1] = '\n';
	header = journal_put_header(text + room, size, sha1);
	fwrite(text + room - header, 1, header + size, stream);
	free(text);
}

/* Many small ones, some large ones, and some that are not in memory. */
static void
add_all(void)
{
	stream = tmpfile();
	for (int i = 0; i < 5000; i++)
		add(2 + i % 700, '0' + i % 10);
	for (int i = 0; i < 8; i++)
		add(900 << 10, 'a' + i);
	for (int i = 0; i < 4; i++) {
		add(JOURNAL_READ_BODY_MAX + 1, 'A' + i);
		for (int j = 0; j < i; j++)
			add(77, 'z');
	}
	add(10, 'e');
}

static struct journal_reader
reader_begin(void)
{
	fseek(stream, 0, SEEK_END);
	return (struct journal_reader) {
		.stream = stream, .path = "ahead", .size = ftell(stream)
	};
}

/* What was read in a number, large ones from the stream. */
static uint64_t
sum(const struct journal_reader *reader, uint64_t sum)
{
	static const char *const digits = "0123456789abcdef";
	char c;

	sum = sum * 1000003 + (uint64_t) reader->body_size;
	sum = sum * 1000003 + (uint64_t) reader->offset;
	for (const char *p = reader->sha1; *p; p++)
		sum = sum * 31 + (uint64_t) (strchr(digits, *p) - digits);
	if (reader->body) {
		c = reader->body[0];
	} else {
		fseek(stream, reader->offset - reader->body_size, SEEK_SET);
		c = (char) getc(stream);
		fseek(stream, reader->offset, SEEK_SET);
	}
	return sum * 1000003 + (uint64_t) c;
}

/* Until 'max', or the end; with its result. */
static uint64_t
read_all(bool is_ahead, int max, enum journal_read_result *ret_result)
{
	struct journal_reader reader = reader_begin();
	struct journal_ahead *ahead = NULL;
	struct ovsdb_error *error = NULL;
	uint64_t all = 0;

	rewind(stream);
	if (is_ahead)
		ahead = journal_ahead_new(&reader);
	for (int i = 0; i < max; i++) {
		*ret_result = is_ahead ? journal_ahead_next(ahead, &error)
				       : journal_read(&reader, &error);
		if (*ret_result != JOURNAL_READ_RECORD)
			break;
		all = sum(&reader, all);
	}
	all = all * 1000003 + (uint64_t) reader.offset;
	for (const char *p = error ? error->details : ""; *p; p++)
		all = all * 31 + (uint64_t) *p;
	ovsdb_error_free(error);
	journal_ahead_free(ahead);
	journal_read_done(&reader);
	return all;
}

static void
check_both(int max, enum journal_read_result expected)
{
	enum journal_read_result alone, ahead;

	ck_assert(read_all(false, max, &alone) == read_all(true, max, &ahead));
	ck_assert_int_eq(alone, ahead);
	ck_assert_int_eq(ahead, expected);
}

START_TEST(all_are_read)
{
	add_all();
	check_both(1 << 20, JOURNAL_READ_END);
	fclose(stream);
}
END_TEST

START_TEST(small_files_are)
{
	stream = tmpfile();
	check_both(1 << 20, JOURNAL_READ_END);
	add(100, 'x');
	check_both(1 << 20, JOURNAL_READ_END);
	fclose(stream);
}
END_TEST

START_TEST(ends_are_what_they_are)
{
	add_all();
	fputs("OVSDB JSON 12", stream);
	check_both(1 << 20, JOURNAL_READ_TORN);
	fclose(stream);
	add_all();
	fputs("who wrote this?\n", stream);
	check_both(1 << 20, JOURNAL_READ_RUBBISH);
	fclose(stream);
	add_all();
	fseek(stream, 1 << 20, SEEK_SET);
	fputs("##", stream);
	check_both(1 << 20, JOURNAL_READ_DAMAGED);
	fclose(stream);
}
END_TEST

/* While the thread reads, waits to be asked, and waits for the stream. */
START_TEST(it_may_end_early)
{
	static const int after[] = { 0, 1, 256, 300, 5000, 5004, 5009, 5010 };

	add_all();
	for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
		enum journal_read_result result;

		read_all(true, after[i], &result);
	}
	fclose(stream);
}
END_TEST

CHECK_MAIN("journal_ahead", all_are_read, small_files_are,
	   ends_are_what_they_are, it_may_end_early)
