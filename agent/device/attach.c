/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/device/attach.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "agent/base/memory.h"
#include "agent/device/option.h"
#include "agent/device/thread.h"
#include "agent/model/model.h"

enum { PROBLEM_SIZE = 256 };

struct attached {
	struct vsw_device *device;
	struct thread_queue *queues;
	unsigned n_watched;
	char *netns;			/* Path, or NULL: the agent's own. */
	struct stat there;		/* What it was when it was opened. */
	int error;			/* What attach_check() saw. */
};

static struct vsw_device *opened(struct vsw_device *, int error,
				 const char *netns, const char *problem,
				 struct model_fault *);
static char *netns_path(const char *name);
static bool has_drained(const struct attached *);
static void do_nothing(void *);
static int interface_of(const struct attached *);
static struct vsw_device *open_tap(struct vsw *, const struct model_port *,
				   struct model_fault *);
static struct vsw_device *open_interface(struct vsw *,
					 const struct model_port *,
					 struct model_fault *);

int
attach(struct vsw_device *device, const struct attach_place *place,
       struct attached **ret_attached)
{
	struct attached *a = xcalloc(1, sizeof *a);
	unsigned n = vsw_device_n_queues(device);

	a->device = device;
	a->queues = xcalloc(n, sizeof *a->queues);
	for (; a->n_watched < n; a->n_watched++) {
		size_t at = (*place->next)++ % place->n;
		struct thread_queue *queue = &a->queues[a->n_watched];
		int error;

		queue->device = device;
		queue->queue = a->n_watched;
		queue->worker = place->workers[at];
		error = thread_add_queue(place->threads[at], queue);
		if (error) {
			attach_free(a);
			return error;
		}
	}
	*ret_attached = a;
	return 0;
}

void
attach_stop(struct attached *a)
{
	while (a && a->n_watched > 0)
		thread_remove_queue(&a->queues[--a->n_watched]);
}

void
attach_free(struct attached *a)
{
	if (!a)
		return;
	attach_stop(a);
	vsw_device_close(a->device);
	free(a->netns);
	free(a->queues);
	free(a);
}

struct vsw_port *
attach_port(const struct attached *a)
{
	return vsw_device_port(a->device);
}

int
attach_fd(const struct attached *a)
{
	return vsw_device_fd(a->device, 0);
}

void
attach_set_bypass(const struct attached *a, bool bypass)
{
	const int value = bypass;

	/* Where it is not to be had, some packets are lost. */
	for (unsigned i = 0; a && i < a->n_watched; i++)
		(void) !setsockopt(vsw_device_fd(a->device, i), SOL_PACKET,
				   PACKET_QDISC_BYPASS, &value, sizeof value);
}

void
attach_drain(struct attached *const devices[], size_t n, unsigned ms)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	bool is_idle = false;

	for (unsigned i = 0; i < ms && !is_idle; i++) {
		if (i)
			nanosleep(&moment, NULL);
		is_idle = true;
		for (size_t k = 0; k < n; k++)
			is_idle &= !devices[k] || has_drained(devices[k]);
	}
}

int
attach_error(const struct attached *a)
{
	for (unsigned i = 0; i < a->n_watched; i++) {
		int error = atomic_load(&a->queues[i].error);

		if (error)
			return error;
	}
	return a->error;
}

void
attach_watch_netns(struct attached *a, const char *name)
{
	free(a->netns);
	a->netns = NULL;
	if (!name)
		return;
	a->netns = netns_path(name);
	if (stat(a->netns, &a->there))
		memset(&a->there, 0, sizeof a->there);
}

bool
attach_check(struct attached *a)
{
	struct stat there;

	if (a->netns && (stat(a->netns, &there)
			 || there.st_dev != a->there.st_dev
			 || there.st_ino != a->there.st_ino))
		a->error = -ENOENT;
	else if (interface_of(a) < 0)
		a->error = -ENODEV;
	return !attach_error(a);
}

int
attach_interface(const struct attached *a, const char **ret_netns)
{
	int index = interface_of(a);

	*ret_netns = a->netns;
	return index > 0 ? index : 0;
}

struct vsw_device *
attach_open_port(struct vsw *vsw, const struct model_port *port,
		 struct model_fault *fault)
{
	if (!strcmp(port->type, "tap"))
		return open_tap(vsw, port, fault);
	if (!strcmp(port->type, "packet"))
		return open_interface(vsw, port, fault);
	model_fault_set(fault, MODEL_NOT_SUPPORTED, "port type \"%s\"",
			port->type);
	return NULL;
}

struct vsw_device *
attach_open_socket(struct vsw *vsw, const struct model_pa *pa,
		   const char *name, unsigned n_queues,
		   struct model_fault *fault)
{
	const struct model_options *options = &pa->options;
	unsigned long vxlan_port = pa->vxlan_port, mtu = 0;
	char problem[PROBLEM_SIZE] = "";
	struct vsw_device *device;
	struct vsw_socket_options o = {
		.size = sizeof o, .name = name, .n_queues = n_queues,
		.interface = model_option(options, "interface", NULL),
		.netns = model_option(options, "netns", NULL)
	};
	int error;

	if (!option_number(options, "vxlan_port", 1, 65535, &vxlan_port,
			   fault)
	    || !option_number(options, "mtu", 576, 65535, &mtu, fault))
		return NULL;
	if (pa->addr.n == 4)
		o.local_v4 = pa->addr;
	else
		o.local_v6 = pa->addr;
	o.vxlan_port = (uint16_t) vxlan_port;
	o.mtu = (uint32_t) mtu;
	error = vsw_device_open_socket(vsw, &o, problem, sizeof problem,
				       &device);
	return opened(error ? NULL : device, error, o.netns, problem, fault);
}

struct vsw_device *
attach_open_packet(struct vsw *vsw, const struct model_pa *pa,
		   const char *name, unsigned n_queues,
		   struct model_fault *fault)
{
	char problem[PROBLEM_SIZE] = "";
	struct vsw_device *device;
	struct vsw_packet_options o = {
		.size = sizeof o, .name = name, .n_queues = n_queues,
		.interface = model_option(&pa->options, "interface", NULL),
		.netns = model_option(&pa->options, "netns", NULL),
		.to = pa->addr
	};
	int error;

	if (!o.interface) {
		model_fault_set(fault, MODEL_BAD_OPTION,
				"a packet device needs options:interface");
		return NULL;
	}
	error = vsw_device_open_packet(vsw, &o, problem, sizeof problem,
				       &device);
	return opened(error ? NULL : device, error, o.netns, problem, fault);
}

/* 'device', or, if there was an error, NULL, and the fault says what did not
 * open, and why. */
static struct vsw_device *
opened(struct vsw_device *device, int error, const char *netns,
       const char *problem, struct model_fault *fault)
{
	char *path = error && netns ? netns_path(netns) : NULL;
	enum model_reason reason = MODEL_NO_DEVICE;
	struct stat st;

	if (path && stat(path, &st) && errno == ENOENT)
		reason = MODEL_NO_NETNS;
	else if (error == -EADDRNOTAVAIL)
		reason = MODEL_NO_ADDRESS;
	if (error)
		model_fault_set(fault, reason, "%s",
				*problem ? problem : strerror(-error));
	free(path);
	return device;
}

/* As ip-netns(8) has them. */
static char *
netns_path(const char *name)
{
	return xasprintf("%s%s", strchr(name, '/') ? "" : "/run/netns/", name);
}

/* Nothing waits, and no thread still carries what it has taken. */
static bool
has_drained(const struct attached *a)
{
	bool is_idle = true;

	for (unsigned i = 0; i < a->n_watched; i++) {
		struct pollfd polled = {
			.fd = vsw_device_fd(a->device, i), .events = POLLIN
		};

		is_idle &= poll(&polled, 1, 0) <= 0;
		thread_call(a->queues[i].thread, do_nothing, NULL);
	}
	return is_idle;
}

static void
do_nothing(void *ctx)
{
	(void) ctx;
}

/* Of a packet socket, by its number, which hears of its interface going down,
 * and no more when that then goes for good: -1.  0: it is none. */
static int
interface_of(const struct attached *a)
{
	struct sockaddr_ll address;
	socklen_t size = sizeof address;

	if (getsockname(vsw_device_fd(a->device, 0),
			(struct sockaddr *) &address, &size)
	    || address.sll_family != AF_PACKET)
		return 0;
	return address.sll_ifindex > 0 ? address.sll_ifindex : -1;
}

static struct vsw_device *
open_tap(struct vsw *vsw, const struct model_port *port,
	 struct model_fault *fault)
{
	const struct model_options *options = &port->options;
	unsigned long mtu = 0, n_queues = 1;
	char problem[PROBLEM_SIZE] = "";
	struct vsw_device *device;
	struct vsw_tap_options o = {
		.size = sizeof o,
		.name = port->name,
		.interface = model_option(options, "interface", NULL),
		.netns = model_option(options, "netns", NULL)
	};
	int error;

	if (!option_number(options, "mtu", 68, 65535, &mtu, fault)
	    || !option_number(options, "queues", 1, 256, &n_queues, fault)
	    || !option_flag(options, "persist", &o.persist, fault))
		return NULL;
	memcpy(o.mac, port->mac, sizeof o.mac);
	o.mtu = (uint32_t) mtu;
	o.n_queues = (uint32_t) n_queues;
	error = vsw_device_open_tap(vsw, &o, problem, sizeof problem,
				    &device);
	return opened(error ? NULL : device, error, o.netns, problem, fault);
}

static struct vsw_device *
open_interface(struct vsw *vsw, const struct model_port *port,
	       struct model_fault *fault)
{
	const struct model_options *options = &port->options;
	unsigned long n_queues = 1;
	char problem[PROBLEM_SIZE] = "";
	struct vsw_device *device;
	struct vsw_packet_options o = {
		.size = sizeof o,
		.name = port->name,
		.interface = model_option(options, "interface", NULL),
		.netns = model_option(options, "netns", NULL),
		.promiscuous = 1,
		.up = 1,
		.mark = port->role == ROLE_VM ? ATTACH_MARK : 0
	};
	int error;

	if (!option_number(options, "queues", 1, 256, &n_queues, fault))
		return NULL;
	o.n_queues = (uint32_t) n_queues;
	error = vsw_device_open_packet(vsw, &o, problem, sizeof problem,
				       &device);
	return opened(error ? NULL : device, error, o.netns, problem, fault);
}
