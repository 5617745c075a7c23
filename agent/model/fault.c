/* SPDX-License-Identifier: Apache-2.0 */

/* Why something is not in force. */

#include "agent/model/state.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"

static const char *const reason_names[] = {
	"ok", "no_policy", "no_iface_id", "no_device", "no_netns",
	"no_address", "link_down",
	"no_subnet",
	"no_mapping", "no_provider_address", "bad_mac", "bad_address",
	"bad_prefix", "no_next_hop", "bad_vni", "bad_option", "bad_rule",
	"port_blocked", "duplicate", "conflict", "not_allowed",
	"not_supported", "limit", "not_stored", "in_use", "not_confirmed",
	"interrupted", "system", "engine"
};
static_assert(sizeof reason_names / sizeof *reason_names == MODEL_N_REASONS,
	      "each reason has a name");

static const char *const reason_texts[] = {
#define REASON_TEXT(NAME, TEXT) TEXT,
	MODEL_REASONS(REASON_TEXT)
#undef REASON_TEXT
};

static char *format_text(const char *format, va_list)
	__attribute__((format(printf, 1, 0)));

const char *
model_reason_name(enum model_reason reason)
{
	return reason_names[reason];
}

const char *
model_reason_text(enum model_reason reason)
{
	return reason_texts[reason];
}

bool
model_fault_set(struct model_fault *fault, enum model_reason reason,
		const char *format, ...)
{
	char *detail = NULL;
	va_list args;

	if (format) {
		va_start(args, format);
		detail = format_text(format, args);
		va_end(args);
	}
	if (fault->reason == reason && !fault->detail == !detail
	    && (!detail || !strcmp(fault->detail, detail))) {
		free(detail);
		return false;
	}
	free(fault->detail);
	fault->reason = reason;
	fault->detail = detail;
	return true;
}

struct row_fault *
row_fault_new(struct model_state *state, enum model_reason reason,
	      const char *table, const struct uuid *row, const char *format,
	      ...)
{
	static struct log_limit limit;
	struct row_fault *fault = xcalloc(1, sizeof *fault);
	char text[UUID_TEXT_SIZE];
	va_list args;

	fault->reason = reason;
	fault->row = *row;
	fault->table = table;
	va_start(args, format);
	fault->detail = format_text(format, args);
	va_end(args);
	list_append(&state->faults[reason], &fault->link);
	state->n_faults[reason]++;
	uuid_to_text(row, text);
	log_limited(&limit, LOG_LEVEL_WARN, table, "row %s: %s: %s", text,
		    model_reason_text(reason), fault->detail);
	return fault;
}

void
row_fault_free(struct model_state *state, struct row_fault *fault)
{
	if (!fault)
		return;
	state->n_faults[fault->reason]--;
	list_remove(&fault->link);
	free(fault->detail);
	free(fault);
}

static char *
format_text(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		abort();
	return text;
}
