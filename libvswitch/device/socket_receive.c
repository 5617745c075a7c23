/* SPDX-License-Identifier: Apache-2.0 */

/* From datagrams to packets. */

#include "libvswitch/device/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <vswitch.h>

#include "libvswitch/device/sum.h"
#include "libvswitch/device/coalesce.h"

enum {
	CONTROL_SIZE = 2 * CMSG_SPACE(sizeof(int)),
	GRE_TEB = 0x6558,		/* Ethernet in GRE. */
	/* Messages of this size on average are taken few at a time: what is
	 * to be joined shall still be in the processor's cache. */
	LARGE_MESSAGE = 16384,
	N_LARGE_MESSAGES = 4
};

struct socket_inbox {
	unsigned n_messages;		/* To ask for the next time. */
	struct mmsghdr messages[SOCKET_N_MESSAGES];
	struct iovec parts[SOCKET_N_MESSAGES];
	union socket_address from[SOCKET_N_MESSAGES];
	struct {
		_Alignas(struct cmsghdr) char bytes[CONTROL_SIZE];
	} control[SOCKET_N_MESSAGES];
	uint8_t bytes[SOCKET_N_MESSAGES][SOCKET_MESSAGE_SIZE];
};

/* One receive, from one socket. */
struct intake {
	struct socket_device *device;
	unsigned family;
	uint8_t encap;
	struct coalesce *coalesce;
	uint32_t n_damaged;		/* Not what the tunnel's RFC says. */
};

/* What the kernel says beside a message. */
struct aside {
	uint16_t segment_size;		/* 0: it is one datagram. */
	uint8_t tos;
};

static int drain(struct intake *, struct socket_inbox *, int fd);
static void prepare(struct socket_inbox *, unsigned i);
static void take_message(struct intake *, struct msghdr *, size_t size);
static struct aside read_aside(struct msghdr *);
static struct vsw_addr to_addr(const union socket_address *);
static void take_vxlan(struct intake *, const uint8_t *, size_t,
		       const struct aside *, struct vsw_tunnel *);
static bool is_whole(const uint8_t *datagram, size_t size,
		     size_t segment_size);
static void take_gre(struct intake *, const uint8_t *, size_t,
		     struct vsw_tunnel *);
static void take_frame(struct intake *, const uint8_t *, size_t,
		       const struct vsw_tunnel *, uint16_t segment_size,
		       bool more);

struct socket_inbox *
socket_inbox_new(void)
{
	struct socket_inbox *inbox = malloc(sizeof *inbox);

	if (!inbox)
		return NULL;
	inbox->n_messages = SOCKET_N_MESSAGES;
	for (unsigned i = 0; i < SOCKET_N_MESSAGES; i++)
		prepare(inbox, i);
	return inbox;
}

void
socket_inbox_free(struct socket_inbox *inbox)
{
	free(inbox);
}

int
socket_receive(struct vsw_device *device_, unsigned queue_,
	       struct vsw_worker *worker, uint64_t now)
{
	struct socket_device *device = (struct socket_device *) device_;
	struct socket_queue *queue = &device->queues[queue_];
	struct coalesce coalesce;
	struct intake intake = { .device = device, .coalesce = &coalesce };
	int n = 0, error = 0;

	coalesce_init(&coalesce, worker, device_->port, now);
	for (unsigned f = 0; f < SOCKET_N_FAMILIES; f++) {
		const struct {
			int fd;
			uint8_t encap;
		} sources[2] = {
			{ queue->udp[f], VSW_ENCAP_VXLAN },
			{ queue_ == 0 ? device->gre[f] : -1, VSW_ENCAP_NVGRE },
		};

		intake.family = f;
		for (unsigned s = 0; s < 2; s++) {
			int result;

			if (sources[s].fd < 0)
				continue;
			intake.encap = sources[s].encap;
			result = drain(&intake, queue->inbox, sources[s].fd);
			if (result > 0)
				n += result;
			else if (result < 0)
				error = result;
		}
	}
	coalesce_flush(&coalesce);
	if (intake.n_damaged)
		vsw_port_count_drops(device_->port, worker,
				     VSW_DROP_BAD_TUNNEL, intake.n_damaged);
	if (n)
		return 0;
	return error ? error : -EAGAIN;
}

/* Returns how many messages there were, or why there will be no more. */
static int
drain(struct intake *intake, struct socket_inbox *inbox, int fd)
{
	int n = recvmmsg(fd, inbox->messages, inbox->n_messages, 0, NULL);
	size_t n_bytes = 0;

	if (n < 0) {
		/* What may pass: also the stack's own shortages, and errors
		 * that others reported. */
		switch (errno) {
		case EBADF:
		case EFAULT:
		case EINVAL:
		case ENOTSOCK:
			return -errno;
		default:
			return 0;
		}
	}
	for (int i = 0; i < n; i++) {
		take_message(intake, &inbox->messages[i].msg_hdr,
			     inbox->messages[i].msg_len);
		n_bytes += inbox->messages[i].msg_len;
		prepare(inbox, (unsigned) i);
	}
	inbox->n_messages = n_bytes / LARGE_MESSAGE < (size_t) n
			    ? SOCKET_N_MESSAGES : N_LARGE_MESSAGES;
	return n;
}

static void
prepare(struct socket_inbox *inbox, unsigned i)
{
	inbox->parts[i] = (struct iovec) { inbox->bytes[i],
					   sizeof inbox->bytes[i] };
	inbox->messages[i].msg_hdr = (struct msghdr) {
		.msg_name = &inbox->from[i],
		.msg_namelen = sizeof inbox->from[i],
		.msg_iov = &inbox->parts[i],
		.msg_iovlen = 1,
		.msg_control = inbox->control[i].bytes,
		.msg_controllen = sizeof inbox->control[i].bytes,
	};
}

static void
take_message(struct intake *intake, struct msghdr *message, size_t size)
{
	struct aside aside = read_aside(message);
	const uint8_t *bytes = message->msg_iov->iov_base;
	struct vsw_tunnel tunnel;

	memset(&tunnel, 0, sizeof tunnel);
	tunnel.src = to_addr(message->msg_name);
	tunnel.dst = intake->device->local[intake->family];
	tunnel.encap = intake->encap;
	tunnel.tos = aside.tos;
	if (message->msg_flags & MSG_TRUNC) {
		intake->n_damaged++;
		return;
	}
	if (intake->encap == VSW_ENCAP_VXLAN) {
		take_vxlan(intake, bytes, size, &aside, &tunnel);
		return;
	}
	/* A raw IPv4 socket gives the IP header, too. */
	if (intake->family == SOCKET_V4) {
		size_t header_size = size >= 20 ? (bytes[0] & 15) * 4u : 0;

		if (header_size < 20 || header_size > size) {
			intake->n_damaged++;
			return;
		}
		tunnel.tos = bytes[1];
		bytes += header_size;
		size -= header_size;
	}
	take_gre(intake, bytes, size, &tunnel);
}

static struct aside
read_aside(struct msghdr *message)
{
	struct aside aside = { 0, 0 };
	struct cmsghdr *control;

	for (control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control)) {
		int value = 0;

		if (control->cmsg_level == IPPROTO_IP
		    && control->cmsg_type == IP_TOS) {
			aside.tos = *CMSG_DATA(control);
			continue;
		}
		if (control->cmsg_len < CMSG_LEN(sizeof value))
			continue;
		memcpy(&value, CMSG_DATA(control), sizeof value);
		if (control->cmsg_level == IPPROTO_UDP
		    && control->cmsg_type == UDP_GRO)
			aside.segment_size = (uint16_t) value;
		else if (control->cmsg_level == IPPROTO_IPV6
			 && control->cmsg_type == IPV6_TCLASS)
			aside.tos = (uint8_t) value;
	}
	return aside;
}

static struct vsw_addr
to_addr(const union socket_address *from)
{
	struct vsw_addr addr;

	memset(&addr, 0, sizeof addr);
	if (from->any.sa_family == AF_INET) {
		addr.n = 4;
		memcpy(addr.bytes, &from->v4.sin_addr, 4);
	} else {
		addr.n = 16;
		memcpy(addr.bytes, &from->v6.sin6_addr, 16);
	}
	return addr;
}

/* RFC 7348, section 5: flag I must be there; what is reserved is ignored. */
static void
take_vxlan(struct intake *intake, const uint8_t *bytes, size_t size,
	   const struct aside *aside, struct vsw_tunnel *tunnel)
{
	size_t each = aside->segment_size ? aside->segment_size : size;
	uint16_t segment_size = 0;

	if (is_whole(bytes, size, aside->segment_size)) {
		each = size;
		segment_size = aside->segment_size;
	}
	while (size > 0) {
		size_t n = size < each ? size : each;

		if (n < SOCKET_TUNNEL_SIZE + INNER_ETH_SIZE
		    || !(bytes[0] & 0x08)) {
			intake->n_damaged++;
		} else {
			tunnel->vni = be32_get(bytes + 4) >> 8;
			take_frame(intake, bytes + SOCKET_TUNNEL_SIZE,
				   n - SOCKET_TUNNEL_SIZE, tunnel,
				   segment_size, size > n);
		}
		bytes += n;
		size -= n;
	}
}

/* A kernel whose tunnel ends in this machine sends a UDP packet that its guest
 * had not cut, too; the size is then that of inner segments.  If outer ones
 * were meant, the first inner packet would end with the first of them. */
static bool
is_whole(const uint8_t *datagram, size_t size, size_t segment_size)
{
	struct inner inner;

	return segment_size && size > segment_size
	       && size > SOCKET_TUNNEL_SIZE
	       && inner_parse(datagram + SOCKET_TUNNEL_SIZE,
			      size - SOCKET_TUNNEL_SIZE, &inner)
	       && inner.end + SOCKET_TUNNEL_SIZE > segment_size;
}

/* RFC 7637, section 3.2: a key, neither checksum nor sequence number.  Other
 * tunnels' GRE comes by here as well and is not ours to count. */
static void
take_gre(struct intake *intake, const uint8_t *bytes, size_t size,
	 struct vsw_tunnel *tunnel)
{
	if (size < 4 || be16_get(bytes + 2) != GRE_TEB)
		return;
	if (size < SOCKET_TUNNEL_SIZE + INNER_ETH_SIZE
	    || be16_get(bytes) != 0x2000) {
		intake->n_damaged++;
		return;
	}
	tunnel->vni = be32_get(bytes + 4) >> 8;
	tunnel->flow_id = bytes[7];
	take_frame(intake, bytes + SOCKET_TUNNEL_SIZE,
		   size - SOCKET_TUNNEL_SIZE, tunnel, 0, false);
}

static void
take_frame(struct intake *intake, const uint8_t *frame, size_t size,
	   const struct vsw_tunnel *tunnel, uint16_t segment_size, bool more)
{
	uint32_t overhead = socket_outer_size(intake->family, intake->encap)
			    + 8 + INNER_ETH_SIZE;
	uint32_t mtu = intake->device->mtu[intake->family];
	const struct arrival arrival = {
		.tunnel = tunnel,
		.segment_size = segment_size,
		.inner_mtu = mtu > overhead ? mtu - overhead : 0,
		.more = more,
	};

	coalesce_add(intake->coalesce, frame, size, &arrival);
}
