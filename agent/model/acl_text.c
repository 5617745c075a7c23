/* SPDX-License-Identifier: Apache-2.0 */

/* How protocols, ports and addresses of a rule are spelled. */

#include "agent/model/acl.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "agent/base/memory.h"
#include "agent/model/model.h"

enum { MAX_TOKEN = 128 };

/* One column's list, item by item. */
struct reader {
	const char *rest;
	char token[MAX_TOKEN];
	bool is_any;			/* An item said so. */
	size_t n;
};

static bool next(struct reader *, char **ret_problem);
static bool is_any_word(const char *);
static bool read_number(const char *, size_t size, unsigned max,
			unsigned *ret_number);
static bool read_proto(const char *, struct acl_ranges *);
static bool add_proto(struct acl_ranges *, unsigned number);
static bool add_range(struct acl_ranges *, unsigned first, unsigned last);
static bool read_port_range(const char *, struct acl_ranges *);
static bool read_address(const char *, struct acl_addresses *);
static bool add_prefix(struct acl_addresses *, const struct vsw_addr *,
		       unsigned bits);
static bool add_span(struct acl_addresses *, struct vsw_addr first,
		     const struct vsw_addr *last);
static void clear_bits(struct vsw_addr *, unsigned bits);
static void fill_bits(struct vsw_addr *, unsigned bits);
static bool step(struct vsw_addr *);
static char *tell(const char *token, const char *what);

char *
acl_read_protos(const char *text, struct acl_ranges *ret)
{
	struct reader reader = { .rest = text };
	char *problem = NULL;

	memset(ret, 0, sizeof *ret);
	while (!problem && next(&reader, &problem)) {
		if (!strcmp(reader.token, "0"))
			reader.is_any = true;
		else if (!read_proto(reader.token, ret))
			problem = tell(reader.token, "is no protocol");
	}
	if (problem || reader.is_any) {
		free(ret->of);
		memset(ret, 0, sizeof *ret);
	}
	return problem;
}

char *
acl_read_ports(const char *text, struct acl_ranges *ret)
{
	struct reader reader = { .rest = text };
	char *problem = NULL;

	memset(ret, 0, sizeof *ret);
	while (!problem && next(&reader, &problem)) {
		if (!strcmp(reader.token, "0-65535"))
			reader.is_any = true;
		else if (!read_port_range(reader.token, ret))
			problem = tell(reader.token, "is no port or range");
	}
	if (problem || reader.is_any) {
		free(ret->of);
		memset(ret, 0, sizeof *ret);
	}
	return problem;
}

char *
acl_read_addresses(const char *text, struct acl_addresses *ret)
{
	struct reader reader = { .rest = text };
	char *problem = NULL;

	memset(ret, 0, sizeof *ret);
	while (!problem && next(&reader, &problem))
		if (!read_address(reader.token, ret))
			problem = tell(reader.token,
				       "is no address, prefix or range");
	if (problem || reader.is_any) {
		free(ret->of);
		memset(ret, 0, sizeof *ret);
	}
	return problem;
}

/* To the next item that is not a word for any. */
static bool
next(struct reader *reader, char **ret_problem)
{
	for (;;) {
		size_t size;

		reader->rest += strspn(reader->rest, ", \t\r\n");
		size = strcspn(reader->rest, ", \t\r\n");
		if (!size) {
			reader->is_any |= !reader->n;
			return false;
		}
		if (size >= sizeof reader->token) {
			*ret_problem = xasprintf("an item of %zu bytes", size);
			return false;
		}
		if (++reader->n > ACL_MAX_ITEMS) {
			*ret_problem = xasprintf("more than %d items",
						 ACL_MAX_ITEMS);
			return false;
		}
		memcpy(reader->token, reader->rest, size);
		reader->token[size] = '\0';
		reader->rest += size;
		if (!is_any_word(reader->token))
			return true;
		reader->is_any = true;
	}
}

static bool
is_any_word(const char *token)
{
	return !strcmp(token, "*") || !strcasecmp(token, "all")
	       || !strcasecmp(token, "any");
}

static bool
read_number(const char *text, size_t size, unsigned max,
	    unsigned *ret_number)
{
	unsigned number = 0;

	if (!size || size > 5 || (*text == '0' && size > 1))
		return false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (unsigned) (text[i] - '0');
	}
	*ret_number = number;
	return number <= max;
}

static bool
read_proto(const char *token, struct acl_ranges *protos)
{
	static const struct {
		const char *name;
		uint8_t number;
	} known[] = {
		{ "icmp", 1 }, { "icmp", 58 }, { "icmpv4", 1 },
		{ "icmpv6", 58 }, { "tcp", 6 }, { "udp", 17 },
		{ "igmp", 2 }, { "gre", 47 }, { "esp", 50 }, { "ah", 51 },
		{ "sctp", 132 }
	};
	bool is_known = false;
	unsigned number;

	if (read_number(token, strlen(token), 255, &number))
		return add_proto(protos, number);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcasecmp(known[i].name, token))
			is_known = add_proto(protos, known[i].number);
	return is_known;
}

/* Once each: they become rules of their own. */
static bool
add_proto(struct acl_ranges *protos, unsigned number)
{
	for (size_t i = 0; i < protos->n; i++)
		if (protos->of[i].first == number)
			return true;
	return add_range(protos, number, number);
}

static bool
add_range(struct acl_ranges *ranges, unsigned first, unsigned last)
{
	if (!(ranges->n & (ranges->n + 1)))
		ranges->of = xrealloc(ranges->of, (2 * ranges->n + 1)
						  * sizeof *ranges->of);
	ranges->of[ranges->n].first = (uint16_t) first;
	ranges->of[ranges->n].last = (uint16_t) last;
	ranges->n++;
	return true;
}

static bool
read_port_range(const char *token, struct acl_ranges *ranges)
{
	const char *dash = strchr(token, '-');
	size_t size = dash ? (size_t) (dash - token) : strlen(token);
	unsigned first, last;

	if (!read_number(token, size, 65535, &first))
		return false;
	last = first;
	if (dash && !read_number(dash + 1, strlen(dash + 1), 65535, &last))
		return false;
	return first <= last && last && add_range(ranges, first, last);
}

static bool
read_address(const char *token, struct acl_addresses *addresses)
{
	const char *dash = strchr(token, '-');
	char text[MAX_TOKEN];
	struct vsw_addr first, last;
	unsigned bits;

	if (!dash)
		return model_prefix_from_text(token, &first, &bits)
		       && add_prefix(addresses, &first, bits);
	memcpy(text, token, (size_t) (dash - token));
	text[dash - token] = '\0';
	return model_addr_from_text(text, &first)
	       && model_addr_from_text(dash + 1, &last)
	       && first.n == last.n
	       && memcmp(first.bytes, last.bytes, first.n) <= 0
	       && add_span(addresses, first, &last);
}

static bool
add_prefix(struct acl_addresses *addresses, const struct vsw_addr *addr,
	   unsigned bits)
{
	struct acl_prefix *prefix;

	if (addresses->n >= ACL_MAX_ITEMS)
		return false;
	if (!(addresses->n & (addresses->n + 1)))
		addresses->of = xrealloc(addresses->of,
					 (2 * addresses->n + 1)
					 * sizeof *addresses->of);
	prefix = &addresses->of[addresses->n++];
	prefix->addr = *addr;
	prefix->bits = bits;
	clear_bits(&prefix->addr, bits);
	return true;
}

/* In as few prefixes as there can be: from 'first' on the widest that neither
 * begins earlier nor ends later. */
static bool
add_span(struct acl_addresses *addresses, struct vsw_addr first,
	 const struct vsw_addr *last)
{
	for (;;) {
		unsigned bits = first.n * 8u;
		struct vsw_addr end = first;

		while (bits) {
			struct vsw_addr low = first, high = first;

			clear_bits(&low, bits - 1);
			fill_bits(&high, bits - 1);
			if (memcmp(low.bytes, first.bytes, first.n)
			    || memcmp(high.bytes, last->bytes, first.n) > 0)
				break;
			bits--;
		}
		if (!add_prefix(addresses, &first, bits))
			return false;
		fill_bits(&end, bits);
		if (!memcmp(end.bytes, last->bytes, first.n) || !step(&end))
			return true;
		first = end;
	}
}

static void
clear_bits(struct vsw_addr *addr, unsigned bits)
{
	for (unsigned i = bits; i < addr->n * 8u; i++)
		addr->bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static void
fill_bits(struct vsw_addr *addr, unsigned bits)
{
	for (unsigned i = bits; i < addr->n * 8u; i++)
		addr->bytes[i / 8] |= (uint8_t) (0x80 >> i % 8);
}

/* To the next address; false: there is none. */
static bool
step(struct vsw_addr *addr)
{
	for (unsigned i = addr->n; i-- > 0;)
		if (++addr->bytes[i])
			return true;
	return false;
}

static char *
tell(const char *token, const char *what)
{
	return xasprintf("\"%s\" %s", token, what);
}
