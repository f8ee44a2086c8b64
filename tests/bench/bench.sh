# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words for benches; sourced after the lab's lib.sh. Each load is carried by turns over ip2usb, over the
# kernel's own client, and by plain TCP over the same link: the limit; and before, by a gadget alone, with no
# network at all.
#
# BENCH_LINKS: which links, see link_named; BENCH_ROUNDS: how often.
#
# A scenario makes $remote, the gadget, with the same content as QEMU's device, and leaves it unplugged;
# and it says what it carries by a word:
#
# load CLIENT	leaves its milliseconds in $took, and returns whether all bytes came that were there;
#		CLIENT is vhci, phone or direct (the gadget alone).
. "$LAB_DIR/remote.sh"

links=${BENCH_LINKS:-0ms 1ms 2.5ms 5ms 10ms 40mbit loss wifi}
rounds=${BENCH_ROUNDS:-5}
echo "bench kernel $(uname -r)"

# others_talk: 200 packets a second in each direction, until $talker is ended. netem counts a run of losses in
# packets: on a link without any others, half of all retransmissions would be lost as well, for seconds.
others_talk() {
	ping -q -i 0.005 $server_host >/dev/null &
	talker=$!
}

# link_named NAME: that link, in each direction.
talker=
link_named() {
	[ -z "$talker" ] || kill "$talker"
	talker=
	case $1 in
	0ms) link ;;
	*ms) link delay "$1" ;;
	40mbit) link delay 5ms rate 40mbit ;;
	loss) link delay 5ms loss 1% ;;
	# A frame of WiFi that is sent anew holds up those behind it, it is not overtaken. netem keeps packets in
	# order only where there is a rate, too: then none leaves before the one in front of it (netem_enqueue);
	# without, each leaves when its own delay is over. The losses are 2 % in all, by runs of two: into such
	# a run with 1 %, out of it with 49 % a packet.
	wifi) link delay 8ms 6ms rate 30mbit loss gemodel 1% 49% && others_talk ;;
	*) fail "no link $1" ;;
	esac
}

# place CLIENT: the controller where its device is plugged in.
place() {
	case $1 in
	vhci) echo vhci_hcd ;;
	phone) echo dummy_hcd.0 ;;
	direct) echo dummy_hcd.1 ;;
	esac
}

# timeouts: how often the TCP of either end has waited for an acknowledgement in vain (RFC 6298), and sent again.
timeouts() {
	{
		nstat -asz TcpExtTCPTimeouts
		on_server nstat -asz TcpExtTCPTimeouts
	} | awk '$1 == "TcpExtTCPTimeouts" { sum += $2 } END { print sum }'
}

# counted COMMAND...: how many of these fell into it is in $waited.
counted() {
	local before status=0
	before=$(timeouts)
	"$@" || status=$?
	waited=$(($(timeouts) - before))
	return $status
}

# Each leaves the milliseconds of the load in $took, and its $waited.

# Over a link that loses much gphoto2 gives up now and then, which is counted.
over_vhci() {
	local left=5
	vhci_attach
	until counted load vhci; do
		vhci_failures=$((vhci_failures + 1))
		[ $((--left)) -gt 0 ] || fail "the load fails with vhci again and again"
		vhci_detach
		vhci_attach
	done
	vhci_detach
}

over_ip2usb() {
	bridge_start
	counted load phone || fail "the load fails with ip2usb"
	bridge_stop
	# The end of the connection can get lost, too.
	eventually 20 server_free
}

over_gadget() {
	local busid # remote_plug's is another's than the server's
	remote_plug
	load direct || fail "the load fails with the gadget"
	remote_unplug
	eventually 10 usb_gone dummy_hcd.1 || fail "the gadget does not go"
}

# over_tcp: as many bytes as the load's, in one stream. The programs' start is not in $took.
over_tcp() { counted tcp "$@"; }
tcp() {
	local server
	on_server python3 -c 'import socket, sys
listener = socket.create_server(("10.9.8.1", 5001))
print("ready", flush=True)
peer = listener.accept()[0]
peer.recv(1)
peer.sendall(bytes(int(sys.argv[1])))
peer.close()' "$1" >"$work/tcp.out" &
	server=$!
	eventually 20 grep -qs ready "$work/tcp.out" || fail "no TCP server"
	took=$(python3 -c 'import socket, sys, time
peer = socket.create_connection(("10.9.8.1", 5001))
begin = time.monotonic()
peer.send(b"x")
got = 0
while part := peer.recv(1 << 20):
    got += len(part)
if got != int(sys.argv[1]):
    sys.exit(f"{got} bytes of {sys.argv[1]}")
print(round((time.monotonic() - begin) * 1000))' "$1")
	wait $server
}

# bench NAME BYTES: says "bench NAME LINK CLIENT: MILLISECONDS..." for each link and client; the gadget's link
# is "-", as it has none. And "bench NAME LINK timeouts-CLIENT: COUNT...", those of each time, and "bench NAME LINK
# failed: COUNT", how often vhci had to begin again.
bench() {
	local name=$1 bytes=$2 at round client
	local -A times waits
	for round in $(seq "$rounds"); do
		over_gadget
		times[gadget]+=" $took"
	done
	echo "bench $name - gadget:${times[gadget]}"
	link_real_packets
	for at in $links; do
		link_named "$at"
		times=()
		waits=()
		vhci_failures=0
		for round in $(seq "$rounds"); do
			for client in vhci ip2usb tcp; do
				"over_$client" "$bytes"
				times[$client]+=" $took"
				waits[$client]+=" $waited"
			done
			say "$name, $at, round $round of $rounds"
		done
		for client in vhci ip2usb tcp; do
			echo "bench $name $at $client:${times[$client]}"
			echo "bench $name $at timeouts-$client:${waits[$client]}"
		done
		echo "bench $name $at failed: $vhci_failures"
	done
	link_named 0ms
}

# ---- cameras

# As little as can be of what gphoto2 does for itself is in a load's time: neither a hexadecimal dump of all data,
# nor that all it loads comes through 9p.
gphoto2() {
	LD_PRELOAD=$LAB_TOOLS/nolog.so LD_LIBRARY_PATH=$work/gphoto2 CAMLIBS=$work/gphoto2/camlibs \
		IOLIBS=$work/gphoto2/iolibs "$work/gphoto2/gphoto2" "$@"
}

# cameras: two with what /lab/card has: the virtual still camera, as the gadget, and QEMU's, which is served. The
# gadget's copy is this machine's own: QEMU's camera reads for nothing, and 9p would be slow.
cameras() {
	mkdir "$work/source"
	cp -r /lab/card "$work/source/card"
	still_camera "$work/source"
	remote_unplug
	camera card
	server
}

# get_by_gphoto2 CLIENT: all that is on the card; its milliseconds are in $took.
get_by_gphoto2() {
	local port
	[ -d "$work/gphoto2" ] || gphoto2_into_memory
	port=$(port_at "$(place "$1")")
	rm -rf "$work/got"
	mkdir "$work/got"
	cd "$work/got"
	# Its exit status says nothing.
	took gphoto2 --quiet --port "$port" --get-all-files >"$work/gphoto2.log" 2>&1 || true
	cd "$OLDPWD"
	same_files "$work/got" "$work/source/card"
}

# read_by_mtpreader CLIENT browse|get: to $work/got; its milliseconds are in $took, and what it says is in
# $work/listing.
read_by_mtpreader() {
	local port
	port=$(port_at "$(place "$1")")
	port=${port#usb:}
	rm -rf "$work/got"
	mkdir "$work/got"
	took mtpreader "${port/,/:}" "$2" "$work/got" >"$work/listing" || return 1
}

# mtpreader's listing is that of the card, sizes and names.
same_listing() {
	(cd "$work/source/card" && stat -c '%s %n' -- *) | sort >"$work/wanted"
	grep -v ' exchanges$' "$work/listing" | sort | diff "$work/wanted" -
}

# exchanges NAME CLIENT: says "bench NAME - exchanges: COUNT", for the phone, as mtpreader counted them.
# Their number is the load's own, whatever carries it.
exchanges() {
	[ "$2" = phone ] || return 0
	sed -n "s/^\([0-9]*\) exchanges$/bench $1 - exchanges: \1/p" "$work/listing"
}
