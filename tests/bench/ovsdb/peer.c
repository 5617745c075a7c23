/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/ovsdb/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <openssl/sha.h>

enum { PATIENCE_S = 300 };

static void write_file(const char *path, const char *schema);
static _Noreturn void execute(const struct peer *);
static void reap(struct peer *, int signal);
static double read_status(const struct peer *, const char *name);

void
peer_init(struct peer *peer, unsigned which, const char *program,
	  const char *prefix)
{
	memset(peer, 0, sizeof *peer);
	peer->which = which;
	peer->program = program;
	if (strlen(prefix) > 90)
		die("%s is too long for a socket", prefix);
	sprintf(peer->file, "%s.db", prefix);
	sprintf(peer->socket, "%s.sock", prefix);
	sprintf(peer->control, "%s.ctl", prefix);
	sprintf(peer->log, "%s.log", prefix);
}

void
peer_start_empty(struct peer *peer, const char *schema)
{
	peer_kill(peer);
	peer->is_loaded = peer->is_compacted = false;
	write_file(peer->file, schema);
	peer_start(peer);
}

static void
write_file(const char *path, const char *schema)
{
	unsigned char sum[SHA_DIGEST_LENGTH];
	struct text text = { .n = 0 };
	FILE *file = fopen(schema, "r");
	size_t n;

	if (!file)
		die("%s: %s", schema, strerror(errno));
	do {
		text_reserve(&text, 4096);
		n = fread(text.at + text.n, 1, 4096, file);
		text.n += n;
	} while (n);
	fclose(file);
	SHA1((unsigned char *) text.at, text.n, sum);
	file = fopen(path, "w");
	if (!file)
		die("%s: %s", path, strerror(errno));
	fprintf(file, "OVSDB JSON %zu ", text.n);
	for (size_t i = 0; i < sizeof sum; i++)
		fprintf(file, "%02x", sum[i]);
	fputc('\n', file);
	fwrite(text.at, 1, text.n, file);
	if (fclose(file))
		die("%s: %s", path, strerror(errno));
	free(text.at);
}

void
peer_start(struct peer *peer)
{
	unlink(peer->socket);
	unlink(peer->control);
	fflush(stdout);
	peer->pid = fork();
	if (peer->pid < 0)
		die("no process: %s", strerror(errno));
	if (!peer->pid)
		execute(peer);
	peer->rss_least = 0;
}

static void
execute(const struct peer *peer)
{
	char remote[160], control[160];
	int log = open(peer->log, O_WRONLY | O_CREAT | O_APPEND, 0644);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	sprintf(remote, "--remote=punix:%s", peer->socket);
	sprintf(control, "--unixctl=%s", peer->control);
	execlp(peer->program, peer->program, remote, control, "--no-chdir",
	       "-vconsole:warn", peer->file, (char *) NULL);
	fprintf(stderr, "%s: %s\n", peer->program, strerror(errno));
	_exit(1);
}

void
peer_stop(struct peer *peer)
{
	reap(peer, SIGTERM);
}

void
peer_kill(struct peer *peer)
{
	reap(peer, SIGKILL);
}

static void
reap(struct peer *peer, int signal)
{
	int status;

	if (!peer->pid)
		return;
	kill(peer->pid, signal);
	while (waitpid(peer->pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waiting for a server: %s", strerror(errno));
	peer->pid = 0;
}

void
peer_connect(struct peer *peer, struct client *client)
{
	const struct timespec pause = { .tv_nsec = 500 * 1000 };
	double end = now() + PATIENCE_S;

	while (!client_try(client, peer->socket)) {
		int status;

		if (waitpid(peer->pid, &status, WNOHANG) == peer->pid) {
			peer->pid = 0;
			die("%s did not start; it says in %s what is wrong",
			    peer->program, peer->log);
		}
		if (now() > end)
			die("%s does not listen after %d s", peer->program,
			    PATIENCE_S);
		nanosleep(&pause, NULL);
	}
}

double
peer_rss(const struct peer *peer)
{
	return read_status(peer, "VmRSS:");
}

static double
read_status(const struct peer *peer, const char *name)
{
	char path[64], line[128];
	double kib = -1;
	FILE *file;

	sprintf(path, "/proc/%ld/status", (long) peer->pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		if (!strncmp(line, name, strlen(name)))
			kib = atof(line + strlen(name));
	if (kib < 0)
		die("%s has no %s", path, name);
	fclose(file);
	return kib / 1024;
}

void
peer_forget_peak(struct peer *peer)
{
	double rss = peer_rss(peer);
	char path[64];
	int fd;

	if (!peer->rss_least || rss < peer->rss_least)
		peer->rss_least = rss;

	sprintf(path, "/proc/%ld/clear_refs", (long) peer->pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "5", 1) != 1)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

double
peer_growth(const struct peer *peer)
{
	return read_status(peer, "VmHWM:") - peer->rss_least;
}

double
peer_file_size(const struct peer *peer)
{
	struct stat st;

	if (stat(peer->file, &st))
		die("%s: %s", peer->file, strerror(errno));
	return st.st_size / 1048576.0;
}

int64_t
peer_counter(struct peer *peer, const char *name)
{
	static const char request[] = "{\"id\":0,\"method\":"
		"\"memory/show\",\"params\":[]}";
	struct client client;
	int64_t value = -1;
	const char *reply, *at;
	size_t size, n = strlen(name);

	client_open(&client, peer->control);
	client_send(&client, request, sizeof request - 1);
	reply = client_receive(&client, &size);
	for (at = reply; (at = memmem(at, reply + size - at, name, n)); at++)
		if (at > reply && strchr("\" ", at[-1]) && at[n] == ':')
			value = atoll(at + n + 1);
	client_close(&client);
	return value;
}

void
peer_part(const struct peer *peer, bool is_apart)
{
	int n = (int) sysconf(_SC_NPROCESSORS_CONF);
	cpu_set_t ours, theirs;

	CPU_ZERO(&theirs);
	for (int i = 0; i < n; i++)
		CPU_SET(i, &theirs);
	ours = theirs;
	if (is_apart && n > 1) {
		CPU_CLR(n - 1, &theirs);
		CPU_ZERO(&ours);
		CPU_SET(n - 1, &ours);
	}
	if (sched_setaffinity(0, sizeof ours, &ours)
	    || sched_setaffinity(peer->pid, sizeof theirs, &theirs))
		printf("# processors are shared: %s\n", strerror(errno));
}
