# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words for benches; sourced after the lab's lib.sh. Each load is carried by turns over ip2usb, over the
# kernel's own client, and by plain TCP over the same link: the limit.
#
# BENCH_LINKS: which links, see link_named; BENCH_ROUNDS: how often.

links=${BENCH_LINKS:-0ms 1ms 2.5ms 5ms 10ms 40mbit loss wifi}
rounds=${BENCH_ROUNDS:-5}

# link_named NAME: that link, in each direction.
link_named() {
	case $1 in
	0ms) link ;;
	*ms) link delay "$1" ;;
	40mbit) link delay 5ms rate 40mbit ;;
	loss) link delay 5ms loss 1% ;;
	wifi) link delay 8ms 6ms rate 30mbit loss gemodel 1% 50% ;;
	*) fail "no link $1" ;;
	esac
}

# Each leaves the milliseconds of the load in $took. `load CLIENT` is the scenario's, CLIENT vhci or phone.
over_vhci() {
	vhci_attach
	took load vhci
	vhci_detach
}

over_bridge() {
	bridge_start
	took load phone
	bridge_stop
	eventually 3 server_free
}

# over_tcp: as many bytes as the load's, in one stream. The programs' start is not in it.
over_tcp() {
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
	took=$(python3 -c 'import socket, time
peer = socket.create_connection(("10.9.8.1", 5001))
begin = time.monotonic()
peer.send(b"x")
while peer.recv(1 << 20):
    pass
print(round((time.monotonic() - begin) * 1000))')
	wait $server
}

# bench NAME BYTES: says "bench NAME LINK CLIENT: MILLISECONDS..." for each link and client.
bench() {
	local name=$1 bytes=$2 at round client
	local -A times
	link_real_packets
	for at in $links; do
		link_named "$at"
		times=()
		for round in $(seq "$rounds"); do
			for client in vhci bridge tcp; do
				"over_$client" "$bytes"
				times[$client]+=" $took"
			done
			say "$name, $at, round $round of $rounds"
		done
		for client in vhci bridge tcp; do echo "bench $name $at $client:${times[$client]}"; done
	done
}
