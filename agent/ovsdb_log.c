/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb_log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/ovsdb_pattern.h"

enum destination { TO_SYSLOG, TO_CONSOLE, TO_FILE, N_DESTINATIONS };
enum vlog_level { OFF, EMER, ERR, WARN, INFO, DBG, N_LEVELS };

static const char *const destination_names[N_DESTINATIONS] = {
	"syslog", "console", "file",
};
static const char *const level_names[N_LEVELS] = {
	"off", "emer", "err", "warn", "info", "dbg",
};

/* Ours first.  Others are names that configurations of ovsdb-server use. */
enum { MODULE_SERVER, MODULE_VLOG, MODULE_UNIXCTL };
static const char *const module_names[] = {
	"ovsdb_server", "vlog", "unixctl", "backtrace", "command_line",
	"coverage", "daemon", "daemon_unix", "dns_resolve", "fatal_signal",
	"file", "jsonrpc", "jsonrpc_server", "lockfile", "memory", "monitor",
	"ovsdb", "ovsdb_client", "ovsdb_condition", "ovsdb_error",
	"ovsdb_file", "ovsdb_jsonrpc_server", "ovsdb_log", "ovsdb_monitor",
	"ovsdb_mutation", "ovsdb_parser", "ovsdb_relay", "ovsdb_types",
	"ovsdb_util", "poll_loop", "process", "raft", "reconnect",
	"replication", "row", "socket_util", "storage", "stream",
	"stream_fd", "stream_ssl", "stream_tcp", "stream_unix", "syslog",
	"table", "timeval", "transaction", "trigger", "util",
};
enum { N_MODULES = sizeof module_names / sizeof *module_names };

static const char *const facilities[] = {
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news",
	"uucp", "clock", "ftp", "ntp", "audit", "alert", "clock2", "local0",
	"local1", "local2", "local3", "local4", "local5", "local6", "local7",
};
enum { N_FACILITIES = sizeof facilities / sizeof *facilities };
enum { FACILITY_DAEMON = 3, FACILITY_LOCAL0 = 16, FACILITY_LOCAL1 = 17 };

enum method { METHOD_LIBC, METHOD_NULL, METHOD_SOCKET };

static struct {
	const char *program;
	enum vlog_level levels[N_MODULES][N_DESTINATIONS];
	char *patterns[N_DESTINATIONS];
	char *path;
	int fd;				/* Of the file; -1: none. */
	enum method method;
	int method_fd;			/* A connected datagram socket. */
	int target_fd;
	int facility;			/* -1: by where it goes. */
	uint32_t n_lines;
	pthread_mutex_t mutex;
} vlog = { .fd = -1, .method_fd = -1, .target_fd = -1, .facility = -1,
	   .mutex = PTHREAD_MUTEX_INITIALIZER };

static void sink(enum log_level, const char *subject, const char *message);
static void line(int module, enum vlog_level, const char *subject,
		 const char *message);
static void write_all(int fd, const char *text);
static void to_syslog(struct pattern_line *);
static void to_socket(int fd, struct pattern_line *, int facility);
static void tell_level(void);
static char *set_levels(char *words);
static char *set_pattern(char *rest);
static char *set_facility(const char *name);
static int find(const char *name, const char *const names[], int n);
static char *connect_to(const struct sockaddr *, socklen_t, int *ret_fd);
static char *connect_udp(const char *text, int *ret_fd);

void
ovsdb_log_start(const char *program)
{
	vlog.program = program;
	for (int i = 0; i < N_MODULES; i++)
		for (int to = 0; to < N_DESTINATIONS; to++)
			vlog.levels[i][to] = INFO;
	vlog.patterns[TO_SYSLOG] = xstrdup("ovs|%05N|%c%T|%p|%m");
	vlog.patterns[TO_CONSOLE]
		= xstrdup("%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m");
	vlog.patterns[TO_FILE]
		= xstrdup("%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m");
	pattern_start();
	log_init(program, LOG_LEVEL_INFO, false);
	log_set_sink(sink);
	openlog(program, LOG_NDELAY, LOG_DAEMON);
}

void
ovsdb_log_stop(void)
{
	log_set_sink(NULL);
	if (vlog.fd >= 0)
		close(vlog.fd);
	if (vlog.method_fd >= 0)
		close(vlog.method_fd);
	if (vlog.target_fd >= 0)
		close(vlog.target_fd);
	vlog.fd = vlog.method_fd = vlog.target_fd = -1;
	free(vlog.path);
	vlog.path = NULL;
	for (int to = 0; to < N_DESTINATIONS; to++) {
		free(vlog.patterns[to]);
		vlog.patterns[to] = NULL;
	}
	closelog();
}

char *
ovsdb_log_set(const char *spec)
{
	char *copy = xstrdup(spec);
	char *problem;

	pthread_mutex_lock(&vlog.mutex);
	if (!strncasecmp(copy, "PATTERN:", 8))
		problem = set_pattern(copy + 8);
	else if (!strncasecmp(copy, "FACILITY:", 9))
		problem = set_facility(copy + 9);
	else
		problem = set_levels(copy);
	tell_level();
	pthread_mutex_unlock(&vlog.mutex);
	free(copy);
	return problem;
}

bool
ovsdb_log_open(const char *path)
{
	char *name = xstrdup(path);
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0660);
	int error = errno;

	pthread_mutex_lock(&vlog.mutex);
	if (vlog.fd >= 0)
		close(vlog.fd);
	vlog.fd = fd;
	free(vlog.path);
	vlog.path = name;
	pthread_mutex_unlock(&vlog.mutex);
	if (fd >= 0)
		line(MODULE_VLOG, INFO, "opened log file", path);
	else
		log_line(LOG_LEVEL_WARN, path, "cannot open this log file: "
			 "%s; going on without", strerror(error));
	return fd >= 0;
}

bool
ovsdb_log_reopen(void)
{
	char *path = vlog.path ? xstrdup(vlog.path) : NULL;
	bool is_open = path && ovsdb_log_open(path);

	free(path);
	return is_open;
}

void
ovsdb_log_close(void)
{
	pthread_mutex_lock(&vlog.mutex);
	if (vlog.fd >= 0)
		close(vlog.fd);
	vlog.fd = -1;
	pthread_mutex_unlock(&vlog.mutex);
}

const char *
ovsdb_log_path(void)
{
	return vlog.path;
}

char *
ovsdb_log_set_method(const char *method)
{
	enum method kind = METHOD_SOCKET;
	char *problem = NULL;
	int fd = -1;

	if (!strcmp(method, "libc")) {
		kind = METHOD_LIBC;
	} else if (!strcmp(method, "null")) {
		kind = METHOD_NULL;
	} else if (!strncmp(method, "udp:", 4)) {
		problem = connect_udp(method + 4, &fd);
	} else if (!strncmp(method, "unix:", 5)) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };

		if (strlen(method + 5) >= sizeof address.sun_path)
			return xasprintf("%s: the name is too long", method);
		strcpy(address.sun_path, method + 5);
		problem = connect_to((struct sockaddr *) &address,
				     sizeof address, &fd);
	} else {
		problem = xasprintf("unsupported syslog method '%s'", method);
	}
	if (problem)
		return problem;
	if (vlog.method_fd >= 0)
		close(vlog.method_fd);
	vlog.method = kind;
	vlog.method_fd = fd;
	return NULL;
}

char *
ovsdb_log_set_target(const char *address)
{
	return connect_udp(address, &vlog.target_fd);
}

char *
ovsdb_log_levels(void)
{
	static const char *const shown[N_LEVELS] = {
		"OFF", "EMER", "ERR", "WARN", "INFO", "DBG",
	};
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	fputs("                 console    syslog    file\n"
	      "                 -------    ------    ------\n", stream);
	pthread_mutex_lock(&vlog.mutex);
	for (int i = 0; i < N_MODULES; i++)
		fprintf(stream, "%-16s  %4s       %4s       %4s\n",
			module_names[i], shown[vlog.levels[i][TO_CONSOLE]],
			shown[vlog.levels[i][TO_SYSLOG]],
			shown[vlog.levels[i][TO_FILE]]);
	pthread_mutex_unlock(&vlog.mutex);
	fclose(stream);
	return text;
}

char *
ovsdb_log_patterns(void)
{
	char *text;

	pthread_mutex_lock(&vlog.mutex);
	text = xasprintf("         prefix                            format\n"
			 "         ------                            ------\n"
			 "SYSLOG   %-32s  %s\n"
			 "CONSOLE  %-32s  %s\n"
			 "FILE     %-32s  %s\n",
			 "<%B> %D{%h %e %T} %E %A:", vlog.patterns[TO_SYSLOG],
			 "none", vlog.patterns[TO_CONSOLE],
			 "none", vlog.patterns[TO_FILE]);
	pthread_mutex_unlock(&vlog.mutex);
	return text;
}

static void
sink(enum log_level level, const char *subject, const char *message)
{
	static const enum vlog_level levels[] = { ERR, WARN, INFO, DBG };

	line(MODULE_SERVER, levels[level], subject, message);
}

/* The program itself needs no naming in its own log. */
static void
line(int module, enum vlog_level level, const char *subject,
     const char *message)
{
	const char *between = module == MODULE_VLOG ? " " : ": ";
	bool is_ours = !strcmp(subject, vlog.program);
	char *text = xasprintf("%s%s%s", is_ours ? "" : subject,
			       is_ours ? "" : between, message);
	struct pattern_line what = {
		.program = vlog.program,
		.module = module_names[module],
		.message = text,
		.level = (unsigned) level,
	};

	pthread_mutex_lock(&vlog.mutex);
	what.number = ++vlog.n_lines;
	clock_gettime(CLOCK_REALTIME, &what.when);
	what.facility = vlog.facility < 0 ? FACILITY_LOCAL0 : vlog.facility;
	for (int to = 0; to < N_DESTINATIONS; to++) {
		char *written;

		if (level > vlog.levels[module][to])
			continue;
		if (to == TO_SYSLOG) {
			to_syslog(&what);
			continue;
		}
		written = pattern_write(vlog.patterns[to], &what);
		if (to == TO_CONSOLE)
			write_all(STDERR_FILENO, written);
		else if (vlog.fd >= 0)
			write_all(vlog.fd, written);
		free(written);
	}
	pthread_mutex_unlock(&vlog.mutex);
	free(text);
}

/* One call, so that lines of several processes do not mix; a log that cannot
 * be written has nobody to hear of it. */
static void
write_all(int fd, const char *text)
{
	char *whole = xasprintf("%s\n", text);

	if (write(fd, whole, strlen(whole)) < 0)
		errno = 0;
	free(whole);
}

static void
to_syslog(struct pattern_line *what)
{
	if (vlog.method == METHOD_LIBC) {
		static const int priorities[N_LEVELS] = {
			LOG_DEBUG, LOG_ALERT, LOG_ERR, LOG_WARNING, LOG_INFO,
			LOG_DEBUG,
		};
		int facility = vlog.facility < 0 ? FACILITY_DAEMON
						 : vlog.facility;
		char *text = pattern_write(vlog.patterns[TO_SYSLOG], what);

		syslog(priorities[what->level] | facility << 3, "%s", text);
		free(text);
	}
	to_socket(vlog.method_fd, what,
		  vlog.facility < 0 ? FACILITY_DAEMON : vlog.facility);
	to_socket(vlog.target_fd, what,
		  vlog.facility < 0 ? FACILITY_LOCAL0 : vlog.facility);
}

static void
to_socket(int fd, struct pattern_line *what, int facility)
{
	char *head, *text, *whole;

	if (fd < 0)
		return;
	what->facility = facility;
	head = pattern_write("<%B>%D{%b %e %T} %E %A: ", what);
	text = pattern_write(vlog.patterns[TO_SYSLOG], what);
	whole = xasprintf("%s%s", head, text);
	if (send(fd, whole, strlen(whole), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		errno = 0;
	free(whole);
	free(text);
	free(head);
}

/* Lines that nobody wants are not even formatted. */
static void
tell_level(void)
{
	static const enum log_level levels[N_LEVELS] = {
		[OFF] = LOG_LEVEL_ERROR, [EMER] = LOG_LEVEL_ERROR,
		[ERR] = LOG_LEVEL_ERROR, [WARN] = LOG_LEVEL_WARN,
		[INFO] = LOG_LEVEL_INFO, [DBG] = LOG_LEVEL_DEBUG,
	};
	enum log_level most = LOG_LEVEL_ERROR;

	for (int to = 0; to < N_DESTINATIONS; to++)
		if (levels[vlog.levels[MODULE_SERVER][to]] > most)
			most = levels[vlog.levels[MODULE_SERVER][to]];
	log_set_level(most);
}

static char *
set_levels(char *words)
{
	int module = -1, to = -1, level = -1;
	char *rest, *word;

	for (word = strtok_r(words, " ,:\t", &rest); word;
	     word = strtok_r(NULL, " ,:\t", &rest)) {
		int found;

		if (!strcasecmp(word, "any"))
			continue;
		found = find(word, destination_names, N_DESTINATIONS);
		if (found >= 0) {
			if (to >= 0)
				return xstrdup("cannot specify multiple "
					       "destinations");
			to = found;
			continue;
		}
		found = find(word, level_names, N_LEVELS);
		if (found >= 0) {
			if (level >= 0)
				return xstrdup("cannot specify multiple "
					       "levels");
			level = found;
			continue;
		}
		found = find(word, module_names, N_MODULES);
		if (found < 0)
			return xasprintf("no destination, level, or module "
					 "\"%s\"", word);
		if (module >= 0)
			return xstrdup("cannot specify multiple modules");
		module = found;
	}
	if (level < 0)
		level = DBG;
	for (int i = 0; i < N_MODULES; i++)
		for (int j = 0; j < N_DESTINATIONS; j++)
			if ((module < 0 || module == i)
			    && (to < 0 || to == j))
				vlog.levels[i][j] = (enum vlog_level) level;
	return NULL;
}

static char *
set_pattern(char *rest)
{
	char *colon = strchr(rest, ':');
	int to;

	if (!colon)
		return xstrdup("missing pattern");
	*colon = '\0';
	to = find(rest, destination_names, N_DESTINATIONS);
	if (to < 0 && strcasecmp(rest, "any"))
		return xasprintf("unknown destination '%s'", rest);
	for (int i = 0; i < N_DESTINATIONS; i++)
		if (to < 0 || to == i) {
			free(vlog.patterns[i]);
			vlog.patterns[i] = xstrdup(colon + 1);
		}
	return NULL;
}

static char *
set_facility(const char *name)
{
	int found = find(name, facilities, N_FACILITIES);

	if (found < 0)
		return xstrdup("invalid facility");
	vlog.facility = found;
	return NULL;
}

static int
find(const char *name, const char *const names[], int n)
{
	for (int i = 0; i < n; i++)
		if (!strcasecmp(name, names[i]))
			return i;
	return -1;
}

static char *
connect_to(const struct sockaddr *address, socklen_t size, int *ret_fd)
{
	int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, address, size)) {
		char *problem = xasprintf("cannot send to syslog: %s",
					  strerror(errno));

		if (fd >= 0)
			close(fd);
		return problem;
	}
	*ret_fd = fd;
	return NULL;
}

/* IP:PORT, [IPV6]:PORT */
static char *
connect_udp(const char *text, int *ret_fd)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	char *host = xstrdup(*text == '[' ? text + 1 : text);
	char *colon = strrchr(host, ':');
	char *problem;
	long port;

	port = colon ? strtol(colon + 1, NULL, 10) : 0;
	if (colon)
		colon[colon > host && colon[-1] == ']' ? -1 : 0] = '\0';
	in.sin_port = in6.sin6_port = htons((uint16_t) port);
	if (port < 1 || port > 65535)
		problem = xasprintf("%s: expected IP:PORT", text);
	else if (inet_pton(AF_INET, host, &in.sin_addr) == 1)
		problem = connect_to((struct sockaddr *) &in, sizeof in,
				     ret_fd);
	else if (inet_pton(AF_INET6, host, &in6.sin6_addr) == 1)
		problem = connect_to((struct sockaddr *) &in6, sizeof in6,
				     ret_fd);
	else
		problem = xasprintf("%s: expected IP:PORT", text);
	free(host);
	return problem;
}
