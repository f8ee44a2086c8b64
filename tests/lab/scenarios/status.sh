# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `ip2usb status` says in each state, to whom, and that it disturbs nothing.
# timeout: 400
. "$LAB_DIR/lib.sh"

status() { "$LAB_BIN/ip2usb" status "$@"; }
field() { status --json | jq -r "$1"; }
state_is() { [ "$(field .state)" = "$1" ]; }
status_has() { field .reason | grep -q "$1"; }

# status_as GROUP: as a person of that group alone.
status_as() { setpriv --reuid nobody --regid "$1" --clear-groups "$LAB_BIN/ip2usb" status; }

# refused TEXT COMMAND...: exit code 1, with that text.
refused() {
	local code=0 text=$1 said
	shift
	said=$("$@" 2>&1) || code=$?
	echo "$said"
	[ $code -eq 1 ] && [[ $said == *"$text"* ]]
}

# It is what docs/protocol.md says, in any state.
valid() {
	status --json | jq -e '.version == 1
		and (.state | IN("connecting", "importing", "probing", "presented", "active", "holding", "backoff", "unpaired"))
		and (.since_s | type == "number") and ([.reason, .problem] | all(type == "string"))
		and (.server | (.host | type == "string") and (.port | type == "string"))
		and (.camera == null or ((.camera | [.busid, .vendor, .product, .speed, .manufacturer_name, .product_name, .serial]
			| all(type == "string"))
			and ([.server.rtt_us, .server.retransmitted] | all(type == "number"))
			and (.phone | (.udc | type == "string") and (.speed | type == "string")
				and (.configured | type == "boolean") and (.suspended | type == "boolean"))))
		and (.endpoints | all(([.remote_address, .type, .state] | all(type == "string"))
			and ([.bytes, .urbs, .errors, .in_flight] | all(type == "number"))))' >/dev/null
}

check "without a daemon it says so" refused 'does not run here' status

photos card
busid=
bridge_launch camera.id=46f4:0004
check "waiting for the server" eventually 15 state_is backoff
check "the reason is there" test -n "$(field .reason)"
check "as documented" valid

camera card
server
check "the phone has it" eventually 20 state_is active
check "as documented" valid
check "no reason any more" [ -z "$(field .reason)" ]
check "the camera" [ "$(field '.camera | "\(.busid) \(.vendor):\(.product) \(.speed)"')" = "$busid 46f4:0004 high" ]
check "the phone" [ "$(field '.phone | "\(.udc) \(.speed) \(.configured)"')" = "dummy_udc.0 high true" ]
downloads_same phone card
check "18 MB have come" [ "$(field '[.endpoints[] | select(.remote_address == "81").bytes][0] > 17900000')" = true ]
check "the address at the phone" [ "$(field '[.endpoints[].address] | all(type == "string")')" = true ]

get_all phone "$work/got" &
getting=$!
for _ in $(seq 20); do status --json >/dev/null || fail "status in a transfer"; done
wait $getting || fail "the transfer"
check "asked 20 times in a transfer: byte for byte the same" same_files "$work/got" /lab/card

status | sed 's/^/     /'
check "a person of the group plugdev may ask" status_as plugdev
check "nobody else, who is told why" refused 'only root and the group plugdev' status_as nogroup
(timeout 3 "$LAB_BIN/ip2usb" status --watch || true) >"$work/watched"
check "--watch: again and again" [ "$(grep -c '^state ' "$work/watched")" -ge 2 ]

phone_authorized 0
check "no phone" eventually 15 state_is presented
check "as documented" valid
unplug
check "no camera" eventually 20 state_is backoff
check "as documented" valid
check "the reason" eventually 20 status_has 'exports no such camera'
bridge_stop
check "the socket is gone" [ ! -e /run/ip2usb/status ]
