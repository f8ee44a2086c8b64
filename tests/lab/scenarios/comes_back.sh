# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ip2usb runs before there is a network, waits for the server and for the camera, and comes back after each of
# them was lost; a new configuration is taken while it runs.
# timeout: 400
. "$LAB_DIR/lib.sh"

comes_back() {
	check "the phone has the camera again within 15 s" eventually 15 usb_up dummy_hcd.0
	downloads_same phone card
	mark
}
goes() { check "the phone sees the unplug" eventually 20 usb_gone dummy_hcd.0; }

photos card
busid=
: >$bridge_log
mark
bridge_launch camera.id=46f4:0004 link.hold_s=0
check "no network: it says so" eventually 10 has_said 'error: server 10.9.8.1'
sleep 5
check "and waits" bridge_runs
check "and says it once" [ "$(grep -c 'error: server 10.9.8.1' $bridge_log)" -le 2 ]

camera card
server
comes_back

say "the camera is unplugged, and plugged in again:"
unplug
goes
check "no camera: it says so" eventually 10 has_said 'exports no such camera'
sleep 5
check "and says it once" [ "$(tail -n +$((logged + 1)) $bridge_log | grep -c 'exports no such camera')" = 1 ]
eventually 10 usb_gone pci || fail "QEMU does not unplug"
camera card
server_bind
comes_back

say "the connection is cut in a transfer:"
get_all_started phone "$work/cut"
cut_connection
goes
get_all_ended
comes_back

say "the server's program is killed, the connection is cut:"
server_kill TERM
goes
sleep 7
server_start
comes_back

say "the link is gone:"
link loss 100%
goes
link
comes_back

say "a configuration that is wrong:"
echo 'key = value' >>"$work/ip2usb.conf"
kill -HUP "$bridge_pid"
check "it says what is wrong" eventually 5 has_said "ip2usb.conf:[0-9]*: unknown key 'key'"
check "the phone keeps the camera" usb_up dummy_hcd.0
mark

say "one that wants another camera:"
bridge_config camera.busid= camera.id=1234:5678 link.hold_s=0
kill -HUP "$bridge_pid"
goes
check "it says that there is none" eventually 10 has_said 'exports no such camera: id 1234:5678'

say "and the first again:"
bridge_config camera.busid= camera.id=46f4:0004 link.hold_s=0
kill -HUP "$bridge_pid"
comes_back

check "the same daemon all the time" bridge_runs
check "without a leak of descriptors" [ "$(bridge_fds)" -le 20 ]
cut_connection
goes
kill -TERM "$bridge_pid"
check "while it waits SIGTERM ends it within 2 s" bridge_wait 2
check "exit code 0" [ "$bridge_status" -eq 0 ]
nothing_left
