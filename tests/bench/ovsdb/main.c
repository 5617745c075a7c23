/* SPDX-License-Identifier: Apache-2.0 */

/* The OVSDB server under load, beside the stock ovsdb-server: same client, same
 * rows, in turns.  Prints figures, as lines.h says.
 *
 *   HNV_ROWS      rows (50,000); with 500,000 and more, loops run longer
 *   HNV_FIGURES   names with commas; all of them without it
 *   HNV_PEER      "no": without the stock server
 *   HNV_OVSDB     another program in the place of ours */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/bench/ovsdb/figures.h"

struct settings settings;

/* load_1000 leaves the rows that the later ones need.  'start' comes before the
 * updates: each server makes as many as it can, and both are to open what is
 * the same. */
static const struct figure *const figures[] = {
	&write_load_1, &write_load_100, &write_load_10000, &write_load_1000,
	&write_resident, &watch_monitor, &watch_monitor_cond_since,
	&watch_monitor_100, &life_start, &watch_update_seen,
	&write_update, &write_update_durable, &write_update_by_mac,
	&life_compaction, &life_start_compacted, &life_reconnect,
};
enum { N_FIGURES = sizeof figures / sizeof *figures };

static struct peer peers[N_PEERS];
static unsigned n_peers;
static volatile sig_atomic_t worker;

static void set_up(const char *directory);
static void add_peer(unsigned which, const char *program,
		     const char *directory, const char *name);
static char *find_program(const char *name);
static void measure_all(void);
static bool is_wanted(const char *name);
static void measure(const struct figure *);
static void pass_on(int signal);

/* The parent cleans up, however the child ends. */
int
main(void)
{
	const char *tmp = getenv("TMPDIR");
	char *directory, *command;
	int status;

	if (asprintf(&directory, "%s/hnv-bench.XXXXXX",
		     tmp && *tmp ? tmp : "/tmp") < 0
	    || !mkdtemp(directory))
		die("no directory for the databases: %s", strerror(errno));
	worker = fork();
	if (worker < 0)
		die("no process: %s", strerror(errno));
	if (!worker) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		set_up(directory);
		measure_all();
		return 0;
	}
	signal(SIGINT, pass_on);
	signal(SIGTERM, pass_on);
	while (waitpid(worker, &status, 0) < 0)
		if (errno != EINTR)
			die("waiting: %s", strerror(errno));
	if (asprintf(&command, "rm -rf '%s'", directory) < 0
	    || system(command))
		die("%s remains", directory);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

static void
pass_on(int signal)
{
	kill(worker, signal);
}

static void
set_up(const char *directory)
{
	const char *top = getenv("top_srcdir"), *built = getenv("top_builddir"),
		   *rows = getenv("HNV_ROWS"), *peer = getenv("HNV_PEER");
	struct rlimit files;
	char *ours = getenv("HNV_OVSDB"), *stock, *schema;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (asprintf(&schema, "%s/schema/hardware_vtep.ovsschema",
		     top ? top : ".") < 0)
		die("no memory");
	settings.schema = schema;
	settings.n_rows = rows ? atol(rows) : 50000;
	if (settings.n_rows < 1000 || settings.n_rows > 1 << 20)
		die("HNV_ROWS is for 1000 to %d", 1 << 20);
	settings.is_long = settings.n_rows >= 500000;
	settings.seconds = settings.is_long ? 2 : 0.4;
	printf("rows %u rows\n", settings.n_rows);

	if (!ours && asprintf(&ours, "%s/agent/hnv-ovsdb",
			      built ? built : ".") < 0)
		die("no memory");
	add_peer(OURS, ours, directory, "ours");
	stock = find_program("ovsdb-server");
	if (peer && !strcmp(peer, "no"))
		printf("# without the stock server: so asked\n");
	else if (!stock)
		printf("# without the stock server: no ovsdb-server in "
		       "PATH\n");
	else
		add_peer(STOCK, stock, directory, "stock");
}

static void
add_peer(unsigned which, const char *program, const char *directory,
	 const char *name)
{
	char *prefix;

	if (asprintf(&prefix, "%s/%s", directory, name) < 0)
		die("no memory");
	peer_init(&peers[n_peers++], which, program, prefix);
	free(prefix);
}

/* Also where daemons live, which is not in everybody's PATH. */
static char *
find_program(const char *name)
{
	const char *path = getenv("PATH");
	char *all, *rest, *folder;

	if (asprintf(&all, "%s:/usr/sbin:/usr/local/sbin",
		     path ? path : "/usr/bin") < 0)
		die("no memory");
	rest = all;
	while ((folder = strsep(&rest, ":"))) {
		char *program;

		if (asprintf(&program, "%s/%s", folder, name) < 0)
			die("no memory");
		if (!access(program, X_OK))
			return program;
		free(program);
	}
	free(all);
	return NULL;
}

static void
measure_all(void)
{
	double start = now();
	struct rusage usage;
	unsigned n = 0;

	for (unsigned i = 0; i < N_FIGURES; i++)
		if (is_wanted(figures[i]->name)) {
			measure(figures[i]);
			n++;
		}
	for (unsigned i = 0; i < n_peers; i++)
		peer_stop(&peers[i]);
	if (!n) {
		printf("# HNV_FIGURES names none of:");
		for (unsigned i = 0; i < N_FIGURES; i++)
			printf(" %s", figures[i]->name);
		printf("\n");
		die("nothing was measured");
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("bench_time %.1f s  # %.1f s of it the client's own CPU\n",
	       now() - start, usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
	       + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}

static bool
is_wanted(const char *name)
{
	const char *names = getenv("HNV_FIGURES");
	size_t n = strlen(name);

	if (!names || !*names)
		return true;
	while (names) {
		if (!strncmp(names, name, n)
		    && (names[n] == ',' || !names[n]))
			return true;
		names = strchr(names, ',');
		if (names)
			names++;
	}
	return false;
}

/* In turns.  Who has had more than his time does not begin another run, so
 * that a slow peer costs few runs and not many minutes. */
static void
measure(const struct figure *figure)
{
	double budget = settings.is_long ? 20 : 2.5, spent[N_PEERS] = { 0 };
	unsigned n_runs = figure->n_runs ? figure->n_runs : MAX_RUNS;

	for (unsigned run = 0; run < n_runs; run++)
		for (unsigned i = 0; i < n_peers; i++) {
			double start;

			if (spent[i] > budget)
				continue;
			if (figure->needs_rows && !peers[i].is_loaded)
				write_load(&peers[i], settings.n_rows,
					   1000, &start);
			start = now();
			figure->run(&peers[i], figure->lines);
			spent[i] += now() - start;
		}
	for (struct line *line = figure->lines; line->name; line++)
		line_print(line);
}
