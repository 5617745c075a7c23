/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_DESCRIBE_H
#define DATAPATH_DESCRIBE_H 1

/* Flow keys, rewrites and matches as text, for people.  Never where packets
 * pass.  [worker] */

#include <stddef.h>
#include <stdint.h>

struct flow_key;
struct rewrite;
struct rule;

enum {
	DESCRIBE_ADDR_SIZE = 46,
	DESCRIBE_KEY_SIZE = 400,
	DESCRIBE_REWRITE_SIZE = 300,
	DESCRIBE_MATCHES_SIZE = 400
};

/* 'n' is 4 or 16; else nothing is written but the end. */
void describe_addr(const uint8_t *bytes, size_t n,
		   char ret_text[DESCRIBE_ADDR_SIZE]);
/* "10.1.1.11:4000 > 10.1.1.12:80 tcp, 02:...:01 > 02:...:02", and the tunnel,
 * tag and fragment if there are. */
void describe_key(const struct flow_key *, char ret_text[DESCRIBE_KEY_SIZE]);
/* "ttl, vxlan vni 5001 to 192.168.2.20, port wire". */
void describe_rewrite(const struct rewrite *,
		      char ret_text[DESCRIBE_REWRITE_SIZE]);

/* "ipv4_dst=10.0.0.0/8, l4_dst=80-90, ipv4_src in "web"", or "everything". */
void describe_matches(const struct rule *,
		      char ret_text[DESCRIBE_MATCHES_SIZE]);

#endif /* datapath/describe.h */
