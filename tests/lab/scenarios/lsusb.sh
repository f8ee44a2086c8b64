# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `lsusb -v` of the camera at its host and at the phone: equal, but for what lsusb-differences allows.
. "$LAB_DIR/lib.sh"

mkdir /lab/card
camera card
lsusb_keep pci
server
bridge_start
lsusb_same
bridge_stop
nothing_left
