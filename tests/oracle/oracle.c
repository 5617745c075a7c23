/* SPDX-License-Identifier: Apache-2.0 */

/* Random policy and random packets.  What the switch does with a packet, when
 * it is decided and when it is cached, between edits of the policy, must be
 * what the naive model in model.c says; and vsw_explain() must say the same.
 *
 * Every frame that comes out is read by somebody else, too, who knows nothing
 * of policy: lengths and checksums must be right.
 *
 *     oracle			N_ROUNDS rounds
 *     oracle ROUND		that round alone, to look at what failed
 *     oracle seconds N [ROUND]	as many as fit, from ROUND (1) on
 *     oracle packets N [ROUND]	until so many packets were sent
 *
 * Either looks whether it is enough between two edits of a round. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tests/oracle/bytes.h"
#include "tests/oracle/draw.h"
#include "tests/oracle/side.h"

enum {
	N_ROUNDS = 100, N_EDITS = 40, N_PACKETS = 24,
	N_DATAGRAMS = 6, N_LARGE = 6,
	TOO_LONG_NS = 1100000000	/* For fragments to wait. */
};

enum { NO_CHOICE = UINT32_MAX };

/* Which of the outcomes of a datagram's first piece, and of those that follow
 * it, have been ruled out. */
struct chosen {
	bool not_first[MAX_OUTCOMES], not_later[MAX_OUTCOMES];
};

/* When to stop; 0: not for that. */
struct limit {
	time_t end;
	unsigned long n_packets;
};

/* What was seen, over all rounds: a test that saw nothing has failed. */
struct seen {
	unsigned long n_packets, n_checks, n_sent, n_remote, n_punts;
	unsigned long n_copies, n_hits, n_chosen;
	unsigned long n_followed, n_waited;	/* Fragments. */
	unsigned long n_told, n_fragments;	/* Of what was too big. */
	unsigned long n_cut, n_uncut, n_unwrapped;
	unsigned long drops[VSW_N_DROPS];
};

/* All but the bytes. */
static bool
is_there(const struct captured *c, const struct m_result *r)
{
	struct vsw_addr pa = bytes_pa(r->pa);

	if (c->port != r->port)
		return false;
	if (r->is_punt)
		return c->reason == r->reason && c->vni == r->vni
		       && c->mtu == r->mtu;
	if (!r->is_remote)
		return r->port == PORT_PUNT
		       || c->tunnel.encap == VSW_ENCAP_NONE;
	return c->tunnel.encap == r->encap && c->tunnel.vni == r->vni
	       && !memcmp(&c->tunnel.dst, &pa, sizeof pa);
}

static bool
is_captured(const struct captured *c, const struct m_result *r)
{
	uint8_t frame[128];
	size_t size = r->is_cut ? bytes_piece(&r->packet, r->mtu, r->piece,
					      frame)
				: bytes_frame(&r->packet, frame);

	return c->size == size && !memcmp(c->frame, frame, size)
	       && is_there(c, r);
}

/* Is what came out, in any order, and what was counted, what the model
 * says?  What has to wait is not seen yet. */
static bool
agrees(const struct oracle *o, const struct m_result *results, unsigned n,
       uint64_t before[N_PORTS][VSW_N_DROPS],
       uint64_t after[N_PORTS][VSW_N_DROPS])
{
	uint64_t expected[N_PORTS][VSW_N_DROPS];
	bool taken[MAX_CAPTURED] = { false };
	unsigned n_sent = 0;

	memcpy(expected, before, sizeof expected);
	for (unsigned i = 0; i < n; i++) {
		const struct m_result *result = &results[i];
		unsigned j = 0;

		if (result->drop != VSW_N_DROPS) {
			if (result->drop != VSW_DROP_FRAGMENT_LOST)
				expected[result->port][result->drop]++;
			continue;
		}
		while (j < o->n_captured
		       && (taken[j]
			   || !is_captured(&o->captured[j], result)))
			j++;
		if (j == o->n_captured)
			return false;
		taken[j] = true;
		n_sent++;
	}
	return n_sent == o->n_captured
	       && !memcmp(expected, after, sizeof expected);
}

static void
keep_end(void *ctx, const struct vsw_step *step)
{
	struct oracle *o = ctx;

	o->end = step->kind == VSW_STEP_SENT ? VSW_N_DROPS
		 : step->kind == VSW_STEP_DROPPED ? step->drop : -1;
	o->end_port = step->port;
}

static void
check_explain(struct oracle *o, const struct m_packet *p,
	      const struct m_result *last)
{
	struct vsw_tunnel tunnel = {
		.src = bytes_pa(p->tunnel_src), .dst = bytes_pa(p->tunnel_dst),
		.vni = p->vni, .encap = p->encap
	};
	struct vsw_explain_options options = { .size = sizeof options,
					       .tunnel = &tunnel };
	uint8_t frame[128 + WIRE_ROOM];
	size_t size = side_frame(o, p, frame);

	side_must(o, vsw_explain(o->ports[p->in_port], frame, size,
			    p->tunnel && !o->wire_is_bytes ? &options : NULL,
			    keep_end, o),
	     "explain");
	if (o->end != (int) last->drop
	    || (last->drop == VSW_N_DROPS
		&& o->end_port != o->ports[last->port]))
		side_die(o, "explain does not end as the packet did");
}

static void
note(struct seen *seen, const struct m_result *results, unsigned n,
     unsigned n_packets)
{
	seen->n_copies += n > n_packets;
	for (unsigned i = 0; i < n; i++) {
		seen->n_sent += results[i].drop == VSW_N_DROPS;
		seen->n_remote += results[i].is_remote;
		seen->n_punts += results[i].is_punt;
		seen->n_told += results[i].is_punt && results[i].mtu;
		seen->n_fragments += results[i].is_cut;
		if (results[i].drop != VSW_N_DROPS)
			seen->drops[results[i].drop]++;
	}
}

static void
say_difference(const struct oracle *o, const struct m_result *results,
	       unsigned n, uint64_t before[N_PORTS][VSW_N_DROPS],
	       uint64_t after[N_PORTS][VSW_N_DROPS])
{
	fprintf(stderr, "model: %u results, first drop %s port %u\n", n,
		results[0].drop == VSW_N_DROPS ? "none"
		: vsw_drop_name(results[0].drop), results[0].port);
	fprintf(stderr, "switch: %u packets, first to port %u\n",
		o->n_captured, o->captured[0].port);
	for (unsigned i = 0; i < N_PORTS; i++)
		for (unsigned d = 0; d < VSW_N_DROPS; d++)
			if (after[i][d] != before[i][d])
				fprintf(stderr, "switch: drop %s at %u\n",
					vsw_drop_name((enum vsw_drop) d), i);
	side_die(o, "the switch and the model do not agree");
}

/* As many results as it has fragments. */
static unsigned
cut(const struct m_result *result, struct m_result *results)
{
	uint8_t frame[128];
	unsigned n = 0;

	do {
		results[n] = *result;
		results[n].piece = n;
		n++;
	} while (result->is_cut
		 && bytes_piece(&result->packet, result->mtu, n, frame));
	return n;
}

/* What becomes of 'n' packets of one flow, which differ in their number alone;
 * returns how many results these are. */
static unsigned
multiply(const struct m_outcome *outcome, unsigned n,
	 struct m_result results[MAX_CAPTURED])
{
	unsigned n_results = 0;

	for (unsigned i = 0; i < n; i++) {
		for (unsigned j = 0; j < outcome->n; j++) {
			struct m_result result = outcome->results[j];

			result.packet.id += i;
			n_results += cut(&result, results + n_results);
		}
	}
	return n_results;
}

/* 'n' packets wait at a port for a first fragment that does not come. */
static void
check_lost(struct oracle *o, unsigned port, unsigned n)
{
	uint64_t before[N_PORTS][VSW_N_DROPS], after[N_PORTS][VSW_N_DROPS];
	uint64_t hits;

	side_count(o, before, &hits);
	o->now += TOO_LONG_NS;
	vsw_worker_idle(o->worker, o->now);
	side_count(o, after, &hits);
	before[port][VSW_DROP_FRAGMENT_LOST] += n;
	if (memcmp(before, after, sizeof before))
		side_die(o, "what waits is not lost in time");
}

/* Returns which of the outcomes the switch chose; 'choice' is that, if it was
 * made before: then it is to stay. */
static unsigned
check(struct oracle *o, struct m_packet *p, unsigned choice, struct seen *seen)
{
	static struct m_outcomes all;
	uint64_t before[N_PORTS][VSW_N_DROPS], after[N_PORTS][VSW_N_DROPS];
	uint64_t hits_before, hits_after;
	struct m_result results[MAX_CAPTURED];
	unsigned n_batch = draw(&o->seed, 4) ? 1 : 1 + draw(&o->seed,
							    MAX_BATCH);
	unsigned n = 0;

	p->id = o->next_id;
	o->next_id += MAX_BATCH;
	side_count(o, before, &hits_before);
	side_send(o, p, n_batch);
	side_count(o, after, &hits_after);
	seen->n_packets += n_batch;
	seen->n_hits += hits_after - hits_before;
	model_decide(&o->model, p, &all);
	for (unsigned c = 0; c < all.n; c++) {
		if (choice != NO_CHOICE && c != choice)
			continue;
		n = multiply(&all.all[c], n_batch, results);
		if (!agrees(o, results, n, before, after))
			continue;
		if (choice == NO_CHOICE)
			check_explain(o, p, &results[n - 1]);
		if (results[0].drop == VSW_DROP_FRAGMENT_LOST)
			check_lost(o, p->in_port, n_batch);
		note(seen, results, n, n_batch);
		seen->n_checks++;
		seen->n_chosen += all.n > 1;
		return c;
	}
	say_difference(o, results, n, before, after);
	return NO_CHOICE;
}

/* Is each of the results among what came out or was counted?  A look that saves
 * most of the pairs that check_piece() would have to try. */
static bool
may_be(const struct oracle *o, const struct m_outcome *outcome,
       uint64_t before[N_PORTS][VSW_N_DROPS],
       uint64_t after[N_PORTS][VSW_N_DROPS])
{
	for (unsigned i = 0; i < outcome->n; i++) {
		const struct m_result *r = &outcome->results[i];
		unsigned j = 0;

		if (r->drop != VSW_N_DROPS) {
			if (r->drop != VSW_DROP_FRAGMENT_LOST
			    && after[r->port][r->drop]
			       == before[r->port][r->drop])
				return false;
			continue;
		}
		while (j < o->n_captured && !is_captured(&o->captured[j], r))
			j++;
		if (j == o->n_captured)
			return false;
	}
	return true;
}

/* What becomes of 'n' pieces of one flow if that is number 'choice' of each.
 * Returns how many results these are. */
static unsigned
join(const struct m_outcomes pieces[], unsigned n, unsigned choice,
     struct m_result *results)
{
	unsigned n_results = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct m_outcome *outcome = &pieces[i].all[choice];

		for (unsigned j = 0; j < outcome->n; j++)
			n_results += cut(&outcome->results[j],
					 results + n_results);
	}
	return n_results;
}

/* Finds what the switch may have chosen for the pieces, of which the first one
 * may be of another flow than those behind it, and rules out the rest: where
 * several are dropped it is not known who for what.  Returns the number of
 * results, 0: there is no such choice. */
static unsigned
find_choices(const struct oracle *o, const struct m_packet decided[],
	     unsigned n_decided, struct chosen *chosen,
	     uint64_t before[N_PORTS][VSW_N_DROPS],
	     uint64_t after[N_PORTS][VSW_N_DROPS],
	     struct m_result found[MAX_CAPTURED])
{
	static struct m_outcomes pieces[MAX_PIECES];
	unsigned n_rest = 1;
	/* A later one that need not wait is a flow of its own. */
	struct chosen left, other = { { false }, { false } };
	bool *not_first = decided[0].fragment == VSW_FRAGMENT_FIRST
			  ? chosen->not_first
			  : decided[0].has_first ? chosen->not_later
						 : other.not_later;
	unsigned n_found = 0;

	memset(&left, true, sizeof left);
	for (unsigned i = 0; i < n_decided; i++)
		model_decide(&o->model, &decided[i], &pieces[i]);
	if (n_decided > 1)
		n_rest = pieces[1].n;
	for (unsigned c = 0; c < pieces[0].n; c++) {
		struct m_result results[MAX_CAPTURED];
		unsigned n_first, n;

		if (not_first[c]
		    || !may_be(o, &pieces[0].all[c], before, after))
			continue;
		n_first = join(pieces, 1, c, results);
		for (unsigned d = 0; d < n_rest; d++) {
			if (n_decided > 1 && chosen->not_later[d])
				continue;
			n = n_first + join(pieces + 1, n_decided - 1, d,
					   results + n_first);
			if (!agrees(o, results, n, before, after))
				continue;
			left.not_first[c] = left.not_later[d] = false;
			if (!n_found)
				memcpy(found, results, n * sizeof *results);
			n_found = n;
		}
	}
	memcpy(not_first, left.not_first, sizeof left.not_first);
	if (n_decided > 1)
		memcpy(chosen->not_later, left.not_later,
		       sizeof left.not_later);
	return n_found;
}

/* Rules can tell first fragments from later ones, so that these may have been
 * given another choice.  Each is to stay. */
static void
check_piece(struct oracle *o, struct account *a, const struct m_packet *p,
	    struct chosen *chosen, struct seen *seen)
{
	uint64_t before[N_PORTS][VSW_N_DROPS], after[N_PORTS][VSW_N_DROPS];
	struct m_packet decided[MAX_PIECES];
	struct m_result results[MAX_CAPTURED] = { { .port = 0 } };
	unsigned n_dropped, n_decided, n = 0;
	uint64_t hits;

	n_decided = pieces_expect(&o->model, a, p, decided, &n_dropped);
	side_count(o, before, &hits);
	side_send(o, p, 1);
	side_count(o, after, &hits);
	seen->n_packets++;
	before[p->in_port][VSW_DROP_FRAGMENT_OVERLAP] += n_dropped;
	if (n_decided)
		n = find_choices(o, decided, n_decided, chosen, before, after,
				 results);
	if (n_decided ? !n : !agrees(o, results, 0, before, after))
		say_difference(o, results, n, before, after);
	note(seen, results, n, 1);
	seen->n_checks++;
	for (unsigned i = 0; i < n_decided; i++)
		seen->n_followed += decided[i].has_first;
	seen->n_waited += n_decided > 1;
	seen->drops[VSW_DROP_FRAGMENT_OVERLAP] += n_dropped;
}

static void
check_datagram(struct oracle *o, struct seen *seen)
{
	struct account account = { .n_waiting = 0 };
	struct chosen chosen = { { false }, { false } };
	struct m_packet pieces[MAX_PIECES];
	unsigned n = pieces_draw(pieces, o->next_id++, &o->seed);

	for (unsigned i = 0; i < n; i++) {
		side_localise(o, &pieces[i]);
		check_piece(o, &account, &pieces[i], &chosen, seen);
		if (draw(&o->seed, 4) == 0) {
			side_edit(o);
			memset(&chosen, 0, sizeof chosen);
		}
	}
	seen->drops[VSW_DROP_FRAGMENT_LOST] += account.n_waiting;
	if (account.n_waiting)
		check_lost(o, pieces[0].in_port, account.n_waiting);
}

/* Is what came out the one result's, in order, in one piece or cut? */
static bool
is_large(const struct oracle *o, const struct m_result *result, size_t n,
	 uint16_t segment)
{
	size_t at = 0;

	for (unsigned i = 0; i < o->n_captured; i++) {
		const struct captured *c = &o->captured[i];

		if (!is_there(c, result)
		    || !large_follows(&result->packet, n, segment, c->frame,
				      c->size, &c->offload, i, &at))
			return false;
	}
	return at == n || (result->is_told && segment && at == segment);
}

/* A packet that is to be summed up, and mostly to be cut; one that goes to one
 * place. */
static void
check_large(struct oracle *o, struct seen *seen)
{
	uint64_t before[N_PORTS][VSW_N_DROPS], after[N_PORTS][VSW_N_DROPS];
	static struct m_outcomes all;
	struct m_result *results = all.all[0].results;
	size_t n = 1 + draw(&o->seed, LARGE_MAX);
	uint16_t segment = draw(&o->seed, 4)
			   ? (uint16_t) (100 + draw(&o->seed, 1400)) : 0;
	struct m_packet p;
	uint64_t hits;

	do
		draw_packet(&p, &o->seed);
	while (p.type < M_IPV4 || p.proto == 47 || p.fragment || p.tunnel);
	p.mss = 0;
	p.large = (uint16_t) n;
	p.segment = segment;
	model_decide(&o->model, &p, &all);
	for (unsigned c = 0; c < all.n; c++)
		if (all.all[c].n != 1 || all.all[c].results[0].is_cut)
			return;
	side_count(o, before, &hits);
	side_send_large(o, &p, n, segment);
	side_count(o, after, &hits);
	seen->n_packets++;
	for (unsigned c = 0; c < all.n; c++) {
		results = all.all[c].results;
		if (results[0].drop == VSW_N_DROPS
		    ? memcmp(before, after, sizeof before)
		      || !is_large(o, results, n, segment)
		    : !agrees(o, results, 1, before, after))
			continue;
		note(seen, results, 1, 1);
		seen->n_checks++;
		seen->n_cut += o->n_captured > 1;
		seen->n_uncut += o->n_captured
				 && o->captured[0].offload.segment_kind;
		seen->n_unwrapped += o->wire_is_bytes
				     && results[0].is_remote;
		return;
	}
	say_difference(o, results, 1, before, after);
}

static bool
is_enough(const struct limit *limit, const struct seen *seen)
{
	return (limit->end && time(NULL) >= limit->end)
	       || (limit->n_packets && seen->n_packets >= limit->n_packets);
}

static void
play_edit(struct oracle *o, struct seen *seen)
{
	struct m_packet packets[N_PACKETS];
	unsigned choices[N_PACKETS];

	/* Decided, then cached, unless it has given way. */
	for (unsigned j = 0; j < N_PACKETS; j++) {
		draw_packet(&packets[j], &o->seed);
		side_localise(o, &packets[j]);
		choices[j] = check(o, &packets[j], NO_CHOICE, seen);
		check(o, &packets[j], choices[j], seen);
	}
	for (unsigned j = 0; j < N_PACKETS; j++)
		check(o, &packets[j], choices[j], seen);
	side_edit(o);
	/* Cached, and stale. */
	for (unsigned j = 0; j < N_PACKETS; j++)
		check(o, &packets[j], NO_CHOICE, seen);
	for (unsigned j = 0; j < N_DATAGRAMS; j++)
		check_datagram(o, seen);
	for (unsigned j = 0; j < N_LARGE; j++)
		check_large(o, seen);
}

static void
play(uint64_t seed, const struct limit *limit, struct seen *seen)
{
	static struct oracle oracle;
	struct oracle *o = &oracle;

	*o = (struct oracle) { .round = seed,
			       .seed = seed * UINT64_C(0x9e3779b97f4a7c15) };
	side_build(o);
	for (unsigned i = 0; i < N_EDITS && !is_enough(limit, seen); i++)
		play_edit(o, seen);
	side_take_down(o);
}

/* Prints what was seen; returns how much was not. */
static int
report(const struct seen *seen)
{
	/* The drops that policy can lead to, and those alone. */
	static const enum vsw_drop wanted[] = {
		VSW_DROP_NO_PROGRAM, VSW_DROP_RULE, VSW_DROP_NO_OUTPUT,
		VSW_DROP_NO_MAPPING, VSW_DROP_NO_FLOOD, VSW_DROP_NOT_LOCAL,
		VSW_DROP_UNKNOWN_VNI, VSW_DROP_UNKNOWN_PA,
		VSW_DROP_NO_UPLINK, VSW_DROP_SAME_PORT, VSW_DROP_TTL,
		VSW_DROP_FRAGMENT_LOST, VSW_DROP_FRAGMENT_OVERLAP,
		VSW_DROP_TOO_BIG
	};
	int n_missing = 0;

	for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		printf("%s: %lu\n", vsw_drop_name(wanted[i]),
		       seen->drops[wanted[i]]);
		n_missing += seen->drops[wanted[i]] < 20;
	}
	printf("packets %lu, of which sent %lu, in tunnels %lu, punts %lu, "
	       "copied %lu, by cached flows %lu\n", seen->n_packets,
	       seen->n_sent, seen->n_remote, seen->n_punts, seen->n_copies,
	       seen->n_hits);
	printf("fragments that followed %lu, that had waited %lu\n",
	       seen->n_followed, seen->n_waited);
	printf("large ones cut %lu, left to ports %lu, behind outer headers "
	       "%lu\n", seen->n_cut, seen->n_uncut, seen->n_unwrapped);
	printf("too big and told %lu, fragments of such %lu\n", seen->n_told,
	       seen->n_fragments);
	printf("with a choice of places or next hops %lu\n", seen->n_chosen);
	n_missing += seen->n_chosen < 1000;
	n_missing += seen->n_told < 200;
	n_missing += seen->n_fragments < 100;
	n_missing += seen->n_cut < 100;
	n_missing += seen->n_uncut < 100;
	n_missing += seen->n_unwrapped < 100;
	n_missing += seen->n_followed < 1000;
	n_missing += seen->n_waited < 1000;
	n_missing += seen->n_remote < 1000;
	n_missing += seen->n_punts < 1000;
	n_missing += seen->n_copies < 1000;
	n_missing += seen->n_hits < seen->n_checks / 4;
	printf("%lu passed, %d failed\n", seen->n_checks, n_missing);
	return n_missing;
}

static int
usage(FILE *to)
{
	fprintf(to, "usage: oracle\t\t\t\t%d rounds\n"
		"       oracle ROUND\t\t\tthat round alone\n"
		"       oracle seconds N [ROUND]\t\tas many as fit, from ROUND "
		"(1) on\n"
		"       oracle packets N [ROUND]\t\tuntil so many were sent\n",
		N_ROUNDS);
	return to == stdout ? 0 : 2;
}

static bool
is_number(const char *text, unsigned long *ret)
{
	char *end;

	*ret = strtoul(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end;
}

int
main(int argc, char *argv[])
{
	bool by_time = argc > 1 && !strcmp(argv[1], "seconds");
	unsigned long n = 0, round = 1, n_rounds = 1;
	struct limit limit = { .n_packets = 0 };
	struct seen seen = { .n_packets = 0 };

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout);
	if (argc == 2 && is_number(argv[1], &round)) {
		play(round, &limit, &seen);
		printf("%lu passed, 0 failed\n", seen.n_checks);
		return 0;
	}
	if (argc == 1)
		n_rounds = N_ROUNDS;
	else if (argc > 4 || argc < 3
		 || (!by_time && strcmp(argv[1], "packets"))
		 || !is_number(argv[2], &n) || !n
		 || (argc == 4 && !is_number(argv[3], &round)))
		return usage(stderr);
	if (n && by_time)
		limit.end = time(NULL) + (time_t) n;
	else
		limit.n_packets = n;
	while (n ? !is_enough(&limit, &seen) : n_rounds-- > 0)
		play(round++, &limit, &seen);
	printf("up to round %lu\n", round - 1);
	return report(&seen) != 0;
}
