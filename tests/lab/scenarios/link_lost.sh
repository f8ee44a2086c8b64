# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The link goes dead without a word, in a transfer: TCP alone would wait for minutes.
# timeout: 180
. "$LAB_DIR/lib.sh"
bridge_options=(--once)

photos card
camera card
server
bridge_start
get_all_started phone "$work/cut"

link loss 100%
bridge_fails
check "the phone saw the unplug" eventually 3 usb_gone dummy_hcd.0
check "no gadget is left" no_gadget
check "no FunctionFS mount is left" no_mount
get_all_ended
