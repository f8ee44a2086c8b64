# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A configuration without a server; a file on the boot partition that names one, one that is wrong, and none any
# more: what runs, what the LED shows, and what `ip2usb status` says.
# timeout: 300
. "$LAB_DIR/lib.sh"

conf=$("$LAB_BIN/ip2usb" --help | sed -n 's/.*the configuration, \(.*\) unless given/\1/p')
boot=/boot/firmware/ip2usb.conf

field() { "$LAB_BIN/ip2usb" status --json | jq -r "$1"; }
state_is() { [ "$(field .state)" = "$1" ]; }
reason_is() { [[ $(field .reason) == "$1"* ]]; }
problem_is() { [[ $(field .problem) == "$1"* ]]; }
state_stays() { sleep "$2" && state_is "$1"; }
hangup() { kill -HUP "$bridge_pid"; }

# shows N: the LED blinks N times, again and again, by the kernel's pattern.
shows() {
	grep -qF '[pattern]' "$led/trigger" &&
		[ "$(xargs -n 2 <"$led/pattern" | awk '$1 > 0 && $2 > 0' | wc -l)" -eq "$1" ]
}
is_lit() { grep -qF '[none]' "$led/trigger" && [ "$(cat "$led/brightness")" = 1 ]; }

modprobe -a ledtrig-timer ledtrig-pattern
led=$(find /sys/class/leds -name '*::scrolllock' | head -n 1)
[ -n "$led" ] || fail "no LED"
photos card
camera card
server
phone_ready
mkdir -p "${conf%/*}" "${boot%/*}"
bridge_config server.host= camera.busid= camera.id=46f4:0004 "led.name=${led##*/}"
cp "$work/ip2usb.conf" "$conf"

"$LAB_BIN/ip2usb" run 2>>$bridge_log &
bridge_pid=$!
check "no server is configured: it waits" eventually 10 state_is unpaired
check "and goes on waiting" state_stays unpaired 3
check "and says so" [ "$(field .reason | grep -c 'ip2usb pair HOST')" -eq 1 ]
check "the LED: three blinks" eventually 3 shows 3

printf '\xef\xbb\xbf[server]\r\nhost = %s\r\n' $server_host >$boot
hangup
check "the boot partition has a server: the phone has the camera" eventually 20 state_is active
check "no problem" [ "$(field .problem)" = "" ]
check "the LED is lit" eventually 3 is_lit
downloads_same phone card

printf '[server]\r\nhots = %s\r\n' $server_host >$boot
hangup
check "it is wrong: that is shown" eventually 5 problem_is "$boot:2: unknown key 'hots'"
check "the phone keeps the camera" state_stays active 3
downloads_same phone card
phone_authorized 0
check "where no phone uses it, the LED shows it: three blinks" eventually 10 shows 3
phone_authorized 1
check "the phone is back: lit" eventually 10 is_lit

printf '[server]\nhost = %s\n[camera]\nid = ffff:ffff\n' $server_host >$boot
hangup
check "another camera: there is none" eventually 20 reason_is "server $server_host exports no such camera: id ffff:ffff"
check "no problem any more" [ "$(field .problem)" = "" ]
check "the LED: two blinks" eventually 5 shows 2
"$LAB_BIN/ip2usb" pair $server_host "$busid" 2>"$work/paired" || fail "pair: $(cat "$work/paired")"
check "pair warns of it" grep -F "$boot says otherwise, and counts" "$work/paired"

rm $boot
hangup
check "what has been paired counts: the phone has the camera" eventually 20 state_is active
downloads_same phone card

"$LAB_BIN/ip2usb" unpair
hangup
check "unpaired: it lets the camera go" eventually 10 state_is unpaired
check "the phone saw the unplug" eventually 3 usb_gone dummy_hcd.0
check "the camera is free again" eventually 3 server_free

printf 'hots\n' >$boot
bridge_stop
"$LAB_BIN/ip2usb" run 2>>$bridge_log &
bridge_pid=$!
check "started so: it waits" eventually 10 state_is unpaired
check "with the problem" problem_is "$boot:1: neither"
bridge_stop
nothing_left_here
