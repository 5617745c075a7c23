/* SPDX-License-Identifier: Apache-2.0 */

/* What a database's file costs: rows of hardware_vtep's Ucast_Macs_Remote
 * committed in thousands and one by one, compacted, and opened again.  Each
 * step is a process of its own, so that its memory is its own.
 *
 *     journal [SCHEMA [ROWS]] */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/ovsdb/store/journal.h"
#include "agent/ovsdb/store/transaction.h"

enum { SKIP = 77 };

static char path[64];
static const char *schema_path =
	"/usr/share/openvswitch/vtep.ovsschema";
static long n_rows = 100000;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void
must(struct ovsdb_error *error)
{
	if (!error)
		return;
	fprintf(stderr, "%s: %s\n", error->name, error->details);
	_exit(1);
}

static struct database *
open_file(void)
{
	struct database *db;
	char *warning;

	must(journal_open_database(path, schema_path, &db, &warning));
	free(warning);
	return db;
}

static void
set(struct row *row, const char *name, const char *text)
{
	const struct column *column;
	struct datum d;

	column = table_schema_column(table_schema(row_table(row)), name);
	datum_set_string(&d, text);
	row_set(row, column, &d);
}

static void
set_uuid(struct row *row, const char *name, const struct uuid *uuid)
{
	const struct column *column;
	struct datum d;

	column = table_schema_column(table_schema(row_table(row)), name);
	datum_set_uuid(&d, uuid);
	row_set(row, column, &d);
}

static struct row *
insert(struct transaction *txn, struct database *db, const char *table)
{
	struct row *row;

	must(transaction_insert(txn, database_table(db, table), NULL, &row));
	return row;
}

/* Rows 'from' to 'to', so many in each transaction. */
static void
load(struct database *db, long from, long to, long step, bool durable)
{
	const struct row *ls, *locator;
	long i, end;

	ls = table_first(database_table(db, "Logical_Switch"));
	locator = table_first(database_table(db, "Physical_Locator"));
	for (i = from; i < to; i = end) {
		struct transaction *txn = transaction_begin(db);

		for (end = i; end < to && end < i + step; end++) {
			struct row *row = insert(txn, db, "Ucast_Macs_Remote");
			char text[32];

			snprintf(text, sizeof text, "02:00:%02lx:%02lx:%02lx:"
				 "%02lx", end >> 24 & 255, end >> 16 & 255,
				 end >> 8 & 255, end & 255);
			set(row, "MAC", text);
			snprintf(text, sizeof text, "10.%ld.%ld.%ld",
				 end >> 16 & 255, end >> 8 & 255, end & 255);
			set(row, "ipaddr", text);
			set_uuid(row, "logical_switch", row_uuid(ls));
			set_uuid(row, "locator", row_uuid(locator));
		}
		must(transaction_commit(txn, durable));
	}
}

static void
begin(struct database *db)
{
	struct transaction *txn = transaction_begin(db);
	struct row *ls = insert(txn, db, "Logical_Switch");
	struct row *locator = insert(txn, db, "Physical_Locator");
	struct row *row = insert(txn, db, "Ucast_Macs_Remote");

	set(ls, "name", "ls");
	set(locator, "dst_ip", "192.0.2.1");
	set(locator, "encapsulation_type", "vxlan_over_ipv4");
	set_uuid(row, "logical_switch", row_uuid(ls));
	set_uuid(row, "locator", row_uuid(locator));
	must(transaction_commit(txn, false));
}

static void
run_load(void)
{
	struct database *db = open_file();
	double start = now();

	begin(db);
	load(db, 0, n_rows, 1000, false);
	printf("load_in_thousands %.0f rows/s\n", n_rows / (now() - start));
	start = now();
	load(db, n_rows, n_rows + n_rows / 4, 1, false);
	printf("load_one_by_one %.0f rows/s\n",
	       n_rows / 4 / (now() - start));
	start = now();
	load(db, 2 * n_rows, 2 * n_rows + 500, 1, true);
	printf("load_durable %.0f rows/s\n", 500 / (now() - start));
	database_free(db);
}

static void
run_open(void)
{
	database_free(open_file());
}

static void
run_compact(void)
{
	struct database *db = open_file();
	double start = now();

	must(journal_compact(database_journal(db), false));
	printf("compact %.3f s\n", now() - start);
	database_free(db);
}

/* In a child of its own; what it took in all. */
static void
step(const char *name, void (*run)(void))
{
	double start = now();
	struct rusage usage;
	struct stat st;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		run();
		fflush(stdout);
		_exit(0);
	}
	if (wait4(pid, &status, 0, &usage) != pid || status
	    || stat(path, &st)) {
		fprintf(stderr, "%s failed\n", name);
		exit(1);
	}
	printf("%s_time %.3f s\n", name, now() - start);
	printf("%s_peak %ld MiB\n", name, usage.ru_maxrss / 1024);
	printf("%s_file %.1f MiB\n", name, st.st_size / 1048576.0);
}

int
main(int argc, char *argv[])
{
	char directory[] = "/tmp/bench_journal.XXXXXX";
	char command[64];

	if (argc > 1)
		schema_path = argv[1];
	if (argc > 2)
		n_rows = atol(argv[2]);
	if (access(schema_path, R_OK)) {
		printf("there is no %s\n", schema_path);
		return SKIP;
	}
	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof path, "%s/vtep.db", directory);
	step("load", run_load);
	step("open", run_open);
	step("compact", run_compact);
	step("open_compacted", run_open);
	snprintf(command, sizeof command, "rm -r %s", directory);
	return system(command) != 0;
}
