# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A device that is no camera: a keyboard, whose keys come by an interrupt endpoint, and whose reports are
# also set and fetched by control requests.
# timeout: 240
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/devices.sh"

hid_up() { has_nodes 1 "$1" 'hidraw/*' && has_nodes 1 "$1" 'input/event*'; }

# key NAME true|false: pressed or released, and left so, which sendkey cannot.
key() {
	local key="{\"type\": \"qcode\", \"data\": \"$1\"}"
	echo "{\"execute\": \"input-send-event\", \"arguments\": {\"events\": [
		{\"type\": \"key\", \"data\": {\"down\": $2, \"key\": $key}}]}}" >&"$monitor_fd"
}

modprobe -a usbhid hid-generic evdev
plug usb-kbd
eventually 10 hid_up pci || fail "the keyboard does not work where it is plugged in"
report_descriptor pci >"$work/camera.report"
lsusb_keep pci
server
# Without what would differ, and then with it.
bridge_start
lsusb_same
bridge_stop
bridge_start gadget.max_power_ma=20 gadget.self_powered=yes
device=$(usb_at dummy_hcd.0)
check "the phone is told 20 mA" grep -qx 20mA "$device/bMaxPower"
check "and of a supply of its own, which the keyboard does not have" \
	[ "$(cat "$device/bmAttributes" "$(usb_at pci)/bmAttributes" | tr '\n' ' ')" = "c0 a0 " ]
check "the phone has a HID device" eventually 10 hid_up dummy_hcd.0
report_descriptor dummy_hcd.0 >"$work/phone.report"
check "the report descriptor is the same" cmp "$work/camera.report" "$work/phone.report"
hidraw=/dev/$(nodes_at dummy_hcd.0 'hidraw/*')
event=/dev/input/$(nodes_at dummy_hcd.0 'input/event*')

# hidraw keeps reports from the moment that it is open.
exec 4<"$hidraw"
events_watch "$event"
monitor "sendkey a"
sleep 1
monitor "sendkey b"
check "four reports arrive" timeout 30 dd bs=8 count=4 of="$work/keys" <&4
# Usage 4 is "a", usage 5 is "b".
check "a and b, pressed and released" [ "$(hex "$work/keys")" = \
	"$(printf %s 0000040000000000 0000000000000000 0000050000000000 0000000000000000)" ]
check "as input events too" eventually 5 grep -q 'KEY_B), value 0' "$work/events"
check "and these are all" [ "$(sed -n 's/.*(KEY_\(.\)), value \([01]\).*/\1\2/p' "$work/events" | tr '\n' ' ')" = \
	"A1 A0 B1 B0 " ]

# GET_REPORT: the keyboard itself says what is pressed.
key c true
check "c arrives" timeout 30 dd bs=8 count=1 of="$work/keys" <&4
check "GET_REPORT has it" [ "$(hid_report "$hidraw" 10 000000000000000000)" = 000000060000000000 ]
key c false
check "c is released" timeout 30 dd bs=8 count=1 of="$work/keys" <&4
check "GET_REPORT has that" [ "$(hid_report "$hidraw" 10 000000000000000000)" = 000000000000000000 ]

# SET_REPORT: the light of Caps Lock. QEMU shows it to nobody, the bus of the camera's host does.
bus_watch pci
set_report() { bus_has "S Co:.* s 21 09 0200 0000 0001 1 = $1"; }
led "$event" 1 1
check "an EV_LED event reaches the keyboard as SET_REPORT" eventually 10 set_report 02
led "$event" 1 0
check "and its end" eventually 10 set_report 00
check "a report of hidraw does" hid_report "$hidraw" 11 0005
check "and arrives" eventually 10 set_report 05
check "none fails" not bus_has 'C Co:[^ ]* -'
bus_unwatch
events_unwatch
exec 4<&-
bridge_stop
nothing_left
