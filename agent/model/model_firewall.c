/* SPDX-License-Identifier: Apache-2.0 */

/* ms_firewall: which rules a port has, and what becomes of packets that none
 * of them speaks of.
 *
 * A row is one rule for one port, so that a list for a thousand ports is a
 * thousand times as many rows.  They are gathered by vnic_id, whether this
 * host has such a port or not, put in order, and interned: ports that have the
 * same rules share one struct acl. */

#include "agent/model/state.h"

#include <assert.h>
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
	/* Since then. */
	size_t n_changes;
	struct vnic_rule *rewritten;	/* If the first was of a rule that
					 * counts, and still does: */
	char *old_text;
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

enum rule_column {
	RULE_ID, RULE_DIRECTION, RULE_ACTION, RULE_LOGGING, RULE_PROTOCOLS,
	RULE_SRC, RULE_DST, RULE_SRC_PORTS, RULE_DST_PORTS,
	N_TEXTS,			/* That make the rule's text. */
	RULE_VNIC = N_TEXTS, RULE_STATE, RULE_TYPE, RULE_PRIORITY,
	N_RULE_COLUMNS
};

/* A controller that changes one rule of a list says the same of a thousand
 * ports: what the last one led to, the next one is likely to. */
struct firewall_memo {
	const struct column *columns[N_RULE_COLUMNS];
	char *text, *problem;		/* Of the row that was read last. */
	/* A list in which 'from_text' became 'to_text'. */
	struct acl *from, *to;
	char *from_text, *to_text;
};

static struct firewall_memo *get_memo(struct model_state *,
				      const struct row *);
static void forget_change(struct firewall_memo *);
static void note_change(struct vnic *, struct vnic_rule *, char *old_text);
static void read_row(struct model_state *, struct vnic_rule *,
		     const struct row *);
static bool is_id(const char *text, const char *id);
static char *find_problem(struct firewall_memo *, const struct row *,
			  const char *text);
static char *make_text(const struct firewall_memo *, const struct row *);
static char *put_number(char *, uint64_t);
static const char *get_text(const struct firewall_memo *, const struct row *,
			    enum rule_column);
static int64_t get_priority(const struct firewall_memo *, const struct row *);
static char *read_rule(const struct row *, struct acl_rule *);
static void keep_first(char **problem, char *later);
static char *fit_ports(struct acl_rule *);
static struct vnic *get_vnic(struct model_state *, const char *id);
static struct vnic *find_vnic(const struct model_state *, const char *id);
static struct uuid vnic_key(const struct model_state *, const char *id);
static void touch_vnic(struct model_state *, struct vnic *);
static void leave_vnic(struct model_state *, struct vnic_rule *);
static void gather(struct model_state *, struct vnic *);
static bool gather_alike(const struct firewall_memo *, struct vnic *);
static void gather_rules(struct model_state *, struct vnic *);
static int compare_rules(const void *, const void *);
static struct acl *make_acl(struct model_state *, struct vnic_rule *const *,
			    size_t n);
static bool is_governed(const struct model_state *);
static enum model_verdict host_default(const struct model_state *);
static void follow_port(struct model_state *, struct model_port *, bool all);
static void judge_port(struct model_state *, struct model_port *,
		       const struct vnic *, bool guards);
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
		if (!row)
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
	forget_change(state->firewall_memo);
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
	forget_change(state->firewall_memo);
	if (state->firewall_memo) {
		free(state->firewall_memo->text);
		free(state->firewall_memo->problem);
		free(state->firewall_memo);
	}
	map_done(&state->vnics);
	map_done(&state->acls.acls);
}

static struct firewall_memo *
get_memo(struct model_state *state, const struct row *row)
{
	static const char *const names[] = {
		"rule_id", "direction", "action", "logging_state",
		"protocols", "src_ip_addresses", "dst_ip_addresses",
		"src_ports", "dst_ports", "vnic_id", "rule_state",
		"rule_type", "priority"
	};
	struct firewall_memo *memo = state->firewall_memo;

	static_assert(sizeof names / sizeof *names == N_RULE_COLUMNS,
		      "each column has a name");
	if (memo)
		return memo;
	memo = state->firewall_memo = xcalloc(1, sizeof *memo);
	for (int i = 0; i < N_RULE_COLUMNS; i++)
		memo->columns[i] = table_schema_column(
			table_schema(row_table(row)), names[i]);
	return memo;
}

static void
forget_change(struct firewall_memo *memo)
{
	if (!memo)
		return;
	acl_unref(memo->from);
	acl_unref(memo->to);
	free(memo->from_text);
	free(memo->to_text);
	memo->from = memo->to = NULL;
	memo->from_text = memo->to_text = NULL;
}

/* 'rule' NULL: anything but what a vnic remembers.  Takes 'old_text' over. */
static void
note_change(struct vnic *vnic, struct vnic_rule *rule, char *old_text)
{
	if (!vnic->n_changes++ && rule) {
		vnic->rewritten = rule;
		vnic->old_text = old_text;
		return;
	}
	free(vnic->old_text);
	free(old_text);
	vnic->old_text = NULL;
	vnic->rewritten = NULL;
}

/* A rule that has been read before stays where it stands. */
static void
read_row(struct model_state *state, struct vnic_rule *rule,
	 const struct row *row)
{
	struct firewall_memo *memo = get_memo(state, row);
	const char *id_text = get_text(memo, row, RULE_VNIC);
	bool was_enabled = rule->is_enabled;
	uint8_t old_tier = rule->tier;
	char *text, *problem, *old_text = NULL;

	if (rule->vnic && !is_id(id_text, rule->vnic->id)) {
		leave_vnic(state, rule);
		rule->vnic = NULL;
	}
	row_fault_free(state, rule->fault);
	rule->fault = NULL;
	if (rule->vnic) {
		old_text = rule->text;
	} else {
		char *id = iface_id_from_text(id_text);

		rule->vnic = get_vnic(state, id);
		list_append(&rule->vnic->rules, &rule->link);
		free(id);
	}
	text = rule->text = make_text(memo, row);
	rule->priority = get_priority(memo, row);
	rule->is_enabled =
		!strcmp(get_text(memo, row, RULE_STATE), "Enabled");
	rule->allows = !strcmp(get_text(memo, row, RULE_ACTION), "Allow");
	rule->tier = strcmp(get_text(memo, row, RULE_TYPE),
			    "RuleWithAdminPriority")
			     ? ACL_CONTROLLER : ACL_ADMIN;
	problem = find_problem(memo, row, text);
	if (problem)
		rule->fault = row_fault_new(
			state, MODEL_BAD_RULE, "FW_Rules", row_uuid(row),
			"rule %s of vnic %s: %s",
			get_text(memo, row, RULE_ID), rule->vnic->id, problem);
	free(problem);
	touch_vnic(state, rule->vnic);
	note_change(rule->vnic,
		    old_text && was_enabled && rule->is_enabled
		    && old_tier == rule->tier ? rule : NULL, old_text);
}

/* Does the text say this, as iface_id_from_text() reads it? */
static bool
is_id(const char *text, const char *id)
{
	char *read = iface_id_from_text(text);
	bool is_same = !strcmp(read, id);

	free(read);
	return is_same;
}

/* What is wrong with a rule its text says: of two that say the same, the same
 * is. */
static char *
find_problem(struct firewall_memo *memo, const struct row *row,
	     const char *text)
{
	struct acl_rule parsed;

	if (!memo->text || strcmp(memo->text, text)) {
		free(memo->text);
		free(memo->problem);
		memo->text = xstrdup(text);
		memo->problem = read_rule(row, &parsed);
		acl_rule_done(&parsed);
	}
	return memo->problem ? xstrdup(memo->problem) : NULL;
}

/* Each column with its size, so that no two rows can be taken for one. */
static char *
make_text(const struct firewall_memo *memo, const struct row *row)
{
	enum { NUMBER_SIZE = 24 };
	const char *values[N_TEXTS];
	size_t sizes[N_TEXTS], size = NUMBER_SIZE;
	char *text, *end;

	for (int i = 0; i < N_TEXTS; i++) {
		values[i] = get_text(memo, row, i);
		sizes[i] = strlen(values[i]);
		size += sizes[i] + NUMBER_SIZE;
	}
	text = end = xmalloc(size);
	for (int i = 0; i < N_TEXTS; i++) {
		end = put_number(end, sizes[i]);
		*end++ = ':';
		memcpy(end, values[i], sizes[i]);
		end += sizes[i];
		*end++ = ' ';
	}
	snprintf(end, NUMBER_SIZE, "%lld\n",
		 (long long) get_priority(memo, row));
	return text;
}

static char *
put_number(char *end, uint64_t number)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char) ('0' + number % 10);
		number /= 10;
	} while (number);
	while (n)
		*end++ = digits[--n];
	return end;
}

static const char *
get_text(const struct firewall_memo *memo, const struct row *row,
	 enum rule_column column)
{
	struct datum room;

	return memo->columns[column]
	       ? datum_string(row_datum(row, memo->columns[column], &room), "")
	       : "";
}

static int64_t
get_priority(const struct firewall_memo *memo, const struct row *row)
{
	struct datum room;

	return memo->columns[RULE_PRIORITY]
	       ? datum_integer(row_datum(row, memo->columns[RULE_PRIORITY],
					 &room), 0)
	       : 0;
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
	note_change(rule->vnic, NULL, NULL);
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
	list_remove(&vnic->changed);
	list_init(&vnic->changed);
	vnic->gathered = state->n_updates;
	if (!gather_alike(state->firewall_memo, vnic))
		gather_rules(state, vnic);
	free(vnic->old_text);
	vnic->old_text = NULL;
	vnic->rewritten = NULL;
	vnic->n_changes = 0;
	if (!list_is_empty(&vnic->rules))
		return;
	map_remove(&state->vnics, &vnic->by_id);
	free(vnic->id);
	free(vnic);
}

/* If it had the list that the memo speaks of, and the same became of it. */
static bool
gather_alike(const struct firewall_memo *memo, struct vnic *vnic)
{
	const struct vnic_rule *rule = vnic->rewritten;

	if (!rule || vnic->fault || rule->fault || !memo->to
	    || vnic->acls[rule->tier] != memo->from
	    || strcmp(vnic->old_text, memo->from_text)
	    || strcmp(rule->text, memo->to_text))
		return false;
	acl_unref(vnic->acls[rule->tier]);
	vnic->acls[rule->tier] = acl_ref(memo->to);
	return true;
}

static void
gather_rules(struct model_state *state, struct vnic *vnic)
{
	struct firewall_memo *memo = state->firewall_memo;
	const struct vnic_rule *rewritten = vnic->rewritten;
	struct vnic_rule **rules[ACL_N_TIERS] = { NULL };
	size_t n[ACL_N_TIERS] = { 0 };

	vnic->fault = NULL;
	if (rewritten) {
		forget_change(memo);
		memo->from = acl_ref(vnic->acls[rewritten->tier]);
		memo->from_text = xstrdup(vnic->old_text);
		memo->to_text = xstrdup(rewritten->text);
	}
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
	if (rewritten)
		memo->to = acl_ref(vnic->acls[rewritten->tier]);
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
	bool guards;

	if (!all && !port->must_judge && port->has_vnic == (vnic != NULL)
	    && (!vnic || vnic->gathered != state->n_updates))
		return;
	guards = all || port->must_judge;
	port->must_judge = false;
	port->has_vnic = vnic;
	judge_port(state, port, vnic, guards);
}

static void
judge_port(struct model_state *state, struct model_port *port,
	   const struct vnic *vnic, bool guards)
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
	/* No rule says anything to these. */
	if (guards)
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
