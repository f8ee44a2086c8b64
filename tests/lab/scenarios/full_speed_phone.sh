# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A high-speed camera at a phone that runs at full speed: packets of 512 bytes here, of 64 there.
# timeout: 400
. "$LAB_DIR/lib.sh"

ports=full
mkdir -p /lab/card
cp "$backgrounds"/nature/{Aqua,Blinds,Dune}.jpg /lab/card
# Containers that end with a packet of the phone's, of the camera's, of both, of neither.
for size in 1 52 500 4084 4148 4097; do
	head -c $size /dev/urandom >"/lab/card/$size.jpg"
done
camera card readonly=off
server
bridge_start
check "the camera runs at high speed" [ "$(speed_at pci)" = 480 ]
check "the phone at full speed" [ "$(speed_at dummy_hcd.0)" = 12 ]
downloads_same phone card
# To the camera: what QEMU's takes (tests/lab/README.md).
uploads_same phone card 1 513 16501 65537
bridge_stop
nothing_left
