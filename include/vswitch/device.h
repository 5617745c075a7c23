/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VSWITCH_DEVICE_H
#define VSWITCH_DEVICE_H 1

/* Ready-made ports, for programs that bring no input and output of their own.
 * They are built on <vswitch.h> alone.  A device never waits: watch the
 * descriptors of its queues (they become readable) in whatever loop there is.
 * Each queue belongs to one worker's thread at a time; a worker may have many
 * queues. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <vswitch/packet.h>
#include <vswitch/switch.h>
#include <vswitch/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vsw_device;

/* A TAP interface, with virtio's header and all offloads that the kernel
 * grants.  One descriptor for each queue. */
struct vsw_tap_options {
	size_t size;			/* sizeof(struct vsw_tap_options). */
	const char *name;		/* Of the port; at most 63 bytes. */
	const char *interface;		/* At most 15 bytes; NULL: 'name'. */
	const char *netns;		/* Where it is created and found: a name
					 * as ip-netns(8) gives it, or a path;
					 * NULL: here. */
	uint8_t persist;		/* Outlives the program; found again. */
	uint8_t mac[6];			/* Of the interface; all zero: the
					 * kernel's choice. */
	uint32_t mtu;			/* 0: the kernel's default. */
	uint32_t n_queues;		/* 0: 1. */
};

/* An interface that exists, through AF_PACKET: whole Ethernet frames. */
struct vsw_packet_options {
	size_t size;			/* sizeof(struct vsw_packet_options). */
	const char *name;
	const char *interface;		/* NULL: 'name'. */
	const char *netns;		/* Where it is; NULL: here. */
	uint8_t promiscuous;
	uint8_t up;			/* Bring it up, if it is not. */
	uint32_t n_queues;		/* 0: 1; more: a fanout group. */
	struct vsw_addr to;		/* Take in only what is to this address
					 * by UDP or GRE: all else the kernel
					 * keeps to itself.  n == 0: all. */
	uint32_t mark;			/* What is sent has it (socket(7),
					 * SO_MARK), so that filters of the
					 * kernel know it; 0: none. */
};

/* VXLAN (UDP sockets) and NVGRE (raw sockets) through the host's own stack:
 * its routes, its neighbours.  The port has VSW_PORT_TUNNEL. */
struct vsw_socket_options {
	size_t size;			/* sizeof(struct vsw_socket_options). */
	const char *name;
	const char *netns;		/* Whose stack; NULL: this one's. */
	struct vsw_addr local_v4, local_v6;	/* n 0: none; at least one. */
	uint16_t vxlan_port;		/* 0: 4789. */
	uint8_t no_vxlan, no_nvgre;
	uint32_t mtu;			/* Of outer IP packets; 0: asked of the
					 * interface that has the address. */
	uint32_t n_queues;		/* 0: 1. */
	const char *interface;		/* By which all goes and comes; NULL: as
					 * the stack's routes have it. */
};

/* A queue in memory, for tests and embedders: put frames in, take what came
 * out. */
struct vsw_memory_options {
	size_t size;			/* sizeof(struct vsw_memory_options). */
	const char *name;
	uint32_t abilities;		/* enum vsw_port_ability. */
	uint32_t max_packets;		/* Each way; 0: 1024. */
};

/* [control] Opens a device and adds its port.  On failure 'ret_problem', if
 * not NULL, gets one line that says what could not be done, with which name,
 * and why. */
VSW_API VSW_MUST_CHECK int vsw_device_open_tap(
	struct vsw *, const struct vsw_tap_options *, char *ret_problem,
	size_t problem_size, struct vsw_device **ret_device);
VSW_API VSW_MUST_CHECK int vsw_device_open_packet(
	struct vsw *, const struct vsw_packet_options *, char *ret_problem,
	size_t problem_size, struct vsw_device **ret_device);
VSW_API VSW_MUST_CHECK int vsw_device_open_socket(
	struct vsw *, const struct vsw_socket_options *, char *ret_problem,
	size_t problem_size, struct vsw_device **ret_device);
VSW_API VSW_MUST_CHECK int vsw_device_open_memory(
	struct vsw *, const struct vsw_memory_options *, char *ret_problem,
	size_t problem_size, struct vsw_device **ret_device);

/* [control] Removes the port and closes.  No worker may be inside of
 * vsw_device_receive() of this device. */
VSW_API void vsw_device_close(struct vsw_device *);

/* [any] */
VSW_API struct vsw_port *vsw_device_port(const struct vsw_device *);
VSW_API unsigned vsw_device_n_queues(const struct vsw_device *);
VSW_API int vsw_device_fd(const struct vsw_device *, unsigned queue);

/* [worker] When the queue's descriptor is readable: takes in what there is, up
 * to one batch, and carries it through.  Returns 0, -EAGAIN if there was
 * nothing, or why the device is of no more use. */
VSW_API VSW_MUST_CHECK int vsw_device_receive(struct vsw_device *,
					      unsigned queue,
					      struct vsw_worker *,
					      uint64_t now);

/* [any] Memory devices.  'put' copies a frame in, with offload state and, on a
 * VSW_PORT_TUNNEL port, tunnel (each may be NULL): -ENOBUFS if full.  'take'
 * copies the oldest frame out and returns its size, or -EAGAIN, or -EMSGSIZE
 * (the frame stays) if it does not fit. */
VSW_API VSW_MUST_CHECK int vsw_device_put(struct vsw_device *,
					  const void *frame, size_t size,
					  const struct vsw_offload *,
					  const struct vsw_tunnel *);
VSW_API long vsw_device_take(struct vsw_device *, void *frame, size_t size,
			     struct vsw_offload *ret_offload,
			     struct vsw_tunnel *ret_tunnel);

#ifdef __cplusplus
}
#endif

#endif /* vswitch/device.h */
