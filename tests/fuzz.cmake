# SPDX-License-Identifier: GPL-2.0-or-later
# Every fuzz/fuzz_*.c is a target: libFuzzer for a bounded time where IP2USB_FUZZ, else a replayer of its
# committed corpus.
file(GLOB targets CONFIGURE_DEPENDS fuzz/fuzz_*.c)
foreach(file ${targets})
	get_filename_component(name ${file} NAME_WE)
	set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
	add_executable(${name} ${file})
	target_link_libraries(${name} PRIVATE ip2usb_flags testkit exporter listing bridge gadget)
	if(IP2USB_FUZZ)
		target_link_options(${name} PRIVATE -fsanitize=fuzzer)
		add_test(NAME ${name}
			COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/run $<TARGET_FILE:${name}> ${corpus})
	else()
		target_sources(${name} PRIVATE fuzz/replay.c)
		add_test(NAME ${name} COMMAND ${name} ${corpus})
	endif()
	set_tests_properties(${name} PROPERTIES TIMEOUT 180 LABELS fuzz)
endforeach()
