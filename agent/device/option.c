/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/device/option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool
option_number(const struct model_options *options, const char *key,
	      unsigned long min, unsigned long max, unsigned long *number,
	      struct model_fault *fault)
{
	const char *text = model_option(options, key, NULL);
	unsigned long n;
	char *end;

	if (!text)
		return true;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || n < min
	    || n > max) {
		model_fault_set(fault, MODEL_BAD_OPTION,
				"%s=\"%s\" is not a number from %lu to %lu",
				key, text, min, max);
		return false;
	}
	*number = n;
	return true;
}

bool
option_flag(const struct model_options *options, const char *key,
	    uint8_t *flag, struct model_fault *fault)
{
	const char *text = model_option(options, key, NULL);

	if (!text)
		return true;
	if (strcmp(text, "true") && strcmp(text, "false")) {
		model_fault_set(fault, MODEL_BAD_OPTION,
				"%s=\"%s\" is neither true nor false", key,
				text);
		return false;
	}
	*flag = !strcmp(text, "true");
	return true;
}

bool
option_mac(const struct model_options *options, const char *key,
	   uint8_t mac[6], bool *ret_given, struct model_fault *fault)
{
	const char *text = model_option(options, key, NULL);

	*ret_given = text != NULL;
	if (text && !model_mac_from_text(text, mac)) {
		model_fault_set(fault, MODEL_BAD_OPTION,
				"%s=\"%s\" is not a MAC address", key, text);
		return false;
	}
	return true;
}
