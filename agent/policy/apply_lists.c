/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/apply_lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"

enum { MAX_GROUPS = 2 * PORT_N_LISTS };

/* Ports, and what each is to have. */
struct round {
	struct model_port **of;
	struct vsw_port **ports;
	struct vsw_program **programs;
	size_t n, size;
};

static bool is_concerned(const struct model_port *);
static int derive(struct model_port *, struct list *acls,
		  struct vsw_program **ret_program, char **ret_problem);
static void add(struct round *, struct model_port *, struct vsw_program *);
static void settle(struct round *);
static void give_back(struct round *);
static struct acl *wanted(const struct model_port *, size_t i);

int
apply_lists_follow(struct model_switch *sw, struct list *acls,
		   const struct model_port **ret_port, char **ret_problem)
{
	struct round round = { .n = 0 };
	int err = 0;

	for (struct list *link = sw->ports.next; link != &sw->ports && !err;
	     link = link->next) {
		struct model_port *port =
			LIST_ENTRY(link, struct model_port, link);
		struct vsw_program *program;

		/* A thousand programs are not in the processor's cache. */
		if (link->next != &sw->ports)
			__builtin_prefetch(LIST_ENTRY(link->next,
						      struct model_port, link)
					   ->program);
		if (!is_concerned(port))
			continue;
		*ret_port = port;
		err = derive(port, acls, &program, ret_problem);
		if (!err) {
			add(&round, port, program);
		} else if (err == -ENOENT || err == -EINVAL) {
			port->is_dirty = true;
			free(*ret_problem);
			*ret_problem = NULL;
			err = 0;
		}
	}
	if (!err && round.n)
		err = vsw_port_set_programs(round.ports, round.programs,
					    round.n);
	if (err)
		give_back(&round);
	else
		settle(&round);
	free(round.of);
	free(round.ports);
	free(round.programs);
	return err;
}

void
apply_lists_done(struct model_port *port, bool has_program)
{
	for (size_t i = 0; i < PORT_N_LISTS; i++) {
		struct acl *old = port->in_force[i];

		port->in_force[i] = has_program ? acl_ref(wanted(port, i))
						: NULL;
		acl_unref(old);
	}
	port->lists_changed = false;
}

static bool
is_concerned(const struct model_port *port)
{
	return port->lists_changed && !port->is_dirty && port->applied
	       && port->program && port->subnet;
}

static int
derive(struct model_port *port, struct list *acls,
       struct vsw_program **ret_program, char **ret_problem)
{
	struct vsw_group *from[MAX_GROUPS], *to[MAX_GROUPS];
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; i < PORT_N_LISTS; i++) {
		struct acl *old = port->in_force[i], *new = wanted(port, i);

		if (old == new)
			continue;
		if (!old || !new)
			return -EINVAL;
		for (int d = VSW_OUT; d <= VSW_IN; d++) {
			const struct built_group *is, *shall;

			is = apply_acl_find(old, port->sw, d);
			shall = apply_acl_get(acls, port->sw, new, d, &err,
					      ret_problem);
			if (!is || !is->group)
				return -ENOENT;
			if (!shall)
				return err;
			from[n] = is->group;
			to[n++] = shall->group;
		}
	}
	return vsw_program_derive(port->program, from, to, n, ret_program);
}

static void
add(struct round *round, struct model_port *port, struct vsw_program *program)
{
	if (round->n == round->size) {
		size_t size = round->size ? 2 * round->size : 64;

		round->of = xrealloc(round->of, size * sizeof *round->of);
		round->ports = xrealloc(round->ports,
					size * sizeof *round->ports);
		round->programs = xrealloc(round->programs,
					   size * sizeof *round->programs);
		round->size = size;
	}
	round->of[round->n] = port;
	round->ports[round->n] = port->applied;
	round->programs[round->n++] = program;
}

static void
settle(struct round *round)
{
	for (size_t i = 0; i < round->n; i++) {
		struct model_port *port = round->of[i];

		vsw_program_unref(port->program);
		port->program = round->programs[i];
		apply_lists_done(port, true);
		if (port->fault.reason == MODEL_ENGINE)
			model_fault_set(&port->fault, MODEL_OK, NULL);
	}
}

static void
give_back(struct round *round)
{
	for (size_t i = 0; i < round->n; i++)
		vsw_program_unref(round->programs[i]);
}

/* In the order of in_force. */
static struct acl *
wanted(const struct model_port *port, size_t i)
{
	if (port->is_blocked)
		return NULL;
	return i < ACL_N_TIERS ? port->acls[i] : port->list;
}
