# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A smart-card reader with a card, QEMU's, at full speed, used by pcscd, pcsc_scan and OpenSC.
# timeout: 240
. "$LAB_DIR/lib.sh"

# pcscd_start NAME: with a log of that name.
pcscd_start() {
	pcscd -f >"/out/log/$1" 2>&1 &
	pcscd=$!
	eventually 10 reader_there || fail "pcscd finds no reader"
}
pcscd_stop() {
	kill $pcscd
	wait $pcscd || true
}
reader_there() { pcsc_scan -r 2>/dev/null | grep 433-Swap >/dev/null; }
card_is() { opensc-tool -l | grep "^0 *$1 .*433-Swap" >/dev/null; }
# What the card says: its ATR, its name, the answers to two APDUs (it has an applet of that name, and no
# such instruction), its objects, a certificate.
interview() {
	opensc-tool --atr
	opensc-tool --name
	opensc-tool -s 00:A4:04:00:07:A0:00:00:01:16:DB:00 -s 80:12:34:56:00
	pkcs11-tool --list-slots
	# The numbers of data objects are addresses of pkcs11-tool's memory.
	pkcs11-tool --list-objects | sed 's/object [0-9]*$/object/'
	pkcs11-tool --read-object --type cert --id 0002 | openssl x509 -inform der -noout -subject
}

# The card that libcacard plays has three certificates.
mkdir /lab/card
head -c 2048 /dev/urandom >"$work/noise"
certutil -N -d sql:/lab/card --empty-password
for n in 1 2 3; do
	certutil -S -d sql:/lab/card -x -s CN=lab$n -n lab$n -t CT,CT,CT -z "$work/noise" -g 1024 -m $n \
		>"$work/certutil" 2>&1
done
host_controller=uhci
plug usb-ccid
lsusb_keep pci
cert=cert1=lab1,cert2=lab2,cert3=lab3,db=sql:$LAB_SHARE_ON_HOST/card
monitor "device_add ccid-card-emulated,backend=certificates,$cert,bus=remote.0,id=card"
pcscd_start pcscd-camera
check "the card is there, where the reader is plugged in" eventually 10 card_is Yes
interview >"$work/camera" 2>&1
pcscd_stop

server
hide_camera
bridge_start
lsusb_same
pcscd_start pcscd
check "the phone has the reader, and the card" eventually 10 card_is Yes
interview >"$work/phone" 2>&1
check "the card says the same" diff "$work/camera" "$work/phone"
for word in 3b:7a:18 SW1=0x90 SW1=0x6D "token label *: lab1" "^subject=CN = lab2"; do
	check "$word" grep -- "$word" "$work/phone"
done
monitor "device_del card"
check "the card is taken out" eventually 10 card_is No
monitor "device_add ccid-card-emulated,backend=certificates,$cert,bus=remote.0,id=card"
check "and put back" eventually 10 card_is Yes
check "an APDU reaches it" opensc-tool -s 00:A4:04:00:07:A0:00:00:01:16:DB:00
pcscd_stop
bridge_stop
nothing_left
