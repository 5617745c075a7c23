/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/envelope.h"

enum { ID = 1 << 0, METHOD = 1 << 1, PARAMS = 1 << 2 };

static bool read_member(struct scan *, struct envelope *, unsigned *found);
static bool read_id(struct scan *, struct scanned *ret_id);
static bool read_params(struct scan *, struct envelope *, bool is_last);

bool
envelope_read(const char *text, size_t size, struct envelope *ret_envelope)
{
	struct scan s = { text, text + size };
	unsigned found = 0;

	if (!scan_char(&s, '{'))
		return false;
	do {
		if (!read_member(&s, ret_envelope, &found))
			return false;
	} while (scan_char(&s, ','));
	return scan_char(&s, '}') && scan_end(&s)
	       && found == (ID | METHOD | PARAMS);
}

/* Of two of a name the second one holds: let jansson see to it. */
static bool
read_member(struct scan *s, struct envelope *envelope, unsigned *found)
{
	struct scanned name, method;
	unsigned member;

	if (!scan_name(s, &name))
		return false;
	member = scanned_is(&name, "id") ? ID
		 : scanned_is(&name, "method") ? METHOD
		 : scanned_is(&name, "params") ? PARAMS : 0;
	if (!member || *found & member)
		return false;
	*found |= member;
	if (member == ID)
		return read_id(s, &envelope->id);
	if (member == METHOD)
		return scan_plain(s, &method)
		       && scanned_is(&method, "transact");
	return read_params(s, envelope, *found == (ID | METHOD | PARAMS));
}

/* A number or a string that reads the same when it is written again. */
static bool
read_id(struct scan *s, struct scanned *ret_id)
{
	struct scanned string;
	int64_t integer;

	if (scan_is(s, '"')) {
		if (!scan_plain(s, &string))
			return false;
		ret_id->text = string.text - 1;
		ret_id->size = string.size + 2;
		return true;
	}
	ret_id->text = s->p;
	if (!scan_integer(s, &integer))
		return false;
	ret_id->size = s->p - ret_id->text;
	return integer || ret_id->size == 1;
}

/* The last member ends before the message's last brace.  If it does not,
 * whoever reads the operations finds more than them there. */
static bool
read_params(struct scan *s, struct envelope *envelope, bool is_last)
{
	struct scan params;

	if (!scan_is(s, '['))
		return false;
	if (is_last) {
		params = (struct scan) { s->p, s->end };
		while (params.end > params.p && params.end[-1] != ']')
			params.end--;
		s->p = params.end;
	} else if (!scan_extent(s, &params)) {
		return false;
	}
	if (!scan_char(&params, '[') || !scan_plain(&params,
						    &envelope->database))
		return false;
	envelope->operations = params;
	return true;
}
