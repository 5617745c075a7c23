/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_OUTPUT_H
#define NET_OUTPUT_H 1

/* Messages into a buffer of output, and from there to a socket.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <event2/buffer.h>
#include <event2/util.h>
#include <jansson.h>
#include "agent/base/text.h"

/* False: the message is not one that JSON can express. */
bool output_put_json(struct evbuffer *, const json_t *message);
/* One message in pieces.  The caller keeps its references; a large piece is
 * not copied, but held until it has gone. */
void output_put_texts(struct evbuffer *, struct text *const *pieces,
		      size_t n);
void output_put_text(struct evbuffer *, struct text *);

/* As much as the socket takes without waiting, about 'max' bytes at most; what
 * is left stays, also after an error. */
void output_write(struct evbuffer *, evutil_socket_t, size_t max);

#endif /* net/output.h */
