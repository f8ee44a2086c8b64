# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Trees of Debian's packages to build and to try packages in, made once and kept in the lab's cache, and words to run
# commands in a copy of one. The machine itself stays as it is. For root, in a mount namespace of its own.

packaging=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lab/debian.sh
. "$packaging/../../tests/lab/debian.sh"
# shellcheck source=configs/emulation.sh
. "$packaging/../emulation.sh"

# Count this up when what a tree holds changes by what is said here.
layout=2
# made_of: a name for what is made of standard input.
made_of() { (echo $layout && cat) | sha256sum | cut -c 1-12; }

# What the packages are to depend on, by `expected`.
depends() { awk '$2 == "depends" { print $3 }' "$packaging/expected" | sort -u | paste -s -d ,; }

# The release as it was published, without the security updates: of those Debian has some architectures later or not at
# all, and a library of several architectures has to be of one version in all. Who installs a package gets them.
release() { sources | awk '$3 ~ /^bookworm(-updates)?$/'; }

# debian WORD...: mmdebstrap into $new, for the packages' own needs only.
debian() {
	mmdebstrap --quiet --mode=root --skip=check/qemu --variant=minbase --aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-include=/usr/share/doc/*/copyright' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		"$@" bookworm "$new" - >"$new.log" 2>&1 || {
		cat "$new.log" >&2
		rm -f "$new.log"
		exit 1
	}
	rm "$new.log"
}

# Prints the tree to build in: cross compilers, what debian/control asks for, its libraries for each architecture, lintian;
# and cJSON's source, whose package has no static library.
builder() (
	local control=$packaging/../debian/control wanted host
	wanted=(build-essential debhelper cmake ninja-build scdoc lintian xz-utils
		gcc-{arm-linux-gnueabi,arm-linux-gnueabihf,aarch64-linux-gnu}
		libconfig-dev:armel) # of libusbgx, for the tarball
	for host in amd64 armel armhf arm64; do
		wanted+=("libc6-dev:$host" "pkg-config:$host")
		mapfile -t -O ${#wanted[@]} wanted < <(sed -n "s/^ *\(lib.*-dev\),\$/\1:$host/p" "$control")
	done
	once "packages-builder-$(made_of <<<"${wanted[*]}")"
	echo "package: making the tree to build in, once" >&2
	# apt and dpkg only ever run in the tree. $1 is mmdebstrap's.
	# shellcheck disable=SC2016
	{
		release
		release | sed -n 's/^deb \(.* bookworm main\)$/deb-src \1/p'
	} | debian --architectures=amd64,armel,armhf,arm64 --include="$(IFS=, && echo "${wanted[*]}")" \
		--customize-hook='chroot "$1" sh -c "mkdir /source && cd /source && apt-get source --download-only cjson"'
	keep
)

# runtime ARCHITECTURE: prints a tree of that with all that the packages depend on, which is what `expected` says.
runtime() (
	once "packages-$1-$(depends | made_of)"
	echo "package: making the tree of $1 to install in, once" >&2
	release | debian --architectures="$1" --include="systemd,udev,acl,dnsmasq-base,$(depends)"
	keep
)

# inside TREE COMMAND...: runs it as root in a copy of the tree, which is gone afterwards, without a network. $share is
# its /mnt; what it has left in the tree is in $share/left then, a file or new folder a line.
inside() {
	# shellcheck disable=SC2154 # who calls has it
	mkdir -p "$share/.copy"
	# shellcheck disable=SC2016 # the inner shell's variables
	unshare --mount --pid --net --fork --kill-child bash -euc '
		tree=$1 share=$2 copy=$2/.copy
		shift 2
		mount -t tmpfs -o mode=755 tmpfs "$copy"
		mkdir "$copy/upper" "$copy/work" "$copy/root"
		mount -t overlay -o "lowerdir=$tree,upperdir=$copy/upper,workdir=$copy/work" overlay "$copy/root"
		mount -t proc proc "$copy/root/proc"
		ip link set lo up
		mount --bind "$share" "$copy/root/mnt"
		status=0
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
			chroot "$copy/root" "$@" </dev/null || status=$?
		cd "$copy/upper"
		find . -mindepth 1 -printf "%y %P\n" | while read -r type path; do
			case $type in
			d) [ -d "$tree/$path" ] || echo "$path/" ;;
			f) [ "$(stat -c %a:%u:%g "$path")" = "$(stat -c %a:%u:%g "$tree/$path" 2>/dev/null)" ] &&
				cmp -s "$path" "$tree/$path" || echo "$path" ;;
			*) echo "$path" ;;
			esac
		done >"$share/left"
		exit $status' inside "$1" "$share" "${@:2}"
}
