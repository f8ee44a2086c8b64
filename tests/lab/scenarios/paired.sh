# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A key at both ends: all that is downloaded is right, and who has another key, or none, gets nothing and is told
# why; ip2usb with a key takes nothing from a server without one.
# timeout: 300
LAB_SERVER=export
. "$LAB_DIR/lib.sh"

key=$("$LAB_BIN/ip2usb-export" key --text -c /dev/null)
other=$("$LAB_BIN/ip2usb-export" key --text -c /dev/null)
check "each key is another" [ "${key:-none}" != "${other:-none}" ]

# with_key NAME [KEY]: a configuration of ip2usb.
with_key() {
	bridge_config "server.key=${2:-}"
	(umask 077 && cp "$work/ip2usb.conf" "$work/$1.conf")
}
# refused NAME PATTERN: `ip2usb list` with that configuration is, and says why.
refused() {
	"$LAB_BIN/ip2usb" list $server_host -c "$work/$1.conf" >"$work/out" 2>"$work/error" && return 1
	cat "$work/out" "$work/error"
	[ ! -s "$work/out" ] && grep -q -- "$2" "$work/error"
}
# told REASON: how often the server has; what it leaves out shows with -v alone.
told() { grep -c "warning: 10.9.8.2 is refused: $1" $export_log || true; }
# Who is left out within 10 s is told of when it comes again.
plain_is_told() {
	not timeout 10 usbip list -r $server_host && [ "$(told "it is not paired: it asked without encryption")" -eq 1 ]
}

photos card
camera card
with_key same "$key"
with_key other "$other"
with_key none
export_server=("announce = no" "key = $key")
list_options=(-c "$work/same.conf")
server
check "who has the key sees the camera" eventually 10 server_free

for turn in 1 2 3; do
	check "another key is refused ($turn)" refused other "it has another key"
done
check "which the server tells of once" [ "$(told "it has another key")" -eq 1 ]
check "usbip without a key is refused, which is told of" eventually 30 plain_is_told
check "once, however often" not timeout 10 usbip list -r $server_host
check "it is told of once" [ "$(told "it is not paired: it asked without encryption")" -eq 1 ]
modprobe vhci-hcd
check "usbip attach is refused" not timeout 10 usbip attach -r $server_host -b "$busid"
check "nothing was imported" usb_gone vhci_hcd
modprobe -r vhci-hcd
check "ip2usb without a key is refused" refused none "it wants a key"
check "nobody has had anything" not grep -q "imported by" $export_log

hide_camera
bridge_start "server.key=$key"
downloads_same phone card
check "the status says so" [ "$("$LAB_BIN/ip2usb" status --json | jq -r .server.encrypted)" = true ]

# Another key at the server: who is served goes on.
export_server=("announce = no" "key = $other")
export_configure
list_options=(-c "$work/other.conf")
check "the old key is refused" eventually 10 refused same "it has another key"
number=$(phone_number)
downloads_same phone card
check "the phone has seen no unplug" [ "$(phone_number)" = "$number" ]
bridge_stop
nothing_left

check "with the new one all is right" eventually 10 server_free

# No key at the server.
export_server=("announce = no")
export_configure
list_options=()
check "ip2usb without a key sees the camera" eventually 10 server_free
check "ip2usb with one is not served" refused same "it is not paired"
bridge_start
downloads_same phone card
bridge_stop
nothing_left
kill "$(server_pid)"
check "the exporter ends" eventually 5 not server_listens
check "no key is in a log" not grep -qF -e "$key" -e "$other" $export_log $bridge_log
