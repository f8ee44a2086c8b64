# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the Pi's own LED, ACT, shows in each state: by which of the kernel's triggers, and what is to be seen.
# Camera, server, Pi and phone are one machine: the server over loopback, the phone at dummy_hcd.0, the camera at
# dummy_hcd.1.
set -u
led=/sys/class/leds/ACT
changes=/tmp/changes
log=/tmp/log

fail() {
	echo "FAIL $*"
	echo "---- what the LED has shown: $(tail -n 400 $changes | morse)"
	echo "---- camera: $(status)"
	usbip list -r 127.0.0.1 2>&1
	echo "---- log, and the kernel's"
	cat $log
	dmesg | tail -n 30
	exit 1
}
ok() { echo "ok   $*"; }

# eventually SECONDS COMMAND...
eventually() {
	left=$(($1 * 5))
	shift
	until "$@"; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		usleep 200000
	done
}

# ---- the LED

trigger() { sed 's/.*\[\(.*\)\].*/\1/' $led/trigger; }
trigger_is() { [ "$(trigger)" = "$1" ]; }

# Whenever its brightness changes it becomes a line of $changes: seconds since the boot, and the brightness.
watch() {
	last=
	mkfifo /tmp/never
	exec 4<>/tmp/never
	while read -r now <$led/brightness; do
		if [ "$now" != "$last" ]; then
			read -r at _ </proc/uptime
			echo "$at $now"
			last=$now
		fi
		# A usleep would be a process each time.
		# shellcheck disable=SC3045 # busybox has it
		read -r -t 0.02 _ <&4
	done
}
count() { wc -l <$changes; }

# What has been seen: lit shortly "." or long "-", and "/" where it was dark for more than 1.2 s, else " " where that
# was more than 0.3 s.
morse() {
	awk '
		{ long = $1 - at }
		at && $2 { printf "%s", (long > 1.2 ? "/" : long > 0.3 ? " " : "") }
		at && !$2 { printf "%s", (long > 0.3 ? "-" : ".") }
		{ at = $1 }'
}

# shows WHAT TRIGGER SECONDS PATTERN: within 20 s it is this trigger, and in so many seconds there is this to be seen.
shows() {
	eventually 20 trigger_is "$2" || fail "$1: the trigger is not $2, but $(trigger)"
	before=$(count)
	sleep "$3"
	seen=$(tail -n +$((before + 1)) $changes | morse)
	echo "$seen" | grep -qE "$4" || fail "$1: what is seen in $3 s is: $seen"
	ok "$1: $2, $seen"
}

is_lit() { trigger_is none && grep -q 1 $led/brightness; }

# stays_lit WHAT [SECONDS]: within so many (20).
stays_lit() {
	eventually "${2:-20}" is_lit || fail "$1: not lit"
	# Data of the start makes it flicker.
	sleep 1
	before=$(count)
	sleep 2
	[ "$(count)" = "$before" ] || fail "$1: lit, but it does not stay so"
	ok "$1: lit"
}

# ---- the camera, the server, ip2usb, the phone

# The virtual still camera, plugged into the second dummy_hcd: $camera, as usbip calls it.
camera_on() {
	remote=/sys/kernel/config/usb_gadget/remote
	mkdir -p $remote/configs/c.1 $remote/strings/0x409 $remote/functions/ffs.camera /tmp/ffs
	echo 0x04b0 >$remote/idVendor
	echo 0x0437 >$remote/idProduct
	echo LAB1 >$remote/strings/0x409/serialnumber
	ln -s $remote/functions/ffs.camera $remote/configs/c.1
	mount -t functionfs camera /tmp/ffs
	camera /tmp/ffs /scene /tmp/hands >/tmp/camera 2>>$log &
	eventually 20 grep -qs ready /tmp/camera || fail "the camera does not start"
	echo dummy_udc.1 >$remote/UDC
	camera=$(cat /sys/devices/platform/dummy_hcd.1/usb*/busnum)-1
	eventually 20 test -e "/sys/bus/usb/devices/$camera/bConfigurationValue" || fail "no camera"
}

# usbip_status: of the kernel's enum usbip_device_status; 1 is available, 2 in use.
status() {
	folder=/sys/bus/usb/devices/$camera
	echo "driver $(basename "$(readlink "$folder/driver")"), configuration $(cat "$folder/bConfigurationValue")," \
		"usbip_status $(cat "$folder/usbip_status" 2>&1)"
}
server_has_camera() { [ -e "/sys/bus/usb/drivers/usbip-host/$camera" ]; }

# camera_kept: ip2usb has let go of the camera, and usbip-host has reset it. The server has it still, or there is a
# reason that is no client's: configfs has one OTG descriptor for all gadgets of a kernel, and frees it with the first
# that is unbound (otg_desc in drivers/usb/gadget/configfs.c), which is ip2usb's. So the camera, a gadget of the same
# kernel, has another configuration when it is reset, and is plugged in anew (usb_reset_and_verify_device); usbip-host
# does not take it then. Not so with kernels without CONFIG_USB_OTG, the lab's, nor with a camera of its own.
camera_kept() {
	! server_has_camera || return 0
	dmesg | grep -F "usbip-host $camera: device firmware changed" || fail "the server has lost its camera"
	echo "NOTE ip2usb's gadget took the camera's OTG descriptor along; the camera was plugged in anew, and is bound again"
	usbip bind -b "$camera" || fail "the camera cannot be bound again"
}

config() {
	cat >/etc/ip2usb.conf <<-END
		[server]
		host = 127.0.0.1
		[camera]
		id = 04b0:0437
		[gadget]
		udc = dummy_udc.0
		[link]
		hold_s = 60
	END
}
reload() { kill -HUP $daemon; }
has_ended() { ! grep -qs '^State:.[^Z]' "/proc/$1/status"; }

# ----

eventually 20 test -e $led/trigger || fail "no ACT: $(ls /sys/class/leds)"
former=$(trigger)
ok "ACT is there, at $former; $(uname -rm), $(sed -n 's/^model name.*: //p' /proc/cpuinfo)"
watch >$changes &

camera_on
port=$(echo /sys/devices/platform/dummy_hcd.0/usb*/*-0:1.0/usb*-port1)
echo 1 >"$port/disable"
config
ip2usb run -c /etc/ip2usb.conf 2>>$log &
daemon=$!

shows "no server: slowly" timer 10 '(- ){2}-'
usbipd -D
shows "no camera: twice" pattern 10 '(/\.\.){2}/'
usbip bind -b "$camera" || fail "the camera cannot be bound"
shows "a camera, no phone: a blip every 2 s" timer 10 '(/\.){2}/'
echo 0 >"$port/disable"
stays_lit "a phone"

phone=$(echo /sys/devices/platform/dummy_hcd.0/usb*/[0-9]-1)
mkdir /tmp/got
before=$(count)
mtpreader "$(cat "$phone/busnum"):$(cat "$phone/devnum")" get /tmp/got >/tmp/listing || fail "the phone reads nothing"
changed=$(($(count) - before))
cmp /scene/card/large.jpg /tmp/got/large.jpg || fail "the phone has something else than the camera"
ok "what the phone has read is what the camera has: $(stat -c %s /tmp/got/large.jpg) bytes"
[ $changed -ge 6 ] || fail "it has not flickered meanwhile: $changed changes"
ok "it has flickered meanwhile: $changed changes"

# The server lets go, and does not answer.
server=$(pidof usbipd)
kill -STOP "$server"
usbip unbind -b "$camera" >/dev/null 2>&1
shows "the link is lost: fast" timer 4 '\.{12}'
kill -CONT "$server"
usbip bind -b "$camera" >/dev/null 2>&1
stays_lit "the link is back"

: >/etc/ip2usb.conf
reload
shows "no server configured: three times" pattern 10 '(/\.\.\.){2}/'
camera_kept
# Whoever makes gadgets needs it.
umount -l /sys/kernel/config
config
reload
shows "no gadget can be made: SOS" pattern 18 '/\.\.\. --- \.\.\./'
mount -t configfs configfs /sys/kernel/config
stays_lit "it can be made again" 60

kill $daemon
eventually 10 has_ended $daemon || fail "SIGTERM does not end it"
wait $daemon || fail "its exit code is $?"
trigger_is "$former" || fail "its trigger is $(trigger), not $former as before"
ok "in the end it is as it was: $former"
