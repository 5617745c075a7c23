/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ORACLE_TALK_H
#define ORACLE_TALK_H 1

/* Conversations through stateful policy, in the plainest way there is: an array
 * of connections that is searched from one end, and rules that are asked one by
 * one.  Written from the text of <vswitch/policy.h>. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch.h>

enum {
	N_VMS = 3, N_GROUPS_OF = 12,
	N_RULES_OF = 4, N_ACLS = 2, MAX_CONNECTIONS_OF = 4000, ANY = 255,
	TCP = 6, UDP = 17, ICMP = 1, GRE = 47
};

enum verb { PASS, TRACK, DROP };

struct acl_rule {
	uint8_t src, dst, proto, sport, dport;	/* ANY. */
	enum verb verb;
};

struct acl_group {
	unsigned n;
	struct acl_rule rules[N_RULES_OF];	/* First match counts. */
};

/* Layer 0 is an ACL, 1 delivers by MAC, 2 is another ACL. */
struct acl_program {
	unsigned groups[N_ACLS][2];	/* By direction. */
	unsigned serial;
	bool tracks[N_ACLS];
};

enum event { PLAIN, SYN, SYN_ACK, FIN, RST, INVALID, ANSWER };

struct message {
	unsigned from, to;		/* Ports. */
	uint8_t src, dst, proto, sport, dport;	/* ICMP: identifier. */
	enum event event;
	bool is_v6, is_error;		/* About one from 'dst' to 'esrc'. */
	bool is_wild;			/* RST, with a number that
					 * nobody expects. */
	uint8_t far;			/* Of which the error speaks. */
	uint8_t vlan;
};

struct conversation {
	bool is_there;
	unsigned port;
	bool is_out;			/* The opener. */
	uint8_t local, remote, proto, lport, rport, vlan;
	bool is_v6;
	struct message opener;
	unsigned serial, layers;
	/* TCP. */
	bool asked, answered, joined, reset, fin[2], alive[2];
	bool known[2];			/* Its numbers, in any case. */
	bool refused;			/* Policy has ended it. */
};

/* What was seen of it all. */
struct talked {
	unsigned long n_opened, n_by_connection, n_ended, n_related;
};

struct world {
	struct talked talked;
	struct acl_group groups[N_GROUPS_OF];
	struct acl_program programs[N_VMS];
	unsigned serial, n;
	struct conversation all[MAX_CONNECTIONS_OF];
};

/* What becomes of the packet; VSW_N_DROPS: it arrives. */
enum vsw_drop talk_say(struct world *, const struct message *);
/* May the packet bear a number that its receiver does not expect?  Of whom
 * nothing is known, all is believed; and whether anything is, may hang on what
 * caches have. */
bool talk_may_be_wild(const struct world *, const struct message *);

#endif /* oracle/talk.h */
