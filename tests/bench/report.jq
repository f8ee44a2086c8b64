# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tests/bench/run makes of a guest's lines "bench LOAD LINK CLIENT: TIME..."; times are in ms.

def median: sort | .[(length - 1) / 2 | floor];
def summary: if . then {median: median, min: min, max: max} else null end;

# The median of the pairs' ratios, in per cent.
def of($other): if . and $other then [., $other] | transpose | map(.[0] * 100 / .[1]) | median | round else null end;

# "5ms" is 5; null for the links that are not a delay alone.
def delay: capture("^(?<ms>[0-9.]+)ms$") | .ms | tonumber;

# Lines, an array => {results, failed, timeouts, exchanges}
def parsed:
	map(capture("^(?<load>[^ ]+) (?<link>[^ ]+) (?<client>[^ ]+): *(?<times>.*)$")
		| .times |= (split(" ") | map(tonumber)))
	| {
		results: map(select(.client | test("^(exchanges|failed|timeouts-.*)$") | not)),
		timeouts: map(select(.client | startswith("timeouts-"))
			| {load, link, client: (.client | ltrimstr("timeouts-")), counts: .times}),
		failed: map(select(.client == "failed") | {load, link, count: .times[0]}),
		exchanges: (map(select(.client == "exchanges"))
			| group_by(.load)
			| map((map(.times[0]) | unique) as $counts
				| if $counts | length > 1 then error("\(.[0].load): exchanges are not always as many: \($counts)")
				else {key: .[0].load, value: $counts[0]} end)
			| from_entries)
	};

# {results, exchanges} => a row a load and link.
def rows:
	. as $all
	| def times($load; $link; $client):
		first($all.results[] | select(.load == $load and .link == $link and .client == $client) | .times) // null;
	# How many a transaction waits for: what the delay adds to it.
	def round_trips($load; $link; $client):
		times($load; "0ms"; $client) as $without | times($load; $link; $client) as $with
		| ($link | [delay] | first) as $ms | $all.exchanges[$load] as $count
		| if $without and $with and $count and ($ms // 0) > 0
		then (($with | median) - ($without | median)) / ($count * 2 * $ms) * 100 | round / 100
		else null end;
	$all.results[] | select(.client == "ip2usb")
	| times(.load; .link; "vhci") as $vhci | times(.load; .link; "tcp") as $tcp
	| times(.load; "-"; "gadget") as $gadget
	| {
		failed: (. as $at | first($all.failed[] | select(.load == $at.load and .link == $at.link) | .count) // 0),
		load: .load, link: .link, delay: (.link | [delay] | first),
		ip2usb: (.times | summary), vhci: ($vhci | summary), tcp: ($tcp | summary),
		gadget: ($gadget | summary),
		of_vhci: (.times | of($vhci)), of_tcp: (.times | of($tcp)), of_gadget: (.times | of($gadget)),
		round_trips: {ip2usb: round_trips(.load; .link; "ip2usb"), vhci: round_trips(.load; .link; "vhci")}
	};

# Several {rows} => one, in the order of the first that has a load, and by the link.
def joined:
	[.[].rows[]]
	| (reduce .[].load as $load ([]; if index($load) then . else . + [$load] end)) as $loads
	| unique_by(.load, .link)
	| sort_by((.load as $load | $loads | index($load)), .delay == null, .delay, .link)
	| {rows: .};

# {rows} => Markdown.
def table:
	def span: if . then "\(.median) (\(.min)-\(.max))" else "" end;
	def percent: if . then "\(.) %" else "" end;
	"| load | link | ip2usb, ms | vhci, ms | TCP, ms | gadget, ms | of vhci | of TCP | of the gadget | round trips an exchange: ip2usb / vhci |",
	"|---|---|---|---|---|---|---|---|---|---|",
	(.rows[] | "| \(.load) | \(.link) | \(.ip2usb | span) | \(.vhci | span)\(if .failed > 0 then "; \(.failed) failed" else "" end) | \(.tcp | span) | \(.gadget | span) | \(.of_vhci | percent) | \(.of_tcp | percent) | \(.of_gadget | percent) | \(if .round_trips.ip2usb then "\(.round_trips.ip2usb) / \(.round_trips.vhci)" else "" end) |");

# {rows} => a load's points for plot.gp: X LABEL, then median, minimum and maximum in s of each client. Links
# that are not a delay alone stand to the right, each after an empty line, which ends a line of the plot.
def points($load):
	[.rows[] | select(.load == $load)]
	| (map(select(.delay != null)) | sort_by(.delay)) as $delays
	| map(select(.delay == null)) as $others
	| (($delays | map(.delay) | max) // 0) as $last
	| def point($x; $name):
		"\($x) \($name) \([.ip2usb, .vhci, .tcp, .gadget] | map(.median, .min, .max | if . then . / 1000 | tostring else "NaN" end) | join(" "))";
	($delays[] | point(.delay; .delay)),
	($others | to_entries[] | .key as $i | .value | "", point(1.1 * $last + 2.2 * ($i + 1); .link));
