# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A vendor's serial converter, QEMU's FTDI, at full speed: bytes both ways, and all that the phone's driver
# tells it by control requests is what the driver of its own host does.
# timeout: 240
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/devices.sh"

# TCSBRKP: a break of the given tenths of a second.
send_break() { perl -e 'open(my $tty, "+<", $ARGV[0]) or die; ioctl($tty, 0x5425, 1) or die' "$1"; }

arrived() { [ "$(stat -c %s "$work/arrived")" -ge "$1" ]; }

# QEMU's converter writes to its chardev, a socket, until that has it all: it waits for ever when the socket
# is full of what this machine has not read yet, with the machine.
by_8k() {
	local at
	for at in $(seq 0 $((($(stat -c %s "$1") - 1) / 8192))); do
		eventually 60 arrived $((at * 8192))
		dd if="$1" bs=8192 skip="$at" count=1 status=none >"$2"
	done
}

# use PLACE: everything that can be done with the port there. What QEMU's converter was told is in
# $work/told.
use() {
	local tty rate
	tty=/dev/$(tty_at "$1")
	exec 5<>"$tty"
	stty -F "$tty" raw -echo 115200
	: >"$qemu_log"
	for rate in 300 9600 57600 115200 921600; do
		stty -F "$tty" $rate
		check "$rate: to the converter" carried "$tty" "$wire" "$work/short"
		check "$rate: from the converter" carried "$wire" "$tty" "$work/short"
	done
	stty -F "$tty" cs7 parenb parodd cstopb
	stty -F "$tty" cs8 -parenb -cstopb crtscts
	stty -F "$tty" -crtscts
	check "a break is sent" send_break "$tty"
	check "64 KiB to the converter" carried "$tty" "$wire" "$work/long" by_8k
	check "64 KiB from the converter" carried "$wire" "$tty" "$work/long"
	# ftdi_sio counts a break only if data comes with it, and QEMU's comes alone: status 10, FTDI_RS_BI.
	bus_watch "$1"
	sleep 0.5
	monitor "chardev-send-break wire"
	check "a break arrives" eventually 5 bus_has 'C Bi:[^ ]* 0 2 = ..10'
	bus_unwatch
	exec 5>&-
	sed 's/dev [0-9:]*//' "$qemu_log" >"$work/told"
}

head -c 300 /dev/urandom >"$work/short"
head -c 64K /dev/urandom >"$work/long"

serial_wire
# QEMU's chardev does not show what the converter is told, its trace does.
qemu_log=/lab/qemu.log
monitor "logfile $LAB_SHARE_ON_HOST/qemu.log"
monitor "trace-event usb_serial_* on"

modprobe ftdi_sio
host_controller=uhci
plug "usb-serial,chardev=wire,always-plugged=on"
lsusb_keep pci
eventually 10 tty_up pci || fail "the converter does not work where it is plugged in"
say "where it is plugged in:"
use pci
mv "$work/told" "$work/told-directly"
server
bridge_start
lsusb_same
check "the phone has a serial port" eventually 10 tty_up dummy_hcd.0
use dummy_hcd.0
check "what the converter was told is the same" diff "$work/told-directly" "$work/told"
bridge_stop
nothing_left
