/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/model/punts.h"

static const char *const names[] = {
#define PUNTED_NAME(NAME, TEXT) TEXT,
	PUNTS(PUNTED_NAME)
#undef PUNTED_NAME
};

const char *
punts_name(enum punted what)
{
	return names[what];
}
