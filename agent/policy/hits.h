/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_HITS_H
#define POLICY_HITS_H 1

/* What the rules of a switch count in, by what a rule is called, and 'key', if
 * that is not 0: a group that is built anew counts on where the one before it
 * was.  Rules for which both are the same count together, so that a row that
 * comes to several rules has one number.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch.h>

struct hit;
struct hits;

struct hits *hits_new(struct vsw *);
/* All have been put back. */
void hits_free(struct hits *);

/* The counter of 'rule' in 'scope'; NULL: there is no memory for it. */
struct hit *hits_get(struct hits *, const char *scope, const char *rule,
		     uint64_t key);
void hits_put(struct hit *);
/* The tag that the rule logs with, by which it is found again; 0: there are too
 * many. */
uint16_t hits_tag(struct hit *, const char *rule, bool allows);
/* Also of a rule that is gone, as long as its tag is nobody else's. */
bool hits_find_tag(const struct hits *, uint16_t tag, const char **ret_rule,
		   bool *ret_allows);
struct vsw_counter *hit_counter(const struct hit *);
uint64_t hit_n_packets(const struct hit *);
/* For whoever shows several: how many of them count in it. */
size_t *hit_n_shown(struct hit *);

#endif /* policy/hits.h */
