# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The camera at full speed: packets of 64 bytes, and a gadget of the same speed.
# timeout: 240
. "$LAB_DIR/lib.sh"

mkdir /lab/card
# A container is 12 bytes and the file: 52, 116, 500 and 16372 fill packets and requests exactly.
for size in 1 51 52 53 116 499 500 501 16372 65525 2000000; do
	head -c $size /dev/urandom >"/lab/card/f$size.jpg"
done

host_controller=uhci
camera card
check "the camera's host has it at full speed" [ "$(speed_at pci)" = 12 ]
lsusb_keep pci
server
bridge_start
check "and so has the phone" [ "$(speed_at dummy_hcd.0)" = 12 ]
lsusb_same
downloads_same phone card
bridge_stop
nothing_left
