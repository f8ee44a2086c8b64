# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A device that is no camera: a keyboard, whose keys come by an interrupt endpoint.
. "$LAB_DIR/lib.sh"

# hidraw_at PLACE: the name of the HID device there, under /dev.
hidraw_at() {
	local node
	for node in /sys/class/hidraw/*; do
		case $(readlink -f "$node") in
		*/"$1"*) echo "${node##*/}" ;;
		esac
	done
}
hid_up() { [ -n "$(hidraw_at "$1")" ]; }
report_descriptor() { cat "/sys/class/hidraw/$(hidraw_at "$1")/device/report_descriptor"; }

modprobe -a usbhid hid-generic
plug usb-kbd
eventually 10 hid_up pci || fail "the keyboard does not work where it is plugged in"
report_descriptor pci >"$work/camera.report"
server
bridge_start gadget.max_power_ma=20 gadget.self_powered=yes
device=$(usb_at dummy_hcd.0)
check "the phone is told 20 mA" grep -qx 20mA "$device/bMaxPower"
check "and of a supply of its own, which the keyboard does not have" \
	[ "$(cat "$device/bmAttributes" "$(usb_at pci)/bmAttributes" | tr '\n' ' ')" = "c0 a0 " ]
check "the phone has a HID device" eventually 10 hid_up dummy_hcd.0
report_descriptor dummy_hcd.0 >"$work/phone.report"
check "the report descriptor is the same" cmp "$work/camera.report" "$work/phone.report"

# hidraw keeps reports from the moment that it is open; usbhid drops what comes in the first 50 ms.
exec 4<"/dev/$(hidraw_at dummy_hcd.0)"
sleep 0.5
monitor "sendkey a"
sleep 1
monitor "sendkey b"
check "four reports arrive" timeout 30 dd bs=8 count=4 of="$work/keys" <&4
# Usage 4 is "a", usage 5 is "b".
check "a and b, pressed and released" [ "$(od -An -v -t x1 -w8 "$work/keys" | tr -d '\n')" = \
	" 00 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 05 00 00 00 00 00 00 00 00 00 00 00 00 00" ]
bridge_stop
nothing_left
