# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words for what is made of Debian's packages, once, and kept in the lab's cache; nothing is installed, and the
# machine's own apt configuration is only read.

if [ -n "${IP2USB_LAB_CACHE:-}" ]; then
	cache=$IP2USB_LAB_CACHE
elif [ -n "${XDG_CACHE_HOME:-}" ]; then
	cache=$XDG_CACHE_HOME/ip2usb-lab
elif [ "$(id -u)" -eq 0 ]; then
	cache=/var/cache/ip2usb-lab
else
	cache=$HOME/.cache/ip2usb-lab
fi

# once NAME: prints the cache's folder of this name and ends, if it is there; else $new is to be filled, then `keep`.
# A finished folder appears by rename, so whoever sees it may use it; the lock is for the makers.
once() {
	mkdir -p "$cache"
	done=$cache/$1
	[ ! -d "$done" ] || {
		echo "$done"
		exit 0
	}
	exec 9>"$done.lock"
	flock 9
	[ ! -d "$done" ] || {
		echo "$done"
		exit 0
	}
	new=$(mktemp -d "$cache/new.XXXXXX")
	trap 'rm -rf "$new"' EXIT
}
keep() {
	chmod 755 "$new"
	mv -T "$new" "$done"
	trap - EXIT
	echo "$done"
}

# Debian's mirrors as the machine knows them; backports come from the one that has bookworm.
sources() {
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Identifier: Packages' |
		awk '$3 ~ /^bookworm(-updates|-security)?$/ && $4 == "main" { print }
			$3 == "bookworm" && $4 == "main" { print $1, $2, "bookworm-backports", $4 }' |
		sort -u
}

# own_apt NAME STATUS: the options "${own[@]}" for an apt with state, cache and sources of its own, to which the
# packages in the file STATUS are installed; what `own` has before stays. Its lists are new.
own_apt() {
	local folder=$cache/$1
	mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" "$folder/none"
	own+=(-q -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts="$folder/none"
		-o Dir::State="$folder" -o Dir::State::lists="$folder/lists" -o Dir::State::status="$2"
		-o Dir::Cache="$folder/cache" -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none)
	sources >"$folder/sources.list"
	[ -s "$folder/sources.list" ] || {
		echo "this machine's apt knows no mirror of Debian bookworm"
		return 1
	}
	apt-get "${own[@]}" update
}
