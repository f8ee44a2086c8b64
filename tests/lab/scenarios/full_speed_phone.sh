# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A high-speed camera and disk at a phone that runs at full speed: packets of 512 bytes here, of 64 there.
# timeout: 400
. "$LAB_DIR/lib.sh"

speed_at() { cat "$(usb_at "$1")/speed"; }

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
folder=$(phone --list-folders | sed -n 's/.*\(\/store_[0-9a-f]*\).*/\1/p' | head -n 1)
for size in 1 513 16501 65537; do
	head -c $size /dev/urandom >"$work/up$size.jpg"
	check "upload of $size bytes" phone --folder "$folder" --upload-file "$work/up$size.jpg"
	check "it is on the card" eventually 5 cmp "$work/up$size.jpg" "/lab/card/up$size.jpg"
done
bridge_stop
nothing_left
