# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tests/demo shows. The pictures end in /out/pictures.
# shellcheck source=../lib.sh
. "$LAB_DIR/lib.sh"

title() { printf '\n== %s\n' "$*"; }

mkdir -p /lab/card /out/pictures
cp /usr/share/backgrounds/mate/nature/*.jpg /lab/card
(cd /lab/card && sha256sum -- *) >"$work/sums"

camera card
server

title "What the machine with the camera exports (ip2usb list $server_host)"
"$LAB_BIN/ip2usb" list $server_host

title "The bridge (ip2usb run), from the start to the phone using the camera"
took bridge_start
cat $bridge_log
say "after $took ms"

title "What the phone enumerates (lsusb)"
port=$(phone_port)
lsusb -s "$(tr , : <<<"${port#usb:}")"
lsusb -t | grep -B1 -A1 dummy_hcd

title "The phone downloads the photographs (gphoto2 --get-all-files)"
# gphoto2 draws its progress bar on a terminal only.
mkdir -p /dev/pts
mountpoint -q /dev/pts || mount -t devpts devpts /dev/pts
export COLUMNS=90
fetch() { (cd /out/pictures && script -qec "gphoto2 --port $port --force-overwrite --get-all-files" /dev/null); }
took fetch

title "Checksums against the originals"
(cd /out/pictures && sha256sum -c "$work/sums")
bytes=$(du -bc /out/pictures/*.jpg | tail -n 1 | cut -f 1)
read -r -a stat <"/proc/$bridge_pid/stat"
say "$bytes bytes in $took ms: $((bytes / took)) kB/s, in an emulated machine"
say "the bridge: $(bridge_rss_kib) KiB of memory, ${stat[13]}0 ms of CPU in user space, ${stat[14]}0 ms in the kernel"

title "The bridge ends"
bridge_stop
nothing_left
