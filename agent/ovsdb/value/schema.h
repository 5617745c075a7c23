/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_SCHEMA_H
#define OVSDB_SCHEMA_H 1

/* <database-schema>, <table-schema>, <column-schema> of RFC 7047, section
 * 3.2.  Immutable once read. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/ovsdb/value/error.h"
#include "agent/ovsdb/value/type.h"

enum {
	COLUMN_UUID,		/* "_uuid" */
	COLUMN_VERSION,		/* "_version" */
	N_STANDARD_COLUMNS
};

struct column {
	char *name;
	unsigned index;		/* In table_schema.columns and in a row. */
	bool is_mutable;
	bool is_ephemeral;
	struct column_type type;
	/* Where rows have its value, and in which form: layout.h's. */
	uint32_t offset, count_offset;
	uint8_t form;
};

struct table_schema {
	char *name;
	unsigned index;		/* In schema.tables. */
	unsigned rank;		/* Above those of the tables that it refers
				 * to, where they do not refer to it. */
	bool is_root;		/* As in force: all are if none says so. */
	bool is_root_written;	/* As the schema says, for to_json. */
	uint32_t max_rows;	/* UINT32_MAX: unlimited. */
	struct column **columns;	/* The standard two, then by name. */
	size_t n_columns;
	struct {
		struct column **columns;
		size_t n;
	} *indexes;
	size_t n_indexes;
};

struct schema {
	char *name;
	char *version;		/* x.y.z, or "". */
	char *cksum;		/* or "". */
	struct table_schema **tables;	/* By name. */
	size_t n_tables;
};

struct ovsdb_error *schema_from_json(json_t *, struct schema **ret_schema);
/* Reads a .ovsschema file; errors name the file and, if known, the line. */
struct ovsdb_error *schema_from_file(const char *path,
				     struct schema **ret_schema);
json_t *schema_to_json(const struct schema *);
void schema_free(struct schema *);

const struct table_schema *schema_table(const struct schema *,
					const char *name);
const struct column *table_schema_column(const struct table_schema *,
					 const char *name);

#endif /* ovsdb/value/schema.h */
