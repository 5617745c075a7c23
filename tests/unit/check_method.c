/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/method.h"

#include <stdlib.h>
#include <string.h>
#include <check.h>

START_TEST(what_is_right)
{
	static const struct {
		const char *text;
		enum method_kind kind;
		const char *where;
		uint16_t port;
	} cases[] = {
		{ "punix:/run/x.sock", METHOD_PUNIX, "/run/x.sock", 0 },
		{ "unix:a:b", METHOD_UNIX, "a:b", 0 },
		{ "ptcp:6640", METHOD_PTCP, "", 6640 },
		{ "ptcp:0:127.0.0.1", METHOD_PTCP, "127.0.0.1", 0 },
		{ "ptcp:65535:[::1]", METHOD_PTCP, "::1", 65535 },
		{ "pssl:6640", METHOD_PSSL, "", 6640 },
		{ "pssl:0:[::]", METHOD_PSSL, "::", 0 },
		{ "ssl:nc.example:6640", METHOD_SSL, "nc.example", 6640 },
		{ "ssl:[2001:db8::1]:6640", METHOD_SSL, "2001:db8::1", 6640 },
		{ "tcp:10.0.0.1:1", METHOD_TCP, "10.0.0.1", 1 },
		{ "tcp:[fe80::1%eth0]:6640", METHOD_TCP, "fe80::1%eth0",
		  6640 },
		{ "tcp:host.example:6640", METHOD_TCP, "host.example",
		  6640 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct method method;
		char *problem;

		ck_assert(method_parse(cases[i].text, &method, &problem));
		ck_assert_int_eq(method.kind, cases[i].kind);
		ck_assert_str_eq(method.where, cases[i].where);
		ck_assert_uint_eq(method.port, cases[i].port);
		ck_assert_int_eq(method_is_passive(&method),
				 cases[i].text[0] == 'p');
		ck_assert_int_eq(method_is_unix(&method),
				 strstr(cases[i].text, "unix:") != NULL);
		ck_assert_int_eq(method_is_tls(&method),
				 strstr(cases[i].text, "ssl:") != NULL);
		method_done(&method);
	}
}
END_TEST

START_TEST(what_is_wrong)
{
	static const char *const cases[] = {
		"", "punix", "punix:", "unix:", "ptcp:", "ptcp:x",
		"ptcp:65536", "ptcp:123456", "ptcp:-1", "ptcp: 1",
		"ptcp:1:", "ptcp:1:::1", "ptcp:1:[]", "ptcp::1.2.3.4",
		"tcp:", "tcp:1", "tcp:host", "tcp:host:", "tcp:host:0",
		"tcp::1", "tcp:::1:6640", "tcp:[::1]", "tcp:[::1]:",
		"tcp:[]:1", "ssl:1.2.3.4", "ssl:::1:6640", "pssl:", "pssl:x",
		"pssl:1:", "sslv3:1.2.3.4:1", "TCP:1.2.3.4:1",
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct method method;
		char *problem = NULL;

		ck_assert_msg(!method_parse(cases[i], &method, &problem),
			      "%s", cases[i]);
		ck_assert_ptr_nonnull(problem);
		ck_assert_ptr_eq(strstr(problem, cases[i]), problem);
		free(problem);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("method");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_add_test(tcase, what_is_right);
	tcase_add_test(tcase, what_is_wrong);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
