/* SPDX-License-Identifier: Apache-2.0 */

/* The main function of a fuzz target without a fuzzer.
 *
 * Runs every file of the target's corpus through it: whole, cut off at every
 * length, and with a few hundred mutations that depend on nothing but the
 * file, so that a failure comes again.  Each input lies in memory of exactly
 * its size: a sanitizer sees the first byte read past it.
 *
 * The corpus of fuzz_<what> is tests/fuzz/corpus/<what>/; files or directories
 * named on the command line take its place. */

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	FILE_SIZE_MAX = 1 << 20,
	N_CUTS_MAX = 2048,
	N_MUTATIONS = 256
};

struct input {
	uint8_t *bytes;
	size_t size;
};

static unsigned long n_files, n_runs;

static void replay_path(const char *path);
static void replay_directory(const char *path);
static void replay_file(const char *path);
static void mutate(struct input *, uint64_t *random);
static void run(const uint8_t *, size_t);
static struct input read_file(const char *path);
static uint64_t hash(const struct input *);
static uint64_t next(uint64_t *random);
static void die(const char *what, const char *why);

int
main(int argc, char *argv[])
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	const char *top = getenv("top_srcdir");
	char path[4096];

	/* Libtool's wrapper puts lt- before the name. */
	if (!strncmp(name, "lt-", 3))
		name += 3;
	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			replay_path(argv[i]);
	} else {
		if (strncmp(name, "fuzz_", 5))
			die(name, "no corpus: not called fuzz_<what>");
		snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s",
			 top ? top : ".", name + 5);
		replay_path(path);
	}
	fprintf(stderr, "%s: %lu inputs made of %lu files\n", name, n_runs,
		n_files);
	/* A crash has not come this far. */
	printf("%lu passed, 0 failed\n", n_files);
	return n_files ? 0 : 1;
}

static void
replay_path(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		die(path, strerror(errno));
	if (S_ISDIR(status.st_mode))
		replay_directory(path);
	else
		replay_file(path);
}

static void
replay_directory(const char *path)
{
	struct dirent **entries;
	char child[4096];
	int n = scandir(path, &entries, NULL, alphasort);

	if (n < 0)
		die(path, strerror(errno));
	for (int i = 0; i < n; i++) {
		snprintf(child, sizeof child, "%s/%s", path,
			 entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			replay_path(child);
		free(entries[i]);
	}
	free(entries);
}

static void
replay_file(const char *path)
{
	struct input input = read_file(path);
	uint64_t random = hash(&input);

	/* Stands in the test's log before a crash. */
	fprintf(stderr, "%s\n", path);
	n_files++;
	run(input.bytes, input.size);
	for (size_t size = 0; size < input.size && size < N_CUTS_MAX; size++)
		run(input.bytes, size);
	for (int i = 0; i < N_MUTATIONS; i++) {
		struct input mutant = {
			.bytes = malloc(input.size + 1), .size = input.size
		};

		if (!mutant.bytes)
			die(path, "out of memory");
		memcpy(mutant.bytes, input.bytes, input.size);
		mutate(&mutant, &random);
		run(mutant.bytes, mutant.size);
		free(mutant.bytes);
	}
	free(input.bytes);
}

/* One to four small damages of the kinds that lengths, counts and flags fear
 * most. */
static void
mutate(struct input *input, uint64_t *random)
{
	static const uint8_t edges[] = { 0, 1, 0x7f, 0x80, 0xff };

	for (uint64_t n = next(random) % 4 + 1; n && input->size; n--) {
		size_t at = next(random) % input->size;

		switch (next(random) % 4) {
		case 0:
			input->bytes[at] ^= (uint8_t) (1 << next(random) % 8);
			break;
		case 1:
			input->bytes[at] = edges[next(random) % sizeof edges];
			break;
		case 2:
			input->bytes[at] = (uint8_t) next(random);
			break;
		case 3:
			memmove(input->bytes + at, input->bytes + at + 1,
				input->size - at - 1);
			input->size--;
			break;
		}
	}
}

static void
run(const uint8_t *bytes, size_t size)
{
	/* malloc(0) may be NULL, which a target must not have to expect. */
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		die("input", "out of memory");
	memcpy(copy, bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	n_runs++;
}

static struct input
read_file(const char *path)
{
	struct input input = { .bytes = malloc(FILE_SIZE_MAX) };
	FILE *file = fopen(path, "rb");

	if (!file || !input.bytes)
		die(path, strerror(errno));
	input.size = fread(input.bytes, 1, FILE_SIZE_MAX, file);
	if (ferror(file))
		die(path, "cannot be read");
	if (input.size == FILE_SIZE_MAX)
		die(path, "is too large for a corpus");
	fclose(file);
	return input;
}

/* FNV-1a; never zero, which next() could not leave. */
static uint64_t
hash(const struct input *input)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < input->size; i++)
		h = (h ^ input->bytes[i]) * 0x100000001b3;
	return h ? h : 1;
}

/* xorshift64. */
static uint64_t
next(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}
