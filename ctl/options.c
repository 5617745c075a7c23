/* SPDX-License-Identifier: Apache-2.0 */

#include "ctl/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <command-line.h>
#include <db-ctl-base.h>
#include <openvswitch/vlog.h>
#include <stream-ssl.h>
#include <stream.h>
#include <timeval.h>
#include <util.h>

#include "ctl/agent.h"
#include "ctl/hnv-idl.h"

VLOG_DEFINE_THIS_MODULE(hnv_ctl);

#define DEFAULT_RUN_DIR "/run/hnv"

enum {
	OPT_DB = UCHAR_MAX + 1,
	OPT_RUN_DIR,
	OPT_NO_WAIT,
	OPT_WAIT,
	OPT_RETRY,
	OPT_DRY_RUN,
	OPT_ONELINE,
	OPT_NO_SYSLOG,
	OPT_COMMANDS,
	OPT_OPTIONS,
	OPT_PEER_CA_CERT,
	OPT_BOOTSTRAP_CA_CERT,
	OPT_LOCAL,
	VLOG_OPTION_ENUMS,
	TABLE_OPTION_ENUMS,
	SSL_OPTION_ENUMS,
};

static const struct option global_options[] = {
	{ "db", required_argument, NULL, OPT_DB },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "no-wait", no_argument, NULL, OPT_NO_WAIT },
	{ "wait", no_argument, NULL, OPT_WAIT },
	{ "retry", no_argument, NULL, OPT_RETRY },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "oneline", no_argument, NULL, OPT_ONELINE },
	{ "no-syslog", no_argument, NULL, OPT_NO_SYSLOG },
	{ "timeout", required_argument, NULL, 't' },
	{ "commands", no_argument, NULL, OPT_COMMANDS },
	{ "options", no_argument, NULL, OPT_OPTIONS },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	VLOG_LONG_OPTIONS,
	TABLE_LONG_OPTIONS,
	STREAM_SSL_LONG_OPTIONS,
	{ "peer-ca-cert", required_argument, NULL, OPT_PEER_CA_CERT },
	{ "bootstrap-ca-cert", required_argument, NULL,
	  OPT_BOOTSTRAP_CA_CERT },
	{ NULL, 0, NULL, 0 },
};

static struct option *all_options(void);
static void free_options(struct option *);
static void take(int c, const struct option *, struct options *,
		 struct shash *local);
static void take_local(const char *name, struct shash *local);
static bool take_stock(int c, struct options *);
static bool take_ssl(int c);
static unsigned int parse_timeout(const char *);
static char *absolute_method(const char *);
OVS_NO_RETURN static void print_commands(void);
OVS_NO_RETURN static void print_version(void);
OVS_NO_RETURN static void print_help(void);

void
options_parse(int argc, char *argv[], struct options *ret_options,
	      struct shash *ret_local)
{
	char *letters = ovs_cmdl_long_options_to_short_options(global_options);
	/* The "+" leaves everything after the first verb alone. */
	char *short_options = xasprintf("+%s", letters);
	struct option *long_options = all_options();
	int c, at = 0;

	*ret_options = (struct options) {
		.wait = true, .style = TABLE_STYLE_DEFAULT
	};
	while ((c = getopt_long(argc, argv, short_options, long_options,
				&at)) != -1)
		take(c, &long_options[at], ret_options, ret_local);
	free_options(long_options);
	free(short_options);
	free(letters);

	if (!ret_options->run_dir)
		ret_options->run_dir = xstrdup(DEFAULT_RUN_DIR);
	if (!ret_options->db)
		ret_options->db = xasprintf("unix:%s/db.sock",
					    ret_options->run_dir);
}

void
options_done(struct options *options)
{
	free(options->run_dir);
	free(options->db);
}

/* The global options and, behind them, those of every registered verb. */
static struct option *
all_options(void)
{
	size_t n = ARRAY_SIZE(global_options) - 1;
	size_t allocated = ARRAY_SIZE(global_options);
	struct option *options = xmemdup(global_options,
					 sizeof global_options);

	ctl_add_cmd_options(&options, &n, &allocated, OPT_LOCAL);
	return options;
}

static void
free_options(struct option *options)
{
	/* Names past the global ones were allocated one by one. */
	for (size_t i = ARRAY_SIZE(global_options) - 1; options[i].name; i++)
		free(CONST_CAST(char *, options[i].name));
	free(options);
}

/* 'option' is meaningful for OPT_LOCAL only: getopt_long() says which long
 * option it met, and short ones have no entry. */
static void
take(int c, const struct option *option, struct options *options,
     struct shash *local)
{
	switch (c) {
	case OPT_DB:
		free(options->db);
		options->db = absolute_method(optarg);
		break;
	case OPT_RUN_DIR:
		free(options->run_dir);
		options->run_dir = abs_file_name(NULL, optarg);
		break;
	case OPT_NO_WAIT:
		options->wait = false;
		break;
	case OPT_WAIT:
		options->wait = true;
		break;
	case OPT_RETRY:
		options->retry = true;
		break;
	case OPT_DRY_RUN:
		options->dry_run = true;
		break;
	case OPT_ONELINE:
		options->oneline = true;
		break;
	case 't':
		options->timeout_s = parse_timeout(optarg);
		break;
	case OPT_LOCAL:
		take_local(option->name, local);
		break;
	default:
		if (!take_stock(c, options) && !take_ssl(c))
			exit(EXIT_FAILURE);
	}
}

static void
take_local(const char *name, struct shash *local)
{
	char *key = xasprintf("--%s", name);

	if (shash_find(local, key))
		ctl_fatal("%s is given twice", key);
	shash_add_nocopy(local, key, nullable_xstrdup(optarg));
}

/* Options that every tool of this kind has.  False: not one of them. */
static bool
take_stock(int c, struct options *options)
{
	switch (c) {
	case OPT_NO_SYSLOG:
		vlog_set_levels(&this_module, VLF_SYSLOG, VLL_WARN);
		break;
	case OPT_COMMANDS:
		print_commands();
	case OPT_OPTIONS:
		ctl_print_options(global_options);
		exit(EXIT_SUCCESS);
	case 'h':
		print_help();
	case 'V':
		print_version();
	VLOG_OPTION_HANDLERS
	TABLE_OPTION_HANDLERS(&options->style)
	default:
		return false;
	}
	return true;
}

static bool
take_ssl(int c)
{
	switch (c) {
	STREAM_SSL_OPTION_HANDLERS
	case OPT_PEER_CA_CERT:
		stream_ssl_set_peer_ca_cert_file(optarg);
		break;
	case OPT_BOOTSTRAP_CA_CERT:
		stream_ssl_set_ca_cert_file(optarg, true);
		break;
	default:
		return false;
	}
	return true;
}

static unsigned int
parse_timeout(const char *text)
{
	unsigned int timeout_s;

	if (!str_to_uint(text, 10, &timeout_s) || timeout_s == 0)
		ctl_fatal("--timeout=%s: not a number of seconds above 0",
			  text);
	return timeout_s;
}

/* libopenvswitch looks for a relative socket in a directory of its own;
 * whoever types one means the directory he is in. */
static char *
absolute_method(const char *method)
{
	static const char unix_prefix[] = "unix:";
	size_t n = strlen(unix_prefix);

	if (strncmp(method, unix_prefix, n))
		return xstrdup(method);

	char *path = abs_file_name(NULL, method + n);
	char *absolute = xasprintf("unix:%s", path);

	free(path);
	return absolute;
}

static void
print_commands(void)
{
	agent_print_verbs();
	/* Exits. */
	ctl_print_commands();
	OVS_NOT_REACHED();
}

static void
print_version(void)
{
	printf("hnv-ctl (hnv) %s\n"
	       "schema hnv %s\n",
	       PACKAGE_VERSION, hnvrec_get_db_version());
	exit(EXIT_SUCCESS);
}

static void
print_help(void)
{
	printf("\
hnv-ctl: looks at and changes what hnv-agent does on this host\n\
usage: hnv-ctl [OPTION]... VERB [ARG]... [-- VERB [ARG]...]...\n\
\n\
Switches:\n\
  show                            a tree of everything, with its state\n\
  add-switch NAME [type=external|internal|private] [KEY=VALUE]...\n\
  del-switch NAME                 delete a switch and all that is on it\n\
  list-switches                   names, one a line\n\
Ports:\n\
  add-port SWITCH PORT [type=tap|packet] [role=vm|uplink|host]\n\
           [iface_id=ID] [mac=MAC] [KEY=VALUE]...\n\
                               other KEYs become options (see hnv(5))\n\
  del-port [SWITCH] PORT          delete a port\n\
  list-ports SWITCH               names, one a line\n\
Provider addresses:\n\
  add-pa SWITCH IP [device=socket|packet] [KEY=VALUE]...\n\
  del-pa [SWITCH] IP              delete a provider address\n\
  list-pas SWITCH                 addresses, one a line\n\
  (--may-exist before an add-, --if-exists before a del-)\n\
An interface of this host, with its addresses and routes:\n\
  take-over SWITCH INTERFACE [confirm_within=SECS] [port=NAME]\n\
  confirm SWITCH                  or else it comes back by itself\n\
  give-back SWITCH                put everything back\n\
  take-overs                      what is taken over\n\
\n\
The agent itself:\n\
  doctor                          all that one would look at, worst first\n\
  trace SWITCH PORT PACKET        what would become of a packet, and why;\n\
                                  PACKET in hex, 'SRC > DST proto...', or\n\
                                  @FILE: those of a capture\n\
  drops [PORT]                    what went nowhere, and why\n\
  rules PORT                      what is in force, and what it has met\n\
  mappings [VSID]                 where each address lives\n\
  flows [--drop[=NAME]] [PORT]    cached flows\n\
  connections [PORT]              tracked connections\n\
  ports                           counters\n\
  version                         the running agent's version\n\
  exit                            ask the agent to stop\n\
  ctl COMMAND [ARG]...            any other command of the agent\n\
\n\
%s%s\
\n\
Options:\n\
  --run-dir=DIR       the agent's directory (default: " DEFAULT_RUN_DIR ")\n\
  --db=METHOD         database (default: unix:RUN-DIR/db.sock)\n\
  --no-wait           do not wait until a change is in force\n\
  -t, --timeout=SECS  give up after SECS seconds\n\
  --retry             keep trying to connect\n\
  --dry-run           do not commit changes\n\
  --oneline           one line of output a verb\n\
  -f json             JSON, of show, list-*, list, find and the agent's\n",
	       ctl_get_db_cmd_usage(), ctl_list_db_tables_usage());
	table_usage();
	vlog_usage();
	stream_usage("database", true, false, true);
	printf("\n\
  -h, --help          this text\n\
  -V, --version       versions\n\
See hnv-ctl(8) and hnv(5).\n");
	exit(EXIT_SUCCESS);
}
