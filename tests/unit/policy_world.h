/* SPDX-License-Identifier: Apache-2.0 */

#ifndef UNIT_POLICY_WORLD_H
#define UNIT_POLICY_WORLD_H 1

/* The agent's databases in memory, a model of them, and a host that opens ports
 * which lead nowhere: what the agent's main thread does in one turn. */

#include <stdbool.h>
#include <stdint.h>
#include "agent/ovsdb/store/database.h"
#include "agent/policy/policy.h"

enum {
	WORLD_HNV, WORLD_MS_VTEP, WORLD_HARDWARE_VTEP, WORLD_MS_FIREWALL,
	WORLD_N
};

struct world {
	struct database *databases[WORLD_N];
	struct model *model;
};

void world_init(struct world *);
void world_done(struct world *);

/* The params of a "transact", with ' for ", and printf's insertions.  Fails
 * the test unless all of it succeeds. */
void world_transact(struct world *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* One turn: the model, the host, the policy, the status. */
void world_turn(struct world *);

struct model_switch *world_switch(struct world *);	/* The first. */
struct model_port *world_port(struct world *, const char *name);
struct model_subnet *world_subnet(struct world *, uint32_t vni);
/* "KEY" of a map column of the row whose 'name' (or the only row, if NULL) is
 * 'name'; "" if it is not there. */
const char *world_status(struct world *, int database, const char *table,
			 const char *name, const char *column,
			 const char *key);
int64_t world_integer(struct world *, int database, const char *table,
		      const char *column);

/* A host with switch br0, provider address 192.168.1.10, and ports vm1 and
 * vm2 of iface_ids "a1" and "a2"; vm1 has MAC 02:00:00:00:00:11. */
void world_add_host(struct world *);
/* ms_vtep: subnets 5001 and 5002 in one router, 6001 on its own; locators of
 * 192.168.1.10 and 192.168.2.20; vm1 bound to 5001 and mapped to 10.1.1.11,
 * 10.1.1.12 and, in 5002, 10.1.2.21 at the other host.  Row UUIDs: U(n). */
void world_add_story(struct world *);

/* Rows have UUIDs that say what they are. */
#define U(n) "00000000-0000-4000-8000-0000000000" n
#define HERE U("01")
#define THERE U("02")
#define SUBNET_5001 U("11")
#define SUBNET_5002 U("12")
#define SUBNET_6001 U("13")
#define ROUTER U("21")
#define VM1 U("31")
#define VM2 U("32")
#define WEB U("41")
#define OTHER U("43")

#endif /* unit/policy_world.h */
