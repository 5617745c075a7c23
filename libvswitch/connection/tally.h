/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONNECTION_TALLY_H
#define CONNECTION_TALLY_H 1

/* How many packets and bytes connections have passed since they were last told
 * of: of those alone that are to be told of (vsw_rule_log()), each of whose
 * packets is seen for that reason.  Used by connection/, of places whose entry
 * is locked. */

#include <stdbool.h>
#include <stdint.h>

struct connection_packet;
struct room;

struct tally {
	uint64_t n_packets[2];		/* Of the opener, of the other. */
	uint64_t n_bytes[2];
};

/* Adds a packet of the place's connection.  Memory is asked for with the first
 * one of each chunk; where there is none, nothing is counted. */
void tally_add(struct room *, uint32_t place,
	       const struct connection_packet *);
/* What there is, which begins anew.  False: nothing. */
bool tally_take(const struct room *, uint32_t place, struct tally *ret_tally);

#endif /* connection/tally.h */
