/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_MONITOR_REQUEST_H
#define OVSDB_MONITOR_REQUEST_H 1

/* Reads what clients say that they want to monitor.  [control] */

#include <jansson.h>
#include "agent/ovsdb/value/error.h"
#include "agent/ovsdb/server/view.h"

/* <monitor-request>, or with 'is_diff' <monitor-cond-request>, of one table,
 * or an array of them. */
struct ovsdb_error *monitor_request_read(const struct table_schema *,
					 json_t *requests, bool is_diff,
					 struct view **ret_view);

/* An array of <monitor-cond-update-request>: gives a view like 'view' with
 * another filter, or NULL if the array is empty, which changes nothing. */
struct ovsdb_error *monitor_request_change(const struct view *,
					   json_t *requests,
					   struct view **ret_view);

#endif /* ovsdb/server/monitor_request.h */
