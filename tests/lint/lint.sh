# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What the lints share: they say each thing that is wrong, count what they
# looked at, and fail if that was nothing.

: "${top_srcdir:?run by make check}" "${top_builddir:?run by make check}"
LC_ALL=C
export LC_ALL

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
: >"$scratch/bad"

# The project's C, and all that was written by hand, relative to the source
# tree.  A build tree inside the source tree is not source.
c_files() {
	(cd "$top_srcdir" && find agent ctl include libvswitch tests \
		-type f -name '*.[ch]' | sort)
}

text_files() {
	(cd "$top_srcdir" && find . -type f \
		! -path './.git/*' ! -path './build/*' ! -path './m4/*' \
		! -path './build-aux/*' ! -path './autom4te.cache/*' \
		! -path './tests/fuzz/corpus/*' ! -path './hnv-*/*' \
		! -name configure ! -name 'configure~' ! -name 'config.h.in*' \
		! -name aclocal.m4 ! -name Makefile.in ! -name LICENSE \
		! -name '*.pcap' ! -name .git |
		sed 's|^\./||' | sort)
}

# bad TEXT: one thing that is wrong.
bad() {
	echo "$*"
	echo "$*" >>"$scratch/bad"
}

skip() {
	echo "skipped: $*"
	exit 77
}

# conclude N-CHECKED
conclude() {
	n_bad=$(wc -l <"$scratch/bad")
	if [ "$1" -eq 0 ]; then
		echo "nothing was checked"
		n_bad=1
	fi
	n_good=$(($1 > n_bad ? $1 - n_bad : 0))
	echo "$n_good passed, $n_bad failed"
	[ "$n_bad" -eq 0 ]
	exit
}
