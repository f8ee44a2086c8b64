# SPDX-License-Identifier: GPL-2.0-or-later
#
# wifi.conf on standard input, a configuration of wpa_supplicant on standard output; bytes, so in the C locale. Exit 1
# with a message if it says no network or a wrong one. Names and passwords may be any bytes: a name goes out in hexadecimal,
# a password as the key that wpa_passphrase makes of it; wpa_supplicant takes a " and then a # within quotes amiss.

function wrong(text) {
	printf "wifi.conf: %s\n", text >"/dev/stderr"
	failed = 1
	exit 1
}

function hex(text,    i, out) {
	for (i = 1; i <= length(text); i++)
		out = out sprintf("%02x", code[substr(text, i, 1)])
	return out
}

function quoted(text) {
	gsub(/'/, "'\\''", text)
	return "'" text "'"
}

function key_of(password,    command, line, found) {
	command = "printf '%s\\n' " quoted(password) " | wpa_passphrase " quoted(name)
	while ((command | getline line) > 0)
		if (line ~ /^\tpsk=[0-9a-f]+$/)
			found = substr(line, 6)
	close(command)
	if (length(found) != 64)
		wrong("no key can be made of the password of \"" name "\"")
	return found
}

# One network is complete.
function finish() {
	if (name == "")
		return
	out = out "network={\n\tssid=" hex(name) "\n\tscan_ssid=1\n"
	if (password == "")
		out = out "\tkey_mgmt=NONE\n"
	else if (length(password) == 64 && password !~ /[^0-9A-Fa-f]/)
		out = out "\tkey_mgmt=WPA-PSK\n\tpsk=" password "\n"
	else
		out = out "\tkey_mgmt=WPA-PSK\n\tpsk=" key_of(password) "\n"
	out = out "}\n"
	networks++
	name = password = ""
}

BEGIN {
	for (i = 1; i < 256; i++)
		code[sprintf("%c", i)] = i
}

/^(\377\376|\376\377)/ { wrong("saved as \"Unicode\"; save it as UTF-8") }

/^[ \t]*([#;].*)?$/ { next }

{
	at = index($0, "=")
	if (!at)
		wrong("line " NR " is not KEY = VALUE")
	key = tolower(substr($0, 1, at - 1))
	value = substr($0, at + 1)
	gsub(/^[ \t]+|[ \t]+$/, "", key)
	gsub(/^[ \t]+|[ \t]+$/, "", value)
	if (value ~ /^".*"$/ && length(value) > 1)
		value = substr(value, 2, length(value) - 2)

	if (key == "name") {
		finish()
		if (length(value) > 32)
			wrong("line " NR ": a name has at most 32 bytes")
		name = value
	} else if (key == "password") {
		if (value != "" && (length(value) < 8 || length(value) > 64 ||
				(length(value) == 64 && value ~ /[^0-9A-Fa-f]/)))
			wrong("line " NR ": a password has 8 to 63 bytes, or is 64 hexadecimal digits")
		if (value ~ /[\001-\037\177]/)
			wrong("line " NR ": control characters in the password")
		password = value
	} else if (key == "country") {
		if (value != "" && value !~ /^[A-Za-z][A-Za-z]$/)
			wrong("line " NR ": a country is two letters, such as DE")
		country = toupper(value)
	} else {
		wrong("line " NR ": unknown key; allowed: name, password, country")
	}
}

END {
	if (failed)
		exit 1
	finish()
	if (!networks) {
		print "wifi.conf: no name in it" >"/dev/stderr"
		exit 1
	}
	print "ctrl_interface=DIR=/run/wpa_supplicant"
	if (country != "")
		print "country=" country
	printf "%s", out
}
