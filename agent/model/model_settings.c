/* SPDX-License-Identifier: Apache-2.0 */

/* What the options of Host and of Switch say.  What does not read changes
 * nothing: what was in force before stays, and the row says so. */

#include "agent/model/state.h"

#include <errno.h>
#include <stdlib.h>
#include "agent/base/memory.h"

enum {
	VXLAN_PORT = 4789,
	FLOW_LOG_S = 60, FLOW_LOG_MAX_S = 86400,
	AGEING_S = 300,			/* IEEE 802.1Q, table 8-6. */
	AGEING_MAX_S = 1000000,
	ICMP_ERRORS_PER_S = 100, ICMP_ERRORS_MAX = 1000000,
	CONFIRM_S = 60, CONFIRM_MAX_S = 86400,
	DAY_S = 86400
};

/* Options on their way into settings. */
struct reading {
	const struct model_options *options;
	char *problem;			/* What does not read, or NULL. */
};

static void read_number(struct reading *, const char *key, uint32_t min,
			uint32_t max, uint32_t usual, uint32_t *number);
static void read_connections(struct reading *, struct connection_settings *);
static void read_flag(struct reading *, const char *key, bool usual,
		      bool *flag);
static void read_device(struct reading *, const char **device);
static void read_flow_log(struct reading *, char **path);
static void complain(struct reading *, const char *key, const char *value,
		     const char *wanted, const char *stays);
static void conclude(struct reading *, struct model_fault *);

void
settings_init(struct model *model)
{
	model->settings.vxlan_port = VXLAN_PORT;
	model->settings.may_fragment = true;
	model->settings.flow_log_interval_s = FLOW_LOG_S;
}

bool
settings_read(struct model *model)
{
	struct host_settings *settings = &model->settings;
	struct reading reading = { .options = &settings->options };
	bool may_fragment = settings->may_fragment;
	bool clamps_mss = settings->clamps_mss;

	read_number(&reading, "vxlan_port", 1, UINT16_MAX, VXLAN_PORT,
		    &settings->vxlan_port);
	read_flag(&reading, "fragmentation", true, &settings->may_fragment);
	read_flag(&reading, "mss_clamp", false, &settings->clamps_mss);
	read_flow_log(&reading, &settings->flow_log);
	read_flag(&reading, "flow_log_syslog", false,
		  &settings->flow_log_syslog);
	read_number(&reading, "flow_log_interval", 0, FLOW_LOG_MAX_S,
		    FLOW_LOG_S, &settings->flow_log_interval_s);
	conclude(&reading, &settings->fault);
	return settings->may_fragment != may_fragment
	       || settings->clamps_mss != clamps_mss;
}

void
settings_done(struct model *model)
{
	free(model->settings.flow_log);
	free(model->settings.fault.detail);
}

void
switch_settings_init(struct model_switch *sw)
{
	sw->settings.ageing_s = AGEING_S;
	sw->settings.icmp_errors_per_s = ICMP_ERRORS_PER_S;
	sw->settings.confirm_within_s = CONFIRM_S;
}

void
switch_settings_read(struct model_switch *sw)
{
	struct switch_settings *settings = &sw->settings;
	struct reading reading = { .options = &sw->options };

	read_flag(&reading, "learning", false, &settings->learns);
	read_flag(&reading, "mcast_snooping", false, &settings->snoops);
	read_number(&reading, "ageing", 1, AGEING_MAX_S, AGEING_S,
		    &settings->ageing_s);
	read_number(&reading, "icmp_errors_per_s", 0, ICMP_ERRORS_MAX,
		    ICMP_ERRORS_PER_S, &settings->icmp_errors_per_s);
	read_number(&reading, "confirm_within", 1, CONFIRM_MAX_S, CONFIRM_S,
		    &settings->confirm_within_s);
	read_device(&reading, &settings->provider_device);
	read_connections(&reading, &settings->connections);
	conclude(&reading, &settings->fault);
}

static void
read_number(struct reading *reading, const char *key, uint32_t min,
	    uint32_t max, uint32_t usual, uint32_t *number)
{
	const char *text = model_option(reading->options, key, NULL);
	char wanted[64], stays[16];
	unsigned long n;
	char *end;

	if (!text) {
		*number = usual;
		return;
	}
	errno = 0;
	n = strtoul(text, &end, 10);
	if (!errno && *text >= '0' && *text <= '9' && !*end && n >= min
	    && n <= max) {
		*number = (uint32_t) n;
		return;
	}
	snprintf(wanted, sizeof wanted, "a number from %u to %u", min, max);
	snprintf(stays, sizeof stays, "%u", *number);
	complain(reading, key, text, wanted, stays);
}

/* Of the time that one lasts without packets RFC 5382, 4787 and 5508 speak; a
 * flow has seconds only. */
static void
read_connections(struct reading *reading, struct connection_settings *to)
{
	const struct {
		const char *key;
		uint32_t max, usual, *number;
	} all[] = {
		{ "max_connections", 1u << 26, 1048576, &to->max },
		{ "flow_idle", 32400, 60, &to->flow_idle_s },
		{ "tcp_half_open", DAY_S, 60, &to->tcp_half_open_s },
		{ "tcp_established", DAY_S, 7440, &to->tcp_established_s },
		{ "tcp_closing", DAY_S, 120, &to->tcp_closing_s },
		{ "udp_single", DAY_S, 30, &to->udp_single_s },
		{ "udp", DAY_S, 300, &to->udp_s },
		{ "icmp", DAY_S, 60, &to->icmp_s }
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (!*all[i].number)
			*all[i].number = all[i].usual;
		read_number(reading, all[i].key, 1, all[i].max, all[i].usual,
			    all[i].number);
	}
}

static void
read_flag(struct reading *reading, const char *key, bool usual, bool *flag)
{
	const char *text = model_option(reading->options, key, NULL);

	if (!text)
		*flag = usual;
	else if (!strcmp(text, "true") || !strcmp(text, "false"))
		*flag = *text == 't';
	else
		complain(reading, key, text, "true or false",
			 *flag ? "true" : "false");
}

static void
read_device(struct reading *reading, const char **device)
{
	static const char *const known[] = { "socket", "packet" };
	const char *text = model_option(reading->options, "provider_device",
					NULL);

	if (!text) {
		*device = NULL;
		return;
	}
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(text, known[i])) {
			*device = known[i];
			return;
		}
	complain(reading, "provider_device", text, "socket or packet",
		 *device ? *device : "none");
}

static void
read_flow_log(struct reading *reading, char **path)
{
	const char *text = model_option(reading->options, "flow_log", NULL);

	if (text && *text != '/' && strcmp(text, "none")) {
		complain(reading, "flow_log", text,
			 "a file's whole path or none",
			 *path ? *path : "the usual file");
		return;
	}
	free(*path);
	*path = text ? xstrdup(text) : NULL;
}

static void
complain(struct reading *reading, const char *key, const char *value,
	 const char *wanted, const char *stays)
{
	char *old = reading->problem;

	reading->problem = xasprintf("%s%s%s=\"%s\" is not %s, %s stays",
				     old ? old : "", old ? "; " : "", key,
				     value, wanted, stays);
	free(old);
}

static void
conclude(struct reading *reading, struct model_fault *fault)
{
	if (reading->problem)
		model_fault_set(fault, MODEL_BAD_OPTION, "%s",
				reading->problem);
	else
		model_fault_set(fault, MODEL_OK, NULL);
	free(reading->problem);
}
