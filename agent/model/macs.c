/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/model/macs.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"

static struct uuid key_of(const uint8_t mac[6], uint32_t family);
static struct mac *add(struct macs *, struct mac_port *, uint32_t family,
		       const uint8_t mac[6]);
static void move(struct macs *, struct mac *, struct mac_port *,
		 uint64_t now);
static struct mac *oldest(const struct list *ages);
static void forget_of(struct macs *, struct list *ages,
		      bool (*is_gone)(void *, const struct mac *), void *ctx);

void
macs_init(struct macs *macs, const struct macs_ops *ops, void *ctx,
	  uint64_t seed)
{
	memset(macs, 0, sizeof *macs);
	macs->ops = ops;
	macs->ctx = ctx;
	map_init(&macs->map, seed);
	list_init(&macs->fresh);
	list_init(&macs->asked);
}

void
macs_done(struct macs *macs)
{
	map_done(&macs->map);
}

void
mac_port_init(struct mac_port *port)
{
	memset(port, 0, sizeof *port);
	list_init(&port->macs);
}

void
macs_heard(struct macs *macs, struct mac_port *port, uint32_t family,
	   uint16_t vlan, const uint8_t mac[6], uint64_t now)
{
	struct mac *known = macs_find(macs, mac, family);
	bool is_here = known && known->port == port && known->vlan == vlan;

	if (is_here && !known->is_asked)
		return;			/* Told twice before it was set. */
	if (known && !is_here && known->moved_ns
	    && now - known->moved_ns < MACS_HOLD_MS * UINT64_C(1000000)) {
		macs->n_held++;
		return;
	}
	if (!known || known->port != port) {
		if (port->n >= MACS_OF_PORT
		    || (!known && macs->map.n >= MACS_OF_SWITCH)) {
			port->n_refused++;
			return;
		}
	}
	if (!known)
		known = add(macs, port, family, mac);
	else if (!is_here)
		move(macs, known, port, now);
	known->vlan = vlan;
	known->at_ns = now;
	known->is_asked = known->is_lost = false;
	list_remove(&known->by_age);
	list_append(&macs->fresh, &known->by_age);
	if (macs->ops->place(macs->ctx, known)) {
		port->n_refused++;
		macs_forget(macs, known);
	}
}

struct mac *
macs_find(const struct macs *macs, const uint8_t mac[6], uint32_t family)
{
	struct uuid key = key_of(mac, family);
	struct keyed *keyed = map_find(&macs->map, &key);

	return keyed ? KEYED_ENTRY(keyed, struct mac, keyed) : NULL;
}

void
macs_age(struct macs *macs, uint64_t now)
{
	struct mac *mac;

	while ((mac = oldest(&macs->asked))
	       && now - mac->at_ns >= macs->ageing_ns)
		macs_forget(macs, mac);
	while ((mac = oldest(&macs->fresh))
	       && now - mac->at_ns >= macs->ageing_ns / 4) {
		macs->ops->ask(macs->ctx, mac);
		mac->is_asked = true;
		mac->at_ns = now;
		list_remove(&mac->by_age);
		list_append(&macs->asked, &mac->by_age);
	}
}

void
macs_forget(struct macs *macs, struct mac *mac)
{
	map_remove(&macs->map, &mac->keyed);
	list_remove(&mac->by_age);
	list_remove(&mac->by_port);
	mac->port->n--;
	macs->ops->forget(macs->ctx, mac);
	free(mac);
}

void
macs_forget_port(struct macs *macs, struct mac_port *port)
{
	while (!list_is_empty(&port->macs))
		macs_forget(macs, LIST_ENTRY(port->macs.next, struct mac,
					     by_port));
}

void
macs_forget_if(struct macs *macs,
	       bool (*is_gone)(void *ctx, const struct mac *), void *ctx)
{
	forget_of(macs, &macs->fresh, is_gone, ctx);
	forget_of(macs, &macs->asked, is_gone, ctx);
}

static struct uuid
key_of(const uint8_t mac[6], uint32_t family)
{
	struct uuid key = { { 0 } };

	memcpy(key.bytes, mac, 6);
	memcpy(key.bytes + 6, &family, sizeof family);
	return key;
}

static struct mac *
add(struct macs *macs, struct mac_port *port, uint32_t family,
    const uint8_t mac[6])
{
	struct mac *entry = xcalloc(1, sizeof *entry);

	entry->keyed.key = key_of(mac, family);
	memcpy(entry->mac, mac, 6);
	entry->family = family;
	entry->port = port;
	list_init(&entry->by_age);
	list_append(&port->macs, &entry->by_port);
	port->n++;
	map_add(&macs->map, &entry->keyed);
	return entry;
}

static void
move(struct macs *macs, struct mac *mac, struct mac_port *port, uint64_t now)
{
	mac->port->n--;
	list_remove(&mac->by_port);
	mac->port = port;
	mac->moved_ns = now;
	port->n++;
	list_append(&port->macs, &mac->by_port);
	macs->n_moves++;
}

static struct mac *
oldest(const struct list *ages)
{
	return list_is_empty(ages) ? NULL
				   : LIST_ENTRY(ages->next, struct mac,
						by_age);
}

static void
forget_of(struct macs *macs, struct list *ages,
	  bool (*is_gone)(void *, const struct mac *), void *ctx)
{
	struct list *link, *next;

	for (link = ages->next; link != ages; link = next) {
		struct mac *mac = LIST_ENTRY(link, struct mac, by_age);

		next = link->next;
		if (is_gone(ctx, mac))
			macs_forget(macs, mac);
	}
}
