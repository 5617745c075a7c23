/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/fit.h"

#include <string.h>

#include "libvswitch/base/checksum.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/rewrite.h"

enum {
	/* Offsets count these.  A fragment that is not the last has a whole
	 * number of them. */
	UNIT = 8,
	OPTION_END = 0, OPTION_NOP = 1, OPTION_COPIED = 0x80
};

static bool may_cut(const struct vsw_packet *, const struct headers *,
		    uint32_t max_size);
static bool open_next(struct fragments *);
static struct vsw_packet *cut(struct fragments *);
static void set_header(uint8_t *ip, uint32_t header_size, uint32_t size,
		       uint32_t offset, bool is_last);
static void forget_options(uint8_t *options, uint32_t size);

enum fit
fit_judge(const struct vsw_packet *packet, const struct headers *h,
	  const struct rewrite *rewrite)
{
	const struct vsw_offload *offload = &packet->offload;
	uint32_t max_size = rewrite->max_size, segment;

	if (packet->size <= max_size || max_size == FIT_ANY)
		return FIT_AS_IT_IS;
	segment = offload->segment_kind == VSW_SEGMENT_NONE
		  ? UINT32_MAX : (uint32_t) h->payload + offload->segment_size;
	if (segment < h->l3_end && segment <= max_size)
		return FIT_AS_IT_IS;
	if (h->l3 != HEADER_NONE && h->l3_end <= max_size)
		return FIT_WITHOUT_PADDING;
	return rewrite->may_fragment && may_cut(packet, h, max_size)
	       ? FIT_IN_FRAGMENTS : FIT_NOT;
}

bool
fit_is_told(const struct headers *h, const struct rewrite *rewrite)
{
	return rewrite->reason
	       && h->key.has & (FLOW_HAS_IPV4 | FLOW_HAS_IPV6);
}

int
fragments_start(struct fragments *f, struct vsw_packet *packet,
		uint32_t max_size)
{
	*f = (struct fragments) { .max_size = max_size };
	return segments_start(&f->segments, packet);
}

struct vsw_packet *
fragments_next(struct fragments *f)
{
	struct vsw_packet *whole;

	if (!f->whole && !open_next(f))
		return NULL;
	whole = f->whole;
	if (whole->size > f->max_size)
		return cut(f);
	f->whole = NULL;
	return whole;
}

static bool
may_cut(const struct vsw_packet *packet, const struct headers *h,
	uint32_t max_size)
{
	const uint8_t *ip = packet->data + h->l3;

	return h->key.has & FLOW_HAS_IPV4
	       && !(get_be16(ip + 6) & IPV4_DONT_FRAGMENT)
	       && max_size >= (uint32_t) h->l3 + (ip[0] & 0x0fu) * 4 + UNIT;
}

/* The segment that comes next; of what has no segment size it is the packet
 * itself, its checksums filled in. */
static bool
open_next(struct fragments *f)
{
	const struct headers *h = &f->segments.headers;

	f->whole = segments_next(&f->segments);
	if (!f->whole) {
		f->has_failed |= f->segments.index < f->segments.n;
		return false;
	}
	f->l3 = h->l3;
	f->l4 = h->l3 + (f->whole->data[h->l3] & 0x0fu) * 4;
	f->end = h->l3 + get_be16(f->whole->data + h->l3 + 2);
	f->at = f->l4;
	/* Padding needs no sending. */
	f->whole->size = f->end;
	return true;
}

static struct vsw_packet *
cut(struct fragments *f)
{
	struct vsw_packet *whole = f->whole, *part;
	uint32_t left = f->end - f->at, size = f->max_size - f->l4;
	bool is_last = left <= size;

	size = is_last ? left : size / UNIT * UNIT;
	part = packet_new(whole->pool, f->l4 + size);
	if (!part) {
		f->has_failed = true;
		segments_stop(&f->segments);
		f->segments.index = f->segments.n;
	} else {
		memcpy(part->data, whole->data, f->l4);
		memcpy(part->data + f->l4, whole->data + f->at, size);
		part->in_port = whole->in_port;
		part->offload.checksum = VSW_CHECKSUM_GOOD;
		set_header(part->data + f->l3, f->l4 - f->l3, size,
			   f->at - f->l4, is_last);
		f->at += size;
	}
	if (!part || is_last) {
		vsw_packet_free(whole);
		f->whole = NULL;
	}
	return part;
}

/* The packet may be a fragment itself: its offset, and that more follow, hold
 * for its pieces. */
static void
set_header(uint8_t *ip, uint32_t header_size, uint32_t size, uint32_t offset,
	   bool is_last)
{
	uint16_t place = (uint16_t) (get_be16(ip + 6) + offset / UNIT);

	if (!is_last)
		place |= IPV4_MORE_FRAGMENTS;
	if (offset)
		forget_options(ip + IPV4_HEADER_SIZE,
			       header_size - IPV4_HEADER_SIZE);
	put_be16(ip + 2, (uint16_t) (header_size + size));
	put_be16(ip + 6, place);
	put_be16(ip + 10, 0);
	put_be16(ip + 10, checksum_finish(checksum_sum(ip, header_size)));
}

/* Those that are not to be copied into later fragments become nothing; the
 * header keeps its size (RFC 791, section 3.1). */
static void
forget_options(uint8_t *options, uint32_t size)
{
	uint32_t at = 0, n;

	while (at < size && options[at] != OPTION_END) {
		n = options[at] == OPTION_NOP || at + 1 >= size
		    ? 1 : options[at + 1];
		if (n == 0 || n > size - at)
			return;
		if (!(options[at] & OPTION_COPIED))
			memset(options + at, OPTION_NOP, n);
		at += n;
	}
}
