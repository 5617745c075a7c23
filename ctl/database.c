/* SPDX-License-Identifier: Apache-2.0 */

/* One transaction's way.  Start reading at database_run().
 *
 *     subscribe()    what the verbs need to see
 *     attempt()      begin, run the verbs, commit; again if the rows changed
 *                    under our hands
 *     print()        what the verbs say
 *     obey()         next_cfg -> cur_cfg, then the states of what was changed
 */

#include "ctl/database.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <db-ctl-base.h>
#include <openvswitch/json.h>
#include <openvswitch/poll-loop.h>
#include <openvswitch/vlog.h>
#include <ovsdb-data.h>
#include <ovsdb-idl.h>
#include <smap.h>
#include <table.h>
#include <timeval.h>
#include <util.h>
#include <uuid.h>

#include "ctl/agent.h"
#include "ctl/hnv-idl.h"
#include "ctl/options.h"
#include "ctl/take_over.h"

VLOG_DEFINE_THIS_MODULE(database);

enum {
	EXIT_NOT_IN_FORCE = 2,
	SAY_SO_AFTER_MS = 3000		/* While nothing happens. */
};

enum outcome { DONE, AGAIN };

struct watched {
	const struct ovsdb_idl_table_class *table;
	struct uuid uuid;
	bool for_values;		/* For what does not read alone. */
};

/* Whose rows say what became of them. */
static const struct told {
	const char *name;
	const struct ovsdb_idl_table_class *table;
	const struct ovsdb_idl_column *id, *status;
} told[] = {
	{ "Host", &hnvrec_table_host, NULL, &hnvrec_host_col_status },
	{ "Switch", &hnvrec_table_switch, &hnvrec_switch_col_name,
	  &hnvrec_switch_col_status },
	{ "Port", &hnvrec_table_port, &hnvrec_port_col_name,
	  &hnvrec_port_col_status },
	{ "Provider_Address", &hnvrec_table_provider_address,
	  &hnvrec_provider_address_col_ip,
	  &hnvrec_provider_address_col_status }
};

/* ctl_fatal() may end the program anywhere below, so what must be given back
 * has to be within reach of database_exit(). */
static struct {
	const struct options *options;
	const char *args;
	struct ctl_command *commands;
	size_t n_commands;
	struct ovsdb_idl *idl;
	struct ovsdb_idl_txn *txn;
	long long int give_up_at;	/* Milliseconds; LLONG_MAX: never. */
	bool made_host;			/* This transaction inserts it. */
	bool changed;			/* ... and it did something. */
	int64_t next_cfg;
	struct watched *watched;
	size_t n_watched;
	size_t allocated_watched;
} run;

static void release(void);
static void watch(const struct ovsdb_idl_row *, bool for_values);
static void subscribe(void);
static const struct told *written(const struct ctl_command *);
static void fail_to_reach(void) OVS_NO_RETURN;
static void wait_for_rows(long long int *say_so_at);
static bool is_late(void);
static void sleep_until(long long int);
static enum outcome attempt(void);
static const struct hnvrec_host *need_host(void);
static enum outcome run_verbs(struct ovsdb_symbol_table *);
static void check_symbols(const struct ovsdb_symbol_table *);
static enum outcome commit(struct ovsdb_symbol_table *);
static void refuse(const char *error) OVS_NO_RETURN;
static enum ovsdb_idl_txn_status carry_over(void);
static bool host_appeared(void);
static void settle(struct ovsdb_symbol_table *);
static void forget_output(void);
static void print(void);
static void print_oneline(struct ds *);
static int obey(void);
static bool in_force(void);
static int check_watched(void);
static const char *describe(const struct watched *,
			    const struct smap **ret_status);

int
database_run(const struct options *options, const char *args,
	     struct ctl_command *commands, size_t n_commands)
{
	run.options = options;
	run.args = args;
	run.commands = commands;
	run.n_commands = n_commands;
	run.give_up_at = options->timeout_s
		? time_msec() + options->timeout_s * 1000LL : LLONG_MAX;
	run.idl = ovsdb_idl_create(options->db, &hnvrec_idl_class, false,
				   options->retry);
	subscribe();

	/* There is no point in a second attempt on the same contents. */
	unsigned int seqno = ovsdb_idl_get_seqno(run.idl);
	long long int say_so_at = time_msec() + SAY_SO_AFTER_MS;
	enum outcome outcome = AGAIN;

	while (outcome == AGAIN) {
		ovsdb_idl_run(run.idl);
		if (!ovsdb_idl_is_alive(run.idl))
			fail_to_reach();
		if (seqno != ovsdb_idl_get_seqno(run.idl)) {
			seqno = ovsdb_idl_get_seqno(run.idl);
			outcome = attempt();
		}
		if (outcome == AGAIN && is_late())
			ctl_fatal("%s after %u s, gave up",
				  ovsdb_idl_has_ever_connected(run.idl)
					  ? "what was waited for has not come"
					  : "no answer from the database",
				  options->timeout_s);
		if (outcome == AGAIN && seqno == ovsdb_idl_get_seqno(run.idl))
			wait_for_rows(&say_so_at);
	}
	print();

	int status = run.changed && options->wait ? obey() : EXIT_SUCCESS;

	release();
	return status;
}

void
database_watch(const struct ovsdb_idl_row *row)
{
	watch(row, false);
}

void
database_exit(int status)
{
	release();
	exit(status);
}

static void
release(void)
{
	if (run.txn) {
		ovsdb_idl_txn_abort(run.txn);
		ovsdb_idl_txn_destroy(run.txn);
		run.txn = NULL;
	}
	ovsdb_idl_destroy(run.idl);
	run.idl = NULL;
	free(run.watched);
	run.watched = NULL;
}

static void
watch(const struct ovsdb_idl_row *row, bool for_values)
{
	for (size_t i = 0; i < run.n_watched; i++)
		if (uuid_equals(&run.watched[i].uuid, &row->uuid)) {
			run.watched[i].for_values &= for_values;
			return;
		}
	if (run.n_watched == run.allocated_watched)
		run.watched = x2nrealloc(run.watched, &run.allocated_watched,
					 sizeof *run.watched);
	run.watched[run.n_watched++] = (struct watched) {
		.table = row->table->class_, .uuid = row->uuid,
		.for_values = for_values
	};
}

static void
subscribe(void)
{
	ovsdb_idl_add_table(run.idl, &hnvrec_table_host);
	if (run.options->wait)
		ovsdb_idl_add_column(run.idl, &hnvrec_host_col_cur_cfg);

	for (size_t i = 0; i < run.n_commands; i++) {
		struct ctl_command *command = &run.commands[i];
		const struct told *to = written(command);
		struct ctl_context context;

		if (to && to->id)
			ovsdb_idl_add_column(run.idl, to->id);
		if (to)
			ovsdb_idl_add_column(run.idl, to->status);
		if (!command->syntax->prerequisites)
			continue;
		ds_init(&command->output);
		command->table = NULL;
		ctl_context_init(&context, command, run.idl, NULL, NULL, NULL);
		command->syntax->prerequisites(&context);
		if (context.error)
			ctl_fatal("%s", context.error);
		ctl_context_done(&context, command);
	}
}

/* The table of a verb that is not of ours. */
static const struct told *
written(const struct ctl_command *command)
{
	static const char *const verbs[] = { "set", "add", "remove" };

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		for (size_t j = 0; j < ARRAY_SIZE(told); j++)
			if (command->argc > 2
			    && !strcmp(command->argv[0], verbs[i])
			    && !strcasecmp(command->argv[1], told[j].name))
				return &told[j];
	return NULL;
}

static void
fail_to_reach(void)
{
	int error = ovsdb_idl_get_last_error(run.idl);

	ctl_fatal("%s: cannot reach the database (%s); %s", run.options->db,
		  ovs_retval_to_string(error), agent_hint(error));
}

/* Or other rows; whoever looks on is to know if nobody answers at all. */
static void
wait_for_rows(long long int *say_so_at)
{
	bool is_answered = ovsdb_idl_has_ever_connected(run.idl);

	if (!is_answered && time_msec() >= *say_so_at) {
		fprintf(stderr, "hnv-ctl: no answer from the database at %s "
			"yet; is hnv-agent stopped, or busy? (--timeout=SECS "
			"gives up)\n", run.options->db);
		*say_so_at = LLONG_MAX;
	}
	ovsdb_idl_wait(run.idl);
	sleep_until(is_answered ? run.give_up_at
				: MIN(*say_so_at, run.give_up_at));
}

static bool
is_late(void)
{
	return time_msec() >= run.give_up_at;
}

/* Or until something happens that was waited for. */
static void
sleep_until(long long int at)
{
	if (at != LLONG_MAX)
		poll_timer_wait_until(at);
	poll_block();
}

static enum outcome
attempt(void)
{
	struct ovsdb_symbol_table *symbols = ovsdb_symbol_table_create();
	bool writes = ctl_might_write_to_db(run.commands, run.n_commands);

	run.txn = ovsdb_idl_txn_create(run.idl);
	run.n_watched = 0;
	run.made_host = false;
	if (run.options->dry_run)
		ovsdb_idl_txn_set_dry_run(run.txn);
	if (writes) {
		const struct hnvrec_host *host = need_host();

		ovsdb_idl_txn_add_comment(run.txn, "hnv-ctl: %s", run.args);
		if (run.options->wait)
			ovsdb_idl_txn_increment(run.txn, &host->header_,
						&hnvrec_host_col_next_cfg,
						false);
	}

	enum outcome outcome = run_verbs(symbols);

	if (outcome == DONE) {
		check_symbols(symbols);
		outcome = commit(symbols);
	}
	if (outcome == AGAIN) {
		forget_output();
		ovsdb_idl_txn_abort(run.txn);
	}
	ovsdb_idl_txn_destroy(run.txn);
	run.txn = NULL;
	ovsdb_symbol_table_destroy(symbols);
	return outcome;
}

static const struct hnvrec_host *
need_host(void)
{
	const struct hnvrec_host *host = hnvrec_host_first(run.idl);

	if (!host) {
		host = hnvrec_host_insert(run.txn);
		run.made_host = true;
	}
	return host;
}

static enum outcome
run_verbs(struct ovsdb_symbol_table *symbols)
{
	struct ctl_context context;
	enum outcome outcome = DONE;

	for (size_t i = 0; i < run.n_commands; i++) {
		ds_init(&run.commands[i].output);
		run.commands[i].table = NULL;
	}
	ctl_context_init(&context, NULL, run.idl, run.txn, symbols, NULL);
	for (size_t i = 0; i < run.n_commands && outcome == DONE; i++) {
		struct ctl_command *command = &run.commands[i];

		ctl_context_init_command(&context, command,
					 i == run.n_commands - 1);
		if (command->syntax->run)
			command->syntax->run(&context);
		if (context.error)
			ctl_fatal("%s", context.error);
		ctl_context_done_command(&context, command);
		if (context.try_again)
			outcome = AGAIN;
	}
	ctl_context_done(&context, NULL);
	return outcome;
}

/* A row that nothing refers to would be gone as soon as it is there. */
static void
check_symbols(const struct ovsdb_symbol_table *symbols)
{
	const struct shash_node *node;

	SHASH_FOR_EACH (node, &symbols->sh) {
		const struct ovsdb_symbol *symbol = node->data;

		if (!symbol->created)
			ctl_fatal("row id \"%s\" is used but never made "
				  "(with \"-- --id=%s create ...\")",
				  node->name, node->name);
		if (!symbol->strong_ref)
			VLOG_WARN("row id \"%s\" was made, but nothing refers "
				  "to it: it will not stay", node->name);
	}
}

static enum outcome
commit(struct ovsdb_symbol_table *symbols)
{
	enum ovsdb_idl_txn_status status = carry_over();

	switch (status) {
	case TXN_SUCCESS:
		run.changed = !run.options->dry_run;
		run.next_cfg = run.changed && run.options->wait
			? ovsdb_idl_txn_get_increment_new_value(run.txn) : 0;
		settle(symbols);
		return DONE;
	case TXN_UNCHANGED:
		settle(symbols);
		return DONE;
	case TXN_TRY_AGAIN:
		return AGAIN;
	case TXN_ERROR:
		if (host_appeared())
			return AGAIN;
		refuse(ovsdb_idl_txn_get_error(run.txn));
	case TXN_ABORTED:
	case TXN_NOT_LOCKED:
	case TXN_UNCOMMITTED:
	case TXN_INCOMPLETE:
		break;
	}
	ctl_fatal("the transaction ended as \"%s\"",
		  ovsdb_idl_txn_status_to_string(status));
}

/* 'error' as the server has it, in JSON. */
static void
refuse(const char *error)
{
	struct json *json = json_from_string(error);
	const struct json *what = NULL, *details = NULL;

	if (json->type == JSON_OBJECT) {
		what = shash_find_data(json_object(json), "error");
		details = shash_find_data(json_object(json), "details");
	}
	if (!what || what->type != JSON_STRING || !details
	    || details->type != JSON_STRING)
		ctl_fatal("the database refused: %s", error);
	ctl_fatal("the database refused: %s (%s)", json_string(details),
		  json_string(what));
}

static enum ovsdb_idl_txn_status
carry_over(void)
{
	enum ovsdb_idl_txn_status status;

	while ((status = ovsdb_idl_txn_commit(run.txn)) == TXN_INCOMPLETE) {
		if (is_late())
			ctl_fatal("the database has not answered after %u s; "
				  "nobody knows whether the change is stored",
				  run.options->timeout_s);
		ovsdb_idl_run(run.idl);
		ovsdb_idl_wait(run.idl);
		ovsdb_idl_txn_wait(run.txn);
		sleep_until(run.give_up_at);
	}
	return status;
}

/* Two programs that start on an empty database both insert the one Host row;
 * the second is refused, and needs not give up. */
static bool
host_appeared(void)
{
	if (!run.made_host)
		return false;
	ovsdb_idl_run(run.idl);
	return hnvrec_host_first(run.idl) != NULL;
}

/* What is left to do once the rows have their final names. */
static void
settle(struct ovsdb_symbol_table *symbols)
{
	for (size_t i = 0; i < run.n_commands; i++) {
		struct ctl_command *command = &run.commands[i];
		const struct told *to = written(command);
		const struct ovsdb_idl_row *row = NULL;
		struct ctl_context context;

		if (!command->syntax->postprocess && !to)
			continue;
		ctl_context_init(&context, command, run.idl, run.txn, symbols,
				 NULL);
		if (command->syntax->postprocess)
			command->syntax->postprocess(&context);
		else
			free(ctl_get_row(&context, to->table, command->argv[2],
					 false, &row));
		if (row)
			watch(row, true);
		if (context.error)
			ctl_fatal("%s", context.error);
		ctl_context_done(&context, command);
	}

	for (size_t i = 0; i < run.n_watched; i++) {
		const struct uuid *uuid = ovsdb_idl_txn_get_insert_uuid(
			run.txn, &run.watched[i].uuid);

		if (uuid)
			run.watched[i].uuid = *uuid;
	}
}

static void
forget_output(void)
{
	for (size_t i = 0; i < run.n_commands; i++) {
		ds_destroy(&run.commands[i].output);
		table_destroy(run.commands[i].table);
		free(run.commands[i].table);
		run.commands[i].table = NULL;
	}
}

static void
print(void)
{
	for (size_t i = 0; i < run.n_commands; i++) {
		struct ctl_command *command = &run.commands[i];

		if (command->table)
			table_print(command->table, &run.options->style);
		else if (run.options->oneline)
			print_oneline(&command->output);
		else
			fputs(ds_cstr(&command->output), stdout);
		shash_destroy_free_data(&command->options);
	}
	forget_output();
	/* Whoever reads a pipe wants the answer before we start to wait. */
	fflush(stdout);
}

static void
print_oneline(struct ds *text)
{
	ds_chomp(text, '\n');
	for (size_t i = 0; i < text->length; i++) {
		char c = text->string[i];

		if (c == '\n')
			fputs("\\n", stdout);
		else if (c == '\\')
			fputs("\\\\", stdout);
		else
			putchar(c);
	}
	putchar('\n');
}

static int
obey(void)
{
	long long int say_so_at = time_msec() + SAY_SO_AFTER_MS;
	bool said = false;

	/* The agent may be restarted while we wait for it. */
	ovsdb_idl_enable_reconnect(run.idl);
	for (;;) {
		ovsdb_idl_run(run.idl);
		if (in_force())
			return check_watched();
		if (is_late()) {
			fprintf(stderr, "hnv-ctl: the change is stored, and "
				"not in force after %u s\n",
				run.options->timeout_s);
			return EXIT_NOT_IN_FORCE;
		}
		if (!said && time_msec() >= say_so_at) {
			fprintf(stderr, "hnv-ctl: the change is stored; "
				"waiting for the agent to put it in force "
				"(--no-wait would not)\n");
			said = true;
		}
		ovsdb_idl_wait(run.idl);
		sleep_until(said ? run.give_up_at
				 : MIN(say_so_at, run.give_up_at));
	}
}

static bool
in_force(void)
{
	const struct hnvrec_host *host = hnvrec_host_first(run.idl);

	return host && host->cur_cfg >= run.next_cfg;
}

static int
check_watched(void)
{
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < run.n_watched; i++) {
		const struct smap *state = NULL;
		const char *name = describe(&run.watched[i], &state);

		/* Deleted by somebody since. */
		if (!name)
			continue;
		if (run.watched[i].table == &hnvrec_table_switch
		    && !run.watched[i].for_values
		    && take_over_report(hnvrec_switch_get_for_uuid(
				run.idl, &run.watched[i].uuid),
				EXIT_NOT_IN_FORCE))
			status = EXIT_NOT_IN_FORCE;
		if (strcmp(smap_get_def(state, "state", ""), "error")
		    || (run.watched[i].for_values
			&& strcmp(smap_get_def(state, "reason", ""),
				  "bad_option")))
			continue;
		fprintf(stderr, "hnv-ctl: %s %s: %s%s%s\n",
			run.watched[i].table->name, name,
			smap_get_def(state, "reason", "error"),
			smap_get(state, "detail") ? ": " : "",
			smap_get_def(state, "detail", ""));
		status = EXIT_NOT_IN_FORCE;
	}
	return status;
}

static const char *
describe(const struct watched *watched, const struct smap **ret_status)
{
	const struct uuid *uuid = &watched->uuid;

	if (watched->table == &hnvrec_table_host) {
		const struct hnvrec_host *row =
			hnvrec_host_get_for_uuid(run.idl, uuid);

		*ret_status = row ? &row->status : NULL;
		return row ? "." : NULL;
	}
	if (watched->table == &hnvrec_table_switch) {
		const struct hnvrec_switch *row =
			hnvrec_switch_get_for_uuid(run.idl, uuid);

		*ret_status = row ? &row->status : NULL;
		return row ? row->name : NULL;
	}
	if (watched->table == &hnvrec_table_port) {
		const struct hnvrec_port *row =
			hnvrec_port_get_for_uuid(run.idl, uuid);

		*ret_status = row ? &row->status : NULL;
		return row ? row->name : NULL;
	}

	const struct hnvrec_provider_address *row =
		hnvrec_provider_address_get_for_uuid(run.idl, uuid);

	*ret_status = row ? &row->status : NULL;
	return row ? row->ip : NULL;
}
