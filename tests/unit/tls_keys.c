/* SPDX-License-Identifier: Apache-2.0 */

#include "tls_keys.h"

#include <stdio.h>
#include <check.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { HOUR_S = 3600 };

static FILE *
file(const char *directory, const char *name, const char *suffix,
     const char *mode)
{
	char path[256];
	FILE *stream;

	snprintf(path, sizeof path, "%s/%s.%s", directory, name, suffix);
	stream = fopen(path, mode);
	ck_assert_msg(stream != NULL, "%s", path);
	return stream;
}

static EVP_PKEY *
new_key(const char *directory, const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *stream = file(directory, name, "key", "w");

	ck_assert(PEM_write_PrivateKey(stream, key, NULL, NULL, 0, NULL,
				       NULL));
	fclose(stream);
	return key;
}

static void
extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ck_assert_ptr_nonnull(extension);
	ck_assert(X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

static X509 *
new_certificate(const char *name, EVP_PKEY *key, long from_s, long until_s)
{
	static long serial = 1;
	X509 *certificate = X509_new();

	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
	X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
	X509_gmtime_adj(X509_getm_notAfter(certificate), until_s);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
				   MBSTRING_ASC, (const unsigned char *) name,
				   -1, -1, 0);
	return certificate;
}

static void
write_certificate(const char *directory, const char *name, X509 *certificate)
{
	FILE *stream = file(directory, name, "pem", "w");

	ck_assert(PEM_write_X509(stream, certificate));
	fclose(stream);
}

static void
read_ca(const char *directory, const char *ca, X509 **ret_certificate,
	EVP_PKEY **ret_key)
{
	FILE *stream = file(directory, ca, "pem", "r");

	*ret_certificate = PEM_read_X509(stream, NULL, NULL, NULL);
	fclose(stream);
	stream = file(directory, ca, "key", "r");
	*ret_key = PEM_read_PrivateKey(stream, NULL, NULL, NULL);
	fclose(stream);
}

void
make_ca(const char *directory, const char *name)
{
	EVP_PKEY *key = new_key(directory, name);
	X509 *ca = new_certificate(name, key, -HOUR_S, HOUR_S);

	X509_set_issuer_name(ca, X509_get_subject_name(ca));
	extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
	extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign");
	ck_assert(X509_sign(ca, key, EVP_sha256()));
	write_certificate(directory, name, ca);
	X509_free(ca);
	EVP_PKEY_free(key);
}

long
make_certificate(const char *directory, const char *ca_name,
		 const char *name, const struct odd *odd)
{
	static const struct odd ordinary;
	EVP_PKEY *key = new_key(directory, name), *ca_key;
	X509 *ca, *certificate;
	long serial;

	if (!odd)
		odd = &ordinary;
	read_ca(directory, ca_name, &ca, &ca_key);
	certificate = new_certificate(name, key,
				      odd->from_s ? odd->from_s : -HOUR_S,
				      odd->until_s ? odd->until_s : HOUR_S);
	X509_set_issuer_name(certificate, X509_get_subject_name(ca));
	extend(certificate, ca, NID_ext_key_usage,
	       odd->usage ? odd->usage : "serverAuth,clientAuth");
	if (odd->names)
		extend(certificate, ca, NID_subject_alt_name, odd->names);
	ck_assert(X509_sign(certificate, ca_key, EVP_sha256()));
	write_certificate(directory, name, certificate);
	serial = ASN1_INTEGER_get(X509_get_serialNumber(certificate));
	X509_free(certificate);
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	return serial;
}

void
make_crl(const char *directory, const char *ca_name, long serial,
	 long until_s)
{
	ASN1_TIME *time = X509_gmtime_adj(NULL, -2 * HOUR_S);
	FILE *stream = file(directory, ca_name, "crl", "w");
	X509_CRL *crl = X509_CRL_new();
	EVP_PKEY *key;
	X509 *ca;

	read_ca(directory, ca_name, &ca, &key);
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca));
	X509_CRL_set1_lastUpdate(crl, time);
	if (serial) {
		X509_REVOKED *revoked = X509_REVOKED_new();
		ASN1_INTEGER *number = ASN1_INTEGER_new();

		ASN1_INTEGER_set(number, serial);
		X509_REVOKED_set_serialNumber(revoked, number);
		X509_REVOKED_set_revocationDate(revoked, time);
		X509_CRL_add0_revoked(crl, revoked);
		ASN1_INTEGER_free(number);
	}
	X509_gmtime_adj(time, until_s);
	X509_CRL_set1_nextUpdate(crl, time);
	ck_assert(X509_CRL_sign(crl, key, EVP_sha256()));
	ck_assert(PEM_write_X509_CRL(stream, crl));
	fclose(stream);
	X509_CRL_free(crl);
	X509_free(ca);
	EVP_PKEY_free(key);
	ASN1_TIME_free(time);
}
