# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Files whose sizes lie around what USB, PTP and a relay may get wrong, fetched byte for byte.
# timeout: 180
. "$LAB_DIR/lib.sh"

# A PTP container is 12 bytes and the file: 500, 16372 and 65524 fill packets and requests exactly.
sizes="1 499 500 501 511 512 513 1012 16372 16384 65523 65524 65535 65536 65537 25000000"

mkdir /lab/card
for size in $sizes; do
	head -c "$size" /dev/urandom >"/lab/card/f$size.jpg"
done
touch /lab/card/f0.jpg

camera card
server
bridge_start
check "list-files" phone --list-files
for size in 0 $sizes; do
	grep -q "f$size\.jpg" "$work/check.out" || fail "f$size.jpg is not listed"
done
downloads_same phone card
# And once more.
downloads_same phone card
bridge_stop
nothing_left
