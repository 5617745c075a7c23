/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/device/device.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <vswitch.h>

static bool is_zero(const uint8_t *, size_t size);

void
vsw_device_close(struct vsw_device *device)
{
	if (!device)
		return;
	vsw_port_remove(device->port);
	device->class->destroy(device);
}

struct vsw_port *
vsw_device_port(const struct vsw_device *device)
{
	return device->port;
}

unsigned
vsw_device_n_queues(const struct vsw_device *device)
{
	return device->n_queues;
}

int
vsw_device_fd(const struct vsw_device *device, unsigned queue)
{
	return queue < device->n_queues ? device->class->fd(device, queue)
					: -EINVAL;
}

int
vsw_device_receive(struct vsw_device *device, unsigned queue,
		   struct vsw_worker *worker, uint64_t now)
{
	return queue < device->n_queues
		? device->class->receive(device, queue, worker, now) : -EINVAL;
}

int
device_fail(const struct device_opening *opening, int error,
	    const char *format, ...)
{
	char what[192], why[64];
	va_list args;

	if (!opening->problem || !opening->problem_size)
		return -error;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	snprintf(opening->problem, opening->problem_size, "%s %s: %s: %s",
		 opening->kind, opening->name ? opening->name : "(no name)",
		 what, strerror_r(error, why, sizeof why));
	return -error;
}

int
device_copy_options(const struct device_opening *opening, void *options,
		    size_t size, const void *callers)
{
	size_t callers_size;

	memcpy(&callers_size, callers, sizeof callers_size);
	if (callers_size < sizeof callers_size)
		return device_fail(opening, EINVAL, "options without a size");
	if (callers_size > size
	    && !is_zero((const uint8_t *) callers + size, callers_size - size))
		return device_fail(opening, E2BIG,
				   "options of a later library");
	memset(options, 0, size);
	memcpy(options, callers, callers_size < size ? callers_size : size);
	return 0;
}

int
device_check_name(const struct device_opening *opening)
{
	size_t n = opening->name ? strnlen(opening->name, 64) : 0;

	if (n == 0 || n > 63)
		return device_fail(opening, EINVAL,
				   "name must have 1 to 63 bytes");
	return 0;
}

int
device_check_queues(const struct device_opening *opening, uint32_t *n_queues)
{
	if (*n_queues == 0)
		*n_queues = 1;
	if (*n_queues > DEVICE_MAX_QUEUES)
		return device_fail(opening, EINVAL, "%u queues: at most %d",
				   *n_queues, DEVICE_MAX_QUEUES);
	return 0;
}

int
device_raise(const struct device_opening *opening, int fd,
	     struct ifreq *request)
{
	if (!ioctl(fd, SIOCGIFFLAGS, request)) {
		if (request->ifr_flags & IFF_UP)
			return 0;
		request->ifr_flags |= IFF_UP;
		if (!ioctl(fd, SIOCSIFFLAGS, request))
			return 0;
	}
	return device_fail(opening, errno, "cannot bring %s up",
			   request->ifr_name);
}

int
device_add_port(struct vsw *vsw, const struct device_opening *opening,
		struct vsw_device *device, uint32_t abilities,
		void (*transmit)(void *, struct vsw_worker *,
				 struct vsw_packet *const[], size_t))
{
	const struct vsw_port_ops ops = {
		.size = sizeof ops,
		.abilities = abilities,
		.transmit = transmit,
	};
	int error = vsw_port_add(vsw, opening->name, &ops, device,
				 &device->port);

	return error ? device_fail(opening, -error, "cannot add the port") : 0;
}

void
device_abandon(struct vsw_device *device)
{
	device->class->destroy(device);
}

unsigned
device_queue_of(const struct vsw_device *device,
		const struct vsw_worker *worker)
{
	return vsw_worker_index(worker) % device->n_queues;
}

void
device_lose(struct device_losses *losses, int error)
{
	switch (error) {
	case EAGAIN:
	case ENOBUFS:
		losses->n_full++;
		break;
	case EMSGSIZE:
		losses->n_too_big++;
		break;
	case ENETUNREACH:
	case EHOSTUNREACH:
		losses->n_no_next_hop++;
		break;
	case ENOMEM:
		losses->n_no_memory++;
		break;
	default:
		losses->n_error++;
		break;
	}
}

void
device_report(const struct device_losses *losses, struct vsw_device *device,
	      struct vsw_worker *worker)
{
	const struct {
		enum vsw_drop drop;
		uint32_t n;
	} all[] = {
		{ VSW_DROP_DEVICE_FULL, losses->n_full },
		{ VSW_DROP_DEVICE_ERROR, losses->n_error },
		{ VSW_DROP_TOO_BIG, losses->n_too_big },
		{ VSW_DROP_NO_NEXT_HOP, losses->n_no_next_hop },
		{ VSW_DROP_SEGMENT, losses->n_segment },
		{ VSW_DROP_NO_ROOM, losses->n_no_room },
		{ VSW_DROP_BAD_OFFLOAD, losses->n_bad_offload },
		{ VSW_DROP_NO_MEMORY, losses->n_no_memory },
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i].n)
			vsw_port_count_drops(device->port, worker,
					     all[i].drop, all[i].n);
}

static bool
is_zero(const uint8_t *bytes, size_t size)
{
	while (size > 0)
		if (bytes[--size])
			return false;
	return true;
}
