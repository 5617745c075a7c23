/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/host/attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "agent/base/memory.h"
#include "agent/host/thread.h"
#include "agent/policy/model.h"

enum { PROBLEM_SIZE = 256 };

struct attached {
	struct vsw_device *device;
	struct thread_queue *queues;
	unsigned n_watched;
	char *netns;			/* Path, or NULL: the agent's own. */
	struct stat there;		/* What it was when it was opened. */
	int error;			/* What attach_check() saw. */
};

static bool has_lost_interface(const struct attached *);
static bool read_number(const struct model_options *, const char *key,
			unsigned long min, unsigned long max,
			unsigned long *number, struct model_fault *);
static bool read_flag(const struct model_options *, const char *key,
		      uint8_t *flag, struct model_fault *);
static bool read_mac(const struct model_options *, const char *key,
		     uint8_t mac[6], bool *ret_given, struct model_fault *);
static struct vsw_device *open_tap(struct vsw *, const struct model_port *,
				   struct model_fault *);
static struct vsw_device *open_interface(struct vsw *,
					 const struct model_port *,
					 struct model_fault *);
static bool set_underlay(struct vsw_device *, const struct model_pa *,
			 const char *interface, struct model_fault *);
static bool interface_mac(const char *interface, uint8_t ret_mac[6]);

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
	a->netns = xasprintf("%s%s", strchr(name, '/') ? "" : "/run/netns/",
			     name);
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
	else if (has_lost_interface(a))
		a->error = -ENODEV;
	return !attach_error(a);
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
attach_open_socket(struct vsw *vsw, const struct model_pa *v4,
		   const struct model_pa *v6, unsigned n_queues,
		   struct model_fault *fault)
{
	const struct model_options *options = v4 ? &v4->options
						 : &v6->options;
	unsigned long vxlan_port = 4789, mtu = 0;
	char problem[PROBLEM_SIZE] = "";
	struct vsw_device *device;
	struct vsw_socket_options o = {
		.size = sizeof o, .name = "uplink", .n_queues = n_queues
	};
	int error;

	if (!read_number(options, "vxlan_port", 1, 65535, &vxlan_port, fault)
	    || !read_number(options, "mtu", 576, 65535, &mtu, fault))
		return NULL;
	if (v4)
		o.local_v4 = v4->addr;
	if (v6)
		o.local_v6 = v6->addr;
	o.netns = model_option(options, "netns", NULL);
	o.vxlan_port = (uint16_t) vxlan_port;
	o.mtu = (uint32_t) mtu;
	error = vsw_device_open_socket(vsw, &o, problem, sizeof problem,
				       &device);
	if (error) {
		model_fault_set(fault, MODEL_NO_DEVICE, "%s",
				*problem ? problem : strerror(-error));
		return NULL;
	}
	return device;
}

struct vsw_device *
attach_open_packet(struct vsw *vsw, const struct model_pa *pa,
		   unsigned n_queues, struct model_fault *fault)
{
	char problem[PROBLEM_SIZE] = "";
	struct vsw_device *device;
	struct vsw_packet_options o = {
		.size = sizeof o, .name = "uplink", .n_queues = n_queues,
		.interface = model_option(&pa->options, "interface",
					  NULL)
	};
	int error;

	if (!o.interface) {
		model_fault_set(fault, MODEL_BAD_OPTION,
				"a packet device needs options:interface");
		return NULL;
	}
	error = vsw_device_open_packet(vsw, &o, problem, sizeof problem,
				       &device);
	if (error) {
		model_fault_set(fault, MODEL_NO_DEVICE, "%s",
				*problem ? problem : strerror(-error));
		return NULL;
	}
	if (!set_underlay(device, pa, o.interface, fault)) {
		vsw_device_close(device);
		return NULL;
	}
	return device;
}

/* A packet socket is told when its interface goes down, and hears no more when
 * the interface then goes for good. */
static bool
has_lost_interface(const struct attached *a)
{
	struct sockaddr_ll address;
	socklen_t size = sizeof address;

	return !getsockname(vsw_device_fd(a->device, 0),
			    (struct sockaddr *) &address, &size)
	       && address.sll_family == AF_PACKET && address.sll_ifindex <= 0;
}

/* Leaves '*number' where the option is not given. */
static bool
read_number(const struct model_options *options, const char *key,
	    unsigned long min, unsigned long max, unsigned long *number,
	    struct model_fault *fault)
{
	const char *text = model_option(options, key, NULL);
	unsigned long n;
	char *end;

	if (!text)
		return true;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || n < min
	    || n > max) {
		model_fault_set(fault, MODEL_BAD_OPTION,
				"%s=\"%s\" is not a number from %lu to %lu",
				key, text, min, max);
		return false;
	}
	*number = n;
	return true;
}

static bool
read_flag(const struct model_options *options, const char *key,
	  uint8_t *flag, struct model_fault *fault)
{
	const char *text = model_option(options, key, NULL);

	if (!text)
		return true;
	if (strcmp(text, "true") && strcmp(text, "false")) {
		model_fault_set(fault, MODEL_BAD_OPTION,
				"%s=\"%s\" is neither true nor false", key,
				text);
		return false;
	}
	*flag = !strcmp(text, "true");
	return true;
}

static bool
read_mac(const struct model_options *options, const char *key,
	 uint8_t mac[6], bool *ret_given, struct model_fault *fault)
{
	const char *text = model_option(options, key, NULL);

	*ret_given = text != NULL;
	if (text && !model_mac_from_text(text, mac)) {
		model_fault_set(fault, MODEL_BAD_OPTION,
				"%s=\"%s\" is not a MAC address", key, text);
		return false;
	}
	return true;
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

	if (!read_number(options, "mtu", 68, 65535, &mtu, fault)
	    || !read_number(options, "queues", 1, 256, &n_queues, fault)
	    || !read_flag(options, "persist", &o.persist, fault))
		return NULL;
	memcpy(o.mac, port->mac, sizeof o.mac);
	o.mtu = (uint32_t) mtu;
	o.n_queues = (uint32_t) n_queues;
	error = vsw_device_open_tap(vsw, &o, problem, sizeof problem,
				    &device);
	if (error) {
		model_fault_set(fault, MODEL_NO_DEVICE, "%s",
				*problem ? problem : strerror(-error));
		return NULL;
	}
	return device;
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
		.promiscuous = 1
	};
	int error;

	if (!read_number(options, "queues", 1, 256, &n_queues, fault))
		return NULL;
	o.n_queues = (uint32_t) n_queues;
	error = vsw_device_open_packet(vsw, &o, problem, sizeof problem,
				       &device);
	if (error) {
		model_fault_set(fault, MODEL_NO_DEVICE, "%s",
				*problem ? problem : strerror(-error));
		return NULL;
	}
	return device;
}

static bool
set_underlay(struct vsw_device *device, const struct model_pa *pa,
	     const char *interface, struct model_fault *fault)
{
	static const struct vsw_addr any;
	struct vsw_underlay underlay = { .size = sizeof underlay };
	unsigned long vxlan_port = 4789, mtu = 1500, vlan = 0;
	struct vsw_port *port = vsw_device_port(device);
	uint8_t next_hop[6];
	bool has_mac, has_next_hop;
	int error;

	if (!read_number(&pa->options, "vxlan_port", 1, 65535, &vxlan_port,
			 fault)
	    || !read_number(&pa->options, "mtu", 576, 65535, &mtu, fault)
	    || !read_number(&pa->options, "vlan", 1, 4094, &vlan, fault)
	    || !read_mac(&pa->options, "mac", underlay.mac, &has_mac, fault)
	    || !read_mac(&pa->options, "next_hop_mac", next_hop,
			 &has_next_hop, fault))
		return false;
	if (!has_next_hop) {
		model_fault_set(fault, MODEL_BAD_OPTION, "a packet device "
				"needs options:next_hop_mac");
		return false;
	}
	if (!has_mac && !interface_mac(interface, underlay.mac)) {
		model_fault_set(fault, MODEL_NO_DEVICE,
				"the MAC of %s does not read", interface);
		return false;
	}
	if (pa->addr.n == 4)
		underlay.local_v4 = pa->addr;
	else
		underlay.local_v6 = pa->addr;
	underlay.vxlan_port = (uint16_t) vxlan_port;
	underlay.mtu = (uint32_t) mtu;
	underlay.vlan = (uint16_t) vlan;
	error = vsw_port_set_underlay(port, &underlay);
	if (!error)
		error = vsw_port_set_next_hop(port, &any, next_hop);
	if (error) {
		model_fault_set(fault, MODEL_ENGINE, "%s", strerror(-error));
		return false;
	}
	return true;
}

static bool
interface_mac(const char *interface, uint8_t ret_mac[6])
{
	char path[64], text[32] = "";
	bool good;
	FILE *file;

	snprintf(path, sizeof path, "/sys/class/net/%s/address", interface);
	file = fopen(path, "re");
	if (!file)
		return false;
	good = fgets(text, sizeof text, file) != NULL;
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return good && model_mac_from_text(text, ret_mac);
}
