/* SPDX-License-Identifier: Apache-2.0 */

/* What apply asks of the engine.  The engine is the real one; in between
 * stand counters, and a refusal of the n-th call. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vswitch.h>
#include "agent/status/write.h"
#include "tests/unit/policy_world.h"

/* The calls that apply makes, in the order of their first use. */
#define CALLS(X) \
	X(domain_new) X(mapping_new) X(set_mac) X(set_addr) X(set_flood) \
	X(group_seal) X(program_seal) X(set_program) X(exchange) \
	X(remove_addr) X(remove_mac)

static struct {
#define CALL_COUNT(NAME) unsigned NAME;
	CALLS(CALL_COUNT)
#undef CALL_COUNT
	unsigned all, refused;		/* The 'refused'th fails; 0: none. */
	unsigned n_open;		/* Domains that are being edited, */
	unsigned n_told;		/* and how often their flows heard. */
} calls;

static bool
refuse_edit(unsigned *count)
{
	ck_assert_uint_gt(calls.n_open, 0);
	++*count;
	return ++calls.all == calls.refused;
}

static bool
refuse(unsigned *count)
{
	++*count;
	return ++calls.all == calls.refused;
}

int __real_vsw_domain_new(struct vsw *, const char *, struct vsw_domain **);
int __wrap_vsw_domain_new(struct vsw *, const char *, struct vsw_domain **);
int
__wrap_vsw_domain_new(struct vsw *vsw, const char *name,
		      struct vsw_domain **ret_domain)
{
	return refuse(&calls.domain_new) ? -ENOMEM
		: __real_vsw_domain_new(vsw, name, ret_domain);
}

int __real_vsw_mapping_new(struct vsw_domain *, const char *, uint32_t,
			   struct vsw_mapping **);
int __wrap_vsw_mapping_new(struct vsw_domain *, const char *, uint32_t,
			   struct vsw_mapping **);
int
__wrap_vsw_mapping_new(struct vsw_domain *domain, const char *name,
		       uint32_t vni, struct vsw_mapping **ret_mapping)
{
	return refuse(&calls.mapping_new) ? -ENOMEM
		: __real_vsw_mapping_new(domain, name, vni, ret_mapping);
}

int __real_vsw_mapping_set_mac(struct vsw_mapping *, const uint8_t[6],
			       const struct vsw_location *, size_t);
int __wrap_vsw_mapping_set_mac(struct vsw_mapping *, const uint8_t[6],
			       const struct vsw_location *, size_t);
int
__wrap_vsw_mapping_set_mac(struct vsw_mapping *mapping, const uint8_t mac[6],
			   const struct vsw_location *locations, size_t n)
{
	return refuse_edit(&calls.set_mac) ? -ENOMEM
		: __real_vsw_mapping_set_mac(mapping, mac, locations, n);
}

int __real_vsw_mapping_set_addr(struct vsw_mapping *, const struct vsw_addr *,
				const struct vsw_location *, size_t);
int __wrap_vsw_mapping_set_addr(struct vsw_mapping *, const struct vsw_addr *,
				const struct vsw_location *, size_t);
int
__wrap_vsw_mapping_set_addr(struct vsw_mapping *mapping,
			    const struct vsw_addr *ca,
			    const struct vsw_location *locations, size_t n)
{
	return refuse_edit(&calls.set_addr) ? -ENOMEM
		: __real_vsw_mapping_set_addr(mapping, ca, locations, n);
}

int __real_vsw_mapping_set_flood(struct vsw_mapping *,
				 const struct vsw_location *, size_t, bool);
int __wrap_vsw_mapping_set_flood(struct vsw_mapping *,
				 const struct vsw_location *, size_t, bool);
int
__wrap_vsw_mapping_set_flood(struct vsw_mapping *mapping,
			     const struct vsw_location *locations, size_t n,
			     bool unknown)
{
	return refuse_edit(&calls.set_flood) ? -ENOMEM
		: __real_vsw_mapping_set_flood(mapping, locations, n,
					       unknown);
}

int __real_vsw_group_seal(struct vsw_group *, char *, size_t);
int __wrap_vsw_group_seal(struct vsw_group *, char *, size_t);
int
__wrap_vsw_group_seal(struct vsw_group *group, char *problem, size_t size)
{
	return refuse(&calls.group_seal) ? -ENOMEM
		: __real_vsw_group_seal(group, problem, size);
}

int __real_vsw_program_seal(struct vsw_program *, char *, size_t);
int __wrap_vsw_program_seal(struct vsw_program *, char *, size_t);
int
__wrap_vsw_program_seal(struct vsw_program *program, char *problem,
			size_t size)
{
	return refuse(&calls.program_seal) ? -ENOMEM
		: __real_vsw_program_seal(program, problem, size);
}

int __real_vsw_port_set_program(struct vsw_port *, struct vsw_program *);
int __wrap_vsw_port_set_program(struct vsw_port *, struct vsw_program *);
int
__wrap_vsw_port_set_program(struct vsw_port *port,
			    struct vsw_program *program)
{
	/* Taking a program away cannot fail. */
	if (!program) {
		calls.set_program++;
		return __real_vsw_port_set_program(port, NULL);
	}
	return refuse(&calls.set_program) ? -ENOMEM
		: __real_vsw_port_set_program(port, program);
}

int __real_vsw_port_exchange_groups(struct vsw_port *const[], size_t,
				    struct vsw_group *const[],
				    struct vsw_group *const[], size_t);
int __wrap_vsw_port_exchange_groups(struct vsw_port *const[], size_t,
				    struct vsw_group *const[],
				    struct vsw_group *const[], size_t);
int
__wrap_vsw_port_exchange_groups(struct vsw_port *const ports[], size_t n_ports,
				struct vsw_group *const from[],
				struct vsw_group *const to[], size_t n)
{
	if (!n_ports)
		return 0;
	return refuse(&calls.exchange) ? -ENOMEM
		: __real_vsw_port_exchange_groups(ports, n_ports, from, to, n);
}

void __real_vsw_mapping_remove_addr(struct vsw_mapping *,
				    const struct vsw_addr *);
void __wrap_vsw_mapping_remove_addr(struct vsw_mapping *,
				    const struct vsw_addr *);
void
__wrap_vsw_mapping_remove_addr(struct vsw_mapping *mapping,
			       const struct vsw_addr *ca)
{
	ck_assert_uint_gt(calls.n_open, 0);
	calls.remove_addr++;
	__real_vsw_mapping_remove_addr(mapping, ca);
}

void __real_vsw_mapping_remove_mac(struct vsw_mapping *, const uint8_t[6]);
void __wrap_vsw_mapping_remove_mac(struct vsw_mapping *, const uint8_t[6]);
void
__wrap_vsw_mapping_remove_mac(struct vsw_mapping *mapping,
			      const uint8_t mac[6])
{
	ck_assert_uint_gt(calls.n_open, 0);
	calls.remove_mac++;
	__real_vsw_mapping_remove_mac(mapping, mac);
}

void __real_vsw_domain_begin(struct vsw_domain *);
void __wrap_vsw_domain_begin(struct vsw_domain *);
void
__wrap_vsw_domain_begin(struct vsw_domain *domain)
{
	calls.n_open++;
	__real_vsw_domain_begin(domain);
}

void __real_vsw_domain_commit(struct vsw_domain *);
void __wrap_vsw_domain_commit(struct vsw_domain *);
void
__wrap_vsw_domain_commit(struct vsw_domain *domain)
{
	ck_assert_uint_gt(calls.n_open, 0);
	if (!--calls.n_open)
		calls.n_told++;
	__real_vsw_domain_commit(domain);
}

static struct world world;

static void
set_up(void)
{
	memset(&calls, 0, sizeof calls);
	world_init(&world);
	world_add_host(&world);
	world_add_story(&world);
	world_turn(&world);
	memset(&calls, 0, sizeof calls);
}

static void
tear_down(void)
{
	world_done(&world);
}

static void
assert_calls(const char *expected)
{
	char text[256] = "";
	size_t n = 0;

#define CALL_TEXT(NAME) \
	if (calls.NAME) \
		n += (size_t) snprintf(text + n, sizeof text - n, "%s%s %u", \
				       n ? ", " : "", #NAME, calls.NAME);
	CALLS(CALL_TEXT)
#undef CALL_TEXT
	ck_assert_str_eq(text, expected);
	memset(&calls, 0, sizeof calls);
}

static char last_line[256];

static void
keep_last(void *ctx, const struct vsw_step *step)
{
	(void) ctx;
	vsw_step_format(step, last_line, sizeof last_line);
}

/* The last line of what becomes of an IPv4 packet that vm1 sends. */
static const char *
explain(const char *dst_mac, const char *dst)
{
	uint8_t frame[64] = {
		[6] = 0x02, [11] = 0x11,
		[12] = 0x08, 0x00, 0x45, [17] = 50, [22] = 64, 17,
		[26] = 10, 1, 1, 11, [35] = 7, [37] = 9, [39] = 30
	};
	struct vsw_explain_options options = { .size = sizeof options };
	struct vsw_addr addr;
	uint32_t sum = 0;

	ck_assert(model_mac_from_text(dst_mac, frame));
	ck_assert(model_addr_from_text(dst, &addr));
	memcpy(frame + 30, addr.bytes, 4);
	for (int i = 14; i < 34; i += 2)
		sum += (uint32_t) (frame[i] << 8 | frame[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	frame[24] = (uint8_t) (sum >> 8);
	frame[25] = (uint8_t) sum;
	ck_assert_int_eq(vsw_explain(world_port(&world, "vm1")->port, frame,
				     sizeof frame, &options, keep_last,
				     NULL), 0);
	return last_line;
}

static void
insert_web(const char *uuid, const char *locator)
{
	world_transact(&world,
		"['ms_vtep',{'op':'insert','table':'Ucast_Macs_Remote',"
		"'uuid':'%s','row':{'MAC':'02:00:00:00:00:12',"
		"'ipaddr':'10.1.1.12','locator':['uuid','%s'],"
		"'logical_switch':['uuid','" SUBNET_5001 "'],"
		"'mapping_type':'default'}}]", uuid, locator);
}

static void
delete_row(const char *table, const char *uuid)
{
	world_transact(&world, "['ms_vtep',{'op':'delete','table':'%s',"
		       "'where':[['_uuid','==',['uuid','%s']]]}]", table,
		       uuid);
}

START_TEST(packets_obey)
{
	ck_assert_msg(strstr(explain("02:00:00:00:00:12", "10.1.1.12"),
			     "192.168.2.20"), "%s", last_line);
	ck_assert_msg(strstr(explain("02:00:00:00:00:99", "10.1.1.99"),
			     "NO_MAPPING"), "%s", last_line);
	ck_assert_msg(strstr(explain("02:68:6e:76:00:01", "10.9.9.9"),
			     "reason 8"), "%s", last_line);	/* NO_ROUTE. */
	ck_assert_msg(strstr(explain("02:68:6e:76:00:01", "10.1.2.254"),
			     "punt"), "%s", last_line);
	ck_assert_msg(strstr(explain("02:68:6e:76:00:01", "10.1.2.21"),
			     "192.168.2.20"), "%s", last_line);
	ck_assert_msg(strstr(explain("02:68:6e:76:00:01", "10.1.2.9"),
			     "reason 10"), "%s", last_line); /* UNREACHABLE. */
}
END_TEST

START_TEST(nothing_changed_is_nothing_sent)
{
	world_turn(&world);
	assert_calls("");
	world_transact(&world, "['ms_vtep',{'op':'update','table':'Global',"
		       "'where':[],'row':{'next_cfg':4}}]");
	world_turn(&world);
	assert_calls("");
	ck_assert_int_eq(world_integer(&world, WORLD_MS_VTEP, "Global",
				       "cur_cfg"), 4);
}
END_TEST

/* A hundred rows among ten thousand: two hundred edits. */
START_TEST(change_costs_what_it_changes)
{
	for (int i = 0; i < 10100; i++) {
		if (i == 10000) {
			world_turn(&world);
			assert_calls("set_mac 10000, set_addr 10000");
		}
		world_transact(&world,
			"['ms_vtep',{'op':'insert',"
			"'table':'Ucast_Macs_Remote','row':{"
			"'MAC':'02:00:01:00:%02x:%02x','ipaddr':'10.1.%d.%d',"
			"'logical_switch':['uuid','" SUBNET_5001 "'],"
			"'locator':['uuid','" THERE "'],"
			"'mapping_type':'default'}}]", i / 256, i % 256,
			100 + i / 250, i % 250);
	}
	world_turn(&world);
	assert_calls("set_mac 100, set_addr 100");
}
END_TEST

START_TEST(same_again_is_nothing)
{
	world_transact(&world,
		"['ms_vtep',{'op':'delete','table':'Ucast_Macs_Remote',"
		"'where':[['_uuid','==',['uuid','" WEB "']]]},"
		"{'op':'insert','table':'Ucast_Macs_Remote','row':{"
		"'MAC':'02:00:00:00:00:12','ipaddr':'10.1.1.12',"
		"'logical_switch':['uuid','" SUBNET_5001 "'],"
		"'locator':['uuid','" THERE "'],'mapping_type':'default'}}]");
	world_turn(&world);
	assert_calls("");
}
END_TEST

/* To this host's address, where no port has it: it is nowhere, and back. */
START_TEST(move_is_one_edit)
{
	world_transact(&world,
		"['ms_vtep',{'op':'insert','table':'Physical_Locator',"
		"'uuid':'" U("03") "','row':{'dst_ip':'192.168.3.30',"
		"'encapsulation_type':'nvgre_over_ipv4'}},"
		"{'op':'delete','table':'Ucast_Macs_Remote',"
		"'where':[['_uuid','==',['uuid','" WEB "']]]},"
		"{'op':'insert','table':'Ucast_Macs_Remote','row':{"
		"'MAC':'02:00:00:00:00:12','ipaddr':'10.1.1.12',"
		"'logical_switch':['uuid','" SUBNET_5001 "'],"
		"'locator':['uuid','" U("03") "'],"
		"'mapping_type':'default'}}]");
	world_turn(&world);
	assert_calls("set_mac 1, set_addr 1, set_flood 1");
	ck_assert_msg(strstr(explain("02:00:00:00:00:12", "10.1.1.12"),
			     "192.168.3.30"), "%s", last_line);
}
END_TEST

/* However many of its mappings a transaction edits: one by another that is
 * elsewhere, and a hundred that are new. */
START_TEST(flows_hear_once)
{
	char text[32768];
	size_t n = (size_t) snprintf(text, sizeof text,
		"['ms_vtep',{'op':'delete','table':'Ucast_Macs_Remote',"
		"'where':[['_uuid','==',['uuid','" WEB "']]]}");

	for (int i = 0; i < 100; i++)
		n += (size_t) snprintf(text + n, sizeof text - n,
			",{'op':'insert','table':'Ucast_Macs_Remote','row':{"
			"'MAC':'02:00:00:00:07:%02x','ipaddr':'10.1.1.%d',"
			"'logical_switch':['uuid','" SUBNET_5001 "'],"
			"'locator':['uuid','" THERE "'],"
			"'mapping_type':'default'}}", i, i + 100);
	snprintf(text + n, sizeof text - n, "]");
	calls.n_told = 0;
	world_transact(&world, "%s", text);
	world_turn(&world);
	ck_assert_uint_eq(calls.n_told, 1);
	ck_assert_uint_eq(calls.n_open, 0);
	assert_calls("set_mac 100, set_addr 100, remove_addr 1, "
		     "remove_mac 1");
}
END_TEST

/* The new row first, in a transaction of its own: it wins at once, and taking
 * the old one away changes nothing. */
START_TEST(make_before_break)
{
	world_transact(&world,
		"['ms_vtep',{'op':'insert','table':'Physical_Locator',"
		"'uuid':'" U("03") "','row':{'dst_ip':'192.168.3.30',"
		"'encapsulation_type':'vxlan_over_ipv4'}},"
		"{'op':'insert','table':'Ucast_Macs_Remote',"
		"'uuid':'" U("42") "','row':{"
		"'MAC':'02:00:00:00:00:12','ipaddr':'10.1.1.12',"
		"'logical_switch':['uuid','" SUBNET_5001 "'],"
		"'locator':['uuid','" U("03") "'],"
		"'mapping_type':'default'}}]");
	world_turn(&world);
	assert_calls("set_mac 1, set_addr 1, set_flood 1");
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Host", NULL,
				      "status", "faults"), "1");
	delete_row("Ucast_Macs_Remote", WEB);
	world_turn(&world);
	assert_calls("set_flood 1");
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Host", NULL,
				      "status", "faults"), "");
	insert_web(WEB, THERE);
	world_turn(&world);
	assert_calls("set_mac 1, set_addr 1, set_flood 1");
}
END_TEST

START_TEST(gone_is_removed)
{
	delete_row("Ucast_Macs_Remote", WEB);
	world_turn(&world);
	assert_calls("set_flood 1, remove_addr 1, remove_mac 1");
	ck_assert_msg(strstr(explain("02:00:00:00:00:12", "10.1.1.12"),
			     "NO_MAPPING"), "%s", last_line);
}
END_TEST

/* One more subnet in the router: the groups that name it, once. */
START_TEST(subnet_joins)
{
	world_transact(&world,
		"['ms_vtep',{'op':'mutate','table':'Logical_Router',"
		"'where':[],'mutations':[['switch_binding','insert',"
		"['map',[['10.1.3.0/24',['uuid','" SUBNET_6001 "']]]]]]}]");
	world_turn(&world);
	/* Gateways, routes, subnets, delivery; vm1 and the uplink. */
	assert_calls("mapping_new 1, set_flood 1, group_seal 4, "
		     "program_seal 2, set_program 2");
	world_transact(&world,
		"['ms_vtep',{'op':'update','table':'Logical_Router',"
		"'where':[],'row':{'enable_logical_router':false}}]");
	world_turn(&world);
	assert_calls("group_seal 2, program_seal 1, set_program 1");
	ck_assert_msg(strstr(explain("02:68:6e:76:00:01", "10.1.2.254"),
			     "RULE"), "%s", last_line);
}
END_TEST

START_TEST(port_comes_and_goes)
{
	struct model_port *vm2 = world_port(&world, "vm2");

	ck_assert_int_eq(vm2->fault.reason, MODEL_NO_POLICY);
	world_transact(&world,
		"['ms_vtep',{'op':'update','table':'Physical_Port',"
		"'where':[['name','==','{a2}']],'row':{'vlan_bindings':"
		"['map',[[0,['uuid','" SUBNET_6001 "']]]]}},"
		"{'op':'insert','table':'Ucast_Macs_Local','uuid':'" VM2 "',"
		"'row':{'MAC':'02:00:00:00:01:11','ipaddr':'10.1.1.11',"
		"'logical_switch':['uuid','" SUBNET_6001 "'],"
		"'locator':['uuid','" HERE "']}}]");
	world_turn(&world);
	assert_calls("domain_new 1, mapping_new 1, set_mac 1, set_addr 1, "
		     "set_flood 1, group_seal 4, program_seal 2, "
		     "set_program 2");
	ck_assert_ptr_nonnull(vm2->program);
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm2",
				      "status", "state"), "bound");
	ck_assert_str_eq(world_status(&world, WORLD_MS_VTEP, "Physical_Port",
				      "{a2}", "status", "state"), "bound");
	delete_row("Ucast_Macs_Local", VM2);
	world_turn(&world);
	ck_assert_ptr_null(vm2->program);
	ck_assert_int_eq(vm2->fault.reason, MODEL_NO_MAPPING);
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm2",
				      "status", "reason"), "no_mapping");
	assert_calls("group_seal 1, program_seal 1, set_program 2");
}
END_TEST

static void
write_rules(const char *ports, const char *dst_port)
{
	for (; *ports; ports++)
		world_transact(&world,
			"['ms_firewall',{'op':'delete','table':'FW_Rules',"
			"'where':[['vnic_id','==','a%c']]},"
			"{'op':'insert','table':'FW_Rules','row':{"
			"'rule_id':'r','vnic_id':'a%c','priority':100,"
			"'rule_type':'RuleWithControllerPriority',"
			"'rule_state':'Enabled','logging_state':'Disabled',"
			"'direction':'Outbound','action':'Allow',"
			"'protocols':'TCP','dst_ports':'%s'}}]", *ports,
			*ports, dst_port);
}

static void
set_rules(const char *ports, const char *dst_port)
{
	write_rules(ports, dst_port);
	world_turn(&world);
}

static void
bind_vm2(void)
{
	world_transact(&world,
		"['ms_vtep',{'op':'update','table':'Physical_Port',"
		"'where':[['name','==','{a2}']],'row':{'vlan_bindings':"
		"['map',[[0,['uuid','" SUBNET_6001 "']]]]}},"
		"{'op':'insert','table':'Ucast_Macs_Local','uuid':'" VM2 "',"
		"'row':{'MAC':'02:00:00:00:01:11','ipaddr':'10.1.1.11',"
		"'logical_switch':['uuid','" SUBNET_6001 "'],"
		"'locator':['uuid','" HERE "']}}]");
	world_turn(&world);
}

/* Groups are sealed for a list, and not for its ports; nor are programs made
 * anew of which only the list is another. */
START_TEST(ports_share_a_list)
{
	bind_vm2();
	memset(&calls, 0, sizeof calls);
	set_rules("12", "80");
	assert_calls("group_seal 2, program_seal 2, set_program 2");
	ck_assert_ptr_eq(world_port(&world, "vm1")->acls[ACL_CONTROLLER],
			 world_port(&world, "vm2")->acls[ACL_CONTROLLER]);
	set_rules("12", "81");
	assert_calls("group_seal 2, exchange 1");
	/* One alone leaves, and comes back: the other's is still there. */
	set_rules("1", "82");
	assert_calls("group_seal 2, exchange 1");
	set_rules("1", "81");
	assert_calls("exchange 1");
	set_rules("12", "81");
	assert_calls("");
	/* A list that becomes two. */
	write_rules("1", "83");
	set_rules("2", "84");
	assert_calls("group_seal 4, exchange 2");
	assert_calls("");
}
END_TEST

/* Is it what vm1's program in the engine allows? */
static void
assert_allowed(int dst_port, bool is_allowed)
{
	const struct model_port *port = world_port(&world, "vm1");
	const struct acl *acl = port->in_force[ACL_CONTROLLER];

	ck_assert_ptr_nonnull(acl);
	ck_assert_ptr_eq(port->program, vsw_port_get_program(port->port));
	ck_assert_int_eq(acl->rules[0].dst_ports.of[0].first == dst_port,
			 is_allowed);
}

/* A list that cannot be put in force leaves the old one where it is, for all
 * ports; the next turn that tries again puts it in force for all. */
START_TEST(lists_are_made_good)
{
	unsigned n = 1;

	bind_vm2();
	set_rules("12", "80");
	for (;; n++) {
		const char *was = n & 1 ? "80" : "81";
		const char *is = n & 1 ? "81" : "80";

		memset(&calls, 0, sizeof calls);
		calls.refused = n;
		set_rules("12", is);
		if (calls.all < n)
			break;
		assert_allowed(atoi(was), true);
		ck_assert_str_eq(world_status(&world, WORLD_HNV, "Host", NULL,
					      "status", "reason"), "engine");
		calls.refused = 0;
		status_write(world.model, true);
		world_turn(&world);
		assert_allowed(atoi(is), true);
		assert_allowed(atoi(was), false);
		ck_assert_str_eq(world_status(&world, WORLD_HNV, "Host", NULL,
					      "status", "state"), "up");
	}
	/* Two groups, and all at once. */
	ck_assert_uint_eq(n, 4);
}
END_TEST

/* A port that no rule speaks of is blocked once anything is ruled. */
START_TEST(port_without_a_rule_is_blocked)
{
	ck_assert_msg(strstr(explain("02:00:00:00:00:12", "10.1.1.12"),
			     "192.168.2.20"), "%s", last_line);
	set_rules("2", "80");
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm1",
				      "status", "state"), "blocked");
	ck_assert_str_eq(world_status(&world, WORLD_MS_VTEP, "Physical_Port",
				      "{A1}", "status", "reason"),
			 "port_blocked");
	ck_assert_msg(strstr(explain("02:00:00:00:00:12", "10.1.1.12"),
			     "RULE"), "%s", last_line);
	world_transact(&world, "['hnv',{'op':'update','table':'Port',"
		"'where':[['name','==','vm1']],"
		"'row':{'firewall_default':'allow'}}]");
	world_turn(&world);
	ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port", "vm1",
				      "status", "state"), "bound");
	ck_assert_msg(strstr(explain("02:00:00:00:00:12", "10.1.1.12"),
			     "192.168.2.20"), "%s", last_line);
}
END_TEST

START_TEST(port_is_opened_anew)
{
	struct model_port *vm1 = world_port(&world, "vm1");

	policy_leave_port(world.model, vm1);
	ck_assert_ptr_null(vm1->program);
	assert_calls("set_flood 1, set_program 1, remove_addr 1, "
		     "remove_mac 1");
	vsw_port_remove(vm1->port);
	vm1->port = NULL;
	world_turn(&world);
	assert_calls("set_mac 1, set_addr 1, set_flood 1, group_seal 2, "
		     "program_seal 1, set_program 1");
	ck_assert_msg(strstr(explain("02:00:00:00:00:12", "10.1.1.12"),
			     "192.168.2.20"), "%s", last_line);
}
END_TEST

/* Each call refused once: said, cur_cfg stands still, and the next turn that
 * tries again puts everything in force. */
START_TEST(refusals_are_made_good)
{
	unsigned n = 1;

	for (;; n++) {
		tear_down();
		world_init(&world);
		world_add_host(&world);
		world_add_story(&world);
		memset(&calls, 0, sizeof calls);
		calls.refused = n;
		world_turn(&world);
		if (calls.all < n)
			break;
		ck_assert_int_eq(world_integer(&world, WORLD_MS_VTEP,
					       "Global", "cur_cfg"), 0);
		ck_assert_str_eq(world_status(&world, WORLD_HNV, "Host", NULL,
					      "status", "reason"), "engine");
		status_write(world.model, true);
		ck_assert(model_is_dirty(world.model));
		calls.refused = 0;
		world_turn(&world);
		ck_assert_int_eq(world_integer(&world, WORLD_MS_VTEP,
					       "Global", "cur_cfg"), 3);
		ck_assert_str_eq(world_status(&world, WORLD_HNV, "Host", NULL,
					      "status", "state"), "up");
		ck_assert_str_eq(world_status(&world, WORLD_HNV, "Port",
					      "vm1", "status", "state"),
				 "bound");
		ck_assert_msg(strstr(explain("02:00:00:00:00:12",
					     "10.1.1.12"), "192.168.2.20"),
			      "call %u: %s", n, last_line);
	}
	ck_assert_uint_gt(n, 15);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("apply");
	TCase *tcase = tcase_create("apply");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, packets_obey);
	tcase_add_test(tcase, nothing_changed_is_nothing_sent);
	tcase_add_test(tcase, change_costs_what_it_changes);
	tcase_add_test(tcase, same_again_is_nothing);
	tcase_add_test(tcase, move_is_one_edit);
	tcase_add_test(tcase, flows_hear_once);
	tcase_add_test(tcase, make_before_break);
	tcase_add_test(tcase, gone_is_removed);
	tcase_add_test(tcase, subnet_joins);
	tcase_add_test(tcase, port_comes_and_goes);
	tcase_add_test(tcase, ports_share_a_list);
	tcase_add_test(tcase, lists_are_made_good);
	tcase_add_test(tcase, port_without_a_rule_is_blocked);
	tcase_add_test(tcase, port_is_opened_anew);
	tcase_add_test(tcase, refusals_are_made_good);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
