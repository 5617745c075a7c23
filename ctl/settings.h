/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CTL_SETTINGS_H
#define CTL_SETTINGS_H 1

/* The KEY=VALUE arguments of the add- verbs, and the spellings of addresses.
 *
 * A KEY that names a column sets it; any other becomes an option of the row.
 * Problems are reported with ctl_error() and make the verb fail. */

#include <stdbool.h>

struct ctl_context;
struct ovsdb_idl_row;
struct smap;

/* Parses argv['first'] and all after it into 'ret_settings', which the caller
 * has initialised and destroys.  False after a problem. */
bool settings_parse(struct ctl_context *, int first,
		    struct smap *ret_settings);

/* Takes 'key' out of 'settings'.  Returns its value, which the caller frees,
 * or NULL if it was not given. */
char *settings_take(struct smap *settings, const char *key);

/* Sets the column 'column' of 'row' in 'table' to 'value', one word that the
 * schema must allow.  False after a problem. */
bool settings_set_word(struct ctl_context *, const char *table,
		       const struct ovsdb_idl_row *row, const char *column,
		       const char *value);

/* 'mac' as lower-case pairs with colons; accepts colons, dashes, dots every
 * four digits (or none at all) and both cases.  The caller frees it.  NULL
 * after a problem: not a MAC, or not one that an interface can have. */
char *settings_mac(struct ctl_context *, const char *mac);

/* The IPv4 or IPv6 address 'ip' in canonical text, which the caller frees.
 * NULL after a problem. */
char *settings_ip(struct ctl_context *, const char *ip);

#endif /* ctl/settings.h */
