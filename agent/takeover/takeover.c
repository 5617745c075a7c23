/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/takeover/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/device/attach.h"
#include "agent/provider/kernel.h"
#include "agent/takeover/move.h"
#include "agent/takeover/record.h"
#include "agent/takeover/transfer.h"
#include "agent/takeover/wish.h"

/* A look takes a twentieth of the time at most. */
enum { LOOK_MS = 1000, LOOK_SHARE = 20, RETRY_MS = 5000 };

struct takeovers {
	struct takeovers_options options;
	char *dir;
	int lock_fd;
	struct netlink *netlink;
	struct list records;
	struct event *timer;
	struct kernel *kernel;		/* NULL: nothing is in force. */
	struct kernel_watch watch;
	bool must_look;			/* The kernel says something new, */
	bool is_looking;		/* and this turn looks at it. */
	int64_t look_at_ms;		/* Not before. */
};

static int open_dir(struct takeovers *);
static void recover(struct takeovers *);
static void recover_one(struct takeovers *, struct record *);
static void recover_from_boot(struct takeovers *, struct record *,
			      const char boot[RECORD_BOOT_SIZE]);
static bool is_held(const struct record *);
static void on_timer(evutil_socket_t, short what, void *takeovers_);
static void on_kernel(void *takeovers_);
static struct model_switch *find_switch(const struct takeovers *,
					const char *name);
static struct record *find_record(const struct takeovers *,
				  const char *interface);
static void release_one(struct takeovers *, struct record *);
static bool is_wanted(const struct record *, const struct wish *);
static void confirm(struct takeovers *, struct record *);
static void give_back(struct takeovers *, struct record *,
		      enum record_state then, enum model_reason,
		      const char *detail);
static void finish_return(struct takeovers *, struct record *);
static void find_devices(struct model_switch *, const struct record *,
			 struct attached *ret_devices[2]);
static void hold_port(const struct takeovers *, const struct record *,
		      bool is_held);
static void drop_record(struct takeovers *, struct record *);
static void keep(struct takeovers *, struct record *);
static void apply_one(struct takeovers *, const struct wish *);
static void take(struct takeovers *, const struct wish *, struct record *);
static bool start_record(struct takeovers *, const struct wish *,
			 struct record *, struct link *from,
			 struct link *to);
static void set_deadline(struct record *, uint32_t seconds);
static void refuse(struct takeovers *, struct record *,
		   struct model_fault *);
static void look(struct takeovers *, struct record *);
static void tell(struct model_switch *, const struct record *);
static void tell_fault(struct model_switch *, const char *interface,
		       const char *state, const struct model_fault *);
static void watch_kernel(struct takeovers *);
static void set_timer(struct takeovers *);

int
takeovers_new(const struct takeovers_options *options,
	      struct takeovers **ret_takeovers)
{
	struct takeovers *t = xcalloc(1, sizeof *t);
	int error;

	t->options = *options;
	t->dir = xasprintf("%s/take-over", options->db_dir);
	t->lock_fd = -1;
	t->must_look = true;
	list_init(&t->records);
	error = open_dir(t);
	if (!error)
		error = netlink_open(&t->netlink);
	if (!error && options->base) {
		t->timer = event_new(options->base, -1, 0, on_timer, t);
		error = t->timer ? 0 : -ENOMEM;
	}
	if (error) {
		takeovers_free(t);
		return error;
	}
	record_read_all(t->dir, &t->records);
	recover(t);
	*ret_takeovers = t;
	return 0;
}

void
takeovers_stop(struct takeovers *t)
{
	struct list *link, *next;

	for (link = t ? t->records.next : NULL; t && link != &t->records;
	     link = next) {
		struct record *record = LIST_ENTRY(link, struct record, link);

		next = link->next;
		if (record->state == RECORD_PENDING)
			give_back(t, record, RECORD_ROLLED_BACK,
				  MODEL_INTERRUPTED, "the agent was stopped");
		else if (record->state == RECORD_CONFIRMED)
			give_back(t, record, RECORD_RESTING, MODEL_OK, NULL);
	}
}

void
takeovers_free(struct takeovers *t)
{
	if (!t)
		return;
	while (!list_is_empty(&t->records)) {
		struct record *record = LIST_ENTRY(t->records.next,
						   struct record, link);

		list_remove(&record->link);
		record_free(record);
	}
	kernel_unwatch(t->kernel, &t->watch);
	if (t->timer)
		event_free(t->timer);
	netlink_close(t->netlink);
	if (t->lock_fd >= 0)
		close(t->lock_fd);
	free(t->dir);
	free(t);
}

void
takeovers_release(struct takeovers *t)
{
	struct list *link, *next;

	for (link = t->records.next; link != &t->records; link = next) {
		next = link->next;
		release_one(t, LIST_ENTRY(link, struct record, link));
	}
}

void
takeovers_apply(struct takeovers *t)
{
	struct list *switches = &t->options.model->switches;
	int64_t now = record_now_ms();

	t->is_looking = t->must_look && now >= t->look_at_ms;
	t->must_look &= !t->is_looking;
	for (struct list *link = switches->next; link != switches;
	     link = link->next) {
		struct model_switch *sw =
			LIST_ENTRY(link, struct model_switch, link);
		struct wish wish;

		if (wish_read(sw, &wish))
			apply_one(t, &wish);
		else
			tell_fault(sw, "", NULL, NULL);
	}
	if (t->is_looking)
		t->look_at_ms = now + LOOK_MS
				+ LOOK_SHARE * (record_now_ms() - now);
	watch_kernel(t);
	set_timer(t);
}

const struct list *
takeovers_records(const struct takeovers *t)
{
	return &t->records;
}

int
takeovers_give_back(const char *db_dir)
{
	const struct takeovers_options options = { .db_dir = db_dir };
	struct takeovers *t;
	int error = takeovers_new(&options, &t);
	int status = EXIT_SUCCESS;

	if (error) {
		log_line(LOG_LEVEL_ERROR, db_dir, "nothing is given back: %s",
			 error == -EBUSY ? "an agent is running"
					 : strerror(-error));
		return EXIT_FAILURE;
	}
	takeovers_stop(t);
	for (struct list *link = t->records.next; link != &t->records;
	     link = link->next)
		if (LIST_ENTRY(link, struct record, link)->state
		    == RECORD_RETURNING)
			status = EXIT_FAILURE;
	takeovers_free(t);
	return status;
}

static int
open_dir(struct takeovers *t)
{
	char *path = xasprintf("%s/lock", t->dir);
	int error = 0;

	if (mkdir(t->dir, 0700) && errno != EEXIST)
		error = -errno;
	if (!error) {
		t->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (t->lock_fd < 0)
			error = -errno;
		else if (flock(t->lock_fd, LOCK_EX | LOCK_NB))
			error = errno == EWOULDBLOCK ? -EBUSY : -errno;
	}
	free(path);
	return error;
}

static void
recover(struct takeovers *t)
{
	struct list *link, *next;

	for (link = t->records.next; link != &t->records; link = next) {
		next = link->next;
		recover_one(t, LIST_ENTRY(link, struct record, link));
	}
}

static void
recover_one(struct takeovers *t, struct record *record)
{
	bool is_confirmed = record->state == RECORD_CONFIRMED;
	char boot[RECORD_BOOT_SIZE];
	struct link port;

	record_get_boot(boot);
	if (strcmp(boot, record->boot)) {
		recover_from_boot(t, record, boot);
	} else if (record->state == RECORD_RETURNING) {
		finish_return(t, record);
	} else if (record->state == RECORD_MOVING) {
		give_back(t, record, record->then, record->then
			  == RECORD_RESTING ? MODEL_OK : MODEL_INTERRUPTED,
			  "the agent ended while it was taken over");
	} else if (!is_held(record)) {
		return;
	} else if (link_read(t->netlink, record->port, &port)) {
		give_back(t, record, is_confirmed ? RECORD_RESTING
						  : RECORD_ROLLED_BACK,
			  is_confirmed ? MODEL_OK : MODEL_INTERRUPTED,
			  "the host port was gone");
	} else {
		move_renew_proxies(t->netlink, &record->holdings, &port.id);
		if (!is_confirmed && record_now_ms() >= record->deadline_ms)
			give_back(t, record, RECORD_ROLLED_BACK,
				  MODEL_NOT_CONFIRMED,
				  "the agent was not running");
	}
}

/* A kernel that has been started since knows nothing of it any more. */
static void
recover_from_boot(struct takeovers *t, struct record *record,
		  const char boot[RECORD_BOOT_SIZE])
{
	if (record->state == RECORD_CONFIRMED)
		record->state = RECORD_RESTING;
	else if (record->state == RECORD_RETURNING
		 || record->state == RECORD_MOVING)
		record->state = record->then;
	else if (record->state == RECORD_PENDING)
		record->state = RECORD_ROLLED_BACK;
	if (record->state == RECORD_ROLLED_BACK && !record->fault.reason)
		model_fault_set(&record->fault, MODEL_INTERRUPTED,
				"the system was started anew");
	snprintf(record->boot, sizeof record->boot, "%s", boot);
	if (record->state == RECORD_GONE)
		drop_record(t, record);
	else
		keep(t, record);
}

static bool
is_held(const struct record *record)
{
	return record->state == RECORD_PENDING
	       || record->state == RECORD_CONFIRMED;
}

static void
on_timer(evutil_socket_t fd, short what, void *takeovers_)
{
	struct takeovers *t = takeovers_;

	(void) fd;
	(void) what;
	t->options.turn(t->options.ctx);
}

static void
on_kernel(void *takeovers_)
{
	struct takeovers *t = takeovers_;

	t->must_look = true;
	set_timer(t);
}

static struct model_switch *
find_switch(const struct takeovers *t, const char *name)
{
	struct list *switches;

	if (!t->options.model)
		return NULL;
	switches = &t->options.model->switches;
	for (struct list *link = switches->next; link != switches;
	     link = link->next) {
		struct model_switch *sw =
			LIST_ENTRY(link, struct model_switch, link);

		if (!strcmp(sw->name, name))
			return sw;
	}
	return NULL;
}

static struct record *
find_record(const struct takeovers *t, const char *interface)
{
	for (const struct list *link = t->records.next; link != &t->records;
	     link = link->next) {
		struct record *record = LIST_ENTRY(link, struct record, link);

		if (!strcmp(record->interface, interface))
			return record;
	}
	return NULL;
}

static void
release_one(struct takeovers *t, struct record *record)
{
	struct model_switch *sw = find_switch(t, record->switch_name);
	struct wish wish;
	bool is_asked = sw && wish_read(sw, &wish)
			&& is_wanted(record, &wish);

	if (record->state == RECORD_RETURNING) {
		finish_return(t, record);
		return;
	}
	if (!is_asked) {
		if (is_held(record))
			give_back(t, record, RECORD_GONE, MODEL_OK, NULL);
		else
			drop_record(t, record);
		return;
	}
	if (record->state == RECORD_PENDING && *record->id
	    && !strcmp(wish.confirmed, record->id))
		confirm(t, record);
	if (record->state == RECORD_PENDING
	    && record_now_ms() >= record->deadline_ms)
		give_back(t, record, RECORD_ROLLED_BACK, MODEL_NOT_CONFIRMED,
			  NULL);
	if (!is_held(record) || (wish_has_ports(&wish)
				 && !strcmp(wish.host_interface,
					    record->port)))
		return;
	if (record->state == RECORD_CONFIRMED)
		give_back(t, record, RECORD_RESTING, MODEL_OK, NULL);
	else
		give_back(t, record, RECORD_ROLLED_BACK, MODEL_INTERRUPTED,
			  "its ports have been changed");
}

static bool
is_wanted(const struct record *record, const struct wish *wish)
{
	return !strcmp(wish->interface, record->interface)
	       && !strcmp(wish->request, record->request);
}

static void
confirm(struct takeovers *t, struct record *record)
{
	record->state = RECORD_CONFIRMED;
	record->deadline_ms = record->until_s = 0;
	keep(t, record);
	log_line(LOG_LEVEL_INFO, record->interface, "that switch %s has taken "
		 "it over is confirmed", record->switch_name);
}

/* What is at the host port now comes back, since somebody may have changed it
 * there; what is on disk does, if that is not known or only half of it. */
static void
give_back(struct takeovers *t, struct record *record, enum record_state then,
	  enum model_reason reason, const char *detail)
{
	struct holdings holdings;
	struct link port;

	if (is_held(record) && !link_read(t->netlink, record->port, &port)
	    && !holdings_take(t->netlink, &port.id, &holdings)) {
		if (holdings_is_empty(&holdings)) {
			holdings_done(&holdings);
		} else {
			holdings_done(&record->holdings);
			record->holdings = holdings;
		}
	}
	record->state = RECORD_RETURNING;
	record->then = then;
	model_fault_set(&record->fault, reason,
			reason && detail ? "%s" : NULL, detail);
	keep(t, record);
	finish_return(t, record);
}

static void
finish_return(struct takeovers *t, struct record *record)
{
	struct model_fault fault = { .reason = MODEL_OK };
	struct attached *devices[2];
	int error;

	find_devices(find_switch(t, record->switch_name), record, devices);
	error = transfer_back(t->netlink, record, devices, &fault);

	if (error == -ENODEV) {
		free(fault.detail);
		return;
	}
	hold_port(t, record, false);
	if (error)
		log_line(LOG_LEVEL_ERROR, record->interface, "not all that it "
			 "had could be given back: %s", fault.detail);
	else
		log_line(LOG_LEVEL_INFO, record->interface, "it is the host's "
			 "again%s%s", record->fault.reason ? ": " : "",
			 record->fault.reason
			 ? model_reason_text(record->fault.reason) : "");
	free(fault.detail);
	record->state = record->then;
	record->then = RECORD_GONE;
	record->until_s = 0;
	holdings_done(&record->holdings);
	if (record->state == RECORD_GONE)
		drop_record(t, record);
	else
		keep(t, record);
}

/* Of the interface, and of the host port. */
static void
find_devices(struct model_switch *sw, const struct record *record,
	     struct attached *devices[2])
{
	devices[0] = devices[1] = NULL;
	for (struct list *link = sw ? sw->ports.next : NULL;
	     sw && link != &sw->ports; link = link->next) {
		const struct model_port *port =
			LIST_ENTRY(link, const struct model_port, link);
		const char *name = model_option(&port->options, "interface",
						port->name);

		if (port->role == ROLE_UPLINK && port->host
		    && !strcmp(name, record->interface))
			devices[0] = port->host;
		if (port->role == ROLE_HOST && port->host
		    && !strcmp(name, record->port))
			devices[1] = port->host;
	}
}

/* A host port that has the host's addresses outlives the agent.  One that had
 * them, and that nobody has open, an agent left behind. */
static void
hold_port(const struct takeovers *t, const struct record *record,
	  bool is_held)
{
	struct attached *devices[2];
	struct link port;

	find_devices(find_switch(t, record->switch_name), record, devices);
	if (devices[1]) {
		if (ioctl(attach_fd(devices[1]), TUNSETPERSIST,
			  (long) is_held))
			log_line(LOG_LEVEL_WARN, record->port, "it may not "
				 "outlive the agent: %s", strerror(errno));
	} else if (!is_held && !link_read(t->netlink, record->port, &port)
		   && !strcmp(port.kind, "tun")) {
		(void) !link_delete(t->netlink, port.id.index);
	}
}

static void
drop_record(struct takeovers *t, struct record *record)
{
	record_remove(t->dir, record);
	list_remove(&record->link);
	record_free(record);
}

static void
keep(struct takeovers *t, struct record *record)
{
	int error = record_write(t->dir, record);

	if (error)
		log_line(LOG_LEVEL_ERROR, record->interface, "its state cannot "
			 "be written to %s: %s", t->dir, strerror(-error));
}

static void
apply_one(struct takeovers *t, const struct wish *wish)
{
	struct record *record = find_record(t, wish->interface);
	struct model_fault fault = { .reason = MODEL_OK };

	if (record && strcmp(record->switch_name, wish->sw->name)) {
		model_fault_set(&fault, MODEL_IN_USE, "switch %s has taken it "
				"over", record->switch_name);
		tell_fault(wish->sw, wish->interface, "refused", &fault);
		free(fault.detail);
		return;
	}
	if (record && is_held(record)) {
		look(t, record);
		tell(wish->sw, record);
		return;
	}
	if (record && record->state != RECORD_RESTING) {
		tell(wish->sw, record);
		return;
	}
	if (!wish_is_ready(wish, &fault)) {
		tell_fault(wish->sw, wish->interface, "waiting", &fault);
		free(fault.detail);
		return;
	}
	if (!record) {
		record = record_new(wish->interface);
		list_append(&t->records, &record->link);
	}
	take(t, wish, record);
	tell(wish->sw, record);
}

static void
take(struct takeovers *t, const struct wish *wish, struct record *record)
{
	bool is_confirmed = record->state == RECORD_RESTING;
	struct model_fault fault = { .reason = MODEL_OK };
	struct attached *devices[2];
	struct link from, to;

	if (!start_record(t, wish, record, &from, &to))
		return;
	hold_port(t, record, true);
	find_devices(wish->sw, record, devices);
	if (!transfer_take(t->netlink, record, devices[0], &from, &to,
			   &fault)) {
		log_line(LOG_LEVEL_ERROR, record->interface, "switch %s cannot "
			 "take it over: %s; all is put back",
			 record->switch_name, fault.detail);
		give_back(t, record, RECORD_ROLLED_BACK, fault.reason,
			  fault.detail);
		free(fault.detail);
		return;
	}
	record->state = is_confirmed ? RECORD_CONFIRMED : RECORD_PENDING;
	if (!is_confirmed)
		set_deadline(record, wish->sw->settings.confirm_within_s);
	keep(t, record);
	log_line(LOG_LEVEL_INFO, record->interface, "switch %s has taken it "
		 "over; what it had is at %s%s", record->switch_name,
		 record->port, is_confirmed ? "" : ", until it is confirmed "
		 "or comes back");
}

/* On disk, before anything is changed. */
static bool
start_record(struct takeovers *t, const struct wish *wish,
	     struct record *record, struct link *from, struct link *to)
{
	bool is_confirmed = record->state == RECORD_RESTING;
	struct model_fault fault = { .reason = MODEL_OK };
	uint64_t id;
	int error;

	free(record->switch_name);
	free(record->request);
	record->switch_name = xstrdup(wish->sw->name);
	record->request = xstrdup(wish->request);
	snprintf(record->port, sizeof record->port, "%s",
		 wish->host_interface);
	if (link_read(t->netlink, wish->interface, from)
	    || link_read(t->netlink, record->port, to))
		model_fault_set(&fault, MODEL_NO_DEVICE, "there is no %s or "
				"no %s", wish->interface, record->port);
	else
		wish_check(wish, t->options.model, t->netlink, from, to,
			   &fault);
	holdings_done(&record->holdings);
	error = fault.reason ? 0 : holdings_take(t->netlink, &from->id,
						 &record->holdings);
	if (error)
		model_fault_set(&fault, error == -EOPNOTSUPP
				? MODEL_NOT_SUPPORTED : error == -E2BIG
				? MODEL_LIMIT : MODEL_SYSTEM,
				"routes of %s: %s", wish->interface,
				error == -EOPNOTSUPP ? "they use nexthop "
				"objects, which cannot be moved; FRR makes "
				"routes without by \"no zebra nexthop kernel "
				"enable\"" : strerror(-error));
	if (fault.reason) {
		refuse(t, record, &fault);
		return false;
	}
	if (!is_confirmed && getrandom(&id, sizeof id, 0) == sizeof id)
		snprintf(record->id, sizeof record->id, "%016" PRIx64, id);
	memcpy(record->port_mac, to->mac, 6);
	record->gen_mode = from->gen_mode;
	record->state = RECORD_MOVING;
	record->then = is_confirmed ? RECORD_RESTING : RECORD_ROLLED_BACK;
	model_fault_set(&record->fault, MODEL_OK, NULL);
	error = record_write(t->dir, record);
	if (!error)
		return true;
	model_fault_set(&fault, MODEL_SYSTEM, "%s: %s", t->dir,
			strerror(-error));
	refuse(t, record, &fault);
	return false;
}

static void
set_deadline(struct record *record, uint32_t seconds)
{
	record->deadline_ms = record_now_ms() + seconds * INT64_C(1000);
	record->until_s = time(NULL) + seconds;
}

/* Until it is asked for anew.  One that was confirmed is tried again. */
static void
refuse(struct takeovers *t, struct record *record, struct model_fault *fault)
{
	bool is_new = model_fault_set(&record->fault, fault->reason, "%s",
				      fault->detail);

	free(fault->detail);
	holdings_done(&record->holdings);
	if (record->state == RECORD_RESTING && !is_new)
		return;
	if (record->state != RECORD_RESTING)
		record->state = RECORD_REFUSED;
	log_line(LOG_LEVEL_WARN, record->interface, "switch %s does not take "
		 "it over: %s", record->switch_name, record->fault.detail);
	keep(t, record);
}

/* Whoever sets interfaces up at the start of the system, or once a lease is
 * renewed, knows nothing of it. */
static void
look(struct takeovers *t, struct record *record)
{
	struct link from, to;
	int error;

	if (!t->is_looking)
		return;
	hold_port(t, record, true);
	error = link_read(t->netlink, record->interface, &from);
	if (!error)
		error = link_read(t->netlink, record->port, &to);
	if (!error)
		error = transfer_repeat(t->netlink, record, &from, &to);
	t->must_look |= error != 0;
	if (model_fault_set(&record->fault, error == -ENODEV ? MODEL_NO_DEVICE
			    : error ? MODEL_SYSTEM : MODEL_OK,
			    error ? "%s" : NULL, strerror(-error)) && error)
		log_line(LOG_LEVEL_WARN, record->interface, "it is taken over "
			 "and not as it should be: %s", strerror(-error));
}

static void
tell(struct model_switch *sw, const struct record *record)
{
	struct model_take_over *to = &sw->take_over;

	tell_fault(sw, record->interface,
		   record->state == RECORD_RESTING
		   ? "waiting" : record_state_name(record->state),
		   &record->fault);
	to->until_s = record->state == RECORD_PENDING ? record->until_s : 0;
	snprintf(to->id, sizeof to->id, "%s",
		 is_held(record) ? record->id : "");
}

static void
tell_fault(struct model_switch *sw, const char *interface, const char *state,
	   const struct model_fault *fault)
{
	struct model_take_over *to = &sw->take_over;

	to->state = state;
	to->until_s = 0;
	to->id[0] = '\0';
	snprintf(to->interface, sizeof to->interface, "%s", interface);
	model_fault_set(&to->fault, fault ? fault->reason : MODEL_OK,
			fault && fault->detail ? "%s" : NULL,
			fault ? fault->detail : NULL);
}

/* Only where there is something to be seen. */
static void
watch_kernel(struct takeovers *t)
{
	bool is_needed = false;

	for (struct list *link = t->records.next; link != &t->records;
	     link = link->next)
		is_needed |= is_held(LIST_ENTRY(link, struct record, link));
	if (is_needed && !t->kernel) {
		t->watch = (struct kernel_watch) {
			.ctx = t, .links = on_kernel, .routes = on_kernel
		};
		if (kernel_watch(t->options.base, NULL, &t->watch, &t->kernel))
			t->kernel = NULL;
	} else if (!is_needed && t->kernel) {
		kernel_unwatch(t->kernel, &t->watch);
		t->kernel = NULL;
	}
}

/* The next thing that is due by itself. */
static void
set_timer(struct takeovers *t)
{
	int64_t now = record_now_ms(), next = INT64_MAX;
	struct timeval after;

	for (struct list *link = t->records.next; link != &t->records;
	     link = link->next) {
		const struct record *record = LIST_ENTRY(link,
							 const struct record,
							 link);
		int64_t due = INT64_MAX;

		if (record->state == RECORD_PENDING)
			due = record->deadline_ms;
		else if (record->state == RECORD_RETURNING)
			due = now + RETRY_MS;
		if (is_held(record) && t->must_look && t->look_at_ms < due)
			due = t->look_at_ms;
		next = due < next ? due : next;
	}
	if (next == INT64_MAX) {
		event_del(t->timer);
		return;
	}
	next = next > now ? next - now : 0;
	after.tv_sec = next / 1000;
	after.tv_usec = next % 1000 * 1000;
	event_add(t->timer, &after);
}
