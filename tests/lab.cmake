# SPDX-License-Identifier: GPL-2.0-or-later
# One test a scenario and kernel; adding a file to lab/scenarios adds its tests.
set(IP2USB_RELEASE $<TARGET_FILE_DIR:ip2usb> CACHE STRING
	"Folder of the ip2usb whose speed and memory are measured")

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
	# The guest ends a scenario that hangs, and tells why; CTest is there for a lab that hangs.
	file(STRINGS ${file} timeout REGEX "^# timeout: [0-9]+$")
	string(REGEX MATCH "[0-9]+" timeout "${timeout} 120")
	# Twice: it is booted once more where the guest's kernel crashes.
	math(EXPR timeout "2 * ${timeout} + 120")
	# Sanitizers cost time and memory: what measures those runs what is installed. So does the service: they want
	# what its sandbox does not give.
	if(scenario MATCHES "^(announced|demo|liveview|speed|service|sessions|reenumeration)$")
		set(binary ${IP2USB_RELEASE})
	else()
		set(binary $<TARGET_FILE_DIR:ip2usb>)
	endif()
	# The longest by turns, one kernel each; lab/run has them on either.
	set(kernels 6.1 6.12)
	if(scenario MATCHES "^(announced|faults_midway|reenumeration)$")
		set(kernels 6.1)
	elseif(scenario MATCHES "^(faults|sessions)$")
		set(kernels 6.12)
	endif()
	foreach(kernel ${kernels})
		set(name lab-${kernel}-${scenario})
		add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lab/run
			--kernel ${kernel} --bin ${binary}
			--tools $<TARGET_FILE_DIR:testusb> ${scenario})
		set_tests_properties(${name} PROPERTIES
			LABELS lab SKIP_RETURN_CODE 77 TIMEOUT ${timeout})
	endforeach()
endforeach()
# The longest first.
set_tests_properties(lab-6.12-sessions lab-6.1-reenumeration PROPERTIES COST 1000)
set_tests_properties(lab-6.12-faults lab-6.1-faults_midway lab-6.1-announced PROPERTIES COST 800)
set_tests_properties(lab-6.1-speed lab-6.12-speed PROPERTIES COST 500)
