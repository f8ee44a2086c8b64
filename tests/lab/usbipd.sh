# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel's own server, usbip-host and usbipd; sourced at the end of lib.sh. Others have the same words.

server_start() { on_server usbipd -D; }

# server_kill SIGNAL: no program any more, and no connection of its, which the kernel would keep.
server_kill() {
	kill "-$1" "$(server_pid)"
	cut_connection
}

# server_bind, server_unbind: the server hands the camera out, and does not any more.
server_bind() {
	modprobe usbip-host
	usbip bind -b "$busid" >"$work/bind.out" 2>&1
}
server_unbind() { usbip unbind -b "$busid" >/dev/null 2>&1; }
server_bound() { test -e "/sys/bus/usb/drivers/usbip-host/$busid"; }

# It is handed out to the next client: 1 = available, 2 = used.
server_free() { [ "$(cat "/sys/bus/usb/devices/$busid/usbip_status" 2>/dev/null)" = 1 ]; }

# How often its client has had it reset, by what the server says of it (stub_rx.c).
resets() { dmesg | grep -c usb_queue_reset_device; }
