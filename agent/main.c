/* SPDX-License-Identifier: Apache-2.0 */

/* hnv-agent: from start to stop.
 *
 * The list of things below is opened from top to bottom and closed from bottom
 * to top, whether the start fails half way or the program is told to stop.
 * In between, the loop turns: clients' transactions come in through the
 * server, and once per turn of the loop the policy follows the rows. */

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <event2/event.h>

#include "agent/base/daemon.h"
#include "agent/base/log.h"
#include "agent/base/chore.h"
#include "agent/base/memory.h"
#include "agent/counters.h"
#include "agent/doctor.h"
#include "agent/host/flow_log.h"
#include "agent/host/host.h"
#include "agent/inspect/commands.h"
#include "agent/inspect/damage.h"
#include "agent/net/control.h"
#include "agent/net/remotes.h"
#include "agent/net/turn.h"
#include "agent/options.h"
#include "agent/ovsdb/server/server.h"
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb/store/journal.h"
#include "agent/policy/audit.h"
#include "agent/policy/bridge.h"
#include "agent/policy/policy.h"
#include "agent/status/write.h"
#include "agent/takeover/takeover.h"
#include "agent/upgrade.h"

enum { ROUND_S = 5, ROUND_PORTS = 16, LOOK_MS = 200, AUDIT_MS = 80,
       AUDIT_NS = 400000, N_SIGNALS = 2, BIG_BLOCK = 256 * 1024,
       HISTORY_SIZE = 8 << 20 };

/* In the order of their files' opening; hnv first, because the others' policy
 * is bound to its ports. */
static const char *const database_names[] = {
	"hnv", "ms_vtep", "hardware_vtep", "ms_firewall"
};
enum { N_DATABASES = sizeof database_names / sizeof database_names[0] };

/* Asks for a turn when its database has changed. */
struct watch {
	struct observer observer;
	struct agent *agent;
};

struct agent {
	struct options options;
	struct event_base *base;
	struct event *signals[N_SIGNALS];
	struct event *hangup;
	struct event *follow;		/* Makes the policy follow the rows. */
	struct event *round;		/* A look at some ports. */
	int64_t policy_time;		/* As its file says. */
	struct event *inspection;	/* A slice of the self-audit. */
	struct event *alive;		/* The watchdog is told. */

	struct database *databases[N_DATABASES];
	struct watch watches[N_DATABASES];
	struct model *model;
	struct audit *audit;
	struct host *host;
	struct takeovers *takeovers;
	struct server *server;
	struct turn *turn;
	struct remotes *remotes;
	struct control *control;
	struct commands commands;
	struct counted counted;
	struct doctor doctor;
};

static void raise_descriptor_limit(void);
static void keep_big_blocks_apart(void);
static bool start(struct agent *);
static void serve(struct agent *);
static bool tell_watchdog(struct agent *);
static void still_there(evutil_socket_t, short what, void *agent_);
static void stop(struct agent *);
static bool open_loop(struct agent *);
static bool open_databases(struct agent *);
static bool has_file(const struct agent *, const char *name);
static bool open_policy(struct agent *);
static bool open_takeovers(struct agent *);
static void read_policy_time(struct agent *);
static void keep_policy_time(struct agent *);
static bool open_server(struct agent *);
static bool open_control(struct agent *);
static bool open_remotes(struct agent *);
static bool listen_on(struct agent *, const char *name);
static void listen_as_usual(struct agent *, const char *method);
static bool make_dir(const char *path);
static void on_signal(evutil_socket_t, short what, void *agent_);
static void on_hangup(evutil_socket_t, short what, void *agent_);
static void on_commit(struct observer *, const struct commit *);
static void ask_to_follow(void *agent_);
static void follow(evutil_socket_t, short what, void *agent_);
static void look_around(evutil_socket_t, short what, void *agent_);
static void go_on(struct agent *);
static void look_at_files(struct agent *);
static void look_at_it(evutil_socket_t, short what, void *agent_);
static bool look_later(struct agent *, int ms);
static void run_reopen(struct control_request *, size_t n_args,
		       const char *const args[], void *agent_);
static void run_exit(struct control_request *, size_t n_args,
		     const char *const args[], void *agent_);

int
main(int argc, char *argv[])
{
	struct agent agent = { .base = NULL };
	bool is_good;

	options_read(argc, argv, &agent.options);
	log_init("hnv-agent", agent.options.level, agent.options.use_syslog);
	if (agent.options.gives_back) {
		int status = takeovers_give_back(agent.options.db_dir);

		options_done(&agent.options);
		return status;
	}
	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	keep_big_blocks_apart();

	/* Before anything is opened: it may become another process. */
	is_good = make_dir(agent.options.run_dir)
		  && daemon_start(&agent.options.daemon) && start(&agent);
	if (is_good)
		serve(&agent);
	stop(&agent);
	daemon_stop();
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Clients and queues; the soft limit is made for programs that select(). */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)
	    && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Left alone, the C library puts a switch's tables into the heap once one has
 * been freed, and what lies behind them keeps them from going back. */
static void
keep_big_blocks_apart(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, BIG_BLOCK);
#endif
}

static bool
start(struct agent *agent)
{
	return make_dir(agent->options.db_dir)
	       && open_loop(agent)
	       && open_databases(agent)
	       && open_policy(agent)
	       && open_server(agent)
	       && open_control(agent);
}

static void
serve(struct agent *agent)
{
	const struct options *options = &agent->options;

	if (options->daemon.detach)
		log_init("hnv-agent", options->level, true);
	daemon_ready(&options->daemon);
	if (!tell_watchdog(agent))
		log_line(LOG_LEVEL_ERROR, "agent", "the watchdog cannot be "
			 "told that the agent lives, and will end it");
	log_line(LOG_LEVEL_INFO, "agent", "ready");
	turn_loop(agent->base);
	log_line(LOG_LEVEL_INFO, "agent", "stopping");
}

static bool
tell_watchdog(struct agent *agent)
{
	int64_t ms = daemon_alive_ms();
	const struct timeval often = { .tv_sec = ms / 1000,
				       .tv_usec = ms % 1000 * 1000 };

	if (!ms)
		return true;
	agent->alive = event_new(agent->base, -1, EV_PERSIST, still_there,
				 agent);
	return agent->alive && !event_add(agent->alive, &often);
}

static void
still_there(evutil_socket_t fd, short what, void *agent_)
{
	const struct agent *agent = agent_;

	(void) fd;
	(void) what;
	daemon_alive(&agent->options.daemon);
}

static void
stop(struct agent *agent)
{
	if (agent->control) {
		commands_stop(&agent->commands);
		doctor_stop(&agent->doctor);
	}
	control_free(agent->control);
	remotes_free(agent->remotes);
	turn_free(agent->turn);
	server_free(agent->server);
	takeovers_stop(agent->takeovers);
	host_free(agent->host);
	takeovers_free(agent->takeovers);
	audit_free(agent->audit);
	model_free(agent->model);
	for (size_t i = 0; i < N_DATABASES; i++)
		if (agent->databases[i]) {
			database_unobserve(agent->databases[i],
					   &agent->watches[i].observer);
			database_free(agent->databases[i]);
		}
	if (agent->alive)
		event_free(agent->alive);
	if (agent->round)
		event_free(agent->round);
	if (agent->inspection)
		event_free(agent->inspection);
	if (agent->follow)
		event_free(agent->follow);
	if (agent->hangup)
		event_free(agent->hangup);
	for (size_t i = 0; i < N_SIGNALS; i++)
		if (agent->signals[i])
			event_free(agent->signals[i]);
	turn_loop_free(agent->base);
	options_done(&agent->options);
}

static bool
open_loop(struct agent *agent)
{
	static const int numbers[N_SIGNALS] = { SIGTERM, SIGINT };

	agent->base = event_base_new();
	if (!agent->base)
		goto err;
	for (size_t i = 0; i < N_SIGNALS; i++) {
		agent->signals[i] = evsignal_new(agent->base, numbers[i],
						 on_signal, agent);
		if (!agent->signals[i] || event_add(agent->signals[i], NULL))
			goto err;
	}
	agent->hangup = evsignal_new(agent->base, SIGHUP, on_hangup, agent);
	if (!agent->hangup || event_add(agent->hangup, NULL))
		goto err;
	agent->follow = event_new(agent->base, -1, 0, follow, agent);
	agent->round = event_new(agent->base, -1, 0, look_around, agent);
	agent->inspection = event_new(agent->base, -1, 0, look_at_it, agent);
	if (!agent->follow || !agent->round || !agent->inspection
	    || !look_later(agent, LOOK_MS))
		goto err;
	return true;

err:
	log_line(LOG_LEVEL_ERROR, "agent", "there is no event loop to be had: "
		 "%s", strerror(errno));
	return false;
}

static bool
open_databases(struct agent *agent)
{
	bool is_first = !has_file(agent, "hnv.db")
			&& !has_file(agent, "policy-since");

	for (size_t i = 0; i < N_DATABASES; i++) {
		const char *name = database_names[i];
		char *path = xasprintf("%s/%s.db", agent->options.db_dir, name);
		char *schema = xasprintf("%s/%s.ovsschema",
					 agent->options.schema_dir, name);
		char *warning = NULL, *said = NULL;
		struct ovsdb_error *error;

		if (!is_first && access(path, F_OK) && errno == ENOENT)
			log_line(LOG_LEVEL_WARN, name, "%s was not there: it "
				 "is made anew, and what it said is gone",
				 path);
		error = journal_open_database(path, schema,
					      &agent->databases[i], &warning);
		/* The others' schemas are not ours to change. */
		if (!error && i == 0)
			error = upgrade_database(agent->databases[i], path,
						 schema, &said);
		free(path);
		free(schema);
		if (warning)
			log_line(LOG_LEVEL_WARN, name, "%s", warning);
		free(warning);
		if (said)
			log_line(LOG_LEVEL_INFO, name, "%s", said);
		free(said);
		if (error) {
			log_line(LOG_LEVEL_ERROR, name, "%s", error->details);
			ovsdb_error_free(error);
			return false;
		}
	}
	return true;
}

static bool
has_file(const struct agent *agent, const char *name)
{
	char *path = xasprintf("%s/%s", agent->options.db_dir, name);
	bool has = !access(path, F_OK);

	free(path);
	return has;
}

static bool
open_policy(struct agent *agent)
{
	struct host_options options = {
		.base = agent->base,
		.n_workers = agent->options.n_workers,
		.log_dir = agent->options.log_dir,
		.turn = ask_to_follow,
		.ctx = agent
	};
	int error;

	agent->model = model_new(agent->databases, N_DATABASES);
	agent->audit = audit_new(agent->model);
	read_policy_time(agent);
	policy_set_time(agent->model, agent->policy_time);
	options.model = agent->model;
	error = host_new(&options, &agent->host);
	if (error) {
		log_line(LOG_LEVEL_ERROR, "host", "threads do not start: %s",
			 strerror(-error));
		return false;
	}
	for (size_t i = 0; i < N_DATABASES; i++) {
		agent->watches[i].observer.committed = on_commit;
		agent->watches[i].agent = agent;
		database_observe(agent->databases[i],
				 &agent->watches[i].observer);
		history_set_size(database_history(agent->databases[i]),
				 HISTORY_SIZE);
	}
	if (!open_takeovers(agent))
		return false;
	/* What is on disk is in force before the first client is heard. */
	follow(-1, 0, agent);
	go_on(agent);
	return true;
}

static bool
open_takeovers(struct agent *agent)
{
	const struct takeovers_options options = {
		.base = agent->base, .model = agent->model,
		.db_dir = agent->options.db_dir, .turn = ask_to_follow,
		.ctx = agent
	};
	int error = takeovers_new(&options, &agent->takeovers);

	if (error)
		log_line(LOG_LEVEL_ERROR, agent->options.db_dir, "take-overs "
			 "cannot be recorded: %s", strerror(-error));
	return !error;
}

/* The databases' files do not know: we write to them as well. */
static void
read_policy_time(struct agent *agent)
{
	char *path = xasprintf("%s/policy-since", agent->options.db_dir);
	FILE *file = fopen(path, "re");
	long long time_s;

	if (file && fscanf(file, "%lld", &time_s) == 1 && time_s > 0)
		agent->policy_time = time_s;
	if (file)
		fclose(file);
	free(path);
}

/* Once a second at most; what is lost with the machine is a moment's age.  In
 * place and of one length: to put another file there waits for the disk, with
 * all others waiting behind it, and a full disk has room for what is there. */
static void
keep_policy_time(struct agent *agent)
{
	int64_t time_s = policy_get_time(agent->model);
	char *path, text[32];
	int fd, size;

	if (time_s == agent->policy_time)
		return;
	agent->policy_time = time_s;
	path = xasprintf("%s/policy-since", agent->options.db_dir);
	size = snprintf(text, sizeof text, "%019lld\n", (long long) time_s);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0) {
		(void) !pwrite(fd, text, (size_t) size, 0);
		close(fd);
	}
	free(path);
}

static bool
open_server(struct agent *agent)
{
	agent->server = server_new();
	for (size_t i = 0; i < N_DATABASES; i++) {
		struct ovsdb_error *error = server_add_database(
			agent->server, agent->databases[i]);

		if (error) {
			log_line(LOG_LEVEL_ERROR, database_names[i], "%s",
				 error->details);
			ovsdb_error_free(error);
			return false;
		}
	}
	agent->turn = turn_new(agent->base, agent->server);
	return open_remotes(agent);
}

static bool
open_control(struct agent *agent)
{
	char *path = xasprintf("%s/hnv-agent.ctl", agent->options.run_dir);
	char *problem = NULL, *version;

	version = xasprintf("hnv-agent %s", vsw_version());
	agent->control = control_new(agent->base, path, version, &problem);
	free(version);
	free(path);
	if (!agent->control) {
		log_line(LOG_LEVEL_ERROR, "control", "%s", problem);
		free(problem);
		return false;
	}
	agent->commands.base = agent->base;
	agent->commands.host = agent->host;
	agent->commands.model = agent->model;
	commands_add(agent->control, &agent->commands);
	if (agent->options.allows_damage)
		damage_add(agent->control, &agent->commands);
	agent->counted.server = agent->server;
	agent->counted.remotes = agent->remotes;
	counters_add_commands(agent->control, &agent->counted);
	agent->doctor = (struct doctor) {
		.model = agent->model, .audit = agent->audit,
		.host = agent->host, .remotes = agent->remotes,
		.databases = agent->databases,
		.n_databases = N_DATABASES,
		.certificate = agent->options.tls[TLS_CERTIFICATE],
		.ca_certificate = agent->options.tls[TLS_CA_CERT]
	};
	doctor_add_commands(agent->control, &agent->doctor);
	takeovers_add_commands(agent->control, agent->takeovers);
	control_add_command(agent->control, "flow-log/reopen", "", 0, 0,
			    run_reopen, agent);
	control_add_command(agent->control, "exit", "", 0, 0, run_exit,
			    agent);
	return true;
}

static bool
open_remotes(struct agent *agent)
{
	const struct options *o = &agent->options;
	char *socket = xasprintf("punix:%s/db.sock", o->run_dir);
	char *problem = NULL;
	bool is_good;

	agent->remotes = remotes_new(agent->base, agent->server);
	for (size_t i = 0; i < N_TLS_SETTINGS && !problem; i++)
		if (o->tls[i])
			remotes_set_tls(agent->remotes, (enum tls_setting) i,
					o->tls[i], &problem);
	if (problem)
		log_line(LOG_LEVEL_ERROR, "tls", "%s", problem);
	is_good = !problem && listen_on(agent, socket)
		  && listen_on(agent, "db:ms_vtep,Global,managers")
		  && listen_on(agent, "db:hardware_vtep,Global,managers");
	free(problem);
	free(socket);
	for (size_t i = 0; i < o->n_remotes && is_good; i++)
		is_good = listen_on(agent, o->remotes[i]);
	/* One agent of a machine alone can have these. */
	if (is_good && !o->n_remotes && !o->has_own_run_dir) {
		listen_as_usual(agent, "ptcp:6641:127.0.0.1");
		if (remotes_have_tls(agent->remotes))
			listen_as_usual(agent, "pssl:6640");
	}
	return is_good;
}

static bool
listen_on(struct agent *agent, const char *name)
{
	char *problem;

	if (remotes_add(agent->remotes, name, &problem))
		return true;
	log_line(LOG_LEVEL_ERROR, "agent", "%s", problem);
	free(problem);
	return false;
}

/* Nobody has asked for it. */
static void
listen_as_usual(struct agent *agent, const char *method)
{
	char *problem;

	if (remotes_add(agent->remotes, method, &problem))
		return;
	log_line(LOG_LEVEL_WARN, "agent", "%s; going on without", problem);
	free(problem);
}

static bool
make_dir(const char *path)
{
	if (!mkdir(path, 0755) || errno == EEXIST)
		return true;
	log_line(LOG_LEVEL_ERROR, path, "directory cannot be made: %s",
		 strerror(errno));
	return false;
}

static void
on_signal(evutil_socket_t number, short what, void *agent_)
{
	struct agent *agent = agent_;

	(void) number;
	(void) what;
	event_base_loopexit(agent->base, NULL);
}

/* Whoever has moved files of ours away says so. */
static void
on_hangup(evutil_socket_t number, short what, void *agent_)
{
	struct agent *agent = agent_;

	(void) number;
	(void) what;
	if (agent->host)
		flow_log_reopen(host_flow_log(agent->host));
}

static void
on_commit(struct observer *observer, const struct commit *commit)
{
	struct agent *agent = ((struct watch *) observer)->agent;

	(void) commit;
	/* The model has heard of it before.  What it does not care for, of our
	 * own making above all, is nobody's news. */
	if (model_is_dirty(agent->model))
		ask_to_follow(agent);
}

static void
ask_to_follow(void *agent_)
{
	struct agent *agent = agent_;

	event_active(agent->follow, EV_TIMEOUT, 0);
}

/* Rows, model, devices, packets, and what came of it. */
static void
follow(evutil_socket_t fd, short what, void *agent_)
{
	struct agent *agent = agent_;

	(void) fd;
	(void) what;
	chore_begin(CHORE_MODEL);
	model_update(agent->model);
	chore_next(CHORE_DEVICES);
	takeovers_release(agent->takeovers);
	host_apply(agent->host);
	chore_next(CHORE_POLICY);
	policy_apply(agent->model);
	bridges_apply(agent->model);
	chore_next(CHORE_PUNTS);
	host_settle(agent->host);
	chore_next(CHORE_DEVICES);
	takeovers_apply(agent->takeovers);
	chore_next(CHORE_STATUS);
	status_write(agent->model, false);
	keep_policy_time(agent);
	chore_end();
	/* What was learned behind ports that have gone has, too. */
	if (model_is_dirty(agent->model))
		ask_to_follow(agent);
}

/* Some ports at a time, so that nobody waits long, and each of them once in
 * ROUND_S. */
static void
look_around(evutil_socket_t fd, short what, void *agent_)
{
	struct agent *agent = agent_;
	struct model_port *ports[ROUND_PORTS];
	bool is_over;
	size_t n;

	(void) fd;
	(void) what;
	chore_begin(CHORE_DEVICES);
	n = model_round(agent->model, ports, ROUND_PORTS, &is_over);
	host_check_ports(agent->host, ports, n);
	if (is_over)
		host_check_uplinks(agent->host);
	chore_next(CHORE_STATISTICS);
	status_count(agent->model, ports, n);
	if (is_over) {
		chore_next(CHORE_STATUS);
		status_write(agent->model, true);
	}
	chore_end();
	/* What the engine refused is to be tried again. */
	if (model_is_dirty(agent->model))
		ask_to_follow(agent);
	go_on(agent);
}

static void
go_on(struct agent *agent)
{
	size_t n = model_round_size(agent->model);
	size_t n_parts = n ? (n + ROUND_PORTS - 1) / ROUND_PORTS : 1;
	int64_t each_us = ROUND_S * INT64_C(1000000) / (int64_t) n_parts;
	struct timeval after = {
		.tv_sec = (time_t) (each_us / 1000000),
		.tv_usec = (suseconds_t) (each_us % 1000000)
	};

	event_add(agent->round, &after);
}

/* What cannot be stored is refused to whoever wants it, and what is in force
 * stays so; the operator hears of it. */
static void
look_at_files(struct agent *agent)
{
	const char *problem = NULL;

	for (size_t i = 0; i < N_DATABASES; i++) {
		struct journal *journal = database_journal(
			agent->databases[i]);
		struct journal_status status;

		journal_probe(journal);
		journal_status(journal, &status);
		if (!problem)
			problem = status.problem;
	}
	if (!model_set_store_problem(agent->model, problem))
		return;
	ask_to_follow(agent);
	if (problem)
		log_line(LOG_LEVEL_ERROR, "databases", "%s: changes are "
			 "refused, packets go on as before", problem);
	else
		log_line(LOG_LEVEL_INFO, "databases", "can be written again");
}

/* What is in force, against what is written: half a percent of a processor. */
static void
look_at_it(evutil_socket_t fd, short what, void *agent_)
{
	struct agent *agent = agent_;
	const struct audit_counters *audited = audit_counters(agent->audit);
	uint64_t n = audited->n_repaired;
	bool goes_on;

	(void) fd;
	(void) what;
	chore_begin(CHORE_AUDIT);
	goes_on = audit_slice(agent->audit, AUDIT_NS);
	chore_end();
	look_at_files(agent);
	if (model_is_dirty(agent->model) || audited->n_repaired != n)
		ask_to_follow(agent);
	(void) look_later(agent, goes_on ? AUDIT_MS : LOOK_MS);
}

static bool
look_later(struct agent *agent, int ms)
{
	const struct timeval after = { .tv_usec = ms * 1000 };

	return !event_add(agent->inspection, &after);
}

static void
run_reopen(struct control_request *request, size_t n_args,
	   const char *const args[], void *agent_)
{
	struct agent *agent = agent_;

	(void) n_args;
	(void) args;
	flow_log_reopen(host_flow_log(agent->host));
	control_reply(request, "");
}

static void
run_exit(struct control_request *request, size_t n_args,
	 const char *const args[], void *agent_)
{
	struct agent *agent = agent_;

	(void) n_args;
	(void) args;
	control_reply(request, "");
	event_base_loopexit(agent->base, NULL);
}
