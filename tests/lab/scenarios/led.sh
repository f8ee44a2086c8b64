# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the LED shows, on one of the keyboard's, by the kernel's own triggers.
# timeout: 240
. "$LAB_DIR/lib.sh"

codes=$work/codes

# Whenever the LED's brightness changes it becomes a line of $codes.
led_watch() {
	modprobe -a ledtrig-timer ledtrig-pattern ledtrig-heartbeat
	led=$(find /sys/class/leds -name '*::scrolllock' | head -n 1)
	[ -n "$led" ] || fail "no LED"
	# What was there before is to come back.
	echo heartbeat >"$led/trigger"
	python3 -u -c 'import sys, time
last = None
while True:
    with open(sys.argv[1]) as file:
        now = file.read().strip()
    if now != last:
        print(now)
    last = now
    time.sleep(0.01)' "$led/brightness" >"$codes" &
	watcher=$!
}

trigger_is() { grep -qF "[$1]" "$led/trigger"; }
is_steady() { trigger_is none && [ "$(cat "$led/brightness")" = 1 ]; }

# blinks SECONDS: how often it has been lit so long.
blinks() {
	local before
	before=$(wc -l <"$codes")
	sleep "$1"
	tail -n +$((before + 1)) "$codes" | grep -c 1 || true
}
blinks_between() {
	local count
	count=$(blinks "$1")
	say "lit $count times in $1 s"
	[ "$count" -ge "$2" ] && [ "$count" -le "$3" ]
}

photos card
busid=
led_watch
bridge_launch camera.id=46f4:0004 "led.name=${led##*/}"
check "looking for the server: blinks by the kernel's timer" eventually 10 trigger_is timer
# A machine that stalls misses some.
check "slowly" blinks_between 8 2 5

camera card
server
server_unbind
check "the server has no camera: by the kernel's pattern" eventually 20 trigger_is pattern
check "twice, and again" blinks_between 8 4 10

server_bind
check "the phone has the camera: lit" eventually 15 is_steady
check "and stays so" blinks_between 3 0 0
before=$(wc -l <"$codes")
downloads_same phone card
check "it has flickered with the data" [ "$(tail -n +$((before + 1)) "$codes" | grep -c 0)" -ge 5 ]
phone_authorized 0
check "no phone: a blip every 2 s" eventually 15 trigger_is timer
check "shorter than it is dark" [ "$(cat "$led/delay_on")" -lt "$(cat "$led/delay_off")" ]
phone_authorized 1
check "the phone is back: lit" eventually 15 is_steady

bridge_stop
check "its own trigger is back" trigger_is heartbeat
nothing_left

kill $watcher
wait $watcher || true
bridge_launch led.name=nowhere
check "no LED is no error" eventually 20 usb_up dummy_hcd.0
bridge_stop
nothing_left
