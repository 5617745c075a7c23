/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/datum.h"

#include "tests/unit/ovsdb_tools.h"

static struct column_type
type_of(const char *text)
{
	struct column_type type;
	json_t *json = parse(text);

	ck_assert_ptr_null(column_type_from_json(json, &type));
	json_decref(json);
	return type;
}

static const char int_set[] = "{'key':'integer','min':0,'max':'unlimited'}";
static const char map[] =
	"{'key':'string','value':'integer','min':0,'max':'unlimited'}";

static const struct {
	const char *type, *in, *out, *error;
} readings[] = {
	{ "'integer'", "7", "7", NULL },
	{ "'integer'", "['set',[7]]", "7", NULL },
	{ "'integer'", "['set',[]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "'integer'", "['set',[1,2]]", NULL, OVSDB_SYNTAX_ERROR },
	{ int_set, "['set',[3,1,2]]", "['set',[1,2,3]]", NULL },
	{ int_set, "['set',[]]", "['set',[]]", NULL },
	{ int_set, "5", "5", NULL },
	{ int_set, "['set',[1,2,1]]", NULL, OVSDB_SYNTAX_ERROR },
	{ int_set, "['set',[1,'2']]", NULL, OVSDB_SYNTAX_ERROR },
	{ int_set, "['set']", NULL, OVSDB_SYNTAX_ERROR },
	{ int_set, "['set',7]", NULL, OVSDB_SYNTAX_ERROR },
	{ int_set, "['set',[],[]]", NULL, OVSDB_SYNTAX_ERROR },
	{ int_set, "['map',[]]", NULL, OVSDB_SYNTAX_ERROR },
	{ map, "['map',[['b',1],['a',2]]]", "['map',[['a',2],['b',1]]]",
	  NULL },
	{ map, "['map',[['b',1]]]", "['map',[['b',1]]]", NULL },
	{ map, "['map',[]]", "['map',[]]", NULL },
	{ map, "['map',[['a',1],['a',2]]]", NULL, OVSDB_SYNTAX_ERROR },
	{ map, "['map',[['a']]]", NULL, OVSDB_SYNTAX_ERROR },
	{ map, "['map',['a']]", NULL, OVSDB_SYNTAX_ERROR },
	{ map, "['map',[['a','b']]]", NULL, OVSDB_SYNTAX_ERROR },
	{ map, "['map',[['z',1],[1,1]]]", NULL, OVSDB_SYNTAX_ERROR },
	{ map, "['set',[]]", NULL, OVSDB_SYNTAX_ERROR },
	{ map, "'a'", NULL, OVSDB_SYNTAX_ERROR },
	{ "{'key':{'type':'integer','maxInteger':4},'min':0,'max':3}",
	  "['set',[1,5]]", NULL, OVSDB_CONSTRAINT_VIOLATION },
	{ "{'key':'integer','min':0,'max':3}", "['set',[1,2,3,4]]", NULL,
	  OVSDB_SYNTAX_ERROR },
	{ "{'key':'string','value':{'type':'string','maxLength':1},'min':0,"
	  "'max':3}", "['map',[['aa','bb']]]", NULL,
	  OVSDB_CONSTRAINT_VIOLATION },
};

START_TEST(datums_are_read_and_written)
{
	struct column_type type = type_of(readings[_i].type);
	json_t *json = parse(readings[_i].in);
	struct ovsdb_error *error;
	struct datum d;

	error = datum_from_json(json, &type, NULL, &d);
	json_decref(json);
	if (readings[_i].error) {
		ck_assert_ptr_nonnull(error);
		ck_assert_str_eq(error->name, readings[_i].error);
		ovsdb_error_free(error);
	} else {
		ck_assert_ptr_null(error);
		json = datum_to_json(&d, &type);
		check_json(json, readings[_i].out, readings[_i].in);
		json_decref(json);
		datum_done(&d, &type);
	}
	column_type_done(&type);
}
END_TEST

START_TEST(a_set_has_a_limit)
{
	struct column_type type = type_of(int_set);
	json_t *elements = json_array();
	json_t *json = json_array();
	struct ovsdb_error *error;
	struct datum d;
	int64_t i;

	for (i = 0; i < DATUM_MAX_ELEMENTS; i++)
		json_array_append_new(elements, json_integer(-i));
	json_array_append_new(json, json_string("set"));
	json_array_append_new(json, elements);
	ck_assert_ptr_null(datum_from_json(json, &type, NULL, &d));
	ck_assert_uint_eq(d.n, DATUM_MAX_ELEMENTS);
	datum_done(&d, &type);
	json_array_append_new(elements, json_integer(1));
	error = datum_from_json(json, &type, NULL, &d);
	ck_assert_str_eq(error->name, OVSDB_RESOURCES_EXHAUSTED);
	ovsdb_error_free(error);
	json_decref(json);
	column_type_done(&type);
}
END_TEST

START_TEST(plain_values_go_in_and_out)
{
	struct column_type strings = type_of(
		"{'key':'string','min':0,'max':'unlimited'}");
	struct column_type pairs = type_of(
		"{'key':'string','value':'string','min':0,'max':"
		"'unlimited'}");
	struct uuid a = { { 9 } }, b = { { 1 } };
	struct datum d;

	datum_set_integer(&d, -3);
	ck_assert_int_eq(datum_integer(&d, 0), -3);
	datum_set_boolean(&d, true);
	ck_assert(datum_boolean(&d, false));
	datum_init_empty(&d, &strings);
	ck_assert_int_eq(datum_integer(&d, 5), 5);
	ck_assert_str_eq(datum_string(&d, "x"), "x");
	ck_assert_ptr_null(datum_uuid(&d));
	datum_add_string(&d, "b", NULL);
	datum_add_string(&d, "a", NULL);
	datum_add_string(&d, "b", NULL);
	ck_assert_uint_eq(d.n, 2);
	ck_assert_str_eq(datum_string(&d, NULL), "a");
	datum_done(&d, &strings);
	datum_set_string(&d, "only");
	ck_assert_str_eq(datum_string(&d, NULL), "only");
	datum_done(&d, &strings);

	datum_init_empty(&d, &pairs);
	datum_add_string(&d, "k", "1");
	datum_add_string(&d, "a", "2");
	datum_add_string(&d, "k", "3");
	ck_assert_uint_eq(d.n, 2);
	ck_assert_str_eq(datum_map_string(&d, "k", NULL), "3");
	ck_assert_str_eq(datum_map_string(&d, "a", NULL), "2");
	ck_assert_str_eq(datum_map_string(&d, "z", "none"), "none");
	datum_done(&d, &pairs);

	datum_set_uuid(&d, &a);
	datum_add_uuid(&d, &b);
	datum_add_uuid(&d, &a);
	ck_assert_uint_eq(d.n, 2);
	ck_assert(uuid_equal(datum_uuid(&d), &b));
	free(d.many);
	column_type_done(&strings);
	column_type_done(&pairs);
}
END_TEST

/* The twin: which of 16 keys are there, and with what value. */
enum { N_KEYS = 16 };

struct naive {
	bool has[N_KEYS];
	int value[N_KEYS];
};

static unsigned
draw(uint64_t *state, unsigned n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % n;
}

static struct datum
make(const struct naive *naive, const struct column_type *type,
     uint64_t *state)
{
	bool is_map = column_type_is_map(type);
	json_t *elements = json_array();
	json_t *json = json_array();
	struct datum d;
	size_t start = draw(state, N_KEYS);
	size_t i;

	for (i = 0; i < N_KEYS; i++) {
		size_t k = (i + start) % N_KEYS;
		json_t *key = json_sprintf("key %zu", k);

		if (!naive->has[k])
			json_decref(key);
		else if (is_map)
			json_array_append_new(elements, json_pack(
					"[oi]", key, naive->value[k]));
		else
			json_array_append_new(elements, key);
	}
	json_array_append_new(json, json_string(is_map ? "map" : "set"));
	json_array_append_new(json, elements);
	ck_assert_ptr_null(datum_from_json(json, type, NULL, &d));
	json_decref(json);
	return d;
}

static void
check_same(const struct datum *d, const struct naive *naive,
	   const struct column_type *type, uint64_t *state)
{
	struct datum expected = make(naive, type, state);
	uint32_t i;

	ck_assert(datum_equal(d, &expected, type));
	ck_assert_int_eq(datum_compare(d, &expected, type), 0);
	ck_assert_uint_eq(datum_hash(d, type, 1),
			  datum_hash(&expected, type, 1));
	for (i = 1; i < d->n; i++)
		ck_assert_int_lt(atom_compare(type->key.type,
					      datum_key(d, i - 1),
					      datum_key(d, i)), 0);
	datum_done(&expected, type);
}

static struct naive
draw_naive(uint64_t *state)
{
	unsigned density = draw(state, 4);
	struct naive naive;
	size_t i;

	for (i = 0; i < N_KEYS; i++) {
		naive.has[i] = draw(state, 4) < density;
		naive.value[i] = draw(state, 3);
	}
	return naive;
}

static bool
keep_even(void *ctx, const union atom *key, const union atom *value)
{
	(void) value;
	++*(int *) ctx;
	return atoi(key->string->text + 4) % 2 == 0;
}

static void
run_twin(const struct column_type *type, const struct column_type *keys,
	 uint64_t *state)
{
	bool is_map = column_type_is_map(type);
	struct naive a = draw_naive(state), b = draw_naive(state), want;
	struct datum da = make(&a, type, state), db = make(&b, type, state);
	bool includes = true, excludes = true, replace = draw(state, 2);
	struct datum d;
	int n_seen = 0;
	size_t i;

	for (i = 0; i < N_KEYS; i++) {
		bool same = a.has[i] && b.has[i]
			    && (!is_map || a.value[i] == b.value[i]);

		includes &= !b.has[i] || same;
		excludes &= !same;
	}
	ck_assert_int_eq(datum_includes_all(&da, &db, type), includes);
	ck_assert_int_eq(datum_excludes_all(&da, &db, type), excludes);

	datum_copy(&da, type, &d);
	datum_union(&d, &db, type, replace);
	for (want = a, i = 0; i < N_KEYS; i++) {
		if (b.has[i] && (!a.has[i] || replace))
			want.value[i] = b.value[i];
		want.has[i] |= b.has[i];
	}
	check_same(&d, &want, type, state);
	datum_done(&d, type);

	datum_copy(&da, type, &d);
	datum_subtract(&d, &db, type, type);
	for (want = a, i = 0; i < N_KEYS; i++)
		want.has[i] &= !(b.has[i] && (!is_map
					      || a.value[i] == b.value[i]));
	check_same(&d, &want, type, state);
	datum_done(&d, type);

	datum_done(&db, type);
	db = make(&b, keys, state);
	datum_copy(&da, type, &d);
	datum_subtract(&d, &db, type, keys);
	for (want = a, i = 0; i < N_KEYS; i++)
		want.has[i] &= !b.has[i];
	check_same(&d, &want, type, state);
	datum_done(&d, type);
	datum_done(&db, keys);

	datum_filter(&da, type, keep_even, &n_seen);
	for (want = a, i = 0; i < N_KEYS; i++) {
		n_seen -= a.has[i];
		want.has[i] &= i % 2 == 0;
	}
	ck_assert_int_eq(n_seen, 0);
	check_same(&da, &want, type, state);
	datum_done(&da, type);
}

START_TEST(algebra_is_that_of_arrays)
{
	struct column_type set = type_of(
		"{'key':'string','min':0,'max':'unlimited'}");
	struct column_type pairs = type_of(map);
	uint64_t state = 1;
	int i;

	for (i = 0; i < 3000; i++) {
		run_twin(&set, &set, &state);
		run_twin(&pairs, &set, &state);
	}
	column_type_done(&set);
	column_type_done(&pairs);
}
END_TEST

START_TEST(defaults_are_known)
{
	static const char *const cases[][2] = {
		{ "'integer'", "0" },
		{ "'string'", "''" },
		{ "{'key':'string','min':0}", "['set',[]]" },
		{ "{'key':'string','value':'boolean','min':1,'max':2}",
		  "['map',[['',false]]]" },
		{ "{'key':'string','value':'boolean','min':0,'max':2}",
		  "['map',[]]" },
	};
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct column_type type = type_of(cases[i][0]);
		json_t *json;
		struct datum d;

		datum_init_default(&d, &type);
		ck_assert(datum_is_default(&d, &type));
		json = datum_to_json(&d, &type);
		check_json(json, cases[i][1], cases[i][0]);
		json_decref(json);
		datum_done(&d, &type);
		column_type_done(&type);
	}
	{
		struct column_type type = type_of("'integer'");
		struct datum d;

		datum_set_integer(&d, 1);
		ck_assert(!datum_is_default(&d, &type));
		column_type_done(&type);
	}
}
END_TEST

CHECK_MAIN_LOOP("datum", datums_are_read_and_written,
		sizeof readings / sizeof *readings, a_set_has_a_limit,
		plain_values_go_in_and_out, algebra_is_that_of_arrays,
		defaults_are_known)
