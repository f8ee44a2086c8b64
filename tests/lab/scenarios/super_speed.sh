# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A SuperSpeed disk at a high-speed phone: packets of 1024 bytes here, of 512 there.
# timeout: 400
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"
. "$LAB_DIR/disk.sh"

ports=super
image=$work/disk.img
truncate -s 32M "$image"
remote_gadget 0525 a4a5 max_speed=super-speed
remote_function mass_storage.0 "lun.0/file=$image"
remote_plug
lsusb_keep dummy_hcd.1
server
bridge_start
lsusb_same
check "the disk runs at SuperSpeed" [ "$(speed_at dummy_hcd.1)" = 5000 ]
check "the phone at high speed" [ "$(speed_at dummy_hcd.0)" = 480 ]
modprobe -a usb-storage sd_mod
check "the phone has a disk of 32 MiB" eventually 20 disk_there $((32 << 20))
head -c 4M /dev/urandom >"$work/random"
# Sectors of 512 bytes, odd and even numbers of them: half packets of the disk's.
at=0
for sectors in 1 2 3 7 64 241 1001; do
	check "$sectors sectors are written, reach the disk and are read back" \
		disk_carries $((sectors * 512)) $((at * 512))
	at=$((at + sectors))
done
disk_undisturbed
bridge_stop
nothing_left
