/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/host/flow_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/base/report.h"
#include "agent/device/thread.h"
#include "agent/policy/show.h"

enum { WAITING_MAX = 1 << 20 };		/* Bytes between two flushes. */

struct flow_log {
	const struct model *model;
	char *usual_path;
	char *path;			/* NULL: no file. */
	bool to_syslog;
	int fd;				/* -1: not open yet. */
	char *waiting;			/* Lines that are to be written. */
	size_t size;
	uint64_t n_lost_told;
	struct flow_log_counters counters;
};

static void add_line(struct flow_log *, struct report *);
static void start_line(struct report *, uint64_t time_ms);
static char *tuple_of(const struct vsw_event *, uint64_t time_ms,
		      bool allows);
static char *passed(const struct vsw_event *);
static uint64_t real_ms(uint64_t time_ns);
static uint64_t count_lost(const struct flow_log *);
static void say_lost(struct flow_log *);
static bool open_file(struct flow_log *);
static void close_file(struct flow_log *);
static bool write_all(int fd, const char *, size_t);

struct flow_log *
flow_log_new(const struct model *model, const char *log_dir)
{
	struct flow_log *log = xcalloc(1, sizeof *log);

	log->model = model;
	log->usual_path = xasprintf("%s/flows.log", log_dir);
	log->path = xstrdup(log->usual_path);
	log->fd = -1;
	return log;
}

void
flow_log_free(struct flow_log *log)
{
	if (!log)
		return;
	flow_log_flush(log);
	close_file(log);
	free(log->waiting);
	free(log->path);
	free(log->usual_path);
	free(log);
}

void
flow_log_follow(struct flow_log *log)
{
	const struct host_settings *settings = &log->model->settings;
	const char *path = settings->flow_log;

	if (!path)
		path = log->usual_path;
	else if (!strcmp(path, "none"))
		path = NULL;
	log->to_syslog = settings->flow_log_syslog;
	if (!path == !log->path && (!path || !strcmp(path, log->path)))
		return;
	flow_log_flush(log);
	close_file(log);
	free(log->path);
	log->path = path ? xstrdup(path) : NULL;
}

void
flow_log_reopen(struct flow_log *log)
{
	flow_log_flush(log);
	close_file(log);
}

void
flow_log_event(struct flow_log *log, const struct vsw_event *event)
{
	const struct model_port *port =
		model_find_port(log->model, event->port);
	uint64_t time_ms = real_ms(event->time_ns);
	struct report line;
	const char *rule = NULL;
	bool allows = true;
	char *tuple, mac[MODEL_MAC_TEXT_SIZE];

	if (!log->path && !log->to_syslog)
		return;
	if (port)
		show_logged(port->sw, event->tag, &rule, &allows);
	tuple = tuple_of(event, time_ms, allows);
	start_line(&line, time_ms);
	report_string(&line, "port", vsw_port_name(event->port));
	report_string(&line, "vnic_id", port ? port->iface_id : NULL);
	if (port && port->subnet)
		report_number(&line, "vsid", port->subnet->vni);
	model_mac_to_text(event->direction == VSW_OUT ? event->eth_src
						      : event->eth_dst, mac);
	report_string(&line, "mac", mac);
	report_string(&line, "rule", rule);
	report_string(&line, "flowTuple", tuple);
	free(tuple);
	add_line(log, &line);
}

unsigned
flow_log_interval(const struct flow_log *log)
{
	return log->path || log->to_syslog
	       ? log->model->settings.flow_log_interval_s : 0;
}

void
flow_log_flush(struct flow_log *log)
{
	static struct log_limit limit;

	say_lost(log);
	if (!log->size)
		return;
	if (log->path && (!open_file(log)
			  || !write_all(log->fd, log->waiting, log->size))) {
		log->counters.n_failed++;
		log_limited(&limit, LOG_LEVEL_WARN, log->path,
			    "flows are not logged: %s", strerror(errno));
		close_file(log);
	}
	log->size = 0;
}

void
flow_log_get_counters(const struct flow_log *log,
		      struct flow_log_counters *ret_counters)
{
	*ret_counters = log->counters;
	ret_counters->n_lost = count_lost(log);
}

/* Takes the report. */
static void
add_line(struct flow_log *log, struct report *line)
{
	char *text = report_end(line);
	size_t n = strlen(text);

	log->counters.n_lines++;
	if (log->to_syslog)
		syslog(LOG_DAEMON | LOG_INFO, "flow %.*s", (int) n - 1, text);
	if (log->path) {
		if (log->size + n > WAITING_MAX)
			flow_log_flush(log);
		log->waiting = xrealloc(log->waiting, log->size + n);
		memcpy(log->waiting + log->size, text, n);
		log->size += n;
	}
	free(text);
}

static void
start_line(struct report *line, uint64_t time_ms)
{
	time_t seconds = (time_t) (time_ms / 1000);
	char text[40];
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof text - n, ".%03uZ",
		 (unsigned) (time_ms % 1000));
	report_start(line, true);
	report_string(line, "time", text);
}

/* As in flow logs of network security groups, version 2: "time,source,
 * destination,source port,destination port,protocol,I or O,A or D,B, C or E",
 * and packets and bytes from source to destination, and back. */
static char *
tuple_of(const struct vsw_event *event, uint64_t time_ms, bool allows)
{
	static const char states[VSW_N_EVENT_KINDS] = {
		[VSW_EVENT_LOGGED] = 'B', [VSW_EVENT_CONTINUED] = 'C',
		[VSW_EVENT_ENDED] = 'E'
	};
	char src[MODEL_ADDR_TEXT_SIZE] = "", dst[MODEL_ADDR_TEXT_SIZE] = "";
	char proto[8], *tuple, *counts = passed(event);

	if (event->src.n)
		model_addr_to_text(&event->src, src);
	if (event->dst.n)
		model_addr_to_text(&event->dst, dst);
	snprintf(proto, sizeof proto, "%u", event->ip_proto);
	tuple = xasprintf("%" PRIu64 ",%s,%s,%u,%u,%s,%s,%s,%c,%s", time_ms,
			  src, dst, event->l4_src, event->l4_dst,
			  event->ip_proto == 6 ? "T"
			  : event->ip_proto == 17 ? "U" : proto,
			  event->direction == VSW_OUT ? "O" : "I",
			  allows ? "A" : "D", states[event->kind], counts);
	free(counts);
	return tuple;
}

/* Of what has begun nothing has passed yet. */
static char *
passed(const struct vsw_event *event)
{
	if (event->kind == VSW_EVENT_LOGGED)
		return xstrdup(",,,");
	return xasprintf("%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64,
			 event->packets[0], event->bytes[0],
			 event->packets[1], event->bytes[1]);
}

static uint64_t
real_ms(uint64_t time_ns)
{
	uint64_t now_ns = thread_now();
	struct timespec now;
	uint64_t ms;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
	return now_ns > time_ns ? ms - (now_ns - time_ns) / 1000000 : ms;
}

static uint64_t
count_lost(const struct flow_log *log)
{
	const struct list *switches = &log->model->switches;
	uint64_t n = 0;

	for (const struct list *link = switches->next; link != switches;
	     link = link->next) {
		const struct model_switch *sw =
			LIST_ENTRY(link, const struct model_switch, link);
		struct vsw_event_counters c = { .size = sizeof c };

		if (!sw->vsw)
			continue;
		vsw_event_get_counters(sw->vsw, &c);
		n += c.lost[VSW_EVENT_LOGGED] + c.lost[VSW_EVENT_ENDED];
	}
	return n;
}

static void
say_lost(struct flow_log *log)
{
	uint64_t n = count_lost(log);
	struct timespec now;
	struct report line;

	/* A switch that is gone took its numbers along. */
	if (n > log->n_lost_told && (log->path || log->to_syslog)) {
		uint64_t n_new = n - log->n_lost_told;

		log->n_lost_told = n;
		clock_gettime(CLOCK_REALTIME, &now);
		start_line(&line, (uint64_t) now.tv_sec * 1000);
		report_number(&line, "lost", n_new);
		add_line(log, &line);
	}
	log->n_lost_told = n;
}

/* Nothing that could have the agent wait: a pipe, or a device. */
static bool
open_file(struct flow_log *log)
{
	struct stat st;

	if (log->fd >= 0)
		return true;
	log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC
				  | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (log->fd < 0)
		return false;
	if (!fstat(log->fd, &st) && S_ISREG(st.st_mode))
		return true;
	close_file(log);
	errno = EINVAL;
	return false;
}

static void
close_file(struct flow_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

static bool
write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t part = write(fd, bytes, n);

		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return false;
		bytes += part;
		n -= (size_t) part;
	}
	return true;
}
