/* SPDX-License-Identifier: Apache-2.0 */

#ifndef UNIT_POLICY_RIG_H
#define UNIT_POLICY_RIG_H 1

/* A switch with memory that can run out, for tests of policy. */

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <vswitch.h>
#include "libvswitch/policy/key.h"
#include "tests/unit/rig.h"

static inline struct vsw *
rig_switch(struct rig_memory *memory)
{
	struct vsw_options options;
	struct vsw *vsw;

	vsw_options_init(&options);
	options.allocator = rig_allocator(memory);
	options.hash_seed = 7;
	options.max_ports = 64;
	options.max_workers = 4;
	options.max_flows = 256;
	ck_assert_int_eq(vsw_new(&options, &vsw), 0);
	return vsw;
}

static inline void
rig_ignore(void *ctx, struct vsw_worker *worker,
	   struct vsw_packet *const packets[], size_t n)
{
	(void) ctx;
	(void) worker;
	for (size_t i = 0; i < n; i++)
		vsw_packet_free(packets[i]);
}

static inline struct vsw_port *
rig_port(struct vsw *vsw, const char *name, uint32_t abilities)
{
	struct vsw_port_ops ops = { .size = sizeof ops,
				    .abilities = abilities,
				    .transmit = rig_ignore };
	struct vsw_port *port;

	ck_assert_int_eq(vsw_port_add(vsw, name, &ops, NULL, &port), 0);
	return port;
}

/* An IPv4 address, or IPv6's 2001:db8:: and the same four bytes. */
static inline struct vsw_addr
rig_addr(unsigned n, uint32_t value)
{
	struct vsw_addr addr = { .n = (uint8_t) n };
	uint8_t *p = addr.bytes + n - 4;

	if (n == 16)
		memcpy(addr.bytes, "\x20\x01\x0d\xb8", 4);
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t) (value >> (24 - 8 * i));
	return addr;
}

static inline struct vsw_location
rig_remote(uint32_t pa, uint32_t vni, uint8_t encap)
{
	return (struct vsw_location) {
		.size = sizeof(struct vsw_location),
		.pa = rig_addr(4, pa), .vni = vni, .encap = encap,
		.mac = { 2, 0, 0, 0, 0, (uint8_t) pa }
	};
}

static inline struct vsw_location
rig_local(struct vsw_port *port, uint8_t mac)
{
	return (struct vsw_location) {
		.size = sizeof(struct vsw_location), .port = port,
		.mac = { 2, 0, 0, 0, 0, mac }
	};
}

/* Runs 'body' with memory that ends at its first, second, ... request, until
 * it gets through; each time there must be as much memory out as before. */
#define RIG_RUN_OUT(MEMORY, BODY)                                          \
	do {                                                                \
		int rig_result_;                                            \
		unsigned long rig_n_ = 0;                                   \
		do {                                                        \
			unsigned long live_ = (MEMORY)->n_live;             \
			(MEMORY)->n_calls = 0;                              \
			(MEMORY)->fail_at = ++rig_n_;                       \
			rig_result_ = (BODY);                               \
			(MEMORY)->fail_at = 0;                              \
			if (rig_result_) {                                  \
				ck_assert_int_eq(rig_result_, -ENOMEM);     \
				ck_assert_uint_eq((MEMORY)->n_live, live_); \
			}                                                   \
		} while (rig_result_);                                      \
		ck_assert_uint_gt(rig_n_, 1);                               \
	} while (0)

/* main() of a program with one suite. */
static inline int
rig_main(const char *name, const TTest *const tests[], size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(tcase, 120);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}

#define RIG_MAIN(NAME, ...)                                                 \
	int                                                                 \
	main(void)                                                          \
	{                                                                   \
		const TTest *const tests[] = { __VA_ARGS__ };               \
                                                                            \
		return rig_main(NAME, tests,                                \
				sizeof tests / sizeof tests[0]);            \
	}

#endif /* unit/policy_rig.h */
