# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is given up is answered by ip2usb-export as by usbipd: the same requests to both, one after the other, and no
# answer differs.
# timeout: 400
. "$LAB_DIR/lib.sh" # with usbipd's words

# races NAME: what the server answers, in /out/log/unlinkraces-NAME. The camera is free again afterwards.
rounds=${LAB_ROUNDS:-60}
races() {
	check "$1: each has its answers" timeout 150 "$LAB_DIR/unlinkraces" $server_host "$busid" "${LAB_SEED:-1}" "$rounds"
	cp "$work/check.out" "/out/log/unlinkraces-$1"
	check "$1: all of them" grep -qx "$rounds rounds" "/out/log/unlinkraces-$1"
	check "$1: the camera is free again" eventually 10 server_free
}

photos card
camera card
server
races usbipd

kill "$(server_pid)"
check "usbipd ends" eventually 5 not server_listens
server_unbind
eventually 10 usb_up pci || fail "the camera is not this machine's again"
. "$LAB_DIR/export.sh"
server_bind
server_start
eventually 10 server_listens || fail "ip2usb-export does not listen"
eventually 10 server_free || fail "the camera is not exported"
races export

check "the same answers" diff /out/log/unlinkraces-usbipd /out/log/unlinkraces-export
kill "$(server_pid)"
check "the exporter ends" eventually 5 not server_listens
