# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Both machines with a D-Bus and an avahi-daemon of their own.

# mdns_start NAME INTERFACE: this machine's D-Bus and avahi-daemon; the interface is all that it uses.
mdns_start() {
	mkdir -p /run/dbus
	dbus-daemon --system --nofork --nopidfile >"/out/log/dbus-$1" 2>&1 &
	eventually 20 test -S /run/dbus/system_bus_socket
	cat >"/run/avahi-$1.conf" <<-END
		[server]
		host-name=$1
		allow-interfaces=$2
	END
	# As root: the lab's folders are nobody else's.
	avahi-daemon --no-drop-root --no-chroot -f "/run/avahi-$1.conf" >"/out/log/avahi-$1" 2>&1 &
	echo $! >"/run/avahi-$1.pid"
}
mdns_is_up() { grep -q 'Server startup complete' "/out/log/avahi-$1"; }
# Says goodbye.
mdns_stop() {
	kill "$(cat "/run/avahi-$1.pid")"
	eventually 10 has_ended "$(cat "/run/avahi-$1.pid")"
}

# The same at the camera host: where these programs have their sockets is its own. What is in $work/services is
# announced there. server_mdns COMMAND...: among them.
server_mdns() { on_server nsenter -t "$(cat /run/avahi-camera-host.pid)" -m "$@"; }
server_mdns_start() {
	mkdir -p "$work/services" "$work/run-dbus" "$work/run-avahi" /run/dbus /run/avahi-daemon
	export work
	export -f mdns_start eventually ms has_ended not
	on_server unshare --mount bash -euc '
		mount --bind "$work/run-dbus" /run/dbus
		mount --bind "$work/run-avahi" /run/avahi-daemon
		mount --bind "$work/services" /etc/avahi/services
		mdns_start camera-host link1'
}
