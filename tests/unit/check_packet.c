/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/packet.c. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/datapath/packet.h"
#include "tests/unit/packet_rig.h"

static struct packet_rig rig;

static void
setup(void)
{
	packet_rig_up(&rig);
}

static void
teardown(void)
{
	packet_rig_down(&rig);
}

START_TEST(has_headroom_at_every_size)
{
	static const size_t sizes[] = { 0, 1, 60, 1514, 1856, 1857, 9014,
					10048, 10049, 65536, VSW_PACKET_MAX };

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct vsw_packet *p = packet_new(rig.pool, sizes[i]);

		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(vsw_packet_size(p), sizes[i]);
		memset(vsw_packet_data(p), 0xaa, sizes[i]);
		ck_assert_ptr_nonnull(vsw_packet_push(p,
						      VSW_PACKET_HEADROOM));
		memset(vsw_packet_data(p), 0xbb, vsw_packet_size(p));
		ck_assert_uint_eq(vsw_packet_size(p),
				  sizes[i] + VSW_PACKET_HEADROOM);
		ck_assert_ptr_null(vsw_packet_push(p, 4096));
		ck_assert_uint_eq(vsw_packet_size(p),
				  sizes[i] + VSW_PACKET_HEADROOM);
		vsw_packet_free(p);
	}
	ck_assert_ptr_null(packet_new(rig.pool, VSW_PACKET_MAX + 1));
	ck_assert_ptr_null(packet_new(rig.pool, SIZE_MAX));
}
END_TEST

START_TEST(pulls_and_trims_no_more_than_it_has)
{
	struct vsw_packet *p = packet_new(rig.pool, 100);

	vsw_packet_data(p)[10] = 0x77;
	vsw_packet_pull(p, 10);
	ck_assert_uint_eq(vsw_packet_data(p)[0], 0x77);
	ck_assert_uint_eq(vsw_packet_size(p), 90);
	vsw_packet_trim(p, 200);
	ck_assert_uint_eq(vsw_packet_size(p), 90);
	vsw_packet_trim(p, 50);
	ck_assert_uint_eq(vsw_packet_size(p), 50);
	vsw_packet_pull(p, 51);
	ck_assert_uint_eq(vsw_packet_size(p), 0);
	vsw_packet_free(p);
	vsw_packet_free(NULL);
}
END_TEST

START_TEST(is_clean_when_used_again)
{
	struct vsw_packet *p = packet_new(rig.pool, 100), *again;

	p->offload.segment_size = 7;
	p->tunnel.encap = VSW_ENCAP_VXLAN;
	p->punt_reason = 3;
	vsw_packet_pull(p, 40);
	vsw_packet_free(p);
	again = packet_new(rig.pool, 50);
	ck_assert_ptr_eq(again, p);
	ck_assert_uint_eq(again->offload.segment_size, 0);
	ck_assert_uint_eq(vsw_packet_tunnel(again)->encap, VSW_ENCAP_NONE);
	ck_assert_uint_eq(vsw_packet_punt(again, NULL), 0);
	ck_assert_uint_eq(vsw_packet_size(again), 50);
	vsw_packet_free(again);
}
END_TEST

START_TEST(asks_for_no_memory_in_the_long_run)
{
	struct vsw_packet *packets[32];
	unsigned long n_calls = 0;

	for (unsigned turn = 0; turn < 50; turn++) {
		for (unsigned i = 0; i < 32; i++)
			packets[i] = packet_new(rig.pool, i % 3 == 0 ? 60
						: i % 3 == 1 ? 9000 : 65000);
		for (unsigned i = 0; i < 32; i++)
			vsw_packet_free(packets[i]);
		if (turn == 0)
			n_calls = rig.memory.n_calls;
	}
	ck_assert_uint_eq(rig.memory.n_calls, n_calls);
}
END_TEST

START_TEST(keeps_a_bounded_number)
{
	enum { N = 3000 };
	static struct vsw_packet *packets[N];

	for (unsigned i = 0; i < N; i++)
		packets[i] = packet_new(rig.pool, 60);
	ck_assert_uint_eq(packet_pool_n_used(rig.pool), N);
	for (unsigned i = 0; i < N; i++)
		vsw_packet_free(packets[i]);
	ck_assert_uint_lt(rig.memory.n_live, N / 2);
}
END_TEST

START_TEST(clones_bytes_and_all_that_is_known)
{
	struct vsw_packet *p = packet_new(rig.pool, 3000), *clone;
	uint32_t vni;

	memset(p->data, 0x5a, 3000);
	p->offload.checksum = VSW_CHECKSUM_PARTIAL;
	p->tunnel.vni = 5001;
	p->punt_reason = 4;
	p->punt_vni = 5002;
	p->in_port = (struct vsw_port *) &rig;
	clone = packet_clone(p);
	ck_assert_ptr_ne(clone, p);
	ck_assert_uint_eq(clone->size, 3000);
	ck_assert_int_eq(memcmp(clone->data, p->data, 3000), 0);
	ck_assert_uint_eq(vsw_packet_offload(clone)->checksum,
			  VSW_CHECKSUM_PARTIAL);
	ck_assert_uint_eq(clone->tunnel.vni, 5001);
	ck_assert_uint_eq(vsw_packet_punt(clone, &vni), 4);
	ck_assert_uint_eq(vni, 5002);
	ck_assert_ptr_eq(vsw_packet_in_port(clone), p->in_port);
	vsw_packet_free(p);
	vsw_packet_free(clone);
}
END_TEST

START_TEST(copes_without_memory)
{
	struct vsw_allocator allocator = rig_allocator(&rig.memory);
	struct packet_pool *none;
	struct vsw_packet *p = packet_new(rig.pool, 60);

	rig.memory.fail_at = rig.memory.n_calls + 1;
	ck_assert_ptr_null(packet_new(rig.pool, 60));
	ck_assert_ptr_null(packet_clone(p));
	ck_assert_int_eq(packet_pool_new(&allocator, &none), -ENOMEM);
	ck_assert_uint_eq(rig.memory.n_failed, 3);
	ck_assert_uint_eq(packet_pool_n_used(rig.pool), 1);
	vsw_packet_free(p);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("packet");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, has_headroom_at_every_size);
	tcase_add_test(all, pulls_and_trims_no_more_than_it_has);
	tcase_add_test(all, is_clean_when_used_again);
	tcase_add_test(all, asks_for_no_memory_in_the_long_run);
	tcase_add_test(all, keeps_a_bounded_number);
	tcase_add_test(all, clones_bytes_and_all_that_is_known);
	tcase_add_test(all, copes_without_memory);
	suite_add_tcase(suite, all);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
