/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/net/tls_protocols.h"

/* Which file it was: another one, or written since, if any of it differs. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct tls {
	char *settings[N_TLS_SETTINGS];
	SSL_CTX *ctx;			/* What is in force, or NULL. */
	bool is_learning;		/* The CA; 'ctx' believes all. */
	bool must_read;			/* A setting has changed. */
	char *problem;			/* With the files as they are. */
	struct stamp stamps[TLS_CRL + 1];	/* When last read. */
};

static int name_index(void);
static const char *ca_file(const struct tls *);
static bool believes_all(const struct tls *);
static void read_files(struct tls *);
static bool take_stamps(struct tls *);
static SSL_CTX *make_context(struct tls *, char **ret_problem);
static char *load_own(struct tls *, SSL_CTX *);
static char *load_chain(SSL_CTX *, const char *path);
static char *load_peers(struct tls *, SSL_CTX *);
static char *load_crl(SSL_CTX *, const char *path);
static char *set_ciphers(SSL_CTX *, enum tls_setting, const char *value);
static char *complaint(const char *path, const char *what);
static int no_password(char *text, int size, int is_writing, void *ctx);
static int verify(int is_good, X509_STORE_CTX *);
static void remember_name(SSL *, X509 *);
static void free_name(void *ssl, void *name, CRYPTO_EX_DATA *, int index,
		      long argl, void *argp);
static bool has_name(X509 *, const char *names);
static bool is_address(const char *text);
static char *learn(const char *path, SSL *);

struct tls *
tls_new(void)
{
	struct tls *tls = xcalloc(1, sizeof *tls);

	tls->must_read = true;
	return tls;
}

void
tls_free(struct tls *tls)
{
	if (!tls)
		return;
	for (size_t i = 0; i < N_TLS_SETTINGS; i++)
		free(tls->settings[i]);
	SSL_CTX_free(tls->ctx);
	free(tls->problem);
	free(tls);
}

bool
tls_set(struct tls *tls, enum tls_setting setting, const char *value,
	char **ret_problem)
{
	const char *old = tls->settings[setting];
	struct tls_protocols protocols;
	SSL_CTX *probe;
	char *problem = NULL;

	if (value && !*value)
		value = NULL;
	if (old && value ? !strcmp(old, value) : old == value)
		return true;
	if (value && setting == TLS_PROTOCOLS
	    && !tls_protocols_parse(value, &protocols, ret_problem))
		return false;
	if (value && (setting == TLS_CIPHERS || setting == TLS_CIPHERSUITES)) {
		probe = SSL_CTX_new(TLS_method());
		problem = set_ciphers(probe, setting, value);
		SSL_CTX_free(probe);
	}
	if (problem) {
		*ret_problem = problem;
		return false;
	}
	free(tls->settings[setting]);
	tls->settings[setting] = value ? xstrdup(value) : NULL;
	tls->must_read = true;
	return true;
}

bool
tls_is_configured(const struct tls *tls, const char **ret_problem)
{
	if (!tls->settings[TLS_PRIVATE_KEY])
		*ret_problem = "no private key is configured";
	else if (!tls->settings[TLS_CERTIFICATE])
		*ret_problem = "no certificate is configured";
	else if (!ca_file(tls))
		*ret_problem = "no CA certificate is configured";
	else
		return true;
	return false;
}

void
tls_prepare(struct tls *tls)
{
	const char *missing;

	if (tls_is_configured(tls, &missing))
		read_files(tls);
}

SSL *
tls_connection(struct tls *tls, const char *host, char **ret_problem)
{
	const char *missing;
	SSL *ssl;

	if (!tls_is_configured(tls, &missing)) {
		*ret_problem = xstrdup(missing);
		return NULL;
	}
	read_files(tls);
	/* Whoever connects could be anybody: a CA is learned of whom we
	 * dial. */
	if (!tls->ctx || (tls->is_learning && !host)) {
		*ret_problem = xstrdup(tls->ctx ? "no CA certificate yet"
					: tls->problem);
		return NULL;
	}
	ssl = SSL_new(tls->ctx);
	if (host && !is_address(host))
		SSL_set_tlsext_host_name(ssl, host);
	return ssl;
}

bool
tls_is_trusted(struct tls *tls, SSL *ssl, char **ret_text)
{
	/* Learned meanwhile, or not: what was not verified is not good. */
	if (SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE || believes_all(tls))
		return true;
	*ret_text = learn(tls->settings[TLS_BOOTSTRAP_CA_CERT], ssl);
	return false;
}

const char *
tls_refused_name(SSL *ssl)
{
	const char *name = SSL_get_ex_data(ssl, name_index());

	return name ? name : "";
}

char *
tls_peer_name(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	X509 *certificate = ssl ? SSL_get0_peer_certificate(ssl) : NULL;
	unsigned char *name = NULL;
	X509_NAME *subject;
	int place, size;
	char *copy;

	/* What nobody has vouched for is no name. */
	if (!certificate || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE
	    || SSL_get_verify_result(ssl) != X509_V_OK)
		return NULL;
	subject = X509_get_subject_name(certificate);
	place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (place < 0)
		return NULL;
	size = ASN1_STRING_to_UTF8(&name, X509_NAME_ENTRY_get_data(
					X509_NAME_get_entry(subject, place)));
	if (size < 0)
		return NULL;
	copy = strlen((char *) name) == (size_t) size
	       ? xstrdup((char *) name) : NULL;
	OPENSSL_free(name);
	return copy;
}

/* Where a connection keeps it: OpenSSL forgets whom it refuses. */
static int
name_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_name);
	return index;
}

static const char *
ca_file(const struct tls *tls)
{
	return tls->settings[TLS_CA_CERT] ? tls->settings[TLS_CA_CERT]
	       : tls->settings[TLS_BOOTSTRAP_CA_CERT];
}

static bool
believes_all(const struct tls *tls)
{
	return tls->settings[TLS_CA_CERT]
	       && !strcmp(tls->settings[TLS_CA_CERT], "none");
}

static void
read_files(struct tls *tls)
{
	bool is_first = !tls->ctx;
	SSL_CTX *ctx;
	char *problem = NULL;

	if (!take_stamps(tls) && !tls->must_read)
		return;
	tls->must_read = false;
	ERR_clear_error();
	ctx = make_context(tls, &problem);
	if (ctx) {
		SSL_CTX_free(tls->ctx);
		tls->ctx = ctx;
		tls->is_learning = !believes_all(tls)
			&& SSL_CTX_get_verify_mode(ctx) == SSL_VERIFY_NONE;
		if (!is_first)
			log_line(LOG_LEVEL_INFO, "tls",
				 "certificates were read again");
	} else {
		log_line(LOG_LEVEL_WARN, "tls", "%s; %s", problem,
			 is_first ? "no TLS until that is mended"
				  : "those read before stay in force");
		free(tls->problem);
		tls->problem = problem;
	}
	ERR_clear_error();
}

/* Returns whether any of them has changed. */
static bool
take_stamps(struct tls *tls)
{
	bool has_changed = false;

	for (size_t i = 0; i <= TLS_CRL; i++) {
		struct stamp now;
		struct stat status;

		memset(&now, 0, sizeof now);
		if (tls->settings[i] && !stat(tls->settings[i], &status)) {
			now.device = status.st_dev;
			now.inode = status.st_ino;
			now.size = status.st_size;
			now.changed = status.st_mtim;
		}
		if (memcmp(&now, &tls->stamps[i], sizeof now))
			has_changed = true;
		tls->stamps[i] = now;
	}
	return has_changed;
}

static SSL_CTX *
make_context(struct tls *tls, char **ret_problem)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	struct tls_protocols protocols = { TLS1_2_VERSION, TLS1_3_VERSION };
	char *problem = NULL;

	/* Without resumption, each connection is held to today's rules. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET
			    | SSL_OP_NO_COMPRESSION
			    | SSL_OP_CIPHER_SERVER_PREFERENCE
			    | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* Not partial writes: libevent up to 2.1.12 takes a piece of which some
	 * was written for done, and goes on with the next one. */
	SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
			 | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_default_passwd_cb(ctx, no_password);

	if (tls->settings[TLS_PROTOCOLS])
		tls_protocols_parse(tls->settings[TLS_PROTOCOLS], &protocols,
				    &problem);
	SSL_CTX_set_min_proto_version(ctx, protocols.min);
	SSL_CTX_set_max_proto_version(ctx, protocols.max);
	problem = set_ciphers(ctx, TLS_CIPHERS,
			      tls->settings[TLS_CIPHERS]
			      ? tls->settings[TLS_CIPHERS]
			      : "HIGH:!aNULL:!MD5");
	if (!problem && tls->settings[TLS_CIPHERSUITES])
		problem = set_ciphers(ctx, TLS_CIPHERSUITES,
				      tls->settings[TLS_CIPHERSUITES]);
	if (!problem)
		problem = load_own(tls, ctx);
	if (!problem)
		problem = load_peers(tls, ctx);
	if (!problem)
		return ctx;
	SSL_CTX_free(ctx);
	*ret_problem = problem;
	return NULL;
}

static char *
load_own(struct tls *tls, SSL_CTX *ctx)
{
	const char *key = tls->settings[TLS_PRIVATE_KEY];
	const char *certificate = tls->settings[TLS_CERTIFICATE];

	if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
		return complaint(certificate, "no certificate");
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return complaint(key, ERR_GET_REASON(ERR_peek_error())
				      == X509_R_KEY_VALUES_MISMATCH
				      ? "not the certificate's private key"
				      : "no private key");
	if (SSL_CTX_check_private_key(ctx) != 1)
		return complaint(key, "not the certificate's private key");
	return tls->settings[TLS_PEER_CA_CERT]
	       ? load_chain(ctx, tls->settings[TLS_PEER_CA_CERT]) : NULL;
}

static char *
load_chain(SSL_CTX *ctx, const char *path)
{
	STACK_OF(X509_INFO) *found = NULL;
	BIO *bio = BIO_new_file(path, "r");
	int n = 0;

	if (bio)
		found = PEM_X509_INFO_read_bio(bio, NULL, no_password, NULL);
	for (int i = 0; found && i < sk_X509_INFO_num(found); i++) {
		X509 *certificate = sk_X509_INFO_value(found, i)->x509;

		if (certificate && SSL_CTX_add1_chain_cert(ctx, certificate))
			n++;
	}
	sk_X509_INFO_pop_free(found, X509_INFO_free);
	BIO_free(bio);
	return n ? NULL : complaint(path, "no certificates");
}

static char *
load_peers(struct tls *tls, SSL_CTX *ctx)
{
	const char *path = ca_file(tls);

	if (believes_all(tls)
	    || (!tls->settings[TLS_CA_CERT] && access(path, F_OK)
		&& errno == ENOENT)) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
		return NULL;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER
			   | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify);
	SSL_CTX_set_app_data(ctx, tls);
	if (SSL_CTX_load_verify_file(ctx, path) != 1)
		return complaint(path, "no CA certificate");
	SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(path));
	return tls->settings[TLS_CRL] ? load_crl(ctx, tls->settings[TLS_CRL])
	       : NULL;
}

static char *
load_crl(SSL_CTX *ctx, const char *path)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store,
						    X509_LOOKUP_file());

	if (!lookup || X509_load_crl_file(lookup, path, X509_FILETYPE_PEM) < 1)
		return complaint(path, "no certificate revocation list");
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK
			     | X509_V_FLAG_CRL_CHECK_ALL);
	return NULL;
}

static char *
set_ciphers(SSL_CTX *ctx, enum tls_setting setting, const char *value)
{
	int is_good = setting == TLS_CIPHERS
		      ? SSL_CTX_set_cipher_list(ctx, value)
		      : SSL_CTX_set_ciphersuites(ctx, value);

	return is_good == 1 ? NULL
	       : xasprintf("%s: OpenSSL knows no such ciphers", value);
}

/* A file that cannot be opened is told from one of another kind. */
static char *
complaint(const char *path, const char *what)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return xasprintf("%s: %s", path, strerror(errno));
	close(fd);
	return xasprintf("%s: %s", path, what);
}

/* OpenSSL would ask at the terminal. */
static int
no_password(char *text, int size, int is_writing, void *ctx)
{
	(void) text;
	(void) size;
	(void) is_writing;
	(void) ctx;
	return 0;
}

/* After OpenSSL has found nothing wrong with it: is it one of those whom we
 * expect? */
static int
verify(int is_good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
				SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const char *names = tls->settings[TLS_PEER_NAMES];

	if (is_good && (!names || X509_STORE_CTX_get_error_depth(store)
			|| has_name(X509_STORE_CTX_get_current_cert(store),
				    names)))
		return 1;
	if (is_good)
		X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
	remember_name(ssl, X509_STORE_CTX_get0_cert(store));
	return 0;
}

static void
remember_name(SSL *ssl, X509 *certificate)
{
	char name[256];

	if (!certificate || SSL_get_ex_data(ssl, name_index())
	    || X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
					 NID_commonName, name,
					 sizeof name) < 0)
		return;
	/* It goes to the log, and to a row. */
	for (char *c = name; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	SSL_set_ex_data(ssl, name_index(), xstrdup(name));
}

static void
free_name(void *ssl, void *name, CRYPTO_EX_DATA *data, int index, long argl,
	  void *argp)
{
	(void) ssl;
	(void) data;
	(void) index;
	(void) argl;
	(void) argp;
	free(name);
}

/* Microsoft's controllers are known by their CN. */
static bool
has_name(X509 *certificate, const char *names)
{
	const unsigned flags = X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT
			       | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
	char *copy = xstrdup(names), *rest = copy, *name;
	int found = 0;

	while (found != 1 && (name = strsep(&rest, ", "))) {
		if (!*name)
			continue;
		found = X509_check_host(certificate, name, 0, flags, NULL);
		if (found != 1 && is_address(name))
			found = X509_check_ip_asc(certificate, name, 0);
	}
	free(copy);
	return found == 1;
}

static bool
is_address(const char *text)
{
	struct in6_addr address;

	/* With a colon it may also have a scope, as in fe80::1%eth0. */
	return strchr(text, ':') || inet_pton(AF_INET, text, &address) == 1;
}

/* The last certificate that the peer sent, if it is a root. */
static char *
learn(const char *path, SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	int n = chain ? sk_X509_num(chain) : 0;
	X509 *last = n ? sk_X509_value(chain, n - 1) : NULL;
	FILE *stream;
	bool is_good;
	int fd;

	if (!last || X509_self_signed(last, 1) != 1)
		return xstrdup("no CA certificate to learn: the last one of "
			       "the peer's is no root");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0)
		return xasprintf("%s: not written: %s", path,
				 strerror(errno));
	stream = fdopen(fd, "w");
	is_good = stream && PEM_write_X509(stream, last);
	if (!stream)
		close(fd);
	else if (fclose(stream))
		is_good = false;
	if (is_good)
		return xasprintf("%s: learned the peer's CA; connecting "
				 "again", path);
	unlink(path);
	return xasprintf("%s: not written", path);
}
