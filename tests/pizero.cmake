# SPDX-License-Identifier: GPL-2.0-or-later
# In the emulated Pi Zero; what runs there is built by the test itself, in a folder that is kept.
add_test(NAME pizero-led COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/pizero/run
	--build ${CMAKE_CURRENT_BINARY_DIR}/pizero led)
# Where Debian's packages for armel are not there yet they are fetched within this time, too. Early, with the longest.
set_tests_properties(pizero-led PROPERTIES LABELS "lab;pizero" TIMEOUT 600 COST 700)
