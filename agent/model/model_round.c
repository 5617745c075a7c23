/* SPDX-License-Identifier: Apache-2.0 */

/* Ports in turn: what is to be looked at again and again, and of all ports at
 * once would take long. */

#include "agent/model/state.h"

size_t
model_round(struct model *model, struct model_port *ports[], size_t max,
	    bool *ret_is_over)
{
	struct model_state *state = model->state;
	struct model_port *port = state->next_in_round;
	size_t n = 0;

	if (!port)
		port = model_next_port(model, NULL);
	for (; port && n < max; port = model_next_port(model, port))
		ports[n++] = port;
	state->next_in_round = port;
	*ret_is_over = !port;
	state->n_rounds += !port;
	return n;
}

size_t
model_round_size(const struct model *model)
{
	return model->state->n_sorted_ports;
}

void
round_forget_port(struct model_state *state, const struct model_port *port)
{
	if (state->next_in_round == port)
		state->next_in_round = model_next_port(state->model, port);
	if (state->sums.of == port)
		state->sums.of = NULL;
}
