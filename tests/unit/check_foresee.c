/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/foresee.c: that what first packets look up in
 * mappings has been fetched for all of them before the first one asks, routed
 * or not, that hits fetch nothing, and that layers are not asked once more what
 * they have been asked for this.  The linker puts what is here around the
 * functions that fetch and find. */

#include "libvswitch/datapath/foresee.h"

#include "libvswitch/policy/group.h"
#include "libvswitch/policy/mapping.h"
#include "tests/unit/policy_rig.h"
#include "tests/walk/frame.h"

enum { N_PACKETS = 24, SEEN_MAX = 256 };

/* What was looked up, or was to be: address or MAC, rest is zero. */
struct seen {
	const struct vsw_mapping *mapping;
	uint8_t bytes[16];
};

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_worker *worker;
static struct vsw_port *vm, *wire;
static struct vsw_domain *domain;
static struct vsw_mapping *own, *other;
static struct seen fetched[SEEN_MAX];
static unsigned n_fetched, n_found, n_at_first_look, n_guessed;
static unsigned n_sent, n_asked;
static bool is_deceived;		/* Guesses are wrong. */
static const uint8_t router[6] = { 2, 0, 0, 0, 9, 9 };

void __real_mapping_fetch_mac(const struct vsw_mapping *, const uint8_t *,
			      struct mapping_fetch *);
void __wrap_mapping_fetch_mac(const struct vsw_mapping *, const uint8_t *,
			      struct mapping_fetch *);
void __real_mapping_fetch_addr(const struct vsw_mapping *, const uint8_t *,
			       unsigned, struct mapping_fetch *);
void __wrap_mapping_fetch_addr(const struct vsw_mapping *, const uint8_t *,
			       unsigned, struct mapping_fetch *);
bool __real_mapping_fetch_more(struct mapping_fetch *);
bool __wrap_mapping_fetch_more(struct mapping_fetch *);
const struct place *__real_mapping_find_mac(const struct vsw_mapping *,
					    const uint8_t *,
					    struct dependencies *,
					    uint32_t *);
const struct place *__wrap_mapping_find_mac(const struct vsw_mapping *,
					    const uint8_t *,
					    struct dependencies *,
					    uint32_t *);
const struct place *__real_mapping_find_addr(const struct vsw_mapping *,
					     const uint8_t *, unsigned,
					     struct dependencies *,
					     uint32_t *);
const struct place *__wrap_mapping_find_addr(const struct vsw_mapping *,
					     const uint8_t *, unsigned,
					     struct dependencies *,
					     uint32_t *);

const struct rule *__real_group_find(const struct vsw_group *,
				     const struct flow_key *);
const struct rule *__wrap_group_find(const struct vsw_group *,
				     const struct flow_key *);

const struct rule *
__wrap_group_find(const struct vsw_group *group, const struct flow_key *key)
{
	n_asked++;
	return __real_group_find(group, key);
}

static void
note(const struct vsw_mapping *mapping, const uint8_t *bytes, size_t n)
{
	struct seen *seen = &fetched[n_fetched++];

	ck_assert_uint_le(n_fetched, SEEN_MAX);
	*seen = (struct seen) { .mapping = mapping };
	memcpy(seen->bytes, bytes, n);
}

static void
expect(const struct vsw_mapping *mapping, const uint8_t *bytes, size_t n)
{
	uint8_t whole[16] = { 0 };
	bool was = false;

	memcpy(whole, bytes, n);
	for (unsigned i = 0; i < n_fetched; i++)
		was |= fetched[i].mapping == mapping
		       && !memcmp(fetched[i].bytes, whole, sizeof whole);
	ck_assert_msg(was != is_deceived, "an address is looked up that was %s",
		      was ? "fetched" : "not fetched");
	if (!n_found++)
		n_at_first_look = n_fetched;
}

void
__wrap_mapping_fetch_mac(const struct vsw_mapping *mapping,
			 const uint8_t *mac, struct mapping_fetch *f)
{
	note(mapping, mac, 6);
	__real_mapping_fetch_mac(mapping, mac, f);
}

void
__wrap_mapping_fetch_addr(const struct vsw_mapping *mapping,
			  const uint8_t *addr, unsigned n,
			  struct mapping_fetch *f)
{
	note(mapping, addr, n);
	__real_mapping_fetch_addr(mapping, addr, n, f);
}

bool
__wrap_mapping_fetch_more(struct mapping_fetch *f)
{
	bool is_more = __real_mapping_fetch_more(f);

	n_guessed += is_more && f->endpoint;
	return is_more;
}

const struct place *
__wrap_mapping_find_mac(const struct vsw_mapping *mapping, const uint8_t *mac,
			struct dependencies *deps, uint32_t *ret_n)
{
	expect(mapping, mac, 6);
	return __real_mapping_find_mac(mapping, mac, deps, ret_n);
}

const struct place *
__wrap_mapping_find_addr(const struct vsw_mapping *mapping,
			 const uint8_t *addr, unsigned n,
			 struct dependencies *deps, uint32_t *ret_n)
{
	expect(mapping, addr, n);
	return __real_mapping_find_addr(mapping, addr, n, deps, ret_n);
}

static void
count(void *ctx, struct vsw_worker *w, struct vsw_packet *const packets[],
      size_t n)
{
	n_sent += (unsigned) n;
	rig_ignore(ctx, w, packets, n);
}

static struct vsw_port *
add_port(const char *name)
{
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = count };
	struct vsw_port *port;

	ck_assert_int_eq(vsw_port_add(vsw, name, &ops, NULL, &port), 0);
	return port;
}

static struct vsw_group *
sealed(struct vsw_group *group)
{
	char problem[256];

	ck_assert_msg(!vsw_group_seal(group, problem, sizeof problem), "%s",
		      problem);
	return group;
}

static struct vsw_group *
new_group(const char *name)
{
	struct vsw_group *group;

	ck_assert_int_eq(vsw_group_new(vsw, name, &group), 0);
	return group;
}

/* To the router: into the other subnet. */
static struct vsw_group *
routes(const struct vsw_addr *next_hop)
{
	struct vsw_group *group = new_group("routes");
	struct vsw_rule *rule = vsw_group_add_rule(group, 1, NULL);

	vsw_rule_match(rule, VSW_FIELD_ETH_DST, router, NULL);
	vsw_rule_route(rule, other, next_hop, router, 0);
	vsw_rule_terminate(rule);
	return sealed(group);
}

static struct vsw_group *
subnets(void)
{
	static const uint8_t vni[4] = { 0, 0, 0, 2 };
	struct vsw_group *group = new_group("subnets");
	struct vsw_rule *rule = vsw_group_add_rule(group, 1, NULL);

	vsw_rule_match(rule, VSW_FIELD_VNI, vni, NULL);
	vsw_rule_encap(rule, other);
	vsw_rule_terminate(rule);
	vsw_rule_encap(vsw_group_add_rule(group, 2, NULL), own);
	return sealed(group);
}

static void
add_group(struct vsw_program *program, const char *name,
	  struct vsw_group *group)
{
	vsw_layer_add_group(vsw_program_add_layer(program, name), VSW_OUT,
			    group);
	vsw_group_unref(group);
}

static void
use(struct vsw_port *port, struct vsw_program *program)
{
	char problem[256];

	ck_assert_msg(!vsw_program_seal(program, problem, sizeof problem),
		      "%s", problem);
	ck_assert_int_eq(vsw_port_set_program(port, program), 0);
	vsw_program_unref(program);
}

static void
setup(const struct vsw_addr *next_hop)
{
	struct vsw_underlay underlay = {
		.size = sizeof underlay, .local_v4 = rig_addr(4, 0x0a000001)
	};
	const uint8_t next[6] = { 2, 0, 0, 0, 8, 8 };
	const struct vsw_addr any = { .n = 0 };
	struct vsw_program *program;

	vsw = rig_switch(&memory);
	ck_assert_int_eq(vsw_worker_new(vsw, &worker), 0);
	vm = add_port("vm");
	wire = add_port("wire");
	ck_assert_int_eq(vsw_port_set_underlay(wire, &underlay), 0);
	ck_assert_int_eq(vsw_port_set_next_hop(wire, &any, next), 0);
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	ck_assert_int_eq(vsw_domain_set_uplink(domain, wire), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "own", 1, &own), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "other", 2, &other), 0);
	for (uint32_t i = 1; i <= N_PACKETS; i++) {
		struct vsw_location l = rig_remote(0x0a000100 + i, 1,
						   VSW_ENCAP_VXLAN);
		struct vsw_addr addr = rig_addr(4, 0x0a010000 + i);

		memcpy(l.mac, (uint8_t[6]) { 2, 0, 0, 0, 1, (uint8_t) i }, 6);
		ck_assert_int_eq(vsw_mapping_set_mac(own, l.mac, &l, 1), 0);
		l.vni = 2;
		memcpy(l.mac, (uint8_t[6]) { 2, 0, 0, 0, 2, (uint8_t) i }, 6);
		ck_assert_int_eq(vsw_mapping_set_mac(other, l.mac, &l, 1), 0);
		ck_assert_int_eq(vsw_mapping_set_addr(other, &addr, &l, 1),
				 0);
	}
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	add_group(program, "route", routes(next_hop));
	add_group(program, "vnet", subnets());
	use(vm, program);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	use(wire, program);
}

static void
teardown(void)
{
	vsw_worker_free(worker);
	vsw_mapping_unref(own);
	vsw_mapping_unref(other);
	vsw_domain_unref(domain);
	vsw_port_remove(vm);
	vsw_port_remove(wire);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}

/* One to each of the addresses, in one batch. */
static void
send(bool is_routed)
{
	struct vsw_packet *packets[N_PACKETS];
	static struct frame frame;

	n_fetched = n_found = n_at_first_look = n_guessed = n_sent = 0;
	n_asked = 0;
	for (unsigned i = 0; i < N_PACKETS; i++) {
		frame_must_make(&frame, "eth %s ip 10.1.0.200>10.1.0.%u "
				"udp 1>2 payload 9",
				"2:0:0:0:0:1>2:0:0:0:9:9", i + 1);
		if (!is_routed)
			memcpy(frame.bytes, (uint8_t[6]) { 2, 0, 0, 0, 1,
							   (uint8_t) (i + 1)
			       }, 6);
		packets[i] = vsw_packet_new(worker, frame.size);
		ck_assert_ptr_nonnull(packets[i]);
		memcpy(vsw_packet_data(packets[i]), frame.bytes, frame.size);
	}
	vsw_worker_receive(worker, vm, packets, N_PACKETS, 1000);
	ck_assert_uint_eq(n_sent, N_PACKETS);
}

static void
expect_hits(bool is_routed)
{
	send(is_routed);
	ck_assert_uint_eq(n_fetched, 0);
	ck_assert_uint_eq(n_found, 0);
	ck_assert_uint_eq(n_asked, 0);
}

START_TEST(macs_are_fetched_first)
{
	const struct vsw_addr none = { .n = 0 };

	setup(&none);
	send(false);
	/* Each of the two layers. */
	ck_assert_uint_eq(n_asked, 2 * N_PACKETS);
	ck_assert_uint_eq(n_found, N_PACKETS);
	ck_assert_uint_eq(n_at_first_look, N_PACKETS);
	/* And as far as the tunnels. */
	ck_assert_uint_eq(n_guessed, N_PACKETS);
	expect_hits(false);
	teardown();
}
END_TEST

START_TEST(next_hops_are_fetched_first)
{
	const struct vsw_addr none = { .n = 0 };

	setup(&none);
	send(true);
	ck_assert_uint_eq(n_asked, 2 * N_PACKETS);
	ck_assert_uint_eq(n_found, 2 * N_PACKETS);
	ck_assert_uint_eq(n_at_first_look, 2 * N_PACKETS);
	ck_assert_uint_eq(n_guessed, N_PACKETS);
	expect_hits(true);
	teardown();
}
END_TEST

START_TEST(a_routers_next_hop_is_fetched)
{
	const struct vsw_addr next_hop = rig_addr(4, 0x0a010007);

	setup(&next_hop);
	send(true);
	ck_assert_uint_eq(n_at_first_look, 2 * N_PACKETS);
	ck_assert_mem_eq(fetched[0].bytes, next_hop.bytes, 4);
	expect_hits(true);
	teardown();
}
END_TEST

/* A layer before them makes another packet of it: they are asked anew, and what
 * was foreseen is forgotten. */
START_TEST(wrong_guesses_do_not_count)
{
	struct vsw_group *group;
	struct vsw_program *program;
	struct vsw_rule *rule;
	const struct vsw_addr none = { .n = 0 };

	setup(&none);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	group = new_group("to the router");
	rule = vsw_group_add_rule(group, 1, NULL);
	vsw_rule_set_eth_dst(rule, router);
	add_group(program, "to the router", sealed(group));
	add_group(program, "route", routes(&none));
	add_group(program, "vnet", subnets());
	use(vm, program);
	is_deceived = true;
	send(false);
	/* Foreseen: not routed, into the own subnet; and then it is. */
	ck_assert_uint_eq(n_asked, (2 + 3) * N_PACKETS);
	/* An address, and the MAC that it has. */
	ck_assert_uint_eq(n_found, 2 * N_PACKETS);
	expect_hits(false);
	is_deceived = false;
	teardown();
}
END_TEST

RIG_MAIN("foresee", macs_are_fetched_first, next_hops_are_fetched_first,
	 a_routers_next_hop_is_fetched, wrong_guesses_do_not_count)
