/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_OVSDB_PEERS_H
#define TESTS_OVSDB_PEERS_H 1

/* Clients by name, of a server in this process or behind a Unix socket. */

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

struct peers;

/* A server of its own, with an empty database of that schema in memory. */
struct peers *peers_inside(json_t *schema);
struct peers *peers_outside(const char *socket_path);
void peers_free(struct peers *);

/* A client that is new connects.  The clock moves on by that much (inside),
 * or is waited for while messages come in (outside). */
void peers_send(struct peers *, const char *client, json_t *message);
void peers_disconnect(struct peers *, const char *client);
void peers_advance(struct peers *, int64_t ms);

/* All that the client has got and not taken yet, in order; waits until there
 * are 'n_expected', or nothing more will come.  {} stands for a connection
 * that the server closed. */
json_t *peers_take(struct peers *, const char *client, size_t n_expected);

/* The names of all clients; borrowed names. */
json_t *peers_names(struct peers *);

#endif
