/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "agent/base/memory.h"
#include "agent/ovsdb/operation/transact.h"
#include "agent/ovsdb/server/catalog.h"
#include "agent/ovsdb/server/client.h"
#include "agent/ovsdb/server/convert.h"
#include "agent/ovsdb/server/envelope.h"
#include "agent/ovsdb/server/hold.h"
#include "agent/ovsdb/server/waiting.h"
#include "agent/ovsdb/store/journal.h"
#include "agent/ovsdb/store/lookup.h"
#include "agent/ovsdb/store/pin.h"
#include "agent/ovsdb/value/encode.h"

enum { GARBAGE_PER_TURN = 512 };	/* Rows. */

static const struct server_limits default_limits = {
	.n_monitors = 1000,
	.n_waits = 1000,
	.n_locks = 1000,
	.behind_size = 256 << 20,
	.snapshot_ms = 600000,
	.kept_size = 256 << 20,
	.n_operations = TRANSACT_MAX_OPERATIONS,
};

/* A request of one client. */
struct request {
	struct client *client;
	json_t *id, *params;
	int64_t now_ms;
};

static struct served *serve(struct server *, struct database *);
static void served_free(struct served *);
static void dismiss_unaware(struct server *, const struct client *but);
static void committed(struct observer *, const struct commit *);
static void answer(const struct request *, const char *method);
static void echo(const struct request *);
static void list_dbs(const struct request *);
static void get_schema(const struct request *);
static void transact(const struct request *);
static void monitor(const struct request *);
static void monitor_cond(const struct request *);
static void monitor_cond_since(const struct request *);
static void start_monitor(const struct request *, const char *method,
			  enum monitor_version);
static void change_monitor(const struct request *);
static void cancel_monitor(const struct request *);
static void lock(const struct request *);
static void steal(const struct request *);
static void unlock(const struct request *);
static void convert_database(const struct request *);
static struct ovsdb_error *convert_served(struct served *, json_t *params,
					  const struct client *asker);
static void get_server_id(const struct request *);
static void set_db_change_aware(const struct request *);
static struct served *find_served(const struct server *, const char *name);
static struct served *find_scanned(const struct server *,
				   const struct scanned *name);
static struct served *find_named(const struct request *,
				 const char *method);

static const struct {
	const char *name;
	void (*run)(const struct request *);
} methods[] = {
	{ "echo", echo },
	{ "list_dbs", list_dbs },
	{ "get_schema", get_schema },
	{ "transact", transact },
	{ "monitor", monitor },
	{ "monitor_cond", monitor_cond },
	{ "monitor_cond_since", monitor_cond_since },
	{ "monitor_cond_change", change_monitor },
	{ "monitor_cancel", cancel_monitor },
	{ "lock", lock },
	{ "steal", steal },
	{ "unlock", unlock },
	{ "convert", convert_database },
	{ "get_server_id", get_server_id },
	{ "set_db_change_aware", set_db_change_aware },
};

struct server *
server_new(void)
{
	struct server *server = xcalloc(1, sizeof *server);

	list_init(&server->databases);
	list_init(&server->clients);
	list_init(&server->held);
	server->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	lock_table_init(&server->locks);
	server->limits = default_limits;
	uuid_generate(&server->id);
	server->catalog = catalog_new();
	serve(server, server->catalog)->is_reserved = true;
	catalog_add(server->catalog, server->catalog);
	return server;
}

void
server_free(struct server *server)
{
	if (!server)
		return;
	while (!list_is_empty(&server->databases))
		served_free(LIST_ENTRY(server->databases.next, struct served,
				       link));
	database_free(server->catalog);
	lock_table_done(&server->locks);
	if (server->event_fd >= 0)
		close(server->event_fd);
	free(server);
}

void
server_limits(const struct server *server, struct server_limits *ret_limits)
{
	*ret_limits = server->limits;
}

void
server_set_limits(struct server *server, const struct server_limits *limits)
{
	server->limits = *limits;
}

struct ovsdb_error *
server_add_database(struct server *server, struct database *database)
{
	const char *name = database_name(database);

	if (find_served(server, name))
		return ovsdb_error(OVSDB_SYNTAX_ERROR, "a database \"%s\" is "
				   "served already", name);
	/* First: what they are not aware of they are not told. */
	dismiss_unaware(server, NULL);
	serve(server, database);
	catalog_add(server->catalog, database);
	return NULL;
}

void
server_allow_convert(struct server *server)
{
	server->may_convert = true;
}

void
server_disable_conditions(struct server *server)
{
	server->has_no_conditions = true;
}

void
server_remove_database(struct server *server, struct database *database)
{
	struct served *served = find_served(server, database_name(database));

	if (!served || served->database != database || served->is_reserved)
		return;
	dismiss_unaware(server, NULL);
	served_free(served);
	catalog_remove(server->catalog, database);
}

struct database *
server_find_database(const struct server *server, const char *name)
{
	struct served *served = find_served(server, name);

	return served ? served->database : NULL;
}

struct database *
server_next_database(const struct server *server,
		     const struct database *database)
{
	bool is_next = !database;
	const struct list *link;

	for (link = server->databases.next; link != &server->databases;
	     link = link->next) {
		struct served *served = LIST_ENTRY(link, struct served, link);

		if (is_next && !served->is_reserved)
			return served->database;
		if (served->database == database)
			is_next = true;
	}
	return NULL;
}

struct client *
server_connect(struct server *server, const char *name,
	       const struct client_ops *ops, void *ctx)
{
	struct client *client = xcalloc(1, sizeof *client);

	client->server = server;
	client->name = xstrdup(name);
	client->ops = ops;
	client->ctx = ctx;
	list_init(&client->monitors);
	list_init(&client->waits);
	list_init(&client->locks);
	list_init(&client->late);
	list_init(&client->streams);
	list_append(&server->clients, &client->link);
	server->counters.n_clients++;
	return client;
}

bool
client_receive(struct client *client, json_t *message, int64_t now_ms)
{
	json_t *method = json_object_get(message, "method");
	json_t *params = json_object_get(message, "params");
	json_t *id = json_object_get(message, "id");

	client->server->now_ms = now_ms;
	if (!method)
		return json_object_get(message, "result")
		       || json_object_get(message, "error");
	if (!json_is_string(method) || !json_is_array(params))
		return false;
	if (!id || json_is_null(id)) {
		if (!strcmp(json_string_value(method), "cancel"))
			waiting_cancel(client, params);
	} else if (!hold_request(client, json_string_value(method), message)) {
		client_take(client, message, now_ms);
	}
	return true;
}

enum client_verdict
client_receive_text(struct client *client, const char *text, size_t size,
		    int64_t now_ms)
{
	struct server *server = client->server;
	struct envelope envelope;
	struct served *served;
	json_t *message;
	bool is_right;

	if (list_is_empty(&client->late) && !client->n_searches
	    && envelope_read(text, size, &envelope)) {
		served = find_scanned(server, &envelope.database);
		if (served && waiting_transact_text(client, &envelope, served,
						    now_ms)) {
			server->counters.n_requests++;
			return CLIENT_CONTENT;
		}
	}
	message = json_loadb(text, size, 0, NULL);
	if (!json_is_object(message)) {
		json_decref(message);
		return CLIENT_MALFORMED;
	}
	is_right = client_receive(client, message, now_ms);
	json_decref(message);
	return is_right ? CLIENT_CONTENT : CLIENT_REFUSED;
}

void
client_drained(struct client *client)
{
	monitor_drained(client);
}

void
client_disconnect(struct client *client)
{
	if (!client)
		return;
	hold_drop(client);
	waiting_drop(client);
	snapshot_drop(client);
	monitor_drop(client);
	lock_drop(client);
	list_remove(&client->link);
	client->server->counters.n_clients--;
	free(client->role);
	free(client->identity);
	free(client->name);
	free(client);
}

void
client_set_read_only(struct client *client)
{
	client->is_read_only = true;
}

void
client_set_role(struct client *client, const char *role, const char *name)
{
	free(client->role);
	free(client->identity);
	client->role = xstrdup(role);
	client->identity = name ? xstrdup(name) : NULL;
}

void
client_list_locks(const struct client *client, struct client_locks *ret_locks)
{
	lock_list(client, ret_locks);
}

void
server_set_wake(struct server *server, void (*wake)(void *ctx), void *ctx)
{
	server->wake = wake;
	server->wake_ctx = ctx;
}

void
server_run(struct server *server, int64_t now_ms)
{
	struct list *link;
	uint64_t n_events;

	server->now_ms = now_ms;
	if (server->is_watched)
		(void) !read(server->event_fd, &n_events, sizeof n_events);
	for (link = server->databases.next; link != &server->databases;
	     link = link->next) {
		struct served *served = LIST_ENTRY(link, struct served, link);

		lookup_run(served->database, now_ms);
		waiting_run(served, now_ms);
		if (!server->is_watched)
			hold_flush(served);
		journal_run(database_journal(served->database), now_ms);
		pin_reclaim(served->database, GARBAGE_PER_TURN);
		snapshot_run(&served->monitors.snapshots, now_ms);
	}
	hold_run(server, now_ms);
}

int64_t
server_deadline(const struct server *server)
{
	int64_t deadline_ms = INT64_MAX;
	const struct list *link;

	if (!server->is_watched && !list_is_empty(&server->held))
		return INT64_MIN;
	for (link = server->databases.next; link != &server->databases;
	     link = link->next) {
		const struct served *served = LIST_ENTRY(link, struct served,
							 link);
		int64_t due_ms = journal_deadline(
			database_journal(served->database));

		if (due_ms < deadline_ms)
			deadline_ms = due_ms;
		due_ms = lookup_deadline(served->database);
		if (due_ms < deadline_ms)
			deadline_ms = due_ms;
		due_ms = snapshot_deadline(&served->monitors.snapshots);
		if (due_ms < deadline_ms)
			deadline_ms = due_ms;
		if ((served->is_changed && !list_is_empty(&served->waits))
		    || pin_has_garbage(served->database))
			return INT64_MIN;
		if (served->deadline_ms < deadline_ms)
			deadline_ms = served->deadline_ms;
	}
	return deadline_ms;
}

int
server_event_fd(struct server *server)
{
	server->is_watched = server->event_fd >= 0;
	return server->event_fd;
}

void
server_counters(const struct server *server,
		struct server_counters *ret_counters)
{
	*ret_counters = server->counters;
	ret_counters->n_locks = server->locks.n_locks;
}

void
client_take(struct client *client, json_t *message, int64_t now_ms)
{
	const struct request request = {
		.client = client,
		.id = json_object_get(message, "id"),
		.params = json_object_get(message, "params"),
		.now_ms = now_ms,
	};

	answer(&request, json_string_value(json_object_get(message,
							   "method")));
}

static struct served *
serve(struct server *server, struct database *database)
{
	struct served *served = xcalloc(1, sizeof *served);

	served->server = server;
	served->database = database;
	served->schema = schema_to_json(database_schema(database));
	served->deadline_ms = INT64_MAX;
	served->observer.committed = committed;
	list_init(&served->waits);
	journal_set_wake(database_journal(database), server->event_fd);
	monitor_hub_init(&served->monitors, database,
			 &server->counters);
	database_observe(database, &served->observer);
	list_append(&server->databases, &served->link);
	return served;
}

static void
served_free(struct served *served)
{
	hold_end(served);
	journal_set_wake(database_journal(served->database), -1);
	waiting_cancel_all(served);
	monitor_cancel_all(served);
	monitor_hub_done(&served->monitors);
	database_unobserve(served->database, &served->observer);
	list_remove(&served->link);
	json_decref(served->schema);
	free(served);
}

static void
dismiss_unaware(struct server *server, const struct client *but)
{
	struct list *link;

	for (link = server->clients.next; link != &server->clients;
	     link = link->next) {
		struct client *client = LIST_ENTRY(link, struct client, link);

		if (client != but && !client->is_aware
		    && client->ops->dismiss)
			client->ops->dismiss(client->ctx);
	}
}

static void
committed(struct observer *observer, const struct commit *commit)
{
	struct served *served = LIST_ENTRY(observer, struct served, observer);
	struct server *server = served->server;

	monitor_hub_committed(&served->monitors, commit);
	served->is_changed = true;
	if ((!list_is_empty(&served->waits)
	     || journal_deadline(database_journal(served->database))
		< INT64_MAX
	     || snapshot_deadline(&served->monitors.snapshots) == INT64_MIN)
	    && server->wake)
		server->wake(server->wake_ctx);
}

static void
answer(const struct request *request, const char *method)
{
	const struct server *server = request->client->server;

	request->client->server->counters.n_requests++;
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (!strcmp(methods[i].name, method)
		    && !(server->has_no_conditions
			 && !strncmp(method, "monitor_cond", 12))) {
			methods[i].run(request);
			return;
		}
	client_reply_refusal(request->client, request->id, "unknown method");
}

static void
echo(const struct request *request)
{
	client_reply(request->client, request->id,
		     json_incref(request->params));
}

static void
list_dbs(const struct request *request)
{
	const struct list *head = &request->client->server->databases, *link;
	json_t *names = json_array();

	for (link = head->next; link != head; link = link->next) {
		const struct served *served = LIST_ENTRY(link, struct served,
							 link);

		json_array_append_new(names, json_string(
				database_name(served->database)));
	}
	client_reply(request->client, request->id, names);
}

static void
get_schema(const struct request *request)
{
	struct served *served = find_named(request, "get_schema");

	if (served)
		client_reply(request->client, request->id,
			     json_incref(served->schema));
}

static void
transact(const struct request *request)
{
	struct served *served = find_named(request, "transact");

	if (served)
		waiting_transact(request->client, request->id, served,
				 request->params, request->now_ms);
}

static void
monitor(const struct request *request)
{
	start_monitor(request, "monitor", MONITOR_PLAIN);
}

static void
monitor_cond(const struct request *request)
{
	start_monitor(request, "monitor_cond", MONITOR_COND);
}

static void
monitor_cond_since(const struct request *request)
{
	start_monitor(request, "monitor_cond_since", MONITOR_COND_SINCE);
}

static void
start_monitor(const struct request *request, const char *method,
	      enum monitor_version version)
{
	struct served *served = find_named(request, method);

	if (served)
		monitor_monitor(request->client, request->id, served,
				request->params, version);
}

static void
change_monitor(const struct request *request)
{
	monitor_change(request->client, request->id, request->params);
}

static void
cancel_monitor(const struct request *request)
{
	monitor_cancel(request->client, request->id, request->params);
}

static void
lock(const struct request *request)
{
	lock_lock(request->client, request->id, request->params, false);
}

static void
steal(const struct request *request)
{
	lock_lock(request->client, request->id, request->params, true);
}

static void
unlock(const struct request *request)
{
	lock_unlock(request->client, request->id, request->params);
}

static void
convert_database(const struct request *request)
{
	struct served *served = find_named(request, "convert");
	struct ovsdb_error *error;

	if (!served)
		return;
	if (request->client->is_read_only
	    || (request->client->role && *request->client->role))
		error = ovsdb_error(OVSDB_NOT_ALLOWED, "clients of this"
				    " remote may not change a schema");
	else
		error = convert_served(served, request->params,
				       request->client);
	if (error) {
		client_reply_error(request->client, request->id, error);
		return;
	}
	client_reply(request->client, request->id, json_object());
	/* It has heard what it asked for. */
	dismiss_unaware(served->server, NULL);
}

static struct ovsdb_error *
convert_served(struct served *served, json_t *params,
	       const struct client *asker)
{
	struct server *server = served->server;
	struct database *database = served->database;
	struct database *converted;
	struct ovsdb_error *error;
	struct schema *schema;

	if (!server->may_convert || served->is_reserved)
		return ovsdb_error(OVSDB_NOT_ALLOWED, "the schema of database"
				   " %s is not for clients to change",
				   database_name(database));
	if (json_array_size(params) != 2)
		return ovsdb_syntax_error(params, "convert request params "
					  "must be <db-name>, "
					  "<database-schema>");
	error = schema_from_json(json_array_get(params, 1), &schema);
	hold_flush(served);
	if (!error)
		error = convert_prepare(database, schema, &converted);
	if (error)
		return error;
	dismiss_unaware(server, asker);
	waiting_cancel_all(served);
	monitor_cancel_all(served);
	monitor_hub_done(&served->monitors);
	convert_finish(database, converted);
	monitor_hub_init(&served->monitors, database,
			 &server->counters);
	json_decref(served->schema);
	served->schema = schema_to_json(database_schema(database));
	catalog_change(server->catalog, database);
	return NULL;
}

static void
get_server_id(const struct request *request)
{
	char id[UUID_TEXT_SIZE];

	uuid_to_text(&request->client->server->id, id);
	client_reply(request->client, request->id, json_string(id));
}

static void
set_db_change_aware(const struct request *request)
{
	json_t *params = request->params, *aware = json_array_get(params, 0);

	if (json_array_size(params) != 1 || !json_is_boolean(aware)) {
		client_reply_error(request->client, request->id,
				   ovsdb_syntax_error(params,
						      "set_db_change_aware: "
						      "true or false "
						      "parameter expected"));
		return;
	}
	request->client->is_aware = json_is_true(aware);
	client_reply(request->client, request->id, json_object());
}

/* Programs serve a handful of databases. */
static struct served *
find_served(const struct server *server, const char *name)
{
	const struct list *link;

	for (link = server->databases.next; link != &server->databases;
	     link = link->next) {
		struct served *served = LIST_ENTRY(link, struct served, link);

		if (!strcmp(database_name(served->database), name))
			return served;
	}
	return NULL;
}

static struct served *
find_scanned(const struct server *server, const struct scanned *name)
{
	const struct list *link;

	for (link = server->databases.next; link != &server->databases;
	     link = link->next) {
		struct served *served = LIST_ENTRY(link, struct served, link);

		if (scanned_is(name, database_name(served->database)))
			return served;
	}
	return NULL;
}

/* The database that the first parameter names.  Answers the request if that
 * is none. */
static struct served *
find_named(const struct request *request, const char *method)
{
	json_t *params = request->params;
	const char *name = json_string_value(json_array_get(params, 0));
	struct ovsdb_error *error;
	struct served *served;

	if (!name) {
		error = ovsdb_syntax_error(params, "%s request params must "
					   "begin with <db-name>", method);
	} else {
		served = find_served(request->client->server, name);
		if (served)
			return served;
		error = ovsdb_syntax_error(params, "%s request specifies "
					   "unknown database %s", method,
					   name);
		error->name = OVSDB_UNKNOWN_DATABASE;
	}
	client_reply_error(request->client, request->id, error);
	return NULL;
}
