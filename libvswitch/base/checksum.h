/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H 1

/* The Internet checksum, RFC 1071, and its updates, RFC 1624.
 *
 * A sum is the ones' complement sum of big-endian 16-bit words, not folded:
 * up to 65536 folded sums or words may be added up in 32 bits.  [any] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Sum of 'n' bytes, folded to 16 bits.  An odd last byte counts as the high
 * half of a word; only the last piece of a message may be odd. */
uint32_t checksum_sum(const void *bytes, size_t n);

/* Sum of a pseudo header: addresses of 'n' (4 or 16) bytes, protocol, and the
 * size of the upper-layer packet.  RFC 793, section 3.1; RFC 8200, section
 * 8.1. */
uint32_t checksum_pseudo(const uint8_t *src, const uint8_t *dst, size_t n,
			 uint8_t proto, uint32_t size);

static inline uint16_t
checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) (sum + (sum >> 16));
}

/* What stands in a header: the complement. */
static inline uint16_t
checksum_finish(uint32_t sum)
{
	return (uint16_t) ~checksum_fold(sum);
}

/* Is the sum of this IPv4 header, of 'n' bytes, right?  Zero of all ones is
 * zero in any byte order: RFC 1071, section 2(B). */
static inline bool
checksum_ipv4_is_good(const uint8_t *header, size_t n)
{
	uint64_t words[2], sum;
	uint32_t last;

	if (n != sizeof words + sizeof last)
		return !checksum_finish(checksum_sum(header, n));
	memcpy(words, header, sizeof words);
	memcpy(&last, header + sizeof words, sizeof last);
	sum = (words[0] & 0xffffffff) + (words[0] >> 32)
	      + (words[1] & 0xffffffff) + (words[1] >> 32) + last;
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return checksum_fold((uint32_t) sum) == 0xffff;
}

/* The checksum after a 16-bit word went from 'old' to 'new': equation 3 of
 * RFC 1624. */
static inline uint16_t
checksum_update(uint16_t checksum, uint16_t old, uint16_t new)
{
	return checksum_finish((uint32_t) (uint16_t) ~checksum
			       + (uint16_t) ~old + new);
}

#endif /* base/checksum.h */
