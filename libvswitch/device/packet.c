/* SPDX-License-Identifier: Apache-2.0 */

/* An interface that exists, through AF_PACKET: packet(7). */

#include "libvswitch/device/device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vswitch.h>

#include "libvswitch/device/sum.h"
#include "libvswitch/device/netns.h"
#include "libvswitch/device/virtio.h"

enum {
	BUFFER_SIZE = 8 << 20,		/* Of a socket, each way. */
	FIRST_MESSAGES = 4,		/* What a quiet queue asks for. */
	VLAN_SIZE = 4,
	MAX_PIECES = 1024		/* Of a packet that the kernel would
					 * not cut: 64 KiB of 64 bytes. */
};

struct packet_queue {
	int fd;
	/* How many packets to have ready: follows what came the last time, so
	 * that a lone packet does not cost a batch of empty ones. */
	unsigned n_messages;
};

struct packet_device {
	struct vsw_device device;
	uint32_t mtu;			/* The interface's, when opened. */
	struct packet_queue queues[];
};

/* One receive's worth of what recvmmsg() fills in. */
struct arrivals {
	struct vsw_packet *packets[DEVICE_BATCH];
	struct virtio_net_hdr headers[DEVICE_BATCH];
	struct iovec parts[DEVICE_BATCH][2];
	struct sockaddr_ll from[DEVICE_BATCH];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control[DEVICE_BATCH];
	struct mmsghdr messages[DEVICE_BATCH];
};

static int receive(struct vsw_device *, unsigned queue, struct vsw_worker *,
		   uint64_t now);
static int queue_fd(const struct vsw_device *, unsigned queue);
static void destroy(struct vsw_device *);
static void transmit(void *, struct vsw_worker *, struct vsw_packet *const[],
		     size_t);
static int open_all(struct packet_device *, const struct device_opening *,
		    const struct vsw_packet_options *);
static int set_up(struct packet_device *, const struct device_opening *,
		  const struct vsw_packet_options *);
static int open_queue(const struct device_opening *,
		      const struct vsw_packet_options *, int index,
		      int *ret_fd);
static int filter(int fd, const struct vsw_addr *to);
static int join_fanout(const struct device_opening *, int fd, bool first,
		       int *id);
static unsigned prepare(struct arrivals *, struct vsw_worker *, unsigned n);
static int no_more_use(int fd, int error);
static bool accept_packet(struct arrivals *, unsigned i);
static void restore_vlan(struct vsw_packet *, struct msghdr *);
static int send_packet(int fd, struct vsw_worker *, struct vsw_packet *);
static int send_frame(int fd, struct vsw_packet *);
static int send_pieces(int fd, struct vsw_worker *, struct vsw_packet *);

static const struct device_class packet_class = {
	.receive = receive,
	.fd = queue_fd,
	.destroy = destroy,
};

int
vsw_device_open_packet(struct vsw *vsw,
		       const struct vsw_packet_options *callers,
		       char *problem, size_t problem_size,
		       struct vsw_device **ret_device)
{
	struct device_opening opening = { "packet", callers->name, problem,
					  problem_size };
	struct vsw_packet_options options;
	struct packet_device *device;
	int error;

	error = device_copy_options(&opening, &options, sizeof options,
				    callers);
	if (!error)
		error = device_check_name(&opening);
	if (!error)
		error = device_check_queues(&opening, &options.n_queues);
	if (error)
		return error;
	if (!options.interface)
		options.interface = options.name;

	device = malloc(sizeof *device
			+ options.n_queues * sizeof device->queues[0]);
	if (!device)
		return device_fail(&opening, ENOMEM, "cannot open");
	memset(device, 0, sizeof *device);
	device->device.class = &packet_class;
	error = open_all(device, &opening, &options);
	/* What an interface cannot do, the kernel does for it. */
	if (!error)
		error = device_add_port(vsw, &opening, &device->device,
					VSW_PORT_CHECKSUM | VSW_PORT_TSO4
					| VSW_PORT_TSO6 | VSW_PORT_USO,
					transmit);
	if (!error)
		error = vsw_port_set_mtu(device->device.port, device->mtu);
	if (error) {
		device_abandon(&device->device);
		return error;
	}
	*ret_device = &device->device;
	return 0;
}

static int
open_all(struct packet_device *device, const struct device_opening *opening,
	 const struct vsw_packet_options *options)
{
	unsigned *n = &device->device.n_queues;
	struct netns netns;
	int back, index, id = 0, error;

	error = netns_enter(&netns, opening, options->netns);
	if (error)
		return error;
	index = (int) if_nametoindex(options->interface);
	if (index == 0)
		error = device_fail(opening, errno, "no interface %s",
				    options->interface);
	while (!error && *n < options->n_queues) {
		struct packet_queue *queue = &device->queues[*n];

		error = open_queue(opening, options, index, &queue->fd);
		if (error)
			break;
		queue->n_messages = FIRST_MESSAGES;
		++*n;
		if (*n == 1)
			error = set_up(device, opening, options);
		if (!error && options->n_queues > 1)
			error = join_fanout(opening, queue->fd, *n == 1, &id);
	}
	back = netns_leave(&netns, opening);
	return back ? back : error;
}

/* What is larger than the MTU the kernel would refuse. */
static int
set_up(struct packet_device *device, const struct device_opening *opening,
       const struct vsw_packet_options *options)
{
	int fd = device->queues[0].fd, error = 0;
	struct ifreq request;

	memset(&request, 0, sizeof request);
	snprintf(request.ifr_name, IFNAMSIZ, "%s", options->interface);
	if (options->up)
		error = device_raise(opening, fd, &request);
	if (error)
		return error;
	if (ioctl(fd, SIOCGIFMTU, &request))
		return device_fail(opening, errno, "cannot ask for the MTU "
				   "of %s", options->interface);
	device->mtu = (uint32_t) request.ifr_mtu;
	return 0;
}

static int
open_queue(const struct device_opening *opening,
	   const struct vsw_packet_options *options, int index, int *ret_fd)
{
	/* Without a protocol nothing comes in before all is set. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1, size = BUFFER_SIZE;
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = index,
	};
	const struct packet_mreq membership = {
		.mr_ifindex = index,
		.mr_type = PACKET_MR_PROMISC,
	};
	int error;

	if (fd < 0)
		return device_fail(opening, errno,
				   "cannot open a packet socket");
	/* Without the privilege, as much as the system allows. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
#ifdef PACKET_IGNORE_OUTGOING
	/* Spares copies; accept_packet() looks all the same. */
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
#endif
	if ((options->to.n && filter(fd, &options->to))
	    || (options->mark && setsockopt(fd, SOL_SOCKET, SO_MARK,
					    &options->mark,
					    sizeof options->mark))
	    || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on)
	    || setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on))
		error = device_fail(opening, errno,
				    "cannot set a packet socket up");
	else if (bind(fd, (const struct sockaddr *) &address, sizeof address))
		error = device_fail(opening, errno, "cannot bind to %s",
				    options->interface);
	else if (options->promiscuous
		 && setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP,
			       &membership, sizeof membership))
		error = device_fail(opening, errno,
				    "cannot make %s promiscuous",
				    options->interface);
	else {
		*ret_fd = fd;
		return 0;
	}
	close(fd);
	return error;
}

/* What is not for the switch is not even copied: the kernel has its own ARP,
 * neighbour discovery and more on an interface that both of them use.  A VLAN
 * tag is no part of what the filter sees.  An IPv6 packet may have other
 * headers in front of UDP's. */
static int
filter(int fd, const struct vsw_addr *to)
{
	enum { TAKE = 0x40000, V4_PROTO = 23, V4_DST = 30, V6_NEXT = 20,
	       V6_DST = 38 };
	const uint8_t *b = to->bytes;
	struct sock_filter v4[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2 * ETH_ALEN),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, V4_PROTO),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_GRE, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, V4_DST),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, be32_get(b), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, TAKE),
		BPF_STMT(BPF_RET | BPF_K, 0)
	}, v6[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2 * ETH_ALEN),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 12),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, V6_NEXT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 10, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 9, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, V6_DST),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, be32_get(b), 0, 7),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, V6_DST + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, be32_get(b + 4), 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, V6_DST + 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, be32_get(b + 8), 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, V6_DST + 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, be32_get(b + 12), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, TAKE),
		BPF_STMT(BPF_RET | BPF_K, 0)
	};
	const struct sock_fprog program = {
		to->n == 4 ? sizeof v4 / sizeof *v4 : sizeof v6 / sizeof *v6,
		to->n == 4 ? v4 : v6
	};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			  sizeof program);
}

/* The first socket gets a group with a number of the kernel's choice, the
 * others join it.  A flow stays on one queue. */
static int
join_fanout(const struct device_opening *opening, int fd, bool first, int *id)
{
	int flags = PACKET_FANOUT_HASH;
	int value;
	socklen_t size = sizeof value;

	if (first)
		flags |= PACKET_FANOUT_FLAG_UNIQUEID;
	value = *id | flags << 16;
	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, sizeof value)
	    || (first && getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value,
				    &size)))
		return device_fail(opening, errno,
				   "cannot spread over queues");
	if (first)
		*id = value & 0xffff;
	return 0;
}

static int
receive(struct vsw_device *device_, unsigned queue_, struct vsw_worker *worker,
	uint64_t now)
{
	struct packet_device *device = (struct packet_device *) device_;
	struct packet_queue *queue = &device->queues[queue_];
	struct arrivals arrivals;
	struct vsw_packet *accepted[DEVICE_BATCH];
	unsigned n_ready = prepare(&arrivals, worker, queue->n_messages);
	unsigned n_accepted = 0;
	int n_came, error;

	if (n_ready == 0) {
		/* One packet is lost, or the descriptor stays readable. */
		if (recv(queue->fd, &arrivals.headers[0],
			 sizeof arrivals.headers[0], MSG_TRUNC) < 0)
			return no_more_use(queue->fd, errno);
		vsw_port_count_drops(device_->port, worker,
				     VSW_DROP_NO_MEMORY, 1);
		return 0;
	}
	do
		n_came = recvmmsg(queue->fd, arrivals.messages, n_ready, 0,
				  NULL);
	while (n_came < 0 && errno == EINTR);
	error = n_came < 0 ? no_more_use(queue->fd, errno) : 0;

	for (unsigned i = 0; i < n_ready; i++) {
		if ((int) i < n_came && accept_packet(&arrivals, i))
			accepted[n_accepted++] = arrivals.packets[i];
		else
			vsw_packet_free(arrivals.packets[i]);
	}
	if (error)
		return error;
	if ((unsigned) n_came == n_ready && n_ready < DEVICE_BATCH)
		queue->n_messages = n_ready * 2 < DEVICE_BATCH ? n_ready * 2
							       : DEVICE_BATCH;
	else if ((unsigned) n_came < n_ready / 2 && n_ready > FIRST_MESSAGES)
		queue->n_messages = n_ready / 2;
	if (n_accepted)
		vsw_worker_receive(worker, device_->port, accepted,
				   n_accepted, now);
	return 0;
}

/* Returns how many packets there was memory for. */
static unsigned
prepare(struct arrivals *arrivals, struct vsw_worker *worker, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct vsw_packet *packet = vsw_packet_new(worker,
							   VSW_PACKET_MAX);

		if (!packet)
			return i;
		arrivals->packets[i] = packet;
		arrivals->parts[i][0].iov_base = &arrivals->headers[i];
		arrivals->parts[i][0].iov_len = sizeof arrivals->headers[i];
		arrivals->parts[i][1].iov_base = vsw_packet_data(packet);
		arrivals->parts[i][1].iov_len = VSW_PACKET_MAX;
		arrivals->messages[i].msg_hdr = (struct msghdr) {
			.msg_name = &arrivals->from[i],
			.msg_namelen = sizeof arrivals->from[i],
			.msg_iov = arrivals->parts[i],
			.msg_iovlen = 2,
			.msg_control = &arrivals->control[i],
			.msg_controllen = sizeof arrivals->control[i],
		};
	}
	return n;
}

/* An interface that went down may come back; one that is gone does not. */
static int
no_more_use(int fd, int error)
{
	struct sockaddr_ll address;
	socklen_t size = sizeof address;

	if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR)
		return -EAGAIN;
	if (error != ENETDOWN)
		return -error;
	if (getsockname(fd, (struct sockaddr *) &address, &size))
		return -errno;
	return address.sll_ifindex > 0 ? -EAGAIN : -ENODEV;
}

static bool
accept_packet(struct arrivals *arrivals, unsigned i)
{
	struct vsw_packet *packet = arrivals->packets[i];
	size_t size = arrivals->messages[i].msg_len;

	if (arrivals->from[i].sll_pkttype == PACKET_OUTGOING
	    || size < sizeof arrivals->headers[i])
		return false;
	vsw_packet_trim(packet, size - sizeof arrivals->headers[i]);
	virtio_to_offload(&arrivals->headers[i], vsw_packet_offload(packet));
	restore_vlan(packet, &arrivals->messages[i].msg_hdr);
	return true;
}

/* The kernel has taken a VLAN tag out of the frame and says so aside. */
static void
restore_vlan(struct vsw_packet *packet, struct msghdr *message)
{
	struct vsw_offload *offload = vsw_packet_offload(packet);
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	struct tpacket_auxdata aux;
	uint8_t *data;

	if (!control || control->cmsg_level != SOL_PACKET
	    || control->cmsg_type != PACKET_AUXDATA)
		return;
	memcpy(&aux, CMSG_DATA(control), sizeof aux);
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID)
	    || vsw_packet_size(packet) < 2 * ETH_ALEN)
		return;
	data = vsw_packet_push(packet, VLAN_SIZE);
	if (!data)
		return;
	memmove(data, data + VLAN_SIZE, 2 * ETH_ALEN);
	be16_put(data + 2 * ETH_ALEN,
		 aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid
							   : ETH_P_8021Q);
	be16_put(data + 2 * ETH_ALEN + 2, aux.tp_vlan_tci);
	if (offload->checksum == VSW_CHECKSUM_PARTIAL)
		offload->checksum_start += VLAN_SIZE;
}

static void
transmit(void *device_, struct vsw_worker *worker,
	 struct vsw_packet *const packets[], size_t n)
{
	struct packet_device *device = device_;
	int fd = device->queues[device_queue_of(&device->device, worker)].fd;
	struct device_losses losses = { 0 };

	for (size_t i = 0; i < n; i++) {
		int error = send_packet(fd, worker, packets[i]);

		if (error)
			device_lose(&losses, -error);
	}
	device_report(&losses, &device->device, worker);
}

static int
send_packet(int fd, struct vsw_worker *worker, struct vsw_packet *packet)
{
	int error = send_frame(fd, packet);

	/* Not every kernel cuts everything: UDP only since Linux 6.2, and not
	 * behind every kind of tag. */
	if (error == -EINVAL
	    && vsw_packet_offload(packet)->segment_kind != VSW_SEGMENT_NONE)
		return send_pieces(fd, worker, packet);
	vsw_packet_free(packet);
	return error;
}

static int
send_frame(int fd, struct vsw_packet *packet)
{
	uint8_t *data = vsw_packet_data(packet);
	size_t size = vsw_packet_size(packet);
	struct virtio_net_hdr header;
	struct iovec parts[2] = { { &header, sizeof header }, { data, size } };
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	virtio_from_offload(vsw_packet_offload(packet), data, size, &header);
	while (sendmsg(fd, &message, 0) < 0)
		if (errno != EINTR)
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return 0;
}

static int
send_pieces(int fd, struct vsw_worker *worker, struct vsw_packet *packet)
{
	struct vsw_packet *pieces[MAX_PIECES];
	int error = 0, n = vsw_packet_finish(worker, packet, pieces,
					     MAX_PIECES);

	for (int i = 0; i < n; i++) {
		if (!error)
			error = send_frame(fd, pieces[i]);
		vsw_packet_free(pieces[i]);
	}
	return n < 0 ? n : error;
}

static int
queue_fd(const struct vsw_device *device, unsigned queue)
{
	return ((const struct packet_device *) device)->queues[queue].fd;
}

static void
destroy(struct vsw_device *device_)
{
	struct packet_device *device = (struct packet_device *) device_;

	while (device_->n_queues > 0)
		close(device->queues[--device_->n_queues].fd);
	free(device);
}
