/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/inspect/inspect.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/chore.h"
#include "agent/base/memory.h"
#include "agent/base/report.h"
#include "agent/device/thread.h"
#include "agent/host/host.h"
#include "agent/inspect/commands.h"
#include "agent/inspect/counts.h"
#include "agent/inspect/wishes.h"
#include "agent/net/control.h"
#include "agent/policy/draft.h"
#include "agent/policy/show.h"

enum {
	PIECE = 8192,			/* Places that one turn looks at. */
	JOBS_MAX = 16
};

/* A command that is under way. */
struct job {
	struct list link;		/* In commands.jobs. */
	struct commands *commands;
	struct control_request *request;
	struct event *turn;
	bool (*step)(struct job *);	/* False: that was the last. */
	struct report report;
	struct wishes wishes;
	char *name;			/* The port or subnet; NULL: all. */
	size_t n_shown, n_more;
	/* Where it is. */
	size_t n_switches, n_workers, at;
	struct show_mappings mappings;
	/* The piece that a worker's thread works on. */
	struct vsw_worker *worker;
	struct vsw_port *port;
	bool has_more;
};

static void run_flows(struct control_request *, size_t n_args,
		      const char *const args[], void *commands);
static void run_connections(struct control_request *, size_t n_args,
			    const char *const args[], void *commands);
static void run_mappings(struct control_request *, size_t n_args,
			 const char *const args[], void *commands);
static void run_rules(struct control_request *, size_t n_args,
		      const char *const args[], void *commands);
static struct job *start(struct commands *, struct control_request *,
			 size_t n_args, const char *const args[],
			 bool (*step)(struct job *), const char *list);
static void take_turn(evutil_socket_t, short what, void *job_);
static void end(struct job *);
static void say_classes(struct job *);
static void free_job(struct job *);
static struct model_switch *next_switch(const struct job *);
static bool on_every_worker(struct job *, void (*piece)(void *job));
static bool step_flows(struct job *);
static void piece_of_flows(void *job_);
static void show_flow(void *job_, const struct vsw_flow_info *);
static bool step_connections(struct job *);
static void show_connection(void *job_, const struct vsw_connection_info *);
static const char *proto_text(uint8_t, char room[8]);
static bool step_mappings(struct job *);
static bool step_rules(struct job *);
static void piece_of_counting(void *job_);

void
inspect_add(struct control *control, struct commands *commands)
{
	static const char usage[] =
		"[--format=json] [--limit=N] [--drop[=NAME]] [PORT]";

	control_add_command(control, "flows", usage, 0, 5, run_flows,
			    commands);
	control_add_command(control, "connections",
			    "[--format=json] [--limit=N] [PORT]", 0, 4,
			    run_connections, commands);
	control_add_command(control, "mappings",
			    "[--format=json] [--limit=N] [VSID]", 0, 4,
			    run_mappings, commands);
	control_add_command(control, "rules", "[--format=json] PORT", 1, 2,
			    run_rules, commands);
}

void
inspect_stop(struct commands *commands)
{
	while (commands->jobs.next && !list_is_empty(&commands->jobs)) {
		struct job *job = LIST_ENTRY(commands->jobs.next, struct job,
					     link);

		control_fail(job->request, "the agent stops");
		free(report_end(&job->report));
		free_job(job);
	}
}

static void
run_flows(struct control_request *request, size_t n_args,
	  const char *const args[], void *commands)
{
	start(commands, request, n_args, args, step_flows, "flows");
}

static void
run_connections(struct control_request *request, size_t n_args,
		const char *const args[], void *commands)
{
	start(commands, request, n_args, args, step_connections,
	      "connections");
}

static void
run_mappings(struct control_request *request, size_t n_args,
	     const char *const args[], void *commands)
{
	struct job *job = start(commands, request, n_args, args,
				step_mappings, "mappings");

	if (!job)
		return;
	job->mappings.subnet = job->name;
	job->mappings.max = job->wishes.limit;
}

static void
run_rules(struct control_request *request, size_t n_args,
	  const char *const args[], void *commands)
{
	struct job *job = start(commands, request, n_args, args, step_rules,
				NULL);

	if (job)
		report_string(&job->report, "port", job->name);
}

/* NULL: refused, and told so. */
static struct job *
start(struct commands *commands, struct control_request *request,
      size_t n_args, const char *const args[], bool (*step)(struct job *),
      const char *list)
{
	struct wishes wishes;
	char *problem = wishes_read(&wishes, n_args, args);
	struct job *job;
	size_t n_jobs = 0;

	for (struct list *link = commands->jobs.next; link != &commands->jobs;
	     link = link->next)
		n_jobs++;
	if (!problem && n_jobs >= JOBS_MAX)
		problem = xstrdup("too many questions at once");
	if (!problem && wishes.n_words > 1)
		problem = xstrdup("too many names");
	if (!problem && wishes.n_words && step != step_mappings
	    && !commands_find_port(commands, wishes.words[0], NULL, NULL))
		problem = xasprintf("there is no port \"%s\"",
				    wishes.words[0]);
	if (!problem && wishes.n_words && step == step_mappings
	    && !show_knows_subnet(commands->model, wishes.words[0]))
		problem = xasprintf("there is no subnet \"%s\": a VSID or the "
				    "name of a Logical_Switch",
				    wishes.words[0]);
	if (!problem && step == step_rules && !wishes.n_words)
		problem = xstrdup("of which port?");
	if (problem) {
		control_fail(request, problem);
		free(problem);
		return NULL;
	}
	job = xcalloc(1, sizeof *job);
	job->commands = commands;
	job->request = request;
	job->step = step;
	job->wishes = wishes;
	job->name = wishes.n_words ? xstrdup(wishes.words[0]) : NULL;
	job->turn = event_new(commands->base, -1, 0, take_turn, job);
	if (!job->turn)
		abort();
	list_append(&commands->jobs, &job->link);
	report_start(&job->report, wishes.is_json);
	if (list)
		report_open_list(&job->report, list);
	event_active(job->turn, EV_TIMEOUT, 0);
	return job;
}

static void
take_turn(evutil_socket_t fd, short what, void *job_)
{
	struct job *job = job_;
	static const struct timeval soon = { .tv_usec = 0 };

	(void) fd;
	(void) what;
	chore_begin(CHORE_COMMAND);
	/* Behind all others that have something to do. */
	if (job->step(job))
		event_add(job->turn, &soon);
	else
		end(job);
	chore_end();
}

static void
end(struct job *job)
{
	char *text;

	if (job->step == step_flows || job->step == step_connections)
		say_classes(job);
	else if (job->step != step_rules)
		report_close_list(&job->report);
	if (job->step != step_rules) {
		report_number(&job->report, "shown", job->n_shown);
		report_number(&job->report, "more", job->n_more);
		if (job->n_more)
			report_line(&job->report, "and %zu more: see --limit",
				    job->n_more);
	}
	text = report_end(&job->report);
	control_reply(job->request, text);
	free(text);
	free_job(job);
}

/* Of a port that was named, beside the list. */
static void
say_classes(struct job *job)
{
	struct model_switch *sw;

	report_close_list(&job->report);
	if (!job->name
	    || !commands_find_port(job->commands, job->name, &sw, NULL)
	    || !commands_port_of(sw, job->name))
		return;
	report_line(&job->report, "%s", job->name);
	counts_say_classes(&job->report, commands_port_of(sw, job->name));
}

static void
free_job(struct job *job)
{
	list_remove(&job->link);
	event_free(job->turn);
	free(job->name);
	free(job);
}

static struct model_switch *
next_switch(const struct job *job)
{
	const struct list *switches = &job->commands->model->switches;
	struct list *link = switches->next;

	for (size_t i = 0; i < job->n_switches && link != switches; i++)
		link = link->next;
	return link == switches ? NULL
				: LIST_ENTRY(link, struct model_switch, link);
}

/* One piece of one worker of one switch; with a port, of its switch alone. */
static bool
on_every_worker(struct job *job, void (*piece)(void *job))
{
	struct host *host = job->commands->host;
	struct model_switch *sw = next_switch(job);
	size_t n = host_n_threads(host);

	if (!sw)
		return false;
	job->port = NULL;
	job->worker = sw->vsw ? host_worker(host, sw, job->n_workers) : NULL;
	if (sw->vsw && job->name)
		job->port = commands_port_of(sw, job->name);
	if (!job->worker || (job->name && !job->port)) {
		job->n_switches++;
		job->n_workers = job->at = 0;
		return true;
	}
	if (job->n_workers < n)
		thread_call(host_thread(host, job->n_workers), piece, job);
	else
		piece(job);
	if (job->has_more)
		return true;
	job->at = 0;
	if (++job->n_workers > n) {
		job->n_workers = 0;
		job->n_switches++;
	}
	return true;
}

static bool
step_flows(struct job *job)
{
	return on_every_worker(job, piece_of_flows);
}

/* On the worker's thread, while the main thread waits. */
static void
piece_of_flows(void *job_)
{
	struct job *job = job_;

	job->has_more = vsw_worker_flows_from(job->worker, job->port,
					      thread_now(), &job->at, PIECE,
					      show_flow, job);
}

static void
show_flow(void *job_, const struct vsw_flow_info *flow)
{
	struct job *job = job_;
	struct report *report = &job->report;
	const char *rewrite = flow->rewrite;
	unsigned reason;
	char punt[64];

	if (job->wishes.only_drops
	    && (flow->drop < 0 || (job->wishes.drop >= 0
				   && flow->drop != job->wishes.drop)))
		return;
	if (job->n_shown == job->wishes.limit) {
		job->n_more++;
		return;
	}
	job->n_shown++;
	/* The engine knows the number alone. */
	if (sscanf(rewrite, "punt reason %u", &reason) == 1) {
		snprintf(punt, sizeof punt, "to the host: %s",
			 draft_punt_name(reason));
		rewrite = punt;
	}
	report_line(report, "%s: %s -> %s, packets %" PRIu64 ", bytes %"
		    PRIu64 ", idle %.0f s", vsw_port_name(flow->in_port),
		    flow->key, rewrite, flow->n_packets, flow->n_bytes,
		    (double) flow->idle_ns / 1e9);
	report_open(report, NULL);
	report_string(report, "port", vsw_port_name(flow->in_port));
	report_string(report, "flow", flow->key);
	report_string(report, "rewrite", rewrite);
	report_string(report, "drop", flow->drop < 0 ? NULL : vsw_drop_name(
			      (enum vsw_drop) flow->drop));
	report_number(report, "packets", flow->n_packets);
	report_number(report, "bytes", flow->n_bytes);
	report_number(report, "idle_s", flow->idle_ns / 1000000000);
	report_close(report);
}

static bool
step_connections(struct job *job)
{
	struct model_switch *sw = next_switch(job);
	struct vsw_port *port = NULL;

	if (!sw)
		return false;
	if (sw->vsw && job->name)
		port = commands_port_of(sw, job->name);
	if (sw->vsw && (!job->name || port)
	    && vsw_connections_from(sw->vsw, port, thread_now(), &job->at,
				    PIECE, show_connection, job))
		return true;
	job->at = 0;
	job->n_switches++;
	return true;
}

static void
show_connection(void *job_, const struct vsw_connection_info *c)
{
	struct job *job = job_;
	struct report *report = &job->report;
	char local[MODEL_ADDR_TEXT_SIZE], remote[MODEL_ADDR_TEXT_SIZE];
	char room[8];
	const char *proto = proto_text(c->ip_proto, room);
	const char *direction = c->direction == VSW_OUT ? "out" : "in";

	if (job->n_shown == job->wishes.limit) {
		job->n_more++;
		return;
	}
	job->n_shown++;
	model_addr_to_text(&c->local, local);
	model_addr_to_text(&c->remote, remote);
	report_line(report, "%s: %s %s:%u %s %s:%u, %s, age %.0f s, idle "
		    "%.0f s", vsw_port_name(c->port), proto, local,
		    c->local_port, c->direction == VSW_OUT ? ">" : "<",
		    remote, c->remote_port, c->state,
		    (double) c->age_ns / 1e9, (double) c->idle_ns / 1e9);
	report_open(report, NULL);
	report_string(report, "port", vsw_port_name(c->port));
	report_string(report, "protocol", proto);
	report_string(report, "local", local);
	report_number(report, "local_port", c->local_port);
	report_string(report, "remote", remote);
	report_number(report, "remote_port", c->remote_port);
	report_string(report, "opened", direction);
	report_string(report, "state", c->state);
	report_number(report, "age_s", c->age_ns / 1000000000);
	report_number(report, "idle_s", c->idle_ns / 1000000000);
	report_close(report);
}

static const char *
proto_text(uint8_t proto, char room[8])
{
	switch (proto) {
	case 1:
		return "icmp";
	case 6:
		return "tcp";
	case 17:
		return "udp";
	case 58:
		return "icmp6";
	}
	snprintf(room, 8, "%u", proto);
	return room;
}

static bool
step_mappings(struct job *job)
{
	bool has_more = show_mappings(job->commands->model, &job->mappings,
				      PIECE, &job->report);

	job->n_shown = job->mappings.n_shown;
	job->n_more = job->mappings.n_more;
	return has_more;
}

/* Packets first, which the workers have counted. */
static bool
step_rules(struct job *job)
{
	struct model_switch *sw;
	struct model_port *port;

	if (on_every_worker(job, piece_of_counting))
		return true;
	if (commands_find_port(job->commands, job->name, &sw, &port))
		show_rules(job->commands->model, sw, port, &job->report);
	return false;
}

static void
piece_of_counting(void *job_)
{
	struct job *job = job_;

	job->has_more = vsw_worker_count(job->worker, &job->at, PIECE);
}
