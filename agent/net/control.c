/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/control.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>
#include "agent/base/chore.h"
#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/net/acceptor.h"
#include "agent/net/channel.h"

enum { MAX_CONNECTIONS = 100, MAX_ARGS = 1000 };

static const struct channel_limits limits = {
	.message_size = 1 << 20,
	.message_depth = 16,
	.output_size = 64 << 20,
};

struct command {
	struct list link;
	const char *name, *usage;
	size_t min_args, max_args;
	void (*run)(struct control_request *, size_t n_args,
		    const char *const args[], void *ctx);
	void *ctx;
};

struct control {
	struct event_base *base;
	struct method method;
	struct acceptor *acceptor;
	char *version;
	struct list commands;		/* By name. */
	struct list connections;
	uint32_t n_connections;
};

struct connection {
	struct list link;
	struct control *control;
	struct channel *channel;
	struct list requests;
};

struct control_request {
	struct list link;		/* In connection.requests. */
	struct connection *connection;	/* NULL: gone. */
	json_t *id;
};

static struct log_limit accept_limit;

static void accepted(void *control, int fd, const char *name);
static void accept_failed(void *control, int error);
static void connection_free(struct connection *);
static void receive(void *connection, json_t *message);
static void ended(void *connection, enum channel_end);
static void run(struct control *, struct control_request *,
		const char *name, json_t *params);
static const struct command *find(const struct control *, const char *name);
static char *check_args(const struct command *, json_t *params);
static void answer(struct control_request *, const char *result,
		   const char *error);
static char *whole_lines(const char *text);
static void list_commands(struct control_request *, size_t n_args,
			  const char *const args[], void *control);
static void tell_version(struct control_request *, size_t n_args,
			 const char *const args[], void *control);

static const struct acceptor_ops acceptor_ops = {
	.accepted = accepted,
	.failed = accept_failed,
};

static const struct channel_ops channel_ops = {
	.receive = receive,
	.ended = ended,
};

struct control *
control_new(struct event_base *base, const char *path, const char *version,
	    char **ret_problem)
{
	struct control *control = xcalloc(1, sizeof *control);
	char *problem;

	control->base = base;
	control->method.kind = METHOD_PUNIX;
	control->method.where = xstrdup(path);
	control->version = xstrdup(version);
	list_init(&control->commands);
	list_init(&control->connections);
	control->acceptor = acceptor_new(base, &control->method,
					 &acceptor_ops, control, &problem);
	if (!control->acceptor) {
		*ret_problem = xasprintf("%s: %s", path, problem);
		free(problem);
		control_free(control);
		return NULL;
	}
	control_add_command(control, "list-commands", "", 0, 0,
			    list_commands, control);
	control_add_command(control, "help", "", 0, 0, list_commands,
			    control);
	control_add_command(control, "version", "", 0, 0, tell_version,
			    control);
	return control;
}

void
control_free(struct control *control)
{
	if (!control)
		return;
	acceptor_free(control->acceptor);
	while (!list_is_empty(&control->connections))
		connection_free(LIST_ENTRY(control->connections.next,
					   struct connection, link));
	while (!list_is_empty(&control->commands)) {
		struct command *command = LIST_ENTRY(control->commands.next,
						     struct command, link);

		list_remove(&command->link);
		free(command);
	}
	method_done(&control->method);
	free(control->version);
	free(control);
}

void
control_add_command(struct control *control, const char *name,
		    const char *usage, size_t min_args, size_t max_args,
		    void (*run_it)(struct control_request *, size_t n_args,
				   const char *const args[], void *ctx),
		    void *ctx)
{
	struct command *command = xmalloc(sizeof *command);
	struct list *link = control->commands.next;

	*command = (struct command) {
		.name = name,
		.usage = usage,
		.min_args = min_args,
		.max_args = max_args,
		.run = run_it,
		.ctx = ctx,
	};
	while (link != &control->commands
	       && strcmp(LIST_ENTRY(link, struct command, link)->name,
			 name) < 0)
		link = link->next;
	list_append(link, &command->link);
}

void
control_reply(struct control_request *request, const char *text)
{
	answer(request, text, NULL);
}

void
control_fail(struct control_request *request, const char *text)
{
	answer(request, NULL, text);
}

static void
accepted(void *control_, int fd, const char *name)
{
	struct control *control = control_;
	struct connection *connection;

	(void) name;
	if (control->n_connections >= MAX_CONNECTIONS) {
		log_limited(&accept_limit, LOG_LEVEL_WARN,
			    control->method.where, "there are %u control "
			    "connections already; one more was closed",
			    control->n_connections);
		close(fd);
		return;
	}
	connection = xmalloc(sizeof *connection);
	connection->control = control;
	connection->channel
		= channel_new(bufferevent_socket_new(control->base, fd,
						     BEV_OPT_CLOSE_ON_FREE),
			      &limits, &channel_ops, connection);
	list_init(&connection->requests);
	list_append(&control->connections, &connection->link);
	control->n_connections++;
}

static void
accept_failed(void *control_, int error)
{
	struct control *control = control_;

	log_limited(&accept_limit, LOG_LEVEL_WARN, control->method.where,
		    "cannot accept connections: %s; trying on",
		    strerror(error));
}

static void
connection_free(struct connection *connection)
{
	while (!list_is_empty(&connection->requests)) {
		struct control_request *request
			= LIST_ENTRY(connection->requests.next,
				     struct control_request, link);

		list_remove(&request->link);
		request->connection = NULL;
	}
	list_remove(&connection->link);
	connection->control->n_connections--;
	channel_free(connection->channel);
	free(connection);
}

static void
receive(void *connection_, json_t *message)
{
	struct connection *connection = connection_;
	const char *method
		= json_string_value(json_object_get(message, "method"));
	json_t *params = json_object_get(message, "params");
	json_t *id = json_object_get(message, "id");
	struct control_request *request;

	if (!method || !id || json_is_null(id) || !json_is_array(params)) {
		channel_end(connection->channel, CHANNEL_REFUSED);
		return;
	}
	request = xmalloc(sizeof *request);
	request->connection = connection;
	request->id = json_incref(id);
	list_append(&connection->requests, &request->link);
	run(connection->control, request, method, params);
}

static void
ended(void *connection, enum channel_end why)
{
	(void) why;
	connection_free(connection);
}

static void
run(struct control *control, struct control_request *request,
    const char *name, json_t *params)
{
	const struct command *command = find(control, name);
	size_t n = json_array_size(params);
	const char **args;
	char *problem;

	if (command)
		problem = check_args(command, params);
	else
		problem = xasprintf("\"%s\" is not a valid command (use "
				    "\"list-commands\" to see a list of "
				    "valid commands)", name);
	if (problem) {
		control_fail(request, problem);
		free(problem);
		return;
	}
	args = xcalloc(n + 1, sizeof *args);
	for (size_t i = 0; i < n; i++)
		args[i] = json_string_value(json_array_get(params, i));
	chore_begin(CHORE_COMMAND);
	command->run(request, n, args, command->ctx);
	chore_end();
	free(args);
}

static const struct command *
find(const struct control *control, const char *name)
{
	const struct list *link;

	for (link = control->commands.next; link != &control->commands;
	     link = link->next) {
		const struct command *command
			= LIST_ENTRY(link, struct command, link);

		if (!strcmp(command->name, name))
			return command;
	}
	return NULL;
}

static char *
check_args(const struct command *command, json_t *params)
{
	size_t n = json_array_size(params);

	if (n < command->min_args)
		return xasprintf("\"%s\" command requires at least %zu "
				 "arguments", command->name,
				 command->min_args);
	if (n > command->max_args || n > MAX_ARGS)
		return xasprintf("\"%s\" command takes at most %zu "
				 "arguments", command->name,
				 command->max_args < MAX_ARGS
				 ? command->max_args : (size_t) MAX_ARGS);
	for (size_t i = 0; i < n; i++)
		if (!json_is_string(json_array_get(params, i)))
			return xasprintf("\"%s\" command has a non-string "
					 "argument", command->name);
	return NULL;
}

static void
answer(struct control_request *request, const char *result,
       const char *error)
{
	if (request->connection) {
		char *line = whole_lines(result ? result : error);
		json_t *reply = json_pack("{s:O, s:s?, s:s?}", "id",
					  request->id, "result",
					  result ? line : NULL, "error",
					  result ? NULL : line);

		free(line);

		/* A text that is no UTF-8 cannot be sent. */
		if (!reply)
			reply = json_pack("{s:O, s:n, s:s}", "id",
					  request->id, "result", "error",
					  "the answer is not UTF-8");
		channel_send(request->connection->channel, reply);
		list_remove(&request->link);
	}
	json_decref(request->id);
	free(request);
}

/* Clients print it as it is. */
static char *
whole_lines(const char *text)
{
	size_t size = strlen(text);

	return xasprintf("%s%s", text,
			 size && text[size - 1] != '\n' ? "\n" : "");
}

static void
list_commands(struct control_request *request, size_t n_args,
	      const char *const args[], void *control_)
{
	struct control *control = control_;
	const struct list *link;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void) n_args;
	(void) args;
	fputs("The available commands are:\n", stream);
	for (link = control->commands.next; link != &control->commands;
	     link = link->next) {
		const struct command *command
			= LIST_ENTRY(link, struct command, link);

		if (*command->usage)
			fprintf(stream, "  %-22s  %s\n", command->name,
				command->usage);
		else
			fprintf(stream, "  %s\n", command->name);
	}
	fclose(stream);
	control_reply(request, text);
	free(text);
}

static void
tell_version(struct control_request *request, size_t n_args,
	     const char *const args[], void *control_)
{
	struct control *control = control_;

	(void) n_args;
	(void) args;
	control_reply(request, control->version);
}
