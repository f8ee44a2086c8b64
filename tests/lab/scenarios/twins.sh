# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two cameras that differ by nothing but the port that they are plugged into: none is taken by chance, and the
# phone that waits for the one that is configured does not go on with the other.
# timeout: 600
. "$LAB_DIR/lib.sh"

# twin NAME PORT: plugged into this port of the server's; /lab/NAME is its card.
twin() {
	monitor "device_add usb-mtp,rootdir=$LAB_SHARE_ON_HOST/$1,desc=cam,serial=TWIN,bus=ehci.0,port=$2,id=$1"
	eventually 20 configured "$bus-$2" || fail "$1 did not appear"
}
configured() { [ -n "$(cat "/sys/bus/usb/devices/$1/bConfigurationValue" 2>/dev/null)" ]; }
# away NAME PORT
away() {
	monitor "device_del $1"
	eventually 20 test ! -e "/sys/bus/usb/devices/$bus-$2" || fail "$1 does not go"
}
share() { check "the server has $1" eventually 10 bind_it "$1"; }
bind_it() { busid=$1 server_bind; }
free() { busid=$1 server_free; }
both_free() { free "$first" && free "$second"; }

# refused TEXT KEY=VALUE...: with this configuration it ends, as several match.
refused() {
	local text=$1
	shift
	check "$text: both are free" eventually 10 both_free
	mark
	bridge_launch "$@"
	check "$text: the daemon ends within 15 s" bridge_wait 15
	check "$text: exit code 4" [ "$bridge_status" -eq 4 ]
	check "$text: it says why" has_said '^error: several devices match'
	check "$text: and between which: the first" has_said "busid $first id 46f4:0004"
	check "$text: the second" has_said "busid $second id 46f4:0004"
	check "$text: the phone has seen nothing" usb_gone dummy_hcd.0
}

# holds: the link is gone, and the phone waits.
holds() {
	mark
	number=$(phone_number)
	link loss 100%
	check "the daemon holds" eventually 15 is_state holding
}
# link_back: and the phone has noticed nothing so far.
link_back() {
	check "the phone still waits" [ "$(phone_number)" = "$number" ]
	link
}
sees_an_unplug() {
	check "the phone sees the unplug" eventually 40 usb_gone dummy_hcd.0
	check "it has not gone on" not has_said 'the link is back'
}

modprobe ehci-pci
bus=$(echo /sys/bus/pci/drivers/ehci-pci/*/usb*)
bus=${bus##*/usb}
first=$bus-1
second=$bus-2
mkdir /lab/one /lab/two
cp "$backgrounds/nature/Garden.jpg" /lab/one
cp "$backgrounds/nature/Aqua.jpg" /lab/two
twin one 1
twin two 2
describe "$first" >"$work/first"
describe "$second" >"$work/second"
check "they can be described" grep -q TWIN "$work/first"
check "and are the same" diff "$work/first" "$work/second"
busid=$first
server
share "$second"
touch $bridge_log

bridge_options=(--once)
refused "any" camera.busid=
refused "by VID:PID" camera.busid= camera.id=46f4:0004
refused "by serial number" camera.busid= camera.serial=TWIN
for busid in "$first" "$second"; do
	check "both are free" eventually 10 both_free
	bridge_start
	case $busid in
	"$first") downloads_same phone one ;;
	*) downloads_same phone two ;;
	esac
	check "the other is left alone" eventually 5 free "$([ "$busid" = "$first" ] && echo "$second" || echo "$first")"
	bridge_stop
done

bridge_options=()
busid=$first
say "the one that is configured goes while the phone waits for it:"
bridge_start link.hold_s=25
holds
away one 1
link_back
sees_an_unplug
check "it says what is missing" eventually 10 has_said "exports no such camera: busid $first"
sleep 5
check "the other is not taken" free "$second"
check "the phone has nothing" usb_gone dummy_hcd.0
twin one 1
share "$first"
check "the phone has it again within 15 s of its return" eventually 15 usb_up dummy_hcd.0
downloads_same phone one
bridge_stop

say "a second one comes while the phone waits for the only one:"
busid=$second server_unbind
eventually 10 free "$first"
bridge_start camera.busid= camera.id=46f4:0004 link.hold_s=25
holds
share "$second"
link_back
check "it goes on" eventually 15 has_said 'the link is back'
check "the other is left alone" free "$second"
check "the phone has noticed nothing" [ "$(phone_number)" = "$number" ]
downloads_same phone one

say "the server gives the camera up while there are two:"
mark
busid=$first server_unbind
sees_an_unplug
check "the one that is left is taken" eventually 45 usb_up dummy_hcd.0
downloads_same phone two
share "$first"
bridge_stop
check "both are free" eventually 10 both_free
mark
bridge_launch camera.busid= camera.id=46f4:0004
check "several match, and it goes on looking" eventually 20 has_said 'several devices match'
check "none is taken" eventually 5 both_free
busid=$first server_unbind
check "the one that is left is taken" eventually 45 usb_up dummy_hcd.0
bridge_stop
nothing_left_here
