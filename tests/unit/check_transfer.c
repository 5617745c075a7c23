/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/takeover with the kernel, in a network namespace of its own: an
 * agent is killed at its requests to the kernel, on the way there and on the
 * way back, and whoever comes next puts everything back.  At each third, or
 * at each: check_transfer each. */

#include "agent/takeover/transfer.h"

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "agent/base/log.h"
#include "agent/takeover/takeover.h"
#include "tests/unit/scratch.h"

enum { STATE_SIZE = 16384, NEVER = -1 };

static char dir[SCRATCH_SIZE];
static char records[SCRATCH_SIZE + 16];
static char before[STATE_SIZE];
static int step = 3;
static int n_left = NEVER;		/* Requests, until the end. */

int __real_netlink_ask(struct netlink *, struct nlmsghdr *,
		       int (*)(const struct nlmsghdr *, void *), void *);
int __wrap_netlink_ask(struct netlink *, struct nlmsghdr *,
		       int (*)(const struct nlmsghdr *, void *), void *);

int
__wrap_netlink_ask(struct netlink *netlink, struct nlmsghdr *message,
		   int (*read)(const struct nlmsghdr *, void *), void *ctx)
{
	if (n_left != NEVER && n_left-- == 0)
		kill(getpid(), SIGKILL);
	return __real_netlink_ask(netlink, message, read, ctx);
}

static bool
make_world(void)
{
	static const char script[] = "set -e\n"
		"ip link set lo up\n"
		"ip link add eth0 type veth peer name p0\n"
		"ip link add d0 type veth peer name d1\n"
		"for i in eth0 p0 d0 d1; do\n"
		"	echo 0 >/proc/sys/net/ipv6/conf/$i/accept_dad\n"
		"	ip link set $i up\n"
		"done\n"
		"ip addr add 10.4.0.2/24 dev eth0\n"
		"ip addr add 10.4.0.3/24 dev eth0 label eth0:x\n"
		"ip addr add 10.70.0.1/24 dev d0\n"
		"ip addr add 2001:db8:4::2/64 dev eth0\n"
		"ip addr add 2001:db8:4::3/64 dev eth0\n"
		"ip addr add 2001:db8:70::1/64 dev d0\n"
		"ip route add default via 10.4.0.1\n"
		"ip route add 10.50.0.0/16 via 10.4.0.1 table 1000\n"
		"ip route add 10.80.0.0/16 nexthop via 10.4.0.1"
		" nexthop via 10.70.0.2\n"
		"ip -6 route add default via 2001:db8:4::1\n"
		"ip -6 route add 2001:db8:80::/48 nexthop via 2001:db8:4::1"
		" nexthop via 2001:db8:70::2\n"
		"ip rule add pref 1000 iif eth0 lookup 1000\n"
		"ip neigh add 10.4.0.7 lladdr 02:00:00:00:00:07 dev eth0\n"
		"ip neigh add proxy 10.4.0.8 dev eth0\n";

	return !system(script);
}

static void
read_state(char state[STATE_SIZE])
{
	static const char script[] =
		"ip addr show dev eth0; ip -4 route show table all;"
		"ip -6 route show table all | sort; ip rule; ip -6 rule;"
		"ip neigh show nud permanent; ip neigh show proxy;"
		"tc qdisc show dev eth0;"
		"cat /proc/sys/net/ipv6/conf/eth0/addr_gen_mode";
	FILE *pipe = popen(script, "r");
	size_t size;

	ck_assert_ptr_nonnull(pipe);
	size = fread(state, 1, STATE_SIZE - 1, pipe);
	ck_assert_uint_lt(size, STATE_SIZE - 1);
	state[size] = '\0';
	pclose(pipe);
}

static void
keep_state(void)
{
	read_state(before);
	setenv("before", before, 1);
}

static int
open_host_port(void)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	strcpy(request.ifr_name, "hp");
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ioctl(fd, TUNSETIFF, &request), 0);
	ck_assert_int_eq(system("ip link set hp up"), 0);
	return fd;
}

/* As takeover.c does it. */
static void
take(void)
{
	struct record *record = record_new("eth0");
	struct model_fault fault = { .reason = MODEL_OK };
	struct netlink *netlink;
	struct link from, to;

	ck_assert_int_eq(netlink_open(&netlink), 0);
	ck_assert_int_eq(link_read(netlink, "eth0", &from), 0);
	ck_assert_int_eq(link_read(netlink, "hp", &to), 0);
	ck_assert_int_eq(holdings_take(netlink, &from.id, &record->holdings),
			 0);
	ck_assert_uint_gt(record->holdings.n, 10);
	strcpy(record->port, "hp");
	memcpy(record->port_mac, to.mac, 6);
	record->gen_mode = from.gen_mode;
	record->state = RECORD_MOVING;
	record->then = RECORD_ROLLED_BACK;
	ck_assert_int_eq(record_write(records, record), 0);
	ck_assert_msg(transfer_take(netlink, record, NULL, &from, &to,
				    &fault),
		      "%s", fault.detail);
	record->state = RECORD_PENDING;
	record->deadline_ms = INT64_MAX;
	ck_assert_int_eq(record_write(records, record), 0);
	record_free(record);
	netlink_close(netlink);
}

static void
give_back(void)
{
	ck_assert_int_eq(takeovers_give_back(dir), EXIT_SUCCESS);
}

/* False: it was killed. */
static bool
run(void (*what)(void), int n_requests)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		n_left = n_requests;
		what();
		_exit(EXIT_SUCCESS);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return false;
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
	return true;
}

static void
show_difference(const char *after)
{
	FILE *pipe = popen("diff /dev/fd/3 - 3<<END\n$before\nEND", "w");

	if (!pipe)
		return;
	fprintf(pipe, "%s\n", after);
	pclose(pipe);
}

static void
is_as_before(int n)
{
	char after[STATE_SIZE];

	read_state(after);
	if (strcmp(before, after))
		show_difference(after);
	ck_assert_msg(!strcmp(before, after), "killed at request %d", n);
}

START_TEST(killed_on_the_way_there)
{
	bool is_whole = false;
	int n;

	keep_state();
	for (n = 0; !is_whole; n += step) {
		int fd = open_host_port();

		is_whole = run(take, n);
		ck_assert(run(give_back, NEVER));
		close(fd);
		is_as_before(n);
	}
	printf("killed at each %d. of %d requests, there\n", step, n - step);
	ck_assert_int_gt(n, 30);
}
END_TEST

START_TEST(killed_on_the_way_back)
{
	bool is_whole = false;
	int n;

	keep_state();
	for (n = 0; !is_whole; n += step) {
		int fd = open_host_port();

		ck_assert(run(take, NEVER));
		is_whole = run(give_back, n);
		ck_assert(run(give_back, NEVER));
		close(fd);
		is_as_before(n);
	}
	printf("killed at each %d. of %d requests, back\n", step, n - step);
	ck_assert_int_gt(n, 30);
}
END_TEST

START_TEST(host_port_is_gone)
{
	int fd;

	keep_state();
	fd = open_host_port();
	ck_assert(run(take, NEVER));
	ck_assert_int_eq(system("ip link del hp"), 0);
	ck_assert(run(give_back, NEVER));
	close(fd);
	is_as_before(0);
}
END_TEST

int
main(int argc, char *argv[])
{
	Suite *suite = suite_create("transfer");
	TCase *tcase = tcase_create("transfer");
	SRunner *runner;
	int n_failed;

	if (argc > 1 && !strcmp(argv[1], "each"))
		step = 1;
	if (geteuid() || access("/dev/net/tun", F_OK)
	    || unshare(CLONE_NEWNET) || !make_world()) {
		printf("skipped: no network namespace to be had\n");
		return 77;
	}
	scratch_make(dir);
	snprintf(records, sizeof records, "%s/take-over", dir);
	log_init("check_transfer", LOG_LEVEL_ERROR, false);
	if (takeovers_give_back(dir))
		return EXIT_FAILURE;
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, killed_on_the_way_there);
	tcase_add_test(tcase, killed_on_the_way_back);
	tcase_add_test(tcase, host_port_is_gone);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
