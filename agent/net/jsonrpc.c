/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/jsonrpc.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"

/* Room for a message in pieces that is kept from one to the next. */
enum { KEPT_SIZE = 65536 };

static size_t skip_space(const char *bytes, size_t size);
static enum jsonrpc_status scan(struct jsonrpc_reader *, const char *bytes,
				size_t size, size_t *ret_end);
static size_t scan_string(struct jsonrpc_reader *, const char *bytes,
			  size_t size, size_t i);
static void append(struct jsonrpc_reader *, const char *bytes, size_t size);
static json_t *parse(struct jsonrpc_reader *, const char *bytes,
		     size_t size);

void
jsonrpc_reader_init(struct jsonrpc_reader *reader, size_t max_size,
		    unsigned max_depth)
{
	*reader = (struct jsonrpc_reader) {
		.max_size = max_size,
		.max_depth = max_depth,
	};
}

void
jsonrpc_reader_done(struct jsonrpc_reader *reader)
{
	free(reader->text);
}

enum jsonrpc_status
jsonrpc_read(struct jsonrpc_reader *reader, const char *bytes, size_t size,
	     size_t *ret_used, json_t **ret_message)
{
	size_t start = reader->depth ? 0 : skip_space(bytes, size);
	size_t room = reader->max_size - reader->size, end;
	enum jsonrpc_status status;
	json_t *message;

	if (start == size) {
		*ret_used = size;
		return JSONRPC_MORE;
	}
	if (!reader->depth && bytes[start] != '{')
		return JSONRPC_MALFORMED;
	bytes += start;
	size -= start;
	status = scan(reader, bytes, size < room ? size : room, &end);
	if (status == JSONRPC_TOO_DEEP)
		return status;
	if (status == JSONRPC_MORE && size > room)
		return JSONRPC_TOO_LONG;
	*ret_used = start + end;
	if (status == JSONRPC_MORE) {
		append(reader, bytes, end);
		return status;
	}
	message = parse(reader, bytes, end);
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

/* Finds the bracket that closes the text.  Whether brackets match in kind is
 * for the parser to say: a text that they do not match in cannot be valid,
 * wherever it is thought to end. */
static enum jsonrpc_status
scan(struct jsonrpc_reader *reader, const char *bytes, size_t size,
     size_t *ret_end)
{
	size_t i = 0;

	while (i < size) {
		if (reader->is_string) {
			i = scan_string(reader, bytes, size, i);
			continue;
		}
		switch (bytes[i++]) {
		case '"':
			reader->is_string = true;
			break;
		case '{':
		case '[':
			if (++reader->depth > reader->max_depth)
				return JSONRPC_TOO_DEEP;
			break;
		case '}':
		case ']':
			if (--reader->depth)
				break;
			*ret_end = i;
			return JSONRPC_MESSAGE;
		default:
			break;
		}
	}
	*ret_end = size;
	return JSONRPC_MORE;
}

static size_t
scan_string(struct jsonrpc_reader *reader, const char *bytes, size_t size,
	    size_t i)
{
	for (; i < size; i++) {
		if (reader->is_escaped) {
			reader->is_escaped = false;
		} else if (bytes[i] == '\\') {
			reader->is_escaped = true;
		} else if (bytes[i] == '"') {
			reader->is_string = false;
			return i + 1;
		}
	}
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

static json_t *
parse(struct jsonrpc_reader *reader, const char *bytes, size_t size)
{
	json_t *message;

	if (!reader->size)
		return json_loadb(bytes, size, 0, NULL);
	append(reader, bytes, size);
	message = json_loadb(reader->text, reader->size, 0, NULL);
	reader->size = 0;
	if (reader->allocated > KEPT_SIZE) {
		free(reader->text);
		reader->text = NULL;
		reader->allocated = 0;
	}
	return message;
}
