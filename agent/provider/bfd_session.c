/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/provider/bfd_session.h"

#include <string.h>

enum {
	VERSION = 1,
	SLOW_US = 1000000,		/* Section 6.8.3: while not up. */
	FLAG_POLL = 0x20, FLAG_FINAL = 0x10, FLAG_CONTROL = 0x08,
	FLAG_AUTH = 0x04, FLAG_DEMAND = 0x02, FLAG_MULTIPOINT = 0x01
};

static void set_state(struct bfd_session *, uint8_t state, uint8_t diag);
static void want_intervals(struct bfd_session *);
static uint32_t wanted_tx(const struct bfd_session *);
static void end_poll(struct bfd_session *);
static void follow_state(struct bfd_session *, uint8_t received);
static void schedule(struct bfd_session *, uint64_t now);
static uint64_t interval_ns(struct bfd_session *);
static uint32_t larger(uint32_t a, uint32_t b);
static uint32_t get32(const uint8_t *);
static void put32(uint8_t *, uint32_t);

bool
bfd_packet_read(const uint8_t *b, size_t size, struct bfd_packet *p)
{
	if (size < BFD_PACKET_SIZE || b[0] >> 5 != VERSION
	    || b[3] < BFD_PACKET_SIZE || b[3] > size
	    || b[1] & (FLAG_AUTH | FLAG_MULTIPOINT))
		return false;
	*p = (struct bfd_packet) {
		.diag = b[0] & 0x1f, .state = b[1] >> 6, .mult = b[2],
		.poll = b[1] & FLAG_POLL, .final = b[1] & FLAG_FINAL,
		.demand = b[1] & FLAG_DEMAND,
		.my_discr = get32(b + 4), .your_discr = get32(b + 8),
		.min_tx_us = get32(b + 12), .min_rx_us = get32(b + 16)
	};
	return p->mult && p->my_discr
	       && (p->your_discr || p->state <= BFD_DOWN);
}

void
bfd_packet_write(const struct bfd_packet *p, uint8_t b[BFD_PACKET_SIZE])
{
	memset(b, 0, BFD_PACKET_SIZE);
	b[0] = (uint8_t) (VERSION << 5 | p->diag);
	b[1] = (uint8_t) (p->state << 6 | (p->poll ? FLAG_POLL : 0)
			  | (p->final ? FLAG_FINAL : 0));
	b[2] = p->mult;
	b[3] = BFD_PACKET_SIZE;
	put32(b + 4, p->my_discr);
	put32(b + 8, p->your_discr);
	put32(b + 12, p->min_tx_us);
	put32(b + 16, p->min_rx_us);
}

void
bfd_session_start(struct bfd_session *s, uint32_t discr,
		  const struct bfd_config *config, uint64_t now)
{
	*s = (struct bfd_session) {
		.config = *config, .state = BFD_DOWN,
		.remote_state = BFD_DOWN, .local_discr = discr,
		.remote_min_rx_us = 1, .expires_at = UINT64_MAX,
		.random = discr
	};
	s->diag = config->cpath_down ? BFD_DIAG_CONCATENATED : BFD_DIAG_NONE;
	s->tx_us = wanted_tx(s);
	s->rx_us = config->min_rx_us;
	/* Many that start together do not go on together. */
	s->send_at = now + interval_ns(s) % (UINT64_C(1000) * SLOW_US);
}

void
bfd_session_configure(struct bfd_session *s, const struct bfd_config *config,
		      uint64_t now)
{
	bool was_down = s->config.cpath_down;

	s->config = *config;
	if (config->cpath_down)
		s->diag = BFD_DIAG_CONCATENATED;
	else if (was_down)
		s->diag = BFD_DIAG_NONE;
	want_intervals(s);
	schedule(s, now);
}

bool
bfd_session_receive(struct bfd_session *s, const struct bfd_packet *p,
		    uint64_t now, bool *ret_answer)
{
	uint32_t before = larger(s->tx_us, s->remote_min_rx_us);
	uint64_t rx_us;

	*ret_answer = false;
	if (p->your_discr && p->your_discr != s->local_discr)
		return false;
	s->remote_discr = p->my_discr;
	s->remote_state = p->state;
	s->remote_diag = p->diag < BFD_N_DIAGS ? p->diag : BFD_DIAG_NONE;
	s->remote_demand = p->demand;
	s->remote_mult = p->mult;
	s->remote_min_tx_us = p->min_tx_us;
	s->remote_min_rx_us = p->min_rx_us;
	if (p->final && s->is_polling)
		end_poll(s);
	follow_state(s, p->state);
	/* Faster counts at once: the peer counts on it. */
	if (larger(s->tx_us, s->remote_min_rx_us) < before)
		schedule(s, now);
	rx_us = larger(s->rx_us, p->min_tx_us);
	s->expires_at = now + rx_us * p->mult * 1000;
	*ret_answer = p->poll;
	return true;
}

bool
bfd_session_tick(struct bfd_session *s, uint64_t now)
{
	if (now >= s->expires_at) {
		s->expires_at = UINT64_MAX;
		s->remote_discr = 0;
		s->remote_min_rx_us = 1;
		s->remote_state = BFD_DOWN;
		s->remote_demand = false;
		if (s->state == BFD_INIT || s->state == BFD_UP)
			set_state(s, BFD_DOWN, BFD_DIAG_EXPIRED);
	}
	if (now < s->send_at)
		return false;
	s->send_at = now;
	schedule(s, now);
	/* Section 6.8.7: not while the peer wants none. */
	return s->remote_min_rx_us
	       && !(s->remote_demand && s->state == BFD_UP
		    && s->remote_state == BFD_UP && !s->is_polling);
}

uint64_t
bfd_session_next(const struct bfd_session *s)
{
	return s->send_at < s->expires_at ? s->send_at : s->expires_at;
}

void
bfd_session_fill(const struct bfd_session *s, bool final,
		 struct bfd_packet *p)
{
	*p = (struct bfd_packet) {
		.diag = s->diag, .state = s->state, .mult = s->config.mult,
		.poll = s->is_polling && !final, .final = final,
		.my_discr = s->local_discr, .your_discr = s->remote_discr,
		.min_tx_us = wanted_tx(s), .min_rx_us = s->config.min_rx_us
	};
}

bool
bfd_session_forwards(const struct bfd_session *s)
{
	return s->state == BFD_UP && !s->config.cpath_down
	       && s->remote_diag != BFD_DIAG_CONCATENATED
	       && s->remote_diag != BFD_DIAG_REVERSE
	       && s->remote_diag != BFD_DIAG_PATH;
}

const char *
bfd_state_name(uint8_t state)
{
	static const char *const names[] = {
		"admin_down", "down", "init", "up"
	};

	return names[state & 3];
}

const char *
bfd_diagnostic_name(uint8_t diag)
{
	static const char *const names[BFD_N_DIAGS] = {
		"No Diagnostic", "Control Detection Time Expired",
		"Echo Function Failed", "Neighbor Signaled Session Down",
		"Forwarding Plane Reset", "Path Down",
		"Concatenated Path Down", "Administratively Down",
		"Reverse Concatenated Path Down"
	};

	return diag < BFD_N_DIAGS ? names[diag] : names[BFD_DIAG_NONE];
}

static void
set_state(struct bfd_session *s, uint8_t state, uint8_t diag)
{
	bool was_up = s->state == BFD_UP;

	s->state = state;
	s->diag = s->config.cpath_down ? BFD_DIAG_CONCATENATED : diag;
	if (was_up != (state == BFD_UP)) {
		s->n_flaps++;
		want_intervals(s);
	}
}

/* Section 6.8.3: while up, what would have the peer miss packets waits until it
 * has heard of it. */
static void
want_intervals(struct bfd_session *s)
{
	uint32_t tx = wanted_tx(s), rx = s->config.min_rx_us;

	s->is_polling = s->state == BFD_UP;
	if (!s->is_polling || tx < s->tx_us)
		s->tx_us = tx;
	if (!s->is_polling || rx > s->rx_us)
		s->rx_us = rx;
}

static uint32_t
wanted_tx(const struct bfd_session *s)
{
	return s->state == BFD_UP ? s->config.min_tx_us
				  : larger(s->config.min_tx_us, SLOW_US);
}

static void
end_poll(struct bfd_session *s)
{
	s->is_polling = false;
	s->tx_us = wanted_tx(s);
	s->rx_us = s->config.min_rx_us;
}

/* Section 6.8.6, the table of section 6.2. */
static void
follow_state(struct bfd_session *s, uint8_t received)
{
	if (received == BFD_ADMIN_DOWN) {
		if (s->state != BFD_DOWN)
			set_state(s, BFD_DOWN, BFD_DIAG_SIGNALED);
	} else if (s->state == BFD_DOWN) {
		if (received == BFD_DOWN)
			set_state(s, BFD_INIT, s->diag);
		else if (received == BFD_INIT)
			set_state(s, BFD_UP, BFD_DIAG_NONE);
	} else if (s->state == BFD_INIT) {
		if (received >= BFD_INIT)
			set_state(s, BFD_UP, BFD_DIAG_NONE);
	} else if (received == BFD_DOWN) {
		set_state(s, BFD_DOWN, BFD_DIAG_SIGNALED);
	}
}

/* The next packet, counted from now, but no later than it was to go. */
static void
schedule(struct bfd_session *s, uint64_t now)
{
	uint64_t at = now + interval_ns(s);

	if (s->send_at <= now || at < s->send_at)
		s->send_at = at;
}

/* Section 6.8.7: 75 to 100 percent of what was agreed on, and to 90 if one
 * packet that is lost is too many. */
static uint64_t
interval_ns(struct bfd_session *s)
{
	uint64_t us = larger(s->tx_us, s->remote_min_rx_us);
	uint32_t span = s->config.mult == 1 ? 15 : 25;

	s->random = s->random * 1664525 + 1013904223;
	return us * 10 * (75 + (s->random >> 16) % (span + 1));
}

static uint32_t
larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t
get32(const uint8_t *b)
{
	return (uint32_t) b[0] << 24 | (uint32_t) b[1] << 16
	       | (uint32_t) b[2] << 8 | b[3];
}

static void
put32(uint8_t *b, uint32_t n)
{
	b[0] = (uint8_t) (n >> 24);
	b[1] = (uint8_t) (n >> 16);
	b[2] = (uint8_t) (n >> 8);
	b[3] = (uint8_t) n;
}
