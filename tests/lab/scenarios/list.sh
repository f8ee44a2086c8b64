# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `ip2usb list`: what a server exports, for people and for programs, and a server that is not there.
. "$LAB_DIR/lib.sh"

list() { "$LAB_BIN/ip2usb" list "$@"; }
# One line that begins with the bus id and has all the words.
line_has() {
	local line word
	line=$(list $server_host | grep "^ *$busid[[:space:]]")
	echo "$line"
	for word; do grep -qiF -- "$word" <<<"$line" || return 1; done
}

mkdir /lab/card
camera card
server

check "list" list $server_host
# A stock server gives the device away unconfigured and tells no interface, hence no class but 0; ip2usb-export as it is.
# The names are those of udev's database, which knows this vendor and not this product.
class="per interface"
[ "${LAB_SERVER:-usbipd}" = usbipd ] || class="still image"
check "the camera's line: bus id, VID:PID, speed, class, product" \
	line_has 46f4:0004 high "$class" QEMU
check "list HOST:PORT" list $server_host:3240
list --json $server_host >"$work/json" || fail "list --json"
check "--json parses" jq . "$work/json"
check "--json has the camera" jq -e --arg busid "$busid" \
	'.devices | any(.busid == $busid and .vendor == "46f4" and .product == "0004")' "$work/json"

status=0
list $server_host:9 >"$work/none" 2>"$work/error" || status=$?
check "no server: exit code 1" [ $status -eq 1 ]
check "no server: nothing on stdout" [ ! -s "$work/none" ]
check "no server: the message names it" grep -F $server_host "$work/error"
check "no server: one line" [ "$(wc -l <"$work/error")" -eq 1 ]
