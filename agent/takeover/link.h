/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TAKEOVER_LINK_H
#define TAKEOVER_LINK_H 1

/* An interface below its addresses: what it is, and what is set on it.  By
 * rtnetlink(7), but for IPv6's settings, which are files of /proc/sys.
 * [control] */

#include <stdbool.h>
#include <stdint.h>
#include "agent/provider/netlink.h"
#include "agent/takeover/holdings.h"

enum { LINK_CONF_MAX = 64, LINK_NO_IPV6 = 255 };

struct link {
	struct interface id;
	uint16_t type;			/* ARPHRD_*. */
	uint32_t flags;			/* IFF_*. */
	uint32_t mtu;
	uint8_t mac[6];
	bool has_mac;			/* Of six bytes. */
	int master;			/* 0: none. */
	char kind[16];			/* "veth", "tun", ""... */
	uint8_t gen_mode;		/* Of link-local addresses:
					 * IN6_ADDR_GEN_MODE_*. */
	uint32_t conf[LINK_CONF_MAX];	/* IPV4_DEVCONF_*, from 1 on. */
	uint32_t n_conf;
};

/* 0 or a negative errno; -ENODEV: there is none of the name. */
int link_read(struct netlink *, const char *name, struct link *ret_link);
int link_get_name(struct netlink *, int index, char ret_name[16]);
/* Does an interface of another kind stand on this one, as a VLAN does?
 * '*ret_name' is then its name.  0 or a negative errno. */
int link_find_upper(struct netlink *, int index, char ret_name[16]);
/* Does somebody filter what comes in already?  False as well where that is not
 * to be found out. */
bool link_has_ingress(struct netlink *, int index);
bool link_is_wireless(const char *name);

/* Each 0 or a negative errno. */
int link_set_mac(struct netlink *, int index, const uint8_t mac[6]);
int link_set_mtu(struct netlink *, int index, uint32_t mtu);
int link_set_up(struct netlink *, int index);
int link_set_gen_mode(struct netlink *, int index, uint8_t mode);
int link_delete(struct netlink *, int index);

/* Has 'to' behave as 'from' does: settings of IPv4 and IPv6 that differ.  On
 * failure 'ret_what' is the name of the setting. */
int link_copy_settings(struct netlink *, const struct link *from,
		       const struct link *to, const char **ret_what);

#endif /* takeover/link.h */
