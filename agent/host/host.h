/* SPDX-License-Identifier: Apache-2.0 */

#ifndef HOST_HOST_H
#define HOST_HOST_H 1

/* The host's side of the model: makes switches, devices and threads be what
 * the model wants, and writes what came of it into the model's actual sides.
 * What could not be opened is tried again every two seconds.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <event2/event.h>
#include <vswitch.h>
#include "agent/model/model.h"

struct host;
struct thread;

struct host_options {
	struct event_base *base;
	struct model *model;
	unsigned n_workers;
	const char *log_dir;		/* Of what rules log. */
	/* Asks for another turn: a device failed, or is worth another try. */
	void (*turn)(void *ctx);
	void *ctx;
};

/* Starts the threads.  0 or a negative errno. */
int host_new(const struct host_options *, struct host **ret_host);
/* Closes everything, policy first. */
void host_free(struct host *);

/* Opens and closes what differs from what the model wants. */
void host_apply(struct host *);

/* Behind policy_apply(): what waited for policy goes on. */
void host_settle(struct host *);

/* Now and then: ask for a turn if the device of one of these ports, or of an
 * uplink, is of no use any more and its descriptor has not said so. */
void host_check_ports(struct host *, struct model_port *const ports[],
		      size_t n);
void host_check_uplinks(struct host *);

struct flow_log *host_flow_log(const struct host *);
struct probe *host_probe(const struct host *);

/* For commands: a switch's share of each thread. */
size_t host_n_threads(const struct host *);
struct thread *host_thread(const struct host *, size_t index);
/* 'index' == host_n_threads(): the main thread's. */
struct vsw_worker *host_worker(const struct host *,
			       const struct model_switch *, size_t index);

#endif /* host/host.h */
