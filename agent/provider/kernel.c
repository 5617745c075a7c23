/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/provider/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/provider/netlink.h"

enum {
	MESSAGE_SIZE = 512,		/* Of a request. */
	REPLY_SIZE = 32768,		/* What the kernel cuts dumps into. */
	EVENTS_SIZE = 4 << 20,		/* Of the events' socket. */
	BATCHES_MAX = 64,		/* Read in one turn of the loop. */
	NUD_KNOWN = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE
		    | NUD_STALE | NUD_DELAY
};

struct address {
	struct vsw_addr addr;
	int index;
};

struct kernel {
	struct kernel *next;		/* In 'kernels'. */
	char *netns;			/* NULL: the agent's own. */
	struct mnl_socket *events;
	struct netlink *requests;
	struct event *event;
	struct list watches;
	struct kernel_link *links;
	size_t n_links;
	struct address *addresses;
	size_t n_addresses;
	bool links_changed, routes_changed;	/* And not told yet. */
};

struct route {
	struct vsw_addr gateway;
	int index;
	bool is_found, is_unreachable;
};

/* All there are. */
static struct kernel *kernels;

static struct kernel *find(const char *netns);
static int open_sockets(void *kernel_);
static int watch_events(struct event_base *, struct kernel *);
static void destroy(struct kernel *);
static int read_all(struct kernel *);
static int dump(struct kernel *, uint16_t type);
static void on_events(evutil_socket_t fd, short what, void *kernel_);
static int see(const struct nlmsghdr *, void *kernel_);
static void see_link(struct kernel *, const struct nlmsghdr *);
static bool read_link(const struct nlmsghdr *, struct kernel_link *);
static void read_vlan(const struct nlattr *info, struct kernel_link *);
static void see_address(struct kernel *, const struct nlmsghdr *);
static bool remove_address(struct kernel *, const struct address *);
static void see_neighbour(struct kernel *, const struct kernel_watch *,
			  const struct nlmsghdr *);
static void tell(struct kernel *);
static int see_route(const struct nlmsghdr *, void *route_);
static int see_asked_neighbour(const struct nlmsghdr *, void *ctx);
static void put_neighbour(struct nlmsghdr *, int index,
			  const struct vsw_addr *, uint8_t flags);
static void put_address(struct nlmsghdr *, uint16_t type,
			const struct vsw_addr *);
static bool get_address(const struct nlattr *, struct vsw_addr *);

int
kernel_watch(struct event_base *base, const char *netns,
	     struct kernel_watch *watch, struct kernel **ret_kernel)
{
	struct kernel *kernel = find(netns);
	int error;

	if (!kernel) {
		kernel = xcalloc(1, sizeof *kernel);
		kernel->netns = netns ? xstrdup(netns) : NULL;
		list_init(&kernel->watches);
		error = kernel_visit(netns, open_sockets, kernel);
		if (!error)
			error = watch_events(base, kernel);
		if (!error)
			error = read_all(kernel);
		if (error) {
			destroy(kernel);
			return error;
		}
		kernel->links_changed = kernel->routes_changed = false;
		kernel->next = kernels;
		kernels = kernel;
	}
	list_append(&kernel->watches, &watch->link);
	*ret_kernel = kernel;
	return 0;
}

void
kernel_unwatch(struct kernel *kernel, struct kernel_watch *watch)
{
	struct kernel **at = &kernels;

	if (!kernel)
		return;
	list_remove(&watch->link);
	if (!list_is_empty(&kernel->watches))
		return;
	while (*at != kernel)
		at = &(*at)->next;
	*at = kernel->next;
	destroy(kernel);
}

const struct kernel_link *
kernel_link_named(const struct kernel *kernel, const char *name)
{
	for (size_t i = 0; i < kernel->n_links; i++)
		if (!strcmp(kernel->links[i].name, name))
			return &kernel->links[i];
	return NULL;
}

const struct kernel_link *
kernel_link_at(const struct kernel *kernel, int index)
{
	for (size_t i = 0; i < kernel->n_links; i++)
		if (kernel->links[i].index == index)
			return &kernel->links[i];
	return NULL;
}

const struct kernel_link *
kernel_link_with(const struct kernel *kernel, const struct vsw_addr *addr)
{
	for (size_t i = 0; i < kernel->n_addresses; i++) {
		const struct address *each = &kernel->addresses[i];

		if (memcmp(&each->addr, addr, sizeof *addr))
			continue;
		for (size_t j = 0; j < kernel->n_links; j++)
			if (kernel->links[j].index == each->index)
				return &kernel->links[j];
	}
	return NULL;
}

const struct kernel_link *
kernel_link_over(const struct kernel *kernel, int lower, uint16_t vlan)
{
	for (size_t i = 0; i < kernel->n_links; i++)
		if (kernel->links[i].lower == lower
		    && kernel->links[i].vlan == vlan)
			return &kernel->links[i];
	return NULL;
}

int
kernel_route(struct kernel *kernel, const struct vsw_addr *src,
	     const struct vsw_addr *dst, int index,
	     struct vsw_addr *ret_next_hop, int *ret_index)
{
	char room[MESSAGE_SIZE];
	struct nlmsghdr *message = netlink_start(room, RTM_GETROUTE, 0);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(message, sizeof *rtm);
	struct route route = { .index = 0 };
	int error;

	rtm->rtm_family = dst->n == 4 ? AF_INET : AF_INET6;
	rtm->rtm_dst_len = (uint8_t) (dst->n * 8);
	put_address(message, RTA_DST, dst);
	if (src && src->n == dst->n) {
		rtm->rtm_src_len = (uint8_t) (src->n * 8);
		put_address(message, RTA_SRC, src);
	}
	if (index)
		mnl_attr_put_u32(message, RTA_OIF, (uint32_t) index);
	error = netlink_ask(kernel->requests, message, see_route, &route);
	if (error)
		return error;
	if (!route.is_found)
		return -ENETUNREACH;
	if (route.is_unreachable)
		return -EHOSTUNREACH;
	*ret_next_hop = route.gateway.n ? route.gateway : *dst;
	*ret_index = route.index;
	return 0;
}

struct asked_neighbour {
	struct kernel *kernel;
	const struct kernel_watch *watch;
};

void
kernel_ask_neighbour(struct kernel *kernel, const struct kernel_watch *watch,
		     int index, const struct vsw_addr *addr)
{
	char room[MESSAGE_SIZE];
	struct nlmsghdr *message = netlink_start(room, RTM_GETNEIGH, 0);
	struct asked_neighbour asked = { kernel, watch };

	put_neighbour(message, index, addr, 0);
	if (netlink_ask(kernel->requests, message, see_asked_neighbour, &asked))
		watch->neighbour(watch->ctx, index, addr, NULL, false);
}

void
kernel_use_neighbour(struct kernel *kernel, int index,
		     const struct vsw_addr *addr)
{
	char room[MESSAGE_SIZE];
	struct nlmsghdr *message = netlink_start(room, RTM_NEWNEIGH,
					 NLM_F_CREATE | NLM_F_ACK);

	put_neighbour(message, index, addr, NTF_USE);
	/* What the kernel makes of it is told as an event. */
	(void) !netlink_ask(kernel->requests, message, NULL, NULL);
}

int
kernel_visit(const char *netns, int (*call)(void *ctx), void *ctx)
{
	int home, there, error;
	char *path;

	if (!netns)
		return call(ctx);
	path = xasprintf("%s%s", strchr(netns, '/') ? "" : "/run/netns/",
			 netns);
	there = open(path, O_RDONLY | O_CLOEXEC);
	error = there < 0 ? -errno : 0;
	free(path);
	if (error)
		return error;
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || setns(there, CLONE_NEWNET)) {
		error = -errno;
		goto out;
	}
	error = call(ctx);
	/* Whoever cannot come home must not go on as if it were there. */
	if (setns(home, CLONE_NEWNET))
		abort();
out:
	close(there);
	if (home >= 0)
		close(home);
	return error;
}

static struct kernel *
find(const char *netns)
{
	for (struct kernel *k = kernels; k; k = k->next)
		if (netns ? k->netns && !strcmp(k->netns, netns) : !k->netns)
			return k;
	return NULL;
}

static int
open_sockets(void *kernel_)
{
	static const int groups[] = {
		RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
		RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE
	};
	struct kernel *kernel = kernel_;
	int size = EVENTS_SIZE;

	int error = netlink_open(&kernel->requests);

	if (error)
		return error;
	kernel->events = mnl_socket_open2(NETLINK_ROUTE,
					  SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!kernel->events
	    || mnl_socket_bind(kernel->events, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if (mnl_socket_setsockopt(kernel->events,
					  NETLINK_ADD_MEMBERSHIP,
					  (void *) (uintptr_t) &groups[i],
					  sizeof groups[i]) < 0)
			return -errno;
	/* Without the privilege, as much as the system allows. */
	if (setsockopt(mnl_socket_get_fd(kernel->events), SOL_SOCKET,
		       SO_RCVBUFFORCE, &size, sizeof size))
		setsockopt(mnl_socket_get_fd(kernel->events), SOL_SOCKET,
			   SO_RCVBUF, &size, sizeof size);
	return 0;
}

static int
watch_events(struct event_base *base, struct kernel *kernel)
{
	kernel->event = event_new(base, mnl_socket_get_fd(kernel->events),
				  EV_READ | EV_PERSIST, on_events, kernel);
	return kernel->event && !event_add(kernel->event, NULL) ? 0 : -ENOMEM;
}

static void
destroy(struct kernel *kernel)
{
	if (kernel->event)
		event_free(kernel->event);
	if (kernel->events)
		mnl_socket_close(kernel->events);
	netlink_close(kernel->requests);
	free(kernel->links);
	free(kernel->addresses);
	free(kernel->netns);
	free(kernel);
}

static int
read_all(struct kernel *kernel)
{
	int error;

	kernel->n_links = kernel->n_addresses = 0;
	kernel->links_changed = kernel->routes_changed = true;
	error = dump(kernel, RTM_GETLINK);
	return error ? error : dump(kernel, RTM_GETADDR);
}

static int
dump(struct kernel *kernel, uint16_t type)
{
	char room[MESSAGE_SIZE];
	struct nlmsghdr *message = netlink_start(room, type, NLM_F_DUMP);

	if (type == RTM_GETLINK)
		mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	else
		mnl_nlmsg_put_extra_header(message, sizeof(struct ifaddrmsg));
	return netlink_ask(kernel->requests, message, see, kernel);
}

static void
on_events(evutil_socket_t fd, short what, void *kernel_)
{
	struct kernel *kernel = kernel_;
	char *bytes = xmalloc(REPLY_SIZE);

	(void) fd;
	(void) what;
	for (int i = 0; i < BATCHES_MAX; i++) {
		ssize_t n = mnl_socket_recvfrom(kernel->events, bytes,
						REPLY_SIZE);

		if (n < 0 && errno == ENOBUFS) {
			log_line(LOG_LEVEL_WARN, "kernel", "changes of %s "
				 "came too fast: all is read anew",
				 kernel->netns ? kernel->netns
					       : "the network");
			(void) !read_all(kernel);
		} else if (n <= 0) {
			break;
		} else {
			(void) !mnl_cb_run(bytes, (size_t) n, 0, 0, see,
					   kernel);
		}
	}
	free(bytes);
	tell(kernel);
}

static int
see(const struct nlmsghdr *message, void *kernel_)
{
	struct kernel *kernel = kernel_;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		see_link(kernel, message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		see_address(kernel, message);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		for (struct list *link = kernel->watches.next;
		     link != &kernel->watches; link = link->next)
			see_neighbour(kernel, LIST_ENTRY(link,
				      struct kernel_watch, link), message);
		break;
	default:
		kernel->routes_changed = true;
	}
	return MNL_CB_OK;
}

static void
see_link(struct kernel *kernel, const struct nlmsghdr *message)
{
	struct kernel_link fresh;
	size_t i;

	if (!read_link(message, &fresh))
		return;
	for (i = 0; i < kernel->n_links; i++)
		if (kernel->links[i].index == fresh.index)
			break;
	if (message->nlmsg_type == RTM_DELLINK) {
		if (i == kernel->n_links)
			return;
		kernel->links[i] = kernel->links[--kernel->n_links];
	} else if (i == kernel->n_links) {
		kernel->links = xrealloc(kernel->links, (i + 1)
					 * sizeof *kernel->links);
		kernel->links[kernel->n_links++] = fresh;
	} else if (!memcmp(&kernel->links[i], &fresh, sizeof fresh)) {
		return;
	} else {
		kernel->links[i] = fresh;
	}
	/* A wire that goes takes routes with it, and says nothing of them. */
	kernel->links_changed = kernel->routes_changed = true;
}

/* False: it is about a bridge's port, not about a link. */
static bool
read_link(const struct nlmsghdr *message, struct kernel_link *link)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct netlink_attrs attrs;

	if (info->ifi_family != AF_UNSPEC)
		return false;
	netlink_parse(message, sizeof *info, &attrs);
	memset(link, 0, sizeof *link);
	link->index = info->ifi_index;
	/* IFF_RUNNING says the same, up to a second late. */
	link->is_up = info->ifi_flags & IFF_UP
		      && info->ifi_flags & IFF_LOWER_UP;
	if (attrs.of[IFLA_IFNAME])
		strncpy(link->name, mnl_attr_get_str(attrs.of[IFLA_IFNAME]),
			sizeof link->name - 1);
	if (attrs.of[IFLA_MTU])
		link->mtu = mnl_attr_get_u32(attrs.of[IFLA_MTU]);
	if (attrs.of[IFLA_ADDRESS]
	    && mnl_attr_get_payload_len(attrs.of[IFLA_ADDRESS]) == 6)
		memcpy(link->mac, mnl_attr_get_payload(attrs.of[IFLA_ADDRESS]),
		       6);
	/* A link in another namespace has a number of its own there. */
	if (attrs.of[IFLA_LINK] && !attrs.of[IFLA_LINK_NETNSID])
		link->lower = (int) mnl_attr_get_u32(attrs.of[IFLA_LINK]);
	if (attrs.of[IFLA_LINKINFO])
		read_vlan(attrs.of[IFLA_LINKINFO], link);
	return true;
}

static void
read_vlan(const struct nlattr *info, struct kernel_link *link)
{
	const struct nlattr *attr, *data = NULL;
	bool is_vlan = false;

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			is_vlan = !strcmp(mnl_attr_get_str(attr), "vlan");
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (!is_vlan || !data)
		return;
	mnl_attr_for_each_nested(attr, data)
		if (mnl_attr_get_type(attr) == IFLA_VLAN_ID)
			link->vlan = mnl_attr_get_u16(attr);
}

static void
see_address(struct kernel *kernel, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct address address;
	struct netlink_attrs attrs;

	memset(&address, 0, sizeof address);
	address.index = (int) info->ifa_index;
	netlink_parse(message, sizeof *info, &attrs);
	/* Of a tunnel's two ends the local one. */
	if (!get_address(attrs.of[attrs.of[IFA_LOCAL] ? IFA_LOCAL
						       : IFA_ADDRESS],
			 &address.addr))
		return;
	kernel->links_changed |= remove_address(kernel, &address)
				 != (message->nlmsg_type == RTM_NEWADDR);
	if (message->nlmsg_type != RTM_NEWADDR)
		return;
	kernel->addresses = xrealloc(kernel->addresses,
				     (kernel->n_addresses + 1)
				     * sizeof *kernel->addresses);
	kernel->addresses[kernel->n_addresses++] = address;
}

static bool
remove_address(struct kernel *kernel, const struct address *address)
{
	for (size_t i = 0; i < kernel->n_addresses; i++)
		if (!memcmp(&kernel->addresses[i], address, sizeof *address)) {
			kernel->addresses[i] =
				kernel->addresses[--kernel->n_addresses];
			return true;
		}
	return false;
}

static void
see_neighbour(struct kernel *kernel, const struct kernel_watch *watch,
	      const struct nlmsghdr *message)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	const uint8_t *mac = NULL;
	struct vsw_addr addr;
	struct netlink_attrs attrs;

	(void) kernel;
	if (!watch->neighbour || (info->ndm_family != AF_INET
				  && info->ndm_family != AF_INET6))
		return;
	netlink_parse(message, sizeof *info, &attrs);
	if (!get_address(attrs.of[NDA_DST], &addr))
		return;
	if (message->nlmsg_type == RTM_NEWNEIGH
	    && info->ndm_state & NUD_KNOWN && attrs.of[NDA_LLADDR]
	    && mnl_attr_get_payload_len(attrs.of[NDA_LLADDR]) == 6)
		mac = mnl_attr_get_payload(attrs.of[NDA_LLADDR]);
	watch->neighbour(watch->ctx, info->ndm_ifindex, &addr, mac,
			 info->ndm_state & NUD_STALE);
}

static void
tell(struct kernel *kernel)
{
	bool links = kernel->links_changed, routes = kernel->routes_changed;
	struct list *watch, *next;

	kernel->links_changed = kernel->routes_changed = false;
	for (watch = kernel->watches.next; watch != &kernel->watches;
	     watch = next) {
		struct kernel_watch *each =
			LIST_ENTRY(watch, struct kernel_watch, link);

		next = watch->next;
		if (links && each->links)
			each->links(each->ctx);
		if (routes && each->routes)
			each->routes(each->ctx);
	}
}

static int
see_route(const struct nlmsghdr *message, void *route_)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct route *route = route_;
	struct netlink_attrs attrs;

	if (message->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	netlink_parse(message, sizeof *info, &attrs);
	route->is_found = attrs.of[RTA_OIF] != NULL;
	route->is_unreachable = info->rtm_type != RTN_UNICAST;
	if (attrs.of[RTA_OIF])
		route->index = (int) mnl_attr_get_u32(attrs.of[RTA_OIF]);
	/* RFC 5549: a gateway may be of the other family. */
	if (attrs.of[RTA_VIA]) {
		const struct rtvia *via =
			mnl_attr_get_payload(attrs.of[RTA_VIA]);
		size_t size = mnl_attr_get_payload_len(attrs.of[RTA_VIA])
			      - sizeof *via;

		if (size != 4 && size != 16)
			return MNL_CB_OK;
		route->gateway.n = (uint8_t) size;
		memcpy(route->gateway.bytes, via->rtvia_addr, size);
	} else {
		get_address(attrs.of[RTA_GATEWAY], &route->gateway);
	}
	return MNL_CB_OK;
}

static int
see_asked_neighbour(const struct nlmsghdr *message, void *ctx)
{
	const struct asked_neighbour *asked = ctx;

	see_neighbour(asked->kernel, asked->watch, message);
	return MNL_CB_OK;
}

static void
put_neighbour(struct nlmsghdr *message, int index,
	      const struct vsw_addr *addr, uint8_t flags)
{
	struct ndmsg *info = mnl_nlmsg_put_extra_header(message, sizeof *info);

	info->ndm_family = addr->n == 4 ? AF_INET : AF_INET6;
	info->ndm_ifindex = index;
	info->ndm_flags = flags;
	put_address(message, NDA_DST, addr);
}

static void
put_address(struct nlmsghdr *message, uint16_t type,
	    const struct vsw_addr *addr)
{
	mnl_attr_put(message, type, addr->n, addr->bytes);
}

static bool
get_address(const struct nlattr *attr, struct vsw_addr *addr)
{
	size_t size = attr ? mnl_attr_get_payload_len(attr) : 0;

	memset(addr, 0, sizeof *addr);
	if (size != 4 && size != 16)
		return false;
	addr->n = (uint8_t) size;
	memcpy(addr->bytes, mnl_attr_get_payload(attr), size);
	return true;
}
