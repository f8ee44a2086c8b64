# SPDX-License-Identifier: GPL-2.0-or-later
# One test a scenario and kernel; adding a file to lab/scenarios adds its tests.
set(IP2USB_RELEASE $<TARGET_FILE_DIR:ip2usb> CACHE STRING
	"Folder of the ip2usb whose speed and memory are measured")
file(GLOB scenarios CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/tests/lab/scenarios
	${PROJECT_SOURCE_DIR}/tests/lab/scenarios/*.sh)
foreach(kernel 6.1 6.12)
	foreach(scenario ${scenarios})
		string(REPLACE .sh "" scenario ${scenario})
		# Sanitizers cost time and memory: what measures those runs what is installed.
		if(scenario MATCHES "^(speed|sessions)$")
			set(binary ${IP2USB_RELEASE})
		else()
			set(binary $<TARGET_FILE_DIR:ip2usb>)
		endif()
		set(name lab-${kernel}-${scenario})
		add_test(NAME ${name} COMMAND ${PROJECT_SOURCE_DIR}/tests/lab/run
			--kernel ${kernel} --bin ${binary} ${scenario})
		set_tests_properties(${name} PROPERTIES
			LABELS lab SKIP_RETURN_CODE 77 TIMEOUT 600 RUN_SERIAL ON)
	endforeach()
endforeach()
