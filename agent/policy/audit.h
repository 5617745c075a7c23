/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_AUDIT_H
#define POLICY_AUDIT_H 1

/* The self-audit: compares what the databases say, what the model has made of
 * it, and what is in the switches, a slice at a time and over and over, so that
 * whatever should ever come between them does not last.  A difference is
 * logged, counted and repaired.
 *
 * In a round, each row of Ucast_Macs_* and the number of FW_Rules is held
 * against the model, the program of each port and uplink against the one that
 * was set, and each address of each mapping against the engine's, in both
 * directions.  Nothing is compared while a change is on its way.  [control] */

#include <stddef.h>
#include <stdint.h>
#include "agent/model/model.h"

struct audit;

struct audit_counters {
	uint64_t n_rounds;		/* That were completed. */
	uint64_t n_checks;
	uint64_t n_rows;		/* Differences: database and model, */
	uint64_t n_programs;		/* programs of ports, */
	uint64_t n_addresses;		/* addresses of mappings. */
	uint64_t n_repaired;		/* Of all these. */
	char last[160];			/* The last difference, or "". */
};

struct audit *audit_new(struct model *);
void audit_free(struct audit *);
/* Goes on for about 'max_ns' of time.  False: the round was over before. */
bool audit_slice(struct audit *, uint64_t max_ns);
/* For tests, and for who cannot wait: a whole round. */
void audit_round(struct audit *);
const struct audit_counters *audit_counters(const struct audit *);

#endif /* policy/audit.h */
