/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_SYMBOLS_H
#define OVSDB_SYMBOLS_H 1

/* The names that one transaction's inserts give to their rows with
 * "uuid-name", and that its values use as ["named-uuid", NAME], before or
 * after the insert (RFC 7047, section 5.1).  A name that no insert takes
 * leads to no row.  [control] */

#include <stdbool.h>
#include "agent/ovsdb/value/uuid.h"

struct symbols;

struct symbol {
	struct uuid uuid;	/* Random from the name's first use. */
	bool is_inserted;	/* An insert has taken the name. */
};

struct symbols *symbols_new(void);
void symbols_free(struct symbols *);
/* Makes it if it is not there.  Good until the next call. */
struct symbol *symbols_get(struct symbols *, const char *name);

#endif /* ovsdb/value/symbols.h */
