/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/mss.h"

#include "libvswitch/base/checksum.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/parse.h"

enum {
	TCP_OFFSET = 12, TCP_SYN = 0x02,
	OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_MSS_SIZE = 4
};

static uint8_t *find_option(uint8_t *tcp, uint32_t size);
static void replace(struct vsw_packet *, uint8_t *tcp, uint8_t *at,
		    uint16_t mss);

void
mss_clamp(struct vsw_packet *packet, const struct headers *h, uint16_t mss)
{
	uint8_t *tcp = packet->data + h->l4, *option;
	uint32_t size;

	if (!(h->tcp_flags & TCP_SYN) || h->l4 == HEADER_NONE
	    || h->l3_end - h->l4 < TCP_HEADER_SIZE)
		return;
	size = (tcp[TCP_OFFSET] >> 4) * 4u;
	if (size > h->l3_end - h->l4)
		return;
	option = find_option(tcp, size);
	if (option && get_be16(option + 2) > mss)
		replace(packet, tcp, option + 2, mss);
}

static uint8_t *
find_option(uint8_t *tcp, uint32_t size)
{
	uint32_t at = TCP_HEADER_SIZE;

	while (at + OPTION_MSS_SIZE <= size && tcp[at] != OPTION_END) {
		if (tcp[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (tcp[at] == OPTION_MSS)
			return tcp[at + 1] == OPTION_MSS_SIZE ? tcp + at
							      : NULL;
		if (tcp[at + 1] < 2)
			return NULL;
		at += tcp[at + 1];
	}
	return NULL;
}

/* A checksum that is partial does not cover it yet.  At an odd place its bytes
 * are in two words, and count as if they were swapped in one (RFC 1071, section
 * 2(B)). */
static void
replace(struct vsw_packet *packet, uint8_t *tcp, uint8_t *at, uint16_t mss)
{
	uint8_t *field = tcp + TCP_CHECKSUM_OFFSET;
	uint16_t old = get_be16(at), new = mss;

	put_be16(at, mss);
	if (packet->offload.checksum == VSW_CHECKSUM_PARTIAL)
		return;
	if ((at - tcp) & 1) {
		old = __builtin_bswap16(old);
		new = __builtin_bswap16(new);
	}
	put_be16(field, checksum_update(get_be16(field), old, new));
}
