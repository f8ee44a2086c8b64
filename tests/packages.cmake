# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian packages, built and checked by configs/package: minutes each, and the first time as many for the trees.
if(NOT IP2USB_LAB_LONG)
	return()
endif()
foreach(architecture amd64 armel armhf arm64)
	add_test(NAME packages-${architecture} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/packages
		${architecture} ${CMAKE_CURRENT_BINARY_DIR}/packages-${architecture})
	# The first time of all the trees are made within this time, too.
	set_tests_properties(packages-${architecture} PROPERTIES
		LABELS packages SKIP_RETURN_CODE 77 TIMEOUT 3000 COST 600)
endforeach()
