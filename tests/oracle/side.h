/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ORACLE_SIDE_H
#define ORACLE_SIDE_H 1

/* The switch's side of the oracle: builds what the model says, edits both at
 * once, sends packets, and keeps what comes out.  Each frame that does is read
 * there and then: lengths, checksums, outer headers, and that nothing is left
 * undone that its port cannot do. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch.h>
#include "tests/oracle/model.h"
#include "tests/oracle/pieces.h"
#include "tests/oracle/wire.h"

enum {
	MAX_BATCH = 4,
	MAX_CAPTURED = 128
};

struct captured {
	unsigned port;
	size_t size;
	uint8_t frame[FRAME_ROOM];
	struct vsw_tunnel tunnel;
	struct vsw_offload offload;
	uint32_t reason, vni, mtu;
};

struct oracle {
	struct model model;
	struct vsw *vsw;
	struct vsw_worker *worker;
	struct vsw_port *ports[N_PORTS];
	unsigned numbers[N_PORTS];	/* The ports' ctx. */
	struct vsw_domain *domains[N_DOMAINS];
	struct vsw_mapping *mappings[N_MAPPINGS];
	struct vsw_program *programs[N_PROGRAMS];
	uint64_t now, seed, round;
	uint32_t next_id;		/* Of fragmented datagrams. */
	bool wire_is_bytes;		/* Its outer headers are. */
	uint32_t abilities[N_PORTS];
	unsigned n_captured;
	struct captured captured[MAX_CAPTURED];
	int end;			/* What explain said last. */
	const struct vsw_port *end_port;
};

void side_build(struct oracle *);
void side_take_down(struct oracle *);
/* Changes something, there and in the model. */
void side_edit(struct oracle *);
/* As it comes in; returns its size. */
size_t side_frame(const struct oracle *, const struct m_packet *,
		  uint8_t ret_frame[128 + WIRE_ROOM]);
/* Outer headers as bytes are taken off only if they are for this host. */
void side_localise(const struct oracle *, struct m_packet *);
/* 'n_batch' of them, which differ in their number alone. */
void side_send(struct oracle *, const struct m_packet *, unsigned n_batch);
/* One with 'n' bytes of payload; 'segment' 0: not to be cut. */
void side_send_large(struct oracle *, const struct m_packet *, size_t n,
		     uint16_t segment);
void side_count(const struct oracle *, uint64_t counts[N_PORTS][VSW_N_DROPS],
		uint64_t *ret_hits);
void side_must(const struct oracle *, int error, const char *what);
void side_die(const struct oracle *, const char *what)
	__attribute__((noreturn));

#endif /* oracle/side.h */
