/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/answer/punt.c: a switch with two memory devices, a worker that
 * punts, and the main thread that answers. */

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <vswitch/device.h>

#include "agent/answer/pend.h"
#include "agent/answer/punt.h"
#include "agent/answer/snoop.h"
#include "agent/policy/policy.h"
#include "tests/unit/asker.h"

enum { MANY = 1500, SHARE = 205 };

static struct event_base *base;
static struct vsw *vsw;
static struct vsw_worker *workers[2];	/* A thread's, the main thread's. */
static struct vsw_device *sql, *web;
static struct punt *punt;
static struct punts counters;
static uint8_t came[2048];
static bool is_known, is_bridged, is_guarded;
static pend_go_fn *pend_go;
static void *pend_ctx;
static bool may_hold, is_asked_for;
static uint32_t held_reason, held_vni;

struct model_port *
model_find_port(const struct model *m, const struct vsw_port *p)
{
	ck_assert_ptr_eq(m, &model);
	return is_known && p == port.port ? &port : NULL;
}

bool
beyond_is_asked_for(const struct asker *who)
{
	ck_assert_ptr_eq(who->port, &port);
	return is_asked_for;
}

bool
model_is_bridged(const struct model_subnet *subnet)
{
	ck_assert_ptr_eq(subnet, port.subnet);
	return is_bridged;
}

/* Its own: fd00::11. */
bool
model_may_claim(const struct model_port *p, enum model_guard guard,
		const struct vsw_addr *addr)
{
	ck_assert_ptr_eq(p, &port);
	ck_assert_int_eq(guard, addr->n == 4 ? GUARD_ARP : GUARD_ND);
	return !is_guarded || addr->bytes[15] == 0x11;
}

/* Who wants which group is check_snoop.c's. */
int
snoop_new(struct event_base *b, struct model *m, struct vsw *v,
	  struct vsw_worker *w, struct snoop **ret_snoop)
{
	ck_assert_ptr_eq(b, base);
	ck_assert_ptr_eq(m, &model);
	ck_assert_ptr_eq(v, vsw);
	ck_assert_ptr_eq(w, workers[1]);
	*ret_snoop = NULL;
	return 0;
}

void
snoop_free(struct snoop *snoop)
{
	(void) snoop;
}

void
snoop_heard(struct snoop *snoop, struct model_port *p,
	    const struct frame *frame, uint64_t now)
{
	(void) snoop;
	(void) now;
	ck_assert_ptr_eq(p, &port);
	ck_assert_uint_eq(frame->proto, 2);
}

void
snoop_forget(struct snoop *snoop, const struct model_port *p)
{
	(void) snoop;
	(void) p;
}

/* What waits for a mapping is check_pend.c's. */
int
pend_new(struct event_base *b, struct model *m, pend_go_fn *go, void *ctx,
	 struct pend **ret_pend)
{
	ck_assert_ptr_eq(b, base);
	ck_assert_ptr_eq(m, &model);
	pend_go = go;
	pend_ctx = ctx;
	*ret_pend = NULL;
	return 0;
}

void
pend_free(struct pend *pend)
{
	ck_assert_ptr_null(pend);
}

bool
pend_hold(struct pend *pend, const struct asker *a, const struct frame *frame,
	  uint32_t reason, uint32_t vni)
{
	ck_assert_ptr_null(pend);
	ck_assert_ptr_eq(a->port, &port);
	ck_assert_ptr_nonnull(frame->bytes);
	held_reason = reason;
	held_vni = vni;
	return may_hold;
}

void
pend_settle(struct pend *pend)
{
	ck_assert_ptr_null(pend);
}

void
pend_forget(struct pend *pend, const struct model_port *p)
{
	ck_assert_ptr_null(pend);
	ck_assert_ptr_eq(p, &port);
}

static struct vsw_device *
open_memory(const char *name)
{
	struct vsw_memory_options options = {
		.size = sizeof options, .name = name, .max_packets = 2 * MANY
	};
	struct vsw_device *device;

	ck_assert_int_eq(vsw_device_open_memory(vsw, &options, NULL, 0,
						&device), 0);
	return device;
}

static void
add_layer(struct vsw_program *program, struct vsw_group *group)
{
	char problem[200] = "";

	ck_assert_int_eq(vsw_group_seal(group, problem, sizeof problem), 0);
	vsw_layer_add_group(vsw_program_add_layer(program, "l"), VSW_OUT,
			    group);
	vsw_group_unref(group);
}

/* ARP to the host; everything else, and what that hands back, to "web". */
static void
set_program(void)
{
	static const uint8_t arp[2] = { 0x08, 0x06 };
	static const uint8_t ipv4[2] = { 0x08, 0x00 };
	static const uint8_t ipv6[2] = { 0x86, 0xdd };
	char problem[200] = "";
	struct vsw_program *program;
	struct vsw_group *group;
	struct vsw_rule *rule;

	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	ck_assert_int_eq(vsw_group_new(vsw, "intercept", &group), 0);
	rule = vsw_group_add_rule(group, 1, NULL);
	vsw_rule_match(rule, VSW_FIELD_ETH_TYPE, arp, NULL);
	vsw_rule_punt(rule, PUNT_ARP);
	rule = vsw_group_add_rule(group, 1, NULL);
	vsw_rule_match(rule, VSW_FIELD_ETH_TYPE, ipv6, NULL);
	vsw_rule_punt(rule, PUNT_ND);
	rule = vsw_group_add_rule(group, 1, NULL);
	vsw_rule_match(rule, VSW_FIELD_ETH_TYPE, ipv4, NULL);
	vsw_rule_punt(rule, PUNT_NO_ROUTE);
	add_layer(program, group);
	ck_assert_int_eq(vsw_group_new(vsw, "rest", &group), 0);
	vsw_rule_output(vsw_group_add_rule(group, 1, NULL),
			vsw_device_port(web));
	add_layer(program, group);
	ck_assert_int_eq(vsw_program_seal(program, problem, sizeof problem),
			 0);
	ck_assert_int_eq(vsw_port_set_program(port.port, program), 0);
	/* Without one nothing comes to it. */
	ck_assert_int_eq(vsw_port_set_program(vsw_device_port(web), program),
			 0);
	vsw_program_unref(program);
}

static void
setup(void)
{
	struct vsw_options options;

	vsw_options_init(&options);
	options.max_workers = 2;
	options.max_punts_per_s = 1000000;
	ck_assert_int_eq(vsw_new(&options, &vsw), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(vsw_worker_new(vsw, &workers[i]), 0);
	asker_init();
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	ck_assert_int_eq(punt_new(base, &model, vsw, workers[1], &punt), 0);
	sql = open_memory("sql");
	web = open_memory("web");
	port.port = vsw_device_port(sql);
	is_known = true;
	is_bridged = is_guarded = may_hold = is_asked_for = beyond = false;
	port.sw->settings.icmp_errors_per_s = 100;
	set_program();
}

static void
teardown(void)
{
	vsw_device_close(sql);
	vsw_device_close(web);
	punt_free(punt);
	for (int i = 0; i < 2; i++)
		vsw_worker_free(workers[i]);
	vsw_free(vsw);
	event_base_free(base);
}

static void
put(const void *frame, size_t size)
{
	ck_assert_int_eq(vsw_device_put(sql, frame, size, NULL, NULL), 0);
	while (!vsw_device_receive(sql, 0, workers[0], 1000000000))
		;
}

/* 'n' ARP requests of SQL for 10.1.1.LAST, as far as the queue of the host. */
static void
ask_from(struct vsw_device *device, uint8_t last, unsigned n)
{
	uint8_t frame[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		2, 0x10, 1, 1, 0, 0x11, 0x08, 0x06,
		0, 1, 0x08, 0, 6, 4, 0, 1,
		2, 0x10, 1, 1, 0, 0x11, 10, 1, 1, 11,
		0, 0, 0, 0, 0, 0, 10, 1, 1, last
	};

	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(vsw_device_put(device, frame, sizeof frame,
						NULL, NULL), 0);
	while (!vsw_device_receive(device, 0, workers[0], 1000000000))
		;
}

static void
ask(uint8_t last, unsigned n)
{
	ask_from(sql, last, n);
}

static void
answer(void)
{
	ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	counters = *punt_counted(punt);
}

static long
take(struct vsw_device *device)
{
	return vsw_device_take(device, came, sizeof came, NULL, NULL);
}

START_TEST(answers_go_where_the_question_came_from)
{
	ask(12, 1);
	ck_assert_int_eq(take(sql), -EAGAIN);
	answer();
	ck_assert_int_ge(take(sql), 42);
	ck_assert_mem_eq(came, sql_mac, 6);
	ck_assert_mem_eq(came + 6, web_mac, 6);
	ck_assert_int_eq(came[21], 2);
	ck_assert_int_eq(take(sql), -EAGAIN);
	ck_assert_int_eq(take(web), -EAGAIN);
	ck_assert_uint_eq(counters.of[PUNTED_ARP], 1);
	ck_assert_uint_eq(counters.of[PUNTED_ANSWERED], 1);
	ck_assert_uint_eq(counters.of[PUNTED_SILENT], 0);
}
END_TEST

START_TEST(the_unknown_is_silence)
{
	ask(99, 3);
	answer();
	ck_assert_int_eq(take(sql), -EAGAIN);
	ck_assert_int_eq(take(web), -EAGAIN);
	ck_assert_uint_eq(counters.of[PUNTED_ARP], 3);
	ck_assert_uint_eq(counters.of[PUNTED_SILENT], 3);
	ck_assert_uint_eq(counters.of[PUNTED_ANSWERED]
			  + counters.of[PUNTED_RESUMED], 0);
}
END_TEST

/* At once, if nobody is to be asked for it, or too much is already. */
START_TEST(the_default_stands_for_the_unknown)
{
	beyond = true;
	for (int i = 0; i < 2; i++) {
		is_asked_for = i;
		ask(99, 1);
		answer();
		ck_assert_int_ge(take(sql), 42);
		ck_assert_mem_eq(came + 6, "\2\0\0\0\0\xfe", 6);
		ck_assert_uint_eq(counters.of[PUNTED_ANSWERED], i + 1);
	}
	/* Who is asked comes first, and if he does not know, the default. */
	may_hold = true;
	ask(99, 1);
	answer();
	ck_assert_int_eq(take(sql), -EAGAIN);
	ck_assert_uint_eq(counters.of[PUNTED_HELD], 1);
	ck_assert_uint_eq(counters.of[PUNTED_SILENT], 0);
}
END_TEST

START_TEST(the_unknown_is_left_to_vms_that_are_bridged)
{
	is_bridged = true;
	ask(99, 1);
	answer();
	ck_assert_int_eq(take(sql), -EAGAIN);
	ck_assert_int_eq(take(web), 60);
	ck_assert_int_eq(came[21], 1);
	ck_assert_uint_eq(counters.of[PUNTED_RESUMED], 1);
	ck_assert_uint_eq(counters.of[PUNTED_SILENT], 0);
	/* What is known is answered all the same. */
	ask(12, 1);
	answer();
	ck_assert_int_ge(take(sql), 42);
	ck_assert_int_eq(take(web), -EAGAIN);
	ck_assert_uint_eq(counters.of[PUNTED_ANSWERED], 1);
}
END_TEST

/* ARP for nobody's address in which SQL speaks of MAC ...:LAST. */
static void
ask_as(uint8_t last)
{
	uint8_t frame[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		2, 0x10, 1, 1, 0, 0x11, 0x08, 0x06,
		0, 1, 0x08, 0, 6, 4, 0, 1,
		2, 0x10, 1, 1, 0, last, 10, 1, 1, 11,
		0, 0, 0, 0, 0, 0, 10, 1, 1, 99
	};

	put(frame, sizeof frame);
	answer();
}

/* SQL advertises fd00::LAST. */
static void
advertise(uint8_t last)
{
	uint8_t frame[78] = {
		0x33, 0x33, 0, 0, 0, 1, 2, 0x10, 1, 1, 0, 0x11, 0x86, 0xdd,
		0x60, 0, 0, 0, 0, 24, 58, 255, 0xfd, [37] = 0x11,
		[38] = 0xff, 2, [53] = 1, [54] = 136, [62] = 0xfd, [77] = last
	};

	put(frame, sizeof frame);
	answer();
}

START_TEST(what_is_forged_is_not_left_to_vms)
{
	is_bridged = true;
	ask_as(0x12);
	ck_assert_int_eq(take(web), 60);
	advertise(0x12);
	ck_assert_int_eq(take(web), 78);
	is_guarded = true;
	ask_as(0x12);
	ck_assert_int_eq(take(web), -EAGAIN);
	advertise(0x12);
	ck_assert_int_eq(take(web), -EAGAIN);
	ck_assert_uint_eq(counters.of[PUNTED_SILENT], 2);
	ask_as(0x11);
	ck_assert_int_eq(take(web), 60);
	advertise(0x11);
	ck_assert_int_eq(take(web), 78);
	ck_assert_uint_eq(counters.of[PUNTED_RESUMED], 4);
}
END_TEST

START_TEST(nobody_answers_a_port_without_a_subnet)
{
	is_known = false;
	is_bridged = true;
	ask(12, 1);
	answer();
	ck_assert_int_eq(take(sql), -EAGAIN);
	ck_assert_int_eq(take(web), -EAGAIN);
	ck_assert_uint_eq(counters.of[PUNTED_SILENT], 1);
}
END_TEST

/* A port gets a quarter of what is left, not of all: 205 and 819 make 1024. */
START_TEST(the_queue_is_bounded_and_counts)
{
	struct vsw_port_counters host = { .size = sizeof host };

	ask(12, MANY);
	vsw_port_get_counters(punt_port(punt), &host);
	ck_assert_uint_eq(host.drops[VSW_DROP_DEVICE_FULL], MANY - SHARE);
	answer();
	ck_assert_uint_eq(counters.of[PUNTED_ANSWERED], SHARE);
	ck_assert_uint_eq(counters.of[PUNTED_CROWDED], MANY - SHARE);
	for (int i = 0; i < SHARE; i++)
		ck_assert_int_ge(take(sql), 42);
	/* And there is room again. */
	ask(12, 1);
	answer();
	ck_assert_uint_eq(counters.of[PUNTED_ANSWERED], SHARE + 1);
}
END_TEST

START_TEST(who_floods_leaves_room_for_others)
{
	ask(12, MANY);
	ask_from(web, 12, 100);
	answer();
	ck_assert_uint_eq(counters.of[PUNTED_CROWDED], MANY - SHARE);
	ck_assert_uint_eq(counters.of[PUNTED_ANSWERED], SHARE);
	ck_assert_uint_eq(counters.of[PUNTED_SILENT], 100);
}
END_TEST

/* SQL sends UDP where there is no way, and may be told 'rate' times. */
static void
stray(uint32_t rate, unsigned n)
{
	uint8_t frame[42] = {
		2, 0, 0x5e, 0, 1, 1, 2, 0x10, 1, 1, 0, 0x11, 0x08, 0x00,
		0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0,
		10, 1, 1, 11, 10, 7, 7, 7, 0, 1, 0, 2, 0, 8, 0, 0
	};
	uint16_t sum = frame_fold(frame_sum(frame + 14, 20, 0));

	frame[24] = (uint8_t) (sum >> 8);
	frame[25] = (uint8_t) sum;
	port.sw->settings.icmp_errors_per_s = rate;
	for (unsigned i = 0; i < n; i++)
		put(frame, sizeof frame);
	answer();
}

START_TEST(errors_are_limited_and_counted)
{
	stray(100, 1);
	ck_assert_int_eq(take(sql), 70);
	ck_assert_int_eq(came[34], 3);
	ck_assert_uint_eq(counters.of[PUNTED_NO_ROUTE], 1);
	ck_assert_uint_eq(counters.of[PUNTED_ERRORS], 1);
	/* In the time that this takes there may be some more. */
	stray(5, 150);
	ck_assert_uint_ge(counters.of[PUNTED_ERRORS], 5);
	ck_assert_uint_lt(counters.of[PUNTED_ERRORS], 50);
	ck_assert_uint_eq(counters.of[PUNTED_ERRORS]
			  + counters.of[PUNTED_ERRORS_LIMITED], 151);
	stray(0, 10);
	ck_assert_uint_eq(counters.of[PUNTED_ERRORS]
			  + counters.of[PUNTED_ERRORS_LIMITED], 161);
	ck_assert_uint_eq(counters.of[PUNTED_ERRORS_FORBIDDEN], 0);
	ck_assert_uint_eq(counters.of[PUNTED_NO_ROUTE], 161);
}
END_TEST

START_TEST(what_waits_from_a_port_that_goes_is_forgotten)
{
	ask(12, 5);
	punt_forget(punt, vsw_device_port(web));
	punt_forget(punt, port.port);
	answer();
	ck_assert_uint_eq(counters.of[PUNTED_ARP], 0);
	ck_assert_int_eq(take(sql), -EAGAIN);
	/* Left waiting: punt_free() frees it. */
	ask(12, 5);
}
END_TEST

/* What waits for a mapping is neither answered nor silent; it is answered when
 * that is there, or goes on. */
START_TEST(waits_and_goes_on)
{
	uint8_t frame[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		2, 0x10, 1, 1, 0, 0x11, 0x08, 0x06,
		0, 1, 0x08, 0, 6, 4, 0, 1,
		2, 0x10, 1, 1, 0, 0x11, 10, 1, 1, 11,
		0, 0, 0, 0, 0, 0, 10, 1, 1, 99
	};

	may_hold = true;
	ask(99, 1);
	answer();
	may_hold = false;
	ck_assert_uint_eq(held_reason, PUNT_ARP);
	ck_assert_uint_eq(counters.of[PUNTED_HELD], 1);
	ck_assert_uint_eq(counters.of[PUNTED_SILENT]
			  + counters.of[PUNTED_ANSWERED], 0);
	/* It timed out. */
	pend_go(pend_ctx, &port, PUNT_ARP, 0, frame, sizeof frame, false);
	ck_assert_int_eq(take(sql), -EAGAIN);
	/* Is known now. */
	frame[41] = 12;
	pend_go(pend_ctx, &port, PUNT_ARP, 0, frame, sizeof frame, true);
	ck_assert_int_ge(take(sql), 42);
	ck_assert_mem_eq(came + 6, web_mac, 6);
	/* A packet walks on, either way, and is not punted again. */
	for (int known = 0; known < 2; known++) {
		pend_go(pend_ctx, &port, PUNT_MISSING, 5001, frame,
			sizeof frame, known);
		ck_assert_int_eq(take(web), 60);
	}
	answer();
	ck_assert_uint_eq(counters.of[PUNTED_SILENT], 1);
	ck_assert_uint_eq(counters.of[PUNTED_ANSWERED], 1);
	ck_assert_uint_eq(counters.of[PUNTED_RESUMED], 2);
	ck_assert_uint_eq(counters.of[PUNTED_ARP], 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("punt");
	TCase *tcase = tcase_create("punt");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, answers_go_where_the_question_came_from);
	tcase_add_test(tcase, the_unknown_is_silence);
	tcase_add_test(tcase, the_default_stands_for_the_unknown);
	tcase_add_test(tcase, the_unknown_is_left_to_vms_that_are_bridged);
	tcase_add_test(tcase, what_is_forged_is_not_left_to_vms);
	tcase_add_test(tcase, nobody_answers_a_port_without_a_subnet);
	tcase_add_test(tcase, the_queue_is_bounded_and_counts);
	tcase_add_test(tcase, who_floods_leaves_room_for_others);
	tcase_add_test(tcase, errors_are_limited_and_counted);
	tcase_add_test(tcase, what_waits_from_a_port_that_goes_is_forgotten);
	tcase_add_test(tcase, waits_and_goes_on);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
