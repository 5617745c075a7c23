/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROVIDER_PROBE_H
#define PROVIDER_PROBE_H 1

/* Is somebody there?  On demand, each other host that a locator names is asked
 * by the very way that VMs' packets take: from each provider address that is
 * up, in the locator's tunnel, with VNI 0, by two packets, a little one and one
 * as large as ports may send.
 *
 * The question is a packet of BFD (RFC 5880) in state AdminDown with the poll
 * bit, to a MAC address of its own, and the answer is the same with the final
 * bit: to who does not know this it is BFD of no session, which is discarded.
 * Questions of addresses that no locator names are not answered, nor are more
 * than a few a second.
 *
 * Whose tunnels do not answer is pinged by the host's stack at last, so that
 * an agent that is not there differs from a host that is not there.
 * [control] */

#include <stdbool.h>
#include <stddef.h>
#include "agent/provider/bfd.h"
#include "agent/provider/bfd_session.h"

struct probe;
struct probe_round;
struct frame;

/* What became of one way. */
struct probe_way {
	struct vsw_addr remote, local;
	uint8_t encap;			/* enum vsw_encap. */
	bool is_answered;		/* The little one. */
	bool is_large_answered;
	/* If neither was: */
	bool is_pinged;			/* Ping was answered, */
	bool is_refused;		/* or "port unreachable", "protocol
					 * unreachable" came back. */
	int error;			/* Else an errno, or 0: silence. */
};
typedef void probe_fn(void *ctx, const struct probe_way *, size_t n,
		      size_t n_more);

struct probe *probe_new(const struct bfd_options *);
/* Its rounds must be over, or cancelled. */
void probe_free(struct probe *);

/* 'size': of the large packet, the inner Ethernet header included.  'done' is
 * called once, later: when all have answered, or after a second.  'n_more' are
 * the ways beyond those that were tried. */
struct probe_round *probe_ask(struct probe *, size_t size, probe_fn *done,
			      void *ctx);
void probe_cancel(struct probe_round *);

/* BFD that came in by a tunnel.  True: that was for us. */
bool probe_receive(struct probe *, const struct vsw_tunnel *,
		   const struct frame *, const struct bfd_packet *);

#endif /* provider/probe.h */
