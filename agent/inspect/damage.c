/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/inspect/damage.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/log.h"
#include "agent/inspect/commands.h"
#include "agent/model/state.h"
#include "agent/net/control.h"
#include "agent/policy/applied.h"

static void run_address(struct control_request *, size_t n_args,
			const char *const args[], void *commands);
static void run_row(struct control_request *, size_t n_args,
		    const char *const args[], void *commands);
static void run_program(struct control_request *, size_t n_args,
			const char *const args[], void *commands);
static struct model_subnet *find(const struct commands *,
				 const char *const args[],
				 struct mapping_key *ret_key);
static void warn(const char *what, const char *of);

void
damage_add(struct control *control, struct commands *commands)
{
	control_add_command(control, "damage/address", "VSID IP|MAC", 2, 2,
			    run_address, commands);
	control_add_command(control, "damage/row", "VSID IP|MAC", 2, 2,
			    run_row, commands);
	control_add_command(control, "damage/program", "PORT", 1, 1,
			    run_program, commands);
}

/* Out of each switch's mapping, and of that alone. */
static void
run_address(struct control_request *request, size_t n_args,
	    const char *const args[], void *commands_)
{
	const struct commands *commands = commands_;
	const struct list *switches = &commands->model->switches;
	struct mapping_key key;
	struct model_subnet *subnet = find(commands, args, &key);

	(void) n_args;
	if (!subnet) {
		control_fail(request, "there is no such address");
		return;
	}
	for (const struct list *link = switches->next; link != switches;
	     link = link->next) {
		struct placement *placement = applied_find(subnet,
			LIST_ENTRY(link, struct model_switch, link));

		if (!placement)
			continue;
		if (key.ca.n)
			vsw_mapping_remove_addr(placement->edited.mapping,
						&key.ca);
		else
			vsw_mapping_remove_mac(placement->edited.mapping,
					       key.mac);
	}
	warn("address", args[1]);
	control_reply(request, "");
}

/* The model, and then the switches, forget a row of Ucast_Macs_*. */
static void
run_row(struct control_request *request, size_t n_args,
	const char *const args[], void *commands_)
{
	const struct commands *commands = commands_;
	struct model_state *state = commands->model->state;
	struct mapping_key key;
	struct model_subnet *subnet = find(commands, args, &key);
	struct mapping_row *row;

	(void) n_args;
	if (!subnet) {
		control_fail(request, "there is no such address");
		return;
	}
	row = subnet_table_find(subnet->table, &key);
	map_remove(&state->mappings, &row->by_row);
	mapping_free(state, row);
	state->is_dirty = true;
	warn("row", args[1]);
	control_reply(request, "");
}

static void
run_program(struct control_request *request, size_t n_args,
	    const char *const args[], void *commands)
{
	struct model_switch *sw;
	struct vsw_port *port = NULL;

	(void) n_args;
	if (commands_find_port(commands, args[0], &sw, NULL))
		port = commands_port_of(sw, args[0]);
	if (!port || vsw_port_set_program(port, NULL)) {
		control_fail(request, "there is no such port");
		return;
	}
	warn("program", args[0]);
	control_reply(request, "");
}

/* NULL: no row names the address in the subnet. */
static struct model_subnet *
find(const struct commands *commands, const char *const args[],
     struct mapping_key *ret_key)
{
	const struct list *subnets = &commands->model->subnets;
	unsigned long vni = strtoul(args[0], NULL, 10);

	memset(ret_key, 0, sizeof *ret_key);
	if (!model_addr_from_text(args[1], &ret_key->ca)
	    && !model_mac_from_text(args[1], ret_key->mac))
		return NULL;
	for (const struct list *link = subnets->next; link != subnets;
	     link = link->next) {
		struct model_subnet *subnet =
			LIST_ENTRY(link, struct model_subnet, link);

		if (subnet->vni == vni
		    && subnet_table_find(subnet->table, ret_key))
			return subnet;
	}
	return NULL;
}

static void
warn(const char *what, const char *of)
{
	log_line(LOG_LEVEL_WARN, "damage", "%s of %s, as somebody has asked",
		 what, of);
}
