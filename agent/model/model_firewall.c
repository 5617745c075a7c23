/* SPDX-License-Identifier: Apache-2.0 */

/* ms_firewall: which rules a port has, and what becomes of packets that none
 * of them speaks of.
 *
 * A row is one rule for one port, so that a list for a thousand ports is a
 * thousand times as many rows.  They are gathered by vnic_id, whether this
 * host has such a port or not, put in order, and interned: ports that have the
 * same rules share one struct acl. */

#include "agent/model/state.h"

#include <stdio.h>
#include <stdlib.h>
#include "agent/base/memory.h"

/* What a network interface is called by controllers. */
struct vnic {
	struct keyed by_id;		/* In model_state.vnics. */
	char *id;
	struct list rules;
	struct list changed;		/* In model_state.changed_vnics. */
	struct acl *acls[ACL_N_TIERS];	/* NULL: no rule. */
	const struct row_fault *fault;	/* Of the first that has one. */
	uint32_t gathered;		/* Update that did it. */
};

/* A row of FW_Rules. */
struct vnic_rule {
	struct keyed by_row;		/* In model_state.firewall_rules. */
	struct list link;		/* In vnic.rules. */
	struct vnic *vnic;
	char *text;
	int64_t priority;
	bool is_enabled, allows;
	uint8_t tier;
	struct row_fault *fault;
};

static void read_row(struct model_state *, struct vnic_rule *,
		     const struct row *);
static char *make_text(const struct row *);
static char *read_rule(const struct row *, struct acl_rule *);
static void keep_first(char **problem, char *later);
static char *fit_ports(struct acl_rule *);
static struct vnic *get_vnic(struct model_state *, const char *id);
static struct vnic *find_vnic(const struct model_state *, const char *id);
static struct uuid vnic_key(const struct model_state *, const char *id);
static void touch_vnic(struct model_state *, struct vnic *);
static void leave_vnic(struct model_state *, struct vnic_rule *);
static void gather(struct model_state *, struct vnic *);
static int compare_rules(const void *, const void *);
static struct acl *make_acl(struct model_state *, struct vnic_rule *const *,
			    size_t n);
static bool is_governed(const struct model_state *);
static enum model_verdict host_default(const struct model_state *);
static void follow_port(struct model_state *, struct model_port *, bool all);
static void judge_port(struct model_state *, struct model_port *,
		       const struct vnic *);
static bool follow_list(const struct model_state *, struct model_port *);
static void tell_port(const struct vnic *, struct model_port *);

void
firewall_rule_follow(struct model_state *state, const struct touched *touched)
{
	const struct row *row = state_row(state, touched->db, touched->kind,
					  &touched->row);
	struct keyed *keyed = map_find(&state->firewall_rules, &touched->row);
	struct vnic_rule *rule;

	if (keyed) {
		rule = KEYED_ENTRY(keyed, struct vnic_rule, by_row);
		leave_vnic(state, rule);
	} else if (row) {
		rule = xcalloc(1, sizeof *rule);
		rule->by_row.key = touched->row;
		map_add(&state->firewall_rules, &rule->by_row);
	} else {
		return;
	}
	if (row) {
		read_row(state, rule, row);
		return;
	}
	map_remove(&state->firewall_rules, keyed);
	free(rule);
}

void
firewall_follow(struct model_state *state, bool all)
{
	struct list *switches = &state->model->switches;
	enum model_verdict verdict = host_default(state);

	all |= state->is_governed != is_governed(state)
	       || state->firewall_default != verdict;
	state->is_governed = is_governed(state);
	state->firewall_default = verdict;
	if (list_is_empty(&state->changed_vnics) && !all && !state->must_judge)
		return;
	while (!list_is_empty(&state->changed_vnics))
		gather(state, LIST_ENTRY(state->changed_vnics.next,
					 struct vnic, changed));
	for (struct list *s = switches->next; s != switches; s = s->next) {
		struct list *ports =
			&LIST_ENTRY(s, struct model_switch, link)->ports;

		for (struct list *p = ports->next; p != ports; p = p->next)
			follow_port(state,
				    LIST_ENTRY(p, struct model_port, link),
				    all);
	}
	state->must_judge = false;
	state->must_tell = true;
}

bool
firewall_is_reason(enum model_reason reason)
{
	return reason == MODEL_BAD_RULE || reason == MODEL_PORT_BLOCKED
	       || reason == MODEL_BAD_OPTION;
}

const struct uuid *
firewall_find_row(const struct model_state *state,
		  const struct model_port *port, enum acl_tier tier,
		  const char *rule_id)
{
	const struct vnic *vnic = *port->iface_id
				  ? find_vnic(state, port->iface_id) : NULL;
	size_t n = strlen(rule_id);

	for (const struct list *link = vnic ? vnic->rules.next : NULL;
	     link && link != &vnic->rules; link = link->next) {
		const struct vnic_rule *rule =
			LIST_ENTRY(link, const struct vnic_rule, link);
		const char *text = strchr(rule->text, ':');

		if (rule->is_enabled && rule->tier == tier && text
		    && (size_t) atoll(rule->text) == n
		    && !strncmp(text + 1, rule_id, n))
			return &rule->by_row.key;
	}
	return NULL;
}

void
firewall_done(struct model_state *state)
{
	struct keyed *keyed;
	size_t bucket = 0;

	while ((keyed = map_pop(&state->firewall_rules, &bucket))) {
		struct vnic_rule *rule =
			KEYED_ENTRY(keyed, struct vnic_rule, by_row);

		leave_vnic(state, rule);
		free(rule);
	}
	map_done(&state->firewall_rules);
	while (!list_is_empty(&state->changed_vnics))
		gather(state, LIST_ENTRY(state->changed_vnics.next,
					 struct vnic, changed));
	map_done(&state->vnics);
	map_done(&state->acls.acls);
}

static void
read_row(struct model_state *state, struct vnic_rule *rule,
	 const struct row *row)
{
	char *id = iface_id_from_text(row_string(row, "vnic_id", ""));
	struct acl_rule parsed;
	char *problem = read_rule(row, &parsed);

	rule->vnic = get_vnic(state, id);
	rule->text = make_text(row);
	rule->priority = row_integer(row, "priority", 0);
	rule->is_enabled =
		!strcmp(row_string(row, "rule_state", ""), "Enabled");
	rule->allows = !strcmp(row_string(row, "action", ""), "Allow");
	rule->tier = strcmp(row_string(row, "rule_type", ""),
			    "RuleWithAdminPriority")
			     ? ACL_CONTROLLER : ACL_ADMIN;
	list_append(&rule->vnic->rules, &rule->link);
	touch_vnic(state, rule->vnic);
	if (problem)
		rule->fault = row_fault_new(
			state, MODEL_BAD_RULE, "FW_Rules", row_uuid(row),
			"rule %s of vnic %s: %s",
			row_string(row, "rule_id", ""), id, problem);
	free(problem);
	free(id);
	acl_rule_done(&parsed);
}

/* Each column with its size, so that no two rows can be taken for one. */
static char *
make_text(const struct row *row)
{
	static const char *const columns[] = {
		"rule_id", "direction", "action", "logging_state",
		"protocols", "src_ip_addresses", "dst_ip_addresses",
		"src_ports", "dst_ports"
	};
	enum { N = sizeof columns / sizeof *columns, NUMBER_SIZE = 24 };
	const char *values[N];
	size_t sizes[N], size = NUMBER_SIZE, n = 0;
	char *text;

	for (size_t i = 0; i < N; i++) {
		values[i] = row_string(row, columns[i], "");
		sizes[i] = strlen(values[i]);
		size += sizes[i] + NUMBER_SIZE;
	}
	text = xmalloc(size);
	for (size_t i = 0; i < N; i++) {
		n += (size_t) snprintf(text + n, NUMBER_SIZE, "%zu:",
				       sizes[i]);
		memcpy(text + n, values[i], sizes[i]);
		n += sizes[i];
		text[n++] = ' ';
	}
	snprintf(text + n, NUMBER_SIZE, "%lld\n",
		 (long long) row_integer(row, "priority", 0));
	return text;
}

/* The first problem, or NULL; what does not read is any. */
static char *
read_rule(const struct row *row, struct acl_rule *rule)
{
	int64_t priority = row_integer(row, "priority", 0);
	char *problem = NULL;

	memset(rule, 0, sizeof *rule);
	rule->name = xstrdup(row_string(row, "rule_id", ""));
	rule->direction = strcmp(row_string(row, "direction", ""), "Inbound")
				  ? VSW_OUT : VSW_IN;
	rule->allows = !strcmp(row_string(row, "action", ""), "Allow");
	rule->is_logged =
		!strcmp(row_string(row, "logging_state", ""), "Enabled");
	rule->is_stateful = true;
	if (priority < 0 || priority > UINT32_MAX)
		problem = xasprintf("priority %lld", (long long) priority);
	else
		rule->priority = (uint32_t) priority;
	keep_first(&problem, acl_read_protos(row_string(row, "protocols", ""),
					     &rule->protos));
	keep_first(&problem,
		   acl_read_addresses(row_string(row, "src_ip_addresses", ""),
				      &rule->src));
	keep_first(&problem,
		   acl_read_addresses(row_string(row, "dst_ip_addresses", ""),
				      &rule->dst));
	keep_first(&problem, acl_read_ports(row_string(row, "src_ports", ""),
					    &rule->src_ports));
	keep_first(&problem, acl_read_ports(row_string(row, "dst_ports", ""),
					    &rule->dst_ports));
	keep_first(&problem, fit_ports(rule));
	rule->is_bad = problem;
	return problem;
}

static void
keep_first(char **problem, char *later)
{
	if (*problem)
		free(later);
	else
		*problem = later;
}

/* TCP and UDP alone have ports: of any protocol these are meant. */
static char *
fit_ports(struct acl_rule *rule)
{
	static const uint8_t with_ports[] = { 6, 17 };

	if (!rule->src_ports.n && !rule->dst_ports.n)
		return NULL;
	for (size_t i = 0; i < rule->protos.n; i++) {
		unsigned proto = rule->protos.of[i].first;

		if (proto == with_ports[0] || proto == with_ports[1])
			continue;
		rule->src_ports.n = rule->dst_ports.n = 0;
		return xasprintf("ports of protocol %u, which has none",
				 proto);
	}
	if (rule->protos.n)
		return NULL;
	rule->protos.of = xcalloc(2, sizeof *rule->protos.of);
	for (; rule->protos.n < 2; rule->protos.n++)
		rule->protos.of[rule->protos.n].first =
			rule->protos.of[rule->protos.n].last =
				with_ports[rule->protos.n];
	return NULL;
}

static struct vnic *
get_vnic(struct model_state *state, const char *id)
{
	struct vnic *vnic = find_vnic(state, id);

	if (vnic)
		return vnic;
	vnic = xcalloc(1, sizeof *vnic);
	vnic->by_id.key = vnic_key(state, id);
	vnic->id = xstrdup(id);
	list_init(&vnic->rules);
	list_init(&vnic->changed);
	map_add(&state->vnics, &vnic->by_id);
	return vnic;
}

static struct vnic *
find_vnic(const struct model_state *state, const char *id)
{
	struct uuid key = vnic_key(state, id);

	for (struct keyed *keyed = map_find(&state->vnics, &key); keyed;
	     keyed = map_find_next(keyed)) {
		struct vnic *vnic = KEYED_ENTRY(keyed, struct vnic, by_id);

		if (!strcmp(vnic->id, id))
			return vnic;
	}
	return NULL;
}

static struct uuid
vnic_key(const struct model_state *state, const char *id)
{
	uint64_t hash = map_hash(id, strlen(id), state->seed);
	struct uuid key;

	memset(&key, 0, sizeof key);
	memcpy(&key, &hash, sizeof hash);
	return key;
}

static void
touch_vnic(struct model_state *state, struct vnic *vnic)
{
	if (list_is_empty(&vnic->changed))
		list_append(&state->changed_vnics, &vnic->changed);
}

static void
leave_vnic(struct model_state *state, struct vnic_rule *rule)
{
	touch_vnic(state, rule->vnic);
	list_remove(&rule->link);
	free(rule->text);
	rule->text = NULL;
	row_fault_free(state, rule->fault);
	rule->fault = NULL;
}

/* The rules of a port anew; without any it is forgotten. */
static void
gather(struct model_state *state, struct vnic *vnic)
{
	struct vnic_rule **rules[ACL_N_TIERS] = { NULL };
	size_t n[ACL_N_TIERS] = { 0 };

	list_remove(&vnic->changed);
	list_init(&vnic->changed);
	vnic->gathered = state->n_updates;
	vnic->fault = NULL;
	for (struct list *link = vnic->rules.next; link != &vnic->rules;
	     link = link->next) {
		struct vnic_rule *rule =
			LIST_ENTRY(link, struct vnic_rule, link);
		size_t *m = &n[rule->tier];

		if (!rule->is_enabled)
			continue;
		if (!vnic->fault)
			vnic->fault = rule->fault;
		if (!(*m & (*m + 1)))
			rules[rule->tier] =
				xrealloc(rules[rule->tier],
					 (2 * *m + 1) * sizeof **rules);
		rules[rule->tier][(*m)++] = rule;
	}
	for (int tier = 0; tier < ACL_N_TIERS; tier++) {
		acl_unref(vnic->acls[tier]);
		vnic->acls[tier] = make_acl(state, rules[tier], n[tier]);
		free(rules[tier]);
	}
	if (!list_is_empty(&vnic->rules))
		return;
	map_remove(&state->vnics, &vnic->by_id);
	free(vnic->id);
	free(vnic);
}

/* Of two rules of one priority that which blocks comes first. */
static int
compare_rules(const void *pa, const void *pb)
{
	const struct vnic_rule *a = *(struct vnic_rule *const *) pa;
	const struct vnic_rule *b = *(struct vnic_rule *const *) pb;

	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	if (a->allows != b->allows)
		return a->allows - b->allows;
	return strcmp(a->text, b->text);
}

/* What is interned already is not read again. */
static struct acl *
make_acl(struct model_state *state, struct vnic_rule *const *of, size_t n)
{
	struct vnic_rule **sorted;
	struct acl_rule *rules;
	struct acl *acl;
	size_t size = 0, n_rules = 0;
	char *text, *end;

	if (!n)
		return NULL;
	sorted = xmemdup(of, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, compare_rules);
	for (size_t i = 0; i < n; i++)
		size += strlen(sorted[i]->text);
	text = end = xmalloc(size + 1);
	for (size_t i = 0; i < n; i++)
		end = stpcpy(end, sorted[i]->text);
	acl = acl_find(&state->acls, text);
	if (!acl) {
		rules = xcalloc(n, sizeof *rules);
		for (size_t i = 0; i < n; i++) {
			struct acl_rule *rule = &rules[n_rules];

			free(read_rule(state_row(state, DB_MS_FIREWALL,
						 ROW_FIREWALL_RULE,
						 &sorted[i]->by_row.key),
				       rule));
			if (rule->is_bad && rule->allows)
				acl_rule_done(rule);
			else
				n_rules++;
		}
		acl = acl_intern(&state->acls, text, rules, n_rules);
	}
	free(text);
	free(sorted);
	return acl;
}

/* Has the host a firewall controller?  One that has written nothing at all,
 * not even its FW_Global, is none. */
static bool
is_governed(const struct model_state *state)
{
	const struct table *global =
		state_table(state, DB_MS_FIREWALL, "FW_Global");

	return state->firewall_rules.n || (global && table_n_rows(global));
}

static enum model_verdict
host_default(const struct model_state *state)
{
	const struct table *table = state_table(state, DB_HNV, "Host");
	const struct row *row = table ? table_first(table) : NULL;

	return row ? verdict_from_text(row_string(row, "firewall_default", ""))
		   : VERDICT_UNSAID;
}

static void
follow_port(struct model_state *state, struct model_port *port, bool all)
{
	const struct vnic *vnic =
		*port->iface_id && !port->is_removed
			? find_vnic(state, port->iface_id) : NULL;

	if (!all && !port->must_judge && port->has_vnic == (vnic != NULL)
	    && (!vnic || vnic->gathered != state->n_updates))
		return;
	port->must_judge = false;
	port->has_vnic = vnic;
	judge_port(state, port, vnic);
}

static void
judge_port(struct model_state *state, struct model_port *port,
	   const struct vnic *vnic)
{
	enum model_verdict verdict = port->firewall_default;
	bool is_other = false, has_rules = false;

	if (!verdict)
		verdict = state->firewall_default;
	if (!verdict)
		verdict = state->is_governed && port->subnet
			  && !strcmp(port->subnet->database, "ms_vtep")
				  ? VERDICT_BLOCK : VERDICT_ALLOW;
	for (int tier = 0; tier < ACL_N_TIERS; tier++) {
		struct acl *acl = vnic ? vnic->acls[tier] : NULL;

		has_rules |= acl != NULL;
		is_other |= acl != port->acls[tier];
		acl_ref(acl);
		acl_unref(port->acls[tier]);
		port->acls[tier] = acl;
	}
	is_other |= verdict != port->firewall_verdict
		    || port->is_blocked != (verdict == VERDICT_BLOCK
					    && !has_rules);
	port->firewall_verdict = verdict;
	port->is_blocked = verdict == VERDICT_BLOCK && !has_rules;
	is_other |= guard_follow(port);
	is_other |= follow_list(state, port);
	tell_port(vnic, port);
	if (!is_other)
		return;
	port->is_dirty = true;
	state->programs_changed = true;
}

static bool
follow_list(const struct model_state *state, struct model_port *port)
{
	struct acl *old = port->list;

	port->is_list_bad = false;
	port->list = port->has_list
			     ? acl_ref(port_list_find(state, &port->list_row,
						      &port->is_list_bad))
			     : NULL;
	acl_unref(old);
	return old != port->list;
}

static void
tell_port(const struct vnic *vnic, struct model_port *port)
{
	const struct row_fault *fault = vnic ? vnic->fault : NULL;

	if (firewall_is_reason(port->fault.reason))
		model_fault_set(&port->fault, MODEL_OK, NULL);
	if (port->fault.reason || !port->subnet)
		return;
	if (port->is_blocked)
		model_fault_set(&port->fault, MODEL_PORT_BLOCKED, NULL);
	else if (fault)
		model_fault_set(&port->fault, MODEL_BAD_RULE, "%s",
				fault->detail);
	else if (port->is_list_bad)
		model_fault_set(&port->fault, MODEL_BAD_RULE,
				"an entry of its ACL does not read");
	else if (port->allowed_problem)
		model_fault_set(&port->fault, MODEL_BAD_OPTION,
				"allowed_addresses: \"%s\"",
				port->allowed_problem);
}
