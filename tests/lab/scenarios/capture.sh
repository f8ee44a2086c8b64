# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `ip2usb capture` of a running daemon: what it has is what the camera's host has seen, Wireshark knows it, and
# the phone notices nothing.
# timeout: 300
. "$LAB_DIR/lib.sh"

capture=$work/capture
reference=$work/reference

# capture_start FILE [OPTION...]: returns when it is served.
capture_start() {
	"$LAB_BIN/ip2usb" capture "$@" 2>"$1.said" &
	capture_pid=$!
	eventually 30 test -s "$1" || fail "no capture"
}
capture_end() {
	local code=0
	kill -INT $capture_pid
	wait $capture_pid || code=$?
	sed 's/^/     /' "$1.said"
	[ $code -eq 0 ]
}

reference_start() {
	modprobe usbmon
	# As large as usbmon's buffer can be.
	dumpcap -q -P -i "usbmon$bus" -B 1 -w "$reference" 2>"$reference.said" &
	reference_pid=$!
	eventually 30 test -s "$reference" || fail "no capture at the camera's host"
}
reference_end() {
	kill -INT $reference_pid
	wait $reference_pid
	sed 's/^/     /' "$reference.said"
	grep -q 'received/dropped.*: *[0-9]*/0 ' "$reference.said"
}

same_urbs() {
	"$LAB_DIR/urbs" "$reference" "$bus" "$device" >"$work/urbs.reference"
	"$LAB_DIR/urbs" "$capture" "$bus" "$device" >"$work/urbs"
	sed 's/^/     /' "$work/urbs"
	[ -s "$work/urbs" ] && diff "$work/urbs.reference" "$work/urbs"
}

# shark FILTER FIELD: that field of all records that pass the filter.
shark() { tshark -r "$capture" -Y "$1" -T fields -e "$2" 2>/dev/null; }
shark_has() { shark "$1" "$2" | grep -qx "$3"; }

# as_person GROUP: as somebody of that group alone.
as_person() {
	local said
	said=$(setpriv --reuid nobody --regid "$1" --clear-groups "$LAB_BIN/ip2usb" capture /dev/null 2>&1) && return 1
	echo "$said"
	[[ $said == *"only root may ask"* ]]
}

third_refused() {
	"$LAB_BIN/ip2usb" capture "$work/third" 2>"$work/third.said" && return 1
	grep -q 'has 2 captures already' "$work/third.said"
}

check "without a daemon it says so" not "$LAB_BIN/ip2usb" capture "$capture"
check "and leaves no file" [ ! -e "$capture" ]

mkdir /lab/card
cp "$backgrounds"/nature/{Garden,Storm,LadyBird}.jpg /lab/card
camera card
bus=$(cat "/sys/bus/usb/devices/$busid/busnum")
device=$(cat "/sys/bus/usb/devices/$busid/devnum")
server
bridge_start
rss=$(bridge_rss_kib)

check "a person of the group plugdev may not" as_person plugdev
reference_start
capture_start "$capture"
downloads_same phone card
check "it ends with Ctrl-C" capture_end "$capture"
check "the camera's host has seen all" reference_end
check "the same URBs, with the same data" same_urbs

check "Wireshark: the camera" shark_has 'usb.idVendor' usb.idVendor 0x46f4
check "Wireshark: bulk, of a still-image interface" shark_has 'usb.transfer_type == 3' usb.bInterfaceClass 0x06
bad=$(shark '_ws.malformed || _ws.expert.severity == error' frame.number)
check "Wireshark: nothing that it takes exception to" [ -z "$bad" ]
# The oldest were submitted before it began: no more than its pipes have slots.
orphans=$(shark "usb.urb_type == 'C' && !usb.request_in" frame.number | wc -l)
check "Wireshark: completions find their submissions, but for $orphans" [ "$orphans" -le 68 ]

# While the camera is taken over anew, through a pipe.
"$LAB_BIN/ip2usb" capture - 2>"$work/piped.said" | cat >"$capture" &
piped_pid=$!
eventually 30 test -s "$capture" || fail "no capture"
link loss 100%
check "no link: the phone waits" eventually 15 is_state holding
link
check "the camera is back" eventually 30 is_state active
downloads_same phone card

# One that does not read, and one too many.
capture_start "$work/stopped"
kill -STOP $capture_pid
check "a third one is refused, and told why" third_refused
check "and leaves no file" [ ! -e "$work/third" ]
downloads_same phone card
downloads_same phone card
kill -CONT $capture_pid
# What it does not have, it is told of before the next record.
check "phone: summary" phone --summary
check "one that did not read ends as well" capture_end "$work/stopped"
check "and says what it does not have" grep -q 'more are not there' "$work/stopped.said"
say "memory: $rss KiB before, $(bridge_rss_kib) KiB after"

# Its size has an end, before the 1.3 MB have passed.
capture_start "$work/limited" --limit 1
downloads_same phone card
wait $capture_pid
check "1 MiB is 1 MiB" [ "$(stat -c %s "$work/limited")" -le $((1 << 20)) ]
check "and nearly all of it" [ "$(stat -c %s "$work/limited")" -gt $(((1 << 20) - 20000)) ]

bridge_stop
wait $piped_pid
sed 's/^/     /' "$work/piped.said"
check "it ends with ip2usb, too" grep -q 'ip2usb has ended' "$work/piped.said"
# A session is taken up again, and not the camera imported once more. What has interfaces is all of a configuration, and
# not its first 9 bytes, which are asked for before.
imports=2
[ "${LAB_SERVER:-usbipd}" = usbipd ] || imports=1
seen=$(shark "usb.bDescriptorType == 4 && usb.urb_type == 'C'" usb.urb_id | wc -l)
check "Wireshark: the camera's configuration, as often as it has been imported: $imports, seen $seen" [ "$seen" -eq $imports ]
nothing_left
