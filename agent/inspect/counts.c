/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/inspect/counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static char *join_punts(const struct punts *, enum punted first,
			enum punted end);

void
counts_say_traffic(struct report *report, const struct vsw_port *port)
{
	struct vsw_port_counters c = { .size = sizeof c };

	vsw_port_get_counters(port, &c);
	report_line(report, "        received %" PRIu64 " packets %" PRIu64
		    " bytes, sent %" PRIu64 " packets %" PRIu64 " bytes",
		    c.packets_received, c.bytes_received, c.packets_sent,
		    c.bytes_sent);
	report_number(report, "rx_packets", c.packets_received);
	report_number(report, "rx_bytes", c.bytes_received);
	report_number(report, "tx_packets", c.packets_sent);
	report_number(report, "tx_bytes", c.bytes_sent);
}

void
counts_say_drops(struct report *report, const struct vsw_port *port)
{
	struct vsw_port_counters c = { .size = sizeof c };

	vsw_port_get_counters(port, &c);
	report_open(report, "drops");
	for (int i = 0; i < VSW_N_DROPS; i++) {
		if (!c.drops[i])
			continue;
		report_line(report, "        dropped %" PRIu64 ": %s: %s",
			    c.drops[i], vsw_drop_name((enum vsw_drop) i),
			    vsw_drop_text((enum vsw_drop) i));
		report_number(report, vsw_drop_name((enum vsw_drop) i),
			      c.drops[i]);
	}
	report_close(report);
}

void
counts_say_classes(struct report *report, const struct vsw_port *port)
{
	struct vsw_port_classes classes = { .size = sizeof classes };

	vsw_port_get_classes(port, &classes);
	report_open(report, "classes");
	for (int i = 0; i < VSW_N_CLASSES; i++) {
		const struct vsw_class_counters *c = &classes.of[i];
		const char *name = vsw_class_name((enum vsw_class) i);
		char limit[32] = "";

		if (c->limit)
			snprintf(limit, sizeof limit, " of %" PRIu64,
				 c->limit);
		if (c->created)
			report_line(report, "        %s: %" PRIu64 "%s, at "
				    "most %" PRIu64 ", created %" PRIu64,
				    name, c->n, limit, c->max, c->created);
		report_open(report, name);
		report_number(report, "count", c->n);
		if (c->limit)
			report_number(report, "limit", c->limit);
		report_number(report, "maximum", c->max);
		report_number(report, "created", c->created);
		report_close(report);
	}
	report_close(report);
}

void
counts_say_punts(struct report *report, const struct punts *punts)
{
	static const struct punts none;
	char *came, *became;

	if (!punts)
		punts = &none;
	came = join_punts(punts, 0, PUNTED_ANSWERED);
	became = join_punts(punts, PUNTED_ANSWERED, N_PUNTED);
	if (*came || *became)
		report_line(report, "        to the host: %s%s%s", came,
			    *came && *became ? "; " : "", became);
	free(came);
	free(became);
	report_open(report, "punts");
	for (int i = 0; i < N_PUNTED; i++)
		if (punts->of[i])
			report_number(report, punts_name((enum punted) i),
				      punts->of[i]);
	report_close(report);
}

/* "arp 3, nd 2": those that there were; to be freed. */
static char *
join_punts(const struct punts *punts, enum punted first, enum punted end)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		abort();
	for (enum punted i = first; i < end; i++) {
		if (!punts->of[i])
			continue;
		fprintf(file, "%s%s %" PRIu64, ftell(file) > 0 ? ", " : "",
			punts_name(i), punts->of[i]);
	}
	if (fclose(file))
		abort();
	return text;
}
