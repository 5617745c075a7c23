/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ORACLE_DRAW_H
#define ORACLE_DRAW_H 1

/* Draws policy and packets by chance.  The same seed draws the same (in
 * one build: compilers may draw a struct's members in another order). */

#include "tests/oracle/model.h"

/* Everything that is sealed: sets, groups, programs. */
void draw_policy(struct model *, uint64_t *seed);
void draw_entry(struct m_entry *, bool may_be_none, uint64_t *seed);
void draw_packet(struct m_packet *, uint64_t *seed);
unsigned draw(uint64_t *seed, unsigned below);

#endif /* oracle/draw.h */
