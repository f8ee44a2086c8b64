# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian packages, built and checked by configs/package. The others' trees are made by an emulated processor.
set(architectures amd64)
if(IP2USB_LAB_LONG)
	list(APPEND architectures armel armhf arm64)
endif()
foreach(architecture ${architectures})
	add_test(NAME packages-${architecture} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/packages
		${architecture} ${CMAKE_CURRENT_BINARY_DIR}/packages-${architecture})
	# The first time of all the trees are made within this time, too.
	set_tests_properties(packages-${architecture} PROPERTIES
		LABELS packages SKIP_RETURN_CODE 77 TIMEOUT 3000 COST 600)
endforeach()
