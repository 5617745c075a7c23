/* SPDX-License-Identifier: Apache-2.0 */

/* hnv-ctl: what a command line becomes.  Start reading here.
 *
 *     options.c      what stands before the verbs
 *     agent.c        verbs for the running agent
 *       pcap.c         frames of a file, to be traced
 *     database.c     verbs for the database, in one transaction:
 *       verbs.c        add, delete and list switches, ports, addresses
 *       show.c         the tree
 *       settings.c     KEY=VALUE arguments
 *       find.c         rows by name
 */

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <command-line.h>
#include <db-ctl-base.h>
#include <fatal-signal.h>
#include <openvswitch/shash.h>
#include <openvswitch/vlog.h>
#include <process.h>
#include <timeval.h>
#include <util.h>

#include "ctl/agent.h"
#include "ctl/database.h"
#include "ctl/hnv-idl.h"
#include "ctl/options.h"
#include "ctl/show.h"
#include "ctl/take_over.h"
#include "ctl/verbs.h"

VLOG_DEFINE_THIS_MODULE(main);

/* Rows that may be named by name in the generic verbs; Host has only one. */
static const struct ctl_table_class tables[HNVREC_N_TABLES] = {
	[HNVREC_TABLE_HOST].row_ids[0] = { NULL, NULL, NULL },
	[HNVREC_TABLE_ROUTING_DOMAIN].row_ids[0] =
		{ &hnvrec_routing_domain_col_name, NULL, NULL },
	[HNVREC_TABLE_PORT].row_ids[0] =
		{ &hnvrec_port_col_name, NULL, NULL },
	[HNVREC_TABLE_PROVIDER_ADDRESS].row_ids[0] =
		{ &hnvrec_provider_address_col_ip, NULL, NULL },
	[HNVREC_TABLE_SWITCH].row_ids[0] =
		{ &hnvrec_switch_col_name, NULL, NULL },
};

static void prepare(char *argv[]);
static int run_database(const struct options *, const char *args, int argc,
			char *argv[], struct shash *local);
static void fail(const char *error) OVS_NO_RETURN;

int
main(int argc, char *argv[])
{
	struct shash local = SHASH_INITIALIZER(&local);
	struct options options;
	int status;

	prepare(argv);
	char *args = process_escape_args(argv);
	options_parse(argc, argv, &options, &local);
	show_set_json(options.style.format == TF_JSON,
		      options.style.json_flags);
	argc -= optind;
	argv += optind;
	if (argc == 0)
		ctl_fatal("missing verb; --help lists them");

	if (agent_has_verb(argv[0]) && shash_is_empty(&local))
		status = agent_run(&options, argc, argv);
	else
		status = run_database(&options, args, argc, argv, &local);
	shash_destroy_free_data(&local);
	options_done(&options);
	free(args);
	return status;
}

static void
prepare(char *argv[])
{
	set_program_name(argv[0]);
	fatal_ignore_sigpipe();
	vlog_set_levels(NULL, VLF_CONSOLE, VLL_WARN);
	/* What these say, we say in our own words. */
	vlog_set_levels_from_string_assert("reconnect:console:err");
	vlog_set_levels_from_string_assert("ovsdb_idl:console:err");
	ctl_init(&hnvrec_idl_class, hnvrec_table_classes, tables, NULL,
		 database_exit);
	verbs_register();
	take_over_register();
	show_register();
}

static int
run_database(const struct options *options, const char *args, int argc,
	     char *argv[], struct shash *local)
{
	struct ctl_command *commands;
	size_t n_commands;
	char *error = ctl_parse_commands(argc, argv, local, &commands,
					 &n_commands);

	if (error)
		fail(error);
	VLOG(ctl_might_write_to_db(commands, n_commands) ? VLL_INFO : VLL_DBG,
	     "called as %s", args);

	int status = database_run(options, args, commands, n_commands);

	free(commands);
	return status;
}

/* A verb that is used in the wrong way, and how it is used. */
static void
fail(const char *error)
{
	const char *end = *error == '\'' ? strstr(error + 1, "' command ")
					 : NULL;
	char *name = end ? xmemdup0(error + 1, (size_t) (end - error - 1))
			 : NULL;
	const char *arguments = name && strstr(end, " arguments")
		? verbs_arguments(name) : NULL;

	if (arguments)
		ctl_fatal("%s; usage: %s%s%s", error, name,
			  *arguments ? " " : "", arguments);
	ctl_fatal("%s", error);
}
