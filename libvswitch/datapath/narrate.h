/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_NARRATE_H
#define DATAPATH_NARRATE_H 1

/* Deciding aloud: those who decide say each step here, in words and as what it
 * is about; struct vsw_step says what a step has.  A narrator is there for
 * vsw_explain() alone.  All of these accept NULL, which is what passes packets,
 * and do nothing then. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/inspect.h>

struct flow_key;
struct vsw_group;
struct vsw_layer;
struct rule;

struct narrator {
	vsw_explain_fn *say;
	void *ctx;
	struct vsw_step *step;		/* The last one that was said, or, all
					 * zero, none. */
	char *address;			/* Room for DESCRIBE_ADDR_SIZE. */
};

/* What came in. */
void narrate_packet(const struct narrator *, const struct flow_key *);
/* The port's layers are to be asked. */
void narrate_port(const struct narrator *, struct vsw_port *,
		  enum vsw_direction, bool has_program);
/* A group of the layer that is asked next has been asked: what it cost. */
void narrate_group(const struct narrator *, const struct vsw_group *,
		   const struct flow_key *);
/* A layer has been asked; 'rule' NULL: no rule.  'more' goes behind it, or
 * says why it was not asked. */
void narrate_layer(const struct narrator *, const struct vsw_layer *,
		   const struct rule *rule, const char *more);
/* What the layer's rule looks up: the next step is about that. */
void narrate_mac(const struct narrator *, const char *mapping,
		 const uint8_t mac[6]);
void narrate_addr(const struct narrator *, const char *mapping,
		  const uint8_t *addr, unsigned size);
/* What the layer's rule found, or did. */
void narrate(const struct narrator *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Where a copy goes. */
void narrate_target(const struct narrator *, struct vsw_port *,
		    const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* How the packet, or a copy of it, ends: sent to 'port', or dropped. */
void narrate_sent(const struct narrator *, struct vsw_port *,
		  const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void narrate_drop(const struct narrator *, enum vsw_drop);

#endif /* datapath/narrate.h */
