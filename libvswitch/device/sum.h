/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DEVICE_SUM_H
#define DEVICE_SUM_H 1

/* The Internet checksum (RFC 1071), and big-endian bytes.
 *
 * A sum is kept unfolded in 64 bits, in the byte order of the machine: the sum
 * of the same bytes in the other order is the same number with its bytes
 * swapped, so only what meets a field goes through sum_fold(). */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Adds 'size' bytes to 'sum'.  They stand at an even distance from what was
 * summed before; an odd last byte is followed by a zero. */
uint64_t sum_add(uint64_t sum, const void *bytes, size_t size);

/* The sum as a field's two bytes hold it, not complemented. */
static inline uint16_t
sum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) sum;
}

/* 'value' as it would be summed if it stood in the packet. */
static inline uint64_t
sum_be16(uint16_t value)
{
	const uint8_t bytes[2] = { (uint8_t) (value >> 8), (uint8_t) value };
	uint16_t word;

	memcpy(&word, bytes, 2);
	return word;
}

/* Writes a field; 'field' is as sum_fold() returns it. */
static inline void
sum_put(uint8_t *at, uint16_t field)
{
	memcpy(at, &field, 2);
}

static inline uint16_t
sum_get(const uint8_t *at)
{
	uint16_t field;

	memcpy(&field, at, 2);
	return field;
}

static inline uint16_t
be16_get(const uint8_t *at)
{
	return (uint16_t) (at[0] << 8 | at[1]);
}

static inline uint32_t
be32_get(const uint8_t *at)
{
	return (uint32_t) be16_get(at) << 16 | be16_get(at + 2);
}

static inline void
be16_put(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t) (value >> 8);
	at[1] = (uint8_t) value;
}

static inline void
be32_put(uint8_t *at, uint32_t value)
{
	be16_put(at, (uint16_t) (value >> 16));
	be16_put(at + 2, (uint16_t) value);
}

#endif /* device/sum.h */
