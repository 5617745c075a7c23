/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BENCH_OVSDB_CLIENT_H
#define BENCH_OVSDB_CLIENT_H 1

/* A connection to a server of JSON-RPC, as cheap as it can be so that the
 * figures are the server's: messages are bytes between balanced brackets, and
 * nobody looks into them but for errors.  Whatever goes wrong ends the program,
 * with a sentence. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

double now(void);	/* Seconds, of the monotonic clock. */
_Noreturn void die(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* A text that grows. */
struct text {
	char *at;
	size_t n, size;
};
void text_add(struct text *, const char *bytes, size_t n);
void text_addf(struct text *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Room for so many bytes at at + n. */
void text_reserve(struct text *, size_t n);

/* Where in a message the reader stands. */
struct scan {
	unsigned depth;
	bool in_string, is_escaped;
	uint64_t n_braces;	/* Objects begun. */
};
/* Bytes up to the end of the first message, or 'n' if it does not end there
 * (then depth is not 0). */
size_t scan_message(struct scan *, const char *bytes, size_t n);

struct client {
	int fd;
	struct text in;
	size_t taken;		/* Bytes of 'in' that were handed out. */
	size_t scanned;
	struct scan scan;
};

void client_open(struct client *, const char *path);
/* False if nobody listens there. */
bool client_try(struct client *, const char *path);
void client_close(struct client *);

/* Waits as long as the server does not take it, and reads meanwhile. */
void client_send(struct client *, const char *bytes, size_t n);
/* Reads what there is; false if that is nothing. */
bool client_read(struct client *);
/* The next message that has been read whole, or NULL.  Its bytes are good
 * until the client is used again. */
const char *client_next(struct client *, size_t *ret_size);
/* Waits for it; never NULL. */
const char *client_receive(struct client *, size_t *ret_size);
/* Sends one request of text, and returns its reply, in which no operation has
 * failed. */
const char *client_call(struct client *, size_t *ret_size,
			const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A message that is read and not kept. */
struct drained {
	double first, last;	/* When its first and last bytes came. */
	uint64_t n_bytes, n_braces;
	char start[256];	/* Of it; ends with 0. */
};
void client_drain(struct client *, struct drained *);

/* Dies if the message says that something has failed. */
void client_check(const char *message, size_t);
/* Waits until the descriptor can be read; dies after five minutes. */
void client_wait(const struct client *);

/* Many clients, waited for at once. */
struct crowd {
	struct client *clients;
	unsigned n;
	int epoll;
};
void crowd_open(struct crowd *, unsigned n, const char *path);
void crowd_close(struct crowd *);
/* The indices of those that can be read, at least one; how many. */
unsigned crowd_wait(struct crowd *, unsigned ready[], unsigned max);
/* The same without waiting: 0 if there is nothing. */
unsigned crowd_look(struct crowd *, unsigned ready[], unsigned max);

#endif /* bench/ovsdb/client.h */
