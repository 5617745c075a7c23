/* SPDX-License-Identifier: Apache-2.0 */

/* Paths that BFD watches: hardware_vtep's Tunnel, ms_vtep's Physical_Locator;
 * and what is down for it. */

#include "agent/model/state.h"

#include <stdlib.h>
#include "agent/base/memory.h"

enum { MIN_RX_MS = 1000, MIN_TX_MS = 100, MULT = 3, MS_MAX = 3600000 };

/* vtep(5), bfd_config_local and bfd_config_remote. */
static const uint8_t usual_mac[6] = { 0x00, 0x23, 0x20, 0x00, 0x00, 0x01 };
static const struct vsw_addr usual_source = { 4, { 169, 254, 1, 0 } };
static const struct vsw_addr usual_destination = { 4, { 169, 254, 1, 1 } };

static void read_table(struct model_state *, enum model_database,
		       const char *name, bool is_tunnel);
static struct model_path *find_path(struct model *, const struct row *);
static void read_path(struct model_state *, enum model_database,
		      struct model_path *, const struct row *,
		      bool is_tunnel);
static void read_params(struct model_path *, const struct datum *);
static void read_ms(struct model_path *, const struct datum *,
		    const char *key, uint32_t fallback, uint32_t *ret_us);
static void read_ends(struct model_path *, const struct datum *local,
		      const struct datum *remote);
static bool is_true(const struct datum *, const char *key);
static void read_locator(struct model_state *, enum model_database,
			 struct model_path *, const struct uuid *,
			 struct vsw_addr *, enum vsw_encap *);
static void complain(struct model_path *, char *problem);
static bool is_place_down(const struct model *, const struct vsw_addr *,
			  enum vsw_encap);

void
path_follow(struct model_state *state)
{
	struct model *model = state->model;
	struct list *paths = &model->paths;

	if (!state->paths_changed)
		return;
	state->paths_changed = false;
	for (struct list *link = paths->next; link != paths; link = link->next)
		LIST_ENTRY(link, struct model_path, link)->is_removed = true;
	read_table(state, DB_MS_VTEP, "Physical_Locator", false);
	read_table(state, DB_HARDWARE_VTEP, "Tunnel", true);
	state->paths_flipped = state->must_tell_paths = true;
	model->paths_version++;
	model->places_version++;
}

/* What is looked at anew are rows that share an address with others: where
 * there is no choice none is made. */
void
path_settle(struct model_state *state)
{
	bool is_changed = false;

	if (!state->paths_flipped)
		return;
	state->paths_flipped = false;
	state->must_tell_paths = true;
	for (int db = 0; db < N_DBS; db++)
		for (size_t i = 0; i < state->places[db].n_buckets; i++) {
			struct keyed *k = state->places[db].buckets[i];

			for (; k; k = k->next) {
				struct place *place =
					KEYED_ENTRY(k, struct place, by_row);
				bool is_down = is_place_down(state->model,
							     &place->pa,
							     place->encap);

				place->has_flipped = is_down != place->is_down;
				place->is_down = is_down;
				is_changed |= place->has_flipped;
			}
		}
	if (is_changed)
		mapping_flip(state);
}

void
path_done(struct model_state *state)
{
	while (!list_is_empty(&state->model->paths))
		model_forget_path(state->model,
				  LIST_ENTRY(state->model->paths.next,
					     struct model_path, link));
}

void
model_path_set(struct model *model, struct model_path *path,
	       const struct model_path_state *now)
{
	if (path->is_told && !memcmp(&path->now, now, sizeof *now))
		return;
	if (path->now.is_forwarding != now->is_forwarding || !path->is_told)
		model->state->paths_flipped = true;
	path->now = *now;
	path->is_told = true;
	model->state->must_tell_paths = true;
	model->state->is_dirty = true;
}

void
model_forget_path(struct model *model, struct model_path *path)
{
	(void) model;
	list_remove(&path->link);
	free(path->problem);
	free(path);
}

static void
read_table(struct model_state *state, enum model_database db,
	   const char *name, bool is_tunnel)
{
	const struct table *table = state_table(state, db, name);
	const char *column = is_tunnel ? "bfd_params" : "bfd";
	const struct row *row;

	if (!table)
		return;
	for (row = table_first(table); row; row = table_next(table, row)) {
		struct model_path *path;
		struct datum room;

		if (!is_true(row_get(row, column, &room), "enable"))
			continue;
		path = find_path(state->model, row);
		if (!path) {
			path = xcalloc(1, sizeof *path);
			path->row = *row_uuid(row);
			path->database = database_text(db);
			list_append(&state->model->paths, &path->link);
		}
		path->is_removed = false;
		read_path(state, db, path, row, is_tunnel);
	}
}

static struct model_path *
find_path(struct model *model, const struct row *row)
{
	for (struct list *link = model->paths.next; link != &model->paths;
	     link = link->next) {
		struct model_path *path =
			LIST_ENTRY(link, struct model_path, link);

		if (uuid_equal(&path->row, row_uuid(row)))
			return path;
	}
	return NULL;
}

static void
read_path(struct model_state *state, enum model_database db,
	  struct model_path *path, const struct row *row, bool is_tunnel)
{
	static const struct vsw_addr any;
	struct datum room, remote_room;
	const struct datum *local, *remote;
	enum vsw_encap encap;

	free(path->problem);
	path->problem = NULL;
	path->local = any;
	if (is_tunnel) {
		read_locator(state, db, path,
			     datum_uuid(row_get(row, "local", &room)),
			     &path->local, &encap);
		read_locator(state, db, path,
			     datum_uuid(row_get(row, "remote", &room)),
			     &path->remote, &path->encap);
		local = row_get(row, "bfd_config_local", &room);
		remote = row_get(row, "bfd_config_remote", &remote_room);
		read_ends(path, local, remote);
		read_params(path, row_get(row, "bfd_params", &room));
	} else {
		read_locator(state, db, path, row_uuid(row), &path->remote,
			     &path->encap);
		local = row_get(row, "bfd", &room);
		read_ends(path, NULL, local);
		read_params(path, local);
	}
}

static void
read_params(struct model_path *path, const struct datum *params)
{
	const char *mult = datum_map_string(params, "mult", NULL);
	unsigned long n = mult ? strtoul(mult, NULL, 10) : MULT;

	read_ms(path, params, "min_rx", MIN_RX_MS, &path->min_rx_us);
	read_ms(path, params, "min_tx", MIN_TX_MS, &path->min_tx_us);
	if (n < 1 || n > UINT8_MAX)
		complain(path, xasprintf("mult \"%s\"", mult));
	else
		path->mult = (uint8_t) n;
	path->cpath_down = is_true(params, "cpath_down");
}

static void
read_ms(struct model_path *path, const struct datum *params, const char *key,
	uint32_t fallback, uint32_t *ret_us)
{
	const char *text = datum_map_string(params, key, NULL);
	unsigned long ms = fallback;
	char *end = NULL;

	if (text)
		ms = strtoul(text, &end, 10);
	if (text && (end == text || *end || ms < 1 || ms > MS_MAX)) {
		complain(path, xasprintf("%s \"%s\"", key, text));
		ms = fallback;
	}
	*ret_us = (uint32_t) ms * 1000;
}

static void
read_ends(struct model_path *path, const struct datum *local,
	  const struct datum *remote)
{
	const char *text;

	memcpy(path->local_mac, usual_mac, 6);
	memcpy(path->remote_mac, usual_mac, 6);
	path->local_ip = usual_source;
	path->remote_ip = usual_destination;
	text = local ? datum_map_string(local, "bfd_dst_mac", NULL) : NULL;
	if (text && !model_mac_from_text(text, path->local_mac))
		complain(path, xasprintf("bfd_dst_mac \"%s\"", text));
	text = datum_map_string(remote, "bfd_dst_mac", NULL);
	if (text && !model_mac_from_text(text, path->remote_mac))
		complain(path, xasprintf("bfd_dst_mac \"%s\"", text));
	text = local ? datum_map_string(local, "bfd_dst_ip", NULL) : NULL;
	if (text && (!model_addr_from_text(text, &path->local_ip)
		     || path->local_ip.n != 4))
		complain(path, xasprintf("bfd_dst_ip \"%s\"", text));
	text = datum_map_string(remote, "bfd_dst_ip", NULL);
	if (text && (!model_addr_from_text(text, &path->remote_ip)
		     || path->remote_ip.n != 4))
		complain(path, xasprintf("bfd_dst_ip \"%s\"", text));
}

static bool
is_true(const struct datum *map, const char *key)
{
	return !strcmp(datum_map_string(map, key, ""), "true");
}

static void
read_locator(struct model_state *state, enum model_database db,
	     struct model_path *path, const struct uuid *uuid,
	     struct vsw_addr *addr, enum vsw_encap *encap)
{
	const struct row *row = state_row(state, db, ROW_LOCATOR, uuid);
	const char *ip = row ? row_string(row, "dst_ip", "") : "";
	const char *text = row ? row_string(row, "encapsulation_type", "")
			       : "";

	*encap = strstr(text, "nvgre") ? VSW_ENCAP_NVGRE : VSW_ENCAP_VXLAN;
	if (!model_addr_from_text(ip, addr))
		complain(path, xasprintf("locator's dst_ip \"%s\"", ip));
}

/* The first counts. */
static void
complain(struct model_path *path, char *problem)
{
	if (path->problem)
		free(problem);
	else
		path->problem = problem;
}

/* If it is watched, and nobody who watches it finds it up. */
static bool
is_place_down(const struct model *model, const struct vsw_addr *pa,
	      enum vsw_encap encap)
{
	bool is_watched = false;

	for (const struct list *link = model->paths.next;
	     link != &model->paths; link = link->next) {
		const struct model_path *path =
			LIST_ENTRY(link, const struct model_path, link);

		if (path->is_removed || path->problem || path->encap != encap
		    || path->remote.n != pa->n
		    || memcmp(path->remote.bytes, pa->bytes, pa->n))
			continue;
		if (path->now.is_forwarding)
			return false;
		is_watched = true;
	}
	return is_watched;
}
