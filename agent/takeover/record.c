/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/takeover/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/memory.h"

static const char first_line[] = "hnv-agent take-over 1\n";
static const char last_word[] = "sum ";

static const char *const state_names[] = {
#define STATE_NAME(NAME, TEXT) TEXT,
	RECORD_STATES(STATE_NAME)
#undef STATE_NAME
};

static void print(FILE *, const struct record *);
static void print_text(FILE *, const char *key, const char *text);
static void print_hex(FILE *, const char *key, const void *bytes, size_t size);
static uint64_t sum(const char *text, size_t size);
static int put_on_disk(const char *dir, const char *name, const char *text,
		       size_t size);
static int sync_dir(const char *dir);
static int load(const char *path, char **ret_text, size_t *ret_size);
static bool has_good_sum(char *text, size_t *size);
static bool parse(char *text, struct record *);
static bool parse_line(const char *key, char *value, struct record *);
static bool parse_state(const char *text, enum record_state *);
static bool parse_reason(const char *text, enum model_reason *);
static bool parse_number(const char *text, int64_t *);
static bool parse_name(const char *text, char name[16]);
static size_t parse_hex(const char *text, uint8_t *bytes, size_t size);
static bool parse_item(const char *text, struct holdings *);
static bool unescape(char *text);

const char *
record_state_name(enum record_state state)
{
	return state_names[state];
}

struct record *
record_new(const char *interface)
{
	struct record *record = xcalloc(1, sizeof *record);

	list_init(&record->link);
	snprintf(record->interface, sizeof record->interface, "%s",
		 interface);
	record->switch_name = xstrdup("");
	record->request = xstrdup("");
	record->then = RECORD_GONE;
	record_get_boot(record->boot);
	return record;
}

void
record_free(struct record *record)
{
	if (!record)
		return;
	free(record->switch_name);
	free(record->request);
	free(record->fault.detail);
	holdings_done(&record->holdings);
	free(record);
}

int
record_write(const char *dir, const struct record *record)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	uint64_t check;
	int error;

	if (!file)
		return -errno;
	print(file, record);
	fflush(file);
	check = sum(text, size);
	fprintf(file, "%s%016" PRIx64 "\n", last_word, check);
	if (fclose(file)) {
		free(text);
		return -ENOMEM;
	}
	error = put_on_disk(dir, record->interface, text, size);
	free(text);
	return error;
}

void
record_remove(const char *dir, const struct record *record)
{
	char *path = xasprintf("%s/%s", dir, record->interface);

	if (!unlink(path))
		(void) !sync_dir(dir);
	free(path);
}

int
record_read(const char *dir, const char *interface,
	    struct record **ret_record)
{
	char *path = xasprintf("%s/%s", dir, interface);
	struct record *record = NULL;
	char *text = NULL;
	size_t size = 0;
	int error = load(path, &text, &size);

	if (!error && !has_good_sum(text, &size))
		error = -EBADMSG;
	if (!error) {
		record = record_new(interface);
		if (!parse(text, record)
		    || strcmp(record->interface, interface))
			error = -EBADMSG;
	}
	free(text);
	free(path);
	if (error)
		record_free(record);
	else
		*ret_record = record;
	return error;
}

void
record_read_all(const char *dir, struct list *records)
{
	struct dirent *entry;
	DIR *files = opendir(dir);

	while (files && (entry = readdir(files))) {
		struct record *record;
		int error;

		/* Names of interfaces have neither, when we make them. */
		if (entry->d_name[0] == '.' || strstr(entry->d_name, ".broken")
		    || !strcmp(entry->d_name, "lock")
		    || strstr(entry->d_name, ".new"))
			continue;
		error = record_read(dir, entry->d_name, &record);
		if (!error) {
			list_append(records, &record->link);
			continue;
		}
		log_line(LOG_LEVEL_ERROR, entry->d_name, "what is known of "
			 "its being taken over does not read: %s; it is put "
			 "aside, look at its addresses", strerror(-error));
		if (error == -EBADMSG) {
			char *from = xasprintf("%s/%s", dir, entry->d_name);
			char *to = xasprintf("%s.broken", from);

			(void) !rename(from, to);
			free(from);
			free(to);
		}
	}
	if (files)
		closedir(files);
}

int64_t
record_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void
record_get_boot(char boot[RECORD_BOOT_SIZE])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	memset(boot, 0, RECORD_BOOT_SIZE);
	if (file && fgets(boot, RECORD_BOOT_SIZE, file))
		boot[strcspn(boot, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void
print(FILE *file, const struct record *record)
{
	fputs(first_line, file);
	print_text(file, "interface", record->interface);
	print_text(file, "port", record->port);
	print_text(file, "switch", record->switch_name);
	print_text(file, "request", record->request);
	print_text(file, "id", record->id);
	print_text(file, "state", state_names[record->state]);
	print_text(file, "then", state_names[record->then]);
	print_text(file, "boot", record->boot);
	fprintf(file, "deadline %" PRId64 "\nuntil %" PRId64 "\n",
		record->deadline_ms, record->until_s);
	print_hex(file, "port_mac", record->port_mac, 6);
	fprintf(file, "gen_mode %u\n", record->gen_mode);
	print_text(file, "reason", model_reason_name(record->fault.reason));
	if (record->fault.detail)
		print_text(file, "detail", record->fault.detail);
	for (size_t i = 0; i < record->holdings.n; i++)
		print_hex(file, "item", record->holdings.items[i],
			  record->holdings.items[i]->nlmsg_len);
}

/* One line, whatever it holds. */
static void
print_text(FILE *file, const char *key, const char *text)
{
	fprintf(file, "%s ", key);
	for (; *text; text++)
		if (*text == '\\' || *text == '\n')
			fprintf(file, "\\%c", *text == '\n' ? 'n' : '\\');
		else
			putc(*text, file);
	putc('\n', file);
}

static void
print_hex(FILE *file, const char *key, const void *bytes, size_t size)
{
	fprintf(file, "%s ", key);
	for (size_t i = 0; i < size; i++)
		fprintf(file, "%02x", ((const uint8_t *) bytes)[i]);
	putc('\n', file);
}

/* FNV-1a. */
static uint64_t
sum(const char *text, size_t size)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t) text[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static int
put_on_disk(const char *dir, const char *name, const char *text, size_t size)
{
	char *path = xasprintf("%s/%s", dir, name);
	char *new = xasprintf("%s.new", path);
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int error = fd < 0 ? -errno : 0;

	for (size_t done = 0; !error && done < size; ) {
		ssize_t n = write(fd, text + done, size - done);

		if (n >= 0)
			done += (size_t) n;
		else if (errno != EINTR)
			error = -errno;
	}
	if (!error && fsync(fd))
		error = -errno;
	if (fd >= 0)
		close(fd);
	if (!error && rename(new, path))
		error = -errno;
	if (!error)
		error = sync_dir(dir);
	else
		unlink(new);
	free(path);
	free(new);
	return error;
}

static int
sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = fd < 0 || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

static int
load(const char *path, char **ret_text, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st)) {
		int error = -errno;

		if (fd >= 0)
			close(fd);
		return error;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > RECORD_FILE_MAX) {
		close(fd);
		return -EBADMSG;
	}
	text = xmalloc((size_t) st.st_size + 1);
	while (size < (size_t) st.st_size) {
		ssize_t n = read(fd, text + size, (size_t) st.st_size - size);

		if (n <= 0)
			break;
		size += (size_t) n;
	}
	close(fd);
	text[size] = '\0';
	*ret_text = text;
	*ret_size = size;
	return 0;
}

/* Cuts the sum off. */
static bool
has_good_sum(char *text, size_t *size)
{
	const size_t n = sizeof last_word - 1 + 16 + 1;
	char line[32];

	if (*size < n || strlen(text) != *size)
		return false;
	*size -= n;
	snprintf(line, sizeof line, "%s%016" PRIx64 "\n", last_word,
		 sum(text, *size));
	if (strcmp(text + *size, line))
		return false;
	text[*size] = '\0';
	return true;
}

static bool
parse(char *text, struct record *record)
{
	char *line, *rest = text;

	if (strncmp(text, first_line, sizeof first_line - 1))
		return false;
	record->interface[0] = '\0';
	rest += sizeof first_line - 1;
	while ((line = strsep(&rest, "\n")) && *line) {
		char *value = strchr(line, ' ');

		if (!value)
			return false;
		*value++ = '\0';
		if (!parse_line(line, value, record))
			return false;
	}
	return !rest && *record->interface;
}

/* What is not known is of a newer agent, which says so in the first line. */
static bool
parse_line(const char *key, char *value, struct record *record)
{
	enum model_reason reason;
	int64_t number;

	if (!strcmp(key, "item"))
		return parse_item(value, &record->holdings);
	if (!strcmp(key, "port_mac"))
		return parse_hex(value, record->port_mac, 6) == 6;
	if (!strcmp(key, "deadline"))
		return parse_number(value, &record->deadline_ms);
	if (!strcmp(key, "until"))
		return parse_number(value, &record->until_s);
	if (!strcmp(key, "gen_mode")) {
		if (!parse_number(value, &number) || number < 0
		    || number > UINT8_MAX)
			return false;
		record->gen_mode = (uint8_t) number;
		return true;
	}
	if (!unescape(value))
		return false;
	if (!strcmp(key, "interface"))
		return parse_name(value, record->interface);
	if (!strcmp(key, "port"))
		return parse_name(value, record->port);
	if (!strcmp(key, "state"))
		return parse_state(value, &record->state)
		       && record->state != RECORD_GONE;
	if (!strcmp(key, "then"))
		return parse_state(value, &record->then);
	if (!strcmp(key, "id") || !strcmp(key, "boot")) {
		bool is_id = *key == 'i';
		size_t room = is_id ? sizeof record->id : sizeof record->boot;

		snprintf(is_id ? record->id : record->boot, room, "%s", value);
		return strlen(value) < room;
	}
	if (!strcmp(key, "switch") || !strcmp(key, "request")) {
		char **at = *key == 's' ? &record->switch_name
					: &record->request;

		free(*at);
		*at = xstrdup(value);
		return true;
	}
	if (!strcmp(key, "reason")) {
		if (!parse_reason(value, &reason))
			return false;
		model_fault_set(&record->fault, reason, NULL);
		return true;
	}
	if (!strcmp(key, "detail")) {
		model_fault_set(&record->fault, record->fault.reason, "%s",
				value);
		return true;
	}
	return false;
}

static bool
parse_state(const char *text, enum record_state *state)
{
	for (int i = 0; i < RECORD_N_STATES; i++)
		if (!strcmp(text, state_names[i])) {
			*state = (enum record_state) i;
			return true;
		}
	return false;
}

static bool
parse_reason(const char *text, enum model_reason *reason)
{
	for (int i = 0; i < MODEL_N_REASONS; i++)
		if (!strcmp(text, model_reason_name((enum model_reason) i))) {
			*reason = (enum model_reason) i;
			return true;
		}
	return false;
}

static bool
parse_number(const char *text, int64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	return !errno && end != text && !*end;
}

static bool
parse_name(const char *text, char name[16])
{
	if (strlen(text) >= 16 || strchr(text, '/'))
		return false;
	snprintf(name, 16, "%s", text);
	return true;
}

/* How many bytes; more than 'size' does not read, and is 0. */
static size_t
parse_hex(const char *text, uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = strlen(text) / 2;

	if (strlen(text) % 2 || n > size)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const char *high = strchr(digits, text[2 * i]);
		const char *low = strchr(digits, text[2 * i + 1]);

		if (!high || !low)
			return 0;
		bytes[i] = (uint8_t) ((high - digits) << 4 | (low - digits));
	}
	return n;
}

static bool
parse_item(const char *text, struct holdings *holdings)
{
	size_t room = strlen(text) / 2 + sizeof(struct nlmsghdr);
	struct nlmsghdr *item = xcalloc(1, room);
	size_t n = parse_hex(text, (uint8_t *) item, room);

	if (n < MNL_NLMSG_HDRLEN || item->nlmsg_len != n) {
		free(item);
		return false;
	}
	return holdings_add(holdings, item);
}

static bool
unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '\\') {
			text++;
			if (*text != 'n' && *text != '\\')
				return false;
			*to++ = *text == 'n' ? '\n' : '\\';
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
	return true;
}
