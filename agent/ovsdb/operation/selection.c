/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/selection.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/operation/condition.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/transaction.h"
#include "agent/ovsdb/value/encode.h"

static bool has(const struct selection *, const struct row *, uint32_t hash);
static bool select_row(void *selection, const struct row *);
static int compare_rows(const void *, const void *, void *columns);

void
selection_init(struct selection *selection, const struct columns *columns,
	       const struct table_schema *table)
{
	memset(selection, 0, sizeof *selection);
	selection->columns = columns;
	selection->is_distinct =
		columns_contain(columns, table->columns[COLUMN_UUID]);
}

void
selection_done(struct selection *selection)
{
	row_map_done(&selection->map);
	free(selection->rows);
}

bool
selection_add(struct selection *selection, struct row *row)
{
	if (!selection->is_distinct) {
		uint32_t hash = columns_hash(selection->columns, row);

		if (has(selection, row, hash))
			return false;
		row_map_insert(&selection->map, hash, row);
	}
	if (selection->n == selection->max) {
		selection->max = selection->max ? selection->max * 2 : 16;
		selection->rows = xrealloc(selection->rows, selection->max
					   * sizeof *selection->rows);
	}
	selection->rows[selection->n++] = row;
	return true;
}

void
selection_fill(struct selection *selection, const struct condition *condition,
	       struct transaction *txn, struct table *table)
{
	condition_each(condition, txn, table, select_row, selection);
}

void
selection_sort(struct selection *selection, const struct columns *by)
{
	if (by->n && selection->n)
		qsort_r(selection->rows, selection->n, sizeof *selection->rows,
			compare_rows, (void *) by);
}

void
selection_encode(const struct selection *selection, struct encoding *e)
{
	const struct columns *columns = selection->columns;
	struct datum room;
	size_t i, j;

	encode_bytes(e, "[", 1);
	for (i = 0; i < selection->n; i++) {
		encode_text(e, i ? ",{" : "{");
		for (j = 0; j < columns->n; j++) {
			const struct column *column = columns->columns[j];

			if (j)
				encode_text(e, ",");
			encode_string(e, column->name, strlen(column->name));
			encode_text(e, ":");
			encode_datum(e, row_datum(selection->rows[i], column,
						  &room), &column->type);
		}
		encode_text(e, "}");
	}
	encode_bytes(e, "]", 1);
}

static bool
has(const struct selection *selection, const struct row *row, uint32_t hash)
{
	size_t cursor = 0;
	struct row *other;

	while ((other = row_map_match(&selection->map, hash, &cursor))) {
		if (!columns_compare(selection->columns, row, other))
			return true;
	}
	return false;
}

static bool
select_row(void *selection, const struct row *row)
{
	selection_add(selection, (struct row *) row);
	return true;
}

static int
compare_rows(const void *a, const void *b, void *columns)
{
	return columns_compare(columns, *(struct row *const *) a,
			       *(struct row *const *) b);
}
