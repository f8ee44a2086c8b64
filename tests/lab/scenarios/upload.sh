# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A file to the camera and off it again.
# timeout: 180
. "$LAB_DIR/lib.sh"

mkdir /lab/card
cp "$backgrounds/nature/Garden.jpg" /lab/card
camera card readonly=off
server
bridge_start

# What QEMU's camera can take: it ends at a length that is no multiple of 64 (and aborts QEMU where
# the file's own end is one), a request of less than 12 bytes it refuses, and 512 KiB is its limit.
uploads_same phone card 1 513 700 16501 65537 100001 400001

check "delete-file" phone --folder "$folder" --delete-file Garden.jpg
check "it is off the card" eventually 5 [ ! -e /lab/card/Garden.jpg ]
downloads_same phone card
bridge_stop
nothing_left
