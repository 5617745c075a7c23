/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_SWITCH_H
#define BASE_SWITCH_H 1

/* The root object: what every part of the library may ask for.  Its life is
 * in switch/switch.c. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <vswitch/inspect.h>
#include <vswitch/switch.h>
#include "libvswitch/base/generation.h"
#include "libvswitch/base/hash.h"
#include "libvswitch/base/reclaim.h"
#include "libvswitch/base/table.h"

struct connections;
struct ear;
struct entry_pool;
struct vsw_domain;
struct vsw_port;
struct vsw_worker;

struct vsw {
	struct vsw_options options;
	struct vsw_allocator allocator;		/* Never null inside. */
	uint64_t seed;				/* Secret; of all hashes. */
	struct hash_secret secret;		/* Of the seed. */
	struct reclaim reclaim;
	struct generations generations;

	/* By number; a number is not used again before nobody can hold the
	 * port that had it.  Read by workers. */
	_Atomic(struct vsw_port *) *ports;	/* options.max_ports. */
	uint64_t *port_numbers;			/* Bitmap of those taken.
						 * [control] */
	uint32_t n_ports;			/* Whose memory is there. */
	uint64_t n_ports_ever;
	_Atomic(struct vsw_port *) punt_port;
	_Atomic(struct connections *) connections;	/* NULL: no program
						 * has tracked yet. */

	struct table port_names;		/* [control] */
	struct table layers;			/* Of sealed programs, by what
						 * they say. [control] */
	struct vsw_domain *domains;		/* Their list. [control] */
	struct entry_pool *entries;		/* Of all mappings. */
	uint32_t n_salts;			/* See switch_salt(). */

	struct vsw_worker **workers;		/* options.max_workers. */
	struct ear *ears;			/* Theirs. */
	_Atomic bool is_woken;			/* Control knows of events. */
	uint32_t next_event;			/* Worker to be asked next. */
	struct vsw_event_counters events_gone;	/* With workers. */
	uint64_t n_sealed;			/* Programs, ever. */
	uint32_t n_domains, n_programs, n_groups, n_sets;	/* Alive. */
};

/* [control] For hashes of things of the same name in different places. */
static inline uint64_t
switch_salt(struct vsw *vsw)
{
	return hash_derive(vsw->seed, (uint64_t) ++vsw->n_salts << 32);
}

/* [any] There are events for control to take. */
void switch_wake(struct vsw *);

/* [control] */
void switch_log(const struct vsw *, enum vsw_log_level, const char *format,
		...) __attribute__((format(printf, 3, 4)));

#endif /* base/switch.h */
