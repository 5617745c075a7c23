/* SPDX-License-Identifier: Apache-2.0 */

/* hnv-ovsdb: the OVSDB server alone, for any schema.
 *
 * Every file named on the command line becomes a database, every --remote a
 * listener; then the event loop runs until a signal, "exit" or the end of
 * --run's command ends it. */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/ovsdb_commands.h"
#include "agent/ovsdb_log.h"
#include "agent/ovsdb_program.h"

static bool start(struct program *);
static void raise_limit(void);
static bool catch_signals(struct program *);
static bool open_all(struct program *);
static bool open_control(struct program *);
static bool run_command(struct program *);
static void stop(struct program *);
static void on_signal(evutil_socket_t, short, void *program);
static void on_child(evutil_socket_t, short, void *program);
static bool report(const struct program *, char *problem);

int
main(int argc, char *argv[])
{
	struct program program = { .state_fd = -1 };
	int status;

	if (!options_read(argc, argv, &program.options, &status)) {
		options_done(&program.options);
		return status;
	}
	program.status = EXIT_FAILURE;
	if (start(&program)) {
		program.status = EXIT_SUCCESS;
		daemon_ready(&program.options.daemon);
		/* With a command to run, what it prints is what is wanted. */
		if (!program.options.run)
			log_line(LOG_LEVEL_INFO, program.options.program,
				 "%s", options_version);
		turn_loop(program.base);
		log_line(LOG_LEVEL_DEBUG, program.options.program, "stopped");
	}
	status = program.status;
	stop(&program);
	return status;
}

static bool
start(struct program *program)
{
	struct program_options *options = &program->options;

	if (options->daemon.monitor) {
		FILE *file = tmpfile();

		if (file) {
			program->state_fd = dup(fileno(file));
			fclose(file);
		}
	}
	if (!daemon_start(&options->daemon))
		return false;
	options_complete(options);
	program_load(program);

	program->base = event_base_new();
	program->server = server_new();
	server_allow_convert(program->server);
	program->turn = turn_new(program->base, program->server);
	program->remotes = remotes_new(program->base, program->server);
	raise_limit();
	if (!catch_signals(program) || !open_all(program)
	    || !open_control(program) || !run_command(program))
		return false;
	program_save(program);
	return true;
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
catch_signals(struct program *program)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < 4; i++) {
		program->signals[i]
			= evsignal_new(program->base, numbers[i],
				       numbers[i] == SIGCHLD ? on_child
							     : on_signal,
				       program);
		if (!program->signals[i]
		    || event_add(program->signals[i], NULL))
			return report(program,
				      xstrdup("cannot catch signals"));
	}
	return true;
}

static bool
open_all(struct program *program)
{
	const struct program_options *options = &program->options;
	char *problem = NULL;

	for (size_t i = 0; i < options->n_files; i++)
		if (!report(program,
			    program_add_database(program, options->files[i])))
			return false;
	for (int i = 0; i < N_TLS_SETTINGS; i++)
		if (options->tls[i]
		    && !remotes_set_tls(program->remotes,
					(enum tls_setting) i,
					options->tls[i], &problem))
			return report(program, problem);
	for (size_t i = 0; i < options->n_remotes; i++)
		if (!report(program,
			    program_add_remote(program, options->remotes[i])))
			return false;
	/* Remotes that stand in a database listen after a turn. */
	event_base_loop(program->base, EVLOOP_NONBLOCK);
	return true;
}

static bool
open_control(struct program *program)
{
	const struct program_options *options = &program->options;
	char *problem = NULL;

	if (!options->control_path)
		return true;
	program->control = control_new(program->base, options->control_path,
				       options_version, &problem);
	/* Whoever did not ask for one can do without. */
	if (!program->control && !options->is_control_asked_for) {
		log_line(LOG_LEVEL_WARN, options->program,
			 "%s; going on without a control socket", problem);
		free(problem);
		return true;
	}
	if (!program->control)
		return report(program, problem);
	commands_add(program);
	return true;
}

static bool
run_command(struct program *program)
{
	const char *command = program->options.run;

	if (!command)
		return true;
	fflush(NULL);
	program->child = fork();
	if (program->child < 0) {
		program->child = 0;
		return report(program, xasprintf("fork failed: %s",
						 strerror(errno)));
	}
	if (!program->child) {
		sigset_t none;

		signal(SIGPIPE, SIG_DFL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execl("/bin/sh", "sh", "-c", command, (char *) NULL);
		_exit(127);
	}
	return true;
}

/* Clients first, then what they use.  Undoes whatever start() did. */
static void
stop(struct program *program)
{
	control_free(program->control);
	remotes_free(program->remotes);
	for (size_t i = 0; i < program->n_remote_names; i++)
		free(program->remote_names[i]);
	free(program->remote_names);
	turn_free(program->turn);
	server_free(program->server);
	for (size_t i = 0; i < program->n_databases; i++) {
		database_free(program->databases[i].database);
		free(program->databases[i].path);
	}
	free(program->databases);
	for (size_t i = 0; i < 4; i++)
		if (program->signals[i])
			event_free(program->signals[i]);
	turn_loop_free(program->base);
	libevent_global_shutdown();
	if (program->state_fd >= 0)
		close(program->state_fd);
	options_done(&program->options);
	daemon_stop();
}

static void
on_signal(evutil_socket_t number, short what, void *program_)
{
	struct program *program = program_;

	(void) what;
	log_line(LOG_LEVEL_INFO, program->options.program,
		 "stopping on signal %d", (int) number);
	program_end(program);
}

static void
on_child(evutil_socket_t number, short what, void *program_)
{
	struct program *program = program_;
	int status;

	(void) number;
	(void) what;
	if (!program->child
	    || waitpid((pid_t) program->child, &status, WNOHANG)
	       != program->child)
		return;
	program->child = 0;
	program->status = WIFEXITED(status) && !WEXITSTATUS(status)
			  ? EXIT_SUCCESS : EXIT_FAILURE;
	program_end(program);
}

/* Whoever started the program reads it on the terminal; the log has it, too,
 * if it is a file. */
static bool
report(const struct program *program, char *problem)
{
	if (!problem)
		return true;
	fprintf(stderr, "%s: %s\n", program->options.program, problem);
	if (ovsdb_log_path()) {
		free(ovsdb_log_set("console:off"));
		log_line(LOG_LEVEL_ERROR, program->options.program,
			 "%s; giving up", problem);
	}
	free(problem);
	return false;
}
