/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/device/coalesce.c: what it joined, cut again, must be what
 * came, byte for byte. */

#include "libvswitch/device/coalesce.h"

#include <check.h>
#include <vswitch.h>

#include "libvswitch/device/cut.h"
#include "tests/unit/device_frame.h"

enum { MAX_FRAMES = 8192, MTU = 1450 };

static struct vsw *vsw;
static struct vsw_worker *worker;
static struct coalesce c;
static struct vsw_tunnel tunnel;
static uint8_t whole[70000], segment[70000];

static void
set_up(void)
{
	struct vsw_options options;

	vsw_options_init(&options);
	ck_assert_int_eq(vsw_new(&options, &vsw), 0);
	ck_assert_int_eq(vsw_worker_new(vsw, &worker), 0);
	memset(&tunnel, 0, sizeof tunnel);
	tunnel.vni = 5001;
	tunnel.encap = VSW_ENCAP_VXLAN;
	coalesce_init(&c, worker, NULL, 0);
}

static void
tear_down(void)
{
	for (size_t i = 0; i < c.n; i++)
		vsw_packet_free(c.packets[i]);
	vsw_worker_free(worker);
	vsw_free(vsw);
}

static void
add(const uint8_t *bytes, size_t size)
{
	const struct arrival arrival = { .tunnel = &tunnel,
					 .inner_mtu = MTU, .more = true };

	coalesce_add(&c, bytes, size, &arrival);
}

/* Ends what is open, without handing anything over: with a frame that cannot
 * be joined, and is forgotten. */
static void
end(void)
{
	static const uint8_t other[60] = { 0 };

	add(other, sizeof other);
	vsw_packet_free(c.packets[--c.n]);
}

static void
forget(void)
{
	while (c.n > 0)
		vsw_packet_free(c.packets[--c.n]);
}

/* --- What came and what is to come out again, in order. */

static struct {
	uint8_t *bytes;
	size_t size;
} frames[MAX_FRAMES];
static size_t n_frames;

static void
remember(const uint8_t *bytes, size_t size)
{
	ck_assert_uint_lt(n_frames, MAX_FRAMES);
	frames[n_frames].bytes = malloc(size);
	memcpy(frames[n_frames].bytes, bytes, size);
	frames[n_frames++].size = size;
}

static size_t n_seen;

static void
see(const uint8_t *bytes, size_t size)
{
	ck_assert_uint_lt(n_seen, n_frames);
	ck_assert_uint_eq(size, frames[n_seen].size);
	ck_assert_mem_eq(bytes, frames[n_seen].bytes, size);
	n_seen++;
}

static unsigned n_joined[VSW_SEGMENT_UDP + 1];

/* Cuts what is there, compares, and forgets. */
static void
compare(void)
{

	for (size_t i = 0; i < c.n; i++) {
		struct vsw_packet *packet = c.packets[i];
		uint8_t *data = vsw_packet_data(packet);
		size_t size = vsw_packet_size(packet), n;
		const struct vsw_offload *offload =
			vsw_packet_offload(packet);
		const uint8_t *payload;
		struct cut cut;

		ck_assert_uint_eq(vsw_packet_tunnel(packet)->vni, 5001);
		if (offload->segment_kind == VSW_SEGMENT_NONE) {
			see(data, size);
			continue;
		}
		ck_assert_uint_eq(offload->checksum, VSW_CHECKSUM_PARTIAL);
		ck_assert(cut_begin(&cut, data, size, offload));
		ck_assert_uint_gt(cut.n_segments, 1);
		while ((n = cut_next(&cut, segment, &payload)) > 0) {
			memcpy(segment + cut.header_size, payload, n);
			see(segment, cut.header_size + n);
		}
		n_joined[offload->segment_kind]++;
	}
	forget();
	ck_assert_uint_eq(n_seen, n_frames);
	while (n_frames > 0)
		free(frames[--n_frames].bytes);
	n_seen = 0;
}

/* Does something to a frame that a sender's cutting does not. */
static void
disturb(uint8_t *bytes, size_t size)
{
	bytes[(size_t) rand() % (rand() % 2 ? size : size < 70 ? size : 70)]
		^= (uint8_t) (1 << rand() % 8);
}

START_TEST(cutting_what_was_joined_gives_the_same)
{
	unsigned n_disturbed = 0;

	for (int round = 0; round < 300; round++) {
		for (int flow = 0; flow < 2; flow++) {
			struct spec s = {
				.version = rand() % 2 ? 4 : 6,
				.protocol = rand() % 3 ? 6 : 17,
				.tagged = rand() % 8 == 0,
				.n_options = (uint8_t) (rand() % 4),
				.flags = (uint8_t) (0x10 | (rand() & 0x49)),
				.id = (uint16_t) (rand() % 3 ? rand()
						  : 0xfffe),
				.sequence = (uint32_t) rand() * 2u,
				.port = (uint16_t) flow,
				.payload_size = (size_t) rand()
					% (round % 9 ? 6000 : 64000),
			};
			size_t segment_size = round % 9
				? 900 + (size_t) rand() % 500 : 1398;
			size_t n;

			make_frame(&s, whole, true);
			for (size_t i = 0; (n = naive_segment(
				&s, whole, segment_size, i, segment)); i++) {
				if (rand() % 40 == 0) {
					disturb(segment, n);
					n_disturbed++;
				}
				remember(segment, n);
				add(segment, n);
				/* One is lost, one comes twice. */
				if (rand() % 40 == 0)
					i++;
				if (rand() % 40 == 0)
					i--;
				if (c.n > DEVICE_BATCH - 4) {
					end();
					compare();
				}
			}
		}
		end();
		compare();
	}
	ck_assert_uint_gt(n_joined[VSW_SEGMENT_TCP4], 100);
	ck_assert_uint_gt(n_joined[VSW_SEGMENT_TCP6], 100);
	ck_assert_uint_gt(n_joined[VSW_SEGMENT_UDP], 100);
	ck_assert_uint_gt(n_disturbed, 50);
}
END_TEST

/* Feeds a stream of three segments, the second one changed by 'change', and
 * returns how many packets come out: one is all joined. */
static size_t
n_packets_of(struct spec s, void (*change)(const struct spec *, uint8_t *))
{
	size_t n;

	s.payload_size = 3000;
	make_frame(&s, whole, true);
	for (size_t i = 0; (n = naive_segment(&s, whole, 1000, i, segment));
	     i++) {
		if (i == 1 && change) {
			change(&s, segment);
			naive_finish(&s, segment, n, false);
		}
		add(segment, n);
	}
	end();
	n = c.n;
	forget();
	return n;
}

static void
no_change(const struct spec *s, uint8_t *bytes)
{
	(void) s;
	(void) bytes;
}

#define CHANGE(NAME, AT)						\
	static void							\
	change_##NAME(const struct spec *s, uint8_t *bytes)		\
	{								\
		(void) s;						\
		bytes[AT] ^= 0x10;					\
	}
CHANGE(mac, 5)
CHANGE(tos, l3_of(s) + 1)
CHANGE(id, l3_of(s) + 5)
CHANGE(ttl, l3_of(s) + 8)
CHANGE(hop_limit, l3_of(s) + 7)
CHANGE(flow_label, l3_of(s) + 3)
CHANGE(src, l3_of(s) + 15)
CHANGE(port, l4_of(s))
CHANGE(sequence, l4_of(s) + 7)
CHANGE(ack, l4_of(s) + 11)
CHANGE(flag, l4_of(s) + 13)
CHANGE(window, l4_of(s) + 14)
CHANGE(urgent, l4_of(s) + 19)
CHANGE(option, l4_of(s) + 21)

START_TEST(only_what_cutting_makes_is_joined)
{
	static void (*const v4[])(const struct spec *, uint8_t *) = {
		change_mac, change_tos, change_id, change_ttl, change_src,
		change_port, change_sequence, change_ack, change_flag,
		change_window, change_urgent, change_option,
	};
	static void (*const v6[])(const struct spec *, uint8_t *) = {
		change_mac, change_hop_limit, change_flow_label, change_src,
		change_port, change_sequence, change_option,
	};
	struct spec s = { .version = 4, .protocol = 6, .n_options = 3,
			  .flags = 0x10, .sequence = 0xfffffff0 };

	ck_assert_uint_eq(n_packets_of(s, no_change), 1);
	for (size_t i = 0; i < sizeof v4 / sizeof v4[0]; i++)
		ck_assert_uint_gt(n_packets_of(s, v4[i]), 1);
	s.version = 6;
	ck_assert_uint_eq(n_packets_of(s, no_change), 1);
	for (size_t i = 0; i < sizeof v6 / sizeof v6[0]; i++)
		ck_assert_uint_gt(n_packets_of(s, v6[i]), 1);
}
END_TEST

START_TEST(a_joined_packet_says_what_it_is)
{
	struct spec s = { .version = 4, .protocol = 6, .flags = 0x18,
			  .sequence = 1, .id = 9, .payload_size = 3500 };
	const struct vsw_offload *offload;
	size_t n;

	make_frame(&s, whole, true);
	for (size_t i = 0; (n = naive_segment(&s, whole, 1000, i, segment));
	     i++)
		add(segment, n);
	end();
	ck_assert_uint_eq(c.n, 1);
	offload = vsw_packet_offload(c.packets[0]);
	ck_assert_uint_eq(offload->segment_kind, VSW_SEGMENT_TCP4);
	ck_assert_uint_eq(offload->segment_size, 1000);
	ck_assert_uint_eq(offload->checksum_start, 34);
	ck_assert_uint_eq(offload->checksum_offset, 16);
	/* It is the frame that its sender had not cut yet. */
	ck_assert_uint_eq(vsw_packet_size(c.packets[0]), 54 + 3500);
	ck_assert_mem_eq(vsw_packet_data(c.packets[0]), whole, 54 + 3500);
}
END_TEST

/* Cutting would make a checksum where there was none, and a lone datagram is
 * not worth a packet that could hold many. */
START_TEST(some_datagrams_stay_alone)
{
	struct spec s = { .version = 4, .protocol = 17, .payload_size = 200 };
	struct arrival alone = { .tunnel = &tunnel, .inner_mtu = MTU };

	make_frame(&s, whole, true);
	for (size_t i = 0; i < 2; i++) {
		size_t n = naive_segment(&s, whole, 100, i, segment);

		put16(segment + l4_of(&s) + 6, 0);
		add(segment, n);
	}
	ck_assert_uint_eq(c.n, 2);
	for (size_t i = 0; i < 2; i++)
		coalesce_add(&c, segment, naive_segment(&s, whole, 100, i,
							segment), &alone);
	ck_assert_uint_eq(c.n, 4);
	ck_assert_int_eq(c.open, false);
}
END_TEST

/* 64 datagrams are one packet, the 65th begins another. */
START_TEST(datagrams_are_joined_up_to_a_limit)
{
	struct spec s = { .version = 6, .protocol = 17, .payload_size = 6500 };
	size_t n;

	make_frame(&s, whole, true);
	for (size_t i = 0; (n = naive_segment(&s, whole, 100, i, segment));
	     i++)
		add(segment, n);
	end();
	ck_assert_uint_eq(c.n, 2);
	ck_assert_uint_eq(vsw_packet_size(c.packets[0]), 62 + 6400);
	ck_assert_uint_eq(vsw_packet_offload(c.packets[0])->segment_kind,
			  VSW_SEGMENT_UDP);
	ck_assert_uint_eq(vsw_packet_size(c.packets[1]), 62 + 100);
}
END_TEST

START_TEST(another_tunnel_is_another_packet)
{
	struct spec s = { .version = 4, .protocol = 6, .flags = 0x10,
			  .payload_size = 2000 };

	make_frame(&s, whole, true);
	add(segment, naive_segment(&s, whole, 1000, 0, segment));
	tunnel.vni = 5002;
	add(segment, naive_segment(&s, whole, 1000, 1, segment));
	end();
	ck_assert_uint_eq(c.n, 2);
	ck_assert_uint_eq(vsw_packet_tunnel(c.packets[1])->vni, 5002);
}
END_TEST

/* What a kernel's tunnel in the same machine sends. */
START_TEST(a_missing_checksum_is_known)
{
	static const uint8_t padding[6] = { 1, 2, 3, 4, 5, 6 };
	struct spec s = { .version = 6, .protocol = 17, .payload_size = 11 };
	size_t size = make_frame(&s, whole, true);
	const struct vsw_offload *offload;

	memcpy(whole + size, padding, sizeof padding);
	add(whole, size + sizeof padding);
	ck_assert_uint_eq(c.n, 1);
	offload = vsw_packet_offload(c.packets[0]);
	ck_assert_uint_eq(offload->checksum, VSW_CHECKSUM_PARTIAL);
	ck_assert_uint_eq(offload->checksum_start, 54);
	ck_assert_uint_eq(offload->checksum_offset, 6);
	ck_assert_uint_eq(offload->segment_kind, VSW_SEGMENT_NONE);
	ck_assert_uint_eq(vsw_packet_size(c.packets[0]), size);

	/* One that is there stays as it is. */
	size = make_frame(&s, whole, false);
	add(whole, size);
	end();
	ck_assert_uint_ne(vsw_packet_offload(c.packets[1])->checksum,
			  VSW_CHECKSUM_PARTIAL);
	ck_assert_mem_eq(vsw_packet_data(c.packets[1]), whole, size);
}
END_TEST

START_TEST(an_uncut_packet_is_known)
{
	struct spec s = { .version = 4, .protocol = 6, .flags = 0x10,
			  .n_options = 3, .payload_size = 60000 };
	size_t size = make_frame(&s, whole, true);
	struct arrival arrival = { .tunnel = &tunnel, .inner_mtu = MTU,
				   .segment_size = 1200 };
	const struct vsw_offload *offload;

	add(whole, size);
	offload = vsw_packet_offload(c.packets[0]);
	ck_assert_uint_eq(offload->segment_kind, VSW_SEGMENT_TCP4);
	ck_assert_uint_eq(offload->segment_size, MTU - 20 - 32);

	s.protocol = 17;
	size = make_frame(&s, whole, true);
	coalesce_add(&c, whole, size, &arrival);
	offload = vsw_packet_offload(c.packets[1]);
	ck_assert_uint_eq(offload->segment_kind, VSW_SEGMENT_UDP);
	ck_assert_uint_eq(offload->segment_size, 1200);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("device_coalesce");
	TCase *tc = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int n_failed;

	srand(1);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, cutting_what_was_joined_gives_the_same);
	tcase_add_test(tc, only_what_cutting_makes_is_joined);
	tcase_add_test(tc, a_joined_packet_says_what_it_is);
	tcase_add_test(tc, some_datagrams_stay_alone);
	tcase_add_test(tc, datagrams_are_joined_up_to_a_limit);
	tcase_add_test(tc, another_tunnel_is_another_packet);
	tcase_add_test(tc, a_missing_checksum_is_known);
	tcase_add_test(tc, an_uncut_packet_is_known);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
