/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_SHAPE_H
#define POLICY_SHAPE_H 1

/* What the outer headers of a tunnel's packets to one of an uplink's provider
 * addresses mostly look like: all that they must have in common, as bytes and a
 * mask, made when the underlay is set, compared in a few wide steps by
 * datapath/tunnel.c.  What fits has no options, no extensions, is no fragment;
 * what does not fit may still be a tunnel's packet.  Lengths, checksums and the
 * VNI are not part of it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <vswitch/switch.h>

enum { SHAPE_BLOCK = 16, SHAPE_MAX = 5 * SHAPE_BLOCK };

/* A value outside of the mask: nothing fits. */
struct shape {
	uint8_t value[SHAPE_MAX], mask[SHAPE_MAX];
};

/* All there are, by IP version and encapsulation. */
struct shapes {
	uint8_t l3;
	struct shape of[2][2];		/* [is IPv6][is NVGRE]. */
};

/* [control] 'underlay' with defaults filled in. */
void shapes_build(const struct vsw_underlay *, struct shapes *ret_shapes);

/* [worker] 'frame' has 'n' bytes: whole blocks up to where the inner frame
 * begins. */
static inline bool
shape_fits(const struct shape *shape, const uint8_t *frame, size_t n)
{
	typedef uint64_t block __attribute__((vector_size(SHAPE_BLOCK)));
	block differs = { 0, 0 };

	for (size_t i = 0; i < n; i += SHAPE_BLOCK) {
		block bytes, value, mask;

		memcpy(&bytes, frame + i, SHAPE_BLOCK);
		memcpy(&value, shape->value + i, SHAPE_BLOCK);
		memcpy(&mask, shape->mask + i, SHAPE_BLOCK);
		differs |= (bytes & mask) ^ value;
	}
	return !(differs[0] | differs[1]);
}

#endif /* policy/shape.h */
