/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H 1

/* What all devices share: how one is opened, asked and closed.
 *
 * A kind of device is a struct that begins with a struct vsw_device, a class
 * of functions, and an open function.  This folder knows <vswitch.h> and
 * <vswitch/device.h> and nothing else of the library. */

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/device.h>

enum {
	DEVICE_BATCH = 32,		/* Packets in one receive. */
	DEVICE_MAX_TRANSMIT = 64,	/* Packets in one transmit. */
	DEVICE_MAX_QUEUES = 64
};

struct device_class {
	int (*receive)(struct vsw_device *, unsigned queue,
		       struct vsw_worker *, uint64_t now);
	int (*fd)(const struct vsw_device *, unsigned queue);
	/* Closes what is open, and frees; the port is gone already.  Also
	 * called for a device that was opened halfway. */
	void (*destroy)(struct vsw_device *);
};

struct vsw_device {
	const struct device_class *class;
	struct vsw_port *port;
	unsigned n_queues;
};

/* An attempt to open: for whom, and where to write why not. */
struct device_opening {
	const char *kind;		/* "tap". */
	const char *name;		/* The port's. */
	char *problem;			/* May be NULL. */
	size_t problem_size;
};

/* Writes "KIND NAME: FORMAT...: what 'error' means", and returns -error. */
int device_fail(const struct device_opening *, int error, const char *format,
		...) __attribute__((format(printf, 3, 4)));

/* Copies options of the caller's size into 'options' of this library's; both
 * begin with their size.  What the caller does not know is zero; what this
 * library does not know must be zero: -E2BIG. */
int device_copy_options(const struct device_opening *, void *options,
			size_t size, const void *callers);

/* Name and number of queues (0 becomes 1) as every device wants them. */
int device_check_name(const struct device_opening *);
int device_check_queues(const struct device_opening *, uint32_t *n_queues);

/* Brings up the interface that is named in 'request', by any socket of its
 * namespace.  One that is up already is not touched. */
int device_raise(const struct device_opening *, int fd, struct ifreq *);

/* Adds the port, which is the last step of opening: from here on 'transmit'
 * may be called, with the device as its context. */
int device_add_port(struct vsw *, const struct device_opening *,
		    struct vsw_device *, uint32_t abilities,
		    void (*transmit)(void *, struct vsw_worker *,
				     struct vsw_packet *const[], size_t));

/* Destroys a device whose opening failed. */
void device_abandon(struct vsw_device *);

/* The queue through which 'worker' transmits. */
unsigned device_queue_of(const struct vsw_device *, const struct vsw_worker *);

/* What became of packets that were given to transmit: counted while it goes
 * through them, told to the port in one go.  [worker] */
struct device_losses {
	uint32_t n_full, n_error, n_too_big, n_no_next_hop, n_segment,
		n_no_room, n_bad_offload, n_no_memory;
};
/* Counts one packet that sending failed for, by its errno. */
void device_lose(struct device_losses *, int error);
void device_report(const struct device_losses *, struct vsw_device *,
		   struct vsw_worker *);

#endif /* device/device.h */
