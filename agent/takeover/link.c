/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/takeover/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "agent/base/memory.h"

enum {
	ROOM_SIZE = 1024,
	DUMP_TRIES = 10,
	SETTING_SIZE = 32
};

struct upper {
	int lower;
	char *name;
};

struct ingress {
	int index;
	bool is_there;
};

/* In the order of writing: forwarding changes what others mean. */
static const char *const v6_settings[] = {
	"disable_ipv6", "forwarding", "accept_ra", "autoconf",
	"accept_ra_defrtr", "accept_ra_pinfo", "accept_ra_rtr_pref",
	"accept_ra_mtu", "accept_ra_min_hop_limit", "accept_ra_from_local",
	"accept_ra_rt_info_min_plen", "accept_ra_rt_info_max_plen",
	"ra_defrtr_metric", "router_solicitations", "use_tempaddr",
	"temp_valid_lft", "temp_prefered_lft", "accept_redirects",
	"accept_source_route", "hop_limit", "proxy_ndp", "accept_dad",
	"dad_transmits", "enhanced_dad", "keep_addr_on_down", "ndisc_notify",
	"drop_unicast_in_l2_multicast", "drop_unsolicited_na",
	"accept_untracked_na", "use_oif_addrs_only", "max_addresses",
	"force_mld_version", "suppress_frag_ndisc"
};

static int read_one(const struct nlmsghdr *, void *link_);
static void read_families(const struct nlattr *, struct link *);
static void read_kind(const struct nlattr *, char kind[16]);
static int dump(struct netlink *, uint16_t type, size_t header_size,
		int (*read)(const struct nlmsghdr *, void *), void *ctx);
static int see_upper(const struct nlmsghdr *, void *upper_);
static int see_qdisc(const struct nlmsghdr *, void *ingress_);
static struct nlmsghdr *start_link(void *room, uint16_t type, int index,
				   uint32_t flags);
static int set(struct netlink *, struct nlmsghdr *);
static int copy_v4(struct netlink *, const struct link *from,
		   const struct link *to);
static int copy_v6(const char *from, const char *to, const char *setting);
static bool read_v6(const char *name, const char *setting,
		    char value[SETTING_SIZE]);
static int open_v6(const char *name, const char *setting, int flags);

int
link_read(struct netlink *netlink, const char *name, struct link *link)
{
	char room[ROOM_SIZE];
	struct nlmsghdr *message = start_link(room, RTM_GETLINK, 0, 0);

	memset(link, 0, sizeof *link);
	link->gen_mode = LINK_NO_IPV6;
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	return netlink_ask(netlink, message, read_one, link);
}

int
link_get_name(struct netlink *netlink, int index, char name[16])
{
	char room[ROOM_SIZE];
	struct link link;
	int error;

	memset(&link, 0, sizeof link);
	error = netlink_ask(netlink, start_link(room, RTM_GETLINK, index, 0),
			    read_one, &link);
	memcpy(name, link.id.name, 16);
	return error;
}

int
link_find_upper(struct netlink *netlink, int index, char name[16])
{
	struct upper upper = { index, name };

	*name = '\0';
	return dump(netlink, RTM_GETLINK, sizeof(struct ifinfomsg), see_upper,
		    &upper);
}

bool
link_has_ingress(struct netlink *netlink, int index)
{
	struct ingress ingress = { index, false };

	return !dump(netlink, RTM_GETQDISC, sizeof(struct tcmsg), see_qdisc,
		     &ingress) && ingress.is_there;
}

bool
link_is_wireless(const char *name)
{
	char *path = xasprintf("/sys/class/net/%s/phy80211", name);
	bool is_there = !access(path, F_OK);

	free(path);
	return is_there;
}

int
link_set_mac(struct netlink *netlink, int index, const uint8_t mac[6])
{
	char room[ROOM_SIZE];
	struct nlmsghdr *message = start_link(room, RTM_NEWLINK, index, 0);

	mnl_attr_put(message, IFLA_ADDRESS, 6, mac);
	return set(netlink, message);
}

int
link_set_mtu(struct netlink *netlink, int index, uint32_t mtu)
{
	char room[ROOM_SIZE];
	struct nlmsghdr *message = start_link(room, RTM_NEWLINK, index, 0);

	mnl_attr_put_u32(message, IFLA_MTU, mtu);
	return set(netlink, message);
}

int
link_set_up(struct netlink *netlink, int index)
{
	char room[ROOM_SIZE];

	return set(netlink, start_link(room, RTM_NEWLINK, index, IFF_UP));
}

int
link_set_gen_mode(struct netlink *netlink, int index, uint8_t mode)
{
	char room[ROOM_SIZE];
	struct nlmsghdr *message = start_link(room, RTM_NEWLINK, index, 0);
	struct nlattr *families, *v6;

	if (mode == LINK_NO_IPV6)
		return 0;
	families = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	v6 = mnl_attr_nest_start(message, AF_INET6);
	mnl_attr_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, mode);
	mnl_attr_nest_end(message, v6);
	mnl_attr_nest_end(message, families);
	return set(netlink, message);
}

int
link_delete(struct netlink *netlink, int index)
{
	char room[ROOM_SIZE];

	return set(netlink, start_link(room, RTM_DELLINK, index, 0));
}

int
link_copy_settings(struct netlink *netlink, const struct link *from,
		   const struct link *to, const char **ret_what)
{
	int error = copy_v4(netlink, from, to);

	*ret_what = "net.ipv4.conf";
	for (size_t i = 0; i < sizeof v6_settings / sizeof *v6_settings
	     && !error; i++) {
		*ret_what = v6_settings[i];
		error = copy_v6(from->id.name, to->id.name, v6_settings[i]);
	}
	return error;
}

static int
read_one(const struct nlmsghdr *message, void *link_)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct link *link = link_;
	struct netlink_attrs attrs;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	netlink_parse(message, sizeof *info, &attrs);
	link->id.index = info->ifi_index;
	link->type = info->ifi_type;
	link->flags = info->ifi_flags;
	if (attrs.of[IFLA_IFNAME])
		snprintf(link->id.name, sizeof link->id.name, "%s",
			 mnl_attr_get_str(attrs.of[IFLA_IFNAME]));
	if (attrs.of[IFLA_MTU])
		link->mtu = mnl_attr_get_u32(attrs.of[IFLA_MTU]);
	if (attrs.of[IFLA_MASTER])
		link->master = (int) mnl_attr_get_u32(attrs.of[IFLA_MASTER]);
	if (attrs.of[IFLA_ADDRESS]
	    && mnl_attr_get_payload_len(attrs.of[IFLA_ADDRESS]) == 6) {
		link->has_mac = true;
		memcpy(link->mac, mnl_attr_get_payload(attrs.of[IFLA_ADDRESS]),
		       6);
	}
	if (attrs.of[IFLA_LINKINFO])
		read_kind(attrs.of[IFLA_LINKINFO], link->kind);
	if (attrs.of[IFLA_AF_SPEC])
		read_families(attrs.of[IFLA_AF_SPEC], link);
	return MNL_CB_OK;
}

static void
read_families(const struct nlattr *families, struct link *link)
{
	struct netlink_attrs of, attrs;

	netlink_parse_nested(families, &of);
	if (of.of[AF_INET]) {
		netlink_parse_nested(of.of[AF_INET], &attrs);
		if (attrs.of[IFLA_INET_CONF]) {
			size_t size = mnl_attr_get_payload_len(
				attrs.of[IFLA_INET_CONF]);

			if (size > sizeof link->conf)
				size = sizeof link->conf;
			link->n_conf = (uint32_t) (size / 4);
			memcpy(link->conf, mnl_attr_get_payload(
				attrs.of[IFLA_INET_CONF]), size);
		}
	}
	if (of.of[AF_INET6]) {
		netlink_parse_nested(of.of[AF_INET6], &attrs);
		if (attrs.of[IFLA_INET6_ADDR_GEN_MODE])
			link->gen_mode = mnl_attr_get_u8(
				attrs.of[IFLA_INET6_ADDR_GEN_MODE]);
	}
}

static void
read_kind(const struct nlattr *info, char kind[16])
{
	struct netlink_attrs attrs;

	netlink_parse_nested(info, &attrs);
	if (attrs.of[IFLA_INFO_KIND])
		snprintf(kind, 16, "%s",
			 mnl_attr_get_str(attrs.of[IFLA_INFO_KIND]));
}

static int
dump(struct netlink *netlink, uint16_t type, size_t header_size,
     int (*read)(const struct nlmsghdr *, void *), void *ctx)
{
	int error = -EINTR;

	for (int i = 0; i < DUMP_TRIES && error == -EINTR; i++) {
		char room[ROOM_SIZE];
		struct nlmsghdr *message = netlink_start(room, type,
							 NLM_F_DUMP);

		mnl_nlmsg_put_extra_header(message, header_size);
		error = netlink_ask(netlink, message, read, ctx);
	}
	return error;
}

static int
see_upper(const struct nlmsghdr *message, void *upper_)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct upper *upper = upper_;
	struct netlink_attrs attrs;
	char kind[16] = "";

	netlink_parse(message, sizeof *info, &attrs);
	if (info->ifi_index == upper->lower || !attrs.of[IFLA_LINK]
	    || !attrs.of[IFLA_IFNAME] || attrs.of[IFLA_LINK_NETNSID]
	    || (int) mnl_attr_get_u32(attrs.of[IFLA_LINK]) != upper->lower)
		return MNL_CB_OK;
	if (attrs.of[IFLA_LINKINFO])
		read_kind(attrs.of[IFLA_LINKINFO], kind);
	/* The other end of a pair. */
	if (strcmp(kind, "veth"))
		snprintf(upper->name, 16, "%s",
			 mnl_attr_get_str(attrs.of[IFLA_IFNAME]));
	return MNL_CB_OK;
}

static int
see_qdisc(const struct nlmsghdr *message, void *ingress_)
{
	const struct tcmsg *info = mnl_nlmsg_get_payload(message);
	struct ingress *ingress = ingress_;

	/* "ingress" and "clsact" have the same place. */
	if (info->tcm_ifindex == ingress->index
	    && info->tcm_parent == TC_H_INGRESS)
		ingress->is_there = true;
	return MNL_CB_OK;
}

static struct nlmsghdr *
start_link(void *room, uint16_t type, int index, uint32_t flags)
{
	struct nlmsghdr *message = netlink_start(room, type,
						 type == RTM_GETLINK
						 ? 0 : NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message,
							    sizeof *info);

	info->ifi_index = index;
	info->ifi_flags = info->ifi_change = flags;
	return message;
}

static int
set(struct netlink *netlink, struct nlmsghdr *message)
{
	return netlink_ask(netlink, message, NULL, NULL);
}

static int
copy_v4(struct netlink *netlink, const struct link *from,
	const struct link *to)
{
	char room[ROOM_SIZE];
	struct nlmsghdr *message = start_link(room, RTM_NEWLINK, to->id.index,
					      0);
	struct nlattr *families = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	struct nlattr *v4 = mnl_attr_nest_start(message, AF_INET);
	struct nlattr *conf = mnl_attr_nest_start(message, IFLA_INET_CONF);
	bool is_same = true;

	for (uint32_t i = 0; i < from->n_conf && i < to->n_conf; i++)
		if (from->conf[i] != to->conf[i]) {
			mnl_attr_put_u32(message, (uint16_t) (i + 1),
					 from->conf[i]);
			is_same = false;
		}
	mnl_attr_nest_end(message, conf);
	mnl_attr_nest_end(message, v4);
	mnl_attr_nest_end(message, families);
	return is_same ? 0 : set(netlink, message);
}

static int
copy_v6(const char *from, const char *to, const char *setting)
{
	char wanted[SETTING_SIZE], seen[SETTING_SIZE];
	ssize_t n;
	int fd, error;

	/* This kernel does not have it, or no IPv6. */
	if (!read_v6(from, setting, wanted) || !read_v6(to, setting, seen)
	    || !strcmp(wanted, seen))
		return 0;
	fd = open_v6(to, setting, O_WRONLY);
	if (fd < 0)
		return -errno;
	n = write(fd, wanted, strlen(wanted));
	error = n < 0 ? -errno : 0;
	close(fd);
	return error;
}

static bool
read_v6(const char *name, const char *setting, char value[SETTING_SIZE])
{
	int fd = open_v6(name, setting, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, value, SETTING_SIZE - 1);

	if (fd >= 0)
		close(fd);
	value[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static int
open_v6(const char *name, const char *setting, int flags)
{
	char *path = xasprintf("/proc/sys/net/ipv6/conf/%s/%s", name, setting);
	int fd = open(path, flags | O_CLOEXEC);

	free(path);
	return fd;
}
