# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 18 MB of photographs, by a reader that asks for 16 KiB at a time, as Android's MtpDevice does.
# timeout: 14400
# clock: instructions
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/../bench/bench.sh"

photos card
cameras
load() {
	read_by_mtpreader "$1" get && same_files "$work/got" "$work/source/card" && same_listing
}
bench tablet "$(cat /lab/card/* | wc -c)"
