/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/device/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/in6.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>
#include <vswitch.h>

#include "libvswitch/device/netns.h"

#ifndef UDP_NO_CHECK6_RX
#define UDP_NO_CHECK6_RX 102
#endif

enum {
	VXLAN_PORT = 4789,
	BUFFER_SIZE = 16 << 20,
	/* RFC 7348, section 5, recommends the dynamic ports. */
	FIRST_PORT = 49152,
	N_PORTS = 65536 - FIRST_PORT,
	PORT_TRIES = 64
};

static int queue_fd(const struct vsw_device *, unsigned queue);
static void destroy(struct vsw_device *);
static int check(const struct device_opening *, struct vsw_socket_options *);
static struct socket_device *device_new(const struct vsw_socket_options *);
static int open_all(struct socket_device *, const struct device_opening *,
		    const struct vsw_socket_options *);
static int open_family(struct socket_device *, const struct device_opening *,
		       const struct vsw_socket_options *, unsigned family);
static int open_queues(struct socket_device *, const struct device_opening *,
		       unsigned family);
static int open_senders(struct socket_device *, const struct device_opening *,
			unsigned family);
static int open_gre(struct socket_device *, const struct device_opening *,
		    unsigned family);
static int open_socket(const struct socket_device *,
		       const struct device_opening *, unsigned family,
		       int type, int protocol);
static int forbid_fragments(int fd, unsigned family, int type);
static int bind_sender(int fd, union socket_address *);
static void set_buffers(int fd, int receive, int send);
static socklen_t to_address(const struct vsw_addr *, uint16_t port,
			    union socket_address *);
static const char *to_text(const struct vsw_addr *, char text[64]);
static int watch(const struct device_opening *, int epoll, int fd);
static int find_mtu(const struct device_opening *, const struct vsw_addr *,
		    uint32_t *ret_mtu);
static bool is_address(const struct sockaddr *, const struct vsw_addr *);
static void close_fd(int fd);

static const struct device_class socket_class = {
	.receive = socket_receive,
	.fd = queue_fd,
	.destroy = destroy,
};

int
vsw_device_open_socket(struct vsw *vsw,
		       const struct vsw_socket_options *callers,
		       char *problem, size_t problem_size,
		       struct vsw_device **ret_device)
{
	struct device_opening opening = { "socket", callers->name, problem,
					  problem_size };
	struct vsw_socket_options options;
	struct socket_device *device;
	uint32_t family = 0;
	int error;

	error = device_copy_options(&opening, &options, sizeof options,
				    callers);
	if (!error)
		error = check(&opening, &options);
	if (error)
		return error;
	device = device_new(&options);
	if (!device)
		return device_fail(&opening, ENOMEM, "cannot open");

	if (!options.local_v6.n)
		family = VSW_PORT_ONLY_IPV4;
	else if (!options.local_v4.n)
		family = VSW_PORT_ONLY_IPV6;
	error = open_all(device, &opening, &options);
	if (!error)
		error = device_add_port(vsw, &opening, &device->device,
					VSW_PORT_TUNNEL | VSW_PORT_CHECKSUM
					| VSW_PORT_TSO4 | VSW_PORT_TSO6
					| VSW_PORT_USO | family,
					socket_transmit);
	if (error) {
		device_abandon(&device->device);
		return error;
	}
	*ret_device = &device->device;
	return 0;
}

static int
check(const struct device_opening *opening, struct vsw_socket_options *options)
{
	int error = device_check_name(opening);

	if (!error)
		error = device_check_queues(opening, &options->n_queues);
	if (error)
		return error;
	if ((options->local_v4.n && options->local_v4.n != 4)
	    || (options->local_v6.n && options->local_v6.n != 16)
	    || !(options->local_v4.n || options->local_v6.n))
		return device_fail(opening, EINVAL,
				   "needs an IPv4 or an IPv6 address");
	if (options->no_vxlan && options->no_nvgre)
		return device_fail(opening, EINVAL,
				   "needs VXLAN or NVGRE");
	if (options->mtu && (options->mtu < 576 || options->mtu > 65535))
		return device_fail(opening, EINVAL, "MTU %u", options->mtu);
	if (options->interface && (!*options->interface
				   || strlen(options->interface)
				      >= IFNAMSIZ))
		return device_fail(opening, EINVAL, "interface \"%s\"",
				   options->interface);
	if (options->vxlan_port == 0)
		options->vxlan_port = VXLAN_PORT;
	return 0;
}

/* With nothing open. */
static struct socket_device *
device_new(const struct vsw_socket_options *options)
{
	struct socket_device *device;
	size_t size = sizeof *device
		      + options->n_queues * sizeof device->queues[0];

	device = malloc(size);
	if (!device)
		return NULL;
	memset(device, 0, size);
	device->device.class = &socket_class;
	device->device.n_queues = options->n_queues;
	device->local[SOCKET_V4] = options->local_v4;
	device->local[SOCKET_V6] = options->local_v6;
	device->vxlan_port = options->vxlan_port;
	if (options->interface)
		strcpy(device->interface, options->interface);
	atomic_init(&device->no_segments, false);
	for (unsigned f = 0; f < SOCKET_N_FAMILIES; f++) {
		device->gre[f] = -1;
		for (unsigned i = 0; i < SOCKET_N_SENDERS; i++)
			device->senders[f][i] = -1;
		for (unsigned q = 0; q < options->n_queues; q++)
			device->queues[q].udp[f] = -1;
	}
	for (unsigned q = 0; q < options->n_queues; q++)
		device->queues[q].epoll = -1;
	return device;
}

static int
open_all(struct socket_device *device, const struct device_opening *opening,
	 const struct vsw_socket_options *options)
{
	struct netns netns;
	int back, error = netns_enter(&netns, opening, options->netns);

	if (error)
		return error;
	for (unsigned q = 0; !error && q < options->n_queues; q++) {
		struct socket_queue *queue = &device->queues[q];

		queue->inbox = socket_inbox_new();
		queue->epoll = epoll_create1(EPOLL_CLOEXEC);
		if (!queue->inbox)
			error = device_fail(opening, ENOMEM, "cannot open");
		else if (queue->epoll < 0)
			error = device_fail(opening, errno,
					    "cannot make an epoll set");
	}
	for (unsigned f = 0; !error && f < SOCKET_N_FAMILIES; f++)
		if (device->local[f].n)
			error = open_family(device, opening, options, f);
	back = netns_leave(&netns, opening);
	return back ? back : error;
}

static int
open_family(struct socket_device *device, const struct device_opening *opening,
	    const struct vsw_socket_options *options, unsigned family)
{
	int error = 0;

	device->mtu[family] = options->mtu;
	device->send_mtu[family] = options->mtu ? options->mtu : 65535;
	if (!options->mtu)
		error = find_mtu(opening, &device->local[family],
				 &device->mtu[family]);
	if (!error && !options->no_vxlan)
		error = open_queues(device, opening, family);
	if (!error && !options->no_vxlan)
		error = open_senders(device, opening, family);
	if (!error && !options->no_nvgre)
		error = open_gre(device, opening, family);
	return error;
}

static int
open_queues(struct socket_device *device, const struct device_opening *opening,
	    unsigned family)
{
	const struct vsw_addr *local = &device->local[family];
	union socket_address address;
	socklen_t size = to_address(local, device->vxlan_port, &address);
	const int on = 1;
	char text[64];
	int error;

	for (unsigned q = 0; q < device->device.n_queues; q++) {
		int fd = open_socket(device, opening, family, SOCK_DGRAM,
				     IPPROTO_UDP);

		if (fd < 0)
			return fd;
		device->queues[q].udp[family] = fd;
		set_buffers(fd, BUFFER_SIZE, 0);
		if (family == SOCKET_V4)
			setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
		else
			setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on,
				   sizeof on);
		/* Tunnels may do without (RFC 6935). */
		if (family == SOCKET_V6)
			setsockopt(fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, &on,
				   sizeof on);
		setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
		if (device->device.n_queues > 1
		    && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on,
				  sizeof on))
			return device_fail(opening, errno,
					   "cannot spread over queues");
		if (bind(fd, &address.any, size))
			return device_fail(opening, errno,
					   "cannot bind to %s, UDP port %u",
					   to_text(local, text),
					   device->vxlan_port);
		error = watch(opening, device->queues[q].epoll, fd);
		if (error)
			return error;
	}
	return 0;
}

static int
open_senders(struct socket_device *device,
	     const struct device_opening *opening, unsigned family)
{
	/* Nothing is for them: whoever sends to one shall not fill it. */
	struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	const struct sock_fprog filter = { 1, nothing };
	const struct vsw_addr *local = &device->local[family];
	char text[64];

	for (unsigned i = 0; i < SOCKET_N_SENDERS; i++) {
		union socket_address address;
		int fd = open_socket(device, opening, family, SOCK_DGRAM,
				     IPPROTO_UDP);

		if (fd < 0)
			return fd;
		device->senders[family][i] = fd;
		set_buffers(fd, 0, BUFFER_SIZE);
		to_address(local, 0, &address);
		if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
			       sizeof filter)
		    || bind_sender(fd, &address))
			return device_fail(opening, errno,
					   "cannot bind to %s, a port from %d",
					   to_text(local, text), FIRST_PORT);
	}
	return 0;
}

static int
open_gre(struct socket_device *device, const struct device_opening *opening,
	 unsigned family)
{
	const struct vsw_addr *local = &device->local[family];
	union socket_address address;
	socklen_t size = to_address(local, 0, &address);
	const int on = 1;
	char text[64];
	int fd = open_socket(device, opening, family, SOCK_RAW, IPPROTO_GRE);

	if (fd < 0)
		return fd;
	device->gre[family] = fd;
	set_buffers(fd, BUFFER_SIZE, BUFFER_SIZE);
	/* IPv4's header comes along with the packet, and has it. */
	if (family == SOCKET_V6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on);
	if (bind(fd, &address.any, size))
		return device_fail(opening, errno, "cannot bind to %s, GRE",
				   to_text(local, text));
	return watch(opening, device->queues[0].epoll, fd);
}

/* A socket whose packets are never fragmented: what is too big is refused when
 * it is sent. */
static int
open_socket(const struct socket_device *device,
	    const struct device_opening *opening, unsigned family, int type,
	    int protocol)
{
	int fd = socket(family == SOCKET_V4 ? AF_INET : AF_INET6,
			type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	socklen_t size = (socklen_t) strlen(device->interface);
	int error;

	if (fd < 0)
		return device_fail(opening, errno, "cannot open a socket for "
				   "%s", protocol == IPPROTO_GRE
				   ? "GRE" : "UDP");
	if (forbid_fragments(fd, family, type))
		error = device_fail(opening, errno,
				    "cannot forbid fragments");
	else if (size && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE,
				    device->interface, size))
		error = device_fail(opening, errno, "cannot bind to %s",
				    device->interface);
	else
		return fd;
	close(fd);
	return error;
}

static int
forbid_fragments(int fd, unsigned family, int type)
{
	const int on = 1, v4 = IP_PMTUDISC_DO, v6 = IPV6_PMTUDISC_DO;

	if (family == SOCKET_V4)
		return setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4,
				  sizeof v4);
	/* A raw socket has one family anyway, and refuses. */
	return (type == SOCK_DGRAM
		&& setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on))
	       || setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6,
			     sizeof v6);
}

static int
bind_sender(int fd, union socket_address *address)
{
	for (int i = 0; i < PORT_TRIES; i++) {
		uint16_t random, port;

		if (getrandom(&random, sizeof random, 0) != sizeof random)
			return -1;
		port = htons((uint16_t) (FIRST_PORT + random % N_PORTS));
		if (address->any.sa_family == AF_INET)
			address->v4.sin_port = port;
		else
			address->v6.sin6_port = port;
		if (!bind(fd, &address->any,
			  address->any.sa_family == AF_INET
			  ? sizeof address->v4 : sizeof address->v6))
			return 0;
		if (errno != EADDRINUSE)
			return -1;
	}
	return -1;
}

/* Without the privilege, as much as the system allows; 0: as it is. */
static void
set_buffers(int fd, int receive, int send)
{
	if (receive && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive,
				  sizeof receive))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive,
			   sizeof receive);
	if (send && setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send,
			       sizeof send))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof send);
}

static socklen_t
to_address(const struct vsw_addr *addr, uint16_t port,
	   union socket_address *address)
{
	memset(address, 0, sizeof *address);
	if (addr->n == 4) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(port);
		memcpy(&address->v4.sin_addr, addr->bytes, 4);
		return sizeof address->v4;
	}
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = htons(port);
	memcpy(&address->v6.sin6_addr, addr->bytes, 16);
	return sizeof address->v6;
}

static const char *
to_text(const struct vsw_addr *addr, char text[64])
{
	inet_ntop(addr->n == 4 ? AF_INET : AF_INET6, addr->bytes, text, 64);
	return text;
}

static int
watch(const struct device_opening *opening, int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		return device_fail(opening, errno, "cannot watch a socket");
	return 0;
}

static int
find_mtu(const struct device_opening *opening, const struct vsw_addr *local,
	 uint32_t *ret_mtu)
{
	struct ifaddrs *all, *one;
	struct ifreq request;
	char text[64];
	int fd, error = 0;

	if (getifaddrs(&all))
		return device_fail(opening, errno, "cannot list interfaces");
	for (one = all; one; one = one->ifa_next)
		if (one->ifa_addr && is_address(one->ifa_addr, local))
			break;
	memset(&request, 0, sizeof request);
	if (one)
		snprintf(request.ifr_name, IFNAMSIZ, "%s", one->ifa_name);
	freeifaddrs(all);
	if (!request.ifr_name[0])
		return device_fail(opening, EADDRNOTAVAIL,
				   "no interface has address %s",
				   to_text(local, text));

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFMTU, &request))
		error = device_fail(opening, errno, "cannot ask for the MTU "
				    "of %s", request.ifr_name);
	else
		*ret_mtu = (uint32_t) request.ifr_mtu;
	close_fd(fd);
	return error;
}

static bool
is_address(const struct sockaddr *sockaddr, const struct vsw_addr *addr)
{
	union socket_address address;

	memset(&address, 0, sizeof address);
	if (sockaddr->sa_family == AF_INET && addr->n == 4) {
		memcpy(&address.v4, sockaddr, sizeof address.v4);
		return !memcmp(&address.v4.sin_addr, addr->bytes, 4);
	}
	if (sockaddr->sa_family == AF_INET6 && addr->n == 16) {
		memcpy(&address.v6, sockaddr, sizeof address.v6);
		return !memcmp(&address.v6.sin6_addr, addr->bytes, 16);
	}
	return false;
}

static int
queue_fd(const struct vsw_device *device, unsigned queue)
{
	return ((const struct socket_device *) device)->queues[queue].epoll;
}

static void
destroy(struct vsw_device *device_)
{
	struct socket_device *device = (struct socket_device *) device_;

	for (unsigned q = 0; q < device_->n_queues; q++) {
		struct socket_queue *queue = &device->queues[q];

		close_fd(queue->udp[SOCKET_V4]);
		close_fd(queue->udp[SOCKET_V6]);
		close_fd(queue->epoll);
		socket_inbox_free(queue->inbox);
	}
	for (unsigned f = 0; f < SOCKET_N_FAMILIES; f++) {
		close_fd(device->gre[f]);
		for (unsigned i = 0; i < SOCKET_N_SENDERS; i++)
			close_fd(device->senders[f][i]);
	}
	free(device);
}

static void
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}
