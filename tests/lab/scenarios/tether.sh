# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A phone that takes pictures with the camera, and is there when they are taken: settings, events,
# pictures as they come, and Ctrl-C in the middle of each; first where the camera is plugged in, then over
# the bridge.
# timeout: 600
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"

scene
mkdir "$work/got"

# ---- gphoto2, in the folder of what it gets

cd "$work/got"
at_port() { gphoto2 --port "$port" "$@"; }

# begin OPTIONS: in the background, to be interrupted; its words are in $work/said, as they come.
begin() {
	rm -f "$work"/got/*
	(
		trap - ERR
		exec stdbuf -oL gphoto2 --port "$port" "$@" >"$work/said" 2>&1
	) &
	begun=$!
}
said() { grep -q -- "$1" "$work/said"; }
is() { cmp "$work/got/$(basename "$1")" "$scene/$2"; }

# The n-th picture since the camera was switched on.
pictures=0
next_picture() {
	pictures=$((pictures + 1))
	jpeg=$(printf 'DSC_%04d.JPG' $pictures)
	raw=$(printf 'DSC_%04d.NEF' $pictures)
	shot=$((2 - pictures % 2))
}
press() {
	next_picture
	echo shutter >"$hands"
}

# ---- what it is used for

# setting NAME VALUE: the camera says that it is so.
setting() { at_port --get-config "$1" | grep -x "Current: $2"; }

settings() {
	check "$1: set-config" at_port --set-config iso=400
	check "$1: it is set" setting iso 400
	check "$1: and the camera has shortened the exposure" setting shutterspeed 0.0312s
	check "$1: set-config, back" at_port --set-config iso=100
	check "$1: it is set" setting iso 100
	check "$1: so is the exposure" setting shutterspeed 0.1250s
	begin --set-config iso=200
	ctrl_c "$1: set-config"
	check "$1: set-config again" at_port --set-config iso=100
	check "$1: it is set" setting iso 100
}

events() {
	begin --wait-event
	check "$1: wait-event" eventually 20 said "Waiting for events"
	echo 500f 800 >"$hands"
	check "$1: a change at the camera is told" eventually 10 said '500f changed, "iso" to "800"'
	check "$1: with what follows from it" said '500d changed, "shutterspeed" to "0.0156s"'
	ctrl_c "$1: wait-event"
	begin --wait-event
	check "$1: wait-event again" eventually 20 said "Waiting for events"
	echo 500f 100 >"$hands"
	check "$1: the change is told" eventually 10 said '500f changed, "iso" to "100"'
	check "$1: and nothing of before" not said 800
	ctrl_c "$1: wait-event"
}

some_megabytes() { find "$work/got" -name 'tmpfile*' -size +2M | grep -q .; }

tethered() {
	begin --capture-tethered
	check "$1: capture-tethered" eventually 20 said "Waiting for events"
	press
	check "$1: a picture comes when the shutter is pressed" eventually 10 said CAPTURECOMPLETE
	check "$1: byte for byte" is "$jpeg" $shot.JPG
	ctrl_c "$1: capture-tethered"

	begin --capture-tethered
	check "$1: capture-tethered again" eventually 20 said "Waiting for events"
	press
	check "$1: a RAW is coming" eventually 30 some_megabytes
	ctrl_c "$1: the RAW"
	check "$1: the JPEG before it is there" is "$jpeg" $shot.JPG
	check "$1: the RAW is not" [ ! -e "$raw" ]

	begin --capture-tethered
	check "$1: capture-tethered again" eventually 20 said "Waiting for events"
	press
	check "$1: a picture comes" eventually 10 said CAPTURECOMPLETE
	check "$1: byte for byte" is "$jpeg" $shot.JPG
	press
	check "$1: JPEG and RAW come" eventually 120 [ -e "$raw" ]
	check "$1: byte for byte" is "$jpeg" $shot.JPG
	check "$1: both byte for byte" is "$raw" $shot.NEF
	ctrl_c "$1: capture-tethered"
}

captures() {
	next_picture
	check "$1: capture-image-and-download" at_port --capture-image-and-download
	check "$1: byte for byte" is "$jpeg" $shot.JPG
	next_picture
	begin --capture-image-and-download
	check "$1: a RAW is coming" eventually 60 some_megabytes
	ctrl_c "$1: capture-image-and-download"
	next_picture
	check "$1: capture-image-and-download again" at_port --capture-image-and-download
	check "$1: byte for byte" is "$jpeg" $shot.JPG
	next_picture
}

still_camera "$scene"
port=$(port_at dummy_hcd.1)
took tethered direct
say "$took ms"
lsusb_keep dummy_hcd.1
server
bridge_start
lsusb_same
port=$(phone_port)
took tethered phone
say "$took ms"
took captures phone
say "$took ms"
took settings phone
say "$took ms"
took events phone
say "$took ms"
bridge_stop
nothing_left
