/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BENCH_OVSDB_ROWS_H
#define BENCH_OVSDB_ROWS_H 1

/* The rows of all figures: hardware_vtep's Ucast_Macs_Remote, each with a MAC
 * and an address of its own, one of 16 logical switches, one of 64 locators.
 * Row number i is the same for everybody, but for its UUID. */

#include "tests/bench/ovsdb/client.h"

enum { N_SWITCHES = 16, N_LOCATORS = 64 };

struct rows {
	char switches[N_SWITCHES][36], locators[N_LOCATORS][36];
	uint32_t n, n_updates;
	char (*uuids)[36];	/* Of each row, as text without end. */
};

/* Puts switches, locators and the first N_LOCATORS rows in the database; room
 * for so many in all. */
void rows_begin(struct rows *, struct client *, uint32_t n_max);
void rows_free(struct rows *);

/* Adds so many rows in transactions of so many, as fast as the server takes
 * them, with not more than 'window' of those under way. */
void rows_load(struct rows *, struct client *, uint32_t n, uint32_t n_each,
	       uint32_t window);

/* Appends a transaction that gives row 'i' an address that none has had, by
 * UUID or by MAC. */
void rows_update(struct rows *, struct text *, uint32_t i, bool by_mac,
		 bool durable);
/* Dies unless the reply says that one row was changed. */
void rows_check_update(const char *reply, size_t);
/* Asks for a row by its UUID; dies if it is not there. */
void rows_select(const struct rows *, struct client *, uint32_t i);

/* Appends a request to be told of all rows' columns.  'since' is the id of a
 * transaction, and NULL asks by the RFC's method. */
void rows_monitor(struct text *, const char *since);
/* The number of rows in a reply to that. */
uint64_t rows_drained(const struct drained *);

#endif /* bench/ovsdb/rows.h */
