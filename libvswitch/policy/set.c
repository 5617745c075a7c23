/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/set.h"

#include <errno.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/sort.h"
#include "libvswitch/base/switch.h"

static bool accepts(struct vsw_set *);
static void add(struct vsw_set *, enum set_list, const struct range *);
static void merge(struct ranges *);
static int compare(const void *a, const void *b);

int
vsw_set_new(struct vsw *vsw, const char *name, enum vsw_set_kind kind,
	    struct vsw_set **ret_set)
{
	struct vsw_set *set;

	if (!name || (kind != VSW_SET_ADDRESSES && kind != VSW_SET_PORTS))
		return -EINVAL;
	set = memory_alloc(&vsw->allocator, 0, sizeof *set);
	if (!set)
		return -ENOMEM;
	set->name = memory_strdup(&vsw->allocator, name);
	if (!set->name) {
		memory_free(&vsw->allocator, set, sizeof *set);
		return -ENOMEM;
	}
	set->vsw = vsw;
	set->kind = kind;
	set->n_refs = 1;
	vsw->n_sets++;
	*ret_set = set;
	return 0;
}

void
vsw_set_add_prefix(struct vsw_set *set, const struct vsw_addr *addr,
		   unsigned prefix_bits)
{
	struct range range;

	if (!accepts(set))
		return;
	if (set->kind != VSW_SET_ADDRESSES) {
		draft_fail(&set->draft, -EINVAL,
			   "set \"%s\": an address in a set of ports",
			   set->name);
		return;
	}
	if (!addr || (addr->n != 4 && addr->n != 16)) {
		draft_fail(&set->draft, -EINVAL,
			   "set \"%s\": not an address", set->name);
		return;
	}
	if (prefix_bits > addr->n * 8u) {
		draft_fail(&set->draft, -EINVAL,
			   "set \"%s\": prefix of %u bits is longer than the "
			   "address", set->name, prefix_bits);
		return;
	}
	range = point_prefix(point_of(addr->bytes, addr->n), prefix_bits,
			     addr->n * 8u);
	add(set, addr->n == 4 ? SET_V4 : SET_V6, &range);
}

void
vsw_set_add_ports(struct vsw_set *set, uint16_t first, uint16_t last)
{
	struct range range = { { 0, first }, { 0, last } };

	if (!accepts(set))
		return;
	if (set->kind != VSW_SET_PORTS)
		draft_fail(&set->draft, -EINVAL,
			   "set \"%s\": ports in a set of addresses",
			   set->name);
	else if (first > last)
		draft_fail(&set->draft, -EINVAL,
			   "set \"%s\": port range %u-%u is empty", set->name,
			   first, last);
	else
		add(set, SET_PORTS, &range);
}

int
vsw_set_seal(struct vsw_set *set, char *ret_problem, size_t size)
{
	int error = draft_report(&set->draft, ret_problem, size);

	if (error || set->draft.is_sealed)
		return error;
	for (unsigned i = 0; i < SET_N_LISTS; i++)
		merge(&set->lists[i]);
	set->draft.is_sealed = true;
	return 0;
}

void
vsw_set_unref(struct vsw_set *set)
{
	const struct vsw_allocator *allocator;

	if (!set || --set->n_refs)
		return;
	allocator = &set->vsw->allocator;
	set->vsw->n_sets--;
	for (unsigned i = 0; i < SET_N_LISTS; i++)
		memory_free(allocator, set->lists[i].ranges,
			    set->lists[i].room * sizeof(struct range));
	memory_free_string(allocator, set->name);
	memory_free(allocator, set, sizeof *set);
}

struct vsw_set *
set_ref(struct vsw_set *set)
{
	set->n_refs++;
	return set;
}

bool
set_has(const struct vsw_set *set, enum set_list list, struct point p)
{
	const struct ranges *ranges = &set->lists[list];
	size_t low = 0, high = ranges->n;

	/* The last range that starts at 'p' or before is in [low, high). */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (point_compare(ranges->ranges[middle].first, p) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low < high && point_in(p, &ranges->ranges[low]);
}

static bool
accepts(struct vsw_set *set)
{
	if (!set)
		return false;
	if (set->draft.is_sealed)
		switch_log(set->vsw, VSW_LOG_ERROR,
			   "set \"%s\" is sealed: nothing is added",
			   set->name);
	return draft_is_open(&set->draft);
}

static void
add(struct vsw_set *set, enum set_list list, const struct range *range)
{
	struct ranges *ranges = &set->lists[list];

	if (memory_grow(&set->vsw->allocator, (void **) &ranges->ranges,
			&ranges->room, ranges->n + 1, sizeof *range)) {
		draft_fail(&set->draft, -ENOMEM, "set \"%s\": out of memory",
			   set->name);
		return;
	}
	ranges->ranges[ranges->n++] = *range;
}

static void
merge(struct ranges *ranges)
{
	struct range *r = ranges->ranges;
	size_t n = 0;

	sort_items(r, ranges->n, sizeof *r, compare);
	for (size_t i = 0; i < ranges->n; i++) {
		struct point next;

		if (!n) {
			r[n++] = r[i];
			continue;
		}
		next = point_next(r[n - 1].last);
		/* No number stands behind the largest; all of IPv6 ends
		 * there, and swallows what comes. */
		if ((next.high || next.low)
		    && point_compare(r[i].first, next) > 0)
			r[n++] = r[i];
		else if (point_compare(r[i].last, r[n - 1].last) > 0)
			r[n - 1].last = r[i].last;
	}
	ranges->n = n;
}

static int
compare(const void *a, const void *b)
{
	const struct range *ra = a, *rb = b;
	int order = point_compare(ra->first, rb->first);

	return order ? order : point_compare(ra->last, rb->last);
}
