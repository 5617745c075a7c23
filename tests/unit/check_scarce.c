/* SPDX-License-Identifier: Apache-2.0 */

/* A whole life of a switch (ports, policy, mappings, edits, packets of all
 * kinds, explain, the end) with memory that ends at the first request, at the
 * second, and so on: once with that request alone refused, and once with all
 * behind it.  Control says -ENOMEM, packets are dropped, nothing is lost and
 * nothing is left. */

#include <check.h>
#include <errno.h>
#include <string.h>

#include "libvswitch/datapath/worker.h"
#include "tests/unit/policy_rig.h"
#include "tests/walk/frame.h"

enum { VM, OTHER, WIRE, PUNT, N_PORTS, N_RULES = 20, MAX_REQUESTS = 5000 };

struct life {
	struct vsw *vsw;
	struct vsw_worker *worker;
	struct vsw_port *ports[N_PORTS];
	struct vsw_domain *domain;
	struct vsw_mapping *mapping;
	struct vsw_set *set;
	struct vsw_group *groups[2];
	struct vsw_program *program;
	uint64_t now;
};

static struct rig_memory memory;
static struct frame frame;
static unsigned long n_sent, n_given;

static void
hear(void *ctx, struct vsw_worker *worker, struct vsw_packet *const packets[],
     size_t n)
{
	(void) ctx;
	(void) worker;
	n_sent += n;
	for (size_t i = 0; i < n; i++)
		vsw_packet_free(packets[i]);
}

/* 0, or what the first call that failed said, which must be that. */
static int
first_error(int error, int next)
{
	if (next)
		ck_assert_int_eq(next, -ENOMEM);
	return error ? error : next;
}

static int
open_ports(struct life *l)
{
	static const char *const names[] = { "vm", "other", "wire", "punt" };
	static const uint8_t next_hop[6] = { 2, 0, 0, 0, 0, 0xfe };
	struct vsw_underlay underlay = {
		.size = sizeof underlay, .local_v4 = rig_addr(4, 0xc0a8010a),
		.mac = { 2, 0, 0, 0, 10, 1 }
	};
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = hear };
	struct vsw_addr any = { .n = 0 };
	struct vsw_options options;
	int error;

	vsw_options_init(&options);
	options.allocator = rig_allocator(&memory);
	options.hash_seed = 7;
	options.max_ports = 8;
	options.max_workers = 2;
	options.max_flows = 64;
	error = vsw_new(&options, &l->vsw);
	if (!error)
		error = vsw_worker_new(l->vsw, &l->worker);
	for (unsigned i = 0; i < N_PORTS && !error; i++) {
		ops.abilities = i == PUNT ? VSW_PORT_PUNT : 0;
		error = vsw_port_add(l->vsw, names[i], &ops, NULL,
				     &l->ports[i]);
	}
	if (!error)
		error = vsw_port_set_underlay(l->ports[WIRE], &underlay);
	if (!error)
		error = vsw_port_set_next_hop(l->ports[WIRE], &any, next_hop);
	return first_error(0, error);
}

static int
fill_mapping(struct life *l)
{
	struct vsw_location places[3] = { { .size = 0 } };
	int error = vsw_domain_new(l->vsw, "d", &l->domain);

	if (!error)
		error = vsw_domain_set_uplink(l->domain, l->ports[WIRE]);
	if (!error)
		error = vsw_mapping_new(l->domain, "m", 5001, &l->mapping);
	places[0] = rig_local(l->ports[OTHER], 2);
	places[1] = rig_remote(0xc0a80214, 5001, VSW_ENCAP_VXLAN);
	places[2] = rig_remote(0xc0a80315, 5001, VSW_ENCAP_NVGRE);
	for (uint8_t i = 0; i < 3 && !error; i++) {
		uint8_t mac[6] = { 2, [5] = (uint8_t) (i + 2) };
		struct vsw_addr v6 = rig_addr(16, i + 2u);

		error = vsw_mapping_set_mac(l->mapping, mac, &places[i],
					    3u - i);
		if (!error)
			error = vsw_mapping_set_addr(l->mapping, &v6,
						     &places[i], 1);
	}
	if (!error)
		error = vsw_mapping_set_flood(l->mapping, places, 3, true);
	return first_error(0, error);
}

/* An index, tracked connections, and a way for everything. */
static int
draft_program(struct life *l)
{
	struct vsw_addr ten = rig_addr(4, 0x0a000000);
	uint8_t arp[2] = { 8, 6 };
	char problem[200];
	struct vsw_layer *layer;
	struct vsw_rule *rule;
	int error = vsw_set_new(l->vsw, "s", VSW_SET_ADDRESSES, &l->set);

	if (error)
		return first_error(0, error);
	vsw_set_add_prefix(l->set, &ten, 8);
	for (unsigned i = 0; i < 2 && !error; i++)
		error = vsw_group_new(l->vsw, i ? "way" : "acl",
				      &l->groups[i]);
	if (!error)
		error = vsw_program_new(l->vsw, &l->program);
	if (error)
		return first_error(0, error);
	for (uint16_t i = 0; i < N_RULES; i++) {
		rule = vsw_group_add_rule(l->groups[0], 1, "r");
		vsw_rule_match_range(rule, VSW_FIELD_L4_DST, 1000 + i,
				     1001 + i);
		vsw_rule_match_set(rule, VSW_FIELD_IPV4_SRC, l->set);
		vsw_rule_drop(rule);
	}
	vsw_rule_track(vsw_group_add_rule(l->groups[0], 2, NULL));
	rule = vsw_group_add_rule(l->groups[1], 1, NULL);
	vsw_rule_match(rule, VSW_FIELD_ETH_TYPE, arp, NULL);
	vsw_rule_punt(rule, 1);
	vsw_rule_encap(vsw_group_add_rule(l->groups[1], 2, NULL), l->mapping);
	for (unsigned i = 0; i < 2 && !error; i++)
		error = vsw_group_seal(l->groups[i], problem, sizeof problem);
	layer = vsw_program_add_layer(l->program, "acl");
	vsw_layer_add_group(layer, VSW_OUT, l->groups[0]);
	layer = vsw_program_add_layer(l->program, "way");
	vsw_layer_add_group(layer, VSW_OUT, l->groups[1]);
	if (!error)
		error = vsw_program_seal(l->program, problem, sizeof problem);
	for (unsigned i = 0; i < N_PORTS && !error; i++)
		error = vsw_port_set_program(l->ports[i], l->program);
	return first_error(0, error);
}

/* Whatever there is no memory for is dropped; a packet that cannot even be made
 * is nobody's. */
static void
give(struct life *l, const char *text)
{
	struct vsw_packet *packet;

	frame_must_make(&frame, "%s", text);
	packet = vsw_packet_new(l->worker, frame.size);
	if (!packet)
		return;
	memcpy(vsw_packet_data(packet), frame.bytes, frame.size);
	*vsw_packet_offload(packet) = frame.offload;
	n_given++;
	l->now += 1000000;
	vsw_worker_receive(l->worker, l->ports[VM], &packet, 1, l->now);
}

static void
pass_packets(struct life *l)
{
	static const char *const texts[] = {
		"eth 1>2 ip 10.0.0.1>10.0.0.2 udp 1>2 payload 20",
		"eth 1>3 ip 10.0.0.1>10.0.0.3 tcp 1>2 flags S",
		"eth 1>4 ip fd::1>fd::4 tcp 1>2 flags S",
		"eth 1>broadcast arp request 10.0.0.1>10.0.0.2",
		"eth 1>broadcast ip 10.0.0.1>10.0.0.9 udp 5>6 payload 9",
		"eth 1>9 ip 10.0.0.1>10.0.0.9 udp 5>1003 payload 9",
		"segments 500 eth 1>3 ip 10.0.0.1>10.0.0.3 tcp 3>4 partial "
		"payload 1800",
		"segments 500 eth 1>2 ip 10.0.0.1>10.0.0.2 tcp 3>4 partial "
		"payload 1800",
		"eth 1>2 ip 10.0.0.1>10.0.0.2 id 7 offset 4 proto 17 "
		"payload 8",
		"eth 1>2 ip 10.0.0.1>10.0.0.2 id 7 mf udp 1>2 len 40 "
		"payload 24",
		"eth 1>2 ip 10.0.0.1>10.0.0.2 id 8 offset 4 proto 17 "
		"payload 8",
		"eth 1>2 ip 10.0.0.1>10.0.0.2 udp 1>2 payload 20"
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		give(l, texts[i]);
}

static void
ignore_step(void *ctx, const struct vsw_step *step)
{
	(void) ctx;
	(void) step;
}

/* Each edit by itself: it happens, or nothing does. */
static int
edit(struct life *l)
{
	static const uint8_t next_hop[6] = { 2, 0, 0, 0, 0, 0xfd };
	struct vsw_location place = rig_remote(0xc0a80416, 5001,
					       VSW_ENCAP_VXLAN);
	struct vsw_addr pa = rig_addr(4, 0xc0a80416);
	uint8_t mac[6] = { 2, [5] = 2 };
	int error;

	error = first_error(0, vsw_mapping_set_mac(l->mapping, mac, &place,
						   1));
	error = first_error(error, vsw_port_set_next_hop(l->ports[WIRE], &pa,
							 next_hop));
	error = first_error(error, vsw_domain_set_uplink(l->domain, NULL));
	error = first_error(error, vsw_domain_set_uplink(l->domain,
							 l->ports[WIRE]));
	vsw_mapping_remove_mac(l->mapping, mac);
	error = first_error(error, vsw_explain(l->ports[VM], frame.bytes,
					       frame.size, NULL, ignore_step,
					       NULL));
	vsw_port_remove(l->ports[OTHER]);
	l->ports[OTHER] = NULL;
	return error;
}

/* Each packet that was given is gone, one way or the other. */
static void
end(struct life *l)
{
	if (l->worker) {
		l->now += 2000000000;
		vsw_worker_idle(l->worker, l->now);
		ck_assert_uint_eq(packet_pool_n_used(l->worker->pool), 0);
	}
	vsw_worker_free(l->worker);
	vsw_program_unref(l->program);
	for (unsigned i = 0; i < 2; i++)
		vsw_group_unref(l->groups[i]);
	vsw_set_unref(l->set);
	vsw_mapping_unref(l->mapping);
	vsw_domain_unref(l->domain);
	for (unsigned i = 0; i < N_PORTS; i++)
		vsw_port_remove(l->ports[i]);
	vsw_free(l->vsw);
	ck_assert_uint_eq(memory.n_live, 0);
	ck_assert_uint_eq(memory.n_bytes, 0);
}

static int
live(void)
{
	struct life life = { .now = 1 };
	int error = open_ports(&life);

	if (!error)
		error = fill_mapping(&life);
	if (!error)
		error = draft_program(&life);
	if (!error) {
		pass_packets(&life);
		error = edit(&life);
		pass_packets(&life);
	}
	end(&life);
	return error;
}

/* _i 0: all behind it, too; 1: it alone. */
START_TEST(memory_ends_anywhere)
{
	unsigned long n = 0, n_reached = 0;

	do {
		memory = (struct rig_memory) {
			.fail_at = ++n, .fails_once = _i
		};
		n_sent = 0;
		n_given = 0;
		live();
		n_reached += n_sent > 0;
		ck_assert_uint_lt(n, MAX_REQUESTS);
	} while (memory.n_failed);
	/* The last life lacked nothing. */
	ck_assert_uint_eq(n_given, 24);
	ck_assert_uint_gt(n_sent, 24);
	ck_assert_uint_gt(n, 200);
	ck_assert_uint_gt(n_reached, 20);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scarce");
	TCase *tcase = tcase_create("scarce");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(tcase, 240);
	tcase_add_loop_test(tcase, memory_ends_anywhere, 0, 2);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
