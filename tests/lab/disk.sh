# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words for scenarios with a disk; sourced after lib.sh.

# disk_there BYTES [PLACE]: a disk of this size is there, at the phone unless told otherwise; it is
# $disk afterwards.
disk_there() {
	local block
	disk=
	for block in /sys/block/sd*; do
		case $(readlink -f "$block") in
		*/"${2:-dummy_hcd.0}"*) disk=/dev/${block##*/} ;;
		esac
	done
	[ -n "$disk" ] && [ "$(blockdev --getsize64 "$disk" 2>/dev/null)" = "$1" ]
}

# $disk has gone, to the kernel of the phone.
disk_gone() { [ ! -e "/sys/block/${disk##*/}" ]; }

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
	check "the daemon ends" bridge_wait 10
	check "with exit code 1" [ "$bridge_status" -eq 1 ]
	# Which of the two it hears first is the server's affair.
	check "and says why" grep -Eq 'error: (the camera has been unplugged|the server closed the connection)' \
		"$bridge_log"
	check "no gadget is left" no_gadget
	check "no FunctionFS mount is left" no_mount
	check "no connection to the server is left" eventually 3 no_connection
}
