# SPDX-License-Identifier: GPL-2.0-or-later
# One test a scenario and kernel; adding a file to lab/scenarios adds its tests.
option(IP2USB_LAB_LONG "Every scenario on both kernels: half an hour more" OFF)
set(IP2USB_RELEASE $<TARGET_FILE_DIR:ip2usb> CACHE STRING
	"Folder of the ip2usb whose speed and memory are measured")
set(IP2USB_PYUSBIP "" CACHE FILEPATH
	"pyusbip.py or usbip-notify-server.py, which nobody packages: without it no test is made of them")

# testusb, the kernel's own program for its driver usbtest, from Debian's package of the kernel's sources.
set(sources /usr/src/linux-source-6.1.tar.xz)
add_custom_command(OUTPUT testusb.c
	COMMAND tar -xJf ${sources} --strip-components=3 --occurrence=1
		linux-source-6.1/tools/usb/testusb.c
	DEPENDS ${sources} COMMENT "testusb.c from ${sources}" VERBATIM)
add_executable(testusb ${CMAKE_CURRENT_BINARY_DIR}/testusb.c)
set_target_properties(testusb PROPERTIES C_STANDARD 11 C_EXTENSIONS ON COMPILE_OPTIONS -w)
target_link_libraries(testusb PRIVATE Threads::Threads)

add_executable(botreset lab/botreset.c)
target_link_libraries(botreset PRIVATE ip2usb_flags)

file(GLOB scenarios CONFIGURE_DEPENDS lab/scenarios/*.sh)
foreach(file ${scenarios})
	get_filename_component(scenario ${file} NAME_WE)
	set(variables)
	if(scenario STREQUAL "pyusbip")
		if(NOT IP2USB_PYUSBIP)
			continue()
		endif()
		set(variables LAB_PYUSBIP=${IP2USB_PYUSBIP})
	endif()
	# The guest ends a scenario that hangs, and tells why; CTest is there for a lab that hangs.
	file(STRINGS ${file} timeout REGEX "^# timeout: [0-9]+$")
	string(REGEX MATCH "[0-9]+" timeout "${timeout} 120")
	# Twice: it is booted once more where the guest's kernel crashes.
	math(EXPR timeout "2 * ${timeout} + 120")
	# Sanitizers cost time and memory: what measures those runs what is installed. So does the service: they want
	# what its sandbox does not give.
	if(scenario MATCHES "^(announced|demo|faults_midway|liveview|speed|service|sessions|reenumeration)$")
		set(binary ${IP2USB_RELEASE})
	else()
		set(binary $<TARGET_FILE_DIR:ip2usb>)
	endif()
	# The longest by turns, one kernel each.
	set(kernels 6.1 6.12)
	if(IP2USB_LAB_LONG)
	elseif(scenario MATCHES "^(announced|another_camera|faults_midway|override|reenumeration)$")
		set(kernels 6.1)
	elseif(scenario MATCHES "^(discover|faults|sessions|twins)$")
		set(kernels 6.12)
	endif()
	foreach(kernel ${kernels})
		set(name lab-${kernel}-${scenario})
		add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lab/run
			--kernel ${kernel} --bin ${binary}
			--tools $<TARGET_FILE_DIR:testusb> ${scenario} ${variables})
		set_tests_properties(${name} PROPERTIES
			LABELS lab SKIP_RETURN_CODE 77 TIMEOUT ${timeout})
	endforeach()
endforeach()
# The longest first.
foreach(costs sessions=1000 reenumeration=1000 faults_midway=900 faults=800 announced=800 speed=500)
	string(REPLACE "=" ";" costs ${costs})
	list(GET costs 0 scenario)
	list(GET costs 1 cost)
	foreach(kernel 6.1 6.12)
		if(TEST lab-${kernel}-${scenario})
			set_tests_properties(lab-${kernel}-${scenario} PROPERTIES COST ${cost})
		endif()
	endforeach()
endforeach()
