/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/evp.h>

size_t
journal_put_header(char *json, size_t size,
		   char ret_sha1[JOURNAL_SHA1_TEXT_SIZE])
{
	static const char magic[] = "OVSDB JSON ";
	unsigned char digest[JOURNAL_SHA1_SIZE];
	size_t left = size;
	char *p = json;

	journal_sha1(json, size, digest);
	journal_sha1_text(digest, ret_sha1);
	*--p = '\n';
	p -= JOURNAL_SHA1_TEXT_SIZE - 1;
	memcpy(p, ret_sha1, JOURNAL_SHA1_TEXT_SIZE - 1);
	*--p = ' ';
	do {
		*--p = (char) ('0' + left % 10);
		left /= 10;
	} while (left);
	p -= sizeof magic - 1;
	memcpy(p, magic, sizeof magic - 1);
	return json - p;
}

/* Without SHA-1 there is no file format.  The context is kept, because to make
 * one takes longer than the digest of a short record. */
void
journal_sha1(const void *bytes, size_t size,
	     unsigned char ret_digest[JOURNAL_SHA1_SIZE])
{
	static EVP_MD_CTX *context;
	const EVP_MD *type = NULL;

	if (!context) {
		context = EVP_MD_CTX_new();
		type = EVP_sha1();
	}
	if (!context || !EVP_DigestInit_ex(context, type, NULL)
	    || !EVP_DigestUpdate(context, bytes, size)
	    || !EVP_DigestFinal_ex(context, ret_digest, NULL))
		abort();
}

void
journal_sha1_text(const unsigned char digest[JOURNAL_SHA1_SIZE],
		  char ret_text[JOURNAL_SHA1_TEXT_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	int i;

	for (i = 0; i < JOURNAL_SHA1_SIZE; i++) {
		ret_text[2 * i] = hex[digest[i] >> 4];
		ret_text[2 * i + 1] = hex[digest[i] & 15];
	}
	ret_text[2 * i] = '\0';
}

int
journal_write(int fd, int64_t offset, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = pwrite(fd, bytes, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		bytes += n;
		size -= n;
		offset += n;
	}
	return 0;
}

int
journal_cut(int fd, int64_t size)
{
	return ftruncate(fd, size) < 0 || fdatasync(fd) < 0 ? -errno : 0;
}
