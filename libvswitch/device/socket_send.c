/* SPDX-License-Identifier: Apache-2.0 */

/* From packets to datagrams.
 *
 * Packets of a batch that go to one place through one socket and are of one
 * size go out as one message with UDP_SEGMENT: one walk through the kernel for
 * all of them.  A packet that has a segment size is cut here, each segment
 * with tunnel headers of its own, and goes out the same way.  Between two
 * packets of one flow the order is kept: a flow has one socket. */

#include "libvswitch/device/socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>
#include <vswitch.h>

#include "libvswitch/device/sum.h"
#include "libvswitch/device/cut.h"

enum {
	MAX_MESSAGES = 64,
	MAX_PARTS = 2 * SOCKET_MAX_SEGMENTS,
	CONTROL_SIZE = CMSG_SPACE(sizeof(uint16_t)) + CMSG_SPACE(sizeof(int))
};

static_assert((int) DEVICE_MAX_TRANSMIT <= (int) MAX_PARTS,
	      "a batch has room");

/* A packet to be sent, and by which way. */
struct letter {
	struct vsw_packet *packet;
	const struct vsw_tunnel *tunnel;
	int fd;				/* -1: done with. */
	uint32_t size;			/* With tunnel header; 0: to be cut. */
};

/* What the kernel is to send in one go: datagrams of 'n_parts_each' parts. */
struct note {
	int fd;
	uint16_t n_datagrams;
	uint8_t n_parts_each;
	/* The packet that the datagrams are pieces of; NULL: each is one. */
	const struct vsw_packet *whole;
};

struct outbox {
	struct socket_device *device;
	struct device_losses losses;
	const struct vsw_packet *last_lost;
	unsigned n_messages, n_parts, n_headers;
	struct note notes[MAX_MESSAGES];
	struct mmsghdr messages[MAX_MESSAGES];
	union socket_address to[MAX_MESSAGES];
	struct {
		_Alignas(struct cmsghdr) char bytes[CONTROL_SIZE];
	} control[MAX_MESSAGES];
	struct iovec parts[MAX_PARTS];
	uint8_t headers[SOCKET_MAX_SEGMENTS][SOCKET_TUNNEL_SIZE
					     + CUT_MAX_HEADER];
};

static void address_letter(struct outbox *, struct vsw_packet *,
			   struct letter *);
static unsigned family_of(const struct vsw_tunnel *);
static int choose_socket(const struct socket_device *,
			 const struct vsw_tunnel *);
static bool finish_checksum(struct vsw_packet *);
static void write_tunnel(uint8_t *header, const struct vsw_tunnel *);
static void send_joined(struct outbox *, struct letter *, size_t n);
static bool same_way(const struct letter *, const struct letter *);
static void send_cut(struct outbox *, const struct letter *);
static void reserve(struct outbox *, unsigned n_parts, unsigned n_headers);
static struct note *begin_message(struct outbox *, const struct letter *);
static void add_part(struct outbox *, void *bytes, size_t size);
static void end_message(struct outbox *, const struct letter *,
			size_t datagram_size);
static void flush(struct outbox *);
static void recover(struct outbox *, unsigned message, int error);
static void lose(struct outbox *, const struct note *, int error);

void
socket_transmit(void *device, struct vsw_worker *worker,
		struct vsw_packet *const packets[], size_t n)
{
	struct letter letters[DEVICE_MAX_TRANSMIT];
	struct outbox outbox;

	outbox.device = device;
	memset(&outbox.losses, 0, sizeof outbox.losses);
	outbox.last_lost = NULL;
	outbox.n_messages = outbox.n_parts = outbox.n_headers = 0;

	for (size_t i = 0; i < n; i++)
		address_letter(&outbox, packets[i], &letters[i]);
	for (size_t i = 0; i < n; i++) {
		if (letters[i].fd < 0)
			continue;
		if (letters[i].size)
			send_joined(&outbox, &letters[i], n - i);
		else
			send_cut(&outbox, &letters[i]);
	}
	flush(&outbox);
	for (size_t i = 0; i < n; i++)
		vsw_packet_free(packets[i]);
	device_report(&outbox.losses, device, worker);
}

/* Puts a packet that needs no cutting into its envelope. */
static void
address_letter(struct outbox *outbox, struct vsw_packet *packet,
	       struct letter *letter)
{
	const struct socket_device *device = outbox->device;
	const struct vsw_tunnel *tunnel = vsw_packet_tunnel(packet);
	unsigned family = family_of(tunnel);
	uint8_t *header;

	letter->packet = packet;
	letter->tunnel = tunnel;
	letter->size = 0;
	letter->fd = family < SOCKET_N_FAMILIES ? choose_socket(device, tunnel)
						: -1;
	if (letter->fd < 0) {
		outbox->losses.n_no_next_hop++;
		return;
	}
	if (vsw_packet_offload(packet)->segment_kind != VSW_SEGMENT_NONE)
		return;
	if (!finish_checksum(packet)) {
		outbox->losses.n_bad_offload++;
		letter->fd = -1;
		return;
	}
	header = vsw_packet_push(packet, SOCKET_TUNNEL_SIZE);
	if (!header) {
		outbox->losses.n_no_room++;
		letter->fd = -1;
		return;
	}
	write_tunnel(header, tunnel);
	letter->size = (uint32_t) vsw_packet_size(packet);
	if (letter->size + socket_outer_size(family, tunnel->encap)
	    > device->send_mtu[family]) {
		outbox->losses.n_too_big++;
		letter->fd = -1;
	}
}

/* SOCKET_N_FAMILIES: of none. */
static unsigned
family_of(const struct vsw_tunnel *tunnel)
{
	switch (tunnel->dst.n) {
	case 4:
		return SOCKET_V4;
	case 16:
		return SOCKET_V6;
	default:
		return SOCKET_N_FAMILIES;
	}
}

/* -1: this device has no such way. */
static int
choose_socket(const struct socket_device *device,
	      const struct vsw_tunnel *tunnel)
{
	unsigned family = family_of(tunnel);

	if (tunnel->src.n
	    && memcmp(&tunnel->src, &device->local[family],
		      sizeof tunnel->src))
		return -1;
	switch (tunnel->encap) {
	case VSW_ENCAP_VXLAN:
		return device->senders[family][(uint64_t) tunnel->hash
					       * SOCKET_N_SENDERS >> 32];
	case VSW_ENCAP_NVGRE:
		return device->gre[family];
	default:
		return -1;
	}
}

static bool
finish_checksum(struct vsw_packet *packet)
{
	const struct vsw_offload *offload = vsw_packet_offload(packet);
	size_t size = vsw_packet_size(packet);
	uint8_t *data = vsw_packet_data(packet);
	size_t start = offload->checksum_start;
	uint16_t field;

	if (offload->checksum != VSW_CHECKSUM_PARTIAL)
		return true;
	if (start + offload->checksum_offset + 2 > size)
		return false;
	field = (uint16_t) ~sum_fold(
		sum_add(0, data + start, size - start));
	/* Both are zero to the sum, and UDP's zero would be "none". */
	sum_put(data + start + offload->checksum_offset,
		     field ? field : 0xffff);
	return true;
}

/* RFC 7348, section 5; RFC 7637, section 3.2. */
static void
write_tunnel(uint8_t *header, const struct vsw_tunnel *tunnel)
{
	if (tunnel->encap == VSW_ENCAP_VXLAN) {
		be32_put(header, 0x08000000);
		be32_put(header + 4, tunnel->vni << 8);
	} else {
		be32_put(header, 0x20006558);
		be32_put(header + 4, tunnel->vni << 8 | tunnel->flow_id);
	}
}

/* Sends letters[0], and with it those of the letters behind it that may share
 * its message. */
static void
send_joined(struct outbox *outbox, struct letter *letters, size_t n)
{
	struct letter *first = &letters[0];
	const struct letter envelope = *first;
	size_t total = first->size, n_joined = 1;
	struct note *note;
	bool may_join = first->tunnel->encap == VSW_ENCAP_VXLAN
			&& !atomic_load_explicit(&outbox->device->no_segments,
						 memory_order_relaxed);

	reserve(outbox, (unsigned) n, 0);
	note = begin_message(outbox, first);
	add_part(outbox, vsw_packet_data(first->packet), first->size);
	first->fd = -1;
	for (size_t i = 1; may_join && i < n; i++) {
		struct letter *letter = &letters[i];

		if (!same_way(&envelope, letter))
			continue;
		/* It, and all behind it on this way, must wait. */
		if (letter->size == 0 || letter->size > envelope.size
		    || letter->tunnel->tos != envelope.tunnel->tos
		    || n_joined == SOCKET_MAX_SEGMENTS
		    || total + letter->size > SOCKET_MAX_MESSAGE)
			break;
		add_part(outbox, vsw_packet_data(letter->packet),
			 letter->size);
		letter->fd = -1;
		total += letter->size;
		n_joined++;
		if (letter->size < envelope.size)
			break;
	}
	note->n_datagrams = (uint16_t) n_joined;
	end_message(outbox, &envelope, envelope.size);
}

static bool
same_way(const struct letter *a, const struct letter *b)
{
	return a->fd == b->fd
	       && !memcmp(&a->tunnel->dst, &b->tunnel->dst,
			  sizeof a->tunnel->dst);
}

/* Cuts a packet that has a segment size. */
static void
send_cut(struct outbox *outbox, const struct letter *letter)
{
	const struct socket_device *device = outbox->device;
	const struct vsw_tunnel *tunnel = letter->tunnel;
	unsigned family = family_of(tunnel);
	struct cut cut;
	size_t datagram_size, n_each = 1, n_left, payload_size;
	const uint8_t *payload;

	if (!cut_begin(&cut, vsw_packet_data(letter->packet),
			   vsw_packet_size(letter->packet),
			   vsw_packet_offload(letter->packet))) {
		outbox->losses.n_segment++;
		return;
	}
	datagram_size = SOCKET_TUNNEL_SIZE + cut.header_size
			+ cut.segment_size;
	if (cut.n_segments > 1
	    && datagram_size + socket_outer_size(family, tunnel->encap)
	       > device->send_mtu[family]) {
		outbox->losses.n_too_big++;
		return;
	}
	if (tunnel->encap == VSW_ENCAP_VXLAN
	    && datagram_size <= SOCKET_MAX_MESSAGE
	    && !atomic_load_explicit(&device->no_segments,
				     memory_order_relaxed))
		n_each = SOCKET_MAX_MESSAGE / datagram_size;
	if (n_each > SOCKET_MAX_SEGMENTS)
		n_each = SOCKET_MAX_SEGMENTS;

	for (n_left = cut.n_segments; n_left > 0; n_left -= n_each) {
		struct note *note;

		if (n_each > n_left)
			n_each = n_left;
		reserve(outbox, (unsigned) (2 * n_each), (unsigned) n_each);
		note = begin_message(outbox, letter);
		note->whole = letter->packet;
		note->n_parts_each = 2;
		note->n_datagrams = (uint16_t) n_each;
		for (size_t i = 0; i < n_each; i++) {
			uint8_t *header = outbox->headers[outbox->n_headers++];

			write_tunnel(header, tunnel);
			payload_size = cut_next(&cut,
						    header + SOCKET_TUNNEL_SIZE,
						    &payload);
			add_part(outbox, header,
				 SOCKET_TUNNEL_SIZE + cut.header_size);
			add_part(outbox, (void *) (uintptr_t) payload,
				 payload_size);
		}
		end_message(outbox, letter, datagram_size);
	}
}

/* Makes room for one more message. */
static void
reserve(struct outbox *outbox, unsigned n_parts, unsigned n_headers)
{
	if (outbox->n_messages == MAX_MESSAGES
	    || outbox->n_parts + n_parts > MAX_PARTS
	    || outbox->n_headers + n_headers > SOCKET_MAX_SEGMENTS)
		flush(outbox);
}

static struct note *
begin_message(struct outbox *outbox, const struct letter *letter)
{
	unsigned i = outbox->n_messages;
	const struct vsw_addr *dst = &letter->tunnel->dst;
	uint16_t port = letter->tunnel->encap == VSW_ENCAP_VXLAN
			? htons(outbox->device->vxlan_port) : 0;
	union socket_address *to = &outbox->to[i];

	outbox->notes[i] = (struct note) { letter->fd, 1, 1, NULL };
	memset(to, 0, sizeof *to);
	if (dst->n == 4) {
		to->v4.sin_family = AF_INET;
		to->v4.sin_port = port;
		memcpy(&to->v4.sin_addr, dst->bytes, 4);
	} else {
		to->v6.sin6_family = AF_INET6;
		to->v6.sin6_port = port;
		memcpy(&to->v6.sin6_addr, dst->bytes, 16);
	}
	outbox->messages[i].msg_hdr = (struct msghdr) {
		.msg_name = to,
		.msg_namelen = dst->n == 4 ? sizeof to->v4 : sizeof to->v6,
		.msg_iov = &outbox->parts[outbox->n_parts],
		.msg_control = outbox->control[i].bytes,
	};
	return &outbox->notes[i];
}

static void
add_part(struct outbox *outbox, void *bytes, size_t size)
{
	outbox->parts[outbox->n_parts++] = (struct iovec) { bytes, size };
}

static void
end_message(struct outbox *outbox, const struct letter *letter,
	    size_t datagram_size)
{
	unsigned i = outbox->n_messages++;
	struct msghdr *message = &outbox->messages[i].msg_hdr;
	struct cmsghdr *control = message->msg_control;
	const int tos = letter->tunnel->tos;
	const uint16_t gso_size = (uint16_t) datagram_size;

	message->msg_iovlen = (size_t) (&outbox->parts[outbox->n_parts]
					- message->msg_iov);
	if (outbox->notes[i].n_datagrams > 1) {
		control->cmsg_level = IPPROTO_UDP;
		control->cmsg_type = UDP_SEGMENT;
		control->cmsg_len = CMSG_LEN(sizeof gso_size);
		memcpy(CMSG_DATA(control), &gso_size, sizeof gso_size);
		message->msg_controllen = CMSG_SPACE(sizeof gso_size);
		control = (void *) (outbox->control[i].bytes
				    + message->msg_controllen);
	}
	if (tos) {
		bool v4 = letter->tunnel->dst.n == 4;

		control->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
		control->cmsg_type = v4 ? IP_TOS : IPV6_TCLASS;
		control->cmsg_len = CMSG_LEN(sizeof tos);
		memcpy(CMSG_DATA(control), &tos, sizeof tos);
		message->msg_controllen += CMSG_SPACE(sizeof tos);
	}
	if (message->msg_controllen == 0)
		message->msg_control = NULL;
}

/* Messages through one socket go in one call. */
static void
flush(struct outbox *outbox)
{
	unsigned i = 0;

	while (i < outbox->n_messages) {
		int fd = outbox->notes[i].fd;
		unsigned n = 1;
		int n_sent;

		while (i + n < outbox->n_messages
		       && outbox->notes[i + n].fd == fd)
			n++;
		n_sent = sendmmsg(fd, &outbox->messages[i], n, 0);
		if (n_sent > 0) {
			i += (unsigned) n_sent;
		} else if (n_sent == 0 || errno != EINTR) {
			recover(outbox, i, errno);
			i++;
		}
	}
	outbox->n_messages = outbox->n_parts = outbox->n_headers = 0;
}

/* The message could not be sent.  If that is because of UDP_SEGMENT, its
 * datagrams are sent one by one; each that is too big is found, too. */
static void
recover(struct outbox *outbox, unsigned i, int error)
{
	const struct note *note = &outbox->notes[i];
	struct msghdr message = outbox->messages[i].msg_hdr;
	unsigned n = note->n_datagrams;
	uint8_t *control = message.msg_control;

	if (n == 1
	    || (error != EIO && error != EINVAL && error != EMSGSIZE)) {
		while (n-- > 0)
			lose(outbox, note, error);
		return;
	}
	/* No checksum offload where it leaves: it will never work. */
	if (error == EIO)
		atomic_store_explicit(&outbox->device->no_segments, true,
				      memory_order_relaxed);
	message.msg_control = control + CMSG_SPACE(sizeof(uint16_t));
	message.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
	if (message.msg_controllen == 0)
		message.msg_control = NULL;
	message.msg_iovlen = note->n_parts_each;
	for (; n > 0; n--, message.msg_iov += note->n_parts_each)
		if (sendmsg(note->fd, &message, 0) < 0)
			lose(outbox, note, errno);
}

/* A packet in pieces is lost once. */
static void
lose(struct outbox *outbox, const struct note *note, int error)
{
	if (note->whole && note->whole == outbox->last_lost)
		return;
	outbox->last_lost = note->whole;
	device_lose(&outbox->losses, error == EWOULDBLOCK ? EAGAIN : error);
}
