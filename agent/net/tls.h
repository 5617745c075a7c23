/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_TLS_H
#define NET_TLS_H 1

/* TLS: whom a program is, and whom it believes.
 *
 * One of these for each program.  It holds the names of files; the files are
 * looked at before each connection, and read again if any of them is another
 * one or has been written.  New files that make no sense as a whole (a
 * certificate that does not belong to the key, because only one of the two has
 * been replaced yet) leave the old ones in force.  Connections live on with
 * what they began with.
 *
 * TLS 1.2 and 1.3 on OpenSSL 3; certificates on both sides, unless TLS_CA_CERT
 * is "none"; no resumption, no renegotiation, no compression.  A peer's
 * certificate must be valid in time, signed by a CA of TLS_CA_CERT, not
 * revoked by TLS_CRL, and meant for its side (RFC 5280, section 4.2.1.12:
 * clientAuth of who connects, serverAuth of whom we dial; a certificate
 * without extended key usage is meant for all).  [control] */

#include <stdbool.h>
#include <stdint.h>
#include <event2/bufferevent.h>

struct ssl_st;			/* OpenSSL's SSL. */
struct tls;

enum tls_setting {
	TLS_PRIVATE_KEY,	/* PEM files. */
	TLS_CERTIFICATE,	/* Ours, and those up to the CA if any. */
	TLS_CA_CERT,		/* CAs of our peers; "none" believes all. */
	TLS_BOOTSTRAP_CA_CERT,	/* The same; a file that is not there is
				 * written at the first connection that we
				 * dial, of what the peer says is its CA. */
	TLS_PEER_CA_CERT,	/* More certificates to send to peers. */
	TLS_CRL,		/* One list for each CA up to the root. */
	TLS_PEER_NAMES,		/* Commas between; one of them must be the
				 * peer's CN, or DNS or IP in its SAN. */
	TLS_PROTOCOLS,		/* "TLSv1.2,TLSv1.3". */
	TLS_CIPHERS,		/* Of TLS 1.2, as OpenSSL writes them. */
	TLS_CIPHERSUITES,	/* Of TLS 1.3. */
	N_TLS_SETTINGS
};

/* Why a connection did not come about. */
enum tls_refusal {
	TLS_NOT_CONFIGURED,	/* By us: no keys, or bad ones. */
	TLS_NO_CERTIFICATE,	/* The peer has none, */
	TLS_UNKNOWN_CA,		/* or one of somebody we do not know, */
	TLS_EXPIRED,		/* or its time is over, or yet to come, */
	TLS_REVOKED,
	TLS_NO_CRL,		/* Revoked or not: nobody knows. */
	TLS_WRONG_USAGE,
	TLS_WRONG_NAME,
	TLS_BAD_CERTIFICATE,	/* Something else is wrong with it. */
	TLS_OLD_PROTOCOL,
	TLS_NO_CIPHER,		/* In common. */
	TLS_NOT_TLS,
	TLS_REFUSED_BY_PEER,
	TLS_GONE,		/* Closed in the middle of it. */
	TLS_SLOW,
	TLS_BOOTSTRAPPED,	/* Next time we know the CA. */
	TLS_OTHER,
	N_TLS_REFUSALS
};

struct tls *tls_new(void);
void tls_free(struct tls *);

/* NULL unsets.  Fails for TLS_PROTOCOLS and the ciphers alone: files are read
 * when they are needed. */
bool tls_set(struct tls *, enum tls_setting, const char *value,
	     char **ret_problem);

/* Are key, certificate and CA named?  If not, '*ret_problem', a constant,
 * says what is missing. */
bool tls_is_configured(const struct tls *, const char **ret_problem);

/* Reads the files now, if they are all named, rather than at the first
 * connection. */
void tls_prepare(struct tls *);

/* One connection's half; 'host' is whom we dial, NULL if it dials us.  Returns
 * NULL and why, to be freed, if there is nothing to make one of.  Logs files
 * that have been read again, or cannot be. */
struct ssl_st *tls_connection(struct tls *, const char *host,
			      char **ret_problem);

/* Why the handshake of 'bev' has failed; the text is to be freed. */
enum tls_refusal tls_refusal(struct bufferevent *bev, char **ret_text);
/* A word for each, as in counters. */
const char *tls_refusal_name(enum tls_refusal);

/* After a handshake: is it good for a session?  False while the CA is being
 * learned: '*ret_text' then says what came of it. */
bool tls_is_trusted(struct tls *, struct ssl_st *, char **ret_text);

/* The CN of the certificate that was found wanting, or "". */
const char *tls_refused_name(struct ssl_st *);

/* The CN of the certificate that the peer has shown, to be freed; NULL: none,
 * or no CN that is text, or no TLS. */
char *tls_peer_name(struct bufferevent *);

/* For a channel, which does not care what is below. */
bool tls_is_below(struct bufferevent *);
/* Sends what goes without waiting, and that it was all. */
void tls_finish(struct bufferevent *);
/* What the peer or the network has against us; NULL: nothing was said.  To be
 * freed. */
char *tls_failure(struct bufferevent *);

#endif /* net/tls.h */
