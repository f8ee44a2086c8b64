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
cameras
load() { get_by_gphoto2 "$1"; }
bench raw $((64 << 20))
