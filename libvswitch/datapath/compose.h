/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_COMPOSE_H
#define DATAPATH_COMPOSE_H 1

/* Many layers' actions to one rewrite.  classify.c finds the rules and asks
 * here what they make of the packet; copies are composed one by one, each with
 * the layers of the port that it goes to. */

#include <stdbool.h>
#include <stdint.h>
#include "libvswitch/datapath/address.h"
#include "libvswitch/datapath/decide.h"
#include "libvswitch/datapath/follow.h"
#include "libvswitch/policy/key.h"

struct place;
struct vsw_mapping;
struct rule;
struct rule_route;

enum target {
	TARGET_NONE,
	TARGET_PORT,			/* 'port'. */
	TARGET_PLACE,			/* places[0]. */
	TARGET_PLACES			/* A copy to each. */
};

/* Of copies to many, as a rule says; in the order of how much. */
enum addressing { ADDRESSING_NONE, ADDRESSING_MAC, ADDRESSING_IP };

struct composition {
	struct vsw *vsw;
	struct vsw_port *in_port;
	const struct headers *headers;
	const uint8_t *frame;
	const struct narrator *narrator;
	const struct foreseen *foreseen;	/* Of the packet; or NULL. */
	struct decision *decision;
	uint32_t hash;
	uint64_t now;
	bool is_trial;			/* Connections stay as they are. */

	struct flow_key key;		/* As the layers so far left it. */
	struct rewrite rewrite;		/* What they did. */
	bool is_over;			/* Dropped or punted: no layer more. */
	bool has_failed;		/* Out of memory. */
	bool asks_first;		/* Of a later fragment: for what only
					 * the first one can tell. */

	uint8_t target;			/* enum target. */
	bool is_local_only;		/* From the wire: not to the wire. */
	bool is_multicast;		/* TARGET_PLACES: of such a MAC. */
	uint8_t addressing;		/* enum addressing. */
	struct new_address address;	/* If the rewrite has one. */
	struct vsw_port *port;
	const struct place *places;
	uint32_t n_places;

	/* Direction VSW_IN, where tags change on the way: which port's
	 * connections are to be looked for when the first layer that tracks is
	 * asked, since it is known by then which tag the packet leaves with.
	 * NULL: none's, or they have been. */
	struct vsw_port *follow_later;
	struct connection_opener opener;	/* As the walk began. */
	struct follow *follow;		/* Of the walk; NULL: none. */
	struct follow follows[2];	/* By enum vsw_direction. */
};

/* What the rule's actions do; in the end '->is_over' may be true. */
void compose_rule(struct composition *, const struct rule *);
void compose_drop(struct composition *, enum vsw_drop,
		  struct vsw_port *counted_at);
/* The packet, a later fragment, has to wait for its first. */
void compose_wait(struct composition *);
/* How many copies there may be to aim. */
uint32_t compose_n_copies(const struct composition *);
/* Aims the rewrite at the target's copy 'i': returns the port whose IN layers
 * are to be asked, or NULL: there is no such copy, or it is over already. */
struct vsw_port *compose_aim(struct composition *, uint32_t i);
/* One of 'n', and the same one for all of a flow.  May be over then. */
uint32_t compose_pick(struct composition *, uint32_t n);
void compose_set_mac(struct composition *, enum rewrite_ops,
		     const uint8_t mac[6]);
void compose_punt(struct composition *, uint32_t reason);

/* route.c: a rule's route.  In the end '->is_over' may be true. */
void compose_route(struct composition *, const struct rule_route *);
/* Where what 'mapping' does not know goes; NULL: nowhere.  May be over then: it
 * has been punted. */
const struct place *compose_unknown(struct composition *,
				    const struct vsw_mapping *);

/* Adds the rewrite to the decision. */
void compose_end(struct composition *);

#endif /* datapath/compose.h */
