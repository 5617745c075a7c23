/* SPDX-License-Identifier: Apache-2.0 */

/* hardware_vtep's access lists: ACL and ACL_entry, which Physical_Port binds to
 * ports.  Lists are few and shared, so that a change reads all of them again.
 *
 * vtep(5) has them as switches have them: without memory, and what no entry
 * speaks of passes. */

#include "agent/model/state.h"

#include <stdio.h>
#include <stdlib.h>
#include "agent/base/memory.h"

enum { ETH_IPV4 = 0x0800, ETH_IPV6 = 0x86dd, PROTO_ICMP = 1, PROTO_TCP = 6,
       PROTO_UDP = 17, PROTO_ICMPV6 = 58 };

/* A row of ACL. */
struct port_list {
	struct keyed by_row;		/* In model_state.port_lists. */
	struct acl *acl;
	bool is_bad;			/* An entry does not read. */
};

/* A row of ACL_entry that does not read. */
struct bad_entry {
	struct keyed by_row;		/* In model_state.bad_entries. */
	struct row_fault *fault;
};

static void forget(struct model_state *);
static void read_list(struct model_state *, const struct row *);
static const struct row **collect_entries(struct model_state *,
					  const struct row *, size_t *ret_n);
static int compare_entries(const void *, const void *);
static char *make_text(const struct row *const *, size_t n);
static char *read_entry(const struct row *, struct acl_rule *);
static char *read_macs(const struct row *, struct acl_rule *);
static char *read_mac(const struct row *, const char *column, bool *ret_has,
		      uint8_t ret_mac[6]);
static char *read_eth_type(const struct row *, struct acl_rule *);
static char *read_address(const struct row *, const char *ip,
			  const char *mask, struct acl_addresses *);
static bool is_prefix(const struct vsw_addr *mask, unsigned *ret_bits);
static char *read_l4(const struct row *, struct acl_rule *);
static char *read_range(const struct row *, const char *first,
			const char *last, int64_t max, struct acl_ranges *);
static char *fit(struct acl_rule *);
static char *widen(struct acl_rule *, const char *problem);
static bool has(const struct row *, const char *column);
static void set_range(struct acl_ranges *, int64_t first, int64_t last);
static char *keep_first(char *problem, char *later);

bool
port_lists_follow(struct model_state *state)
{
	const struct table *table =
		state_table(state, DB_HARDWARE_VTEP, "ACL");
	const struct row *row;

	if (!state->lists_changed)
		return false;
	state->lists_changed = false;
	forget(state);
	for (row = table ? table_first(table) : NULL; row;
	     row = table_next(table, row))
		read_list(state, row);
	return true;
}

void
port_lists_done(struct model_state *state)
{
	forget(state);
	map_done(&state->port_lists);
	map_done(&state->bad_entries);
}

struct acl *
port_list_find(const struct model_state *state, const struct uuid *row,
	       bool *ret_is_bad)
{
	struct keyed *keyed = map_find(&state->port_lists, row);
	const struct port_list *list;

	if (!keyed)
		return NULL;
	list = KEYED_ENTRY(keyed, struct port_list, by_row);
	*ret_is_bad = list->is_bad;
	return list->acl;
}

bool
port_list_entry_is_bad(const struct model_state *state,
		       const struct uuid *row)
{
	return map_find(&state->bad_entries, row);
}

static void
forget(struct model_state *state)
{
	struct keyed *keyed;
	size_t bucket = 0;

	while ((keyed = map_pop(&state->port_lists, &bucket))) {
		struct port_list *list =
			KEYED_ENTRY(keyed, struct port_list, by_row);

		acl_unref(list->acl);
		free(list);
	}
	bucket = 0;
	while ((keyed = map_pop(&state->bad_entries, &bucket))) {
		struct bad_entry *bad =
			KEYED_ENTRY(keyed, struct bad_entry, by_row);

		row_fault_free(state, bad->fault);
		free(bad);
	}
}

/* The rules are read even if they are interned, for what does not read. */
static void
read_list(struct model_state *state, const struct row *row)
{
	struct port_list *list = xcalloc(1, sizeof *list);
	size_t n, n_rules = 0;
	const struct row **entries = collect_entries(state, row, &n);
	char *text = make_text(entries, n);
	struct acl_rule *rules = xcalloc(n, sizeof *rules);

	for (size_t i = 0; i < n; i++) {
		struct acl_rule *rule = &rules[n_rules];
		char *problem = read_entry(entries[i], rule);

		if (problem && !port_list_entry_is_bad(state,
						       row_uuid(entries[i]))) {
			struct bad_entry *bad = xcalloc(1, sizeof *bad);

			bad->by_row.key = *row_uuid(entries[i]);
			bad->fault = row_fault_new(
				state, MODEL_BAD_RULE, "ACL_entry",
				row_uuid(entries[i]), "of \"%s\": %s",
				row_string(row, "acl_name", ""), problem);
			map_add(&state->bad_entries, &bad->by_row);
		}
		list->is_bad |= problem != NULL;
		free(problem);
		if (rule->is_bad && rule->allows)
			acl_rule_done(rule);
		else
			n_rules++;
	}
	list->by_row.key = *row_uuid(row);
	list->acl = acl_intern(&state->acls, text, rules, n_rules);
	map_add(&state->port_lists, &list->by_row);
	free(text);
	free(entries);
}

static const struct row **
collect_entries(struct model_state *state, const struct row *row,
		size_t *ret_n)
{
	const struct table *table =
		state_table(state, DB_HARDWARE_VTEP, "ACL_entry");
	struct datum room;
	const struct datum *refs = row_get(row, "acl_entries", &room);
	const struct row **entries = xcalloc(refs->n, sizeof *entries);
	size_t n = 0;

	for (uint32_t i = 0; i < refs->n; i++) {
		const struct row *entry =
			table_find(table, &datum_key(refs, i)->uuid);

		if (entry)
			entries[n++] = entry;
	}
	if (n)
		qsort(entries, n, sizeof *entries, compare_entries);
	*ret_n = n;
	return entries;
}

/* Of two of one number that which denies comes first. */
static int
compare_entries(const void *pa, const void *pb)
{
	const struct row *a = *(const struct row *const *) pa;
	const struct row *b = *(const struct row *const *) pb;
	int64_t first = row_integer(a, "sequence", 0);
	int64_t second = row_integer(b, "sequence", 0);
	int order = (first > second) - (first < second);

	if (!order)
		order = strcmp(row_string(a, "action", ""),
			       row_string(b, "action", ""));
	return order ? order : uuid_compare(row_uuid(a), row_uuid(b));
}

/* Each value with its size, as in model_firewall.c. */
static char *
make_text(const struct row *const *entries, size_t n)
{
	static const char *const words[] = {
		"direction", "action", "source_mac", "dest_mac", "ethertype",
		"source_ip", "source_mask", "dest_ip", "dest_mask"
	};
	static const char *const numbers[] = {
		"sequence", "protocol", "source_port_min", "source_port_max",
		"dest_port_min", "dest_port_max", "tcp_flags",
		"tcp_flags_mask", "icmp_type", "icmp_code"
	};
	size_t size;
	char *text;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	fputs("entries\n", to);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < sizeof words / sizeof *words; j++) {
			const char *word = row_string(entries[i], words[j],
						      "");

			fprintf(to, "%zu:%s ", strlen(word), word);
		}
		for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++)
			if (has(entries[i], numbers[j]))
				fprintf(to, "%lld ", (long long) row_integer(
						entries[i], numbers[j], 0));
			else
				fputs("- ", to);
		fputc('\n', to);
	}
	if (fclose(to))
		abort();
	return text;
}

/* The first problem, or NULL; what does not read is any. */
static char *
read_entry(const struct row *row, struct acl_rule *rule)
{
	int64_t sequence = row_integer(row, "sequence", 0);
	char *problem = NULL;

	memset(rule, 0, sizeof *rule);
	rule->name = xasprintf("%lld", (long long) sequence);
	rule->is_of_list = true;
	rule->direction = strcmp(row_string(row, "direction", ""), "egress")
				  ? VSW_OUT : VSW_IN;
	rule->allows = !strcmp(row_string(row, "action", ""), "permit");
	if (sequence < 0 || sequence > UINT32_MAX)
		problem = xasprintf("sequence %lld", (long long) sequence);
	else
		rule->priority = (uint32_t) sequence;
	problem = keep_first(problem, read_macs(row, rule));
	problem = keep_first(problem, read_eth_type(row, rule));
	problem = keep_first(problem, read_address(row, "source_ip",
						   "source_mask",
						   &rule->src));
	problem = keep_first(problem, read_address(row, "dest_ip",
						   "dest_mask", &rule->dst));
	problem = keep_first(problem, read_l4(row, rule));
	problem = keep_first(problem, fit(rule));
	if (has(row, "tcp_flags") && row_integer(row, "tcp_flags_mask", 0xff))
		problem = keep_first(problem, xstrdup("tcp_flags are not "
						      "supported"));
	rule->is_bad = problem;
	return problem;
}

static char *
read_macs(const struct row *row, struct acl_rule *rule)
{
	char *problem = read_mac(row, "source_mac", &rule->has_src_mac,
				 rule->src_mac);

	return keep_first(problem, read_mac(row, "dest_mac",
					    &rule->has_dst_mac,
					    rule->dst_mac));
}

static char *
read_mac(const struct row *row, const char *column, bool *ret_has,
	 uint8_t ret_mac[6])
{
	const char *text = row_string(row, column, "");

	if (!*text)
		return NULL;
	*ret_has = model_mac_from_text(text, ret_mac);
	return *ret_has ? NULL : xasprintf("%s \"%s\"", column, text);
}

static char *
read_eth_type(const struct row *row, struct acl_rule *rule)
{
	const char *text = row_string(row, "ethertype", "");
	unsigned long number;
	char *end;

	if (!*text)
		return NULL;
	number = strtoul(text, &end, 16);
	if (*end || strncasecmp(text, "0x", 2) || strlen(text) > 6
	    || number < 0x600)
		return xasprintf("ethertype \"%s\"", text);
	rule->eth_type = (uint16_t) number;
	return NULL;
}

static char *
read_address(const struct row *row, const char *ip, const char *mask,
	     struct acl_addresses *ret)
{
	const char *text = row_string(row, ip, "");
	const char *mask_text = row_string(row, mask, "");
	struct vsw_addr addr, bits_of;
	unsigned bits;

	if (!*text)
		return *mask_text ? xasprintf("%s without %s", mask, ip)
				  : NULL;
	if (!model_addr_from_text(text, &addr))
		return xasprintf("%s \"%s\"", ip, text);
	bits = addr.n * 8u;
	if (*mask_text && (!model_addr_from_text(mask_text, &bits_of)
			   || bits_of.n != addr.n
			   || !is_prefix(&bits_of, &bits)))
		return xasprintf("%s \"%s\"", mask, mask_text);
	for (unsigned i = bits; i < addr.n * 8u; i++)
		addr.bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	ret->of = xcalloc(1, sizeof *ret->of);
	ret->of->addr = addr;
	ret->of->bits = bits;
	ret->n = 1;
	return NULL;
}

static bool
is_prefix(const struct vsw_addr *mask, unsigned *ret_bits)
{
	unsigned n = 0;

	while (n < mask->n * 8u && mask->bytes[n / 8] & (0x80 >> n % 8))
		n++;
	*ret_bits = n;
	for (; n < mask->n * 8u; n++)
		if (mask->bytes[n / 8] & (0x80 >> n % 8))
			return false;
	return true;
}

static char *
read_l4(const struct row *row, struct acl_rule *rule)
{
	char *problem = read_range(row, "protocol", "protocol", 255,
				   &rule->protos);
	struct acl_ranges icmp[2] = { { NULL, 0 }, { NULL, 0 } };

	problem = keep_first(problem, read_range(row, "source_port_min",
						 "source_port_max", 65535,
						 &rule->src_ports));
	problem = keep_first(problem, read_range(row, "dest_port_min",
						 "dest_port_max", 65535,
						 &rule->dst_ports));
	problem = keep_first(problem, read_range(row, "icmp_type",
						 "icmp_type", 255, &icmp[0]));
	problem = keep_first(problem, read_range(row, "icmp_code",
						 "icmp_code", 255, &icmp[1]));
	if (!icmp[0].n && !icmp[1].n)
		return problem;
	rule->is_icmp = true;
	if (rule->src_ports.n || rule->dst_ports.n) {
		free(icmp[0].of);
		free(icmp[1].of);
		rule->src_ports.n = rule->dst_ports.n = 0;
		return keep_first(problem, xstrdup("ports of ICMP"));
	}
	rule->src_ports = icmp[0];
	rule->dst_ports = icmp[1];
	return problem;
}

static char *
read_range(const struct row *row, const char *first, const char *last,
	   int64_t max, struct acl_ranges *ret)
{
	int64_t from = row_integer(row, first, 0);
	int64_t to = row_integer(row, last, max);

	if (!has(row, first) && !has(row, last))
		return NULL;
	if (from < 0 || to > max || from > to)
		return xasprintf("%s %lld to %s %lld", first,
				 (long long) from, last, (long long) to);
	set_range(ret, from, to);
	return NULL;
}

/* One family, and a protocol that has what is asked for.  What is said of
 * addresses and of what lies in IP is not said of ARP. */
static char *
fit(struct acl_rule *rule)
{
	const struct acl_addresses *one = rule->src.n ? &rule->src
						      : &rule->dst;
	uint16_t eth_type = !one->n ? 0
			    : one->of->addr.n == 4 ? ETH_IPV4 : ETH_IPV6;
	bool is_in_ip = rule->protos.n || rule->src_ports.n
			|| rule->dst_ports.n;
	unsigned proto = rule->protos.n ? rule->protos.of->first : 0;

	if (rule->src.n && rule->dst.n
	    && rule->src.of->addr.n != rule->dst.of->addr.n)
		return widen(rule, "addresses of two families");
	if (eth_type && rule->eth_type && eth_type != rule->eth_type)
		return widen(rule, "ethertype and addresses do not fit");
	if (is_in_ip && rule->eth_type && rule->eth_type != ETH_IPV4
	    && rule->eth_type != ETH_IPV6)
		return widen(rule, "ethertype and protocol do not fit");
	if (eth_type)
		rule->eth_type = eth_type;
	rule->is_ip = is_in_ip || eth_type;
	if (!rule->src_ports.n && !rule->dst_ports.n)
		return NULL;
	if (rule->is_icmp ? !proto || proto == PROTO_ICMP
			    || proto == PROTO_ICMPV6
			  : !proto || proto == PROTO_TCP
			    || proto == PROTO_UDP)
		return NULL;
	rule->src_ports.n = rule->dst_ports.n = 0;
	return xasprintf("protocol %u has none of these", proto);
}

/* What contradicts itself may have meant anything. */
static char *
widen(struct acl_rule *rule, const char *problem)
{
	rule->src.n = rule->dst.n = 0;
	rule->protos.n = rule->src_ports.n = rule->dst_ports.n = 0;
	rule->eth_type = 0;
	rule->is_ip = false;
	return xstrdup(problem);
}

static bool
has(const struct row *row, const char *column)
{
	struct datum room;

	return row_get(row, column, &room)->n;
}

static void
set_range(struct acl_ranges *ranges, int64_t first, int64_t last)
{
	ranges->of = xcalloc(1, sizeof *ranges->of);
	ranges->of->first = (uint16_t) first;
	ranges->of->last = (uint16_t) last;
	ranges->n = 1;
}

static char *
keep_first(char *problem, char *later)
{
	if (!problem)
		return later;
	free(later);
	return problem;
}
