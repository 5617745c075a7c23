/* SPDX-License-Identifier: Apache-2.0 */

/* A worker carries packets while the control thread replaces everything that
 * they are measured by.  Whatever a packet meets, it has an end that is
 * counted, and under the address sanitizer nothing is read that is gone. */

#include <pthread.h>
#include <stdatomic.h>
#include <vswitch.h>
#include "tests/unit/policy_rig.h"

enum { N_EDITS = 1500, BATCH = 8 };

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
static struct vsw *vsw;
static struct vsw_port *from, *wire;
static struct vsw_domain *domain;
static struct vsw_mapping *mapping;
static _Atomic bool is_done;
static _Atomic unsigned long n_given, n_sent;

static void
take(void *ctx, struct vsw_worker *worker, struct vsw_packet *const packets[],
     size_t n)
{
	/* A port that is removed is not called any more. */
	ck_assert(!ctx || *(_Atomic bool *) ctx);
	atomic_fetch_add(&n_sent, n);
	rig_ignore(NULL, worker, packets, n);
}

static void *
carry(void *worker_)
{
	struct vsw_worker *worker = worker_;
	uint64_t now = 1;

	while (!atomic_load(&is_done)) {
		struct vsw_packet *packets[BATCH];

		for (int i = 0; i < BATCH; i++) {
			uint8_t *p;

			packets[i] = vsw_packet_new(worker, 64);
			p = vsw_packet_data(packets[i]);
			memset(p, 0, 64);
			memcpy(p, mac, 6);
			p[11] = (uint8_t) i;
			p[12] = 0x88;
			p[13] = 0xb5;
		}
		vsw_worker_receive(worker, from, packets, BATCH, now++);
		atomic_fetch_add(&n_given, BATCH);
	}
	return NULL;
}

static struct vsw_program *
program(bool does_encap)
{
	struct vsw_program *result;
	struct vsw_group *group;

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	for (uint32_t i = 0; i < 12; i++) {
		struct vsw_rule *rule = vsw_group_add_rule(group, i, NULL);
		uint8_t src[6] = { 0, 0, 0, 0, 0, (uint8_t) i };

		vsw_rule_match(rule, VSW_FIELD_ETH_SRC, src, NULL);
		if (does_encap)
			vsw_rule_encap(rule, mapping);
	}
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &result), 0);
	vsw_layer_add_group(vsw_program_add_layer(result, "l"),
			    does_encap ? VSW_OUT : VSW_IN, group);
	ck_assert_int_eq(vsw_program_seal(result, NULL, 0), 0);
	vsw_group_unref(group);
	return result;
}

static void
set_program(struct vsw_port *port, bool does_encap)
{
	struct vsw_program *fresh = program(does_encap);

	ck_assert_int_eq(vsw_port_set_program(port, fresh), 0);
	vsw_program_unref(fresh);
}

static void
edit_all(unsigned i)
{
	static _Atomic bool is_there;
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = take };
	struct vsw_location locations[2];
	struct vsw_addr any = { .n = 0 };
	struct vsw_port *to;
	char name[16];

	snprintf(name, sizeof name, "to%u", i);
	atomic_store(&is_there, true);
	ck_assert_int_eq(vsw_port_add(vsw, name, &ops, &is_there, &to), 0);
	set_program(to, false);
	locations[0] = rig_local(to, 1);
	locations[1] = rig_remote(i, 5001, VSW_ENCAP_VXLAN);
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, mac, locations,
					     1 + i % 2), 0);
	set_program(from, true);
	ck_assert_int_eq(vsw_port_set_next_hop(wire, &any, mac), 0);
	ck_assert_int_eq(vsw_mapping_set_flood(mapping, locations, i % 3 % 2,
					       true), 0);
	vsw_port_remove(to);
	atomic_store(&is_there, false);
	if (i % 4 == 0)
		vsw_mapping_remove_mac(mapping, mac);
	ck_assert_int_eq(vsw_domain_set_uplink(domain, i % 5 ? wire : NULL),
			 0);
}

START_TEST(edits_under_traffic)
{
	struct vsw_underlay underlay = {
		.size = sizeof underlay, .local_v4 = rig_addr(4, 9)
	};
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = take };
	struct vsw_port_counters counters = { .size = sizeof counters };
	struct vsw_options options;
	struct vsw_worker *worker;
	unsigned long n_dropped = 0;
	pthread_t thread;

	vsw_options_init(&options);
	ck_assert_int_eq(vsw_new(&options, &vsw), 0);
	ck_assert_int_eq(vsw_port_add(vsw, "from", &ops, NULL, &from), 0);
	ck_assert_int_eq(vsw_port_add(vsw, "wire", &ops, NULL, &wire), 0);
	ck_assert_int_eq(vsw_port_set_underlay(wire, &underlay), 0);
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "m", 5001, &mapping), 0);
	set_program(wire, false);
	ck_assert_int_eq(vsw_worker_new(vsw, &worker), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, carry, worker), 0);
	for (unsigned i = 0; i < N_EDITS || atomic_load(&n_sent) < 1000; i++)
		edit_all(i);
	atomic_store(&is_done, true);
	pthread_join(thread, NULL);
	vsw_port_get_counters(from, &counters);
	for (unsigned i = 0; i < VSW_N_DROPS; i++)
		n_dropped += counters.drops[i];
	/* A missing program in direction in is counted at its port; here it
	 * is that of ports that are not there any more. */
	ck_assert_uint_le(n_sent + n_dropped, n_given);
	ck_assert_uint_eq(counters.packets_received, n_given);
	ck_assert_uint_gt(counters.flows_hit, 0);
	ck_assert_uint_gt(n_dropped, 0);
	vsw_worker_free(worker);
	vsw_mapping_unref(mapping);
	vsw_domain_unref(domain);
	vsw_port_remove(from);
	vsw_port_remove(wire);
	vsw_free(vsw);
}
END_TEST

RIG_MAIN("race", edits_under_traffic)
