/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/scan.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "agent/base/brackets.h"
#include "agent/base/memory.h"
#include "agent/ovsdb/value/symbols.h"

enum {
	MAX_DEPTH = 2000,	/* Of what is skipped. */
	MAX_DIGITS = 18,	/* So many always fit. */
	MAX_UNESCAPED = 8192,
	MAX_NAME = 256
};

/* Keys and values in the order of the text. */
struct elements {
	union atom *keys, *values;
	uint32_t n, max;
};

static const char *find_end_of_plain(const char *p, const char *end);
static bool unescape(struct scan *, const char *start,
		     struct scanned *ret_string);
static bool scan_atom(struct scan *, const struct base_type *,
		      struct symbols *, union atom *ret_atom);
static bool scan_uuid(struct scan *, const struct scanned *class,
		      struct symbols *, struct uuid *ret_uuid);
static bool scan_scalar(struct scan *, const struct column_type *,
			struct symbols *, struct datum *ret_datum);
static bool scan_set_or_uuid(struct scan *, const struct column_type *,
			     struct symbols *, struct datum *ret_datum);
static bool scan_elements(struct scan *, const struct column_type *,
			  struct symbols *, struct datum *ret_datum);
static bool scan_element(struct scan *, const struct column_type *,
			 struct symbols *, struct elements *);
static void elements_grow(struct elements *, bool is_map);
static void elements_done(struct elements *, const struct column_type *);
static bool is_legal(const struct base_type *, const union atom *);

bool
scan_plain(struct scan *s, struct scanned *ret_string)
{
	const char *start;

	if (!scan_char(s, '"'))
		return false;
	start = s->p;
	s->p = find_end_of_plain(start, s->end);
	if (s->p == s->end || *s->p != '"')
		return false;
	ret_string->text = start;
	ret_string->size = s->p++ - start;
	return true;
}

bool
scan_string(struct scan *s, struct scanned *ret_string)
{
	const char *start;

	if (!scan_char(s, '"'))
		return false;
	start = s->p;
	s->p = find_end_of_plain(start, s->end);
	if (s->p == s->end)
		return false;
	if (*s->p == '\\')
		return unescape(s, start, ret_string);
	if (*s->p != '"')
		return false;
	ret_string->text = start;
	ret_string->size = s->p++ - start;
	return true;
}

bool
scan_name(struct scan *s, struct scanned *ret_name)
{
	return scan_plain(s, ret_name) && scan_char(s, ':');
}

/* What fits for sure, and is no real. */
bool
scan_integer(struct scan *s, int64_t *ret_integer)
{
	bool is_negative = scan_char(s, '-');
	const char *start = s->p;
	int64_t integer = 0;

	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
		if (s->p - start == MAX_DIGITS)
			return false;
		integer = integer * 10 + (*s->p - '0');
	}
	if (s->p == start || (*start == '0' && s->p - start > 1)
	    || (s->p < s->end && (*s->p == '.' || (*s->p | 0x20) == 'e')))
		return false;
	*ret_integer = is_negative ? -integer : integer;
	return true;
}

bool
scan_boolean(struct scan *s, bool *ret_boolean)
{
	scan_space(s);
	if (s->end - s->p >= 4 && !memcmp(s->p, "true", 4)) {
		*ret_boolean = true;
		s->p += 4;
		return true;
	}
	if (s->end - s->p >= 5 && !memcmp(s->p, "false", 5)) {
		*ret_boolean = false;
		s->p += 5;
		return true;
	}
	return false;
}

bool
scan_guess(struct scan *s, struct scanned *ret_string)
{
	const char *p = s->p;

#ifdef __SSE2__
	for (; s->end - p > 16; p += 16) {
		__m128i colons = _mm_cmpeq_epi8(
			_mm_loadu_si128((const __m128i *) (const void *) p),
			_mm_set1_epi8(':'));
		__m128i quotes = _mm_cmpeq_epi8(
			_mm_loadu_si128((const __m128i *)
					(const void *) (p + 1)),
			_mm_set1_epi8('"'));
		int both = _mm_movemask_epi8(_mm_and_si128(colons, quotes));

		if (both) {
			p += __builtin_ctz((unsigned) both);
			break;
		}
	}
#endif
	while (s->end - p >= 2 && (p[0] != ':' || p[1] != '"'))
		p++;
	if (s->end - p < 2)
		return false;
	ret_string->text = p + 2;
	s->p = find_end_of_plain(p + 2, s->end);
	ret_string->size = s->p - ret_string->text;
	return true;
}

bool
scan_extent(struct scan *s, struct scan *ret_extent)
{
	struct brackets brackets = { .max_depth = MAX_DEPTH };
	size_t size;

	scan_space(s);
	ret_extent->p = s->p;
	if (s->p == s->end)
		return false;
	if (*s->p == '{' || *s->p == '[') {
		if (brackets_scan(&brackets, s->p, s->end - s->p, &size)
		    != BRACKETS_CLOSED)
			return false;
		s->p += size;
	} else if (*s->p == '"') {
		for (s->p++; s->p < s->end && *s->p != '"'; s->p++)
			if (*s->p == '\\' && ++s->p == s->end)
				return false;
		if (s->p++ == s->end)
			return false;
	} else {
		while (s->p < s->end && *s->p > ' ' && *s->p != ','
		       && *s->p != ':' && *s->p != ']' && *s->p != '}')
			s->p++;
	}
	ret_extent->end = s->p;
	return ret_extent->p < ret_extent->end;
}

bool
scan_datum(struct scan *s, const struct column_type *type,
	   struct symbols *symbols, struct datum *ret_datum)
{
	struct scanned class;

	if (column_type_is_map(type))
		return scan_char(s, '[') && scan_plain(s, &class)
		       && scanned_is(&class, "map") && scan_char(s, ',')
		       && scan_elements(s, type, symbols, ret_datum);
	if (scan_is(s, '['))
		return scan_set_or_uuid(s, type, symbols, ret_datum);
	return scan_scalar(s, type, symbols, ret_datum);
}

/* The first byte that is not ASCII, a quotation mark, a backslash, or a
 * control character. */
static const char *
find_end_of_plain(const char *p, const char *end)
{
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		__m128i b = _mm_loadu_si128((const __m128i *)
					    (const void *) p);
		__m128i odd = _mm_cmpeq_epi8(b, _mm_set1_epi8('"'));
		int mask;

		/* Signed: what is not ASCII is less, too. */
		odd = _mm_or_si128(odd, _mm_cmplt_epi8(b, _mm_set1_epi8(' ')));
		odd = _mm_or_si128(odd, _mm_cmpeq_epi8(b,
						       _mm_set1_epi8('\\')));
		mask = _mm_movemask_epi8(odd);
		if (mask)
			return p + __builtin_ctz((unsigned) mask);
	}
#endif
	while (p < end && *p != '"' && *p != '\\' && (unsigned char) *p >= ' '
	       && (unsigned char) *p < 0x80)
		p++;
	return p;
}

/* From the string's first byte; the scan is at its first backslash. */
static bool
unescape(struct scan *s, const char *start, struct scanned *ret_string)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	static char text[MAX_UNESCAPED];
	size_t size = 0;

	for (;;) {
		size_t n = s->p - start;
		const char *letter;

		if (size + n + 1 > sizeof text)
			return false;
		memcpy(text + size, start, n);
		size += n;
		if (s->p < s->end && *s->p == '"')
			break;
		if (s->end - s->p < 2 || *s->p != '\\')
			return false;
		letter = memchr(from, s->p[1], sizeof from - 1);
		if (!letter)
			return false;
		text[size++] = to[letter - from];
		start = s->p + 2;
		s->p = find_end_of_plain(start, s->end);
	}
	s->p++;
	ret_string->text = text;
	ret_string->size = size;
	return true;
}

static bool
scan_atom(struct scan *s, const struct base_type *base,
	  struct symbols *symbols, union atom *ret_atom)
{
	struct scanned string;
	union atom atom;

	memset(&atom, 0, sizeof atom);
	switch (base->type) {
	case ATOM_INTEGER:
		if (!scan_integer(s, &atom.integer))
			return false;
		break;
	case ATOM_BOOLEAN:
		if (!scan_boolean(s, &atom.boolean))
			return false;
		break;
	case ATOM_STRING:
		if (!scan_string(s, &string) || string.size > ATOM_MAX_STRING)
			return false;
		atom.string = string_intern(string.text, string.size);
		break;
	case ATOM_UUID:
		if (!scan_char(s, '[') || !scan_plain(s, &string)
		    || !scan_uuid(s, &string, symbols, &atom.uuid))
			return false;
		break;
	case ATOM_REAL:
	case ATOM_VOID:
		return false;
	}
	if (!is_legal(base, &atom)) {
		atom_done(base->type, &atom);
		return false;
	}
	*ret_atom = atom;
	return true;
}

/* Behind the class. */
static bool
scan_uuid(struct scan *s, const struct scanned *class,
	  struct symbols *symbols, struct uuid *ret_uuid)
{
	struct scanned string;

	if (!scan_char(s, ',') || !scan_plain(s, &string)
	    || !scan_char(s, ']'))
		return false;
	if (scanned_is(class, "uuid"))
		return string.size == UUID_TEXT_SIZE - 1
		       && uuid_from_bytes(string.text, ret_uuid);
	if (symbols && scanned_is(class, "named-uuid")
	    && string.size < MAX_NAME) {
		char name[MAX_NAME];

		memcpy(name, string.text, string.size);
		name[string.size] = '\0';
		*ret_uuid = symbols_get(symbols, name)->uuid;
		return true;
	}
	return false;
}

static bool
scan_scalar(struct scan *s, const struct column_type *type,
	    struct symbols *symbols, struct datum *ret_datum)
{
	union atom atom;

	if (!scan_atom(s, &type->key, symbols, &atom))
		return false;
	memset(ret_datum, 0, sizeof *ret_datum);
	ret_datum->n = 1;
	ret_datum->one = atom;
	return true;
}

/* At a bracket, in a column that is no map. */
static bool
scan_set_or_uuid(struct scan *s, const struct column_type *type,
		 struct symbols *symbols, struct datum *ret_datum)
{
	struct scanned class;
	union atom atom;

	if (!scan_char(s, '[') || !scan_plain(s, &class))
		return false;
	if (scanned_is(&class, "set"))
		return scan_char(s, ',')
		       && scan_elements(s, type, symbols, ret_datum);
	memset(&atom, 0, sizeof atom);
	if (type->key.type != ATOM_UUID
	    || !scan_uuid(s, &class, symbols, &atom.uuid)
	    || !is_legal(&type->key, &atom))
		return false;
	memset(ret_datum, 0, sizeof *ret_datum);
	ret_datum->n = 1;
	ret_datum->one = atom;
	return true;
}

/* From the inner bracket to behind the outer one. */
static bool
scan_elements(struct scan *s, const struct column_type *type,
	      struct symbols *symbols, struct datum *ret_datum)
{
	struct elements all = { 0 };
	bool ok = scan_char(s, '[');

	if (ok && !scan_is(s, ']')) {
		do {
			ok = scan_element(s, type, symbols, &all);
		} while (ok && scan_char(s, ','));
	}
	if (ok && scan_char(s, ']') && scan_char(s, ']')
	    && all.n >= type->n_min && all.n <= type->n_max
	    && datum_take_unsorted(ret_datum, type, all.keys, all.values,
				   all.n))
		return true;
	elements_done(&all, type);
	return false;
}

static bool
scan_element(struct scan *s, const struct column_type *type,
	     struct symbols *symbols, struct elements *all)
{
	bool is_map = column_type_is_map(type);

	if (all->n == DATUM_MAX_ELEMENTS)
		return false;
	if (all->n == all->max)
		elements_grow(all, is_map);
	if (is_map && !scan_char(s, '['))
		return false;
	if (!scan_atom(s, &type->key, symbols, &all->keys[all->n]))
		return false;
	if (!is_map) {
		all->n++;
		return true;
	}
	if (!scan_char(s, ',')
	    || !scan_atom(s, &type->value, symbols, &all->values[all->n])) {
		atom_done(type->key.type, &all->keys[all->n]);
		return false;
	}
	all->n++;
	return scan_char(s, ']');
}

static void
elements_grow(struct elements *all, bool is_map)
{
	all->max = all->max ? all->max * 2 : 4;
	all->keys = xrealloc(all->keys, all->max * sizeof *all->keys);
	if (is_map)
		all->values = xrealloc(all->values,
				       all->max * sizeof *all->values);
}

static void
elements_done(struct elements *all, const struct column_type *type)
{
	while (all->n--) {
		atom_done(type->key.type, &all->keys[all->n]);
		if (all->values)
			atom_done(type->value.type, &all->values[all->n]);
	}
	free(all->keys);
	free(all->values);
}

/* What is wrong with it is said by those who read it again. */
static bool
is_legal(const struct base_type *base, const union atom *atom)
{
	struct ovsdb_error *error = base_type_check(base, atom);

	if (!error)
		return true;
	ovsdb_error_free(error);
	return false;
}
