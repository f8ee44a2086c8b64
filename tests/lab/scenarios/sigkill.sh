# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SIGKILL in the middle of a transfer: the phone sees the unplug, and the next start clears up.
# timeout: 180
. "$LAB_DIR/lib.sh"

photos card
camera card
server
bridge_start
get_all_started phone "$work/cut"

kill -KILL "$bridge_pid"
bridge_wait 5
check "the phone sees the unplug" eventually 3 usb_gone dummy_hcd.0
get_all_ended

bridge_start
downloads_same phone card
bridge_stop
nothing_left
