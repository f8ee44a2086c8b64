# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A disk that is the kernel's mass-storage function, which ends data by short packets and halts (its
# attribute "stall"): refused commands show the same at the phone as where it is plugged in; then
# programs that verify what they write, on a good link and on a bad one; and the disk goes in a write.
# timeout: 480
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"
. "$LAB_DIR/disk.sh"
bridge_options=(--once)

size=$((16 << 20))

# attempt NAME in|out|none BYTES CDB...: what sg_raw tells of a command of the phone's, and the
# completions of its bulk transfers.
attempt() {
	local name=$1 way=$2 bytes=$3 code=0
	shift 3
	: >"$work/in" >"$work/bus"
	case $way in
	in) set -- -r "$bytes" -o "$work/in" "$generic" "$@" ;;
	out) set -- -s "$bytes" -i "$work/out" "$generic" "$@" ;;
	none) set -- "$generic" "$@" ;;
	esac
	sg_raw -t 20 -v "$@" >"$work/raw" 2>&1 || code=$?
	sleep 0.2 # the monitor is a process of its own
	echo "== $name: exit $code"
	cat "$work/raw"
	sha1sum <"$work/in"
	awk '$3 == "C" && $4 ~ /^B/ { print substr($4, 1, 2), $5, $6 }' "$work/bus"
}

# The monitor shows what a command does.
monitor_sees() {
	sg_raw "$generic" 00 00 00 00 00 00 >/dev/null 2>&1 || true
	sleep 0.2
	[ -s "$work/bus" ]
}

# The driver has done with looking at the disk, for the N-th time.
disk_attached() { [ "$(dmesg | grep -c 'Attached SCSI removable disk')" -eq "$1" ]; }

# attempts PLACE: that fail, or end their data before the phone does.
attempts() {
	local generic
	# Not by the block device, which is looked at anew whenever it is opened.
	generic=$(echo "/sys/block/${disk##*/}/device/scsi_generic/"*)
	generic=/dev/${generic##*/}
	bus_watch "$1"
	eventually 10 monitor_sees || fail "usbmon shows nothing"
	attempt "unsupported, no data" none 0 c9 00 00 00 00 00
	attempt "unsupported, in" in 512 c9 00 00 00 00 00
	attempt "unsupported, 64 KiB in" in 65536 c9 00 00 00 00 00
	attempt "unsupported, out" out 512 c9 00 00 00 00 00
	attempt "unsupported, 64 KiB out" out 65536 c9 00 00 00 00 00
	attempt "inquiry" in 36 12 00 00 00 24 00
	attempt "inquiry, 36 of 512 bytes" in 512 12 00 00 00 24 00
	attempt "inquiry, 36 of 1024 bytes" in 1024 12 00 00 00 24 00
	attempt "read, 1 of 2 blocks" in 1024 28 00 00 00 00 00 00 00 01 00
	attempt "read, 2 blocks into 1" in 512 28 00 00 00 00 00 00 00 02 00
	attempt "read beyond the end" in 512 28 00 00 00 80 00 00 00 01 00
	attempt "read across the end" in 65536 28 00 00 00 7f f0 00 00 80 00
	attempt "write, 1 of 2 blocks" out 1024 2a 00 00 00 00 00 00 00 01 00
	attempt "write beyond the end" out 512 2a 00 00 00 80 00 00 00 01 00
	attempt "write beyond the end, 64 KiB" out 65536 2a 00 00 00 80 00 00 00 80 00
	attempt "inquiry, wrong direction" out 36 12 00 00 00 24 00
	attempt "write, wrong direction" in 512 2a 00 00 00 00 00 00 00 01 00
	attempt "test unit ready" none 0 00 00 00 00 00 00
	bus_unwatch
}

fio_verifies() {
	fio --name=lab --filename="$disk" --direct=1 --rw=randwrite --bsrange=512-128k --size="$1" \
		--ioengine=psync --randseed=1 --verify=crc32c --verify_fatal=1 --output="$work/fio.out" ||
		{
			cat "$work/fio.out"
			return 1
		}
}

modprobe -a usb-storage sd_mod sg
head -c $size /dev/urandom >"$work/image"
head -c 64K "$work/image" >"$work/out"
remote_gadget 1d6b 0104
remote_function mass_storage.0 stall=1 "lun.0/file=$work/image"
remote_plug
check "where it is plugged in it is a disk" eventually 20 disk_there $size dummy_hcd.1
eventually 20 disk_attached 1 || fail "it is not attached"
attempts dummy_hcd.1 >/out/log/direct 2>&1
lsusb_keep dummy_hcd.1
server
bridge_start
lsusb_same
check "the phone's kernel finds a disk of 16 MiB" eventually 20 disk_there $size
eventually 20 disk_attached 2 || fail "it is not attached"
attempts dummy_hcd.0 >/out/log/bridged 2>&1
check "endpoints have been halted" [ "$(grep -c '^Bi -32' /out/log/direct)" -gt 5 ]
check "sg_raw shows the same at the phone" diff /out/log/direct /out/log/bridged

check "fio verifies" fio_verifies 4M
check "badblocks finds none" badblocks -w -b 4096 -c 32 -o "$work/bad" "$disk" 255
check "nor lists one" [ ! -s "$work/bad" ]

link_real_packets
link delay 5ms loss 1%
check "fio verifies with 5 ms and 1 % loss" fio_verifies 1M
link_losses
link

lost_in_a_write remote_unplug
