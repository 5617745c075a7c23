/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/inspect/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/base/report.h"
#include "agent/host/host.h"
#include "agent/inspect/counts.h"
#include "agent/inspect/inspect.h"
#include "agent/inspect/trace.h"
#include "agent/inspect/wishes.h"
#include "agent/net/control.h"
#include "agent/policy/show.h"

enum { STEP_SIZE = 600 };

/* A packet that is explained. */
struct explained {
	const struct model *model;
	const struct model_switch *sw;
	struct report report;
};

static void run_trace(struct control_request *, size_t n_args,
		      const char *const args[], void *commands_);
static void run_ports(struct control_request *, size_t n_args,
		      const char *const args[], void *commands_);
static void run_drops(struct control_request *, size_t n_args,
		      const char *const args[], void *commands_);
static void run_log_set(struct control_request *, size_t n_args,
			const char *const args[], void *commands_);
static char *join(size_t n, const char *const words[]);
static void explain(struct control_request *, const struct commands *,
		    const struct model_switch *, struct vsw_port *,
		    const struct trace *, bool is_json);
static void say_step(void *explained_, const struct vsw_step *);
static const char *kind_text(uint8_t kind);
static void say_all(struct control_request *, size_t n_args,
		    const char *const args[], const struct commands *,
		    bool only_drops);
static void say_switch(struct report *, const struct model_switch *,
		       const char *port, bool only_drops);
static void say_port(struct report *, const struct model_port *,
		     bool only_drops);
static void say_counters(struct report *, const struct vsw_port *,
			 const struct punts *, bool only_drops);
static struct model_switch *find_switch(const struct model *, const char *);
static struct model_port *find_port(const struct model_switch *,
				    const char *);
static struct vsw_port *find_uplink(const struct model_switch *,
				    const char *name);
static const struct model_pa *find_socket(const struct model_switch *,
					   const struct vsw_port *);
static void reply(struct control_request *, struct report *);
static void fail(struct control_request *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void
commands_add(struct control *control, struct commands *commands)
{
	list_init(&commands->jobs);
	control_add_command(control, "trace",
			    "[--format=json] SWITCH PORT FRAME-HEX | "
			    "'SRC > DST PROTO ...'", 3, SIZE_MAX, run_trace,
			    commands);
	control_add_command(control, "ports", "[--format=json]", 0, 1,
			    run_ports, commands);
	control_add_command(control, "drops", "[--format=json] [PORT]", 0, 2,
			    run_drops, commands);
	commands_add_bridge(control, commands);
	control_add_command(control, "log/set", "error|warn|info|debug", 1, 1,
			    run_log_set, commands);
	inspect_add(control, commands);
}

void
commands_stop(struct commands *commands)
{
	inspect_stop(commands);
}

bool
commands_find_port(const struct commands *commands, const char *name,
		   struct model_switch **ret_switch,
		   struct model_port **ret_port)
{
	const struct list *switches = &commands->model->switches;

	for (const struct list *link = switches->next; link != switches;
	     link = link->next) {
		struct model_switch *sw = LIST_ENTRY(link,
						     struct model_switch,
						     link);
		struct model_port *port = find_port(sw, name);

		if (!port && !find_uplink(sw, name))
			continue;
		if (ret_switch)
			*ret_switch = sw;
		if (ret_port)
			*ret_port = port;
		return true;
	}
	return false;
}

struct vsw_port *
commands_port_of(const struct model_switch *sw, const char *name)
{
	const struct model_port *port = find_port(sw, name);

	return port ? port->port : find_uplink(sw, name);
}

static void
run_trace(struct control_request *request, size_t n_args,
	  const char *const args[], void *commands_)
{
	struct commands *commands = commands_;
	struct model_switch *sw = NULL;
	struct model_port *port = NULL;
	struct vsw_port *in = NULL;
	const struct model_pa *pa;
	struct wishes wishes;
	struct trace trace;
	char *text, *problem = wishes_read(&wishes, n_args, args);

	if (problem || wishes.n_words < 3) {
		fail(request, "%s", problem ? problem : "too few words");
		free(problem);
		return;
	}
	sw = find_switch(commands->model, wishes.words[0]);
	if (!sw || !sw->vsw) {
		fail(request, "there is no switch \"%s\"", wishes.words[0]);
		return;
	}
	port = find_port(sw, wishes.words[1]);
	in = commands_port_of(sw, wishes.words[1]);
	if (!in) {
		fail(request, port ? "port \"%s\" has no device: see its "
		     "status" : "switch has no port \"%s\"", wishes.words[1]);
		return;
	}
	text = join(wishes.n_words - 2, wishes.words + 2);
	problem = trace_read(commands->model, port, text, &trace);
	free(text);
	pa = find_socket(sw, in);
	if (!problem && pa && !trace.has_tunnel)
		problem = trace_unwrap(pa, &trace);
	if (problem)
		fail(request, "%s", problem);
	else
		explain(request, commands, sw, in, &trace, wishes.is_json);
	free(problem);
}

static void
run_ports(struct control_request *request, size_t n_args,
	  const char *const args[], void *commands)
{
	say_all(request, n_args, args, commands, false);
}

static void
run_drops(struct control_request *request, size_t n_args,
	  const char *const args[], void *commands)
{
	say_all(request, n_args, args, commands, true);
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
join(size_t n, const char *const words[])
{
	char *text = xstrdup(words[0]);

	for (size_t i = 1; i < n; i++) {
		char *longer = xasprintf("%s %s", text, words[i]);

		free(text);
		text = longer;
	}
	return text;
}

static void
explain(struct control_request *request, const struct commands *commands,
	const struct model_switch *sw, struct vsw_port *in,
	const struct trace *trace, bool is_json)
{
	struct vsw_explain_options options = {
		.size = sizeof options,
		.tunnel = trace->has_tunnel ? &trace->tunnel : NULL
	};
	struct explained explained = { .model = commands->model, .sw = sw };
	int error;

	report_start(&explained.report, is_json);
	report_open_list(&explained.report, "steps");
	error = vsw_explain(in, trace->frame, trace->size, &options, say_step,
			    &explained);
	report_close_list(&explained.report);
	if (error)
		report_line(&explained.report, "%s", strerror(-error));
	report_string(&explained.report, "error",
		      error ? strerror(-error) : NULL);
	reply(request, &explained.report);
}

static void
say_step(void *explained_, const struct vsw_step *step)
{
	struct explained *explained = explained_;
	struct report *report = &explained->report;
	const struct model_port *port =
		step->port ? model_find_port(explained->model, step->port)
			   : NULL;
	char *row = show_row(explained->model, explained->sw, port, step);
	char line[STEP_SIZE];

	vsw_step_format(step, line, sizeof line);
	report_line(report, "%s", line);
	if (step->matched)
		report_line(report, "  by %s", step->matched);
	if (row)
		report_line(report, "  from %s", row);
	report_open(report, NULL);
	report_string(report, "step", kind_text(step->kind));
	report_string(report, "text", step->text);
	report_string(report, "port", step->port ? vsw_port_name(step->port)
						 : NULL);
	report_string(report, "layer", step->layer);
	report_string(report, "group", step->group);
	report_string(report, "rule", step->rule);
	report_string(report, "matched", step->matched);
	report_string(report, "drop", step->drop < 0 ? NULL : vsw_drop_name(
			      (enum vsw_drop) step->drop));
	report_string(report, "row", row);
	report_close(report);
	free(row);
}

static const char *
kind_text(uint8_t kind)
{
	static const char *const names[] = {
		[VSW_STEP_PACKET] = "packet", [VSW_STEP_PORT] = "port",
		[VSW_STEP_LAYER] = "layer", [VSW_STEP_ACTION] = "action",
		[VSW_STEP_TARGET] = "target", [VSW_STEP_SENT] = "sent",
		[VSW_STEP_DROPPED] = "dropped"
	};

	return kind < sizeof names / sizeof *names ? names[kind] : NULL;
}

static void
say_all(struct control_request *request, size_t n_args,
	const char *const args[], const struct commands *commands,
	bool only_drops)
{
	struct list *switches = &commands->model->switches;
	struct report report;
	struct wishes wishes;
	char *problem = wishes_read(&wishes, n_args, args);
	const char *name = wishes.n_words ? wishes.words[0] : NULL;

	if (!problem && name && !commands_find_port(commands, name, NULL,
						    NULL))
		problem = xasprintf("there is no port \"%s\"", name);
	if (problem) {
		fail(request, "%s", problem);
		free(problem);
		return;
	}
	report_start(&report, wishes.is_json);
	report_open_list(&report, "switches");
	for (struct list *link = switches->next; link != switches;
	     link = link->next)
		say_switch(&report,
			   LIST_ENTRY(link, struct model_switch, link), name,
			   only_drops);
	report_close_list(&report);
	reply(request, &report);
}

static void
say_switch(struct report *report, const struct model_switch *sw,
	   const char *port, bool only_drops)
{
	if (!port)
		report_line(report, "%s (%s)%s", sw->name, sw->type,
			    sw->n_up ? ", uplink is up" : "");
	report_open(report, NULL);
	report_string(report, "switch", sw->name);
	report_string(report, "type", sw->type);
	report_open_list(report, "ports");
	for (const struct list *l = sw->ports.next; l != &sw->ports;
	     l = l->next) {
		const struct model_port *p =
			LIST_ENTRY(l, const struct model_port, link);

		if (!port || !strcmp(p->name, port))
			say_port(report, p, only_drops);
	}
	for (size_t i = 0; i < sw->n_uplinks; i++) {
		const char *name = vsw_port_name(sw->uplinks[i]);

		if (port && find_uplink(sw, port) != sw->uplinks[i])
			continue;
		report_line(report, "    %s%s", name,
			    i < sw->n_up ? "" : ", down");
		report_open(report, NULL);
		report_string(report, "port", name);
		report_bool(report, "is_up", i < sw->n_up);
		say_counters(report, sw->uplinks[i], NULL, only_drops);
		report_close(report);
	}
	report_close_list(report);
	if (sw->punt && !port) {
		report_line(report, "    all ports and the host");
		report_open(report, "host");
		say_counters(report, sw->punt, sw->punts, true);
		report_close(report);
	}
	report_close(report);
}

static void
say_port(struct report *report, const struct model_port *port,
	 bool only_drops)
{
	const struct model_fault *fault =
		port->port ? &port->fault : &port->device_fault;
	const char *why = fault->detail ? fault->detail
					: model_reason_text(fault->reason);

	if (!port->port)
		report_line(report, "    %s: no device: %s", port->name, why);
	else if (port->subnet)
		report_line(report, "    %s: vni %u", port->name,
			    port->subnet->vni);
	else
		report_line(report, "    %s: unbound: %s", port->name, why);
	report_open(report, NULL);
	report_string(report, "port", port->name);
	if (port->subnet)
		report_number(report, "vsid", port->subnet->vni);
	report_string(report, "reason", fault->reason
		      ? model_reason_name(fault->reason) : NULL);
	report_string(report, "detail", fault->reason ? why : NULL);
	if (port->port)
		say_counters(report, port->port, &port->punts, only_drops);
	report_close(report);
}

static void
say_counters(struct report *report, const struct vsw_port *port,
	     const struct punts *punts, bool only_drops)
{
	if (!only_drops) {
		counts_say_traffic(report, port);
		counts_say_classes(report, port);
	}
	counts_say_drops(report, port);
	counts_say_punts(report, punts);
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

/* Whose uplink it is, if that leaves outer headers to the host's stack. */
static const struct model_pa *
find_socket(const struct model_switch *sw, const struct vsw_port *port)
{
	const struct list *addresses = &sw->provider_addresses;

	for (const struct list *link = addresses->next; link != addresses;
	     link = link->next) {
		const struct model_pa *pa =
			LIST_ENTRY(link, const struct model_pa, link);

		if (pa->port == port && !strcmp(pa->device, "socket"))
			return pa;
	}
	return NULL;
}

static void
reply(struct control_request *request, struct report *report)
{
	char *text = report_end(report);

	control_reply(request, text);
	free(text);
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
