/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	COPY_SIZE = 4096		/* What is copied, not referred to. */
};

static void free_dump(const void *dump, size_t size, void *ctx);
static void let_go(const void *bytes, size_t size, void *text);

bool
output_put_json(struct evbuffer *buffer, const json_t *message)
{
	char *text = json_dumps(message, JSON_COMPACT);
	size_t size = text ? strlen(text) : 0;

	if (!text)
		return false;
	if (size <= COPY_SIZE) {
		evbuffer_add(buffer, text, size);
		free(text);
	} else {
		evbuffer_add_reference(buffer, text, size, free_dump, NULL);
	}
	return true;
}

/* What is small together is put together: each addition to a buffer costs as
 * much as the bytes of a short message. */
void
output_put_texts(struct evbuffer *buffer, struct text *const *pieces, size_t n)
{
	char together[COPY_SIZE];
	size_t size = 0;

	for (size_t i = 0; i < n; i++) {
		if (size + pieces[i]->size > sizeof together) {
			evbuffer_add(buffer, together, size);
			size = 0;
		}
		if (pieces[i]->size > sizeof together) {
			output_put_text(buffer, pieces[i]);
			continue;
		}
		memcpy(together + size, pieces[i]->bytes, pieces[i]->size);
		size += pieces[i]->size;
	}
	if (size)
		evbuffer_add(buffer, together, size);
}

void
output_put_text(struct evbuffer *buffer, struct text *text)
{
	if (text->size <= COPY_SIZE
	    || evbuffer_add_reference(buffer, text->bytes, text->size, let_go,
				      text))
		evbuffer_add(buffer, text->bytes, text->size);
	else
		text_ref(text);
}

/* Most of the time there is one short message, for which the system has a
 * shorter way than for many pieces. */
void
output_write(struct evbuffer *buffer, evutil_socket_t fd, size_t max)
{
	struct evbuffer_iovec piece;

	evbuffer_unfreeze(buffer, 1);
	if (evbuffer_peek(buffer, -1, NULL, &piece, 1) == 1
	    && piece.iov_len <= max) {
		ssize_t n = send(fd, piece.iov_base, piece.iov_len,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			evbuffer_drain(buffer, (size_t) n);
	} else {
		evbuffer_write_atmost(buffer, fd, (ev_ssize_t) max);
	}
	evbuffer_freeze(buffer, 1);
}

static void
free_dump(const void *dump, size_t size, void *ctx)
{
	(void) size;
	(void) ctx;
	free((void *) (uintptr_t) dump);
}

static void
let_go(const void *bytes, size_t size, void *text)
{
	(void) bytes;
	(void) size;
	text_unref(text);
}
