/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/apply_lists.h"

#include <errno.h>
#include <stdlib.h>
#include "agent/base/memory.h"

/* Ports whose programs become others together, and by which groups.  In a
 * round each list becomes one other. */
struct round {
	struct model_switch *sw;
	struct list *acls;
	struct model_port **of;
	struct vsw_port **ports;
	size_t n, size;
	struct applied_acl **lists;
	struct vsw_group **from, **to;
	size_t n_lists, lists_size;
	bool is_last;			/* No port is left for another. */
};

static int follow(struct round *, const struct model_port **ret_port,
		  char **ret_problem);
static bool is_concerned(const struct model_port *);
static int take(struct round *, struct model_port *, char **ret_problem);
static int take_list(struct round *, struct acl *old, struct acl *new,
		     char **ret_problem);
static void add_list(struct round *, struct applied_acl *, struct acl *,
		     const struct built_group *const to[2]);
static void add(struct round *, struct model_port *);
static void settle(struct round *);
static void give_up(struct round *);
static void done(struct round *);
static struct acl *wanted(const struct model_port *, size_t i);

int
apply_lists_follow(struct model_switch *sw, struct list *acls,
		   const struct model_port **ret_port, char **ret_problem)
{
	struct round round = { .sw = sw, .acls = acls };
	int err = 0;

	while (!err && !round.is_last) {
		round.n = round.n_lists = 0;
		round.is_last = true;
		err = follow(&round, ret_port, ret_problem);
	}
	free(round.of);
	free(round.ports);
	free(round.lists);
	free(round.from);
	free(round.to);
	return err;
}

void
apply_lists_done(struct model_port *port, bool has_program)
{
	for (size_t i = 0; i < PORT_N_LISTS; i++) {
		struct acl *old = port->in_force[i];
		struct acl *new = has_program ? wanted(port, i) : NULL;

		if (old == new)
			continue;
		port->in_force[i] = acl_ref(new);
		acl_unref(old);
	}
	port->lists_changed = false;
}

static int
follow(struct round *round, const struct model_port **ret_port,
       char **ret_problem)
{
	struct list *ports = &round->sw->ports;
	int err = 0;

	for (struct list *link = ports->next; link != ports && !err;
	     link = link->next) {
		struct model_port *port =
			LIST_ENTRY(link, struct model_port, link);

		if (!is_concerned(port))
			continue;
		*ret_port = port;
		err = take(round, port, ret_problem);
	}
	if (!err)
		err = vsw_port_exchange_groups(round->ports, round->n,
					       round->from, round->to,
					       2 * round->n_lists);
	if (!err) {
		settle(round);
	} else if (err == -ENOENT || err == -EINVAL) {
		give_up(round);
		err = 0;
	}
	done(round);
	return err;
}

static bool
is_concerned(const struct model_port *port)
{
	return port->lists_changed && !port->is_dirty && port->applied
	       && port->program && port->subnet;
}

/* 0 also if it does not come into this round. */
static int
take(struct round *round, struct model_port *port, char **ret_problem)
{
	int err = 0;

	for (size_t i = 0; i < PORT_N_LISTS && !err; i++) {
		struct acl *old = port->in_force[i], *new = wanted(port, i);

		if (old == new)
			continue;
		err = !old || !new ? -EINVAL
				   : take_list(round, old, new, ret_problem);
	}
	if (!err) {
		add(round, port);
	} else if (err == -EAGAIN) {
		round->is_last = false;
		err = 0;
	} else if (err == -ENOENT || err == -EINVAL) {
		port->is_dirty = true;
		free(*ret_problem);
		*ret_problem = NULL;
		err = 0;
	}
	return err;
}

/* -EAGAIN: of other ports it becomes another list. */
static int
take_list(struct round *round, struct acl *old, struct acl *new,
	  char **ret_problem)
{
	struct applied_acl *is = apply_acl_find(old, round->sw);
	const struct built_group *to[2];
	int err = 0;

	if (!is || !is->groups[VSW_OUT].group || !is->groups[VSW_IN].group)
		return -ENOENT;
	if (is->becomes)
		return is->becomes == new ? 0 : -EAGAIN;
	for (int d = VSW_OUT; d <= VSW_IN; d++) {
		to[d] = apply_acl_get(round->acls, round->sw, new, d, &err,
				      ret_problem);
		if (!to[d])
			return err;
	}
	add_list(round, is, new, to);
	return 0;
}

static void
add_list(struct round *round, struct applied_acl *is, struct acl *new,
	 const struct built_group *const to[2])
{
	if (round->n_lists == round->lists_size) {
		size_t size = round->lists_size ? 2 * round->lists_size : 16;

		round->lists = xrealloc(round->lists,
					size * sizeof *round->lists);
		round->from = xrealloc(round->from,
				       2 * size * sizeof *round->from);
		round->to = xrealloc(round->to, 2 * size * sizeof *round->to);
		round->lists_size = size;
	}
	for (int d = VSW_OUT; d <= VSW_IN; d++) {
		round->from[2 * round->n_lists + d] = is->groups[d].group;
		round->to[2 * round->n_lists + d] = to[d]->group;
	}
	round->lists[round->n_lists++] = is;
	is->becomes = new;
}

static void
add(struct round *round, struct model_port *port)
{
	if (round->n == round->size) {
		size_t size = round->size ? 2 * round->size : 64;

		round->of = xrealloc(round->of, size * sizeof *round->of);
		round->ports = xrealloc(round->ports,
					size * sizeof *round->ports);
		round->size = size;
	}
	round->of[round->n] = port;
	round->ports[round->n++] = port->applied;
}

static void
settle(struct round *round)
{
	for (size_t i = 0; i < round->n; i++) {
		struct model_port *port = round->of[i];

		port->program = vsw_port_get_program(port->applied);
		apply_lists_done(port, true);
		if (port->fault.reason == MODEL_ENGINE)
			model_fault_set(&port->fault, MODEL_OK, NULL);
	}
}

/* Programs are not what their ports say they are: they are made anew. */
static void
give_up(struct round *round)
{
	for (size_t i = 0; i < round->n; i++)
		round->of[i]->is_dirty = true;
}

static void
done(struct round *round)
{
	for (size_t i = 0; i < round->n_lists; i++)
		round->lists[i]->becomes = NULL;
}

/* In the order of in_force. */
static struct acl *
wanted(const struct model_port *port, size_t i)
{
	if (port->is_blocked)
		return NULL;
	return i < ACL_N_TIERS ? port->acls[i] : port->list;
}
