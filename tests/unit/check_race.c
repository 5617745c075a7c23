/* SPDX-License-Identifier: Apache-2.0 */

/* Workers carry packets, of connections, out of tunnels and into them, while
 * the control thread replaces everything that they are measured by, and looks
 * at what they make.  Whatever a packet meets, it has an end that is counted;
 * under the address sanitizer nothing is read that is gone, and under the
 * thread sanitizer nothing that is being written. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <vswitch.h>
#include "tests/unit/policy_rig.h"
#include "tests/walk/frame.h"

enum { N_EDITS = 2000, BATCH = 8, N_PEERS = 64, N_WORKERS = 4 };
enum kind { ACCEPT, ENCAP, DECAP };

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
static struct vsw *vsw;
static struct vsw_port *from, *wire;
/* Of 'trunk': what has tag 10 is 'ten', what has tag 20 comes and goes, 30 is
 * nobody's. */
static struct vsw_port *trunk, *ten;
static struct vsw_domain *domain;
static struct vsw_mapping *mapping;
static _Atomic bool is_done;
static _Atomic unsigned long n_given, n_sent, n_tunneled, n_tagged, n_tens;
static unsigned long n_seen, n_twenties, n_in_place;
static struct vsw_group *acl;		/* In the program of 'from'. */
/* From each of the provider addresses that come and go. */
static struct {
	uint8_t bytes[128];
	size_t size;
} tunneled[N_PEERS];

static void
take(void *ctx, struct vsw_worker *worker, struct vsw_packet *const packets[],
     size_t n)
{
	/* A port that is removed is not called any more. */
	ck_assert(!ctx || *(_Atomic bool *) ctx);
	atomic_fetch_add(&n_sent, n);
	rig_ignore(NULL, worker, packets, n);
}

/* UDP, and TCP of all kinds, to whoever has the MAC. */
static void
make_packet(uint8_t *p, unsigned i, uint64_t now)
{
	static const uint8_t flags[] = { 2, 18, 16, 16, 16, 17, 4, 1 };
	static const uint8_t ip[] = { 8, 0, 0x45, 0, 0, 50, 0, 0, 0, 0, 64 };
	bool is_tcp = i % 2;

	memset(p, 0, 64);
	memcpy(p, mac, 6);
	p[11] = (uint8_t) i;
	memcpy(p + 12, ip, sizeof ip);
	p[23] = is_tcp ? 6 : 17;
	p[26] = p[30] = 10;
	p[29] = 1;
	p[33] = 2;
	p[35] = (uint8_t) (now / 16);
	p[37] = 80;
	if (is_tcp) {
		p[46] = 0x50;
		p[47] = flags[now % 8];
	} else {
		p[39] = 30;
	}
}

static void
give(struct vsw_worker *worker, uint64_t now)
{
	struct vsw_packet *packets[BATCH];

	for (unsigned i = 0; i < BATCH; i++) {
		packets[i] = vsw_packet_new(worker, 64);
		make_packet(vsw_packet_data(packets[i]), i, now);
	}
	vsw_worker_receive(worker, from, packets, BATCH, now);
	atomic_fetch_add(&n_given, BATCH);
}

static void
give_tagged(struct vsw_worker *worker, uint64_t now)
{
	struct vsw_packet *packets[BATCH];
	unsigned n_ten = 0;

	for (unsigned i = 0; i < BATCH; i++) {
		unsigned vlan = 10 * ((unsigned) (now + i) % 4);
		const uint8_t tag[] = { 0x81, 0, 0, (uint8_t) vlan };
		uint8_t *p;

		packets[i] = vsw_packet_new(worker, 68);
		p = vsw_packet_data(packets[i]);
		make_packet(p + 4, i, now);
		memmove(p, p + 4, 12);
		memcpy(p + 12, tag, sizeof tag);
		n_ten += vlan == 10;
	}
	vsw_worker_receive(worker, trunk, packets, BATCH, now);
	atomic_fetch_add(&n_tagged, BATCH);
	atomic_fetch_add(&n_tens, n_ten);
}

static void
give_tunneled(struct vsw_worker *worker, uint64_t now)
{
	struct vsw_packet *packets[BATCH];

	for (unsigned i = 0; i < BATCH; i++) {
		unsigned peer = (unsigned) (now + i) % N_PEERS;

		packets[i] = vsw_packet_new(worker, tunneled[peer].size);
		memcpy(vsw_packet_data(packets[i]), tunneled[peer].bytes,
		       tunneled[peer].size);
	}
	vsw_worker_receive(worker, wire, packets, BATCH, now);
	atomic_fetch_add(&n_tunneled, BATCH);
}

static void *
carry(void *worker_)
{
	struct vsw_worker *worker = worker_;
	uint64_t now = 1;

	while (!atomic_load(&is_done)) {
		give(worker, now++);
		give_tunneled(worker, now++);
		give_tagged(worker, now++);
		vsw_worker_idle(worker, now);
		/* Who waits for a batch's end waits for whole slices, where
		 * there are fewer processors than workers. */
		sched_yield();
	}
	return NULL;
}

/* Tracks all that passes, or lets none. */
static struct vsw_group *
make_acl(bool is_open)
{
	struct vsw_group *group;
	struct vsw_rule *rule;

	ck_assert_int_eq(vsw_group_new(vsw, "acl", &group), 0);
	rule = vsw_group_add_rule(group, 1, NULL);
	if (is_open)
		vsw_rule_track(rule);
	else
		vsw_rule_drop(rule);
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	return group;
}

static void
add_acl(struct vsw_program *program, bool is_open)
{
	vsw_group_unref(acl);
	acl = make_acl(is_open);
	vsw_layer_add_group(vsw_program_add_layer(program, "acl"), VSW_OUT,
			    acl);
}

/* Where the program stands: to one that tracks as well, mostly. */
static void
exchange_acl(bool is_open)
{
	struct vsw_program *old = vsw_port_get_program(from);
	struct vsw_group *other = make_acl(is_open);

	ck_assert_int_eq(vsw_port_exchange_groups(&from, 1, &acl, &other, 1),
			 0);
	n_in_place += vsw_port_get_program(from) == old;
	vsw_group_unref(acl);
	acl = other;
}

static struct vsw_program *
program(enum kind kind)
{
	static unsigned n_made;
	struct vsw_program *result;
	struct vsw_group *group;

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	for (uint32_t i = 0; i < 12; i++) {
		struct vsw_rule *rule = vsw_group_add_rule(group, i, NULL);
		uint8_t src[6] = { 0, 0, 0, 0, 0, (uint8_t) i };

		vsw_rule_match(rule, VSW_FIELD_ETH_SRC, src, NULL);
		if (kind == ENCAP)
			vsw_rule_encap(rule, mapping);
		else if (kind == DECAP)
			vsw_rule_decap(rule, mapping);
		else
			vsw_rule_track(rule);
	}
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &result), 0);
	if (kind == ENCAP)
		add_acl(result, n_made++ % 8);
	vsw_layer_add_group(vsw_program_add_layer(result, "l"),
			    kind == ACCEPT ? VSW_IN : VSW_OUT, group);
	ck_assert_int_eq(vsw_program_seal(result, NULL, 0), 0);
	vsw_group_unref(group);
	return result;
}

static void
set_program(struct vsw_port *port, enum kind kind)
{
	struct vsw_program *fresh = program(kind);

	ck_assert_int_eq(vsw_port_set_program(port, fresh), 0);
	vsw_program_unref(fresh);
}

static void
see(void *ctx, const struct vsw_connection_info *info)
{
	(void) ctx;
	n_seen += info->state != NULL;
}

/* The port that has a MAC is inside of another; both go, in either order, as
 * does one that packets come in on. */
static void
edit_trunks(unsigned i, struct vsw_port *to)
{
	struct vsw_port_counters counters = { .size = sizeof counters };
	struct vsw_location location;
	struct vsw_port *inner, *twenty;

	ck_assert_int_eq(vsw_port_add_vlan(trunk, "twenty", 20, &twenty), 0);
	set_program(twenty, ENCAP);
	set_program(ten, ENCAP);
	ck_assert_int_eq(vsw_port_add_vlan(to, "inner", 7, &inner), 0);
	set_program(inner, ACCEPT);
	location = rig_local(inner, 1);
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, mac, &location, 1), 0);
	sched_yield();
	vsw_port_get_counters(twenty, &counters);
	n_twenties += counters.packets_received;
	vsw_port_remove(i % 2 ? inner : to);
	vsw_port_remove(i % 2 ? to : inner);
	vsw_port_remove(twenty);
}

static void
edit_all(unsigned i)
{
	static _Atomic bool is_there;
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = take };
	struct vsw_location locations[2];
	struct vsw_addr any = { .n = 0 };
	struct vsw_port_counters counters = { .size = sizeof counters };
	struct vsw_port *to;
	char name[16];

	snprintf(name, sizeof name, "to%u", i);
	atomic_store(&is_there, true);
	ck_assert_int_eq(vsw_port_add(vsw, name, &ops, &is_there, &to), 0);
	set_program(to, ACCEPT);
	locations[0] = rig_local(to, 1);
	locations[1] = rig_remote(i % N_PEERS, 5001, VSW_ENCAP_VXLAN);
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, mac, locations,
					     1 + i % 2), 0);
	set_program(from, ENCAP);
	for (unsigned j = 0; j < 3; j++)
		exchange_acl(i % 4 || j);
	set_program(wire, DECAP);
	ck_assert_int_eq(vsw_port_set_next_hop(wire, &any, mac), 0);
	ck_assert_int_eq(vsw_mapping_set_flood(mapping, locations, i % 3 % 2,
					       true), 0);
	edit_trunks(i, to);
	atomic_store(&is_there, false);
	if (i % 4 == 0)
		vsw_mapping_remove_mac(mapping, mac);
	ck_assert_int_eq(vsw_domain_set_uplink(domain, i % 5 ? wire : NULL),
			 0);
	vsw_port_get_counters(from, &counters);
	ck_assert_uint_le(vsw_connections(vsw, i % 2 ? from : NULL, 1, 16,
					  see, NULL), 1 << 20);
}

static void
make_tunneled(void)
{
	static struct frame frame;

	for (unsigned i = 0; i < N_PEERS; i++) {
		frame_must_make(&frame, "eth 8>9 ip 0.0.0.%u>0.0.0.9"
				" udp 50000>4789 nosum vxlan 5001"
				" eth 00:00:00:00:00:05>2"
				" ip 1.1.1.1>2.2.2.2 udp 1>%u", i, i);
		ck_assert_uint_le(frame.size, sizeof tunneled[i].bytes);
		memcpy(tunneled[i].bytes, frame.bytes, frame.size);
		tunneled[i].size = frame.size;
	}
}

static void
check_counts(void)
{
	struct vsw_port_counters counters = { .size = sizeof counters };
	unsigned long n_dropped = 0;

	vsw_port_get_counters(from, &counters);
	for (unsigned i = 0; i < VSW_N_DROPS; i++)
		n_dropped += counters.drops[i];
	/* A missing program in direction in is counted at its port; here it
	 * is that of ports that are not there any more. */
	ck_assert_uint_le(n_dropped, n_given);
	ck_assert_uint_eq(counters.packets_received, n_given);
	ck_assert_uint_gt(counters.flows_hit, 0);
	ck_assert_uint_gt(counters.connections_opened, 0);
	ck_assert_uint_gt(n_seen, 0);
	ck_assert_uint_gt(n_in_place, N_EDITS);
	ck_assert_uint_gt(counters.drops[VSW_DROP_RULE], 0);
	ck_assert_uint_gt(n_dropped, 0);
	vsw_port_get_counters(wire, &counters);
	ck_assert_uint_eq(counters.packets_received, n_tunneled);
	ck_assert_uint_gt(counters.flows_hit, 0);
	ck_assert_uint_gt(counters.flows_stale, 0);
	ck_assert_uint_gt(counters.drops[VSW_DROP_UNKNOWN_PA], 0);
	vsw_port_get_counters(ten, &counters);
	ck_assert_uint_eq(counters.packets_received, n_tens);
	ck_assert_uint_gt(counters.flows_hit, 0);
	vsw_port_get_counters(trunk, &counters);
	ck_assert_uint_ge(counters.drops[VSW_DROP_VLAN], n_tagged / 4);
	ck_assert_uint_gt(n_twenties, 0);
	ck_assert_uint_le(counters.packets_received + n_tens + n_twenties,
			  n_tagged);
}

START_TEST(edits_under_traffic)
{
	struct vsw_underlay underlay = {
		.size = sizeof underlay, .local_v4 = rig_addr(4, 9)
	};
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = take };
	struct vsw_options options;
	struct vsw_worker *workers[N_WORKERS];
	pthread_t threads[N_WORKERS];

	vsw_options_init(&options);
	/* So that some give way, and the table is soon looked through. */
	options.max_connections = 512;
	options.max_new_flows_per_s = VSW_UNLIMITED;
	ck_assert_int_eq(vsw_new(&options, &vsw), 0);
	ck_assert_int_eq(vsw_port_add(vsw, "from", &ops, NULL, &from), 0);
	ck_assert_int_eq(vsw_port_add(vsw, "wire", &ops, NULL, &wire), 0);
	ck_assert_int_eq(vsw_port_set_underlay(wire, &underlay), 0);
	ck_assert_int_eq(vsw_port_add(vsw, "trunk", &ops, NULL, &trunk), 0);
	ck_assert_int_eq(vsw_port_add_vlan(trunk, "ten", 10, &ten), 0);
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "m", 5001, &mapping), 0);
	set_program(wire, DECAP);
	make_tunneled();
	for (int i = 0; i < N_WORKERS; i++)
		ck_assert_int_eq(vsw_worker_new(vsw, &workers[i]), 0);
	for (int i = 0; i < N_WORKERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, carry,
						workers[i]), 0);
	for (unsigned i = 0; i < N_EDITS || atomic_load(&n_sent) < 1000; i++)
		edit_all(i);
	atomic_store(&is_done, true);
	for (int i = 0; i < N_WORKERS; i++)
		pthread_join(threads[i], NULL);
	check_counts();
	for (int i = 0; i < N_WORKERS; i++)
		vsw_worker_free(workers[i]);
	vsw_mapping_unref(mapping);
	vsw_domain_unref(domain);
	vsw_port_remove(from);
	vsw_port_remove(wire);
	vsw_port_remove(ten);
	vsw_port_remove(trunk);
	vsw_group_unref(acl);
	vsw_free(vsw);
}
END_TEST

RIG_MAIN("race", edits_under_traffic)
