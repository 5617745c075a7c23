/* SPDX-License-Identifier: Apache-2.0 */

/* What is taken over, as text or JSON. */

#include "agent/takeover/takeover.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/report.h"
#include "agent/net/control.h"
#include "agent/takeover/record.h"

static void run_list(struct control_request *, size_t n_args,
		     const char *const args[], void *takeovers_);
static void say_one(struct report *, const struct record *);

void
takeovers_add_commands(struct control *control, struct takeovers *t)
{
	control_add_command(control, "take-overs", "[--format=json]", 0, 1,
			    run_list, t);
}

static void
run_list(struct control_request *request, size_t n_args,
	 const char *const args[], void *takeovers_)
{
	const struct list *records = takeovers_records(takeovers_);
	struct report report;
	char *text;

	if (n_args && strcmp(args[0], "--format=json")) {
		control_fail(request, "the only argument is --format=json");
		return;
	}
	report_start(&report, n_args);
	report_open_list(&report, "take_overs");
	for (const struct list *link = records->next; link != records;
	     link = link->next)
		say_one(&report, LIST_ENTRY(link, const struct record, link));
	report_close_list(&report);
	text = report_end(&report);
	control_reply(request, text);
	free(text);
}

static void
say_one(struct report *report, const struct record *record)
{
	const struct model_fault *fault = &record->fault;
	int64_t left_ms = record->deadline_ms - record_now_ms();
	uint64_t left_s = left_ms > 0 ? (uint64_t) (left_ms + 999) / 1000 : 0;

	report_open(report, NULL);
	report_line(report, "%s: switch %s, host port %s: %s",
		    record->interface, record->switch_name, record->port,
		    record_state_name(record->state));
	report_string(report, "interface", record->interface);
	report_string(report, "switch", record->switch_name);
	report_string(report, "port", record->port);
	report_string(report, "state", record_state_name(record->state));
	if (record->state == RECORD_PENDING) {
		report_line(report, "    comes back in %" PRIu64 " s, unless "
			    "confirmed: hnv-ctl confirm %s", left_s,
			    record->switch_name);
		report_string(report, "id", record->id);
		report_number(report, "seconds_left", left_s);
	}
	if (fault->reason) {
		const char *detail = fault->detail
				     ? fault->detail
				     : model_reason_text(fault->reason);

		report_line(report, "    %s (%s)",
			    model_reason_name(fault->reason), detail);
		report_string(report, "reason",
			      model_reason_name(fault->reason));
		report_string(report, "detail", detail);
	}
	report_close(report);
}
