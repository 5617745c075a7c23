/* SPDX-License-Identifier: Apache-2.0 */

/* Buckets chain entries by place.  Locks, in the order in which they may be
 * taken:
 *
 *     shard      a stretch of buckets, and the entries that are in them;
 *     port       its lists, counts and limits    (room.c);
 *     pool       places that are free            (room.c).
 *
 * An entry's hash is written under its shard's lock and is 0 while it is free.
 * Who holds the lock that a hash chooses, and reads that hash in an entry, may
 * read all of it.  Who is to give way is chosen under a port's lock and ended
 * afterwards, under its own shard's: nobody holds two shards.
 *
 * Nothing is timed one by one.  An idle connection is as good as gone from the
 * moment it is due, and a hand that goes through all buckets every 16 seconds
 * takes it away. */

#include "libvswitch/connection/connection.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "libvswitch/base/hash.h"
#include "libvswitch/base/lock.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/connection/ended.h"
#include "libvswitch/connection/listen.h"
#include "libvswitch/connection/room.h"
#include "libvswitch/connection/table.h"

enum {
	N_SHARDS_MAX = 128,
	EXPIRE_BUCKETS = 4096,		/* Of one call. */
	N_TRIES = 4			/* When others take what gave way. */
};

#define S UINT64_C(1000000000)
#define ROUND_NS (16 * S)
#define AGAIN_NS (4 * S)
#define SLACK_NS (UINT64_C(1) << CONNECTION_REFRESH_SHIFT)

static void set_sizes(struct connections *);
static void set_ages(struct connections *);
static struct entry *find(const struct connections *,
			  const struct connection_reference *,
			  const struct connection_packet *);
static struct entry *find_in_bucket(const struct connections *,
				    const struct connection_packet *,
				    uint32_t *ret_place);
static void view_of(const struct entry *, uint32_t place,
		    struct connection_view *);
static void note_now(struct connections *, uint64_t now);
static void advance(struct connections *, struct entry *, uint32_t place,
		    const struct connection_packet *, uint64_t now);
static enum track_event judge(struct entry *, enum track_side,
			      const struct connection_packet *, bool *);
static void set_state(struct connections *, struct entry *, uint32_t place,
		      enum track_state, uint64_t now);
static int take_place(struct connections *, uint32_t port,
		      uint32_t *ret_place);
static bool end_victim(struct connections *, const struct victim *,
		       bool also_settled);
static bool insert(struct connections *, uint32_t place, enum track_state,
		   const struct connection_packet *, uint64_t now,
		   struct connection_view *);
static void fill(struct entry *, enum track_state,
		 const struct connection_packet *, uint64_t now,
		 const struct connection_view *);
static void remove_entry(struct connections *, struct entry *,
			 uint32_t place);
static void tell_end(struct connections *, const struct entry *,
		     uint32_t place);
static void unchain(struct connections *, const struct entry *,
		    uint32_t place);
static void sweep(struct connections *, uint32_t bucket, uint64_t now);

int
connections_new(struct vsw *vsw, struct connections **ret_connections)
{
	const struct vsw_allocator *allocator = &vsw->allocator;
	struct connections *t = memory_alloc(allocator,
					     _Alignof(struct connections),
					     sizeof *t);

	if (!t)
		return -ENOMEM;
	t->vsw = vsw;
	t->secret = hash_secret_of(hash_derive(vsw->seed, 'c'));
	set_sizes(t);
	set_ages(t);
	if (room_init(&t->room, vsw)) {
		memory_free(allocator, t, sizeof *t);
		return -ENOMEM;
	}
	t->buckets = memory_alloc(allocator, 64, ((size_t) t->mask + 1)
						 * sizeof *t->buckets);
	t->shards = memory_alloc(allocator, _Alignof(struct shard),
				 t->n_shards * sizeof *t->shards);
	if (!t->buckets || !t->shards) {
		connections_free(t);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i <= t->mask; i++)
		atomic_init(&t->buckets[i], ROOM_NONE);
	*ret_connections = t;
	return 0;
}

void
connections_free(struct connections *t)
{
	const struct vsw_allocator *allocator;

	if (!t)
		return;
	allocator = &t->vsw->allocator;
	room_done(&t->room);
	ended_done(&t->ended, allocator);
	memory_free(allocator, t->buckets,
		    ((size_t) t->mask + 1) * sizeof *t->buckets);
	memory_free(allocator, t->shards, t->n_shards * sizeof *t->shards);
	memory_free(allocator, t, sizeof *t);
}

uint32_t
connection_hash(const struct connections *t, const struct connection_key *key)
{
	uint32_t hash = hash_short(hash_with(key, sizeof *key, &t->secret));

	return hash ? hash : 1;
}

bool
connection_find(struct connections *t, const struct connection_packet *packet,
		uint64_t now, struct connection_view *ret_view)
{
	struct lock *lock = connections_lock(t, packet->hash);
	uint32_t place;
	struct entry *e;
	bool is_there;

	lock_take(lock);
	e = find_in_bucket(t, packet, &place);
	is_there = e && connections_is_alive(t, e, now)
		   && (!track_begins_anew(e->state, packet->event)
		       || track_is_refused(e->state));
	if (is_there)
		view_of(e, place, ret_view);
	lock_give(lock);
	return is_there;
}

void
connection_fetch(const struct connections *t, uint32_t hash)
{
	__builtin_prefetch(&t->buckets[hash & t->mask], 1);
	__builtin_prefetch(connections_lock(t, hash), 1);
}

void
connection_fetch_more(const struct connections *t, uint32_t hash)
{
	uint32_t place = table_load(&t->buckets[hash & t->mask]);

	if (place != ROOM_NONE)
		__builtin_prefetch(room_entry(&t->room, place));
}

bool
connection_may_be_there(struct connections *t, uint32_t hash)
{
	const _Atomic uint32_t *bucket = &t->buckets[hash & t->mask];
	struct lock *lock = connections_lock(t, hash);
	bool is_there = false;

	if (table_load(bucket) == ROOM_NONE)
		return false;
	/* Who has been refused is asked about when the policy changes again,
	 * and then all flows are decided anew. */
	lock_take(lock);
	for (uint32_t place = table_load(bucket);
	     place != ROOM_NONE && !is_there;) {
		const struct entry *e = room_entry(&t->room, place);

		is_there = table_load(&e->hash) == hash
			   && !track_is_refused(e->state);
		place = e->next;
	}
	lock_give(lock);
	return is_there;
}

enum connection_verdict
connection_see(struct connections *t, const struct connection_reference *at,
	       const struct connection_packet *packet,
	       const struct connection_listener *listener, uint64_t now)
{
	enum connection_verdict verdict = CONNECTION_GONE;
	struct lock *lock = connections_lock(t, packet->hash);
	struct entry *e;

	lock_take(lock);
	e = find(t, at, packet);
	if (!e || !connections_is_alive(t, e, now)
	    || track_is_refused(e->state)) {
		verdict = CONNECTION_GONE;
	} else if (packet->is_related) {
		/* What is said about a connection does not keep it. */
		verdict = CONNECTION_WATCHED;
	} else if (packet->event == TRACK_INVALID) {
		verdict = CONNECTION_INVALID;
	} else if (!track_begins_anew(e->state, packet->event)) {
		advance(t, e, at->place, packet, now);
		verdict = track_is_watched(e->state) || e->log_tag
			  ? CONNECTION_WATCHED : CONNECTION_SETTLED;
		if (e->log_tag)
			tally_add(&t->room, at->place, packet);
		if (verdict == CONNECTION_SETTLED && listener
		    && e->key.proto == IP_PROTO_TCP)
			listen_add(&t->room, t->vsw->ears, at->place,
				   packet->direction & 1, listener);
	}
	lock_give(lock);
	return verdict;
}

int
connection_open(struct connections *t, const struct connection_packet *packet,
		uint64_t now, struct connection_view *view)
{
	enum track_state state = track_start(packet->key.proto,
					     packet->event);
	uint32_t port = packet->key.port;
	struct victim victim;
	uint32_t place;
	int drop;

	if (state == TRACK_NONE)
		return VSW_DROP_CONNECTION_STATE;
	note_now(t, now);
	drop = room_admit(&t->room, port, track_hold(state), now, &victim);
	if (drop != CONNECTION_OPENED)
		return drop;
	end_victim(t, &victim, false);
	drop = take_place(t, port, &place);
	if (drop != CONNECTION_OPENED) {
		room_refuse(&t->room, port);
		room_dismiss(&t->room, port, track_hold(state));
		return drop;
	}
	if (!insert(t, place, state, packet, now, view)) {
		room_put(&t->room, place);
		room_dismiss(&t->room, port, track_hold(state));
		if (track_is_refused(view->state)) {
			room_refuse(&t->room, port);
			return VSW_DROP_CONNECTION_ENDED;
		}
	}
	return CONNECTION_OPENED;
}

void
connection_approve(struct connections *t,
		   const struct connection_packet *packet, uint64_t program,
		   uint32_t layers, uint16_t log_tag, uint64_t now)
{
	struct lock *lock = connections_lock(t, packet->hash);
	struct entry *e;
	uint32_t place;

	lock_take(lock);
	e = find_in_bucket(t, packet, &place);
	if (e) {
		e->program = program & ROOM_PROGRAM_MASK;
		e->layers = layers;
		e->log_tag = log_tag;
		set_state(t, e, place, track_allow(e->state, e->key.proto),
			  now);
	}
	lock_give(lock);
}

void
connection_end(struct connections *t, const struct connection_packet *packet)
{
	struct lock *lock = connections_lock(t, packet->hash);
	struct entry *e;
	uint32_t place;

	lock_take(lock);
	e = find_in_bucket(t, packet, &place);
	if (e)
		remove_entry(t, e, place);
	lock_give(lock);
}

void
connection_refuse(struct connections *t,
		  const struct connection_packet *packet, uint64_t program,
		  uint64_t now)
{
	struct lock *lock = connections_lock(t, packet->hash);
	enum track_state state;
	struct entry *e;
	uint32_t place;

	lock_take(lock);
	e = find_in_bucket(t, packet, &place);
	state = e ? track_refuse(e->state) : TRACK_NONE;
	if (e && state == TRACK_NONE) {
		remove_entry(t, e, place);
	} else if (e) {
		if (state == TRACK_TCP_REFUSED || e->state != state)
			e->used_ns = now;
		/* For those who listen it is over. */
		if (e->log_tag)
			tell_end(t, e, place);
		e->log_tag = 0;
		e->program = program & ROOM_PROGRAM_MASK;
		e->layers = 0;
		set_state(t, e, place, state, now);
	}
	lock_give(lock);
}

uint64_t
connections_expire(struct connections *t, uint64_t now)
{
	struct hand *hand = &t->hand;
	uint64_t n_buckets = (uint64_t) t->mask + 1, n_due, elapsed;

	note_now(t, now);
	if (!connections_n(t))
		return UINT64_MAX;
	if (!lock_try(&hand->lock))
		return now + AGAIN_NS;
	elapsed = now > hand->moved_ns ? now - hand->moved_ns : 0;
	if (elapsed > ROUND_NS) {
		elapsed = ROUND_NS;
		hand->moved_ns = now - ROUND_NS;
	}
	n_due = elapsed * n_buckets / ROUND_NS;
	if (n_due > EXPIRE_BUCKETS)
		n_due = EXPIRE_BUCKETS;
	for (uint64_t i = 0; i < n_due; i++) {
		sweep(t, hand->bucket, now);
		hand->bucket = (hand->bucket + 1) & t->mask;
	}
	/* What is not a whole bucket yet stays in the time. */
	hand->moved_ns += n_due * ROUND_NS / n_buckets;
	lock_give(&hand->lock);
	if (!connections_n(t))
		return UINT64_MAX;
	return n_due == EXPIRE_BUCKETS ? now : now + AGAIN_NS;
}

void
connections_end_port(struct connections *t, uint32_t number)
{
	for (unsigned hold = 0; hold < TRACK_N_HOLDS; hold++) {
		struct victim victim;

		while (room_oldest(&t->room, number, hold, &victim))
			end_victim(t, &victim, true);
	}
	room_forget(&t->room, number);
}

void
connections_limit_port(struct connections *t, uint32_t number, uint32_t max,
		       uint32_t max_half_open, uint32_t max_per_s)
{
	struct room_limits limits = { max, max_half_open, max_per_s };

	room_limit(&t->room, number, &limits);
}

size_t
connections_n(const struct connections *t)
{
	return table_load(&t->room.pool.n_taken);
}

uint64_t
connections_now(const struct connections *t)
{
	return atomic_load_explicit(&t->now, memory_order_relaxed);
}

struct ended_ring *
connections_ended(struct connections *t)
{
	return &t->ended;
}

/* Clocks of workers may differ a little: what was used later than now is
 * used. */
bool
connections_is_alive(const struct connections *t, const struct entry *e,
		     uint64_t now)
{
	uint64_t age = t->age_ns[track_age(e->state)];

	if (!track_is_watched(e->state))
		age += SLACK_NS;
	return now <= e->used_ns || now - e->used_ns < age;
}

/* A bucket for each connection, at least. */
static void
set_sizes(struct connections *t)
{
	t->mask = 1;
	while (t->mask < t->vsw->options.max_connections - 1)
		t->mask = t->mask * 2 + 1;
	t->n_shards = N_SHARDS_MAX;
	if (t->n_shards > t->mask + 1)
		t->n_shards = t->mask + 1;
	while (t->mask >> t->shard_shift >= t->n_shards)
		t->shard_shift++;
}

static void
set_ages(struct connections *t)
{
	const struct vsw_options *options = &t->vsw->options;

	t->age_ns[TRACK_AGE_TCP_HALF_OPEN] = options->tcp_half_open_s * S;
	t->age_ns[TRACK_AGE_TCP_OPEN] = options->tcp_established_s * S;
	t->age_ns[TRACK_AGE_TCP_CLOSING] = options->tcp_closing_s * S;
	t->age_ns[TRACK_AGE_TCP_RESET] = options->tcp_reset_s * S;
	t->age_ns[TRACK_AGE_UDP_SINGLE] = options->udp_single_s * S;
	t->age_ns[TRACK_AGE_UDP_BOTH] = options->udp_s * S;
	t->age_ns[TRACK_AGE_ICMP] = options->icmp_s * S;
	t->age_ns[TRACK_AGE_OTHER] = options->other_s * S;
}

/* Under the shard's lock, as all that look at entries: the packet's, if it is
 * still at this place. */
static struct entry *
find(const struct connections *t, const struct connection_reference *at,
     const struct connection_packet *packet)
{
	struct entry *e;

	if (!room_is_place(&t->room, at->place))
		return NULL;
	e = room_entry(&t->room, at->place);
	return table_load(&e->hash) == packet->hash && e->serial == at->serial
	       && !memcmp(&e->key, &packet->key, sizeof e->key) ? e : NULL;
}

static struct entry *
find_in_bucket(const struct connections *t,
	       const struct connection_packet *packet, uint32_t *ret_place)
{
	uint32_t place = table_load(&t->buckets[packet->hash & t->mask]);

	for (; place != ROOM_NONE; place = room_entry(&t->room, place)->next) {
		struct entry *e = room_entry(&t->room, place);

		if (table_load(&e->hash) != packet->hash
		    || memcmp(&e->key, &packet->key, sizeof e->key))
			continue;
		*ret_place = place;
		return e;
	}
	return NULL;
}

static void
view_of(const struct entry *e, uint32_t place, struct connection_view *view)
{
	view->at.place = place;
	view->at.serial = e->serial;
	view->state = e->state;
	view->direction = e->direction;
	view->layers = e->layers;
	view->log_tag = e->log_tag;
	view->program = e->program;
	view->opener = room_opener(e);
}

/* For those who are not told the time. */
static void
note_now(struct connections *t, uint64_t now)
{
	if (atomic_load_explicit(&t->now, memory_order_relaxed) < now)
		atomic_store_explicit(&t->now, now, memory_order_relaxed);
}

static void
advance(struct connections *t, struct entry *e, uint32_t place,
	const struct connection_packet *packet, uint64_t now)
{
	enum track_side side = e->direction == packet->direction
			       ? TRACK_OPENER : TRACK_OTHER;
	bool is_answer;
	enum track_event event = judge(e, side, packet, &is_answer);

	if (e->used_ns < now)
		e->used_ns = now;
	if (is_answer)
		set_state(t, e, place, track_next(e->state, side,
						  TRACK_FIN_ANSWERED), now);
	set_state(t, e, place, track_next(e->state, side, event), now);
}

static enum track_event
judge(struct entry *e, enum track_side side,
      const struct connection_packet *packet, bool *ret_is_answer)
{
	struct sequence sequence = {
		.next = { e->next_tcp[0], e->next_tcp[1] }, .known = e->known
	};
	enum track_event event = sequence_judge(&sequence, e->state, side,
						packet->event,
						&packet->numbers,
						ret_is_answer);

	e->next_tcp[0] = sequence.next[0];
	e->next_tcp[1] = sequence.next[1];
	e->known = sequence.known & 3;
	return event;
}

static void
set_state(struct connections *t, struct entry *e, uint32_t place,
	  enum track_state state, uint64_t now)
{
	enum track_hold old = track_hold(e->state), hold = track_hold(state);

	if (track_is_watched(state) && !track_is_watched(e->state))
		listen_tell(&t->room, t->vsw->ears, place);
	e->state = (uint8_t) state;
	if (hold != old)
		room_move(&t->room, e->key.port, old, hold, place, now);
}

static int
take_place(struct connections *t, uint32_t port, uint32_t *ret_place)
{
	int error = -ENOSPC;

	for (unsigned n = 0; n < N_TRIES && error; n++) {
		struct victim victim;

		error = room_take(&t->room, ret_place);
		if (!error)
			break;
		if (!room_search(&t->room, port, &victim))
			break;
		end_victim(t, &victim, false);
	}
	return !error ? CONNECTION_OPENED
	       : error == -ENOMEM ? VSW_DROP_NO_MEMORY
	       : VSW_DROP_CONNECTION_LIMIT;
}

/* Unless it has gone already, or has been settled meanwhile. */
static bool
end_victim(struct connections *t, const struct victim *victim,
	   bool also_settled)
{
	bool is_it = false;
	struct lock *lock;
	struct entry *e;

	if (victim->place == ROOM_NONE)
		return false;
	lock = connections_lock(t, victim->hash);
	e = room_entry(&t->room, victim->place);
	lock_take(lock);
	is_it = table_load(&e->hash) == victim->hash
		&& (also_settled || track_hold(e->state) != TRACK_SETTLED);
	if (is_it)
		remove_entry(t, e, victim->place);
	lock_give(lock);
	return is_it;
}

/* False: there is one already, which the packet has joined, unless that is
 * refused to its side. */
static bool
insert(struct connections *t, uint32_t place, enum track_state state,
       const struct connection_packet *packet, uint64_t now,
       struct connection_view *view)
{
	_Atomic uint32_t *bucket = &t->buckets[packet->hash & t->mask];
	struct lock *lock = connections_lock(t, packet->hash);
	struct entry *e;
	uint32_t there;

	lock_take(lock);
	e = find_in_bucket(t, packet, &there);
	if (e && (!connections_is_alive(t, e, now)
		  || track_begins_anew(e->state, packet->event)
		  || (track_is_refused(e->state)
		      && e->direction == packet->direction))) {
		remove_entry(t, e, there);
	} else if (e) {
		if (!track_is_refused(e->state))
			advance(t, e, there, packet, now);
		if (e->log_tag)
			tally_add(&t->room, there, packet);
		view_of(e, there, view);
		lock_give(lock);
		return false;
	}
	e = room_entry(&t->room, place);
	fill(e, state, packet, now, view);
	/* What the last one here left. */
	tally_take(&t->room, place, &(struct tally) { .n_packets = { 0 } });
	if (e->log_tag)
		tally_add(&t->room, place, packet);
	e->next = table_load(bucket);
	atomic_store_explicit(bucket, place, memory_order_relaxed);
	atomic_store_explicit(&e->hash, packet->hash, memory_order_relaxed);
	room_list(&t->room, packet->key.port, track_hold(state), place, now);
	view_of(e, place, view);
	lock_give(lock);
	return true;
}

static void
fill(struct entry *e, enum track_state state,
     const struct connection_packet *packet, uint64_t now,
     const struct connection_view *view)
{
	bool is_answer;

	e->key = packet->key;
	e->state = (uint8_t) state;
	e->direction = packet->direction & 1;
	e->known = e->listens = 0;
	e->serial++;
	judge(e, TRACK_OPENER, packet, &is_answer);
	e->used_ns = e->opened_ns = now;
	e->program = view->program & ROOM_PROGRAM_MASK;
	e->layers = view->layers;
	e->log_tag = view->log_tag;
	room_set_opener(e, &view->opener);
}

/* Under its shard's lock. */
static void
remove_entry(struct connections *t, struct entry *e, uint32_t place)
{
	if (e->log_tag)
		tell_end(t, e, place);
	listen_tell(&t->room, t->vsw->ears, place);
	unchain(t, e, place);
	room_unlist(&t->room, e->key.port, track_hold(e->state), place);
	room_put(&t->room, place);
}

static void
tell_end(struct connections *t, const struct entry *e, uint32_t place)
{
	struct ended ended = {
		.key = e->key, .opener = room_opener(e), .tag = e->log_tag,
		.direction = e->direction, .time_ns = connections_now(t)
	};

	tally_take(&t->room, place, &ended.tally);
	if (ended_put(&t->ended, &t->vsw->allocator, &ended))
		switch_wake(t->vsw);
}

static void
unchain(struct connections *t, const struct entry *e, uint32_t place)
{
	_Atomic uint32_t *bucket = &t->buckets[table_load(&e->hash) & t->mask];
	uint32_t at = table_load(bucket);

	if (at == place) {
		atomic_store_explicit(bucket, e->next, memory_order_relaxed);
		return;
	}
	while (room_entry(&t->room, at)->next != place)
		at = room_entry(&t->room, at)->next;
	room_entry(&t->room, at)->next = e->next;
}

static void
sweep(struct connections *t, uint32_t bucket, uint64_t now)
{
	struct lock *lock = connections_lock(t, bucket);
	uint32_t place;

	if (table_load(&t->buckets[bucket]) == ROOM_NONE)
		return;
	lock_take(lock);
	place = table_load(&t->buckets[bucket]);
	while (place != ROOM_NONE) {
		struct entry *e = room_entry(&t->room, place);
		uint32_t next = e->next;

		if (!connections_is_alive(t, e, now)) {
			/* Who has not been here for so long will look. */
			e->listens = 0;
			remove_entry(t, e, place);
		}
		place = next;
	}
	lock_give(lock);
}
