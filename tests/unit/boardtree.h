/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boardtree: a board's files in a temporary folder, as systems ship them or as a test wants them.
 */
#ifndef TESTS_BOARDTREE_H
#define TESTS_BOARDTREE_H

#include <stdbool.h>
#include <stddef.h>

/* Raspberry Pi OS' config.txt of Debian 12, without the longer of its comments. */
#define BOARDTREE_BOOKWORM                                                                         \
	"# For more options and information see\n# http://rptl.io/configtxt\n"                     \
	"# Some settings may impact device functionality. See link above for details\n\n"          \
	"# Uncomment some or all of these to enable the optional hardware interfaces\n"            \
	"#dtparam=i2c_arm=on\n#dtparam=i2s=on\n#dtparam=spi=on\n\n"                                \
	"# Enable audio (loads snd_bcm2835)\ndtparam=audio=on\n\n"                                 \
	"camera_auto_detect=1\ndisplay_auto_detect=1\nauto_initramfs=1\n\n"                        \
	"# Enable DRM VC4 V3D driver\ndtoverlay=vc4-kms-v3d\nmax_framebuffers=2\n\n"               \
	"disable_fw_kms_setup=1\narm_64bit=1\ndisable_overscan=1\narm_boost=1\n\n"                 \
	"[cm4]\n# Enable host mode on the 2711 built-in XHCI USB controller.\n"                    \
	"# This line should be removed if the legacy DWC2 controller is required\n"                \
	"# (e.g. for USB device mode) or if USB support is not required.\notg_mode=1\n\n[all]\n"

/* The same of Debian 13, in full. */
#define BOARDTREE_TRIXIE                                                                           \
	"# For more options and information see\n# http://rptl.io/configtxt\n"                     \
	"# Some settings may impact device functionality. See link above for details\n\n"          \
	"# Uncomment some or all of these to enable the optional hardware interfaces\n"            \
	"#dtparam=i2c_arm=on\n#dtparam=i2s=on\n#dtparam=spi=on\n\n"                                \
	"# Enable audio (loads snd_bcm2835)\ndtparam=audio=on\n\n"                                 \
	"# Additional overlays and parameters are documented\n"                                    \
	"# /boot/firmware/overlays/README\n\n"                                                     \
	"# Automatically load overlays for detected cameras\ncamera_auto_detect=1\n\n"             \
	"# Automatically load overlays for detected DSI displays\ndisplay_auto_detect=1\n\n"       \
	"# Automatically load initramfs files, if found\nauto_initramfs=1\n\n"                     \
	"# Enable DRM VC4 V3D driver\ndtoverlay=vc4-kms-v3d\nmax_framebuffers=2\n\n"               \
	"# Don't have the firmware create an initial video= setting in cmdline.txt.\n"             \
	"# Use the kernel's default instead.\ndisable_fw_kms_setup=1\n\n"                          \
	"# Disable compensation for displays with overscan\ndisable_overscan=1\n\n"                \
	"# Run as fast as firmware / board allows\narm_boost=1\n\n"                                \
	"[cm4]\n# Enable host mode on the 2711 built-in XHCI USB controller.\n"                    \
	"# This line should be removed if the legacy DWC2 controller is required\n"                \
	"# (e.g. for USB device mode) or if USB support is not required.\notg_mode=1\n\n"          \
	"[cm5]\ndtoverlay=dwc2,dr_mode=host\n\n[all]\n"

/* What Debian 12's raspi-firmware makes (z50-raspi-firmware), on armel. */
#define BOARDTREE_DEBIAN                                                                           \
	"# Do not modify this file!\n#\n"                                                          \
	"# It is automatically generated upon install or update of either the\n"                   \
	"# firmware or the Linux kernel.\n#\n"                                                     \
	"# If you need to set boot-time parameters, do so via the\n"                               \
	"# /etc/default/raspi-firmware, /etc/default/raspi-firmware-custom or\n"                   \
	"# /etc/default/raspi-extra-cmdline files.\n\nenable_uart=1\nupstream_kernel=1\n\n"        \
	"kernel=vmlinuz-6.1.0-50-rpi\n# For details on the initramfs directive, see\n"             \
	"# https://www.raspberrypi.org/forums/viewtopic.php?f=63&t=10532\n"                        \
	"initramfs initrd.img-6.1.0-50-rpi\n"

struct boardtree {
	char root[64];
};

void boardtree_make(struct boardtree *t);
void boardtree_remove(struct boardtree *t);

/* A file of the tree, with the folders that it takes. */
void boardtree_put(const struct boardtree *t, const char *path, const char *text);
void boardtree_put_bytes(const struct boardtree *t, const char *path, const void *bytes, size_t n);

/* The same for a link. */
void boardtree_link(const struct boardtree *t, const char *path, const char *target);

void boardtree_delete(const struct boardtree *t, const char *path);

/* Whether the file is there, and has exactly this text. */
bool boardtree_has(const struct boardtree *t, const char *path, const char *text);

/* All of the tree, names, modes, links and bytes, as a text to be freed, for a comparison. */
char *boardtree_list(const struct boardtree *t);

#endif
