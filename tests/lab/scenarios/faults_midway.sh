# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A picture of 25 MB is half fetched when something happens to the link: gphoto2 gets all of it, though the server has
# reset the camera meanwhile. Where the camera was away for longer than hold_s the phone sees an unplug, and gphoto2
# tells of an error; it never takes anything else for the picture. It has the next one within 15 s.
# timeout: 900
# clock: instructions
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"

patience=15
size=25000000

# A link of 40 Mbit/s, over which the picture takes 5 s, and what else is to happen to it.
wifi() { link rate 40mbit "$@"; }
# What this end sends is lost, or what the other does.
to_server() { tc qdisc replace dev link0 root netem loss 100%; }
from_server() { on_server tc qdisc replace dev link1 root netem loss 100%; }
# The server has forgotten the connection, and the word of it is lost.
forgotten() {
	wifi loss 100%
	cut_connection
}
# For as long as it has another, a server that has not heard of it keeps the camera for the first.
other_address() {
	ip addr del 10.9.8.2/24 dev link0
	ip addr add 10.9.8.3/24 dev link0
}
own_address() {
	ip addr del 10.9.8.3/24 dev link0
	ip addr add 10.9.8.2/24 dev link0
}

fetch() {
	rm -rf "$work/got"
	mkdir "$work/got"
	cd "$work/got" || exit
	exec gphoto2 --quiet --port "$(phone_port)" --folder "$folder" --get-file "$1" >"$work/said" 2>&1
}
fetch_begins() {
	(trap - ERR && fetch "$1") &
	getting=$!
}
come() { echo $(($(bytes_in) - before)); }
some_have_come() { [ "$(come)" -gt $((size / 8)) ]; }
midway() { [ "$at" -gt $((size / 8)) ] && [ "$at" -lt $size ]; }
gphoto2_has_ended() {
	eventually 40 has_ended "$getting" || fail "$1: gphoto2 waits for ever"
	status=0
	wait "$getting" || status=$?
}
has_it() { cmp "$work/got/$1" "$scene/card/$1"; }
next_comes() {
	usb_up dummy_hcd.0 || return 1
	fetch_begins DSC_1.JPG
	gphoto2_has_ended "the next picture"
	[ $status -eq 0 ] && has_it DSC_1.JPG
}

# during WHAT SECONDS COMMAND...: the picture is half there; the command; so many seconds; the link is well again.
table=("$(printf '%-34s %-26s %-9s %6s %6s' '' 'gphoto2 had' 'and saw' 'ended' 'next')")
during() {
	local what=$1 seconds=$2 number ended waited again saw unplug
	shift 2
	number=$(phone_number)
	before=$(bytes_in)
	fetch_begins DSC_2.NEF
	eventually 40 some_have_come || fail "$what: nothing comes before it"
	# While this was found out gphoto2 may have had no time to ask for more.
	sleep 0.1
	"$@"
	at=$(come)
	check "$what: midway, after $at bytes" midway
	sleep "$seconds"
	[ "$1" != other_address ] || own_address
	wifi
	ended=$(ms)
	gphoto2_has_ended "$what"
	waited=$(($(ms) - ended))
	if [ -e "$work/got/DSC_2.NEF" ]; then
		check "$what: what gphoto2 takes for the picture is the picture" has_it DSC_2.NEF
		saw="the picture"
	else
		check "$what: gphoto2 tells that it has no picture" [ $status -ne 0 ]
		saw=$(sed -n "s/.*(\(-[0-9]*: '[^']*'\)).*/error \1/p" "$work/said" | head -n 1)
	fi
	eventually $patience next_comes || {
		cat "$work/said"
		fail "$what: no other picture afterwards"
	}
	again=$(($(ms) - ended))
	check "$what: the next picture, at most $patience s later" [ $((again - waited)) -le $((patience * 1000)) ]
	unplug="no unplug"
	[ "$(phone_number)" = "$number" ] || unplug="an unplug"
	table+=("$(printf '%-34s %-26s %-9s %6d %6d' "$what" "${saw:-an error}" "$unplug" $waited $again)")
	echo "${table[-1]}"
}
expects() { check "gphoto2 had $1, the phone saw $2" grep -q " $1.* $2 " <<<"${table[-1]}"; }

gphoto2_into_memory
scene
mkdir "$scene/card"
mv "$scene/1.JPG" "$scene/card/DSC_1.JPG"
mv "$scene/2.NEF" "$scene/card/DSC_2.NEF"
still_camera "$scene"
server
wifi
bridge_start
folder=$(pictures_folder)

for seconds in 1 3 9; do
	during "100 % loss, $seconds s" $seconds wifi loss 100%
	expects "the picture" "no unplug"
done
during "100 % loss, 30 s" 30 wifi loss 100%
expects "error" "an unplug"
during "reset" 0 cut_connection
expects "the picture" "no unplug"
during "half-open: forgotten by the server" 1 forgotten
expects "the picture" "no unplug"
during "half-open: nothing comes, 9 s" 9 from_server
expects "the picture" "no unplug"
during "half-open: nothing goes, 9 s" 9 to_server
expects "the picture" "no unplug"
during "20 % loss, 5 s" 5 wifi loss 20%
expects "the picture" "no unplug"
during "500 ms of jitter, 5 s" 5 wifi delay 500ms 500ms
expects "the picture" "no unplug"
during "another address, 9 s" 9 other_address
expects "the picture" "no unplug"
say "when gphoto2 has ended, and when it has the next picture, in ms since the end of the fault:"
printf '%s\n' "${table[@]}"
bridge_stop
nothing_left
