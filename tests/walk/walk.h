/* SPDX-License-Identifier: Apache-2.0 */

#ifndef WALK_WALK_H
#define WALK_WALK_H 1

/* A walk under way: a switch, what it is made of by name, and what it sent.
 * README.md describes the language.  A mistake in a walk, or a switch that
 * does not do what the walk says, ends the program. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch.h>
#include "tests/walk/frame.h"

enum { WALK_NAMES = 128 };

struct sent {
	struct sent *next;
	size_t size;
	uint8_t *bytes;
	struct vsw_offload offload;
	struct vsw_tunnel tunnel;
	struct vsw_port *in_port;
	uint32_t reason, vni, mtu;
};

/* What a name of a walk stands for. */
struct thing {
	char name[64];
	struct vsw_port *port;
	struct vsw_domain *domain;
	struct vsw_mapping *mapping;
	struct vsw_set *set;
	struct vsw_group *group;
	struct vsw_program *program;

	/* Of ports: */
	struct walk *walk;
	size_t queue;			/* Packets it takes; rest is full. */
	struct sent *sent, **last_sent;
	size_t n_sent;
	struct vsw_port_counters seen;	/* Drops that were asked after. */
};

struct walk {
	const char *file;
	unsigned line;
	char *save;			/* Of the line's words. */
	char *word;			/* The next one; NULL: none. */

	struct vsw_options options;
	struct vsw *vsw;
	struct vsw_worker *worker;
	uint64_t now;
	struct thing things[WALK_NAMES];
	size_t n_things;

	struct thing *chosen;		/* By the last "either". */
	struct thing *group, *program;	/* Being drafted. */
	struct vsw_layer *layer;

	unsigned long n_calls, fail_at, n_live;	/* Of the allocator. */
	unsigned n_checks;
};

_Noreturn void walk_fail(struct walk *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Words of the line.  'eat' takes the word if it is this one. */
const char *walk_word(struct walk *);
bool walk_eat(struct walk *, const char *word);
long walk_number(struct walk *);
/* The rest of the line, as it stands. */
const char *walk_rest(struct walk *);

struct vsw *walk_switch(struct walk *);
struct thing *walk_new(struct walk *);
struct thing *walk_find(struct walk *);

/* Statements that make policy: walk_policy.c.  False: it is none. */
bool walk_policy(struct walk *, const char *statement);
/* Ends the group or program that is being drafted. */
void walk_seal(struct walk *);

#endif /* walk/walk.h */
