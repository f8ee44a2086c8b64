# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The lab itself, without ip2usb: the kernel's own client fetches a camera's files.
# timeout: 180
. "$LAB_DIR/lib.sh"

photos card
camera card
server
vhci_attach
check "list-files" vhci --list-files
check "every file is listed" [ "$(grep -c jpg "$work/check.out")" -eq "$(find /lab/card -type f | wc -l)" ]
downloads_same vhci card
vhci_detach
