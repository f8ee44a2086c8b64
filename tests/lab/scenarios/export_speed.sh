# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 18 MB of photographs through ip2usb, from ip2usb-export and from the kernel's server, by turns, on the same link:
# the former may not be slower.
# timeout: 600
# clock: instructions
. "$LAB_DIR/lib.sh"

# server_of usbipd|export: that one serves the camera from here on.
server_of() {
	if [ -n "$(server_pid)" ]; then
		kill "$(server_pid)"
		eventually 10 not server_listens || fail "the server does not end"
	fi
	[ -z "${serving:-}" ] || server_unbind
	serving=$1
	# shellcheck source=/dev/null
	. "$LAB_DIR/$1.sh"
	server_bind
	server_start
	eventually 10 server_listens || fail "no server"
	eventually 10 is_listed $server_host || fail "the camera is not exported"
}

# over SERVER: the milliseconds of one get-all-files are in $took.
over() {
	server_of "$1"
	bridge_start
	took get_all phone "$work/got"
	bridge_stop
	same_files "$work/got" /lab/card
}

# compare TIMES: by turns; the median of the pairs' ratios is in $percent.
compare() {
	local of_export=() of_usbipd=() ratios=()
	for _ in $(seq "$1"); do
		over usbipd
		of_usbipd+=("$took")
		over export
		of_export+=("$took")
		ratios+=($((took * 100 / of_usbipd[-1])))
	done
	percent=$(median "${ratios[@]}")
	say "from ip2usb-export: ${of_export[*]} ms; from usbipd: ${of_usbipd[*]} ms"
	say "ip2usb-export takes ${ratios[*]} % of its pair's time, median $percent %"
}

photos card
camera card
network
say "no delay:"
compare 2
check "ip2usb-export is no slower" [ "$percent" -le 105 ]
say "5 ms each way:"
link delay 5ms
compare 2
check "ip2usb-export is no slower at 5 ms each way" [ "$percent" -le 103 ]
