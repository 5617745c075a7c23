/* SPDX-License-Identifier: Apache-2.0 */

/* ms_firewall: which rules a port has, and what becomes of packets that none
 * of them speaks of.
 *
 * A row is one rule for one port, so that a list for a thousand ports is a
 * thousand times as many rows.  They are gathered by vnic_id, whether this
 * host has such a port or not, put in order, and interned: ports that have the
 * same rules share one struct acl. */

#include "agent/model/state.h"

#include <stdlib.h>
#include "agent/base/memory.h"
#include "agent/model/rule.h"

/* What a network interface is called by controllers: while rows speak of it,
 * or a port here has that name. */
struct vnic {
	struct keyed by_id;		/* In model_state.vnics. */
	char *id;
	struct list rules;
	struct list ports;		/* model_port.by_vnic. */
	struct physical physical;
	struct list changed;		/* In model_state.changed_vnics. */
	struct acl *acls[ACL_N_TIERS];	/* NULL: no rule. */
	const struct row_fault *fault;	/* Of the first that has one. */
	/* Since they were gathered. */
	size_t n_changes;
	struct vnic_rule *rewritten;	/* If the first was of a rule that
					 * counts, and still does: */
	struct rule_words *old_words;
};

/* A row of FW_Rules. */
struct vnic_rule {
	struct keyed by_row;		/* In model_state.firewall_rules. */
	struct list link;		/* In vnic.rules. */
	struct vnic *vnic;
	struct string *vnic_id;		/* As the row spells it; held. */
	struct rule_words *words;
	struct row_fault *fault;
};

/* A controller that changes one rule of a list says the same of a thousand
 * ports: what the last one's list became, the next one's is likely to. */
struct firewall_memo {
	/* A list in which 'from_words' became 'to_words'. */
	struct acl *from, *to;
	struct rule_words *from_words, *to_words;
};

struct firewall {
	struct rule_table rules;
	struct firewall_memo memo;
};

static void forget_change(struct firewall_memo *);
static void note_change(struct vnic *, struct vnic_rule *,
			struct rule_words *old_words);
static void read_row(struct model_state *, struct vnic_rule *,
		     const struct row *);
static void join_vnic(struct model_state *, struct vnic_rule *,
		      struct string *id);
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
static void drop_vnic(struct model_state *, struct vnic *);
static bool is_governed(const struct model_state *);
static enum model_verdict host_default(const struct model_state *);
static void judge_port(struct model_state *, struct model_port *,
		       bool guards);
static bool follow_list(const struct model_state *, struct model_port *);
static void tell_port(struct model_port *);
static void tell_bridged(const struct row_fault *, struct model_port *);

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
		list_init(&rule->link);
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
	enum model_verdict verdict = host_default(state);

	all |= state->is_governed != is_governed(state)
	       || state->firewall_default != verdict;
	state->is_governed = is_governed(state);
	state->firewall_default = verdict;
	if (list_is_empty(&state->changed_vnics) && !all
	    && list_is_empty(&state->unjudged))
		return;
	while (!list_is_empty(&state->changed_vnics))
		gather(state, LIST_ENTRY(state->changed_vnics.next,
					 struct vnic, changed));
	forget_change(&state->firewall->memo);
	if (all)
		state_judge_all(state);
	while (!list_is_empty(&state->unjudged)) {
		struct model_port *port = LIST_ENTRY(state->unjudged.next,
						     struct model_port,
						     unjudged);

		list_remove(&port->unjudged);
		judge_port(state, port, port->must_judge);
		port->must_judge = false;
	}
	state->must_tell = true;
	state->model->must_look = true;
}

void
firewall_name_port(struct model_state *state, struct model_port *port)
{
	struct vnic *vnic = *port->iface_id && !port->is_removed
				    ? get_vnic(state, port->iface_id) : NULL;

	if (vnic == port->vnic)
		return;
	firewall_forget_port(state, port);
	port->vnic = vnic;
	if (vnic)
		list_append(&vnic->ports, &port->by_vnic);
	state_must_judge(state, port);
}

void
firewall_forget_port(struct model_state *state, struct model_port *port)
{
	struct vnic *vnic = port->vnic;

	list_remove(&port->by_vnic);
	list_remove(&port->unjudged);
	port->vnic = NULL;
	if (vnic)
		drop_vnic(state, vnic);
}

struct physical *
firewall_physical(const struct model_state *state, const char *iface_id)
{
	struct vnic *vnic = find_vnic(state, iface_id);

	return vnic ? &vnic->physical : NULL;
}

const struct physical *
firewall_physical_of(const struct model_port *port)
{
	return port->vnic ? &port->vnic->physical : NULL;
}

bool
firewall_is_reason(enum model_reason reason)
{
	return reason == MODEL_BAD_RULE || reason == MODEL_PORT_BLOCKED
	       || reason == MODEL_BAD_OPTION;
}

const struct uuid *
firewall_find_row(const struct model_port *port, enum acl_tier tier,
		  const char *rule_id)
{
	const struct vnic *vnic = port->vnic;

	for (const struct list *link = vnic ? vnic->rules.next : NULL;
	     link && link != &vnic->rules; link = link->next) {
		const struct vnic_rule *rule =
			LIST_ENTRY(link, const struct vnic_rule, link);

		if (rule->words->is_enabled && rule->words->tier == tier
		    && !strcmp(rule_words_value(rule->words, RULE_ID),
			       rule_id))
			return &rule->by_row.key;
	}
	return NULL;
}

void
firewall_init(struct model_state *state)
{
	map_init(&state->firewall_rules, state->seed);
	map_init(&state->vnics, state->seed);
	list_init(&state->changed_vnics);
	list_init(&state->unjudged);
	map_init(&state->acls.acls, state->seed);
	state->firewall = xcalloc(1, sizeof *state->firewall);
	map_init(&state->firewall->rules.words, state->seed);
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
	forget_change(&state->firewall->memo);
	map_done(&state->firewall->rules.words);
	free(state->firewall);
	map_done(&state->vnics);
	map_done(&state->acls.acls);
}

static void
forget_change(struct firewall_memo *memo)
{
	acl_unref(memo->from);
	acl_unref(memo->to);
	rule_words_unref(memo->from_words);
	rule_words_unref(memo->to_words);
	memset(memo, 0, sizeof *memo);
}

/* 'rule' NULL: anything but what a vnic remembers.  Takes 'old_words' over. */
static void
note_change(struct vnic *vnic, struct vnic_rule *rule,
	    struct rule_words *old_words)
{
	if (!vnic->n_changes++ && rule) {
		vnic->rewritten = rule;
		vnic->old_words = old_words;
		return;
	}
	rule_words_unref(vnic->old_words);
	rule_words_unref(old_words);
	vnic->old_words = NULL;
	vnic->rewritten = NULL;
}

/* A rule that has been read before stays where it stands. */
static void
read_row(struct model_state *state, struct vnic_rule *rule,
	 const struct row *row)
{
	struct rule_table *rules = &state->firewall->rules;
	struct string *id = rule_vnic_id(rules, row);
	struct rule_words *old = NULL, *words;

	if (rule->vnic && rule->vnic_id != id)
		leave_vnic(state, rule);
	if (rule->vnic)
		old = rule->words;
	else
		join_vnic(state, rule, id);
	words = rule->words = rule_words_get(rules, row);
	row_fault_free(state, rule->fault);
	rule->fault = words->problem ? row_fault_new(
		state, MODEL_BAD_RULE, "FW_Rules", row_uuid(row),
		"rule %s of vnic %s: %s", rule_words_value(words, RULE_ID),
		rule->vnic->id, words->problem) : NULL;
	touch_vnic(state, rule->vnic);
	note_change(rule->vnic,
		    old && old->is_enabled && words->is_enabled
		    && old->tier == words->tier ? rule : NULL, old);
}

static void
join_vnic(struct model_state *state, struct vnic_rule *rule,
	  struct string *said)
{
	char *id = iface_id_from_text(said ? said->text : "");

	rule->vnic = get_vnic(state, id);
	rule->vnic_id = said ? string_ref(said) : NULL;
	list_append(&rule->vnic->rules, &rule->link);
	free(id);
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
	list_init(&vnic->ports);
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
	string_unref(rule->vnic_id);
	rule_words_unref(rule->words);
	row_fault_free(state, rule->fault);
	rule->vnic = NULL;
	rule->vnic_id = NULL;
	rule->words = NULL;
	rule->fault = NULL;
}

/* The rules of a port anew; without any it is forgotten. */
static void
gather(struct model_state *state, struct vnic *vnic)
{
	list_remove(&vnic->changed);
	if (!gather_alike(&state->firewall->memo, vnic))
		gather_rules(state, vnic);
	rule_words_unref(vnic->old_words);
	vnic->old_words = NULL;
	vnic->rewritten = NULL;
	vnic->n_changes = 0;
	for (struct list *link = vnic->ports.next; link != &vnic->ports;
	     link = link->next)
		state_must_look(state, LIST_ENTRY(link, struct model_port,
						  by_vnic));
	drop_vnic(state, vnic);
}

/* If it had the list that the memo speaks of, and the same became of it. */
static bool
gather_alike(const struct firewall_memo *memo, struct vnic *vnic)
{
	const struct vnic_rule *rule = vnic->rewritten;
	struct acl **acl;

	if (!rule || vnic->fault || rule->fault || !memo->to
	    || vnic->old_words != memo->from_words
	    || rule->words != memo->to_words)
		return false;
	acl = &vnic->acls[rule->words->tier];
	if (*acl != memo->from)
		return false;
	acl_unref(*acl);
	*acl = acl_ref(memo->to);
	return true;
}

static void
gather_rules(struct model_state *state, struct vnic *vnic)
{
	struct firewall_memo *memo = &state->firewall->memo;
	const struct vnic_rule *rewritten = vnic->rewritten;
	struct vnic_rule **rules[ACL_N_TIERS] = { NULL };
	size_t n[ACL_N_TIERS] = { 0 };

	vnic->fault = NULL;
	if (rewritten) {
		forget_change(memo);
		memo->from = acl_ref(vnic->acls[rewritten->words->tier]);
		memo->from_words = rule_words_ref(vnic->old_words);
		memo->to_words = rule_words_ref(rewritten->words);
	}
	for (struct list *link = vnic->rules.next; link != &vnic->rules;
	     link = link->next) {
		struct vnic_rule *rule =
			LIST_ENTRY(link, struct vnic_rule, link);
		int tier = rule->words->tier;
		size_t *m = &n[tier];

		if (!rule->words->is_enabled)
			continue;
		if (!vnic->fault)
			vnic->fault = rule->fault;
		if (!(*m & (*m + 1)))
			rules[tier] = xrealloc(rules[tier], (2 * *m + 1)
					       * sizeof *rules[tier]);
		rules[tier][(*m)++] = rule;
	}
	for (int tier = 0; tier < ACL_N_TIERS; tier++) {
		acl_unref(vnic->acls[tier]);
		vnic->acls[tier] = make_acl(state, rules[tier], n[tier]);
		free(rules[tier]);
	}
	if (rewritten)
		memo->to = acl_ref(vnic->acls[rewritten->words->tier]);
}

/* Of two rules of one priority that which blocks comes first. */
static int
compare_rules(const void *pa, const void *pb)
{
	const struct rule_words *a = (*(struct vnic_rule *const *) pa)->words;
	const struct rule_words *b = (*(struct vnic_rule *const *) pb)->words;

	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	if (a->allows != b->allows)
		return a->allows - b->allows;
	return a == b ? 0 : strcmp(a->text, b->text);
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
		size += strlen(sorted[i]->words->text);
	text = end = xmalloc(size + 1);
	for (size_t i = 0; i < n; i++)
		end = stpcpy(end, sorted[i]->words->text);
	acl = acl_find(&state->acls, text);
	if (!acl) {
		rules = xcalloc(n, sizeof *rules);
		for (size_t i = 0; i < n; i++) {
			struct acl_rule *rule = &rules[n_rules];

			rule_words_read(sorted[i]->words, rule);
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

/* If nobody speaks of it any more. */
static void
drop_vnic(struct model_state *state, struct vnic *vnic)
{
	if (!list_is_empty(&vnic->rules) || !list_is_empty(&vnic->ports)
	    || !list_is_empty(&vnic->changed))
		return;
	map_remove(&state->vnics, &vnic->by_id);
	free(vnic->id);
	free(vnic);
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
judge_port(struct model_state *state, struct model_port *port, bool guards)
{
	const struct vnic *vnic = port->vnic;
	enum model_verdict verdict = port->firewall_default;
	bool is_other = false, has_other_lists = false, has_rules = false;

	/* The host's is of VMs: what all of a switch goes by is no VM's. */
	if (!verdict && (port->role == ROLE_VM || port->subnet))
		verdict = state->firewall_default;
	if (!verdict)
		verdict = state->is_governed && port->subnet
			  && !strcmp(port->subnet->database, "ms_vtep")
				  ? VERDICT_BLOCK : VERDICT_ALLOW;
	for (int tier = 0; tier < ACL_N_TIERS; tier++) {
		struct acl *acl = vnic ? vnic->acls[tier] : NULL;

		has_rules |= acl != NULL;
		is_other |= !acl != !port->acls[tier];
		has_other_lists |= acl != port->acls[tier];
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
	tell_port(port);
	if (!is_other && !has_other_lists)
		return;
	port->is_dirty |= is_other;
	port->lists_changed = true;
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
tell_port(struct model_port *port)
{
	const struct row_fault *fault = port->vnic ? port->vnic->fault : NULL;

	if (firewall_is_reason(port->fault.reason))
		model_fault_set(&port->fault, MODEL_OK, NULL);
	if (!port->subnet)
		tell_bridged(fault, port);
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

/* Of a port of a learning switch; what its VLANs are told of comes first. */
static void
tell_bridged(const struct row_fault *fault, struct model_port *port)
{
	if (port->vlan_fault.reason == MODEL_BAD_RULE
	    || port->vlan_fault.reason == MODEL_PORT_BLOCKED)
		model_fault_set(&port->vlan_fault, MODEL_OK, NULL);
	if (port->vlan_fault.reason)
		return;
	if (port->is_blocked)
		model_fault_set(&port->vlan_fault, MODEL_PORT_BLOCKED, NULL);
	else if (fault || port->is_list_bad)
		model_fault_set(&port->vlan_fault, MODEL_BAD_RULE, "%s",
				fault ? fault->detail
				: "an entry of its ACL does not read");
}
