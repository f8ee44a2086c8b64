# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# systemd as the service manager of one unit, $unit_name.

units=/run/systemd/system

# systemd_start [COMMAND...]: process 1 of a namespace, by the command if there is one, with the journal, and without what
# else this machine starts. Install units before it.
systemd_start() {
	mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup
	echo 0123456789abcdef0123456789abcdef >/etc/machine-id
	printf '[Unit]\nDefaultDependencies=no\n' >$units/lab.target
	"$@" unshare --pid --fork --mount --mount-proc env -i container=lab PATH="$PATH" \
		/lib/systemd/systemd --system --unit=lab.target --log-target=journal \
		>/out/log/systemd 2>&1 &
	eventually 60 test -S /run/systemd/private || fail "no systemd"
	manager=$(pgrep -x systemd)
	eventually 60 lab_is_up || fail "systemd does not come up"
	inside systemctl start systemd-journald.service
	inside journalctl -q -f -n all -u $unit_name >/out/log/journal 2>&1 &
}

inside() { nsenter -t "$manager" -m -p "$@"; }
lab_is_up() { inside systemctl is-active -q lab.target; }
unit() { inside systemctl "$@" $unit_name; }
field() { unit show --value -p "$1"; }
field_is() { [ "$(field "$1")" = "$2" ]; }
status_has() { field StatusText | grep -q "$1"; }
journal() { inside journalctl -q -u $unit_name -o json | jq -r '"<\(.PRIORITY)>\(.MESSAGE)"'; }
journal_has() { journal | grep -q -- "$1"; }
