/* SPDX-License-Identifier: Apache-2.0 */

/* For LD_PRELOAD: the clock that people set, and no other, is as many seconds
 * off as the file $SHIFT_CLOCK says, an int64_t of this machine, now. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift;

__attribute__((constructor)) static void
look(void)
{
	int fd = open(getenv("SHIFT_CLOCK"), O_RDONLY | O_CLOEXEC);

	shift = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, fd, 0);
	if (shift == MAP_FAILED)
		abort();
	close(fd);
}

int
clock_gettime(clockid_t clock, struct timespec *time)
{
	long result = syscall(SYS_clock_gettime, clock, time);

	if (!result && shift && (clock == CLOCK_REALTIME
				 || clock == CLOCK_REALTIME_COARSE))
		time->tv_sec += *shift;
	return (int) result;
}

int
gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	struct timespec now;

	(void) zone;
	clock_gettime(CLOCK_REALTIME, &now);
	time->tv_sec = now.tv_sec;
	time->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *time)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (time)
		*time = now.tv_sec;
	return now.tv_sec;
}
