/* SPDX-License-Identifier: Apache-2.0 */

/* TCP connections through a stateful ACL: opened, closed, and forgotten for new
 * ones, six packets each.
 *
 *     VM  SYN >   < SYN ACK   ACK >   FIN ACK >   < FIN ACK   ACK >
 *
 * There is room for fewer than are opened, so that each one ends another, as
 * on a busy host: flows and connections alike. */

#include <stdlib.h>
#include <string.h>
#include "tests/bench/engine/figure.h"
#include "tests/bench/engine/traffic.h"

enum { BATCH = 32, TCP = 6, FLAGS_AT = 13,
       ROOM = 65536, ROUND_CONNECTIONS = 100000, SHORT_CONNECTIONS = 1000,
       WEIGHED = 262144, ETH = 14, IPV4 = 20, PROTO_AT = 9 };

enum { FIN = 1, SYN = 2, ACK = 16 };

struct ends {
	struct traffic out, in;
	uint64_t next;
};

static void start(struct ends *);
static void set_tcp(struct traffic *);
static double run(struct ends *, uint64_t n);
static double carry(struct traffic *, uint64_t first, uint8_t flags,
		    double now);
static double first_of_flows(void);
static double weigh(void);
static void *allocate(void *size, size_t alignment, size_t n);
static void release(void *size, void *memory, size_t n);

void
connection_figures(void)
{
	static const struct bar rate = AT_LEAST(300000, 600000),
				bytes = AT_MOST(160, 0);
	struct samples rates = { .n = 0 }, slowness = { .n = 0 };
	uint64_t n = figure_is_short ? SHORT_CONNECTIONS : ROUND_CONNECTIONS;
	struct ends ends;

	if (figure_is_wanted("connections_per_s")) {
		start(&ends);
		run(&ends, n);
		for (unsigned i = 0; i < figure_runs(); i++) {
			samples_add(&slowness, traffic_slowness());
			samples_add(&rates, 1e9 / run(&ends, n));
		}
		figure_print_scaled(samples_median(&rates), "1/s", &rate,
				    samples_median(&slowness),
				    "connections_per_s");
		scene_free(ends.out.scene);
	}
	if (figure_is_wanted("first_packet_stateful"))
		figure_print(first_of_flows(), "ns", NULL,
			     "first_packet_stateful");
	if (figure_is_wanted("bytes_per_connection"))
		figure_print(weigh(), "bytes", &bytes, "bytes_per_connection");
}

static void
start(struct ends *ends)
{
	struct scene_options options;
	struct scene *s;

	scene_options_init(&options);
	options.max_flows = 2 * ROOM;
	options.max_connections = ROOM;
	options.proto = TCP;
	s = scene_new(&options);
	traffic_init(&ends->out, s, WAY_ENCAP, UINT32_MAX);
	traffic_init(&ends->in, s, WAY_DECAP, UINT32_MAX);
	set_tcp(&ends->out);
	set_tcp(&ends->in);
	ends->next = 0;
}

/* What is there as UDP has as many bytes behind its IP header as this wants. */
static void
set_tcp(struct traffic *t)
{
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *ip = t->frames[i] + t->inner_at + ETH;
		uint8_t *tcp = ip + IPV4;

		ip[PROTO_AT] = TCP;
		memset(tcp, 0, t->size - (size_t) (tcp - t->frames[i]));
		tcp[FLAGS_AT - 1] = 5 << 4;
	}
}

/* Nanoseconds for each of 'n'. */
static double
run(struct ends *ends, uint64_t n)
{
	double now = ends->out.now, spent = 0;

	for (uint64_t i = 0; i < n; i += BATCH) {
		spent += carry(&ends->out, ends->next, SYN, now + spent);
		spent += carry(&ends->in, ends->next, SYN | ACK, now + spent);
		spent += carry(&ends->out, ends->next, ACK, now + spent);
		spent += carry(&ends->out, ends->next, FIN | ACK,
			       now + spent);
		spent += carry(&ends->in, ends->next, FIN | ACK, now + spent);
		spent += carry(&ends->out, ends->next, ACK, now + spent);
		ends->next += BATCH;
	}
	ends->out.now += spent;
	return spent / (double) n;
}

static double
carry(struct traffic *t, uint64_t first, uint8_t flags, double now)
{
	size_t flags_at = t->inner_at + ETH + IPV4 + FLAGS_AT;
	uint64_t *n_sent = &t->scene->sent[vsw_worker_index(t->worker)].n;
	uint64_t sent = *n_sent, start, end;
	struct vsw_packet *packets[BATCH];

	for (unsigned i = 0; i < BATCH; i++) {
		uint8_t *data;

		packets[i] = vsw_packet_new(t->worker, t->size);
		if (!packets[i])
			abort();
		data = vsw_packet_data(packets[i]);
		traffic_write(t, first + i, data);
		data[flags_at] = flags;
	}
	start = figure_ticks();
	vsw_worker_receive(t->worker, t->port, packets, BATCH,
			   (uint64_t) now);
	end = figure_ticks();
	must(*n_sent - sent == BATCH ? 0 : -1, "packets are missing");
	return (double) (end - start) / figure_ticks_per_ns();
}

/* Of UDP: a flow, and half a connection. */
static double
first_of_flows(void)
{
	uint32_t n = figure_is_short ? SHORT_CONNECTIONS : ROUND_CONNECTIONS;
	struct samples ns = { .n = 0 };
	struct scene_options options;
	struct traffic traffic;

	scene_options_init(&options);
	options.max_flows = options.max_connections = RUNS * n;
	traffic_init(&traffic, scene_new(&options), WAY_ENCAP, n);
	traffic.is_in_order = true;
	for (unsigned i = 0; i < figure_runs(); i++) {
		traffic.next = 0;
		samples_add(&ns, traffic_carry(&traffic, NULL, n));
		traffic.first += n;
	}
	scene_free(traffic.scene);
	return samples_median(&ns);
}

/* All that the switch has more of its allocator, with as many as there may
 * be. */
static double
weigh(void)
{
	uint32_t n = figure_is_short ? SHORT_CONNECTIONS : WEIGHED;
	struct scene_options options;
	struct vsw_allocator allocator;
	size_t sizes[2];

	for (unsigned i = 0; i < 2; i++) {
		size_t size = 0;
		struct traffic t;

		allocator = (struct vsw_allocator) { allocate, release,
						     &size };
		scene_options_init(&options);
		options.allocator = &allocator;
		options.max_flows = n;
		options.max_connections = i ? n : 0;
		traffic_init(&t, scene_new(&options), WAY_ENCAP, n);
		t.is_in_order = true;
		traffic_carry(&t, NULL, n);
		sizes[i] = size;
		scene_free(t.scene);
	}
	return (double) (sizes[1] - sizes[0]) / n;
}

static void *
allocate(void *size, size_t alignment, size_t n)
{
	void *memory;

	if (posix_memalign(&memory, alignment < sizeof(void *)
			   ? sizeof(void *) : alignment, n))
		return NULL;
	*(size_t *) size += n;
	return memory;
}

static void
release(void *size, void *memory, size_t n)
{
	*(size_t *) size -= n;
	free(memory);
}
