/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vswitch/version.h>

#include "agent/base/memory.h"
#include "agent/net/remotes.h"

enum { WORKERS_MAX = 64 };

static const char usual_run_dir[] = "/run/hnv";
static const char usual_log_dir[] = "/var/log/hnv";

static const char usage[] =
"hnv-agent: virtual networks for this host\n"
"usage: hnv-agent [OPTION]...\n"
"\n"
"  --db-dir=DIR       databases; a missing one is made (/var/lib/hnv)\n"
"  --run-dir=DIR      db.sock and hnv-agent.ctl (/run/hnv)\n"
"  --log-dir=DIR      flows.log, what firewall rules log (/var/log/hnv, or\n"
"                     the run directory if that is named)\n"
"  --remote=METHOD    serve the databases there too, any number of times:\n"
"                     punix:PATH, ptcp:PORT[:IP], pssl:PORT[:IP],\n"
"                     unix:PATH, tcp:HOST:PORT, ssl:HOST:PORT,\n"
"                     db:DATABASE,TABLE,COLUMN\n"
"  --private-key=FILE, --certificate=FILE, --ca-cert=FILE\n"
"                     TLS: ours, ours, and whom we believe; also\n"
"                     --bootstrap-ca-cert, --peer-ca-cert, --crl,\n"
"                     --peer-name, --ssl-protocols, --ssl-ciphers,\n"
"                     --ssl-ciphersuites\n"
"  --workers=N        threads that carry packets (1)\n"
"  --log-level=LEVEL  error, warn, info, debug (info)\n"
"  --syslog           log to syslog instead of stderr\n"
"  --detach           go to the background once clients can connect; then log\n"
"                     to syslog\n"
"  --pidfile[=FILE]   who runs (hnv-agent.pid in the run directory)\n"
"  --schema-dir=DIR   where *.ovsschema are\n"
"  --allow-damage     for tests: commands damage/...\n"
"  --give-back        put back what an agent that is no more has taken over\n"
"                     from the host, and end\n"
"  --help, --version\n";

enum { DB_DIR = 256, RUN_DIR, LOG_DIR, SCHEMA_DIR, REMOTE, WORKERS, LOG_LEVEL,
       SYSLOG, DETACH, PIDFILE, ALLOW_DAMAGE, GIVE_BACK, HELP, VERSION,
       TLS_OPTION };

static const struct option long_options[] = {
	{ "db-dir", required_argument, NULL, DB_DIR },
	{ "run-dir", required_argument, NULL, RUN_DIR },
	{ "log-dir", required_argument, NULL, LOG_DIR },
	{ "schema-dir", required_argument, NULL, SCHEMA_DIR },
	{ "remote", required_argument, NULL, REMOTE },
	REMOTES_TLS_OPTIONS(TLS_OPTION),
	{ "workers", required_argument, NULL, WORKERS },
	{ "log-level", required_argument, NULL, LOG_LEVEL },
	{ "syslog", no_argument, NULL, SYSLOG },
	{ "detach", no_argument, NULL, DETACH },
	{ "pidfile", optional_argument, NULL, PIDFILE },
	{ "allow-damage", no_argument, NULL, ALLOW_DAMAGE },
	{ "give-back", no_argument, NULL, GIVE_BACK },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION },
	{ NULL, 0, NULL, 0 }
};

static void read_option(int c, struct options *);
static char *schema_dir(void);
static void set(char **place, const char *value);
static unsigned number(const char *option, const char *text, unsigned max);
static void complain(const char *word, const char *what)
	__attribute__((noreturn));

void
options_read(int argc, char *argv[], struct options *ret_options)
{
	struct options o = {
		.db_dir = xstrdup("/var/lib/hnv"),
		.run_dir = xstrdup(usual_run_dir),
		.n_workers = 1,
		.level = LOG_LEVEL_INFO
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		read_option(c, &o);
	if (optind < argc)
		complain(argv[optind], "no option");
	o.has_own_run_dir = strcmp(o.run_dir, usual_run_dir);
	if (!o.log_dir)
		o.log_dir = xstrdup(o.has_own_run_dir ? o.run_dir
						      : usual_log_dir);
	if (!o.schema_dir)
		o.schema_dir = schema_dir();
	/* Files are where they were said to be. */
	o.daemon.stay = true;
	o.daemon.program = "hnv-agent";
	if (o.pid_path && !*o.pid_path) {
		free(o.pid_path);
		o.pid_path = xasprintf("%s/hnv-agent.pid", o.run_dir);
	}
	o.daemon.pid_path = o.pid_path;
	*ret_options = o;
}

void
options_done(struct options *o)
{
	for (size_t i = 0; i < o->n_remotes; i++)
		free(o->remotes[i]);
	free(o->remotes);
	for (size_t i = 0; i < N_TLS_SETTINGS; i++)
		free(o->tls[i]);
	free(o->db_dir);
	free(o->run_dir);
	free(o->log_dir);
	free(o->pid_path);
	free(o->schema_dir);
}

static void
read_option(int c, struct options *o)
{
	switch (c) {
	case DB_DIR:
		set(&o->db_dir, optarg);
		break;
	case RUN_DIR:
		set(&o->run_dir, optarg);
		break;
	case LOG_DIR:
		set(&o->log_dir, optarg);
		break;
	case SCHEMA_DIR:
		set(&o->schema_dir, optarg);
		break;
	case REMOTE:
		o->remotes = xrealloc(o->remotes, (o->n_remotes + 1)
				      * sizeof *o->remotes);
		o->remotes[o->n_remotes++] = xstrdup(optarg);
		break;
	case ALLOW_DAMAGE:
		o->allows_damage = true;
		break;
	case WORKERS:
		o->n_workers = number("--workers", optarg, WORKERS_MAX);
		break;
	case LOG_LEVEL:
		if (!log_level_from_name(optarg, &o->level))
			complain(optarg, "no log level");
		break;
	case SYSLOG:
		o->use_syslog = true;
		break;
	case DETACH:
		o->daemon.detach = true;
		break;
	case PIDFILE:
		set(&o->pid_path, optarg ? optarg : "");
		break;
	case GIVE_BACK:
		o->gives_back = true;
		break;
	case 'h':
	case HELP:
		fputs(usage, stdout);
		exit(EXIT_SUCCESS);
	case VERSION:
		printf("hnv-agent %s\n", vsw_version());
		exit(EXIT_SUCCESS);
	default:
		if (c >= TLS_OPTION) {
			set(&o->tls[c - TLS_OPTION], optarg);
			break;
		}
		exit(EXIT_FAILURE);	/* getopt_long() has complained. */
	}
}

/* Beside a program that runs where it was built, in the tree, in build/ or in
 * build/asan/; or else installed. */
static char *
schema_dir(void)
{
	static const char *const places[] = {
		"../schema", "../../schema", "../../../schema",
	};
	char path[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
		char *dir = xasprintf("%s/%s", path, places[i]);
		char *probe = xasprintf("%s/hnv.ovsschema", dir);
		bool is_there = !access(probe, R_OK);

		free(probe);
		if (is_there)
			return dir;
		free(dir);
	}
	return xstrdup(PKGDATADIR);
}

static void
set(char **place, const char *value)
{
	free(*place);
	*place = xstrdup(value);
}

static unsigned
number(const char *option, const char *text, unsigned max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || n < 1 || n > max) {
		fprintf(stderr, "hnv-agent: %s=%s is not a number from 1 to "
			"%u\n", option, text, max);
		exit(EXIT_FAILURE);
	}
	return (unsigned) n;
}

static void
complain(const char *word, const char *what)
{
	fprintf(stderr, "hnv-agent: \"%s\" is %s; try --help\n", word, what);
	exit(EXIT_FAILURE);
}
