/* SPDX-License-Identifier: Apache-2.0 */

#ifndef UNIT_CONNECTION_RIG_H
#define UNIT_CONNECTION_RIG_H 1

/* A table of connections by itself, and packets for it that are all from
 * 10.1.1.1 to 10.1.1.2 and differ by a number. */

#include <check.h>
#include <errno.h>
#include "libvswitch/base/ear.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/connection/connection.h"
#include "tests/unit/policy_rig.h"

enum { N_PORTS = 5, MAX = 600, MAX_PORT = 400, MAX_HALF_OPEN = 100,
       RATE = 5000, TCP = 6, UDP = 17, ICMP = 1 };

#define S UINT64_C(1000000000)

static struct rig_memory memory;
static struct vsw vsw;
static struct connections *table;
static struct ear ears[2];

static inline void
make(uint32_t max, uint32_t rate)
{
	memory = (struct rig_memory) { 0 };
	memset(&vsw, 0, sizeof vsw);
	vsw.allocator = rig_allocator(&memory);
	vsw.seed = 42;
	vsw.ears = ears;
	memset(ears, 0, sizeof ears);
	vsw.options.max_ports = N_PORTS;
	vsw.options.max_connections = max;
	vsw.options.max_port_connections = MAX_PORT;
	vsw.options.max_port_half_open = MAX_HALF_OPEN;
	vsw.options.max_port_connections_per_s = rate;
	vsw.options.tcp_half_open_s = 60;
	vsw.options.tcp_established_s = 7440;
	vsw.options.tcp_closing_s = 120;
	vsw.options.tcp_reset_s = 10;
	vsw.options.udp_single_s = 30;
	vsw.options.udp_s = 300;
	vsw.options.icmp_s = 61;
	vsw.options.other_s = 600;
	ck_assert_int_eq(connections_new(&vsw, &table), 0);
}

static inline void
unmake(void)
{
	connections_free(table);
	ck_assert_uint_eq(memory.n_live, 0);
	ck_assert_uint_eq(memory.n_bytes, 0);
}

static inline struct connection_packet
packet(uint32_t port, uint32_t n, uint8_t proto, enum vsw_direction direction,
       enum track_event event)
{
	struct connection_packet p = {
		.key = { .local = { 10, 1, 1, 1 },
			 .remote = { 10, 1, 1, 2 }, .port = port,
			 .local_port = (uint16_t) n,
			 .remote_port = (uint16_t) (n >> 16),
			 .proto = proto, .family = 4 },
		.direction = (uint8_t) direction, .event = (uint8_t) event
	};

	p.hash = connection_hash(table, &p.key);
	return p;
}

/* Flags of the flows of two workers. */
enum { N_FLOWS = 4 };
static _Atomic uint8_t flags[2][N_FLOWS * EAR_STRIDE];

static inline void
listen(void)
{
	memset(flags, 0, sizeof flags);
	for (unsigned i = 0; i < 2; i++)
		ear_open(&ears[i], flags[i]);
}

static inline int
open_one(const struct connection_packet *p, uint64_t now,
	 struct connection_reference *ret_at)
{
	struct connection_view view = { .program = 7, .layers = 5 };
	int drop = connection_open(table, p, now, &view);

	if (ret_at)
		*ret_at = view.at;
	return drop;
}

static inline int
open_tcp(uint32_t port, uint32_t n, uint64_t now)
{
	struct connection_packet p = packet(port, n, TCP, VSW_OUT, TRACK_SYN);

	return open_one(&p, now, NULL);
}

/* The packet's connection, wherever it is. */
static inline enum connection_verdict
see(const struct connection_packet *p, uint64_t now)
{
	struct connection_view view;

	return connection_find(table, p, now, &view)
	       ? connection_see(table, &view.at, p, NULL, now)
	       : CONNECTION_GONE;
}

static inline enum connection_verdict
see_tcp(uint32_t port, uint32_t n, enum vsw_direction direction,
	enum track_event event, uint64_t now)
{
	struct connection_packet p = packet(port, n, TCP, direction, event);

	return see(&p, now);
}

static inline void
establish(uint32_t port, uint32_t n, uint64_t now)
{
	ck_assert_int_eq(open_tcp(port, n, now), CONNECTION_OPENED);
	ck_assert_int_eq(see_tcp(port, n, VSW_IN, TRACK_SYN_ACK, now),
			 CONNECTION_WATCHED);
	ck_assert_int_eq(see_tcp(port, n, VSW_OUT, TRACK_PLAIN, now),
			 CONNECTION_SETTLED);
}

static inline bool
is_there(uint32_t port, uint32_t n, uint64_t now)
{
	struct connection_packet p = packet(port, n, TCP, VSW_IN,
					    TRACK_PLAIN);
	struct connection_view view;

	return connection_find(table, &p, now, &view);
}

static inline struct vsw_port_counters
counters(uint32_t port)
{
	struct vsw_port_counters c = { .size = sizeof c };

	connections_count(table, port, &c);
	return c;
}

#endif /* unit/connection_rig.h */
