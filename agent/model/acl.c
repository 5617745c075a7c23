/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/model/acl.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"

static struct uuid make_key(const struct acl_table *, const char *text);
static void free_rules(struct acl_rule *, size_t n);

struct acl *
acl_intern(struct acl_table *table, const char *text, struct acl_rule *rules,
	   size_t n)
{
	struct acl *acl = acl_find(table, text);

	if (acl) {
		free_rules(rules, n);
		return acl;
	}
	acl = xcalloc(1, sizeof *acl);
	acl->by_text.key = make_key(table, text);
	acl->n_refs = 1;
	acl->table = table;
	acl->text = xstrdup(text);
	acl->number = (uint32_t) map_hash(text, strlen(text), 0);
	acl->rules = rules;
	acl->n_rules = n;
	list_init(&acl->built);
	map_add(&table->acls, &acl->by_text);
	return acl;
}

struct acl *
acl_find(struct acl_table *table, const char *text)
{
	struct uuid key = make_key(table, text);

	for (struct keyed *keyed = map_find(&table->acls, &key); keyed;
	     keyed = map_find_next(keyed)) {
		struct acl *acl = KEYED_ENTRY(keyed, struct acl, by_text);

		if (!strcmp(acl->text, text))
			return acl_ref(acl);
	}
	return NULL;
}

struct acl *
acl_ref(struct acl *acl)
{
	if (acl)
		acl->n_refs++;
	return acl;
}

void
acl_unref(struct acl *acl)
{
	if (!acl || --acl->n_refs)
		return;
	map_remove(&acl->table->acls, &acl->by_text);
	free_rules(acl->rules, acl->n_rules);
	free(acl->text);
	free(acl);
}

void
acl_rule_done(struct acl_rule *rule)
{
	free(rule->name);
	free(rule->protos.of);
	free(rule->src_ports.of);
	free(rule->dst_ports.of);
	free(rule->src.of);
	free(rule->dst.of);
}

static struct uuid
make_key(const struct acl_table *table, const char *text)
{
	size_t size = strlen(text);
	uint64_t halves[2];
	struct uuid key;

	halves[0] = map_hash(text, size, table->acls.seed);
	halves[1] = map_hash(text, size, halves[0]);
	memset(&key, 0, sizeof key);
	memcpy(&key, halves, sizeof halves);
	return key;
}

static void
free_rules(struct acl_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		acl_rule_done(&rules[i]);
	free(rules);
}
