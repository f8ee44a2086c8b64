# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A device that can be written to: umtprd (uMTP-Responder), on FunctionFS itself, used by libmtp's programs.
# What it refuses, and what becomes of it when a transfer is cancelled.
# timeout: 480
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"
bridge_options=(--once)

store=$work/store
remote_ffs=/run/ffs-mtp
mkdir "$store" $remote_ffs

# Without no_inotify sending 64 MiB fails after a minute, also where umtprd is plugged in.
cat >"$work/umtprd.conf" <<END
loop_on_disconnect 1
no_inotify 1
storage "$store" "store" "rw"
manufacturer "lab"
product "remote"
serial "LAB1"
interface "MTP"
usb_vendor_id 0x1d6b
usb_product_id 0x0100
usb_class 0x6
usb_subclass 0x1
usb_protocol 0x1
usb_dev_version 0x3008
usb_functionfs_mode 0x1
usb_dev_path "$remote_ffs/ep0"
usb_epin_path "$remote_ffs/ep1"
usb_epout_path "$remote_ffs/ep2"
usb_epint_path "$remote_ffs/ep3"
usb_max_packet_size 0x200
END

responder_ready() { [ -e $remote_ffs/ep3 ]; }
responder_start() {
	mount -t functionfs mtp $remote_ffs
	umtprd -conf "$work/umtprd.conf" >>/out/log/umtprd 2>&1 &
	umtprd=$!
	eventually 10 responder_ready || fail "umtprd does not start"
	remote_plug
}
responder_stop() {
	kill -KILL $umtprd
	wait $umtprd 2>/dev/null || true
	umount $remote_ffs
}

# mtp PROGRAM ARGUMENTS...: what one of libmtp's programs says, which have no exit codes to go by; without
# the progress, and without what differs from one machine, or one minute, to the next.
mtp() {
	local program=mtp-$1
	shift
	"$program" "$@" >"$work/mtp.out" 2>&1 || true
	tr '\r' '\n' <"$work/mtp.out" | sed -E '/^Progress|^$|bus .*, dev|@ bus|Device number|Bus location/d
		/FreeSpaceInBytes|resetting USB|Attempt to reset/d'
}
sent() {
	mtp sendfile "$work/$1" "$1" >"$work/said"
	check "mtp-sendfile $1" grep '^New file ID' "$work/said"
	check "the same" cmp "$work/$1" "$store/$1"
}
id_of() { mtp files | awk -v "name=$1" '/File ID:/ { id = $3 } $0 ~ "Filename: " name { print id }'; }
fetched() {
	rm -f "$work/got"
	mtp getfile "$(id_of "$1")" "$work/got" >/dev/null
	check "mtp-getfile $1: the same" cmp "$work/$1" "$work/got"
}

# interview: the device's own words about itself, and about what it does not do.
interview() {
	mtp detect
	mtp getfile 999 "$work/none"
	mtp delfile -n 999
	mtp newplaylist -i 1 -n list
}

# capture PORT: gphoto2 asked for a picture that the device cannot take. umtprd is of no use after it.
capture() {
	timeout 60 gphoto2 --port "$1" --capture-image >"$work/capture.out" 2>&1 || echo "exit $?"
	sed -E 's/usb:[0-9]+,[0-9]+/PORT/g' "$work/capture.out"
}

# A container is 12 bytes and the file: 500 and 65524 fill packets and requests exactly.
for size in 500 65524 67108864; do head -c $size /dev/urandom >"$work/f$size.bin"; done

remote_gadget 1d6b 0100
remote_function ffs.mtp
responder_start
capture "$(port_at dummy_hcd.1)" >"$work/capture.camera"
responder_stop
responder_start
lsusb_keep dummy_hcd.1
interview >"$work/camera"
server
hide_camera
bridge_start
lsusb_same
interview >"$work/phone"
check "it says of itself what it does at its own host" diff "$work/camera" "$work/phone"
check "which is not nothing" grep -q 'Device version: Rev' "$work/phone"
for refusal in "Error getting file" "Failed to delete" "Couldn't create playlist"; do
	check "refused: $refusal" grep -q "$refusal" "$work/phone"
done
for size in 500 65524 67108864; do
	took sent "f$size.bin"
	say "$took ms"
	took fetched "f$size.bin"
	say "$took ms"
done

# A transfer cancelled as the class has it, by request 0x64. umtprd 1.3.10 leaves the bus then, at its own host
# too; there a reader that is killed makes it deaf, so none is killed here.
id=$(id_of f67108864.bin)
bus_watch dummy_hcd.1
timeout 60 python3 - "$id" "$work/cut" >"$work/cancel" 2>&1 <<'END' || true
import ctypes, sys
mtp = ctypes.CDLL("libmtp.so.9")
mtp.LIBMTP_Get_First_Device.restype = ctypes.c_void_p
progress = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_void_p)
mtp.LIBMTP_Init()
device = ctypes.c_void_p(mtp.LIBMTP_Get_First_Device())
mtp.LIBMTP_Get_File_To_File(device, int(sys.argv[1]), sys.argv[2].encode(),
                            progress(lambda sent, total, user: sent > total // 4), None)
END
check "a request to cancel reaches the device" eventually 5 bus_has 'S Co:.* s 21 64 0000 0000 0006 6 = 0140'
bus_unwatch
check "as it does at its own host, it leaves, and so the phone sees it" eventually 30 usb_gone dummy_hcd.0
bridge_fails
nothing_left_here

responder_stop
responder_start
server_bind
hide_camera
bridge_start
capture "$(phone_port)" >"$work/capture.phone"
check "a picture is refused" grep -q '^exit [1-9]' "$work/capture.phone"
check "as at its own host" diff "$work/capture.camera" "$work/capture.phone"
bridge_stop
check "no gadget is left" no_gadget
