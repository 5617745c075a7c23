/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal_sync.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/memory.h"

enum { GATHER_MAX_NS = 4000000 };

/* The thread and [control] share everything, under the mutex. */
struct journal_sync {
	pthread_mutex_t mutex;
	pthread_cond_t work;		/* For the thread, */
	pthread_cond_t rest;		/* and for who waits for it. */
	pthread_t thread;
	bool has_thread, is_over;

	int fd, event_fd;
	uint64_t wanted, done;		/* Numbers. */
	uint32_t n_wanted;		/* Wishes not being fulfilled yet. */
	uint32_t n_expected;		/* Worth waiting for. */
	int64_t gather_until_ns;
	bool is_idle;			/* The thread waits for wishes, */
	bool is_gathering;		/* or for more of them, */
	bool is_busy;			/* or for the disk. */
	bool is_dropped;		/* That file, */
	int dropped_fd;			/* which is to be closed. */
	bool is_urgent;			/* Somebody waits for it. */
	struct journal_synced news;
	_Atomic bool has_news;		/* So that asking is cheap. */
};

static void start_thread(struct journal_sync *);
static void *work(void *sync);
static bool gather(struct journal_sync *);
static void fulfil(struct journal_sync *);
static void tell(struct journal_sync *);
static int64_t now_ns(void);

struct journal_sync *
journal_sync_new(void)
{
	struct journal_sync *sync = xcalloc(1, sizeof *sync);
	pthread_condattr_t monotonic;

	pthread_mutex_init(&sync->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&sync->work, &monotonic);
	pthread_cond_init(&sync->rest, &monotonic);
	pthread_condattr_destroy(&monotonic);
	sync->fd = sync->event_fd = sync->dropped_fd = -1;
	return sync;
}

void
journal_sync_free(struct journal_sync *sync)
{
	if (!sync)
		return;
	pthread_mutex_lock(&sync->mutex);
	sync->is_over = true;
	pthread_cond_signal(&sync->work);
	pthread_mutex_unlock(&sync->mutex);
	if (sync->has_thread)
		pthread_join(sync->thread, NULL);
	pthread_cond_destroy(&sync->work);
	pthread_cond_destroy(&sync->rest);
	pthread_mutex_destroy(&sync->mutex);
	free(sync);
}

void
journal_sync_set_wake(struct journal_sync *sync, int event_fd)
{
	pthread_mutex_lock(&sync->mutex);
	sync->event_fd = event_fd;
	if (sync->has_news)
		tell(sync);
	pthread_mutex_unlock(&sync->mutex);
}

void
journal_sync_want(struct journal_sync *sync, int fd, uint64_t number)
{
	pthread_mutex_lock(&sync->mutex);
	sync->fd = fd;
	sync->wanted = number;
	sync->n_wanted++;
	if (!sync->has_thread)
		start_thread(sync);
	if (!sync->has_thread)
		fulfil(sync);
	else if (sync->is_idle || (sync->is_gathering
				   && sync->n_wanted >= sync->n_expected))
		pthread_cond_signal(&sync->work);
	pthread_mutex_unlock(&sync->mutex);
}

void
journal_sync_drop(struct journal_sync *sync, int fd)
{
	pthread_mutex_lock(&sync->mutex);
	if (sync->n_wanted)
		tell(sync);
	sync->done = sync->wanted;
	sync->n_wanted = 0;
	sync->fd = -1;
	/* One that is dropped already is what is being worked on; this one is
	 * not. */
	if (sync->is_busy && !sync->is_dropped) {
		sync->is_dropped = true;
		sync->dropped_fd = fd;
		fd = -1;
	}
	sync->news.problem = 0;
	pthread_mutex_unlock(&sync->mutex);
	if (fd >= 0)
		close(fd);
}

bool
journal_sync_take(struct journal_sync *sync, struct journal_synced *ret_news)
{
	if (!sync->has_news)
		return false;
	pthread_mutex_lock(&sync->mutex);
	*ret_news = sync->news;
	sync->news = (struct journal_synced) { .problem = 0 };
	sync->has_news = false;
	if (ret_news->problem) {
		sync->wanted = sync->done;
		sync->n_wanted = 0;
	}
	pthread_mutex_unlock(&sync->mutex);
	return true;
}

void
journal_sync_wait(struct journal_sync *sync)
{
	pthread_mutex_lock(&sync->mutex);
	sync->is_urgent = true;
	pthread_cond_signal(&sync->work);
	while (sync->has_thread && !sync->news.problem
	       && sync->done < sync->wanted)
		pthread_cond_wait(&sync->rest, &sync->mutex);
	sync->is_urgent = false;
	pthread_mutex_unlock(&sync->mutex);
}

/* Signals are the main thread's.  Where there can be no thread, the work is
 * done all the same. */
static void
start_thread(struct journal_sync *sync)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	sync->has_thread = !pthread_create(&sync->thread, NULL, work, sync);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void *
work(void *sync_)
{
	struct journal_sync *sync = sync_;

	pthread_mutex_lock(&sync->mutex);
	while (gather(sync))
		fulfil(sync);
	pthread_mutex_unlock(&sync->mutex);
	return NULL;
}

/* Waits for something to do; false: for the end. */
static bool
gather(struct journal_sync *sync)
{
	const struct timespec until = {
		.tv_sec = (time_t) (sync->gather_until_ns / 1000000000),
		.tv_nsec = (long) (sync->gather_until_ns % 1000000000),
	};

	while (!sync->is_over
	       && (sync->news.problem || sync->wanted == sync->done)) {
		sync->is_idle = true;
		pthread_cond_wait(&sync->work, &sync->mutex);
		sync->is_idle = false;
	}
	sync->is_gathering = true;
	while (!sync->is_over && !sync->is_urgent
	       && sync->n_wanted < sync->n_expected
	       && pthread_cond_timedwait(&sync->work, &sync->mutex, &until)
		  != ETIMEDOUT)
		continue;
	sync->is_gathering = false;
	return !sync->is_over;
}

/* What was wanted may have been dropped before it comes to that. */
static void
fulfil(struct journal_sync *sync)
{
	uint64_t number = sync->wanted;
	uint32_t n = sync->n_wanted;
	int64_t took_ns = now_ns();
	int problem, fd = sync->fd;

	if (sync->done == number)
		return;
	sync->n_wanted = 0;
	sync->is_busy = true;
	pthread_mutex_unlock(&sync->mutex);
	problem = fdatasync(fd) < 0 ? -errno : 0;
	pthread_mutex_lock(&sync->mutex);
	sync->is_busy = false;
	took_ns = now_ns() - took_ns;
	if (sync->is_dropped)
		close(sync->dropped_fd);
	else if (problem)
		sync->news.problem = problem;
	else
		sync->done = sync->news.number = number;
	sync->is_dropped = false;
	sync->news.n_syncs++;
	sync->n_expected = n + sync->n_wanted;
	sync->gather_until_ns = now_ns() + (took_ns < GATHER_MAX_NS
					    ? took_ns : GATHER_MAX_NS);
	sync->has_news = true;
	tell(sync);
	pthread_cond_broadcast(&sync->rest);
}

static void
tell(struct journal_sync *sync)
{
	const uint64_t one = 1;
	ssize_t n = 0;

	if (sync->event_fd >= 0)
		n = write(sync->event_fd, &one, sizeof one);
	(void) n;
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}
