# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Linux's own test of USB device controllers, usbtest and testusb, against the kernel's SourceSink function:
# through the bridge each test ends as it does without it.
# timeout: 300
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"

# All but 27 and 28, which measure, for minutes. Unsupported with either (95): 15, 16, 22, 23 are
# isochronous and 25, 26 want interrupt endpoints, which usbtest does not find in SourceSink.
tests="$(seq 0 26) 29"

# test_all PLACE: a line a test: its number and how it ended.
test_all() {
	local node number outcome
	node=$(usbfs_at "$1")
	for number in $tests; do
		outcome=$(testusb -D "$node" -t "$number" -c 20 -s 4096 -g 16 -v 1024 2>&1 |
			tee -a /out/log/testusb | sed -n 's/.*test [0-9]*,  *[0-9.]* secs.*/passed/p
				s/.*test [0-9]* --> \([0-9]*\).*/error-\1/p')
		echo "$number ${outcome:-unsupported}"
	done
}

# 1: bytes that tell their place in a packet, by which packets of another size are all wrong; 0: zeros.
pattern=1
[ $ports = high ] || pattern=0
remote_gadget 0525 a4a0
remote_function SourceSink.0 pattern=$pattern
remote_plug
modprobe usbtest pattern=$pattern
test_all dummy_hcd.1 >"$work/without"
lsusb_keep dummy_hcd.1
server
bridge_start
lsusb_same
test_all dummy_hcd.0 >"$work/with"
say "$(join "$work/without" "$work/with" | paste -s -d ';')"
check "22 of 28 tests are supported and pass without the bridge" [ "$(grep -c passed "$work/without")" = 22 ]
check "every test ends as it does without the bridge" diff "$work/without" "$work/with"
bridge_stop
nothing_left
