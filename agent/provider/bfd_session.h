/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROVIDER_BFD_SESSION_H
#define PROVIDER_BFD_SESSION_H 1

/* One session of bidirectional forwarding detection: RFC 5880, asynchronous
 * mode, active, without authentication and echo.  It knows neither sockets nor
 * clocks: time comes in as nanoseconds, packets as structs.  Names are those of
 * the RFC's section 6.8.1.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bfd_state { BFD_ADMIN_DOWN, BFD_DOWN, BFD_INIT, BFD_UP };

/* Section 4.1. */
enum bfd_diagnostic {
	BFD_DIAG_NONE, BFD_DIAG_EXPIRED, BFD_DIAG_ECHO, BFD_DIAG_SIGNALED,
	BFD_DIAG_RESET, BFD_DIAG_PATH, BFD_DIAG_CONCATENATED,
	BFD_DIAG_ADMIN, BFD_DIAG_REVERSE, BFD_N_DIAGS
};

enum { BFD_PACKET_SIZE = 24 };

/* A control packet.  Intervals in microseconds. */
struct bfd_packet {
	uint8_t diag, state, mult;
	bool poll, final, demand;
	uint32_t my_discr, your_discr;
	uint32_t min_tx_us, min_rx_us;
};

struct bfd_config {
	uint32_t min_tx_us, min_rx_us;	/* At least 1. */
	uint8_t mult;			/* At least 1. */
	bool cpath_down;		/* Says that beyond us is no way. */
};

struct bfd_session {
	struct bfd_config config;
	uint8_t state, diag;
	uint8_t remote_state, remote_diag, remote_mult;
	bool remote_demand;
	uint32_t local_discr, remote_discr;
	uint32_t remote_min_tx_us, remote_min_rx_us;
	/* In force: others than wanted, until a poll has told the peer. */
	uint32_t tx_us, rx_us;
	bool is_polling;
	uint64_t send_at, expires_at;	/* UINT64_MAX: never. */
	uint32_t random;		/* Of jitter. */
	uint32_t n_flaps;		/* How often it went up or down. */
};

/* Section 6.8.6, as far as it can be said without the session.  False: it is
 * to be discarded. */
bool bfd_packet_read(const uint8_t *bytes, size_t size, struct bfd_packet *);
void bfd_packet_write(const struct bfd_packet *,
		      uint8_t ret_bytes[BFD_PACKET_SIZE]);

/* 'discr' is not 0, and no other session's.  The first packet goes within a
 * second. */
void bfd_session_start(struct bfd_session *, uint32_t discr,
		       const struct bfd_config *, uint64_t now);
void bfd_session_configure(struct bfd_session *, const struct bfd_config *,
			   uint64_t now);
/* False: it is not the session's.  'ret_answer': one is to be sent at once. */
bool bfd_session_receive(struct bfd_session *, const struct bfd_packet *,
			 uint64_t now, bool *ret_answer);
/* True: a packet is to be sent now. */
bool bfd_session_tick(struct bfd_session *, uint64_t now);
/* When to tick next. */
uint64_t bfd_session_next(const struct bfd_session *);
/* What to send.  'final': in answer to a poll. */
void bfd_session_fill(const struct bfd_session *, bool final,
		      struct bfd_packet *ret_packet);
/* May packets go that way? */
bool bfd_session_forwards(const struct bfd_session *);

/* "up", "Control Detection Time Expired": as vtep(5) has them. */
const char *bfd_state_name(uint8_t state);
const char *bfd_diagnostic_name(uint8_t diag);

#endif /* provider/bfd_session.h */
