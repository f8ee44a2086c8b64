# SPDX-License-Identifier: GPL-2.0-or-later
# Every unit/test_*.c is a test of its own; adding a file adds the test. It links what it refers to and no
# more: the archives give the linker one object a module. The kit comes first, so that where a test uses its
# fake of gadget/ffs.h the real one is not linked.
file(GLOB kit CONFIGURE_DEPENDS unit/*.c)
list(FILTER kit EXCLUDE REGEX "/test_[a-z0-9_]*\\.c$")
add_library(testkit STATIC ${kit})
target_link_libraries(testkit PRIVATE ip2usb_flags PkgConfig::CMOCKA PkgConfig::LIBUSB)

file(GLOB tests CONFIGURE_DEPENDS unit/test_*.c)
foreach(file ${tests})
	get_filename_component(name ${file} NAME_WE)
	add_executable(${name} ${file})
	# Those of usbdevice itself are to have that, and not the kit's fake of it.
	set(subject)
	if(name MATCHES "^test_usbdevice")
		set(subject exporter)
	endif()
	target_link_libraries(${name} PRIVATE
		ip2usb_flags ${subject} testkit exporter listing bridge gadget PkgConfig::CMOCKA)
	add_test(NAME ${name} COMMAND ${IP2USB_TEST_WRAPPER} $<TARGET_FILE:${name}>)
	set_tests_properties(${name} PROPERTIES TIMEOUT 900 LABELS unit)
endforeach()

# Tests that count or check calls of the C library.
foreach(wrapped
	test_acquisition=ev_timer_start,getaddrinfo,log_write
	test_acquisition_again=ev_timer_start,getaddrinfo,log_write
	test_acquisition_session=ev_timer_start,getaddrinfo,log_write
	test_advertiser=avahi_client_new,avahi_client_free,avahi_client_errno,avahi_client_get_host_name,avahi_entry_group_new,avahi_entry_group_reset,avahi_entry_group_commit,avahi_entry_group_add_service_strlst,avahi_entry_group_update_service_txt_strlst,avahi_elapse_time,log_write
	test_announcer=accept4,calloc,ev_timer_start,log_write,sendmsg
	test_board=uname,wifi_power_save
	test_browse=avahi_client_new,avahi_client_free,avahi_client_errno,avahi_service_browser_new,avahi_service_resolver_new,avahi_service_resolver_free
	test_client_import=close
	test_client_limits=malloc,calloc,realloc
	test_discover=sd_hwdb_new,ev_timer_start
	test_exporter=ev_timer_start,log_write
	test_exporter_again=ev_timer_start
	test_exporter_session=ev_timer_start
	test_exporter_key=ev_timer_start,listener_is_public,log_write,tls_context_new
	test_importer_end=malloc,calloc,realloc
	test_importer_tls=malloc,calloc,realloc
	test_inischema=malloc
	test_inquiry=ev_timer_start
	test_led=ev_timer_start
	test_list=sd_hwdb_new
	test_listener=accept4,getsockname,socket
	test_lookup=browse_run,getaddrinfo,malloc
	test_namecheck=getaddrinfo,ev_timer_start
	test_notice=clock_gettime,ev_timer_start,log_write
	test_notice_connection=clock_gettime,ev_timer_start,log_write
	test_outbox=sendmsg
	test_pairing=fsync,rename,fchown
	test_pairingkey=getrandom
	test_resolver=getaddrinfo
	test_roster=sd_hwdb_new
	test_relay=malloc,calloc,realloc,ev_timer_again
	test_relay_abort=ev_timer_again
	test_relay_cut=ev_timer_again
	test_relay_early=ev_timer_again
	test_relay_gather=ev_timer_again
	test_relay_hold=ev_timer_again
	test_relay_phone=ev_timer_again
	test_relay_random=ev_timer_again
	test_relay_resume=ev_timer_again
	test_setupplan=mkostemp,write,fchown,fchmod,fsync,rename,symlink,unlink,mkdir,rmdir
	test_supervisor=ev_timer_start
	test_task=eventfd,pthread_create
	test_tls=clock_gettime
	test_urbpool=malloc,calloc,realloc
	test_usbdevice_calls=pthread_create
	test_usbhost=fopen,realpath)
	string(REGEX MATCH "^([a-z0-9_]+)=(.*)$" _ ${wrapped})
	string(REPLACE "," ";" functions ${CMAKE_MATCH_2})
	list(TRANSFORM functions PREPEND -Wl,--wrap=)
	target_link_options(${CMAKE_MATCH_1} PRIVATE ${functions})
endforeach()
if(AVAHI_FOUND)
	foreach(test test_advertiser test_browse)
		target_compile_definitions(${test} PRIVATE HAVE_AVAHI)
		target_link_libraries(${test} PRIVATE PkgConfig::AVAHI)
	endforeach()
endif()
if(QRENCODE_FOUND)
	target_compile_definitions(test_keyprint PRIVATE HAVE_QRENCODE)
	target_link_libraries(test_keyprint PRIVATE PkgConfig::QRENCODE)
endif()
target_compile_definitions(test_exportconfig PRIVATE
	EXAMPLE="${PROJECT_SOURCE_DIR}/configs/ip2usb-export.conf")
