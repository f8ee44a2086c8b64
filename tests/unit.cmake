# SPDX-License-Identifier: GPL-2.0-or-later
ip2usb_test(test_bytes unit/test_bytes.c MODULES bridge/bytes.c)
ip2usb_test(test_usbip_golden unit/test_usbip_golden.c MODULES bridge/bytes.c bridge/usbip.c)
ip2usb_test(test_usbip unit/test_usbip.c MODULES bridge/bytes.c bridge/usbip.c)
ip2usb_test(test_framing unit/test_framing.c MODULES bridge/framing.c)
ip2usb_test(test_framing_properties unit/test_framing_properties.c unit/ptpsession.c
	MODULES bridge/framing.c)
ip2usb_test(test_usbdesc unit/test_usbdesc.c unit/cameras.c
	MODULES gadget/usbdesc.c gadget/usbstring.c)
ip2usb_test(test_usbstring unit/test_usbstring.c unit/cameras.c
	MODULES gadget/usbdesc.c gadget/usbstring.c)
ip2usb_test(test_ffsblob unit/test_ffsblob.c unit/cameras.c unit/ffskernel.c unit/descrules.c
	MODULES gadget/usbdesc.c gadget/usbstring.c gadget/ffsblob.c)
ip2usb_test(test_ffsblob_properties
	unit/test_ffsblob_properties.c unit/cameras.c unit/ffskernel.c unit/descrules.c
	MODULES gadget/usbdesc.c gadget/usbstring.c gadget/ffsblob.c)
