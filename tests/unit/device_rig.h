/* SPDX-License-Identifier: Apache-2.0 */

#ifndef UNIT_DEVICE_RIG_H
#define UNIT_DEVICE_RIG_H 1

/* A switch for the tests of devices: everything that comes in on one port goes
 * out on another. */

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vswitch.h>
#include <vswitch/device.h>

struct rig {
	struct vsw *vsw;
	struct vsw_worker *worker;
};

/* While it is true, the switch gets no memory. */
static bool rig_is_poor;

static inline void *
rig_alloc(void *ctx, size_t alignment, size_t size)
{
	void *memory;

	(void) ctx;
	if (alignment < sizeof(void *))
		alignment = sizeof(void *);
	return rig_is_poor || posix_memalign(&memory, alignment, size)
		? NULL : memory;
}

static inline void
rig_free(void *ctx, void *memory, size_t size)
{
	(void) ctx;
	(void) size;
	free(memory);
}

static inline void
rig_init(struct rig *rig)
{
	struct vsw_options options;

	vsw_options_init(&options);
	options.allocator = (struct vsw_allocator) { rig_alloc, rig_free,
						     NULL };
	ck_assert_int_eq(vsw_new(&options, &rig->vsw), 0);
	ck_assert_int_eq(vsw_worker_new(rig->vsw, &rig->worker), 0);
}

static inline void
rig_done(struct rig *rig)
{
	vsw_worker_free(rig->worker);
	vsw_free(rig->vsw);
}

static inline struct vsw_device *
rig_memory(struct rig *rig, const char *name, uint32_t abilities)
{
	const struct vsw_memory_options options = {
		.size = sizeof options,
		.name = name,
		.abilities = abilities,
	};
	struct vsw_device *device;
	char problem[256] = "";

	ck_assert_msg(!vsw_device_open_memory(rig->vsw, &options, problem,
					      sizeof problem, &device),
		      "%s", problem);
	return device;
}

static inline void
rig_set_program(struct rig *rig, struct vsw_device *from, struct vsw_port *to,
		struct vsw_mapping *mapping)
{
	struct vsw_program *program;
	struct vsw_group *group;
	struct vsw_rule *rule;
	char problem[256] = "";

	ck_assert_int_eq(vsw_group_new(rig->vsw, "all", &group), 0);
	rule = vsw_group_add_rule(group, 1, NULL);
	if (mapping)
		vsw_rule_encap(rule, mapping);
	else
		vsw_rule_output(rule, to);
	ck_assert_msg(!vsw_group_seal(group, problem, sizeof problem), "%s",
		      problem);
	ck_assert_int_eq(vsw_program_new(rig->vsw, &program), 0);
	vsw_layer_add_group(vsw_program_add_layer(program, "all"), VSW_OUT,
			    group);
	ck_assert_msg(!vsw_program_seal(program, problem, sizeof problem),
		      "%s", problem);
	ck_assert_int_eq(vsw_port_set_program(vsw_device_port(from), program),
			 0);
	vsw_program_unref(program);
	vsw_group_unref(group);
}

/* Both ways. */
static inline void
rig_connect(struct rig *rig, struct vsw_device *a, struct vsw_device *b)
{
	rig_set_program(rig, a, vsw_device_port(b), NULL);
	rig_set_program(rig, b, vsw_device_port(a), NULL);
}

static inline bool
is_readable(int fd, int timeout_ms)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, timeout_ms) == 1;
}

/* Waits for something to come in on 'device', and carries it through. */
static inline int
rig_receive(struct rig *rig, struct vsw_device *device)
{
	ck_assert(is_readable(vsw_device_fd(device, 0), 5000));
	return vsw_device_receive(device, 0, rig->worker, 0);
}

/* Carries what comes in on 'from' until 'to', a memory device, has a frame;
 * returns its size. */
static inline long
rig_take(struct rig *rig, struct vsw_device *from, struct vsw_device *to,
	 uint8_t *frame, size_t size, struct vsw_offload *offload)
{
	long n;

	while ((n = vsw_device_take(to, frame, size, offload, NULL))
	       == -EAGAIN)
		ck_assert_int_eq(rig_receive(rig, from), 0);
	return n;
}

static inline uint64_t
rig_drops(const struct vsw_device *device, enum vsw_drop drop)
{
	struct vsw_port_counters counters = { .size = sizeof counters };

	vsw_port_get_counters(vsw_device_port(device), &counters);
	return counters.drops[drop];
}

/* A network namespace for this process alone; exits with "skipped" where that
 * is not allowed, or not wanted again (HNV_NO_NETNS: distcheck). */
static inline void
need_netns(void)
{
	if (!getenv("HNV_NO_NETNS") && geteuid() == 0 && !unshare(CLONE_NEWNET)
	    && !access("/dev/net/tun", R_OK | W_OK))
		return;
	printf("skipped: needs root, /dev/net/tun and network namespaces\n");
	exit(77);
}

static inline void
run(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

#endif /* unit/device_rig.h */
