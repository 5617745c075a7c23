/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DEVICE_ATTACH_H
#define DEVICE_ATTACH_H 1

/* A device that is attached: open, and its queues spread over the threads.
 * [control] */

#include <stdbool.h>
#include <stddef.h>
#include <vswitch.h>
#include <vswitch/device.h>

struct attached;
struct thread;

/* What a VM's packet device sends has this mark (SO_MARK), and nothing else of
 * this host. */
#define ATTACH_MARK UINT32_C(0x686e7600)

/* Where its packets are carried: threads, and this switch's worker in each. */
struct attach_place {
	struct thread *const *threads;
	struct vsw_worker *const *workers;
	size_t n;
	size_t *next;			/* Whose turn it is. */
};

/* Takes over 'device', also on failure.  0 or a negative errno. */
int attach(struct vsw_device *, const struct attach_place *,
	   struct attached **ret_attached);
/* No thread is inside of the device any more when this returns; it is still
 * open, and its port still there. */
void attach_stop(struct attached *);
/* Stops, if need be, and closes. */
void attach_free(struct attached *);
struct vsw_port *attach_port(const struct attached *);
/* Of its first queue. */
int attach_fd(const struct attached *);
/* Of a packet device: what is sent goes past the interface's queueing
 * disciplines.  May be NULL. */
void attach_set_bypass(const struct attached *, bool bypass);
/* Waits until the threads have carried what had come in at the devices, or so
 * many milliseconds.  Each may be NULL. */
void attach_drain(struct attached *const devices[], size_t n, unsigned ms);
/* A negative errno once the device has failed, else 0.  Cheap. */
int attach_error(const struct attached *);

/* What no descriptor tells.  A packet socket hears of its interface going
 * down, and nothing when it then goes for good; a device that was opened in a
 * network namespace keeps that alive, nameless, when it is deleted, and never
 * sees the next one of its name.  'netns' as in the devices' options, NULL:
 * none; attach_check() asks the system and returns false if there is an
 * error now. */
void attach_watch_netns(struct attached *, const char *netns);
bool attach_check(struct attached *);
/* Of a packet device: its interface, and where that is; 0: there is none. */
int attach_interface(const struct attached *, const char **ret_netns);

/* How the rows' options become a device's.  On failure nothing is opened, and
 * the fault says which option does not read, or what the system said. */
struct model_fault;
struct model_pa;
struct model_port;
struct model_switch;
struct vsw_device *attach_open_port(struct vsw *, const struct model_port *,
				    struct model_fault *);
/* A provider address on the host's own stack, or on an interface that is taken
 * over; its underlay is the caller's.  'name' is the port's. */
struct vsw_device *attach_open_socket(struct vsw *, const struct model_pa *,
				      const char *name, unsigned n_queues,
				      struct model_fault *);
struct vsw_device *attach_open_packet(struct vsw *, const struct model_pa *,
				      const char *name, unsigned n_queues,
				      struct model_fault *);

#endif /* device/attach.h */
