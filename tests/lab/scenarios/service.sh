# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The service unit, run by systemd itself in a process namespace of its own: its sandbox lets all through that is
# needed, and systemd is told what there is to tell. Not shown: the whole boot, and udev's rule.
# timeout: 400
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/systemd.sh"

unit_name=ip2usb.service

# The unit as it is installed, but for what the lab is no whole machine for: it waits for none of sysinit.target.
unit_install() {
	install -m 755 "$LAB_BIN/ip2usb" /usr/local/bin/
	mkdir -p $units/ip2usb.service.d
	sed 's,@CMAKE_INSTALL_FULL_BINDIR@,/usr/local/bin,' "$LAB_DIR/../../configs/ip2usb.service" \
		>$units/ip2usb.service
	cat >$units/ip2usb.service.d/lab.conf <<-END
		[Unit]
		DefaultDependencies=no
		[Service]
		ExecStart=
		ExecStart=/usr/local/bin/ip2usb run -c /etc/ip2usb.conf
		WatchdogSec=12
	END
}

# restarted TEXT SIGNAL: the daemon gets a signal, and another one has the camera again.
restarted() {
	local restarts
	restarts=$(field NRestarts)
	kill "-$2" "$(pidof ip2usb)"
	check "$1: the phone sees an unplug" eventually 30 usb_gone dummy_hcd.0
	check "$1: it is started again" eventually 40 field_is NRestarts $((restarts + 1))
	check "$1: the phone has it again" eventually 40 usb_up dummy_hcd.0
}

modprobe -a ledtrig-timer ledtrig-pattern
led=$(find /sys/class/leds -name '*::scrolllock' | head -n 1)
[ -n "$led" ] || fail "no LED"
led_is_taken() { grep -qF "[pattern]" "$led/trigger"; }

photos card
camera card
server

# What a daemon that was started by hand and killed has left.
bridge_start
kill -KILL "$bridge_pid"
wait "$bridge_pid" 2>/dev/null || true
check "an ip2usb that is killed leaves its gadget" not no_gadget
check "and its mount" not no_mount
unplug

bridge_config camera.busid= camera.id=46f4:0004 "led.name=${led##*/}"
cp "$work/ip2usb.conf" /etc/ip2usb.conf
unit_install
systemd_start

check "enabled" unit enable
check "a UDC starts it, without a camera" inside systemctl start usb-gadget.target
check "it is up" eventually 10 field_is ActiveState active
check "a predecessor's gadget has been removed" journal_has '^<6>removed gadget ip2usb'
# Of the mount it can only remove what it sees itself.
umount /run/ip2usb/ffs
check "the status says why it waits" eventually 20 status_has '^backoff: .*exports no such camera'
check "the same in the journal, as an error" journal_has '^<3>.*exports no such camera'
check "the LED is its own" eventually 5 led_is_taken
check "the group plugdev may ask" [ "$(stat -c '%G %a' /run/ip2usb/status)" = "plugdev 660" ]

camera card
server_bind
check "the phone has it" eventually 30 usb_up dummy_hcd.0
check "the status says so" eventually 10 field_is StatusText active
check "FunctionFS is mounted for it alone" no_mount
downloads_same phone card
say "its cgroup: $(field MemoryCurrent) bytes"

check "reloaded" unit reload
check "it has read its configuration" eventually 5 journal_has '^<6>the configuration has not changed'
check "it runs on" field_is SubState running
check "the status is as it was" field_is StatusText active

sleep 14
check "the watchdog is content" field_is NRestarts 0
restarted "a daemon that is stuck" STOP
check "that was the watchdog" journal_has "Watchdog timeout"
restarted "SIGKILL" KILL

check "stopped" unit stop
check "it ended by itself" field_is Result success
nothing_left
check "what a second one would look at stays" [ -f /run/ip2usb/lock ]

sed -i 's/^host/hots/' /etc/ip2usb.conf
check "a wrong configuration is no start" not unit start
check "nor another attempt" field_is SubState failed
check "the journal says why" journal_has "^<3>.*unknown key 'hots'"
