/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/device/device.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <vswitch.h>

enum { MEMORY_DEFAULT_PACKETS = 1024, MEMORY_MAX_PACKETS = 1 << 20 };

struct frame {
	struct frame *next;
	struct vsw_offload offload;
	struct vsw_tunnel tunnel;
	size_t size;
	uint8_t bytes[];
};

struct queue {
	struct frame *first, **end;
	uint32_t n;
};

struct memory {
	struct vsw_device device;
	uint32_t max_packets;
	bool tunnel;
	int event;			/* Readable while 'in' has frames. */
	pthread_mutex_t mutex;		/* Guards the queues and 'event'. */
	struct queue in, out;
};

static int receive(struct vsw_device *, unsigned queue, struct vsw_worker *,
		   uint64_t now);
static int queue_fd(const struct vsw_device *, unsigned queue);
static void destroy(struct vsw_device *);
static void transmit(void *, struct vsw_worker *, struct vsw_packet *const[],
		     size_t);
static int open_memory(struct memory *, const struct device_opening *);
static struct frame *frame_new(const void *bytes, size_t size,
			       const struct vsw_offload *,
			       const struct vsw_tunnel *);
static void queue_init(struct queue *);
static void queue_put(struct queue *, struct frame *);
static struct frame *queue_take(struct queue *);
static struct frame *take_in(struct memory *);
static struct vsw_packet *to_packet(const struct frame *,
				    struct vsw_worker *);
static struct memory *memory_of(struct vsw_device *);

static const struct device_class memory_class = {
	.receive = receive,
	.fd = queue_fd,
	.destroy = destroy,
};

int
vsw_device_open_memory(struct vsw *vsw,
		       const struct vsw_memory_options *callers,
		       char *problem, size_t problem_size,
		       struct vsw_device **ret_device)
{
	struct device_opening opening = { "memory", callers->name, problem,
					  problem_size };
	struct vsw_memory_options options;
	struct memory *memory;
	int error;

	error = device_copy_options(&opening, &options, sizeof options,
				    callers);
	if (!error)
		error = device_check_name(&opening);
	if (error)
		return error;
	if (options.max_packets > MEMORY_MAX_PACKETS)
		return device_fail(&opening, EINVAL, "more than %d packets",
				   MEMORY_MAX_PACKETS);

	memory = calloc(1, sizeof *memory);
	if (!memory)
		return device_fail(&opening, ENOMEM, "cannot open");
	memory->device.class = &memory_class;
	memory->tunnel = options.abilities & VSW_PORT_TUNNEL;
	memory->max_packets = options.max_packets ? options.max_packets
						  : MEMORY_DEFAULT_PACKETS;
	error = open_memory(memory, &opening);
	if (error) {
		free(memory);
		return error;
	}
	error = device_add_port(vsw, &opening, &memory->device,
				options.abilities, transmit);
	if (error) {
		device_abandon(&memory->device);
		return error;
	}
	*ret_device = &memory->device;
	return 0;
}

int
vsw_device_put(struct vsw_device *device, const void *bytes, size_t size,
	       const struct vsw_offload *offload,
	       const struct vsw_tunnel *tunnel)
{
	struct memory *memory = memory_of(device);
	struct frame *frame;
	int error = 0;

	if (!memory)
		return -EOPNOTSUPP;
	if (size > VSW_PACKET_MAX)
		return -EMSGSIZE;
	if (tunnel && !memory->tunnel)
		return -EINVAL;
	frame = frame_new(bytes, size, offload, tunnel);
	if (!frame)
		return -ENOMEM;

	pthread_mutex_lock(&memory->mutex);
	if (memory->in.n >= memory->max_packets) {
		error = -ENOBUFS;
	} else {
		if (memory->in.n == 0 && eventfd_write(memory->event, 1))
			error = -errno;
		else
			queue_put(&memory->in, frame);
	}
	pthread_mutex_unlock(&memory->mutex);
	if (error)
		free(frame);
	return error;
}

long
vsw_device_take(struct vsw_device *device, void *bytes, size_t size,
		struct vsw_offload *ret_offload, struct vsw_tunnel *ret_tunnel)
{
	struct memory *memory = memory_of(device);
	struct frame *frame = NULL;
	long result;

	if (!memory)
		return -EOPNOTSUPP;
	pthread_mutex_lock(&memory->mutex);
	if (!memory->out.first)
		result = -EAGAIN;
	else if (memory->out.first->size > size)
		result = -EMSGSIZE;
	else
		frame = queue_take(&memory->out);
	pthread_mutex_unlock(&memory->mutex);
	if (!frame)
		return result;

	if (frame->size)
		memcpy(bytes, frame->bytes, frame->size);
	if (ret_offload)
		*ret_offload = frame->offload;
	if (ret_tunnel)
		*ret_tunnel = frame->tunnel;
	result = (long) frame->size;
	free(frame);
	return result;
}

static int
open_memory(struct memory *memory, const struct device_opening *opening)
{
	int error;

	queue_init(&memory->in);
	queue_init(&memory->out);
	memory->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (memory->event < 0)
		return device_fail(opening, errno, "cannot make an eventfd");
	error = pthread_mutex_init(&memory->mutex, NULL);
	if (error) {
		close(memory->event);
		return device_fail(opening, error, "cannot make a mutex");
	}
	memory->device.n_queues = 1;
	return 0;
}

static struct frame *
frame_new(const void *bytes, size_t size, const struct vsw_offload *offload,
	  const struct vsw_tunnel *tunnel)
{
	struct frame *frame = malloc(sizeof *frame + size);

	if (!frame)
		return NULL;
	memset(frame, 0, sizeof *frame);
	if (offload)
		frame->offload = *offload;
	if (tunnel)
		frame->tunnel = *tunnel;
	frame->size = size;
	if (size)
		memcpy(frame->bytes, bytes, size);
	return frame;
}

static void
queue_init(struct queue *queue)
{
	queue->first = NULL;
	queue->end = &queue->first;
	queue->n = 0;
}

static void
queue_put(struct queue *queue, struct frame *frame)
{
	*queue->end = frame;
	queue->end = &frame->next;
	queue->n++;
}

static struct frame *
queue_take(struct queue *queue)
{
	struct frame *frame = queue->first;

	if (!frame)
		return NULL;
	queue->first = frame->next;
	if (!queue->first)
		queue->end = &queue->first;
	queue->n--;
	return frame;
}

static int
receive(struct vsw_device *device, unsigned queue, struct vsw_worker *worker,
	uint64_t now)
{
	struct memory *memory = (struct memory *) device;
	struct vsw_packet *packets[DEVICE_BATCH];
	struct frame *frame;
	size_t n_taken = 0, n = 0;

	(void) queue;
	while (n_taken < DEVICE_BATCH && (frame = take_in(memory)) != NULL) {
		n_taken++;
		packets[n] = to_packet(frame, worker);
		if (packets[n])
			n++;
		free(frame);
	}
	if (n < n_taken)
		vsw_port_count_drops(device->port, worker, VSW_DROP_NO_MEMORY,
				     n_taken - n);
	/* Without the mutex: what goes back to this port wants it. */
	if (n)
		vsw_worker_receive(worker, device->port, packets, n, now);
	return n_taken ? 0 : -EAGAIN;
}

static struct frame *
take_in(struct memory *memory)
{
	struct frame *frame;
	eventfd_t count;

	pthread_mutex_lock(&memory->mutex);
	frame = queue_take(&memory->in);
	if (frame && memory->in.n == 0)
		/* Nonblocking, and only this resets it. */
		(void) !eventfd_read(memory->event, &count);
	pthread_mutex_unlock(&memory->mutex);
	return frame;
}

static struct vsw_packet *
to_packet(const struct frame *frame, struct vsw_worker *worker)
{
	struct vsw_packet *packet = vsw_packet_new(worker, frame->size);

	if (!packet)
		return NULL;
	if (frame->size)
		memcpy(vsw_packet_data(packet), frame->bytes, frame->size);
	*vsw_packet_offload(packet) = frame->offload;
	*vsw_packet_tunnel(packet) = frame->tunnel;
	return packet;
}

static void
transmit(void *memory_, struct vsw_worker *worker,
	 struct vsw_packet *const packets[], size_t n)
{
	struct memory *memory = memory_;
	struct device_losses losses = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct vsw_packet *packet = packets[i];
		struct frame *frame = frame_new(vsw_packet_data(packet),
						vsw_packet_size(packet),
						vsw_packet_offload(packet),
						vsw_packet_tunnel(packet));
		bool full = false;

		vsw_packet_free(packet);
		if (!frame) {
			device_lose(&losses, ENOMEM);
			continue;
		}
		pthread_mutex_lock(&memory->mutex);
		if (memory->out.n < memory->max_packets)
			queue_put(&memory->out, frame);
		else
			full = true;
		pthread_mutex_unlock(&memory->mutex);
		if (full) {
			device_lose(&losses, ENOBUFS);
			free(frame);
		}
	}
	device_report(&losses, &memory->device, worker);
}

/* NULL if 'device' is of another kind. */
static struct memory *
memory_of(struct vsw_device *device)
{
	return device->class == &memory_class ? (struct memory *) device
					      : NULL;
}

static int
queue_fd(const struct vsw_device *device, unsigned queue)
{
	(void) queue;
	return ((const struct memory *) device)->event;
}

static void
destroy(struct vsw_device *device)
{
	struct memory *memory = (struct memory *) device;
	struct frame *frame;

	while ((frame = queue_take(&memory->in)) != NULL)
		free(frame);
	while ((frame = queue_take(&memory->out)) != NULL)
		free(frame);
	pthread_mutex_destroy(&memory->mutex);
	close(memory->event);
	free(memory);
}
