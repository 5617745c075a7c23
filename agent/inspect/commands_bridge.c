/* SPDX-License-Identifier: Apache-2.0 */

/* What learning switches, and subnets of hardware_vtep, have learned, as
 * text. */

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
static void say_switch(FILE *, const struct model_switch *,
		       const struct macs *);
static void say_macs(FILE *, const struct model_switch *, const struct macs *,
		     const struct list *ages);
static const struct mac_port *port_of(const struct model_switch *,
				      const struct macs *,
				      const struct model_port *);

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
			say_switch(file, sw, &sw->bridge->macs);
		if (sw->learned.map.n || !sw->bridge)
			say_switch(file, sw, &sw->learned);
	}
	fclose(file);
	if (is_found)
		control_reply(request, text);
	else
		control_fail(request, "there is no such switch");
	free(text);
}

static void
say_switch(FILE *file, const struct model_switch *sw, const struct macs *macs)
{
	const struct list *ports = &sw->ports;

	fprintf(file, "switch %s%s: %zu addresses, %" PRIu64 " moves, %" PRIu64
		" moves held\n", sw->name,
		macs == &sw->learned ? ", of hardware_vtep" : "", macs->map.n,
		macs->n_moves, macs->n_held);
	for (const struct list *link = ports->next; link != ports;
	     link = link->next) {
		const struct model_port *port =
			LIST_ENTRY(link, const struct model_port, link);
		const struct mac_port *of = port_of(sw, macs, port);

		if (of && of->n_refused)
			fprintf(file, "port %s: %" PRIu64 " refused\n",
				port->name, of->n_refused);
	}
	say_macs(file, sw, macs, &macs->fresh);
	say_macs(file, sw, macs, &macs->asked);
}

static void
say_macs(FILE *file, const struct model_switch *sw, const struct macs *macs,
	 const struct list *ages)
{
	bool is_learned = macs == &sw->learned;
	uint64_t now = thread_now();

	for (const struct list *link = ages->next; link != ages;
	     link = link->next) {
		const struct mac *mac =
			LIST_ENTRY(link, const struct mac, by_age);
		const struct model_port *port = is_learned
			? LIST_ENTRY(mac->port, const struct model_port,
				     learned)
			: LIST_ENTRY(mac->port, const struct bridge_port,
				     macs)->port;
		char text[MODEL_MAC_TEXT_SIZE];

		model_mac_to_text(mac->mac, text);
		fprintf(file, "%s %s %u port %s%s for %" PRIu64 " s\n", text,
			is_learned ? "vsid" : "vlan",
			is_learned ? mac->family : mac->vlan, port->name,
			mac->is_asked ? ", not heard" : "",
			(now - mac->at_ns) / 1000000000);
	}
}

/* NULL: learns nothing there. */
static const struct mac_port *
port_of(const struct model_switch *sw, const struct macs *macs,
	const struct model_port *port)
{
	if (macs == &sw->learned)
		return &port->learned;
	return port->bridged ? &port->bridged->macs : NULL;
}
