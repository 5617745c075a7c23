/* SPDX-License-Identifier: Apache-2.0 */

#include "ctl/settings.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <db-ctl-base.h>
#include <ovsdb-idl.h>
#include <smap.h>
#include <util.h>

static bool parse_mac(const char *, uint8_t ret_bytes[6]);

bool
settings_parse(struct ctl_context *context, int first,
	       struct smap *ret_settings)
{
	for (int i = first; i < context->argc; i++) {
		const char *arg = context->argv[i];
		const char *equals = strchr(arg, '=');

		if (!equals || equals == arg) {
			ctl_error(context, "%s: \"%s\" is not KEY=VALUE",
				  context->argv[0], arg);
			return false;
		}

		char *key = xmemdup0(arg, (size_t) (equals - arg));
		bool is_new = smap_add_once(ret_settings, key, equals + 1);

		if (!is_new)
			ctl_error(context, "%s: \"%s\" is given twice",
				  context->argv[0], key);
		free(key);
		if (!is_new)
			return false;
	}
	return true;
}

char *
settings_take(struct smap *settings, const char *key)
{
	char *value = nullable_xstrdup(smap_get(settings, key));

	smap_remove(settings, key);
	return value;
}

bool
settings_set_word(struct ctl_context *context, const char *table,
		  const struct ovsdb_idl_row *row, const char *column,
		  const char *value)
{
	char *arg = xasprintf("%s=%s", column, value);
	char *error = ctl_set_column(table, row, arg, context->symtab);

	if (error)
		ctl_error(context, "%s: %s: %s", context->argv[0], arg, error);
	free(arg);
	free(error);
	return !context->error;
}

char *
settings_mac(struct ctl_context *context, const char *mac)
{
	static const uint8_t zero[6];
	uint8_t b[6];

	if (!parse_mac(mac, b)) {
		ctl_error(context, "%s: \"%s\" is not a MAC address",
			  context->argv[0], mac);
		return NULL;
	}
	if (b[0] & 1 || !memcmp(b, zero, sizeof b)) {
		ctl_error(context, "%s: no interface can have the MAC "
			  "address %s", context->argv[0], mac);
		return NULL;
	}
	return xasprintf("%02x:%02x:%02x:%02x:%02x:%02x",
			 b[0], b[1], b[2], b[3], b[4], b[5]);
}

char *
settings_ip(struct ctl_context *context, const char *ip)
{
	uint8_t address[sizeof(struct in6_addr)];
	char text[INET6_ADDRSTRLEN];
	int family = strchr(ip, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, ip, address) != 1
	    || !inet_ntop(family, address, text, sizeof text)) {
		ctl_error(context, "%s: \"%s\" is not an IP address",
			  context->argv[0], ip);
		return NULL;
	}
	return xstrdup(text);
}

/* Separators, where there are any, are all the same and stand after every two
 * digits, or, dots, after every four. */
static bool
parse_mac(const char *text, uint8_t ret_bytes[6])
{
	char separator = '\0';
	unsigned int every = 12;

	if (strlen(text) == 17) {
		separator = text[2];
		every = 2;
		if (separator != ':' && separator != '-')
			return false;
	} else if (strlen(text) == 14) {
		separator = '.';
		every = 4;
	} else if (strlen(text) != 12) {
		return false;
	}

	for (unsigned int digit = 0; digit < 12; digit++, text++) {
		if (digit > 0 && digit % every == 0 && *text++ != separator)
			return false;
		if (!isxdigit((unsigned char) *text))
			return false;

		uint8_t *byte = &ret_bytes[digit / 2];
		uint8_t value = (uint8_t) hexit_value((unsigned char) *text);

		*byte = digit % 2 ? (uint8_t) (*byte << 4 | value) : value;
	}
	return true;
}
