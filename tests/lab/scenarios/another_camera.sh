# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The phone waits for its camera, and another is plugged in where that was, or the same with other descriptors, as
# after an update: the phone sees an unplug, and then what is there now.
# timeout: 600
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"

at_phone() { cat "$(usb_at dummy_hcd.0)/$1"; }
is_at_phone() { [ "$(at_phone "$1")" = "$2" ]; }

# other WHAT FILE VALUE ATTRIBUTE SHOWN: meanwhile this file of the gadget is another; the phone's sysfs shows so.
other() {
	local number
	say "$1:"
	check "before, it is not" not is_at_phone "$4" "$5"
	number=$(phone_number)
	mark
	link loss 100%
	check "the daemon holds" eventually 15 is_state holding
	remote_unplug
	eventually 10 usb_gone dummy_hcd.1 || fail "the camera does not go"
	echo "$3" >"$remote/$2"
	remote_plug
	check "it is where the first was" [ "$busid" = "$place" ]
	eventually 10 server_bind || fail "the server does not take it"
	check "the phone still waits" [ "$(phone_number)" = "$number" ]
	link
	check "the daemon sees that it is another" eventually 20 has_said 'another camera is at'
	check "the phone sees the unplug" eventually 40 usb_gone dummy_hcd.0
	check "it has not gone on" not has_said 'the link is back'
	check "the phone has a camera again within 15 s" eventually 15 usb_up dummy_hcd.0
	check "it is the one that is there" is_at_phone "$4" "$5"
	downloads_same phone card
}

scene=$work/scene
mkdir -p "$scene/card" /lab/card
cp "$backgrounds/nature/Garden.jpg" "$scene/card/GARDEN.JPG"
cp "$backgrounds/nature/Garden.jpg" /lab/card/GARDEN.JPG
still_camera "$scene"
place=$busid
server
bridge_options=(-v)
bridge_start link.hold_s=25
downloads_same phone card
other "another of the same kind" strings/0x409/serialnumber LAB2 serial LAB2
other "the same with new firmware" bcdDevice 0x0234 bcdDevice 0234
other "the same with another configuration" configs/c.1/MaxPower 100 bMaxPower 100mA

say "the same, unchanged:"
number=$(phone_number)
mark
link loss 100%
check "the daemon holds" eventually 15 is_state holding
remote_unplug
eventually 10 usb_gone dummy_hcd.1 || fail "the camera does not go"
remote_plug
eventually 10 server_bind || fail "the server does not take it"
link
check "the link is back" eventually 20 has_said 'the link is back'
check "the phone has seen no unplug" [ "$(phone_number)" = "$number" ]
downloads_same phone card
bridge_stop
nothing_left
