# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `ip2usb check`: what it says of cameras that can be presented, that lose something, and that cannot,
# without binding anything; and `ip2usb run` agrees.
# timeout: 240
. "$LAB_DIR/lib.sh"
. "$LAB_DIR/remote.sh"
bridge_options=(--once)

# checks EXIT-CODE [OPTION...]: its exit code; what it prints is in $work/out and $work/error.
checks() {
	local status=0 wanted=$1
	shift
	"$LAB_BIN/ip2usb" check -c "$work/ip2usb.conf" "$@" >"$work/out" 2>"$work/error" || status=$?
	cat "$work/out" "$work/error"
	echo "exit code $status"
	[ $status -eq "$wanted" ]
}

# says WORD...: a line of it begins with the first word and has the others.
says() {
	local line
	line=$(grep "^$1 " "$work/out") || return 1
	shift
	for word; do
		line=$(grep -F -- "$word" <<<"$line") || return 1
	done
}

# refuses WORD...: exit code 5, and a line "refused" has the words.
refuses() {
	checks 5 && says refused "$@" && [ "$(tail -n 1 "$work/out")" = "verdict  the camera cannot be presented" ]
}

# run_refuses REASON [SECTION.KEY=VALUE...]: so does `run`.
run_refuses() {
	local reason=$1
	shift
	check "the device is free again" eventually 5 server_free
	bridge_launch "$@"
	bridge_wait 30 || fail "ip2usb run goes on"
	check "run: exit code 5" [ "$bridge_status" -eq 5 ]
	check "and the reason: $reason" grep -q "^error: the camera cannot be presented: $reason" $bridge_log
}

# presents: exit code 0, and no line "refused".
presents() {
	checks 0 && not says refused && [ "$(tail -n 1 "$work/out")" = "verdict  the camera can be presented" ]
}

# remote FUNCTION...: the remote is a gadget of these, instead of what it was, and is exported.
remote() {
	local function
	if [ -n "${remote:-}" ]; then
		remote_unplug
		eventually 10 usb_gone dummy_hcd.1 || fail "the remote gadget is still there"
		find "$remote/configs/c.1" -type l -delete
	else
		remote_gadget 1d6b 0104
		echo 500 >"$remote/configs/c.1/MaxPower"
	fi
	for function; do
		if [ -d "$remote/functions/$function" ]; then
			ln -s "$remote/functions/$function" "$remote/configs/c.1"
		else
			remote_function "$function"
		fi
	done
	remote_plug
	server_bind
	bridge_config
}

mkdir /lab/card
camera card
server

bridge_config gadget.udc=auto
check "without a UDC it is refused" refuses "no UDC"
check "and all else said" says lost "remote wake-up"
check "the camera is free again" eventually 5 server_free
phone_ready

bridge_config
check "a camera can be presented" presents
check "what it is" says camera "$busid" 46f4:0004 "high speed"
check "its interface" grep -qF \
	"interface 0: still image (06/01/01): 0x81 bulk, 0x02 bulk, 0x83 interrupt" "$work/out"
check "the port" says port dummy_udc.0 "(dummy_udc)" "high speed"
check "what is lost" says lost "remote wake-up"
check "nothing was bound" no_gadget
check "the camera is free again" eventually 5 server_free
check "--json" checks 0 --json
# shellcheck disable=SC2016
check "has it all" jq -e --arg busid "$busid" '.presentable and .camera.busid == $busid and
	.board[0].about == "board" and .camera.vendor == "46f4" and .udc.name == "dummy_udc.0" and
	(.findings | any(.severity == "lost" and (.text | contains("remote wake-up"))))' "$work/out"
check "the camera is free again" eventually 5 server_free

bridge_start
check "while another ip2usb presents the camera: exit code 3" checks 3
check "it says so" grep -qF "another ip2usb is running" "$work/error"
check "and does not disturb it" bridge_runs
bridge_stop
nothing_left

bridge_config camera.busid=9-9
check "no such camera: exit code 3" checks 3
bridge_config server.port=9
check "no server: exit code 1" checks 1
check "an argument: exit code 2" checks 2 now

remote acm.0
check "a modem is refused" refuses "none of its interfaces" "class descriptors"
check "as hosts do not find it" says lost "interface 0 (communications)" "class descriptors"
check "nor its data interface" says lost "interface 1 (CDC data)" "interface 0"
check "the phone would be told 500 mA" says note "500 mA"
run_refuses "none of its interfaces" gadget.max_power_ma=20
check "what is lost is a warning" grep -q "^warning: lost: interface 0 (communications)" $bridge_log
check "20 mA are not worth a note" not grep "mA" $bridge_log
check "no gadget is left" no_gadget
check "the modem is free again" eventually 5 server_free

remote ncm.0
check "a network card is refused" refuses "class descriptors" "alternate settings"
check "as its data interface is empty" says lost "interface 1 (CDC data)" "0 has no endpoints"

remote acm.0 Loopback.0
check "a modem with something else can be presented" presents
check "without the modem" says lost "interface 0 (communications)" "class descriptors"
check "with the rest" not says lost "interface 2"
modprobe cdc-acm
bridge_start
check "what is lost is a warning" [ "$(grep -c "^warning: lost: interface 0" $bridge_log)" -eq 2 ]
check "the phone has three interfaces" \
	[ "$(cat "$(usb_at dummy_hcd.0)/bNumInterfaces")" -eq 3 ]
device=$(usb_at dummy_hcd.0)
dmesg >"$work/dmesg"
check "and indeed finds no modem" grep -q \
	"cdc_acm ${device##*/}:1.0: Zero length descriptor references" "$work/dmesg"
bridge_stop
nothing_left

bridge_config gadget.udc=dummy_udc.1
check "a UDC that another gadget has is refused" refuses "UDC dummy_udc.1 is taken by the gadget"
run_refuses "UDC dummy_udc.1 is taken by the gadget" gadget.udc=dummy_udc.1
run_refuses "there is no UDC none here" gadget.udc=none
