/* SPDX-License-Identifier: Apache-2.0 */

#ifndef STATUS_WRITE_H
#define STATUS_WRITE_H 1

/* What main.c and the host call of agent/status.  [control] */

#include <stdbool.h>
#include "agent/model/model.h"

/* Writes status, cur_cfg, Ucast_Macs_Local and statistics that differ from
 * what the rows say, in one transaction for each database.  'with_statistics'
 * once in some seconds. */
void status_write(struct model *, bool with_statistics);
/* Tells of mappings that are asked for (model/request.h). */
void request_write(struct model *);

/* When a controller last changed anything: seconds since 1970; 0: never.  Set
 * at the start, for what is on disk. */
void policy_set_time(struct model *, int64_t time_s);
int64_t policy_get_time(const struct model *);

#endif /* status/write.h */
