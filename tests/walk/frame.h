/* SPDX-License-Identifier: Apache-2.0 */

#ifndef WALK_FRAME_H
#define WALK_FRAME_H 1

/* Frames as text, for walks and unit tests, and somebody who reads frames and
 * cannot be wrong in the same way as the engine.  The language is described
 * in tests/walk/README.md. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/packet.h>

enum { FRAME_MAX = 70000 };

struct frame {
	size_t size;
	uint8_t bytes[FRAME_MAX];
	uint8_t mask[FRAME_MAX];	/* 0: any value will do. */
	struct vsw_offload offload;
	struct vsw_tunnel tunnel;	/* encap NONE: none. */
	char problem[160];
};

/* False: the text makes no sense, and 'problem' says why. */
bool frame_make(const char *text, struct frame *ret_frame);
/* The same, for texts of the program's own: a mistake ends it. */
void frame_must_make(struct frame *ret_frame, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Same size, and same bytes but for those that may have any value. */
bool frame_matches(const struct frame *expected, const uint8_t *bytes,
		   size_t size);

/* Are all lengths and checksums right, tunnels' inner frames included?  What
 * offload state leaves to be done is not asked for.  If not, 'problem' says
 * what is wrong. */
bool frame_is_sound(const uint8_t *bytes, size_t size,
		    const struct vsw_offload *, char *ret_problem,
		    size_t problem_size);

/* The ones' complement sum of RFC 1071, in the plainest way there is. */
uint16_t frame_naive_checksum(const uint8_t *bytes, size_t size,
			      uint32_t start);

#endif /* walk/frame.h */
