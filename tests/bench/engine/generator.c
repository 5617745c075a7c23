/* SPDX-License-Identifier: Apache-2.0 */

/* Makes DPDK's net_pcap a generator for the peer: preloaded, it takes the place
 * of pcap_next() and its kin in the peer's daemon, and gives the engine's own
 * frames (traffic.h), as many flows of them as are asked for, for ever.  What
 * the driver needs for a burst, it counts, so that it can be taken off the
 * daemon's figure.
 *
 *   HNV_FRAMES    frames that "figures frames" wrote; the way that a port has
 *                 is the name of its pcap file
 *   HNV_CONTROL   struct control, shared with who conducts */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

enum { N_WAYS = 2, N_FRAMES = 16, FRAME_MAX = 192, BURST = 32 };

/* As in "figures frames". */
struct way_frames {
	uint32_t size, l4_at;
	uint32_t is_out;
	uint32_t unused;
	uint8_t frames[N_FRAMES][FRAME_MAX];
};

struct control {
	uint64_t active;		/* Bit i: way i is to give packets. */
	uint64_t is_in_order;		/* Flows; else at random. */
	uint64_t n_flows, first_flow;
	uint64_t n_left[N_WAYS];	/* Each way gives so many, then none. */
	/* Whole bursts that were given, and what they took; to be cleared by
	 * who reads. */
	uint64_t n_packets, ticks;
	uint64_t n_flows_of[N_WAYS];	/* Of one way; 0: n_flows. */
};

/* libpcap's. */
struct pcap_header {
	struct timeval when;
	uint32_t captured, size;
};

void *pcap_open_offline(const char *name, char *ret_problem);
const uint8_t *pcap_next(void *pcap, struct pcap_header *ret_header);
int pcap_next_ex(void *pcap, struct pcap_header **ret_header,
		 const uint8_t **ret_frame);

static struct {
	void *pcap;
	uint64_t next, start;
	unsigned n_of_burst;
} ports[N_WAYS];
static struct way_frames *frames;
static volatile struct control *control;

static void set_up(void);
static void *map(const char *variable, size_t size);
static const uint8_t *make(unsigned way, struct pcap_header *ret_header);
static uint64_t pick(unsigned way);
static uint64_t now(void);

void *
pcap_open_offline(const char *name, char *ret_problem)
{
	/* The driver's own, which nobody else sees. */
	void *library = dlopen("libpcap.so.0.8", RTLD_LAZY | RTLD_LOCAL);
	void *(*real)(const char *, char *);
	const char *base = strrchr(name, '/');
	void *pcap;

	*(void **) &real = library ? dlsym(library, "pcap_open_offline")
				   : NULL;
	if (!real)
		return NULL;
	pcap = real(name, ret_problem);
	set_up();
	base = base ? base + 1 : name;
	ports[!strncmp(base, "decap", 5)].pcap = pcap;
	return pcap;
}

/* A driver asks for each packet of a burst by itself: from when the first one
 * is asked for until the last one is, all but one of its packets are made. */
const uint8_t *
pcap_next(void *pcap, struct pcap_header *ret_header)
{
	unsigned way = pcap == ports[1].pcap;

	if (!(control->active & 1u << way) || !control->n_left[way]) {
		ports[way].n_of_burst = 0;
		return NULL;
	}
	control->n_left[way]--;
	if (ports[way].n_of_burst == 0)
		ports[way].start = now();
	if (++ports[way].n_of_burst == BURST) {
		ports[way].n_of_burst = 0;
		control->ticks += now() - ports[way].start;
		control->n_packets += BURST - 1;
	}
	return make(way, ret_header);
}

/* Newer drivers ask this way.  1: a packet; 0: none yet. */
int
pcap_next_ex(void *pcap, struct pcap_header **ret_header,
	     const uint8_t **ret_frame)
{
	static struct pcap_header header;

	*ret_header = &header;
	*ret_frame = pcap_next(pcap, &header);
	return *ret_frame ? 1 : 0;
}

static void
set_up(void)
{
	if (frames)
		return;
	frames = map("HNV_FRAMES", N_WAYS * sizeof *frames);
	control = map("HNV_CONTROL", sizeof *control);
}

static void *
map(const char *variable, size_t size)
{
	const char *name = getenv(variable);
	int fd = name ? open(name, O_RDWR) : -1;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, 0);

	if (memory == MAP_FAILED) {
		fprintf(stderr, "%s: no such file\n", variable);
		abort();
	}
	close(fd);
	return memory;
}

/* As traffic_write(). */
static const uint8_t *
make(unsigned way, struct pcap_header *ret_header)
{
	struct way_frames *f = &frames[way];
	uint64_t flow = pick(way),
		 scattered = flow * UINT64_C(0x9e3779b97f4a7c15);
	uint8_t *frame = f->frames[(scattered >> 32) * N_FRAMES >> 32];
	unsigned near = (unsigned) (flow & 0xffff),
		 far = (unsigned) (2000 + (flow >> 16));
	unsigned src = f->is_out ? near : far, dst = f->is_out ? far : near;
	const uint8_t ports_bytes[4] = {
		(uint8_t) (src >> 8), (uint8_t) src,
		(uint8_t) (dst >> 8), (uint8_t) dst
	};

	memcpy(frame + f->l4_at, ports_bytes, sizeof ports_bytes);
	ret_header->captured = ret_header->size = f->size;
	return frame;
}

static uint64_t
pick(unsigned way)
{
	uint64_t n_flows = control->n_flows_of[way] ? control->n_flows_of[way]
						    : control->n_flows;
	uint64_t x;

	if (control->is_in_order)
		return control->first_flow + ports[way].next++ % n_flows;
	ports[way].next += UINT64_C(0x9e3779b97f4a7c15);
	x = ports[way].next;
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return control->first_flow + ((x >> 32) * n_flows >> 32);
}

static uint64_t
now(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return 0;
#endif
}
