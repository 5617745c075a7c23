/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as a frame: what parse_frame() says of them must lie inside of
 * them, offload state that fits must be able to be finished, and what is
 * finished must be sound. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/segment.h"
#include "tests/unit/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void must(int, const char *what);
static bool headers_equal(const struct headers *, const struct headers *);
static void look(const struct headers *, size_t size);
static void finish(const uint8_t *frame, size_t size,
		   const struct vsw_offload *);

/* The first bytes are offload state, the rest is the frame. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct vsw_offload offload = { 0 };
	struct headers headers, usual;
	bool is_usual;

	if (size < 8 || size - 8 > VSW_PACKET_MAX)
		return 0;
	offload.segment_kind = bytes[0] % 4;
	offload.checksum = bytes[1] % 3;
	offload.segment_size = (uint16_t) (bytes[2] << 8 | bytes[3]);
	offload.checksum_start = (uint16_t) (bytes[4] << 8 | bytes[5]);
	offload.checksum_offset = (uint16_t) (bytes[6] << 8 | bytes[7]);
	bytes += 8;
	size -= 8;
	is_usual = parse_usual(bytes, size, &usual);
	must(!is_usual || parse_frame(bytes, size, &headers) == PARSE_GOOD,
	     "usual, and bad");
	must(!is_usual || headers_equal(&usual, &headers), "not as usual");
	if (parse_frame(bytes, size, &headers) != PARSE_GOOD)
		return 0;
	look(&headers, size);
	if (parse_offload(&headers, &offload, size))
		finish(bytes, size, &offload);
	return 0;
}

static void
must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static bool
headers_equal(const struct headers *a, const struct headers *b)
{
	return flow_key_equal(&a->key, &b->key) && a->l3 == b->l3
	       && a->l4 == b->l4 && a->payload == b->payload
	       && a->l3_end == b->l3_end && a->tos == b->tos
	       && a->ttl == b->ttl && a->tcp_flags == b->tcp_flags;
}

static void
look(const struct headers *h, size_t size)
{
	must(h->l3_end <= size, "IP ends behind the frame");
	must(h->l3 == HEADER_NONE || h->l3 <= size, "layer 3");
	must(h->l4 == HEADER_NONE || h->l4 <= h->l3_end, "layer 4");
	must(h->payload == HEADER_NONE || h->payload <= h->l3_end, "payload");
	must(!(h->key.has & FLOW_HAS_L4) == (h->payload == HEADER_NONE),
	     "layer 4 without payload");
	must(!(h->key.has & FLOW_HAS_L4)
	     || h->key.fragment != VSW_FRAGMENT_LATER, "ports of a fragment");
	must(!(h->key.has & FLOW_HAS_IPV4) || !(h->key.has & FLOW_HAS_IPV6),
	     "both families");
}

static void
finish(const uint8_t *frame, size_t size, const struct vsw_offload *offload)
{
	static struct vsw_packet *parts[SEGMENTS_MAX];
	struct rig_memory memory = { 0 };
	struct vsw_allocator allocator = rig_allocator(&memory);
	struct packet_pool *pool;
	struct vsw_packet *packet;
	struct headers h;
	int n;

	if (packet_pool_new(&allocator, &pool))
		abort();
	packet = packet_new(pool, size);
	memcpy(packet->data, frame, size);
	packet->offload = *offload;
	n = vsw_packet_finish(NULL, packet, parts, SEGMENTS_MAX);
	for (int i = 0; i < n; i++) {
		must(parse_frame(parts[i]->data, parts[i]->size, &h)
		     == PARSE_GOOD, "a part cannot be read");
		must(!segment_needed(&parts[i]->offload, 0),
		     "a part is not finished");
		vsw_packet_free(parts[i]);
	}
	must(packet_pool_n_used(pool) == 0, "a packet is left");
	packet_pool_free(pool);
	must(memory.n_live == 0, "memory is left");
}
