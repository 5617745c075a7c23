/* SPDX-License-Identifier: Apache-2.0 */

#ifndef HOST_FLOW_LOG_H
#define HOST_FLOW_LOG_H 1

/* What firewall rules log (FW_Rules.logging_state): a line of JSON for each
 * connection, or packet that began none, that such a rule let pass or blocked,
 * now and then for one that goes on, and
 * for its end.  hnv-agent(8) says what stands in it.
 *
 * Workers tell events (vsw_events()), at a bounded rate, and wake the main
 * thread, which writes them; what was lost on the way is said in a line, too.
 * Where to is Host.options' matter: a file, by default flows.log in the log
 * directory, that is opened with the first line, or syslog, or nowhere.
 * [control] */

#include <stddef.h>
#include <stdint.h>
#include <vswitch.h>
#include "agent/model/model.h"

struct flow_log;

struct flow_log_counters {
	uint64_t n_lines;
	uint64_t n_lost;		/* By the switch, for lack of room. */
	uint64_t n_failed;		/* Could not be written. */
};

struct flow_log *flow_log_new(const struct model *, const char *log_dir);
void flow_log_free(struct flow_log *);
/* Follows Host.options. */
void flow_log_follow(struct flow_log *);
/* A file that was moved away is left, and made anew with the next line. */
void flow_log_reopen(struct flow_log *);
/* An event of VSW_EVENT_LOGGED, _CONTINUED or _ENDED. */
void flow_log_event(struct flow_log *, const struct vsw_event *);
/* Seconds between two lines of a connection that goes on; 0: there are none. */
unsigned flow_log_interval(const struct flow_log *);
/* Behind the events of a turn: what was lost, and all to the file. */
void flow_log_flush(struct flow_log *);
void flow_log_get_counters(const struct flow_log *,
			   struct flow_log_counters *);

#endif /* host/flow_log.h */
