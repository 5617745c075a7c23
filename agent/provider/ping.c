/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/provider/ping.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/answer/frame.h"
#include "agent/base/memory.h"
#include "agent/provider/kernel.h"

enum { REQUEST_SIZE = 64, HEARD_MAX = 256 };

/* RFC 792 and RFC 4443: types, and codes of what cannot be reached. */
enum {
	V4_REPLY = 0, V4_UNREACHABLE = 3, V4_REQUEST = 8,
	V4_NO_PROTOCOL = 2, V4_NO_PORT = 3,
	V6_UNREACHABLE = 1, V6_PROBLEM = 4, V6_REQUEST = 128, V6_REPLY = 129,
	V6_NO_PORT = 4, V6_NO_PROTOCOL = 1
};

struct ping {
	const struct model_pa *pa;	/* While it is sent. */
	const struct vsw_addr *remote;
	int fd;
	bool is_v4;
	uint16_t id;
};

static bool is_refusal(const struct ping *, uint8_t type, uint8_t code);
static int open_and_send(void *ping_);
static socklen_t to_address(const struct vsw_addr *,
			    struct sockaddr_storage *);
static bool send_request(const struct ping *);

struct ping *
ping_new(const struct model_pa *pa, const struct vsw_addr *remote)
{
	static uint16_t last_id;
	struct ping *ping = xcalloc(1, sizeof *ping);

	*ping = (struct ping) {
		.pa = pa, .remote = remote, .fd = -1, .is_v4 = remote->n == 4,
		.id = ++last_id
	};
	if (!kernel_visit(model_option(&pa->options, "netns", NULL),
			  open_and_send, ping))
		return ping;
	ping_free(ping);
	return NULL;
}

void
ping_hear(struct ping *ping, bool *is_answered, bool *is_refused, int *error)
{
	uint8_t b[2048];
	int n = 0;

	for (; n < HEARD_MAX; n++) {
		ssize_t size = recv(ping->fd, b, sizeof b, 0);
		size_t at = ping->is_v4 && size > 0
			? (size_t) (b[0] & 0xf) * 4 : 0;

		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (size < 0) {
			*error = errno;
			continue;
		}
		if ((size_t) size < at + 8)
			continue;
		if (b[at] == (ping->is_v4 ? V4_REPLY : V6_REPLY)
		    && (b[at + 4] << 8 | b[at + 5]) == ping->id)
			*is_answered = true;
		else if (is_refusal(ping, b[at], b[at + 1]))
			*is_refused = true;
	}
}

void
ping_free(struct ping *ping)
{
	if (!ping)
		return;
	if (ping->fd >= 0)
		close(ping->fd);
	free(ping);
}

static bool
is_refusal(const struct ping *ping, uint8_t type, uint8_t code)
{
	if (ping->is_v4)
		return type == V4_UNREACHABLE
		       && (code == V4_NO_PORT || code == V4_NO_PROTOCOL);
	return (type == V6_UNREACHABLE && code == V6_NO_PORT)
	       || (type == V6_PROBLEM && code == V6_NO_PROTOCOL);
}

/* 0, or -1. */
static int
open_and_send(void *ping_)
{
	struct ping *ping = ping_;
	const char *interface = strcmp(ping->pa->device, "socket") ? NULL
		: model_option(&ping->pa->options, "interface", NULL);
	struct sockaddr_storage local, remote;
	socklen_t size = to_address(&ping->pa->addr, &local);
	const int on = 1;

	to_address(ping->remote, &remote);
	ping->fd = socket(ping->is_v4 ? AF_INET : AF_INET6,
			  SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			  ping->is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (ping->fd < 0)
		return -1;
	/* So that a way that is none is told. */
	setsockopt(ping->fd, ping->is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
		   ping->is_v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on);
	return (interface
		&& setsockopt(ping->fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
			      (socklen_t) strlen(interface) + 1))
	       || bind(ping->fd, (void *) &local, size)
	       || connect(ping->fd, (void *) &remote, size)
	       || !send_request(ping) ? -1 : 0;
}

static socklen_t
to_address(const struct vsw_addr *addr, struct sockaddr_storage *storage)
{
	struct sockaddr_in *v4 = (void *) storage;
	struct sockaddr_in6 *v6 = (void *) storage;

	memset(storage, 0, sizeof *storage);
	if (addr->n == 4) {
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, addr->bytes, 4);
		return sizeof *v4;
	}
	v6->sin6_family = AF_INET6;
	memcpy(&v6->sin6_addr, addr->bytes, 16);
	return sizeof *v6;
}

/* Of ICMPv6 the kernel fills in the checksum. */
static bool
send_request(const struct ping *ping)
{
	uint8_t b[REQUEST_SIZE] = {
		ping->is_v4 ? V4_REQUEST : V6_REQUEST, 0, 0, 0,
		(uint8_t) (ping->id >> 8), (uint8_t) ping->id, 0, 1
	};
	uint16_t sum = frame_fold(frame_sum(b, sizeof b, 0));

	if (ping->is_v4) {
		b[2] = (uint8_t) (sum >> 8);
		b[3] = (uint8_t) sum;
	}
	return send(ping->fd, b, sizeof b, 0) == sizeof b;
}
