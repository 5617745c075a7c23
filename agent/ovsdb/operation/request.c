/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/operation/condition.h"
#include "agent/ovsdb/operation/mutation.h"
#include "agent/ovsdb/operation/transact.h"
#include "agent/ovsdb/operation/wait.h"
#include "agent/ovsdb/store/transaction.h"

enum {
	MAX_CLAUSES = 8,
	MAX_MUTATIONS = 8,
	MAX_NAME = 256
};

/* Which members an operation has. */
enum {
	OP = 1 << 0, TABLE = 1 << 1, ROW = 1 << 2, WHERE = 1 << 3,
	UUID = 1 << 4, UUID_NAME = 1 << 5, MUTATIONS = 1 << 6,
	DURABLE = 1 << 7, COMMENT = 1 << 8, COLUMNS = 1 << 9, ROWS = 1 << 10,
	UNTIL = 1 << 11, TIMEOUT = 1 << 12
};

static const struct {
	const char *name;
	unsigned member;
} members[] = {
	{ "op", OP },
	{ "table", TABLE },
	{ "row", ROW },
	{ "where", WHERE },
	{ "uuid-name", UUID_NAME },
	{ "uuid", UUID },
	{ "mutations", MUTATIONS },
	{ "durable", DURABLE },
	{ "comment", COMMENT },
	{ "columns", COLUMNS },
	{ "rows", ROWS },
	{ "until", UNTIL },
	{ "timeout", TIMEOUT },
};

/* One operation, as far as it is read. */
struct reading {
	struct request *request;
	struct operation_context *context;
	unsigned members;		/* Found. */
	struct scanned op;
	struct table *table;
	/* Came before the table; read after it. */
	struct scan row, where, mutating;
	struct scan shown, rows;	/* Read after everything else. */
	struct assignments assignments;
	struct condition condition;
	struct clause clauses[MAX_CLAUSES];
	struct mutations mutations;
	struct mutation mutating_room[MAX_MUTATIONS];
	struct uuid uuid;
	struct scanned comment, until;
	int64_t timeout_ms;
	bool is_durable;
	bool is_selecting;		/* 'columns' are there, or 'wait', */
	bool is_waiting;		/* which has them. */
	struct columns columns;
	struct wait wait;
	char name[MAX_NAME];
};

static struct ovsdb_error *insert(struct reading *, struct encoding *);
static struct ovsdb_error *insert_named(struct reading *, struct encoding *);
static struct ovsdb_error *insert_given(struct reading *, struct encoding *);
static struct ovsdb_error *update(struct reading *, struct encoding *);
static struct ovsdb_error *mutate(struct reading *, struct encoding *);
static struct ovsdb_error *delete(struct reading *, struct encoding *);
static struct ovsdb_error *select_rows(struct reading *, struct encoding *);
static struct ovsdb_error *await(struct reading *, struct encoding *);
static struct ovsdb_error *commit(struct reading *, struct encoding *);
static struct ovsdb_error *comment(struct reading *, struct encoding *);

/* Those that are read here: with all of these members and no others but
 * these. */
static const struct {
	const char *name;
	unsigned members, optional;
	bool writes;
	struct ovsdb_error *(*work)(struct reading *, struct encoding *result);
} operations[] = {
	{ "insert", OP | TABLE | ROW, 0, true, insert },
	{ "insert", OP | TABLE | ROW | UUID_NAME, 0, true, insert_named },
	{ "insert", OP | TABLE | ROW | UUID, 0, true, insert_given },
	{ "update", OP | TABLE | ROW | WHERE, 0, true, update },
	{ "mutate", OP | TABLE | WHERE | MUTATIONS, 0, true, mutate },
	{ "delete", OP | TABLE | WHERE, 0, true, delete },
	{ "select", OP | TABLE | WHERE, COLUMNS, false, select_rows },
	{ "wait", OP | TABLE | WHERE | ROWS | UNTIL, COLUMNS | TIMEOUT, false,
	  await },
	{ "commit", OP | DURABLE, 0, false, commit },
	{ "comment", OP | COMMENT, 0, false, comment },
};

static bool read_operation(struct reading *, struct scan *);
static bool read_member(struct reading *, struct scan *);
static bool read_table(struct reading *, struct scan *);
static bool read_uuid(struct reading *, struct scan *);
static bool read_uuid_name(struct reading *, struct scan *);
static bool read_now_or_later(struct reading *, struct scan *,
			      bool (*read)(struct reading *, struct scan *),
			      struct scan *later);
static bool read_row(struct reading *, struct scan *);
static bool read_assignment(struct reading *, struct scan *);
static bool read_where(struct reading *, struct scan *);
static bool read_clause(struct reading *, struct scan *);
static bool read_mutations(struct reading *, struct scan *);
static bool read_mutation(struct reading *, struct scan *);
static bool read_columns(struct reading *);
static bool read_rows(struct reading *);
static void show_all(struct reading *);
static bool read_name(struct scan *, char ret_name[MAX_NAME]);
static const struct column *find_column(const struct reading *,
					const struct scanned *name);
static bool is_name(const struct scanned *, const char *name);
static bool copy_name(const struct scanned *, char ret_name[MAX_NAME]);
static void turn_to(struct request *, struct table *);
static bool find_operation(const struct reading *, size_t *ret_index);
static bool are_mutable(const struct assignments *);
static void reading_done(struct reading *);

void
request_done(struct request *request)
{
	free(request->assignments);
	free(request->order);
	free(request->assigned);
}

bool
request_execute(struct request *request, struct operation_context *context,
		struct scan *s, struct encoding *result,
		struct ovsdb_error **ret_error)
{
	struct scan at = *s;
	struct reading reading;
	size_t operation;
	bool is_read;

	reading.request = request;
	reading.context = context;
	reading.members = 0;
	reading.table = NULL;
	reading.row.p = reading.where.p = reading.mutating.p = NULL;
	reading.is_selecting = reading.is_waiting = false;
	reading.assignments = (struct assignments) { NULL, 0 };
	reading.condition = (struct condition) { reading.clauses, 0 };
	reading.mutations = (struct mutations) { reading.mutating_room, 0 };
	is_read = read_operation(&reading, &at)
		  && find_operation(&reading, &operation);
	if (is_read) {
		*ret_error = operations[operation].work(&reading, result);
		*s = at;
	}
	reading_done(&reading);
	return is_read;
}

static bool
read_operation(struct reading *reading, struct scan *s)
{
	if (!scan_char(s, '{'))
		return false;
	do {
		if (!read_member(reading, s))
			return false;
	} while (scan_char(s, ','));
	if (!scan_char(s, '}'))
		return false;
	if (!reading->table)
		return !(reading->members
			 & (ROW | WHERE | MUTATIONS | COLUMNS | ROWS));
	if (reading->row.p && (!read_row(reading, &reading->row)
			       || !scan_end(&reading->row)))
		return false;
	if (reading->where.p && (!read_where(reading, &reading->where)
				 || !scan_end(&reading->where)))
		return false;
	if (reading->mutating.p
	    && (!read_mutations(reading, &reading->mutating)
		|| !scan_end(&reading->mutating)))
		return false;
	if (reading->members & COLUMNS && !read_columns(reading))
		return false;
	return !(reading->members & ROWS) || read_rows(reading);
}

static bool
read_member(struct reading *reading, struct scan *s)
{
	struct scanned name;
	unsigned member = 0;
	size_t i;

	if (!scan_name(s, &name))
		return false;
	for (i = 0; !member && i < sizeof members / sizeof *members; i++)
		if (is_name(&name, members[i].name))
			member = members[i].member;
	/* Of two, the second one holds: not our business. */
	if (!member || reading->members & member)
		return false;
	reading->members |= member;
	switch (member) {
	case OP:
		return scan_plain(s, &reading->op);
	case TABLE:
		return read_table(reading, s);
	case ROW:
		return read_now_or_later(reading, s, read_row, &reading->row);
	case WHERE:
		return read_now_or_later(reading, s, read_where,
					 &reading->where);
	case MUTATIONS:
		return read_now_or_later(reading, s, read_mutations,
					 &reading->mutating);
	case UUID:
		return read_uuid(reading, s);
	case DURABLE:
		return scan_boolean(s, &reading->is_durable);
	case COMMENT:
		return scan_plain(s, &reading->comment);
	case COLUMNS:
		return scan_extent(s, &reading->shown);
	case ROWS:
		return scan_extent(s, &reading->rows);
	case UNTIL:
		return scan_plain(s, &reading->until)
		       && (is_name(&reading->until, "==")
			   || is_name(&reading->until, "!="));
	case TIMEOUT:
		return scan_integer(s, &reading->timeout_ms)
		       && reading->timeout_ms >= 0;
	default:
		return read_uuid_name(reading, s);
	}
}

static bool
read_table(struct reading *reading, struct scan *s)
{
	struct request *request = reading->request;
	struct scanned name;
	char copy[MAX_NAME];

	if (!scan_plain(s, &name))
		return false;
	if (!request->table
	    || !is_name(&name, table_schema(request->table)->name)) {
		struct table *table = NULL;

		if (copy_name(&name, copy))
			table = database_table(
				reading->context->request->database, copy);
		if (!table)
			return false;
		turn_to(request, table);
	}
	reading->table = request->table;
	return true;
}

static bool
read_uuid(struct reading *reading, struct scan *s)
{
	struct scanned text;

	return scan_plain(s, &text) && text.size == UUID_TEXT_SIZE - 1
	       && uuid_from_bytes(text.text, &reading->uuid);
}

static bool
read_uuid_name(struct reading *reading, struct scan *s)
{
	struct scanned name;

	return scan_plain(s, &name) && copy_name(&name, reading->name)
	       && members_is_id(reading->name);
}

static bool
read_now_or_later(struct reading *reading, struct scan *s,
		  bool (*read)(struct reading *, struct scan *),
		  struct scan *later)
{
	return reading->table ? read(reading, s) : scan_extent(s, later);
}

static bool
read_row(struct reading *reading, struct scan *s)
{
	struct request *request = reading->request;
	size_t n_columns = table_schema(reading->table)->n_columns;

	reading->assignments.assignments = request->assignments;
	memset(request->assigned, 0, (n_columns + 63) / 64
	       * sizeof *request->assigned);
	if (!scan_char(s, '{'))
		return false;
	if (scan_char(s, '}'))
		return true;
	do {
		if (!read_assignment(reading, s))
			return false;
	} while (scan_char(s, ','));
	return scan_char(s, '}');
}

static bool
read_assignment(struct reading *reading, struct scan *s)
{
	struct request *request = reading->request;
	struct assignments *all = &reading->assignments;
	struct assignment *a = &all->assignments[all->n];
	const struct column *column;
	struct scanned name;
	uint64_t *word;
	uint64_t bit;

	if (!scan_name(s, &name))
		return false;
	column = find_column(reading, &name);
	if (!column)
		return false;
	word = &request->assigned[column->index / 64];
	bit = UINT64_C(1) << column->index % 64;
	if (*word & bit)
		return false;
	*word |= bit;
	a->column = column;
	if (!scan_datum(s, &column->type, reading->context->symbols,
			&a->value))
		return false;
	request->order[all->n++] = column;
	return true;
}

static bool
read_where(struct reading *reading, struct scan *s)
{
	if (!scan_char(s, '['))
		return false;
	if (scan_char(s, ']'))
		return true;
	do {
		if (!read_clause(reading, s))
			return false;
	} while (scan_char(s, ','));
	return scan_char(s, ']');
}

/* The functions whose argument is a value of the column. */
static bool
read_clause(struct reading *reading, struct scan *s)
{
	struct condition *condition = &reading->condition;
	struct clause *clause = &condition->clauses[condition->n];
	struct scanned name, function;
	char copy[MAX_NAME];

	if (condition->n == MAX_CLAUSES || !scan_char(s, '[')
	    || !scan_plain(s, &name) || !scan_char(s, ',')
	    || !scan_plain(s, &function) || !scan_char(s, ',')
	    || !copy_name(&name, copy))
		return false;
	if (is_name(&function, "=="))
		clause->function = CONDITION_EQ;
	else if (is_name(&function, "!="))
		clause->function = CONDITION_NE;
	else
		return false;
	clause->column = table_schema_column(table_schema(reading->table),
					     copy);
	if (!clause->column
	    || !scan_datum(s, &clause->column->type,
			   reading->context->symbols, &clause->argument))
		return false;
	condition->n++;
	return scan_char(s, ']');
}

static bool
read_mutations(struct reading *reading, struct scan *s)
{
	if (!scan_char(s, '['))
		return false;
	if (scan_char(s, ']'))
		return true;
	do {
		if (!read_mutation(reading, s))
			return false;
	} while (scan_char(s, ','));
	return scan_char(s, ']');
}

static bool
read_mutation(struct reading *reading, struct scan *s)
{
	struct mutations *all = &reading->mutations;
	struct mutation *mutation = &all->mutations[all->n];
	char name[MAX_NAME], mutator[MAX_NAME];
	const struct column *column;

	if (all->n == MAX_MUTATIONS || !scan_char(s, '[')
	    || !read_name(s, name) || !scan_char(s, ',')
	    || !read_name(s, mutator) || !scan_char(s, ','))
		return false;
	column = table_schema_column(table_schema(reading->table), name);
	if (!column || !mutation_begin(column, mutator, mutation)
	    || !scan_datum(s, &mutation->argument_type,
			   reading->context->symbols, &mutation->argument))
		return false;
	all->n++;
	return scan_char(s, ']');
}

static bool
read_columns(struct reading *reading)
{
	const struct table_schema *schema = table_schema(reading->table);
	struct columns *columns = &reading->columns;
	struct scan *s = &reading->shown;
	char name[MAX_NAME];

	*columns = (struct columns) { xcalloc(schema->n_columns,
					      sizeof *columns->columns), 0 };
	reading->is_selecting = true;
	if (!scan_char(s, '['))
		return false;
	if (scan_char(s, ']'))
		return scan_end(s);
	do {
		const struct column *column = NULL;

		if (read_name(s, name))
			column = table_schema_column(schema, name);
		if (!column || columns_contain(columns, column))
			return false;
		columns->columns[columns->n++] = column;
	} while (scan_char(s, ','));
	return scan_char(s, ']') && scan_end(s);
}

/* What is waited for is the wait's from here on; the assignments are room for
 * one of its rows after the other. */
static bool
read_rows(struct reading *reading)
{
	struct scan *s = &reading->rows;

	if (reading->members & ROW)
		return false;
	show_all(reading);
	reading->is_selecting = false;
	reading->is_waiting = true;
	wait_init(&reading->wait, &reading->columns);
	if (!scan_char(s, '['))
		return false;
	if (scan_char(s, ']'))
		return scan_end(s);
	do {
		if (!read_row(reading, s))
			return false;
		wait_expect(&reading->wait, &reading->assignments);
		assignments_clear(&reading->assignments);
	} while (scan_char(s, ','));
	return scan_char(s, ']') && scan_end(s);
}

/* Unless some are named. */
static void
show_all(struct reading *reading)
{
	struct ovsdb_error *error;

	if (reading->is_selecting)
		return;
	error = columns_from_json(NULL, table_schema(reading->table),
				  &reading->columns);
	assert(!error);
	reading->is_selecting = true;
}

static bool
read_name(struct scan *s, char ret_name[MAX_NAME])
{
	struct scanned name;

	return scan_plain(s, &name) && copy_name(&name, ret_name);
}

/* The next row probably has the columns of the last one. */
static const struct column *
find_column(const struct reading *reading, const struct scanned *name)
{
	const struct table_schema *schema = table_schema(reading->table);
	size_t n = reading->assignments.n;
	const struct column *guess = NULL;
	char copy[MAX_NAME];

	if (n < schema->n_columns)
		guess = reading->request->order[n];
	if (guess && is_name(name, guess->name))
		return guess;
	return copy_name(name, copy) ? table_schema_column(schema, copy)
				     : NULL;
}

/* What is scanned holds no NUL. */
static bool
is_name(const struct scanned *scanned, const char *name)
{
	return scanned->size && *name == *scanned->text
	       && !strncmp(name, scanned->text, scanned->size)
	       && !name[scanned->size];
}

static bool
copy_name(const struct scanned *scanned, char ret_name[MAX_NAME])
{
	if (scanned->size >= MAX_NAME)
		return false;
	memcpy(ret_name, scanned->text, scanned->size);
	ret_name[scanned->size] = '\0';
	return true;
}

static void
turn_to(struct request *request, struct table *table)
{
	size_t n_columns = table_schema(table)->n_columns;

	request_done(request);
	request->table = table;
	request->assignments = xmalloc(n_columns
				       * sizeof *request->assignments);
	request->order = xcalloc(n_columns, sizeof *request->order);
	request->assigned = xmalloc((n_columns + 63) / 64
				    * sizeof *request->assigned);
}

static bool
find_operation(const struct reading *reading, size_t *ret_index)
{
	unsigned found = reading->members;
	bool is_reader;
	size_t i;

	if (!(found & OP)
	    || (found & ROW && found & WHERE
		&& !are_mutable(&reading->assignments)))
		return false;
	is_reader = reading->context->request->read_only;
	for (i = 0; i < sizeof operations / sizeof *operations; i++) {
		if (operations[i].members != (found & ~operations[i].optional)
		    || !is_name(&reading->op, operations[i].name))
			continue;
		*ret_index = i;
		/* The others refuse with words that are not ours. */
		return !is_reader || !operations[i].writes;
	}
	return false;
}

static bool
are_mutable(const struct assignments *all)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (!all->assignments[i].column->is_mutable)
			return false;
	}
	return true;
}

static void
reading_done(struct reading *reading)
{
	size_t i;

	assignments_clear(&reading->assignments);
	if (reading->is_selecting)
		columns_done(&reading->columns);
	if (reading->is_waiting)
		wait_done(&reading->wait);
	for (i = 0; i < reading->condition.n; i++)
		clause_done(&reading->condition.clauses[i]);
	for (i = 0; i < reading->mutations.n; i++) {
		struct mutation *m = &reading->mutations.mutations[i];

		datum_done(&m->argument, &m->argument_type);
	}
}

static struct ovsdb_error *
insert(struct reading *reading, struct encoding *result)
{
	return operation_write_insert_row(reading->context, reading->table,
					  NULL, &reading->assignments, result);
}

static struct ovsdb_error *
insert_named(struct reading *reading, struct encoding *result)
{
	struct ovsdb_error *error;

	error = operation_write_name_row(reading->context, reading->name, NULL,
					 &reading->uuid);
	return error ? error : insert_given(reading, result);
}

static struct ovsdb_error *
insert_given(struct reading *reading, struct encoding *result)
{
	return operation_write_insert_row(reading->context, reading->table,
					  &reading->uuid,
					  &reading->assignments, result);
}

static struct ovsdb_error *
update(struct reading *reading, struct encoding *result)
{
	return operation_write_update_rows(reading->context, reading->table,
					   &reading->condition,
					   &reading->assignments, result);
}

static struct ovsdb_error *
mutate(struct reading *reading, struct encoding *result)
{
	return operation_write_mutate_rows(reading->context, reading->table,
					   &reading->condition,
					   &reading->mutations, result);
}

static struct ovsdb_error *
delete(struct reading *reading, struct encoding *result)
{
	return operation_write_delete_rows(reading->context, reading->table,
					   &reading->condition, result);
}

static struct ovsdb_error *
select_rows(struct reading *reading, struct encoding *result)
{
	static const struct columns unsorted;

	show_all(reading);
	operation_read_select_rows(reading->context, reading->table,
				   &reading->condition, &reading->columns,
				   &unsorted, result);
	return NULL;
}

static struct ovsdb_error *
await(struct reading *reading, struct encoding *result)
{
	struct wait *wait = &reading->wait;

	(void) result;
	wait->until_equal = is_name(&reading->until, "==");
	if (reading->members & TIMEOUT)
		wait->timeout_ms = reading->timeout_ms;
	return wait_execute(wait, reading->context, reading->table,
			    &reading->condition);
}

static struct ovsdb_error *
commit(struct reading *reading, struct encoding *result)
{
	(void) result;
	if (reading->is_durable)
		reading->context->durable = true;
	return NULL;
}

static struct ovsdb_error *
comment(struct reading *reading, struct encoding *result)
{
	char *text = strndup(reading->comment.text, reading->comment.size);

	(void) result;
	transaction_comment(reading->context->transaction, text ? text : "");
	free(text);
	return NULL;
}
