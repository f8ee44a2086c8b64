# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The connection to ip2usb-export is cut again and again, $LAB_CUTS times, while pictures of 25 MB are fetched and a disk is
# written and read: nothing is lost, and the phone sees pauses.
# timeout: 600
LAB_SERVER='export'
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"
. "$LAB_DIR/disk.sh"

cuts=${LAB_CUTS:-10}
RANDOM=${LAB_SEED:-1}

# A link of 40 Mbit/s, and what else is to happen to it.
wifi() { link rate 40mbit "$@"; }

# The Pi gets another address, and what it had is nobody's any more.
address=10.9.8.2
other_address() {
	local other=10.9.8.3
	[ $address = 10.9.8.2 ] || other=10.9.8.2
	ip addr del $address/24 dev link0
	ip addr add $other/24 dev link0
	address=$other
}

# cut HOW: and the link is well again.
cut() {
	case $1 in
	0) cut_connection ;;
	1)
		wifi loss 100%
		sleep $((RANDOM % 4 + 1))
		wifi
		# By then it is known whether TCP has survived it.
		sleep 5
		;;
	2)
		# The server has forgotten the connection, and the word of it is lost.
		wifi loss 100%
		cut_connection
		;;
	3) other_address ;;
	esac
	wifi
}

is_well() { is_state active; }

# cuts_while PROCESS: half of the cuts, of all kinds, each at any moment after all has gone on.
cuts_while() {
	local process=$1 kind n
	for ((n = 0; n < (cuts + 1) / 2; n++)); do
		kill -0 "$process" 2>/dev/null || fail "it has ended after $n cuts"
		sleep "$((RANDOM % 3)).$((RANDOM % 10))"
		kind=$((RANDOM % 4))
		mark
		cut $kind
		# A loss of some seconds TCP may survive; the others not.
		[ $kind = 1 ] || eventually 30 has_said 'the link is back$' || fail "cut $n, of kind $kind: it is not back"
		eventually 30 is_well || fail "cut $n, of kind $kind: it does not go on"
	done
}

# No plug, no reset, to the kernel of the phone, since `number` was taken; no camera that was imported once more.
undisturbed() {
	local device
	device=$(usb_at dummy_hcd.0)
	check "the phone has the same device" [ "$(phone_number)" = "$number" ]
	dmesg | sed '1,/lab: begin/d' | sed "1,/lab: $1/d" >"$work/dmesg"
	check "neither an unplug nor a reset of it" \
		not grep -E "usb ${device##*/}: (USB disconnect|reset )|I/O error" "$work/dmesg"
	check "every time it was the session that went on" not grep -q 'and so is the camera' "$bridge_log"
	check "and it did" grep -q 'the link is back$' "$bridge_log"
}
begins() {
	echo "lab: $1" >/dev/kmsg
	number=$(phone_number)
}

say "pictures:"
gphoto2_into_memory
scene
still_camera "$scene"
server
wifi
bridge_start link.hold_s=20
phone --capture-image >"$work/capture" 2>&1 || { cat "$work/capture"; fail "no picture is taken"; }
phone --capture-image >>"$work/capture" 2>&1 || { cat "$work/capture"; fail "no picture is taken"; }
folder=$(pictures_folder)
: >"$work/fetched"
fetch_on() {
	cd "$work" || exit
	while [ ! -e enough ]; do
		rm -f DSC_0002.NEF
		gphoto2 --quiet --port "$(phone_port)" --folder "$folder" --get-file DSC_0002.NEF >said 2>&1 || exit 1
		cmp DSC_0002.NEF "$scene/2.NEF" >said 2>&1 || exit 2
		echo one >>fetched
	done
}
begins pictures
(trap - ERR && fetch_on) &
fetching=$!
cuts_while $fetching
touch "$work/enough"
eventually 120 has_ended $fetching || fail "gphoto2 waits for ever"
wait $fetching && status=0 || status=$?
[ "$status" = 0 ] || cat "$work/said"
check "gphoto2 has met no error, and each picture is the same" [ "$status" = 0 ]
say "$(wc -l <"$work/fetched") pictures of 25 MB"
check "there were some" [ -s "$work/fetched" ]
undisturbed pictures
bridge_stop
nothing_left

say "a disk:"
image=/lab/disk.img
truncate -s 64M $image
monitor "drive_add 0 if=none,id=disk,format=raw,file=$LAB_SHARE_ON_HOST/disk.img"
plug "usb-storage,drive=disk,removable=on,serial=LAB1"
server_bind
eventually 10 server_free || fail "it is not exported"
bridge_start link.hold_s=20
modprobe -a usb-storage sd_mod
check "the phone's kernel finds a disk of 64 MiB" eventually 20 disk_there $((64 << 20))
head -c 8M /dev/urandom >"$work/random"
rm "$work/enough"
: >"$work/carried"
carry_on() {
	while [ ! -e "$work/enough" ]; do
		disk_carries $((8 << 20)) 0 >"$work/said" 2>&1 || exit 1
		echo one >>"$work/carried"
	done
}
begins disk
(trap - ERR && carry_on) &
carrying=$!
cuts_while $carrying
touch "$work/enough"
eventually 120 has_ended $carrying || fail "the disk's user waits for ever"
wait $carrying && status=0 || status=$?
[ "$status" = 0 ] || cat "$work/said"
check "8 MiB are written, reach the disk and are read back, each time" [ "$status" = 0 ]
say "$(wc -l <"$work/carried") times 8 MiB"
check "there were some" [ -s "$work/carried" ]
undisturbed disk
disk_undisturbed
bridge_stop
nothing_left
