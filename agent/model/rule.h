/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MODEL_RULE_H
#define MODEL_RULE_H 1

/* What rows of FW_Rules say, but for whom: rows that say the same share it.
 * A controller that changes one rule of a list writes the same row for a
 * thousand ports; it is read once, and after that two rows say the same if
 * that is one pointer.
 *
 * Strings of rows are interned (value/atom.h): whether a row says what another
 * said is asked without looking at them.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include "agent/model/acl.h"
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/atom.h"

enum rule_column {
	RULE_ID, RULE_DIRECTION, RULE_ACTION, RULE_LOGGING, RULE_PROTOCOLS,
	RULE_SRC, RULE_DST, RULE_SRC_PORTS, RULE_DST_PORTS, RULE_STATE,
	RULE_TYPE,
	N_RULE_TEXTS,
	RULE_VNIC = N_RULE_TEXTS, RULE_PRIORITY,
	N_RULE_COLUMNS
};

struct rule_words {
	struct keyed by_values;		/* In rule_table.words. */
	struct rule_table *table;
	size_t n_refs;
	struct string *values[N_RULE_TEXTS];	/* Held; NULL: none. */
	int64_t priority;
	bool is_enabled, allows;
	uint8_t tier;			/* enum acl_tier */
	char *text;			/* Tells apart what differs, but for
					 * tier and state: for acl.text. */
	char *problem;			/* What does not read, or NULL. */
};

struct rule_table {
	struct map words;
	bool knows_columns;
	const struct column *columns[N_RULE_COLUMNS];
	struct rule_words *last;	/* Asked for; NULL: gone since. */
};

/* With a reference. */
struct rule_words *rule_words_get(struct rule_table *, const struct row *);
struct rule_words *rule_words_ref(struct rule_words *);
void rule_words_unref(struct rule_words *);
/* "" if the column has no such value. */
const char *rule_words_value(const struct rule_words *, enum rule_column);
/* What they mean, to be given to acl_rule_done(); what does not read is any. */
void rule_words_read(const struct rule_words *, struct acl_rule *ret_rule);
/* The row's vnic_id, not held; NULL: none. */
struct string *rule_vnic_id(struct rule_table *, const struct row *);

#endif /* model/rule.h */
