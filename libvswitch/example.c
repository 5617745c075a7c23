/* SPDX-License-Identifier: Apache-2.0 */

/* Two TAP interfaces and a wire between them, in a program of its own:
 *	cc example.c $(pkg-config --cflags --libs libvswitch) && ./a.out a b */

#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <vswitch.h>
#include <vswitch/device.h>

int
main(int argc, char *argv[])
{
	struct vsw_tap_options tap = { .size = sizeof tap };
	struct vsw_device *taps[2];
	struct pollfd fds[2] = { { -1, POLLIN, 0 }, { -1, POLLIN, 0 } };
	struct vsw_options options;
	struct vsw *vsw;
	struct vsw_worker *worker;
	struct vsw_group *group;
	struct vsw_program *program;
	struct timespec t;
	char problem[256] = "out of memory";
	int error = 0;

	vsw_options_init(&options);
	if (argc != 3 || vsw_new(&options, &vsw)
	    || vsw_worker_new(vsw, &worker))
		return 1;
	for (int i = 0; i < 2; i++) {
		tap.name = argv[1 + i];
		if (vsw_device_open_tap(vsw, &tap, problem, sizeof problem,
					&taps[i]))
			return puts(problem), 1;
		fds[i].fd = vsw_device_fd(taps[i], 0);
	}
	for (int i = 0; i < 2; i++) {
		if (vsw_group_new(vsw, "all", &group)
		    || vsw_program_new(vsw, &program))
			return puts(problem), 1;
		vsw_rule_output(vsw_group_add_rule(group, 1, NULL),
				vsw_device_port(taps[!i]));
		if (vsw_group_seal(group, problem, sizeof problem))
			return puts(problem), 1;
		vsw_layer_add_group(vsw_program_add_layer(program, "wire"),
				    VSW_OUT, group);
		if (vsw_program_seal(program, problem, sizeof problem)
		    || vsw_port_set_program(vsw_device_port(taps[i]), program))
			return puts(problem), 1;
	}
	while (!error && poll(fds, 2, -1) > 0
	       && !clock_gettime(CLOCK_MONOTONIC, &t))
		for (int i = 0; !error && i < 2; i++)
			if (fds[i].revents)
				error = vsw_device_receive(taps[i], 0, worker,
					t.tv_sec * 1000000000ull + t.tv_nsec);
	return error;
}
