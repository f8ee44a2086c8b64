# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `ip2usb pair`: of two cameras that differ by their serial numbers alone it configures the one that is meant,
# asks where it can, and leaves the rest of the file as it was; `ip2usb unpair` undoes it.
# timeout: 240
. "$LAB_DIR/lib.sh"

file=$work/etc/ip2usb.conf

# exits CODE WORD...: the exit code of an ip2usb; what it says is in $work/out and $work/error.
exits() {
	local status=0 wanted=$1
	shift
	"$LAB_BIN/ip2usb" "$@" >"$work/out" 2>"$work/error" </dev/null || status=$?
	cat "$work/out" "$work/error"
	echo "exit code $status"
	[ $status -eq "$wanted" ]
}

# at_terminal TYPED WORD...: the same at a terminal; what it shows is in $work/out.
at_terminal() {
	local typed=$1 status=0
	shift
	mkdir -p /dev/pts
	mountpoint -q /dev/pts || mount -t devpts -o ptmxmode=666 devpts /dev/pts
	script -qec "$LAB_BIN/ip2usb $*" /dev/null <<<"$typed" >"$work/out" || status=$?
	sed -i 's/\r$//' "$work/out"
	cat "$work/out"
	return $status
}

file_is() { diff "$file" - <<<"$1"; }
no_temporary() { [ "$(ls -A "$work/etc")" = ip2usb.conf ]; }
both_free() {
	local device
	for device in "$first" "$second"; do busid=$device server_free || return 1; done
}
eventually_free() { check "both cameras are free" eventually 10 both_free; }

mkdir /lab/card "$work/etc"
camera card serial=LAB-1
first=$busid
monitor "device_add usb-mtp,rootdir=$LAB_SHARE_ON_HOST/card,desc=cam,serial=LAB-2,bus=ehci.0,id=other"
two() { [ "$(usb_at pci | wc -l)" -eq 2 ] && usb_configured; }
usb_configured() {
	local device
	for device in $(usb_at pci); do [ -n "$(cat "$device/bConfigurationValue")" ] || return 1; done
}
eventually 20 two || fail "no second camera"
for device in $(usb_at pci); do [ "${device##*/}" = "$first" ] || second=${device##*/}; done
check "two cameras of different serial numbers" [ \
	"$(cat "/sys/bus/usb/devices/$first/serial" "/sys/bus/usb/devices/$second/serial")" = \
	$'LAB-1\nLAB-2' ]
server
busid=$second server_bind
eventually_free

cat >"$file" <<-'END'
	; mine
	[server]
	host = nowhere ; where the camera was
	port = 9

	[gadget]
	udc = dummy_udc.0 ; the phone's

	[camera]
	; which one
	busid = 9-9
END
chmod 640 "$file"
chown daemon:games "$file"
cp -p "$file" "$work/before"

check "several, and nobody to ask: exit code 4" exits 4 pair $server_host -c "$file"
check "what there is: the first" grep -E "$first +46f4:0004 .*QEMU" "$work/error"
check "what there is: the second" grep -E "$second +46f4:0004 .*QEMU" "$work/error"
check "and what to do" grep -F "ip2usb pair $server_host " "$work/error"
check "by VID:PID: still several" exits 4 pair $server_host 46f4:0004 -c "$file"
check "another VID:PID: exit code 3" exits 3 pair $server_host 46f4:0005 -c "$file"
check "another bus id: exit code 3" exits 3 pair $server_host 9-9 -c "$file"
check "no server: exit code 1" exits 1 pair $server_host:9 -c "$file"
check "no device: exit code 2" exits 2 pair $server_host 1/1 -c "$file"
check "the file is as it was" cmp "$file" "$work/before"

check "by bus id" exits 0 pair $server_host "$second" -c "$file"
check "it says whom it has found" grep -F "$second: 46f4:0004" "$work/out"
check "the file has it, and all else of before" file_is '; mine
[server]
host = 10.9.8.1 ; where the camera was

[gadget]
udc = dummy_udc.0 ; the phone'\''s

[camera]
; which one
id = 46f4:0004
serial = LAB-2'
check "its mode and owner are as they were" \
	[ "$(stat -c '%a %U %G' "$file")" = "$(stat -c '%a %U %G' "$work/before")" ]
check "nothing else is in its folder" no_temporary

eventually_free
phone_ready
check "check -c FILE: that one" exits 0 check -c "$file"
check "and no other" grep -q "^camera   $second: " "$work/out"

for number in 2 1; do
	eventually_free
	check "asked at a terminal: $number" at_terminal $number pair $server_host -c "$file"
	check "it has shown a list" grep -E "^ +2  [0-9.-]+ +46f4:0004 .*QEMU" "$work/out"
	chosen=$(sed -nE "s/^ +$number  ([0-9.-]+) .*/\\1/p" "$work/out")
	check "and takes that one" grep -q "paired with $chosen: " "$work/out"
	serial=$(cat "/sys/bus/usb/devices/$chosen/serial")
	check "the file has its serial number" grep -qx "serial = $serial" "$file"
done
eventually_free

ln -s "$file" "$work/link"
check "through a link" exits 0 pair $server_host "$first" -c "$work/link"
check "which stays one" [ -L "$work/link" ]
check "to the file" grep -qx "serial = LAB-1" "$file"
eventually_free

check "unpair" exits 0 unpair -c "$file"
check "the rest of the file is there" file_is '; mine
[server]

[gadget]
udc = dummy_udc.0 ; the phone'\''s

[camera]
; which one'
check "run --once: exit code 2" exits 2 run --once -c "$file"
check "and the remedy" grep -F "ip2usb pair" "$work/error"
check "unpair again" exits 0 unpair -c "$file"

rm "$file"
check "unpair without a file: exit code 2" exits 2 unpair -c "$file"
check "pair makes one" exits 0 pair $server_host "$first" -c "$file"
check "of two sections" file_is '[server]
host = 10.9.8.1

[camera]
id = 46f4:0004
serial = LAB-1'
check "nothing else is in its folder" no_temporary
eventually_free
