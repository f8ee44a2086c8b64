# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A phone that gives a disk's command up half-way, and then recovers it by the class's own reset.
# timeout: 240
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"

truncate -s 16M "$work/image"
remote_gadget 1d6b 0104
remote_function mass_storage.0 "lun.0/file=$work/image"
remote_plug
check "the disk recovers where it is plugged in" botreset "$(usbfs_at dummy_hcd.1)" 10
server
bridge_start
check "and at the phone" botreset "$(usbfs_at dummy_hcd.0)" 10
bridge_stop
nothing_left
