/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/learn.h"

#include <string.h>
#include "libvswitch/datapath/compose.h"
#include "libvswitch/datapath/narrate.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/mapping.h"

static bool is_somebodys(const uint8_t mac[6]);
static bool is_here(const struct composition *, const uint8_t mac[6],
		    const struct vsw_mapping *);

/* What counts is who sent it, whatever layers have made of it. */
void
learn_source(struct composition *c, const struct rule_learn *to)
{
	const uint8_t *mac = c->headers->key.eth_src;

	if (c->key.tunnel || !is_somebodys(mac)) {
		narrate(c->narrator, "its source is nothing to learn");
		return;
	}
	if (is_here(c, mac, to->mapping)) {
		narrate(c->narrator, "its source is known here");
		return;
	}
	narrate(c->narrator, "its source is news to \"%s\"",
		to->mapping->name);
	event_note(&c->decision->notes, &(struct event_note) {
		.kind = VSW_EVENT_LEARNED, .direction = VSW_OUT,
		.port = c->in_port, .tag = to->tag
	});
}

/* Groups send nothing, nor does nobody. */
static bool
is_somebodys(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return !(mac[0] & 1) && memcmp(mac, none, sizeof none);
}

static bool
is_here(const struct composition *c, const uint8_t mac[6],
	const struct vsw_mapping *mapping)
{
	uint32_t n;
	const struct place *places = mapping_find_mac(mapping, mac,
						      &c->decision->deps, &n);

	for (uint32_t i = 0; places && i < n; i++)
		if (places[i].kind == PLACE_LOCAL
		    && places[i].port == c->in_port)
			return true;
	return false;
}
