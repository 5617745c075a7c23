/* SPDX-License-Identifier: Apache-2.0 */

/* What packets and changes of policy cost inside of the engine: ports whose
 * transmit frees, no devices.
 *
 *     figures                all of them
 *     figures NAME...        those of which a NAME is a part
 *     figures hit N          N batches of cache hits each way, for hit.sh
 *     figures frames FILE    the frames, for generator.c
 *
 * HNV_BENCH_SHORT=1 makes everything small. */

#include <stdlib.h>
#include <string.h>
#include "tests/bench/engine/figure.h"

int
main(int argc, char *argv[])
{
	const char *is_short = getenv("HNV_BENCH_SHORT");

	if (argc == 3 && !strcmp(argv[1], "hit")
	    && strspn(argv[2], "0123456789") == strlen(argv[2])) {
		hit_only(strtoul(argv[2], NULL, 10));
		return EXIT_SUCCESS;
	}
	if (argc == 3 && !strcmp(argv[1], "frames")) {
		frames_write(argv[2]);
		return EXIT_SUCCESS;
	}
	figure_is_short = is_short && *is_short && strcmp(is_short, "0");
	figure_names = argv + 1;
	hit_figures();
	first_figures();
	connection_figures();
	mapping_figures();
	group_figures();
	attack_figures();
	worker_figures();
	size_figures();
	return EXIT_SUCCESS;
}
