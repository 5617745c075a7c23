/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_TEXT_H
#define BASE_TEXT_H 1

/* Bytes that never change, held by everybody who has a reference: what is
 * written once and sent to many.  [control] */

#include <stddef.h>
#include <stdint.h>

struct text {
	uint32_t n_refs;
	size_t size;
	const char *bytes;	/* Not terminated. */
};

/* A copy of 'bytes'; one reference, which is the caller's. */
struct text *text_copy(const char *bytes, size_t size);
/* Takes over 'bytes', which free() frees. */
struct text *text_take(char *bytes, size_t size);
struct text *text_ref(struct text *);
void text_unref(struct text *);		/* Accepts NULL. */

/* A message that is made piece by piece, as fast as somebody takes it. */
struct source {
	/* The next piece, with a reference for the caller; NULL: that was
	 * all.  It is empty when there was a lot to do and others should get
	 * their turn. */
	struct text *(*next)(struct source *);
	/* Nobody will ask again, whether it has come to its end or not. */
	void (*free)(struct source *);
};

#endif /* base/text.h */
