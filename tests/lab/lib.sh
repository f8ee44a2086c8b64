# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What scenarios are written with; each sources this file first, inside the guest.
# The link: this machine is 10.9.8.2; the camera host is the network namespace "server", 10.9.8.1.
set -euo pipefail

server_host=10.9.8.1
work=/run/lab
backgrounds=/usr/share/backgrounds/mate
bridge_log=/out/log/ip2usb
bridge_pid=

mkdir -p "$work"
cd "$work"

# ---- verdicts

say() { echo "     $*"; }

# To where the scenario talks, also out of a function whose output goes elsewhere.
exec 3>&1

fail() {
	trap - ERR
	echo "FAIL $*" >&3
	exit 1
}

skip() {
	trap - ERR
	echo "SKIP $*" >&3
	exit 77
}

trap 'fail "${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND"' ERR
set -o errtrace

# check TEXT COMMAND...: the command succeeds; if not, its output is shown and the scenario ends.
check() {
	local text=$1
	shift
	if "$@" >"$work/check.out" 2>&1; then
		echo "ok   $text"
	else
		sed 's/^/     /' "$work/check.out"
		fail "$text"
	fi
}

# eventually SECONDS COMMAND...: succeeds as soon as the command does.
eventually() {
	local end=$(($(ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(ms)" -lt $end ] || return 1
		sleep 0.1
	done
}

not() { ! "$@"; }

# ---- programs in the background

has_ended() { not kill -0 "$1" 2>/dev/null; }

# ctrl_c WHAT: for the program whose process is $begun; it ends, and at once.
ctrl_c() {
	kill -INT "$begun"
	check "$1: Ctrl-C ends it" eventually 15 has_ended "$begun"
	wait "$begun" || true
}

# ---- time

ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# took COMMAND...: the milliseconds that it took, in $took.
took() {
	local start
	start=$(ms)
	"$@"
	took=$(($(ms) - start))
}

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# ---- USB

# usb_at PLACE: the sysfs folders of the devices below a controller (pci, vhci_hcd, dummy_hcd.0), or of the
# one with a bus id.
usb_at() {
	local device path
	for device in /sys/bus/usb/devices/*-*; do
		path=$(readlink -f "$device")
		[ -f "$device/busnum" ] || continue
		case $path in
		*/"$1"*) echo "$device" ;;
		esac
	done
}

# usb_up PLACE: a device is there and has its configuration.
usb_up() {
	local device
	device=$(usb_at "$1")
	[ -n "$device" ] && [ -n "$(cat "$device/bConfigurationValue" 2>/dev/null)" ]
}

usb_gone() { [ -z "$(usb_at "$1")" ]; }

# speed_at PLACE: of the one device there, in Mbit/s.
speed_at() { cat "$(usb_at "$1")/speed"; }

# port_at PLACE: gphoto2's name of the one camera there.
port_at() {
	local device
	device=$(usb_at "$1")
	printf 'usb:%03d,%03d\n' "$(cat "$device/busnum")" "$(cat "$device/devnum")"
}

# usbfs_at PLACE: the usbfs node of the one device there.
usbfs_at() {
	local device
	device=$(usb_at "$1")
	printf '/dev/bus/usb/%03d/%03d\n' "$(cat "$device/busnum")" "$(cat "$device/devnum")"
}

# nodes_at PLACE PATTERN: the names of what matches /sys/class/PATTERN below a controller.
nodes_at() {
	local node
	# shellcheck disable=SC2231 # a pattern
	for node in /sys/class/$2; do
		case $(readlink -f "$node") in
		*/"$1"*) echo "${node##*/}" ;;
		esac
	done
}

# has_nodes NUMBER PLACE PATTERN
has_nodes() { [ "$(nodes_at "$2" "$3" | wc -l)" -eq "$1" ]; }

# describe PLACE: lsusb -v of the device there, without the first line, which has its number.
describe() {
	local device
	device=$(usb_at "$1")
	lsusb -v -s "$(cat "$device/busnum"):$(cat "$device/devnum")" 2>/dev/null |
		grep -v -e '^Bus ' -e '^$' | sed -E 's/^ +//; s/ +/ /g; s/ $//'
}

# lsusb_keep PLACE: what the machine that a device is plugged into sees; before `server` takes it away.
lsusb_keep() { describe "$1" >/out/log/lsusb-camera; }

# Each line that differs, with the one that stands in its place: "at the camera => at the phone".
differences() {
	(diff "$1" "$2" || true) | awk '
		function flush(	i) {
			for (i = 1; i <= (n > m ? n : m); i++)
				print (i <= n ? a[i] : "(nothing)") " => " (i <= m ? b[i] : "(nothing)")
			n = m = 0
		}
		/^[0-9]/ { flush() }
		/^</ { a[++n] = substr($0, 3) }
		/^>/ { b[++m] = substr($0, 3) }
		END { flush() }'
}

# lsusb_same: the phone sees what lsusb_keep saw, but for what lsusb-differences has for this scenario.
lsusb_same() {
	local pattern
	describe dummy_hcd.0 >/out/log/lsusb-phone
	check "lsusb describes both" [ "$(wc -l </out/log/lsusb-phone)" -gt 20 ]
	differences /out/log/lsusb-camera /out/log/lsusb-phone >"$work/differences"
	awk -F '\t' -v "scenario=$(basename "$0" .sh)" \
		'!/^#/ && index(" " $2 " ", " " scenario " ") { print $1 }' \
		"$LAB_DIR/lsusb-differences" >"$work/allowed"
	check "lsusb: no difference but the allowed ones" \
		not grep -vxE -f "$work/allowed" "$work/differences"
	while read -r pattern; do
		check "still needed: $pattern" grep -xE -- "$pattern" "$work/differences"
	done <"$work/allowed"
}

# bus_watch PLACE: usbmon appends to $work/bus what happens on the bus there, until bus_unwatch.
bus_watch() {
	local number
	modprobe usbmon
	mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
	number=$(cat "$(usb_at "$1")/busnum")
	exec {bus_fd}<"/sys/kernel/debug/usb/usbmon/${number}u"
	: >"$work/bus"
	cat <&"$bus_fd" >>"$work/bus" &
	bus_watcher=$!
	exec {bus_fd}<&-
}
bus_unwatch() {
	kill "$bus_watcher"
	wait "$bus_watcher" || true
}
bus_has() { grep -Eq -- "$1" "$work/bus"; }

# ---- the camera and the machine that it is plugged into

# monitor COMMAND: one line to QEMU's monitor. Its answers are in /out/log/monitor.
monitor() {
	if [ -z "${monitor_fd:-}" ]; then
		exec {monitor_fd}<>"$LAB_MONITOR"
		cat <&"$monitor_fd" >/out/log/monitor &
		echo '{"execute": "qmp_capabilities"}' >&"$monitor_fd"
	fi
	printf '{"execute": "human-monitor-command", "arguments": {"command-line": "%s"}}\n' "$*" \
		>&"$monitor_fd"
}

# photos NAME: a folder of 18 MB of photographs for a camera.
photos() {
	mkdir -p "/lab/$1"
	cp "$backgrounds"/nature/*.jpg "$backgrounds"/abstract/Elephants{,_3840x2160}.jpg "/lab/$1"
	# Two of them again make it 18 MB.
	cp "$backgrounds/nature/Storm.jpg" "/lab/$1/Storm2.jpg"
	cp "$backgrounds/nature/TwoWings.jpg" "/lab/$1/TwoWings2.jpg"
}

# camera NAME [QEMU-OPTIONS]: plugs a PTP camera in whose card is /lab/NAME. QEMU reads the folder
# on the host, so fill it before. Its bus id is in $busid afterwards.
camera() {
	plug "usb-mtp,rootdir=$LAB_SHARE_ON_HOST/$1,desc=cam${2:+,$2}"
}

# plug DEVICE-WITH-OPTIONS: plugs one of QEMU's USB devices in, at high speed, or at full speed with
# host_controller=uhci, at any with xhci.
host_controller=ehci
plug() {
	case $host_controller in
	ehci) modprobe ehci-pci ;;
	uhci) modprobe uhci-hcd ;;
	xhci) modprobe xhci-pci ;;
	esac
	monitor "device_add $1,bus=$host_controller.0,id=remote"
	eventually 20 usb_up pci || fail "QEMU's $1 did not appear"
	busid=$(usb_at pci)
	busid=${busid##*/}
}

unplug() { monitor "device_del remote"; }

on_server() { nsenter --net=/run/netns/server "$@"; }

# network: the camera host's end of the link, and this one.
network() {
	modprobe -a sch_netem veth
	mkdir -p /run/netns
	ip netns add server
	ip link add link0 type veth peer name link1 netns server
	ip addr add 10.9.8.2/24 dev link0
	ip link set lo up
	ip link set link0 up
	on_server ip addr add $server_host/24 dev link1
	on_server ip link set lo up
	on_server ip link set link1 up
}

# server: shares the camera from the other end of the link.
server() {
	network
	server_bind
	server_start
	eventually 30 server_listens || fail "the server does not listen"
}

server_listens() { on_server ss -Htln 'sport = :3240' | grep -q .; }

server_pid() { on_server ss -Htlnp 'sport = :3240' | sed -n 's/.*pid=\([0-9]*\).*/\1/p' | head -n 1; }

# cut_connection: the server's end is reset, and tells the other; fails where there is none.
cut_connection() { on_server ss -K -Htn 'sport = :3240' | grep -q .; }

# hide_camera: from programs that look for any device that they know, by usbfs, which leaves what
# usbip-host has to whoever asks. The phone shall be theirs. A server that was begun before does open it.
hide_camera() {
	local node
	node=$(usbfs_at "$busid")
	mount --bind "$node" "$node"
	mount -o remount,bind,nodev "$node"
}

# is_listed HOST: the server has the device for the next client. $list_options are `ip2usb list`'s own.
list_options=()
is_listed() {
	"$LAB_BIN/ip2usb" list --json "$1" "${list_options[@]}" |
		jq -e --arg busid "$busid" 'any(.. | objects; .busid == $busid)' >/dev/null 2>&1
}

# link NETEM...: what the link does to packets, in each direction; no word = nothing.
link() {
	tc qdisc del dev link0 root 2>/dev/null || true
	on_server tc qdisc del dev link1 root 2>/dev/null || true
	[ $# -gt 0 ] || return 0
	# 1000 packets is netem's usual queue; a link with a delay would drop at that.
	tc qdisc add dev link0 root netem limit 100000 "$@"
	on_server tc qdisc add dev link1 root netem limit 100000 "$@"
}

link_losses() { say "$(tc -s qdisc show dev link0 | grep -o 'dropped [0-9]*') of those that this end sent"; }

# Packets as a network carries them: a veth pair would hand 64 KiB over as one.
link_real_packets() {
	ip link set link0 gso_max_segs 1 gro_max_size 1514
	on_server ip link set link1 gso_max_segs 1 gro_max_size 1514
}

# ---- the kernel's own client, to compare with

vhci_attach() {
	modprobe vhci-hcd
	# After another client has gone the server can answer "busy" for a moment.
	eventually 10 usbip attach -r $server_host -b "$busid" >>/out/log/vhci 2>&1 ||
		fail "usbip attach"
	eventually 20 usb_up vhci_hcd || fail "no camera at vhci_hcd"
}

vhci_detach() {
	usbip detach -p 00 >>/out/log/vhci 2>&1
	eventually 10 usb_gone vhci_hcd || fail "usbip detach"
	eventually 10 server_free || fail "the server does not know that vhci_hcd has gone"
	# Its sixteen root hubs are for every program to look at that looks for a camera.
	eventually 10 modprobe -r vhci-hcd || fail "vhci_hcd stays"
}

# libgphoto2's own PTP driver, without the 60 others that gphoto2 would load first, each time.
export CAMLIBS=$work/camlibs
mkdir -p "$CAMLIBS"
ln -sf /usr/lib/*/libgphoto2/*/ptp2.so "$CAMLIBS"

vhci() { gphoto2 --quiet --port "$(port_at vhci_hcd)" "$@"; }

# ---- the bridge

# bridge_config [SECTION.KEY=VALUE...]: writes ip2usb.conf. An empty value leaves the key out.
bridge_config() {
	local -A value=([server.host]=$server_host [camera.busid]=$busid [gadget.udc]=dummy_udc.0)
	local word section key
	for word; do value[${word%%=*}]=${word#*=}; done
	for section in server camera gadget link led; do
		echo "[$section]"
		for key in "${!value[@]}"; do
			[ "${key%%.*}" = $section ] && [ -n "${value[$key]}" ] || continue
			echo "${key#*.} = ${value[$key]}"
		done
	done >"$work/ip2usb.conf"
}

# dummy_hcd.0 is the phone's port, and dummy_hcd.1 is for remotes that are gadgets themselves. Both run at
# the speed $ports: full, high or super.
ports=${ports:-high}
phone_ready() {
	local super=0 high=0
	case $ports in
	high) high=1 ;;
	super) high=1 super=1 ;;
	esac
	modprobe dummy_hcd is_super_speed=$super is_high_speed=$high num=2
	modprobe -a libcomposite usb_f_fs
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
}

# bridge_launch [SECTION.KEY=VALUE...]: starts ip2usb, and does not wait for the phone to see it. $bridge_options
# are its own, such as --once where a scenario wants to see it end.
bridge_options=()
bridge_launch() {
	[ -x "$LAB_BIN/ip2usb" ] || fail "no ip2usb in $LAB_BIN: build it, or name its folder by --bin"
	phone_ready
	bridge_config "$@"
	"$LAB_BIN/ip2usb" run -c "$work/ip2usb.conf" "${bridge_options[@]}" 2>>$bridge_log &
	bridge_pid=$!
}

# A zombie does not count.
bridge_runs() { grep -q '^State:.[^Z]' "/proc/$bridge_pid/status" 2>/dev/null; }
bridge_up_or_dead() { usb_up dummy_hcd.0 || ! bridge_runs; }

# bridge_start [SECTION.KEY=VALUE...]: and the phone has the camera.
bridge_start() {
	bridge_launch "$@"
	eventually 30 bridge_up_or_dead || fail "the phone sees no camera"
	bridge_runs || fail "ip2usb ended at its start"
}

# bridge_wait SECONDS: waits for the daemon to end; its exit code is in $bridge_status.
bridge_wait() {
	eventually "$1" not bridge_runs || return 1
	bridge_status=0
	wait "$bridge_pid" || bridge_status=$?
}

# mark: what the daemon has said up to here does not count for has_said PATTERN.
mark() { logged=$(wc -l <$bridge_log); }
has_said() { tail -n +$((logged + 1)) $bridge_log | grep -q "$1"; }

# is_state STATE: the daemon's, as it says.
is_state() { [ "$("$LAB_BIN/ip2usb" status --json | jq -r .state)" = "$1" ]; }

# bridge_fails: it ends by itself.
bridge_fails() {
	check "the daemon ends within 10 s" bridge_wait 10
	check "exit code 1" [ "$bridge_status" -eq 1 ]
}

bridge_stop() {
	kill -TERM "$bridge_pid"
	bridge_wait 5 || fail "ip2usb is still there 5 s after SIGTERM"
}

# From smaps, which counts; status only estimates.
bridge_rss_kib() { awk '$1 == "Rss:" { print $2 }' "/proc/$bridge_pid/smaps_rollup"; }
bridge_fds() { find "/proc/$bridge_pid/fd" -mindepth 1 | wc -l; }

phone_port() { port_at dummy_hcd.0; }
phone() { gphoto2 --quiet --port "$(phone_port)" "$@"; }

# phone_number: the camera's at the phone; another, or none, where that has seen an unplug.
phone_number() { cat "$(usb_at dummy_hcd.0)/devnum"; }

# bytes_in: how many have come by the camera's first endpoint, a still camera's data, since it was presented.
bytes_in() { "$LAB_BIN/ip2usb" status --json | jq '.endpoints[0].bytes'; }

# gphoto2_into_memory: gphoto2 and all that it loads, so that its start does not wait for 9p; "gphoto2" is that one
# from here on.
gphoto2_into_memory() {
	mkdir -p "$work/gphoto2/camlibs" "$work/gphoto2/iolibs" "$work/bin"
	cp "$(type -P gphoto2)" "$work/gphoto2"
	cp -L "$CAMLIBS"/* "$work/gphoto2/camlibs"
	cp /usr/lib/*/libgphoto2_port/*/usb1.so "$work/gphoto2/iolibs"
	ldd "$work/gphoto2/gphoto2" "$work"/gphoto2/*/*.so | sed -n 's/.* => \([^ ]*\) .*/\1/p' | sort -u |
		xargs cp -t "$work/gphoto2"
	cat >"$work/bin/gphoto2" <<-END
		#!/bin/sh
		export LD_LIBRARY_PATH=$work/gphoto2 CAMLIBS=$work/gphoto2/camlibs IOLIBS=$work/gphoto2/iolibs
		exec "$work/gphoto2/gphoto2" "\$@"
	END
	chmod +x "$work/bin/gphoto2"
	PATH=$work/bin:$PATH
}

# phone_authorized 0|1: the phone's port: as plugged off and on, to its kernel's and the camera's drivers.
phone_authorized() { echo "$1" >"$(usb_at dummy_hcd.0)/authorized"; }

# What a stopped bridge leaves: no gadget, no mount, no connection, and the camera is free again.
no_gadget() { [ "$(find /sys/kernel/config/usb_gadget -mindepth 1 -maxdepth 1 -name '*ip2usb*')" = "" ]; }
no_mount() { ! grep -q ' /run/ip2usb.* functionfs ' /proc/mounts; }
no_connection() { [ -z "$(ss -Htn 'sport = :3240 or dport = :3240')" ]; }

nothing_left() {
	nothing_left_here
	check "the phone saw the unplug" eventually 3 usb_gone dummy_hcd.0
	check "the camera is free again" eventually 3 server_free
}

# The same of this machine alone, whatever has become of the camera.
nothing_left_here() {
	check "no gadget is left" no_gadget
	check "no FunctionFS mount is left" no_mount
	check "no connection to the server is left" eventually 3 no_connection
}

# ---- files

# get_all CLIENT FOLDER: every file of the camera, by vhci or phone, into a new folder.
get_all() {
	rm -rf "$2"
	mkdir "$2"
	(cd "$2" && "$1" --get-all-files >>/out/log/gphoto2 2>&1)
}

# get_all_started CLIENT FOLDER: the same in the background, and the first file has arrived; the
# process is $getting.
get_all_started() {
	(
		trap - ERR
		get_all "$1" "$2"
	) &
	getting=$!
	eventually 60 some_file "$2" || fail "$1: no file arrives"
	check "the transfer is under way" kill -0 $getting
}

some_file() { find "$1" -name '*.*g' -size +0 2>/dev/null | grep -q .; }

# The program that was fetching has ended, whatever came of it.
get_all_ended() {
	eventually 30 has_ended "$getting" || fail "gphoto2 waits for a camera that went"
	wait "$getting" || true
}

# same_files A B: byte for byte.
same_files() { diff -rq "$1" "$2"; }

# downloads_same CLIENT NAME: the camera's card, fetched whole, equals /lab/NAME.
downloads_same() {
	check "$1: get-all-files" get_all "$1" "$work/got"
	check "$1: byte for byte the same" same_files "$work/got" "/lab/$2"
}

# uploads_same CLIENT NAME SIZE...: files of these sizes, put into the camera's folder $folder, are on its
# card /lab/NAME.
uploads_same() {
	local client=$1 card=$2 size
	shift 2
	folder=$("$client" --list-folders | sed -n 's/.*\(\/store_[0-9a-f]*\).*/\1/p' | head -n 1)
	check "the camera has a storage" [ -n "$folder" ]
	for size; do
		head -c "$size" /dev/urandom >"$work/up$size.jpg"
		check "upload of $size bytes" "$client" --folder "$folder" --upload-file "$work/up$size.jpg"
		check "it is on the card" eventually 5 cmp "$work/up$size.jpg" "/lab/$card/up$size.jpg"
	done
}

# The words for the server: usbipd.sh, or another that stands in for it.
# shellcheck source=/dev/null
. "$LAB_DIR/${LAB_SERVER:-usbipd}.sh"
