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

# Whatever it is at is kept, and looked at in the end: by one file a state and moment.
samples=$work/samples
sample() {
	local file
	file=$(mktemp "$samples/XXXXXX")
	status --json >"$file"
	mv "$file" "$file.$(jq -r .state "$file").json"
}
# sampler_start: the same each time that the state is another. A process for each look would miss some.
sampler_start() {
	python3 -c 'import json, socket, sys, time
last, number = None, 0
while True:
    time.sleep(0.02)
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect("/run/ip2usb/status")
            text = s.makefile().read()
    except OSError:
        continue
    state = json.loads(text)["state"]
    if state != last:
        number += 1
        with open("%s/%d.%s.json" % (sys.argv[1], number, state), "w") as file:
            file.write(text)
    last = state' "$samples" &
	sampler=$!
}

all_valid() {
	local words=()
	for file in "$samples"/*.json; do words+=(-i "$file"); done
	say "$((${#words[@]} / 2)) samples"
	jsonschema "${words[@]}" "$LAB_DIR/../../docs/status.schema.json"
}
seen() { compgen -G "$samples/*.$1.json" >/dev/null; }

mkdir "$samples"
check "without a daemon it says so" refused 'does not run here' status

photos card
busid=
bridge_launch camera.id=46f4:0004
check "waiting for the server" eventually 15 state_is backoff
check "the reason is there" test -n "$(field .reason)"
sample

camera card
server
check "the phone has it" eventually 20 state_is active
sample
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
sample
unplug
check "no camera" eventually 20 state_is backoff
sample
check "the reason" eventually 20 status_has 'exports no such camera'
bridge_stop
check "the socket is gone" [ ! -e /run/ip2usb/status ]

# Over a slow link each state lasts for long enough to be seen.
camera card
server_bind
link delay 300ms
bridge_launch server.host=
check "no server is configured" eventually 10 state_is unpaired
sampler_start
check "it is being looked at" eventually 20 test -e "$samples/1.unpaired.json"
bridge_config
kill -HUP $bridge_pid
check "the phone has it again" eventually 60 state_is active
link loss 100%
check "no link: the phone waits" eventually 15 state_is holding
link
check "the link is back, and so is the camera" eventually 30 state_is active
kill $sampler
wait $sampler || true # that was SIGTERM
for state in unpaired connecting importing probing presented active holding backoff; do
	check "$state has been seen" seen $state
done
check "each is what docs/status.schema.json says" all_valid
bridge_stop
