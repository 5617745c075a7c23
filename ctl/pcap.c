/* SPDX-License-Identifier: Apache-2.0 */

#include "ctl/pcap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <db-ctl-base.h>
#include <openvswitch/util.h>
#include <util.h>

enum {
	MAGIC_US = 0xa1b2c3d4,		/* Times in microseconds, */
	LINKTYPE_ETHERNET = 1,
	FRAME_MAX = 9216,		/* As the agent takes them. */
	FRAMES_MAX = 100
};
#define MAGIC_PCAPNG 0x0a0d0d0aU	/* The same either way round. */
#define MAGIC_NS 0xa1b23c4dU		/* or in nanoseconds. */

static uint32_t word(const struct pcap *, const uint8_t *);
static bool read_bytes(struct pcap *, void *, size_t);
static char *to_hex(const uint8_t *, size_t);

void
pcap_open(struct pcap *pcap, const char *name)
{
	const char *colon = strrchr(name, ':');
	uint8_t head[24];
	uint32_t magic;
	char *end;

	*pcap = (struct pcap) { .name = xstrdup(name) };
	if (colon && colon[1]) {
		pcap->only = strtoul(colon + 1, &end, 10);
		if (*end || !pcap->only)
			pcap->only = 0;
		else
			pcap->name[colon - name] = '\0';
	}
	pcap->file = fopen(pcap->name, "rb");
	if (!pcap->file)
		ctl_fatal("%s: %s", pcap->name, ovs_strerror(errno));
	if (!read_bytes(pcap, head, sizeof head))
		ctl_fatal("%s: not a capture file", pcap->name);
	magic = word(pcap, head);
	if (magic == MAGIC_PCAPNG)
		ctl_fatal("%s: is in pcapng's format; \"tcpdump -r %s -w FILE\""
			  " makes one that can be read", pcap->name,
			  pcap->name);
	if (magic != (uint32_t) MAGIC_US && magic != MAGIC_NS) {
		pcap->is_swapped = true;
		magic = word(pcap, head);
	}
	if (magic != (uint32_t) MAGIC_US && magic != MAGIC_NS)
		ctl_fatal("%s: not a capture file of libpcap's format",
			  pcap->name);
	if ((word(pcap, head + 20) & 0xffff) != LINKTYPE_ETHERNET)
		ctl_fatal("%s: its frames are not Ethernet's (those of "
			  "\"tcpdump -i any\" are not)", pcap->name);
}

void
pcap_close(struct pcap *pcap)
{
	if (pcap->only && pcap->n < pcap->only)
		ctl_fatal("%s: has %lu frames", pcap->name, pcap->n);
	fclose(pcap->file);
	free(pcap->name);
}

char *
pcap_next(struct pcap *pcap)
{
	uint8_t head[16], frame[FRAME_MAX];

	while (pcap->n < (pcap->only ? pcap->only : FRAMES_MAX)
	       && read_bytes(pcap, head, sizeof head)) {
		uint32_t size = word(pcap, head + 8);

		if (size > sizeof frame || !read_bytes(pcap, frame, size))
			ctl_fatal("%s: frame %lu is cut off, or longer than "
				  "%d bytes", pcap->name, pcap->n + 1,
				  FRAME_MAX);
		if (size != word(pcap, head + 12))
			ctl_fatal("%s: frame %lu was not captured whole",
				  pcap->name, pcap->n + 1);
		if (++pcap->n >= pcap->only)
			return to_hex(frame, size);
	}
	return NULL;
}

static uint32_t
word(const struct pcap *pcap, const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof value);
	return pcap->is_swapped ? __builtin_bswap32(value) : value;
}

static bool
read_bytes(struct pcap *pcap, void *to, size_t size)
{
	return fread(to, 1, size, pcap->file) == size;
}

static char *
to_hex(const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char *text = xmalloc(2 * size + 1);

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * size] = '\0';
	return text;
}
