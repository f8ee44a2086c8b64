# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ip2usb-export as it is installed: by systemd, as its own user in its sandbox, with access by the udev rule, started by
# its socket; and what becomes of it when it is killed, is wrongly configured, and stopped.
# timeout: 400
LAB_SERVER=export
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/systemd.sh"

configs=$LAB_DIR/../../configs
unit_name=ip2usb-export.service

installed() {
	install -m 755 "$LAB_BIN/ip2usb-export" /usr/local/bin/
	mkdir -p $units/$unit_name.d
	sed 's,@CMAKE_INSTALL_FULL_BINDIR@,/usr/local/bin,' "$configs/$unit_name" >$units/$unit_name
	printf '[Unit]\nDefaultDependencies=no\n' >$units/$unit_name.d/lab.conf
	cp "$configs/ip2usb-export.socket" $units
	mkdir -p $units/ip2usb-export.socket.d
	cp $units/$unit_name.d/lab.conf $units/ip2usb-export.socket.d
	systemd-sysusers "$configs/ip2usb-export.sysusers"
}
runs_as() { [ "$(ps -o user:20= -p "$(pidof ip2usb-export)")" = "$1" ]; }
open_to() { getfacl -cp "$(usbfs_at pci)" | grep -x "group:$1:rw-"; }
# A killed one's port stays the socket's.
restarted() {
	local restarts
	restarts=$(field NRestarts)
	kill "-$2" "$(pidof ip2usb-export)"
	check "$1: the phone sees an unplug" eventually 60 usb_gone dummy_hcd.0
	check "$1: it is started again" eventually 60 field_is NRestarts $((restarts + 1))
	check "$1: the phone has the camera again" eventually 60 usb_up dummy_hcd.0
}

photos card
network
udev_start
cp "$configs/70-ip2usb-export.rules" /usr/lib/udev/rules.d/
cp "$work/rules/50-udev-default.rules" /usr/lib/udev/rules.d/
installed
udevadm control --reload
camera card
check "the udev rule gives the camera to its group" eventually 10 open_to ip2usb-export

printf '[server]\nannounce = no\n' >/etc/ip2usb-export.conf
systemd_start on_server
check "its socket alone" inside systemctl start ip2usb-export.socket
check "systemd listens" server_listens
check "it does not run yet" not pidof ip2usb-export
check "who asks has it started, and is answered" eventually 20 is_listed $server_host
check "it is not root" runs_as ip2usb-export
check "it is ready, as it has told" eventually 10 field_is ActiveState active
bridge_start link.hold_s=0
downloads_same phone card
say "its cgroup: $(field MemoryCurrent) bytes"

check "reloaded" unit reload
check "it runs on" field_is SubState running
check "and its importer has noticed nothing" usb_up dummy_hcd.0
sed -i 's/announce/anounce/' /etc/ip2usb-export.conf
check "reloaded with a wrong configuration" unit reload
check "the journal says why nothing changed" eventually 5 journal_has "unknown key 'anounce'"
sed -i 's/anounce/announce/' /etc/ip2usb-export.conf
restarted "SIGKILL" KILL
downloads_same phone card

check "stopped" inside systemctl stop ip2usb-export.socket $unit_name
check "it ended by itself" field_is Result success
check "nothing listens" not server_listens
check "the phone sees an unplug" eventually 20 usb_gone dummy_hcd.0
bridge_stop

sed -i 's/announce/anounce/' /etc/ip2usb-export.conf
check "a wrong configuration is no start" not unit start
check "nor another attempt" field_is SubState failed
