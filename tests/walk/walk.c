/* SPDX-License-Identifier: Apache-2.0 */

/* Reads walks and takes a switch through them.  README.md describes the
 * language.
 *
 *     walk FILE.walk... */

#include "tests/walk/walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 65536, MAX_SAID = 256 };

static struct {
	char *lines[MAX_SAID];
	size_t n, at;
} said;

static void walk_file(const char *path);
static bool read_line(FILE *, char *line, unsigned *number);
static void step(struct walk *, char *line);
static void stop(struct walk *);
static void *get(void *ctx, size_t alignment, size_t size);
static void put(void *ctx, void *memory, size_t size);
static void transmit(void *ctx, struct vsw_worker *,
		     struct vsw_packet *const packets[], size_t n);
static void do_port(struct walk *);
static void do_remove(struct walk *);
static void do_time(struct walk *);
static void do_receive(struct walk *, bool is_more);
static void do_either(struct walk *);
static void do_sent(struct walk *, struct thing *port, bool is_punt);
static bool is_expected(const struct frame *, const struct sent *);
static void do_dropped(struct walk *);
static void do_counters(struct walk *);
static void do_flows(struct walk *);
static void say_nothing(void);
static void do_flow(struct walk *);
static void do_connections(struct walk *);
static void do_explain(struct walk *);
static void do_says(struct walk *);
static void do_ends(struct walk *);
static void expect_nothing_left(struct walk *);
static void forget(struct sent *);
static struct vsw_packet *packet_of(struct walk *, const struct frame *);
static void make(struct walk *, const char *text, struct frame *);
static void print_sent(const struct sent *);

int
main(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++)
		walk_file(argv[i]);
	if (argc < 2) {
		fprintf(stderr, "usage: walk FILE...\n");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

void
walk_fail(struct walk *w, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", w->file, w->line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

const char *
walk_word(struct walk *w)
{
	char *word = w->word;

	if (!word)
		walk_fail(w, "something is missing at the end");
	w->word = strtok_r(NULL, " \t", &w->save);
	return word;
}

bool
walk_eat(struct walk *w, const char *word)
{
	if (!w->word || strcmp(w->word, word))
		return false;
	walk_word(w);
	return true;
}

long
walk_number(struct walk *w)
{
	const char *word = walk_word(w);
	char *end;
	long n = strtol(word, &end, 0);

	if (*end)
		walk_fail(w, "\"%s\" is no number", word);
	return n;
}

/* The tokenizer has ended the current word with a NUL, which goes again. */
const char *
walk_rest(struct walk *w)
{
	char *word = w->word;

	if (!word)
		walk_fail(w, "something is missing at the end");
	if (w->save && *w->save)
		w->save[-1] = ' ';
	w->word = NULL;
	return word;
}

struct vsw *
walk_switch(struct walk *w)
{
	if (w->vsw)
		return w->vsw;
	if (vsw_new(&w->options, &w->vsw)
	    || vsw_worker_new(w->vsw, &w->worker))
		walk_fail(w, "no switch");
	return w->vsw;
}

struct thing *
walk_new(struct walk *w)
{
	struct thing *thing = &w->things[w->n_things];

	if (w->n_things == WALK_NAMES)
		walk_fail(w, "too many names");
	*thing = (struct thing) { .walk = w };
	thing->seen.size = sizeof thing->seen;
	snprintf(thing->name, sizeof thing->name, "%s", walk_word(w));
	w->n_things++;
	return thing;
}

/* The newest of that name. */
struct thing *
walk_find(struct walk *w)
{
	const char *name = walk_word(w);

	for (size_t i = w->n_things; i-- > 0;)
		if (!strcmp(w->things[i].name, name))
			return &w->things[i];
	walk_fail(w, "there is no \"%s\"", name);
}

static void
walk_file(const char *path)
{
	static struct walk w;
	static char line[MAX_LINE];
	FILE *file = fopen(path, "r");

	w = (struct walk) { .file = path, .now = UINT64_C(1000000000000) };
	vsw_options_init(&w.options);
	w.options.hash_seed = 1;
	w.options.allocator = (struct vsw_allocator) { get, put, &w };
	if (!file)
		walk_fail(&w, "cannot be read");
	while (read_line(file, line, &w.line))
		step(&w, line);
	fclose(file);
	expect_nothing_left(&w);
	stop(&w);
	if (w.n_live)
		walk_fail(&w, "%lu pieces of memory are left", w.n_live);
	if (!w.n_checks)
		walk_fail(&w, "nothing was checked");
	printf("%s: %u checks\n", path, w.n_checks);
}

/* One statement: a line, without comment, and with the lines that go on with
 * a backslash. */
static bool
read_line(FILE *file, char *line, unsigned *number)
{
	size_t at = 0;

	while (fgets(line + at, (int) (MAX_LINE - at), file)) {
		char *hash = strstr(line + at, "#");

		++*number;
		if (hash)
			*hash = '\0';
		at += strcspn(line + at, "\n");
		line[at] = '\0';
		if (!at || line[at - 1] != '\\')
			return true;
		line[at - 1] = ' ';
	}
	return false;
}

static void
step(struct walk *w, char *line)
{
	const char *statement;

	w->word = strtok_r(line, " \t", &w->save);
	if (!w->word)
		return;
	statement = walk_word(w);
	if (walk_policy(w, statement))
		;
	else if (!strcmp(statement, "port"))
		do_port(w);
	else if (!strcmp(statement, "remove"))
		do_remove(w);
	else if (!strcmp(statement, "time"))
		do_time(w);
	else if (!strcmp(statement, "idle"))
		(void) vsw_worker_idle(w->worker, w->now);
	else if (!strcmp(statement, "memory"))
		w->fail_at = walk_eat(w, "ok") ? 0
			     : w->n_calls + (unsigned long) walk_number(w);
	else if (!strcmp(statement, "receive"))
		do_receive(w, false);
	else if (!strcmp(statement, "receive_more"))
		do_receive(w, true);
	else if (!strcmp(statement, "sent"))
		do_sent(w, walk_find(w), false);
	else if (!strcmp(statement, "punted"))
		do_sent(w, walk_find(w), true);
	else if (!strcmp(statement, "either"))
		do_either(w);
	else if (!strcmp(statement, "same"))
		do_sent(w, w->chosen, false);
	else if (!strcmp(statement, "dropped"))
		do_dropped(w);
	else if (!strcmp(statement, "counters"))
		do_counters(w);
	else if (!strcmp(statement, "flows"))
		do_flows(w);
	else if (!strcmp(statement, "flow"))
		do_flow(w);
	else if (!strcmp(statement, "connections"))
		do_connections(w);
	else if (!strcmp(statement, "explain"))
		do_explain(w);
	else if (!strcmp(statement, "says"))
		do_says(w);
	else if (!strcmp(statement, "ends"))
		do_ends(w);
	else
		walk_fail(w, "no statement \"%s\"", statement);
	if (w->word)
		walk_fail(w, "\"%s\" is too much", w->word);
}

static void
stop(struct walk *w)
{
	walk_seal(w);
	for (size_t i = 0; i < w->n_things; i++)
		vsw_port_remove(w->things[i].port);
	for (size_t i = w->n_things; i-- > 0;) {
		vsw_program_unref(w->things[i].program);
		vsw_group_unref(w->things[i].group);
		vsw_set_unref(w->things[i].set);
		vsw_mapping_unref(w->things[i].mapping);
		vsw_domain_unref(w->things[i].domain);
	}
	vsw_worker_free(w->worker);
	vsw_free(w->vsw);
	while (said.n)
		free(said.lines[--said.n]);
}

static void *
get(void *ctx, size_t alignment, size_t size)
{
	struct walk *w = ctx;
	void *p = NULL;

	w->n_calls++;
	if (w->fail_at && w->n_calls >= w->fail_at)
		return NULL;
	if (alignment < sizeof(void *))
		alignment = sizeof(void *);
	if (posix_memalign(&p, alignment, size))
		abort();
	w->n_live++;
	return p;
}

static void
put(void *ctx, void *memory, size_t size)
{
	struct walk *w = ctx;

	(void) size;
	if (memory)
		w->n_live--;
	free(memory);
}

/* Keeps copies, so that the packets can be freed at once. */
static void
transmit(void *ctx, struct vsw_worker *worker,
	 struct vsw_packet *const packets[], size_t n)
{
	struct thing *port = ctx;

	for (size_t i = 0; i < n; i++) {
		struct vsw_packet *p = packets[i];
		struct sent *sent;

		if (port->n_sent >= port->queue) {
			vsw_port_count_drops(port->port, worker,
					     VSW_DROP_DEVICE_FULL, 1);
			vsw_packet_free(p);
			continue;
		}
		sent = calloc(1, sizeof *sent);
		sent->size = vsw_packet_size(p);
		sent->bytes = malloc(sent->size + 1);
		memcpy(sent->bytes, vsw_packet_data(p), sent->size);
		sent->offload = *vsw_packet_offload(p);
		sent->tunnel = *vsw_packet_tunnel(p);
		sent->in_port = vsw_packet_in_port(p);
		sent->reason = vsw_packet_punt(p, &sent->vni);
		sent->mtu = sent->reason ? vsw_packet_punt_mtu(p) : 0;
		*port->last_sent = sent;
		port->last_sent = &sent->next;
		port->n_sent++;
		vsw_packet_free(p);
	}
}

/* port NAME [ABILITY...] [queue N]. */
static void
do_port(struct walk *w)
{
	static const struct {
		const char *name;
		uint32_t ability;
	} abilities[] = {
		{ "checksum", VSW_PORT_CHECKSUM }, { "tso4", VSW_PORT_TSO4 },
		{ "tso6", VSW_PORT_TSO6 }, { "uso", VSW_PORT_USO },
		{ "tunnel", VSW_PORT_TUNNEL }, { "punt", VSW_PORT_PUNT },
	};
	struct vsw_port_ops ops = { .size = sizeof ops,
				    .transmit = transmit };
	struct thing *thing = walk_new(w);

	thing->queue = SIZE_MAX;
	thing->last_sent = &thing->sent;
	while (w->word) {
		size_t i = 0;

		if (walk_eat(w, "queue")) {
			thing->queue = (size_t) walk_number(w);
			continue;
		}
		while (i < sizeof abilities / sizeof abilities[0]
		       && !walk_eat(w, abilities[i].name))
			i++;
		if (i == sizeof abilities / sizeof abilities[0])
			walk_fail(w, "no ability \"%s\"", w->word);
		ops.abilities |= abilities[i].ability;
	}
	if (vsw_port_add(walk_switch(w), thing->name, &ops, thing,
			 &thing->port))
		walk_fail(w, "port cannot be added");
}

static void
do_remove(struct walk *w)
{
	struct thing *thing = walk_find(w);

	vsw_port_remove(thing->port);
	thing->port = NULL;
}

static void
do_time(struct walk *w)
{
	uint64_t n = (uint64_t) walk_number(w);

	if (walk_eat(w, "s"))
		n *= 1000000000;
	else if (walk_eat(w, "ms"))
		n *= 1000000;
	else if (walk_eat(w, "us"))
		n *= 1000;
	else
		walk_fail(w, "s, ms or us?");
	w->now += n;
}

/* receive PORT [xN] FRAME: N copies in one batch; all that came of the last
 * one must have been named. */
static void
do_receive(struct walk *w, bool is_more)
{
	static struct frame frame;
	struct vsw_packet *packets[256];
	struct thing *port = walk_find(w);
	size_t n = 1;

	if (!is_more)
		expect_nothing_left(w);
	if (w->word && w->word[0] == 'x')
		n = strtoul(walk_word(w) + 1, NULL, 10);
	if (n > 256)
		walk_fail(w, "at most x256");
	make(w, walk_rest(w), &frame);
	for (size_t i = 0; i < n; i++)
		packets[i] = packet_of(w, &frame);
	vsw_worker_receive(w->worker, port->port, packets, n, w->now);
}

/* either PORT PORT [xN] FRAME: all to the same one of the two. */
static void
do_either(struct walk *w)
{
	struct thing *a = walk_find(w), *b = walk_find(w);

	w->chosen = a->sent ? a : b;
	do_sent(w, w->chosen, false);
}

/* sent PORT [xN] FRAME.
 * punted PORT from PORT reason N [vni N] [mtu N] [xN] FRAME.
 * A frame with a segment size or a partial sum is only as expected if the
 * packet had it too. */
static void
do_sent(struct walk *w, struct thing *port, bool is_punt)
{
	static struct frame frame;
	struct thing *from = NULL;
	uint32_t reason = 0, vni = 0, mtu = 0;
	size_t n = 1;
	char problem[160];

	if (is_punt) {
		if (!walk_eat(w, "from"))
			walk_fail(w, "punted from where?");
		from = walk_find(w);
		if (!walk_eat(w, "reason"))
			walk_fail(w, "punted for what reason?");
		reason = (uint32_t) walk_number(w);
		if (walk_eat(w, "vni"))
			vni = (uint32_t) walk_number(w);
		if (walk_eat(w, "mtu"))
			mtu = (uint32_t) walk_number(w);
	}
	if (w->word && w->word[0] == 'x')
		n = strtoul(walk_word(w) + 1, NULL, 10);
	make(w, walk_rest(w), &frame);
	for (; n > 0; n--) {
		struct sent *sent = port->sent;

		if (!sent)
			walk_fail(w, "nothing was sent to %s", port->name);
		if (!is_expected(&frame, sent)) {
			print_sent(sent);
			walk_fail(w, "another packet was sent to %s",
				  port->name);
		}
		if (!is_punt && !frame_is_sound(sent->bytes, sent->size,
						&sent->offload, problem,
						sizeof problem))
			walk_fail(w, "what was sent: %s", problem);
		if (is_punt && (sent->in_port != from->port
				|| sent->reason != reason
				|| sent->vni != vni || sent->mtu != mtu))
			walk_fail(w, "punted from %s, reason %u, vni %u, "
				  "mtu %u", vsw_port_name(sent->in_port),
				  sent->reason, sent->vni, sent->mtu);
		port->sent = sent->next;
		if (!port->sent)
			port->last_sent = &port->sent;
		port->n_sent--;
		forget(sent);
		w->n_checks++;
	}
}

static bool
is_expected(const struct frame *frame, const struct sent *sent)
{
	const struct vsw_tunnel *want = &frame->tunnel, *got = &sent->tunnel;

	return frame_matches(frame, sent->bytes, sent->size)
	       && sent->offload.segment_size == frame->offload.segment_size
	       && (sent->offload.checksum == VSW_CHECKSUM_PARTIAL)
		  == (frame->offload.checksum == VSW_CHECKSUM_PARTIAL)
	       && got->encap == want->encap
	       && (!want->encap
		   || (got->vni == want->vni && got->tos == want->tos
		       && !memcmp(&got->dst, &want->dst, sizeof got->dst)));
}

/* dropped PORT NAME [N]. */
static void
do_dropped(struct walk *w)
{
	struct vsw_port_counters now = { .size = sizeof now };
	struct thing *port = walk_find(w);
	const char *name = walk_word(w);
	uint64_t n = w->word ? (uint64_t) walk_number(w) : 1;

	vsw_port_get_counters(port->port, &now);
	for (unsigned i = 0; i < VSW_N_DROPS; i++) {
		if (strcmp(name, vsw_drop_name((enum vsw_drop) i)))
			continue;
		if (now.drops[i] - port->seen.drops[i] != n)
			walk_fail(w, "%llu dropped",
				  (unsigned long long) (now.drops[i]
					- port->seen.drops[i]));
		port->seen.drops[i] = now.drops[i];
		w->n_checks++;
		return;
	}
	walk_fail(w, "no drop \"%s\"", name);
}

/* counters PORT NAME N ... */
static void
do_counters(struct walk *w)
{
	struct vsw_port_counters c = { .size = sizeof c };
	struct thing *port = walk_find(w);

	vsw_port_get_counters(port->port, &c);
	while (w->word) {
		const struct {
			const char *name;
			uint64_t n;
		} all[] = {
			{ "received", c.packets_received },
			{ "bytes_received", c.bytes_received },
			{ "sent", c.packets_sent },
			{ "bytes_sent", c.bytes_sent },
			{ "hit", c.flows_hit }, { "missed", c.flows_missed },
			{ "stale", c.flows_stale }, { "punts", c.punts },
			{ "connections", c.connections },
			{ "opened", c.connections_opened },
			{ "refused", c.connections_refused },
		};
		const char *name = walk_word(w);
		uint64_t n = (uint64_t) walk_number(w);
		size_t i = 0;

		while (i < sizeof all / sizeof all[0]
		       && strcmp(all[i].name, name))
			i++;
		if (i == sizeof all / sizeof all[0])
			walk_fail(w, "no counter \"%s\"", name);
		if (all[i].n != n)
			walk_fail(w, "%s: %llu", name,
				  (unsigned long long) all[i].n);
		w->n_checks++;
	}
}

static void
count_flow(void *ctx, const struct vsw_flow_info *info)
{
	(void) ctx;
	(void) info;
}

/* flows [PORT] N. */
static void
do_flows(struct walk *w)
{
	struct vsw_port *port = NULL;
	size_t n, there;

	if (w->word && (w->word[0] < '0' || w->word[0] > '9'))
		port = walk_find(w)->port;
	n = (size_t) walk_number(w);
	there = vsw_worker_flows(w->worker, port, w->now, 0, count_flow, w);
	if (there != n)
		walk_fail(w, "%zu flows", there);
	w->n_checks++;
}

static void
hear_flow(void *ctx, const struct vsw_flow_info *info)
{
	char line[1024];

	(void) ctx;
	snprintf(line, sizeof line, "%s -> %s, %llu packets", info->key,
		 info->rewrite, (unsigned long long) info->n_packets);
	if (said.n < MAX_SAID)
		said.lines[said.n++] = strdup(line);
}

static void
say_nothing(void)
{
	while (said.n)
		free(said.lines[--said.n]);
	said.at = 0;
}

/* flow PORT: its flows are what "says" asks after. */
static void
do_flow(struct walk *w)
{
	say_nothing();
	vsw_worker_flows(w->worker, walk_find(w)->port, w->now, MAX_SAID,
			 hear_flow, w);
}

static void
hear_connection(void *ctx, const struct vsw_connection_info *info)
{
	const char *way = info->direction == VSW_OUT ? "out" : "in";
	char line[256];

	(void) ctx;
	snprintf(line, sizeof line, "%s %s %s proto %u, %u-%u, vni %u, "
		 "layers %x", vsw_port_name(info->port), way, info->state,
		 info->ip_proto, info->local_port, info->remote_port,
		 info->vni, info->layers);
	if (said.n < MAX_SAID)
		said.lines[said.n++] = strdup(line);
}

/* connections [PORT] N: they are also what "says" asks after. */
static void
do_connections(struct walk *w)
{
	struct vsw_port *port = NULL;
	size_t n, there;

	say_nothing();
	if (w->word && (w->word[0] < '0' || w->word[0] > '9'))
		port = walk_find(w)->port;
	n = (size_t) walk_number(w);
	there = vsw_connections(w->vsw, port, w->now, MAX_SAID,
				hear_connection, w);
	if (there != n)
		walk_fail(w, "%zu connections", there);
	w->n_checks++;
}

static void
hear(void *ctx, const struct vsw_step *step)
{
	char line[600];

	(void) ctx;
	vsw_step_format(step, line, sizeof line);
	if (said.n < MAX_SAID)
		said.lines[said.n++] = strdup(line);
}

/* explain PORT FRAME. */
static void
do_explain(struct walk *w)
{
	static struct frame frame;
	struct vsw_explain_options options = { .size = sizeof options };
	struct thing *port = walk_find(w);

	expect_nothing_left(w);
	say_nothing();
	make(w, walk_rest(w), &frame);
	if (frame.tunnel.encap)
		options.tunnel = &frame.tunnel;
	if (vsw_explain(port->port, frame.bytes, frame.size, &options, hear,
			w))
		walk_fail(w, "no explanation");
	expect_nothing_left(w);
}

/* says TEXT: a line with this text follows what was asked after last. */
static void
do_says(struct walk *w)
{
	const char *text = walk_rest(w);

	for (; said.at < said.n; said.at++)
		if (strstr(said.lines[said.at], text)) {
			said.at++;
			w->n_checks++;
			return;
		}
	for (size_t i = 0; i < said.n; i++)
		fprintf(stderr, "  %s\n", said.lines[i]);
	walk_fail(w, "it does not say \"%s\"", text);
}

static void
do_ends(struct walk *w)
{
	const char *text = walk_rest(w);

	if (said.n && strstr(said.lines[said.n - 1], text)) {
		w->n_checks++;
		return;
	}
	for (size_t i = 0; i < said.n; i++)
		fprintf(stderr, "  %s\n", said.lines[i]);
	walk_fail(w, "it does not end with \"%s\"", text);
}

/* What was sent or dropped, and no line said so. */
static void
expect_nothing_left(struct walk *w)
{
	for (size_t i = 0; i < w->n_things; i++) {
		struct vsw_port_counters now = { .size = sizeof now };
		struct thing *thing = &w->things[i];

		if (thing->sent) {
			print_sent(thing->sent);
			walk_fail(w, "sent to %s, and not expected",
				  thing->name);
		}
		if (!thing->port)
			continue;
		vsw_port_get_counters(thing->port, &now);
		for (unsigned d = 0; d < VSW_N_DROPS; d++)
			if (now.drops[d] != thing->seen.drops[d])
				walk_fail(w, "%s dropped %s, and not"
					  " expected", thing->name,
					  vsw_drop_name((enum vsw_drop) d));
	}
}

static void
forget(struct sent *sent)
{
	free(sent->bytes);
	free(sent);
}

static struct vsw_packet *
packet_of(struct walk *w, const struct frame *frame)
{
	struct vsw_packet *p = vsw_packet_new(w->worker, frame->size);

	if (!p)
		walk_fail(w, "no packet");
	memcpy(vsw_packet_data(p), frame->bytes, frame->size);
	*vsw_packet_offload(p) = frame->offload;
	*vsw_packet_tunnel(p) = frame->tunnel;
	return p;
}

static void
make(struct walk *w, const char *text, struct frame *frame)
{
	if (!frame_make(text, frame))
		walk_fail(w, "%s", frame->problem);
}

static void
print_sent(const struct sent *sent)
{
	fprintf(stderr, "%zu bytes, segment size %u, checksum %u, tunnel %u"
		" vni %u tos %u:", sent->size, sent->offload.segment_size,
		sent->offload.checksum, sent->tunnel.encap, sent->tunnel.vni,
		sent->tunnel.tos);
	for (size_t i = 0; i < sent->size && i < 160; i++)
		fprintf(stderr, "%s%02x", i % 16 ? " " : "\n  ",
			sent->bytes[i]);
	fputc('\n', stderr);
}
