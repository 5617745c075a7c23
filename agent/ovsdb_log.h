/* SPDX-License-Identifier: Apache-2.0 */

#ifndef AGENT_OVSDB_LOG_H
#define AGENT_OVSDB_LOG_H 1

/* hnv-ovsdb's log: the levels, destinations, patterns and options that users
 * of ovsdb-server(1) know.
 *
 *     2026-11-22T00:00:00.000Z|00001|ovsdb_server|INFO|subject: message
 *
 * Three destinations, "syslog", "console" and "file", with a level and a
 * pattern each; all start at "info".  A file is written once it is opened.
 * Levels can be set for a module alone: our lines come from "ovsdb_server",
 * "vlog" and "unixctl"; other names that ovsdb-server has are known, and
 * their levels kept, but nothing is logged for them.
 *
 * All of it takes over from log.h's lines.  [any], but for opening. */

#include <stdbool.h>

/* 'program' as in the lines and file names; must outlive it. */
void ovsdb_log_start(const char *program);
void ovsdb_log_stop(void);

/* A specification as -v takes it: words between blanks, commas or colons, of
 * which one may be a module, one a destination and one a level; or
 * "PATTERN:destination:pattern" or "FACILITY:facility".  Returns NULL, or why
 * not: free() it. */
char *ovsdb_log_set(const char *spec);

/* Returns false, and says so in the log, if the file cannot be opened. */
bool ovsdb_log_open(const char *path);
bool ovsdb_log_reopen(void);		/* False also where there is none. */
void ovsdb_log_close(void);
const char *ovsdb_log_path(void);	/* NULL: none. */

/* libc, null, unix:PATH or udp:IP:PORT; NULL, or why not: free() it. */
char *ovsdb_log_set_method(const char *method);
/* Sends the lines for syslog to IP:PORT, too. */
char *ovsdb_log_set_target(const char *address);

/* Tables of text; free() them. */
char *ovsdb_log_levels(void);
char *ovsdb_log_patterns(void);

#endif /* agent/ovsdb_log.h */
