# SPDX-License-Identifier: GPL-2.0-or-later
# The Pi Zero's processor, by Debian's cross compiler, with the libraries in $IP2USB_ROOT; docs/hacking.md has the
# commands.
set(root $ENV{IP2USB_ROOT})
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv6)
set(CMAKE_C_COMPILER arm-linux-gnueabi-gcc)
set(CMAKE_SYSROOT ${root})
set(CMAKE_C_FLAGS_INIT "-march=armv6k -mtune=arm1176jzf-s -marm")
set(CMAKE_EXE_LINKER_FLAGS_INIT
	"-Wl,-rpath-link,${root}/lib/arm-linux-gnueabi:${root}/usr/lib/arm-linux-gnueabi")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${root}/usr/lib/arm-linux-gnueabi/pkgconfig:${root}/usr/share/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${root})
