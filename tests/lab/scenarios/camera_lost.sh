# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The camera is unplugged from its host, at idle and in a transfer: the phone sees it unplugged too.
# timeout: 180
. "$LAB_DIR/lib.sh"

photos card
camera card
server
bridge_start
unplug
check "the phone sees the unplug" eventually 10 usb_gone dummy_hcd.0
check "the daemon ends" bridge_wait 10
check "exit code not 0" [ "$bridge_status" -ne 0 ]

eventually 10 usb_gone pci || fail "QEMU does not unplug"
camera card
server_bind
bridge_start
get_all_started phone "$work/cut"
unplug
check "the phone sees the unplug" eventually 10 usb_gone dummy_hcd.0
check "the daemon ends" bridge_wait 10
check "exit code not 0" [ "$bridge_status" -ne 0 ]
get_all_ended
check "no gadget is left" no_gadget
check "no FunctionFS mount is left" no_mount
check "no connection to the server is left" eventually 3 no_connection
