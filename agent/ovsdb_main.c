/* SPDX-License-Identifier: Apache-2.0 */

/* hnv-ovsdb: the OVSDB server alone, for any schema.
 *
 * Every file named on the command line becomes a database, every --remote a
 * listener; then the event loop runs until a signal or "exit" ends it. */

#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <event2/event.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/net/control.h"
#include "agent/net/remotes.h"
#include "agent/net/turn.h"
#include "agent/ovsdb/journal.h"
#include "agent/ovsdb/server.h"

#define PROGRAM "hnv-ovsdb"
#define VERSION_TEXT PROGRAM " " PACKAGE_VERSION

struct options {
	const char **remotes;
	size_t n_remotes;
	const char **files;
	size_t n_files;
	const char *tls[N_TLS_SETTINGS];
	const char *control_path, *pid_path;
	enum log_level level;
};

struct program {
	struct event_base *base;
	struct server *server;
	struct turn *turn;
	struct database **databases;
	size_t n_databases;
	struct remotes *remotes;
	struct control *control;
	struct event *signals[2];
	bool has_pid_file;
};

enum { TLS_OPTION = 256 };

static const struct option known[] = {
	{ "remote", required_argument, NULL, 'r' },
	{ "unixctl", required_argument, NULL, 'u' },
	{ "pidfile", required_argument, NULL, 'p' },
	{ "log-level", required_argument, NULL, 'l' },
	REMOTES_TLS_OPTIONS(TLS_OPTION),
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static bool read_options(int argc, char *argv[], struct options *,
			 int *ret_status);
static void print_help(void);
static bool start(struct program *, const struct options *);
static void raise_limit(void);
static bool open_databases(struct program *, const struct options *);
static bool open_database(struct program *, const char *path);
static bool open_remotes(struct program *, const struct options *);
static bool open_control(struct program *, const char *path);
static bool write_pid_file(const char *path);
static void catch_signals(struct program *);
static void stop(struct program *, const struct options *);
static void on_signal(evutil_socket_t, short, void *program);
static void on_exit_command(struct control_request *, size_t n_args,
			    const char *const args[], void *program);

int
main(int argc, char *argv[])
{
	struct options options = { .level = LOG_LEVEL_INFO };
	struct program program = { 0 };
	int status;

	if (!read_options(argc, argv, &options, &status)) {
		free(options.remotes);
		return status;
	}
	log_init(PROGRAM, options.level, false);
	status = EXIT_FAILURE;
	if (start(&program, &options)) {
		event_base_dispatch(program.base);
		log_line(LOG_LEVEL_INFO, PROGRAM, "stopped");
		status = EXIT_SUCCESS;
	}
	stop(&program, &options);
	free(options.remotes);
	return status;
}

/* Returns false if the program is over, with 'ret_status'. */
static bool
read_options(int argc, char *argv[], struct options *options,
	     int *ret_status)
{
	int option;

	*ret_status = EXIT_FAILURE;
	options->remotes = xcalloc((size_t) argc,
				   sizeof *options->remotes);
	while ((option = getopt_long(argc, argv, "hV", known, NULL)) != -1)
		switch (option) {
		case 'r':
			options->remotes[options->n_remotes++] = optarg;
			break;
		case 'u':
			options->control_path = optarg;
			break;
		case 'p':
			options->pid_path = optarg;
			break;
		case 'l':
			if (log_level_from_name(optarg, &options->level))
				break;
			fprintf(stderr, PROGRAM ": --log-level=%s: expected "
				"error, warn, info or debug\n", optarg);
			return false;
		case 'h':
			print_help();
			*ret_status = EXIT_SUCCESS;
			return false;
		case 'V':
			puts(VERSION_TEXT);
			*ret_status = EXIT_SUCCESS;
			return false;
		default:
			if (option < TLS_OPTION)
				return false;
			options->tls[option - TLS_OPTION] = optarg;
			break;
		}
	options->files = (const char **) argv + optind;
	options->n_files = (size_t) (argc - optind);
	if (options->n_files)
		return true;
	fputs(PROGRAM ": no database file was given; see --help\n", stderr);
	return false;
}

static void
print_help(void)
{
	puts("usage: " PROGRAM " [OPTION]... FILE...\n"
	     "Serves OVSDB databases to clients.\n"
	     "\n"
	     "Each FILE is a database as ovsdb-tool(1) creates it.\n"
	     "\n"
	     "  --remote=METHOD    listen, or connect, there; more than one "
	     "may be given:\n"
	     "                     punix:PATH, ptcp:PORT[:IP], "
	     "pssl:PORT[:IP],\n"
	     "                     unix:PATH, tcp:HOST:PORT, "
	     "ssl:HOST:PORT,\n"
	     "                     db:DATABASE,TABLE,COLUMN\n"
	     "  --private-key=FILE, --certificate=FILE, --ca-cert=FILE\n"
	     "                     TLS: ours, ours, and whom we believe; "
	     "also\n"
	     "                     --bootstrap-ca-cert, --peer-ca-cert, "
	     "--crl,\n"
	     "                     --peer-name, --ssl-protocols, "
	     "--ssl-ciphers,\n"
	     "                     --ssl-ciphersuites\n"
	     "  --unixctl=PATH     control socket, for ovs-appctl -t PATH\n"
	     "  --pidfile=PATH     write the process id there\n"
	     "  --log-level=LEVEL  error, warn, info (default) or debug\n"
	     "  -h, --help         print this\n"
	     "  -V, --version      print the version");
}

static bool
start(struct program *program, const struct options *options)
{
	program->base = event_base_new();
	program->server = server_new();
	server_allow_convert(program->server);
	program->turn = turn_new(program->base, program->server);
	signal(SIGPIPE, SIG_IGN);
	catch_signals(program);
	raise_limit();
	if (!open_databases(program, options)
	    || !open_remotes(program, options)
	    || (options->control_path
		&& !open_control(program, options->control_path)))
		return false;
	program->has_pid_file = options->pid_path
				&& write_pid_file(options->pid_path);
	return program->has_pid_file || !options->pid_path;
}

/* A descriptor for each client: as many as the system grants. */
static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static bool
open_databases(struct program *program, const struct options *options)
{
	program->databases = xcalloc(options->n_files,
				     sizeof *program->databases);
	for (size_t i = 0; i < options->n_files; i++)
		if (!open_database(program, options->files[i]))
			return false;
	return true;
}

static bool
open_database(struct program *program, const char *path)
{
	struct database *database = NULL;
	char *warning = NULL;
	struct ovsdb_error *error
		= journal_open_database(path, NULL, &database, &warning);

	if (!error) {
		if (warning)
			log_line(LOG_LEVEL_WARN, path, "%s", warning);
		free(warning);
		program->databases[program->n_databases++] = database;
		error = server_add_database(program->server, database);
	}
	if (error) {
		log_line(LOG_LEVEL_ERROR, path, "%s: %s; giving up",
			 error->name, error->details);
		ovsdb_error_free(error);
		return false;
	}
	log_line(LOG_LEVEL_INFO, path, "serving database %s",
		 database_name(database));
	return true;
}

static bool
open_remotes(struct program *program, const struct options *options)
{
	char *problem = NULL;

	program->remotes = remotes_new(program->base, program->server);
	for (size_t i = 0; i < N_TLS_SETTINGS && !problem; i++)
		if (options->tls[i])
			remotes_set_tls(program->remotes,
					(enum tls_setting) i,
					options->tls[i], &problem);
	for (size_t i = 0; i < options->n_remotes && !problem; i++)
		remotes_add(program->remotes, options->remotes[i], &problem);
	if (!problem)
		return true;
	log_line(LOG_LEVEL_ERROR, PROGRAM, "%s; giving up", problem);
	free(problem);
	return false;
}

static bool
open_control(struct program *program, const char *path)
{
	char *problem;

	program->control = control_new(program->base, path, VERSION_TEXT,
				       &problem);
	if (!program->control) {
		log_line(LOG_LEVEL_ERROR, PROGRAM, "%s; giving up", problem);
		free(problem);
		return false;
	}
	control_add_command(program->control, "exit", "", 0, 0,
			    on_exit_command, program);
	return true;
}

static bool
write_pid_file(const char *path)
{
	FILE *stream = fopen(path, "we");
	bool is_written = stream && fprintf(stream, "%ld\n",
					    (long) getpid()) > 0;

	if (stream && fclose(stream))
		is_written = false;
	if (!is_written)
		log_line(LOG_LEVEL_ERROR, path, "cannot write: %s; giving "
			 "up", strerror(errno));
	return is_written;
}

static void
catch_signals(struct program *program)
{
	static const int numbers[] = { SIGTERM, SIGINT };

	for (size_t i = 0; i < 2; i++) {
		program->signals[i] = evsignal_new(program->base, numbers[i],
						   on_signal, program);
		event_add(program->signals[i], NULL);
	}
}

/* Clients first, then what they use.  Undoes whatever start() did. */
static void
stop(struct program *program, const struct options *options)
{
	control_free(program->control);
	remotes_free(program->remotes);
	turn_free(program->turn);
	server_free(program->server);
	for (size_t i = 0; i < program->n_databases; i++)
		database_free(program->databases[i]);
	free(program->databases);
	for (size_t i = 0; i < 2; i++)
		event_free(program->signals[i]);
	event_base_free(program->base);
	libevent_global_shutdown();
	if (program->has_pid_file)
		unlink(options->pid_path);
}

static void
on_signal(evutil_socket_t number, short what, void *program_)
{
	struct program *program = program_;

	(void) what;
	log_line(LOG_LEVEL_INFO, PROGRAM, "stopping on signal %d",
		 (int) number);
	event_base_loopbreak(program->base);
}

static void
on_exit_command(struct control_request *request, size_t n_args,
		const char *const args[], void *program_)
{
	struct program *program = program_;

	(void) n_args;
	(void) args;
	control_reply(request, "");
	event_base_loopbreak(program->base);
}
