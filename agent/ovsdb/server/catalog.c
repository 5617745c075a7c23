/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "agent/ovsdb/store/transaction.h"

/* As ovsdb-server has it, down to the checksum: clients may compare. */
static const char schema_text[] =
	"{\"name\":\"_Server\",\"version\":\"1.2.0\","
	"\"cksum\":\"3009684573 744\",\"tables\":{\"Database\":{\"columns\":{"
	"\"name\":{\"type\":\"string\"},"
	"\"model\":{\"type\":{\"key\":{\"type\":\"string\",\"enum\":[\"set\","
	"[\"standalone\",\"clustered\",\"relay\"]]}}},"
	"\"connected\":{\"type\":\"boolean\"},"
	"\"leader\":{\"type\":\"boolean\"},"
	"\"schema\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":1}},"
	"\"cid\":{\"type\":{\"key\":\"uuid\",\"min\":0,\"max\":1}},"
	"\"sid\":{\"type\":{\"key\":\"uuid\",\"min\":0,\"max\":1}},"
	"\"index\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":1}}}}}}";

static const struct row *find(const struct database *, const char *name);
static void set_schema(struct row *, const struct database *);
static void set_boolean(struct row *, const char *column, bool);
static void set_string(struct row *, const char *column, const char *);
static void set(struct row *, const char *column, struct datum *);
static void commit(struct transaction *);

struct database *
catalog_new(void)
{
	json_t *json = json_loads(schema_text, 0, NULL);
	struct schema *schema;

	/* A constant: it reads, or no test would pass. */
	if (!json || schema_from_json(json, &schema))
		abort();
	json_decref(json);
	return database_new(schema, NULL);
}

void
catalog_add(struct database *catalog, const struct database *database)
{
	struct transaction *txn = transaction_begin(catalog);
	struct row *row;

	if (transaction_insert(txn, database_table(catalog, "Database"), NULL,
			       &row))
		abort();
	set_string(row, "name", database_name(database));
	set_string(row, "model", "standalone");
	set_boolean(row, "connected", true);
	set_boolean(row, "leader", true);
	set_schema(row, database);
	commit(txn);
}

void
catalog_change(struct database *catalog, const struct database *database)
{
	const struct row *row = find(catalog, database_name(database));
	struct transaction *txn = transaction_begin(catalog);

	set_schema(transaction_modify(txn, row), database);
	commit(txn);
}

void
catalog_remove(struct database *catalog, const struct database *database)
{
	const struct row *row = find(catalog, database_name(database));
	struct transaction *txn = transaction_begin(catalog);

	transaction_delete(txn, row);
	commit(txn);
}

/* It must be there. */
static const struct row *
find(const struct database *catalog, const char *name)
{
	struct table *table = database_table(catalog, "Database");
	const struct row *row = table_first(table);

	while (strcmp(row_string(row, "name", ""), name))
		row = table_next(table, row);
	return row;
}

static void
set_schema(struct row *row, const struct database *database)
{
	json_t *schema = schema_to_json(database_schema(database));
	char *text = json_dumps(schema, JSON_COMPACT | JSON_SORT_KEYS);

	if (!text)
		abort();
	set_string(row, "schema", text);
	free(text);
	json_decref(schema);
}

static void
set_boolean(struct row *row, const char *column, bool value)
{
	struct datum datum;

	datum_set_boolean(&datum, value);
	set(row, column, &datum);
}

static void
set_string(struct row *row, const char *column, const char *value)
{
	struct datum datum;

	datum_set_string(&datum, value);
	set(row, column, &datum);
}

static void
set(struct row *row, const char *column, struct datum *datum)
{
	row_set(row, table_schema_column(table_schema(row_table(row)),
					 column), datum);
}

/* In memory, without indexes and references: nothing can go wrong. */
static void
commit(struct transaction *txn)
{
	struct ovsdb_error *error = transaction_commit(txn, false);

	if (error)
		abort();
}
