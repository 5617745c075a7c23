/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/jsonrpc.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"

/* Room for a message in pieces that is kept from one to the next. */
enum { KEPT_SIZE = 65536 };

static size_t skip_space(const char *bytes, size_t size);
static void append(struct jsonrpc_reader *, const char *bytes, size_t size);

void
jsonrpc_reader_init(struct jsonrpc_reader *reader, size_t max_size,
		    unsigned max_depth)
{
	*reader = (struct jsonrpc_reader) {
		.max_size = max_size,
		.brackets.max_depth = max_depth,
	};
}

void
jsonrpc_reader_done(struct jsonrpc_reader *reader)
{
	free(reader->text);
}

enum jsonrpc_status
jsonrpc_read_text(struct jsonrpc_reader *reader, const char *bytes,
		  size_t size, size_t *ret_used, const char **ret_text,
		  size_t *ret_size)
{
	size_t start = 0, room, end;
	enum brackets_status status;

	if (!reader->brackets.depth) {
		jsonrpc_forget(reader);
		start = skip_space(bytes, size);
		if (start == size) {
			*ret_used = size;
			return JSONRPC_MORE;
		}
		if (bytes[start] != '{')
			return JSONRPC_MALFORMED;
	}
	bytes += start;
	size -= start;
	room = reader->max_size - reader->size;
	status = brackets_scan(&reader->brackets, bytes,
			       size < room ? size : room, &end);
	if (status == BRACKETS_TOO_DEEP)
		return JSONRPC_TOO_DEEP;
	if (status == BRACKETS_OPEN && size > room)
		return JSONRPC_TOO_LONG;
	*ret_used = start + end;
	if (status == BRACKETS_OPEN || reader->size)
		append(reader, bytes, end);
	if (status == BRACKETS_OPEN)
		return JSONRPC_MORE;
	*ret_text = reader->size ? reader->text : bytes;
	*ret_size = reader->size ? reader->size : end;
	return JSONRPC_MESSAGE;
}

void
jsonrpc_forget(struct jsonrpc_reader *reader)
{
	reader->size = 0;
	if (reader->allocated > KEPT_SIZE) {
		free(reader->text);
		reader->text = NULL;
		reader->allocated = 0;
	}
}

enum jsonrpc_status
jsonrpc_read(struct jsonrpc_reader *reader, const char *bytes, size_t size,
	     size_t *ret_used, json_t **ret_message)
{
	enum jsonrpc_status status;
	const char *text;
	size_t text_size;
	json_t *message;

	status = jsonrpc_read_text(reader, bytes, size, ret_used, &text,
				   &text_size);
	if (status != JSONRPC_MESSAGE)
		return status;
	message = json_loadb(text, text_size, 0, NULL);
	jsonrpc_forget(reader);
	if (!message)
		return JSONRPC_MALFORMED;
	*ret_message = message;
	return JSONRPC_MESSAGE;
}

const char *
jsonrpc_status_text(enum jsonrpc_status status)
{
	static const char *const texts[] = {
		[JSONRPC_MORE] = "message is not complete",
		[JSONRPC_MESSAGE] = "message is complete",
		[JSONRPC_MALFORMED] = "message is not JSON",
		[JSONRPC_TOO_LONG] = "message is too long",
		[JSONRPC_TOO_DEEP] = "message is nested too deep",
	};

	return texts[status];
}

static size_t
skip_space(const char *bytes, size_t size)
{
	size_t i = 0;

	while (i < size && (bytes[i] == ' ' || bytes[i] == '\n'
			    || bytes[i] == '\r' || bytes[i] == '\t'))
		i++;
	return i;
}

static void
append(struct jsonrpc_reader *reader, const char *bytes, size_t size)
{
	if (size > reader->allocated - reader->size) {
		size_t allocated = 2 * (reader->size + size);

		if (allocated > reader->max_size)
			allocated = reader->max_size;
		reader->text = xrealloc(reader->text, allocated);
		reader->allocated = allocated;
	}
	memcpy(reader->text + reader->size, bytes, size);
	reader->size += size;
}
