# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words for what goes on in the emulated Pi Zero: its LED, the camera and its server, ip2usb, the phone.
led=/sys/class/leds/ACT
changes=/tmp/changes
log=/tmp/log
# As usbip calls it: the one that is exported.
camera=
# ip2usb's process.
daemon=

fail() {
	echo "FAIL $*"
	echo "---- what the LED has shown: $(tail -n 400 $changes | morse)"
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
not() { ! "$@"; }
has_ended() { ! grep -qs '^State:.[^Z]' "/proc/$1/status"; }

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

# ---- cameras and their server

configured() { [ -n "$(cat "/sys/bus/usb/devices/$1/bConfigurationValue" 2>/dev/null)" ]; }

# The virtual still camera of the lab, with what is in scene/, plugged into dummy_hcd.1.
virtual_camera() {
	remote=/sys/kernel/config/usb_gadget/remote
	mkdir -p $remote/configs/c.1 $remote/strings/0x409 $remote/functions/ffs.camera /tmp/ffs
	echo 0x04b0 >$remote/idVendor
	echo 0x0437 >$remote/idProduct
	echo LAB1 >$remote/strings/0x409/serialnumber
	ln -s $remote/functions/ffs.camera $remote/configs/c.1
	mount -t functionfs camera /tmp/ffs
	camera /tmp/ffs scene /tmp/hands >/tmp/camera 2>>$log &
	eventually 20 grep -qs ready /tmp/camera || fail "the camera does not start"
	echo dummy_udc.1 >$remote/UDC
	camera=$(cat /sys/devices/platform/dummy_hcd.1/usb*/busnum)-1
	eventually 20 configured "$camera" || fail "no camera"
}

# The server hands the camera out.
bind() { usbip bind -b "$camera" >/tmp/said 2>&1 || fail "the camera cannot be bound: $(cat /tmp/said)"; }

# No program any more, nor a connection, which the kernel would keep: as if the machine had been switched off.
server_kill() {
	kill -KILL "$(pidof usbipd)"
	echo -1 >"/sys/bus/usb/devices/$camera/usbip_sockfd"
}

# And on again, the camera too. That is needed: with this kernel (CONFIG_USB_OTG) gadgets of configfs have an OTG descriptor,
# one for all, which goes when any of them is unbound (otg_desc in drivers/usb/gadget/configfs.c). So now that ip2usb's
# gadget is gone the virtual camera, a gadget too, has another configuration than when it was plugged in, and the kernel
# takes it for another device when it is reset. The lab's kernels have no such descriptor, real cameras are no gadgets.
server_boot() {
	socket=$(echo "/sys/bus/usb/devices/${camera%-*}-0:1.0/"*-port1)
	echo 1 >"$socket/disable"
	echo 0 >"$socket/disable"
	eventually 20 configured "$camera" || fail "no camera"
	bind
	usbipd -D
}

# ---- the phone, at dummy_hcd.0

phone_at() { echo /sys/devices/platform/dummy_hcd.0/usb*/[0-9]-1; }
phone_sees() { [ -e "$(phone_at)/idVendor" ] && configured "$(basename "$(phone_at)")"; }
phone() { gphoto2 --port "usb:$(cat "$(phone_at)/busnum"),$(cat "$(phone_at)/devnum")" "$@"; }

# fetches CAMERA: all its pictures, each what has been put there. Sets $bytes.
fetches() {
	rm -rf /tmp/got
	mkdir /tmp/got
	(cd /tmp/got && phone --quiet --get-all-files) >/tmp/said 2>&1 || fail "the phone cannot fetch: $(cat /tmp/said)"
	(cd /tmp/got && sha256sum -c "/run/test/$1.sums") >/tmp/said 2>&1 ||
		fail "the phone has something else than the camera: $(cat /tmp/said)"
	bytes=$(cat /tmp/got/* | wc -c)
}

# flickers CAMERA: the same, and the LED shows that.
flickers() {
	before=$(count)
	fetches "$1"
	changed=$(($(count) - before))
	ok "what the phone has fetched is what the camera has: $bytes bytes"
	[ $changed -ge 2 ] || fail "the LED has not flickered meanwhile: $changed changes"
	ok "the LED has flickered meanwhile: $changed changes"
}

# ---- ip2usb

# config HOST PORT
config() {
	cat >/etc/ip2usb.conf <<-END
		[server]
		host = $1
		port = $2
		[gadget]
		udc = dummy_udc.0
	END
}
# As its unit says.
launch() {
	# shellcheck disable=SC2091 # a command
	$(sed -n 's/^ExecStart=//p' /lib/systemd/system/ip2usb.service) 2>>$log &
	daemon=$!
}
reload() { kill -HUP "$daemon"; }

# What it has spent: of all its threads ns, of which 8 are an instruction (QEMU's -icount), and of those the hundredths of
# a second in its own code, as the kernel's tick has found it.
spent() { cat "/proc/$daemon"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }
spent_itself() { sed 's/.*) //' "/proc/$daemon/stat" | cut -d ' ' -f 12; }
memory() { sed -n "s/^$1:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$daemon/status"; }
