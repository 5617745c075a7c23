/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DEVICE_SOCKET_H
#define DEVICE_SOCKET_H 1

/* Tunnels through the host's own IP stack.
 *
 * VXLAN (RFC 7348) comes in on one UDP socket for each queue and family, bound
 * to the device's address and VXLAN's port, and goes out through a pool of UDP
 * sockets whose ports are the entropy of section 5 there: a flow keeps to one.
 * NVGRE (RFC 7637) uses one raw socket for each family, both ways, on queue 0:
 * the kernel gives each raw socket a copy, so there cannot be more.
 *
 * socket.c opens and closes, socket_send.c and socket_receive.c are the two
 * ways. */

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "libvswitch/device/device.h"

/* Headers for kernels older than what may be run on. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
	SOCKET_V4,
	SOCKET_V6,
	SOCKET_N_FAMILIES
};

enum {
	SOCKET_N_SENDERS = 16,		/* Ports of entropy, a family. */
	/* What a message may be in all; the kernel's limit is that of an IPv4
	 * packet. */
	SOCKET_MAX_MESSAGE = 65000,
	/* Frames in one message: the limit of kernels before 6.9. */
	SOCKET_MAX_SEGMENTS = 64,
	SOCKET_TUNNEL_SIZE = 8,		/* VXLAN's header, and NVGRE's. */
	SOCKET_N_MESSAGES = 16,		/* Received at once. */
	SOCKET_MESSAGE_SIZE = 65536
};

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct socket_inbox;

struct socket_queue {
	int epoll;			/* Readable when one of them is. */
	int udp[SOCKET_N_FAMILIES];	/* -1: none. */
	struct socket_inbox *inbox;
};

struct socket_device {
	struct vsw_device device;
	struct vsw_addr local[SOCKET_N_FAMILIES];
	char interface[16];		/* Empty: none. */
	uint16_t vxlan_port;
	/* Of outer packets: by which to tell that what came in is uncut, and
	 * what goes out at most. */
	uint32_t mtu[SOCKET_N_FAMILIES];
	uint32_t send_mtu[SOCKET_N_FAMILIES];
	int senders[SOCKET_N_FAMILIES][SOCKET_N_SENDERS];
	int gre[SOCKET_N_FAMILIES];
	/* Set for good once an interface turns out to take no UDP_SEGMENT. */
	atomic_bool no_segments;
	struct socket_queue queues[];
};

/* Of the outer IP header and, for VXLAN, UDP's. */
static inline uint32_t
socket_outer_size(unsigned family, uint8_t encap)
{
	return (family == SOCKET_V4 ? 20 : 40)
	       + (encap == VSW_ENCAP_VXLAN ? 8 : 0);
}

/* The port's 'transmit'. */
void socket_transmit(void *device, struct vsw_worker *,
		     struct vsw_packet *const packets[], size_t n);

/* Room for one recvmmsg(); NULL: out of memory. */
struct socket_inbox *socket_inbox_new(void);
void socket_inbox_free(struct socket_inbox *);

/* The device's 'receive'. */
int socket_receive(struct vsw_device *, unsigned queue, struct vsw_worker *,
		   uint64_t now);

#endif /* device/socket.h */
