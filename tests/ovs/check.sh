#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# check.sh TREE SERVER LOGS [GROUP]...
#
# Runs groups of Open vSwitch's own test suite with SERVER found as
# ovsdb-server: those that start one for a stand-alone database, or those
# GROUPs of them ("1815", "1815-1840").  TREE is a built tree of Open vSwitch;
# nothing is written there.  What failing groups left goes to LOGS/NUMBER.

set -eu
[ $# -ge 3 ] || { echo "usage: $0 TREE SERVER LOGS [GROUP]..." >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$1" && pwd)
server=$(cd "$(dirname "$2")" && pwd)/${2##*/}
logs=$3
shift 3
scratch=$(mktemp -d "${TMPDIR:-/tmp}/hnv-ovs.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# The suite finds its programs and sources relative to where it runs: a tree
# of links, in which one program is another.
farm=$scratch/farm
mkdir -p "$farm/ovsdb" "$farm/tests"
for path in "$tree"/*; do
	case ${path##*/} in
	ovsdb | tests)
		ln -s "$path"/* "$farm/${path##*/}"
		;;
	*)
		ln -s "$path" "$farm"
		;;
	esac
done
rm -rf "$farm/ovsdb/ovsdb-server" "$farm/tests/atconfig" \
	"$farm/tests/testsuite.dir" "$farm/tests/testsuite.log"
ln -s "$server" "$farm/ovsdb/ovsdb-server"
was=$(sed -n "s/^abs_top_builddir='\(.*\)'/\1/p" "$tree/tests/atconfig")
sed "s|$was|$farm|g" "$tree/tests/atconfig" >"$farm/tests/atconfig"
: >"$farm/config.log"

# The suite is a shell script of some megabytes; groups.awk reads which of its
# groups are ours.
awk -f "$here/groups.awk" "$here/left-out" "$tree/tests/testsuite" \
	>"$scratch/ours"
for group; do
	awk -v range="$group" '
		BEGIN { n = split(range, end, "-") }
		$1 >= end[1] + 0 && $1 <= end[n] + 0' "$scratch/ours"
done >"$scratch/chosen"
[ $# -ne 0 ] || cp "$scratch/ours" "$scratch/chosen"
[ -s "$scratch/chosen" ] || { echo "no such group is ours" >&2; exit 2; }

# Others than the suite's may wait for them, too.
OVS_CTL_TIMEOUT=${OVS_CTL_TIMEOUT:-20}
export OVS_CTL_TIMEOUT
rm -rf "$logs"
mkdir -p "$logs"
n_passed=0 n_failed=0 n_skipped=0

# run_chosen CHOSEN: runs those groups and adds up what became of them.
run_chosen() {
	[ -s "$1" ] || return 0
	(
		cd "$farm/tests"
		./testsuite -C "$farm/tests" -j"${OVS_JOBS:-2}" \
			AUTOTEST_PATH=utilities:vswitchd:ovsdb:vtep:tests:ipsec \
			$(cut -d ' ' -f 1 "$1") >"$scratch/output" 2>&1
	) || true
	# With two jobs, titles and results of several groups share lines:
	# only the groups' own logs are to be trusted.
	while read -r number title; do
		dir=$farm/tests/testsuite.dir/$number
		[ -d "$dir" ] || dir=$farm/tests/testsuite.dir/$(
			printf %04d "$number")
		if [ -d "$dir" ]; then
			n_failed=$((n_failed + 1))
			echo "failed: $number $title"
			cp -r "$dir" "$logs/$number"
		elif grep -aqE "(^|[^0-9])$number: .*skipped \(" \
			"$scratch/output"; then
			n_skipped=$((n_skipped + 1))
			echo "skipped: $number $title"
		else
			n_passed=$((n_passed + 1))
		fi
	done <"$1"
	cat "$scratch/output" >>"$logs/output"
	# It may not have run at all.
	if ! grep -aqE '^(ERROR: )?(All )?[0-9]+ tests? (was|were|behaved)' \
		"$scratch/output"; then
		tail -n 20 "$scratch/output"
		n_failed=$((n_failed + 1)) n_passed=0
	fi
}

grep -vf "$here/without-history" "$scratch/chosen" >"$scratch/with" || true
grep -f "$here/without-history" "$scratch/chosen" >"$scratch/without" || true
run_chosen "$scratch/with"

# These say what becomes of clients of a server that has no past.
rm "$farm/ovsdb/ovsdb-server"
cat >"$farm/ovsdb/ovsdb-server" <<END
#!/bin/bash
exec -a ovsdb-server "$server" --history-size=0 "\$@"
END
chmod +x "$farm/ovsdb/ovsdb-server"
run_chosen "$scratch/without"

echo "$n_passed passed, $n_failed failed, $n_skipped skipped"
[ $n_failed -eq 0 ] && [ $n_passed -gt 0 ]
