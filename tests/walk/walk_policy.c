/* SPDX-License-Identifier: Apache-2.0 */

/* Statements that make policy. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/walk/walk.h"

enum { MAX_LOCATIONS = 1024 };

static void do_options(struct walk *);
static void read_mac(struct walk *, const char *text, uint8_t mac[6]);
static void read_addr(struct walk *, const char *text, struct vsw_addr *);
static size_t read_locations(struct walk *, struct vsw_location *);
static bool do_mapping(struct walk *, const char *statement);
static void do_underlay(struct walk *);
static void do_nexthop(struct walk *);
static void do_set(struct walk *);
static void do_flood(struct walk *);
static void do_rule(struct walk *);
static void do_match(struct walk *, struct vsw_rule *, char *text);
static void do_action(struct walk *, struct vsw_rule *);
static void do_route(struct walk *, struct vsw_rule *);
static void do_layer(struct walk *);
static void do_use(struct walk *);
static void must(struct walk *, int error, const char *what);

static struct vsw_location locations[MAX_LOCATIONS];

bool
walk_policy(struct walk *w, const char *statement)
{
	struct thing *thing;

	if (!strcmp(statement, "rule") && w->group) {
		do_rule(w);
		return true;
	}
	if (!strcmp(statement, "layer") && w->program) {
		do_layer(w);
		return true;
	}
	walk_seal(w);

	if (!strcmp(statement, "underlay")) {
		do_underlay(w);
	} else if (!strcmp(statement, "mtu")) {
		thing = walk_find(w);
		must(w, vsw_port_set_mtu(thing->port,
					 (uint32_t) walk_number(w)), "mtu");
	} else if (!strcmp(statement, "nexthop")) {
		do_nexthop(w);
	} else if (!strcmp(statement, "domain")) {
		thing = walk_new(w);
		must(w, vsw_domain_new(walk_switch(w), thing->name,
				       &thing->domain), "domain");
	} else if (!strcmp(statement, "uplink")) {
		thing = walk_find(w);
		must(w, vsw_domain_set_uplink(thing->domain,
					      walk_eat(w, "none")
					      ? NULL : walk_find(w)->port),
		     "uplink");
	} else if (do_mapping(w, statement)) {
		return true;
	} else if (!strcmp(statement, "options")) {
		do_options(w);
	} else if (!strcmp(statement, "flood")) {
		do_flood(w);
	} else if (!strcmp(statement, "set")) {
		do_set(w);
	} else if (!strcmp(statement, "group")) {
		w->group = walk_new(w);
		must(w, vsw_group_new(walk_switch(w), w->group->name,
				      &w->group->group), "group");
	} else if (!strcmp(statement, "program")) {
		w->program = walk_new(w);
		must(w, vsw_program_new(walk_switch(w), &w->program->program),
		     "program");
	} else if (!strcmp(statement, "use")) {
		do_use(w);
	} else {
		return false;
	}
	return true;
}

void
walk_seal(struct walk *w)
{
	char problem[256];

	if (w->group && vsw_group_seal(w->group->group, problem,
				       sizeof problem))
		walk_fail(w, "%s", problem);
	if (w->program && vsw_program_seal(w->program->program, problem,
					   sizeof problem))
		walk_fail(w, "%s", problem);
	w->group = w->program = NULL;
}

static void
do_options(struct walk *w)
{
	if (w->vsw)
		walk_fail(w, "options come first");
	while (w->word) {
		const struct {
			const char *name;
			uint32_t *value;
		} all[] = {
			{ "max_flows", &w->options.max_flows },
			{ "max_punts_per_s", &w->options.max_punts_per_s },
			{ "flow_idle_s", &w->options.flow_idle_s },
			{ "max_connections", &w->options.max_connections },
			{ "max_port_connections",
			  &w->options.max_port_connections },
			{ "max_port_half_open",
			  &w->options.max_port_half_open },
			{ "max_port_connections_per_s",
			  &w->options.max_port_connections_per_s }
		};
		size_t i = 0;

		while (i < sizeof all / sizeof all[0]
		       && !walk_eat(w, all[i].name))
			i++;
		if (i == sizeof all / sizeof all[0])
			walk_fail(w, "no option \"%s\"", w->word);
		*all[i].value = (uint32_t) walk_number(w);
	}
}

static void
read_mac(struct walk *w, const char *text, uint8_t mac[6])
{
	static struct frame frame;
	char spec[80];

	snprintf(spec, sizeof spec, "eth 1>%s", text);
	if (!frame_make(spec, &frame))
		walk_fail(w, "%s", frame.problem);
	memcpy(mac, frame.bytes, 6);
}

static void
read_addr(struct walk *w, const char *text, struct vsw_addr *addr)
{
	memset(addr, 0, sizeof *addr);
	if (inet_pton(AF_INET, text, addr->bytes) == 1)
		addr->n = 4;
	else if (inet_pton(AF_INET6, text, addr->bytes) == 1)
		addr->n = 16;
	else
		walk_fail(w, "\"%s\" is no address", text);
}

/* port NAME [vni N], or pa ADDR vxlan|nvgre VNI; then [mac M] [v4 ADDR]
 * [v6 ADDR]; "|" between several. */
static size_t
read_locations(struct walk *w, struct vsw_location *to)
{
	size_t n = 0;

	do {
		struct vsw_location *l = &to[n++];

		memset(l, 0, sizeof *l);
		l->size = sizeof *l;
		if (walk_eat(w, "port")) {
			l->port = walk_find(w)->port;
			if (walk_eat(w, "vni"))
				l->vni = (uint32_t) walk_number(w);
		} else if (walk_eat(w, "pa")) {
			read_addr(w, walk_word(w), &l->pa);
			l->encap = VSW_ENCAP_VXLAN;
			if (walk_eat(w, "nvgre"))
				l->encap = VSW_ENCAP_NVGRE;
			else if (!walk_eat(w, "vxlan"))
				walk_fail(w, "no encapsulation");
			l->vni = (uint32_t) walk_number(w);
		} else {
			walk_fail(w, "no location");
		}
		if (walk_eat(w, "mac"))
			read_mac(w, walk_word(w), l->mac);
		if (walk_eat(w, "v4"))
			read_addr(w, walk_word(w), &l->v4);
		if (walk_eat(w, "v6"))
			read_addr(w, walk_word(w), &l->v6);
	} while (n < MAX_LOCATIONS && walk_eat(w, "|"));
	return n;
}

/* mapping, and edits of one. */
static bool
do_mapping(struct walk *w, const char *statement)
{
	struct thing *thing;
	struct vsw_addr addr;
	uint8_t mac[6];
	size_t n;

	if (!strcmp(statement, "mapping")) {
		struct thing *domain;

		thing = walk_new(w);
		domain = walk_find(w);
		must(w, vsw_mapping_new(domain->domain, thing->name,
					(uint32_t) walk_number(w),
					&thing->mapping), "mapping");
	} else if (!strcmp(statement, "mac")) {
		thing = walk_find(w);
		read_mac(w, walk_word(w), mac);
		n = read_locations(w, locations);
		must(w, vsw_mapping_set_mac(thing->mapping, mac, locations,
					    n), "mac");
	} else if (!strcmp(statement, "addr")) {
		thing = walk_find(w);
		read_addr(w, walk_word(w), &addr);
		n = read_locations(w, locations);
		must(w, vsw_mapping_set_addr(thing->mapping, &addr, locations,
					     n), "addr");
	} else if (!strcmp(statement, "nomac")) {
		thing = walk_find(w);
		read_mac(w, walk_word(w), mac);
		vsw_mapping_remove_mac(thing->mapping, mac);
	} else if (!strcmp(statement, "noaddr")) {
		thing = walk_find(w);
		read_addr(w, walk_word(w), &addr);
		vsw_mapping_remove_addr(thing->mapping, &addr);
	} else {
		return false;
	}
	return true;
}

static void
do_underlay(struct walk *w)
{
	struct vsw_underlay underlay = { .size = sizeof underlay };
	struct thing *port = walk_find(w);

	while (w->word) {
		if (walk_eat(w, "mac"))
			read_mac(w, walk_word(w), underlay.mac);
		else if (walk_eat(w, "v4"))
			read_addr(w, walk_word(w), &underlay.local_v4);
		else if (walk_eat(w, "v6"))
			read_addr(w, walk_word(w), &underlay.local_v6);
		else if (walk_eat(w, "vlan"))
			underlay.vlan = (uint16_t) walk_number(w);
		else if (walk_eat(w, "mtu"))
			underlay.mtu = (uint32_t) walk_number(w);
		else if (walk_eat(w, "ttl"))
			underlay.ttl = (uint8_t) walk_number(w);
		else if (walk_eat(w, "vxlan_port"))
			underlay.vxlan_port = (uint16_t) walk_number(w);
		else
			walk_fail(w, "underlay knows no \"%s\"", w->word);
	}
	must(w, vsw_port_set_underlay(port->port, &underlay), "underlay");
}

static void
do_nexthop(struct walk *w)
{
	struct thing *port = walk_find(w);
	struct vsw_addr pa = { 0 };
	uint8_t mac[6];

	if (!walk_eat(w, "default"))
		read_addr(w, walk_word(w), &pa);
	if (walk_eat(w, "none")) {
		must(w, vsw_port_set_next_hop(port->port, &pa, NULL),
		     "nexthop");
		return;
	}
	read_mac(w, walk_word(w), mac);
	must(w, vsw_port_set_next_hop(port->port, &pa, mac), "nexthop");
}

static void
do_set(struct walk *w)
{
	struct thing *thing = walk_new(w);
	bool is_ports = walk_eat(w, "ports");
	char problem[256];

	if (!is_ports && !walk_eat(w, "addresses"))
		walk_fail(w, "a set of what?");
	must(w, vsw_set_new(walk_switch(w), thing->name,
			    is_ports ? VSW_SET_PORTS : VSW_SET_ADDRESSES,
			    &thing->set), "set");
	while (w->word) {
		char *word = (char *) walk_word(w);

		if (is_ports) {
			unsigned first, last;
			int n = sscanf(word, "%u-%u", &first, &last);

			vsw_set_add_ports(thing->set, (uint16_t) first,
					  (uint16_t) (n == 2 ? last : first));
		} else {
			char *slash = strchr(word, '/');
			struct vsw_addr addr;

			if (slash)
				*slash = '\0';
			read_addr(w, word, &addr);
			vsw_set_add_prefix(thing->set, &addr,
					   slash ? (unsigned) atoi(slash + 1)
					   : addr.n * 8u);
		}
	}
	if (vsw_set_seal(thing->set, problem, sizeof problem))
		walk_fail(w, "%s", problem);
}

static void
do_flood(struct walk *w)
{
	struct thing *thing = walk_find(w);
	bool unknown = walk_eat(w, "unknown");
	size_t n = walk_eat(w, "none") ? 0 : read_locations(w, locations);

	must(w, vsw_mapping_set_flood(thing->mapping, locations, n, unknown),
	     "flood");
}

/* rule PRIORITY [name NAME] MATCH... : ACTION... */
static void
do_rule(struct walk *w)
{
	uint32_t priority = (uint32_t) walk_number(w);
	const char *name = walk_eat(w, "name") ? walk_word(w) : NULL;
	struct vsw_rule *rule = vsw_group_add_rule(w->group->group, priority,
						   name);

	while (w->word && !walk_eat(w, ":"))
		do_match(w, rule, (char *) walk_word(w));
	while (w->word)
		do_action(w, rule);
}

static const struct {
	const char *name;
	enum vsw_field field;
	char kind;		/* m: MAC, a: address, else bytes. */
} fields[] = {
	{ "eth_src", VSW_FIELD_ETH_SRC, 'm' },
	{ "eth_dst", VSW_FIELD_ETH_DST, 'm' },
	{ "eth_type", VSW_FIELD_ETH_TYPE, 2 },
	{ "vlan", VSW_FIELD_VLAN, 2 },
	{ "proto", VSW_FIELD_IP_PROTO, 1 },
	{ "ip4_src", VSW_FIELD_IPV4_SRC, 'a' },
	{ "ip4_dst", VSW_FIELD_IPV4_DST, 'a' },
	{ "ip6_src", VSW_FIELD_IPV6_SRC, 'a' },
	{ "ip6_dst", VSW_FIELD_IPV6_DST, 'a' },
	{ "src", VSW_FIELD_L4_SRC, 2 },
	{ "dst", VSW_FIELD_L4_DST, 2 },
	{ "fragment", VSW_FIELD_FRAGMENT, 1 },
	{ "vni", VSW_FIELD_VNI, 4 },
	{ "tunnel_src4", VSW_FIELD_TUNNEL_SRC4, 'a' },
	{ "tunnel_dst4", VSW_FIELD_TUNNEL_DST4, 'a' },
	{ "tunnel_src6", VSW_FIELD_TUNNEL_SRC6, 'a' },
	{ "tunnel_dst6", VSW_FIELD_TUNNEL_DST6, 'a' },
};

/* FIELD=VALUE, FIELD=ADDR/BITS, FIELD=MAC/MAC, FIELD=FIRST-LAST, FIELD=@SET. */
static void
do_match(struct walk *w, struct vsw_rule *rule, char *text)
{
	uint8_t value[16] = { 0 }, mask[16];
	char *equals = strchr(text, '='), *slash, *dash;
	struct vsw_addr addr;
	size_t i = 0;

	if (!equals)
		walk_fail(w, "\"%s\" is no match", text);
	*equals++ = '\0';
	while (i < sizeof fields / sizeof fields[0]
	       && strcmp(fields[i].name, text))
		i++;
	if (i == sizeof fields / sizeof fields[0])
		walk_fail(w, "no field \"%s\"", text);
	memset(mask, 0xff, sizeof mask);
	slash = strchr(equals, '/');
	dash = strchr(equals, '-');
	if (*equals == '@') {
		for (size_t t = 0; t < w->n_things; t++)
			if (!strcmp(w->things[t].name, equals + 1)) {
				vsw_rule_match_set(rule, fields[i].field,
						   w->things[t].set);
				return;
			}
		walk_fail(w, "no set \"%s\"", equals + 1);
	}
	if (slash)
		*slash++ = '\0';
	if (fields[i].kind == 'm') {
		read_mac(w, equals, value);
		if (slash)
			read_mac(w, slash, mask);
	} else if (fields[i].kind == 'a') {
		unsigned bits = slash ? (unsigned) atoi(slash) : 128;

		read_addr(w, equals, &addr);
		memcpy(value, addr.bytes, 16);
		for (unsigned b = bits; b < 128; b++) {
			mask[b / 8] &= (uint8_t) ~(0x80u >> b % 8);
			value[b / 8] &= mask[b / 8];
		}
	} else if (dash) {
		vsw_rule_match_range(rule, fields[i].field,
				     (uint16_t) atoi(equals),
				     (uint16_t) atoi(dash + 1));
		return;
	} else {
		unsigned long v = strtoul(equals, NULL, 0);

		for (int b = fields[i].kind; b-- > 0; v >>= 8)
			value[b] = (uint8_t) v;
	}
	vsw_rule_match(rule, fields[i].field, value, mask);
}

static void
do_action(struct walk *w, struct vsw_rule *rule)
{
	uint8_t mac[6];

	if (walk_eat(w, "drop")) {
		vsw_rule_drop(rule);
	} else if (walk_eat(w, "output")) {
		vsw_rule_output(rule, walk_find(w)->port);
	} else if (walk_eat(w, "punt")) {
		vsw_rule_punt(rule, (uint32_t) walk_number(w));
	} else if (walk_eat(w, "encap")) {
		vsw_rule_encap(rule, walk_find(w)->mapping);
	} else if (walk_eat(w, "decap")) {
		vsw_rule_decap(rule, walk_find(w)->mapping);
	} else if (walk_eat(w, "eth_src")) {
		read_mac(w, walk_word(w), mac);
		vsw_rule_set_eth_src(rule, mac);
	} else if (walk_eat(w, "eth_dst")) {
		read_mac(w, walk_word(w), mac);
		vsw_rule_set_eth_dst(rule, mac);
	} else if (walk_eat(w, "set_vlan")) {
		vsw_rule_set_vlan(rule, (uint16_t) walk_number(w));
	} else if (walk_eat(w, "learn")) {
		vsw_rule_learn(rule, walk_find(w)->mapping, 0);
	} else if (walk_eat(w, "ttl")) {
		vsw_rule_decrement_ttl(rule);
	} else if (walk_eat(w, "too_big")) {
		bool may_fragment = walk_eat(w, "fragment");

		vsw_rule_too_big(rule, may_fragment,
				 walk_eat(w, "reason")
				 ? (uint32_t) walk_number(w) : 0);
	} else if (walk_eat(w, "unreachable")) {
		vsw_rule_unreachable(rule, (uint32_t) walk_number(w));
	} else if (walk_eat(w, "clamp_mss")) {
		vsw_rule_clamp_mss(rule, (uint16_t) walk_number(w));
	} else if (walk_eat(w, "address_copies")) {
		vsw_rule_address_copies(rule, walk_eat(w, "ip"));
	} else if (walk_eat(w, "track")) {
		vsw_rule_track(rule);
	} else if (walk_eat(w, "terminate")) {
		vsw_rule_terminate(rule);
	} else if (walk_eat(w, "route")) {
		do_route(w, rule);
	} else if (!walk_eat(w, "pass")) {
		walk_fail(w, "no action \"%s\"", w->word);
	}
}

/* route MAPPING router MAC [via ADDR] [ttl_reason N]. */
static void
do_route(struct walk *w, struct vsw_rule *rule)
{
	struct thing *mapping = walk_find(w);
	struct vsw_addr via = { 0 };
	uint32_t reason = 0;
	uint8_t mac[6];

	if (!walk_eat(w, "router"))
		walk_fail(w, "route needs router MAC");
	read_mac(w, walk_word(w), mac);
	if (walk_eat(w, "via"))
		read_addr(w, walk_word(w), &via);
	if (walk_eat(w, "ttl_reason"))
		reason = (uint32_t) walk_number(w);
	vsw_rule_route(rule, mapping->mapping, &via, mac, reason);
}

/* layer NAME [out GROUP...] [in GROUP...]. */
static void
do_layer(struct walk *w)
{
	enum vsw_direction direction = VSW_OUT;
	struct vsw_layer *layer = vsw_program_add_layer(w->program->program,
							walk_word(w));

	while (w->word) {
		if (walk_eat(w, "out"))
			direction = VSW_OUT;
		else if (walk_eat(w, "in"))
			direction = VSW_IN;
		else
			vsw_layer_add_group(layer, direction,
					    walk_find(w)->group);
	}
}

static void
do_use(struct walk *w)
{
	struct thing *port = walk_find(w);

	must(w, vsw_port_set_program(port->port,
				     walk_eat(w, "none")
				     ? NULL : walk_find(w)->program), "use");
}

static void
must(struct walk *w, int error, const char *what)
{
	if (error)
		walk_fail(w, "%s: %s", what, strerror(-error));
}
