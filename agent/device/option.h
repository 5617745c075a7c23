/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DEVICE_OPTION_H
#define DEVICE_OPTION_H 1

/* Reads options of rows.  Each returns false, and says in the fault which
 * option does not read, or leaves what it was given where there is none. */

#include <stdbool.h>
#include <stdint.h>
#include "agent/model/model.h"

bool option_number(const struct model_options *, const char *key,
		   unsigned long min, unsigned long max, unsigned long *number,
		   struct model_fault *);
bool option_flag(const struct model_options *, const char *key, uint8_t *flag,
		 struct model_fault *);
bool option_mac(const struct model_options *, const char *key, uint8_t mac[6],
		bool *ret_given, struct model_fault *);

#endif /* device/option.h */
