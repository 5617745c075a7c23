/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_ENVELOPE_H
#define OVSDB_ENVELOPE_H 1

/* A "transact" request as text, before anybody has read its operations: where
 * in it the parts are that matter (RFC 7047, section 4.1.3).  [control] */

#include <stdbool.h>
#include <stddef.h>
#include "agent/ovsdb/value/scan.h"

struct envelope {
	struct scanned id;		/* JSON, as jansson would write it. */
	struct scanned database;	/* Its name, without quotation marks. */
	struct scan operations;		/* What stands behind the name, up to
					 * the last bracket of "params". */
};

/* False if it is another message or written in an unusual way; it may be no
 * JSON in either case. */
bool envelope_read(const char *text, size_t size, struct envelope *);

#endif /* ovsdb/server/envelope.h */
