# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words for scenarios with human interface devices and serial ports; sourced after lib.sh.

# hex [FILE]: its bytes.
hex() { od -An -v -t x1 "$@" | tr -d ' \n'; }

# report_descriptor PLACE: of the one HID device there.
report_descriptor() { cat "/sys/class/hidraw/$(nodes_at "$1" 'hidraw/*')/device/report_descriptor"; }

# hid_report DEVICE NUMBER HEX: an ioctl of hidraw (HIDIOCSFEATURE is 6, GINPUT 10, SOUTPUT 11
# of linux/hidraw.h), on a report that begins with its ID, or 0; prints the report afterwards.
hid_report() {
	perl -e 'my ($node, $number, $hex) = @ARGV;
		my $report = pack("H*", $hex);
		my $size = length($report);
		open(my $device, "+<", $node) or die "$node: $!\n";
		defined(ioctl($device, 0xc0004800 | $size << 16 | $number, $report))
			or die "$node: $!\n";
		print unpack("H*", substr($report, 0, $size)), "\n"' "$@"
}

# led DEVICE NUMBER VALUE: an input device's, by an EV_LED event; LED_NUML is 0, LED_CAPSL 1.
led() { perl -e 'print pack("x16 S S l", 0x11, @ARGV)' "$2" "$3" >"$1"; }

# events_watch NODE: evtest writes to $work/events what an input device does, until events_unwatch.
events_watch() {
	stdbuf -oL evtest "$1" >"$work/events" 2>&1 &
	events_watcher=$!
	eventually 30 grep -q '^Testing' "$work/events" || fail "evtest does not listen"
	# usbhid drops what comes in the first 50 ms.
	sleep 0.5
}
events_unwatch() { kill "$events_watcher"; }

# carried FROM TO FILE [WRITER]: what is written to one end of a line, at once or by `WRITER FILE FROM`,
# arrives at the other; what has arrived is in $work/arrived.
carried() {
	: >"$work/arrived"
	timeout 60 stdbuf -o0 head -c "$(stat -c %s "$3")" <"$2" >"$work/arrived" &
	if [ $# -gt 3 ]; then "$4" "$3" "$1"; else cat "$3" >"$1"; fi
	wait $! && cmp "$3" "$work/arrived"
}

tty_at() { nodes_at "$1" 'tty/ttyUSB*'; }
tty_up() { has_nodes 1 "$1" 'tty/ttyUSB*'; }

# serial_wire: sets $wire to what the wire of a serial converter leads to, QEMU's chardev `wire`: a line of its own to
# this machine, through QEMU.
serial_wire() {
	monitor "chardev-add socket,id=wire,path=$LAB_SHARE_ON_HOST/wire,server=on,wait=off"
	monitor "chardev-add socket,id=wire-end,path=$LAB_SHARE_ON_HOST/wire"
	monitor "device_add virtserialport,chardev=wire-end,name=lab.wire"
	wire_at() { grep -lsx lab.wire /sys/class/virtio-ports/*/name; }
	eventually 10 wire_at >/dev/null || fail "no line to the converter"
	wire=$(wire_at)
	wire=${wire%/name}
	wire=/dev/${wire##*/}
}
