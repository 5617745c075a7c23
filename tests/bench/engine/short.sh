#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The engine's figures with small tables: that each of them is still measured,
# and said in the form that others read.  What the numbers are is no test's
# business.

top_builddir=${top_builddir:-.}
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT

HNV_BENCH_SHORT=1 "$top_builddir/tests/bench/engine/figures" \
	>"$scratch/lines" || { echo "figures ended with $?"; exit 1; }

awk '
	NF != 3 || $1 !~ /^[a-z][a-z0-9_]*$/ || $2 !~ /^-?[0-9]+(\.[0-9]+)?$/ {
		print "no figure: " $0
		n_bad++
		next
	}
	$1 in seen { print "twice: " $1; n_bad++ }
	{ seen[$1] = $2 }
	# A part and its counterpart take some time.
	$3 == "ns" && $2 <= 0 { print "no time: " $0; n_bad++ }
	END {
		n = split("floor_encap_1 encap_hit_1 decap_hit_1 " \
			"floor_decap_10k encap_hit_10k decap_hit_10k " \
			"encap_hit_100k decap_hit_100k encap_hit_1m " \
			"decap_hit_1m encap_nvgre_hit_10k_to_plain " \
			"encap_outer6_hit_10k_to_plain " \
			"decap_inner6_hit_10k_to_plain first_packet " \
			"first_packet_groups_to_one connections_per_s " \
			"bytes_per_connection first_packet_stateful " \
			"mapping_lookup_1m_to_10k " \
			"mapping_edits_per_s mapping_edit_reader_loss " \
			"group_replace bytes_per_flow bytes_per_mapping " \
			"bytes_per_rule", wanted)
		for (i = 1; i <= n; i++)
			if (!(wanted[i] in seen)) {
				print "missing: " wanted[i]
				n_bad++
			}
		print NR + n - n_bad " passed, " n_bad + 0 " failed"
		exit n_bad > 0
	}' "$scratch/lines"
