/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/{worker,transmit}.c: what a worker is, and how
 * packets leave it. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/datapath/flow.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"
#include "tests/unit/policy_rig.h"
#include "tests/walk/frame.h"

enum { MAX_SENT = 4096 };

/* A port that writes down what it is given. */
struct sink {
	struct vsw_port *port;
	unsigned n_sent, n_calls;
	size_t most;			/* In one call. */
	uint32_t ids[MAX_SENT];		/* IPv4 identification. */
	struct vsw_port *answer_on;	/* Sends each packet back in there, */
	unsigned n_answers;		/* so many times. */
};

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_worker *worker;
static struct sink ears[3];		/* 0: "vm", the source. */
static struct frame frame;

static void
hear(void *ctx, struct vsw_worker *w, struct vsw_packet *const packets[],
     size_t n)
{
	struct sink *ear = ctx;

	ear->n_calls++;
	if (n > ear->most)
		ear->most = n;
	for (size_t i = 0; i < n; i++) {
		struct vsw_packet *p = packets[i];

		if (ear->n_sent < MAX_SENT)
			ear->ids[ear->n_sent++] =
				(uint32_t) (p->data[18] << 8 | p->data[19]);
		if (ear->n_answers) {
			ear->n_answers--;
			vsw_worker_receive(w, ear->answer_on, &p, 1, 5);
		} else {
			vsw_packet_free(p);
		}
	}
}

/* "vm" and two more; MAC 2 is behind the first, 3 behind the second, and
 * broadcast goes to both of them. */
static void
setup(void)
{
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = hear };
	struct vsw_location places[2] = { { .size = sizeof *places },
					  { .size = sizeof *places } };
	static const char *const names[] = { "vm", "a", "b" };
	uint8_t mac[6] = { 2 };
	struct vsw_domain *domain;
	struct vsw_mapping *mapping;
	struct vsw_group *group;
	struct vsw_program *program;
	struct vsw_layer *layer;
	char problem[160];

	memory = (struct rig_memory) { 0 };
	memset(ears, 0, sizeof ears);
	vsw = rig_switch(&memory);
	ck_assert_int_eq(vsw_worker_new(vsw, &worker), 0);
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "m", 1, &mapping), 0);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(vsw_port_add(vsw, names[i], &ops, &ears[i],
					      &ears[i].port), 0);
		places[i ? i - 1 : 0].port = ears[i].port;
		mac[5] = (uint8_t) (i + 1);
		ck_assert_int_eq(vsw_mapping_set_mac(
			mapping, mac, &places[i ? i - 1 : 0], 1), 0);
	}
	ck_assert_int_eq(vsw_mapping_set_flood(mapping, places, 2, false), 0);
	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	vsw_rule_encap(vsw_group_add_rule(group, 1, NULL), mapping);
	ck_assert_int_eq(vsw_group_seal(group, problem, sizeof problem), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	layer = vsw_program_add_layer(program, "l");
	vsw_layer_add_group(layer, VSW_OUT, group);
	ck_assert_int_eq(vsw_program_seal(program, problem, sizeof problem),
			 0);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(vsw_port_set_program(ears[i].port, program),
				 0);
	vsw_program_unref(program);
	vsw_group_unref(group);
	vsw_mapping_unref(mapping);
	vsw_domain_unref(domain);
}

static void
teardown(void)
{
	for (unsigned i = 0; i < 3; i++)
		vsw_port_remove(ears[i].port);
	ck_assert_uint_eq(packet_pool_n_used(worker->pool), 0);
	vsw_worker_free(worker);
	vsw_worker_free(NULL);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
	ck_assert_uint_eq(memory.n_bytes, 0);
}

static struct vsw_packet *
packet_of(const char *text)
{
	struct vsw_packet *p;

	frame_must_make(&frame, "%s", text);
	p = vsw_packet_new(worker, frame.size);
	memcpy(p->data, frame.bytes, frame.size);
	p->offload = frame.offload;
	return p;
}

static uint64_t
drops(const struct sink *ear, enum vsw_drop drop)
{
	struct vsw_port_counters counters = { .size = sizeof counters };

	vsw_port_get_counters(ear->port, &counters);
	return counters.drops[drop];
}

START_TEST(takes_the_lowest_place)
{
	struct vsw_worker *more[4];

	ck_assert_uint_eq(vsw_worker_index(worker), 0);
	for (unsigned i = 1; i < 4; i++) {
		ck_assert_int_eq(vsw_worker_new(vsw, &more[i]), 0);
		ck_assert_uint_eq(vsw_worker_index(more[i]), i);
	}
	ck_assert_int_eq(vsw_worker_new(vsw, &more[0]), -ENOSPC);
	vsw_worker_free(more[2]);
	ck_assert_int_eq(vsw_worker_new(vsw, &more[2]), 0);
	ck_assert_uint_eq(vsw_worker_index(more[2]), 2);
	for (unsigned i = 1; i < 4; i++)
		vsw_worker_free(more[i]);
}
END_TEST

START_TEST(is_made_whole_or_not_at_all)
{
	unsigned n = 0;

	for (;; n++) {
		struct vsw_worker *w = NULL;
		unsigned long n_live = memory.n_live;
		int error;

		memory.fail_at = memory.n_calls + 1 + n;
		error = vsw_worker_new(vsw, &w);
		memory.fail_at = 0;
		if (!error) {
			vsw_worker_free(w);
			break;
		}
		ck_assert_int_eq(error, -ENOMEM);
		ck_assert_ptr_null(w);
		ck_assert_uint_eq(memory.n_live, n_live);
	}
	ck_assert_uint_gt(n, 5);
}
END_TEST

/* Any number at once, in order, at most 64 in a call. */
START_TEST(keeps_order)
{
	struct vsw_packet *packets[300];
	char text[120];

	for (unsigned i = 0; i < 300; i++) {
		snprintf(text, sizeof text, "eth 1>%u ip 1.1.1.1>2.2.2.2"
			 " id %u udp %u>7", 2 + i % 3 / 2, i, i % 5);
		packets[i] = packet_of(text);
	}
	vsw_worker_receive(worker, ears[0].port, packets, 300, 5);
	vsw_worker_receive(worker, ears[0].port, packets, 0, 5);
	ck_assert_uint_eq(ears[1].n_sent, 200);
	ck_assert_uint_eq(ears[2].n_sent, 100);
	for (unsigned e = 1; e < 3; e++) {
		for (unsigned i = 1; i < ears[e].n_sent; i++)
			ck_assert_uint_lt(ears[e].ids[i - 1],
					  ears[e].ids[i]);
		/* One call for each batch of 32. */
		ck_assert_uint_eq(ears[e].n_calls, 10);
	}
}
END_TEST

START_TEST(sends_many_copies_and_segments)
{
	struct vsw_packet *packets[32];

	for (unsigned i = 0; i < 32; i++) {
		packets[i] = packet_of("segments 100 eth 1>broadcast"
				       " ip 1.1.1.1>2.2.2.2 tcp 1>2 partial"
				       " payload 4000");
		packets[i]->data[18] = (uint8_t) i;	/* IPv4 id. */
	}
	vsw_worker_receive(worker, ears[0].port, packets, 32, 5);
	for (unsigned e = 1; e < 3; e++) {
		ck_assert_uint_eq(ears[e].n_sent, 32 * 40);
		ck_assert_uint_le(ears[e].most, 64);
		for (unsigned i = 0; i < ears[e].n_sent; i++)
			ck_assert_uint_eq(ears[e].ids[i],
					  (i / 40) << 8 | i % 40);
	}
}
END_TEST

/* So many a second, and a second's worth at once; what goes to one place is
 * no storm. */
START_TEST(ends_storms)
{
	struct vsw_port_limits limits = { .size = sizeof limits,
					  .max_floods_per_s = 10 };
	const uint64_t half = 500000000;
	struct vsw_packet *p;

	ck_assert_int_eq(vsw_port_set_limits(ears[0].port, &limits), 0);
	for (unsigned i = 0; i < 100; i++) {
		p = packet_of("eth 1>broadcast ip 1.1.1.1>2.2.2.2 udp 1>7");
		vsw_worker_receive(worker, ears[0].port, &p, 1, 5);
	}
	ck_assert_uint_eq(ears[1].n_sent, 10);
	ck_assert_uint_eq(ears[2].n_sent, 10);
	ck_assert_uint_eq(drops(&ears[0], VSW_DROP_STORM_LIMIT), 90);
	for (unsigned i = 0; i < 100; i++) {
		p = packet_of("eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");
		vsw_worker_receive(worker, ears[0].port, &p, 1, 5);
	}
	ck_assert_uint_eq(ears[1].n_sent, 110);
	for (unsigned i = 0; i < 100; i++) {
		p = packet_of("eth 1>broadcast ip 1.1.1.1>2.2.2.2 udp 1>9");
		vsw_worker_receive(worker, ears[0].port, &p, 1, 5 + half);
	}
	ck_assert_uint_eq(ears[2].n_sent, 15);
	ck_assert_uint_eq(drops(&ears[0], VSW_DROP_STORM_LIMIT), 185);
	/* A neighbour's are its own, and a port without a limit has none. */
	for (unsigned i = 0; i < 100; i++) {
		p = packet_of("eth 2>broadcast ip 1.1.1.1>2.2.2.2 udp 1>9");
		vsw_worker_receive(worker, ears[1].port, &p, 1, 5 + half);
	}
	ck_assert_uint_eq(ears[2].n_sent, 115);
	ck_assert_uint_eq(drops(&ears[1], VSW_DROP_STORM_LIMIT), 0);
}
END_TEST

/* From memory that ends after n calls: each packet of those that were to be
 * is sent or counted, for every n. */
START_TEST(counts_what_memory_ends)
{
	for (unsigned n = 1; n < 50; n++) {
		struct vsw_packet *p = packet_of("segments 100 eth 1>broadcast"
				       " ip 1.1.1.1>2.2.2.2 tcp 1>2 partial"
				       " payload 1000");

		memory.fail_at = memory.n_calls + n;
		vsw_worker_receive(worker, ears[0].port, &p, 1, 5);
		memory.fail_at = 0;
		if (drops(&ears[0], VSW_DROP_NO_MEMORY))
			ck_assert_uint_gt(memory.n_failed, 0);
		/* No flow: 1; no copy: 1, and the other 10; else all 20. */
		uint64_t ends = ears[1].n_sent + ears[2].n_sent
				+ drops(&ears[0], VSW_DROP_NO_MEMORY);
		ck_assert(ends == 1 || ends == 11 || ends == 20);
		if (!memory.n_failed) {
			ck_assert_uint_gt(n, 3);
			return;
		}
		teardown();
		setup();
	}
	ck_abort_msg("memory never sufficed");
}
END_TEST

/* A port that answers from its transmit is heard when the batch is done, and
 * in order. */
START_TEST(hears_answers_in_turn)
{
	struct vsw_packet *packets[40];

	/* "a" sends each packet in again as its own; MAC 2 is "a" itself. */
	ears[1].answer_on = ears[2].port;
	ears[1].n_answers = 32;
	for (unsigned i = 0; i < 40; i++) {
		packets[i] = packet_of("eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");
		packets[i]->data[19] = (uint8_t) i;
	}
	vsw_worker_receive(worker, ears[0].port, packets, 40, 5);
	/* A batch of 32, its answers as if from "b", and the last 8. */
	ck_assert_uint_eq(ears[1].n_sent, 72);
	for (unsigned i = 0; i < 40; i++)
		ck_assert_uint_eq(ears[1].ids[i < 32 ? i : i + 32], i);
	ck_assert(!worker->waiting);
	ck_assert(!worker->is_carrying);
}
END_TEST

/* Being resumed is of one way through the switch: who gets the packet and puts
 * it in again, as his own, is counted. */
START_TEST(resumes_once)
{
	struct vsw_port_counters counters = { .size = sizeof counters };
	struct vsw_packet *p = packet_of("eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");

	ears[1].answer_on = ears[2].port;
	ears[1].n_answers = 1;
	vsw_worker_resume(worker, ears[0].port, &p, 1, 5);
	ck_assert_uint_eq(ears[1].n_sent, 2);
	vsw_port_get_counters(ears[0].port, &counters);
	ck_assert_uint_eq(counters.packets_received, 0);
	vsw_port_get_counters(ears[2].port, &counters);
	ck_assert_uint_eq(counters.packets_received, 1);
	ck_assert_uint_eq(flow_count(worker->flows), 2);
	for (struct flow *flow = flow_first(worker->flows); flow;
	     flow = flow_next(worker->flows, flow)) {
		struct flow_key key;

		flow_get_key(worker->flows, flow, &key);
		ck_assert_int_eq(!(key.has & FLOW_RESUMED),
				 key.in_port == ears[2].port->number);
	}
}
END_TEST

/* Neither is it punted again because its time is over: host and switch would
 * hand it to each other for ever. */
START_TEST(ends_what_the_host_has_seen)
{
	static const uint8_t router[6] = { 2, 0, 0, 0, 0, 9 };
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = hear,
				    .abilities = VSW_PORT_PUNT };
	struct vsw_addr ca = { 4, { 2, 2, 2, 2 } };
	struct vsw_location place = rig_local(ears[1].port, 3);
	struct sink host = { .n_sent = 0 };
	struct vsw_domain *domain;
	struct vsw_mapping *mapping;
	struct vsw_group *group;
	struct vsw_program *program;
	struct vsw_rule *rule;
	struct vsw_packet *p;

	ck_assert_int_eq(vsw_port_add(vsw, "host", &ops, &host, &host.port),
			 0);
	ck_assert_int_eq(vsw_domain_new(vsw, "r", &domain), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "n", 2, &mapping), 0);
	ck_assert_int_eq(vsw_mapping_set_addr(mapping, &ca, &place, 1), 0);
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, place.mac, &place, 1),
			 0);
	ck_assert_int_eq(vsw_group_new(vsw, "route", &group), 0);
	rule = vsw_group_add_rule(group, 1, NULL);
	vsw_rule_route(rule, mapping, NULL, router, 7);
	vsw_rule_encap(rule, mapping);
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	vsw_layer_add_group(vsw_program_add_layer(program, "l"), VSW_OUT,
			    group);
	ck_assert_int_eq(vsw_program_seal(program, NULL, 0), 0);
	ck_assert_int_eq(vsw_port_set_program(ears[0].port, program), 0);

	p = packet_of("eth 1>9 ip 1.1.1.1>2.2.2.2 ttl 2 udp 1>7");
	vsw_worker_receive(worker, ears[0].port, &p, 1, 5);
	ck_assert_uint_eq(ears[1].n_sent, 1);
	p = packet_of("eth 1>9 ip 1.1.1.1>2.2.2.2 ttl 1 udp 1>7");
	vsw_worker_receive(worker, ears[0].port, &p, 1, 5);
	ck_assert_uint_eq(host.n_sent, 1);
	p = packet_of("eth 1>9 ip 1.1.1.1>2.2.2.2 ttl 1 udp 1>7");
	vsw_worker_resume(worker, ears[0].port, &p, 1, 5);
	ck_assert_uint_eq(host.n_sent, 1);
	ck_assert_uint_eq(drops(&ears[0], VSW_DROP_TTL), 1);

	vsw_program_unref(program);
	vsw_group_unref(group);
	vsw_mapping_unref(mapping);
	vsw_domain_unref(domain);
	vsw_port_remove(host.port);
}
END_TEST

/* The same from vsw_worker_send(), which asks no layer; and what it is given
 * may be nonsense. */
START_TEST(sends_as_it_is_told)
{
	struct vsw_packet *packets[3];

	ears[1].answer_on = ears[0].port;
	ears[1].n_answers = 2;
	for (unsigned i = 0; i < 3; i++) {
		packets[i] = packet_of("eth 1>3 ip 1.1.1.1>2.2.2.2 udp 1>7");
		packets[i]->data[19] = (uint8_t) i;
	}
	packets[2]->offload.segment_kind = 200;
	vsw_worker_send(worker, ears[1].port, packets, 3, 5);
	ck_assert_uint_eq(ears[1].n_sent, 2);
	ck_assert_uint_eq(drops(&ears[1], VSW_DROP_SEGMENT), 1);
	ck_assert_uint_eq(ears[2].n_sent, 2);
	ck_assert_uint_eq(ears[2].ids[1], 1);
	ck_assert(!worker->waiting);
	ck_assert(!worker->is_carrying);
}
END_TEST

/* "vm"'s program, with a layer in front that punts everything. */
static void
punt_everything(void)
{
	struct vsw_group *group, *out;
	struct vsw_program *program;
	char problem[160];

	ck_assert_int_eq(vsw_group_new(vsw, "punt", &group), 0);
	vsw_rule_punt(vsw_group_add_rule(group, 1, NULL), 9);
	ck_assert_int_eq(vsw_group_seal(group, problem, sizeof problem), 0);
	ck_assert_int_eq(vsw_group_new(vsw, "out", &out), 0);
	vsw_rule_output(vsw_group_add_rule(out, 1, NULL), ears[1].port);
	ck_assert_int_eq(vsw_group_seal(out, problem, sizeof problem), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	vsw_layer_add_group(vsw_program_add_layer(program, "1"), VSW_OUT,
			    group);
	vsw_layer_add_group(vsw_program_add_layer(program, "2"), VSW_OUT,
			    out);
	ck_assert_int_eq(vsw_program_seal(program, problem, sizeof problem),
			 0);
	ck_assert_int_eq(vsw_port_set_program(ears[0].port, program), 0);
	vsw_program_unref(program);
	vsw_group_unref(group);
	vsw_group_unref(out);
}

/* What was punted goes on where it was stopped, counted as received once; and
 * the next packet of its flow is punted as before. */
/* The last one that went out of an uplink. */
static struct sent {
	size_t size;
	uint8_t bytes[256];
	struct vsw_tunnel tunnel;
} sent;

static void
keep(void *ctx, struct vsw_worker *w, struct vsw_packet *const packets[],
     size_t n)
{
	(void) ctx;
	(void) w;
	for (size_t i = 0; i < n; i++) {
		sent.size = vsw_packet_size(packets[i]);
		memcpy(sent.bytes, vsw_packet_data(packets[i]), sent.size);
		sent.tunnel = *vsw_packet_tunnel(packets[i]);
		vsw_packet_free(packets[i]);
	}
}

static int
send_in_tunnel(struct vsw_port *uplink, const struct vsw_addr *dst)
{
	struct vsw_tunnel tunnel = {
		.dst = *dst, .encap = VSW_ENCAP_VXLAN, .hash = 7, .tos = 0xc0
	};
	struct vsw_packet *packet = vsw_packet_new(worker, 60);

	ck_assert_ptr_nonnull(packet);
	memset(vsw_packet_data(packet), 0x5a, 60);
	sent.size = 0;
	return vsw_worker_send_tunnel(worker, uplink, &tunnel, packet, 1);
}

/* By an uplink of bytes and by one of tunnels, or not at all. */
START_TEST(sends_in_tunnels)
{
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = keep };
	struct vsw_underlay underlay = {
		.size = sizeof underlay, .local_v4 = rig_addr(4, 1),
		.mac = { 2, 1 }
	};
	const struct vsw_addr there = rig_addr(4, 9), six = rig_addr(16, 9);
	static const uint8_t hop[6] = { 2, 9 };
	struct vsw_port *bytes, *tunnels;

	ck_assert_int_eq(vsw_port_add(vsw, "bytes", &ops, NULL, &bytes), 0);
	ops.abilities = VSW_PORT_TUNNEL | VSW_PORT_ONLY_IPV4;
	ck_assert_int_eq(vsw_port_add(vsw, "tunnels", &ops, NULL, &tunnels),
			 0);
	ck_assert_int_eq(send_in_tunnel(bytes, &there), -ENETUNREACH);
	ck_assert_int_eq(vsw_port_set_underlay(bytes, &underlay), 0);
	ck_assert_int_eq(send_in_tunnel(bytes, &there), -EHOSTUNREACH);
	ck_assert_int_eq(send_in_tunnel(bytes, &six), -ENETUNREACH);
	ck_assert_uint_eq(sent.size, 0);
	ck_assert_int_eq(vsw_port_set_next_hop(bytes, &there, hop), 0);
	ck_assert_int_eq(send_in_tunnel(bytes, &there), 0);
	ck_assert_uint_eq(sent.size, 50 + 60);
	ck_assert_mem_eq(sent.bytes, hop, 6);
	ck_assert_mem_eq(sent.bytes + 6, underlay.mac, 6);
	ck_assert_uint_eq(sent.bytes[15], 0xc0);
	ck_assert_mem_eq(sent.bytes + 30, there.bytes, 4);
	ck_assert_uint_eq(sent.bytes[42], 0x08);
	ck_assert_mem_eq(sent.bytes + 46, "\0\0\0", 3);
	ck_assert_uint_eq(sent.bytes[50], 0x5a);
	ck_assert_uint_eq(sent.tunnel.encap, VSW_ENCAP_NONE);

	ck_assert_int_eq(send_in_tunnel(tunnels, &six), -ENETUNREACH);
	ck_assert_int_eq(send_in_tunnel(tunnels, &there), 0);
	ck_assert_uint_eq(sent.size, 60);
	ck_assert_uint_eq(sent.tunnel.encap, VSW_ENCAP_VXLAN);
	ck_assert_mem_eq(sent.tunnel.dst.bytes, there.bytes, 4);
	ck_assert_uint_eq(sent.tunnel.vni, 0);
	ck_assert_uint_eq(sent.tunnel.hash, 7);
	ck_assert_uint_eq(sent.tunnel.tos, 0xc0);
	vsw_port_remove(bytes);
	vsw_port_remove(tunnels);
}
END_TEST

START_TEST(resumes_what_was_punted)
{
	struct vsw_port_counters counters = { .size = sizeof counters };
	struct vsw_port *host = rig_port(vsw, "host", VSW_PORT_PUNT);
	struct vsw_packet *p;

	punt_everything();
	for (unsigned i = 1; i <= 2; i++) {
		p = packet_of("eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");
		vsw_worker_receive(worker, ears[0].port, &p, 1, 5);
		ck_assert_uint_eq(ears[1].n_sent, i - 1);
		p = packet_of("eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");
		vsw_worker_resume(worker, ears[0].port, &p, 1, 5);
		ck_assert_uint_eq(ears[1].n_sent, i);
		vsw_port_get_counters(ears[0].port, &counters);
		ck_assert_uint_eq(counters.packets_received, i);
		ck_assert_uint_eq(counters.punts, i);
	}
	vsw_port_remove(host);
}
END_TEST

static void
look(void *ctx, const struct vsw_flow_info *info)
{
	unsigned *n = ctx;

	ck_assert_ptr_eq(info->in_port, ears[0].port);
	ck_assert_ptr_nonnull(strstr(info->key, "1.1.1.1:1 > 2.2.2.2:7 udp"));
	ck_assert_uint_eq(info->idle_ns, UINT64_C(95000000000));
	++*n;
}

START_TEST(shows_its_flows)
{
	const uint64_t now = UINT64_C(100000000000);
	struct vsw_packet *packets[2];
	unsigned n = 0;

	for (unsigned i = 0; i < 2; i++)
		packets[i] = packet_of(i ? "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7"
				       : "eth 1>broadcast"
					 " ip 1.1.1.1>2.2.2.2 udp 1>7");
	vsw_worker_receive(worker, ears[0].port, packets, 2,
			   UINT64_C(5000000007));
	ck_assert_uint_eq(vsw_worker_flows(worker, ears[0].port, now, 99,
					   look, &n), 2);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(vsw_worker_flows(worker, NULL, now, 1, look, &n),
			  2);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(vsw_worker_flows(worker, ears[1].port, now, 99,
					   look, &n), 0);
	/* What policy has overtaken is not shown: it may point nowhere. */
	ck_assert_int_eq(vsw_port_set_program(ears[0].port, NULL), 0);
	ck_assert_uint_eq(vsw_worker_flows(worker, NULL, now, 99, look, &n),
			  0);
	ck_assert_uint_eq(vsw_worker_idle(worker, UINT64_C(6000000000)),
			  UINT64_C(65000000000));
	ck_assert_uint_eq(vsw_worker_idle(worker, UINT64_C(70000000000)),
			  UINT64_MAX);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("worker");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, takes_the_lowest_place);
	tcase_add_test(all, is_made_whole_or_not_at_all);
	tcase_add_test(all, keeps_order);
	tcase_add_test(all, sends_many_copies_and_segments);
	tcase_add_test(all, ends_storms);
	tcase_add_test(all, counts_what_memory_ends);
	tcase_add_test(all, hears_answers_in_turn);
	tcase_add_test(all, resumes_once);
	tcase_add_test(all, ends_what_the_host_has_seen);
	tcase_add_test(all, sends_as_it_is_told);
	tcase_add_test(all, sends_in_tunnels);
	tcase_add_test(all, resumes_what_was_punted);
	tcase_add_test(all, shows_its_flows);
	suite_add_tcase(suite, all);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
