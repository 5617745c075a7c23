/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_DAEMON_H
#define BASE_DAEMON_H 1

/* How a program becomes a daemon: the process that starts it waits until the
 * daemon serves, and exits with its fate; a monitor starts it again when it
 * dies of a programming error; a pid file tells others who it is.  systemd(1)
 * is told, too, when it serves, as sd_notify(3) says. [main]
 *
 *     starter ── fork ──▶ [monitor ── fork ──▶] daemon
 *         ◀── "ready" through a pipe ───────────┘
 *
 * The pid file holds the pid in decimal and is locked for writing, by
 * fcntl(2), as long as the daemon lives: ovs-appctl(8) believes no other. */

#include <stdbool.h>
#include <stdint.h>

struct daemon_options {
	bool detach, monitor, stay;	/* stay: do not go to "/". */
	bool overwrite_pid_file;
	const char *pid_path;		/* NULL: none. */
	const char *program;
};

/* To be called before anything is opened.  Returns, in the daemon, true; and
 * false, after a line on stderr, if it cannot be.  Elsewhere it does not
 * return: the starter and the monitor exit. */
bool daemon_start(const struct daemon_options *);

/* The daemon serves: its starter may go, and whoever asked by NOTIFY_SOCKET
 * is told.  With 'detach', leaves the terminal, and the directory. */
void daemon_ready(const struct daemon_options *);

/* systemd's watchdog (sd_watchdog_enabled(3)): how often it is to be told that
 * the daemon lives, in milliseconds, twice in its time; 0: nobody asks. */
int64_t daemon_alive_ms(void);
void daemon_alive(const struct daemon_options *);

/* Removes the pid file. */
void daemon_stop(void);

#endif /* base/daemon.h */
