/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H 1

/* What the command line says before and around the verbs.
 *
 * hnv-ctl is one thread, does one thing and exits; like all programs on
 * db-ctl-base it ends in ctl_fatal() on the first problem. */

#include <stdbool.h>

#include <openvswitch/shash.h>
#include <table.h>

struct options {
	char *run_dir;			/* Absolute. */
	char *db;			/* Method, e.g. "unix:/run/x". */
	unsigned int timeout_s;		/* 0: no limit. */
	bool dry_run;
	bool oneline;
	bool retry;			/* Keep trying to connect. */
	bool wait;			/* Until the policy is in force. */
	struct table_style style;
};

/* Parses what stands before the first verb into 'ret_options' and the verbs'
 * own options (--may-exist and its kin) into 'ret_local', which must be an
 * empty shash.  Leaves optind at the first verb.  Verbs must be registered
 * already.  --help, --version and their kin print and exit. */
void options_parse(int argc, char *argv[], struct options *ret_options,
		   struct shash *ret_local);

/* Frees what 'options' holds. */
void options_done(struct options *options);

#endif /* ctl/options.h */
