# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The same as usbtest, of a device that runs at SuperSpeed.
# timeout: 300
ports=super
. "${BASH_SOURCE[0]%_super.sh}.sh"
