/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/provider/uplink.h"

#include <errno.h>
#include <netinet/in.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/device/option.h"
#include "agent/policy/policy.h"
#include "agent/provider/kernel.h"
#include "agent/provider/reach.h"

enum { MTU_MIN = 576, N_CLAIMS = 2, NAME_SIZE = 64, PUNTS_MAX = 20000 };

struct uplinks {
	struct event_base *base;
	struct model *model;
	struct model_switch *sw;
	void (*turn)(void *ctx);
	void *ctx;
	struct list members;
};

/* One that is open: model_pa.host. */
struct member {
	struct list link;
	struct uplinks *uplinks;
	struct model_pa *pa;
	struct attached *attached;
	struct kernel *kernel;
	struct kernel_watch watch;
	struct reach *reach;		/* NULL: next hops are not asked for. */
	bool is_packet;
	struct vsw_underlay underlay;	/* As it is set. */
	int claims[N_CLAIMS];		/* Sockets; -1: none. */
};

/* For kernel_visit(). */
struct claim {
	const struct vsw_addr *addr;
	uint16_t vxlan_port;
	int *fds;
};

static void close_gone(struct uplinks *);
static bool open_member(struct uplinks *, struct model_pa *,
			const struct attach_place *);
static void set_limits(struct vsw_port *);
static struct vsw_device *open_device(struct uplinks *, struct model_pa *,
				      const struct attach_place *,
				      struct model_fault *);
static void close_member(struct member *);
static void on_links(void *member_);
static void update(struct member *);
static bool update_socket(struct member *, struct model_fault *);
static void set_mtu(struct member *, const struct kernel_link *,
		    struct model_fault *);
static bool update_packet(struct member *, struct model_fault *);
static const struct kernel_link *find_holder(const struct member *,
					     const struct kernel_link *,
					     unsigned long vlan);
static bool set_underlay(struct member *, const struct kernel_link *device,
			 const struct kernel_link *holder, unsigned long vlan,
			 struct model_fault *);
static bool set_next_hops(struct member *, const struct kernel_link *holder,
			  struct model_fault *);
static int claim(void *claim_);
static int claim_socket(const struct vsw_addr *, int type, int protocol,
			uint16_t port, int *ret_fd);
static void list_uplinks(struct uplinks *);
static void set_fault(struct model_pa *, const struct model_fault *);

struct uplinks *
uplinks_new(struct event_base *base, struct model *model,
	    struct model_switch *sw, void (*turn)(void *ctx), void *ctx)
{
	struct uplinks *uplinks = xcalloc(1, sizeof *uplinks);

	uplinks->base = base;
	uplinks->model = model;
	uplinks->sw = sw;
	uplinks->turn = turn;
	uplinks->ctx = ctx;
	list_init(&uplinks->members);
	return uplinks;
}

void
uplinks_free(struct uplinks *uplinks)
{
	if (!uplinks)
		return;
	while (!list_is_empty(&uplinks->members))
		close_member(LIST_ENTRY(uplinks->members.next, struct member,
					link));
	free(uplinks);
}

bool
uplinks_apply(struct uplinks *uplinks, const struct attach_place *place)
{
	struct list *addresses = &uplinks->sw->provider_addresses;
	const char *forbidden = model_forbids_addresses(uplinks->sw);
	bool is_whole = true;
	size_t n = 0;

	close_gone(uplinks);
	for (struct list *link = addresses->next; link != addresses;
	     link = link->next) {
		struct model_pa *pa = LIST_ENTRY(link, struct model_pa, link);

		if (!pa->addr.n)
			continue;
		if (forbidden)
			model_fault_set(&pa->fault, MODEL_NOT_ALLOWED, "%s",
					forbidden);
		else if (++n > VSW_MAX_UPLINKS)
			model_fault_set(&pa->fault, MODEL_LIMIT,
					"a switch has %d provider addresses",
					VSW_MAX_UPLINKS);
		else if (!pa->host && !open_member(uplinks, pa, place))
			is_whole = false;
	}
	for (struct list *link = uplinks->members.next;
	     link != &uplinks->members; link = link->next)
		update(LIST_ENTRY(link, struct member, link));
	list_uplinks(uplinks);
	return is_whole;
}

bool
uplinks_check(struct uplinks *uplinks)
{
	bool is_good = true;

	for (struct list *link = uplinks->members.next;
	     link != &uplinks->members; link = link->next)
		is_good &= attach_check(LIST_ENTRY(link, struct member,
						   link)->attached);
	return is_good;
}

/* All that is to be closed is, before anything is opened: what comes may take
 * the place of what goes. */
static void
close_gone(struct uplinks *uplinks)
{
	struct list *addresses = &uplinks->sw->provider_addresses;
	struct list *link, *next;

	for (link = addresses->next; link != addresses; link = next) {
		struct model_pa *pa = LIST_ENTRY(link, struct model_pa, link);
		struct member *member = pa->host;
		int error = member ? attach_error(member->attached) : 0;

		next = link->next;
		if (error)
			log_line(LOG_LEVEL_WARN, pa->ip, "uplink failed: %s; "
				 "it is opened again", strerror(-error));
		if (member && (error || pa->is_removed
			       || model_forbids_addresses(uplinks->sw)))
			close_member(member);
		if (pa->is_removed)
			model_forget_pa(uplinks->model, pa);
	}
}

static bool
open_member(struct uplinks *uplinks, struct model_pa *pa,
	    const struct attach_place *place)
{
	const char *netns = model_option(&pa->options, "netns", NULL);
	struct model_fault fault = { .reason = MODEL_OK };
	struct member *member = xcalloc(1, sizeof *member);
	struct vsw_device *device;
	int error = 0;

	member->uplinks = uplinks;
	member->pa = pa;
	member->is_packet = !strcmp(pa->device, "packet");
	member->claims[0] = member->claims[1] = -1;
	member->watch = (struct kernel_watch) {
		.ctx = member, .links = on_links
	};
	list_init(&member->link);
	device = open_device(uplinks, pa, place, &fault);
	if (device)
		error = attach(device, place, &member->attached);
	if (device && !error)
		error = kernel_watch(uplinks->base, netns, &member->watch,
				     &member->kernel);
	if (error)
		model_fault_set(&fault, MODEL_NO_DEVICE, "%s",
				strerror(-error));
	if (fault.reason != MODEL_OK) {
		attach_free(member->attached);
		free(member);
	} else {
		attach_watch_netns(member->attached, netns);
		list_append(&uplinks->members, &member->link);
		pa->host = member;
		pa->port = attach_port(member->attached);
		set_limits(pa->port);
		log_line(LOG_LEVEL_INFO, pa->ip, "uplink of %s is open: %s",
			 uplinks->sw->name, pa->device);
	}
	set_fault(pa, &fault);
	free(fault.detail);
	return pa->host;
}

/* Whoever is watched by BFD speaks often, and all of them here. */
static void
set_limits(struct vsw_port *port)
{
	const struct vsw_port_limits limits = {
		.size = sizeof limits, .max_punts_per_s = PUNTS_MAX
	};

	(void) !vsw_port_set_limits(port, &limits);
}

static struct vsw_device *
open_device(struct uplinks *uplinks, struct model_pa *pa,
	    const struct attach_place *place, struct model_fault *fault)
{
	char name[NAME_SIZE], text[MODEL_ADDR_TEXT_SIZE];

	model_addr_to_text(&pa->addr, text);
	snprintf(name, sizeof name, "uplink-%s", text);
	return !strcmp(pa->device, "socket")
	       ? attach_open_socket(uplinks->sw->vsw, pa, name,
				    (unsigned) place->n, fault)
	       : attach_open_packet(uplinks->sw->vsw, pa, name,
				    (unsigned) place->n, fault);
}

static void
close_member(struct member *member)
{
	struct uplinks *uplinks = member->uplinks;

	attach_stop(member->attached);
	member->pa->host = NULL;
	member->pa->port = NULL;
	member->pa->is_up = false;
	list_remove(&member->link);
	list_uplinks(uplinks);
	policy_leave_uplink(uplinks->model, uplinks->sw,
			    attach_port(member->attached));
	reach_free(member->reach);
	kernel_unwatch(member->kernel, &member->watch);
	attach_free(member->attached);
	for (int i = 0; i < N_CLAIMS; i++)
		if (member->claims[i] >= 0)
			close(member->claims[i]);
	free(member);
}

static void
on_links(void *member_)
{
	struct uplinks *uplinks = ((struct member *) member_)->uplinks;

	uplinks->turn(uplinks->ctx);
}

/* What the kernel says of the member now. */
static void
update(struct member *member)
{
	struct model_fault fault = { .reason = MODEL_OK };
	bool was_up = member->pa->is_up;
	bool is_up = member->is_packet ? update_packet(member, &fault)
				       : update_socket(member, &fault);

	member->pa->is_up = is_up;
	if (was_up != is_up)
		log_line(LOG_LEVEL_INFO, member->pa->ip, "uplink is %s%s",
			 is_up ? "up" : "down: ",
			 is_up ? "" : fault.detail);
	if (member->reach) {
		reach_follow(member->reach, member->uplinks->model);
		reach_count(member->reach, &member->pa->n_remotes,
			    &member->pa->n_unknown);
	}
	set_fault(member->pa, &fault);
	free(fault.detail);
}

static bool
update_socket(struct member *member, struct model_fault *fault)
{
	const char *name = model_option(&member->pa->options, "interface",
					NULL);
	const struct kernel_link *holder =
		kernel_link_with(member->kernel, &member->pa->addr);
	const struct kernel_link *link =
		name ? kernel_link_named(member->kernel, name) : holder;

	if (!holder)
		model_fault_set(fault, MODEL_NO_ADDRESS, "no interface has it "
				"any more");
	else if (!link)
		model_fault_set(fault, MODEL_LINK_DOWN, "there is no %s",
				name);
	else if (!link->is_up)
		model_fault_set(fault, MODEL_LINK_DOWN, "%s is down, or its "
				"wire is", link->name);
	else
		set_mtu(member, link, fault);
	return fault->reason == MODEL_OK;
}

/* What does not fit is known before it is sent. */
static void
set_mtu(struct member *member, const struct kernel_link *link,
	struct model_fault *fault)
{
	unsigned long mtu = link->mtu;
	int error = 0;

	if (option_number(&member->pa->options, "mtu", MTU_MIN, 65535, &mtu,
			  fault))
		error = vsw_port_set_mtu(attach_port(member->attached),
					 (uint32_t) mtu);
	if (error)
		model_fault_set(fault, MODEL_ENGINE, "%s", strerror(-error));
}

static bool
update_packet(struct member *member, struct model_fault *fault)
{
	const struct model_options *options = &member->pa->options;
	const char *name = model_option(options, "interface", "");
	const struct kernel_link *link = kernel_link_named(member->kernel,
							   name);
	const struct kernel_link *holder;
	unsigned long vlan = 0;

	if (!option_number(options, "vlan", 1, 4094, &vlan, fault))
		return false;
	if (!link) {
		model_fault_set(fault, MODEL_LINK_DOWN, "there is no %s",
				name);
		return false;
	}
	holder = find_holder(member, link, vlan);
	/* As the kernel tags what goes by there. */
	if (!vlan && holder && holder->lower == link->index)
		vlan = holder->vlan;
	if (!set_underlay(member, link, holder, vlan, fault)
	    || !set_next_hops(member, holder, fault))
		return false;
	if (!link->is_up || (holder && !holder->is_up))
		model_fault_set(fault, MODEL_LINK_DOWN, "%s is down, or its "
				"wire is",
				link->is_up ? holder->name : link->name);
	return fault->reason == MODEL_OK;
}

/* The interface by which the kernel uses the address: the one that is taken
 * over, or its VLAN, or, with neither, whichever has it. */
static const struct kernel_link *
find_holder(const struct member *member, const struct kernel_link *link,
	    unsigned long vlan)
{
	const struct kernel_link *holder =
		kernel_link_with(member->kernel, &member->pa->addr);
	const struct kernel_link *over =
		vlan ? kernel_link_over(member->kernel, link->index,
					(uint16_t) vlan) : NULL;

	return holder && over ? over : holder;
}

static bool
set_underlay(struct member *member, const struct kernel_link *device,
	     const struct kernel_link *holder, unsigned long vlan,
	     struct model_fault *fault)
{
	const struct model_pa *pa = member->pa;
	unsigned long vxlan_port = pa->vxlan_port, mtu;
	const struct kernel_link *link = holder ? holder : device;
	struct vsw_underlay underlay;
	bool has_mac;
	int error;

	memset(&underlay, 0, sizeof underlay);
	underlay.size = sizeof underlay;
	mtu = link->mtu < MTU_MIN ? MTU_MIN
	      : link->mtu > UINT16_MAX ? UINT16_MAX : link->mtu;
	memcpy(underlay.mac, link->mac, 6);
	if (!option_number(&pa->options, "vxlan_port", 1, 65535, &vxlan_port,
			   fault)
	    || !option_number(&pa->options, "mtu", MTU_MIN, 65535, &mtu, fault)
	    || !option_mac(&pa->options, "mac", underlay.mac, &has_mac,
			   fault))
		return false;
	if (pa->addr.n == 4)
		underlay.local_v4 = pa->addr;
	else
		underlay.local_v6 = pa->addr;
	underlay.vxlan_port = (uint16_t) vxlan_port;
	underlay.mtu = (uint32_t) mtu;
	underlay.vlan = (uint16_t) vlan;
	if (!memcmp(&underlay, &member->underlay, sizeof underlay))
		return true;
	error = vsw_port_set_underlay(attach_port(member->attached),
				      &underlay);
	if (error) {
		model_fault_set(fault, MODEL_ENGINE, "%s", strerror(-error));
		return false;
	}
	member->underlay = underlay;
	return true;
}

/* By the option if it is there, else as the kernel has it. */
static bool
set_next_hops(struct member *member, const struct kernel_link *holder,
	      struct model_fault *fault)
{
	static const struct vsw_addr any;
	struct model_pa *pa = member->pa;
	struct vsw_port *port = attach_port(member->attached);
	struct claim wish = { &pa->addr, member->underlay.vxlan_port,
			      member->claims };
	const char *netns = model_option(&pa->options, "netns", NULL);
	uint8_t mac[6];
	bool is_given;
	int error = 0;

	if (!option_mac(&pa->options, "next_hop_mac", mac, &is_given, fault))
		return false;
	if (holder && member->claims[0] < 0)
		error = kernel_visit(netns, claim, &wish);
	if (error) {
		model_fault_set(fault, MODEL_NO_DEVICE, "UDP port %u and GRE "
				"are not free: %s", wish.vxlan_port,
				strerror(-error));
		return false;
	}
	if (is_given) {
		error = vsw_port_set_next_hop(port, &any, mac);
	} else if (!holder) {
		model_fault_set(fault, MODEL_NO_ADDRESS, "no interface there "
				"has it, and there is no "
				"options:next_hop_mac");
		return false;
	} else if (member->reach) {
		reach_move(member->reach, holder->index);
	} else {
		error = reach_new(member->uplinks->base, netns, port,
				  &pa->addr, holder->index, &member->reach);
	}
	if (error)
		model_fault_set(fault, MODEL_ENGINE, "%s", strerror(-error));
	return !error;
}

/* The kernel's stack sees what comes in as well.  It says nothing about it as
 * long as somebody is there who could take it. */
static int
claim(void *claim_)
{
	struct claim *c = claim_;
	int error = claim_socket(c->addr, SOCK_DGRAM, IPPROTO_UDP,
				 c->vxlan_port, &c->fds[0]);

	if (!error)
		error = claim_socket(c->addr, SOCK_RAW, IPPROTO_GRE, 0,
				     &c->fds[1]);
	if (error && c->fds[0] >= 0) {
		close(c->fds[0]);
		c->fds[0] = -1;
	}
	return error;
}

static int
claim_socket(const struct vsw_addr *addr, int type, int protocol,
	     uint16_t port, int *ret_fd)
{
	struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	const struct sock_fprog filter = { 1, nothing };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	bool is_v4 = addr->n == 4;
	int fd, error;

	fd = socket(is_v4 ? AF_INET : AF_INET6,
		    type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (fd < 0)
		return -errno;
	v4.sin_port = v6.sin6_port = htons(port);
	memcpy(is_v4 ? (void *) &v4.sin_addr : (void *) &v6.sin6_addr,
	       addr->bytes, addr->n);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		       sizeof filter)
	    || bind(fd, is_v4 ? (struct sockaddr *) &v4
			      : (struct sockaddr *) &v6,
		    is_v4 ? sizeof v4 : sizeof v6)) {
		error = -errno;
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

/* Those that are up come first. */
static void
list_uplinks(struct uplinks *uplinks)
{
	struct model_switch *sw = uplinks->sw;

	sw->n_uplinks = 0;
	for (int down = 0; down < 2; down++) {
		for (struct list *link = uplinks->members.next;
		     link != &uplinks->members; link = link->next) {
			const struct member *member =
				LIST_ENTRY(link, struct member, link);

			if (member->pa->is_up == !down)
				sw->uplinks[sw->n_uplinks++] =
					attach_port(member->attached);
		}
		if (!down)
			sw->n_up = sw->n_uplinks;
	}
}

static void
set_fault(struct model_pa *pa, const struct model_fault *fault)
{
	bool is_new = model_fault_set(&pa->fault, fault->reason,
				      fault->detail ? "%s" : NULL,
				      fault->detail);

	/* Wires go and come: update() says so. */
	if (is_new && fault->reason != MODEL_OK
	    && fault->reason != MODEL_LINK_DOWN
	    && (fault->reason != MODEL_NO_ADDRESS || !pa->host))
		log_line(LOG_LEVEL_WARN, pa->ip, "provider address does not "
			 "work: %s; it is tried again", fault->detail);
}
