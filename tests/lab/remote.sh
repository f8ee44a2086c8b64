# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words for scenarios with a remote that is another gadget: the kernel's own functions, or the virtual still
# camera, on the second virtual controller; sourced after lib.sh.

# bytes HEX: as they are.
bytes() { perl -e 'print pack("H*", $ARGV[0])' "$1"; }

# remote_gadget VENDOR PRODUCT [ATTRIBUTE=VALUE...]: its folder is $remote, and it has no function yet.
remote_gadget() {
	local word
	phone_ready
	remote=/sys/kernel/config/usb_gadget/remote
	mkdir "$remote" "$remote/strings/0x409" "$remote/configs/c.1"
	echo "0x$1" >"$remote/idVendor"
	echo "0x$2" >"$remote/idProduct"
	shift 2
	for word in serialnumber=LAB1 manufacturer=lab product=remote; do
		echo "${word#*=}" >"$remote/strings/0x409/${word%%=*}"
	done
	for word; do echo "${word#*=}" >"$remote/${word%%=*}"; done
}

# remote_function NAME [ATTRIBUTE=VALUE...]: adds one of the kernel's functions: SourceSink.0. A value
# of @HEX is bytes.
remote_function() {
	local name=$1 word value
	shift
	mkdir "$remote/functions/$name"
	for word; do
		value=${word#*=}
		case $value in
		@*) bytes "${value#@}" ;;
		*) echo "$value" ;;
		esac >"$remote/functions/$name/${word%%=*}"
	done
	ln -s "$remote/functions/$name" "$remote/configs/c.1"
}

# remote_plug: into the camera's machine. Its bus id is in $busid afterwards.
remote_plug() {
	echo dummy_udc.1 >"$remote/UDC"
	eventually 20 usb_up dummy_hcd.1 || fail "the remote gadget did not appear"
	busid=$(usb_at dummy_hcd.1)
	busid=${busid##*/}
}

remote_unplug() { echo >"$remote/UDC"; }

# scene: the pictures of a virtual still camera, in $scene: by turns a JPEG, and a JPEG with a RAW of 25 MB.
scene() {
	scene=$work/scene
	mkdir "$scene"
	cp "$backgrounds/nature/Garden.jpg" "$scene/1.JPG"
	cp "$backgrounds/nature/Storm.jpg" "$scene/2.JPG"
	for _ in 1 2 3 4; do cat "$backgrounds"/nature/*.jpg; done >"$scene/2.NEF"
	truncate -s 25000000 "$scene/2.NEF"
}

# still_camera FOLDER: the virtual still camera (camera/) that takes the pictures of this folder. What is
# done to it by hand is written to $hands.
still_camera() {
	hands=$work/hands
	remote_gadget 04b0 0437
	remote_function ffs.camera
	mkdir "$work/ffs"
	mount -t functionfs camera "$work/ffs"
	still_camera_on "$1"
	remote_plug
}

# still_camera_on FOLDER: it is switched on, and can be plugged in; its process is $camera_pid. When that ends, the
# kernel unplugs it.
still_camera_on() {
	rm -f "$hands"
	: >"$work/camera.out"
	"$LAB_TOOLS/camera" "$work/ffs" "$1" "$hands" >>"$work/camera.out" 2>>/out/log/camera &
	camera_pid=$!
	eventually 10 grep -q ready "$work/camera.out" || fail "no still camera"
}

# pictures_folder: of the camera that the phone has, as gphoto2 calls it.
pictures_folder() {
	gphoto2 --port "$(phone_port)" --list-files |
		sed -n "s/^There .* file.* in folder '\(.*\)'[.:]$/\1/p" | tail -n 1
}

# gphoto2 where the virtual still camera is plugged in, as long as no server has it.
direct() { gphoto2 --quiet --port "$(port_at dummy_hcd.1)" "$@"; }
