/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/device/socket*.c: two devices on the addresses of one
 * loopback interface, and plain sockets as peers that know nothing. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "libvswitch/device/socket.h"
#include "tests/unit/device_frame.h"
#include "tests/unit/device_rig.h"

static struct rig rig;
static uint8_t frame[VSW_PACKET_MAX], seen[VSW_PACKET_MAX];
static struct vsw_device *near, *far, *wire;

static struct vsw_addr
addr_of(const char *text)
{
	struct vsw_addr addr;

	memset(&addr, 0, sizeof addr);
	addr.n = inet_pton(AF_INET, text, addr.bytes) == 1 ? 4 : 16;
	if (addr.n == 16)
		ck_assert_int_eq(inet_pton(AF_INET6, text, addr.bytes), 1);
	return addr;
}

static struct vsw_device *
open_device(const char *name, const char *v4, const char *v6, uint32_t mtu)
{
	struct vsw_socket_options options = {
		.size = sizeof options, .name = name, .mtu = mtu,
	};
	struct vsw_device *device;
	char problem[256] = "";

	if (v4)
		options.local_v4 = addr_of(v4);
	if (v6)
		options.local_v6 = addr_of(v6);
	ck_assert_msg(!vsw_device_open_socket(rig.vsw, &options, problem,
					      sizeof problem, &device), "%s",
		      problem);
	return device;
}

/* near ====> far -> wire.  What goes into 'near' goes there by hand: the switch
 * would make the tunnel by itself. */
static void
set_up(void)
{
	rig_init(&rig);
	run("ip link set lo up");
	run("ip addr replace fd00::1/128 dev lo nodad");
	run("ip addr replace fd00::2/128 dev lo nodad");
	near = open_device("near", "127.0.0.1", "fd00::1", 1550);
	far = open_device("far", "127.0.0.2", "fd00::2", 1550);
	/* Not UDP: datagrams are to be seen one by one. */
	wire = rig_memory(&rig, "wire", VSW_PORT_CHECKSUM | VSW_PORT_TSO4
			  | VSW_PORT_TSO6);
	rig_connect(&rig, wire, far);
}

static void
tear_down(void)
{
	vsw_device_close(near);
	vsw_device_close(far);
	vsw_device_close(wire);
	rig_done(&rig);
}

static struct vsw_tunnel
tunnel_to(const char *dst, uint8_t encap)
{
	struct vsw_tunnel tunnel;

	memset(&tunnel, 0, sizeof tunnel);
	tunnel.dst = addr_of(dst);
	tunnel.vni = 0xabcdef;
	tunnel.hash = 0x80000000;
	tunnel.encap = encap;
	tunnel.tos = 0x28;
	tunnel.flow_id = encap == VSW_ENCAP_NVGRE ? 0x55 : 0;
	return tunnel;
}

static struct vsw_packet *packets[DEVICE_MAX_TRANSMIT];
static size_t n_packets;

static void
put(size_t size, const struct vsw_offload *offload,
    const struct vsw_tunnel *tunnel)
{
	struct vsw_packet *packet = vsw_packet_new(rig.worker, size);

	ck_assert_ptr_nonnull(packet);
	ck_assert_uint_lt(n_packets, DEVICE_MAX_TRANSMIT);
	memcpy(vsw_packet_data(packet), frame, size);
	if (offload)
		*vsw_packet_offload(packet) = *offload;
	*vsw_packet_tunnel(packet) = *tunnel;
	packets[n_packets++] = packet;
}

static void
transmit(struct vsw_device *device)
{
	socket_transmit(device, rig.worker, packets, n_packets);
	n_packets = 0;
}

static long
take(struct vsw_offload *offload, struct vsw_tunnel *tunnel)
{
	long n;

	while ((n = vsw_device_take(wire, seen, sizeof seen, offload, tunnel))
	       == -EAGAIN)
		ck_assert_int_eq(rig_receive(&rig, far), 0);
	return n;
}

static const struct spec udp = { .version = 4, .protocol = 17,
				 .payload_size = 100 };

START_TEST(a_frame_arrives_as_it_was_sent)
{
	static const struct {
		const char *src, *dst;
		uint8_t encap;
	} ways[] = {
		{ "127.0.0.1", "127.0.0.2", VSW_ENCAP_VXLAN },
		{ "fd00::1", "fd00::2", VSW_ENCAP_VXLAN },
		{ "127.0.0.1", "127.0.0.2", VSW_ENCAP_NVGRE },
		{ "fd00::1", "fd00::2", VSW_ENCAP_NVGRE },
	};

	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		struct vsw_tunnel sent = tunnel_to(ways[i].dst, ways[i].encap);
		struct vsw_addr src = addr_of(ways[i].src);
		size_t size = make_frame(&udp, frame, false);
		struct vsw_tunnel came;

		put(size, NULL, &sent);
		transmit(near);
		ck_assert_int_eq(take(NULL, &came), (long) size);
		ck_assert_mem_eq(seen, frame, size);
		ck_assert_mem_eq(&came.src, &src, sizeof src);
		ck_assert_mem_eq(&came.dst, &sent.dst, sizeof sent.dst);
		ck_assert_uint_eq(came.vni, sent.vni);
		ck_assert_uint_eq(came.tos, sent.tos);
		ck_assert_uint_eq(came.flow_id, sent.flow_id);
	}
}
END_TEST

/* Joined, cut short, in several flows: all arrive, each flow in order. */
START_TEST(batches_arrive_in_order)
{
	uint16_t next[4] = { 0 };
	unsigned n = 0;

	for (int batch = 0; batch < 20; batch++) {
		for (int i = 0; i < 32; i++) {
			struct vsw_tunnel tunnel = tunnel_to("127.0.0.2",
							VSW_ENCAP_VXLAN);
			struct spec s = udp;
			size_t size;

			s.port = (uint16_t) (rand() % 4);
			s.id = next[s.port]++;
			tunnel.hash = (uint32_t) s.port << 30;
			s.payload_size = rand() % 3 ? 64 : (size_t) rand()
							   % 1400;
			size = make_frame(&s, frame, false);
			put(size, NULL, &tunnel);
			n++;
		}
		transmit(near);
	}
	for (uint16_t seen_of[4] = { 0 }; n > 0; n--) {
		size_t port;

		ck_assert_int_ge(take(NULL, NULL), 42);
		port = seen[34] << 8 | seen[35];
		ck_assert_uint_lt(port, 4);
		ck_assert_uint_eq(seen[18] << 8 | seen[19], seen_of[port]);
		seen_of[port]++;
	}
}
END_TEST

START_TEST(segments_are_cut_and_joined)
{
	static const uint8_t encaps[] = { VSW_ENCAP_VXLAN, VSW_ENCAP_NVGRE };

	for (int i = 0; i < 8; i++) {
		struct spec s = { .version = i & 1 ? 6 : 4, .protocol = 6,
				  .flags = 0x18, .n_options = 3,
				  .payload_size = i & 4 ? 60000 : 30000 };
		const struct vsw_offload offload = {
			.segment_kind = i & 1 ? VSW_SEGMENT_TCP6
					      : VSW_SEGMENT_TCP4,
			.segment_size = 1400,
			.checksum = VSW_CHECKSUM_PARTIAL,
			.checksum_start = (uint16_t) l4_of(&s),
			.checksum_offset = 16,
		};
		struct vsw_tunnel tunnel = tunnel_to(i & 1 ? "fd00::2"
						     : "127.0.0.2",
						     encaps[i / 2 % 2]);
		size_t size = make_frame(&s, frame, true), at = 0;
		struct vsw_offload came;

		put(size, &offload, &tunnel);
		transmit(near);
		/* In how many packets is the kernel's affair. */
		while (at < s.payload_size) {
			long n = take(&came, NULL);

			ck_assert_int_gt(n, (long) payload_of(&s));
			n -= (long) payload_of(&s);
			ck_assert_uint_le(at + (size_t) n, s.payload_size);
			ck_assert_mem_eq(seen + payload_of(&s),
					 frame + payload_of(&s) + at,
					 (size_t) n);
			if (n > 1400) {
				ck_assert_uint_eq(came.segment_size, 1400);
				ck_assert_uint_eq(came.segment_kind,
						  offload.segment_kind);
			}
			at += (size_t) n;
		}
	}
}
END_TEST

/* A socket where a device's peer would be. */
static int
open_peer(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port) };

	inet_pton(AF_INET, "127.0.0.3", &address.sin_addr);
	ck_assert_int_eq(bind(fd, (struct sockaddr *) &address,
			      sizeof address), 0);
	return fd;
}

/* RFC 7348, section 5, byte for byte. */
START_TEST(vxlan_is_as_the_rfc_has_it)
{
	struct vsw_tunnel tunnel = tunnel_to("127.0.0.3", VSW_ENCAP_VXLAN);
	size_t size = make_frame(&udp, frame, false);
	struct sockaddr_in from[3];
	int peer = open_peer(4789);

	for (int i = 0; i < 3; i++) {
		socklen_t n = sizeof from[i];

		/* Two of one flow, one of another. */
		tunnel.hash = i < 2 ? 0 : UINT32_MAX;
		put(size, NULL, &tunnel);
		transmit(near);
		ck_assert(is_readable(peer, 5000));
		ck_assert_int_eq(recvfrom(peer, seen, sizeof seen, 0,
					  (struct sockaddr *) &from[i], &n),
				 (ssize_t) size + 8);
		ck_assert_mem_eq(seen, "\x08\0\0\0\xab\xcd\xef\0", 8);
		ck_assert_mem_eq(seen + 8, frame, size);
		ck_assert_uint_ge(ntohs(from[i].sin_port), 49152);
	}
	ck_assert_uint_eq(from[0].sin_port, from[1].sin_port);
	ck_assert_uint_ne(from[0].sin_port, from[2].sin_port);
	close(peer);
}
END_TEST

START_TEST(a_partial_checksum_is_finished)
{
	struct vsw_tunnel tunnel = tunnel_to("127.0.0.3", VSW_ENCAP_VXLAN);
	const struct vsw_offload offload = {
		.checksum = VSW_CHECKSUM_PARTIAL, .checksum_start = 34,
		.checksum_offset = 6,
	};
	size_t size = make_frame(&udp, frame, true);
	int peer = open_peer(4789);

	put(size, &offload, &tunnel);
	transmit(near);
	ck_assert(is_readable(peer, 5000));
	ck_assert_int_eq(recv(peer, seen, sizeof seen, 0),
			 (ssize_t) size + 8);
	naive_finish(&udp, frame, size, false);
	ck_assert_mem_eq(seen + 8, frame, size);
	close(peer);
}
END_TEST

START_TEST(damaged_tunnels_are_counted)
{
	static const struct {
		const char *bytes;
		size_t size;
	} all[] = {
		{ "\x08\0\0\0\0\0\1\0", 8 },		/* No frame. */
		{ "\x08\0\0", 3 },
		{ "\0\0\0\0\0\0\1\0abcdefabcdef\x08\0", 22 },	/* No I. */
	};
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(4789) };
	int peer = open_peer(5000);

	inet_pton(AF_INET, "127.0.0.2", &to.sin_addr);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		ck_assert_int_gt(sendto(peer, all[i].bytes, all[i].size, 0,
					(struct sockaddr *) &to, sizeof to),
				 0);
		ck_assert_int_eq(rig_receive(&rig, far), 0);
		ck_assert_uint_eq(rig_drops(far, VSW_DROP_BAD_TUNNEL), i + 1);
	}
	close(peer);
}
END_TEST

START_TEST(damaged_gre_is_counted_and_foreign_is_not)
{
	static const struct {
		const char *bytes;
		size_t size;
		bool ours;
	} all[] = {
		{ "\0\0\x08\0abcdefghijklmnop", 20, false },	/* IPv4. */
		{ "\x20", 1, false },
		{ "\0\0\x65\x58" "abcdefghijklmnopqrst", 24, true },
		{ "\xb0\0\x65\x58" "abcdefghijklmnopqrst", 24, true },
		{ "\x20\0\x65\x58\0\0\1\0", 8, true },
	};
	struct sockaddr_in to = { .sin_family = AF_INET };
	int peer = socket(AF_INET, SOCK_RAW, IPPROTO_GRE);
	uint64_t n = 0;

	inet_pton(AF_INET, "127.0.0.2", &to.sin_addr);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		ck_assert_int_gt(sendto(peer, all[i].bytes, all[i].size, 0,
					(struct sockaddr *) &to, sizeof to),
				 0);
		ck_assert_int_eq(rig_receive(&rig, far), 0);
		n += all[i].ours;
		ck_assert_uint_eq(rig_drops(far, VSW_DROP_BAD_TUNNEL), n);
	}
	close(peer);
}
END_TEST

START_TEST(what_cannot_be_sent_is_counted)
{
	struct vsw_tunnel tunnel = tunnel_to("127.0.0.2", VSW_ENCAP_VXLAN);
	struct spec s = udp;
	size_t size;

	/* One byte more than the MTU takes, and the MTU itself. */
	s.payload_size = 1550 - 50 - 28 + 1;
	size = make_frame(&s, frame, false);
	put(size, NULL, &tunnel);
	transmit(near);
	ck_assert_uint_eq(rig_drops(near, VSW_DROP_TOO_BIG), 1);
	s.payload_size--;
	size = make_frame(&s, frame, false);
	put(size, NULL, &tunnel);
	transmit(near);
	ck_assert_int_eq(take(NULL, NULL), (long) size);

	/* No route, no such address of ours, no such tunnel. */
	tunnel.dst = addr_of("192.0.2.1");
	put(size, NULL, &tunnel);
	tunnel.dst = addr_of("127.0.0.2");
	tunnel.src = addr_of("127.0.0.9");
	put(size, NULL, &tunnel);
	tunnel.src.n = 0;
	tunnel.encap = VSW_ENCAP_NONE;
	put(size, NULL, &tunnel);
	transmit(near);
	ck_assert_uint_eq(rig_drops(near, VSW_DROP_NO_NEXT_HOP), 3);
}
END_TEST

/* What a packet may have that the device cannot work with. */
START_TEST(what_makes_no_sense_is_counted)
{
	struct vsw_tunnel tunnel = tunnel_to("127.0.0.2", VSW_ENCAP_VXLAN);
	struct vsw_offload offload = { .checksum = VSW_CHECKSUM_PARTIAL };
	size_t size = make_frame(&udp, frame, true);

	offload.checksum_start = (uint16_t) (size - 7);
	offload.checksum_offset = 6;
	put(size, &offload, &tunnel);
	transmit(near);
	ck_assert_uint_eq(rig_drops(near, VSW_DROP_BAD_OFFLOAD), 1);

	offload.segment_kind = VSW_SEGMENT_TCP4;
	offload.segment_size = 50;
	put(size, &offload, &tunnel);
	transmit(near);
	ck_assert_uint_eq(rig_drops(near, VSW_DROP_SEGMENT), 1);

	/* Segments that no datagram on this wire could hold. */
	offload.segment_kind = VSW_SEGMENT_UDP;
	offload.segment_size = 1500;
	size = make_frame(&(struct spec) { .version = 4, .protocol = 17,
					   .payload_size = 4000 }, frame,
			  true);
	put(size, &offload, &tunnel);
	transmit(near);
	ck_assert_uint_eq(rig_drops(near, VSW_DROP_TOO_BIG), 1);

	put(size, NULL, &tunnel);
	while (vsw_packet_push(packets[0], 8))
		;
	transmit(near);
	ck_assert_uint_eq(rig_drops(near, VSW_DROP_NO_ROOM), 1);
}
END_TEST

START_TEST(without_memory_frames_are_counted)
{
	struct vsw_tunnel tunnel = tunnel_to("127.0.0.2", VSW_ENCAP_VXLAN);
	size_t size = make_frame(&udp, frame, false);

	for (int i = 0; i < 5; i++)
		put(size, NULL, &tunnel);
	transmit(near);
	/* The old one's pool has packets left. */
	vsw_worker_free(rig.worker);
	ck_assert_int_eq(vsw_worker_new(rig.vsw, &rig.worker), 0);
	rig_is_poor = true;
	while (rig_drops(far, VSW_DROP_NO_MEMORY) < 5)
		ck_assert_int_eq(rig_receive(&rig, far), 0);
	rig_is_poor = false;
	ck_assert(!is_readable(vsw_device_fd(far, 0), 0));
	put(size, NULL, &tunnel);
	transmit(near);
	ck_assert_int_eq(take(NULL, NULL), (long) size);
}
END_TEST

/* What the kernel finds out, for a message of several datagrams. */
START_TEST(the_interface_is_too_small)
{
	struct vsw_tunnel tunnel;
	struct vsw_device *third;
	int i;

	run("ip link set lo mtu 1400");
	third = open_device("third", "127.0.0.5", NULL, 65535);
	tunnel = tunnel_to("127.0.0.2", VSW_ENCAP_VXLAN);
	for (i = 0; i < 3; i++) {
		struct spec s = udp;

		s.payload_size = 1400;
		put(make_frame(&s, frame, false), NULL, &tunnel);
	}
	transmit(third);
	ck_assert_uint_eq(rig_drops(third, VSW_DROP_TOO_BIG), 3);
	vsw_device_close(third);
}
END_TEST

START_TEST(opening_says_what_is_wrong)
{
	struct vsw_socket_options options = { .size = sizeof options,
					      .name = "s" };
	struct vsw_device *none;
	char problem[256];

	ck_assert_int_eq(vsw_device_open_socket(rig.vsw, &options, problem,
						sizeof problem, &none),
			 -EINVAL);
	ck_assert_str_eq(problem, "socket s: needs an IPv4 or an IPv6 "
			 "address: Invalid argument");
	options.local_v4 = addr_of("192.0.2.1");
	ck_assert_int_eq(vsw_device_open_socket(rig.vsw, &options, problem,
						sizeof problem, &none),
			 -EADDRNOTAVAIL);
	ck_assert_str_eq(problem, "socket s: no interface has address "
			 "192.0.2.1: Cannot assign requested address");
	options.local_v4 = addr_of("127.0.0.1");
	options.mtu = 1500;
	ck_assert_int_eq(vsw_device_open_socket(rig.vsw, &options, problem,
						sizeof problem, &none),
			 -EADDRINUSE);
	ck_assert_str_eq(problem, "socket s: cannot bind to 127.0.0.1, UDP "
			 "port 4789: Address already in use");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("device_socket");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int n_failed;

	need_netns();
	srand(1);
	runner = srunner_create(suite);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_frame_arrives_as_it_was_sent);
	tcase_add_test(tc, batches_arrive_in_order);
	tcase_add_test(tc, segments_are_cut_and_joined);
	tcase_add_test(tc, vxlan_is_as_the_rfc_has_it);
	tcase_add_test(tc, a_partial_checksum_is_finished);
	tcase_add_test(tc, damaged_tunnels_are_counted);
	tcase_add_test(tc, damaged_gre_is_counted_and_foreign_is_not);
	tcase_add_test(tc, what_cannot_be_sent_is_counted);
	tcase_add_test(tc, what_makes_no_sense_is_counted);
	tcase_add_test(tc, without_memory_frames_are_counted);
	tcase_add_test(tc, the_interface_is_too_small);
	tcase_add_test(tc, opening_says_what_is_wrong);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
