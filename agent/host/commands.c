/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/host/commands.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/host/host.h"
#include "agent/host/thread.h"
#include "agent/host/trace.h"
#include "agent/net/control.h"

enum { FLOWS_SHOWN_MAX = 10000, STEP_SIZE = 600 };

/* Text that grows. */
struct text {
	char *bytes;
	size_t size;
	FILE *file;
};

/* One worker's flows, asked for on its own thread. */
struct flow_query {
	struct vsw_worker *worker;
	struct vsw_port *port;		/* NULL: all. */
	struct text *text;
};

static void run_trace(struct control_request *, size_t n_args,
		      const char *const args[], void *commands_);
static struct vsw_port *find_uplink(const struct model_switch *,
				    const char *name);
static void run_flows(struct control_request *, size_t n_args,
		      const char *const args[], void *commands_);
static void run_ports(struct control_request *, size_t n_args,
		      const char *const args[], void *commands_);
static void run_log_set(struct control_request *, size_t n_args,
			const char *const args[], void *commands_);
static char *join(size_t n_args, const char *const args[]);
static void explain(struct control_request *, struct vsw_port *,
		    const struct trace *);
static void say_step(void *text_, const struct vsw_step *);
static void query_flows(void *query_);
static void say_flow(void *query_, const struct vsw_flow_info *);
static void say_port(struct text *, const struct model_port *);
static void say_counters(struct text *, const struct vsw_port *);
static struct model_switch *find_switch(const struct model *, const char *);
static struct model_port *find_port(const struct model_switch *,
				    const char *);
static void text_start(struct text *);
static void text_reply(struct text *, struct control_request *);
static void fail(struct control_request *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void
commands_add(struct control *control, struct commands *commands)
{
	control_add_command(control, "trace",
			    "SWITCH PORT FRAME-HEX | 'SRC > DST PROTO ...'",
			    3, SIZE_MAX, run_trace, commands);
	control_add_command(control, "flows", "[PORT]", 0, 1, run_flows,
			    commands);
	control_add_command(control, "ports", "", 0, 0, run_ports, commands);
	control_add_command(control, "log/set", "error|warn|info|debug", 1, 1,
			    run_log_set, commands);
}

static void
run_trace(struct control_request *request, size_t n_args,
	  const char *const args[], void *commands_)
{
	struct commands *commands = commands_;
	struct model_switch *sw = find_switch(commands->model, args[0]);
	struct model_port *port = NULL;
	struct vsw_port *in = NULL;
	struct trace trace;
	char *text, *problem;

	if (!sw || !sw->vsw) {
		fail(request, "there is no switch \"%s\"", args[0]);
		return;
	}
	if (!strncmp(args[1], "uplink", strlen("uplink"))) {
		in = find_uplink(sw, args[1]);
	} else {
		port = find_port(sw, args[1]);
		in = port ? port->port : NULL;
	}
	if (!in) {
		fail(request, port ? "port \"%s\" has no device: see its "
		     "status" : "switch has no port \"%s\"", args[1]);
		return;
	}
	text = join(n_args - 2, args + 2);
	problem = trace_read(commands->model, port, text, &trace);
	free(text);
	if (problem)
		fail(request, "%s", problem);
	else
		explain(request, in, &trace);
	free(problem);
}

/* "uplink": the first. */
static struct vsw_port *
find_uplink(const struct model_switch *sw, const char *name)
{
	for (size_t i = 0; i < sw->n_uplinks; i++)
		if (!strcmp(name, "uplink")
		    || !strcmp(name, vsw_port_name(sw->uplinks[i])))
			return sw->uplinks[i];
	return NULL;
}

static void
run_flows(struct control_request *request, size_t n_args,
	  const char *const args[], void *commands_)
{
	struct commands *commands = commands_;
	struct list *switches = &commands->model->switches;
	size_t n = host_n_threads(commands->host);
	bool is_found = n_args == 0;
	struct text text;

	text_start(&text);
	for (struct list *link = switches->next; link != switches;
	     link = link->next) {
		struct model_switch *sw = LIST_ENTRY(link,
						     struct model_switch,
						     link);
		struct flow_query query = { .text = &text };

		if (!sw->vsw)
			continue;
		if (n_args) {
			query.port = vsw_port_find(sw->vsw, args[0]);
			if (!query.port)
				continue;
			is_found = true;
		}
		for (size_t i = 0; i < n; i++) {
			query.worker = host_worker(commands->host, sw, i);
			thread_call(host_thread(commands->host, i),
				    query_flows, &query);
		}
	}
	if (is_found) {
		text_reply(&text, request);
	} else {
		fclose(text.file);
		free(text.bytes);
		fail(request, "there is no port \"%s\"", args[0]);
	}
}

static void
run_ports(struct control_request *request, size_t n_args,
	  const char *const args[], void *commands_)
{
	struct commands *commands = commands_;
	struct list *switches = &commands->model->switches;
	struct text text;

	(void) n_args;
	(void) args;
	text_start(&text);
	for (struct list *link = switches->next; link != switches;
	     link = link->next) {
		struct model_switch *sw = LIST_ENTRY(link,
						     struct model_switch,
						     link);

		fprintf(text.file, "%s (%s)%s\n", sw->name, sw->type,
			sw->n_up ? ", uplink is up" : "");
		for (struct list *l = sw->ports.next; l != &sw->ports;
		     l = l->next)
			say_port(&text, LIST_ENTRY(l, struct model_port,
						   link));
		for (size_t i = 0; i < sw->n_uplinks; i++) {
			fprintf(text.file, "    %s%s\n",
				vsw_port_name(sw->uplinks[i]),
				i < sw->n_up ? "" : ", down");
			say_counters(&text, sw->uplinks[i]);
		}
	}
	text_reply(&text, request);
}

static void
run_log_set(struct control_request *request, size_t n_args,
	    const char *const args[], void *commands_)
{
	enum log_level level;

	(void) n_args;
	(void) commands_;
	if (!log_level_from_name(args[0], &level)) {
		fail(request, "\"%s\" is not a level: error, warn, info, "
		     "debug", args[0]);
		return;
	}
	log_set_level(level);
	control_reply(request, "");
}

static char *
join(size_t n_args, const char *const args[])
{
	char *text = xstrdup(args[0]);

	for (size_t i = 1; i < n_args; i++) {
		char *longer = xasprintf("%s %s", text, args[i]);

		free(text);
		text = longer;
	}
	return text;
}

static void
explain(struct control_request *request, struct vsw_port *in,
	const struct trace *trace)
{
	struct vsw_explain_options options = {
		.size = sizeof options,
		.tunnel = trace->has_tunnel ? &trace->tunnel : NULL
	};
	struct text text;
	int error;

	text_start(&text);
	error = vsw_explain(in, trace->frame, trace->size, &options, say_step,
			    &text);
	if (error)
		fprintf(text.file, "%s\n", strerror(-error));
	text_reply(&text, request);
}

static void
say_step(void *text_, const struct vsw_step *step)
{
	struct text *text = text_;
	char line[STEP_SIZE];

	vsw_step_format(step, line, sizeof line);
	fprintf(text->file, "%s\n", line);
	if (step->matched)
		fprintf(text->file, "  by %s\n", step->matched);
}

/* On the worker's thread, while the main thread waits. */
static void
query_flows(void *query_)
{
	struct flow_query *query = query_;

	vsw_worker_flows(query->worker, query->port, thread_now(),
			 FLOWS_SHOWN_MAX, say_flow, query);
}

static void
say_flow(void *query_, const struct vsw_flow_info *flow)
{
	struct flow_query *query = query_;

	fprintf(query->text->file, "%s: %s -> %s, packets %" PRIu64
		", bytes %" PRIu64 ", idle %.3f s\n",
		vsw_port_name(flow->in_port), flow->key, flow->rewrite,
		flow->n_packets, flow->n_bytes, (double) flow->idle_ns / 1e9);
}

static void
say_port(struct text *text, const struct model_port *port)
{
	const struct model_fault *fault = &port->fault;

	fprintf(text->file, "    %s", port->name);
	if (!port->port) {
		fault = &port->device_fault;
		fprintf(text->file, ": no device: %s\n",
			fault->detail ? fault->detail
				      : model_reason_text(fault->reason));
		return;
	}
	if (port->subnet)
		fprintf(text->file, ": vni %u\n", port->subnet->vni);
	else
		fprintf(text->file, ": unbound: %s\n",
			fault->detail ? fault->detail
				      : model_reason_text(fault->reason));
	say_counters(text, port->port);
}

static void
say_counters(struct text *text, const struct vsw_port *port)
{
	struct vsw_port_counters counters = { .size = sizeof counters };

	vsw_port_get_counters(port, &counters);
	fprintf(text->file, "        received %" PRIu64 " packets %" PRIu64
		" bytes, sent %" PRIu64 " packets %" PRIu64 " bytes\n",
		counters.packets_received, counters.bytes_received,
		counters.packets_sent, counters.bytes_sent);
	for (int i = 0; i < VSW_N_DROPS; i++)
		if (counters.drops[i])
			fprintf(text->file, "        dropped %" PRIu64
				": %s: %s\n", counters.drops[i],
				vsw_drop_name((enum vsw_drop) i),
				vsw_drop_text((enum vsw_drop) i));
}

static struct model_switch *
find_switch(const struct model *model, const char *name)
{
	const struct list *link;

	for (link = model->switches.next; link != &model->switches;
	     link = link->next) {
		struct model_switch *sw = LIST_ENTRY(link,
						     struct model_switch,
						     link);

		if (!strcmp(sw->name, name))
			return sw;
	}
	return NULL;
}

static struct model_port *
find_port(const struct model_switch *sw, const char *name)
{
	const struct list *link;

	for (link = sw->ports.next; link != &sw->ports; link = link->next) {
		struct model_port *port = LIST_ENTRY(link, struct model_port,
						     link);

		if (!strcmp(port->name, name))
			return port;
	}
	return NULL;
}

static void
text_start(struct text *text)
{
	text->file = open_memstream(&text->bytes, &text->size);
	if (!text->file)
		abort();
}

static void
text_reply(struct text *text, struct control_request *request)
{
	fclose(text->file);
	control_reply(request, text->bytes);
	free(text->bytes);
}

static void
fail(struct control_request *request, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	control_fail(request, text ? text : "out of memory");
	free(text);
}
