# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ip2usb-export serves the kernel's own client, vhci, with `usbip attach`: a camera, a disk, a keyboard, a
# serial converter, and loudspeakers, whose transfers are isochronous.
# timeout: 300
# clock: instructions
LAB_SERVER=export
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/disk.sh"
. "$LAB_DIR/devices.sh"

# next_device DEVICE-WITH-OPTIONS: instead of the one before.
next_device() {
	vhci_detach
	unplug
	eventually 10 usb_gone pci || fail "QEMU's device does not go"
	plug "$1"
	server_bind
	eventually 10 server_free || fail "it is not exported"
	vhci_attach
}

photos card
camera card
server
check "usbip list shows it" eventually 10 server_free
vhci_attach
downloads_same vhci card
check "another importer is refused" not usbip attach -r $server_host -b "$busid"

image=/lab/disk.img
truncate -s 16M $image
monitor "drive_add 0 if=none,id=disk,format=raw,file=$LAB_SHARE_ON_HOST/disk.img"
modprobe -a usb-storage sd_mod
next_device "usb-storage,drive=disk"
check "a disk" eventually 20 disk_there $((16 << 20)) vhci_hcd
head -c 4M /dev/urandom >"$work/random"
check "4 MiB are written, reach the disk and are read back" disk_carries $((4 << 20)) 0

modprobe -a usbhid hid-generic evdev
next_device usb-kbd
check "a keyboard" eventually 10 has_nodes 1 vhci_hcd 'input/event*'
events_watch "/dev/input/$(nodes_at vhci_hcd 'input/event*')"
monitor "sendkey a"
check "its key is heard" eventually 10 grep -q 'KEY_A.*value 1' "$work/events"
events_unwatch

modprobe ftdi_sio
head -c 300 /dev/urandom >"$work/short"
serial_wire
host_controller=uhci
next_device "usb-serial,chardev=wire,always-plugged=on"
check "a serial port" eventually 10 tty_up vhci_hcd
tty=/dev/$(tty_at vhci_hcd)
exec 5<>"$tty"
stty -F "$tty" raw -echo 115200
check "bytes to the converter" carried "$tty" "$wire" "$work/short"
check "bytes from the converter" carried "$wire" "$tty" "$work/short"
exec 5>&-

modprobe snd-usb-audio
host_controller=xhci
next_device usb-audio,audiodev=sound
check "loudspeakers" eventually 10 has_nodes 1 vhci_hcd 'sound/pcm*p'
python3 -c 'import math, sys, wave
with wave.open(sys.argv[1], "wb") as file:
    file.setparams((2, 2, 48000, 0, "NONE", ""))
    for i in range(48000 * 5):
        file.writeframes(round(20000 * math.sin(2 * math.pi * 440 * i / 48000)).to_bytes(2, "little", signed=True) * 2)
' "$work/tone.wav"
check "5 s of a tone are played" timeout 60 aplay -q -D plughw:0 "$work/tone.wav"
vhci_detach
unplug
# QEMU writes it as it plays; its header only in the end. 0.1 s at a time, but the beginning and the end.
python3 -c 'import struct, sys
data = open(sys.argv[1], "rb").read()[44:]
left = [s for s, _ in struct.iter_unpack("<hh", data[:len(data) // 4 * 4])]
first = next(i for i, s in enumerate(left) if abs(s) > 1000)
last = max(i for i, s in enumerate(left) if abs(s) > 1000)
windows = [left[at:at + 4800] for at in range(first + 4800, last - 9600, 4800)]
crossings = [sum(a < 0 <= b for a, b in zip(w, w[1:])) for w in windows]
print(len(windows), "windows, periods in each:", sorted(set(crossings)))
sys.exit(not (len(windows) >= 40 and all(43 <= c <= 45 for c in crossings)))
' /lab/sound.wav >"$work/heard" && heard=0 || heard=$?
say "$(cat "$work/heard")"
check "440 Hz throughout" [ $heard = 0 ]
kill "$(server_pid)"
check "the exporter ends" eventually 5 not server_listens
