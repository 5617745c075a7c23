/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/memory.h"
#include "agent/base/report.h"
#include "agent/doctor_path.h"
#include "agent/doctor_policy.h"
#include "agent/findings.h"
#include "agent/host/flow_log.h"
#include "agent/inspect/wishes.h"
#include "agent/model/state.h"
#include "agent/ovsdb/store/journal.h"
#include "agent/provider/probe.h"
#include "agent/status/status.h"
#include "agent/status/write.h"

enum {
	CERTIFICATE_DAYS = 30,
	NEAR_PERCENT = 80,
	OVERHEAD_V4 = 50, OVERHEAD_V6 = 70,	/* VXLAN's, with the inner
						 * Ethernet header. */
	USUAL_MTU = 1450,
	ETHERNET_SIZE = 14,
	VISITS_MAX = 16
};

/* An examination. */
struct visit {
	struct list link;		/* In doctor.visits. */
	const struct doctor *doctor;
	struct control_request *request;
	bool is_json;
	struct probe_round *round;	/* While others are asked. */
	struct findings findings;
};

/* Ways to others. */
struct paths {
	struct visit *visit;
	unsigned mtu;			/* That ports have. */
	size_t n, n_well;
	const struct probe_way *ways;
	size_t n_ways;
};

static void run(struct control_request *, size_t n_args,
		const char *const args[], void *doctor);
static void examine(void *visit, const struct probe_way *, size_t n,
		    size_t n_more);
static void free_visit(struct visit *);
static void tell(struct visit *, enum verdict, const char *check,
		 const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void look_at_host(struct visit *);
static void look_at_rows(struct visit *);
static void look_at_ports(struct visit *);
static void look_at_macs(struct visit *);
static int compare_claims(const void *, const void *);
static void look_at_audit(struct visit *);
static void look_at_provider(struct visit *);
static bool has_unbound(const struct model_switch *);
static void look_at_given(void *visit, const struct model_tunnel_ip *);
static void look_at_paths(struct visit *, const struct probe_way *, size_t n,
			  size_t n_more);
static void look_at_path(void *paths_, const struct doctor_path *);
static const struct probe_way *find_way(const struct paths *,
					const struct doctor_path *);
static bool look_at_way(const struct paths *, const struct probe_way *);
static unsigned largest_mtu(const struct model *);
static void look_at_drops(struct visit *);
static void look_at_limits(struct visit *);
static size_t look_at_classes(struct visit *, const struct model_port *);
static void look_at_certificate(struct visit *, const char *path);
static void look_at_files(struct visit *);
static void look_at_clock(struct visit *);
static void look_at_log(struct visit *);

void
doctor_add_commands(struct control *control, struct doctor *doctor)
{
	list_init(&doctor->visits);
	control_add_command(control, "doctor", "[--format=json]", 0, 1, run,
			    doctor);
}

void
doctor_stop(struct doctor *doctor)
{
	while (doctor->visits.next && !list_is_empty(&doctor->visits)) {
		struct visit *visit = LIST_ENTRY(doctor->visits.next,
						 struct visit, link);

		probe_cancel(visit->round);
		control_fail(visit->request, "the agent stops");
		free_visit(visit);
	}
}

/* Others first: they may take a second to answer, or not to. */
static void
run(struct control_request *request, size_t n_args, const char *const args[],
    void *doctor_)
{
	struct doctor *doctor = doctor_;
	struct visit *visit;
	struct wishes wishes;
	char *problem = wishes_read(&wishes, n_args, args);
	size_t n_visits = 0;

	for (const struct list *link = doctor->visits.next;
	     link != &doctor->visits; link = link->next)
		n_visits++;
	if (!problem && n_visits >= VISITS_MAX)
		problem = xstrdup("too many questions at once");
	if (problem) {
		control_fail(request, problem);
		free(problem);
		return;
	}
	visit = xcalloc(1, sizeof *visit);
	visit->doctor = doctor;
	visit->request = request;
	visit->is_json = wishes.is_json;
	list_append(&doctor->visits, &visit->link);
	visit->round = probe_ask(host_probe(doctor->host),
				 ETHERNET_SIZE + largest_mtu(doctor->model),
				 examine, visit);
}

static void
examine(void *visit_, const struct probe_way *ways, size_t n, size_t n_more)
{
	struct visit *visit = visit_;
	struct report report;
	char *text;

	look_at_provider(visit);
	look_at_paths(visit, ways, n, n_more);
	look_at_ports(visit);
	look_at_macs(visit);
	look_at_rows(visit);
	doctor_look_at_policy(visit->doctor, &visit->findings);
	look_at_audit(visit);
	look_at_drops(visit);
	look_at_limits(visit);
	look_at_files(visit);
	look_at_certificate(visit, visit->doctor->certificate);
	look_at_certificate(visit, visit->doctor->ca_certificate);
	look_at_log(visit);
	look_at_host(visit);
	look_at_clock(visit);
	report_start(&report, visit->is_json);
	findings_report(&visit->findings, &report);
	text = report_end(&report);
	control_reply(visit->request, text);
	free(text);
	free_visit(visit);
}

static void
free_visit(struct visit *visit)
{
	findings_done(&visit->findings);
	list_remove(&visit->link);
	free(visit);
}

static void
tell(struct visit *visit, enum verdict verdict, const char *check,
     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	findings_add(&visit->findings, verdict, check, format, args);
	va_end(args);
}

/* Does anybody mean this host? */
static void
look_at_host(struct visit *visit)
{
	struct model_state *state = visit->doctor->model->state;
	const struct table *hosts = state_table(state, DB_HNV, "Host");
	const struct row *host = table_first(hosts);
	const char *id = host ? row_string(host, "host_id", "") : "";
	const struct table *switches =
		state_table(state, DB_MS_VTEP, "Physical_Switch");
	size_t n = switches ? table_n_rows(switches) : 0;

	if (*id)
		tell(visit, WELL, "host id", "%s", id);
	else
		tell(visit, LOOK, "host id", "Host.host_id is empty: fine "
		     "unless a controller goes by it");
	if (n > 1)
		tell(visit, LOOK, "host rows", "ms_vtep has %zu rows of "
		     "Physical_Switch; this host's is that which has its "
		     "provider address in tunnel_ips", n);
	else
		tell(visit, WELL, "host rows", "%zu of Physical_Switch", n);
}

static void
look_at_rows(struct visit *visit)
{
	const struct model_state *state = visit->doctor->model->state;
	size_t n = 0;

	for (int reason = 0; reason < MODEL_N_REASONS; reason++) {
		const struct row_fault *first;
		char uuid[UUID_TEXT_SIZE];

		if (!state->n_faults[reason])
			continue;
		n += state->n_faults[reason];
		first = LIST_ENTRY(state->faults[reason].next,
				   const struct row_fault, link);
		uuid_to_text(&first->row, uuid);
		tell(visit, LOOK, "rows", "%zu for %s, as %s %s: %s",
		     state->n_faults[reason], model_reason_name(reason),
		     first->table, uuid, first->detail);
	}
	if (visit->doctor->model->settings.fault.reason)
		tell(visit, WRONG, "options", "Host: %s",
		     visit->doctor->model->settings.fault.detail);
	if (!n)
		tell(visit, WELL, "rows", "all that read are in force");
	if (state->engine_fault.reason)
		tell(visit, WRONG, "switch", "refuses policy: %s",
		     state->engine_fault.detail);
}

static void
look_at_ports(struct visit *visit)
{
	const struct model *model = visit->doctor->model;
	const struct model_port *port = NULL;
	size_t n = 0;

	while ((port = model_next_port(model, port))) {
		const struct model_fault *fault;
		const char *was = status_of_port(port, &fault);

		if (!fault->reason && (!strcmp(was, "bound")
				       || !strcmp(was, "bridged"))) {
			n++;
			continue;
		}
		tell(visit, strcmp(was, "error") ? LOOK : WRONG, "port",
		     "%s is %s: %s", port->name, was,
		     fault->detail ? fault->detail
				   : model_reason_text(fault->reason));
	}
	tell(visit, WELL, "ports", "%zu are in force, without any fault", n);
}

/* Two ports of one subnet that have the same MAC. */
static void
look_at_macs(struct visit *visit)
{
	const struct model *model = visit->doctor->model;
	const struct model_port **ports = NULL, *port = NULL;
	size_t n = 0, n_same = 0;

	while ((port = model_next_port(model, port))) {
		static const uint8_t none[6];

		if (!port->claimed || !memcmp(port->claimed_mac, none, 6))
			continue;
		if (!(n & (n + 1)))
			ports = xrealloc(ports, (2 * n + 1) * sizeof *ports);
		ports[n++] = port;
	}
	if (n)
		qsort(ports, n, sizeof *ports, compare_claims);
	for (size_t i = 1; i < n; i++) {
		if (compare_claims(&ports[i - 1], &ports[i]))
			continue;
		n_same++;
		tell(visit, WRONG, "macs", "ports %s and %s have one MAC in "
		     "VSID %u", ports[i - 1]->name, ports[i]->name,
		     ports[i]->claimed->vni);
	}
	if (!n_same)
		tell(visit, WELL, "macs", "no two ports of a subnet have the "
		     "same");
	free(ports);
}

static int
compare_claims(const void *pa, const void *pb)
{
	const struct model_port *a = *(const struct model_port *const *) pa;
	const struct model_port *b = *(const struct model_port *const *) pb;

	if (a->claimed != b->claimed)
		return a->claimed < b->claimed ? -1 : 1;
	return memcmp(a->claimed_mac, b->claimed_mac, 6);
}

static void
look_at_audit(struct visit *visit)
{
	const struct audit_counters *c = audit_counters(visit->doctor->audit);
	uint64_t n = c->n_rows + c->n_programs + c->n_addresses;

	if (n)
		tell(visit, n == c->n_repaired ? LOOK : WRONG, "audit",
		     "databases and switches have differed %" PRIu64
		     " times, %" PRIu64 " repaired; last: %s", n,
		     c->n_repaired, c->last);
	else
		tell(visit, WELL, "audit", "databases and switches agree: %"
		     PRIu64 " checks, %" PRIu64 " rounds", c->n_checks,
		     c->n_rounds);
}

static void
look_at_provider(struct visit *visit)
{
	const struct list *switches = &visit->doctor->model->switches;

	for (const struct list *s = switches->next; s != switches;
	     s = s->next) {
		const struct model_switch *sw =
			LIST_ENTRY(s, const struct model_switch, link);

		if (sw->settings.fault.reason)
			tell(visit, WRONG, "options", "Switch %s: %s",
			     sw->name, sw->settings.fault.detail);
		model_each_tunnel_ip(visit->doctor->model, sw, look_at_given,
				     visit);
		if (sw->fault.reason)
			tell(visit, WRONG, "switch", "%s: %s", sw->name,
			     sw->fault.detail
			     ? sw->fault.detail
			     : model_reason_text(sw->fault.reason));
		if (list_is_empty(&sw->provider_addresses)
		    && has_unbound(sw))
			tell(visit, WRONG, "provider address", "switch %s has "
			     "none, see hnv-ctl add-pa: its ports cannot be "
			     "bound", sw->name);
		for (const struct list *link = sw->provider_addresses.next;
		     link != &sw->provider_addresses; link = link->next) {
			const struct model_pa *pa =
				LIST_ENTRY(link, const struct model_pa, link);

			if (pa->fault.reason)
				tell(visit, WRONG, "provider address",
				     "%s: %s", pa->ip, pa->fault.detail
				     ? pa->fault.detail
				     : model_reason_text(pa->fault.reason));
			else
				tell(visit, WELL, "provider address",
				     "%s is up", pa->ip);
		}
	}
}

/* For want of a provider address? */
static bool
has_unbound(const struct model_switch *sw)
{
	for (const struct list *link = sw->ports.next; link != &sw->ports;
	     link = link->next)
		if (LIST_ENTRY(link, const struct model_port, link)
		    ->fault.reason == MODEL_NO_PROVIDER_ADDRESS)
			return true;
	return false;
}

/* Addresses that a controller gives, and that are no provider address: others
 * are looked at as such. */
static void
look_at_given(void *visit, const struct model_tunnel_ip *tunnel_ip)
{
	const struct model_fault *fault = tunnel_ip->fault;

	if (!tunnel_ip->pa)
		tell(visit, WRONG, "tunnel_ips", "%s is not used: %s",
		     tunnel_ip->ip, fault->detail
		     ? fault->detail : model_reason_text(fault->reason));
}

/* The ways to others: what kernels know of each, whether there is one and how
 * much goes through it, and whether somebody answers at its end. */
static void
look_at_paths(struct visit *visit, const struct probe_way *ways, size_t n,
	      size_t n_more)
{
	const struct model *model = visit->doctor->model;
	struct paths paths = {
		.visit = visit, .mtu = largest_mtu(model), .ways = ways,
		.n_ways = n
	};
	size_t n_unseen = doctor_each_path(model, look_at_path, &paths);

	if (paths.n_well || !paths.n)
		tell(visit, WELL, "paths", "%zu ways to provider addresses of "
		     "others, with room for an MTU of %u", paths.n_well,
		     paths.mtu);
	if (n_unseen || n_more)
		tell(visit, LOOK, "paths", "%zu more were not looked at",
		     n_unseen > n_more ? n_unseen : n_more);
}

static void
look_at_path(void *paths_, const struct doctor_path *path)
{
	struct paths *paths = paths_;
	unsigned wanted = paths->mtu + (path->remote->n == 4 ? OVERHEAD_V4
							     : OVERHEAD_V6);
	const char *netns = path->local
		? model_option(&path->local->options, "netns", NULL) : NULL;
	enum verdict verdict = path->has_other ? LOOK : WRONG;
	const struct probe_way *way = find_way(paths, path);
	char text[MODEL_ADDR_TEXT_SIZE], hop[MODEL_ADDR_TEXT_SIZE];

	model_addr_to_text(path->remote, text);
	paths->n++;
	if (!path->local)
		tell(paths->visit, WRONG, "path", "%s: no provider address of "
		     "its family is up", text);
	else if (path->error)
		tell(paths->visit, verdict, "path", "%s: %s, from %s%s%s",
		     text, strerror(path->error), path->local->ip,
		     netns ? " in " : "", netns ? netns : "");
	else if (path->mtu && path->mtu < wanted)
		tell(paths->visit, WRONG, "path", "to %s %u bytes go "
		     "through, and ports of MTU %u need %u, from %s%s%s",
		     text, path->mtu, paths->mtu, wanted, path->local->ip,
		     netns ? " in " : "", netns ? netns : "");
	else if (!path->is_silent && (!way || !look_at_way(paths, way)))
		paths->n_well++;
	if (!path->is_silent)
		return;
	model_addr_to_text(&path->next_hop, hop);
	tell(paths->visit, way ? verdict : LOOK, "path", "%s: the MAC address "
	     "of %s is not known%s%s: it does not answer", text, hop,
	     netns ? " in " : "", netns ? netns : "");
}

/* NULL: that was not tried. */
static const struct probe_way *
find_way(const struct paths *paths, const struct doctor_path *path)
{
	for (size_t i = 0; i < paths->n_ways && path->local; i++) {
		const struct probe_way *way = &paths->ways[i];

		if (way->remote.n == path->remote->n
		    && !memcmp(way->remote.bytes, path->remote->bytes,
			       way->remote.n)
		    && !memcmp(way->local.bytes, path->local->addr.bytes,
			       way->local.n))
			return way;
	}
	return NULL;
}

/* False: it answers.  Who knows nothing of our questions does not either: that
 * is worth a look, and no more. */
static bool
look_at_way(const struct paths *paths, const struct probe_way *way)
{
	struct visit *visit = paths->visit;
	const char *encap = way->encap == VSW_ENCAP_NVGRE ? "NVGRE" : "VXLAN";
	char remote[MODEL_ADDR_TEXT_SIZE], local[MODEL_ADDR_TEXT_SIZE];

	model_addr_to_text(&way->remote, remote);
	model_addr_to_text(&way->local, local);
	if (way->is_answered && way->is_large_answered)
		return false;
	if (way->is_answered)
		tell(visit, WRONG, "path", "to %s little packets arrive, and "
		     "those of ports of MTU %u do not, from %s: there is less "
		     "room on the way, and nobody says so", remote,
		     paths->mtu, local);
	else if (way->is_refused)
		tell(visit, WRONG, "path", "%s refuses %s from %s: its agent "
		     "is not running, or hears another port (here %u)",
		     remote, encap, local,
		     visit->doctor->model->settings.vxlan_port);
	else if (way->is_pinged)
		tell(visit, LOOK, "path", "%s answers ping, and not %s from "
		     "%s: its agent does not run, hears another port (here "
		     "%u) or knows no locator %s, or it is no hnv", remote,
		     encap, local, visit->doctor->model->settings.vxlan_port,
		     local);
	else if (way->error)
		tell(visit, WRONG, "path", "%s: %s, says the way there from "
		     "%s", remote, strerror(way->error), local);
	else
		tell(visit, LOOK, "path", "%s answers neither %s nor ping from "
		     "%s", remote, encap, local);
	return true;
}

static unsigned
largest_mtu(const struct model *model)
{
	unsigned long largest = 0;

	for (const struct list *s = model->switches.next;
	     s != &model->switches; s = s->next) {
		const struct model_switch *sw =
			LIST_ENTRY(s, const struct model_switch, link);

		for (const struct list *link = sw->ports.next;
		     link != &sw->ports; link = link->next) {
			const struct model_port *port =
				LIST_ENTRY(link, const struct model_port,
					   link);
			unsigned long mtu = strtoul(
				model_option(&port->options, "mtu", "0"), NULL,
				10);

			if (mtu > largest && mtu <= UINT16_MAX)
				largest = mtu;
		}
	}
	return largest ? (unsigned) largest : USUAL_MTU;
}

/* What uplinks drop if two hosts have not been told the same. */
static void
look_at_drops(struct visit *visit)
{
	static const enum vsw_drop kinds[] = {
		VSW_DROP_UNKNOWN_PA, VSW_DROP_UNKNOWN_VNI,
		VSW_DROP_BAD_TUNNEL
	};
	const struct list *switches = &visit->doctor->model->switches;

	for (const struct list *s = switches->next; s != switches;
	     s = s->next) {
		const struct model_switch *sw =
			LIST_ENTRY(s, const struct model_switch, link);

		for (size_t i = 0; i < sw->n_uplinks; i++) {
			struct vsw_port_counters c = { .size = sizeof c };

			vsw_port_get_counters(sw->uplinks[i], &c);
			for (size_t k = 0; k < sizeof kinds / sizeof *kinds;
			     k++)
				if (c.drops[kinds[k]])
					tell(visit, LOOK, "drops", "%s has "
					     "dropped %" PRIu64 ": %s; see "
					     "flows --drop=%s",
					     vsw_port_name(sw->uplinks[i]),
					     c.drops[kinds[k]],
					     vsw_drop_text(kinds[k]),
					     vsw_drop_name(kinds[k]));
		}
	}
}

static void
look_at_limits(struct visit *visit)
{
	static const enum vsw_drop limits[] = {
		VSW_DROP_FLOW_LIMIT, VSW_DROP_CONNECTION_LIMIT,
		VSW_DROP_CONNECTION_RATE, VSW_DROP_CONNECTION_HALF_OPEN,
		VSW_DROP_PUNT_LIMIT, VSW_DROP_FRAGMENT_LIMIT
	};
	const struct list *switches = &visit->doctor->model->switches;
	size_t n_told = 0;

	for (const struct list *s = switches->next; s != switches;
	     s = s->next) {
		const struct model_switch *sw =
			LIST_ENTRY(s, const struct model_switch, link);
		uint64_t n_connections = 0;

		for (const struct list *link = sw->ports.next;
		     link != &sw->ports; link = link->next) {
			const struct model_port *port =
				LIST_ENTRY(link, const struct model_port,
					   link);
			struct vsw_port_counters c = { .size = sizeof c };

			if (!port->port)
				continue;
			vsw_port_get_counters(port->port, &c);
			n_connections += c.connections;
			n_told += look_at_classes(visit, port);
			for (size_t i = 0;
			     i < sizeof limits / sizeof *limits; i++)
				if (c.drops[limits[i]] && ++n_told)
					tell(visit, LOOK, "limits", "port %s "
					     "has lost %" PRIu64
					     " packets: %s", port->name,
					     c.drops[limits[i]],
					     vsw_drop_text(limits[i]));
		}
		if (n_connections * 100
		    >= (uint64_t) sw->settings.connections.max * NEAR_PERCENT
		    && ++n_told)
			tell(visit, LOOK, "limits", "%s has %" PRIu64
			     " of %u connections", sw->name, n_connections,
			     sw->settings.connections.max);
	}
	if (!n_told)
		tell(visit, WELL, "limits", "none was met, and none is near");
}

/* What a port has, or had, nearly all of that it may.  How many were told. */
static size_t
look_at_classes(struct visit *visit, const struct model_port *port)
{
	struct vsw_port_classes classes = { .size = sizeof classes };
	size_t n = 0;

	vsw_port_get_classes(port->port, &classes);
	for (int i = 0; i < VSW_N_CLASSES; i++) {
		const struct vsw_class_counters *c = &classes.of[i];
		const char *class = vsw_class_name((enum vsw_class) i);

		if (!c->limit || c->max * 100 < c->limit * NEAR_PERCENT)
			continue;
		n++;
		tell(visit, LOOK, "limits", "port %s %s %" PRIu64 " of %"
		     PRIu64 " %s, now %" PRIu64, port->name,
		     c->max >= c->limit ? "has met its limit:"
					: "was near its limit:",
		     c->max, c->limit, class, c->n);
	}
	if (port->learned.n * 100 >= (size_t) MACS_OF_PORT * NEAR_PERCENT
	    && ++n)
		tell(visit, LOOK, "limits", "port %s has %zu of %d MACs",
		     port->name, port->learned.n, MACS_OF_PORT);
	return n;
}

static void
look_at_certificate(struct visit *visit, const char *path)
{
	FILE *file = path ? fopen(path, "re") : NULL;
	X509 *certificate;
	int days, seconds;

	if (!path)
		return;
	certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	if (file)
		fclose(file);
	if (!certificate
	    || !ASN1_TIME_diff(&days, &seconds, NULL,
			       X509_get0_notAfter(certificate)))
		tell(visit, WRONG, "certificate", "%s does not read", path);
	else if (days < 0 || seconds < 0)
		tell(visit, WRONG, "certificate", "%s is not valid any more",
		     path);
	else
		tell(visit, days < CERTIFICATE_DAYS ? LOOK : WELL,
		     "certificate", "%s is valid for %d days more", path,
		     days);
	X509_free(certificate);
}

static void
look_at_files(struct visit *visit)
{
	for (size_t i = 0; i < visit->doctor->n_databases; i++) {
		struct database *database = visit->doctor->databases[i];
		struct journal_status status;

		journal_status(database_journal(database), &status);
		if (status.problem)
			tell(visit, WRONG, "file", "%s", status.problem);
		else
			tell(visit, WELL, "file", "%s, %" PRId64 " bytes",
			     status.path, status.size);
	}
}

static void
look_at_clock(struct visit *visit)
{
	struct timex clock = { .modes = 0 };

	if (adjtimex(&clock) < 0)
		tell(visit, LOOK, "clock", "cannot be asked: %s",
		     strerror(errno));
	else if (clock.status & STA_UNSYNC)
		tell(visit, LOOK, "clock", "is not held by anybody: "
		     "certificates and the flow log go by it");
	else
		tell(visit, WELL, "clock", "is synchronized");
}

static void
look_at_log(struct visit *visit)
{
	struct flow_log_counters c;

	flow_log_get_counters(host_flow_log(visit->doctor->host), &c);
	if (c.n_failed || c.n_lost)
		tell(visit, LOOK, "flow log", "%" PRIu64 " lines, %" PRIu64
		     " flows too many were lost, and %" PRIu64
		     " writes failed", c.n_lines, c.n_lost, c.n_failed);
	else
		tell(visit, WELL, "flow log", "%" PRIu64 " lines", c.n_lines);
}
