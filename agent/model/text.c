/* SPDX-License-Identifier: Apache-2.0 */

/* How MAC addresses, IP addresses and prefixes are spelled: many ways in, one
 * way out. */

#include "agent/model/model.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static int digit_value(char);
static bool is_mac_shape(const char *, char separator, unsigned step);

bool
model_mac_from_text(const char *text, uint8_t ret_mac[6])
{
	uint8_t mac[6];
	unsigned n = 0;

	if (!is_mac_shape(text, ':', 2) && !is_mac_shape(text, '-', 2)
	    && !is_mac_shape(text, '.', 4) && !is_mac_shape(text, '\0', 12))
		return false;
	for (const char *p = text; *p; p++) {
		int value = digit_value(*p);

		if (value < 0)
			continue;
		mac[n / 2] = n % 2 ? mac[n / 2] << 4 | value : value;
		n++;
	}
	memcpy(ret_mac, mac, sizeof mac);
	return true;
}

void
model_mac_to_text(const uint8_t mac[6], char ret_text[MODEL_MAC_TEXT_SIZE])
{
	snprintf(ret_text, MODEL_MAC_TEXT_SIZE,
		 "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}

bool
model_addr_from_text(const char *text, struct vsw_addr *ret_addr)
{
	struct vsw_addr addr;

	memset(&addr, 0, sizeof addr);
	if (inet_pton(AF_INET, text, addr.bytes) == 1)
		addr.n = 4;
	else if (inet_pton(AF_INET6, text, addr.bytes) == 1)
		addr.n = 16;
	else
		return false;
	*ret_addr = addr;
	return true;
}

void
model_addr_to_text(const struct vsw_addr *addr,
		   char ret_text[MODEL_ADDR_TEXT_SIZE])
{
	ret_text[0] = '\0';
	if (addr->n)
		inet_ntop(addr->n == 4 ? AF_INET : AF_INET6, addr->bytes,
			  ret_text, MODEL_ADDR_TEXT_SIZE);
}

bool
model_prefix_from_text(const char *text, struct vsw_addr *ret_addr,
		       unsigned *ret_bits)
{
	const char *slash = strchr(text, '/');
	size_t size = slash ? (size_t) (slash - text) : strlen(text);
	char address[MODEL_ADDR_TEXT_SIZE];
	struct vsw_addr addr;
	unsigned bits = 0;

	if (size >= sizeof address)
		return false;
	memcpy(address, text, size);
	address[size] = '\0';
	if (!model_addr_from_text(address, &addr))
		return false;
	if (!slash) {
		bits = addr.n * 8;
	} else {
		const char *p = slash + 1;

		if (!*p || (*p == '0' && p[1]))
			return false;
		for (; *p; p++) {
			if (!isdigit((unsigned char) *p))
				return false;
			bits = bits * 10 + (*p - '0');
			if (bits > addr.n * 8u)
				return false;
		}
	}
	*ret_addr = addr;
	*ret_bits = bits;
	return true;
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Twelve digits with 'separator' after each 'step' of them. */
static bool
is_mac_shape(const char *text, char separator, unsigned step)
{
	for (unsigned n = 0; n < 12; n++) {
		if (n && n % step == 0 && *text++ != separator)
			return false;
		if (digit_value(*text++) < 0)
			return false;
	}
	return *text == '\0';
}
