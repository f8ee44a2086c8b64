# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 18 MB of photographs, by gphoto2 --get-all-files.
# timeout: 14400
# clock: instructions
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/../bench/bench.sh"

photos card
cameras
load() { get_by_gphoto2 "$1"; }
bench set "$(cat /lab/card/* | wc -c)"
