# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The camera is unplugged from its host, at idle and in a transfer: the phone sees it unplugged too.
# timeout: 180
. "$LAB_DIR/lib.sh"
bridge_options=(--once)

photos card
camera card
server
bridge_start
unplug
check "the phone sees the unplug" eventually 10 usb_gone dummy_hcd.0
bridge_fails

eventually 10 usb_gone pci || fail "QEMU does not unplug"
camera card
server_bind
bridge_start
get_all_started phone "$work/cut"
unplug
check "the phone sees the unplug" eventually 10 usb_gone dummy_hcd.0
bridge_fails
get_all_ended
nothing_left_here
