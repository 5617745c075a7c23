/* SPDX-License-Identifier: Apache-2.0 */

/* What became of tunnel_ips. */

#include "agent/model/state.h"

static const struct model_pa *find(const struct model *,
				   const struct vsw_addr *);
static void say(const struct model *, const struct model_switch *,
		const char *ip,
		void (*each)(void *ctx, const struct model_tunnel_ip *),
		void *ctx);

void
model_each_tunnel_ip(const struct model *model, const struct model_switch *sw,
		     void (*each)(void *ctx, const struct model_tunnel_ip *),
		     void *ctx)
{
	for (int db = 0; db < N_DBS; db++) {
		const struct table *table =
			state_table(model->state, db, "Physical_Switch");
		const struct row *row = table ? table_first(table) : NULL;

		for (; row; row = table_next(table, row)) {
			struct datum room;
			const struct datum *ips;

			if (strcmp(row_string(row, "name", ""), sw->name))
				continue;
			ips = row_get(row, "tunnel_ips", &room);
			for (uint32_t i = 0; i < ips->n; i++)
				say(model, sw, datum_key(ips, i)->string->text,
				    each, ctx);
		}
	}
}

static void
say(const struct model *model, const struct model_switch *sw, const char *ip,
    void (*each)(void *ctx, const struct model_tunnel_ip *), void *ctx)
{
	static const struct model_fault bad = { MODEL_BAD_ADDRESS, NULL };
	static char no_device_text[] =
		"options:provider_device of the switch does not say socket "
		"or packet";
	static const struct model_fault unused = {
		MODEL_NO_PROVIDER_ADDRESS, no_device_text
	};
	struct model_tunnel_ip tunnel_ip = { .ip = ip };
	struct vsw_addr addr;

	if (!model_addr_from_text(ip, &addr)) {
		tunnel_ip.fault = &bad;
	} else {
		tunnel_ip.pa = find(model, &addr);
		tunnel_ip.fault = tunnel_ip.pa ? &tunnel_ip.pa->fault
				  : sw->settings.provider_device
				    ? &bad : &unused;
	}
	each(ctx, &tunnel_ip);
}

static const struct model_pa *
find(const struct model *model, const struct vsw_addr *addr)
{
	for (const struct list *s = model->switches.next;
	     s != &model->switches; s = s->next) {
		const struct list *addresses =
			&LIST_ENTRY(s, const struct model_switch, link)
			->provider_addresses;

		for (const struct list *p = addresses->next; p != addresses;
		     p = p->next) {
			const struct model_pa *pa =
				LIST_ENTRY(p, const struct model_pa, link);

			if (!pa->is_removed
			    && !memcmp(&pa->addr, addr, sizeof *addr))
				return pa;
		}
	}
	return NULL;
}
