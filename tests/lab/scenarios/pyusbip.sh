# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The server is pyusbip, in Python on libusb: it never answers an unlink, says errors by libusb's numbers, does not
# reset a camera, and does nothing else while a control request is at one. Or pyusbip-notify's, which is made of it, and
# says what is plugged in. Neither is packaged: LAB_PYUSBIP is the one file, in a folder that the guest sees, and
# no test is made of this without it (CMake's IP2USB_PYUSBIP).
# timeout: 600
. "$LAB_DIR/lib.sh"

[ -n "${LAB_PYUSBIP:-}" ] || skip "pyusbip is not packaged: LAB_PYUSBIP=FILE names its pyusbip.py, or usbip-notify-server.py"
[ -r "$LAB_PYUSBIP" ] || fail "no $LAB_PYUSBIP here"
python3 -c "import usb1" || fail "no python3-libusb1"
bridge_options=(-v)

announces() { grep -q NOTIFY_PORT "$LAB_PYUSBIP"; }
pyusbip_start() {
	# It listens on loopback alone, for ssh to carry it, and announces FTDI's devices. On Linux it never learns that a
	# transfer is done: usbfs says so by being writable, and it waits until it can be read. And python3-libusb1 gives
	# its functions a word more.
	sed "s/^USBIP_HOST = .*/USBIP_HOST = '$server_host'/
		s/^FILTER_VENDOR_ID = .*/FILTER_VENDOR_ID = -1/
		s/^def usb_\\(added\\|removed\\)(fd.*)/def usb_\\1(fd, events=0, *_)/
		s/loop.add_reader(/(loop.add_writer if events \\& 4 else loop.add_reader)(/
		s/loop.remove_reader(fd)/loop.remove_reader(fd), loop.remove_writer(fd)/" "$LAB_PYUSBIP" >"$work/pyusbip.py"
	(trap - ERR && exec nsenter --net=/run/netns/server python3 -u "$work/pyusbip.py") >>/out/log/pyusbip 2>&1 &
	pyusbip=$!
	eventually 60 server_listens || fail "pyusbip does not listen"
}
pyusbip_stop() {
	kill -KILL $pyusbip
	wait $pyusbip || true
}

photos card
camera card
network
# From which libusb hears of what is plugged in, in its own namespace alone.
on_server /lib/systemd/systemd-udevd --daemon >/out/log/udevd 2>&1
pyusbip_start
# Not by its port, as Linux names it: by its number on the bus.
busid=$(sed 's/-.*/-/' <<<"$busid")$(cat "$(usb_at pci)/devnum")
"$LAB_BIN/ip2usb" list $server_host >"$work/list"
check "the list has the camera" grep "^$busid .* still image" "$work/list"
: >$bridge_log
mark
# Python takes its time to begin.
bridge_start link.hold_s=60
number=$(phone_number)
took downloads_same phone card
say "$took ms"
# Of each reader that is killed 64 reads are unlinked, and of none is it said.
for _ in $(seq 20); do
	get_all_started phone "$work/cut" >/dev/null
	pkill -KILL -x gphoto2
	get_all_ended
done 2>/dev/null
check "20 readers are killed, and the phone sees no unplug" [ "$(phone_number)" = "$number" ]
check "nor is the link lost" not has_said 'the server closed'
downloads_same phone card

say "pyusbip is killed, and begun anew, and the phone waits:"
mark
pyusbip_stop
check "the link is lost" eventually 5 has_said 'the phone waits'
pyusbip_start
check "it is back, and so is the camera" eventually 60 has_said "the link is back"
check "the phone has seen no unplug" [ "$(phone_number)" = "$number" ]
downloads_same phone card

say "the camera is pulled out, and plugged in again, and has another number:"
bridge_stop
mark
# The phone's camera is on this machine as well, and shall not be there when the server is asked again.
bridge_start link.hold_s=0 camera.busid= camera.id=46f4:0004
if announces; then
	check "it listens to what is announced" eventually 10 has_said 'listening to'
fi
mark
unplug
check "the phone sees the unplug" eventually 20 usb_gone dummy_hcd.0
# By then the pauses between two attempts are as long as they get.
sleep 8
mark
check "it pauses" eventually 30 has_said 'trying again in'
camera card
check "the phone has it again" eventually 20 usb_up dummy_hcd.0
downloads_same phone card
if announces; then
	check "at once, as it was announced" has_said 'trying at once'
fi

bridge_stop
check "the phone saw the unplug" eventually 3 usb_gone dummy_hcd.0
nothing_left_here
pyusbip_stop
