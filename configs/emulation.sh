# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Another architecture's programs, run by this machine. For root. To be sourced after tests/lab/debian.sh.

# Prints a folder with QEMU's emulators that need nothing of the tree that they run in. Their package is not installed:
# it conflicts with the other kind.
emulators() (
	once qemu-user-static-layout1
	# shellcheck disable=SC2154 # once sets it
	cp /var/lib/dpkg/status "$new/status"
	own=()
	{ own_apt apt "$new/status" && cd "$new" && apt-get "${own[@]}" download qemu-user-static; } >"$new/log" 2>&1 || {
		cat "$new/log" >&2
		exit 1
	}
	dpkg-deb -x "$new"/*.deb "$new"
	rm "$new"/*.deb "$new/status" "$new/log"
	keep
)

# emulate ARCHITECTURE: has this machine's kernel run that one's programs, until `emulate_no_more`. With the flag F, by
# which the kernel itself opens the emulator: there is none in the tree. As a name of our own: others' stay.
emulate() {
	local cpu qemu
	case $1 in
	amd64) return ;;
	arm64) cpu=aarch64 ;;
	*) cpu=arm ;;
	esac
	qemu=$(emulators)
	emulation=/proc/sys/fs/binfmt_misc/ip2usb-$cpu-$$
	[ -e /proc/sys/fs/binfmt_misc/register ] || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
	sed "s|^:[^:]*:|:${emulation##*/}:|; s|:[^:]*:[A-Z]*\$|:$qemu/usr/bin/qemu-$cpu-static:PF|" \
		"$qemu/usr/lib/binfmt.d/qemu-$cpu.conf" >/proc/sys/fs/binfmt_misc/register
}
emulate_no_more() { [ ! -e "${emulation:-}" ] || echo -1 >"$emulation"; }
