/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/server/client.h"
#include "agent/ovsdb/store/row.h"

enum {
	MAX_IDLE = 64,			/* Ranges without rows in one go. */
	AHEAD = 8,			/* Rows that are fetched meanwhile. */
	MAX_WORDS = 256 << 10		/* Bytes, but for one row. */
};

/* A view, on its way through its table. */
struct pass {
	struct view *view;
	const struct table *table;
	unsigned bits;			/* It has 2^bits ranges. */
	uint32_t start;			/* The first one. */
};

struct stream {
	struct source source;
	struct list link;		/* In snapshots.streams, */
	struct list client_link;	/* and in client.streams. */
	struct snapshots *snapshots;	/* NULL: it is over. */
	struct client *client;
	struct pin *pin;
	int64_t deadline_ms;
	struct encoding glue;		/* Goes before the next chunk. */
	struct text *chunk;		/* Goes next. */
	struct pin_rows rest;		/* Of a range that makes too many */
	size_t n_rest_done;		/* words for one chunk. */
	char *tail;
	bool is_open, is_first;		/* Of the tables shown. */
	size_t n_passes, pass;		/* Of which this is under way, */
	uint64_t n_ranges;		/* and so many of its ranges done. */
	struct pass passes[];
};

/* The words of a view for a range. */
struct chunk {
	struct list link;		/* In snapshots.chunks, */
	struct list slot_link;		/* and in a slot. */
	struct view *view;
	unsigned bits;
	uint32_t range;
	uint32_t from, to;		/* Epochs. */
	struct text *text;
};

static struct stream *stream_new(struct snapshots *, struct client *,
				 struct view *const views[], size_t n_views);
static void follow(struct stream *);
static bool has_same_views(const struct stream *, const struct stream *);
static struct text *next(struct source *);
static void close_table(struct stream *);
static void glue_table(struct stream *);
static struct text *take_glue(struct stream *);
static struct text *finish(struct stream *);
static void stream_free(struct source *);
static void end(struct stream *);
static struct text *obtain_chunk(struct stream *, const struct pass *);
static struct text *find_chunk(struct stream *, const struct pass *,
			       uint32_t range, uint32_t changed);
static struct list *slot_of(struct snapshots *, const struct view *,
			    uint32_t range);
static struct text *make_chunk(struct stream *, const struct pass *,
			       uint32_t range, bool *ret_is_whole);
static struct text *continue_chunk(struct stream *, const struct pass *);
static struct text *say_rows(struct stream *, const struct pass *,
			     const struct pin_rows *, size_t *done);
static void fetch(const struct view *, const struct row *);
static void remember(struct stream *, const struct pass *, uint32_t range,
		     uint32_t changed, struct text *);
static void forget(struct snapshots *, struct chunk *);
static void forget_all(struct snapshots *);
static bool is_burden(const struct snapshots *);
static struct stream *oldest(const struct snapshots *);

/* Never freed: there is a reference of ours. */
static struct text nothing = { 1, 0, "" };

void
snapshot_init(struct snapshots *snapshots, struct database *database,
	      struct server_counters *counters)
{
	*snapshots = (struct snapshots) {
		.database = database, .counters = counters,
	};
	list_init(&snapshots->streams);
	list_init(&snapshots->chunks);
	for (size_t i = 0; i < SNAPSHOT_SLOTS; i++)
		list_init(&snapshots->slots[i]);
}

void
snapshot_done(struct snapshots *snapshots)
{
	while (!list_is_empty(&snapshots->streams)) {
		struct stream *stream = oldest(snapshots);
		struct client *client = stream->client;

		end(stream);
		if (client->ops->dismiss)
			client->ops->dismiss(client->ctx);
	}
	pin_rows_done(&snapshots->rows);
	encode_done(&snapshots->words);
}

void
snapshot_send(struct snapshots *snapshots, struct client *client,
	      struct view *const views[], size_t n_views, const char *head,
	      const char *tail)
{
	struct stream *stream = stream_new(snapshots, client, views, n_views);

	encode_text(&stream->glue, head);
	stream->tail = xstrdup(tail);
	snapshots->counters->n_snapshots++;
	client_send_source(client, &stream->source);
	if (snapshots->n_streams && client->server->wake)
		client->server->wake(client->server->wake_ctx);
}

void
snapshot_run(struct snapshots *snapshots, int64_t now_ms)
{
	while (snapshot_deadline(snapshots) <= now_ms) {
		struct stream *stream = oldest(snapshots);
		struct client *client = stream->client;

		end(stream);
		snapshots->counters->n_lagging_clients++;
		if (client->ops->give_up)
			client->ops->give_up(client->ctx);
	}
}

int64_t
snapshot_deadline(const struct snapshots *snapshots)
{
	if (!snapshots->n_streams)
		return INT64_MAX;
	if (is_burden(snapshots))
		return INT64_MIN;
	return oldest(snapshots)->deadline_ms;
}

void
snapshot_drop(struct client *client)
{
	while (!list_is_empty(&client->streams))
		end(LIST_ENTRY(client->streams.next, struct stream,
			       client_link));
}

static struct stream *
stream_new(struct snapshots *snapshots, struct client *client,
	   struct view *const views[], size_t n_views)
{
	const struct server *server = client->server;
	struct stream *stream
		= xcalloc(1, sizeof *stream
			     + n_views * sizeof *stream->passes);

	stream->source = (struct source) { .next = next, .free = stream_free };
	stream->snapshots = snapshots;
	stream->client = client;
	stream->pin = pin_take(snapshots->database);
	stream->deadline_ms = server->now_ms + server->limits.snapshot_ms;
	stream->is_first = true;
	for (size_t i = 0; i < n_views; i++) {
		struct pass *pass = &stream->passes[stream->n_passes];
		struct table *table;

		if (!(views[i]->select & SELECT_INITIAL))
			continue;
		table = database_table_at(snapshots->database,
					  views[i]->table->index);
		pass->view = view_ref(views[i]);
		pass->table = table;
		pass->bits = pin_bits(table);
		pin_watch(table, pass->bits);
		stream->n_passes++;
	}
	follow(stream);
	list_append(&snapshots->streams, &stream->link);
	list_append(&client->streams, &stream->client_link);
	snapshots->n_streams++;
	snapshots->counters->n_streams++;
	return stream;
}

/* Begins where the last one is that looks at the same. */
static void
follow(struct stream *stream)
{
	const struct list *head = &stream->snapshots->streams, *link;

	for (link = head->prev; link != head; link = link->prev) {
		const struct stream *other = LIST_ENTRY(link, struct stream,
							link);
		const struct pass *at;
		uint64_t range;

		if (!has_same_views(stream, other)
		    || other->pass == other->n_passes)
			continue;
		at = &other->passes[other->pass];
		range = (at->start + other->n_ranges)
			& ((UINT64_C(1) << at->bits) - 1);
		for (size_t i = 0; i < stream->n_passes; i++) {
			struct pass *pass = &stream->passes[i];

			*pass = (struct pass) {
				.view = other->passes[(other->pass + i)
						      % other->n_passes].view,
			};
			pass->table = database_table_at(
				stream->snapshots->database,
				pass->view->table->index);
			pass->bits = pin_bits(pass->table);
		}
		stream->passes[0].start
			= (range << stream->passes[0].bits) >> at->bits;
		return;
	}
}

static bool
has_same_views(const struct stream *a, const struct stream *b)
{
	if (a->n_passes != b->n_passes)
		return false;
	for (size_t i = 0; i < a->n_passes; i++) {
		size_t j = 0;

		while (j < b->n_passes
		       && a->passes[i].view != b->passes[j].view)
			j++;
		if (j == b->n_passes)
			return false;
	}
	return true;
}

static struct text *
next(struct source *source)
{
	struct stream *stream = (struct stream *) source;
	struct text *chunk = stream->chunk;

	stream->chunk = NULL;
	if (chunk || !stream->snapshots)
		return chunk;
	for (int i = 0; i < MAX_IDLE; i++) {
		const struct pass *pass = &stream->passes[stream->pass];

		if (stream->pass == stream->n_passes)
			return finish(stream);
		if (stream->n_ranges >> pass->bits && !stream->rest.n) {
			close_table(stream);
			continue;
		}
		chunk = stream->rest.n ? continue_chunk(stream, pass)
				       : obtain_chunk(stream, pass);
		if (chunk->size) {
			glue_table(stream);
			stream->chunk = chunk;
			return take_glue(stream);
		}
		text_unref(chunk);
	}
	return text_ref(&nothing);
}

static void
close_table(struct stream *stream)
{
	if (stream->is_open)
		encode_text(&stream->glue, "}");
	stream->is_open = false;
	stream->n_ranges = 0;
	stream->pass++;
}

static void
glue_table(struct stream *stream)
{
	const char *name = stream->passes[stream->pass].view->table->name;

	if (stream->is_open || !stream->is_first)
		encode_text(&stream->glue, ",");
	if (stream->is_open)
		return;
	encode_string(&stream->glue, name, strlen(name));
	encode_text(&stream->glue, ":{");
	stream->is_open = true;
	stream->is_first = false;
}

static struct text *
take_glue(struct stream *stream)
{
	struct text *text = text_copy(stream->glue.bytes, stream->glue.n);

	stream->glue.n = 0;
	return text;
}

static struct text *
finish(struct stream *stream)
{
	struct text *text;

	encode_text(&stream->glue, stream->tail);
	text = take_glue(stream);
	end(stream);
	return text;
}

static void
stream_free(struct source *source)
{
	struct stream *stream = (struct stream *) source;

	end(stream);
	encode_done(&stream->glue);
	free(stream->tail);
	free(stream);
}

/* Lets go of everything but the source itself, which is the client's. */
static void
end(struct stream *stream)
{
	struct snapshots *snapshots = stream->snapshots;
	struct server *server;

	if (!snapshots)
		return;
	server = stream->client->server;
	stream->snapshots = NULL;
	list_remove(&stream->link);
	list_remove(&stream->client_link);
	snapshots->n_streams--;
	snapshots->counters->n_streams--;
	if (!snapshots->n_streams)
		forget_all(snapshots);
	for (size_t i = 0; i < stream->n_passes; i++)
		view_unref(stream->passes[i].view);
	text_unref(stream->chunk);
	stream->chunk = NULL;
	pin_rows_done(&stream->rest);
	pin_release(stream->pin);
	if (pin_has_garbage(snapshots->database) && server->wake)
		server->wake(server->wake_ctx);
}

static struct text *
obtain_chunk(struct stream *stream, const struct pass *pass)
{
	const uint32_t last = (UINT64_C(1) << pass->bits) - 1;
	uint32_t range = (pass->start + stream->n_ranges++) & last;
	struct snapshots *snapshots = stream->snapshots;
	const struct pins *pins = snapshots->database->pins;
	uint32_t changed = pin_changed(pass->table, pass->bits, range);
	struct text *text;
	bool is_whole;

	if (snapshots->n_renumbered != pins->n_renumbered)
		forget_all(snapshots);
	snapshots->n_renumbered = pins->n_renumbered;
	text = find_chunk(stream, pass, range, changed);
	if (text)
		return text;
	text = make_chunk(stream, pass, range, &is_whole);
	if (snapshots->n_streams > 1 && is_whole)
		remember(stream, pass, range, changed, text);
	return text;
}

/* What was made at one epoch is right at another unless the range has changed
 * in between. */
static struct text *
find_chunk(struct stream *stream, const struct pass *pass, uint32_t range,
	   uint32_t changed)
{
	struct list *head = slot_of(stream->snapshots, pass->view, range);
	uint32_t epoch = stream->pin->epoch;
	struct list *link;

	for (link = head->next; link != head; link = link->next) {
		struct chunk *chunk = LIST_ENTRY(link, struct chunk,
						 slot_link);

		if (chunk->view != pass->view || chunk->range != range
		    || chunk->bits != pass->bits || epoch < chunk->from
		    || (epoch > chunk->to && changed > chunk->to))
			continue;
		if (epoch > chunk->to)
			chunk->to = epoch;
		list_remove(&chunk->link);
		list_append(&stream->snapshots->chunks, &chunk->link);
		stream->snapshots->counters->n_shared_chunks++;
		return text_ref(chunk->text);
	}
	return NULL;
}

/* Streams that share are not far from each other. */
static struct list *
slot_of(struct snapshots *snapshots, const struct view *view, uint32_t range)
{
	size_t i = range + (uintptr_t) view / sizeof *view;

	return &snapshots->slots[i % SNAPSHOT_SLOTS];
}

static struct text *
make_chunk(struct stream *stream, const struct pass *pass, uint32_t range,
	   bool *ret_is_whole)
{
	struct pin_rows *rows = &stream->snapshots->rows;
	struct text *text;
	size_t done = 0;

	rows->n = 0;
	pin_read(stream->pin, pass->table, pass->bits, range, rows);
	text = say_rows(stream, pass, rows, &done);
	*ret_is_whole = done == rows->n;
	if (!*ret_is_whole) {
		stream->rest = *rows;
		stream->n_rest_done = done;
		*rows = (struct pin_rows) { 0 };
	}
	return text;
}

static struct text *
continue_chunk(struct stream *stream, const struct pass *pass)
{
	struct text *text = say_rows(stream, pass, &stream->rest,
				     &stream->n_rest_done);

	if (stream->n_rest_done == stream->rest.n)
		pin_rows_done(&stream->rest);
	return text;
}

/* As many as make a chunk, behind those that are done. */
static struct text *
say_rows(struct stream *stream, const struct pass *pass,
	 const struct pin_rows *rows, size_t *done)
{
	struct encoding *words = &stream->snapshots->words;

	words->n = 0;
	for (; *done < rows->n && words->n < MAX_WORDS; ++*done) {
		size_t before = words->n;

		if (*done + AHEAD < rows->n)
			fetch(pass->view, rows->rows[*done + AHEAD]);
		if (before)
			encode_bytes(words, ",", 1);
		if (!view_encode_row(pass->view, rows->rows[*done], words))
			words->n = before;
	}
	stream->snapshots->counters->n_chunks++;
	return words->n ? text_copy(words->bytes, words->n)
			: text_ref(&nothing);
}

/* Strings have memory of their own, which takes its time to come. */
static void
fetch(const struct view *view, const struct row *row)
{
	for (size_t i = 0; i < view->n_columns; i++) {
		const struct column *column = view->columns[i].column;
		const struct datum *datum;
		struct datum room;

		if (column->type.key.type != ATOM_STRING)
			continue;
		datum = row_datum(row, column, &room);
		if (datum->n == 1 && !datum->is_map)
			__builtin_prefetch(datum->one.string);
	}
}

static void
remember(struct stream *stream, const struct pass *pass, uint32_t range,
	 uint32_t changed, struct text *text)
{
	struct snapshots *snapshots = stream->snapshots;
	uint32_t epoch = stream->pin->epoch;
	struct chunk *chunk = xmalloc(sizeof *chunk);

	*chunk = (struct chunk) {
		.view = view_ref(pass->view), .bits = pass->bits,
		.range = range, .from = changed <= epoch ? changed : epoch,
		.to = epoch, .text = text_ref(text),
	};
	list_append(&snapshots->chunks, &chunk->link);
	list_append(slot_of(snapshots, pass->view, range), &chunk->slot_link);
	snapshots->size += sizeof *chunk + text->size;
	while (snapshots->size > SNAPSHOT_CACHE_SIZE)
		forget(snapshots, LIST_ENTRY(snapshots->chunks.next,
					     struct chunk, link));
}

static void
forget(struct snapshots *snapshots, struct chunk *chunk)
{
	snapshots->size -= sizeof *chunk + chunk->text->size;
	list_remove(&chunk->link);
	list_remove(&chunk->slot_link);
	view_unref(chunk->view);
	text_unref(chunk->text);
	free(chunk);
}

static void
forget_all(struct snapshots *snapshots)
{
	while (!list_is_empty(&snapshots->chunks))
		forget(snapshots, LIST_ENTRY(snapshots->chunks.next,
					     struct chunk, link));
}

/* Is too much kept for the oldest stream?  Not if it is for somebody else, or
 * if it is being freed already. */
static bool
is_burden(const struct snapshots *snapshots)
{
	const struct stream *stream = oldest(snapshots);
	const struct pins *pins = snapshots->database->pins;

	return pins->kept_size > stream->client->server->limits.kept_size
	       && pins->held.next == &stream->pin->link
	       && !pin_has_garbage(snapshots->database);
}

static struct stream *
oldest(const struct snapshots *snapshots)
{
	return LIST_ENTRY(snapshots->streams.next, struct stream, link);
}
