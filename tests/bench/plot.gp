# SPDX-License-Identifier: GPL-2.0-or-later
#
# gnuplot -c plot.gp POINTS TITLE SVG: a load's times over the link's delay; bars are minimum and maximum.
# POINTS is what report.jq's points prints: links with a delay alone, then the others, which no line joins.
set terminal svg size 720,440 font "sans-serif,13" background "white"
set encoding utf8
set output ARG3
set title ARG2
set xlabel "delay of the link each way, ms; links of other kinds"
set ylabel "seconds"
# From a photograph without delay to a disk over bad WiFi.
set logscale y
set offsets 0.5, 1, 0, 0
set key outside right top
set grid ytics linecolor "#dddddd"
set border 3
set tics nomirror

array names[4] = ["ip2usb", "vhci", "TCP", "gadget alone"]
array colours[4] = ["#0072b2", "#d55e00", "#009e73", "#777777"]
plot for [i = 1:4] ARG1 using 1:(column(3 * i)):(column(3 * i + 1)):(column(3 * i + 2)):xticlabels(2) \
	with yerrorlines linewidth 2 pointtype 7 pointsize 0.5 linecolor rgb colours[i] title names[i]
