/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MODEL_MACS_H
#define MODEL_MACS_H 1

/* Where MACs were heard, and how they are forgotten: what learning switches
 * and the subnets of hardware_vtep have alike.
 *
 * The engine tells of sources that it does not know (VSW_EVENT_LEARNED), as
 * looked up in a mapping of its own, the sources'.  That is what ageing works
 * with: after a quarter of the ageing time an address is taken out of the
 * sources, so that its next packet tells of it again, while it stays where it
 * is for all else; if nothing is heard of it for the ageing time, it goes.  So
 * what goes was silent for so long, and it goes a quarter later at most; and
 * packets that find their flow cost nothing.
 *
 * An address is known once in each family, which is who learns together.  What
 * it means that one is somewhere, is up to whoever has the table.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include "agent/base/list.h"
#include "agent/model/map.h"

enum {
	MACS_OF_PORT = 1024,		/* At one port, */
	MACS_OF_SWITCH = 16384,		/* and in one table. */
	/* A MAC that has moved stays for so long, whoever claims it. */
	MACS_HOLD_MS = 1000
};

/* In the port that they are behind. */
struct mac_port {
	struct list macs;		/* struct mac, by_port. */
	size_t n;
	uint64_t n_refused;		/* For want of room, or by place(). */
};

struct mac {
	struct keyed keyed;		/* Of MAC and family. */
	struct list by_age;		/* In macs.fresh or .asked. */
	struct list by_port;
	struct mac_port *port;
	uint8_t mac[6];
	uint16_t vlan;			/* Of the family, that it is in. */
	uint32_t family;
	bool is_asked;
	bool is_lost;			/* Others know better. */
	uint64_t at_ns;			/* Heard of, or asked. */
	uint64_t moved_ns;
};

struct macs_ops {
	/* Makes it be where it says, in the sources last.  A negative errno:
	 * it cannot, and the address is refused and forgotten. */
	int (*place)(void *ctx, const struct mac *);
	/* Takes it out of the sources. */
	void (*ask)(void *ctx, const struct mac *);
	/* Takes it out of all; the table has it no more. */
	void (*forget)(void *ctx, const struct mac *);
};

struct macs {
	const struct macs_ops *ops;
	void *ctx;
	uint64_t ageing_ns;
	struct map map;
	struct list fresh, asked;	/* Oldest first. */
	uint64_t n_moves, n_held;
};

/* 'ops' may be set later, before anything is heard. */
void macs_init(struct macs *, const struct macs_ops *, void *ctx,
	       uint64_t seed);
void macs_done(struct macs *);		/* Its ports have been forgotten. */
void mac_port_init(struct mac_port *);

void macs_heard(struct macs *, struct mac_port *, uint32_t family,
		uint16_t vlan, const uint8_t mac[6], uint64_t now);
/* NULL: is not known. */
struct mac *macs_find(const struct macs *, const uint8_t mac[6],
		      uint32_t family);
void macs_age(struct macs *, uint64_t now);
void macs_forget(struct macs *, struct mac *);
void macs_forget_port(struct macs *, struct mac_port *);
void macs_forget_if(struct macs *,
		    bool (*is_gone)(void *ctx, const struct mac *), void *ctx);

#endif /* model/macs.h */
