# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What can go wrong does, at random from a seed, while the phone fetches a picture of 25 MB or not, and while the
# link is lost or not: after each event the chain works again within 15 s, without a hand. What the phone takes for
# a picture is the camera's, byte for byte, whenever it came. In the end the daemon holds no more than before.
# LAB_FAULTS is how many events, LAB_SEED which, LAB_KINDS of which kinds ("reset usbipd_killed"). All orders of
# beginning are in LAB_FAULTS=48 LAB_KINDS=all_anew.
# timeout: 900
# clock: instructions
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"

events=${LAB_FAULTS:-12}
RANDOM=${LAB_SEED:-1}
patience=15

link_for() {
	link "${@:2}"
	sleep "$1"
	link
}
# one_way_for SECONDS: what the server sends is lost, or what it is sent.
one_way_for() {
	if [ $((RANDOM % 2)) -eq 0 ]; then
		tc qdisc add dev link0 root netem loss 100%
	else
		on_server tc qdisc add dev link1 root netem loss 100%
	fi
	sleep "$1"
	link
}

daemon_on() {
	"$LAB_BIN/ip2usb" run -c "$work/ip2usb.conf" 2>>"$bridge_log" &
	bridge_pid=$!
}
daemon_off() {
	kill "-$1" "$bridge_pid"
	wait "$bridge_pid" || true
}
camera_off() {
	kill -KILL "$camera_pid"
	wait "$camera_pid" || true
	eventually 5 usb_gone dummy_hcd.1
}
camera_on() {
	still_camera_on "$scene"
	remote_plug
	eventually 5 server_bind
}
# The phone's port has power, or not: 0 or 1 is whether it is off.
phone_off() { echo "$1" >"$phone_port_switch"; }
frozen_for() {
	kill -STOP "$2"
	sleep "$1"
	kill -CONT "$2"
}

# ---- events: each ends with everything in its place

event_nothing() { :; }

event_reset() { cut_connection; }
# The server has forgotten the connection, and the word of it is lost.
event_half_open() {
	link loss 100%
	cut_connection
	sleep $((RANDOM % 3))
	link
}
event_one_way_1s() { one_way_for 1; }
event_one_way_9s() { one_way_for 9; }
event_link_1s() { link_for 1 loss 100%; }
event_link_3s() { link_for 3 loss 100%; }
event_link_9s() { link_for 9 loss 100%; }
event_link_30s() { link_for 30 loss 100%; }
event_losses() { link_for 5 loss 20%; }
event_jitter() { link_for 5 delay 500ms 500ms; }
event_unplugged() {
	on_server ip link set link1 down
	sleep $((RANDOM % 8))
	on_server ip link set link1 up
}
event_other_address() {
	ip addr del 10.9.8.2/24 dev link0
	ip addr add 10.9.8.3/24 dev link0
	sleep $((RANDOM % 8))
	ip addr del 10.9.8.3/24 dev link0
	ip addr add 10.9.8.2/24 dev link0
}

event_usbipd_killed() {
	server_kill KILL
	sleep $((RANDOM % 3))
	server_start
}
event_usbipd_frozen() { frozen_for $((RANDOM % 6)) "$(server_pid)"; }
event_usbipd_frozen_and_reset() {
	local pid
	pid=$(server_pid)
	kill -STOP "$pid"
	cut_connection
	sleep $((RANDOM % 6))
	kill -CONT "$pid"
}
event_unbound() {
	server_unbind
	sleep $((RANDOM % 4))
	eventually 5 server_bind
}
# It says nothing any more, and knows nothing when it is back.
event_server_lost_power() {
	link loss 100%
	server_kill KILL
	server_unbind
	sleep $((RANDOM % 8))
	link
	eventually 5 server_bind
	server_start
}

event_camera_unplugged() {
	remote_unplug
	sleep $((RANDOM % 4))
	remote_plug
	eventually 5 server_bind
}
event_camera_killed() {
	camera_off
	sleep $((RANDOM % 4))
	camera_on
}
event_camera_frozen() { frozen_for $((RANDOM % 8)) "$camera_pid"; }

event_daemon_frozen() { frozen_for $((RANDOM % 8)) "$bridge_pid"; }
event_daemon_killed() {
	daemon_off KILL
	daemon_on
}
event_daemon_ended() {
	daemon_off TERM
	daemon_on
}
event_hangup() {
	sed -i "s/^hold_s = .*/hold_s = $((RANDOM % 30))/" "$work/ip2usb.conf"
	kill -HUP "$bridge_pid"
}

event_phone_unplugged() {
	phone_off 1
	sleep $((RANDOM % 4))
	phone_off 0
}
event_phone_lets_go() {
	[ -n "$(usb_at dummy_hcd.0)" ] || return 0
	phone_authorized 0
	sleep $((RANDOM % 3))
	[ -z "$(usb_at dummy_hcd.0)" ] || phone_authorized 1
}
event_program_killed() { kill -KILL "$(pidof gphoto2)"; }
event_program_frozen() { frozen_for $((RANDOM % 8)) "$(pidof gphoto2)"; }

# Nothing is there any more, and comes in an order; 24 times, in all there are.
orders=0
event_all_anew() {
	local left=(camera server daemon phone) part rest=$((orders++)) order=
	phone_off 1
	daemon_off TERM
	kill -KILL "$(server_pid)"
	camera_off
	while [ ${#left[@]} -gt 0 ]; do
		part=$((rest % ${#left[@]}))
		rest=$((rest / ${#left[@]}))
		order+=" ${left[part]}"
		case ${left[part]} in
		camera) camera_on ;;
		server) server_start ;;
		daemon) daemon_on ;;
		phone) phone_off 0 ;;
		esac
		unset "left[part]"
		left=("${left[@]}")
		sleep $((RANDOM % 3))
	done
	say "in the order$order:" >&3
}

# ---- around each

# fetch FOLDER NAME: gphoto2 says that it has this picture.
fetch() {
	rm -rf "$1"
	mkdir "$1"
	cd "$1" || exit
	exec gphoto2 --quiet --port "$(phone_port)" --folder "$folder" --get-file "$2" >"$1.said" 2>&1
}
# fetched: it has, if it says so within 10 s. Whoever uses the phone waits no longer, though gphoto2 would.
fetched() {
	eventually 10 has_ended "$getting" || kill -KILL "$getting" 2>/dev/null || true
	wait "$getting"
}
# What has come is the camera's. gphoto2 gives a file its name when it is whole.
right() { [ ! -e "$1/$2" ] || cmp "$1/$2" "$scene/card/$2" >>"$1.said" 2>&1; }
works() {
	usb_up dummy_hcd.0 || return 1
	(trap - ERR && fetch "$work/after" DSC_1.JPG) 2>/dev/null &
	getting=$!
	fetched || return 1
	right "$work/after" DSC_1.JPG || broken "$work/after"
	[ -e "$work/after/DSC_1.JPG" ] || broken "$work/after"
}
broken() {
	cat "$1.said"
	fail "gphoto2 takes this for the camera's picture, and it is not"
}
in_place() {
	bridge_runs || fail "the daemon has ended"
	eventually 5 server_listens || fail "the lab: no server"
	eventually 5 server_bound || fail "the lab: no camera at the server"
	kill -0 "$camera_pid" || fail "the lab: no camera"
}

# happens KIND WHAT-THE-PHONE-DOES: the link is lost meanwhile where $held is 1.
number=0 times=() failed=()
happens() {
	local began server whole="" took what
	number=$((number + 1))
	what="$number: $1$([ $held = 0 ] || echo " while it holds"), the phone does $2"
	echo "---- $what" >>"$bridge_log"
	if [ "$2" = fetches ]; then
		(trap - ERR && fetch "$work/meanwhile" DSC_2.NEF) 2>/dev/null &
		getting=$!
		sleep "$((RANDOM % 3)).$((RANDOM % 10))"
	fi
	if [ $held = 1 ]; then
		server=$(server_pid)
		kill -STOP "$server"
		cut_connection || true
	fi
	# What does not answer in time has been given up by whoever asked.
	"event_$1" >"$work/event" 2>&1 || true
	[ $held = 0 ] || kill -CONT "$server" 2>/dev/null || true
	began=$(ms)
	in_place
	if [ "$2" = fetches ]; then
		whole=", which fails"
		if fetched; then
			began=$(ms)
			whole=", which comes"
			[ -e "$work/meanwhile/DSC_2.NEF" ] || broken "$work/meanwhile"
		fi
		right "$work/meanwhile" DSC_2.NEF || broken "$work/meanwhile"
	fi
	eventually 120 works || {
		cat "$work/event" "$work/after.said"
		fail "$what$whole: does not work any more"
	}
	took=$(($(ms) - began))
	times+=("$took")
	say "$what$whole: works after $took ms"
	[ $took -le $((patience * 1000)) ] || failed+=("$what;")
	in_place
}

# any KIND...: one of these at random.
any() {
	local kinds=("$@") kind phone=nothing
	kind=${kinds[RANDOM % $#]}
	held=$((RANDOM % 4 == 0))
	[ $((RANDOM % 2)) -eq 0 ] || phone=fetches
	case $kind in program_*) phone=fetches ;; esac
	happens "$kind" $phone
}

threads() { find "/proc/$bridge_pid/task" -mindepth 1 -maxdepth 1 | wc -l; }
# The shadow of AddressSanitizer's is terabytes. What was freed stays in memory with it.
sanitized() { awk '$1 == "VmSize:" { exit $2 < 2 ^ 30 }' "/proc/$bridge_pid/status"; }

gphoto2_into_memory
scene
mkdir "$scene/card"
mv "$scene/1.JPG" "$scene/card/DSC_1.JPG"
mv "$scene/2.NEF" "$scene/card/DSC_2.NEF"
still_camera "$scene"
server
bridge_start link.hold_s=10
phone_bus=$(cat "$(usb_at dummy_hcd.0)/busnum")
phone_port_switch=/sys/bus/usb/devices/$phone_bus-0:1.0/usb$phone_bus-port1/disable
folder=$(pictures_folder)
eventually 15 works || fail "it does not work before anything has happened"

mapfile -t all <<<"$(compgen -A function event_ | sed 's/^event_//')"
[ -z "${LAB_KINDS:-}" ] || read -ra all <<<"$LAB_KINDS"
mapfile -t lasting <<<"$(printf '%s\n' "${all[@]}" | grep -vx -e 'daemon_killed' -e 'daemon_ended' -e all_anew || echo nothing)"
for _ in $(seq $((events / 2))); do any "${all[@]}"; done

# From here on it is one daemon. What is made once is made now, and every buffer is touched.
held=0
for kind in reset camera_unplugged phone_unplugged hangup nothing; do happens $kind fetches; done
rss=$(bridge_rss_kib)
fds=$(bridge_fds)
tasks=$(threads)
daemon=$bridge_pid
for _ in $(seq $((events - events / 2))); do any "${lasting[@]}"; done

check "works again within $patience s, not: ${failed[*]}" [ ${#failed[@]} -eq 0 ]
say "works again after $(median "${times[@]}") ms, at most $(printf '%s\n' "${times[@]}" | sort -n | tail -n 1) ms"
held=0
happens nothing fetches
check "the same daemon" [ "$bridge_pid" = "$daemon" ]
check "file descriptors: $fds at most, are $(bridge_fds)" [ "$(bridge_fds)" -le "$fds" ]
check "threads: $tasks at most, are $(threads)" [ "$(threads)" -le "$tasks" ]
if sanitized; then
	say "$(bridge_rss_kib) KiB of memory, $rss before: LeakSanitizer's to judge, by the exit code"
else
	check "resident memory: $rss KiB and at most 64 more, is $(bridge_rss_kib)" \
		[ "$(bridge_rss_kib)" -le $((rss + 64)) ]
	check "resident memory: at most 6 MiB" [ "$(bridge_rss_kib)" -le 6144 ]
fi
bridge_stop
check "exit code 0" [ "$bridge_status" -eq 0 ]
nothing_left
