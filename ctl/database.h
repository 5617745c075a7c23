/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CTL_DATABASE_H
#define CTL_DATABASE_H 1

/* Carries verbs out on the database "hnv", all of them in one transaction. */

#include <stddef.h>

struct ctl_command;
struct options;
struct ovsdb_idl_row;

/* Connects to options->db, carries out 'commands' in one transaction, prints
 * what they say and, where something changed and options->wait says so, waits
 * until the agent has put it in force.  'args' becomes the transaction's
 * comment.  Returns an exit status: EXIT_SUCCESS, or 2 if the change is stored
 * but was not in force within options->timeout_s, or a row that was given to
 * database_watch() could not be put in force.  Other problems are fatal. */
int database_run(const struct options *, const char *args,
		 struct ctl_command *commands, size_t n_commands);

/* Remembers 'row', which belongs to Switch, Port or Provider_Address and was
 * made or changed by the verb that runs: its status is looked at when the
 * agent says that the change is in force.  The caller must have asked for the
 * table's "status" before the run. */
void database_watch(const struct ovsdb_idl_row *row);

/* Ends the program with 'status', leaving nothing behind on the way.  For
 * ctl_init(). */
_Noreturn void database_exit(int status);

#endif /* ctl/database.h */
