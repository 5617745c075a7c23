/* SPDX-License-Identifier: Apache-2.0 */

/* A stream of messages from a stranger.  The first byte is the size of the
 * pieces in which it comes; whatever that is, the messages must be the same
 * as when all comes at once. */

#include <stdint.h>
#include <stdlib.h>
#include <jansson.h>
#include "agent/net/jsonrpc.h"

enum { MAX_SIZE = 4096, MAX_DEPTH = 16 };

static enum jsonrpc_status read_all(const char *, size_t size, size_t piece,
				    json_t *messages);

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	json_t *whole = json_array(), *pieces = json_array();
	enum jsonrpc_status a, b;

	if (size) {
		const char *text = (const char *) bytes + 1;
		size_t piece = bytes[0] ? bytes[0] : 1;

		a = read_all(text, size - 1, size, whole);
		b = read_all(text, size - 1, piece, pieces);
		if (a != b || !json_equal(whole, pieces))
			abort();
	}
	json_decref(whole);
	json_decref(pieces);
	return 0;
}

static enum jsonrpc_status
read_all(const char *text, size_t size, size_t piece, json_t *messages)
{
	enum jsonrpc_status status = JSONRPC_MORE;
	struct jsonrpc_reader reader;

	jsonrpc_reader_init(&reader, MAX_SIZE, MAX_DEPTH);
	while (size) {
		size_t n = size < piece ? size : piece, used;
		json_t *message;

		status = jsonrpc_read(&reader, text, n, &used, &message);
		if (status == JSONRPC_MESSAGE)
			json_array_append_new(messages, message);
		else if (status != JSONRPC_MORE)
			break;
		if (used > n || !used)
			abort();
		text += used;
		size -= used;
	}
	jsonrpc_reader_done(&reader);
	return size ? status : JSONRPC_MORE;
}
