/* SPDX-License-Identifier: Apache-2.0 */

/* The frames of flows to and from 16 remote VMs, for generator.c, which puts
 * their ports in. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "tests/bench/engine/figure.h"
#include "tests/bench/engine/traffic.h"

enum { N_FRAMES = 16 };

/* As in generator.c. */
struct way_frames {
	uint32_t size, l4_at;
	uint32_t is_out;
	uint32_t unused;
	uint8_t frames[N_FRAMES][TRAFFIC_FRAME_MAX];
};

static void make(struct scene *, enum way, struct way_frames *);

void
frames_write(const char *name)
{
	FILE *file = fopen(name, "we");
	struct way_frames frames[2];
	struct scene_options options;
	struct scene *s;

	scene_options_init(&options);
	options.n_remotes = N_FRAMES;
	s = scene_new(&options);
	make(s, WAY_ENCAP, &frames[0]);
	make(s, WAY_DECAP, &frames[1]);
	if (!file || fwrite(frames, sizeof frames, 1, file) != 1
	    || fclose(file))
		must(-errno, name);
	scene_free(s);
}

static void
make(struct scene *s, enum way way, struct way_frames *frames)
{
	struct traffic traffic;

	traffic_init(&traffic, s, way, 1);
	*frames = (struct way_frames) {
		.size = (uint32_t) traffic.size,
		.l4_at = (uint32_t) traffic.inner_at + 14 + 20,
		.is_out = way == WAY_ENCAP
	};
	/* Enough of them that each VM is in one. */
	for (uint64_t flow = 0; flow < 100 * N_FRAMES; flow++)
		traffic_write(&traffic, flow,
			      frames->frames[traffic_remote(&traffic, flow)]);
}
