/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "tests/unit/ovsdb_tools.h"

/* A column of every type that rows have a form of their own for. */
static const char every_form[] =
	"{'name':'d','version':'1.0.0','tables':{"
	"'Target':{'columns':{'name':{'type':'string'}},'isRoot':false},"
	"'Weak':{'columns':{'to':{'type':{'key':{'type':'uuid',"
	"'refTable':'Target','refType':'weak'},'min':0,'max':'unlimited'}}}},"
	"'Every':{'columns':{"
	"'b':{'type':'boolean'},"
	"'i':{'type':'integer'},"
	"'r':{'type':'real'},"
	"'s':{'type':'string'},"
	"'u':{'type':'uuid'},"
	"'mb':{'type':{'key':'boolean','min':0}},"
	"'mi':{'type':{'key':'integer','min':0}},"
	"'mr':{'type':{'key':'real','min':0}},"
	"'ms':{'type':{'key':'string','min':0}},"
	"'mu':{'type':{'key':'uuid','min':0}},"
	"'sb':{'type':{'key':'boolean','min':0,'max':2}},"
	"'si':{'type':{'key':'integer','min':0,'max':'unlimited'}},"
	"'ss':{'type':{'key':'string','min':0,'max':'unlimited'}},"
	"'su':{'type':{'key':'uuid','min':0,'max':'unlimited'}},"
	"'one':{'type':{'key':'string','min':1,'max':'unlimited'}},"
	"'map':{'type':{'key':'string','value':'string','min':0,"
	"'max':'unlimited'}},"
	"'mapu':{'type':{'key':'integer','value':'uuid','min':0,'max':1}},"
	"'map1':{'type':{'key':'string','value':'real','min':1,'max':1}},"
	"'strong':{'type':{'key':{'type':'uuid','refTable':'Target'},"
	"'min':0,'max':'unlimited'}}}}}}";

static uint64_t state = 1;

static uint32_t
draw(uint32_t n)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t) (state >> 33) % n;
}

static json_t *
draw_atom(enum atom_type type)
{
	char text[80];
	struct uuid uuid;

	switch (type) {
	case ATOM_INTEGER:
		return json_integer((int64_t) draw(100) - 50);
	case ATOM_REAL:
		return json_real(draw(100) / 8. - 5);
	case ATOM_BOOLEAN:
		return json_boolean(draw(2));
	case ATOM_UUID:
		memset(&uuid, draw(256), sizeof uuid);
		uuid_to_text(&uuid, text);
		return json_pack("[ss]", "uuid", text);
	default:
		snprintf(text, sizeof text, "%0*u", 1 + (int) draw(70),
			 draw(50));
		return json_string(draw(8) ? text : "");
	}
}

/* A value that the type allows; elements may be the same: then fewer. */
static void
draw_datum(const struct column_type *type, struct datum *ret_datum)
{
	uint32_t max = type->n_max > 5 ? 5 : type->n_max;
	uint32_t n = type->n_min + draw(max - type->n_min + 1);
	struct ovsdb_error *error;

	do {
		json_t *atoms = json_array(), *json;
		bool is_map = column_type_is_map(type);

		for (uint32_t i = 0; i < n; i++)
			json_array_append_new(atoms, is_map ? json_pack(
				"[oo]", draw_atom(type->key.type),
				draw_atom(type->value.type))
				: draw_atom(type->key.type));
		json = json_pack("[so]", is_map ? "map" : "set", atoms);
		error = datum_from_json(json, type, NULL, ret_datum);
		json_decref(json);
		ovsdb_error_free(error);
	} while (error);
}

static bool
has_values(const struct row *row, const struct datum *values)
{
	const struct table_schema *schema = table_schema(row_table(row));

	for (size_t i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct column *column = schema->columns[i];
		struct datum room;
		const struct datum *d = row_datum(row, column, &room);

		if (d->is_map != column_type_is_map(&column->type)
		    || !datum_equal(d, &values[i], &column->type)
		    || datum_compare(d, &values[i], &column->type))
			return false;
	}
	return true;
}

/* Against an array of the same values. */
static void
write_at_random(struct table *table)
{
	const struct table_schema *schema = table_schema(table);
	struct datum *values = xcalloc(schema->n_columns, sizeof *values);
	struct row *row, *clone;
	struct uuid uuid;

	uuid_generate(&uuid);
	row = row_new(table, &uuid);
	for (size_t i = N_STANDARD_COLUMNS; i < schema->n_columns; i++)
		datum_init_default(&values[i], &schema->columns[i]->type);
	ck_assert(has_values(row, values));
	for (int step = 0; step < 300; step++) {
		size_t i = N_STANDARD_COLUMNS
			+ draw(schema->n_columns - N_STANDARD_COLUMNS);
		const struct column *column = schema->columns[i];
		struct datum d;

		datum_done(&values[i], &column->type);
		draw_datum(&column->type, &values[i]);
		datum_copy(&values[i], &column->type, &d);
		row_put(row, column, &d);
		ck_assert(has_values(row, values));
		if (draw(10))
			continue;
		clone = row_clone(row);
		ck_assert(has_values(clone, values));
		ck_assert(row_has_equal(row, clone, column));
		ck_assert(uuid_equal(row_uuid(row), row_uuid(clone)));
		ck_assert_uint_eq(row_size(row), row_size(clone));
		row_free(row);
		row = clone;
	}
	ck_assert(uuid_equal(row_uuid(row), &uuid));
	ck_assert_ptr_eq(row_table(row), table);
	for (size_t i = N_STANDARD_COLUMNS; i < schema->n_columns; i++)
		datum_done(&values[i], &schema->columns[i]->type);
	free(values);
	row_free(row);
}

START_TEST(every_form_keeps_its_value)
{
	struct database *db = database_new(schema_of(every_form), NULL);

	for (int i = 0; i < 20; i++)
		write_at_random(database_table(db, "Every"));
	write_at_random(database_table(db, "Target"));
	database_free(db);
}
END_TEST

/* As many columns as somebody can think of: a row of its own slab. */
START_TEST(wide_rows)
{
	enum { N = 5000 };
	json_t *columns = json_object(), *json;
	struct ovsdb_error *error;
	struct schema *schema;
	struct database *db;

	for (int i = 0; i < N; i++) {
		char name[8];

		snprintf(name, sizeof name, "c%d", i);
		json_object_set_new(columns, name, json_pack(
			"{ss}", "type", i % 3 ? "uuid" : "string"));
	}
	json = json_pack("{sssss{s{so}}}", "name", "d", "version", "1.0.0",
			 "tables", "T", "columns", columns);
	error = schema_from_json(json, &schema);
	ck_assert_ptr_null(error);
	json_decref(json);
	db = database_new(schema, NULL);
	write_at_random(database_table(db, "T"));
	database_free(db);
}
END_TEST

START_TEST(versions_differ)
{
	struct database *db = database_new(schema_of(every_form), NULL);
	struct table *table = database_table(db, "Every");
	const struct column *column = table_schema(table)
		->columns[COLUMN_VERSION];
	struct uuid uuid = { { 1 } }, version, again;
	struct row *row = row_new(table, &uuid), *clone = row_clone(row);
	struct row *other;
	struct datum room;

	version = row_version(row);
	again = row_version(row);
	ck_assert(uuid_equal(&version, &again));
	ck_assert(uuid_equal(&version, datum_uuid(row_datum(row, column,
							    &room))));
	ck_assert_uint_eq(version.bytes[6] >> 4, 4);
	ck_assert_uint_eq(version.bytes[8] >> 6, 2);
	again = row_version(clone);
	ck_assert(!uuid_equal(&version, &again));
	ck_assert(!row_has_equal(row, clone, column));
	uuid.bytes[0] = 2;
	other = row_new(table, &uuid);
	again = row_version(other);
	ck_assert(!uuid_equal(&version, &again));
	row_free(row);
	row_free(clone);
	row_free(other);
	row_free(NULL);
	database_free(db);
}
END_TEST

/* There is room for what the schema lets others hold against a row, and it
 * moves on with the row. */
START_TEST(referred_to)
{
	struct database *db = database_new(schema_of(every_form), NULL);
	struct table *targets = database_table(db, "Target");
	struct table *holders = database_table(db, "Weak");
	struct uuid uuid = { { 1 } };
	struct row *target = row_new(targets, &uuid), *next;
	struct row *a = row_new(holders, &uuid);
	struct row *b = row_new(holders, &uuid);

	row_set_refs(target, 7);
	row_set_refs(a, 7);
	ck_assert_uint_eq(row_refs(target), 7);
	ck_assert_uint_eq(row_refs(a), 0);	/* Nobody can refer to it. */
	row_add_referrer(a, target);
	row_add_referrer(b, target);
	row_add_referrer(a, target);
	next = row_clone(target);
	ck_assert_uint_eq(row_refs(next), 0);
	ck_assert_ptr_null(row_first_in(next));
	row_succeed(target, next);
	row_free(target);
	ck_assert_uint_eq(row_refs(next), 7);
	ck_assert_ptr_eq(row_first_in(next)->table, holders);
	ck_assert_ptr_null(row_first_in(a));
	ck_assert_ptr_nonnull(row_first_out(a));
	ck_assert_ptr_null(row_first_out(next));
	row_drop_referrers(a);
	ck_assert_ptr_eq(row_first_in(next), row_first_out(b));
	row_drop_referrers(b);
	ck_assert_ptr_null(row_first_in(next));
	row_free(a);
	row_free(b);
	row_free(next);
	database_free(db);
}
END_TEST

/* What a million of them cost. */
START_TEST(small)
{
	static const char macs[] =
		"{'name':'d','version':'1.0.0','tables':{'L':{'columns':{'n':"
		"{'type':'string'}}},"
		"'Mac':{'columns':{'MAC':{'type':'string'},'ipaddr':{'type':"
		"'string'},'ls':{'type':{'key':{'type':'uuid','refTable':'L'}"
		"}},'to':{'type':{'key':{'type':'uuid','refTable':'L'}}}}}}}";
	struct database *db = database_new(schema_of(macs), NULL);
	struct uuid uuid = { { 1 } };
	struct row *row = row_new(database_table(db, "Mac"), &uuid);

	ck_assert_uint_le(row_size(row), 80);
	row_free(row);
	database_free(db);
}
END_TEST

CHECK_MAIN("row", every_form_keeps_its_value, wide_rows, versions_differ,
	   referred_to, small)
