/* SPDX-License-Identifier: Apache-2.0 */

#ifndef AGENT_OVSDB_OPTIONS_H
#define AGENT_OVSDB_OPTIONS_H 1

/* hnv-ovsdb's command line: ovsdb-server(1)'s, for stand-alone databases.
 *
 * Where no path is given, files are found as ovsdb-server finds them: in
 * $OVS_RUNDIR, $OVS_LOGDIR and $OVS_DBDIR, or in /var/run/openvswitch,
 * /var/log/openvswitch and /etc/openvswitch, named after the program as it
 * was called. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent/net/remotes.h"
#include "agent/base/daemon.h"

/* However it was called. */
extern const char options_version[];

struct program_options {
	const char *program;		/* As called, without the folder. */
	char **remotes, **files;	/* As given. */
	size_t n_remotes, n_files;
	char *control_path;		/* NULL: none. */
	bool is_control_asked_for;
	const char *run;		/* NULL: none. */
	uint64_t history_size;		/* Bytes, for each database. */
	const char *tls[N_TLS_SETTINGS];
	struct daemon_options daemon;
	char *pid_path;
};

/* Starts the log, too (ovsdb_log.h).  Returns false if the program is over,
 * with the exit status, after saying why on stderr. */
bool options_read(int argc, char *argv[], struct program_options *,
		  int *ret_status);
/* Once the process is the daemon: its pid is part of the path. */
void options_complete(struct program_options *);
void options_done(struct program_options *);

#endif /* agent/ovsdb_options.h */
