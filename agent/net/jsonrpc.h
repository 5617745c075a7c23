/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_JSONRPC_H
#define NET_JSONRPC_H 1

/* JSON-RPC's framing, which is none: a stream of JSON objects, one after the
 * other (RFC 7047, section 4).
 *
 * A reader finds the end of each text as its bytes come in, looking at each
 * byte once; whether it is JSON is for whoever reads it.  Length and nesting
 * are limited while scanning, so that neither a flood of brackets nor a text
 * without end costs more than its limit.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include "agent/base/brackets.h"

enum jsonrpc_status {
	JSONRPC_MORE,		/* All bytes used, no message yet. */
	JSONRPC_MESSAGE,
	JSONRPC_MALFORMED,	/* From here on the stream is lost. */
	JSONRPC_TOO_LONG,
	JSONRPC_TOO_DEEP
};

struct jsonrpc_reader {
	size_t max_size;	/* Bytes of one text. */
	/* The text so far, as much of it as earlier calls brought. */
	char *text;
	size_t size, allocated;
	struct brackets brackets;
};

/* 'max_depth' is at most 2000, which jansson copes with. */
void jsonrpc_reader_init(struct jsonrpc_reader *, size_t max_size,
			 unsigned max_depth);
void jsonrpc_reader_done(struct jsonrpc_reader *);

/* Reads up to the end of the next message, and tells in '*ret_used' how many
 * of the bytes that took.  The message's text begins and ends with a brace and
 * may be no JSON all the same; it is good until the next call, and as long as
 * 'bytes'. */
enum jsonrpc_status jsonrpc_read_text(struct jsonrpc_reader *,
				      const char *bytes, size_t size,
				      size_t *ret_used, const char **ret_text,
				      size_t *ret_size);
/* Gives back the room that the last message took, if it was a large one. */
void jsonrpc_forget(struct jsonrpc_reader *);
/* Parses it, too.  '*ret_message', an object, is the caller's. */
enum jsonrpc_status jsonrpc_read(struct jsonrpc_reader *, const char *bytes,
				 size_t size, size_t *ret_used,
				 json_t **ret_message);

/* Why the stream is lost: "message too long" and the like. */
const char *jsonrpc_status_text(enum jsonrpc_status);

#endif /* net/jsonrpc.h */
