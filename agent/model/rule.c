/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/model/rule.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"

/* Values whose sizes and bytes make the text; state and tier are others'. */
enum { N_IN_TEXT = RULE_STATE };

static void know_columns(struct rule_table *, const struct row *);
static struct string *get_string(const struct rule_table *, const struct row *,
				 enum rule_column);
static bool is_said(const struct rule_words *, struct string *const values[],
		    int64_t priority);
static struct uuid make_key(const struct rule_table *,
			    struct string *const values[], int64_t priority);
static struct rule_words *make_words(struct rule_table *,
				     struct string *const values[],
				     int64_t priority);
static char *make_text(const struct rule_words *);
static char *put_number(char *, uint64_t);
static char *read_rule(const struct rule_words *, struct acl_rule *);
static void keep_first(char **problem, char *later);
static char *fit_ports(struct acl_rule *);

struct rule_words *
rule_words_get(struct rule_table *table, const struct row *row)
{
	struct string *values[N_RULE_TEXTS];
	struct datum room;
	int64_t priority;
	struct uuid key;

	know_columns(table, row);
	for (int i = 0; i < N_RULE_TEXTS; i++)
		values[i] = get_string(table, row, i);
	priority = table->columns[RULE_PRIORITY]
		? datum_integer(row_datum(row, table->columns[RULE_PRIORITY],
					  &room), 0)
		: 0;
	/* What one row says, its neighbours are likely to say. */
	if (table->last && is_said(table->last, values, priority))
		return rule_words_ref(table->last);
	key = make_key(table, values, priority);
	for (struct keyed *keyed = map_find(&table->words, &key); keyed;
	     keyed = map_find_next(keyed)) {
		struct rule_words *words =
			KEYED_ENTRY(keyed, struct rule_words, by_values);

		if (is_said(words, values, priority)) {
			table->last = words;
			return rule_words_ref(words);
		}
	}
	return table->last = make_words(table, values, priority);
}

struct rule_words *
rule_words_ref(struct rule_words *words)
{
	words->n_refs++;
	return words;
}

void
rule_words_unref(struct rule_words *words)
{
	if (!words || --words->n_refs)
		return;
	if (words->table->last == words)
		words->table->last = NULL;
	map_remove(&words->table->words, &words->by_values);
	for (int i = 0; i < N_RULE_TEXTS; i++)
		string_unref(words->values[i]);
	free(words->text);
	free(words->problem);
	free(words);
}

const char *
rule_words_value(const struct rule_words *words, enum rule_column column)
{
	return words->values[column] ? words->values[column]->text : "";
}

void
rule_words_read(const struct rule_words *words, struct acl_rule *ret_rule)
{
	free(read_rule(words, ret_rule));
}

struct string *
rule_vnic_id(struct rule_table *table, const struct row *row)
{
	know_columns(table, row);
	return get_string(table, row, RULE_VNIC);
}

static void
know_columns(struct rule_table *table, const struct row *row)
{
	static const char *const names[] = {
		[RULE_ID] = "rule_id", [RULE_DIRECTION] = "direction",
		[RULE_ACTION] = "action", [RULE_LOGGING] = "logging_state",
		[RULE_PROTOCOLS] = "protocols",
		[RULE_SRC] = "src_ip_addresses",
		[RULE_DST] = "dst_ip_addresses",
		[RULE_SRC_PORTS] = "src_ports", [RULE_DST_PORTS] = "dst_ports",
		[RULE_STATE] = "rule_state", [RULE_TYPE] = "rule_type",
		[RULE_VNIC] = "vnic_id", [RULE_PRIORITY] = "priority"
	};

	static_assert(sizeof names / sizeof *names == N_RULE_COLUMNS,
		      "each column has a name");
	if (table->knows_columns)
		return;
	table->knows_columns = true;
	for (int i = 0; i < N_RULE_COLUMNS; i++)
		table->columns[i] = table_schema_column(
			table_schema(row_table(row)), names[i]);
}

static struct string *
get_string(const struct rule_table *table, const struct row *row,
	   enum rule_column column)
{
	return table->columns[column] ? row_text(row, table->columns[column])
				      : NULL;
}

static bool
is_said(const struct rule_words *words, struct string *const values[],
	int64_t priority)
{
	return words->priority == priority
	       && !memcmp(words->values, values,
			  N_RULE_TEXTS * sizeof *values);
}

static struct uuid
make_key(const struct rule_table *table, struct string *const values[],
	 int64_t priority)
{
	uint64_t halves[2];
	struct uuid key;

	halves[0] = map_hash(values, N_RULE_TEXTS * sizeof *values,
			     table->words.seed ^ (uint64_t) priority);
	halves[1] = halves[0];
	memset(&key, 0, sizeof key);
	memcpy(&key, halves, sizeof halves);
	return key;
}

static struct rule_words *
make_words(struct rule_table *table, struct string *const values[],
	   int64_t priority)
{
	struct rule_words *words = xcalloc(1, sizeof *words);
	struct acl_rule rule;

	words->by_values.key = make_key(table, values, priority);
	words->table = table;
	words->n_refs = 1;
	for (int i = 0; i < N_RULE_TEXTS; i++)
		if (values[i])
			words->values[i] = string_ref(values[i]);
	words->priority = priority;
	words->is_enabled =
		!strcmp(rule_words_value(words, RULE_STATE), "Enabled");
	words->allows =
		!strcmp(rule_words_value(words, RULE_ACTION), "Allow");
	words->tier = strcmp(rule_words_value(words, RULE_TYPE),
			     "RuleWithAdminPriority")
			      ? ACL_CONTROLLER : ACL_ADMIN;
	words->text = make_text(words);
	words->problem = read_rule(words, &rule);
	acl_rule_done(&rule);
	map_add(&table->words, &words->by_values);
	return words;
}

/* Each column with its size, so that no two rows can be taken for one. */
static char *
make_text(const struct rule_words *words)
{
	enum { NUMBER_SIZE = 24 };
	size_t size = NUMBER_SIZE;
	char *text, *end;

	for (int i = 0; i < N_IN_TEXT; i++)
		size += strlen(rule_words_value(words, i)) + NUMBER_SIZE;
	text = end = xmalloc(size);
	for (int i = 0; i < N_IN_TEXT; i++) {
		const char *value = rule_words_value(words, i);

		end = put_number(end, strlen(value));
		*end++ = ':';
		end = stpcpy(end, value);
		*end++ = ' ';
	}
	snprintf(end, NUMBER_SIZE, "%lld\n", (long long) words->priority);
	return text;
}

static char *
put_number(char *end, uint64_t number)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char) ('0' + number % 10);
		number /= 10;
	} while (number);
	while (n)
		*end++ = digits[--n];
	return end;
}

/* The first problem, or NULL. */
static char *
read_rule(const struct rule_words *words, struct acl_rule *rule)
{
	char *problem = NULL;

	memset(rule, 0, sizeof *rule);
	rule->name = xstrdup(rule_words_value(words, RULE_ID));
	rule->direction =
		strcmp(rule_words_value(words, RULE_DIRECTION), "Inbound")
			? VSW_OUT : VSW_IN;
	rule->allows = words->allows;
	rule->is_logged =
		!strcmp(rule_words_value(words, RULE_LOGGING), "Enabled");
	rule->is_stateful = true;
	if (words->priority < 0 || words->priority > UINT32_MAX)
		problem = xasprintf("priority %lld",
				    (long long) words->priority);
	else
		rule->priority = (uint32_t) words->priority;
	keep_first(&problem,
		   acl_read_protos(rule_words_value(words, RULE_PROTOCOLS),
				   &rule->protos));
	keep_first(&problem,
		   acl_read_addresses(rule_words_value(words, RULE_SRC),
				      &rule->src));
	keep_first(&problem,
		   acl_read_addresses(rule_words_value(words, RULE_DST),
				      &rule->dst));
	keep_first(&problem,
		   acl_read_ports(rule_words_value(words, RULE_SRC_PORTS),
				  &rule->src_ports));
	keep_first(&problem,
		   acl_read_ports(rule_words_value(words, RULE_DST_PORTS),
				  &rule->dst_ports));
	keep_first(&problem, fit_ports(rule));
	rule->is_bad = problem;
	return problem;
}

static void
keep_first(char **problem, char *later)
{
	if (*problem)
		free(later);
	else
		*problem = later;
}

/* TCP and UDP alone have ports: of any protocol these are meant. */
static char *
fit_ports(struct acl_rule *rule)
{
	static const uint8_t with_ports[] = { 6, 17 };

	if (!rule->src_ports.n && !rule->dst_ports.n)
		return NULL;
	for (size_t i = 0; i < rule->protos.n; i++) {
		unsigned proto = rule->protos.of[i].first;

		if (proto == with_ports[0] || proto == with_ports[1])
			continue;
		rule->src_ports.n = rule->dst_ports.n = 0;
		return xasprintf("ports of protocol %u, which has none",
				 proto);
	}
	if (rule->protos.n)
		return NULL;
	rule->protos.of = xcalloc(2, sizeof *rule->protos.of);
	for (; rule->protos.n < 2; rule->protos.n++)
		rule->protos.of[rule->protos.n].first =
			rule->protos.of[rule->protos.n].last =
				with_ports[rule->protos.n];
	return NULL;
}
