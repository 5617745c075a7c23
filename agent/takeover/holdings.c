/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/takeover/holdings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "agent/base/memory.h"

/* Headers may be older than the kernel. */
enum { ADDRESS_PROTO = 11 };

enum {
	DUMP_TRIES = 10,		/* Changes may overtake a dump. */
	TICKS_PER_S = 100,		/* USER_HZ, of the kernel's answers. */
	ADDRESS_FLAGS = IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR
			| IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN,
	KNOWN_NEIGHBOUR = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE
};

/* A message on its way from one interface to another. */
struct copy {
	struct nlmsghdr *to;
	const struct interface *old;	/* NULL: it is stripped. */
	const struct interface *new;	/* NULL: strip it. */
	bool is_about;			/* It names 'old'. */
	bool is_foreign;		/* Nobody knows how. */
};

struct holdings_key {
	uint64_t hash;
	const struct nlmsghdr *item;
};

struct taking {
	const struct interface *link;
	struct holdings *holdings;
	int error;
};

static uint64_t hash_of(const struct nlmsghdr *);
static uint64_t hash_bytes(uint64_t hash, const void *, size_t size);
static int compare_keys(const void *, const void *);
static int dump(struct netlink *, uint16_t type, uint8_t family,
		uint8_t neighbour_flags, struct taking *);
static int take_one(const struct nlmsghdr *, void *taking_);
static struct nlmsghdr *copy(const struct nlmsghdr *,
			     const struct interface *old,
			     const struct interface *new);
static bool copy_address(struct copy *, const struct nlmsghdr *);
static bool copy_route(struct copy *, const struct nlmsghdr *);
static void copy_legs(struct copy *, const struct nlattr *);
static bool copy_neighbour(struct copy *, const struct nlmsghdr *);
static bool copy_rule(struct copy *, const struct nlmsghdr *);
static void copy_name(struct copy *, const struct nlattr *);
static uint32_t number_of(const struct nlattr *);
static const char *text_of(const struct nlattr *);
static void copy_label(struct copy *, const struct nlattr *);
static void copy_index(struct copy *, uint32_t *index);
static void put(struct copy *, const struct nlattr *);
static void *put_header(struct copy *, const struct nlmsghdr *, size_t size);
static size_t header_size(uint16_t type);
static bool is_lifetime(uint16_t type, uint16_t attr);
static const struct nlattr *next_lasting(const struct nlmsghdr *,
					 const struct nlattr *);

int
holdings_take(struct netlink *netlink, const struct interface *link,
	      struct holdings *holdings)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct taking taking = { link, holdings, 0 };
	int error = 0;

	memset(holdings, 0, sizeof *holdings);
	for (int i = 0; i < 2 && !error; i++) {
		error = dump(netlink, RTM_GETADDR, families[i], 0, &taking);
		if (!error)
			error = dump(netlink, RTM_GETROUTE, families[i], 0,
				     &taking);
		if (!error)
			error = dump(netlink, RTM_GETRULE, families[i], 0,
				     &taking);
		if (!error)
			error = dump(netlink, RTM_GETNEIGH, families[i], 0,
				     &taking);
		if (!error)
			error = dump(netlink, RTM_GETNEIGH, families[i],
				     NTF_PROXY, &taking);
	}
	if (!error)
		error = taking.error;
	if (error)
		holdings_done(holdings);
	return error;
}

void
holdings_done(struct holdings *holdings)
{
	for (size_t i = 0; i < holdings->n; i++)
		free(holdings->items[i]);
	free(holdings->items);
	memset(holdings, 0, sizeof *holdings);
}

bool
holdings_add(struct holdings *holdings, struct nlmsghdr *item)
{
	size_t header = header_size(item->nlmsg_type);

	if (!header || item->nlmsg_len < MNL_NLMSG_HDRLEN + header
	    || item->nlmsg_len > HOLDINGS_ITEM_MAX
	    || holdings->n >= HOLDINGS_ITEMS_MAX) {
		free(item);
		return false;
	}
	/* Doubled at each power of two. */
	if (!(holdings->n & (holdings->n - 1)))
		holdings->items = xrealloc(holdings->items,
					   (holdings->n ? 2 * holdings->n : 1)
					   * sizeof *holdings->items);
	holdings->items[holdings->n++] = item;
	return true;
}

struct nlmsghdr *
holdings_strip(const struct nlmsghdr *message,
	       const struct interface *link)
{
	return copy(message, link, NULL);
}

struct nlmsghdr *
holdings_aim(const struct nlmsghdr *item, const struct interface *link)
{
	return copy(item, NULL, link);
}

bool
holdings_same(const struct nlmsghdr *a, const struct nlmsghdr *b)
{
	size_t header = header_size(a->nlmsg_type);
	const struct nlattr *x, *y;

	if (a->nlmsg_type != b->nlmsg_type
	    || memcmp(mnl_nlmsg_get_payload(a), mnl_nlmsg_get_payload(b),
		      header))
		return false;
	x = next_lasting(a, mnl_nlmsg_get_payload_offset(a, header));
	y = next_lasting(b, mnl_nlmsg_get_payload_offset(b, header));
	while (x && y) {
		if (x->nla_len != y->nla_len || memcmp(x, y, x->nla_len))
			return false;
		x = next_lasting(a, mnl_attr_next(x));
		y = next_lasting(b, mnl_attr_next(y));
	}
	return !x && !y;
}

void
holdings_sort(const struct holdings *holdings, struct holdings_index *index)
{
	index->n = holdings->n;
	index->keys = xcalloc(holdings->n + 1, sizeof *index->keys);
	for (size_t i = 0; i < holdings->n; i++)
		index->keys[i] = (struct holdings_key) {
			hash_of(holdings->items[i]), holdings->items[i]
		};
	qsort(index->keys, index->n, sizeof *index->keys, compare_keys);
}

void
holdings_index_done(struct holdings_index *index)
{
	free(index->keys);
}

bool
holdings_has(const struct holdings_index *index, const struct nlmsghdr *item)
{
	uint64_t hash = hash_of(item);
	size_t first = 0, end = index->n;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (index->keys[middle].hash < hash)
			first = middle + 1;
		else
			end = middle;
	}
	for (; first < index->n && index->keys[first].hash == hash; first++)
		if (holdings_same(index->keys[first].item, item))
			return true;
	return false;
}

bool
holdings_is_empty(const struct holdings *holdings)
{
	for (size_t i = 0; i < holdings->n; i++) {
		uint16_t type = holdings->items[i]->nlmsg_type;

		if (type == RTM_NEWADDR || type == RTM_NEWROUTE)
			return false;
	}
	return true;
}

/* Of what holdings_same() looks at. */
static uint64_t
hash_of(const struct nlmsghdr *item)
{
	size_t header = header_size(item->nlmsg_type);
	uint64_t hash = UINT64_C(0xcbf29ce484222325) + item->nlmsg_type;
	const struct nlattr *attr;

	hash = hash_bytes(hash, mnl_nlmsg_get_payload(item), header);
	attr = next_lasting(item, mnl_nlmsg_get_payload_offset(item, header));
	for (; attr; attr = next_lasting(item, mnl_attr_next(attr)))
		hash = hash_bytes(hash, attr, attr->nla_len);
	return hash;
}

/* FNV-1a. */
static uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const uint8_t *) bytes)[i])
		       * UINT64_C(0x100000001b3);
	return hash;
}

static int
compare_keys(const void *a_, const void *b_)
{
	const struct holdings_key *a = a_, *b = b_;

	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static int
dump(struct netlink *netlink, uint16_t type, uint8_t family,
     uint8_t neighbour_flags, struct taking *taking)
{
	size_t n = taking->holdings->n;
	int error = -EINTR;

	for (int i = 0; i < DUMP_TRIES && error == -EINTR; i++) {
		char room[128];
		struct nlmsghdr *message = netlink_start(room, type,
							 NLM_F_DUMP);
		/* The family is the first byte of each of these headers. */
		uint8_t *header = mnl_nlmsg_put_extra_header(
			message, header_size(type & ~2u));

		header[0] = family;
		if (type == RTM_GETNEIGH)
			((struct ndmsg *) header)->ndm_flags = neighbour_flags;
		while (taking->holdings->n > n)
			free(taking->holdings->items[--taking->holdings->n]);
		error = netlink_ask(netlink, message, take_one, taking);
	}
	return error;
}

static int
take_one(const struct nlmsghdr *message, void *taking_)
{
	struct taking *taking = taking_;
	struct nlmsghdr *item;

	if (!header_size(message->nlmsg_type))
		return MNL_CB_OK;
	errno = 0;
	item = holdings_strip(message, taking->link);
	if (!item && errno)
		taking->error = -errno;
	else if (item && !holdings_add(taking->holdings, item))
		taking->error = -E2BIG;
	return MNL_CB_OK;
}

/* NULL with errno: it is about 'old', and cannot be copied. */
static struct nlmsghdr *
copy(const struct nlmsghdr *from, const struct interface *old,
     const struct interface *new)
{
	/* Its attributes, and those that the interface adds. */
	struct nlmsghdr *to = xcalloc(1, from->nlmsg_len + 64);
	struct copy c = { .to = mnl_nlmsg_put_header(to), .old = old,
			  .new = new };
	bool is_kept = false;

	to->nlmsg_type = from->nlmsg_type;
	switch (from->nlmsg_type) {
	case RTM_NEWADDR:
		is_kept = copy_address(&c, from);
		break;
	case RTM_NEWROUTE:
		is_kept = copy_route(&c, from);
		break;
	case RTM_NEWNEIGH:
		is_kept = copy_neighbour(&c, from);
		break;
	case RTM_NEWRULE:
		is_kept = copy_rule(&c, from);
		break;
	}
	if (is_kept && c.is_about && !c.is_foreign)
		return to;
	free(to);
	if (is_kept && c.is_about)
		errno = EOPNOTSUPP;
	return NULL;
}

static bool
copy_address(struct copy *c, const struct nlmsghdr *from)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(from);
	struct ifaddrmsg *header = put_header(c, from, sizeof *header);
	uint32_t flags = info->ifa_flags;
	const struct nlattr *attr;

	copy_index(c, &header->ifa_index);
	header->ifa_flags = 0;
	mnl_attr_for_each(attr, from, sizeof *info) {
		switch (mnl_attr_get_type(attr)) {
		case IFA_FLAGS:
			flags = number_of(attr);
			break;
		case IFA_LABEL:
			copy_label(c, attr);
			break;
		case IFA_ADDRESS:
		case IFA_LOCAL:
		case IFA_BROADCAST:
		case IFA_ANYCAST:
		case IFA_CACHEINFO:
		case IFA_RT_PRIORITY:
		case ADDRESS_PROTO:
			put(c, attr);
			break;
		}
	}
	mnl_attr_put_u32(c->to, IFA_FLAGS, flags & ADDRESS_FLAGS);
	return true;
}

static bool
copy_route(struct copy *c, const struct nlmsghdr *from)
{
	struct rtmsg *info = put_header(c, from, sizeof *info);
	uint32_t index = 0, table = info->rtm_table;
	const struct nlattr *attr;

	if (info->rtm_flags & RTM_F_CLONED)
		return false;
	info->rtm_flags &= RTNH_F_ONLINK;
	mnl_attr_for_each(attr, from, sizeof *info) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == RTA_OIF) {
			index = number_of(attr);
		} else if (type == RTA_MULTIPATH) {
			copy_legs(c, attr);
		} else if (type == RTA_CACHEINFO) {
			const struct rta_cacheinfo *cache =
				mnl_attr_get_payload(attr);

			if (info->rtm_family == AF_INET6
			    && cache->rta_expires > 0)
				mnl_attr_put_u32(c->to, RTA_EXPIRES,
						 (uint32_t) cache->rta_expires
						 / TICKS_PER_S + 1);
		} else {
			if (type == RTA_TABLE)
				table = number_of(attr);
			c->is_foreign |= type == RTA_NH_ID;
			put(c, attr);
		}
	}
	/* Of a route that is stripped the last attribute is missing. */
	if (index || (c->new && !c->is_about)) {
		copy_index(c, &index);
		if (index)
			mnl_attr_put_u32(c->to, RTA_OIF, index);
	}
	return table != RT_TABLE_LOCAL
	       || info->rtm_protocol != RTPROT_KERNEL;
}

/* Those by other interfaces stay as they are. */
static void
copy_legs(struct copy *c, const struct nlattr *from)
{
	struct nlattr *to = mnl_nlmsg_get_payload_tail(c->to);
	struct rtnexthop *leg;
	int left = mnl_attr_get_payload_len(from);

	put(c, from);
	for (leg = mnl_attr_get_payload(to);
	     left >= (int) sizeof *leg && leg->rtnh_len >= sizeof *leg
	     && leg->rtnh_len <= left; leg = RTNH_NEXT(leg)) {
		uint32_t index = (uint32_t) leg->rtnh_ifindex;

		left -= (int) RTNH_ALIGN(leg->rtnh_len);
		leg->rtnh_flags &= RTNH_F_ONLINK;
		copy_index(c, &index);
		leg->rtnh_ifindex = (int) index;
	}
}

static bool
copy_neighbour(struct copy *c, const struct nlmsghdr *from)
{
	struct ndmsg *info = put_header(c, from, sizeof *info);
	uint32_t index = (uint32_t) info->ndm_ifindex;
	struct netlink_attrs attrs;

	copy_index(c, &index);
	info->ndm_ifindex = (int) index;
	netlink_parse(from, sizeof *info, &attrs);
	if (!attrs.of[NDA_DST])
		return false;
	put(c, attrs.of[NDA_DST]);
	if (attrs.of[NDA_PROTOCOL])
		put(c, attrs.of[NDA_PROTOCOL]);
	if (info->ndm_flags & NTF_PROXY) {
		/* Not told, and not lost with the wire if it is given. */
		info->ndm_state = NUD_PERMANENT;
		return true;
	}
	if (!attrs.of[NDA_LLADDR])
		return false;
	put(c, attrs.of[NDA_LLADDR]);
	/* What the kernel has found out spares it the question. */
	if (info->ndm_state & KNOWN_NEIGHBOUR)
		info->ndm_state = NUD_STALE;
	return info->ndm_state & (NUD_PERMANENT | NUD_STALE);
}

static bool
copy_rule(struct copy *c, const struct nlmsghdr *from)
{
	struct fib_rule_hdr *info = put_header(c, from, sizeof *info);
	const struct nlattr *attr;

	info->flags &= FIB_RULE_INVERT;
	mnl_attr_for_each(attr, from, sizeof *info) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == FRA_IIFNAME || type == FRA_OIFNAME)
			copy_name(c, attr);
		else
			put(c, attr);
	}
	return true;
}

static void
copy_name(struct copy *c, const struct nlattr *attr)
{
	const char *name = text_of(attr);

	if (strcmp(name, c->old ? c->old->name : "")) {
		put(c, attr);
		return;
	}
	c->is_about = true;
	mnl_attr_put_strz(c->to, mnl_attr_get_type(attr),
			  c->new ? c->new->name : "");
}

/* What is on disk may be shorter than it says. */
static uint32_t
number_of(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) < 4 ? 0 : mnl_attr_get_u32(attr);
}

static const char *
text_of(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0
	       ? "?" : mnl_attr_get_str(attr);
}

/* An interface's name alone, or with a suffix behind a colon; anything else
 * is what somebody liked. */
static void
copy_label(struct copy *c, const struct nlattr *attr)
{
	const char *label = text_of(attr);
	size_t n = c->old ? strlen(c->old->name) : 0;
	char text[32];

	if (strncmp(label, c->old ? c->old->name : "", n)
	    || (label[n] && label[n] != ':')) {
		put(c, attr);
		return;
	}
	snprintf(text, sizeof text, "%s%.15s", c->new ? c->new->name : "",
		 label + n);
	/* What is too long with a name goes, and comes back, without it. */
	mnl_attr_put_strz(c->to, IFA_LABEL, strlen(text) < 16 ? text
							      : label + n);
}

static void
copy_index(struct copy *c, uint32_t *index)
{
	if (*index != (c->old ? (uint32_t) c->old->index : 0))
		return;
	c->is_about = true;
	*index = c->new ? (uint32_t) c->new->index : 0;
}

static void
put(struct copy *c, const struct nlattr *attr)
{
	mnl_attr_put(c->to, mnl_attr_get_type(attr),
		     mnl_attr_get_payload_len(attr),
		     mnl_attr_get_payload(attr));
	/* A nested one says so to the kernel. */
	((struct nlattr *) ((char *) mnl_nlmsg_get_payload_tail(c->to)
			    - MNL_ALIGN(attr->nla_len)))->nla_type
		= attr->nla_type;
}

static void *
put_header(struct copy *c, const struct nlmsghdr *from, size_t size)
{
	void *header = mnl_nlmsg_put_extra_header(c->to, size);

	memcpy(header, mnl_nlmsg_get_payload(from), size);
	return header;
}

/* 0: of no use here. */
static size_t
header_size(uint16_t type)
{
	switch (type) {
	case RTM_NEWADDR:
		return sizeof(struct ifaddrmsg);
	case RTM_NEWROUTE:
		return sizeof(struct rtmsg);
	case RTM_NEWNEIGH:
		return sizeof(struct ndmsg);
	case RTM_NEWRULE:
		return sizeof(struct fib_rule_hdr);
	default:
		return 0;
	}
}

static bool
is_lifetime(uint16_t type, uint16_t attr)
{
	return (type == RTM_NEWADDR && attr == IFA_CACHEINFO)
	       || (type == RTM_NEWROUTE && attr == RTA_EXPIRES);
}

static const struct nlattr *
next_lasting(const struct nlmsghdr *message, const struct nlattr *attr)
{
	for (; mnl_attr_ok(attr, (int) ((const char *)
					mnl_nlmsg_get_payload_tail(message)
					- (const char *) attr));
	     attr = mnl_attr_next(attr))
		if (!is_lifetime(message->nlmsg_type,
				 mnl_attr_get_type(attr)))
			return attr;
	return NULL;
}
