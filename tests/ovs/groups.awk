# SPDX-License-Identifier: Apache-2.0
#
# awk -f groups.awk LEFT-OUT TESTSUITE: prints "NUMBER FILE TITLE" of each
# group that starts an ovsdb-server for a stand-alone database.

FNR == NR {
	if (!/^#/) {
		sub(/\|.*/, "")
		left_out[++n_left_out] = $0
	}
	next
}

# NUMBER;FILE:LINE;TITLE;KEYWORDS;
/^(at_help_all=")?[0-9]+;[A-Za-z0-9_-]+\.at:[0-9]+;/ {
	sub(/^at_help_all="/, "")
	split($0, field, ";")
	split(field[2], place, ":")
	file[field[1]] = place[1]
	title[field[1]] = field[3]
}

/^#AT_START_/ {
	number = substr($0, 11)
	is_ours = file[number] ~ /^(ovsdb-.*|vtep-ctl)\.at$/
	starts = 0
}

is_ours && number {
	if (/ovsdb-server|ovsdb_start_idltest|ovsdb_check_/)
		starts = 1
	for (i = 1; i <= n_left_out; i++)
		if (index($0, left_out[i]) || index(title[number], left_out[i]))
			is_ours = 0
}

/^#AT_STOP_/ {
	if (is_ours && starts)
		print number, file[number], title[number]
	number = ""
}
