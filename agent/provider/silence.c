/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/provider/silence.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include "agent/device/attach.h"
#include "agent/provider/kernel.h"

enum { ROOM_SIZE = 512 };

struct visit {
	const char *name;		/* NULL: the end. */
	int index;
};

static struct nlmsghdr *start_qdisc(void *room, uint16_t type, uint16_t flags,
				    int index);
static struct nlmsghdr *start_filter(void *room, uint16_t type,
				     uint16_t flags, int index, uint32_t side,
				     enum silence_for);
static int set(struct netlink *, struct nlmsghdr *);
static int add_filter(struct netlink *, int index, uint32_t side,
		      enum silence_for);
static bool is_filtered(struct netlink *, int index, uint32_t side);
static int see_filter(const struct nlmsghdr *, void *is_there_);
static int visit(void *visit_);

int
silence_begin(struct netlink *netlink, int index, enum silence_for whom)
{
	char room[ROOM_SIZE];
	int error = set(netlink, start_qdisc(room, RTM_NEWQDISC,
					     NLM_F_CREATE | NLM_F_EXCL,
					     index));

	if (error && error != -EEXIST)
		return error;
	error = add_filter(netlink, index, TC_H_MIN_INGRESS, whom);
	if ((!error || error == -EEXIST) && whom == SILENCE_PORT)
		error = add_filter(netlink, index, TC_H_MIN_EGRESS, whom);
	if (error && error != -EEXIST) {
		silence_end(netlink, index, whom);
		return error;
	}
	return 0;
}

void
silence_end(struct netlink *netlink, int index, enum silence_for whom)
{
	char room[ROOM_SIZE];
	int error = set(netlink, start_filter(room, RTM_DELTFILTER, 0, index,
					      TC_H_MIN_INGRESS, whom));

	/* Ports are closed that never were silent: what is there is others'. */
	if (error && whom == SILENCE_PORT)
		return;
	if (whom == SILENCE_PORT)
		(void) !set(netlink, start_filter(room, RTM_DELTFILTER, 0,
						  index, TC_H_MIN_EGRESS,
						  whom));
	/* It may be of use to others. */
	if (!is_filtered(netlink, index, TC_H_MIN_INGRESS)
	    && !is_filtered(netlink, index, TC_H_MIN_EGRESS))
		(void) !set(netlink, start_qdisc(room, RTM_DELQDISC, 0,
						 index));
}

int
silence_interface(const char *netns, const char *name)
{
	struct visit v = { .name = name };

	return kernel_visit(netns, visit, &v);
}

void
silence_end_in(const char *netns, int index)
{
	struct visit v = { .index = index };

	/* The interface may be gone, which is as good. */
	(void) !kernel_visit(netns, visit, &v);
}

static struct nlmsghdr *
start_qdisc(void *room, uint16_t type, uint16_t flags, int index)
{
	struct nlmsghdr *message = netlink_start(room, type,
						 flags | NLM_F_ACK);
	struct tcmsg *info = mnl_nlmsg_put_extra_header(message, sizeof *info);

	info->tcm_ifindex = index;
	info->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	info->tcm_parent = TC_H_CLSACT;
	mnl_attr_put_strz(message, TCA_KIND, "clsact");
	return message;
}

static struct nlmsghdr *
start_filter(void *room, uint16_t type, uint16_t flags, int index,
	     uint32_t side, enum silence_for whom)
{
	struct nlmsghdr *message = netlink_start(room, type,
						 flags | NLM_F_ACK);
	struct tcmsg *info = mnl_nlmsg_put_extra_header(message, sizeof *info);

	info->tcm_ifindex = index;
	info->tcm_handle = 1;
	info->tcm_parent = TC_H_MAKE(TC_H_CLSACT, side);
	info->tcm_info = TC_H_MAKE((uint32_t) whom << 16,
				   htons(ETH_P_ALL));
	mnl_attr_put_strz(message, TCA_KIND, "bpf");
	return message;
}

static int
set(struct netlink *netlink, struct nlmsghdr *message)
{
	return netlink_ask(netlink, message, NULL, NULL);
}

/* In front of it stand packet sockets, on the way in, and everybody behind it:
 * so on the way out it has to know them. */
static int
add_filter(struct netlink *netlink, int index, uint32_t side,
	   enum silence_for whom)
{
	const struct sock_filter drop[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_MARK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ATTACH_MARK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, (uint32_t) TC_ACT_UNSPEC),
		BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT),
	};
	const uint16_t first = side == TC_H_MIN_EGRESS ? 0 : 3;
	const uint16_t n = 4 - first;
	char room[ROOM_SIZE];
	struct nlmsghdr *message = start_filter(room, RTM_NEWTFILTER,
						NLM_F_CREATE | NLM_F_EXCL,
						index, side, whom);
	struct nlattr *options;

	options = mnl_attr_nest_start(message, TCA_OPTIONS);
	mnl_attr_put_u32(message, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_put_u16(message, TCA_BPF_OPS_LEN, n);
	mnl_attr_put(message, TCA_BPF_OPS, n * sizeof drop[0], drop + first);
	mnl_attr_nest_end(message, options);
	return set(netlink, message);
}

/* True as well where that is not to be found out. */
static bool
is_filtered(struct netlink *netlink, int index, uint32_t side)
{
	char room[ROOM_SIZE];
	struct nlmsghdr *message = netlink_start(room, RTM_GETTFILTER,
						 NLM_F_DUMP);
	struct tcmsg *info = mnl_nlmsg_put_extra_header(message, sizeof *info);
	bool is_there = false;

	info->tcm_ifindex = index;
	info->tcm_parent = TC_H_MAKE(TC_H_CLSACT, side);
	return netlink_ask(netlink, message, see_filter, &is_there)
	       || is_there;
}

static int
see_filter(const struct nlmsghdr *message, void *is_there_)
{
	bool *is_there = is_there_;

	(void) message;
	*is_there = true;
	return MNL_CB_OK;
}

static int
visit(void *visit_)
{
	const struct visit *v = visit_;
	int index = v->name ? (int) if_nametoindex(v->name) : v->index, error;
	struct netlink *netlink;

	if (!index)
		return -errno;
	error = netlink_open(&netlink);
	if (error)
		return error;
	if (v->name)
		error = silence_begin(netlink, index, SILENCE_PORT);
	else
		silence_end(netlink, index, SILENCE_PORT);
	netlink_close(netlink);
	return error;
}
