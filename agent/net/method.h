/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_METHOD_H
#define NET_METHOD_H 1

/* Connection methods as OVSDB's programs write them (ovsdb(7)). */

#include <stdbool.h>
#include <stdint.h>

enum method_kind {
	METHOD_PUNIX,		/* punix:PATH */
	METHOD_PTCP,		/* ptcp:PORT[:IP] */
	METHOD_PSSL,		/* pssl:PORT[:IP] */
	METHOD_UNIX,		/* unix:PATH */
	METHOD_TCP,		/* tcp:HOST:PORT */
	METHOD_SSL		/* ssl:HOST:PORT */
};

struct method {
	enum method_kind kind;
	char *where;		/* Path or host, without brackets; never NULL,
				 * "" where ptcp or pssl has no IP. */
	uint16_t port;
};

/* On failure returns false and one line in '*ret_problem'; free() it. */
bool method_parse(const char *text, struct method *ret_method,
		  char **ret_problem);
void method_done(struct method *);

static inline bool
method_is_passive(const struct method *method)
{
	return method->kind == METHOD_PUNIX || method->kind == METHOD_PTCP
	       || method->kind == METHOD_PSSL;
}

static inline bool
method_is_unix(const struct method *method)
{
	return method->kind == METHOD_PUNIX || method->kind == METHOD_UNIX;
}

/* TLS is what OVSDB's programs call "ssl". */
static inline bool
method_is_tls(const struct method *method)
{
	return method->kind == METHOD_PSSL || method->kind == METHOD_SSL;
}

#endif /* net/method.h */
