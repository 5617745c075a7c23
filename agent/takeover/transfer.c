/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/takeover/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_link.h>

#include "agent/base/log.h"
#include "agent/provider/silence.h"
#include "agent/takeover/move.h"

/* Packets go on coming in, in front of the filter: not for ever. */
enum { DRAIN_MS = 100 };

static int fill(struct netlink *, const struct record *,
		const struct link *from, const struct link *to);
static int carry_over(struct netlink *, const struct record *,
		      const struct link *from, const struct link *to,
		      const struct interface *left, const char **ret_what);
static int prepare(struct netlink *, const struct link *from,
		   const struct link *to, const char **ret_what);
static int turn_over(struct netlink *, const struct record *,
		     const struct link *from, const struct link *to,
		     const char **ret_what);

bool
transfer_take(struct netlink *netlink, struct record *record,
	      const struct attached *uplink, const struct link *from,
	      const struct link *to, struct model_fault *fault)
{
	const char *what = NULL;
	int error = carry_over(netlink, record, from, to, &from->id, &what);

	if (!error) {
		what = "a filter";
		attach_set_bypass(uplink, true);
		error = silence_begin(netlink, from->id.index,
				      SILENCE_TAKE_OVER);
		attach_set_bypass(uplink, false);
	}
	if (!error)
		error = move_make_equal(netlink, &record->holdings, &to->id,
					&what);
	if (!error) {
		what = "addr_gen_mode";
		error = link_set_gen_mode(netlink, to->id.index,
					  from->gen_mode);
	}
	if (error)
		model_fault_set(fault, MODEL_SYSTEM, "%s: %s: %s", to->id.name,
				what, strerror(-error));
	return !error;
}

int
transfer_back(struct netlink *netlink, struct record *record,
	      struct attached *const devices[2], struct model_fault *fault)
{
	const struct holdings *holdings = &record->holdings;
	struct link to, from;
	const char *whats[5] = { NULL };
	int errors[5], error = link_read(netlink, record->interface, &to);
	bool has_from = !link_read(netlink, record->port, &from);

	if (error) {
		model_fault_set(fault, MODEL_NO_DEVICE, "%s: %s",
				record->interface, strerror(-error));
		return error;
	}
	(void) !link_set_up(netlink, to.id.index);
	attach_set_bypass(devices[0], true);
	silence_end(netlink, to.id.index, SILENCE_TAKE_OVER);
	attach_set_bypass(devices[0], false);
	errors[0] = move_copy_addresses(netlink, holdings, &to.id, &whats[0]);
	errors[1] = move_copy_neighbours(netlink, holdings, &to.id,
					 &whats[1]);
	errors[2] = move_copy_routes(netlink, holdings, &to.id, &whats[2]);
	if (!has_from) {
		from.id.index = -1;
		memcpy(from.id.name, record->port, sizeof from.id.name);
	}
	errors[3] = move_finish(netlink, holdings, &from.id, &to.id,
				&whats[3]);
	attach_drain(devices, 2, DRAIN_MS);
	if (has_from)
		(void) !link_set_mac(netlink, from.id.index,
				     record->port_mac);
	errors[4] = move_make_equal(netlink, holdings, &to.id, &whats[4]);
	(void) !link_set_gen_mode(netlink, to.id.index, record->gen_mode);
	for (int i = 0; i < 5 && !error; i++) {
		error = errors[i];
		if (error)
			model_fault_set(fault, MODEL_SYSTEM, "%s: %s: %s",
					record->interface, whats[i],
					strerror(-error));
	}
	return error;
}

int
transfer_repeat(struct netlink *netlink, struct record *record,
		const struct link *from, const struct link *to)
{
	const char *what;
	struct holdings holdings;
	int error = 0;

	if (from->gen_mode != IN6_ADDR_GEN_MODE_NONE)
		error = link_set_gen_mode(netlink, from->id.index,
					  IN6_ADDR_GEN_MODE_NONE);
	if (!error)
		error = holdings_take(netlink, &from->id, &holdings);
	if (error)
		return error;
	if (memcmp(from->mac, to->mac, 6))
		error = fill(netlink, record, from, to);
	if (!error)
		error = silence_begin(netlink, from->id.index,
				      SILENCE_TAKE_OVER);
	if (!error && !holdings_is_empty(&holdings)) {
		log_line(LOG_LEVEL_INFO, record->interface, "it has been given "
			 "addresses or routes: they go to %s as well",
			 record->port);
		error = move_copy_addresses(netlink, &holdings, &to->id,
					    &what);
		if (!error)
			error = move_copy_routes(netlink, &holdings, &to->id,
						 &what);
		if (!error)
			error = move_finish(netlink, &holdings, &from->id,
					    &to->id, &what);
	}
	holdings_done(&holdings);
	return error;
}

/* A host port that knows nothing: somebody has deleted the one before. */
static int
fill(struct netlink *netlink, const struct record *record,
     const struct link *from, const struct link *to)
{
	const struct interface nothing = { .index = -1 };
	const char *what;
	int error;

	log_line(LOG_LEVEL_WARN, record->port, "it has been made anew: it gets "
		 "what %s had when it was taken over", record->interface);
	error = carry_over(netlink, record, from, to, &nothing, &what);
	/* By its MAC it is known that this is still to be done. */
	if (error)
		(void) !link_set_mac(netlink, to->id.index, to->mac);
	return error;
}

/* 'left' loses what it has. */
static int
carry_over(struct netlink *netlink, const struct record *record,
	   const struct link *from, const struct link *to,
	   const struct interface *left, const char **ret_what)
{
	int error = prepare(netlink, from, to, ret_what);

	if (!error)
		error = move_copy_addresses(netlink, &record->holdings,
					    &to->id, ret_what);
	if (!error)
		error = turn_over(netlink, record, from, to, ret_what);
	if (!error)
		error = move_finish(netlink, &record->holdings, left, &to->id,
				    ret_what);
	return error;
}

/* What nobody notices yet: the host port has no address. */
static int
prepare(struct netlink *netlink, const struct link *from,
	const struct link *to, const char **ret_what)
{
	struct holdings own;
	int error = holdings_take(netlink, &to->id, &own);

	*ret_what = "its addresses";
	if (error)
		return error;
	*ret_what = "addr_gen_mode";
	error = link_set_gen_mode(netlink, to->id.index,
				  IN6_ADDR_GEN_MODE_NONE);
	if (!error)
		error = link_set_gen_mode(netlink, from->id.index,
					  IN6_ADDR_GEN_MODE_NONE);
	move_remove(netlink, &own, &to->id);
	holdings_done(&own);
	if (!error) {
		*ret_what = "MTU";
		error = link_set_mtu(netlink, to->id.index, from->mtu);
	}
	if (!error)
		error = link_copy_settings(netlink, from, to, ret_what);
	return error;
}

/* From here on what comes in is heard twice, until the interface is silent. */
static int
turn_over(struct netlink *netlink, const struct record *record,
	  const struct link *from, const struct link *to,
	  const char **ret_what)
{
	int error = link_set_mac(netlink, to->id.index, from->mac);

	*ret_what = "its MAC";
	if (!error)
		error = move_copy_neighbours(netlink, &record->holdings,
					     &to->id, ret_what);
	if (!error)
		error = move_copy_routes(netlink, &record->holdings, &to->id,
					 ret_what);
	return error;
}
