/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TAKEOVER_RECORD_H
#define TAKEOVER_RECORD_H 1

/* What the disk knows of an interface that is taken over: on disk before the
 * first change, so that whoever comes next, after whatever happened, can put
 * everything back.
 *
 * A record is a file DIR/INTERFACE of lines, the last of which is a checksum of
 * the others; it is written beside, brought to disk, and renamed.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include "agent/base/list.h"
#include "agent/model/model.h"
#include "agent/takeover/holdings.h"

/* What holds of the interface's addresses and routes:
 *
 *     moving     they are on their way to the host port; some may be at either
 *                place, 'holdings' is all of them
 *     pending    they are at the host port, until 'deadline_ms' at most
 *     confirmed  they are at the host port, for good
 *     returning  as moving, the other way; 'then' comes next
 *     resting    where they were: the agent is not running; confirmed
 *     rolled_back, refused   where they were, and why; 'request' has been
 *                answered, and is not tried again */
#define RECORD_STATES(X)                                                      \
	X(MOVING, "moving")                                                   \
	X(PENDING, "pending")                                                 \
	X(CONFIRMED, "confirmed")                                             \
	X(RETURNING, "returning")                                             \
	X(RESTING, "resting")                                                 \
	X(ROLLED_BACK, "rolled_back")                                         \
	X(REFUSED, "refused")                                                 \
	X(GONE, "gone")			/* Only in 'then'. */

enum record_state {
#define RECORD_STATE_ENUM(NAME, TEXT) RECORD_##NAME,
	RECORD_STATES(RECORD_STATE_ENUM)
#undef RECORD_STATE_ENUM
	RECORD_N_STATES
};

enum { RECORD_ID_SIZE = 17, RECORD_BOOT_SIZE = 40,
       RECORD_FILE_MAX = 64 << 20 };

struct record {
	struct list link;		/* The owner's. */
	char interface[16];
	char port[16];			/* The host port's interface. */
	char *switch_name, *request;
	char id[RECORD_ID_SIZE];
	enum record_state state, then;
	char boot[RECORD_BOOT_SIZE];	/* Of the system, that it is about. */
	int64_t deadline_ms;		/* Of its clock: record_now_ms(). */
	int64_t until_s;		/* The same for people: since 1970. */
	uint8_t port_mac[6];		/* That the host port had, */
	uint8_t gen_mode;		/* and the interface: link.h. */
	struct model_fault fault;	/* Why it is rolled back, or refused. */
	struct holdings holdings;
};

const char *record_state_name(enum record_state);

struct record *record_new(const char *interface);
void record_free(struct record *);

/* 0 or a negative errno; then the file is as it was. */
int record_write(const char *dir, const struct record *);
void record_remove(const char *dir, const struct record *);
/* The record of one file.  0, or a negative errno: -EBADMSG: it is no record,
 * or damaged. */
int record_read(const char *dir, const char *interface,
		struct record **ret_record);
/* All of them, appended to 'records'.  One that does not read is put aside as
 * INTERFACE.broken, and logged. */
void record_read_all(const char *dir, struct list *records);

/* Milliseconds since the system was started, sleep included. */
int64_t record_now_ms(void);
/* Which start of the system that is. */
void record_get_boot(char ret_boot[RECORD_BOOT_SIZE]);

#endif /* takeover/record.h */
