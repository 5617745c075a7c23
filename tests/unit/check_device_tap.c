/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/device/{tap,netns,virtio}.c against the kernel: what a
 * packet socket on the interface sends and sees. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>

#include "libvswitch/device/virtio.h"
#include "tests/unit/device_frame.h"
#include "tests/unit/device_rig.h"

static struct rig rig;
static uint8_t frame[VSW_PACKET_MAX], seen[VSW_PACKET_MAX];

static struct vsw_device *
open_tap(const struct vsw_tap_options *options)
{
	struct vsw_device *device;
	char problem[256] = "";

	ck_assert_msg(!vsw_device_open_tap(rig.vsw, options, problem,
					   sizeof problem, &device), "%s",
		      problem);
	return device;
}

/* A packet socket with virtio's header, as the VM behind the interface. */
static int
open_vm(const char *interface)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int) if_nametoindex(interface),
	};

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on,
				    sizeof on), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *) &address,
			      sizeof address), 0);
	return fd;
}

/* Reads until a frame of our own comes: the kernel talks, too. */
static size_t
read_ours(int fd, struct virtio_net_hdr *header)
{
	for (;;) {
		struct iovec parts[2] = { { header, sizeof *header },
					  { seen, sizeof seen } };
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
		ssize_t n;

		ck_assert(is_readable(fd, 5000));
		n = recvmsg(fd, &message, 0);
		ck_assert_int_ge(n, (ssize_t) sizeof *header + 14);
		if (!memcmp(seen, frame, 12))
			return (size_t) n - sizeof *header;
	}
}

static void
set_up(void)
{
	rig_init(&rig);
}

static void
tear_down(void)
{
	rig_done(&rig);
}

static const struct spec tcp = { .version = 4, .protocol = 6, .flags = 0x10,
				 .payload_size = 5000 };

START_TEST(packets_come_out_with_their_offload)
{
	struct vsw_tap_options options = { .size = sizeof options,
					   .name = "tap0" };
	struct vsw_device *tap = open_tap(&options);
	struct vsw_device *m = rig_memory(&rig, "m", 0);
	const struct vsw_offload offload = {
		.segment_kind = VSW_SEGMENT_TCP4, .segment_size = 1000,
		.checksum = VSW_CHECKSUM_PARTIAL, .checksum_start = 34,
		.checksum_offset = 16,
	};
	size_t size = make_frame(&tcp, frame, true);
	struct virtio_net_hdr header;
	int vm = open_vm("tap0");

	rig_connect(&rig, m, tap);
	ck_assert_int_eq(vsw_device_put(m, frame, size, &offload, NULL), 0);
	ck_assert_int_eq(rig_receive(&rig, m), 0);
	ck_assert_uint_eq(read_ours(vm, &header), size);
	ck_assert_mem_eq(seen, frame, size);
	ck_assert_uint_eq(header.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	ck_assert_uint_eq(header.gso_size, 1000);
	ck_assert_uint_eq(header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, 1);
	ck_assert_uint_eq(header.csum_start, 34);
	close(vm);
	vsw_device_close(tap);
	vsw_device_close(m);
}
END_TEST

START_TEST(packets_come_in_with_their_offload)
{
	struct vsw_tap_options options = { .size = sizeof options,
					   .name = "vm1",
					   .interface = "tap0", };
	struct vsw_device *tap = open_tap(&options);
	struct vsw_device *m = rig_memory(&rig, "m", VSW_PORT_CHECKSUM
					  | VSW_PORT_TSO4);
	struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1000,
		.hdr_len = 54, .csum_start = 34, .csum_offset = 16,
	};
	size_t size = make_frame(&tcp, frame, true);
	struct iovec parts[2] = { { &header, sizeof header },
				  { frame, size } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	struct vsw_offload offload;
	int vm = open_vm("tap0");
	long n;

	ck_assert_str_eq(vsw_port_name(vsw_device_port(tap)), "vm1");
	rig_connect(&rig, m, tap);
	ck_assert_int_gt(sendmsg(vm, &message, 0), 0);
	do
		n = rig_take(&rig, tap, m, seen, sizeof seen, &offload);
	while (memcmp(seen, frame, 12));
	ck_assert_int_eq(n, (long) size);
	ck_assert_mem_eq(seen, frame, size);
	ck_assert_uint_eq(offload.segment_kind, VSW_SEGMENT_TCP4);
	ck_assert_uint_eq(offload.segment_size, 1000);
	ck_assert_uint_eq(offload.checksum, VSW_CHECKSUM_PARTIAL);
	ck_assert_uint_eq(offload.checksum_start, 34);
	ck_assert_uint_eq(offload.checksum_offset, 16);
	close(vm);
	vsw_device_close(tap);
	vsw_device_close(m);
}
END_TEST

START_TEST(without_memory_packets_are_counted)
{
	struct vsw_tap_options options = { .size = sizeof options,
					   .name = "tap0" };
	struct vsw_device *tap = open_tap(&options);
	struct vsw_device *m = rig_memory(&rig, "m", 0);
	const struct virtio_net_hdr header = { 0 };
	const struct spec s = { .version = 4, .protocol = 17 };
	size_t size = make_frame(&s, frame, false);
	struct iovec parts[2] = { { (void *) (uintptr_t) &header,
				    sizeof header }, { frame, size } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	int vm = open_vm("tap0");
	uint64_t n = 0;

	rig_connect(&rig, m, tap);
	ck_assert_int_gt(sendmsg(vm, &message, 0), 0);
	rig_is_poor = true;
	while (is_readable(vsw_device_fd(tap, 0), 0)) {
		ck_assert_int_eq(rig_receive(&rig, tap), 0);
		ck_assert_uint_gt(rig_drops(tap, VSW_DROP_NO_MEMORY), n++);
	}
	rig_is_poor = false;
	ck_assert_uint_gt(n, 0);
	ck_assert_int_gt(sendmsg(vm, &message, 0), 0);
	do
		rig_take(&rig, tap, m, seen, sizeof seen, NULL);
	while (memcmp(seen, frame, 12));
	close(vm);
	vsw_device_close(tap);
	vsw_device_close(m);
}
END_TEST

START_TEST(it_is_set_up_as_asked)
{
	struct vsw_tap_options options = {
		.size = sizeof options, .name = "tap0", .mtu = 1450,
		.mac = { 2, 0, 0, 0, 0, 9 }, .n_queues = 3,
	};
	struct vsw_device *tap = open_tap(&options);

	ck_assert_uint_eq(vsw_device_n_queues(tap), 3);
	run("ip link show dev tap0 up | grep -q 'mtu 1450'");
	run("ip link show dev tap0 | grep -q 02:00:00:00:00:09");
	vsw_device_close(tap);
	ck_assert_uint_eq(if_nametoindex("tap0"), 0);
}
END_TEST

START_TEST(it_persists_as_asked)
{
	struct vsw_tap_options options = { .size = sizeof options,
					   .name = "tap0", .persist = 1 };
	unsigned index;

	vsw_device_close(open_tap(&options));
	index = if_nametoindex("tap0");
	ck_assert_uint_ne(index, 0);
	run("ip link set tap0 mtu 1400");
	vsw_device_close(open_tap(&options));
	ck_assert_uint_eq(if_nametoindex("tap0"), index);
	run("ip link show dev tap0 | grep -q 'mtu 1400'");
	options.persist = 0;
	vsw_device_close(open_tap(&options));
	ck_assert_uint_eq(if_nametoindex("tap0"), 0);
}
END_TEST

START_TEST(it_stands_in_another_namespace)
{
	struct vsw_tap_options options = { .size = sizeof options,
					   .name = "tap0" };
	char path[64], before[64] = "", after[64] = "";
	struct vsw_device *tap;
	int there;

	ck_assert_int_gt(readlink("/proc/thread-self/ns/net", before,
				  sizeof before - 1), 0);
	there = open("/proc/thread-self/ns/net", O_RDONLY);
	ck_assert_int_ge(there, 0);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", there);
	options.netns = path;
	ck_assert_int_gt(readlink("/proc/thread-self/ns/net", before,
				  sizeof before - 1), 0);
	tap = open_tap(&options);
	ck_assert_int_gt(readlink("/proc/thread-self/ns/net", after,
				  sizeof after - 1), 0);
	ck_assert_str_eq(before, after);
	ck_assert_uint_eq(if_nametoindex("tap0"), 0);
	ck_assert_int_eq(setns(there, CLONE_NEWNET), 0);
	ck_assert_uint_ne(if_nametoindex("tap0"), 0);
	close(there);
	vsw_device_close(tap);
}
END_TEST

START_TEST(opening_says_what_is_wrong)
{
	struct vsw_tap_options options = { .size = sizeof options,
					   .name = "longer-than-fifteen" };
	struct vsw_device *tap, *other;
	char problem[256];

	ck_assert_int_eq(vsw_device_open_tap(rig.vsw, &options, problem,
					     sizeof problem, &other),
			 -EINVAL);
	ck_assert_str_eq(problem, "tap longer-than-fifteen: interface name "
			 "\"longer-than-fifteen\": Invalid argument");
	options.name = "t";
	options.netns = "no such namespace";
	ck_assert_int_eq(vsw_device_open_tap(rig.vsw, &options, problem,
					     sizeof problem, &other),
			 -ENOENT);
	ck_assert_str_eq(problem, "tap t: cannot open namespace /run/netns/no "
			 "such namespace: No such file or directory");
	options.netns = NULL;
	tap = open_tap(&options);
	options.name = "second";
	options.interface = "t";
	ck_assert_int_eq(vsw_device_open_tap(rig.vsw, &options, problem,
					     sizeof problem, &other),
			 -EBUSY);
	ck_assert_str_eq(problem, "tap second: cannot attach to t: Device or "
			 "resource busy");
	options.interface = "lo";
	ck_assert_int_lt(vsw_device_open_tap(rig.vsw, &options, problem,
					     sizeof problem, &other), 0);
	vsw_device_close(tap);
}
END_TEST

START_TEST(an_interface_that_goes_is_no_more_use)
{
	struct vsw_tap_options options = { .size = sizeof options,
					   .name = "tap0", .persist = 1 };
	struct vsw_device *tap = open_tap(&options);
	int error;

	run("ip link del tap0");
	do
		error = vsw_device_receive(tap, 0, rig.worker, 0);
	while (!error);
	ck_assert_int_eq(error, -EBADFD);
	vsw_device_close(tap);
}
END_TEST

START_TEST(an_interface_that_is_down_counts)
{
	struct vsw_tap_options options = { .size = sizeof options,
					   .name = "tap0" };
	struct vsw_device *tap = open_tap(&options);
	struct vsw_device *m = rig_memory(&rig, "m", 0);

	rig_connect(&rig, m, tap);
	run("ip link set tap0 down");
	ck_assert_int_eq(vsw_device_put(m, frame,
					make_frame(&tcp, frame, false), NULL,
					NULL), 0);
	ck_assert_int_eq(rig_receive(&rig, m), 0);
	ck_assert_uint_eq(rig_drops(tap, VSW_DROP_DEVICE_ERROR), 1);
	vsw_device_close(tap);
	vsw_device_close(m);
}
END_TEST

START_TEST(headers_go_there_and_back)
{
	static const struct vsw_offload all[] = {
		{ .checksum = VSW_CHECKSUM_UNKNOWN },
		{ .checksum = VSW_CHECKSUM_GOOD },
		{ .checksum = VSW_CHECKSUM_PARTIAL, .checksum_start = 34,
		  .checksum_offset = 6 },
		{ .segment_kind = VSW_SEGMENT_TCP4, .segment_size = 1400,
		  .ecn = true, .checksum = VSW_CHECKSUM_PARTIAL,
		  .checksum_start = 34, .checksum_offset = 16 },
		{ .segment_kind = VSW_SEGMENT_TCP6, .segment_size = 9,
		  .checksum = VSW_CHECKSUM_PARTIAL, .checksum_start = 54,
		  .checksum_offset = 16 },
		{ .segment_kind = VSW_SEGMENT_UDP, .segment_size = 9,
		  .checksum = VSW_CHECKSUM_PARTIAL, .checksum_start = 54,
		  .checksum_offset = 6 },
	};
	size_t size = make_frame(&tcp, frame, true);
	struct virtio_net_hdr header;
	struct vsw_offload offload;

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		virtio_from_offload(&all[i], frame, size, &header);
		virtio_to_offload(&header, &offload);
		ck_assert_uint_eq(offload.segment_kind, all[i].segment_kind);
		ck_assert_uint_eq(offload.segment_size, all[i].segment_size);
		ck_assert_uint_eq(offload.checksum, all[i].checksum);
		ck_assert_uint_eq(offload.checksum_start,
				  all[i].checksum_start);
		ck_assert_uint_eq(offload.checksum_offset,
				  all[i].checksum_offset);
		ck_assert_int_eq(offload.ecn, all[i].ecn);
	}
	memset(&header, 0, sizeof header);
	header.gso_type = VIRTIO_NET_HDR_GSO_UDP;	/* Fragments. */
	virtio_to_offload(&header, &offload);
	ck_assert_uint_gt(offload.segment_kind, VSW_SEGMENT_UDP);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("device_tap");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int n_failed;

	need_netns();
	runner = srunner_create(suite);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, packets_come_out_with_their_offload);
	tcase_add_test(tc, packets_come_in_with_their_offload);
	tcase_add_test(tc, without_memory_packets_are_counted);
	tcase_add_test(tc, it_is_set_up_as_asked);
	tcase_add_test(tc, it_persists_as_asked);
	tcase_add_test(tc, it_stands_in_another_namespace);
	tcase_add_test(tc, opening_says_what_is_wrong);
	tcase_add_test(tc, an_interface_that_goes_is_no_more_use);
	tcase_add_test(tc, an_interface_that_is_down_counts);
	tcase_add_test(tc, headers_go_there_and_back);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
