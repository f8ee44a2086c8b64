# SPDX-License-Identifier: GPL-2.0-or-later
# The virtual still camera, and the reader of its live view.
add_executable(camera lab/camera/main.c lab/camera/ptp.c lab/camera/port.c lab/camera/card.c
	lab/camera/properties.c lab/camera/liveview.c lab/camera/events.c lab/camera/dataset.c)
target_link_libraries(camera PRIVATE ip2usb_flags Threads::Threads)
add_executable(frames lab/camera/frames.c)
target_link_libraries(frames PRIVATE ip2usb_flags)
