/* SPDX-License-Identifier: Apache-2.0 */

/* A TAP interface: Linux's Documentation/networking/tuntap.rst. */

#include "libvswitch/device/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vswitch.h>

#include "libvswitch/device/netns.h"
#include "libvswitch/device/virtio.h"

/* Headers for kernels older than what may be run on. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

enum {
	/* What the kernel may owe us on one queue: many 64 KiB frames. */
	TAP_SEND_BUFFER = 16 << 20,
	/* No batch goes on for longer than this, which is one packet of 64
	 * KiB: what is to be cut and sent shall still be in the processor's
	 * cache.  TCP through a socket device gains a quarter from it. */
	TAP_BATCH_BYTES = 60000
};

struct tap {
	struct vsw_device device;
	uint32_t abilities;
	int fds[];
};

static int receive(struct vsw_device *, unsigned queue, struct vsw_worker *,
		   uint64_t now);
static int queue_fd(const struct vsw_device *, unsigned queue);
static void destroy(struct vsw_device *);
static void transmit(void *, struct vsw_worker *, struct vsw_packet *const[],
		     size_t);
static int check(const struct device_opening *, struct vsw_tap_options *);
static int open_all(struct tap *, const struct device_opening *,
		    const struct vsw_tap_options *);
static int open_queue(struct tap *, const struct device_opening *,
		      const struct vsw_tap_options *, int *ret_fd);
static uint32_t negotiate(int fd);
static int configure(const struct device_opening *,
		     const struct vsw_tap_options *);
static int set_mac(int fd, struct ifreq *, const uint8_t mac[6]);
static int set_mtu(int fd, struct ifreq *, uint32_t mtu);
static int read_packet(int fd, struct vsw_worker *,
		       struct vsw_packet **ret_packet);
static int write_packet(int fd, struct vsw_packet *);

static const struct device_class tap_class = {
	.receive = receive,
	.fd = queue_fd,
	.destroy = destroy,
};

int
vsw_device_open_tap(struct vsw *vsw, const struct vsw_tap_options *callers,
		    char *problem, size_t problem_size,
		    struct vsw_device **ret_device)
{
	struct device_opening opening = { "tap", callers->name, problem,
					  problem_size };
	struct vsw_tap_options options;
	struct tap *tap;
	int error;

	error = device_copy_options(&opening, &options, sizeof options,
				    callers);
	if (!error)
		error = check(&opening, &options);
	if (error)
		return error;

	tap = malloc(sizeof *tap + options.n_queues * sizeof tap->fds[0]);
	if (!tap)
		return device_fail(&opening, ENOMEM, "cannot open");
	memset(tap, 0, sizeof *tap);
	tap->device.class = &tap_class;
	error = open_all(tap, &opening, &options);
	if (!error)
		error = device_add_port(vsw, &opening, &tap->device,
					tap->abilities, transmit);
	if (error) {
		device_abandon(&tap->device);
		return error;
	}
	/* Last, so that a failed attempt leaves nothing behind. */
	if (ioctl(tap->fds[0], TUNSETPERSIST, (long) !!options.persist)) {
		error = device_fail(&opening, errno, "cannot make %s %s",
				    options.interface, options.persist
				    ? "persistent" : "transient");
		vsw_device_close(&tap->device);
		return error;
	}
	*ret_device = &tap->device;
	return 0;
}

static int
check(const struct device_opening *opening, struct vsw_tap_options *options)
{
	size_t n;
	int error = device_check_name(opening);

	if (!error)
		error = device_check_queues(opening, &options->n_queues);
	if (error)
		return error;
	if (!options->interface)
		options->interface = options->name;
	n = strlen(options->interface);
	/* '%' would ask the kernel for a number. */
	if (n == 0 || n >= IFNAMSIZ || strchr(options->interface, '%'))
		return device_fail(opening, EINVAL, "interface name \"%.20s\"",
				   options->interface);
	return 0;
}

static int
open_all(struct tap *tap, const struct device_opening *opening,
	 const struct vsw_tap_options *options)
{
	struct netns netns;
	int back, error = netns_enter(&netns, opening, options->netns);

	if (error)
		return error;
	while (!error && tap->device.n_queues < options->n_queues) {
		error = open_queue(tap, opening, options,
				   &tap->fds[tap->device.n_queues]);
		if (!error)
			tap->device.n_queues++;
	}
	if (!error)
		error = configure(opening, options);
	back = netns_leave(&netns, opening);
	return back ? back : error;
}

static int
open_queue(struct tap *tap, const struct device_opening *opening,
	   const struct vsw_tap_options *options, int *ret_fd)
{
	struct ifreq request = {
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
	};
	int header_size = sizeof(struct virtio_net_hdr);
	int send_buffer = TAP_SEND_BUFFER;
	int error, fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return device_fail(opening, errno,
				   "cannot open /dev/net/tun");
	if (options->n_queues > 1)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	snprintf(request.ifr_name, IFNAMSIZ, "%s", options->interface);
	if (ioctl(fd, TUNSETIFF, &request)) {
		error = device_fail(opening, errno, "cannot attach to %s%s",
				    options->interface,
				    errno == EINVAL ? " (not a TAP of that "
				    "number of queues)" : "");
		goto fail;
	}
	if (ioctl(fd, TUNSETVNETHDRSZ, &header_size)
	    || ioctl(fd, TUNSETSNDBUF, &send_buffer)) {
		error = device_fail(opening, errno, "cannot set %s up",
				    options->interface);
		goto fail;
	}
	tap->abilities = negotiate(fd);
	*ret_fd = fd;
	return 0;
fail:
	close(fd);
	return error;
}

/* Takes as much as the kernel grants.  What it may give us it also takes from
 * us: kernels learnt each kind in both directions at once. */
static uint32_t
negotiate(int fd)
{
	static const struct {
		unsigned flags;
		uint32_t abilities;
	} tries[] = {
		{ TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN
		  | TUN_F_USO4 | TUN_F_USO6,
		  VSW_PORT_CHECKSUM | VSW_PORT_TSO4 | VSW_PORT_TSO6
		  | VSW_PORT_USO },
		{ TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
		  VSW_PORT_CHECKSUM | VSW_PORT_TSO4 | VSW_PORT_TSO6 },
		{ TUN_F_CSUM, VSW_PORT_CHECKSUM },
	};

	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
		if (!ioctl(fd, TUNSETOFFLOAD, (unsigned long) tries[i].flags))
			return tries[i].abilities;
	return 0;
}

static int
configure(const struct device_opening *opening,
	  const struct vsw_tap_options *options)
{
	static const uint8_t no_mac[6];
	struct ifreq request;
	int error = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return device_fail(opening, errno, "cannot open a socket");
	memset(&request, 0, sizeof request);
	snprintf(request.ifr_name, IFNAMSIZ, "%s", options->interface);
	if (memcmp(options->mac, no_mac, 6)
	    && set_mac(fd, &request, options->mac))
		error = device_fail(opening, errno, "cannot set the MAC of %s",
				    options->interface);
	else if (options->mtu && set_mtu(fd, &request, options->mtu))
		error = device_fail(opening, errno,
				    "cannot set the MTU of %s to %u",
				    options->interface, options->mtu);
	else
		error = device_raise(opening, fd, &request);
	close(fd);
	return error;
}

/* These touch nothing that is as it should be: an interface that was found
 * again may be in use. */
static int
set_mac(int fd, struct ifreq *request, const uint8_t mac[6])
{
	if (ioctl(fd, SIOCGIFHWADDR, request))
		return -1;
	if (!memcmp(request->ifr_hwaddr.sa_data, mac, 6))
		return 0;
	request->ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(request->ifr_hwaddr.sa_data, mac, 6);
	return ioctl(fd, SIOCSIFHWADDR, request);
}

static int
set_mtu(int fd, struct ifreq *request, uint32_t mtu)
{
	if (ioctl(fd, SIOCGIFMTU, request))
		return -1;
	if ((uint32_t) request->ifr_mtu == mtu)
		return 0;
	request->ifr_mtu = (int) mtu;
	return ioctl(fd, SIOCSIFMTU, request);
}

static int
receive(struct vsw_device *device, unsigned queue, struct vsw_worker *worker,
	uint64_t now)
{
	const struct tap *tap = (struct tap *) device;
	struct vsw_packet *packets[DEVICE_BATCH];
	size_t n = 0, n_bytes = 0;
	int error = 0;

	while (n < DEVICE_BATCH && n_bytes < TAP_BATCH_BYTES) {
		error = read_packet(tap->fds[queue], worker, &packets[n]);
		if (error)
			break;
		n_bytes += vsw_packet_size(packets[n++]);
	}
	if (error == -ENOMEM) {
		vsw_port_count_drops(device->port, worker, VSW_DROP_NO_MEMORY,
				     1);
		error = 0;
	}
	if (n == 0)
		return error;
	vsw_worker_receive(worker, device->port, packets, n, now);
	/* An error shows again the next time. */
	return 0;
}

static int
read_packet(int fd, struct vsw_worker *worker, struct vsw_packet **ret_packet)
{
	struct virtio_net_hdr header;
	struct vsw_packet *packet = vsw_packet_new(worker, VSW_PACKET_MAX);
	struct iovec parts[2] = {
		{ &header, sizeof header },
		{ packet ? vsw_packet_data(packet) : NULL, VSW_PACKET_MAX },
	};
	ssize_t size;

	do
		size = readv(fd, parts, packet ? 2 : 1);
	while (size < 0 && errno == EINTR);
	if (size < 0) {
		int error = errno == EWOULDBLOCK ? EAGAIN : errno;

		vsw_packet_free(packet);
		return -error;
	}
	/* Without memory the frame was read all the same, into nothing: else
	 * its descriptor would stay readable for ever. */
	if (!packet)
		return -ENOMEM;
	if ((size_t) size < sizeof header)
		size = sizeof header;
	vsw_packet_trim(packet, (size_t) size - sizeof header);
	virtio_to_offload(&header, vsw_packet_offload(packet));
	*ret_packet = packet;
	return 0;
}

static void
transmit(void *tap_, struct vsw_worker *worker,
	 struct vsw_packet *const packets[], size_t n)
{
	struct tap *tap = tap_;
	int fd = tap->fds[device_queue_of(&tap->device, worker)];
	struct device_losses losses = { 0 };

	for (size_t i = 0; i < n; i++) {
		int error = write_packet(fd, packets[i]);

		if (error)
			device_lose(&losses, -error);
		vsw_packet_free(packets[i]);
	}
	device_report(&losses, &tap->device, worker);
}

static int
write_packet(int fd, struct vsw_packet *packet)
{
	uint8_t *data = vsw_packet_data(packet);
	size_t size = vsw_packet_size(packet);
	struct virtio_net_hdr header;
	struct iovec parts[2] = { { &header, sizeof header }, { data, size } };

	virtio_from_offload(vsw_packet_offload(packet), data, size, &header);
	while (writev(fd, parts, 2) < 0)
		if (errno != EINTR)
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return 0;
}

static int
queue_fd(const struct vsw_device *device, unsigned queue)
{
	return ((const struct tap *) device)->fds[queue];
}

static void
destroy(struct vsw_device *device)
{
	struct tap *tap = (struct tap *) device;

	while (device->n_queues > 0)
		close(tap->fds[--device->n_queues]);
	free(tap);
}
