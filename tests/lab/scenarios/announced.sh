# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A camera that the server announces is presented within 1 s, another within 3 s; one that it says was unplugged is not held for
# long. pyusbip-notify, whose way of announcing this is, is not packaged: notify-server is a stand-in that
# speaks its bytes. What is announced is bound: usbip-host has only what was bound since it was plugged in.
# timeout: 900
# clock: instructions
. "$LAB_DIR/lib.sh"
bridge_options=(-v)

notices=$work/notices
announce() { echo "$*" >"$notices"; }
announcer_start() {
	(trap - ERR && exec nsenter --net=/run/netns/server python3 "$LAB_DIR/notify-server" \
		$server_host 65432 "$notices") >"$work/announcer" 2>&1 &
	announcer=$!
	eventually 30 grep -qs ready "$work/announcer" || fail "no stand-in"
}
is_greeted() { grep -q hello "$work/announcer"; }

# awaits FILE: it has something in it. A process each time would take as long as what is to be seen.
awaits() {
	local value= tries=500
	until { read -r value <"$1"; } 2>/dev/null && [ -n "$value" ]; do
		[ $((tries--)) -gt 0 ] || return 1
		sleep 0.02
	done
}
# presented WHAT: and how long it has been since the announcement, which was at $start; all are in $times.
times=()
presented() {
	awaits /sys/kernel/config/usb_gadget/ip2usb/UDC || fail "$1: the camera is not presented"
	took=$(($(ms) - start))
	times+=("$took")
	awaits "$phone_at/bConfigurationValue" || fail "$1: the phone sees no camera"
	say "$1: presented after $took ms, and the phone has configured it after $(($(ms) - start)) ms"
}
goes() { check "the phone sees the unplug" eventually 20 usb_gone dummy_hcd.0; }
# A pause has just begun.
pauses() {
	mark
	eventually 30 has_said 'trying again in' || fail "it does not pause"
}

mkdir /lab/card
cp "$backgrounds"/nature/{Aqua,Blinds}.jpg /lab/card
camera card
server
mkfifo "$notices"
announcer_start
: >$bridge_log
mark
bridge_start link.hold_s=0
check "it has found the server of notices by itself" eventually 10 has_said 'listening to .* port 65432'
check "and greets it" eventually 5 is_greeted
phone_at=$(usb_at dummy_hcd.0)
downloads_same phone card

say "the camera comes and goes, at the server:"
for round in 1 2 3; do
	server_unbind
	announce "UNPLUGGED $busid"
	goes
	pauses
	server_bind
	start=$(ms)
	announce "PLUGGED $busid"
	presented "time $round"
done
downloads_same phone card

say "the server's program is not there for a while:"
server_kill TERM
goes
sleep 6
pauses
server_start
eventually 10 server_listens || fail "usbipd does not listen"
start=$(ms)
announce "PLUGGED $busid"
presented "with the server"
check "it was the announcement that ended the pauses" \
	[ "$(grep -c 'trying at once' $bridge_log)" -ge 3 ]
check "within 1 s, each of ${times[*]} ms" \
	[ "$(printf '%s\n' "${times[@]}" | sort -n | tail -n 1)" -le 1000 ]

say "nothing is announced, and a pause has just begun, or lasts for some time:"
times=()
for late in 0 0.5 1; do
	server_unbind
	goes
	# By then they are as long as they get.
	sleep 8
	pauses
	sleep $late
	server_bind
	start=$(ms)
	presented "looked for"
done
check "within 3 s, each of ${times[*]} ms" \
	[ "$(printf '%s\n' "${times[@]}" | sort -n | tail -n 1)" -le 3000 ]

say "another device is announced:"
server_unbind
goes
pauses
announce "PLUGGED 9-9"
check "which is no reason to try" not eventually 2 has_said 'trying at once'
server_bind
check "the phone has the camera as soon as it is looked for" eventually 5 usb_up dummy_hcd.0

say "the stand-in is begun anew, and tells what is there:"
kill $announcer
wait $announcer || true
mark
announcer_start
check "it is found again" eventually 15 has_said 'listening to'
bridge_stop
nothing_left

say "the camera is announced to be unplugged while the link is held:"
mark
bridge_start link.hold_s=100
check "it listens" eventually 15 has_said 'listening to'
server_kill TERM
check "the phone waits" eventually 10 has_said 'the phone waits for up to 100 s'
sleep 2
check "and sees no unplug" usb_up dummy_hcd.0
announce "UNPLUGGED $busid"
check "but for 3 s" eventually 8 usb_gone dummy_hcd.0
bridge_stop
nothing_left
