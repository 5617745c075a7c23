/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/remotes.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/net/manager.h"
#include "agent/net/place.h"

struct remote {
	struct listener *listener;	/* One of these. */
	struct manager *manager;
};

/* Where a setting of TLS comes from, if it is a column. */
struct tls_source {
	struct observer observer;	/* First. */
	struct remotes *remotes;
	enum tls_setting setting;
	struct place place;
	bool is_used;
};

struct remotes {
	struct event_base *base;
	struct server *server;
	struct tls *tls;
	bool has_setting[N_TLS_SETTINGS];
	struct tls_source sources[N_TLS_SETTINGS];
	struct remote *remotes;
	size_t n;
	struct listener_counters gone;	/* Of remotes that are no more. */
};

static const char *const options[] = {
	[TLS_PRIVATE_KEY] = "private-key",
	[TLS_CERTIFICATE] = "certificate",
	[TLS_CA_CERT] = "ca-cert",
	[TLS_BOOTSTRAP_CA_CERT] = "bootstrap-ca-cert",
	[TLS_PEER_CA_CERT] = "peer-ca-cert",
	[TLS_CRL] = "crl",
	[TLS_PEER_NAMES] = "peer-name",
	[TLS_PROTOCOLS] = "ssl-protocols",
	[TLS_CIPHERS] = "ssl-ciphers",
	[TLS_CIPHERSUITES] = "ssl-ciphersuites",
};

static void source_done(struct tls_source *);
static void committed(struct observer *, const struct commit *);
static void look(struct tls_source *);
static bool is_tls(const char *name);
static void remote_counters(const struct remote *, struct listener_counters *);
static void remote_free(struct remote *);

struct remotes *
remotes_new(struct event_base *base, struct server *server)
{
	struct remotes *remotes = xcalloc(1, sizeof *remotes);

	remotes->base = base;
	remotes->server = server;
	remotes->tls = tls_new();
	return remotes;
}

void
remotes_free(struct remotes *remotes)
{
	if (!remotes)
		return;
	for (size_t i = 0; i < remotes->n; i++)
		remote_free(&remotes->remotes[i]);
	free(remotes->remotes);
	for (size_t i = 0; i < N_TLS_SETTINGS; i++)
		source_done(&remotes->sources[i]);
	tls_free(remotes->tls);
	free(remotes);
}

bool
remotes_set_tls(struct remotes *remotes, enum tls_setting setting,
		const char *value, char **ret_problem)
{
	struct tls_source *source = &remotes->sources[setting];
	struct place place;
	char *problem;
	bool is_good;

	if (value && place_is_meant(value)) {
		is_good = place_parse(remotes->server, value, &place,
				      &problem);
		if (is_good) {
			source_done(source);
			source->observer.committed = committed;
			source->remotes = remotes;
			source->setting = setting;
			source->place = place;
			source->is_used = true;
			database_observe(place.database, &source->observer);
			look(source);
		}
	} else {
		is_good = tls_set(remotes->tls, setting, value, &problem);
		if (is_good)
			source_done(source);
	}
	if (is_good)
		remotes->has_setting[setting] = value;
	else
		*ret_problem = xasprintf("--%s: %s", options[setting],
					 problem);
	if (!is_good)
		free(problem);
	return is_good;
}

bool
remotes_have_tls(const struct remotes *remotes)
{
	return remotes->has_setting[TLS_PRIVATE_KEY]
	       && remotes->has_setting[TLS_CERTIFICATE]
	       && (remotes->has_setting[TLS_CA_CERT]
		   || remotes->has_setting[TLS_BOOTSTRAP_CA_CERT]);
}

bool
remotes_add(struct remotes *remotes, const char *name, char **ret_problem)
{
	const struct listener_options listener_options = {
		.tls = remotes->tls,
	};
	struct remote remote = { NULL, NULL };

	for (size_t i = 0; i < remotes->n; i++)
		if (!strcmp(remotes_name(remotes, i), name))
			return true;
	if (is_tls(name) && !remotes_have_tls(remotes)) {
		*ret_problem = xasprintf("%s: TLS needs --private-key, "
					 "--certificate and --ca-cert", name);
		return false;
	}
	if (place_is_meant(name))
		remote.manager = manager_new(remotes->base, remotes->server,
					     remotes->tls, name, ret_problem);
	else
		remote.listener = listener_new(remotes->base,
					       remotes->server, name,
					       &listener_options,
					       ret_problem);
	if (!remote.manager && !remote.listener)
		return false;
	remotes->remotes = xrealloc(remotes->remotes, (remotes->n + 1)
						      * sizeof remote);
	remotes->remotes[remotes->n++] = remote;
	return true;
}

bool
remotes_remove(struct remotes *remotes, const char *name)
{
	for (size_t i = 0; i < remotes->n; i++) {
		struct listener_counters counters;

		if (strcmp(remotes_name(remotes, i), name))
			continue;
		remote_counters(&remotes->remotes[i], &counters);
		counters.n_sessions = counters.n_handshakes = 0;
		listener_counters_add(&remotes->gone, &counters);
		remote_free(&remotes->remotes[i]);
		remotes->n--;
		memmove(&remotes->remotes[i], &remotes->remotes[i + 1],
			(remotes->n - i) * sizeof *remotes->remotes);
		return true;
	}
	return false;
}

void
remotes_reconnect(struct remotes *remotes)
{
	for (size_t i = 0; i < remotes->n; i++)
		if (remotes->remotes[i].manager)
			manager_reconnect(remotes->remotes[i].manager);
		else
			listener_reconnect(remotes->remotes[i].listener);
}

void
remotes_counters(const struct remotes *remotes,
		 struct listener_counters *ret_counters)
{
	*ret_counters = remotes->gone;
	for (size_t i = 0; i < remotes->n; i++) {
		struct listener_counters counters;

		remote_counters(&remotes->remotes[i], &counters);
		listener_counters_add(ret_counters, &counters);
	}
}

static void
remote_counters(const struct remote *remote,
		struct listener_counters *ret_counters)
{
	if (remote->manager)
		manager_counters(remote->manager, ret_counters);
	else
		listener_counters(remote->listener, ret_counters);
}

size_t
remotes_n(const struct remotes *remotes)
{
	return remotes->n;
}

const struct listener *
remotes_listener(const struct remotes *remotes, size_t i)
{
	return remotes->remotes[i].listener;
}

const char *
remotes_name(const struct remotes *remotes, size_t i)
{
	const struct remote *remote = &remotes->remotes[i];

	return remote->manager ? manager_name(remote->manager)
	       : listener_method(remote->listener);
}

void
remotes_forget(struct remotes *remotes, const struct database *database)
{
	for (size_t i = 0; i < N_TLS_SETTINGS; i++)
		if (remotes->sources[i].is_used
		    && remotes->sources[i].place.database == database)
			source_done(&remotes->sources[i]);
	for (size_t i = remotes->n; i-- > 0;) {
		struct remote *remote = &remotes->remotes[i];

		if (remote->manager
		    && manager_database(remote->manager) == database)
			remotes_remove(remotes, remotes_name(remotes, i));
	}
}

static void
source_done(struct tls_source *source)
{
	if (!source->is_used)
		return;
	database_unobserve(source->place.database, &source->observer);
	place_done(&source->place);
	source->is_used = false;
}

static void
committed(struct observer *observer, const struct commit *commit)
{
	struct tls_source *source = (struct tls_source *) observer;

	for (size_t i = 0; i < commit->n_changes; i++)
		if (commit->changes[i].table == place_table(&source->place)) {
			look(source);
			return;
		}
}

static void
look(struct tls_source *source)
{
	static struct log_limit limit;
	char *problem;

	if (tls_set(source->remotes->tls, source->setting,
		    place_string(&source->place), &problem))
		return;
	log_limited(&limit, LOG_LEVEL_WARN, "tls",
		    "--%s: %s; it stays as it was", options[source->setting],
		    problem);
	free(problem);
}

static bool
is_tls(const char *name)
{
	return !strncmp(name, "ssl:", 4) || !strncmp(name, "pssl:", 5);
}

static void
remote_free(struct remote *remote)
{
	listener_free(remote->listener);
	manager_free(remote->manager);
}
