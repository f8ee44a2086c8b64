# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words for scenarios with a disk; sourced after lib.sh.

# disk_there BYTES [PLACE]: a disk of this size is there, at the phone unless told otherwise; it is
# $disk afterwards.
disk_there() {
	disk=/dev/$(nodes_at "${2:-dummy_hcd.0}" 'block/sd?')
	[ "$(blockdev --getsize64 "$disk" 2>/dev/null)" = "$1" ]
}

# $disk has gone, to the kernel of the phone.
disk_gone() { [ ! -e "/sys/block/${disk##*/}" ]; }

# disk_carries BYTES OFFSET: so much of $work/random is written to that place of $disk, is then in $image,
# which is behind it, and is read back.
disk_carries() {
	dd if="$work/random" of="$disk" bs="$1" count=1 seek="$2" oflag=direct,seek_bytes status=none &&
		cmp -i "0:$2" -n "$1" "$work/random" "$image" &&
		dd if="$disk" of="$work/back" bs="$1" count=1 skip="$2" iflag=direct,skip_bytes status=none &&
		cmp -n "$1" "$work/random" "$work/back"
}

# Neither a reset nor an error, to the kernel of the phone, since the scenario began.
disk_undisturbed() {
	local device
	device=$(usb_at dummy_hcd.0)
	dmesg | sed '1,/lab: begin/d' >"$work/dmesg"
	check "no reset of the disk" not grep -E "usb ${device##*/}: reset |I/O error" "$work/dmesg"
}

# Sectors that have been written to $disk (Documentation/block/stat.rst).
disk_written() { awk '{ print $7 }' "/sys/block/${disk##*/}/stat"; }
disk_written_since() { [ "$(disk_written)" -gt "$1" ]; }

# lost_in_a_write UNPLUG...: by that command the disk goes while the phone writes to it.
lost_in_a_write() {
	local before writer status=0
	before=$(disk_written)
	dd if=/dev/urandom of="$disk" bs=64k oflag=direct status=none 2>"$work/dd.err" &
	writer=$!
	check "a write is under way" eventually 20 disk_written_since $((before + 1024))
	"$@"
	check "the phone's kernel sees the disk go" eventually 20 disk_gone
	wait $writer || status=$?
	check "its write fails" [ $status -ne 0 ]
	bridge_fails
	# Which of the two it hears first is the server's affair.
	check "and says why" grep -Eq 'error: (the camera has been unplugged|the server closed the connection)' \
		"$bridge_log"
	nothing_left_here
}
