# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A SuperSpeed disk at a high-speed phone: packets of 1024 bytes here, of 512 there. And Linux's own test.
# timeout: 400
. "$LAB_DIR/lib.sh"

speed_at() { cat "$(usb_at "$1")/speed"; }
disk_at() {
	local block
	for block in /sys/block/sd*; do
		case $(readlink -f "$block") in
		*/"$1"/*) echo "/dev/${block##*/}" ;;
		esac
	done
}
phone_has_disk() { [ -n "$(disk_at dummy_hcd.0)" ] && [ "$(blockdev --getsize64 "$(disk_at dummy_hcd.0)")" -gt 0 ]; }

ports=super
truncate -s 32M "$work/disk"
remote_gadget 0525 a4a5 max_speed=super-speed
remote_function mass_storage.0 lun.0/file="$work/disk"
remote_plug
lsusb_keep dummy_hcd.1
server
bridge_start
lsusb_same
check "the disk runs at SuperSpeed" [ "$(speed_at dummy_hcd.1)" = 5000 ]
check "the phone at high speed" [ "$(speed_at dummy_hcd.0)" = 480 ]
modprobe -a usb-storage sd_mod
check "the phone has a disk" eventually 20 phone_has_disk
disk=$(disk_at dummy_hcd.0)
head -c 4M /dev/urandom >"$work/random"
# Sectors of 512 bytes, odd and even numbers of them: half packets of the disk's.
at=0
for sectors in 1 2 3 7 64 241 1001; do
	check "$sectors sectors are written" dd if="$work/random" of="$disk" bs=$((sectors * 512)) count=1 \
		seek=$((at * 512)) oflag=direct,seek_bytes status=none
	check "and have arrived" cmp -i 0:$((at * 512)) -n $((sectors * 512)) "$work/random" "$work/disk"
	check "and are read" dd if="$disk" of="$work/back" bs=$((sectors * 512)) count=1 \
		skip=$((at * 512)) iflag=direct,skip_bytes status=none
	check "and are the same" cmp -n $((sectors * 512)) "$work/random" "$work/back"
	at=$((at + sectors))
done
dmesg | sed '1,/lab: begin/d' >"$work/dmesg"
check "no reset of the disk" not grep -E 'dummy_hcd.0.* reset |usb 3-.* reset |I/O error' "$work/dmesg"
bridge_stop
nothing_left
