/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_CONTROL_H
#define NET_CONTROL_H 1

/* The control socket of a program: one JSON-RPC request is one command, its
 * parameters are strings, the result is text.  This is what ovs-appctl(8)
 * speaks ("ovs-appctl -t PATH COMMAND [ARG]..."), and hnv-ctl.
 *
 * The commands "list-commands", "help" and "version" are there from the
 * start.  [control] */

#include <stddef.h>
#include <event2/event.h>

struct control;
struct control_request;

/* Listens on the Unix socket 'path', mode 0660.  'version' is what "version"
 * answers.  Returns NULL, and why in '*ret_problem' (free() it), if that does
 * not work. */
struct control *control_new(struct event_base *, const char *path,
			    const char *version, char **ret_problem);

/* Closes its connections and removes the socket file.  Requests that have not
 * been answered must still be answered, before or after. */
void control_free(struct control *);

/* 'name' and 'usage' (the arguments, for "list-commands") must outlive the
 * control; a request with fewer or more arguments than given is refused before
 * 'run' hears of it.  SIZE_MAX: any number.  'run' answers by control_reply()
 * or control_fail(), at once or later, exactly once; 'args' last until it
 * returns.  It must not free the control. */
void control_add_command(struct control *, const char *name,
			 const char *usage, size_t min_args, size_t max_args,
			 void (*run)(struct control_request *, size_t n_args,
				     const char *const args[], void *ctx),
			 void *ctx);

/* End the request.  A newline is put behind a text that lacks one.  Where the
 * asker has gone, nobody hears of it. */
void control_reply(struct control_request *, const char *text);
void control_fail(struct control_request *, const char *text);

#endif /* net/control.h */
