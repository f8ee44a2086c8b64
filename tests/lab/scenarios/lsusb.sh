# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `lsusb -v` of the camera at its host and at the phone: equal, but for what lsusb-differences allows.
. "$LAB_DIR/lib.sh"

# describe PLACE: without the first line, which has the bus and device number.
describe() {
	local device
	device=$(usb_at "$1")
	lsusb -v -s "$(cat "$device/busnum"):$(cat "$device/devnum")" 2>/dev/null |
		grep -v -e '^Bus ' -e '^$' | sed -E 's/^ +//; s/ +/ /g; s/ $//'
}

# Each line that differs, with the one that stands in its place: "at the camera => at the phone".
differences() {
	(diff "$1" "$2" || true) | awk '
		function flush(	i) {
			for (i = 1; i <= (n > m ? n : m); i++)
				print (i <= n ? a[i] : "(nothing)") " => " (i <= m ? b[i] : "(nothing)")
			n = m = 0
		}
		/^[0-9]/ { flush() }
		/^</ { a[++n] = substr($0, 3) }
		/^>/ { b[++m] = substr($0, 3) }
		END { flush() }'
}

mkdir /lab/card
camera card
describe pci >/out/log/lsusb-camera
server
bridge_start
describe dummy_hcd.0 >/out/log/lsusb-phone
check "lsusb describes both" [ "$(wc -l </out/log/lsusb-phone)" -gt 20 ]

differences /out/log/lsusb-camera /out/log/lsusb-phone >"$work/differences"
grep -v '^#' "$LAB_DIR/lsusb-differences" | cut -f 1 >"$work/allowed"

check "no difference but the allowed ones" not grep -vxE -f "$work/allowed" "$work/differences"
while read -r pattern; do
	check "still needed: $pattern" grep -xE -- "$pattern" "$work/differences"
done <"$work/allowed"
bridge_stop
nothing_left
