/* SPDX-License-Identifier: Apache-2.0 */

/* What is scanned is what jansson reads; beside it as the twin. */

#include "agent/ovsdb/value/scan.h"

#include <stdio.h>
#include "agent/ovsdb/value/symbols.h"
#include "tests/unit/ovsdb_tools.h"

enum { N_RANDOM = 40000 };

static struct scan
scan_of(const char *text)
{
	return (struct scan) { text, text + strlen(text) };
}

START_TEST(tokens)
{
	struct scan s = scan_of(" \t\r\n{ \"name\" : -12 , \"s\\n\" ] ");
	struct scanned string;
	int64_t integer;

	ck_assert(!scan_is(&s, '['));
	ck_assert(!scan_char(&s, '['));
	ck_assert(scan_is(&s, '{'));
	ck_assert(scan_char(&s, '{'));
	ck_assert(scan_name(&s, &string));
	ck_assert(scanned_is(&string, "name"));
	ck_assert(!scanned_is(&string, "nam"));
	ck_assert(!scanned_is(&string, "names"));
	ck_assert(scan_integer(&s, &integer));
	ck_assert_int_eq(integer, -12);
	ck_assert(scan_char(&s, ','));
	ck_assert(scan_string(&s, &string));
	ck_assert(scanned_is(&string, "s\n"));
	ck_assert(!scan_end(&s));
	ck_assert(scan_char(&s, ']'));
	ck_assert(scan_end(&s));
	ck_assert(!scan_char(&s, ']'));
	ck_assert(!scan_string(&s, &string));
	ck_assert(!scan_integer(&s, &integer));
}
END_TEST

/* Strings of every length, which end in every place of a block of 16 bytes,
 * with every byte in every place. */
START_TEST(strings)
{
	char text[64];

	for (size_t n = 0; n < 40; n++) {
		for (size_t at = 0; at < n + !n; at++) {
			for (int c = 1; c < 256; c++) {
				struct scanned plain;
				struct scan s;
				bool is_plain = c >= ' ' && c < 0x80
						&& c != '"' && c != '\\';

				memset(text, 'x', sizeof text);
				text[0] = text[n + 1] = '"';
				text[n + 2] = '\0';
				if (n)
					text[at + 1] = (char) c;
				s = scan_of(text);
				if (!n || is_plain) {
					ck_assert(scan_plain(&s, &plain));
					ck_assert_uint_eq(plain.size, n);
					ck_assert_ptr_eq(plain.text, text + 1);
					ck_assert(scan_end(&s));
				} else if (c == '"') {
					ck_assert(scan_plain(&s, &plain));
					ck_assert_uint_eq(plain.size, at);
				} else {
					ck_assert(!scan_plain(&s, &plain));
				}
			}
		}
	}
}
END_TEST

static const struct {
	const char *text, *extent, *rest;	/* NULL: none. */
} extents[] = {
	{ " [1,{\"]\":[]}] , 2", "[1,{\"]\":[]}]", " , 2" },
	{ "{}", "{}", "" },
	{ "\"a\\\"]\",1", "\"a\\\"]\"", ",1" },
	{ "12.5e3]", "12.5e3", "]" },
	{ "true}", "true", "}" },
	{ "null:1", "null", ":1" },
	{ "x y", "x", " y" },
	{ "[[]", NULL, NULL },
	{ "\"a", NULL, NULL },
	{ "\"a\\", NULL, NULL },
	{ "", NULL, NULL },
	{ ",", NULL, NULL },
};

START_TEST(where_values_end)
{
	for (size_t i = 0; i < sizeof extents / sizeof *extents; i++) {
		struct scan s = scan_of(extents[i].text), extent;
		size_t size;

		ck_assert_msg(scan_extent(&s, &extent)
			      == (extents[i].extent != NULL), "%s",
			      extents[i].text);
		if (!extents[i].extent)
			continue;
		size = (size_t) (extent.end - extent.p);
		ck_assert_uint_eq(size, strlen(extents[i].extent));
		ck_assert(!memcmp(extent.p, extents[i].extent, size));
		ck_assert_str_eq(s.p, extents[i].rest);
	}
}
END_TEST

/* Values for the columns of table R, valid and not. */
struct writer {
	char text[2048];
	size_t n;
};

static void
put(struct writer *w, const char *text)
{
	size_t size = strlen(text);

	ck_assert_uint_lt(w->n + size + 1, sizeof w->text);
	memcpy(w->text + w->n, text, size + 1);
	w->n += size;
	if (!(rand() % 30))
		put(w, rand() % 2 ? " " : "\n");
}

static void
put_atom(struct writer *w)
{
	static const char *const atoms[] = {
		"0", "-0", "1", "-7", "00", "1.0", "1e3", "1.", "-", "12",
		"123456789012345678", "1234567890123456789",
		"9223372036854775808", "true", "false", "tru", "null",
		"\"\"", "\"a\"", "\"b\"", "\"long one, longer than a block\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0041\"", "\"\\x\"",
		"\"\xc3\xa4\"", "\"\xff\"", "\"\x1f\"", "\"\x7f\"", "\"a",
		"[\"uuid\",\"01234567-89ab-cdef-0123-456789abcdef\"]",
		"[\"uuid\",\"01234567-89AB-CDEF-0123-456789ABCDEF\"]",
		"[\"uuid\",\"01234567-89ab-cdef-0123-456789abcdeg\"]",
		"[\"uuid\",\"01234567-89ab-cdef-0123-456789abcde\"]",
		"[\"named-uuid\",\"x\"]", "[\"named-uuid\",\"y\"]",
		"[\"named-uuid\",1]", "[\"other-uuid\",\"x\"]", "{}", "",
	};

	put(w, atoms[(size_t) rand() % (sizeof atoms / sizeof *atoms)]);
}

static void
put_value(struct writer *w)
{
	int kind = rand() % 4, n = rand() % 4;

	w->n = 0;
	w->text[0] = '\0';
	if (!kind) {
		put_atom(w);
		return;
	}
	put(w, "[");
	put(w, kind == 1 ? "\"map\"" : kind == 2 ? "\"set\"" : "\"sets\"");
	put(w, ",");
	put(w, "[");
	for (int i = 0; i < n; i++) {
		if (i)
			put(w, ",");
		if (kind == 1)
			put(w, "[");
		put_atom(w);
		if (kind == 1) {
			put(w, ",");
			put_atom(w);
			put(w, "]");
		}
	}
	put(w, "]");
	put(w, "]");
}

/* Of the whole text: what comes behind a value is somebody else's to judge. */
static bool
scan_whole(const char *text, const struct column_type *type,
	   struct symbols *symbols, struct datum *ret_datum)
{
	struct scan s = scan_of(text);

	if (!scan_datum(&s, type, symbols, ret_datum))
		return false;
	if (scan_end(&s))
		return true;
	datum_done(ret_datum, type);
	return false;
}

START_TEST(data)
{
	struct schema *schema = schema_of(everything);
	const struct table_schema *table = schema_table(schema, "R");
	unsigned n_scanned = 0, n_odd = 0;
	static struct writer w;

	srand(_i);
	for (int i = 0; i < N_RANDOM; i++) {
		size_t column = (size_t) rand() % table->n_columns;
		const struct column_type *type = &table->columns[column]->type;
		struct symbols *symbols = rand() % 4 ? symbols_new() : NULL;
		struct ovsdb_error *error;
		struct datum a, b;
		json_t *json;

		put_value(&w);
		if (!scan_whole(w.text, type, symbols, &a)) {
			symbols_free(symbols);
			n_odd++;
			continue;
		}
		n_scanned++;
		json = json_loads(w.text, JSON_DECODE_ANY, NULL);
		ck_assert_msg(json != NULL, "%s", w.text);
		error = datum_from_json(json, type, symbols, &b);
		ck_assert_msg(!error, "%s", w.text);
		ck_assert_msg(datum_equal(&a, &b, type)
			      && a.is_map == b.is_map, "%s", w.text);
		datum_done(&a, type);
		datum_done(&b, type);
		json_decref(json);
		symbols_free(symbols);
	}
	ck_assert_uint_gt(n_scanned, N_RANDOM / 50);
	ck_assert_uint_gt(n_odd, N_RANDOM / 2);
	schema_free(schema);
}
END_TEST

/* It may be wrong about what they are, and nothing else. */
START_TEST(strings_are_guessed)
{
	static const char text[] = "{\"MAC\":\"02:00:00:00:00:01\",\"n\":5,"
		"\"ipaddr\":\"10.0.0.1\",\"u\":[\"uuid\",\"x\"],"
		"\"odd\":\"a\\\"b\",\"empty\":\"\",\"last\":\"end";
	static const char *const found[] = {
		"02:00:00:00:00:01", "10.0.0.1", "a", "", "end"
	};

	/* Wherever the blocks that it is read in begin. */
	for (size_t i = 0; i < 20; i++) {
		char *copy = malloc(sizeof text - 1 + i);
		struct scan scan = { copy, copy + sizeof text - 1 + i };
		struct scanned string;

		memset(copy, ' ', i);
		memcpy(copy + i, text, sizeof text - 1);
		for (size_t j = 0; j < sizeof found / sizeof *found; j++) {
			ck_assert(scan_guess(&scan, &string));
			ck_assert_msg(scanned_is(&string, found[j]),
				      "%zu: %.*s", i, (int) string.size,
				      string.text);
		}
		ck_assert(!scan_guess(&scan, &string));
		free(copy);
	}
}
END_TEST

/* What is common is not left to jansson, or it would all be for nothing. */
START_TEST(the_common_is_scanned)
{
	static const struct {
		const char *column, *text;
	} cases[] = {
		{ "name", "\"x\"" }, { "name", "\"a \\\"b\\\"\"" },
		{ "i", "-5" }, { "b", "true" }, { "b", "false" },
		{ "u", "[\"uuid\",\"01234567-89ab-cdef-0123-456789abcdef\"]" },
		{ "strong", "[\"named-uuid\",\"row_1\"]" },
		{ "strong", "[\"set\",[[\"named-uuid\",\"b\"],[\"named-uuid\","
		  "\"a\"]]]" },
		{ "oi", "[\"set\",[]]" }, { "oi", "3" },
		{ "s3", "[\"set\",[\"c\",\"a\",\"b\"]]" },
		{ "m", "[\"map\",[[\"k\",\"v\"],[\"a\",\"\"]]]" },
		{ "m", "[ \"map\" , [ ] ]" },
	};
	struct schema *schema = schema_of(everything);
	const struct table_schema *table = schema_table(schema, "R");
	struct symbols *symbols = symbols_new();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct column *column
			= table_schema_column(table, cases[i].column);
		struct datum d;

		ck_assert_msg(scan_whole(cases[i].text, &column->type, symbols,
					 &d), "%s", cases[i].text);
		datum_done(&d, &column->type);
	}
	symbols_free(symbols);
	schema_free(schema);
}
END_TEST

CHECK_MAIN_LOOP("scan", data, 4, data, tokens, strings, where_values_end,
		strings_are_guessed, the_common_is_scanned)
