/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_CONSTRAINT_H
#define OVSDB_CONSTRAINT_H 1

/* What must hold for a database when a transaction ends: RFC 7047, section
 * 3.2 on references, maxRows and indexes.
 *
 * The cost is that of what changed: counts of strong references are kept with
 * the rows, and weak ones can be followed backwards.  [control] */

#include "agent/ovsdb/value/error.h"

struct transaction;

/* Checks everything; collects rows of non-root tables to which no strong
 * reference is left and takes out weak references to rows that are gone,
 * which adds to the transaction. */
struct ovsdb_error *constraint_check(struct transaction *);

#endif /* ovsdb/store/constraint.h */
