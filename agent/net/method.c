/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/method.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"

static bool read_passive(const char *rest, struct method *);
static bool read_active(const char *rest, struct method *);
static bool read_port(const char *text, size_t size, uint16_t *ret_port);
static char *read_host(const char *text, size_t size);

static const struct {
	const char *prefix;
	enum method_kind kind;
	const char *form;
} forms[] = {
	{ "punix:", METHOD_PUNIX, "punix:PATH" },
	{ "ptcp:", METHOD_PTCP, "ptcp:PORT[:IP]" },
	{ "pssl:", METHOD_PSSL, "pssl:PORT[:IP]" },
	{ "unix:", METHOD_UNIX, "unix:PATH" },
	{ "tcp:", METHOD_TCP, "tcp:HOST:PORT" },
	{ "ssl:", METHOD_SSL, "ssl:HOST:PORT" },
};

bool
method_parse(const char *text, struct method *ret_method, char **ret_problem)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct method method = { .kind = forms[i].kind };
		size_t size = strlen(forms[i].prefix);
		const char *rest = text + size;
		bool is_right;

		if (strncmp(text, forms[i].prefix, size))
			continue;
		if (method_is_unix(&method)) {
			is_right = *rest != '\0';
			method.where = xstrdup(rest);
		} else if (method_is_passive(&method)) {
			is_right = read_passive(rest, &method);
		} else {
			is_right = read_active(rest, &method);
		}
		if (is_right) {
			*ret_method = method;
			return true;
		}
		method_done(&method);
		*ret_problem = xasprintf("%s: expected %s", text,
					 forms[i].form);
		return false;
	}
	*ret_problem = xasprintf("%s: no such connection method; there are "
				 "punix:, ptcp:, pssl:, unix:, tcp: and ssl:",
				 text);
	return false;
}

void
method_done(struct method *method)
{
	free(method->where);
}

static bool
read_passive(const char *rest, struct method *method)
{
	const char *colon = strchr(rest, ':');

	if (!colon) {
		method->where = xstrdup("");
		return read_port(rest, strlen(rest), &method->port);
	}
	method->where = read_host(colon + 1, strlen(colon + 1));
	return method->where && *method->where
	       && read_port(rest, (size_t) (colon - rest), &method->port);
}

static bool
read_active(const char *rest, struct method *method)
{
	const char *colon = strrchr(rest, ':');

	if (!colon)
		return false;
	method->where = read_host(rest, (size_t) (colon - rest));
	return method->where && *method->where
	       && read_port(colon + 1, strlen(colon + 1), &method->port)
	       && method->port;
}

static bool
read_port(const char *text, size_t size, uint16_t *ret_port)
{
	unsigned port = 0;

	if (!size || size > 5)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		port = port * 10 + (unsigned) (text[i] - '0');
	}
	if (port > UINT16_MAX)
		return false;
	*ret_port = (uint16_t) port;
	return true;
}

/* Without brackets there must be no colon: it would be an IPv6 address whose
 * end is anybody's guess. */
static char *
read_host(const char *text, size_t size)
{
	if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
		text++;
		size -= 2;
	} else if (memchr(text, ':', size)) {
		return NULL;
	}
	return strndup(text, size);
}
