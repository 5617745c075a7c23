/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_TLS_PROTOCOLS_H
#define NET_TLS_PROTOCOLS_H 1

/* Lists of TLS versions as OVSDB's programs write them.  [control] */

#include <stdbool.h>

struct tls_protocols {
	int min, max;		/* TLS1_2_VERSION, TLS1_3_VERSION. */
};

/* "TLSv1.2", "TLSv1.2,TLSv1.3", "TLSv1.2+", "TLSv1.2-TLSv1.3"; commas or
 * blanks between.  Versions before 1.2 may be named and are not used; a list
 * without any other is refused. */
bool tls_protocols_parse(const char *text, struct tls_protocols *,
			 char **ret_problem);

#endif /* net/tls_protocols.h */
