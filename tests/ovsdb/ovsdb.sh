# SPDX-License-Identifier: Apache-2.0
#
# For the tests of this folder: a directory, servers in it, and a count.

: "${top_srcdir:?}" "${top_builddir:?}"
folder=$top_srcdir/tests/ovsdb
transcript=$top_builddir/tests/ovsdb/transcript
transcripts="methods operations arithmetic monitors conditions since catalog \
	convert locks waits"
n_passed=0 n_failed=0 server=

scratch=$(mktemp -d) || exit 1
trap 'stop_server; rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM
# Control sockets and logs that were given no path.
OVS_RUNDIR=$scratch OVS_LOGDIR=$scratch OVS_SYSLOG_METHOD=null
export OVS_RUNDIR OVS_LOGDIR OVS_SYSLOG_METHOD

skip() {
	echo "$1"
	exit 77
}

need() {
	for program; do
		command -v "$program" >/dev/null || skip "there is no $program"
	done
}

# start_server COMMAND...: runs it until there is $scratch/sock.
start_server() {
	"$@" 2>>"$scratch/log" &
	server=$!
	tries=0
	until [ -S "$scratch/sock" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 200 ] || ! kill -0 "$server" 2>/dev/null; then
			cat "$scratch/log"
			echo "$1 does not start"
			exit 1
		fi
		sleep 0.05
	done
}

stop_server() {
	[ -n "$server" ] || return 0
	kill "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	status=$?
	server=
	rm -f "$scratch/sock"
	return $status
}

# make_database FILE TRANSCRIPT: with its schema.
make_database() {
	"$transcript" --schema "$2" >"$scratch/schema" || exit 1
	if command -v ovsdb-tool >/dev/null; then
		rm -f "$1"
		ovsdb-tool create "$1" "$scratch/schema" || exit 1
	else
		# The file is one record: size and SHA-1 count the newline.
		tr -d '\n' <"$scratch/schema" >"$scratch/record"
		echo >>"$scratch/record"
		set -- "$1" "$(wc -c <"$scratch/record")" \
			"$(sha1sum <"$scratch/record" | cut -d' ' -f1)"
		{
			echo "OVSDB JSON $2 $3"
			cat "$scratch/record"
		} >"$1"
	fi
}

# play ARG...: a transcript; adds up what it says.
play() {
	"$transcript" "$@" >"$scratch/played"
	grep -v '^[0-9]* passed, ' "$scratch/played"
	line=$(tail -n 1 "$scratch/played")
	case $line in
	*' passed, '*' failed')
		passed=${line%% *} failed=${line#* passed, }
		n_passed=$((n_passed + passed))
		n_failed=$((n_failed + ${failed%% *}))
		;;
	*)
		n_failed=$((n_failed + 1))
		;;
	esac
}

# check WHAT COMMAND...: one check.
check() {
	what=$1
	shift
	if "$@" >"$scratch/output" 2>&1; then
		n_passed=$((n_passed + 1))
	else
		n_failed=$((n_failed + 1))
		echo "failed: $what"
		sed 's/^/  /' "$scratch/output"
	fi
}

conclude() {
	echo "$n_passed passed, $n_failed failed"
	[ "$n_failed" -eq 0 ] && [ "$n_passed" -gt 0 ]
	exit
}
