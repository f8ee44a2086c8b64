# SPDX-License-Identifier: GPL-2.0-or-later
# The package that packages-armel has made, in the emulated Pi Zero; the camera there is built by the test itself, in a
# folder that is kept.
add_test(NAME pizero-board COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/pizero/run --build ${CMAKE_CURRENT_BINARY_DIR}/pizero
	--deb ${CMAKE_CURRENT_BINARY_DIR}/packages-armel/ip2usb_${PROJECT_VERSION}_armel.deb)
# Where Debian's packages for armel are not there yet they are fetched within this time, too. Early, with the longest.
set_tests_properties(pizero-board PROPERTIES LABELS "lab;pizero" TIMEOUT 1200 COST 700
	FIXTURES_REQUIRED packages-armel SKIP_RETURN_CODE 77)
# The whole image, as it is on a card. Making it takes most of the time, until Debian has newer packages.
if(IP2USB_LAB_LONG)
	add_test(NAME pizero-image COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/pizero/image)
	set_tests_properties(pizero-image PROPERTIES LABELS "lab;pizero;image" TIMEOUT 3600 COST 800)
endif()
