/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TLS_KEYS_H
#define TLS_KEYS_H 1

/* Keys, certificates and revocation lists, made on the spot.  Files are
 * NAME.key, NAME.pem and NAME.crl in a directory. */

#include <stdbool.h>

/* How a certificate is out of the ordinary. */
struct odd {
	const char *usage;	/* Of the key, extended; NULL: both. */
	const char *names;	/* subjectAltName. */
	long from_s, until_s;	/* From now; 0, 0: an hour each way. */
};

void make_ca(const char *directory, const char *name);
/* Signed by 'ca'; its CN is 'name'.  Returns its serial number. */
long make_certificate(const char *directory, const char *ca,
		      const char *name, const struct odd *);
/* With one entry, 0 for none. */
void make_crl(const char *directory, const char *ca, long serial,
	      long until_s);

#endif /* tls_keys.h */
