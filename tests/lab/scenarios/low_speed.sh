# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A low-speed device, the kernel's HID function, which the phone sees at full speed. Reports both ways.
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"
. "$LAB_DIR/devices.sh"

modprobe -a usbhid hid-generic
remote_gadget 1209 0001 max_speed=low-speed
# 8 bytes in, 1 byte out, of a vendor's. The reports of the host come by SET_REPORT: there is no OUT endpoint.
remote_function hid.0 report_length=8 no_out_endpoint=1 \
	report_desc=@0600ff0901a101150026ff007508950809018102950109019102c0
remote_plug
lsusb_keep dummy_hcd.1
server
bridge_start
lsusb_same
check "the device runs at low speed" [ "$(speed_at dummy_hcd.1)" = 1.5 ]
check "the phone at full speed" [ "$(speed_at dummy_hcd.0)" = 12 ]
check "the phone has a HID device" eventually 10 has_nodes 1 dummy_hcd.0 'hidraw/*'
report_descriptor dummy_hcd.0 >"$work/report_desc"
check "the report descriptor is the same" cmp "$remote/functions/hid.0/report_desc" "$work/report_desc"

hidraw=/dev/$(nodes_at dummy_hcd.0 'hidraw/*')
exec 4<"$hidraw"
sleep 0.5
for word in tidbits keyhole; do
	printf '%s.' "$word" >/dev/hidg0
	check "a report of the device's" [ "$(timeout 10 dd bs=8 count=1 <&4 2>/dev/null)" = "$word." ]
done
printf '\0A' >"$hidraw"
check "a report of the phone's" [ "$(timeout 10 dd if=/dev/hidg0 bs=1 count=1 2>/dev/null)" = A ]
exec 4<&-
bridge_stop
nothing_left
