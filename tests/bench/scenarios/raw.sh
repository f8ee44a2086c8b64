# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One object of 64 MiB, as a camera's RAW or film, by gphoto2.
# timeout: 14400
# clock: instructions
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/../bench/bench.sh"

mkdir /lab/card
head -c 64M /dev/urandom >/lab/card/large.mov
card_gadget card
camera card
server
load() {
	took get_all "$1" "$work/got"
	same_files "$work/got" "$work/source/card"
}
bench raw $((64 << 20))
