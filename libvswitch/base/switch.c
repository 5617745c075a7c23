/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/base/switch.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_SIZE = 512 };

void
switch_log(const struct vsw *vsw, enum vsw_log_level level,
	   const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	if (!vsw->options.logger.log)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	vsw->options.logger.log(vsw->options.logger.ctx, level, line);
}
