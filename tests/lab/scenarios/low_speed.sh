# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A low-speed device, the kernel's HID function, which the phone sees at full speed. Reports both ways.
. "$LAB_DIR/lib.sh"

hidraw_at() {
	local node
	for node in /sys/class/hidraw/*; do
		case $(readlink -f "$node") in
		*/"$1"*) echo "/dev/${node##*/}" ;;
		esac
	done
}
phone_has_hid() { [ -n "$(hidraw_at dummy_hcd.0)" ]; }

modprobe -a usbhid hid-generic usb_f_hid
remote_gadget 1209 0001 max_speed=low-speed
# 8 bytes in, 1 byte out, of a vendor's.
mkdir "$remote/functions/hid.0"
printf '\x06\x00\xff\x09\x01\xa1\x01\x15\x00\x26\xff\x00\x75\x08\x95\x08\x09\x01\x81\x02\x95\x01\x09\x01\x91\x02\xc0' \
	>"$remote/functions/hid.0/report_desc"
echo 8 >"$remote/functions/hid.0/report_length"
# The reports of the host come by SET_REPORT: there is no OUT endpoint.
echo 1 >"$remote/functions/hid.0/no_out_endpoint"
ln -s "$remote/functions/hid.0" "$remote/configs/c.1"
remote_plug
lsusb_keep dummy_hcd.1
server
bridge_start
lsusb_same
check "the device runs at low speed" [ "$(cat "$(usb_at dummy_hcd.1)/speed")" = 1.5 ]
check "the phone at full speed" [ "$(cat "$(usb_at dummy_hcd.0)/speed")" = 12 ]
check "the phone has a HID device" eventually 10 phone_has_hid
hidraw=$(hidraw_at dummy_hcd.0)
check "the report descriptor is the same" \
	cmp "$remote/functions/hid.0/report_desc" "/sys/class/hidraw/${hidraw##*/}/device/report_descriptor"

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
