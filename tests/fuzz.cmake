# SPDX-License-Identifier: GPL-2.0-or-later
ip2usb_fuzz(fuzz_usbip MODULES bridge/bytes.c bridge/usbip.c)
ip2usb_fuzz(fuzz_usbdesc MODULES gadget/usbdesc.c gadget/usbstring.c gadget/ffsblob.c
	tests/unit/ffskernel.c tests/unit/descrules.c)
ip2usb_fuzz(fuzz_framing MODULES bridge/framing.c)
