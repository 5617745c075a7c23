/* SPDX-License-Identifier: Apache-2.0 */

/* Whose addresses a port may use: those of its mappings, those that its
 * subnet's prefixes and its MAC make of themselves (RFC 4862), those that its
 * row allows besides, and any link-local one.  Any of its MACs may come with
 * any of its addresses, as VRRP wants it. */

#include "agent/model/guard.h"

#include <stdlib.h>
#include "agent/base/memory.h"
#include "agent/model/state.h"

static const char *const guard_names[N_GUARDS] = {
	"mac", "ip", "arp", "nd", "dhcp", "router", "redirect"
};

static void forget_others(struct model_port *, const struct guard *);
static void read_switches(struct model_port *, const struct datum *);
static void read_allowed(struct model_port *, const struct datum *);
static bool read_item(struct model_port *, const char *item);
static void add_mac(struct guard *, const uint8_t mac[6]);
static void add_addr(struct acl_addresses *, const struct vsw_addr *,
		     unsigned bits);
static void add_formed(struct guard *, const struct model_subnet *);
static int compare_macs(const void *, const void *);
static int compare_prefixes(const void *, const void *);
static void sort_addresses(struct acl_addresses *);
static uint64_t hash_addresses(const struct acl_addresses *, uint64_t hash);

enum model_verdict
verdict_from_text(const char *text)
{
	return !strcmp(text, "allow") ? VERDICT_ALLOW
	       : !strcmp(text, "block") ? VERDICT_BLOCK : VERDICT_UNSAID;
}

void
guard_read(struct model_port *port, const struct row *row)
{
	struct datum room;

	port->firewall_default =
		verdict_from_text(row_string(row, "firewall_default", ""));
	read_switches(port, row_get(row, "guards", &room));
	read_allowed(port, row_get(row, "allowed_addresses", &room));
}

bool
model_may_claim(const struct model_port *port, enum model_guard guard_,
		const struct vsw_addr *addr)
{
	const struct acl_addresses *own;
	struct guard guard;
	bool may;

	if (!port->is_guarded)
		return true;
	guard_init(&guard, port);
	may = !(guard.on & 1 << guard_);
	own = addr->n == 4 ? &guard.v4 : &guard.v6;
	for (size_t i = 0; !may && i < own->n; i++) {
		struct vsw_addr network = *addr;

		for (unsigned bit = own->of[i].bits; bit < addr->n * 8u; bit++)
			network.bytes[bit / 8] &=
				(uint8_t) ~(0x80 >> bit % 8);
		may = !memcmp(network.bytes, own->of[i].addr.bytes, addr->n);
	}
	guard_clear(&guard);
	return may;
}

bool
guard_follow(struct model_port *port)
{
	struct guard guard;
	uint64_t hash;
	bool is_other;

	guard_init(&guard, port);
	hash = map_hash(&guard.on, 1, 1);
	if (guard.n_macs)
		hash = map_hash(guard.macs, 6 * guard.n_macs, hash);
	hash = hash_addresses(&guard.v4, hash);
	hash = hash_addresses(&guard.v6, hash);
	port->is_guarded = guard.on;
	is_other = hash != port->guarded;
	if (is_other && guard.on & 1 << GUARD_MAC)
		forget_others(port, &guard);
	guard_clear(&guard);
	port->guarded = hash;
	return is_other;
}

void
guard_done(struct model_port *port)
{
	free(port->allowed_macs);
	free(port->allowed.of);
	free(port->allowed_problem);
	port->allowed_macs = NULL;
	port->n_allowed_macs = 0;
	memset(&port->allowed, 0, sizeof port->allowed);
	port->allowed_problem = NULL;
}

void
guard_init(struct guard *guard, const struct model_port *port)
{
	static const uint8_t no_mac[6];
	const struct subnet_table *table =
		port->subnet ? port->subnet->table : NULL;

	memset(guard, 0, sizeof *guard);
	if (!table)
		return;
	if (memcmp(port->claimed_mac, no_mac, 6))
		add_mac(guard, port->claimed_mac);
	for (size_t i = 0; i < table->n_locals; i++) {
		const struct model_mapping *m = &table->locals[i]->mapping;

		if (m->port != port || table->locals[i]->is_heard)
			continue;
		add_mac(guard, m->mac);
		if (m->ca.n)
			add_addr(m->ca.n == 4 ? &guard->v4 : &guard->v6,
				 &m->ca, m->ca.n * 8u);
	}
	for (size_t i = 0; i < port->n_allowed_macs; i++)
		add_mac(guard, port->allowed_macs[i]);
	for (size_t i = 0; i < port->allowed.n; i++)
		add_addr(port->allowed.of[i].addr.n == 4 ? &guard->v4
							 : &guard->v6,
			 &port->allowed.of[i].addr, port->allowed.of[i].bits);
	if (guard->v4.n || guard->v6.n)
		guard->on = (1 << N_GUARDS) - 1;
	guard->on = (guard->on | port->guards_on)
		    & (uint8_t) ~port->guards_off;
	add_formed(guard, port->subnet);
	if (guard->n_macs)
		qsort(guard->macs, guard->n_macs, 6, compare_macs);
	sort_addresses(&guard->v4);
	sort_addresses(&guard->v6);
}

void
guard_clear(struct guard *guard)
{
	free(guard->macs);
	free(guard->v4.of);
	free(guard->v6.of);
	memset(guard, 0, sizeof *guard);
}

/* Who was heard while he was let. */
static void
forget_others(struct model_port *port, const struct guard *guard)
{
	struct list *macs = &port->learned.macs, *link, *next;

	for (link = macs->next; link != macs; link = next) {
		struct mac *mac = LIST_ENTRY(link, struct mac, by_port);
		size_t i = 0;

		next = link->next;
		while (i < guard->n_macs
		       && memcmp(guard->macs[i], mac->mac, 6))
			i++;
		if (i == guard->n_macs)
			macs_forget(&port->sw->learned, mac);
	}
}

static void
read_switches(struct model_port *port, const struct datum *guards)
{
	port->guards_on = port->guards_off = 0;
	for (uint32_t i = 0; i < guards->n; i++)
		for (int guard = 0; guard < N_GUARDS; guard++) {
			uint8_t bit = (uint8_t) (1 << guard);

			if (strcmp(datum_key(guards, i)->string->text,
				   guard_names[guard]))
				continue;
			if (datum_value(guards, i)->boolean)
				port->guards_on |= bit;
			else
				port->guards_off |= bit;
		}
}

/* What does not read allows nothing. */
static void
read_allowed(struct model_port *port, const struct datum *allowed)
{
	guard_done(port);
	for (uint32_t i = 0; i < allowed->n; i++) {
		char *copy = xstrdup(datum_key(allowed, i)->string->text);
		char *rest = NULL;

		for (char *item = strtok_r(copy, ", ", &rest); item;
		     item = strtok_r(NULL, ", ", &rest))
			if (!read_item(port, item) && !port->allowed_problem)
				port->allowed_problem = xstrdup(item);
		free(copy);
	}
}

static bool
read_item(struct model_port *port, const char *item)
{
	struct acl_addresses *allowed = &port->allowed;
	struct vsw_addr addr;
	unsigned bits;
	uint8_t mac[6];

	if (model_prefix_from_text(item, &addr, &bits)) {
		if (allowed->n < ACL_MAX_ITEMS)
			add_addr(allowed, &addr, bits);
		return allowed->n < ACL_MAX_ITEMS;
	}
	if (!model_mac_from_text(item, mac) || mac[0] & 1
	    || port->n_allowed_macs >= ACL_MAX_ITEMS)
		return false;
	port->allowed_macs = xrealloc(port->allowed_macs,
				      (port->n_allowed_macs + 1) * 6);
	memcpy(port->allowed_macs[port->n_allowed_macs++], mac, 6);
	return true;
}

static void
add_mac(struct guard *guard, const uint8_t mac[6])
{
	for (size_t i = 0; i < guard->n_macs; i++)
		if (!memcmp(guard->macs[i], mac, 6))
			return;
	guard->macs = xrealloc(guard->macs, (guard->n_macs + 1) * 6);
	memcpy(guard->macs[guard->n_macs++], mac, 6);
}

static void
add_addr(struct acl_addresses *addresses, const struct vsw_addr *addr,
	 unsigned bits)
{
	struct acl_prefix *prefix;

	if (!(addresses->n & (addresses->n + 1)))
		addresses->of = xrealloc(addresses->of,
					 (2 * addresses->n + 1)
					 * sizeof *addresses->of);
	prefix = &addresses->of[addresses->n++];
	memset(prefix, 0, sizeof *prefix);
	prefix->addr.n = addr->n;
	memcpy(prefix->addr.bytes, addr->bytes, addr->n);
	prefix->bits = bits;
	for (unsigned i = bits; i < addr->n * 8u; i++)
		prefix->addr.bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

/* RFC 4862, section 5.5.3, with the interface identifiers of RFC 4291,
 * appendix A; and link-local addresses, which anybody makes as he likes. */
static void
add_formed(struct guard *guard, const struct model_subnet *subnet)
{
	static const struct vsw_addr local = { 16, { 0xfe, 0x80 } };

	for (const struct list *link = subnet->prefixes.next;
	     link != &subnet->prefixes; link = link->next) {
		const struct model_prefix *prefix =
			LIST_ENTRY(link, const struct model_prefix, link);

		if (prefix->network.n != 16 || prefix->bits != 64)
			continue;
		for (size_t i = 0; i < guard->n_macs; i++) {
			const uint8_t *mac = guard->macs[i];
			struct vsw_addr addr = prefix->network;

			memcpy(addr.bytes + 8, mac, 3);
			addr.bytes[8] ^= 2;
			addr.bytes[11] = 0xff;
			addr.bytes[12] = 0xfe;
			memcpy(addr.bytes + 13, mac + 3, 3);
			add_addr(&guard->v6, &addr, 128);
		}
	}
	add_addr(&guard->v6, &local, 10);
}

static int
compare_macs(const void *a, const void *b)
{
	return memcmp(a, b, 6);
}

static int
compare_prefixes(const void *pa, const void *pb)
{
	const struct acl_prefix *a = pa, *b = pb;
	int order = memcmp(a->addr.bytes, b->addr.bytes, 16);

	return order ? order : (a->bits > b->bits) - (a->bits < b->bits);
}

static void
sort_addresses(struct acl_addresses *addresses)
{
	size_t n = 0;

	if (!addresses->n)
		return;
	qsort(addresses->of, addresses->n, sizeof *addresses->of,
	      compare_prefixes);
	for (size_t i = 0; i < addresses->n; i++)
		if (!i || compare_prefixes(&addresses->of[i],
					   &addresses->of[n - 1]))
			addresses->of[n++] = addresses->of[i];
	addresses->n = n;
}

static uint64_t
hash_addresses(const struct acl_addresses *addresses, uint64_t hash)
{
	return addresses->n ? map_hash(addresses->of, addresses->n
				       * sizeof *addresses->of, hash)
			    : map_hash("-", 1, hash);
}
