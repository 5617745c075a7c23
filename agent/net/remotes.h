/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_REMOTES_H
#define NET_REMOTES_H 1

/* All remotes of a program, and its TLS: what "--remote" and "--private-key"
 * and their kin say.
 *
 * A remote is a method (listener.h) or "db:DB,TABLE,COLUMN" (manager.h).  So
 * is a setting of TLS: a value, or a column of strings whose first one is the
 * value, from now on.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <event2/event.h>
#include "agent/net/listener.h"
#include "agent/net/tls.h"
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/server/server.h"

struct remotes;

struct remotes *remotes_new(struct event_base *, struct server *);
/* Before the databases are freed. */
void remotes_free(struct remotes *);

/* For a program's struct option[]; values are 'base' + enum tls_setting. */
#define REMOTES_TLS_OPTIONS(base) \
	{ "private-key", required_argument, NULL, base + TLS_PRIVATE_KEY }, \
	{ "certificate", required_argument, NULL, base + TLS_CERTIFICATE }, \
	{ "ca-cert", required_argument, NULL, base + TLS_CA_CERT }, \
	{ "bootstrap-ca-cert", required_argument, NULL, \
	  base + TLS_BOOTSTRAP_CA_CERT }, \
	{ "peer-ca-cert", required_argument, NULL, \
	  base + TLS_PEER_CA_CERT }, \
	{ "crl", required_argument, NULL, base + TLS_CRL }, \
	{ "peer-name", required_argument, NULL, base + TLS_PEER_NAMES }, \
	{ "ssl-protocols", required_argument, NULL, base + TLS_PROTOCOLS }, \
	{ "ssl-ciphers", required_argument, NULL, base + TLS_CIPHERS }, \
	{ "ssl-ciphersuites", required_argument, NULL, \
	  base + TLS_CIPHERSUITES }

bool remotes_set_tls(struct remotes *, enum tls_setting, const char *value,
		     char **ret_problem);
/* Have key, certificate and CA been named, if only by a column? */
bool remotes_have_tls(const struct remotes *);

/* On failure, one line in '*ret_problem', to be freed.  A remote that is there
 * already is no failure. */
bool remotes_add(struct remotes *, const char *name, char **ret_problem);
/* False: there was none. */
bool remotes_remove(struct remotes *, const char *name);

/* Ends all sessions, and dials anew. */
void remotes_reconnect(struct remotes *);

/* What all listeners together have counted, those that are gone included. */
void remotes_counters(const struct remotes *, struct listener_counters *);

size_t remotes_n(const struct remotes *);
/* NULL: those that a column names. */
const struct listener *remotes_listener(const struct remotes *, size_t i);
const char *remotes_name(const struct remotes *, size_t i); /* As added. */

/* Lets go of what the database says, before it is taken away or gets another
 * schema. */
void remotes_forget(struct remotes *, const struct database *);

#endif /* net/remotes.h */
