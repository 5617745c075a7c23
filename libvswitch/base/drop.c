/* SPDX-License-Identifier: Apache-2.0 */

#include <vswitch/inspect.h>

#include <stddef.h>

static const struct {
	const char *name, *text;
} drops[] = {
#define DROP_ROW(NAME, TEXT) { #NAME, TEXT },
	VSW_DROPS(DROP_ROW)
#undef DROP_ROW
};

_Static_assert(sizeof drops / sizeof drops[0] == VSW_N_DROPS,
	       "each drop has a name");
_Static_assert(sizeof ((struct vsw_port_counters *) 0)->drops
	       >= VSW_N_DROPS * sizeof(uint64_t),
	       "each drop has a counter in what is shown");

const char *
vsw_drop_name(enum vsw_drop drop)
{
	return (unsigned) drop < VSW_N_DROPS ? drops[drop].name : NULL;
}

const char *
vsw_drop_text(enum vsw_drop drop)
{
	return (unsigned) drop < VSW_N_DROPS ? drops[drop].text : NULL;
}
