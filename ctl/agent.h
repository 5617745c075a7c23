/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CTL_AGENT_H
#define CTL_AGENT_H 1

/* Verbs that a running agent answers, over its control socket
 * RUN-DIR/hnv-agent.ctl.  Texts go through as they are: what a packet or a
 * flow is, the agent knows. */

#include <stdbool.h>

struct options;

/* Whether 'verb' is one for the agent and not for the database. */
bool agent_has_verb(const char *verb);

/* Prints the verbs and their arguments in the form of ctl_print_commands(). */
void agent_print_verbs(void);

/* What to look at if its sockets cannot be reached for that reason. */
const char *agent_hint(int error);

/* Carries out argv[0] with its arguments and prints the answer.  Returns an
 * exit status; problems with the command line or the socket are fatal. */
int agent_run(const struct options *, int argc, char *argv[]);

#endif /* ctl/agent.h */
