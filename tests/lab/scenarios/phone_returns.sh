# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The phone lets go of the camera in the middle of a transfer, and comes back: the camera is reset, and
# knows nothing of that transfer any more.
# timeout: 240
. "$LAB_DIR/lib.sh"

photos card
camera card
server
bridge_start
before=$(resets)

for round in 1 2 3; do
	get_all_started phone "$work/cut"
	phone_authorized 0
	get_all_ended
	phone_authorized 1
	check "$round: the phone is back" eventually 10 usb_up dummy_hcd.0
	downloads_same phone card
done

# A reset of the port by a driver, at rest.
check "usbreset" usbreset "$(port_at dummy_hcd.0 | tr -d 'usb:' | tr , /)"
check "the phone is back" eventually 10 usb_up dummy_hcd.0
downloads_same phone card
check "the camera was reset each time" [ "$(resets)" -eq $((before + 4)) ]
bridge_stop
nothing_left
