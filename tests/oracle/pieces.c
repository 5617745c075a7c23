/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/oracle/pieces.h"

#include "tests/oracle/bytes.h"
#include "tests/oracle/draw.h"

static bool take_account(struct account *, const struct m_packet *);
static bool is_whole(const struct account *);

unsigned
pieces_draw(struct m_packet pieces[MAX_PIECES], uint32_t id, uint64_t *seed)
{
	unsigned n = 2 + draw(seed, 4), at;

	do
		draw_packet(&pieces[0], seed);
	while (pieces[0].type < M_IPV4 || pieces[0].proto == 47);
	pieces[0].fragment = VSW_FRAGMENT_FIRST;
	pieces[0].has_options = pieces[0].type == M_IPV6
				&& draw(seed, 3) == 0;
	pieces[0].at = 0;
	pieces[0].units = (uint16_t) bytes_first_units(&pieces[0]);
	pieces[0].id = id;
	at = pieces[0].units;
	for (unsigned i = 1; i < n; i++) {
		pieces[i] = pieces[0];
		pieces[i].fragment = VSW_FRAGMENT_LATER;
		pieces[i].at = (uint16_t) at;
		pieces[i].units = (uint16_t) (1 + draw(seed, 3));
		pieces[i].is_last = i == n - 1;
		at += pieces[i].units;
		if (draw(seed, 10) == 0)
			pieces[i].at = (uint16_t) (at - 1 - draw(seed, 3));
		/* That offset is refused for its own sake. */
		if (pieces[i].at < 2)
			pieces[i].at = 2;
	}
	if (draw(seed, 4) == 0) {
		pieces[n] = pieces[draw(seed, n)];
		n++;
	}
	for (unsigned i = draw(seed, 3) ? n - 1 : 0; i; i--) {
		unsigned j = draw(seed, i + 1);
		struct m_packet piece = pieces[i];

		pieces[i] = pieces[j];
		pieces[j] = piece;
	}
	/* Something may not come at all. */
	return n - (draw(seed, 4) == 0);
}

unsigned
pieces_expect(const struct model *model, struct account *a,
	      const struct m_packet *p,
	      struct m_packet decided[MAX_PIECES], unsigned *ret_n_dropped)
{
	static struct m_outcomes all;
	bool is_later = p->fragment == VSW_FRAGMENT_LATER;
	unsigned n = 0;

	*ret_n_dropped = 0;
	if (is_later && !a->has_first && !a->is_spoilt) {
		model_decide(model, p, &all);
		if (all.all[0].results[0].drop != VSW_DROP_FRAGMENT_LOST) {
			/* Nobody asked: nothing is remembered. */
			decided[0] = *p;
			return 1;
		}
	}
	if (!take_account(a, p)) {
		*ret_n_dropped = 1;
		if (a->is_spoilt) {
			*ret_n_dropped += a->n_waiting;
			a->n_waiting = 0;
		}
		return 0;
	}
	if (is_later && !a->has_first) {
		a->waiting[a->n_waiting++] = *p;
		return 0;
	}
	decided[n++] = *p;
	while (a->n_waiting)
		decided[n++] = a->waiting[--a->n_waiting];
	for (unsigned i = 0; i < n; i++)
		decided[i].has_first = decided[i].fragment
				       == VSW_FRAGMENT_LATER;
	if (is_whole(a))
		*a = (struct account) { .n_waiting = 0 };
	return n;
}

/* Keeps account of the piece; false: it is to be dropped. */
static bool
take_account(struct account *a, const struct m_packet *p)
{
	unsigned end = p->at + p->units;
	bool all = true, any = false, beyond = false;

	if (p->type == M_IPV4 && p->fragment == VSW_FRAGMENT_FIRST
	    && (a->has_first || a->is_spoilt))
		*a = (struct account) { .n_waiting = 0 };
	for (unsigned i = 0; i < 64; i++) {
		bool inside = i >= p->at && i < end;

		all = all && (!inside || a->seen[i]);
		any = any || (inside && a->seen[i]);
		beyond = beyond || (i >= end && a->seen[i]);
	}
	if (!a->is_spoilt && all)
		return false;
	if (a->is_spoilt || any || (a->end && (end > a->end || p->is_last))
	    || (p->is_last && beyond)) {
		a->is_spoilt = true;
		return false;
	}
	for (unsigned i = p->at; i < end; i++)
		a->seen[i] = true;
	if (p->is_last)
		a->end = end;
	if (p->fragment == VSW_FRAGMENT_FIRST)
		a->has_first = true;
	return true;
}

static bool
is_whole(const struct account *a)
{
	for (unsigned i = 0; i < a->end; i++)
		if (!a->seen[i])
			return false;
	return a->has_first && a->end;
}
