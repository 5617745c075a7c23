/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/walk/frame.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { ETH, VLAN, ARP, IP4, IP6, EXT, TCP, UDP, ICMP, ICMP6, SCTP,
	    VXLAN, NVGRE };

enum { MAX_LAYERS = 24, MAX_TEXT = 8192 };

/* A header that was begun, with what its options asked for. */
struct layer {
	enum kind kind;
	size_t at;
	long length;			/* To lie about; -1: the truth. */
	bool no_sum, bad_sum, partial;
};

struct maker {
	struct frame *f;
	char text[MAX_TEXT];
	char *save;
	char *word;			/* NULL: at the end. */
	struct layer layers[MAX_LAYERS];
	size_t n_layers;
	size_t next_at, next_size;	/* The field that says what follows. */
	size_t pad, cut;
	long segment_size;
	bool is_bad;
};

static void bad(struct maker *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void advance(struct maker *);
static bool eat(struct maker *, const char *word);
static long number(struct maker *);
static uint8_t *append(struct maker *, size_t n);
static struct layer *begin(struct maker *, enum kind, size_t size,
			   unsigned follows);
static void put16(uint8_t *, unsigned long);
static void put32(uint8_t *, unsigned long);
static void pair(struct maker *, char left[64], char right[64]);
static void mac(struct maker *, const char *text, uint8_t *to);
static int address(struct maker *, const char *text, uint8_t *to);
static void make_layer(struct maker *);
static void make_tunnel(struct maker *);
static void make_eth(struct maker *);
static void make_vlan(struct maker *);
static void make_arp(struct maker *);
static void make_ip(struct maker *);
static void ip4_options(struct maker *, struct layer *);
static void make_extension(struct maker *);
static void ports(struct maker *, uint8_t *to);
static void make_tcp(struct maker *);
static void make_udp(struct maker *);
static void make_icmp(struct maker *, bool is_icmp6);
static void make_vxlan(struct maker *);
static void make_nvgre(struct maker *);
static void make_payload(struct maker *);
static void make_hex(struct maker *);
static void finish(struct maker *);
static void finish_l4(struct maker *, struct layer *, size_t index);

bool
frame_make(const char *text, struct frame *ret_frame)
{
	static struct maker m;

	m = (struct maker) { .f = ret_frame, .cut = FRAME_MAX };
	ret_frame->size = 0;
	ret_frame->offload = (struct vsw_offload) { 0 };
	ret_frame->tunnel = (struct vsw_tunnel) { 0 };
	ret_frame->problem[0] = '\0';
	snprintf(m.text, sizeof m.text, "%s", text);
	m.word = strtok_r(m.text, " \t\n", &m.save);
	while (m.word && !m.is_bad)
		make_layer(&m);
	if (!m.is_bad)
		finish(&m);
	return !m.is_bad;
}

void
frame_must_make(struct frame *ret_frame, const char *format, ...)
{
	char text[MAX_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (!frame_make(text, ret_frame)) {
		fprintf(stderr, "%s: %s\n", text, ret_frame->problem);
		abort();
	}
}

bool
frame_matches(const struct frame *expected, const uint8_t *bytes, size_t size)
{
	if (size != expected->size)
		return false;
	for (size_t i = 0; i < size; i++)
		if ((bytes[i] ^ expected->bytes[i]) & expected->mask[i])
			return false;
	return true;
}

static void
bad(struct maker *m, const char *format, ...)
{
	va_list args;

	if (m->is_bad)
		return;
	m->is_bad = true;
	va_start(args, format);
	vsnprintf(m->f->problem, sizeof m->f->problem, format, args);
	va_end(args);
}

static void
advance(struct maker *m)
{
	m->word = strtok_r(NULL, " \t\n", &m->save);
}

static bool
eat(struct maker *m, const char *word)
{
	if (!m->word || strcmp(m->word, word))
		return false;
	advance(m);
	return true;
}

static long
number(struct maker *m)
{
	char *end;
	long value;

	if (!m->word) {
		bad(m, "a number is missing at the end");
		return 0;
	}
	value = strtol(m->word, &end, 0);
	if (*end)
		bad(m, "\"%s\" is no number", m->word);
	advance(m);
	return value;
}

static uint8_t *
append(struct maker *m, size_t n)
{
	static uint8_t nowhere[FRAME_MAX];
	uint8_t *p = m->f->bytes + m->f->size;

	if (n > FRAME_MAX - m->f->size) {
		bad(m, "frame is too long");
		return nowhere;
	}
	memset(p, 0, n);
	memset(m->f->mask + m->f->size, 0xff, n);
	m->f->size += n;
	return p;
}

/* Appends a header, and tells the one before it that 'follows' is next. */
static struct layer *
begin(struct maker *m, enum kind kind, size_t size, unsigned follows)
{
	static struct layer nowhere;
	struct layer *layer = &nowhere;

	if (m->next_size == 2)
		put16(m->f->bytes + m->next_at, follows);
	else if (m->next_size == 1)
		m->f->bytes[m->next_at] = (uint8_t) follows;
	m->next_size = 0;
	if (m->n_layers == MAX_LAYERS)
		bad(m, "too many headers");
	else
		layer = &m->layers[m->n_layers++];
	*layer = (struct layer) { .kind = kind, .at = m->f->size,
				  .length = -1 };
	append(m, size);
	return layer;
}

static void
put16(uint8_t *p, unsigned long v)
{
	p[0] = (uint8_t) (v >> 8);
	p[1] = (uint8_t) v;
}

static void
put32(uint8_t *p, unsigned long v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static void
pair(struct maker *m, char left[64], char right[64])
{
	left[0] = right[0] = '\0';
	if (!m->word || sscanf(m->word, "%63[^>]>%63s", left, right) != 2)
		bad(m, "\"%s\" is not FROM>TO", m->word ? m->word : "");
	advance(m);
}

static void
mac(struct maker *m, const char *text, uint8_t *to)
{
	if (!strcmp(text, "broadcast")) {
		memset(to, 0xff, 6);
	} else if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", to, to + 1,
			  to + 2, to + 3, to + 4, to + 5) != 6) {
		unsigned high = 0, low;
		char end;

		/* Short for tests: 02:00:00:00:HH:LL, or :00:LL. */
		if (sscanf(text, "%x:%x%c", &high, &low, &end) != 2) {
			high = 0;
			if (sscanf(text, "%x%c", &low, &end) != 1)
				bad(m, "\"%s\" is no MAC", text);
		}
		memset(to, 0, 6);
		to[0] = 2;
		to[4] = (uint8_t) high;
		to[5] = (uint8_t) low;
	}
}

static int
address(struct maker *m, const char *text, uint8_t *to)
{
	if (inet_pton(AF_INET, text, to) == 1)
		return 4;
	if (inet_pton(AF_INET6, text, to) == 1)
		return 16;
	bad(m, "\"%s\" is no address", text);
	return 4;
}

static void
make_layer(struct maker *m)
{
	if (eat(m, "tunnel"))
		make_tunnel(m);
	else if (eat(m, "eth"))
		make_eth(m);
	else if (eat(m, "vlan"))
		make_vlan(m);
	else if (eat(m, "arp"))
		make_arp(m);
	else if (eat(m, "ip"))
		make_ip(m);
	else if (eat(m, "ext"))
		make_extension(m);
	else if (eat(m, "tcp"))
		make_tcp(m);
	else if (eat(m, "udp"))
		make_udp(m);
	else if (eat(m, "sctp"))
		ports(m, m->f->bytes + begin(m, SCTP, 12, 132)->at);
	else if (eat(m, "icmp"))
		make_icmp(m, false);
	else if (eat(m, "icmp6"))
		make_icmp(m, true);
	else if (eat(m, "vxlan"))
		make_vxlan(m);
	else if (eat(m, "nvgre"))
		make_nvgre(m);
	else if (eat(m, "payload"))
		make_payload(m);
	else if (eat(m, "hex"))
		make_hex(m);
	else if (eat(m, "pad"))
		m->pad = (size_t) number(m);
	else if (eat(m, "cut"))
		m->cut = (size_t) number(m);
	else if (eat(m, "segments"))
		m->segment_size = number(m);
	else
		bad(m, "\"%s\" is no header", m->word);
}

/* tunnel vxlan|nvgre VNI SRC>DST [tos N]: the outer side as data. */
static void
make_tunnel(struct maker *m)
{
	struct vsw_tunnel *t = &m->f->tunnel;
	char src[64], dst[64];

	t->encap = VSW_ENCAP_VXLAN;
	if (eat(m, "nvgre"))
		t->encap = VSW_ENCAP_NVGRE;
	else if (!eat(m, "vxlan"))
		bad(m, "\"%s\" is no encapsulation", m->word ? m->word : "");
	t->vni = (uint32_t) number(m);
	pair(m, src, dst);
	if (m->is_bad)
		return;
	if (strcmp(src, "*"))
		t->src.n = (uint8_t) address(m, src, t->src.bytes);
	t->dst.n = (uint8_t) address(m, dst, t->dst.bytes);
	if (eat(m, "tos"))
		t->tos = (uint8_t) number(m);
}

static void
make_eth(struct maker *m)
{
	uint8_t *p = m->f->bytes + begin(m, ETH, 14, 0)->at;
	char src[64], dst[64];

	pair(m, src, dst);
	mac(m, dst, p);
	mac(m, src, p + 6);
	m->next_at = (size_t) (p + 12 - m->f->bytes);
	m->next_size = 2;
	if (eat(m, "type")) {
		put16(p + 12, (unsigned long) number(m));
		m->next_size = 0;
	}
}

static void
make_vlan(struct maker *m)
{
	uint8_t *p = m->f->bytes + begin(m, VLAN, 4, 0x8100)->at;

	put16(p, (unsigned long) number(m));
	m->next_at = (size_t) (p + 2 - m->f->bytes);
	m->next_size = 2;
	if (eat(m, "type")) {
		put16(p + 2, (unsigned long) number(m));
		m->next_size = 0;
	}
}

/* arp request|reply SPA>TPA: MACs as in the Ethernet header. */
static void
make_arp(struct maker *m)
{
	uint8_t *p = m->f->bytes + begin(m, ARP, 28, 0x0806)->at;
	const uint8_t *eth = m->f->bytes + m->layers[0].at;
	char src[64], dst[64];

	put16(p, 1);
	put16(p + 2, 0x0800);
	p[4] = 6;
	p[5] = 4;
	p[7] = 1;
	if (eat(m, "reply"))
		p[7] = 2;
	else if (!eat(m, "request"))
		p[7] = (uint8_t) number(m);
	pair(m, src, dst);
	memcpy(p + 8, eth + 6, 6);
	if (m->is_bad)
		return;
	address(m, src, p + 14);
	if (p[7] != 1)
		memcpy(p + 18, eth, 6);
	address(m, dst, p + 24);
}

static void
make_ip(struct maker *m)
{
	uint8_t addrs[2][16] = { { 0 } };
	char src[64], dst[64];
	struct layer *layer;
	uint8_t *p;

	pair(m, src, dst);
	if (m->is_bad)
		return;
	if (address(m, src, addrs[0]) == 4) {
		address(m, dst, addrs[1]);
		layer = begin(m, IP4, 20, 0x0800);
		p = m->f->bytes + layer->at;
		p[0] = 0x45;
		p[8] = 64;
		memcpy(p + 12, addrs[0], 4);
		memcpy(p + 16, addrs[1], 4);
		m->next_at = layer->at + 9;
		m->next_size = 1;
		ip4_options(m, layer);
		return;
	}
	address(m, dst, addrs[1]);
	layer = begin(m, IP6, 40, 0x86dd);
	p = m->f->bytes + layer->at;
	p[0] = 0x60;
	p[6] = 59;
	p[7] = 64;
	memcpy(p + 8, addrs[0], 16);
	memcpy(p + 24, addrs[1], 16);
	m->next_at = layer->at + 6;
	m->next_size = 1;
	for (;;) {
		if (eat(m, "ttl")) {
			p[7] = (uint8_t) number(m);
		} else if (eat(m, "tos")) {
			unsigned tos = (unsigned) number(m);

			p[0] = (uint8_t) (0x60 | tos >> 4);
			p[1] = (uint8_t) (tos << 4);
		} else if (eat(m, "len")) {
			layer->length = number(m);
		} else if (eat(m, "version")) {
			p[0] = (uint8_t) (number(m) << 4);
		} else if (eat(m, "proto")) {
			p[6] = (uint8_t) number(m);
			m->next_size = 0;
		} else {
			return;
		}
	}
}

static void
ip4_options(struct maker *m, struct layer *layer)
{
	uint8_t *p = m->f->bytes + layer->at;
	uint16_t fragment = 0;

	for (;;) {
		if (eat(m, "ttl")) {
			p[8] = (uint8_t) number(m);
		} else if (eat(m, "tos")) {
			p[1] = (uint8_t) number(m);
		} else if (eat(m, "id")) {
			put16(p + 4, (unsigned long) number(m));
		} else if (eat(m, "df")) {
			fragment |= 0x4000;
		} else if (eat(m, "mf")) {
			fragment |= 0x2000;
		} else if (eat(m, "offset")) {
			fragment |= (uint16_t) number(m) & 0x1fff;
		} else if (eat(m, "len")) {
			layer->length = number(m);
		} else if (eat(m, "ihl")) {
			p[0] = (uint8_t) (0x40 | number(m));
		} else if (eat(m, "version")) {
			p[0] = (uint8_t) (number(m) << 4 | (p[0] & 15));
		} else if (eat(m, "options")) {
			size_t n = (size_t) number(m);

			memset(append(m, n), 1, n);	/* No operation. */
			p[0] = (uint8_t) (p[0] + n / 4);
		} else if (eat(m, "proto")) {
			p[9] = (uint8_t) number(m);
			m->next_size = 0;
		} else if (eat(m, "badsum")) {
			layer->bad_sum = true;
		} else {
			break;
		}
	}
	put16(p + 6, fragment);
}

/* ext hop|routing|dest|ah [N]: N more units; ext fragment OFFSET
 * [id N] [mf]. */
static void
make_extension(struct maker *m)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} kinds[] = { { "hop", 0 }, { "routing", 43 }, { "dest", 60 },
		      { "ah", 51 }, { "fragment", 44 } };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		size_t at;
		uint8_t *p;

		if (!eat(m, kinds[i].name))
			continue;
		at = begin(m, EXT, 8, kinds[i].proto)->at;
		p = m->f->bytes + at;
		p[0] = 59;
		m->next_at = at;
		m->next_size = 1;
		if (kinds[i].proto == 44) {
			put16(p + 2, (unsigned long) number(m) << 3);
			if (eat(m, "id"))
				put16(p + 6, (unsigned long) number(m));
			if (eat(m, "mf"))
				p[3] |= 1;
		} else if (kinds[i].proto == 51) {
			p[1] = 4;	/* 24 bytes, in words, minus 2. */
			append(m, 16);
		} else if (m->word && m->word[0] >= '0' && m->word[0] <= '9') {
			p[1] = (uint8_t) number(m);
			append(m, p[1] * 8u);
		}
		return;
	}
	bad(m, "\"%s\" is no extension header", m->word ? m->word : "");
}

static void
ports(struct maker *m, uint8_t *to)
{
	char src[64], dst[64];

	pair(m, src, dst);
	if (!strcmp(src, "*"))
		memset(m->f->mask + (to - m->f->bytes), 0, 2);
	put16(to, strtoul(src, NULL, 0));
	put16(to + 2, strtoul(dst, NULL, 0));
}

static void
make_tcp(struct maker *m)
{
	static const char names[] = "FSRPAUEC";
	struct layer *layer = begin(m, TCP, 20, 6);
	size_t n_options = 0;
	uint8_t *p = m->f->bytes + layer->at;

	ports(m, p);
	p[12] = 5 << 4;
	p[13] = 0x10;
	put16(p + 14, 0xffff);
	for (;;) {
		if (eat(m, "seq")) {
			put32(p + 4, (unsigned long) number(m));
		} else if (eat(m, "ack")) {
			put32(p + 8, (unsigned long) number(m));
		} else if (eat(m, "options")) {
			size_t n = (size_t) number(m);

			memset(append(m, n), 1, n);	/* No operation. */
			n_options += n;
			p[12] = (uint8_t) ((5 + n_options / 4) << 4);
		} else if (eat(m, "mss")) {
			uint8_t *option = append(m, 4);

			option[0] = 2;
			option[1] = 4;
			put16(option + 2, (unsigned) number(m));
			n_options += 4;
			p[12] = (uint8_t) ((5 + n_options / 4) << 4);
		} else if (eat(m, "offset")) {
			p[12] = (uint8_t) (number(m) << 4);
		} else if (eat(m, "badsum")) {
			layer->bad_sum = true;
		} else if (eat(m, "partial")) {
			layer->partial = true;
		} else if (eat(m, "flags")) {
			p[13] = 0;
			for (const char *c = m->word; c && *c; c++)
				if (strchr(names, *c))
					p[13] |= (uint8_t) (1u
						<< (strchr(names, *c)
						    - names));
			advance(m);
		} else {
			return;
		}
	}
}

static void
make_udp(struct maker *m)
{
	struct layer *layer = begin(m, UDP, 8, 17);

	ports(m, m->f->bytes + layer->at);
	for (;;) {
		if (eat(m, "len"))
			layer->length = number(m);
		else if (eat(m, "nosum"))
			layer->no_sum = true;
		else if (eat(m, "badsum"))
			layer->bad_sum = true;
		else if (eat(m, "partial"))
			layer->partial = true;
		else
			return;
	}
}

/* icmp TYPE/CODE [ID]. */
static void
make_icmp(struct maker *m, bool is_icmp6)
{
	struct layer *layer = is_icmp6 ? begin(m, ICMP6, 8, 58)
				       : begin(m, ICMP, 8, 1);
	uint8_t *p = m->f->bytes + layer->at;

	if (!m->word || sscanf(m->word, "%hhu/%hhu", p, p + 1) != 2)
		bad(m, "\"%s\" is not TYPE/CODE", m->word ? m->word : "");
	advance(m);
	if (m->word && m->word[0] >= '0' && m->word[0] <= '9')
		put16(p + 4, (unsigned long) number(m));
}

static void
make_vxlan(struct maker *m)
{
	uint8_t *p = m->f->bytes + begin(m, VXLAN, 8, 0)->at;

	p[0] = 0x08;
	put32(p + 4, (unsigned long) number(m) << 8);
	if (eat(m, "flags"))
		p[0] = (uint8_t) number(m);
}

static void
make_nvgre(struct maker *m)
{
	uint8_t *p = m->f->bytes + begin(m, NVGRE, 8, 47)->at;
	unsigned long vsid = (unsigned long) number(m);

	put16(p, 0x2000);
	put16(p + 2, 0x6558);
	put32(p + 4, vsid << 8);
	for (;;) {
		if (eat(m, "flow")) {
			if (eat(m, "*"))
				m->f->mask[p + 7 - m->f->bytes] = 0;
			else
				p[7] = (uint8_t) number(m);
		} else if (eat(m, "flags")) {
			put16(p, (unsigned long) number(m));
		} else if (eat(m, "proto")) {
			put16(p + 2, (unsigned long) number(m));
		} else {
			return;
		}
	}
}

static void
make_payload(struct maker *m)
{
	size_t n = (size_t) number(m);
	uint8_t *p = append(m, n);

	for (size_t i = 0; i < n && !m->is_bad; i++)
		p[i] = (uint8_t) (i * 7 + i / 251 + 3);
}

static void
make_hex(struct maker *m)
{
	unsigned byte;
	int n;

	for (const char *c = m->word; c && *c; c += 2) {
		if (sscanf(c, "%2x%n", &byte, &n) != 1 || n != 2) {
			bad(m, "\"%s\" is not hexadecimal", c);
			return;
		}
		*append(m, 1) = (uint8_t) byte;
	}
	advance(m);
}

/* From the inside out, since outer checksums cover inner ones. */
static void
finish(struct maker *m)
{
	uint8_t *bytes = m->f->bytes;

	for (size_t i = m->n_layers; i-- > 0;) {
		struct layer *layer = &m->layers[i];
		uint8_t *p = bytes + layer->at;
		size_t size = m->f->size - layer->at;

		if (layer->kind == IP4) {
			put16(p + 2, layer->length >= 0
				     ? (unsigned long) layer->length : size);
			put16(p + 10, 0);
			put16(p + 10, frame_naive_checksum(
				p, (p[0] & 15) * 4u, 0)
				^ (layer->bad_sum ? 0x5a5a : 0));
		} else if (layer->kind == IP6) {
			put16(p + 4, layer->length >= 0
				     ? (unsigned long) layer->length
				     : size - 40);
		} else if (layer->kind >= TCP && layer->kind <= ICMP6) {
			finish_l4(m, layer, i);
		}
	}
	if (m->pad) {
		size_t n = m->pad;

		memset(append(m, n), 0xa5, n);
	}
	if (m->cut < m->f->size)
		m->f->size = m->cut;
}

static void
finish_l4(struct maker *m, struct layer *layer, size_t index)
{
	static const struct {
		size_t sum_at;
		unsigned proto;
	} kinds[] = { [TCP] = { 16, 6 }, [UDP] = { 6, 17 },
		      [ICMP] = { 2, 1 }, [ICMP6] = { 2, 58 } };
	uint8_t *p = m->f->bytes + layer->at;
	uint8_t *field = p + kinds[layer->kind].sum_at;
	size_t size = m->f->size - layer->at;
	uint32_t pseudo = 0;
	uint16_t sum;

	for (size_t i = index; i-- > 0 && layer->kind != ICMP;) {
		const struct layer *ip = &m->layers[i];
		const uint8_t *addr = m->f->bytes + ip->at;

		if (ip->kind != IP4 && ip->kind != IP6)
			continue;
		pseudo = kinds[layer->kind].proto + (uint32_t) size;
		pseudo += (uint16_t) ~frame_naive_checksum(
			addr + (ip->kind == IP4 ? 12 : 8),
			ip->kind == IP4 ? 8 : 32, 0);
		break;
	}
	if (layer->kind == UDP)
		put16(p + 4, layer->length >= 0
			     ? (unsigned long) layer->length : size);
	if (layer->no_sum)
		return;
	if (layer->partial) {
		m->f->offload.checksum = VSW_CHECKSUM_PARTIAL;
		m->f->offload.checksum_start = (uint16_t) layer->at;
		m->f->offload.checksum_offset =
			(uint16_t) kinds[layer->kind].sum_at;
		sum = (uint16_t) ~frame_naive_checksum(NULL, 0, pseudo);
		if (m->segment_size) {
			bool is_v4 = false;

			for (size_t i = 0; i < index; i++)
				is_v4 = m->layers[i].kind == IP4;
			m->f->offload.segment_size =
				(uint16_t) m->segment_size;
			m->f->offload.segment_kind =
				layer->kind == UDP ? VSW_SEGMENT_UDP
				: is_v4 ? VSW_SEGMENT_TCP4 : VSW_SEGMENT_TCP6;
		}
	} else {
		sum = frame_naive_checksum(p, size, pseudo);
		if (!sum && layer->kind == UDP)
			sum = 0xffff;
	}
	put16(field, layer->bad_sum ? sum ^ 0x5a5a : sum);
	if (!m->f->mask[layer->at])
		memset(m->f->mask + (field - m->f->bytes), 0, 2);
}
