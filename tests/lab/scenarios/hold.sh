# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The link is lost, and back in time: the phone keeps its camera and its session.
# timeout: 500
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"

is_back() { check "the link is back" eventually 30 has_said 'the link is back'; }
keeps() { check "the phone has seen no unplug" [ "$(phone_number)" = "$number" ]; }

whole_or_none() {
	local file
	for file in "$1"/*; do [ ! -s "$file" ] || cmp "$file" "/lab/card/${file##*/}" || return 1; done
}

# A program of the phone's that keeps its session open.
shell_start() {
	mkdir -p "$work/shell"
	mkfifo "$work/commands"
	(cd "$work/shell" && trap - ERR && exec gphoto2 --port "$(phone_port)" --shell) \
		<"$work/commands" >"$work/shell.out" 2>&1 &
	shell=$!
	exec 7>"$work/commands"
}
shell_says() { echo "$*" >&7; }
shell_ends() {
	exec 7>&-
	check "the phone's program ends well" wait $shell
	grep -i error "$work/shell.out" && fail "it met an error"
	rm "$work/commands"
}
has_got() { cmp -s "$work/shell/$1" "/lab/card/$1"; }
# gets NAME: it fetches this picture, within the time that a phone gives a camera.
gets() {
	rm -f "$work/shell/$1"
	shell_says "get $1"
	eventually 20 has_got "$1" || {
		cat "$work/shell.out"
		fail "the session does not go on: $1"
	}
}

# Handles of objects hold for a session (PIMA 15740, 3.4.1), and QEMU's camera gives others in the next;
# cameras keep them, as the virtual one does.
gphoto2_into_memory
scene
still_camera "$scene"
server
bridge_start link.hold_s=40
mkdir /lab/card
for shot in 1 2; do
	phone --capture-image >"$work/capture" 2>&1 || { cat "$work/capture"; fail "no picture is taken"; }
done
cp "$scene/1.JPG" /lab/card/DSC_0001.JPG
cp "$scene/2.JPG" /lab/card/DSC_0002.JPG
cp "$scene/2.NEF" /lab/card/DSC_0002.NEF
number=$(phone_number)
folder=$(pictures_folder)
say "the pictures are in $folder"
shell_start
shell_says "cd $folder"
gets DSC_0001.JPG

say "the connection is cut between two commands:"
mark
cut_connection
is_back
keeps
gets DSC_0002.JPG

say "the link is gone for 9 s, and the phone asks meanwhile:"
mark
link loss 100%
check "the daemon holds" eventually 15 is_state holding
rm "$work/shell/DSC_0001.JPG"
shell_says "get DSC_0001.JPG"
sleep 2
link
is_back
check "what was asked meanwhile has come" eventually 20 has_got DSC_0001.JPG
keeps
check "the daemon is active again" is_state active
shell_ends

say "the connection is cut in a transfer:"
mark
mkdir "$work/cut"
(trap - ERR && cd "$work/cut" && exec gphoto2 --port "$(phone_port)" --get-all-files) >"$work/cut.out" 2>&1 &
getting=$!
moved=$(bytes_in)
moves() { [ "$(bytes_in)" -gt $((moved + 10000000)) ]; }
check "it is under way" eventually 20 moves
cut_connection
is_back
get_all_ended
keeps
check "of its pictures none is broken that it takes for whole" whole_or_none "$work/cut"
downloads_same phone card
keeps

say "the link is gone for longer:"
link loss 100%
check "the phone sees the unplug" eventually 60 usb_gone dummy_hcd.0
link
check "the phone has the camera again within 15 s" eventually 15 usb_up dummy_hcd.0
downloads_same phone card
bridge_stop
nothing_left
