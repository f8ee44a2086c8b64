# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 200 sessions of a phone, one after the other: none fails, and the daemon holds no more than before.
# timeout: 1500
. "$LAB_DIR/lib.sh"

mkdir /lab/card
cp "$backgrounds/nature/FreshFlower.jpg" /lab/card
camera card
server
bridge_start

for session in $(seq 200); do
	phone --summary >"$work/summary" 2>&1 || { cat "$work/summary"; fail "session $session"; }
	# What is made once has been made by then.
	if [ "$session" -eq 10 ]; then
		rss=$(bridge_rss_kib)
		fds=$(bridge_fds)
	fi
	[ $((session % 25)) -ne 0 ] || say "$session sessions, $(bridge_rss_kib) KiB, $(bridge_fds) fds"
done

# A page or two may be touched late; 200 leaks of 200 bytes are more.
check "resident memory: no more than $rss KiB + 32" [ "$(bridge_rss_kib)" -le $((rss + 32)) ]
check "file descriptors: $fds" [ "$(bridge_fds)" -eq "$fds" ]
downloads_same phone card
bridge_stop
nothing_left
