/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal_ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/pages.h"

enum {
	SMALL_FILE = 1 << 20,	/* Bytes: not worth a thread. */
	N_BLOCKS = 2,		/* One is read while another one is used. */
	BLOCK_RECORDS = 256,
	BLOCK_SIZE = 1 << 20	/* Of bodies, and then some. */
};

struct record {
	enum journal_read_result result;
	struct ovsdb_error *error;
	size_t start;		/* Of the body, in the block's room; */
	bool has_body;		/* or it is not there. */
	int64_t body_size, offset;
	char sha1[JOURNAL_SHA1_TEXT_SIZE];
};

/* One after the other they are the thread's, until they are full, and
 * [control]'s, until they have been used. */
struct block {
	char *room;
	size_t room_size, used;
	struct record records[BLOCK_RECORDS];
	size_t n, n_used;
	bool is_full;		/* Under the mutex. */
};

struct journal_ahead {
	struct journal_reader *reader;	/* The caller's. */
	bool has_thread;
	struct block *current;		/* Of 'blocks', [control]'s. */

	/* The thread's. */
	struct journal_reader own;
	struct block blocks[N_BLOCKS];

	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_waiting;	/* The stream is somebody else's, or at its
				 * end. */
	bool is_over;
};

static bool start_thread(struct journal_ahead *);
static void *work(void *ahead);
static bool is_my_turn(struct journal_ahead *, const struct block *);
static bool read_block(struct journal_ahead *, struct block *);
static void add_body(struct block *, const char *body, size_t size);
static void use_up(struct journal_ahead *);
static struct block *after(struct journal_ahead *, const struct block *);

struct journal_ahead *
journal_ahead_new(struct journal_reader *reader)
{
	struct journal_ahead *ahead = xcalloc(1, sizeof *ahead);

	ahead->reader = reader;
	/* There is nothing in it, but the thread does not begin with it. */
	ahead->current = &ahead->blocks[N_BLOCKS - 1];
	ahead->current->is_full = true;
	if (reader->size - reader->offset >= SMALL_FILE)
		ahead->has_thread = start_thread(ahead);
	return ahead;
}

void
journal_ahead_free(struct journal_ahead *ahead)
{
	if (!ahead)
		return;
	if (ahead->has_thread) {
		pthread_mutex_lock(&ahead->mutex);
		ahead->is_over = true;
		pthread_cond_signal(&ahead->changed);
		pthread_mutex_unlock(&ahead->mutex);
		pthread_join(ahead->thread, NULL);
		pthread_cond_destroy(&ahead->changed);
		pthread_mutex_destroy(&ahead->mutex);
	}
	for (size_t i = 0; i < N_BLOCKS; i++) {
		struct block *block = &ahead->blocks[i];

		for (; block->n_used < block->n; block->n_used++)
			ovsdb_error_free(block->records[block->n_used].error);
		pages_resize(block->room, block->room_size, 0);
	}
	if (ahead->has_thread)
		ahead->reader->body = NULL;
	journal_read_done(&ahead->own);
	free(ahead);
}

enum journal_read_result
journal_ahead_next(struct journal_ahead *ahead, struct ovsdb_error **ret_error)
{
	struct journal_reader *reader = ahead->reader;
	const struct record *record;

	if (!ahead->has_thread)
		return journal_read(reader, ret_error);
	if (ahead->current->n_used == ahead->current->n)
		use_up(ahead);
	record = &ahead->current->records[ahead->current->n_used++];
	reader->body = record->has_body ? ahead->current->room + record->start
					: NULL;
	reader->body_size = record->body_size;
	reader->offset = record->offset;
	memcpy(reader->sha1, record->sha1, sizeof reader->sha1);
	if (record->error)
		*ret_error = record->error;
	return record->result;
}

/* Signals are for the main thread. */
static bool
start_thread(struct journal_ahead *ahead)
{
	sigset_t all, before;
	int failed;

	ahead->own = *ahead->reader;
	ahead->own.digest = NULL;
	ahead->own.body = ahead->own.room = NULL;
	ahead->own.room_size = 0;
	pthread_mutex_init(&ahead->mutex, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&ahead->thread, NULL, work, ahead);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!failed)
		return true;
	pthread_cond_destroy(&ahead->changed);
	pthread_mutex_destroy(&ahead->mutex);
	return false;
}

static void *
work(void *ahead_)
{
	struct journal_ahead *ahead = ahead_;
	struct block *block = ahead->blocks;

	pthread_mutex_lock(&ahead->mutex);
	while (is_my_turn(ahead, block)) {
		bool goes_on;

		pthread_mutex_unlock(&ahead->mutex);
		goes_on = read_block(ahead, block);
		pthread_mutex_lock(&ahead->mutex);
		block->is_full = true;
		ahead->is_waiting = !goes_on;
		pthread_cond_signal(&ahead->changed);
		block = after(ahead, block);
	}
	pthread_mutex_unlock(&ahead->mutex);
	return NULL;
}

/* Waits for it; false: it is over. */
static bool
is_my_turn(struct journal_ahead *ahead, const struct block *block)
{
	while (!ahead->is_over && (block->is_full || ahead->is_waiting))
		pthread_cond_wait(&ahead->changed, &ahead->mutex);
	return !ahead->is_over;
}

/* Returns false if the stream is to be left alone. */
static bool
read_block(struct journal_ahead *ahead, struct block *block)
{
	struct journal_reader *own = &ahead->own;

	for (block->n = block->n_used = block->used = 0;
	     block->n < BLOCK_RECORDS && block->used < BLOCK_SIZE;) {
		struct record *record = &block->records[block->n++];

		record->error = NULL;
		record->result = journal_read(own, &record->error);
		record->has_body = own->body;
		record->body_size = own->body_size;
		record->offset = own->offset;
		memcpy(record->sha1, own->sha1, sizeof record->sha1);
		if (record->result != JOURNAL_READ_RECORD || !own->body)
			return false;
		record->start = block->used;
		add_body(block, own->body, own->body_size);
	}
	return true;
}

static void
add_body(struct block *block, const char *body, size_t size)
{
	size_t needed = block->used + size, new_size;

	if (!block->room || needed > block->room_size) {
		new_size = needed < BLOCK_SIZE ? BLOCK_SIZE : needed;
		block->room = pages_resize(block->room, block->room_size,
					   new_size);
		block->room_size = new_size;
	}
	memcpy(block->room + block->used, body, size);
	block->used = needed;
}

/* Goes on to the next block. */
static void
use_up(struct journal_ahead *ahead)
{
	struct block *next = after(ahead, ahead->current);

	pthread_mutex_lock(&ahead->mutex);
	ahead->current->is_full = false;
	if (!next->is_full)
		ahead->is_waiting = false;
	pthread_cond_signal(&ahead->changed);
	while (!next->is_full)
		pthread_cond_wait(&ahead->changed, &ahead->mutex);
	pthread_mutex_unlock(&ahead->mutex);
	ahead->current = next;
}

static struct block *
after(struct journal_ahead *ahead, const struct block *block)
{
	size_t i = block - ahead->blocks;

	return &ahead->blocks[(i + 1) % N_BLOCKS];
}
