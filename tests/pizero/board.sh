# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A Pi Zero's life with ip2usb's package: it is installed and started, waits for what is not there, presents a camera,
# loses its server and gets it back; and what its LED, ACT, shows meanwhile. Then the camera at the board's own USB port,
# and what it costs to carry its pictures.
set -u
# shellcheck source=tests/pizero/lib.sh
. ./lib.sh

eventually 20 test -e $led/trigger || fail "no ACT: $(ls /sys/class/leds)"
former=$(trigger)
ok "ACT is there, at $former; $(uname -rm), $(sed -n 's/^model name.*: //p' /proc/cpuinfo)"
watch >$changes &
virtual_camera
port=$(echo /sys/devices/platform/dummy_hcd.0/usb*/*-0:1.0/usb*-port1)
echo 1 >"$port/disable"

# Not busybox's dpkg.
PATH=/usr/sbin:/usr/bin /usr/bin/dpkg -i ip2usb.deb >/tmp/said 2>&1 || fail "the package cannot be installed: $(cat /tmp/said)"
ok "installed: $(dpkg-query -W ip2usb), $(ip2usb --version)"
config 127.0.0.1 3240
launch

shows "no server: slowly" timer 10 '^ ?-( -){3,4} ?$'
usbipd -D
shows "no camera: twice" pattern 10 '(/\.\.){3}/'
bind
shows "a camera, no phone: a blip every 2 s" timer 10 '^\.?(/\.){3,5}/?$'
echo 0 >"$port/disable"
stays_lit "a phone"
phone_sees || fail "the phone sees nothing"
ok "the phone sees $(cat "$(phone_at)/idVendor"):$(cat "$(phone_at)/idProduct")"
flickers virtual

server_kill
shows "the server is killed, the phone waits: fast" timer 4 '\.{12}'
phone_sees || fail "the phone has not waited"
eventually 20 not phone_sees || fail "the camera is not taken from the phone"
shows "no server: slowly" timer 10 '^ ?-( -){3,4} ?$'
server_boot
stays_lit "the server is started again"
phone_sees || fail "the phone does not see it again"
fetches virtual
ok "the phone fetches again: $bytes bytes"

: >/etc/ip2usb.conf
reload
shows "no server configured: three times" pattern 10 '(/\.\.\.){2}/'
# Whoever makes gadgets needs it.
umount -l /sys/kernel/config
config 127.0.0.1 3240
reload
shows "no gadget can be made: SOS" pattern 18 '/\.\.\. --- \.\.\./'
mount -t configfs configfs /sys/kernel/config
stays_lit "it can be made again" 60

kill $daemon
eventually 10 has_ended $daemon || fail "SIGTERM does not end it"
wait $daemon || fail "its exit code is $?"
trigger_is "$former" || fail "its trigger is $(trigger), not $former as before"
ok "in the end it is as it was: $former"
# From here on the emulated USB controller is busy, so time does not leap any more.
#
# Out by the board's network, to the machine outside, which hands it back to usbipd here. Its answers come when they come:
# lest time leaps meanwhile after all there is something to do.
ip address add 10.0.2.15/24 dev usb0
ip link set usb0 up
nice sh -c 'while :; do :; done' &
busy=$!
eventually 20 ip2usb list "10.0.2.2:$(cat port)" >/tmp/said 2>&1 || fail "no server by the network: $(cat /tmp/said)"
config 10.0.2.2 "$(cat port)"
launch
eventually 20 phone_sees || fail "no camera by the network"
through=$(cat /sys/class/net/usb0/statistics/rx_bytes)
fetches virtual
through=$(($(cat /sys/class/net/usb0/statistics/rx_bytes) - through))
[ $through -gt "$bytes" ] || fail "only $through bytes have come by the network"
ok "the phone fetches by the board's network: $bytes bytes, of $through there"
kill $busy $daemon
eventually 10 has_ended $daemon || fail "SIGTERM does not end it"
usbip unbind -b "$camera" >/dev/null 2>&1

# The last, because it cannot be let go: QEMU's USB controller goes on asking for what has been given up, and ends with an
# assertion when the camera is reset (README.md).
camera=1-1.1
eventually 20 configured $camera || fail "no camera at the board's USB port"
bind
config 127.0.0.1 3240
launch
stays_lit "the camera at the board's USB port"
ns=$(spent)
ticks=$(spent_itself)
flickers usb-mtp
ns=$(($(spent) - ns))
ticks=$(($(spent_itself) - ticks))
[ "$bytes" -ge 18000000 ] || fail "$bytes bytes are no 18 MB"

# 2^20 bytes, 8 ns an instruction.
a_mib=$((ns * 131072 / bytes))
[ $a_mib -le 5000000 ] || fail "a MiB costs $a_mib instructions, more than 5,000,000"
ok "a MiB has cost $a_mib instructions, the kernel's for ip2usb included; CPU $((ns / 1000000)) ms, $((ticks * 10)) of them its own"
[ "$(memory VmHWM)" -le 8192 ] || fail "$(memory VmHWM) KiB are resident, more than 8192"
ok "resident: $(memory VmRSS) KiB, $(memory VmHWM) at most"
