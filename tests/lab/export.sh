# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ip2usb-export, for LAB_SERVER=export: the words of usbipd.sh.

export_conf=$work/ip2usb-export.conf
export_log=/out/log/ip2usb-export
exported=$work/exported # a bus id a line
export_server=("announce = no")
# In a mount namespace of its own, for hide_camera; without FunctionFS, which would be mounted there for ever.
# shellcheck disable=SC2016 # for that sh
export_among=(unshare --mount sh -c 'umount -a -t functionfs; exec "$@"' sh)

# libusb hears of what is plugged in from udevd, where that runs in its network namespace. None of its rules: they
# would load the phone's drivers, and the like.
udev_start() {
	[ -z "${udev_started:-}" ] || return 0
	udev_started=1
	mkdir -p "$work/rules"
	mount --bind /usr/lib/udev/rules.d "$work/rules"
	mount -t tmpfs none /usr/lib/udev/rules.d
	on_server /lib/systemd/systemd-udevd --daemon
	eventually 10 test -S /run/udev/control || fail "no udevd"
}

export_configure() {
	{
		echo "[server]"
		printf '%s\n' "${export_server[@]}"
		echo "[export]"
		# The phone's twin is another camera of this machine.
		echo "deny = port ${phone_bus:-99}-*"
		sed 's/^/allow = port /' "$exported"
		[ -s "$exported" ] || echo "deny = any"
	} >"$export_conf"
	chmod 600 "$export_conf"
	[ -z "$(server_pid)" ] || kill -HUP "$(server_pid)"
}

touch "$exported"
server_bind() {
	grep -qxF "$busid" "$exported" || echo "$busid" >>"$exported"
	export_configure
}
server_unbind() {
	grep -vxF "$busid" "$exported" >"$exported.new" || true
	mv "$exported.new" "$exported"
	export_configure
}
server_bound() { grep -qxF "$busid" "$exported"; }

server_start() {
	udev_start
	on_server "${export_among[@]}" "$LAB_BIN/ip2usb-export" run -v -c "$export_conf" 2>>$export_log &
}

server_kill() {
	kill "-$1" "$(server_pid)"
	eventually 15 not server_listens
}

server_free() { is_listed $server_host; }

resets() { dmesg | grep -c "usb $busid: reset .* USB device number"; }
