/* SPDX-License-Identifier: Apache-2.0 */

/* Policy changes as fast as it can while four workers carry packets of flows
 * that are known.  Each packet leaves, and bears the marks of one version of
 * the policy, wherever they come from: two layers of one program, and an
 * address and the MAC that it is at in a mapping that is edited in place. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <vswitch.h>
#include "tests/unit/policy_rig.h"
#include "tests/walk/frame.h"

enum {
	N_WORKERS = 4, N_EDITS = 30000, BATCH = 16, N_KINDS = 2,
	LAYERS = 0, MAPPED = 1,		/* What a source port is for. */
	EDITS_PER_BATCH = 1000	/* At most. */
};

static struct vsw *vsw;
static struct vsw_port *sources[N_KINDS], *sink;
static struct vsw_domain *domain;
static struct vsw_mapping *mapping;
static _Atomic bool is_done;
static _Atomic unsigned long n_given, n_sent, n_batches, n_mixed;
/* The newest version that a packet of a kind may bear. */
static _Atomic unsigned newest[N_KINDS];
static struct frame frames[BATCH];

static uint16_t
get_version(const uint8_t *mac)
{
	return (uint16_t) (mac[4] << 8 | mac[5]);
}

static void
version_mac(unsigned version, uint8_t kind, uint8_t mac[6])
{
	const uint8_t bytes[6] = { 2, kind, 0, 0, (uint8_t) (version >> 8),
				   (uint8_t) version };

	memcpy(mac, bytes, 6);
}

/* Marks are the lower bytes of both MACs: of a routed packet the source says
 * the mapping's version as the place behind the new MAC has it. */
static void
take(void *ctx, struct vsw_worker *worker, struct vsw_packet *const packets[],
     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = vsw_packet_data(packets[i]);
		unsigned kind = p[1];

		/* Source ports' sinks differ by version, too. */
		if (kind == LAYERS && get_version(p) != get_version(p + 6))
			atomic_fetch_add(&n_mixed, 1);
		if (kind > MAPPED || get_version(p) > newest[kind]
		    || (kind == MAPPED
			&& get_version(p) % 2 != (uintptr_t) ctx))
			atomic_fetch_add(&n_mixed, 1);
	}
	atomic_fetch_add(&n_sent, n);
	rig_ignore(NULL, worker, packets, n);
}

static void *
carry(void *worker_)
{
	struct vsw_worker *worker = worker_;
	struct vsw_packet *packets[BATCH];
	uint64_t now = 1;

	while (!atomic_load(&is_done)) {
		for (unsigned kind = 0; kind < N_KINDS; kind++) {
			for (int i = 0; i < BATCH; i++) {
				packets[i] = vsw_packet_new(worker,
							    frames[i].size);
				memcpy(vsw_packet_data(packets[i]),
				       frames[i].bytes, frames[i].size);
			}
			/* Time enough for the budgets. */
			vsw_worker_receive(worker, sources[kind], packets,
					   BATCH, now += 10000000);
			atomic_fetch_add(&n_given, BATCH);
			atomic_fetch_add(&n_batches, 1);
		}
		vsw_worker_idle(worker, now);
	}
	return NULL;
}

static struct vsw_rule *
new_rule(struct vsw_group **ret_group)
{
	ck_assert_int_eq(vsw_group_new(vsw, "g", ret_group), 0);
	return vsw_group_add_rule(*ret_group, 1, NULL);
}

static void
add(struct vsw_program *program, const char *layer, enum vsw_direction d,
    struct vsw_group *group)
{
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	vsw_layer_add_group(vsw_program_add_layer(program, layer), d, group);
	vsw_group_unref(group);
}

static void
swap(struct vsw_port *port, struct vsw_program *program)
{
	ck_assert_int_eq(vsw_program_seal(program, NULL, 0), 0);
	ck_assert_int_eq(vsw_port_set_program(port, program), 0);
	vsw_program_unref(program);
}

/* One layer marks the source, another one the destination. */
static void
edit_layers(unsigned version)
{
	struct vsw_program *program;
	struct vsw_group *group;
	struct vsw_rule *rule;
	uint8_t mac[6];

	version_mac(version, LAYERS, mac);
	atomic_store(&newest[LAYERS], version);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	vsw_rule_set_eth_src(new_rule(&group), mac);
	add(program, "source", VSW_OUT, group);
	rule = new_rule(&group);
	vsw_rule_set_eth_dst(rule, mac);
	vsw_rule_output(rule, sink);
	add(program, "destination", VSW_OUT, group);
	swap(sources[LAYERS], program);
}

/* The address moves to another MAC, which is at the one or the other sink; then
 * the old MAC goes.  Who has read the old address finds no MAC any more. */
static void
edit_mapping(unsigned version, struct vsw_port *const sinks[2])
{
	struct vsw_location location = rig_local(sinks[version % 2], 0);
	struct vsw_addr ca = { .n = 4, .bytes = { 10, 0, 0, 2 } };
	uint8_t old[6];

	version_mac(version, MAPPED, location.mac);
	version_mac(version - 1, MAPPED, old);
	atomic_store(&newest[MAPPED], version);
	vsw_domain_begin(domain);
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, location.mac, &location,
					     1), 0);
	ck_assert_int_eq(vsw_mapping_set_addr(mapping, &ca, &location, 1), 0);
	vsw_mapping_remove_mac(mapping, old);
	vsw_domain_commit(domain);
}

static void
set_router(void)
{
	static const uint8_t router[6] = { 2, MAPPED };
	struct vsw_program *program;
	struct vsw_group *group;
	struct vsw_rule *rule;

	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	rule = new_rule(&group);
	vsw_rule_route(rule, mapping, NULL, router, 0);
	vsw_rule_encap(rule, mapping);
	add(program, "route", VSW_OUT, group);
	swap(sources[MAPPED], program);
}

static struct vsw_port *
new_sink(const char *name, uintptr_t which)
{
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = take };
	struct vsw_program *program;
	struct vsw_group *group;
	struct vsw_port *port;

	ck_assert_int_eq(vsw_port_add(vsw, name, &ops, (void *) which, &port),
			 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	new_rule(&group);
	add(program, "accept", VSW_IN, group);
	swap(port, program);
	return port;
}

static void
make_frames(void)
{
	for (int i = 0; i < BATCH; i++)
		frame_must_make(&frames[i], "eth 1>2 ip 10.0.0.1>10.0.0.2"
				" udp %d>53", 1000 + i);
}

static void
wait_for_batch(void)
{
	unsigned long until = atomic_load(&n_batches) + 1;

	while (atomic_load(&n_batches) < until)
		sched_yield();
}

START_TEST(no_packet_is_lost_or_mixed)
{
	struct vsw_worker *workers[N_WORKERS];
	pthread_t threads[N_WORKERS];
	struct vsw_port *sinks[2];
	unsigned long n_stale = 0;
	struct vsw_options options;

	vsw_options_init(&options);
	ck_assert_int_eq(vsw_new(&options, &vsw), 0);
	make_frames();
	sink = new_sink("sink", 0);
	sinks[0] = new_sink("even", 0);
	sinks[1] = new_sink("odd", 1);
	sources[LAYERS] = rig_port(vsw, "layers", 0);
	sources[MAPPED] = rig_port(vsw, "mapped", 0);
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "m", 5001, &mapping), 0);
	set_router();
	edit_layers(1);
	edit_mapping(1, sinks);
	for (int i = 0; i < N_WORKERS; i++)
		ck_assert_int_eq(vsw_worker_new(vsw, &workers[i]), 0);
	for (int i = 0; i < N_WORKERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, carry,
						workers[i]), 0);
	for (unsigned version = 2; version < N_EDITS; version++) {
		if (version % EDITS_PER_BATCH == 0)
			wait_for_batch();
		edit_layers(version);
		edit_mapping(version, sinks);
	}
	wait_for_batch();
	atomic_store(&is_done, true);
	for (int i = 0; i < N_WORKERS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned kind = 0; kind < N_KINDS; kind++) {
		struct vsw_port_counters c = { .size = sizeof c };

		vsw_port_get_counters(sources[kind], &c);
		n_stale += c.flows_stale;
		for (unsigned drop = 0; drop < VSW_N_DROPS; drop++)
			ck_assert_msg(!c.drops[drop], "%s: %lu",
				      vsw_drop_name((enum vsw_drop) drop),
				      (unsigned long) c.drops[drop]);
	}
	ck_assert_uint_eq(n_sent, n_given);
	ck_assert_uint_eq(n_mixed, 0);
	ck_assert_uint_gt(n_stale, N_EDITS / EDITS_PER_BATCH * BATCH);
	for (int i = 0; i < N_WORKERS; i++)
		vsw_worker_free(workers[i]);
	vsw_port_remove(sources[LAYERS]);
	vsw_port_remove(sources[MAPPED]);
	vsw_mapping_unref(mapping);
	vsw_domain_unref(domain);
	vsw_port_remove(sink);
	vsw_port_remove(sinks[0]);
	vsw_port_remove(sinks[1]);
	vsw_free(vsw);
}
END_TEST

RIG_MAIN("churn", no_packet_is_lost_or_mixed)
