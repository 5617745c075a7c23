/* SPDX-License-Identifier: Apache-2.0 */

/* What OpenSSL says about a connection, in the house's words. */

#include "agent/net/tls.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include "agent/base/memory.h"

/* OpenSSL's reasons for alerts that came are the alert's number and this. */
enum { ALERT = SSL_AD_REASON_OFFSET, ALERT_END = ALERT + 256 };

static enum tls_refusal of_certificate(long result);
static enum tls_refusal of_error(unsigned long error);
static bool is_alert(unsigned long error);

static const char *const texts[N_TLS_REFUSALS] = {
	[TLS_UNKNOWN_CA] = "unknown CA",
	[TLS_EXPIRED] = "not in its time",
	[TLS_REVOKED] = "revoked",
	[TLS_NO_CRL] = "maybe revoked",
	[TLS_WRONG_USAGE] = "wrong usage",
	[TLS_WRONG_NAME] = "wrong name",
	[TLS_BAD_CERTIFICATE] = "bad",
};

enum tls_refusal
tls_refusal(struct bufferevent *bev, char **ret_text)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	long result = SSL_get_verify_result(ssl);
	unsigned long error = bufferevent_get_openssl_error(bev);
	enum tls_refusal refusal;
	const char *name;

	if (result != X509_V_OK && !is_alert(error)) {
		refusal = of_certificate(result);
		name = tls_refused_name(ssl);
		*ret_text = xasprintf("its certificate%s%s is refused: "
				      "%s: %s", *name ? " of " : "", name,
				      texts[refusal],
				      X509_verify_cert_error_string(result));
		return refusal;
	}
	refusal = of_error(error);
	if (refusal == TLS_NO_CERTIFICATE)
		*ret_text = xstrdup("it has shown no certificate");
	else if (refusal == TLS_OLD_PROTOCOL)
		*ret_text = xstrdup("its TLS is too old; there are 1.2 and "
				    "1.3");
	else if (refusal == TLS_NO_CIPHER)
		*ret_text = xstrdup("there is no cipher in common");
	else if (refusal == TLS_NOT_TLS)
		*ret_text = xstrdup("it does not speak TLS");
	else if (refusal == TLS_REFUSED_BY_PEER)
		*ret_text = xasprintf("it refuses us: %s",
				      ERR_reason_error_string(error));
	else if (refusal == TLS_GONE)
		*ret_text = xstrdup("closed during the TLS handshake");
	else
		*ret_text = xasprintf("TLS handshake failed: %s",
				      ERR_reason_error_string(error));
	return refusal;
}

const char *
tls_refusal_name(enum tls_refusal refusal)
{
	static const char *const names[] = {
		[TLS_NOT_CONFIGURED] = "not_configured",
		[TLS_NO_CERTIFICATE] = "no_certificate",
		[TLS_UNKNOWN_CA] = "unknown_ca",
		[TLS_EXPIRED] = "expired",
		[TLS_REVOKED] = "revoked",
		[TLS_NO_CRL] = "no_crl",
		[TLS_WRONG_USAGE] = "wrong_usage",
		[TLS_WRONG_NAME] = "wrong_name",
		[TLS_BAD_CERTIFICATE] = "bad_certificate",
		[TLS_OLD_PROTOCOL] = "old_protocol",
		[TLS_NO_CIPHER] = "no_cipher",
		[TLS_NOT_TLS] = "not_tls",
		[TLS_REFUSED_BY_PEER] = "refused_by_peer",
		[TLS_GONE] = "gone",
		[TLS_SLOW] = "slow",
		[TLS_BOOTSTRAPPED] = "bootstrapped",
		[TLS_OTHER] = "other",
	};

	static_assert(sizeof names / sizeof *names == N_TLS_REFUSALS,
		      "each refusal has its name");
	return names[refusal];
}

bool
tls_is_below(struct bufferevent *bev)
{
	return bufferevent_openssl_get_ssl(bev) != NULL;
}

void
tls_finish(struct bufferevent *bev)
{
	struct evbuffer *output = bufferevent_get_output(bev);
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	struct evbuffer_iovec piece;
	int n = 1;

	evbuffer_unfreeze(output, 1);
	while (n > 0 && evbuffer_peek(output, -1, NULL, &piece, 1) > 0) {
		/* Never less than what was begun with. */
		n = piece.iov_len > INT_MAX ? INT_MAX : (int) piece.iov_len;
		n = SSL_write(ssl, piece.iov_base, n);
		if (n > 0)
			evbuffer_drain(output, (size_t) n);
	}
	/* In the middle of a record there is nothing to be said. */
	if (n > 0)
		SSL_shutdown(ssl);
	ERR_clear_error();
}

char *
tls_failure(struct bufferevent *bev)
{
	unsigned long error = bufferevent_get_openssl_error(bev);

	if (!error)
		return NULL;
	return xasprintf(is_alert(error) ? "it refuses us: %s" : "TLS: %s",
			 ERR_reason_error_string(error));
}

static enum tls_refusal
of_certificate(long result)
{
	switch (result) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_EXPIRED;
	case X509_V_ERR_CERT_REVOKED:
		return TLS_REVOKED;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
		return TLS_NO_CRL;
	case X509_V_ERR_INVALID_PURPOSE:
		return TLS_WRONG_USAGE;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return TLS_WRONG_NAME;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return TLS_UNKNOWN_CA;
	default:
		return TLS_BAD_CERTIFICATE;
	}
}

static enum tls_refusal
of_error(unsigned long error)
{
	if (!error)
		return TLS_GONE;
	switch (ERR_GET_REASON(error)) {
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
		return TLS_NO_CERTIFICATE;
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_UNKNOWN_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return TLS_OLD_PROTOCOL;
	case SSL_R_NO_SHARED_CIPHER:
		return TLS_NO_CIPHER;
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
	case SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
	case SSL_R_UNEXPECTED_MESSAGE:
		return TLS_NOT_TLS;
	default:
		return is_alert(error) ? TLS_REFUSED_BY_PEER : TLS_OTHER;
	}
}

static bool
is_alert(unsigned long error)
{
	return ERR_GET_LIB(error) == ERR_LIB_SSL
	       && ERR_GET_REASON(error) >= ALERT
	       && ERR_GET_REASON(error) < ALERT_END;
}
