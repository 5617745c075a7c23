/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DEVICE_THREAD_H
#define DEVICE_THREAD_H 1

/* The threads that carry packets.  Each sleeps in epoll until a queue that it
 * was given has something, carries it through its own worker of that switch,
 * and goes back to sleep.  It knows nothing of policy; the main thread hands
 * it work through thread_call(), which returns when it is done. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <vswitch.h>
#include <vswitch/device.h>

struct thread;

/* What a thread watches: one queue of one device, carried by 'worker'.  Kept
 * by the caller until it was removed. */
struct thread_queue {
	struct thread *thread;
	struct vsw_device *device;
	unsigned queue;
	struct vsw_worker *worker;
	/* Written by the thread when the device has failed: a negative errno;
	 * it is no longer watched then, and 'failed_fd' was written to. */
	_Atomic int error;
};

/* [control] Starts a thread.  'failed_fd' is an eventfd that wakes the main
 * thread when a device failed.  0 or a negative errno. */
int thread_new(unsigned index, int failed_fd, struct thread **ret_thread);
/* [control] Stops it and waits for it.  Its queues must be removed. */
void thread_free(struct thread *);
unsigned thread_index(const struct thread *);

/* [control] 0 or a negative errno.  When remove returns the thread is not
 * inside of the device and will not be again. */
int thread_add_queue(struct thread *, struct thread_queue *);
void thread_remove_queue(struct thread_queue *);

/* [control] Workers that the thread is to keep tidy (vsw_worker_idle()). */
int thread_add_worker(struct thread *, struct vsw_worker *);
void thread_remove_worker(struct thread *, struct vsw_worker *);

/* [control] Runs 'call' on the thread and waits for it. */
void thread_call(struct thread *, void (*call)(void *ctx), void *ctx);

/* Nanoseconds of the clock that all workers are given. [any] */
uint64_t thread_now(void);

#endif /* device/thread.h */
