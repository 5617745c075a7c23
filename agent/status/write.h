/* SPDX-License-Identifier: Apache-2.0 */

#ifndef STATUS_WRITE_H
#define STATUS_WRITE_H 1

/* What main.c and the host call of agent/status.  [control] */

#include <stdbool.h>
#include "agent/model/model.h"

/* Writes status, cur_cfg and Ucast_Macs_Local that differ from what the rows
 * say, in one transaction for each database.  'is_thorough' once in some
 * seconds: all is looked at, and what the engine refused is to be tried
 * again. */
void status_write(struct model *, bool is_thorough);
/* The same of what these ports have counted; model_round() knows whose turn it
 * is. */
void status_count(struct model *, struct model_port *const ports[], size_t n);
/* Tells of mappings that are asked for (model/request.h). */
void request_write(struct model *);

/* When a controller last changed anything: seconds since 1970; 0: never.  Set
 * at the start, for what is on disk.  If that was in this run, it moves with a
 * clock that is set, so that its age stays what it is. */
void policy_set_time(struct model *, int64_t time_s);
int64_t policy_get_time(const struct model *);

#endif /* status/write.h */
