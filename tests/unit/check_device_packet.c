/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/device/packet.c on one end of a veth pair; the test is the
 * other end. */

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>

#include "tests/unit/device_frame.h"
#include "tests/unit/device_rig.h"

static struct rig rig;
static uint8_t frame[VSW_PACKET_MAX], seen[VSW_PACKET_MAX];
static struct vsw_device *device, *m;
static int peer;

static struct vsw_device *
open_device(uint32_t n_queues)
{
	struct vsw_packet_options options = {
		.size = sizeof options, .name = "v0", .promiscuous = 1,
		.n_queues = n_queues,
	};
	struct vsw_device *opened;
	char problem[256] = "";

	ck_assert_msg(!vsw_device_open_packet(rig.vsw, &options, problem,
					      sizeof problem, &opened), "%s",
		      problem);
	return opened;
}

static int
open_peer(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int) if_nametoindex("v1"),
	};

	ck_assert_int_eq(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on,
				    sizeof on), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *) &address,
			      sizeof address), 0);
	return fd;
}

/* Until then the kernel drops what is sent, and says nothing. */
static void
wait_until_up(void)
{
	run("for i in $(seq 1000); do "
	    "ip link show v0 | grep -q 'state UP' && "
	    "ip link show v1 | grep -q 'state UP' && exit 0; sleep 0.01; "
	    "done; exit 1");
}

static void
set_up(void)
{
	rig_init(&rig);
	run("ip link del v0 2>/dev/null || :");
	run("ip link add v0 type veth peer name v1");
	run("ip link set v0 addrgenmode none up");
	run("ip link set v1 addrgenmode none up");
	wait_until_up();
	device = open_device(0);
	m = rig_memory(&rig, "m", VSW_PORT_CHECKSUM | VSW_PORT_TSO4
		       | VSW_PORT_TSO6 | VSW_PORT_USO);
	rig_connect(&rig, m, device);
	peer = open_peer();
}

static void
tear_down(void)
{
	close(peer);
	vsw_device_close(device);
	vsw_device_close(m);
	rig_done(&rig);
}

static void
send_ours(const struct virtio_net_hdr *header, size_t size)
{
	struct iovec parts[2] = { { (void *) (uintptr_t) header,
				    sizeof *header }, { frame, size } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	ck_assert_int_gt(sendmsg(peer, &message, 0), 0);
}

static size_t
read_ours(struct virtio_net_hdr *header)
{
	for (;;) {
		struct iovec parts[2] = { { header, sizeof *header },
					  { seen, sizeof seen } };
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
		ssize_t n;

		ck_assert(is_readable(peer, 5000));
		n = recvmsg(peer, &message, 0);
		ck_assert_int_ge(n, (ssize_t) sizeof *header + 14);
		if (!memcmp(seen, frame, 12))
			return (size_t) n - sizeof *header;
	}
}

static long
take_ours(struct vsw_offload *offload)
{
	long n;

	do
		n = rig_take(&rig, device, m, seen, sizeof seen, offload);
	while (memcmp(seen, frame, 12));
	return n;
}

START_TEST(frames_pass_with_their_offload)
{
	const struct spec specs[] = {
		{ .version = 4, .protocol = 6, .flags = 0x10,
		  .payload_size = 5000 },
		{ .version = 6, .protocol = 6, .flags = 0x10, .n_options = 3,
		  .payload_size = 60000 },
	};

	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
		const struct spec *s = &specs[i];
		size_t size = make_frame(s, frame, true);
		const struct vsw_offload offload = {
			.segment_kind = s->version == 4 ? VSW_SEGMENT_TCP4
							: VSW_SEGMENT_TCP6,
			.segment_size = 1000,
			.checksum = VSW_CHECKSUM_PARTIAL,
			.checksum_start = (uint16_t) l4_of(s),
			.checksum_offset = 16,
		};
		struct virtio_net_hdr header;
		struct vsw_offload came;

		ck_assert_int_eq(vsw_device_put(m, frame, size, &offload,
						NULL), 0);
		ck_assert_int_eq(rig_receive(&rig, m), 0);
		ck_assert_uint_eq(read_ours(&header), size);
		ck_assert_mem_eq(seen, frame, size);
		ck_assert_uint_eq(header.gso_size, 1000);
		ck_assert_uint_eq(header.csum_start, l4_of(s));

		send_ours(&header, size);
		ck_assert_int_eq(take_ours(&came), (long) size);
		ck_assert_mem_eq(seen, frame, size);
		ck_assert_uint_eq(came.segment_kind, offload.segment_kind);
		ck_assert_uint_eq(came.segment_size, 1000);
		ck_assert_uint_eq(came.checksum, VSW_CHECKSUM_PARTIAL);
		ck_assert_uint_eq(came.checksum_start, l4_of(s));
	}
}
END_TEST

START_TEST(a_tag_stays_in_the_frame)
{
	const struct spec s = { .version = 4, .protocol = 17, .tagged = true,
				.payload_size = 100 };
	size_t size = make_frame(&s, frame, false);
	const struct virtio_net_hdr none = { 0 };
	struct virtio_net_hdr header;

	send_ours(&none, size);
	ck_assert_int_eq(take_ours(NULL), (long) size);
	ck_assert_mem_eq(seen, frame, size);
	ck_assert_int_eq(vsw_device_put(m, frame, size, NULL, NULL), 0);
	ck_assert_int_eq(rig_receive(&rig, m), 0);
	read_ours(&header);
}
END_TEST

START_TEST(what_was_sent_does_not_come_back)
{
	const struct spec s = { .version = 4, .protocol = 17,
				.payload_size = 100 };
	size_t size = make_frame(&s, frame, false);
	struct virtio_net_hdr header;

	ck_assert_int_eq(vsw_device_put(m, frame, size, NULL, NULL), 0);
	ck_assert_int_eq(rig_receive(&rig, m), 0);
	read_ours(&header);
	/* The kernel may talk; what it says is not ours. */
	while (!vsw_device_receive(device, 0, rig.worker, 0))
		;
	while (vsw_device_take(m, seen, sizeof seen, NULL, NULL) > 0)
		ck_assert(memcmp(seen, frame, 12));
}
END_TEST

START_TEST(batches_grow_and_stay_in_order)
{
	const struct virtio_net_hdr none = { 0 };
	struct spec s = { .version = 4, .protocol = 17, .payload_size = 100 };

	for (int i = 0; i < 200; i++) {
		s.id = (uint16_t) i;
		send_ours(&none, make_frame(&s, frame, false));
	}
	for (int i = 0; i < 200; i++) {
		ck_assert_int_eq(take_ours(NULL), 142);
		ck_assert_uint_eq(seen[18] << 8 | seen[19], i);
	}
}
END_TEST

START_TEST(without_memory_packets_are_counted)
{
	const struct virtio_net_hdr none = { 0 };
	const struct spec s = { .version = 4, .protocol = 17 };
	size_t size = make_frame(&s, frame, false);
	uint64_t n = 0;

	send_ours(&none, size);
	rig_is_poor = true;
	while (is_readable(vsw_device_fd(device, 0), 0)) {
		ck_assert_int_eq(rig_receive(&rig, device), 0);
		ck_assert_uint_eq(rig_drops(device, VSW_DROP_NO_MEMORY), ++n);
	}
	rig_is_poor = false;
	ck_assert_uint_gt(n, 0);
	send_ours(&none, size);
	ck_assert_int_eq(take_ours(NULL), (long) size);
}
END_TEST

START_TEST(queues_share_a_fanout_group)
{
	const struct virtio_net_hdr none = { 0 };
	struct vsw_device *many;
	unsigned n_came = 0, n_used = 0;

	vsw_device_close(device);
	device = many = open_device(4);
	ck_assert_uint_eq(vsw_device_n_queues(many), 4);
	rig_connect(&rig, m, many);
	for (int i = 0; i < 64; i++) {
		struct spec s = { .version = 4, .protocol = 17,
				  .payload_size = 100,
				  .port = (uint16_t) (1000 + i) };

		send_ours(&none, make_frame(&s, frame, false));
	}
	for (unsigned q = 0; q < 4; q++) {
		unsigned n = 0;

		while (is_readable(vsw_device_fd(many, q), 0)
		       && !vsw_device_receive(many, q, rig.worker, 0))
			while (vsw_device_take(m, seen, sizeof seen, NULL,
					       NULL) > 0)
				n += !memcmp(seen, frame, 12);
		n_came += n;
		n_used += n > 0;
	}
	/* Each frame once, on more than one queue. */
	ck_assert_uint_eq(n_came, 64);
	ck_assert_uint_gt(n_used, 1);
}
END_TEST

START_TEST(an_interface_that_is_down_may_come_back)
{
	const struct spec s = { .version = 4, .protocol = 17,
				.payload_size = 100 };
	const struct virtio_net_hdr none = { 0 };
	size_t size = make_frame(&s, frame, false);

	run("ip link set v0 down");
	while (!vsw_device_receive(device, 0, rig.worker, 0))
		;
	ck_assert_int_eq(vsw_device_receive(device, 0, rig.worker, 0),
			 -EAGAIN);
	ck_assert_int_eq(vsw_device_put(m, frame, size, NULL, NULL), 0);
	ck_assert_int_eq(rig_receive(&rig, m), 0);
	ck_assert_uint_eq(rig_drops(device, VSW_DROP_DEVICE_ERROR), 1);
	run("ip link set v0 up");
	wait_until_up();
	send_ours(&none, size);
	ck_assert_int_eq(take_ours(NULL), (long) size);
}
END_TEST

START_TEST(an_interface_that_is_down_is_brought_up_on_demand)
{
	struct vsw_packet_options options = { .size = sizeof options,
					      .name = "v0" };
	struct vsw_device *opened;

	vsw_device_close(device);
	run("ip link set v0 down");
	ck_assert_int_eq(vsw_device_open_packet(rig.vsw, &options, NULL, 0,
						&opened), 0);
	run("ip link show v0 | grep -q 'state DOWN'");
	vsw_device_close(opened);
	options.up = 1;
	ck_assert_int_eq(vsw_device_open_packet(rig.vsw, &options, NULL, 0,
						&device), 0);
	run("ip link show v0 | grep -q '<.*UP.*>'");
}
END_TEST

START_TEST(what_is_sent_has_the_mark)
{
	struct vsw_packet_options options = {
		.size = sizeof options, .name = "v0", .mark = 0x12345678
	};
	uint32_t mark = 0;
	socklen_t size = sizeof mark;

	vsw_device_close(device);
	ck_assert_int_eq(vsw_device_open_packet(rig.vsw, &options, NULL, 0,
						&device), 0);
	ck_assert_int_eq(getsockopt(vsw_device_fd(device, 0), SOL_SOCKET,
				    SO_MARK, &mark, &size), 0);
	ck_assert_uint_eq(mark, 0x12345678);
}
END_TEST

START_TEST(an_interface_that_goes_is_no_more_use)
{
	int error;

	run("ip link del v0");
	do
		error = vsw_device_receive(device, 0, rig.worker, 0);
	while (!error);
	ck_assert_int_eq(error, -ENODEV);
}
END_TEST

START_TEST(opening_says_what_is_wrong)
{
	struct vsw_packet_options options = { .size = sizeof options,
					      .name = "nope" };
	struct vsw_device *none;
	char problem[256];

	ck_assert_int_eq(vsw_device_open_packet(rig.vsw, &options, problem,
						sizeof problem, &none),
			 -ENODEV);
	ck_assert_str_eq(problem,
			 "packet nope: no interface nope: No such device");
	options.n_queues = 65;
	ck_assert_int_eq(vsw_device_open_packet(rig.vsw, &options, problem,
						sizeof problem, &none),
			 -EINVAL);
	ck_assert_str_eq(problem, "packet nope: 65 queues: at most 64: "
			 "Invalid argument");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("device_packet");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int n_failed;

	need_netns();
	runner = srunner_create(suite);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, frames_pass_with_their_offload);
	tcase_add_test(tc, a_tag_stays_in_the_frame);
	tcase_add_test(tc, what_was_sent_does_not_come_back);
	tcase_add_test(tc, batches_grow_and_stay_in_order);
	tcase_add_test(tc, without_memory_packets_are_counted);
	tcase_add_test(tc, queues_share_a_fanout_group);
	tcase_add_test(tc, an_interface_that_is_down_may_come_back);
	tcase_add_test(tc,
		       an_interface_that_is_down_is_brought_up_on_demand);
	tcase_add_test(tc, what_is_sent_has_the_mark);
	tcase_add_test(tc, an_interface_that_goes_is_no_more_use);
	tcase_add_test(tc, opening_says_what_is_wrong);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
