# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A disk, by fio, past the phone's cache and one request after the other: 8 MiB from the start by 1 MiB, and 64
# times 4 KiB here and there. Each block of 4 KiB holds its place and a checksum, by which fio knows it again.
# timeout: 28800
# clock: instructions
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/disk.sh"
. "$LAB_DIR/../bench/bench.sh"

size=$((16 << 20))
mode= # seqread, seqwrite, randread, randwrite

# fio_does MODE FILE OPTION...: the milliseconds that it took, by fio itself, are in $took. What it reads is
# verified; it reads and writes the same blocks.
fio_does() {
	local way=${1#seq} file=$2 blocks
	case $1 in
	seq*) blocks=(--bs=1M --io_size=8M) ;;
	rand*) blocks=(--bs=4k --io_size=256k) ;;
	esac
	shift 2
	fio --name=lab --filename="$file" --size=$size --rw="$way" "${blocks[@]}" --ioengine=psync --randseed=1 \
		--verify=xxhash --verify_interval=4096 --verify_fatal=1 --do_verify=0 \
		--output-format=json --output="$work/fio.json" "$@" || return 1
	took=$(jq '.jobs[0] | .read.runtime + .write.runtime' "$work/fio.json")
}

# image_of CLIENT: the file behind the disk that it has.
image_of() {
	case $1 in
	direct) echo "$work/disk.img" ;;
	*) echo /lab/disk.img ;;
	esac
}

full() { fio_does seqwrite "$1" --io_size=$size; }
empty() { truncate -s 0 "$1" && truncate -s $size "$1"; }

load() {
	local image
	image=$(image_of "$1")
	eventually 20 disk_there $size "$(place "$1")" || fail "$1: no disk"
	case $mode in
	*write) empty "$image" ;;
	esac
	fio_does $mode "$disk" --direct=1 || return 1
	case $mode in
	*write) written "$image" ;;
	esac
}

# written IMAGE: what has been written has reached the disk.
written() {
	local milliseconds=$took
	fio_does "${mode%write}read" "$1" || return 1
	took=$milliseconds
}

for image in /lab/disk.img "$work/disk.img"; do
	empty "$image"
	full "$image"
done
remote_gadget 1d6b 0104
remote_function mass_storage.0 "lun.0/file=$work/disk.img"
monitor "drive_add 0 if=none,id=disk,format=raw,file=$LAB_SHARE_ON_HOST/disk.img"
plug "usb-storage,drive=disk,serial=LAB1"
server
modprobe -a usb-storage sd_mod
# What is read is from before anything is written.
for mode in seqread randread seqwrite randwrite; do
	case $mode in
	seq*) bench disk-$mode $((8 << 20)) ;;
	rand*) bench disk-$mode $((256 << 10)) ;;
	esac
done
