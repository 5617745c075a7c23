/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/decode.h"

#include "agent/ovsdb/value/encode.h"
#include "agent/ovsdb/store/row.h"
#include "tests/unit/ovsdb_tools.h"

static uint64_t seed = 5;

static unsigned
draw(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % n;
}

static const struct table_schema *
table_of(struct schema *schema, const char *name)
{
	return schema_table(schema, name);
}

/* Both ways of reading say the same, or both that it is wrong. */
static void
check_same(const char *text, size_t size, const struct column *column,
	   int *n_good)
{
	json_t *json = json_loadb(text, size, JSON_DECODE_ANY, NULL);
	struct datum one, two;
	struct ovsdb_error *a, *b;

	a = decode_datum(text, size, &column->type, &one);
	if (!json) {
		ck_assert_msg(a != NULL, "%.*s", (int) size, text);
		ovsdb_error_free(a);
		return;
	}
	b = datum_from_json_unchecked(json, &column->type, &two);
	json_decref(json);
	ck_assert_msg(!a == !b, "%s: %.*s: %s", column->name, (int) size,
		      text, a ? a->details : b ? b->details : "");
	if (!a) {
		ck_assert_msg(datum_equal(&one, &two, &column->type)
			      && one.is_map == two.is_map,
			      "%s: %.*s", column->name, (int) size, text);
		datum_done(&one, &column->type);
		datum_done(&two, &column->type);
		++*n_good;
	}
	ovsdb_error_free(a);
	ovsdb_error_free(b);
}

#define U "00000000-0000-0000-0000-00000000000"

static const char *const values[] = {
	"0", "-0", "7", "-7", "007", "1.0", "1e3", "1.5", "123456789012345678",
	"1234567890123456789", "9223372036854775807", "9223372036854775808",
	"-9223372036854775808", "-", "+1", "true", "false", "null", "tru",
	"''", "'a'", "'a", "'a\\n'", "'\\u0041'", "'\\u0000'", "'\\ud800'",
	"'\303\251'", "'\303'", "'\377'", "'\x7f'", "'\x01'", "'a' ", " 'a'",
	"'a','b'", "[]", "[1]", "{}", "{'a':1}", "['set',[]]",
	"['set',[1]]", "['set',[1,2,3]]", "['set',[3,2,1]]",
	"['set',[1,1]]", "['set',[1,2,3]", "['set',[1,2,,3]]",
	"['set',[1 ,2]]", "[ 'set' , [ 1 ] ]", "['set',['a','b']]",
	"['set',['b','a','c']]", "['set',[true,false]]", "['set',[1,'a']]",
	"['map',[]]", "['map',[['a','b']]]", "['map',[['a','b'],['c','d']]]",
	"['map',[['c','b'],['a','d']]]", "['map',[['a','b'],['a','d']]]",
	"['map',[['a']]]", "['map',[['a','b','c']]]", "['map',[['a',1]]]",
	"['map',[['a','b']", "['map',1]", "['uuid','" U "1']",
	"['uuid','" U "x']", "['uuid','1']", "['uuid']",
	"['named-uuid','a']", "['set',[['uuid','" U "1'],['uuid','" U
	"2']]]", "['map',[[['uuid','" U "1'],['uuid','" U "2']]]]",
};

START_TEST(data_are_what_jansson_makes_of_them)
{
	struct schema *schema = schema_of(everything);
	const struct table_schema *table = table_of(schema, "R");
	int n_good = 0, n = 0;
	size_t i, j, k;

	for (i = 0; i < sizeof values / sizeof *values; i++) {
		char *text = strdup(values[i]);
		size_t size = strlen(text);

		for (k = 0; k < size; k++)
			if (text[k] == '\'')
				text[k] = '"';
		for (j = N_STANDARD_COLUMNS; j < table->n_columns; j++) {
			check_same(text, size, table->columns[j], &n_good);
			/* And with any byte wrong, or the end missing. */
			for (k = 0; k < 40 && size; k++) {
				size_t at = draw(size);
				char was = text[at];

				text[at] = draw(256);
				if (draw(2))
					text[at] = "\"[],:1 "[draw(7)];
				check_same(text, draw(4) ? size : at,
					   table->columns[j], &n_good);
				text[at] = was;
				n++;
			}
		}
		free(text);
	}
	ck_assert_int_gt(n_good, 500);
	ck_assert_int_gt(n, 40000);
	schema_free(schema);
}
END_TEST

START_TEST(text_is_what_jansson_would_write)
{
	struct schema *schema = schema_of(everything);
	const struct table_schema *table = table_of(schema, "R");
	static const char alphabet[] = "ab\"\\/\b\f\n\r\t\v\x01\x1f\x7f 9";
	int n = 0, round;
	size_t j;

	for (round = 0; round < 400; round++) {
		for (j = N_STANDARD_COLUMNS; j < table->n_columns; j++) {
			const struct column *column = table->columns[j];
			struct encoding e = { 0 };
			struct datum d;
			json_t *json;
			char *text;

			datum_init_default(&d, &column->type);
			if (column->type.key.type == ATOM_STRING) {
				char bytes[12] = "";
				unsigned i, size = draw(11);

				for (i = 0; i < size; i++)
					bytes[i] = alphabet[draw(
						sizeof alphabet - 1)];
				datum_done(&d, &column->type);
				datum_init_empty(&d, &column->type);
				datum_add_string(&d, bytes,
						 column_type_is_map(
							&column->type)
						 ? "\303\251" : NULL);
			} else if (column_type_is_scalar(&column->type)
				   && column->type.key.type == ATOM_INTEGER) {
				d.one.integer = (int64_t) ((uint64_t) draw(
					UINT32_MAX) << draw(33));
				if (round == 0)
					d.one.integer = INT64_MIN;
			} else if (column->type.key.type == ATOM_REAL) {
				d.one.real = draw(1000000) / 7.0
					     * (draw(2) ? 1e300 : 1);
			}
			json = datum_to_json(&d, &column->type);
			text = json_dumps(json,
					  JSON_COMPACT | JSON_ENCODE_ANY);
			encode_datum(&e, &d, &column->type);
			encode_bytes(&e, "", 1);
			ck_assert_str_eq(e.bytes, text);
			datum_done(&d, &column->type);
			encode_done(&e);
			free(text);
			json_decref(json);
			n++;
		}
	}
	ck_assert_int_gt(n, 5000);
	schema_free(schema);
}
END_TEST

/* Through a window that is smaller than the text. */
START_TEST(a_stream_is_read_piece_by_piece)
{
	enum { N = 5000 };
	FILE *stream = tmpfile();
	struct decoding d;
	const char *text;
	char name[64];
	size_t size;
	long end;
	int i;

	fputs("before {", stream);
	for (i = 0; i < N; i++)
		fprintf(stream, "%s \"%d\" : [%d, {\"}]\\\\\\\"\": %*d}]",
			i ? "," : "", i, i, i % 300, i);
	fputs("} after", stream);
	end = ftell(stream);
	fseek(stream, 7, SEEK_SET);
	decode_stream(&d, stream, end - 7 - 6);
	ck_assert(decode_char(&d, '{'));
	for (i = 0; i < N; i++) {
		json_t *json;

		ck_assert(decode_name(&d, name, sizeof name));
		ck_assert_int_eq(atoi(name), i);
		ck_assert(decode_char(&d, ':'));
		ck_assert(decode_extent(&d, &text, &size));
		json = json_loadb(text, size, 0, NULL);
		ck_assert_int_eq(json_integer_value(json_array_get(json, 0)),
				 i);
		json_decref(json);
		ck_assert(decode_char(&d, i + 1 < N ? ',' : '}'));
	}
	ck_assert(!decode_char(&d, 'a'));
	ck_assert(!decode_extent(&d, &text, &size));
	decode_done(&d);
	fclose(stream);
}
END_TEST

/* Across pieces. */
START_TEST(what_is_held_stays)
{
	enum { N = 3000, EACH = 10 };
	FILE *stream = tmpfile();
	struct decoding d;

	fputs("[", stream);
	for (int i = 0; i < N; i++)
		fprintf(stream, "%s[%d,%*d]", i ? "," : "", i, i % 300, i);
	fputs("]", stream);
	rewind(stream);
	decode_stream(&d, stream, INT64_MAX);
	ck_assert(decode_char(&d, '['));
	for (int i = 0; i < N; i += EACH) {
		size_t offsets[EACH], size;
		const char *text, *held;

		decode_hold(&d);
		ck_assert_uint_eq(decode_held(&d, &held), 0);
		for (int j = 0; j < EACH; j++) {
			ck_assert(decode_extent(&d, &text, &size));
			offsets[j] = decode_held(&d, &held) - size;
			ck_assert_ptr_eq(held + offsets[j], text);
			ck_assert(decode_char(&d, i + j + 1 < N ? ',' : ']'));
		}
		decode_held(&d, &held);
		for (int j = 0; j < EACH; j++)
			ck_assert_int_eq(atoi(held + offsets[j] + 1), i + j);
	}
	decode_done(&d);
	fclose(stream);
}
END_TEST

CHECK_MAIN("decode", data_are_what_jansson_makes_of_them,
	   text_is_what_jansson_would_write, a_stream_is_read_piece_by_piece,
	   what_is_held_stays)
