/* SPDX-License-Identifier: Apache-2.0 */

/* Any frames, as they come out of tunnels: what was joined, cut again, is what
 * came; what was not, came like that, or lost its padding. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vswitch.h>

#include "libvswitch/device/coalesce.h"
#include "libvswitch/device/cut.h"
#include "tests/unit/device_frame.h"

enum { MAX_FRAMES = DEVICE_BATCH - 2, SUM = 1, MORE = 2 };

static struct {
	uint8_t *bytes;
	size_t size;
} frames[MAX_FRAMES];
static size_t n_frames, n_seen;
static uint8_t cut_frame[VSW_PACKET_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void set_up(struct vsw_worker **);
static size_t read_frames(const uint8_t *, size_t, uint8_t flags[]);
static void fill_sums_in(uint8_t *frame, size_t size);
static void look(struct vsw_packet *);
static void see(const uint8_t *, size_t, bool may_be_longer);
static void must(int, const char *what);

/* Records: flags, two bytes of size, a frame. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct vsw_worker *worker;
	static const uint8_t nothing[60];
	struct vsw_tunnel tunnel = { .vni = 1, .encap = VSW_ENCAP_VXLAN };
	uint8_t flags[MAX_FRAMES];
	struct coalesce c;

	if (!worker)
		set_up(&worker);
	n_frames = read_frames(bytes, size, flags);
	n_seen = 0;
	coalesce_init(&c, worker, NULL, 0);
	for (size_t i = 0; i < n_frames; i++) {
		const struct arrival arrival = {
			.tunnel = &tunnel,
			.segment_size = flags[i] >> 4,
			.inner_mtu = 1450,
			.more = flags[i] & MORE,
		};

		coalesce_add(&c, frames[i].bytes, frames[i].size, &arrival);
	}
	/* Ends what is open. */
	coalesce_add(&c, nothing, sizeof nothing,
		     &(struct arrival) { .tunnel = &tunnel });
	vsw_packet_free(c.packets[--c.n]);
	for (size_t i = 0; i < c.n; i++) {
		look(c.packets[i]);
		vsw_packet_free(c.packets[i]);
	}
	must(n_seen == n_frames, "frames are lost");
	while (n_frames > 0)
		free(frames[--n_frames].bytes);
	return 0;
}

static void
set_up(struct vsw_worker **ret_worker)
{
	/* Both stay, and are found by the leak checker here. */
	static struct vsw *vsw;
	struct vsw_options options;

	vsw_options_init(&options);
	must(!vsw_new(&options, &vsw), "no switch");
	must(!vsw_worker_new(vsw, ret_worker), "no worker");
}

static size_t
read_frames(const uint8_t *bytes, size_t size, uint8_t flags[])
{
	size_t n = 0;

	while (size >= 3 && n < MAX_FRAMES) {
		size_t frame_size = (size_t) bytes[1] << 8 | bytes[2];

		flags[n] = bytes[0];
		bytes += 3;
		size -= 3;
		if (frame_size > size)
			frame_size = size;
		/* At the end of memory of its own. */
		frames[n].bytes = malloc(frame_size ? frame_size : 1);
		must(frames[n].bytes != NULL, "no memory");
		memcpy(frames[n].bytes, bytes, frame_size);
		frames[n].size = frame_size;
		if (flags[n] & SUM)
			fill_sums_in(frames[n].bytes, frame_size);
		bytes += frame_size;
		size -= frame_size;
		n++;
	}
	return n;
}

/* A mutation breaks sums, and what has broken sums is never joined. */
static void
fill_sums_in(uint8_t *frame, size_t size)
{
	struct inner inner;
	struct spec s;

	if (!inner_parse(frame, size, &inner)
	    || (inner.version == 4 && inner.l4 - inner.l3 != 20))
		return;
	s.version = inner.version;
	s.protocol = inner.protocol;
	s.tagged = inner.l3 == 18;
	naive_finish(&s, frame, inner.end, false);
}

static void
look(struct vsw_packet *packet)
{
	const struct vsw_offload *offload = vsw_packet_offload(packet);
	const uint8_t *data = vsw_packet_data(packet), *payload;
	size_t size = vsw_packet_size(packet), n;
	struct cut cut;

	must(n_seen < n_frames, "packets out of nothing");
	/* One that came uncut, or as it is. */
	if (offload->segment_kind == VSW_SEGMENT_NONE
	    || size <= frames[n_seen].size) {
		see(data, size, offload->checksum == VSW_CHECKSUM_PARTIAL);
		return;
	}
	must(offload->checksum == VSW_CHECKSUM_PARTIAL, "joined, and summed");
	must(cut_begin(&cut, data, size, offload), "cannot be cut");
	must(cut.n_segments > 1, "joined, and alone");
	while ((n = cut_next(&cut, cut_frame, &payload)) > 0) {
		memcpy(cut_frame + cut.header_size, payload, n);
		see(cut_frame, cut.header_size + n, false);
	}
}

static void
see(const uint8_t *bytes, size_t size, bool may_be_longer)
{
	must(n_seen < n_frames, "frames out of nothing");
	must(size == frames[n_seen].size
	     || (may_be_longer && size < frames[n_seen].size),
	     "another size");
	must(!memcmp(bytes, frames[n_seen].bytes, size), "other bytes");
	n_seen++;
}

static void
must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}
