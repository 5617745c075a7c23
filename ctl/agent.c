/* SPDX-License-Identifier: Apache-2.0 */

#include "ctl/agent.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <db-ctl-base.h>
#include <jsonrpc.h>
#include <openvswitch/dynamic-string.h>
#include <unixctl.h>
#include <util.h>

#include "ctl/options.h"
#include "ctl/pcap.h"

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
static int ask(const char *run_dir, const char *command, int argc,
	       char *argv[]);
static void print_answer(FILE *, const char *prefix, const char *text);

bool
agent_has_verb(const char *verb)
{
	return find_verb(verb) != NULL;
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
		return ask(options->run_dir, argv[1], argc - 2, argv + 2);
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
	status = ask(options->run_dir, command, argc + is_json,
		     args + !is_json);
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
		ctl_fatal("%s: too many arguments; usage: %s %s",
			  verb->name, verb->name, verb->arguments);
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
ask(const char *run_dir, const char *command, int argc, char *argv[])
{
	char *path = xasprintf("%s/hnv-agent.ctl", run_dir);
	struct jsonrpc *client;
	char *result = NULL, *problem = NULL;
	int error = unixctl_client_create(path, &client);

	if (error)
		ctl_fatal("cannot reach the agent at %s (%s); "
			  "is hnv-agent running?",
			  path, ovs_retval_to_string(error));
	error = unixctl_client_transact(client, command, argc, argv, &result,
					&problem);
	if (error)
		ctl_fatal("the agent at %s did not answer (%s)", path,
			  ovs_retval_to_string(error));

	if (problem)
		print_answer(stderr, "hnv-ctl: ", problem);
	else
		print_answer(stdout, "", result);
	int status = problem ? EXIT_FAILURE : EXIT_SUCCESS;

	jsonrpc_close(client);
	free(result);
	free(problem);
	free(path);
	return status;
}

static void
print_answer(FILE *file, const char *prefix, const char *text)
{
	size_t n = strlen(text);

	if (n > 0)
		fprintf(file, "%s%s%s", prefix, text,
			text[n - 1] == '\n' ? "" : "\n");
}
