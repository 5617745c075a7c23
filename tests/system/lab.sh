# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# A lab of hosts and VMs, each a network namespace, on one machine.
#
#     lab_start NAME          namespaces are called NAME-<what>
#     lab_ns WHAT             makes one
#     lab_link A IFA B IFB    a veth between two
#     lab_agent HOST [ARG]..  starts hnv-agent there
#     lab_stop                takes everything down; runs at exit by itself
#
# Everything that is started is remembered by process id, everything that is
# made by name, and only that is taken down.
#
# An agent that ends otherwise than it was asked to, or whose log holds a line
# of a sanitizer, fails the test, whatever its checks say.

lab_top=${top_srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
lab_build=${top_builddir:-$lab_top/build}
lab_agent_program=$lab_build/agent/hnv-agent
lab_ctl_program=$lab_build/ctl/hnv-ctl

lab_die()
{
	echo "FAILED: $*" >&2
	exit 1
}

# check WHAT COMMAND...: one check; what it prints is shown when it fails.
n_passed=0
n_failed=0
check()
{
	local what=$1 out

	shift
	if out=$("$@" 2>&1); then
		n_passed=$((n_passed + 1))
		echo "ok: $what"
	else
		n_failed=$((n_failed + 1))
		printf 'FAILED: %s: %s\n%s\n' "$what" "$*" "$out"
	fi
}

# check_is WHAT EXPECTED SEEN
check_is()
{
	if [ "$2" = "$3" ]; then
		n_passed=$((n_passed + 1))
		echo "ok: $1"
	else
		n_failed=$((n_failed + 1))
		printf 'FAILED: %s:\n  expected: %s\n  seen:     %s\n' \
			"$1" "$2" "$3"
	fi
}

# Ends a test: the line that is counted.
check_end()
{
	lab_end_agents
	echo "$n_passed passed, $n_failed failed"
	[ "$n_failed" = 0 ] && [ "$n_passed" != 0 ]
	exit
}

fails()
{
	! "$@"
}

# lab_needs PROGRAM...: ends the test as skipped where something is missing.
lab_needs()
{
	local program

	[ "$(id -u)" = 0 ] || { echo "SKIP: must be root"; exit 77; }
	for program in "$@"; do
		command -v "$program" >/dev/null || {
			echo "SKIP: $program is not installed"; exit 77; }
	done
	ip netns add "hnv-probe-$$" 2>/dev/null || {
		echo "SKIP: no network namespaces here"; exit 77; }
	ip netns del "hnv-probe-$$"
	[ -c /dev/net/tun ] || { echo "SKIP: no /dev/net/tun"; exit 77; }
}

lab_start()
{
	lab_name=$1
	lab_dir=${2:-$(mktemp -d "${TMPDIR:-/tmp}/hnv-lab.XXXXXX")}
	mkdir -p "$lab_dir"
	declare -gA lab_pids=()
	lab_spaces=()
	trap lab_stop EXIT
	trap 'exit 130' INT TERM
}

lab_stop()
{
	local status=$? what pid

	trap - EXIT
	[ "$status" != 0 ] || lab_end_agents
	for what in "${!lab_pids[@]}"; do
		kill "${lab_pids[$what]}" 2>/dev/null
	done
	for what in "${!lab_pids[@]}"; do
		pid=${lab_pids[$what]}
		lab_until 5 lab_is_gone "$pid" || kill -9 "$pid" 2>/dev/null
	done
	for what in "${lab_spaces[@]}"; do
		ip netns del "$lab_name-$what" 2>/dev/null
	done
	if [ -n "${LAB_LOGS:-}" ]; then
		for what in "$lab_dir"/*.log; do
			[ -s "$what" ] && sed "s|^|${what##*/}: |" "$what" >&2
		done
	fi
	rm -rf "$lab_dir"
	[ "$status" != 0 ] || [ "${n_failed:-0}" = 0 ] || status=1
	exit "$status"
}

lab_end_agents()
{
	local what

	for what in "${!lab_pids[@]}"; do
		[[ $what != agent-* ]] || lab_end "$what"
	done
}

lab_is_gone()
{
	! kill -0 "$1" 2>/dev/null ||
		[ "$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null)" = Z ]
}

# lab_until SECONDS COMMAND...: polls until the command succeeds.
lab_until()
{
	local limit=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$limit" ] || return 1
		sleep 0.05
	done
}

# lab_says PATTERN COMMAND...: its output has that; for lab_until, which would
# read <(COMMAND) once.
lab_says()
{
	local pattern=$1

	shift
	"$@" | grep -E -e "$pattern" >/dev/null
}

lab_ns()
{
	ip netns add "$lab_name-$1" || lab_die "namespace $1"
	lab_spaces+=("$1")
	ip -n "$lab_name-$1" link set lo up
	# Nobody speaks unasked.
	lab_in "$1" sysctl -qw net.ipv6.conf.default.autoconf=0 \
		net.ipv6.conf.default.accept_ra=0 \
		net.ipv6.conf.default.accept_dad=0 2>/dev/null
	return 0
}

lab_in()
{
	local what=$1

	shift
	ip netns exec "$lab_name-$what" "$@"
}

lab_ip()
{
	local what=$1

	shift
	ip -n "$lab_name-$what" "$@"
}

# lab_link A IFA B IFB [MTU]
lab_link()
{
	ip link add "$2" netns "$lab_name-$1" mtu "${5:-1500}" type veth \
		peer name "$4" netns "$lab_name-$3" mtu "${5:-1500}" ||
		lab_die "veth between $1 and $3"
	lab_ip "$1" link set "$2" up
	lab_ip "$3" link set "$4" up
}

# lab_run WHAT NAME COMMAND...: in the background, remembered as NAME, output
# in NAME.log.
lab_run()
{
	local what=$1 name=$2

	shift 2
	ip netns exec "$lab_name-$what" "$@" </dev/null \
		>>"$lab_dir/$name.log" 2>&1 &
	lab_pids[$name]=$!
	[[ $name == agent-* ]] || disown
}

# lab_end NAME [SIGNAL]: and waits for it.
lab_end()
{
	local pid=${lab_pids[$1]:-} status

	[ -n "$pid" ] || return 0
	kill "-${2:-TERM}" "$pid" 2>/dev/null
	# Of whom it kills, the shell speaks unasked.
	lab_until 10 lab_is_gone "$pid" 2>/dev/null || {
		kill -9 "$pid" 2>/dev/null
		lab_complain "$1 does not stop"
	}
	unset "lab_pids[$1]"
	[[ $1 == agent-* ]] || return 0
	wait "$pid" 2>/dev/null
	status=$?
	case ${2:-TERM}:$status in
	TERM:0 | KILL:137) ;;
	*) lab_complain "$1 ended with status $status" ;;
	esac
	lab_read_log "$1"
}

# What an agent must never say.
lab_read_log()
{
	local said

	said=$(grep -nE 'Sanitizer|runtime error:|Assertion' \
		"$lab_dir/$1.log") || return 0
	lab_complain "$1: $said"
	sed 's/^/    /' "$lab_dir/$1.log" | tail -n 60
}

lab_complain()
{
	n_failed=$((n_failed + 1))
	echo "FAILED: $*"
}

# The agent of HOST, its directories below the lab's; with LAB_WORKERS threads
# that carry packets, if that is set.
lab_agent()
{
	local host=$1

	shift
	mkdir -p "$lab_dir/$host/run"
	lab_run "$host" "agent-$host" "$lab_agent_program" \
		--db-dir="$lab_dir/$host/db" --run-dir="$lab_dir/$host/run" \
		--schema-dir="$lab_top/schema" \
		${LAB_WORKERS:+--workers="$LAB_WORKERS"} "$@"
	lab_until 10 lab_answers "$host" || {
		cat "$lab_dir/agent-$host.log" >&2
		lab_die "the agent of $host does not answer"
	}
}

lab_answers()
{
	[ -S "$lab_dir/$1/run/hnv-agent.ctl" ] &&
		ovs-appctl -t "$lab_dir/$1/run/hnv-agent.ctl" version \
			>/dev/null 2>&1
}

lab_ctl()
{
	local host=$1

	shift
	"$lab_ctl_program" --run-dir="$lab_dir/$host/run" --timeout=10 "$@" ||
		lab_die "hnv-ctl on $host: $*"
}

lab_appctl()
{
	local host=$1

	shift
	ovs-appctl -t "$lab_dir/$host/run/hnv-agent.ctl" "$@"
}

lab_db()
{
	echo "unix:$lab_dir/$1/run/db.sock"
}

# lab_vm VM HOST SWITCH MAC ADDR/LEN GATEWAY [MTU [GUID]]: a port whose tap is
# the VM's eth0; with the options in lab_tap.
lab_tap=persist=true
lab_vm()
{
	local vm=$1 host=$2 switch=$3 mac=$4 addr=$5 gateway=$6 mtu=${7:-1450}
	local guid=${8:-$(lab_guid "$vm")}

	lab_ns "$vm"
	lab_ctl "$host" add-port "$switch" "$vm" type=tap "iface_id=$guid" \
		${mac:+"mac=$mac"} "netns=$lab_name-$vm" interface=eth0 "mtu=$mtu" \
		$lab_tap
	lab_until 5 lab_ip "$vm" link show eth0 >/dev/null 2>&1 ||
		lab_die "$vm: its tap does not appear"
	lab_ip "$vm" addr add "$addr" dev eth0
	lab_ip "$vm" link set eth0 up
	[ -z "$gateway" ] || lab_ip "$vm" route add default via "$gateway"
}

# lab_transfer FROM TO ADDRESS [MEGABYTES]: over TCP, compared.
lab_transfer()
{
	local file=$lab_dir/transfer-$1-$2 family=-4 receiver status=0

	head -c "${4:-5}000000" /dev/urandom >"$file"
	[[ $3 != *:* ]] || family=-6
	lab_in "$2" timeout 30 nc $family -l 8080 </dev/null >"$file.got" &
	receiver=$!
	lab_until 5 lab_listens "$2" 8080 || return 1
	lab_in "$1" timeout 30 nc -N "$3" 8080 <"$file" || status=1
	[ $status = 0 ] || kill $receiver
	wait $receiver 2>/dev/null
	cmp "$file" "$file.got" || status=1
	rm -f "$file" "$file.got"
	return $status
}

lab_listens()
{
	lab_in "$1" ss -Hltn "sport = :$2" | grep -q LISTEN
}

# lab_state HOST TABLE CONDITION: its state, and the reason if there is one.
lab_state()
{
	lab_ctl "$1" --bare --columns=status find "$2" "$3" |
		grep -oE '(state|reason)=[^ ]*' | sort -r | sed 's/.*=//' |
		paste -sd ' '
}

lab_is()
{
	[ "$(lab_state "$1" "$2" "$3")" = "$4" ]
}

# A GUID that belongs to a name.
lab_guid()
{
	printf '%s' "$1" | sha1sum | sed -E \
		's/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/\1-\2-\3-\4-\5/'
}

# --- A controller, as far as one can be in a shell: operations are gathered
# --- and then sent as one transaction by the stock ovsdb-client.

push_start()
{
	push_db=$1
	push_operations="\"$1\""
}

push()
{
	push_operations+=",$1"
}

# push_send HOST
push_send()
{
	local reply

	reply=$(ovsdb-client --timeout=10 transact "$(lab_db "$1")" \
		"[$push_operations]") ||
		lab_die "ovsdb-client on $1: $reply"
	case $reply in
	*'"error"'*) lab_die "the agent of $1 refuses: $reply" ;;
	esac
	push_reply=$reply
}

# push_subnet NAME VSID RDID: a Logical_Switch, named-uuid NAME.
push_subnet()
{
	push '{"op":"insert","table":"Logical_Switch","uuid-name":"'"$1"'",
		"row":{"name":"'"$2"'","description":"'"$3"'",
		"tunnel_key":'"$2"'}}'
}

# push_locator NAME ENCAPSULATION IP
push_locator()
{
	push '{"op":"insert","table":"Physical_Locator","uuid-name":"'"$1"'",
		"row":{"encapsulation_type":"'"$2"'","dst_ip":"'"$3"'"}}'
}

# push_mapping MAC CA SUBNET LOCATOR: the last two are <uuid>s as JSON.
push_mapping()
{
	push '{"op":"insert","table":"Ucast_Macs_Remote","row":{"MAC":"'"$1"'",
		"ipaddr":"'"$2"'","logical_switch":'"$3"',"locator":'"$4"',
		"mapping_type":"default"}}'
}

# push_port NAME GUID SUBNET
push_port()
{
	push '{"op":"insert","table":"Physical_Port","uuid-name":"'"$1"'",
		"row":{"name":"{'"$2"'}",
		"vlan_bindings":["map",[[0,'"$3"']]]}}'
}

# push_router NAME BINDINGS [ROUTES]: pairs, as JSON.
push_router()
{
	push '{"op":"insert","table":"Logical_Router","row":{
		"name":"'"$1"'","enable_logical_router":true,
		"switch_binding":["map",['"$2"']],
		"static_routes":["map",['"${3:-}"']]}}'
}

# push_host PORTS: the rows that there are one of.
push_host()
{
	push '{"op":"insert","table":"Physical_Switch","uuid-name":"ps",
		"row":{"name":"hnv0",
		"distributed_router_mac":"02-00-5e-00-01-01",
		"ports":["set",['"$1"']]}}'
	push '{"op":"insert","table":"Global","row":{"next_cfg":0,
		"switches":'"$(named ps)"'}}'
}

named()
{
	printf '["named-uuid","%s"]' "$1"
}

# row_of HOST DB TABLE WHERE: the <uuid> of the one row that matches.
row_of()
{
	local uuid

	uuid=$(ovsdb-client --timeout=10 transact "$(lab_db "$1")" \
		'["'"$2"'",{"op":"select","table":"'"$3"'","where":'"$4"',
		"columns":["_uuid"]}]' |
		grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
	[ "$(wc -w <<<"$uuid")" = 1 ] || lab_die "$3 on $1 where $4: $uuid"
	printf '["uuid","%s"]' "$uuid"
}

# push_in_force HOST DB TABLE: raises next_cfg of the TABLE's row and waits
# until packets obey.
push_in_force()
{
	local next

	push_start "$2"
	push '{"op":"mutate","table":"'"$3"'","where":[],
		"mutations":[["next_cfg","+=",1]]}'
	push '{"op":"select","table":"'"$3"'","where":[],
		"columns":["next_cfg"]}'
	push_send "$1"
	next=$(sed 's/.*"next_cfg"://; s/[^0-9].*//' <<<"$push_reply")
	ovsdb-client --timeout=20 transact "$(lab_db "$1")" '["'"$2"'",
		{"op":"wait","table":"'"$3"'","where":[],"timeout":15000,
		"columns":["cur_cfg"],"until":"==",
		"rows":[{"cur_cfg":'"$next"'}]}]' | grep -q '^\[{}\]$' ||
		lab_die "$1: policy is not in force after 15 s"
}
