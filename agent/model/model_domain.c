/* SPDX-License-Identifier: Apache-2.0 */

/* hnv.Routing_Domain: what is to become of addresses of a routing domain that
 * no mapping names. */

#include "agent/model/state.h"

#include <stdlib.h>
#include "agent/base/memory.h"

enum { TIMEOUT_MS = 2000, TIMEOUT_MIN_MS = 100, TIMEOUT_MAX_MS = 60000 };

static void read_domain(struct model_state *, struct model_domain *,
			const struct row *);
static bool read_option(struct model_domain *, const char *key,
			const char *value);
static bool read_timeout(const char *value, unsigned *ret_ms);
static void free_domain(struct model_domain *);
static void sort(struct model_state *);
static int compare(const void *, const void *);

void
domain_follow(struct model_state *state)
{
	struct model *model = state->model;
	const struct table *table =
		state_table(state, DB_HNV, "Routing_Domain");
	const struct row *row;
	struct list old;

	list_init(&old);
	while (!list_is_empty(&model->domains)) {
		struct list *link = model->domains.next;

		list_remove(link);
		list_append(&old, link);
	}
	for (row = table ? table_first(table) : NULL; row;
	     row = table_next(table, row)) {
		struct model_domain *domain = NULL;

		for (struct list *link = old.next; link != &old;
		     link = link->next) {
			struct model_domain *each =
				LIST_ENTRY(link, struct model_domain, link);

			if (uuid_equal(&each->row, row_uuid(row)))
				domain = each;
		}
		if (domain)
			list_remove(&domain->link);
		else
			domain = xcalloc(1, sizeof *domain);
		domain->row = *row_uuid(row);
		list_append(&model->domains, &domain->link);
		read_domain(state, domain, row);
	}
	if (!list_is_empty(&old))
		state->structure_changed = true;
	while (!list_is_empty(&old)) {
		struct model_domain *domain =
			LIST_ENTRY(old.next, struct model_domain, link);

		list_remove(&domain->link);
		free_domain(domain);
	}
	sort(state);
}

void
domain_done(struct model_state *state)
{
	struct list *domains = &state->model->domains;

	while (!list_is_empty(domains)) {
		struct model_domain *domain =
			LIST_ENTRY(domains->next, struct model_domain, link);

		list_remove(&domain->link);
		free_domain(domain);
	}
	free(state->domains);
	state->domains = NULL;
	state->n_domains = 0;
}

struct model_domain *
model_find_domain(const struct model *model,
		  const struct model_subnet *subnet)
{
	const struct model_state *state = model->state;
	struct model_domain key, *at = &key, **found;

	if (!state->n_domains)
		return NULL;
	key.id = iface_id_from_text(subnet->router ? subnet->router->name
						   : subnet->name);
	found = bsearch(&at, state->domains, state->n_domains, sizeof at,
			compare);
	free(key.id);
	return found ? *found : NULL;
}

static void
read_domain(struct model_state *state, struct model_domain *domain,
	    const struct row *row)
{
	struct model_domain old = *domain;
	struct datum room;
	const struct datum *options = row_get(row, "options", &room);
	bool is_bad = false;

	free(domain->id);
	domain->id = iface_id_from_text(row_string(row, "name", ""));
	memset(&domain->pa, 0, sizeof domain->pa);
	memset(domain->mac, 0, sizeof domain->mac);
	domain->encap = VSW_ENCAP_VXLAN;
	domain->asks = false;
	domain->timeout_ms = TIMEOUT_MS;
	for (uint32_t i = 0; i < options->n; i++) {
		const char *key = datum_key(options, i)->string->text;
		const char *value = datum_value(options, i)->string->text;

		if (read_option(domain, key, value))
			continue;
		is_bad = true;
		model_fault_set(&domain->fault, MODEL_BAD_OPTION, "%s=%s", key,
				value);
	}
	if (!is_bad)
		model_fault_set(&domain->fault, MODEL_OK, NULL);
	if (old.asks != domain->asks || old.encap != domain->encap
	    || memcmp(&old.pa, &domain->pa, sizeof old.pa)
	    || memcmp(old.mac, domain->mac, sizeof old.mac))
		state->structure_changed = true;
}

static bool
read_option(struct model_domain *domain, const char *key, const char *value)
{
	if (!strcmp(key, "default_location"))
		return model_addr_from_text(value, &domain->pa);
	if (!strcmp(key, "default_mac"))
		return model_mac_from_text(value, domain->mac);
	if (!strcmp(key, "default_encapsulation")) {
		bool is_nvgre = !strcmp(value, "nvgre");

		if (is_nvgre)
			domain->encap = VSW_ENCAP_NVGRE;
		return is_nvgre || !strcmp(value, "vxlan");
	}
	if (!strcmp(key, "request_mappings")) {
		domain->asks = !strcmp(value, "true");
		return domain->asks || !strcmp(value, "false");
	}
	if (!strcmp(key, "request_timeout"))
		return read_timeout(value, &domain->timeout_ms);
	return false;
}

static bool
read_timeout(const char *value, unsigned *ret_ms)
{
	char *end;
	unsigned long ms = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || ms < TIMEOUT_MIN_MS
	    || ms > TIMEOUT_MAX_MS)
		return false;
	*ret_ms = (unsigned) ms;
	return true;
}

static void
free_domain(struct model_domain *domain)
{
	free(domain->id);
	free(domain->fault.detail);
	free(domain);
}

static void
sort(struct model_state *state)
{
	struct list *domains = &state->model->domains;
	size_t n = 0;

	for (struct list *link = domains->next; link != domains;
	     link = link->next)
		n++;
	free(state->domains);
	state->domains = xcalloc(n, sizeof *state->domains);
	state->n_domains = 0;
	for (struct list *link = domains->next; link != domains;
	     link = link->next)
		state->domains[state->n_domains++] =
			LIST_ENTRY(link, struct model_domain, link);
	if (n)
		qsort(state->domains, n, sizeof *state->domains, compare);
}

/* Names differ, but two spellings of a GUID may meet: either row then. */
static int
compare(const void *pa, const void *pb)
{
	return strcmp((*(struct model_domain *const *) pa)->id,
		      (*(struct model_domain *const *) pb)->id);
}
