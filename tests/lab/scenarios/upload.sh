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

folder=$(phone --list-folders | sed -n 's/.*\(\/store_[0-9a-f]*\).*/\1/p' | head -n 1)
check "the camera has a storage" [ -n "$folder" ]
# What QEMU's camera can take: it ends at a length that is no multiple of 64 (and aborts QEMU where
# the file's own end is one), a request of less than 12 bytes it refuses, and 512 KiB is its limit.
for size in 1 513 700 16501 65537 100001 400001; do
	head -c $size /dev/urandom >"$work/up$size.jpg"
	check "upload of $size bytes" phone --folder "$folder" --upload-file "$work/up$size.jpg"
	check "it is on the card" eventually 5 cmp "$work/up$size.jpg" "/lab/card/up$size.jpg"
done

check "delete-file" phone --folder "$folder" --delete-file Garden.jpg
check "it is off the card" eventually 5 [ ! -e /lab/card/Garden.jpg ]
check "get-all-files" get_all phone "$work/got"
check "byte for byte the same" same_files "$work/got" /lab/card
bridge_stop
nothing_left
