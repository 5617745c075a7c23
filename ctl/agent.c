/* SPDX-License-Identifier: Apache-2.0 */

#include "ctl/agent.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <db-ctl-base.h>
#include <jsonrpc.h>
#include <openvswitch/dynamic-string.h>
#include <openvswitch/json.h>
#include <openvswitch/poll-loop.h>
#include <stream.h>
#include <timeval.h>
#include <util.h>

#include "ctl/options.h"
#include "ctl/pcap.h"

enum { SAY_SO_AFTER_MS = 3000 };	/* While nobody answers. */

static const struct verb {
	const char *name;
	int min_args;
	int max_args;
	const char *arguments;
	const char *marked;		/* As ctl_print_commands() does. */
} verbs[] = {
	{ "trace", 3, INT_MAX, "SWITCH PORT PACKET|@FILE",
	  "!SWITCH !PORT +PACKET" },
	{ "flows", 0, 3, "[--drop[=NAME]] [--limit=N] [PORT]", "?PORT" },
	{ "connections", 0, 2, "[--limit=N] [PORT]", "?PORT" },
	{ "mappings", 0, 2, "[--limit=N] [VSID]", "?VSID" },
	{ "rules", 1, 1, "PORT", "!PORT" },
	{ "ports", 0, 0, "", "" },
	{ "drops", 0, 1, "[PORT]", "?PORT" },
	{ "take-overs", 0, 0, "", "" },
	{ "doctor", 0, 0, "", "" },
	{ "version", 0, 0, "", "" },
	{ "exit", 0, 0, "", "" },
	{ "ctl", 1, INT_MAX, "COMMAND [ARG]...", "!COMMAND *ARG" },
};

static const struct verb *find_verb(const char *name);
static int trace(const struct options *, char *words[], int n);
static int ask_for(const struct options *, const char *command, int argc,
		   char *argv[]);
static bool command_has_json(const char *command);
static void check_count(const struct verb *, int n_args);
static char *join(char *words[], int n);
static int ask(const struct options *, const char *command, int argc,
	       char *argv[]);
static struct jsonrpc *connect_to(const char *path, const struct options *);
static struct jsonrpc_msg *transact(struct jsonrpc *, const char *path,
				    const struct options *,
				    const char *command, int argc,
				    char *argv[]);
static void print_json(const struct options *, const char *text);
static void print_answer(FILE *, const char *prefix, const char *text);

bool
agent_has_verb(const char *verb)
{
	return find_verb(verb) != NULL;
}

const char *
agent_hint(int error)
{
	return error == EACCES || error == EPERM
	       ? "are you root, or of the agent's group?"
	       : "is hnv-agent running?";
}

void
agent_print_verbs(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf(",%s,%s\n", verbs[i].name, verbs[i].marked);
}

int
agent_run(const struct options *options, int argc, char *argv[])
{
	const struct verb *verb = find_verb(argv[0]);

	check_count(verb, argc - 1);
	if (!strcmp(verb->name, "ctl"))
		return ask(options, argv[1], argc - 2, argv + 2);
	if (!strcmp(verb->name, "trace"))
		return trace(options, argv + 1, argc - 1);
	return ask_for(options, verb->name, argc - 1, argv + 1);
}

/* A packet's text may come in many words, and packets may stand in a file. */
static int
trace(const struct options *options, char *words[], int n)
{
	char *args[] = { words[0], words[1], NULL };
	int status = EXIT_SUCCESS;

	if (n == 3 && words[2][0] == '@') {
		struct pcap pcap;

		pcap_open(&pcap, words[2] + 1);
		while (status == EXIT_SUCCESS
		       && (args[2] = pcap_next(&pcap))) {
			status = ask_for(options, "trace", 3, args);
			free(args[2]);
		}
		pcap_close(&pcap);
		return status;
	}
	args[2] = join(words + 2, n - 2);
	status = ask_for(options, "trace", 3, args);
	free(args[2]);
	return status;
}

/* In the form that the command line asked for. */
static int
ask_for(const struct options *options, const char *command, int argc,
	char *argv[])
{
	char **args = xmalloc(((size_t) argc + 1) * sizeof *args);
	char json[] = "--format=json";
	bool is_json = options->style.format == TF_JSON
		       && command_has_json(command);
	int status;

	args[0] = json;
	memcpy(args + 1, argv, (size_t) argc * sizeof *args);
	status = ask(options, command, argc + is_json, args + !is_json);
	free(args);
	return status;
}

/* The agent's older ones speak text alone. */
static bool
command_has_json(const char *command)
{
	return strcmp(command, "version") && strcmp(command, "exit");
}

static const struct verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static void
check_count(const struct verb *verb, int n_args)
{
	if (n_args < verb->min_args)
		ctl_fatal("%s: too few arguments; usage: %s %s",
			  verb->name, verb->name, verb->arguments);
	if (n_args > verb->max_args)
		ctl_fatal("%s: too many arguments; usage: %s%s%s",
			  verb->name, verb->name, *verb->arguments ? " " : "",
			  verb->arguments);
}

static char *
join(char *words[], int n)
{
	struct ds text = DS_EMPTY_INITIALIZER;

	for (int i = 0; i < n; i++)
		ds_put_format(&text, "%s%s", i ? " " : "", words[i]);
	return ds_steal_cstr(&text);
}

static int
ask(const struct options *options, const char *command, int argc,
    char *argv[])
{
	char *path = xasprintf("%s/hnv-agent.ctl", options->run_dir);
	struct jsonrpc *client = connect_to(path, options);
	struct jsonrpc_msg *reply = transact(client, path, options, command,
					     argc, argv);
	const struct json *text = reply->error ? reply->error : reply->result;

	if (!text || text->type != JSON_STRING)
		ctl_fatal("what answers at %s is no hnv-agent", path);
	if (reply->error)
		print_answer(stderr, "hnv-ctl: ", json_string(text));
	else if (options->style.format == TF_JSON)
		print_json(options, json_string(text));
	else
		print_answer(stdout, "", json_string(text));
	int status = reply->error ? EXIT_FAILURE : EXIT_SUCCESS;

	jsonrpc_msg_destroy(reply);
	jsonrpc_close(client);
	free(path);
	return status;
}

static struct jsonrpc *
connect_to(const char *path, const struct options *options)
{
	char *method = xasprintf("unix:%s", path);
	struct stream *stream;
	int error = stream_open_block(
		stream_open(method, &stream, DSCP_DEFAULT),
		options->timeout_s ? options->timeout_s * 1000LL : -1,
		&stream);

	if (error)
		ctl_fatal("cannot reach the agent at %s (%s); %s",
			  path, ovs_retval_to_string(error),
			  agent_hint(error));
	free(method);
	return jsonrpc_open(stream);
}

/* An agent that is stopped, or busy, may let us wait for ever: whoever looks on
 * is to know. */
static struct jsonrpc_msg *
transact(struct jsonrpc *client, const char *path,
	 const struct options *options, const char *command, int argc,
	 char *argv[])
{
	long long int say_so_at = time_msec() + SAY_SO_AFTER_MS;
	long long int give_up_at = options->timeout_s
		? time_msec() + options->timeout_s * 1000LL : LLONG_MAX;
	struct json *args = json_array_create_empty();
	int error;

	for (int i = 0; i < argc; i++)
		json_array_add(args, json_string_create(argv[i]));
	error = jsonrpc_send(client, jsonrpc_create_request(command, args,
							    NULL));
	while (!error || error == EAGAIN) {
		struct jsonrpc_msg *reply;
		long long int now = time_msec();

		jsonrpc_run(client);
		error = jsonrpc_recv(client, &reply);
		if (!error)
			return reply;
		if (now >= give_up_at)
			ctl_fatal("the agent at %s has not answered after %u "
				  "s, gave up", path, options->timeout_s);
		if (now >= say_so_at) {
			fprintf(stderr, "hnv-ctl: the agent at %s has not "
				"answered yet; is it stopped, or busy? "
				"(--timeout=SECS gives up)\n", path);
			say_so_at = LLONG_MAX;
		}
		jsonrpc_wait(client);
		jsonrpc_recv_wait(client);
		poll_timer_wait_until(MIN(say_so_at, give_up_at));
		poll_block();
	}
	ctl_fatal("the agent at %s did not answer (%s)", path,
		  ovs_retval_to_string(error));
}

/* What is no JSON yet (the version, other commands' text) becomes a string. */
static void
print_json(const struct options *options, const char *text)
{
	struct json *json;
	char *out;

	if (*text != '{' && *text != '[') {
		json = json_string_create(text);
	} else {
		json = json_from_string(text);
		if (json->type == JSON_STRING) {
			json_destroy(json);
			json = json_string_create(text);
		}
	}
	if (!(options->style.json_flags & JSSF_PRETTY)
	    && json->type != JSON_STRING) {
		print_answer(stdout, "", text);
	} else {
		out = json_to_string(json, options->style.json_flags);
		print_answer(stdout, "", out);
		free(out);
	}
	json_destroy(json);
}

static void
print_answer(FILE *file, const char *prefix, const char *text)
{
	size_t n = strlen(text);

	if (n > 0)
		fprintf(file, "%s%s%s", prefix, text,
			text[n - 1] == '\n' ? "" : "\n");
}
