/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/answer/frame.h"

#include <string.h>

enum {
	ETH_SIZE = 14,
	ETH_TYPE_VLAN = 0x8100,
	ETH_TYPE_IPV4 = 0x0800,
	ETH_TYPE_IPV6 = 0x86dd,
	IPV4_SIZE = 20,
	IPV6_SIZE = 40
};

static uint16_t be16(const uint8_t *);
static void read_ipv4(struct frame *, size_t whole);
static void read_ipv6(struct frame *, size_t whole);
static void end_at(struct frame *, size_t end);

bool
frame_read(const void *bytes, size_t size, struct frame *ret_frame)
{
	return frame_read_cut(bytes, size, size, ret_frame);
}

bool
frame_read_cut(const void *bytes, size_t size, size_t whole,
	       struct frame *ret_frame)
{
	struct frame f = { .bytes = bytes, .size = size,
			   .is_cut = size < whole };

	if (size < ETH_SIZE)
		return false;
	memcpy(f.eth_dst, f.bytes, 6);
	memcpy(f.eth_src, f.bytes + 6, 6);
	f.eth_type = be16(f.bytes + 12);
	f.l3 = ETH_SIZE;
	if (f.eth_type == ETH_TYPE_VLAN) {
		if (size < ETH_SIZE + 4)
			return false;
		f.eth_type = be16(f.bytes + 16);
		f.l3 += 4;
	}
	if (f.eth_type == ETH_TYPE_IPV4)
		read_ipv4(&f, whole);
	else if (f.eth_type == ETH_TYPE_IPV6)
		read_ipv6(&f, whole);
	*ret_frame = f;
	return true;
}

uint32_t
frame_sum(const void *bytes, size_t size, uint32_t sum)
{
	const uint8_t *p = bytes;

	for (; size >= 2; p += 2, size -= 2)
		sum += be16(p);
	if (size)
		sum += (uint32_t) p[0] << 8;
	return (sum & 0xffff) + (sum >> 16);
}

uint16_t
frame_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~sum;
}

uint32_t
frame_sum_ipv6(const struct vsw_addr *src, const struct vsw_addr *dst,
	       uint8_t proto, size_t size)
{
	uint32_t sum = frame_sum(src->bytes, 16, proto);

	sum = frame_sum(dst->bytes, 16, sum);
	return sum + (uint32_t) (size & 0xffff) + (uint32_t) (size >> 16);
}

bool
asker_gateway(const struct asker *asker, const struct vsw_addr *addr)
{
	const struct model_subnet *own = asker->port->subnet;
	const struct list *link;

	if (model_find_gateway(own, addr))
		return true;
	if (!own->router || !own->router->is_enabled)
		return false;
	for (link = asker->model->subnets.next;
	     link != &asker->model->subnets; link = link->next) {
		const struct model_subnet *other =
			LIST_ENTRY(link, const struct model_subnet, link);

		if (other->router == own->router
		    && model_find_gateway(other, addr))
			return true;
	}
	return false;
}

static uint16_t
be16(const uint8_t *p)
{
	return (uint16_t) (p[0] << 8 | p[1]);
}

/* A header that contradicts itself leaves 'proto' 0: nobody answers it. */
static void
read_ipv4(struct frame *f, size_t whole)
{
	const uint8_t *ip = f->bytes + f->l3;
	size_t left = f->size - f->l3, header, total;

	if (left < IPV4_SIZE || ip[0] >> 4 != 4)
		return;
	header = (size_t) (ip[0] & 0x0f) * 4;
	total = be16(ip + 2);
	if (header < IPV4_SIZE || header > left || total < header
	    || total > whole - f->l3 || frame_fold(frame_sum(ip, header, 0)))
		return;
	f->src.n = f->dst.n = 4;
	memcpy(f->src.bytes, ip + 12, 4);
	memcpy(f->dst.bytes, ip + 16, 4);
	f->ttl = ip[8];
	f->proto = ip[9];
	f->is_fragment = be16(ip + 6) & 0x3fff;
	f->l4 = f->l3 + header;
	end_at(f, f->l3 + total);
}

/* Extension headers are not looked behind: those who ask here use none. */
static void
read_ipv6(struct frame *f, size_t whole)
{
	const uint8_t *ip = f->bytes + f->l3;
	size_t left = f->size - f->l3, payload;

	if (left < IPV6_SIZE || ip[0] >> 4 != 6)
		return;
	payload = be16(ip + 4);
	if (payload > whole - f->l3 - IPV6_SIZE)
		return;
	f->src.n = f->dst.n = 16;
	memcpy(f->src.bytes, ip + 8, 16);
	memcpy(f->dst.bytes, ip + 24, 16);
	f->ttl = ip[7];
	f->proto = ip[6];
	f->l4 = f->l3 + IPV6_SIZE;
	end_at(f, f->l4 + payload);
}

static void
end_at(struct frame *f, size_t end)
{
	f->end = end < f->size ? end : f->size;
	f->reads_ip = true;
}
