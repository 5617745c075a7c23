/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/device/sum.h"

/* 32-bit words into 64-bit sums cannot overflow below 16 GiB, and need no
 * carry: that is what lets a compiler use vectors. */
uint64_t
sum_add(uint64_t sum, const void *bytes_, size_t size)
{
	const uint8_t *bytes = bytes_;
	uint64_t a = 0, b = 0, c = 0, d = 0;
	uint32_t w[8];

	for (; size >= sizeof w; size -= sizeof w, bytes += sizeof w) {
		memcpy(w, bytes, sizeof w);
		a += (uint64_t) w[0] + w[4];
		b += (uint64_t) w[1] + w[5];
		c += (uint64_t) w[2] + w[6];
		d += (uint64_t) w[3] + w[7];
	}
	for (; size >= 4; size -= 4, bytes += 4) {
		memcpy(w, bytes, 4);
		a += w[0];
	}
	if (size) {
		w[0] = 0;
		memcpy(w, bytes, size);
		b += w[0];
	}
	a += b;
	c += d;
	/* Folded to below 2^33, so that any number of calls may follow. */
	a = (a & 0xffffffff) + (a >> 32);
	c = (c & 0xffffffff) + (c >> 32);
	return sum + a + c;
}
