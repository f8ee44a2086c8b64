# SPDX-License-Identifier: GPL-2.0-or-later
# What relaying costs in instructions, of a release build. The figures are those of Debian 12's gcc for amd64;
# who changes them on purpose says why.
add_executable(exchange bench/exchange.c)
target_link_libraries(exchange PRIVATE ip2usb_flags testkit bridge gadget PkgConfig::CMOCKA)
target_link_options(exchange PRIVATE -Wl,--wrap=ev_timer_again)
if(NOT IP2USB_SANITIZE)
	add_test(NAME cost COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bench/cost $<TARGET_FILE:exchange> 309262 3619)
	set_tests_properties(cost PROPERTIES LABELS cost TIMEOUT 300)
endif()

# What the loads of bench/run are read with where no program of Debian's does it.
add_executable(mtpreader bench/mtpreader.c)
target_link_libraries(mtpreader PRIVATE ip2usb_flags PkgConfig::LIBUSB)
add_library(nolog MODULE bench/nolog.c)
target_link_libraries(nolog PRIVATE ip2usb_flags)
set_target_properties(nolog PROPERTIES PREFIX "")
