# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A gallery: the list of 500 small files, and of each what it is and its first 8 KiB. What a link's delay costs.
# timeout: 14400
# clock: instructions
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/../bench/bench.sh"

# Of 20 to 60 KB; the first 8 KiB of each are in $work/heads.
mkdir /lab/card "$work/heads"
python3 -c 'import random, sys
random.seed(1)
for number in range(500):
    data = random.randbytes(random.randint(20000, 60000))
    for folder, size in ("/lab/card", len(data)), (sys.argv[1], 8192):
        with open(f"{folder}/IMG_{number:04}.JPG", "wb") as file:
            file.write(data[:size])' "$work/heads"
cameras
load() {
	read_by_mtpreader "$1" browse && same_files "$work/got" "$work/heads" && same_listing && exchanges browse "$1"
}
bench browse $((500 * 8192))
