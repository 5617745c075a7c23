/* SPDX-License-Identifier: Apache-2.0 */

#include "ctl/find.h"

#include <string.h>

#include <db-ctl-base.h>
#include <ovsdb-idl.h>
#include <util.h>

#include "ctl/hnv-idl.h"

void
find_subscribe(struct ctl_context *context)
{
	static const struct ovsdb_idl_column *const columns[] = {
		&hnvrec_host_col_switches,
		&hnvrec_switch_col_name,
		&hnvrec_switch_col_type,
		&hnvrec_switch_col_ports,
		&hnvrec_switch_col_provider_addresses,
		&hnvrec_switch_col_options,
		&hnvrec_switch_col_status,
		&hnvrec_port_col_name,
		&hnvrec_port_col_type,
		&hnvrec_port_col_iface_id,
		&hnvrec_port_col_mac,
		&hnvrec_port_col_options,
		&hnvrec_port_col_status,
		&hnvrec_provider_address_col_ip,
		&hnvrec_provider_address_col_device,
		&hnvrec_provider_address_col_options,
		&hnvrec_provider_address_col_status,
	};

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		ovsdb_idl_add_column(context->idl, columns[i]);
}

const struct hnvrec_host *
find_host(struct ctl_context *context)
{
	return hnvrec_host_first(context->idl);
}

const struct hnvrec_switch *
find_switch(struct ctl_context *context, const char *name)
{
	const struct hnvrec_host *host = find_host(context);

	for (size_t i = 0; host && i < host->n_switches; i++)
		if (!strcmp(host->switches[i]->name, name))
			return host->switches[i];
	return NULL;
}

const struct hnvrec_port *
find_port(struct ctl_context *context, const char *name,
	  const struct hnvrec_switch **ret_switch)
{
	const struct hnvrec_host *host = find_host(context);

	for (size_t i = 0; host && i < host->n_switches; i++) {
		const struct hnvrec_switch *sw = host->switches[i];

		for (size_t j = 0; j < sw->n_ports; j++) {
			if (strcmp(sw->ports[j]->name, name))
				continue;
			*ret_switch = sw;
			return sw->ports[j];
		}
	}
	return NULL;
}

const struct hnvrec_provider_address *
find_pa(struct ctl_context *context, const char *ip,
	const struct hnvrec_switch **ret_switch)
{
	const struct hnvrec_host *host = find_host(context);

	for (size_t i = 0; host && i < host->n_switches; i++) {
		const struct hnvrec_switch *sw = host->switches[i];

		for (size_t j = 0; j < sw->n_provider_addresses; j++) {
			if (strcmp(sw->provider_addresses[j]->ip, ip))
				continue;
			*ret_switch = sw;
			return sw->provider_addresses[j];
		}
	}
	return NULL;
}
