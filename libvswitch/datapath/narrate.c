/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/narrate.h"

#include <stdarg.h>
#include <stdio.h>
#include "libvswitch/datapath/describe.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/index.h"
#include "libvswitch/policy/port.h"
#include "libvswitch/policy/program.h"

enum { LINE_SIZE = 512 };

static void say(const struct narrator *, enum vsw_step_kind,
		const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void say_args(const struct narrator *, enum vsw_step_kind,
		     const char *format, va_list)
	__attribute__((format(printf, 3, 0)));

void
narrate_packet(const struct narrator *n, const struct flow_key *key)
{
	char text[DESCRIBE_KEY_SIZE];

	if (!n)
		return;
	describe_key(key, text);
	say(n, VSW_STEP_PACKET, "%s", text);
}

void
narrate_port(const struct narrator *n, struct vsw_port *port,
	     enum vsw_direction direction, bool has_program)
{
	if (!n)
		return;
	*n->step = (struct vsw_step) {
		.port = port, .direction = (uint8_t) direction
	};
	if (has_program)
		say(n, VSW_STEP_PORT, "%s port \"%s\"",
		    direction == VSW_OUT ? "out of" : "in to", port->name);
	else
		say(n, VSW_STEP_PORT, "port \"%s\" has no program",
		    port->name);
}

/* What belongs to the layer before has been said. */
void
narrate_group(const struct narrator *n, const struct vsw_group *group,
	      const struct flow_key *key)
{
	struct index_cost cost = { .n_rules = 0 };
	struct vsw_step *step;

	if (!n)
		return;
	step = n->step;
	if (step->layer)
		*step = (struct vsw_step) {
			.port = step->port, .direction = step->direction
		};
	index_weigh(group->index, group->rules, key, &cost);
	step->n_groups++;
	step->n_dimensions += cost.n_dimensions;
	step->n_rules += cost.n_rules;
}

void
narrate_layer(const struct narrator *n, const struct vsw_layer *layer,
	      const struct rule *rule, const char *more)
{
	char matched[DESCRIBE_MATCHES_SIZE] = "";
	const char *name;
	struct vsw_step *step;

	if (!n)
		return;
	step = n->step;
	/* None of its groups was asked. */
	if (step->layer)
		*step = (struct vsw_step) {
			.port = step->port, .direction = step->direction
		};
	step->layer = layer->name;
	if (!rule) {
		say(n, VSW_STEP_LAYER, "layer \"%s\": %s", layer->name, more);
		return;
	}
	describe_matches(rule, matched);
	name = rule_name(rule);
	step->group = rule->group->name;
	step->rule = name;
	step->rule_number = rule->number;
	step->priority = rule->priority;
	step->matched = matched;
	say(n, VSW_STEP_LAYER, "layer \"%s\": group \"%s\", rule %u%s%s%s, "
	    "priority %u%s", layer->name, rule->group->name, rule->number,
	    name ? " \"" : "", name ? name : "", name ? "\"" : "",
	    rule->priority, more);
	step->matched = NULL;
}

void
narrate_mac(const struct narrator *n, const char *mapping,
	    const uint8_t mac[6])
{
	if (!n)
		return;
	snprintf(n->address, DESCRIBE_ADDR_SIZE,
		 "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	n->step->mapping = mapping;
	n->step->address = n->address;
}

void
narrate_addr(const struct narrator *n, const char *mapping,
	     const uint8_t *addr, unsigned size)
{
	if (!n)
		return;
	describe_addr(addr, size, n->address);
	n->step->mapping = mapping;
	n->step->address = n->address;
}

void
narrate(const struct narrator *n, const char *format, ...)
{
	va_list args;

	if (!n)
		return;
	va_start(args, format);
	say_args(n, VSW_STEP_ACTION, format, args);
	va_end(args);
}

void
narrate_target(const struct narrator *n, struct vsw_port *port,
	       const char *format, ...)
{
	va_list args;

	if (!n)
		return;
	*n->step = (struct vsw_step) { .port = port };
	va_start(args, format);
	say_args(n, VSW_STEP_TARGET, format, args);
	va_end(args);
}

void
narrate_sent(const struct narrator *n, struct vsw_port *port,
	     const char *format, ...)
{
	va_list args;

	if (!n)
		return;
	*n->step = (struct vsw_step) { .port = port };
	va_start(args, format);
	say_args(n, VSW_STEP_SENT, format, args);
	va_end(args);
}

void
narrate_drop(const struct narrator *n, enum vsw_drop drop)
{
	if (!n)
		return;
	*n->step = (struct vsw_step) { .drop = drop };
	say(n, VSW_STEP_DROPPED, "dropped: %s: %s", vsw_drop_name(drop),
	    vsw_drop_text(drop));
}

static void
say(const struct narrator *n, enum vsw_step_kind kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_args(n, kind, format, args);
	va_end(args);
}

static void
say_args(const struct narrator *n, enum vsw_step_kind kind,
	 const char *format, va_list args)
{
	struct vsw_step *step = n->step;
	char text[LINE_SIZE];

	vsnprintf(text, sizeof text, format, args);
	step->size = sizeof *step;
	step->kind = (uint8_t) kind;
	if (kind != VSW_STEP_DROPPED)
		step->drop = -1;
	step->text = text;
	n->say(n->ctx, step);
	step->text = NULL;
	step->mapping = step->address = NULL;
	/* What it cost was said with the layer. */
	if (kind == VSW_STEP_LAYER)
		step->n_groups = step->n_dimensions = step->n_rules = 0;
}
