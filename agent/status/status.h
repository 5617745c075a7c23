/* SPDX-License-Identifier: Apache-2.0 */

#ifndef STATUS_STATUS_H
#define STATUS_STATUS_H 1

/* What the files of status share: one transaction for each database, begun
 * when the first value differs from what its row says.  [control] */

#include <stdbool.h>
#include "agent/model/state.h"
#include "agent/ovsdb/store/transaction.h"

struct teller {
	struct database *database;
	struct transaction *transaction;	/* NULL: all is said. */
};

struct transaction *teller_transaction(struct teller *);
/* Takes over what 'value' holds. */
void teller_set(struct teller *, const struct row *, const char *column,
		struct datum *value);
/* The same into a row that is new. */
void teller_put(struct row *, const char *column, struct datum *value);
/* Commits; a failure is logged, and told again by the next status_write(). */
bool teller_done(struct teller *);

/* "bound", "blocked", "unbound" or "error", and why. */
const char *status_of_port(const struct model_port *,
			   const struct model_fault **ret_fault);
void status_add_fault(struct datum *, const struct model_fault *);

/* status_trunk.c: of a port with the VLANs in it. */
/* State and reason, of which the port's own comes first, and "vlan_10_state",
 * "vlan_10_reason", "vlan_10_detail" and "vlan_10_vsid" for each VLAN. */
void status_add_port(struct datum *status, const struct model_port *);
/* Of what that says; never 0. */
uint64_t status_hash_port(const struct model_port *, uint64_t hash);
/* 'vid' 0: the port itself.  NULL: it has no such VLAN.  Looks behind 'after'
 * first, which is NULL or what was found last. */
const struct model_port *status_vlan_port(const struct model_port *trunk,
					  int64_t vid,
					  const struct model_port *after);

/* status_macs.c: rows of Ucast_Macs_Local and Mcast_Macs_Local that are ours,
 * where they differ from what is so. */
void status_macs_write(struct model_state *, struct teller *);

/* status_path.c */
void status_paths_write(struct model_state *);

#endif /* status/status.h */
