/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_PUBLISH_H
#define OVSDB_PUBLISH_H 1

/* The last step of a commit: to the file, into the tables, out to the
 * observers.  [control] */

#include <stdbool.h>
#include "agent/ovsdb/value/error.h"

struct transaction;

/* Of a transaction that has been checked.  Fails before anything is seen if
 * the file cannot be written; afterwards the versions that were replaced are
 * gone and the database can have another transaction. */
struct ovsdb_error *publish(struct transaction *, bool durable);

#endif /* ovsdb/store/publish.h */
