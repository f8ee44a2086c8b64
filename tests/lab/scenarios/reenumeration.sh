# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The phone enumerates the camera 500 times, in three ways, between and in the middle of transfers: nothing
# is left over.
# timeout: 1200
. "$LAB_DIR/lib.sh"

count=${LAB_REENUMERATIONS:-500}

# A small card, so that it is the comings and goings that take the time.
mkdir /lab/card
cp "$backgrounds"/nature/{Aqua,Blinds,Dune}.jpg /lab/card
camera card
server
bridge_start
phone_at=$(usb_at dummy_hcd.0)

# Without a process of its own: each takes as long here as what is to be seen.
phone_configured() { read -r value <"$phone_at/bConfigurationValue" && [ -n "$value" ]; } 2>/dev/null
wait_configured() {
	local tries=400
	until phone_configured; do
		[ $((tries--)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# again WAY: the phone has let go of the camera, and has it again.
again() {
	case $1 in
	0) echo 0 >"$phone_at/authorized" && echo 1 >"$phone_at/authorized" ;;
	1)
		read -r bus <"$phone_at/busnum"
		read -r device <"$phone_at/devnum"
		usbreset "$(printf '%03d/%03d' "$bus" "$device")"
		;;
	2)
		echo "${phone_at##*/}" >/sys/bus/usb/drivers/usb/unbind
		echo "${phone_at##*/}" >/sys/bus/usb/drivers/usb/bind
		;;
	esac >>/out/log/again 2>&1
	wait_configured
}

# under_way: how many requests the camera's server has, of each of the three endpoints and in all.
under_way() {
	local told
	told=$(grep -c ' KiB at most' $bridge_log || true)
	kill -USR1 "$bridge_pid"
	eventually 5 has_told $((told + 1)) || fail "SIGUSR1: no counters"
	grep -oE '[0-9]+ in flight, .*|URBs: .*' $bridge_log | tail -n 4
}
has_told() { [ "$(grep -c ' KiB at most' $bridge_log)" -ge "$1" ]; }
is_under_way() { [ "$(under_way)" = "$1" ]; }

for ((i = 0; i < count; i++)); do
	if [ $((i % 50)) = 12 ]; then
		# In the middle of a transfer. gphoto2 ends by itself.
		(trap - ERR; get_all phone "$work/cut") &
		getting=$!
		sleep 0.7
	fi
	again $((i % 3)) || fail "enumeration $i: the phone has no camera"
	if [ $((i % 50)) = 12 ]; then
		get_all_ended
		downloads_same phone card >"$work/downloads"
	fi
	[ $((i % 100)) != 49 ] || say "after $((i + 1)): $(bridge_rss_kib) KiB, $(bridge_fds) files"
	# What is made once has been made by then.
	if [ $i = 49 ]; then
		rss=$(bridge_rss_kib)
		fds=$(bridge_fds)
		urbs=$(under_way)
	fi
done
check "the camera works" downloads_same phone card
check "no file is left open" [ "$(bridge_fds)" = "$fds" ]
check "no memory is lost" [ "$(bridge_rss_kib)" -le $((rss + 64)) ]
check "no request is left over: ${urbs//$'\n'/; }" eventually 10 is_under_way "$urbs"
bridge_stop
check "no endpoint has met an error" [ "$(tail -n 5 $bridge_log | grep -c ' 0 errors, ')" = 3 ]
nothing_left
