/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MODEL_ACL_H
#define MODEL_ACL_H 1

/* Access lists: what firewall rows say, whichever database they are in.
 *
 * A list is made once for all ports that have the same rules, however many
 * rows that takes: it is interned by its words, so that equal lists are one
 * pointer, and one sealed group of each switch.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch.h>
#include "agent/base/list.h"
#include "agent/model/map.h"

/* In the order in which a port asks them for a packet that leaves the VM. */
enum acl_tier { ACL_ADMIN, ACL_CONTROLLER, ACL_N_TIERS };

/* As many as one column of one rule may come to. */
enum { ACL_MAX_ITEMS = 4096 };

struct acl_prefix {
	struct vsw_addr addr;		/* Bits behind 'bits' are zero. */
	unsigned bits;
};

struct acl_addresses {
	struct acl_prefix *of;
	size_t n;			/* 0: any. */
};

struct acl_range {
	uint16_t first, last;
};

struct acl_ranges {
	struct acl_range *of;
	size_t n;			/* 0: any. */
};

struct acl_rule {
	char *name;			/* Of the row, for trace. */
	uint32_t priority;		/* Lower ones are asked first. */
	enum vsw_direction direction;
	bool allows;
	bool is_stateful;
	bool is_logged;
	bool is_bad;			/* Does not read: see below. */
	struct acl_ranges protos, src_ports, dst_ports;
	struct acl_addresses src, dst;

	/* Of hardware_vtep's alone. */
	bool is_of_list;		/* These count. */
	bool has_src_mac, has_dst_mac;
	uint8_t src_mac[6], dst_mac[6];
	uint16_t eth_type;		/* 0: any; */
	bool is_ip;			/* then of both families of IP. */
	bool is_icmp;			/* Ports are type and code. */
};

struct acl {
	struct keyed by_text;		/* In acl_table.acls. */
	size_t n_refs;
	struct acl_table *table;
	char *text;			/* All of it: equal means the same. */
	uint32_t number;		/* Of 'text', for names; the same in
					 * every process. */
	struct acl_rule *rules;		/* In the order in which they count. */
	size_t n_rules;
	struct list built;		/* apply_port.c's, one for each
					 * switch. */
};

struct acl_table {
	struct map acls;
};

/* A rule that does not read never opens anything: one that allows is left out,
 * one that blocks blocks all that it may have meant, which is everything in
 * the columns that do not read. */

/* Takes over the rules and what is in them.  'text' must tell apart whatever
 * differs.  Returns with a reference. */
struct acl *acl_intern(struct acl_table *, const char *text,
		       struct acl_rule *rules, size_t n);
/* With a reference, or NULL. */
struct acl *acl_find(struct acl_table *, const char *text);
struct acl *acl_ref(struct acl *);
void acl_unref(struct acl *);
void acl_rule_done(struct acl_rule *);

/* acl_text.c.  Lists of items with commas or spaces between them.  Nothing,
 * "*", "all" and "any" in whatever case mean any; so does a list that has one
 * of them.  Each returns NULL, or what does not read, to be freed; then
 * '*ret' is any.
 *
 * Protocols: names (tcp, udp, icmp, icmpv4, icmpv6, igmp, gre, esp, ah, sctp)
 * and numbers; 0 is any.  "icmp" is that of both families. */
char *acl_read_protos(const char *, struct acl_ranges *ret);
/* "80", "1024-2047"; 0-65535 is any, port 0 alone is none. */
char *acl_read_ports(const char *, struct acl_ranges *ret);
/* "10.1.1.4", "10.1.1.0/24", "10.1.1.4-10.1.1.9", and IPv6 alike. */
char *acl_read_addresses(const char *, struct acl_addresses *ret);

#endif /* model/acl.h */
