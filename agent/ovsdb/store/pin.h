/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_PIN_H
#define OVSDB_PIN_H 1

/* A database as it was at one commit, for as long as somebody reads it, while
 * transactions go on.
 *
 * Taking a pin copies nothing, however large the database is.  Each row knows
 * in which epoch it was committed, and a pin ends an epoch; from then on,
 * versions that are replaced and rows that are deleted are kept, each until no
 * pin is left from between its coming and its going.  A version that came and
 * went after the last pin is freed at once, so a pin never keeps more than
 * what there was when it was taken.
 *
 * What a pin shows is read in ranges: a table's rows fall into 2^bits of them
 * by the hash of their UUIDs.  A range can be read again, at any time, and is
 * the same set of rows, whatever happened meanwhile.
 *
 * Rows that a pin showed may be read by other threads until it is let go of;
 * all functions are [control]. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/list.h"

struct database;
struct kept;
struct row;
struct table;
struct uuid;

struct pin {
	struct list link;	/* In pins.held, or pins.released. */
	struct database *database;
	uint32_t n_refs;
	uint32_t epoch;		/* It shows what came up to then ... */
	struct kept *kept;	/* ... and went before the next pin. */
	struct pin *older;	/* Of a released one: whose rows they are,
				 * if anybody's. */
};

/* Of a database. */
struct pins {
	struct list held;	/* struct pin, oldest first. */
	struct list released;	/* Those whose rows are to be seen to. */
	uint32_t epoch;		/* Of rows that are committed now. */
	uint32_t changed;	/* Of the last that were. */
	uint32_t n_renumbered;	/* How often epochs began anew. */
	size_t n_kept;
	uint64_t kept_size;	/* Bytes, roughly. */
};

/* The rows of a table that are there for pins alone, by place. */
struct kept_map {		/* Zero-initialised. */
	struct kept **slots;	/* A power of two. */
	size_t n_slots, n;
};

/* When a table's ranges changed last. */
struct pin_stamps {		/* Zero-initialised: not written down. */
	uint32_t *epochs;
	unsigned bits;
};

/* Rows found. */
struct pin_rows {		/* Zero-initialised. */
	const struct row **rows;
	size_t n, max;
};

enum {
	PIN_RANGE_ROWS = 200,	/* At most, or thereabouts. */
	PIN_MAX_EPOCH = 0x7ffffff0
};

struct pins *pins_new(void);
/* Nobody may hold one; frees what was kept. */
void pins_free(struct pins *);

/* The database as it is.  Where nothing was committed since the last one, that
 * one.  Not between a commit's coming into force and its being told. */
struct pin *pin_take(struct database *);
struct pin *pin_ref(struct pin *);
/* Accepts NULL. */
void pin_release(struct pin *);

/* Frees up to 'max' of the rows that are kept and that nobody needs any more;
 * returns whether there are others. */
bool pin_reclaim(struct database *, size_t max);
bool pin_has_garbage(const struct database *);

/* Into how many ranges a table of this size is best divided: 2 to the power of
 * what this returns. */
unsigned pin_bits(const struct table *);
/* Adds those of one of 2^bits ranges to what is in 'rows'. */
void pin_read(const struct pin *, const struct table *, unsigned bits,
	      uint32_t range, struct pin_rows *);
void pin_rows_done(struct pin_rows *);
/* One of them, or NULL. */
const struct row *pin_find(const struct pin *, const struct table *,
			   const struct uuid *);

/* From now on, remember when ranges of the table change. */
void pin_watch(struct table *, unsigned bits);
/* The epoch of the last change of that range; what it is now all pins show
 * that are of this epoch or younger. */
uint32_t pin_changed(const struct table *, unsigned bits, uint32_t range);

/* For database.c and publish.c.  A row that is committed; one that is not any
 * more; and one that nobody else is going to look at, which is freed, now or
 * then. */
void pin_enter(struct table *, struct row *, uint32_t hash);
void pin_leave(struct table *, struct row *, uint32_t hash);
void pin_discard(struct database *, struct row *);

#endif /* ovsdb/store/pin.h */
