# SPDX-License-Identifier: GPL-2.0-or-later
# One test a scenario and kernel; adding a file to lab/scenarios adds its tests.
option(IP2USB_LAB_LONG "Every scenario on both kernels, and with either server: an hour more" OFF)
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

# Which of the programs: sanitizers cost time and memory, so what measures those runs what is installed. So do services,
# whose sandbox does not give what sanitizers want.
function(lab_binary out scenario)
	if(scenario MATCHES "^(announced|demo|export_attach|export_service|export_speed|faults_midway|liveview|speed|service|sessions|reenumeration)$")
		set(${out} ${IP2USB_RELEASE} PARENT_SCOPE)
	else()
		set(${out} $<TARGET_FILE_DIR:ip2usb> PARENT_SCOPE)
	endif()
endfunction()

# add_lab_test(NAME KERNEL FILE [VARIABLE=VALUE...])
function(add_lab_test name kernel file)
	get_filename_component(scenario ${file} NAME_WE)
	lab_binary(binary ${scenario})
	# The guest ends a scenario that hangs, and tells why; CTest is there for a lab that hangs.
	file(STRINGS ${file} timeout REGEX "^# timeout: [0-9]+$")
	string(REGEX MATCH "[0-9]+" timeout "${timeout} 120")
	# Twice: it is booted once more where the guest's kernel crashes.
	math(EXPR timeout "2 * ${timeout} + 120")
	add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lab/run
		--kernel ${kernel} --bin ${binary}
		--tools $<TARGET_FILE_DIR:testusb> ${scenario} ${ARGN})
	set_tests_properties(${name} PROPERTIES LABELS lab SKIP_RETURN_CODE 77 TIMEOUT ${timeout})
endfunction()

# All of these on both kernels, and with either server, take hours. So unless IP2USB_LAB_LONG is on the server is the
# kernel's on 6.1 and ip2usb-export on 6.12, and only these have both, for what the kernel or the server may do otherwise;
set(both "^(download|hold|link_lost)$")
# of them these have either server on 6.12;
set(both_servers "^(download|link_lost)$")
# these are left out, as they only measure;
set(long_only "^export_speed$")
# and all others have one kernel, 6.1 but for these.
set(on_6.12 "^(another_camera|capture|comes_back|demo|discover|export_announced|export_service|export_vhci|full_speed_phone|led|liveview|lossy|mtp|override|phone_returns|resume|server_lost|setup|sigkill|sigterm|smartcard|speed|storage_gadget|unlink_races|usbtest_super)$")
# These choose their server themselves, or have none.
set(own_server
	"^(announced|another_camera|demo|discover|export_.*|override|paired|pyusbip|resume|setup|speed|unlink_races)$")

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
	if(scenario MATCHES ${long_only} AND NOT IP2USB_LAB_LONG)
		continue()
	endif()
	set(kernels 6.1)
	if(scenario MATCHES ${both} OR IP2USB_LAB_LONG)
		set(kernels 6.1 6.12)
	elseif(scenario MATCHES ${on_6.12})
		set(kernels 6.12)
	endif()
	foreach(kernel ${kernels})
		set(has_choice OFF)
		if(NOT scenario MATCHES ${own_server})
			set(has_choice ON)
		endif()
		if(NOT has_choice OR kernel STREQUAL 6.1 OR scenario MATCHES ${both_servers} OR IP2USB_LAB_LONG)
			add_lab_test(lab-${kernel}-${scenario} ${kernel} ${file} ${variables})
		endif()
		if(has_choice AND (kernel STREQUAL 6.12 OR IP2USB_LAB_LONG))
			add_lab_test(lab-${kernel}-export-${scenario} ${kernel} ${file} LAB_SERVER=export)
		endif()
	endforeach()
endforeach()
# The longest first.
foreach(costs sessions=1000 reenumeration=1000 faults_midway=900 resume=900 faults=800 announced=800 speed=500)
	string(REPLACE "=" ";" costs ${costs})
	list(GET costs 0 scenario)
	list(GET costs 1 cost)
	foreach(kernel 6.1 6.12)
		if(TEST lab-${kernel}-${scenario})
			set_tests_properties(lab-${kernel}-${scenario} PROPERTIES COST ${cost})
		endif()
	endforeach()
endforeach()
