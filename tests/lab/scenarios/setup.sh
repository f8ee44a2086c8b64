# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `ip2usb setup` and the board's part of `ip2usb check` on a kernel that runs: WiFi (mac80211_hwsim) that saves power, a
# port that another gadget has, a kernel without configfs mounted; and that --undo leaves nothing.
. "$LAB_DIR/lib.sh"

ip2usb() { "$LAB_BIN/ip2usb" "$@"; }
# finds LINE...: the board's part of check has lines that begin so; no server is configured, which is exit code 2.
finds() {
	local status=0 line
	ip2usb check -c "$work/conf" >"$work/out" 2>"$work/error" || status=$?
	cat "$work/out" "$work/error"
	[ $status -eq 2 ] || return 1
	for line; do
		grep -q "^$line" "$work/out" || return 1
	done
}
saves() { [ "$(iw dev wlan0 get power_save)" = "Power save: $1" ]; }
made() { find /etc /usr/lib/systemd/system -newer "$work/before" -path '*ip2usb*' | sort; }

modprobe mac80211_hwsim radios=1 || skip "no mac80211_hwsim"
command -v iw >/dev/null || skip "no iw"
eventually 5 test -e /sys/class/net/wlan0 || fail "no wlan0"
printf '[gadget]\nudc = dummy_udc.0\n' >"$work/conf"

check "no port" finds "problem  port: this machine has no USB device port (UDC)"
check "no server is needed for that" grep -q "\[server\] host is missing" "$work/error"
check "as JSON" sh -c "$LAB_BIN/ip2usb check --json -c '$work/conf' 2>/dev/null | jq -e '
	.board[0].about == \"board\" and (.board | any(.about == \"port\" and .severity == \"problem\")) and
	(has(\"camera\") | not)'"
phone_ready
check "a port" finds "board    "
check "nothing is wrong with it" not grep -E "^(problem|warning)  (port|kernel)" "$work/out"

other=/sys/kernel/config/usb_gadget/other
mkdir -p $other/configs/c.1 $other/functions/acm.0
ln -s $other/functions/acm.0 $other/configs/c.1
echo dummy_udc.0 >$other/UDC
check "another gadget has it" finds "problem  port: dummy_udc.0 is taken by another gadget, other"
echo >$other/UDC
umount /sys/kernel/config
check "configfs is not mounted" finds "problem  kernel: configfs is not mounted"
mount -t configfs none /sys/kernel/config

iw dev wlan0 set power_save off
finds || fail "check fails"
check "WiFi that does not save power is not named" not grep -q WiFi "$work/out"
iw dev wlan0 set power_save on
check "one that does is" finds "warning  WiFi: wlan0 saves power"

# As a package has it.
printf '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=usb-gadget.target\n' >/usr/lib/systemd/system/ip2usb.service
mkdir -p /usr/lib/modules-load.d
cp "$LAB_DIR/../../configs/modules-load.conf" /usr/lib/modules-load.d/ip2usb.conf
check "it is not enabled" finds "note     service: ip2usb is not started at boot"
touch "$work/before"
sleep 0.1
check "nobody is there to say yes" not ip2usb setup
check "nothing has been made" [ -z "$(made)" ]
check "and it saves power" saves on
ip2usb setup --yes >"$work/out" || fail "setup fails"
cat "$work/out"
check "it says that power saving is to end" grep -q "^wlan0: power saving goes from on to off" "$work/out"
check "and the rule that ends it at each boot" grep -q "^/etc/udev/rules.d/90-ip2usb-wifi.rules (new)" "$work/out"
check "WiFi does not save power" saves off
check "check finds nothing of it" finds "board    "
check "neither WiFi nor service" not grep -E "WiFi|service" "$work/out"
systemctl --root=/ is-enabled ip2usb.service || fail "systemd does not find it enabled"
ip2usb setup >"$work/out" || fail "setup fails when there is nothing to change"
check "again: nothing to change" grep -q "there is nothing to change" "$work/out"
check "undone" ip2usb setup --undo --yes
check "nothing is left" [ -z "$(made)" ]

# A boot partition is a FAT. The plug is pulled when setup has said that it is done, before the kernel writes by itself.
modprobe -a loop vfat
tree=$work/tree
boot=$tree/boot/firmware
mkdir -p "$boot" "$tree/etc/modules-load.d" "$work/pulled"
truncate -s 40M "$work/card"
mkfs.vfat "$work/card" >/dev/null
mount -o loop "$work/card" "$boot"
seq 1000 >"$boot/config.txt"
sync
echo 0 >/proc/sys/vm/dirty_writeback_centisecs
# The leak sanitizer looks for /proc, which is not in the tree.
check "setup on a FAT" env ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" "$LAB_BIN/ip2usb" setup --yes --root "$tree"
cp "$work/card" "$work/pulled.card"
mount -o loop,ro "$work/pulled.card" "$work/pulled"
check "the plug pulled then" cmp "$boot/config.txt" "$work/pulled/config.txt"
