# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian packages, built and checked by configs/package: a minute or two each, and the first time some more for the
# trees, of which one is for all. That of the Pi Zero is what pizero-board installs; it alone unless IP2USB_LAB_LONG is on.
set(architectures armel)
if(IP2USB_LAB_LONG)
	list(APPEND architectures armhf arm64 amd64)
endif()
foreach(architecture ${architectures})
	add_test(NAME packages-${architecture} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/packages
		${architecture} ${CMAKE_CURRENT_BINARY_DIR}/packages-${architecture})
	# The first time of all the trees are made within this time, too. Early, because pizero-board waits for it.
	set_tests_properties(packages-${architecture} PROPERTIES LABELS "lab;packages" SKIP_RETURN_CODE 77
		TIMEOUT 1800 COST 2000 FIXTURES_SETUP packages-${architecture})
endforeach()
