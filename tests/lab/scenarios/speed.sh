# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 18 MB of photographs, over ip2usb and over the kernel's own client, by turns, on the same link.
# ip2usb may not be slower where the link has a delay.
# timeout: 600
# clock: instructions
. "$LAB_DIR/lib.sh"

photos card
camera card
server

# Each leaves the milliseconds of one get-all-files in $took.
over_vhci() {
	vhci_attach
	took get_all vhci "$work/got"
	vhci_detach
	same_files "$work/got" /lab/card
}

over_bridge() {
	bridge_start
	took get_all phone "$work/got"
	bridge_stop
	eventually 3 server_free
	same_files "$work/got" /lab/card
}

# compare TIMES: by turns; the median of the pairs' ratios is in $percent.
compare() {
	local bridge_times=() vhci_times=() ratios=()
	for _ in $(seq "$1"); do
		over_vhci
		vhci_times+=("$took")
		over_bridge
		bridge_times+=("$took")
		ratios+=($((took * 100 / vhci_times[-1])))
	done
	percent=$(median "${ratios[@]}")
	say "ip2usb: ${bridge_times[*]} ms; vhci: ${vhci_times[*]} ms"
	say "median: ip2usb $(median "${bridge_times[@]}") ms, vhci $(median "${vhci_times[@]}") ms"
	say "ip2usb takes ${ratios[*]} % of its pair's time, median $percent %"
}

say "no delay:"
compare 1
say "5 ms each way:"
link delay 5ms
compare 3
check "ip2usb is no slower at 5 ms each way" [ "$percent" -le 100 ]
