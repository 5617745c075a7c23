/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/device/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/memory.h"

enum {
	EVENTS_MAX = 64,
	/* Batches of one queue before the others have their turn. */
	BATCHES_MAX = 8,
	/* Ageing is looked at no more often than this, in milliseconds. */
	TIDY_MS = 1000
};

struct thread {
	pthread_t pthread;
	unsigned index;
	int epoll_fd, wake_fd, failed_fd;

	/* The call in progress; 'mutex' guards it. */
	pthread_mutex_t mutex;
	pthread_cond_t done;
	void (*call)(void *ctx);
	void *call_ctx;
	bool is_stopping;

	/* [thread] */
	struct vsw_worker **workers;
	size_t n_workers;
	uint64_t tidy_at;		/* UINT64_MAX: when woken. */
};

/* What a call to the thread is about. */
struct errand {
	struct thread *thread;
	struct thread_queue *queue;
	struct vsw_worker *worker;
	int error;
};

static void *run(void *thread_);
static int sleep_ms(const struct thread *);
static void carry(struct thread *, struct thread_queue *);
static void fail(struct thread *, struct thread_queue *, int error);
static void answer_call(struct thread *);
static void tidy(struct thread *);
static void watch_queue(void *errand_);
static void unwatch_queue(void *errand_);
static void keep_worker(void *errand_);
static void leave_worker(void *errand_);
static void stop(void *thread_);

int
thread_new(unsigned index, int failed_fd, struct thread **ret_thread)
{
	struct thread *t = xcalloc(1, sizeof *t);
	struct epoll_event event = { .events = EPOLLIN };
	char name[16];
	int error;

	t->index = index;
	t->failed_fd = failed_fd;
	t->tidy_at = UINT64_MAX;
	pthread_mutex_init(&t->mutex, NULL);
	pthread_cond_init(&t->done, NULL);
	t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->epoll_fd < 0 || t->wake_fd < 0
	    || epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, t->wake_fd, &event)) {
		error = -errno;
		goto err;
	}
	error = -pthread_create(&t->pthread, NULL, run, t);
	if (error)
		goto err;
	snprintf(name, sizeof name, "worker%u", index);
	pthread_setname_np(t->pthread, name);
	*ret_thread = t;
	return 0;

err:
	if (t->epoll_fd >= 0)
		close(t->epoll_fd);
	if (t->wake_fd >= 0)
		close(t->wake_fd);
	free(t);
	return error;
}

void
thread_free(struct thread *t)
{
	if (!t)
		return;
	thread_call(t, stop, t);
	pthread_join(t->pthread, NULL);
	close(t->epoll_fd);
	close(t->wake_fd);
	pthread_cond_destroy(&t->done);
	pthread_mutex_destroy(&t->mutex);
	free(t->workers);
	free(t);
}

unsigned
thread_index(const struct thread *t)
{
	return t->index;
}

int
thread_add_queue(struct thread *t, struct thread_queue *queue)
{
	struct errand errand = { .thread = t, .queue = queue };

	queue->thread = t;
	atomic_store(&queue->error, 0);
	thread_call(t, watch_queue, &errand);
	return errand.error;
}

void
thread_remove_queue(struct thread_queue *queue)
{
	struct errand errand = { .thread = queue->thread, .queue = queue };

	thread_call(queue->thread, unwatch_queue, &errand);
}

int
thread_add_worker(struct thread *t, struct vsw_worker *worker)
{
	struct errand errand = { .thread = t, .worker = worker };

	thread_call(t, keep_worker, &errand);
	return errand.error;
}

void
thread_remove_worker(struct thread *t, struct vsw_worker *worker)
{
	struct errand errand = { .thread = t, .worker = worker };

	thread_call(t, leave_worker, &errand);
}

void
thread_call(struct thread *t, void (*call)(void *ctx), void *ctx)
{
	uint64_t one = 1;

	pthread_mutex_lock(&t->mutex);
	t->call = call;
	t->call_ctx = ctx;
	if (write(t->wake_fd, &one, sizeof one) < 0)
		abort();		/* An eventfd that is ours: cannot. */
	while (t->call)
		pthread_cond_wait(&t->done, &t->mutex);
	pthread_mutex_unlock(&t->mutex);
}

uint64_t
thread_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static void *
run(void *thread_)
{
	struct thread *t = thread_;
	struct epoll_event events[EVENTS_MAX];

	while (!t->is_stopping) {
		int n = epoll_wait(t->epoll_fd, events, EVENTS_MAX,
				   sleep_ms(t));
		bool is_called = false;

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				carry(t, events[i].data.ptr);
			else
				is_called = true;
		}
		/* Last, because a call may remove a queue that the events
		 * still name. */
		if (is_called)
			answer_call(t);
		tidy(t);
	}
	return NULL;
}

static int
sleep_ms(const struct thread *t)
{
	uint64_t now;

	if (t->tidy_at == UINT64_MAX)
		return -1;
	now = thread_now();
	if (t->tidy_at <= now)
		return 0;
	now = (t->tidy_at - now + 999999) / 1000000;
	return now < TIDY_MS ? TIDY_MS : now > 3600000 ? 3600000 : (int) now;
}

/* Drains one queue, a bounded number of batches. */
static void
carry(struct thread *t, struct thread_queue *queue)
{
	for (int i = 0; i < BATCHES_MAX; i++) {
		int error = vsw_device_receive(queue->device, queue->queue,
					       queue->worker, thread_now());

		if (error == -EAGAIN)
			break;
		if (error) {
			fail(t, queue, error);
			return;
		}
	}
	if (t->tidy_at == UINT64_MAX)
		t->tidy_at = thread_now() + TIDY_MS * UINT64_C(1000000);
}

static void
fail(struct thread *t, struct thread_queue *queue, int error)
{
	uint64_t one = 1;

	epoll_ctl(t->epoll_fd, EPOLL_CTL_DEL,
		  vsw_device_fd(queue->device, queue->queue), NULL);
	atomic_store(&queue->error, error);
	if (write(t->failed_fd, &one, sizeof one) < 0)
		log_line(LOG_LEVEL_ERROR, "worker", "cannot wake the main "
			 "thread: %s", strerror(errno));
}

static void
answer_call(struct thread *t)
{
	uint64_t n;

	if (read(t->wake_fd, &n, sizeof n) < 0)
		return;
	pthread_mutex_lock(&t->mutex);
	if (t->call) {
		t->call(t->call_ctx);
		t->call = NULL;
		pthread_cond_signal(&t->done);
	}
	pthread_mutex_unlock(&t->mutex);
}

/* Ages flows out.  An idle host's workers end up with nothing to age, and
 * then the thread sleeps for good. */
static void
tidy(struct thread *t)
{
	uint64_t now, next = UINT64_MAX;

	if (t->tidy_at == UINT64_MAX)
		return;
	now = thread_now();
	if (now < t->tidy_at)
		return;
	for (size_t i = 0; i < t->n_workers; i++) {
		uint64_t at = vsw_worker_idle(t->workers[i], now);

		if (at < next)
			next = at;
	}
	if (next != UINT64_MAX && next < now + TIDY_MS * UINT64_C(1000000))
		next = now + TIDY_MS * UINT64_C(1000000);
	t->tidy_at = next;
}

static void
watch_queue(void *errand_)
{
	struct errand *errand = errand_;
	struct thread_queue *queue = errand->queue;
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = queue };

	if (epoll_ctl(errand->thread->epoll_fd, EPOLL_CTL_ADD,
		      vsw_device_fd(queue->device, queue->queue), &event))
		errand->error = -errno;
}

static void
unwatch_queue(void *errand_)
{
	struct errand *errand = errand_;
	struct thread_queue *queue = errand->queue;

	/* Fails if the device has failed before; that is no matter. */
	epoll_ctl(errand->thread->epoll_fd, EPOLL_CTL_DEL,
		  vsw_device_fd(queue->device, queue->queue), NULL);
}

static void
keep_worker(void *errand_)
{
	struct errand *errand = errand_;
	struct thread *t = errand->thread;

	t->workers = xrealloc(t->workers,
			      (t->n_workers + 1) * sizeof *t->workers);
	t->workers[t->n_workers++] = errand->worker;
}

static void
leave_worker(void *errand_)
{
	struct errand *errand = errand_;
	struct thread *t = errand->thread;

	for (size_t i = 0; i < t->n_workers; i++)
		if (t->workers[i] == errand->worker) {
			t->workers[i] = t->workers[--t->n_workers];
			break;
		}
}

static void
stop(void *thread_)
{
	struct thread *t = thread_;

	t->is_stopping = true;
}
