# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The server ends the connection, or gives the camera back: the daemon says so and ends.
# timeout: 240
. "$LAB_DIR/lib.sh"
bridge_options=(--once)

# lost WHEN: within 10 s the daemon ends, with a failure and a message.
lost() {
	say "$1:"
	bridge_fails
	tail -n +$((logged + 1)) $bridge_log >"$work/said"
	check "the log says why" grep -Ei '^error: .*(server|connection|camera)' "$work/said"
}

start() {
	touch $bridge_log
	bridge_start
	mark
}

photos card
camera card
server

start
cut_connection
lost "connection cut at idle"
nothing_left

start
get_all_started phone "$work/cut"
cut_connection
lost "connection cut in a transfer"
get_all_ended
nothing_left

start
server_unbind
lost "usbip unbind at idle"
server_bind
nothing_left

start
get_all_started phone "$work/cut"
server_unbind
lost "usbip unbind in a transfer"
get_all_ended
server_bind
nothing_left

bridge_start
downloads_same phone card
bridge_stop
nothing_left
