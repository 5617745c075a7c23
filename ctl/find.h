/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CTL_FIND_H
#define CTL_FIND_H 1

/* Rows of the database "hnv" by name.
 *
 * All start from the Host row and follow references, so that a row that an
 * earlier verb of the same command line has taken out is not found.  Nothing
 * is found where find_subscribe() was not called before. */

struct ctl_context;
struct hnvrec_host;
struct hnvrec_port;
struct hnvrec_provider_address;
struct hnvrec_switch;

/* For the 'prerequisites' of a verb: asks for the tables and columns that are
 * configuration, and for all statuses. */
void find_subscribe(struct ctl_context *);

/* The only Host row, or NULL if nobody has made it yet. */
const struct hnvrec_host *find_host(struct ctl_context *);

/* The switch called 'name', or NULL. */
const struct hnvrec_switch *find_switch(struct ctl_context *,
					const char *name);

/* The port called 'name' and the switch it is on, or NULL. */
const struct hnvrec_port *find_port(struct ctl_context *, const char *name,
				    const struct hnvrec_switch **ret_switch);

/* The provider address 'ip', in canonical text, and the switch it is on, or
 * NULL. */
const struct hnvrec_provider_address *
find_pa(struct ctl_context *, const char *ip,
	const struct hnvrec_switch **ret_switch);

#endif /* ctl/find.h */
