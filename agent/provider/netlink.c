/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/provider/netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"

enum { REPLY_SIZE = 32768 };		/* What the kernel cuts dumps into. */

struct netlink {
	struct mnl_socket *socket;
	uint32_t n_requests;
};

static int keep(const struct nlattr *, void *attrs_);

int
netlink_open(struct netlink **ret_netlink)
{
	struct netlink *netlink = xcalloc(1, sizeof *netlink);
	int error;

	netlink->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (netlink->socket
	    && mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) >= 0) {
		*ret_netlink = netlink;
		return 0;
	}
	error = -errno;
	netlink_close(netlink);
	return error;
}

void
netlink_close(struct netlink *netlink)
{
	if (netlink && netlink->socket)
		mnl_socket_close(netlink->socket);
	free(netlink);
}

int
netlink_ask(struct netlink *netlink, struct nlmsghdr *message,
	    int (*read)(const struct nlmsghdr *, void *), void *ctx)
{
	char *reply = xmalloc(REPLY_SIZE);
	uint32_t seq = ++netlink->n_requests;
	uint32_t port = mnl_socket_get_portid(netlink->socket);
	bool is_dump = message->nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK);
	ssize_t n;
	int more;

	message->nlmsg_seq = seq;
	if (mnl_socket_sendto(netlink->socket, message,
			      message->nlmsg_len) < 0)
		goto fail;
	do {
		n = mnl_socket_recvfrom(netlink->socket, reply, REPLY_SIZE);
		if (n < 0 && errno == EINTR) {
			more = 1;
			continue;
		}
		if (n < 0)
			goto fail;
		more = mnl_cb_run(reply, (size_t) n, seq, port, read, ctx);
		/* What an earlier request left behind. */
		if (more < 0 && (errno == ESRCH || errno == EPROTO)
		    && ((struct nlmsghdr *) reply)->nlmsg_seq != seq) {
			more = 1;
			continue;
		}
		if (more < 0)
			goto fail;
		if (!is_dump)
			break;
	} while (more > 0);
	free(reply);
	return 0;
fail:
	n = -errno;
	free(reply);
	return (int) n;
}

struct nlmsghdr *
netlink_start(void *room, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(room);

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	return message;
}

void
netlink_parse(const struct nlmsghdr *message, size_t header,
	      struct netlink_attrs *attrs)
{
	memset(attrs, 0, sizeof *attrs);
	mnl_attr_parse(message, (unsigned) header, keep, attrs);
}

void
netlink_parse_nested(const struct nlattr *attr, struct netlink_attrs *attrs)
{
	memset(attrs, 0, sizeof *attrs);
	mnl_attr_parse_nested(attr, keep, attrs);
}

static int
keep(const struct nlattr *attr, void *attrs_)
{
	struct netlink_attrs *attrs = attrs_;

	if (mnl_attr_get_type(attr) < NETLINK_ATTRS_MAX)
		attrs->of[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}
