/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/answer/pend.c: what is asked for, who waits, and who goes on. */

#include <check.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "agent/answer/pend.h"
#include "agent/device/thread.h"
#include "agent/model/request.h"
#include "agent/policy/policy.h"
#include "agent/status/write.h"
#include "tests/unit/asker.h"

enum { MAX_REQUESTS = 400, HELD_OF_ONE = 4, HELD_MAX = 1024,
       SUBNET = 5001, OTHER = 5002 };

static struct event_base *base;
static struct pend *pend;
static struct model_port other_port = { .subnet = &subnets[0] };
static struct model_request requests[MAX_REQUESTS];
static size_t n_requests, n_ended[3], n_written;
static bool may_ask, is_answered, is_over;
static uint64_t clock_ns;
static struct model_route route;
static struct vsw_addr hops[2] = { IP4(10, 1, 2, 77), IP4(10, 1, 2, 78) };
static bool has_route;
/* What went on. */
static size_t n_gone;
static bool last_known;
static struct model_port *last_port;
static uint32_t last_reason, last_vni;
static size_t last_size;

uint64_t
thread_now(void)
{
	return clock_ns;
}

struct model_subnet *
model_find_subnet(const struct model *m, uint32_t vni,
		  const struct model_router *r)
{
	ck_assert_ptr_eq(m, &model);
	ck_assert_ptr_eq(r, &router);
	return vni == SUBNET ? &subnets[0] : vni == OTHER ? &subnets[1] : NULL;
}

const struct model_mapping *
model_find_mac(const struct model_subnet *subnet, const uint8_t mac[6])
{
	return subnet == &subnets[0] && !memcmp(mac, web_mac, 6)
		? &mappings[1] : NULL;
}

/* 10.1.0.0/16 is on link; the rest of IPv4 goes by a route if there is one. */
bool
model_find_route(const struct model_subnet *subnet,
		 const struct vsw_addr *addr,
		 const struct model_route **ret_route,
		 struct model_subnet **ret_subnet)
{
	ck_assert_ptr_eq(subnet, &subnets[0]);
	*ret_route = NULL;
	*ret_subnet = &subnets[1];
	if (addr->n == 4 && addr->bytes[0] == 10)
		return true;
	*ret_route = &route;
	*ret_subnet = NULL;
	return has_route;
}

struct model_subnet *
model_find_hop(const struct model_router *r, const struct vsw_addr *addr)
{
	ck_assert_ptr_eq(r, &router);
	return addr->bytes[2] == 2 ? &subnets[1] : &subnets[0];
}

bool
model_is_on_link(const struct model_subnet *subnet,
		 const struct vsw_addr *addr)
{
	bool is_there = list_is_empty(&subnet->prefixes);

	for (size_t i = 0; i < 3; i++)
		is_there |= prefixes[i].subnet == subnet
			    && prefixes[i].gateway.n == addr->n
			    && !memcmp(prefixes[i].gateway.bytes, addr->bytes,
				       3);
	return is_there;
}

struct model_request *
request_get(struct model *m, const struct model_subnet *subnet,
	    const struct vsw_addr *addr, const uint8_t mac[6],
	    struct model_port *p, int64_t now_ms)
{
	static const struct vsw_addr none;
	struct model_request *request;

	ck_assert_ptr_eq(m, &model);
	if (!may_ask)
		return NULL;
	for (size_t i = 0; i < n_requests; i++)
		if (requests[i].n_refs && requests[i].vni == subnet->vni
		    && !memcmp(&requests[i].addr, addr ? addr : &none,
			       sizeof none)
		    && (addr || !memcmp(requests[i].mac, mac, 6)))
			return &requests[i];
	ck_assert_uint_lt(n_requests, MAX_REQUESTS);
	request = &requests[n_requests++];
	*request = (struct model_request) {
		.vni = subnet->vni, .port = p, .deadline_ms = now_ms + 20
	};
	if (addr)
		request->addr = *addr;
	else
		memcpy(request->mac, mac, 6);
	return request;
}

void
request_ref(struct model_request *request)
{
	request->n_refs++;
}

bool
request_is_over(const struct model *m, const struct model_request *request,
		bool *ret_answered)
{
	ck_assert_ptr_eq(m, &model);
	ck_assert_uint_gt(request->n_refs, 0);
	*ret_answered = is_answered;
	return is_answered || is_over;
}

void
request_end(struct model *m, struct model_request *request,
	    enum request_end how)
{
	ck_assert_ptr_eq(m, &model);
	ck_assert_uint_eq(request->n_refs, 1);
	request->n_refs = 0;
	n_ended[how]++;
}

void
request_write(struct model *m)
{
	ck_assert_ptr_eq(m, &model);
	n_written++;
}

static void
go(void *ctx, struct model_port *p, uint32_t reason, uint32_t vni,
   const void *bytes, size_t size, bool is_known)
{
	ck_assert_ptr_eq(ctx, &clock_ns);
	ck_assert_ptr_nonnull(bytes);
	n_gone++;
	last_port = p;
	last_reason = reason;
	last_vni = vni;
	last_size = size;
	last_known = is_known;
}

static void
setup(void)
{
	asker_init();
	base = event_base_new();
	ck_assert_int_eq(pend_new(base, &model, go, &clock_ns, &pend), 0);
	n_requests = n_written = n_gone = 0;
	memset(n_ended, 0, sizeof n_ended);
	may_ask = true;
	is_answered = is_over = has_route = false;
	clock_ns = 1000000000;
	route = (struct model_route) { .next_hops = hops, .n_next_hops = 2 };
}

static void
teardown(void)
{
	pend_free(pend);
	event_base_free(base);
}

static void
turn(void)
{
	ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
}

static bool
hold_as(const struct asker *who, const uint8_t *bytes, size_t size,
	uint32_t reason, uint32_t vni)
{
	struct frame frame;

	ck_assert(frame_read(bytes, size, &frame));
	return pend_hold(pend, who, &frame, reason, vni);
}

/* ARP of SQL, who says he is SENDER, for 10.1.1.TARGET. */
static bool
arp(uint8_t sender, uint8_t target)
{
	uint8_t frame[42] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		2, 0x10, 1, 1, 0, 0x11, 0x08, 0x06,
		0, 1, 0x08, 0, 6, 4, 0, 1,
		2, 0x10, 1, 1, 0, 0x11, 10, 1, 1, sender,
		0, 0, 0, 0, 0, 0, 10, 1, 1, target
	};

	if (!sender)
		memset(frame + 28, 0, 4);
	return hold_as(&asker, frame, sizeof frame, PUNT_ARP, 0);
}

/* A UDP packet to A.B.C.D, with the router's MAC or another one. */
static bool
ip(bool is_routed, uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint32_t vni)
{
	uint8_t frame[42] = {
		2, 9, 9, 9, 9, d, 2, 0x10, 1, 1, 0, 0x11, 0x08, 0,
		0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0,
		10, 1, 1, 11, a, b, c, d
	};
	uint16_t sum;

	if (is_routed)
		memcpy(frame, router_mac, 6);
	sum = frame_fold(frame_sum(frame + 14, 20, 0));
	frame[24] = (uint8_t) (sum >> 8);
	frame[25] = (uint8_t) sum;
	return hold_as(&asker, frame, sizeof frame, PUNT_MISSING, vni);
}

START_TEST(arp_waits_for_the_unknown)
{
	ck_assert(arp(11, 99));
	turn();
	ck_assert_uint_eq(n_written, 1);
	ck_assert_uint_eq(n_requests, 1);
	ck_assert_uint_eq(requests[0].vni, SUBNET);
	ck_assert_uint_eq(requests[0].addr.bytes[3], 99);
	pend_settle(pend);
	ck_assert_uint_eq(n_gone, 0);
	is_answered = true;
	pend_settle(pend);
	ck_assert_uint_eq(n_gone, 1);
	ck_assert(last_known);
	ck_assert_uint_eq(last_reason, PUNT_ARP);
	ck_assert_uint_eq(last_size, 42);
	ck_assert_ptr_eq(last_port, &port);
	ck_assert_uint_eq(n_ended[REQUEST_ANSWERED], 1);
	turn();
	ck_assert_uint_eq(n_written, 2);
}
END_TEST

/* The known, a gateway, another subnet's; and probes and announcements. */
START_TEST(arp_asks_for_nothing_else)
{
	uint8_t elsewhere[42] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		2, 0x10, 1, 1, 0, 0x11, 0x08, 0x06,
		0, 1, 0x08, 0, 6, 4, 0, 1,
		2, 0x10, 1, 1, 0, 0x11, 10, 1, 1, 11,
		0, 0, 0, 0, 0, 0, 192, 0, 2, 1
	};

	ck_assert(!arp(11, 12));
	ck_assert(!arp(11, 1));
	ck_assert(!arp(0, 99));
	ck_assert(!arp(99, 99));
	ck_assert(!hold_as(&asker, elsewhere, sizeof elsewhere, PUNT_ARP, 0));
	ck_assert(!hold_as(&asker, elsewhere, 41, PUNT_ARP, 0));
	elsewhere[21] = 2;
	memcpy(elsewhere + 38, "\12\1\1\143", 4);
	ck_assert(!hold_as(&asker, elsewhere, sizeof elsewhere, PUNT_ARP, 0));
	elsewhere[21] = 1;
	ck_assert(hold_as(&asker, elsewhere, sizeof elsewhere, PUNT_ARP, 0));
	ck_assert(!hold_as(&asker, elsewhere, sizeof elsewhere, PUNT_GATEWAY,
			   0));
	ck_assert_uint_eq(n_requests, 1);
}
END_TEST

START_TEST(solicitations_ask_too)
{
	uint8_t frame[78] = {
		0x33, 0x33, 0xff, 0, 0, 0x99, 2, 0x10, 1, 1, 0, 0x11,
		0x86, 0xdd, 0x60, 0, 0, 0, 0, 24, 58, 255, 0xfd,
		[37] = 0x11, [38] = 0xff, 2, [53] = 1, [54] = 135,
		[62] = 0xfd, [77] = 0x99
	};

	ck_assert(hold_as(&asker, frame, sizeof frame, PUNT_ND, 0));
	ck_assert_uint_eq(requests[0].addr.n, 16);
	ck_assert_uint_eq(requests[0].addr.bytes[15], 0x99);
	/* Known, forwarded, an advertisement, and a probe. */
	frame[77] = 0x12;
	ck_assert(!hold_as(&asker, frame, sizeof frame, PUNT_ND, 0));
	frame[77] = 0x98;
	frame[21] = 254;
	ck_assert(!hold_as(&asker, frame, sizeof frame, PUNT_ND, 0));
	frame[21] = 255;
	frame[54] = 136;
	ck_assert(!hold_as(&asker, frame, sizeof frame, PUNT_ND, 0));
	frame[54] = 135;
	memset(frame + 22, 0, 16);
	ck_assert(!hold_as(&asker, frame, sizeof frame, PUNT_ND, 0));
	ck_assert_uint_eq(n_requests, 1);
}
END_TEST

START_TEST(packets_ask_for_what_the_router_misses)
{
	ck_assert(ip(true, 10, 1, 2, 50, OTHER));
	ck_assert_uint_eq(requests[0].vni, OTHER);
	ck_assert_uint_eq(requests[0].addr.bytes[3], 50);
	/* No route: nothing to ask for. */
	ck_assert(!ip(true, 192, 0, 2, 1, OTHER));
	/* The first of its next hops that is missing there. */
	has_route = true;
	ck_assert(ip(true, 192, 0, 2, 1, OTHER));
	ck_assert_uint_eq(requests[1].addr.bytes[3], 77);
	ck_assert(!ip(true, 192, 0, 2, 1, SUBNET));
	/* On link: itself. */
	route.is_on_link = true;
	ck_assert(ip(true, 192, 0, 2, 1, OTHER));
	ck_assert_uint_eq(requests[2].addr.bytes[0], 192);
	/* Not routed: a MAC. */
	ck_assert(ip(false, 10, 1, 1, 12, SUBNET));
	ck_assert_uint_eq(requests[3].addr.n, 0);
	ck_assert_mem_eq(requests[3].mac, "\2\11\11\11\11\14", 6);
	ck_assert(!ip(false, 10, 1, 1, 12, 9999));
	ck_assert_uint_eq(n_requests, 4);
	is_answered = true;
	pend_settle(pend);
	ck_assert_uint_eq(n_gone, 4);
	ck_assert_uint_eq(last_reason, PUNT_MISSING);
	ck_assert_uint_eq(last_vni, SUBNET);
}
END_TEST

START_TEST(time_ends_it)
{
	ck_assert(arp(11, 99));
	clock_ns += 10000000;
	ck_assert(arp(11, 98));
	clock_ns += 10000000;
	for (int i = 0; i < 500 && !n_gone; i++)
		ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(n_gone, 1);
	ck_assert(!last_known);
	clock_ns += 10000000;
	for (int i = 0; i < 500 && n_gone < 2; i++)
		ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(n_ended[REQUEST_TIMED_OUT], 2);
	ck_assert_uint_eq(n_gone, 2);
}
END_TEST

START_TEST(room_is_bounded)
{
	unsigned n_held = 0;

	for (int i = 0; i < HELD_OF_ONE; i++)
		ck_assert(arp(11, 99));
	ck_assert(!arp(11, 99));
	ck_assert_uint_eq(n_requests, 1);
	for (unsigned c = 0; c < 2; c++)
		for (unsigned d = 2; d < 150; d++)
			for (unsigned i = 0; i < HELD_OF_ONE; i++)
				n_held += ip(true, 10, 1, (uint8_t) (2 + c),
					     (uint8_t) d, OTHER);
	ck_assert_uint_eq(n_held, HELD_MAX - HELD_OF_ONE);
	is_answered = true;
	pend_settle(pend);
	ck_assert_uint_eq(n_gone, HELD_MAX);
	/* And there is room again. */
	ck_assert(arp(11, 97));
}
END_TEST

START_TEST(who_may_not_ask_does_not_wait)
{
	may_ask = false;
	ck_assert(!arp(11, 99));
	may_ask = true;
	ck_assert(arp(11, 99));
	/* Switched off meanwhile. */
	is_over = true;
	pend_settle(pend);
	ck_assert_uint_eq(n_ended[REQUEST_GIVEN_UP], 1);
	ck_assert_uint_eq(n_gone, 1);
	ck_assert(!last_known);
}
END_TEST

START_TEST(a_port_that_goes_is_forgotten)
{
	struct asker another = { .model = &model, .port = &other_port };
	uint8_t frame[42] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		2, 0x10, 1, 1, 0, 0x11, 0x08, 0x06,
		0, 1, 0x08, 0, 6, 4, 0, 1,
		2, 0x10, 1, 1, 0, 0x11, 10, 1, 1, 11,
		0, 0, 0, 0, 0, 0, 10, 1, 1, 99
	};

	ck_assert(arp(11, 99));
	ck_assert(arp(11, 98));
	ck_assert(hold_as(&another, frame, sizeof frame, PUNT_ARP, 0));
	pend_forget(pend, &port);
	ck_assert_uint_eq(n_ended[REQUEST_GIVEN_UP], 1);
	is_answered = true;
	pend_settle(pend);
	ck_assert_uint_eq(n_gone, 1);
	ck_assert_ptr_eq(last_port, &other_port);
	/* Left waiting: pend_free() frees it. */
	ck_assert(arp(11, 97));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pend");
	TCase *tcase = tcase_create("pend");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, arp_waits_for_the_unknown);
	tcase_add_test(tcase, arp_asks_for_nothing_else);
	tcase_add_test(tcase, solicitations_ask_too);
	tcase_add_test(tcase, packets_ask_for_what_the_router_misses);
	tcase_add_test(tcase, time_ends_it);
	tcase_add_test(tcase, room_is_bounded);
	tcase_add_test(tcase, who_may_not_ask_does_not_wait);
	tcase_add_test(tcase, a_port_that_goes_is_forgotten);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
