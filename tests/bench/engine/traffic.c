/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/engine/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/bench/engine/figure.h"
#include "tests/walk/frame.h"

enum { BATCH = 32, ETH = 14 };

static void answer(const struct traffic *);
static void make_frame(struct traffic *, bool is_other);
static uint64_t pick(struct traffic *);
static bool is_other(const struct traffic *, uint64_t flow);
static void put_addr(uint8_t *ip, bool is_dst, const struct vsw_addr *);
static void put16(uint8_t *, unsigned);
static void sum_header(uint8_t *ip);

void
traffic_init(struct traffic *t, struct scene *s, enum way way, uint64_t n)
{
	*t = (struct traffic) {
		.scene = s, .worker = s->worker, .way = way, .n = n,
		.port = way == WAY_DECAP ? s->wire : s->vm
	};
	make_frame(t, false);
	make_frame(t, true);
}

uint32_t
traffic_remote(const struct traffic *t, uint64_t flow)
{
	uint64_t x = flow * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t) ((x >> 32) * t->scene->options.n_remotes >> 32);
}

void
traffic_write(const struct traffic *t, uint64_t flow, uint8_t *frame)
{
	const struct scene *s = t->scene;
	bool other = is_other(t, flow), is_out = t->way != WAY_DECAP;
	enum scene_subnet subnet = other ? SCENE_OTHER : SCENE_OWN;
	uint32_t remote = traffic_remote(t, flow);
	struct vsw_location location = scene_location(s, subnet, remote);
	struct vsw_addr addr = scene_addr(subnet, remote,
					  s->options.inner_v6);
	uint8_t *eth = frame + t->inner_at, *ip = eth + ETH, *l4;
	unsigned near = (unsigned) (flow & 0xffff),
		 far = (unsigned) (2000 + (flow >> 16));

	memcpy(frame, t->frames[other], t->size);
	if (!other)
		memcpy(is_out ? eth : eth + 6, location.mac, 6);
	put_addr(ip, is_out, &addr);
	l4 = ip + (s->options.inner_v6 ? 40 : 20);
	put16(l4, is_out ? near : far);
	put16(l4 + 2, is_out ? far : near);
	if (!is_out)
		put_addr(frame + ETH, false, &location.pa);
}

double
traffic_carry(struct traffic *t, struct floor *floor, uint64_t n_packets)
{
	uint64_t *n_sent = &t->scene->sent[vsw_worker_index(t->worker)].n,
		 sent = *n_sent;
	double per_ns = figure_ticks_per_ns(), spent = 0;
	uint64_t wall = figure_clock(), cpu = figure_cpu();

	for (uint64_t n = 0; n < n_packets; n += BATCH) {
		struct vsw_packet *packets[BATCH];
		uint64_t start;

		for (unsigned i = 0; i < BATCH; i++) {
			packets[i] = vsw_packet_new(t->worker, t->size);
			if (!packets[i])
				abort();
			traffic_write(t, pick(t),
				      vsw_packet_data(packets[i]));
		}
		start = figure_ticks();
		if (floor)
			floor_carry(floor, t->way == WAY_DECAP, packets,
				    BATCH);
		else
			vsw_worker_receive(t->worker, t->port, packets, BATCH,
					   (uint64_t) (t->now + spent));
		spent += (double) (figure_ticks() - start) / per_ns;
	}
	if (!floor)
		t->now += spent;
	n_packets = (n_packets + BATCH - 1) / BATCH * BATCH;
	if (!floor && *n_sent - sent != n_packets) {
		fprintf(stderr, "%llu of %llu packets were sent\n",
			(unsigned long long) (*n_sent - sent),
			(unsigned long long) n_packets);
		exit(EXIT_FAILURE);
	}
	/* When others had the processor, they had it in the midst of batches
	 * as often as between them. */
	cpu = figure_cpu() - cpu;
	wall = figure_clock() - wall;
	return spent / (double) n_packets * (double) cpu / (double) wall;
}

void
traffic_warm(struct traffic *t, struct floor *floor)
{
	bool is_in_order = t->is_in_order;

	t->is_in_order = true;
	t->next = 0;
	traffic_carry(t, floor, t->n);
	if (!floor && t->scene->options.max_connections) {
		answer(t);
		t->next = 0;
		traffic_carry(t, floor, t->n);
	}
	t->is_in_order = is_in_order;
}

double
traffic_slowness(void)
{
	enum { N_FLOWS = 10000, N_PACKETS = 200000, FLOOR_NS = 18 };
	static struct traffic traffic;
	static struct floor *floor;

	if (!floor) {
		struct scene_options options;

		scene_options_init(&options);
		floor = floor_new(N_FLOWS);
		traffic_init(&traffic, scene_new(&options), WAY_ENCAP,
			     N_FLOWS);
		traffic_warm(&traffic, floor);
	}
	return traffic_carry(&traffic, floor,
			     figure_is_short ? N_FLOWS : N_PACKETS)
	       / FLOOR_NS;
}

/* So that the flows of answers are in nobody's way. */
static void
answer(const struct traffic *t)
{
	struct traffic back;

	traffic_init(&back, t->scene,
		     t->way == WAY_DECAP ? WAY_ENCAP : WAY_DECAP, t->n);
	must(vsw_worker_new(t->scene->vsw, &back.worker), "worker");
	back.now = t->now;
	back.first = t->first;
	back.is_in_order = true;
	traffic_carry(&back, NULL, back.n);
	vsw_worker_free(back.worker);
}

static void
make_frame(struct traffic *t, bool other)
{
	static struct frame frame;
	const struct scene_options *o = &t->scene->options;
	const char *inner[2][2] = {
		{ "eth 1>2 ip 10.128.255.11>10.128.0.1",
		  "eth 1>2 ip fd00::0a80:ff0b>fd00::0a80:1" },
		{ "eth 2>1 ip 10.128.0.1>10.128.255.11",
		  "eth 2>1 ip fd00::0a80:1>fd00::0a80:ff0b" }
	};
	bool is_out = t->way != WAY_DECAP, is_vxlan;
	char outer[128] = "";

	is_vxlan = o->encap == VSW_ENCAP_VXLAN;
	if (!is_out)
		snprintf(outer, sizeof outer, "eth a:fe>a:1 ip %s %s %d ",
			 o->outer_v6 ? "fd02::>fd03::a"
				     : "192.168.2.1>192.168.1.10",
			 is_vxlan ? "udp 50000>4789 nosum vxlan" : "nvgre",
			 SCENE_VNI);
	frame_must_make(&frame, "%s%s udp 1>2 nosum payload 18", outer,
			inner[!is_out][o->inner_v6]);
	if (frame.size > TRAFFIC_FRAME_MAX)
		abort();
	t->size = frame.size;
	t->inner_at = is_out ? 0
		      : ETH + (o->outer_v6 ? 40u : 20u)
			+ (is_vxlan ? 16u : 8u);
	memcpy(t->frames[other], frame.bytes, frame.size);
	if (is_out) {
		memcpy(t->frames[other] + 6, scene_vm_mac, 6);
		memcpy(t->frames[other], scene_router_mac, 6);
	} else {
		memcpy(t->frames[other] + t->inner_at, scene_vm_mac, 6);
	}
}

static uint64_t
pick(struct traffic *t)
{
	uint64_t x;

	if (t->is_in_order)
		return t->first + t->next++ % t->n;
	t->next += UINT64_C(0x9e3779b97f4a7c15);
	x = t->next;
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return t->first + ((x >> 32) * t->n >> 32);
}

static bool
is_other(const struct traffic *t, uint64_t flow)
{
	return t->way == WAY_ROUTED || (t->way == WAY_MIXED && flow % 2);
}

/* Into an IP header of either version, which stays right. */
static void
put_addr(uint8_t *ip, bool is_dst, const struct vsw_addr *addr)
{
	if (addr->n == 16) {
		memcpy(ip + (is_dst ? 24 : 8), addr->bytes, 16);
	} else {
		memcpy(ip + (is_dst ? 16 : 12), addr->bytes, 4);
		sum_header(ip);
	}
}

static void
put16(uint8_t *bytes, unsigned value)
{
	bytes[0] = (uint8_t) (value >> 8);
	bytes[1] = (uint8_t) value;
}

static void
sum_header(uint8_t *ip)
{
	uint32_t sum = 0;

	put16(ip + 10, 0);
	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t) ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
}
