#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A cache hit shows the stations and nothing else: callgrind counts what is
# called beneath vsw_worker_receive() in a loop of hits, and no allocation, no
# lock and no system call may be among it.  The first packet of a run is a
# miss, so each forbidden function must be called as often in a long run as in
# a short one.

top_builddir=${top_builddir:-.}
engine=$top_builddir/tests/bench/engine/figures
command -v valgrind >/dev/null || { echo "no valgrind"; exit 77; }
# Programs of sanitizers do not run under valgrind.
if nm "$engine" 2>/dev/null | grep -q __asan_init; then
	echo "built with sanitizers"
	exit 77
fi
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT

# Calls of each function beneath vsw_worker_receive(), in a run of $1 batches.
calls() {
	valgrind --tool=callgrind --callgrind-out-file="$scratch/out" \
		--toggle-collect=vsw_worker_receive --collect-systime=no \
		--trace-children=no --compress-strings=no \
		--compress-pos=no "$engine" hit "$1" \
		>"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 99; }
	awk '
		/^cfn=/ { name = $0; sub(/^cfn=/, "", name) }
		/^calls=/ { sub(/^calls=/, ""); n[name] += $1 }
		END { for (name in n) print name, n[name] }
	' "$scratch/out" | sort
}

calls 10 >"$scratch/short"
calls 210 >"$scratch/long"

# A run of 200 batches more must have called the stations 200 times more, for
# each of the two ways, or nothing was looked at.
for station in batch_parse batch_lookup batch_classify batch_execute \
	batch_transmit; do
	more=$(awk -v f="$station" '
		$1 == f { n[NR == FNR] = $2 } END { print n[0] - n[1] }
		' "$scratch/short" "$scratch/long")
	if [ "$more" != 400 ]; then
		echo "$station was called $more times more, not 400"
		exit 1
	fi
done

forbidden='^(_*(libc_)?(malloc|calloc|realloc|free|memalign|posix_memalign)|_int_(malloc|free)|memory_(alloc|free|grow)|_*pthread_.*|_*lll_lock.*|futex.*|syscall|write|read|send.*|recv.*|clock_gettime|poll|ioctl|decide|generation_move|reclaim_(retire|run|wait))(@.*)?$'
awk 'NR == FNR { n[$1] = $2; next } $2 != n[$1] { print $1, $2 - n[$1] }' \
	"$scratch/short" "$scratch/long" >"$scratch/grown"
if grep -E "${forbidden%\$} " "$scratch/grown"; then
	echo "cache hits call what they must not"
	exit 1
fi
echo "$(wc -l <"$scratch/grown") functions called by cache hits:"
cat "$scratch/grown"
