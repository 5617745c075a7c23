/* SPDX-License-Identifier: Apache-2.0 */

/* What learning switches have learned, as text. */

#include "agent/inspect/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/device/thread.h"
#include "agent/net/control.h"
#include "agent/policy/bridge.h"

static void run_macs(struct control_request *, size_t n_args,
		     const char *const args[], void *commands_);
static void say_switch(FILE *, const struct bridge *);
static void say_macs(FILE *, const struct list *ages, bool is_asked);

void
commands_add_bridge(struct control *control, struct commands *commands)
{
	control_add_command(control, "macs", "[SWITCH]", 0, 1, run_macs,
			    commands);
}

static void
run_macs(struct control_request *request, size_t n_args,
	 const char *const args[], void *commands_)
{
	struct commands *commands = commands_;
	struct list *switches = &commands->model->switches;
	bool is_found = !n_args;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		abort();
	for (struct list *link = switches->next; link != switches;
	     link = link->next) {
		const struct model_switch *sw =
			LIST_ENTRY(link, const struct model_switch, link);

		if (n_args && strcmp(sw->name, args[0]))
			continue;
		is_found = true;
		if (sw->bridge)
			say_switch(file, sw->bridge);
	}
	fclose(file);
	if (is_found)
		control_reply(request, text);
	else
		control_fail(request, "there is no such switch");
	free(text);
}

static void
say_switch(FILE *file, const struct bridge *bridge)
{
	const struct list *ports = &bridge->sw->ports;

	fprintf(file, "switch %s: %zu addresses, %" PRIu64 " moves, %" PRIu64
		" moves held\n", bridge->sw->name, bridge->n_macs,
		bridge->n_moves, bridge->n_held);
	for (const struct list *link = ports->next; link != ports;
	     link = link->next) {
		const struct bridge_port *port =
			LIST_ENTRY(link, const struct model_port, link)
			->bridged;

		if (port && port->n_refused)
			fprintf(file, "port %s: %" PRIu64 " refused\n",
				port->port->name, port->n_refused);
	}
	say_macs(file, &bridge->fresh, false);
	say_macs(file, &bridge->asked, true);
}

static void
say_macs(FILE *file, const struct list *ages, bool is_asked)
{
	uint64_t now = thread_now();

	for (const struct list *link = ages->next; link != ages;
	     link = link->next) {
		const struct bridge_mac *mac =
			LIST_ENTRY(link, const struct bridge_mac, by_age);
		char text[MODEL_MAC_TEXT_SIZE];

		model_mac_to_text(mac->mac, text);
		fprintf(file, "%s vlan %u port %s%s for %" PRIu64 " s\n", text,
			mac->vlan, mac->port->port->name,
			is_asked ? ", not heard" : "",
			(now - mac->at_ns) / 1000000000);
	}
}
