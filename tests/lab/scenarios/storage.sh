# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A disk: QEMU's usb-storage, which STALLs what is asked before its time, used by the phone's kernel,
# and unplugged while that writes.
# timeout: 240
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/disk.sh"
bridge_options=(--once)

# The image is QEMU's, on the host, so it shows what has reached the disk.
image=/lab/disk.img

truncate -s 64M $image
monitor "drive_add 0 if=none,id=disk,format=raw,file=$LAB_SHARE_ON_HOST/disk.img"
plug "usb-storage,drive=disk,removable=on,serial=LAB1"
lsusb_keep pci
server
bridge_start
lsusb_same
modprobe -a usb-storage sd_mod ext4
check "the phone's kernel finds a disk of 64 MiB" eventually 20 disk_there $((64 << 20))

head -c 8M /dev/urandom >"$work/random"
check "8 MiB are written, reach the disk and are read back" disk_carries $((8 << 20)) 0
check "512 bytes of them are read" dd if="$disk" of="$work/back" bs=512 skip=3 count=1 iflag=direct status=none
check "byte for byte" cmp -i $((3 * 512)):0 -n 512 "$work/random" "$work/back"

photos photos
mkdir "$work/mnt"
check "mkfs" mkfs.ext4 -q "$disk"
check "mount" mount "$disk" "$work/mnt"
cp /lab/photos/* "$work/mnt"
check "umount" umount "$work/mnt"
echo 3 >/proc/sys/vm/drop_caches
check "mount again" mount "$disk" "$work/mnt"
check "the files are the same" diff -rq -x lost+found /lab/photos "$work/mnt"
check "umount again" umount "$work/mnt"
check "fsck" fsck.ext4 -fn "$disk"

disk_undisturbed
lost_in_a_write unplug
