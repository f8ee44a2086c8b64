# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The phone suspends its port: for a moment, for so long that it counts as unplugged, and for good.
# timeout: 240
. "$LAB_DIR/lib.sh"

phone_power() { echo "$1" >"$(usb_at dummy_hcd.0)/power/control"; }
phone_is() { [ "$(cat "$(usb_at dummy_hcd.0)/power/runtime_status")" = "$1" ]; }
# The last that was said of the phone; how often says nothing: where the machine stalls, it sleeps as long between
# two things that gphoto2 does.
let_go() { grep '^the phone ' $bridge_log | tail -n 1 | grep -q 'has let go'; }

photos card
camera card
server
bridge_start gadget.unplug_after_s=8
before=$(resets)
echo 0 >"$(usb_at dummy_hcd.0)/power/autosuspend_delay_ms"

phone_power auto
check "the phone sleeps" eventually 10 phone_is suspended
sleep 1
check "it is not taken for unplugged at once" not let_go
phone_power on
check "the phone is awake" eventually 10 phone_is active
downloads_same phone card

phone_power auto
check "the phone sleeps" eventually 10 phone_is suspended
check "it is taken for unplugged" eventually 20 let_go
# gphoto2 wakes it up.
downloads_same phone card
check "its camera was not reset: it is the same phone" [ "$(resets)" = "$before" ]

check "the phone sleeps again" eventually 20 phone_is suspended
check "and is taken for unplugged again" eventually 20 let_go
phone_authorized 0
phone_authorized 1
check "it configures the camera anew" eventually 20 usb_up dummy_hcd.0
downloads_same phone card
check "the camera was reset" [ "$(resets)" = $((before + 1)) ]
bridge_stop
nothing_left
