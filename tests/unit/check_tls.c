/* SPDX-License-Identifier: Apache-2.0 */

/* Listeners that speak TLS: one that listens, one that dials it, and sockets
 * that do not know how. */

#include "agent/net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <check.h>
#include <openssl/ssl.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/net/listener.h"
#include "agent/net/tls_protocols.h"
#include "agent/net/turn.h"
#include "tests/unit/scratch.h"
#include "tls_keys.h"

enum { PATIENCE_MS = 10000 };

static struct event_base *base;
static struct server *server, *other_server;
static struct tls *tls, *other_tls;
static struct listener *passive, *active;
static char directory[SCRATCH_SIZE];

static void
set_up(void)
{
	log_init("check", LOG_LEVEL_ERROR, false);
	scratch_make(directory);
	make_ca(directory, "ca");
	make_certificate(directory, "ca", "server", NULL);
	make_certificate(directory, "ca", "client", NULL);
	base = event_base_new();
	server = server_new();
	other_server = server_new();
	tls = tls_new();
	other_tls = tls_new();
}

static void
tear_down(void)
{
	listener_free(active);
	listener_free(passive);
	active = passive = NULL;
	tls_free(tls);
	tls_free(other_tls);
	server_free(server);
	server_free(other_server);
	event_base_free(base);
}

#define AWAIT(condition) \
	do { \
		int64_t end_ = turn_now_ms() + PATIENCE_MS; \
		while (!(condition)) { \
			ck_assert_msg(turn_now_ms() < end_, #condition); \
			loop(); \
		} \
	} while (0)

static void
loop(void)
{
	const struct timeval wait = { .tv_usec = 10000 };

	event_base_loopexit(base, &wait);
	event_base_loop(base, EVLOOP_ONCE);
}

/* A network of the test's own. */
static bool
own_network(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd;

	if (unshare(CLONE_NEWNET))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	request.ifr_flags = IFF_UP;
	ck_assert(!ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
	return true;
}

static void
set(struct tls *which, enum tls_setting setting, const char *name,
    const char *suffix)
{
	char path[128], *problem;

	snprintf(path, sizeof path, "%s/%s.%s", directory, name, suffix);
	ck_assert(tls_set(which, setting, path, &problem));
}

static void
set_keys(struct tls *which, const char *name, const char *ca)
{
	set(which, TLS_PRIVATE_KEY, name, "key");
	set(which, TLS_CERTIFICATE, name, "pem");
	set(which, TLS_CA_CERT, ca, "pem");
}

static void
set_text(struct tls *which, enum tls_setting setting, const char *text)
{
	char *problem;

	ck_assert(tls_set(which, setting, text, &problem));
}

static void
listen_for(const struct listener_options *options)
{
	struct listener_options mine = { .tls = tls };
	char *problem = NULL;

	if (options)
		mine = *options;
	mine.tls = tls;
	passive = listener_new(base, server, "pssl:0:127.0.0.1", &mine,
			       &problem);
	ck_assert_msg(passive != NULL, "%s", problem);
}

static void
dial(void)
{
	const struct listener_options options = {
		.tls = other_tls, .min_backoff_ms = 1, .max_backoff_ms = 20,
	};
	char name[64], *problem = NULL;

	snprintf(name, sizeof name, "ssl:127.0.0.1:%u",
		 listener_port(passive));
	active = listener_new(base, other_server, name, &options, &problem);
	ck_assert_msg(active != NULL, "%s", problem);
}

static struct listener_counters
counters(const struct listener *listener)
{
	struct listener_counters now;

	listener_counters(listener, &now);
	return now;
}

static int
raw(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(listener_port(passive)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert(!connect(fd, (struct sockaddr *) &address, sizeof address));
	return fd;
}

START_TEST(versions)
{
	static const struct {
		const char *text;
		int min, max;		/* 0: wrong. */
	} cases[] = {
		{ "TLSv1.2", TLS1_2_VERSION, TLS1_2_VERSION },
		{ "TLSv1.3", TLS1_3_VERSION, TLS1_3_VERSION },
		{ "TLSv1.2,TLSv1.3", TLS1_2_VERSION, TLS1_3_VERSION },
		{ "TLSv1.3 TLSv1.2", TLS1_2_VERSION, TLS1_3_VERSION },
		{ "tlsv1.2+", TLS1_2_VERSION, TLS1_3_VERSION },
		{ "TLSv1+", TLS1_2_VERSION, TLS1_3_VERSION },
		{ "TLSv1-TLSv1.2", TLS1_2_VERSION, TLS1_2_VERSION },
		{ "TLSv1, TLSv1.1, TLSv1.2", TLS1_2_VERSION,
		  TLS1_2_VERSION },
		{ "", 0, 0 }, { ",", 0, 0 }, { "TLSv1", 0, 0 },
		{ "SSLv3,TLSv1.1", 0, 0 }, { "TLSv1.4", 0, 0 },
		{ "TLSv1.2,x", 0, 0 }, { "TLSv1.3-TLSv1.2", 0, 0 },
		{ "-", 0, 0 }, { "+", 0, 0 }, { "TLSv1.2-", 0, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tls_protocols protocols = { 0, 0 };
		char *problem = NULL;
		bool is_good = tls_protocols_parse(cases[i].text, &protocols,
						   &problem);

		ck_assert_msg(is_good == (cases[i].min != 0), "%s",
			      cases[i].text);
		ck_assert_int_eq(protocols.min, cases[i].min);
		ck_assert_int_eq(protocols.max, cases[i].max);
		ck_assert(is_good == !problem);
		free(problem);
	}
}
END_TEST

START_TEST(settings)
{
	const char *missing = NULL;
	char *problem = NULL;

	ck_assert(!tls_is_configured(tls, &missing));
	ck_assert_ptr_nonnull(strstr(missing, "private key"));
	ck_assert_ptr_null(tls_connection(tls, NULL, &problem));
	ck_assert_str_eq(problem, missing);
	free(problem);
	set_keys(tls, "server", "ca");
	ck_assert(tls_is_configured(tls, &missing));
	ck_assert(!tls_set(tls, TLS_CIPHERS, "ROT13", &problem));
	free(problem);
	ck_assert(!tls_set(tls, TLS_CIPHERSUITES, "ROT13", &problem));
	free(problem);
	ck_assert(!tls_set(tls, TLS_PROTOCOLS, "TLSv1", &problem));
	free(problem);
	set_text(tls, TLS_CIPHERSUITES, "TLS_AES_128_GCM_SHA256");
	set_text(tls, TLS_CA_CERT, "");
	ck_assert(!tls_is_configured(tls, &missing));
	ck_assert_ptr_nonnull(strstr(missing, "CA"));
	for (int i = 0; i < N_TLS_REFUSALS; i++)
		ck_assert_ptr_nonnull(
			tls_refusal_name((enum tls_refusal) i));
}
END_TEST

START_TEST(both_ways)
{
	struct listener_status status;

	if (!own_network())
		return;
	set_keys(tls, "server", "ca");
	set_keys(other_tls, "client", "ca");
	set_text(tls, TLS_PEER_NAMES, "nobody, client");
	set_text(other_tls, TLS_PEER_NAMES, "server");
	listen_for(NULL);
	listener_status(passive, &status);
	ck_assert_str_eq(status.state, "LISTENING");
	dial();
	AWAIT(counters(active).n_sessions && counters(passive).n_sessions);
	listener_status(active, &status);
	ck_assert_str_eq(status.state, "ACTIVE");
	ck_assert_uint_eq(status.n_connections, 1);
	ck_assert_ptr_null(status.last_error);
	/* It comes back by itself. */
	listener_reconnect(passive);
	ck_assert_uint_eq(counters(passive).n_sessions, 0);
	AWAIT(counters(active).n_dialled == 2);
	AWAIT(counters(passive).n_sessions == 1);
	listener_status(active, &status);
	ck_assert_str_eq(status.last_error, "closed by the peer");
	for (int i = 0; i < N_TLS_REFUSALS; i++)
		ck_assert_uint_eq(counters(passive).n_tls_refusals[i], 0);
	listener_reconnect(active);
	AWAIT(counters(active).n_dialled == 3);
}
END_TEST

/* Each has its own counter, on the side that refuses; on the other one it is
 * a refusal, too, or a session that ends at once. */
static void
refuses(bool is_passive, enum tls_refusal refusal)
{
	const struct listener *refuser;
	struct listener_status status;

	listen_for(NULL);
	dial();
	refuser = is_passive ? passive : active;
	AWAIT(counters(refuser).n_tls_refusals[refusal] >= 2);
	for (int i = 0; i < N_TLS_REFUSALS; i++)
		if (i != (int) refusal)
			ck_assert_uint_eq(
				counters(refuser).n_tls_refusals[i], 0);
	ck_assert_uint_eq(counters(refuser).n_sessions, 0);
	listener_status(refuser, &status);
	ck_assert_ptr_nonnull(status.last_error);
	AWAIT(counters(active).n_dial_errors
	      + counters(active).n_dialled >= 2);
	listener_free(active);
	listener_free(passive);
	active = passive = NULL;
}

START_TEST(refusals)
{
	const struct odd late = { .from_s = -200, .until_s = -100 };
	const struct odd early = { .from_s = 100, .until_s = 200 };
	const struct odd serves = { .usage = "serverAuth" };
	const struct odd connects = { .usage = "clientAuth" };
	long serial;

	if (!own_network())
		return;
	make_ca(directory, "else");
	make_certificate(directory, "else", "stranger", NULL);
	make_certificate(directory, "ca", "late", &late);
	make_certificate(directory, "ca", "early", &early);
	make_certificate(directory, "ca", "serves", &serves);
	make_certificate(directory, "ca", "connects", &connects);
	serial = make_certificate(directory, "ca", "bad", NULL);
	make_crl(directory, "ca", serial, 1000);
	for (int is_passive = 0; is_passive < 2; is_passive++) {
		struct tls *refuser = is_passive ? tls : other_tls;
		struct tls *refused = is_passive ? other_tls : tls;

		set_keys(refuser, "server", "ca");
		set_keys(refused, "stranger", "ca");
		refuses(is_passive, TLS_UNKNOWN_CA);
		set_keys(refused, "late", "ca");
		refuses(is_passive, TLS_EXPIRED);
		set_keys(refused, "early", "ca");
		refuses(is_passive, TLS_EXPIRED);
		set_keys(refused, is_passive ? "serves" : "connects", "ca");
		refuses(is_passive, TLS_WRONG_USAGE);
		set(refuser, TLS_CRL, "ca", "crl");
		set_keys(refused, "bad", "ca");
		refuses(is_passive, TLS_REVOKED);
		set_keys(refused, "client", "ca");
		set_text(refuser, TLS_PEER_NAMES, "somebody,127.0.0.1");
		refuses(is_passive, TLS_WRONG_NAME);
		set_text(refuser, TLS_PEER_NAMES, NULL);
		/* Lists grow old, too. */
		make_crl(directory, "ca", 0, -100);
		refuses(is_passive, TLS_NO_CRL);
		make_crl(directory, "ca", serial, 1000);
		set_text(refuser, TLS_CRL, NULL);
		set_text(refuser, TLS_PROTOCOLS, "TLSv1.2");
		set_text(refused, TLS_PROTOCOLS, "TLSv1.2");
		set_text(tls, TLS_CIPHERS, "ECDHE-ECDSA-AES128-GCM-SHA256");
		set_text(other_tls, TLS_CIPHERS,
			 "ECDHE-ECDSA-AES256-GCM-SHA384");
		refuses(is_passive, is_passive ? TLS_NO_CIPHER
						: TLS_REFUSED_BY_PEER);
		set_text(tls, TLS_CIPHERS, NULL);
		set_text(other_tls, TLS_CIPHERS, NULL);
		set_text(refuser, TLS_PROTOCOLS, NULL);
		set_text(refused, TLS_PROTOCOLS, NULL);
	}
	/* Who has no keys, refuses. */
	set_text(other_tls, TLS_PRIVATE_KEY, NULL);
	refuses(false, TLS_NOT_CONFIGURED);
}
END_TEST

START_TEST(not_tls)
{
	const struct listener_options options = {
		.handshake_ms = 100, .n_sessions = 3,
	};
	static const char request[] =
		"{\"id\":1,\"method\":\"echo\",\"params\":[]}";
	char bytes[64];
	int fds[4];

	if (!own_network())
		return;
	set_keys(tls, "server", "ca");
	listen_for(&options);
	fds[0] = raw();
	ck_assert_int_gt(send(fds[0], request, sizeof request, 0), 0);
	AWAIT(counters(passive).n_tls_refusals[TLS_NOT_TLS] == 1);
	close(fds[0]);
	fds[0] = raw();
	AWAIT(counters(passive).n_handshakes == 1);
	close(fds[0]);
	AWAIT(counters(passive).n_tls_refusals[TLS_GONE] == 1);
	/* Those that say nothing take the places of others, for a while. */
	for (int i = 0; i < 4; i++)
		fds[i] = raw();
	AWAIT(counters(passive).n_refused == 1);
	AWAIT(counters(passive).n_tls_refusals[TLS_SLOW] == 3);
	ck_assert_uint_eq(counters(passive).n_handshakes, 0);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_le(recv(fds[i], bytes, sizeof bytes, 0), 0);
		close(fds[i]);
	}
	/* Half a handshake is ended with its listener. */
	fds[0] = raw();
	AWAIT(counters(passive).n_handshakes == 1);
	close(fds[0]);
}
END_TEST

/* One that writes 30 MB before it reads anything is not read from meanwhile,
 * and gets it all back, in order, also where a message is more than a record
 * of TLS. */
enum { FLOOD_SIZE = 20000 };

static void
check_flood(const char *heard, int n, size_t *got)
{
	static char reply[FLOOD_SIZE + 100];
	static size_t size;

	if (!size) {
		size = (size_t) sprintf(reply, "{\"id\":1,\"result\":[\"");
		memset(reply + size, 'x', FLOOD_SIZE);
		strcpy(reply + size + FLOOD_SIZE, "\"],\"error\":null}");
		size = strlen(reply);
	}
	while (n) {
		size_t at = *got % size;
		size_t same = (size_t) n < size - at ? (size_t) n : size - at;

		ck_assert(!memcmp(heard, reply + at, same));
		heard += same;
		*got += same;
		n -= (int) same;
	}
}

START_TEST(flood)
{
	enum { SIZE = FLOOD_SIZE, N = 1500 };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	static char request[SIZE + 100], heard[1 << 16];
	size_t sent = 0, got = 0, n_full = 0, size, all;
	char path[128];
	SSL *ssl;
	int fd, n;

	if (!own_network())
		goto out;
	set_keys(tls, "server", "ca");
	listen_for(NULL);
	fd = raw();
	evutil_make_socket_nonblocking(fd);
	snprintf(path, sizeof path, "%s/client.pem", directory);
	ck_assert(SSL_CTX_use_certificate_file(ctx, path, SSL_FILETYPE_PEM));
	snprintf(path, sizeof path, "%s/client.key", directory);
	ck_assert(SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM));
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE
			 | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	AWAIT(SSL_connect(ssl) == 1);

	n = sprintf(request, "{\"id\":1,\"method\":\"echo\",\"params\":[\"");
	memset(request + n, 'x', SIZE);
	strcpy(request + n + SIZE, "\"]}");
	size = strlen(request);
	all = N * (size + strlen("{\"id\":1,\"result\":[],\"error\":null}")
		   - strlen("{\"id\":1,\"method\":\"echo\",\"params\":[]}"));
	while (sent < N * size) {
		n = SSL_write(ssl, request + sent % size,
			      (int) (size - sent % size));
		if (n > 0) {
			sent += (size_t) n;
			n_full = 0;
			continue;
		}
		loop();
		/* For half a second nothing was taken: it is full. */
		if (++n_full < 50)
			continue;
		while ((n = SSL_read(ssl, heard, sizeof heard)) > 0)
			check_flood(heard, n, &got);
	}
	ck_assert(got > 1 << 20);
	while (got < all) {
		AWAIT((n = SSL_read(ssl, heard, sizeof heard)) > 0);
		check_flood(heard, n, &got);
	}
	ck_assert_uint_eq(got, all);
	ck_assert_uint_eq(counters(passive).n_sessions, 1);
	SSL_free(ssl);
	close(fd);
	AWAIT(!counters(passive).n_sessions);
out:
	SSL_CTX_free(ctx);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tls");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, versions);
	tcase_add_test(tcase, settings);
	tcase_add_test(tcase, both_ways);
	tcase_add_test(tcase, refusals);
	tcase_add_test(tcase, not_tls);
	tcase_add_test(tcase, flood);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
