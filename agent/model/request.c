/* SPDX-License-Identifier: Apache-2.0 */

/* Which mappings are missed, and asked for: status_request.c tells of them. */

#include "agent/model/request.h"

#include <stdlib.h>
#include <time.h>
#include "agent/base/memory.h"
#include "agent/model/state.h"

enum { MAX_REQUESTS = 1024, MAX_OF_PORT = 16, BURST = 32, PER_SECOND = 16 };

static struct model_request *find(const struct model_state *, uint32_t vni,
				  const struct mapping_key *);
static bool may_ask(struct model_state *, struct model_port *,
		    int64_t now_ms);
static int64_t wall_ms(void);

struct model_request *
request_get(struct model *model, const struct model_subnet *subnet,
	    const struct vsw_addr *addr, const uint8_t mac[6],
	    struct model_port *port, int64_t now_ms)
{
	struct model_state *state = model->state;
	struct model_domain *domain = model_find_domain(model, subnet);
	struct mapping_key key = addr ? mapping_key_ca(addr)
				      : mapping_key_mac(mac);
	struct model_request *request;

	if (!domain || !domain->asks)
		return NULL;
	request = find(state, subnet->vni, &key);
	if (request)
		return request;
	if (!may_ask(state, port, now_ms)) {
		/* Told with the statistics, not for each. */
		domain->n_refused++;
		state->requests_changed = true;
		return NULL;
	}
	request = xcalloc(1, sizeof *request);
	request->vni = subnet->vni;
	if (addr)
		request->addr = *addr;
	memcpy(request->mac, key.mac, 6);
	request->port = port;
	request->port_name = xstrdup(port->name);
	request->since_ms = wall_ms();
	request->deadline_ms = now_ms + domain->timeout_ms;
	list_append(&state->requests, &request->link);
	state->n_requests++;
	port->n_requests++;
	domain->n_asked++;
	state->requests_changed = true;
	return request;
}

void
request_ref(struct model_request *request)
{
	request->n_refs++;
}

bool
request_is_over(const struct model *model, const struct model_request *request,
		bool *ret_answered)
{
	const struct model_subnet *subnet =
		model_find_subnet(model, request->vni, NULL);
	const struct model_domain *domain =
		subnet ? model_find_domain(model, subnet) : NULL;

	*ret_answered = subnet && (request->addr.n
				   ? model_find_ca(subnet, &request->addr)
				   : model_find_mac(subnet, request->mac));
	return *ret_answered || !domain || !domain->asks;
}

void
request_end(struct model *model, struct model_request *request,
	    enum request_end how)
{
	struct model_state *state = model->state;
	const struct model_subnet *subnet =
		model_find_subnet(model, request->vni, NULL);
	struct model_domain *domain =
		subnet ? model_find_domain(model, subnet) : NULL;

	if (--request->n_refs)
		return;
	if (domain && how == REQUEST_ANSWERED)
		domain->n_answered++;
	if (domain && how == REQUEST_TIMED_OUT)
		domain->n_timed_out++;
	if (request->port)
		request->port->n_requests--;
	list_remove(&request->link);
	state->n_requests--;
	state->requests_changed = true;
	free(request->port_name);
	free(request);
}

void
request_forget_port(struct model *model, const struct model_port *port)
{
	struct list *requests = &model->state->requests;

	for (struct list *link = requests->next; link != requests;
	     link = link->next) {
		struct model_request *request =
			LIST_ENTRY(link, struct model_request, link);

		if (request->port == port)
			request->port = NULL;
	}
}

static struct model_request *
find(const struct model_state *state, uint32_t vni,
     const struct mapping_key *key)
{
	for (struct list *link = state->requests.next;
	     link != &state->requests; link = link->next) {
		struct model_request *request =
			LIST_ENTRY(link, struct model_request, link);

		if (request->vni == vni
		    && !memcmp(&request->addr, &key->ca, sizeof key->ca)
		    && !memcmp(request->mac, key->mac, 6))
			return request;
	}
	return NULL;
}

/* A bucket of requests for each port, so that a scan is its own loss. */
static bool
may_ask(struct model_state *state, struct model_port *port, int64_t now_ms)
{
	int64_t earned = (now_ms - port->asked_ms) * PER_SECOND;

	if (earned > 0) {
		int64_t room = (int64_t) BURST * 1000;

		port->ask_tokens += earned;
		if (!port->asked_ms || port->ask_tokens > room)
			port->ask_tokens = room;
		port->asked_ms = now_ms;
	}
	if (state->n_requests >= MAX_REQUESTS
	    || port->n_requests >= MAX_OF_PORT || port->ask_tokens < 1000)
		return false;
	port->ask_tokens -= 1000;
	return true;
}

static int64_t
wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
