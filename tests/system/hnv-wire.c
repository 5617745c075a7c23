/* SPDX-License-Identifier: Apache-2.0 */

/* One host in one process: a TAP interface for a VM, sockets for the wire, and
 * a program that never changes between them.  On the public API alone; for the
 * system tests and benches that want the library without the agent.
 *
 *	hnv-wire --tap NAME [--netns NETNS] [--mac MAC] [--mtu MTU]
 *		--local IP [--local IP6] [--wire-mtu MTU] --vni VNI [--nvgre]
 *		[--peer MAC=IP]... [--flood IP]...
 *
 * It prints "ready" once packets pass, and on SIGTERM what came of them. */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include <vswitch.h>
#include <vswitch/device.h>

enum { MAX_PLACES = 16 };

struct options {
	struct vsw_tap_options tap;
	struct vsw_socket_options socket;
	uint32_t vni;
	uint8_t encap;
	struct vsw_location peers[MAX_PLACES], flood[MAX_PLACES];
	unsigned n_peers, n_flood;
};

struct host {
	struct vsw *vsw;
	struct vsw_device *tap, *socket;
	struct vsw_domain *domain;
	struct vsw_mapping *mapping;
	struct vsw_worker *worker;
};

static void parse_options(struct options *, int argc, char *argv[]);
static void parse_option(struct options *, int c);
static void parse_addr(const char *, struct vsw_addr *);
static void parse_mac(const char *, uint8_t mac[6]);
static struct vsw_location *parse_place(char *, struct vsw_location *,
					unsigned *n);
static void open_host(struct host *, const struct options *);
static void map(struct host *, struct options *);
static void set_program(struct host *, struct vsw_device *, const char *name,
			bool from_wire, uint32_t vni);
static void run(struct host *);
static void drain(struct host *);
static uint64_t now_ns(void);
static void report(const struct vsw_device *);
static void close_host(struct host *);
static void check(int error, const char *what);
static _Noreturn void die(const char *format, const char *what);

int
main(int argc, char *argv[])
{
	struct options options;
	struct host host;

	memset(&host, 0, sizeof host);
	parse_options(&options, argc, argv);
	open_host(&host, &options);
	map(&host, &options);
	set_program(&host, host.tap, "vm", false, options.vni);
	set_program(&host, host.socket, "wire", true, options.vni);
	puts("ready");
	fflush(stdout);
	run(&host);
	report(host.tap);
	report(host.socket);
	close_host(&host);
	return 0;
}

static void
parse_options(struct options *o, int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "tap", required_argument, NULL, 't' },
		{ "netns", required_argument, NULL, 'n' },
		{ "mac", required_argument, NULL, 'm' },
		{ "mtu", required_argument, NULL, 'u' },
		{ "local", required_argument, NULL, 'l' },
		{ "wire-mtu", required_argument, NULL, 'w' },
		{ "vni", required_argument, NULL, 'v' },
		{ "nvgre", no_argument, NULL, 'g' },
		{ "peer", required_argument, NULL, 'p' },
		{ "flood", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	memset(o, 0, sizeof *o);
	o->tap.size = sizeof o->tap;
	o->socket.size = sizeof o->socket;
	o->socket.name = "wire";
	o->encap = VSW_ENCAP_VXLAN;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		parse_option(o, c);
	if (!o->tap.name || !o->vni || optind != argc)
		die("%s: see the source", "usage");
}

static void
parse_option(struct options *o, int c)
{
	struct vsw_addr addr;

	switch (c) {
	case 't':
		o->tap.name = optarg;
		break;
	case 'n':
		o->tap.netns = optarg;
		break;
	case 'm':
		parse_mac(optarg, o->tap.mac);
		break;
	case 'u':
		o->tap.mtu = (uint32_t) atoi(optarg);
		break;
	case 'l':
		parse_addr(optarg, &addr);
		*(addr.n == 4 ? &o->socket.local_v4
			      : &o->socket.local_v6) = addr;
		break;
	case 'w':
		o->socket.mtu = (uint32_t) atoi(optarg);
		break;
	case 'v':
		o->vni = (uint32_t) atoi(optarg);
		break;
	case 'g':
		o->encap = VSW_ENCAP_NVGRE;
		break;
	case 'p':
		parse_mac(optarg, parse_place(strchr(optarg, '='), o->peers,
					      &o->n_peers)->mac);
		break;
	case 'f':
		parse_place(optarg, o->flood, &o->n_flood);
		break;
	default:
		exit(2);
	}
}

static void
parse_addr(const char *text, struct vsw_addr *addr)
{
	memset(addr, 0, sizeof *addr);
	if (inet_pton(AF_INET, text, addr->bytes) == 1)
		addr->n = 4;
	else if (inet_pton(AF_INET6, text, addr->bytes) == 1)
		addr->n = 16;
	else
		die("%s: no IP address", text);
}

static void
parse_mac(const char *text, uint8_t mac[6])
{
	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0],
		   &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != 6)
		die("%s: no MAC", text);
}

/* 'text' may begin with the '=' that ended what stood before it. */
static struct vsw_location *
parse_place(char *text, struct vsw_location *places, unsigned *n)
{
	struct vsw_location *place = &places[*n];

	if (!text || *n == MAX_PLACES)
		die("%s: see the source", "usage");
	++*n;
	place->size = sizeof *place;
	parse_addr(text + (*text == '='), &place->pa);
	return place;
}

static void
open_host(struct host *host, const struct options *o)
{
	struct vsw_options options;
	char problem[256];

	vsw_options_init(&options);
	check(vsw_new(&options, &host->vsw), "cannot make a switch");
	check(vsw_worker_new(host->vsw, &host->worker),
	      "cannot make a worker");
	if (vsw_device_open_tap(host->vsw, &o->tap, problem, sizeof problem,
				&host->tap)
	    || vsw_device_open_socket(host->vsw, &o->socket, problem,
				      sizeof problem, &host->socket))
		die("%s", problem);
}

static void
map(struct host *host, struct options *o)
{
	struct vsw_location local = {
		.size = sizeof local,
		.port = vsw_device_port(host->tap),
		.vni = o->vni,
	};
	struct vsw_location flood[MAX_PLACES + 1];

	check(vsw_domain_new(host->vsw, "wire", &host->domain),
	      "cannot make a domain");
	check(vsw_domain_set_uplink(host->domain,
				    vsw_device_port(host->socket)),
	      "cannot set the uplink");
	check(vsw_mapping_new(host->domain, "wire", o->vni, &host->mapping),
	      "cannot make a mapping");
	memcpy(local.mac, o->tap.mac, 6);
	check(vsw_mapping_set_mac(host->mapping, local.mac, &local, 1),
	      "cannot map the VM");
	for (unsigned i = 0; i < o->n_peers; i++) {
		o->peers[i].vni = o->vni;
		o->peers[i].encap = o->encap;
		check(vsw_mapping_set_mac(host->mapping, o->peers[i].mac,
					  &o->peers[i], 1),
		      "cannot map a peer");
	}
	flood[0] = local;
	for (unsigned i = 0; i < o->n_flood; i++) {
		flood[i + 1] = o->flood[i];
		flood[i + 1].vni = o->vni;
		flood[i + 1].encap = o->encap;
	}
	check(vsw_mapping_set_flood(host->mapping, flood, o->n_flood + 1,
				    false), "cannot map broadcast");
}

/* One layer, one group, one rule. */
static void
set_program(struct host *host, struct vsw_device *device, const char *name,
	    bool from_wire, uint32_t vni)
{
	const uint8_t be_vni[4] = { 0, (uint8_t) (vni >> 16),
				    (uint8_t) (vni >> 8), (uint8_t) vni };
	struct vsw_program *program;
	struct vsw_group *group;
	struct vsw_rule *rule;
	char problem[256];

	check(vsw_group_new(host->vsw, name, &group), "cannot make a group");
	rule = vsw_group_add_rule(group, 1, "all");
	if (from_wire) {
		vsw_rule_match(rule, VSW_FIELD_VNI, be_vni, NULL);
		vsw_rule_decap(rule, host->mapping);
	} else {
		vsw_rule_encap(rule, host->mapping);
	}
	if (vsw_group_seal(group, problem, sizeof problem))
		die("%s", problem);
	check(vsw_program_new(host->vsw, &program), "cannot make a program");
	vsw_layer_add_group(vsw_program_add_layer(program, "network"),
			    VSW_OUT, group);
	if (vsw_program_seal(program, problem, sizeof problem))
		die("%s", problem);
	check(vsw_port_set_program(vsw_device_port(device), program),
	      "cannot set a program");
	vsw_program_unref(program);
	vsw_group_unref(group);
}

static void
run(struct host *host)
{
	int fds[] = { vsw_device_fd(host->tap, 0),
		      vsw_device_fd(host->socket, 0), -1 };
	int set = epoll_create1(EPOLL_CLOEXEC);
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fds[2] = signalfd(-1, &signals, SFD_CLOEXEC);
	for (int i = 0; i < 3; i++) {
		struct epoll_event event = { .events = EPOLLIN,
					     .data.fd = fds[i] };

		if (epoll_ctl(set, EPOLL_CTL_ADD, fds[i], &event))
			die("%s", "cannot watch a descriptor");
	}
	for (;;) {
		uint64_t now = now_ns();
		uint64_t next = vsw_worker_idle(host->worker, now);
		struct epoll_event events[3];
		int n = epoll_wait(set, events, 3,
				   next == UINT64_MAX ? -1 : next <= now ? 0
				   : (int) ((next - now) / 1000000 + 1));

		for (int i = 0; i < n; i++)
			if (events[i].data.fd == fds[2])
				goto done;
		if (n > 0)
			drain(host);
	}
done:
	close(fds[2]);
	close(set);
}

/* While one batch is on its way the next one comes in: asking the devices
 * first, and the kernel only when both have nothing, spares a call a batch. */
static void
drain(struct host *host)
{
	/* Bounded, so that a signal is seen. */
	for (int i = 0; i < 256; i++) {
		uint64_t now = now_ns();
		int tap = vsw_device_receive(host->tap, 0, host->worker, now);
		int wire = vsw_device_receive(host->socket, 0, host->worker,
					      now);

		if (tap && tap != -EAGAIN)
			check(tap, "TAP");
		if (wire && wire != -EAGAIN)
			check(wire, "socket");
		if (tap && wire)
			return;
	}
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

static void
report(const struct vsw_device *device)
{
	struct vsw_port *port = vsw_device_port(device);
	struct vsw_port_counters counters;

	counters.size = sizeof counters;
	vsw_port_get_counters(port, &counters);
	printf("%s: received %llu packets, %llu bytes; sent %llu, %llu\n",
	       vsw_port_name(port),
	       (unsigned long long) counters.packets_received,
	       (unsigned long long) counters.bytes_received,
	       (unsigned long long) counters.packets_sent,
	       (unsigned long long) counters.bytes_sent);
	for (int i = 0; i < VSW_N_DROPS; i++)
		if (counters.drops[i])
			printf("%s: %s %llu\n", vsw_port_name(port),
			       vsw_drop_name((enum vsw_drop) i),
			       (unsigned long long) counters.drops[i]);
}

static void
close_host(struct host *host)
{
	vsw_mapping_unref(host->mapping);
	vsw_domain_unref(host->domain);
	check(vsw_port_set_program(vsw_device_port(host->tap), NULL),
	      "cannot take a program away");
	check(vsw_port_set_program(vsw_device_port(host->socket), NULL),
	      "cannot take a program away");
	vsw_worker_free(host->worker);
	vsw_device_close(host->tap);
	vsw_device_close(host->socket);
	vsw_free(host->vsw);
}

static void
check(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "hnv-wire: %s: %s\n", what, strerror(-error));
	exit(1);
}

static _Noreturn void
die(const char *format, const char *what)
{
	fputs("hnv-wire: ", stderr);
	fprintf(stderr, format, what);
	fputc('\n', stderr);
	exit(1);
}
