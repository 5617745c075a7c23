/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/ovsdb/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "{\"id\":1,\"method\":\"transact\",\"params\":[\"hardware_vtep\""
#define TABLE "\"table\":\"Ucast_Macs_Remote\""

static uint32_t keep_uuids(char (*)[36], uint32_t n_max, const char *reply,
			   size_t);
static void add_insert(struct text *, uint32_t i, const char *logical_switch,
		       const char *locator);
static void add_mac(struct text *, uint32_t i);
static void add_address(struct text *, uint32_t i);
static void add_locator(struct text *, unsigned i);

void
rows_begin(struct rows *rows, struct client *client, uint32_t n_max)
{
	char uuids[N_SWITCHES + 2 * N_LOCATORS][36];
	struct text text = { .n = 0 };
	const char *reply;
	size_t size;

	text_addf(&text, BEGIN);
	for (unsigned i = 0; i < N_SWITCHES; i++)
		text_addf(&text, ",{\"op\":\"insert\",\"table\":"
			  "\"Logical_Switch\",\"uuid-name\":\"s%u\",\"row\":{"
			  "\"name\":\"ls%u\",\"tunnel_key\":%u}}", i, i,
			  5000 + i);
	for (unsigned i = 0; i < N_LOCATORS; i++)
		add_locator(&text, i);
	for (unsigned i = 0; i < N_LOCATORS; i++) {
		text_addf(&text, ",{\"op\":\"insert\"," TABLE ",\"row\":{"
			  "\"logical_switch\":[\"named-uuid\",\"s%u\"],"
			  "\"locator\":[\"named-uuid\",\"l%u\"],\"MAC\":\"",
			  i % N_SWITCHES, i);
		add_mac(&text, i);
		text_addf(&text, "\",\"ipaddr\":\"");
		add_address(&text, i);
		text_addf(&text, "\"}}");
	}
	text_addf(&text, "]}");
	reply = client_call(client, &size, "%.*s", (int) text.n, text.at);
	free(text.at);
	if (keep_uuids(uuids, N_SWITCHES + 2 * N_LOCATORS, reply, size)
	    != N_SWITCHES + 2 * N_LOCATORS)
		die("the first rows were not put in: %.*s", (int) size, reply);
	memcpy(rows->switches, uuids, sizeof rows->switches);
	memcpy(rows->locators, uuids + N_SWITCHES, sizeof rows->locators);
	rows->uuids = malloc(n_max * sizeof *rows->uuids);
	if (!rows->uuids)
		die("no memory");
	memcpy(rows->uuids, uuids + N_SWITCHES + N_LOCATORS,
	       N_LOCATORS * sizeof *rows->uuids);
	rows->n = N_LOCATORS;
}

static void
add_locator(struct text *text, unsigned i)
{
	text_addf(text, ",{\"op\":\"insert\",\"table\":\"Physical_Locator\","
		  "\"uuid-name\":\"l%u\",\"row\":{\"dst_ip\":\"192.0.2.%u\","
		  "\"encapsulation_type\":\"vxlan_over_ipv4\"}}", i, i + 1);
}

static uint32_t
keep_uuids(char (*uuids)[36], uint32_t n_max, const char *reply, size_t size)
{
	static const char name[] = "[\"uuid\",\"";
	const char *end = reply + size, *at = reply;
	uint32_t n = 0;

	while ((at = memmem(at, end - at, name, sizeof name - 1))) {
		at += sizeof name - 1;
		if (end - at < 36 || n == n_max)
			return 0;
		memcpy(uuids[n++], at, 36);
		at += 36;
	}
	return n;
}

void
rows_free(struct rows *rows)
{
	free(rows->uuids);
	memset(rows, 0, sizeof *rows);
}

void
rows_load(struct rows *rows, struct client *client, uint32_t n,
	  uint32_t n_each, uint32_t window)
{
	uint32_t n_sent = rows->n, end = rows->n + n, n_waiting = 0;
	struct text text = { .n = 0 };

	while (rows->n < end) {
		const char *reply;
		size_t size;

		/* By halves, so that single rows share writes. */
		text.n = 0;
		while (n_waiting < window && n_sent < end
		       && (text.n || n_waiting <= window / 2)) {
			uint32_t last = n_sent + n_each;

			text_add(&text, BEGIN, sizeof BEGIN - 1);
			for (last = last < end ? last : end; n_sent < last;
			     n_sent++)
				add_insert(&text, n_sent,
					   rows->switches[n_sent % N_SWITCHES],
					   rows->locators[n_sent
							  % N_LOCATORS]);
			text_add(&text, "]}", 2);
			n_waiting++;
		}
		client_send(client, text.at, text.n);
		reply = client_receive(client, &size);
		client_check(reply, size);
		n = keep_uuids(rows->uuids + rows->n, n_each, reply, size);
		if (n != n_each && rows->n + n != end)
			die("%u rows put in, and the server says %u", n_each,
			    n);
		rows->n += n;
		n_waiting--;
	}
	free(text.at);
}

static void
add_insert(struct text *text, uint32_t i, const char *logical_switch,
	   const char *locator)
{
	static const char
		head[] = ",{\"op\":\"insert\"," TABLE ",\"row\":{\"MAC\":\"",
		address[] = "\",\"ipaddr\":\"",
		on[] = "\",\"logical_switch\":[\"uuid\",\"",
		at[] = "\"],\"locator\":[\"uuid\",\"",
		tail[] = "\"]}}";

	text_add(text, head, sizeof head - 1);
	add_mac(text, i);
	text_add(text, address, sizeof address - 1);
	add_address(text, i);
	text_add(text, on, sizeof on - 1);
	text_add(text, logical_switch, 36);
	text_add(text, at, sizeof at - 1);
	text_add(text, locator, 36);
	text_add(text, tail, sizeof tail - 1);
}

static void
add_mac(struct text *text, uint32_t i)
{
	static const char digits[] = "0123456789abcdef";
	char mac[17] = "02:00:00:00:00:00";

	for (int at = 16; i; at -= at % 3 == 1 ? 1 : 2, i >>= 4)
		mac[at] = digits[i & 15];
	text_add(text, mac, sizeof mac);
}

static void
add_address(struct text *text, uint32_t i)
{
	char bytes[16];
	int n = 0;

	/* From 10.0.0.0 on. */
	bytes[n++] = '1';
	bytes[n++] = '0' + (i >> 24);
	for (int shift = 16; shift >= 0; shift -= 8) {
		unsigned byte = i >> shift & 255;

		bytes[n++] = '.';
		if (byte >= 100)
			bytes[n++] = '0' + byte / 100;
		if (byte >= 10)
			bytes[n++] = '0' + byte / 10 % 10;
		bytes[n++] = '0' + byte % 10;
	}
	text_add(text, bytes, n);
}

void
rows_update(struct rows *rows, struct text *text, uint32_t i, bool by_mac,
	    bool durable)
{
	static const char
		head[] = BEGIN ",{\"op\":\"update\"," TABLE ",\"where\":[[",
		uuid[] = "\"_uuid\",\"==\",[\"uuid\",\"",
		mac[] = "\"MAC\",\"==\",\"",
		end_of_uuid[] = "\"]", end_of_mac[] = "\"",
		row[] = "]],\"row\":{\"ipaddr\":\"",
		tail[] = "\"}}",
		commit[] = ",{\"op\":\"commit\",\"durable\":true}";

	text_add(text, head, sizeof head - 1);
	if (by_mac) {
		text_add(text, mac, sizeof mac - 1);
		add_mac(text, i);
		text_add(text, end_of_mac, sizeof end_of_mac - 1);
	} else {
		text_add(text, uuid, sizeof uuid - 1);
		text_add(text, rows->uuids[i], 36);
		text_add(text, end_of_uuid, sizeof end_of_uuid - 1);
	}
	text_add(text, row, sizeof row - 1);
	add_address(text, (1 << 24) + rows->n_updates++);
	text_add(text, tail, sizeof tail - 1);
	if (durable)
		text_add(text, commit, sizeof commit - 1);
	text_add(text, "]}", 2);
}

void
rows_check_update(const char *reply, size_t size)
{
	static const char one[] = "{\"count\":1}";

	client_check(reply, size);
	if (!memmem(reply, size, one, sizeof one - 1))
		die("a row was not updated: %.*s", (int) size, reply);
}

void
rows_select(const struct rows *rows, struct client *client, uint32_t i)
{
	const char *reply;
	size_t size;

	reply = client_call(client, &size, BEGIN ",{\"op\":\"select\"," TABLE
			    ",\"where\":[[\"_uuid\",\"==\",[\"uuid\","
			    "\"%.36s\"]]],\"columns\":[\"MAC\"]}]}",
			    rows->uuids[i]);
	if (!memmem(reply, size, "\"MAC\":\"02:", 10))
		die("row %u is not there: %.*s", i, (int) size, reply);
}

void
rows_monitor(struct text *text, const char *since)
{
	static const char tables[] = "{\"Ucast_Macs_Remote\":[{\"columns\":["
		"\"MAC\",\"ipaddr\",\"locator\",\"logical_switch\"]}]}";

	if (since)
		text_addf(text, "{\"id\":1,\"method\":\"monitor_cond_since\","
			  "\"params\":[\"hardware_vtep\",\"all\",%s,\"%s\"]}",
			  tables, since);
	else
		text_addf(text, "{\"id\":1,\"method\":\"monitor\","
			  "\"params\":[\"hardware_vtep\",\"all\",%s]}",
			  tables);
}

uint64_t
rows_drained(const struct drained *drained)
{
	/* The message, its tables, their rows; two for each row. */
	return drained->n_braces < 3 ? 0 : (drained->n_braces - 3) / 2;
}
