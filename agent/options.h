/* SPDX-License-Identifier: Apache-2.0 */

#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H 1

/* hnv-agent's command line. */

#include <stdbool.h>
#include <stddef.h>
#include "agent/base/daemon.h"
#include "agent/base/log.h"
#include "agent/net/tls.h"

struct options {
	char *db_dir, *run_dir, *schema_dir;
	bool has_own_run_dir;		/* Not the usual one. */
	bool allows_damage;		/* damage.h */
	char *tls[N_TLS_SETTINGS];	/* NULL: not given. */
	char **remotes;
	size_t n_remotes;
	char *log_dir;			/* Of what rules log. */
	unsigned n_workers;
	enum log_level level;
	bool gives_back;		/* And nothing else. */
	bool use_syslog;
	struct daemon_options daemon;
	char *pid_path;			/* NULL: no such file. */
};

/* Reads the command line; on --help, --version and on mistakes it prints and
 * ends the program. */
void options_read(int argc, char *argv[], struct options *ret_options);
void options_done(struct options *);

#endif /* agent/options.h */
