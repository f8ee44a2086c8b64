# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SIGTERM in the middle of a transfer.
# timeout: 180
. "$LAB_DIR/lib.sh"

photos card
camera card
server
bridge_start
get_all_started phone "$work/cut"

kill -TERM "$bridge_pid"
check "it ends within 2 s" bridge_wait 2
check "exit code 0" [ "$bridge_status" -eq 0 ]
nothing_left
get_all_ended

bridge_start
downloads_same phone card
bridge_stop
check "exit code 0" [ "$bridge_status" -eq 0 ]
nothing_left
