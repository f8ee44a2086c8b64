# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ip2usb-export tells what is plugged in: by mDNS, for `ip2usb discover` and for who reads the TXT record, and by its
# notices, upon which the camera is presented within 1 s of its announcement. And a client without a server's name.
# timeout: 400
# clock: instructions
LAB_SERVER=export
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/mdns.sh"
bridge_options=(-v)

txt() { avahi-browse -rpt _usbip._tcp 2>/dev/null | grep '^=;.*;camera-host.local;'; }
txt_has() { txt | grep -qF -- "\"$1\""; }
finds_it() {
	"$LAB_BIN/ip2usb" discover >"$work/out" 2>"$work/error" &&
		grep -A 1 -xF "camera-host.local  $server_host port 3240" "$work/out" | grep -q "^  $busid *46f4:0004 "
}
export_says() { grep -q -- "$1" "$export_log"; }

# What is logged when, in milliseconds; a process each time would take as long as what is to be seen.
awaits_udc() {
	local value= tries=1000
	until { read -r value </sys/kernel/config/usb_gadget/ip2usb/UDC; } 2>/dev/null && [ -n "$value" ]; do
		[ $((tries--)) -gt 0 ] || return 1
		sleep 0.02
	done
}

mkdir /lab/card
cp "$backgrounds"/nature/{Aqua,Blinds}.jpg /lab/card
network
server_mdns_start
rm -f /etc/avahi/services/*
mdns_start pi link0
check "both avahi-daemons are up" eventually 30 eval "mdns_is_up pi && mdns_is_up camera-host"
export_server=("announce = yes")
export_among=(nsenter -t "$(cat /run/avahi-camera-host.pid)" -m)
camera card
server_bind
server_start
eventually 10 server_listens || fail "the server does not listen"
check "ip2usb discover finds it by its name, with the camera" eventually 30 finds_it
check "the TXT record has the camera" eventually 10 txt_has "$busid=46f4:0004 QEMU filesharing"
check "and how many there are" txt_has devices=1

: >$bridge_log
mark
bridge_start camera.busid= camera.id=46f4:0004 link.hold_s=0
check "it has found the server of notices by itself" eventually 10 has_said 'listening to .* port 65432'
downloads_same phone card

times=()
for round in 1 2 3; do
	unplug
	check "$round: unplugged, the phone sees it" eventually 20 usb_gone dummy_hcd.0
	check "$round: it is not in the TXT record any more" eventually 10 txt_has devices=0
	mark
	eventually 30 has_said 'trying again in' || fail "it does not pause"
	: >"$export_log"
	# At another port of QEMU's.
	camera card
	server_bind
	eventually 20 export_says "$busid: .* can be imported" || fail "it is not announced"
	start=$(ms)
	awaits_udc || fail "the camera is not presented"
	times+=($(($(ms) - start)))
done
say "presented after ${times[*]} ms"
check "within 1 s, each" [ "$(printf '%s\n' "${times[@]}" | sort -n | tail -n 1)" -le 1000 ]
check "the phone has it" eventually 20 usb_up dummy_hcd.0
downloads_same phone card
bridge_stop

: >$bridge_log
bridge_start server.host=auto camera.busid= camera.id=46f4:0004
check "host = auto: it has found the server by itself" eventually 30 usb_up dummy_hcd.0
downloads_same phone card
bridge_stop

kill "$(server_pid)"
check "the exporter ends, and its announcement with it" eventually 20 eval 'not finds_it && ! txt'
