/* SPDX-License-Identifier: GPL-2.0-or-later */
/* board: what is found in made-up trees. Linked with --wrap=uname,wifi_power_save. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "bridge/board.h"
#include "tests/unit/boardtree.h"

#define PORT "/proc/device-tree/soc/usb@7e980000"

int __wrap_uname(struct utsname *name);
int __wrap_wifi_power_save(const char *interface);

int __wrap_uname(struct utsname *name)
{
	strcpy(name->machine, "armv6l");
	strcpy(name->release, "6.1.0-50-rpi");
	return 0;
}

/* wlan0 does, wlan1 does not, of the others nobody knows. */
int __wrap_wifi_power_save(const char *interface)
{
	return !strcmp(interface, "wlan0") ? 1 : !strcmp(interface, "wlan1") ? 0 : -EOPNOTSUPP;
}

static struct boardtree tree;
static struct board board;

static int make_tree(void **state)
{
	(void)state;
	boardtree_make(&tree);
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	boardtree_remove(&tree);
	return 0;
}

static const struct board *look(void)
{
	board_read(&board, tree.root, "auto");
	return &board;
}

static void put_bytes(const char *path, const char *text)
{
	boardtree_put_bytes(&tree, path, text, strlen(text) + 1); /* as the device tree's */
}

static void test_nothing(void **state)
{
	(void)state;
	look();
	assert_string_equal(board.model, "");
	assert_string_equal(board.release, "6.1.0-50-rpi");
	assert_null(board.config);
	assert_null(board.gadget_file);
	assert_false(board.has_modules || board.has_libcomposite || board.has_functionfs ||
		board.has_configfs || board.has_udc || board.has_service || board.is_enabled ||
		board.has_mdns || board.has_iw || board.has_network_manager);
	assert_int_equal(board.live, BOOTCONFIG_UNSET);
	assert_int_equal(board.num_wifi, 0);
	assert_int_equal(board.throttled, 0);
	assert_int_equal(board.built, 0);
	assert_true(board.now > 1700000000);
}

static void test_machine(void **state)
{
	(void)state;
	put_bytes("/proc/device-tree/model", "Raspberry Pi Zero W Rev 1.1");
	boardtree_put(&tree, "/proc/meminfo", "MemTotal:         437212 kB\nMemFree: 1 kB\n");
	look();
	assert_string_equal(board.model, "Raspberry Pi Zero W Rev 1.1");
	assert_string_equal(board.machine, "armv6l");
	assert_int_equal(board.memory_mib, 426);
}

static void test_config(void **state)
{
	(void)state;
	put_bytes("/proc/device-tree/model", "Raspberry Pi Zero W Rev 1.1");
	boardtree_put(&tree, "/boot/config.txt", "dtoverlay=dwc2\n");
	boardtree_put(&tree, "/boot/overlays/dwc2.dtbo", "");
	look();
	assert_string_equal(board.config, "/boot/config.txt");
	assert_int_equal(board.bootconfig.role, BOOTCONFIG_OTG);
	assert_true(board.has_overlay);
	assert_false(board.is_generated);
	boardtree_put(&tree, "/boot/firmware/config.txt",
		BOARDTREE_DEBIAN "[pi0]\ndtoverlay=dwc2,dr_mode=peripheral\n");
	look();
	assert_string_equal(board.config, "/boot/firmware/config.txt");
	assert_int_equal(board.bootconfig.role, BOOTCONFIG_PERIPHERAL);
	assert_false(board.has_overlay);
	assert_true(board.is_generated);
	board_read_files(&board, tree.root);
	assert_int_equal(board.bootconfig.role, BOOTCONFIG_UNSET); /* [pi0]: not known */
	boardtree_delete(&tree, "/boot/firmware/config.txt");
	boardtree_link(&tree, "/boot/firmware/config.txt", "../config.txt");
	assert_int_equal(look()->config_error, -ELOOP);
	boardtree_delete(&tree, "/boot/firmware/config.txt");
	boardtree_put(&tree, "/boot/config.txt", BOARDTREE_MOVED);
	look();
	assert_null(board.config);
	assert_true(board.config_moved);
}

static void test_live(void **state)
{
	(void)state;
	put_bytes(PORT "/compatible", "brcm,bcm2835-usb");
	assert_int_equal(look()->live, BOOTCONFIG_OTG);
	put_bytes(PORT "/dr_mode", "peripheral");
	assert_int_equal(look()->live, BOOTCONFIG_PERIPHERAL);
	put_bytes(PORT "/compatible", "brcm,bcm2708-usb");
	assert_int_equal(look()->live, BOOTCONFIG_HOST);
}

static void test_udc(void **state)
{
	(void)state;
	boardtree_put(&tree, "/sys/class/udc/20980000.usb/function", "g_ether\n");
	boardtree_put(&tree, "/sys/class/udc/20980000.usb/is_otg", "0\n");
	look();
	assert_true(board.has_udc);
	assert_false(board.is_otg);
	assert_string_equal(board.udc.name, "20980000.usb");
	assert_string_equal(board.udc.gadget, "g_ether");
	boardtree_put(&tree, "/sys/class/udc/20980000.usb/is_otg", "1\n");
	assert_true(look()->is_otg);
	board_read(&board, tree.root, "another");
	assert_false(board.has_udc);
}

static void test_kernel(void **state)
{
	(void)state;
	boardtree_put(&tree, "/lib/modules/6.1.0-50-rpi/modules.dep",
		"kernel/drivers/usb/gadget/libcomposite.ko: kernel/fs/configfs/configfs.ko\n");
	look();
	assert_true(board.has_modules && board.has_libcomposite);
	assert_false(board.has_functionfs || board.has_configfs);
	boardtree_put(&tree, "/lib/modules/6.1.0-50-rpi/modules.builtin",
		"kernel/drivers/usb/gadget/function/usb_f_fs.ko\n");
	assert_true(look()->has_functionfs);
	boardtree_delete(&tree, "/lib/modules/6.1.0-50-rpi/modules.builtin");
	boardtree_put(&tree, "/proc/filesystems", "nodev\tsysfs\nnodev\tfunctionfs\n");
	boardtree_put(&tree, "/proc/mounts", "none /sys/kernel/config configfs rw 0 0\n");
	look();
	assert_true(board.has_functionfs && board.has_configfs);
	boardtree_delete(&tree, "/lib/modules/6.1.0-50-rpi/modules.dep");
	assert_false(look()->has_libcomposite);
	boardtree_put(&tree, "/sys/module/libcomposite/refcnt", "1\n");
	assert_true(look()->has_libcomposite);
}

/* The first of them. */
static void test_gadget_modules(void **state)
{
	(void)state;
	boardtree_put(&tree, "/etc/modules-load.d/README", "g_zero\n");
	assert_null(look()->gadget_file);
	boardtree_put(&tree, "/etc/modules-load.d/a.conf", "g_serial\n");
	assert_string_equal(look()->gadget_file, "/etc/modules-load.d");
	assert_string_equal(board.gadget_module, "g_serial");
	boardtree_put(&tree, "/etc/modules", "# none\ng_multi\n");
	assert_string_equal(look()->gadget_file, "/etc/modules");
	boardtree_put(&tree, "/boot/cmdline.txt", "rootwait modules-load=dwc2,g_ether\n");
	assert_string_equal(look()->gadget_file, "/boot/cmdline.txt");
	assert_string_equal(board.gadget_module, "g_ether");
}

static void test_network(void **state)
{
	(void)state;
	boardtree_put(&tree, "/sys/class/net/eth0/mtu", "1500\n");
	boardtree_put(&tree, "/sys/class/net/wlan0/phy80211/name", "phy0\n");
	boardtree_put(&tree, "/sys/class/net/wlan1/phy80211/name", "phy1\n");
	boardtree_put(&tree, "/sys/class/net/wlan2/phy80211/name", "phy2\n");
	boardtree_put(&tree, "/etc/nsswitch.conf", "passwd: resolve\nhosts:\tfiles dns\n");
	boardtree_put(&tree, "/usr/sbin/iw", "");
	look();
	assert_int_equal(board.num_wifi, 3);
	assert_string_equal(board.wifi[0].name, "wlan0");
	assert_int_equal(board.wifi[0].power_save, 1);
	assert_int_equal(board.wifi[1].power_save, 0);
	assert_int_equal(board.wifi[2].power_save, -EOPNOTSUPP);
	assert_true(board.has_iw);
	assert_false(board.has_mdns);
	boardtree_put(
		&tree, "/etc/nsswitch.conf", "hosts: files mdns4_minimal [NOTFOUND=return] dns\n");
	assert_true(look()->has_mdns);
	for (char c = '3'; c < '9'; c++) {
		char path[] = "/sys/class/net/wlan?/phy80211/name";

		path[19] = c;
		boardtree_put(&tree, path, "");
	}
	assert_int_equal(look()->num_wifi, BOARD_MAX_WIFI);
}

static void test_power(void **state)
{
	(void)state;
	boardtree_put(&tree, "/sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
	boardtree_put(&tree, "/sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1\n");
	boardtree_put(&tree, "/sys/class/hwmon/hwmon1/name", "rpi_volt\n");
	boardtree_put(&tree, "/sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n");
	assert_int_equal(look()->throttled, 0);
	boardtree_put(&tree, "/sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
	assert_int_equal(look()->throttled, 0x10000);
	boardtree_put(&tree, "/sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n");
	assert_int_equal(look()->throttled, 0x50005);
}

static void test_service(void **state)
{
	(void)state;
	boardtree_put(&tree, "/lib/systemd/system/ip2usb.service", "");
	look();
	assert_true(board.has_service);
	assert_false(board.is_enabled);
	boardtree_link(
		&tree, "/etc/systemd/system/usb-gadget.target.wants/ip2usb.service", "/nowhere");
	assert_true(look()->is_enabled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_tree, remove_tree)
		TEST(test_nothing),
		TEST(test_machine),
		TEST(test_config),
		TEST(test_live),
		TEST(test_udc),
		TEST(test_kernel),
		TEST(test_gadget_modules),
		TEST(test_network),
		TEST(test_power),
		TEST(test_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
