# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A link with 5 ms of delay each way that loses one packet in a hundred.
# timeout: 300
. "$LAB_DIR/lib.sh"

photos card
camera card
server
link_real_packets
link delay 5ms loss 1%
bridge_start
check "list-files" phone --list-files
downloads_same phone card
link_losses
bridge_stop
nothing_left
