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

/* Both sides exchange: if this one finds that somebody has woken control, then
 * control has not exchanged yet, and when it does it sees what was written
 * (partner: vsw_events()). */
void
switch_wake(struct vsw *vsw)
{
	if (!atomic_exchange_explicit(&vsw->is_woken, true,
				      memory_order_acq_rel)
	    && vsw->options.wake)
		vsw->options.wake(vsw->options.wake_ctx);
}
