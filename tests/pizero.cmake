# SPDX-License-Identifier: GPL-2.0-or-later
# In the emulated Pi Zero; what runs there is built by the test itself, in a folder that is kept.
add_test(NAME pizero-led COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/pizero/run
	--build ${CMAKE_CURRENT_BINARY_DIR}/pizero led)
# Where Debian's packages for armel are not there yet they are fetched within this time, too. Early, with the longest.
set_tests_properties(pizero-led PROPERTIES LABELS "lab;pizero" TIMEOUT 600 COST 700)
# The whole image, as it is on a card. Making it takes most of the time, until Debian has newer packages.
if(IP2USB_LAB_LONG)
	add_test(NAME pizero-image COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/pizero/image)
	set_tests_properties(pizero-image PROPERTIES LABELS "lab;pizero;image" TIMEOUT 3600 COST 800)
endif()
