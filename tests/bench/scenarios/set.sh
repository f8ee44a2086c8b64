# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 18 MB of photographs, by gphoto2 --get-all-files.
# timeout: 14400
# clock: instructions
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/../bench/bench.sh"

photos card
card_gadget card
camera card
server
load() {
	took get_all "$1" "$work/got"
	same_files "$work/got" "$work/source/card"
}
bench set "$(cat /lab/card/* | wc -c)"
