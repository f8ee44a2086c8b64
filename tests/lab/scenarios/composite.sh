# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A device of several functions, all used at once: a keyboard, a device of vendor-defined reports, a disk
# and a modem with an IAD. The remote is a gadget of the kernel's own functions.
# timeout: 480
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"
. "$LAB_DIR/devices.sh"
. "$LAB_DIR/disk.sh"

# HID 1.11, appendix B.1: the boot keyboard, 8 bytes of keys and 1 of lights.
keyboard_reports=05010906a101050719e029e71500250175019508810295017508810395057501050819012905910295017503910395067508150025650507190029658100c0
# 64 bytes each way, of a page that is the vendor's.
vendor_reports=0600ff0901a101150026ff00750895400901810209019102c0

# there PLACE TTY: every function has its driver.
there() {
	has_nodes 2 "$1" 'hidraw/*' && has_nodes 1 "$1" 'input/event*' && has_nodes 1 "$1" 'block/sd?' &&
		has_nodes 1 "$1" "tty/$2"
}

# listen NODE: what a node of the remote gadget yields, from now on; heard BYTES NODE HEX: the last of it.
listeners=()
listen() {
	stdbuf -o0 cat "$1" >"$work/heard-${1##*/}" &
	listeners+=($!)
}
heard() { [ "$(tail -c "$1" "$work/heard-${2##*/}" | hex)" = "$3" ]; }

# find_nodes PLACE TTY: of the drivers there.
find_nodes() {
	keyboard=/dev/$(nodes_at "$1" 'hidraw/*' | sed -n 1p)
	vendor=/dev/$(nodes_at "$1" 'hidraw/*' | sed -n 2p)
	event=/dev/input/$(nodes_at "$1" 'input/event*')
	disk=/dev/$(nodes_at "$1" 'block/sd?')
	tty=/dev/$(nodes_at "$1" "tty/$2")
	exec 6<>"$tty"
	stty -F "$tty" raw -echo
}

use_keyboard() {
	events_watch "$event"
	bytes 0000040000000000 >/dev/hidg0
	bytes 0000000000000000 >/dev/hidg0
	check "a key" eventually 5 grep -q 'KEY_A), value 0' "$work/events"
	events_unwatch
	# It has no OUT endpoint.
	led "$event" 1 1
	check "a light by SET_REPORT" eventually 5 heard 1 hidg0 02
	led "$event" 1 0
	check "and its end" eventually 5 heard 1 hidg0 00
	check "GET_REPORT" [ "$(hid_report "$keyboard" 10 000000000000000000)" = 000000000000000000 ]
}

# use_vendor refused|acknowledged: what becomes of SET_REPORT.
use_vendor() {
	exec 4<"$vendor"
	sleep 0.2
	bytes "$report" >/dev/hidg1
	check "a report of 64 bytes" timeout 5 dd bs=64 count=1 of="$work/report" <&4
	check "the same" [ "$(hex "$work/report")" = "$report" ]
	exec 4<&-
	bytes "00$report" >"$vendor"
	check "one by the OUT endpoint" eventually 5 heard 64 hidg1 "$report"
	hid_report "$vendor" 6 "00$report" >/dev/null 2>"$work/refused" || true
	# f_hid with an OUT endpoint stalls SET_REPORT. FunctionFS has acknowledged the data of such a request
	# when ip2usb gets it, so the phone is not told.
	if [ "$1" = refused ]; then
		check "SET_REPORT is refused, with a STALL" grep 'Broken pipe' "$work/refused"
	else
		check "SET_REPORT: the phone does not learn that it was refused" [ ! -s "$work/refused" ]
	fi
}

use_disk() { disk_carries $((4 << 20)) 0; }

use_serial() { carried "$tty" /dev/ttyGS0 "$work/short" && carried /dev/ttyGS0 "$tty" "$work/short"; }

# use PLACE TTY refused|acknowledged
use() {
	find_nodes "$1" "$2"
	use_keyboard
	use_vendor "$3"
	check "the disk: 4 MiB written and read" use_disk
	check "the modem: 20 kB each way" use_serial
}

# reports: 50 of them, one after the other, to the host; the first byte counts them.
reports() {
	timeout 60 dd bs=64 count=50 iflag=fullblock status=none <"$vendor" >"$work/reports" &
	sleep 0.5
	perl -e 'open(my $hid, ">", "/dev/hidg1") or die;
		for (1 .. 50) { syswrite($hid, pack("C64", $_, (0) x 63)) == 64 or die "$!" }'
	wait $!
	[ "$(od -An -v -t u1 -w64 "$work/reports" | awk '{ print $1 }' | tr '\n' ' ')" = "$(seq -s ' ' 50) " ]
}

# The remote's own end, after each of its configurations: on 6.12 readers of f_hid stand idle after another,
# and u_serial hangs up (gserial_disconnect). That is held open, for it forgets its settings at the last
# close (TTY_DRIVER_RESET_TERMIOS).
remote_ready() {
	kill "${listeners[@]}" 2>/dev/null || true
	listeners=()
	listen /dev/hidg0
	listen /dev/hidg1
	exec 5<>/dev/ttyGS0
	stty -F /dev/ttyGS0 raw -echo
}

head -c 4M /dev/urandom >"$work/random"
head -c 20000 /dev/urandom >"$work/short"
report=$(head -c 64 /dev/urandom | hex)
image=$work/disk.img
truncate -s 32M "$image"

remote_gadget 1d6b 0104 bDeviceClass=0xef bDeviceSubClass=2 bDeviceProtocol=1
remote_function hid.0 protocol=1 subclass=1 report_length=8 no_out_endpoint=1 "report_desc=@$keyboard_reports"
remote_function hid.1 report_length=64 "report_desc=@$vendor_reports"
remote_function mass_storage.0 "lun.0/file=$image"
remote_function acm.0
modprobe -a usbhid hid-generic evdev usb-storage sd_mod cdc-acm usbserial
remote_plug
remote_ready
say "at the remote's own host:"
check "every function has its driver" eventually 20 there dummy_hcd.1 'ttyACM*'
use dummy_hcd.1 'ttyACM*' refused
exec 6>&-
lsusb_keep dummy_hcd.1
server
bridge_start
remote_ready
say "at the phone:"
lsusb_same
check "ip2usb says that the modem's class descriptors are not there" \
	grep -q 'lost: interface 3 .* 4 class descriptors cannot be presented' $bridge_log
# Without them cdc_acm takes the modem for none; its data still moves.
echo "1d6b 0104" >/sys/bus/usb-serial/drivers/generic/new_id
check "every function has its driver" eventually 20 there dummy_hcd.0 'ttyUSB*'
use dummy_hcd.0 'ttyUSB*' acknowledged

use_disk >"$work/job1" 2>&1 &
disk_job=$!
use_serial >"$work/job2" 2>&1 &
serial_job=$!
check "at once: 50 reports" reports
check "20 kB each way by the modem" wait $serial_job
check "4 MiB written to the disk and read" wait $disk_job
exec 5>&- 6>&-
bridge_stop
nothing_left
