/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CTL_PCAP_H
#define CTL_PCAP_H 1

/* Frames of a capture file, in the format of libpcap (not pcapng), of Ethernet,
 * in either byte order: "FILE" has the first 100 of them, "FILE:N" the N-th
 * alone, from 1 on.  Problems are fatal. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct pcap {
	FILE *file;
	char *name;
	bool is_swapped;
	unsigned long only;		/* 0: all, up to 100. */
	unsigned long n;		/* That were read. */
};

void pcap_open(struct pcap *, const char *name);
void pcap_close(struct pcap *);
/* The next frame's bytes in hexadecimal, to be freed; NULL: no more. */
char *pcap_next(struct pcap *);

#endif /* ctl/pcap.h */
