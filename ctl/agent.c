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

static const struct verb {
	const char *name;
	int min_args;
	int max_args;
	const char *arguments;
	const char *marked;		/* As ctl_print_commands() does. */
} verbs[] = {
	{ "trace", 3, INT_MAX, "SWITCH PORT PACKET",
	  "!SWITCH !PORT +PACKET" },
	{ "flows", 0, 1, "[PORT]", "?PORT" },
	{ "version", 0, 0, "", "" },
	{ "exit", 0, 0, "", "" },
	{ "ctl", 1, INT_MAX, "COMMAND [ARG]...", "!COMMAND *ARG" },
};

static const struct verb *find_verb(const char *name);
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
	if (strcmp(verb->name, "trace"))
		return ask(options->run_dir, verb->name, argc - 1, argv + 1);

	/* A packet's text may come in many words. */
	char *packet = join(argv + 3, argc - 3);
	char *args[] = { argv[1], argv[2], packet };
	int status = ask(options->run_dir, verb->name, 3, args);

	free(packet);
	return status;
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
