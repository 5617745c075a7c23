/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/host/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/answer/punt.h"
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/device/attach.h"
#include "agent/device/thread.h"
#include "agent/host/events.h"
#include "agent/host/flow_log.h"
#include "agent/host/vlans.h"
#include "agent/policy/policy.h"
#include "agent/provider/bfd.h"
#include "agent/provider/silence.h"
#include "agent/provider/uplink.h"

enum {
	PORTS_MAX = 4096,
	FLOWS_MAX = 262144,
	RETRY_S = 2
};

struct host {
	struct host_options options;
	struct thread **threads;
	struct event *failed, *retry;
	struct events *events;
	struct bfd *bfd;
	int failed_fd;
	bool wants_retry;
	bool must_look;			/* At each port; */
	uint64_t ports_version;		/* as that of the model says. */
	bool is_ending;			/* The agent is, not its ports. */
	struct flow_log *flow_log;
};

/* model_switch.host: what one switch has in each thread, and its uplinks. */
struct share {
	struct vsw_worker **workers;	/* One a thread; the last: main's. */
	struct punt *punt;
	size_t next;			/* Thread for the next queue. */
	struct uplinks *uplinks;
};

static struct vsw_worker *main_worker(void *host_,
				      const struct model_switch *);
static void on_failed(evutil_socket_t, short what, void *host_);
static void on_retry(evutil_socket_t, short what, void *host_);
static void look_again(struct host *);
static void log_switch(void *ctx, enum vsw_log_level, const char *message);
static void apply_switch(struct host *, struct model_switch *, bool looks);
static void apply_ports(struct host *, struct model_switch *);
static void set_ages(const struct connection_settings *,
		     struct vsw_options *);
static int open_switch(struct host *, struct model_switch *);
static void close_switch(struct host *, struct model_switch *);
static void free_share(struct host *, struct share *);
static struct attach_place place_of(struct host *, struct share *);
static bool apply_port(struct host *, struct model_switch *,
		       struct model_port *);
static void open_port(struct host *, struct model_switch *,
		      struct model_port *);
static bool close_to_host(const struct model_port *, struct model_fault *);
static bool is_apart(const struct model_port *);
static void set_port_fault(struct model_port *, const struct model_fault *);
static void close_port(struct host *, struct model_port *);
static void open_to_host(const struct model_port *);

int
host_new(const struct host_options *options, struct host **ret_host)
{
	struct host *host = xcalloc(1, sizeof *host);
	int error = 0;

	host->options = *options;
	host->threads = xcalloc(options->n_workers, sizeof *host->threads);
	host->flow_log = flow_log_new(options->model, options->log_dir);
	host->failed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (host->failed_fd < 0) {
		error = -errno;
		goto err;
	}
	host->failed = event_new(options->base, host->failed_fd,
				 EV_READ | EV_PERSIST, on_failed, host);
	host->retry = event_new(options->base, -1, 0, on_retry, host);
	if (!host->failed || !host->retry
	    || event_add(host->failed, NULL)) {
		error = -ENOMEM;
		goto err;
	}
	host->bfd = bfd_new(&(struct bfd_options) {
		.base = options->base, .model = options->model,
		.worker = main_worker, .worker_ctx = host,
		.turn = options->turn, .turn_ctx = options->ctx
	});
	error = events_new(options->base, options->model, host->flow_log,
			   options->turn, options->ctx, &host->events);
	for (unsigned i = 0; i < options->n_workers && !error; i++)
		error = thread_new(i, host->failed_fd, &host->threads[i]);
	if (error)
		goto err;
	*ret_host = host;
	return 0;

err:
	host_free(host);
	return error;
}

void
host_free(struct host *host)
{
	struct list *switches;

	if (!host)
		return;
	bfd_free(host->bfd);
	host->is_ending = true;
	switches = &host->options.model->switches;
	for (struct list *link = switches->next; link != switches;
	     link = link->next)
		close_switch(host, LIST_ENTRY(link, struct model_switch,
					      link));
	for (unsigned i = 0; i < host->options.n_workers; i++)
		thread_free(host->threads[i]);
	events_free(host->events);
	flow_log_free(host->flow_log);
	if (host->failed)
		event_free(host->failed);
	if (host->retry)
		event_free(host->retry);
	if (host->failed_fd >= 0)
		close(host->failed_fd);
	free(host->threads);
	free(host);
}

void
host_apply(struct host *host)
{
	struct model *model = host->options.model;
	struct list *switches = &model->switches, *link, *next;
	bool looks = host->must_look
		     || host->ports_version != model->ports_version;

	flow_log_follow(host->flow_log);
	host->wants_retry = host->must_look = false;
	host->ports_version = model->ports_version;
	for (link = switches->next; link != switches; link = next) {
		struct model_switch *sw = LIST_ENTRY(link,
						     struct model_switch,
						     link);

		next = link->next;
		apply_switch(host, sw, looks);
	}
	bfd_follow(host->bfd);
	if (host->wants_retry && !evtimer_pending(host->retry, NULL)) {
		struct timeval after = { .tv_sec = RETRY_S };

		evtimer_add(host->retry, &after);
	}
}

void
host_settle(struct host *host)
{
	struct list *switches = &host->options.model->switches;

	for (struct list *link = switches->next; link != switches;
	     link = link->next) {
		struct share *share =
			LIST_ENTRY(link, struct model_switch, link)->host;

		if (share)
			punt_settle(share->punt);
	}
}

void
host_check_ports(struct host *host, struct model_port *const ports[], size_t n)
{
	bool is_good = true;

	for (size_t i = 0; i < n; i++)
		if (ports[i]->host)
			is_good &= attach_check(ports[i]->host);
	if (!is_good)
		look_again(host);
}

void
host_check_uplinks(struct host *host)
{
	struct list *switches = &host->options.model->switches;
	bool is_good = true;

	for (struct list *link = switches->next; link != switches;
	     link = link->next) {
		struct share *share =
			LIST_ENTRY(link, struct model_switch, link)->host;

		if (share)
			is_good &= uplinks_check(share->uplinks);
	}
	if (!is_good)
		host->options.turn(host->options.ctx);
}

struct flow_log *
host_flow_log(const struct host *host)
{
	return host->flow_log;
}

struct probe *
host_probe(const struct host *host)
{
	return bfd_probe(host->bfd);
}

size_t
host_n_threads(const struct host *host)
{
	return host->options.n_workers;
}

struct thread *
host_thread(const struct host *host, size_t index)
{
	return host->threads[index];
}

struct vsw_worker *
host_worker(const struct host *host, const struct model_switch *sw,
	    size_t index)
{
	const struct share *share = sw->host;

	(void) host;
	return share ? share->workers[index] : NULL;
}

static struct vsw_worker *
main_worker(void *host_, const struct model_switch *sw)
{
	const struct host *host = host_;

	return host_worker(host, sw, host->options.n_workers);
}

static void
on_failed(evutil_socket_t fd, short what, void *host_)
{
	struct host *host = host_;
	uint64_t n;

	(void) what;
	if (read(fd, &n, sizeof n) > 0)
		look_again(host);
}

static void
on_retry(evutil_socket_t fd, short what, void *host_)
{
	struct host *host = host_;

	(void) fd;
	(void) what;
	look_again(host);
}

static void
look_again(struct host *host)
{
	host->must_look = true;
	host->options.turn(host->options.ctx);
}

static void
log_switch(void *ctx, enum vsw_log_level level, const char *message)
{
	static const enum log_level levels[] = {
		[VSW_LOG_ERROR] = LOG_LEVEL_ERROR,
		[VSW_LOG_WARNING] = LOG_LEVEL_WARN,
		[VSW_LOG_INFO] = LOG_LEVEL_DEBUG,
		[VSW_LOG_DEBUG] = LOG_LEVEL_DEBUG
	};

	(void) ctx;
	log_line(levels[level], "switch", "%s", message);
}

static void
apply_switch(struct host *host, struct model_switch *sw, bool looks)
{
	struct attach_place place;
	struct share *share;

	if (sw->is_removed) {
		close_switch(host, sw);
		model_forget_switch(host->options.model, sw);
		return;
	}
	if (!sw->vsw) {
		int error = open_switch(host, sw);

		if (error) {
			model_fault_set(&sw->fault, MODEL_ENGINE, "%s",
					strerror(-error));
			host->wants_retry = true;
			return;
		}
		model_fault_set(&sw->fault, MODEL_OK, NULL);
		looks = true;
	}
	share = sw->host;
	place = place_of(host, share);
	if (!uplinks_apply(share->uplinks, &place))
		host->wants_retry = true;
	if (looks)
		apply_ports(host, sw);
}

static void
apply_ports(struct host *host, struct model_switch *sw)
{
	struct share *share = sw->host;
	struct list *link, *next;

	host->options.model->must_look = true;
	for (link = sw->ports.next; link != &sw->ports; link = next) {
		struct model_port *port = LIST_ENTRY(link, struct model_port,
						     link);

		next = model_behind(port);
		if (apply_port(host, sw, port)
		    && !vlans_apply(host->options.model, port, share->punt))
			host->wants_retry = true;
	}
}

static void
set_ages(const struct connection_settings *from, struct vsw_options *options)
{
	options->max_connections = from->max;
	if (from->flow_idle_s)
		options->flow_idle_s = from->flow_idle_s;
	options->tcp_half_open_s = from->tcp_half_open_s;
	options->tcp_established_s = from->tcp_established_s;
	options->tcp_closing_s = from->tcp_closing_s;
	options->udp_single_s = from->udp_single_s;
	options->udp_s = from->udp_s;
	options->icmp_s = from->icmp_s;
}

static int
open_switch(struct host *host, struct model_switch *sw)
{
	size_t n = host->options.n_workers;
	struct share *share = xcalloc(1, sizeof *share);
	struct vsw_options options;
	int error;

	vsw_options_init(&options);
	options.logger.log = log_switch;
	options.max_ports = PORTS_MAX;
	options.max_flows = FLOWS_MAX;
	options.max_workers = (uint32_t) n + 1;
	set_ages(&sw->settings.connections, &options);
	events_set_wake(host->events, &options);
	share->workers = xcalloc(n + 1, sizeof *share->workers);
	error = vsw_new(&options, &sw->vsw);
	for (size_t i = 0; i <= n && !error; i++)
		error = vsw_worker_new(sw->vsw, &share->workers[i]);
	for (size_t i = 0; i < n && !error; i++)
		error = thread_add_worker(host->threads[i],
					  share->workers[i]);
	if (!error)
		error = punt_new(host->options.base, host->options.model,
				 sw->vsw, share->workers[n], &share->punt);
	if (error) {
		free_share(host, share);
		vsw_free(sw->vsw);
		sw->vsw = NULL;
		return error;
	}
	share->uplinks = uplinks_new(host->options.base, host->options.model,
				     sw, host->options.turn,
				     host->options.ctx);
	sw->host = share;
	sw->punt = punt_port(share->punt);
	sw->punts = punt_counted(share->punt);
	punt_set_bfd(share->punt, bfd_receive, host->bfd);
	log_line(LOG_LEVEL_INFO, sw->name, "switch is up");
	return 0;
}

static void
close_switch(struct host *host, struct model_switch *sw)
{
	struct share *share = sw->host;
	struct list *link, *next;

	if (!sw->vsw)
		return;
	for (link = sw->ports.next; link != &sw->ports; link = next) {
		struct model_port *port = LIST_ENTRY(link, struct model_port,
						     link);

		next = model_behind(port);
		close_port(host, port);
		if (port->is_removed)
			model_forget_port(host->options.model, port);
	}
	uplinks_free(share->uplinks);
	share->uplinks = NULL;
	policy_leave_switch(host->options.model, sw);
	free_share(host, sw->host);
	vsw_free(sw->vsw);
	sw->host = NULL;
	sw->punt = NULL;
	sw->punts = NULL;
	sw->vsw = NULL;
	log_line(LOG_LEVEL_INFO, sw->name, "switch is down");
}

static void
free_share(struct host *host, struct share *share)
{
	size_t n = host->options.n_workers;

	punt_free(share->punt);
	for (size_t i = 0; i <= n; i++) {
		if (i < n && share->workers[i])
			thread_remove_worker(host->threads[i],
					     share->workers[i]);
		vsw_worker_free(share->workers[i]);
	}
	free(share->workers);
	free(share);
}

static struct attach_place
place_of(struct host *host, struct share *share)
{
	return (struct attach_place) {
		.threads = host->threads,
		.workers = share->workers,
		.n = host->options.n_workers,
		.next = &share->next
	};
}

/* False if it has been forgotten. */
static bool
apply_port(struct host *host, struct model_switch *sw,
	   struct model_port *port)
{
	struct attached *attached = port->host;
	int error = attached ? attach_error(attached) : 0;
	const char *forbidden = model_forbids_port(port);

	if (error)
		log_line(LOG_LEVEL_WARN, port->name, "device failed: %s; it "
			 "is opened again", strerror(-error));
	if (attached && (error || port->is_changed || port->is_removed
			 || forbidden))
		close_port(host, port);
	if (port->is_removed) {
		model_forget_port(host->options.model, port);
		return false;
	}
	port->is_changed = false;
	if (forbidden)
		model_fault_set(&port->device_fault, MODEL_NOT_ALLOWED, "%s",
				forbidden);
	else if (!port->host)
		open_port(host, sw, port);
	return true;
}

static void
open_port(struct host *host, struct model_switch *sw, struct model_port *port)
{
	struct attach_place place = place_of(host, sw->host);
	struct model_fault fault = { .reason = MODEL_OK };
	struct vsw_device *device = NULL;
	struct attached *attached = NULL;

	if (close_to_host(port, &fault))
		device = attach_open_port(sw->vsw, port, &fault);
	if (device) {
		int error = attach(device, &place, &attached);

		if (error)
			model_fault_set(&fault, MODEL_NO_DEVICE, "%s",
					strerror(-error));
	}
	set_port_fault(port, &fault);
	free(fault.detail);
	if (!attached) {
		host->wants_retry = true;
		return;
	}
	attach_watch_netns(attached,
			   model_option(&port->options, "netns", NULL));
	port->host = attached;
	port->port = attach_port(attached);
	port->is_dirty = true;
	log_line(LOG_LEVEL_INFO, port->name, "device is open");
}

/* Who uses the other end of a VM's interface speaks to the switch, and not to
 * this host's stack, which would answer ARP and IPv6 on it.  So it stays when
 * the agent ends. */
static bool
close_to_host(const struct model_port *port, struct model_fault *fault)
{
	const struct model_options *options = &port->options;
	int error;

	if (!is_apart(port))
		return true;
	error = silence_interface(model_option(options, "netns", NULL),
				  model_option(options, "interface",
					       port->name));
	/* Without an interface: its device says so. */
	if (!error || error == -ENODEV || error == -ENOENT)
		return true;
	model_fault_set(fault, MODEL_SYSTEM, "packet %s: what comes in cannot "
			"be kept from the host's own stack: %s", port->name,
			strerror(-error));
	return false;
}

static bool
is_apart(const struct model_port *port)
{
	return !strcmp(port->type, "packet") && port->role == ROLE_VM;
}

static void
set_port_fault(struct model_port *port, const struct model_fault *fault)
{
	bool is_new = model_fault_set(&port->device_fault, fault->reason,
				      fault->detail ? "%s" : NULL,
				      fault->detail);

	if (is_new && fault->reason != MODEL_OK)
		log_line(LOG_LEVEL_WARN, port->name, "device does not open: "
			 "%s; it is tried again", fault->detail);
}

static void
close_port(struct host *host, struct model_port *port)
{
	struct share *share = port->sw->host;

	if (!port->host)
		return;
	attach_stop(port->host);
	vlans_close(host->options.model, port, share->punt);
	policy_leave_port(host->options.model, port);
	punt_forget(share->punt, port->port);
	port->port = NULL;
	if (!host->is_ending)
		open_to_host(port);
	attach_free(port->host);
	port->host = NULL;
}

static void
open_to_host(const struct model_port *port)
{
	const char *netns;
	int index = attach_interface(port->host, &netns);

	if (index)
		silence_end_in(netns, index);
}
