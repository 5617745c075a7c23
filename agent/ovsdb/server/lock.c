/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/lock.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/ovsdb/server/client.h"

enum { MIN_BUCKETS = 16 };

struct lock {
	struct list link;		/* In its bucket. */
	struct list claims;		/* The first one holds the lock. */
	uint32_t hash;
	char name[];
};

/* One client's place at one lock. */
struct lock_claim {
	struct list lock_link;		/* In lock.claims. */
	struct list client_link;	/* In client.locks. */
	struct lock *lock;
	struct client *client;
	bool is_robbed;			/* Until it is first again. */
};

static void add_name(char list[256], const char *name);
static struct ovsdb_error *read_name(json_t *params, const char *method,
				     const char **ret_name);
static bool is_id(const char *);
static struct lock_claim *find_claim(const struct client *,
				     const char *name);
static struct lock_claim *claim_new(struct client *, const char *name,
				    bool steal);
static void claim_free(struct lock_claim *);
static struct lock *lock_obtain(struct lock_table *, const char *name);
static struct lock *lock_find(const struct lock_table *, const char *name);
static struct list *bucket(const struct lock_table *, uint32_t hash);
static void grow(struct lock_table *);
static uint32_t hash_name(const struct lock_table *, const char *);
static struct lock_claim *first_claim(const struct lock *);
static void tell(struct client *, const char *method, const char *name);

void
lock_table_init(struct lock_table *table)
{
	struct uuid random;

	uuid_generate(&random);
	memcpy(&table->seed, random.bytes, sizeof table->seed);
	table->n_locks = 0;
	table->n_buckets = MIN_BUCKETS;
	table->buckets = xcalloc(MIN_BUCKETS, sizeof *table->buckets);
	for (uint32_t i = 0; i < MIN_BUCKETS; i++)
		list_init(&table->buckets[i]);
}

void
lock_table_done(struct lock_table *table)
{
	free(table->buckets);
}

void
lock_lock(struct client *client, json_t *id, json_t *params, bool steal)
{
	const char *method = steal ? "steal" : "lock", *name;
	struct server *server = client->server;
	struct ovsdb_error *error = read_name(params, method, &name);
	struct lock_claim *claim;
	bool is_owner;

	if (!error && find_claim(client, name))
		error = ovsdb_syntax_error(params, "must issue \"unlock\" "
					   "before new \"%s\"", method);
	if (!error && client->n_locks >= server->limits.n_locks) {
		server->counters.n_refused_locks++;
		error = ovsdb_error(OVSDB_RESOURCES_EXHAUSTED, "a client may "
				    "hold and wait for %u locks",
				    server->limits.n_locks);
	}
	if (error) {
		client_reply_error(client, id, error);
		return;
	}
	claim = claim_new(client, name, steal);
	is_owner = first_claim(claim->lock) == claim;
	client_reply(client, id, json_pack("{s:b}", "locked", is_owner));
}

void
lock_unlock(struct client *client, json_t *id, json_t *params)
{
	const char *name;
	struct ovsdb_error *error = read_name(params, "unlock", &name);
	struct lock_claim *claim = error ? NULL : find_claim(client, name);

	if (!error && !claim)
		error = ovsdb_syntax_error(params, "unlock: \"unlock\" "
					   "without \"lock\" or \"steal\"");
	if (error) {
		client_reply_error(client, id, error);
		return;
	}
	claim_free(claim);
	client_reply(client, id, json_object());
}

bool
lock_is_owner(const struct client *client, const char *name)
{
	struct lock *lock = lock_find(&client->server->locks, name);

	return lock && first_claim(lock)->client == client;
}

void
lock_list(const struct client *client, struct client_locks *ret_locks)
{
	const struct list *link;

	for (int i = 0; i < N_LOCKS_LISTS; i++)
		ret_locks->names[i][0] = '\0';
	for (link = client->locks.next; link != &client->locks;
	     link = link->next) {
		const struct lock_claim *claim
			= LIST_ENTRY(link, struct lock_claim, client_link);
		int list = first_claim(claim->lock) == claim ? LOCKS_HELD
			   : claim->is_robbed ? LOCKS_LOST : LOCKS_WAITING;

		add_name(ret_locks->names[list], claim->lock->name);
	}
}

void
lock_drop(struct client *client)
{
	while (!list_is_empty(&client->locks))
		claim_free(LIST_ENTRY(client->locks.next, struct lock_claim,
				      client_link));
}

static void
add_name(char list[256], const char *name)
{
	const char *const rest = " ...";
	size_t used = strlen(list), size = strlen(name);

	if (used + !!used + size + strlen(rest) < 256)
		sprintf(list + used, "%s%s", used ? " " : "", name);
	else if (used < 3 || strcmp(list + used - 3, "..."))
		strcpy(list + used, used ? rest : rest + 1);
}

/* RFC 7047, section 3.1: an <id> is a C identifier. */
static struct ovsdb_error *
read_name(json_t *params, const char *method, const char **ret_name)
{
	const char *name = json_string_value(json_array_get(params, 0));

	if (json_array_size(params) != 1 || !name || !is_id(name))
		return ovsdb_syntax_error(params, "%s request params must be "
					  "<id>", method);
	*ret_name = name;
	return NULL;
}

static bool
is_id(const char *name)
{
	if (!isalpha((unsigned char) *name) && *name != '_')
		return false;
	while (isalnum((unsigned char) *name) || *name == '_')
		name++;
	return !*name;
}

static struct lock_claim *
find_claim(const struct client *client, const char *name)
{
	const struct list *link;

	for (link = client->locks.next; link != &client->locks;
	     link = link->next) {
		struct lock_claim *claim = LIST_ENTRY(link, struct lock_claim,
						      client_link);

		if (!strcmp(claim->lock->name, name))
			return claim;
	}
	return NULL;
}

static struct lock_claim *
claim_new(struct client *client, const char *name, bool steal)
{
	struct lock *lock = lock_obtain(&client->server->locks, name);
	struct lock_claim *claim = xmalloc(sizeof *claim);

	claim->lock = lock;
	claim->client = client;
	claim->is_robbed = false;
	if (steal && !list_is_empty(&lock->claims)) {
		first_claim(lock)->is_robbed = true;
		tell(first_claim(lock)->client, "stolen", lock->name);
		/* Appending to the first link puts it before that. */
		list_append(lock->claims.next, &claim->lock_link);
	} else {
		list_append(&lock->claims, &claim->lock_link);
	}
	list_append(&client->locks, &claim->client_link);
	client->n_locks++;
	return claim;
}

static void
claim_free(struct lock_claim *claim)
{
	struct lock_table *table = &claim->client->server->locks;
	struct lock *lock = claim->lock;
	bool was_owner = first_claim(lock) == claim;

	list_remove(&claim->lock_link);
	list_remove(&claim->client_link);
	claim->client->n_locks--;
	free(claim);

	if (list_is_empty(&lock->claims)) {
		list_remove(&lock->link);
		table->n_locks--;
		free(lock);
	} else if (was_owner) {
		first_claim(lock)->is_robbed = false;
		tell(first_claim(lock)->client, "locked", lock->name);
	}
}

static struct lock *
lock_obtain(struct lock_table *table, const char *name)
{
	struct lock *lock = lock_find(table, name);
	size_t size = strlen(name) + 1;

	if (lock)
		return lock;
	if (table->n_locks >= table->n_buckets)
		grow(table);
	lock = xmalloc(sizeof *lock + size);
	memcpy(lock->name, name, size);
	lock->hash = hash_name(table, name);
	list_init(&lock->claims);
	list_append(bucket(table, lock->hash), &lock->link);
	table->n_locks++;
	return lock;
}

static struct lock *
lock_find(const struct lock_table *table, const char *name)
{
	uint32_t hash = hash_name(table, name);
	const struct list *head = bucket(table, hash), *link;

	for (link = head->next; link != head; link = link->next) {
		struct lock *lock = LIST_ENTRY(link, struct lock, link);

		if (lock->hash == hash && !strcmp(lock->name, name))
			return lock;
	}
	return NULL;
}

static struct list *
bucket(const struct lock_table *table, uint32_t hash)
{
	return &table->buckets[hash & (table->n_buckets - 1)];
}

static void
grow(struct lock_table *table)
{
	struct list *old = table->buckets;
	uint32_t n_old = table->n_buckets;

	table->n_buckets *= 2;
	table->buckets = xcalloc(table->n_buckets, sizeof *old);
	for (uint32_t i = 0; i < table->n_buckets; i++)
		list_init(&table->buckets[i]);
	for (uint32_t i = 0; i < n_old; i++)
		while (!list_is_empty(&old[i])) {
			struct lock *lock = LIST_ENTRY(old[i].next,
						       struct lock, link);

			list_remove(&lock->link);
			list_append(bucket(table, lock->hash), &lock->link);
		}
	free(old);
}

/* FNV-1a from a secret start, mixed at the end. */
static uint32_t
hash_name(const struct lock_table *table, const char *name)
{
	uint32_t hash = table->seed ^ 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char) *name) * 16777619u;
	return hash ^ hash >> 15;
}

static struct lock_claim *
first_claim(const struct lock *lock)
{
	return LIST_ENTRY(lock->claims.next, struct lock_claim, lock_link);
}

static void
tell(struct client *client, const char *method, const char *name)
{
	client_notify(client, method, json_pack("[s]", name));
}
