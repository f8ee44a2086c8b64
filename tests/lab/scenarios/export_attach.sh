# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel's client takes the camera from ip2usb-export and lets go of it, LAB_ROUNDS times: nothing is left of any; and
# the camera is pulled out at any moment of that, LAB_PULLED times. Then a device with two configurations.
# timeout: 400
LAB_SERVER=export
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"

rounds=${LAB_ROUNDS:-6}
pulled=${LAB_PULLED:-5}

threads() { find "/proc/$1/task" -mindepth 1 -maxdepth 1 | wc -l; }
fds() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
rss_kib() { awk '$1 == "Rss:" { print $2 }' "/proc/$1/smaps_rollup"; }
# As when nobody has anything: a thread that was in a call has ended a moment later.
at_rest() { [ "$(fds "$pid") $(threads "$pid")" = "$rest" ]; }

# A process each time would take longer than what is waited for.
soon() {
	local tries=1000
	until "$@"; do
		[ $((tries--)) -gt 0 ] || return 1
		read -rt 0.02 -u "$never" || true
	done
}
# Right after it was let go of the camera is being reset, and refused.
attach() { soon usbip attach -r $server_host -b "$busid" >>/out/log/vhci 2>&1; }
attached() { compgen -G '/sys/devices/platform/vhci_hcd.0/usb*/*-1/*:1.0' >/dev/null; }
is_gone() { ! compgen -G '/sys/devices/platform/vhci_hcd.0/usb*/*-1' >/dev/null; }
detach() { usbip detach -p 00 >>/out/log/vhci 2>&1 && soon is_gone; }

mkfifo "$work/never"
exec {never}<>"$work/never"
mkdir /lab/card
cp "$backgrounds"/nature/{Aqua,Blinds}.jpg /lab/card
camera card
server
modprobe vhci-hcd
eventually 10 server_free || fail "it is not exported"
pid=$(server_pid)

# The first takes memory that is kept.
for _ in 1 2 3; do
	attach && soon attached && detach || fail "it cannot be attached"
done
eventually 10 server_free && sleep 2
rest="$(fds "$pid") $(threads "$pid")"
before=$(rss_kib "$pid")
for round in $(seq "$rounds"); do
	attach || fail "$round: attach"
	soon attached || fail "$round: no camera at vhci_hcd"
	[ "$round" != 5 ] && [ $((round % 100)) -gt 0 ] || get_all vhci "$work/got" || fail "$round: a picture does not come"
	detach || fail "$round: detach"
done
say "$rounds times attached and detached"
check "no descriptor and no thread is left" eventually 5 at_rest
say "memory: $before KiB before, $(rss_kib "$pid") after"
check "no more memory" [ "$(rss_kib "$pid")" -le $((before + 2048)) ]

for round in $(seq "$pulled"); do
	(
		trap - ERR
		attach && attached && get_all vhci "$work/cut"
	) >/dev/null 2>&1 &
	pulling=$!
	sleep "$((RANDOM % 3)).$((RANDOM % 10))"
	unplug
	eventually 20 usb_gone pci || fail "QEMU does not unplug"
	eventually 60 has_ended $pulling || fail "$round: it hangs"
	wait $pulling || true
	eventually 20 usb_gone vhci_hcd || fail "$round: the client is not told"
	plug "usb-mtp,rootdir=$LAB_SHARE_ON_HOST/card,desc=cam"
	server_bind
	eventually 15 server_free || fail "$round: it is not exported again"
done
say "$pulled times pulled out"
attach && soon attached || fail "it cannot be attached any more"
downloads_same vhci card
detach
check "no descriptor and no thread is left" eventually 5 at_rest
check "the same program all the time" [ "$(server_pid)" = "$pid" ]

remote_gadget 1d6b 0200
remote_function acm.a
mkdir "$remote/configs/c.2" "$remote/functions/gser.b"
ln -s "$remote/functions/gser.b" "$remote/configs/c.2"
remote_plug
server_bind
eventually 15 server_free || fail "it is not exported"
attach && eventually 20 attached || fail "it cannot be attached"
at_client=$(usb_at vhci_hcd)
configuration_is() { [ "$(cat "$at_client/bConfigurationValue") $(cat "$(usb_at dummy_hcd.1)/bConfigurationValue")" = "$1 $1" ]; }
class_of() { cat "$at_client:$1/bInterfaceClass"; }
check "two configurations, the first is set" configuration_is 1
for configuration in 2 1 2; do
	echo $configuration >"$at_client/bConfigurationValue"
	check "configuration $configuration, at both ends" configuration_is $configuration
done
check "with its interface" [ "$(class_of 2.0)" = ff ]
detach
