# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `ip2usb discover`: a server that its avahi-daemon announces, by IPv4 and by IPv6 alone, and the servers of a
# subnet; and what is said where there are none. Both machines have a D-Bus and an avahi-daemon of their own.
# timeout: 240
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/mdns.sh"

# What is at the Pi; its exit code is in $status.
discover() {
	status=0
	"$LAB_BIN/ip2usb" discover "$@" >"$work/out" 2>"$work/error" || status=$?
	cat "$work/out" "$work/error"
}
exits() {
	local wanted=$1
	shift
	discover "$@"
	[ $status -eq "$wanted" ]
}
says() { grep -qF -- "$1" "$work/error"; }
# shows_camera LINE: that is the server's, and the camera's is below it.
shows_camera() {
	cat "$work/out" "$work/error"
	grep -A 1 -xF -- "$1" "$work/out" | grep -q "^  $busid *46f4:0004 "
}
# entry FILTER: of the one server in what --json prints.
entry() {
	cat "$work/out"
	jq -e --arg busid "$busid" "length == 1 and (.[0] | $1)" "$work/out"
}
# asks PREFIX: it is connecting to such an address.
asks() { ss -Htn 'dport = :3240' | grep -qF " $1"; }
has_camera='.devices | any(.busid == $busid and .vendor == "46f4" and .product == "0004")'

mkdir /lab/card
camera card
server

check "no D-Bus: exit code 1" exits 1
check "the message names the remedy" says "apt install avahi-daemon"
mkdir -p "$work/services"
cp "$LAB_DIR/../../configs/avahi-usbip.service" "$work/services/usbip.service"
server_mdns_start
rm -f /etc/avahi/services/*
mdns_start pi link0
check "both avahi-daemons are up" eventually 30 eval "mdns_is_up pi && mdns_is_up camera-host"

check "it is found by mDNS" eventually 30 exits 0
check "by its name and its address, with the camera" shows_camera "camera-host.local  $server_host port 3240"
check "the next command" grep -xF "To choose a camera: sudo ip2usb pair camera-host.local" "$work/out"
check "nothing on stderr" [ ! -s "$work/error" ]
took discover --json
say "discover: $took ms"
check "--json" [ $status -eq 0 ]
check "--json: one entry a server" \
	entry '.address == "10.9.8.1" and .port == 3240 and .name == "camera-host.local"'
check "--json: the camera" entry "$has_camera"

took discover 10.9.8.0/24
say "discover 10.9.8.0/24: $took ms"
check "it is found in its subnet" [ $status -eq 0 ]
check "by its address, with the camera" shows_camera "$server_host port 3240"
check "--json of one address" exits 0 $server_host/32 --json
check "it has no name there" entry ".address == \"$server_host\" and .name == null and ($has_camera)"
check "a subnet without a server" exits 3 10.9.8.128/29
check "nothing on stdout" [ ! -s "$work/out" ]
check "the message names it" says 10.9.8.128/29
check "a subnet that cannot be reached is not one without" exits 1 10.0.0.0/30
check "too large a subnet is a usage" exits 2 10.9.8.0/16
check "the message names the limit" says /20

# 2046 addresses take 50 s.
ip route add 10.9.8.0/21 dev link0
"$LAB_BIN/ip2usb" discover 10.9.8.0/21 >"$work/out" 2>"$work/error" &
begun=$!
eventually 40 asks 10.9.9. || fail "it does not get there"
check "all are asked first" [ ! -s "$work/out" ]
ctrl_c "discover SUBNET"
check "what it had found is shown" shows_camera "$server_host port 3240"

on_server ip addr flush dev link1 scope global
ip addr flush dev link0 scope global
check "by IPv6 alone" eventually 30 eval 'exits 0 --json && entry ".address | startswith(\"fe80:\")"'
check "with its scope, and the camera" entry "(.address | endswith(\"%link0\")) and ($has_camera)"
address=$(jq -r '.[0].address' "$work/out")
check "the address is one for the other commands" "$LAB_BIN/ip2usb" list "$address"

kill "$(pidof usbipd)"
check "a server that is announced, and not there" eventually 10 exits 3
check "it says why" grep -F "camera-host.local  $address port 3240: Connection refused" "$work/out"
mdns_stop camera-host
check "none is announced any more" eventually 20 eval 'exits 3 && says "no server announces itself"'
check "the message names the other way" says "ip2usb discover 192.168.1.0/24"
mdns_stop pi
check "no avahi-daemon: exit code 1" exits 1
check "the message names the remedy" says "apt install avahi-daemon"
