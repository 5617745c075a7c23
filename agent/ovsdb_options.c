/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb_options.h"

#include "config.h"
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/base/memory.h"
#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb_log.h"

#define MAX_SIZE (UINT64_C(1) << 40)

enum {
	REMOTE = UCHAR_MAX + 1, UNIXCTL, RUN, DETACH, NO_CHDIR, PIDFILE,
	OVERWRITE_PIDFILE, MONITOR, LOG_FILE, SYSLOG_METHOD, SYSLOG_TARGET,
	LOG_LEVEL, HISTORY_SIZE, IGNORED, NOT_OURS,
	TLS_OPTION,
};

static const struct option known[] = {
	{ "remote", required_argument, NULL, REMOTE },
	{ "unixctl", required_argument, NULL, UNIXCTL },
	{ "run", required_argument, NULL, RUN },
	{ "detach", no_argument, NULL, DETACH },
	{ "no-chdir", no_argument, NULL, NO_CHDIR },
	{ "pidfile", optional_argument, NULL, PIDFILE },
	{ "overwrite-pidfile", no_argument, NULL, OVERWRITE_PIDFILE },
	{ "monitor", no_argument, NULL, MONITOR },
	{ "verbose", optional_argument, NULL, 'v' },
	{ "log-file", optional_argument, NULL, LOG_FILE },
	{ "syslog-method", required_argument, NULL, SYSLOG_METHOD },
	{ "syslog-target", required_argument, NULL, SYSLOG_TARGET },
	{ "log-level", required_argument, NULL, LOG_LEVEL },
	REMOTES_TLS_OPTIONS(TLS_OPTION),
	{ "history-size", required_argument, NULL, HISTORY_SIZE },
	{ "disable-file-column-diff", no_argument, NULL, IGNORED },
	{ "disable-file-no-data-conversion", no_argument, NULL, IGNORED },
	{ "no-self-confinement", no_argument, NULL, IGNORED },
	{ "sync-from", required_argument, NULL, NOT_OURS },
	{ "sync-exclude-tables", required_argument, NULL, NOT_OURS },
	{ "active", no_argument, NULL, NOT_OURS },
	{ "record", optional_argument, NULL, NOT_OURS },
	{ "replay", optional_argument, NULL, NOT_OURS },
	{ "user", required_argument, NULL, NOT_OURS },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

const char options_version[] = "hnv-ovsdb " PACKAGE_VERSION;

enum outcome { GO_ON, END_WELL, END_BADLY };

static enum outcome take(struct program_options *, int option,
			 const char *name, const char *argument);
static enum outcome take_size(const struct program_options *,
			      const char *name, const char *argument,
			      uint64_t *ret_size);
static int tls_setting_of(int option);
static enum outcome take_log(struct program_options *, int option,
			     const char *argument);
static char *log_level_spec(const char *name);
static enum outcome report(const struct program_options *, char *problem);
static void print_help(const char *program);
static char *folder(const char *variable, const char *otherwise);
static char *file_in(char *folder, const char *name, const char *suffix);

bool
options_read(int argc, char *argv[], struct program_options *options,
	     int *ret_status)
{
	const char *slash = strrchr(argv[0], '/');
	const char *method = getenv("OVS_SYSLOG_METHOD");
	enum outcome outcome = GO_ON;
	int option, index;

	*options = (struct program_options) {
		.program = slash ? slash + 1 : argv[0],
		.remotes = xcalloc((size_t) argc, sizeof *options->remotes),
		.files = xcalloc((size_t) argc + 1, sizeof *options->files),
		.history_size = HISTORY_DEFAULT_SIZE,
	};
	options->daemon.program = options->program;
	ovsdb_log_start(options->program);
	if (method)
		outcome = take_log(options, SYSLOG_METHOD, method);
	while (outcome == GO_ON
	       && (index = -1, option = getopt_long(argc, argv,
						    "hVv::p:c:C:", known,
						    &index)) != -1)
		outcome = take(options, option,
			       index < 0 ? "" : known[index].name, optarg);
	if (outcome != GO_ON) {
		*ret_status = outcome == END_WELL ? EXIT_SUCCESS
						  : EXIT_FAILURE;
		return false;
	}
	while (optind < argc)
		options->files[options->n_files++] = xstrdup(argv[optind++]);
	if (!options->n_files)
		options->files[options->n_files++]
			= file_in(folder("OVS_DBDIR", "/etc/openvswitch"),
				  "conf", "db");
	return true;
}

void
options_complete(struct program_options *options)
{
	char *path = options->control_path;

	if (path && !strcmp(path, "none")) {
		free(path);
		options->control_path = NULL;
	} else if (!path) {
		char *suffix = xasprintf("%ld.ctl", (long) getpid());

		options->control_path
			= file_in(folder("OVS_RUNDIR", "/var/run/openvswitch"),
				  options->program, suffix);
		free(suffix);
	} else if (*path != '/') {
		options->control_path
			= file_in(folder("OVS_RUNDIR", "/var/run/openvswitch"),
				  path, NULL);
		free(path);
	}
}

void
options_done(struct program_options *options)
{
	for (size_t i = 0; i < options->n_remotes; i++)
		free(options->remotes[i]);
	for (size_t i = 0; i < options->n_files; i++)
		free(options->files[i]);
	free(options->remotes);
	free(options->files);
	free(options->control_path);
	free(options->pid_path);
	ovsdb_log_stop();
}

static enum outcome
take(struct program_options *options, int option, const char *name,
     const char *argument)
{
	int setting = tls_setting_of(option);

	if (setting >= 0) {
		options->tls[setting] = argument;
		return GO_ON;
	}
	switch (option) {
	case REMOTE:
		options->remotes[options->n_remotes++] = xstrdup(argument);
		return GO_ON;
	case UNIXCTL:
		free(options->control_path);
		options->control_path = xstrdup(argument);
		options->is_control_asked_for = true;
		return GO_ON;
	case HISTORY_SIZE:
		return take_size(options, name, argument,
				 &options->history_size);
	case RUN:
		options->run = argument;
		return GO_ON;
	case DETACH:
		options->daemon.detach = true;
		return GO_ON;
	case NO_CHDIR:
	case OVERWRITE_PIDFILE:
	case MONITOR:
		*(option == NO_CHDIR ? &options->daemon.stay
		  : option == MONITOR ? &options->daemon.monitor
		  : &options->daemon.overwrite_pid_file) = true;
		return GO_ON;
	case PIDFILE:
		free(options->pid_path);
		options->pid_path
			= argument && *argument == '/' ? xstrdup(argument)
			: file_in(folder("OVS_RUNDIR", "/var/run/openvswitch"),
				  argument ? argument : options->program,
				  argument ? NULL : "pid");
		options->daemon.pid_path = options->pid_path;
		return GO_ON;
	case IGNORED:
		return GO_ON;
	case NOT_OURS:
		return report(options, xasprintf("--%s is not supported",
						 name));
	case 'h':
		print_help(options->program);
		return END_WELL;
	case 'V':
		puts(options_version);
		return END_WELL;
	case '?':
		return END_BADLY;
	default:
		return take_log(options, option, argument);
	}
}

/* Bytes, or with K, M or G behind it that many of 1024 and so on. */
static enum outcome
take_size(const struct program_options *options, const char *name,
	  const char *argument, uint64_t *ret_size)
{
	static const char units[] = "KMG";
	const char *unit;
	uint64_t size;
	char *end;

	errno = 0;
	size = strtoull(argument, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit && !end[1]) {
		end++;
		size <<= 10 * (unit - units + 1);
	}
	if (errno || *argument < '0' || *argument > '9' || *end
	    || size > MAX_SIZE)
		return report(options, xasprintf("--%s=%s: expected a number"
						 " of bytes, at most %lluG",
						 name, argument,
						 (unsigned long long)
						 MAX_SIZE >> 30));
	*ret_size = size;
	return GO_ON;
}

/* -1: none. */
static int
tls_setting_of(int option)
{
	switch (option) {
	case 'p':
		return TLS_PRIVATE_KEY;
	case 'c':
		return TLS_CERTIFICATE;
	case 'C':
		return TLS_CA_CERT;
	default:
		return option >= TLS_OPTION ? option - TLS_OPTION : -1;
	}
}

static enum outcome
take_log(struct program_options *options, int option, const char *argument)
{
	char *problem = NULL, *text;

	switch (option) {
	case 'v':
		return report(options,
			      ovsdb_log_set(argument ? argument : "dbg"));
	case SYSLOG_METHOD:
		return report(options, ovsdb_log_set_method(argument));
	case SYSLOG_TARGET:
		return report(options, ovsdb_log_set_target(argument));
	case LOG_LEVEL:
		text = log_level_spec(argument);
		if (!text)
			return report(options,
				      xasprintf("--log-level=%s: expected "
						"error, warn, info or debug",
						argument));
		problem = ovsdb_log_set(text);
		free(text);
		return report(options, problem);
	default:
		/* A log that cannot be written stops no server. */
		text = argument ? *argument == '/' ? xstrdup(argument)
				: file_in(getcwd(NULL, 0), argument, NULL)
		     : file_in(folder("OVS_LOGDIR", "/var/log/openvswitch"),
			       options->program, "log");
		ovsdb_log_open(text);
		free(text);
		return GO_ON;
	}
}

/* The agent's words for levels; NULL if it is none of them. */
static char *
log_level_spec(const char *name)
{
	static const char *const ours[] = { "error", "warn", "info",
					    "debug" };
	static const char *const theirs[] = { "err", "warn", "info", "dbg" };

	for (size_t i = 0; i < 4; i++)
		if (!strcmp(name, ours[i]))
			return xstrdup(theirs[i]);
	return NULL;
}

static enum outcome
report(const struct program_options *options, char *problem)
{
	if (!problem)
		return GO_ON;
	fprintf(stderr, "%s: %s\n", options->program, problem);
	free(problem);
	return END_BADLY;
}

static void
print_help(const char *program)
{
	printf("usage: %s [OPTION]... [FILE]...\n"
	       "Serves OVSDB databases to clients, as ovsdb-server(1) does.\n"
	       "\n"
	       "Each FILE is a database as ovsdb-tool(1) creates it; "
	       "/etc/openvswitch/conf.db\n"
	       "if there is none.\n"
	       "\n", program);
	puts("  --remote=METHOD       listen, or connect, there; more than one "
	     "may be given:\n"
	     "                        punix:PATH, ptcp:PORT[:IP], unix:PATH, "
	     "tcp:HOST:PORT\n"
	     "  --run=COMMAND         serve while COMMAND runs; exit with its "
	     "fate\n"
	     "  --unixctl=PATH        control socket, for ovs-appctl -t PATH;"
	     " \"none\": none\n"
	     "\n"
	     "  --detach              go to the background once clients can "
	     "connect\n"
	     "  --no-chdir            with --detach, stay in this directory\n"
	     "  --pidfile[=FILE]      write the process id there\n"
	     "  --overwrite-pidfile   even if another process holds it\n"
	     "  --monitor             start again after a crash\n"
	     "\n"
	     "  -v[SPEC], --verbose[=SPEC]  set levels of the log, as in "
	     "\"console:warn\"\n"
	     "  --log-file[=FILE]     log to a file, too\n"
	     "  --log-level=LEVEL     error, warn, info (default) or debug\n"
	     "  --syslog-method=METHOD  libc (default), null, unix:PATH, "
	     "udp:IP:PORT\n"
	     "  --syslog-target=IP:PORT  syslog there, too\n"
	     "\n"
	     "  --history-size=BYTES  how much of each database's past is "
	     "remembered for clients\n"
	     "                        that come back (default 16M; 0: nothing)"
	     "\n"
	     "  -h, --help            print this\n"
	     "  -V, --version         print the version");
}

static char *
folder(const char *variable, const char *otherwise)
{
	const char *value = getenv(variable);

	return xstrdup(value && *value ? value : otherwise);
}

/* Frees 'folder'.  The suffix, behind a dot, may be NULL. */
static char *
file_in(char *in, const char *name, const char *suffix)
{
	char *path = xasprintf("%s/%s%s%s", in ? in : ".", name,
			       suffix ? "." : "", suffix ? suffix : "");

	free(in);
	return path;
}
