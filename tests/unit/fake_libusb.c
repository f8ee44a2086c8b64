/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/fake_libusb.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SPOILT 0xee

struct libusb_device_handle {
	struct libusb_device *device;
	bool auto_detach;
	int fd; /* as usbfs', and watched likewise */
};

/* What libusb has before its transfers. */
struct wrapper {
	struct wrapper *next; /* the older ones first */
	struct libusb_device *device;
	bool under_way, ended;
	uint32_t out_sum;
	struct libusb_transfer transfer; /* the last: its packets follow */
};

struct libusb_context {
	int fd;
	libusb_hotplug_callback_fn on_hotplug;
	libusb_pollfd_added_cb added;
	libusb_pollfd_removed_cb removed;
	void *user, *watcher;
};

struct fake_libusb fake_libusb;

/* All that is below, and the devices. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t unblocked = PTHREAD_COND_INITIALIZER;
static bool blocked;
static char calls[4096], taken[sizeof(calls)];
static struct libusb_device *devices;
static struct wrapper *transfers;
static struct libusb_context context;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void call(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void call(const char *format, ...)
{
	size_t length = strlen(calls);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(calls + length, sizeof(calls) - length, format, args);
	va_end(args);
	require(strlen(calls) < sizeof(calls) - 1);
}

static int enter(enum fake_libusb_call what)
{
	pthread_mutex_lock(&lock);
	return fake_libusb.errors[what];
}

static int leave(int result)
{
	pthread_mutex_unlock(&lock);
	return result;
}

/* By one that blocks. */
static void wait_unblocked(void)
{
	while (blocked)
		pthread_cond_wait(&unblocked, &lock);
}

/* ---- descriptors ---- */

#define ENDPOINT(address, kind)                                                                    \
	{                                                                                          \
		.bLength = 7, .bDescriptorType = 5, .bEndpointAddress = (address),                 \
		.bmAttributes = (kind), .wMaxPacketSize = 512                                      \
	}

static const struct libusb_endpoint_descriptor still_endpoints[] = {
	ENDPOINT(0x81, 2), ENDPOINT(0x02, 2), ENDPOINT(0x83, 3)};
static const struct libusb_endpoint_descriptor sound_endpoints[] = {
	ENDPOINT(0x84, 1), ENDPOINT(0x05, 1)};
static const struct libusb_interface_descriptor still = {.bNumEndpoints = 3,
	.bInterfaceClass = 6,
	.bInterfaceSubClass = 1,
	.bInterfaceProtocol = 1,
	.endpoint = still_endpoints};
static const struct libusb_interface_descriptor bare = {
	.bNumEndpoints = 1, .bInterfaceClass = 0xff, .endpoint = still_endpoints};
static const struct libusb_interface_descriptor sound[] = {
	{.bInterfaceNumber = 1, .bInterfaceClass = 1, .bInterfaceSubClass = 2},
	{.bInterfaceNumber = 1,
		.bAlternateSetting = 1,
		.bNumEndpoints = 2,
		.bInterfaceClass = 1,
		.bInterfaceSubClass = 2,
		.endpoint = sound_endpoints}};
static const struct libusb_interface interfaces1[] = {{&still, 1}, {sound, 2}};
static const struct libusb_interface interfaces2[] = {{&bare, 1}};
static const struct libusb_config_descriptor configs[] = {
	{.bNumInterfaces = 2, .bConfigurationValue = 1, .interface = interfaces1},
	{.bNumInterfaces = 1, .bConfigurationValue = 2, .interface = interfaces2}};

static uint32_t all_interfaces(int configuration)
{
	return configuration ? (1u << configs[configuration - 1].bNumInterfaces) - 1 : 0;
}

/* -1: control, or none. */
static int interface_of(const struct libusb_device *d, uint8_t endpoint)
{
	switch (endpoint) {
	case 0x81:
		return d->configuration ? 0 : -1;
	case 0x02:
	case 0x83:
		return d->configuration == 1 ? 0 : -1;
	case 0x84:
	case 0x05:
		return d->configuration == 1 && d->settings[1] ? 1 : -1;
	default:
		return -1;
	}
}

static bool has_transfers(const struct libusb_device *d, int interface)
{
	for (const struct wrapper *w = transfers; w; w = w->next) {
		if (w->device == d &&
			(interface < 0 || interface_of(d, w->transfer.endpoint) == interface))
			return true;
	}
	return false;
}

/* ---- for the test ---- */

void fake_libusb_init(void)
{
	require(!fake_libusb.num_transfers && !fake_libusb.allocated && !fake_libusb.contexts &&
		!fake_libusb.configs);
	while (devices) {
		struct libusb_device *d = devices;

		require(d->refs == 1 && !d->opened);
		devices = d->next;
		free(d);
	}
	memset(&fake_libusb, 0, sizeof(fake_libusb));
	*calls = '\0';
	blocked = false;
}

static void tell(void)
{
	if (context.fd > 0)
		(void)eventfd_write(context.fd, 1);
}

struct libusb_device *fake_libusb_plug(int port)
{
	struct libusb_device *d = calloc(1, sizeof(*d));
	static int address;

	require(d);
	d->descriptor = (struct libusb_device_descriptor){.bLength = 18,
		.bDescriptorType = 1,
		.idVendor = 0x04a9,
		.idProduct = 0x3218,
		.bcdDevice = 0x0102,
		.bNumConfigurations = 2};
	d->ports[0] = (uint8_t)port;
	d->num_ports = 1;
	d->address = ++address & 127;
	d->speed = LIBUSB_SPEED_HIGH;
	d->configuration = 1;
	d->drivers = all_interfaces(1);
	d->plugged = true;
	d->refs = 1;
	pthread_mutex_lock(&lock);
	d->next = devices;
	devices = d;
	pthread_mutex_unlock(&lock);
	if (context.on_hotplug)
		context.on_hotplug(&context, d, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED, context.user);
	return d;
}

struct libusb_device *fake_libusb_at(int port)
{
	struct libusb_device *d = devices;

	while (d && (!d->plugged || d->ports[0] != port))
		d = d->next;
	return d;
}

bool fake_libusb_is_referred_to(unsigned references)
{
	const struct libusb_device *d;

	pthread_mutex_lock(&lock);
	d = devices;
	while (d && d->refs <= 1 + references + d->opened)
		d = d->next;
	pthread_mutex_unlock(&lock);
	return d;
}

/* Once it is unplugged, and nobody has it. */
static void unref(struct libusb_device *d)
{
	struct libusb_device **at = &devices;

	pthread_mutex_lock(&lock);
	require(d->refs > 0);
	if (--d->refs) {
		pthread_mutex_unlock(&lock);
		return;
	}
	require(!d->opened && !d->plugged);
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	pthread_mutex_unlock(&lock);
	free(d);
}

void fake_libusb_unplug(struct libusb_device *d)
{
	pthread_mutex_lock(&lock);
	d->plugged = false;
	pthread_mutex_unlock(&lock);
	for (struct wrapper *w = transfers; w; w = w->next) {
		if (w->device == d && !w->ended)
			fake_libusb_end(&w->transfer, LIBUSB_TRANSFER_NO_DEVICE, NULL, 0);
	}
	if (context.on_hotplug)
		context.on_hotplug(&context, d, LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT, context.user);
	unref(d);
}

const char *fake_libusb_calls(void)
{
	pthread_mutex_lock(&lock);
	strcpy(taken, calls);
	*calls = '\0';
	pthread_mutex_unlock(&lock);
	return taken;
}

void fake_libusb_block(bool block)
{
	pthread_mutex_lock(&lock);
	blocked = block;
	pthread_cond_broadcast(&unblocked);
	pthread_mutex_unlock(&lock);
}

/* ---- transfers ---- */

static struct wrapper *wrapper_of(struct libusb_transfer *t)
{
	return (struct wrapper *)((char *)t - offsetof(struct wrapper, transfer));
}

static bool is_in(const struct libusb_transfer *t)
{
	return (t->type == LIBUSB_TRANSFER_TYPE_CONTROL ? t->buffer[0] : t->endpoint) & 0x80;
}

static int setup_size(const struct libusb_transfer *t)
{
	return t->type == LIBUSB_TRANSFER_TYPE_CONTROL ? LIBUSB_CONTROL_SETUP_SIZE : 0;
}

static uint32_t sum(const struct libusb_transfer *t)
{
	int length = is_in(t) ? setup_size(t) : t->length;
	uint32_t s = 0;

	for (int i = 0; i < length; i++)
		s = s * 31 + t->buffer[i];
	return s;
}

struct libusb_transfer *libusb_alloc_transfer(int iso_packets)
{
	struct wrapper *w;

	if (leave(enter(FAKE_LIBUSB_ALLOC)))
		return NULL;
	w = calloc(
		1, sizeof(*w) + (size_t)iso_packets * sizeof(struct libusb_iso_packet_descriptor));
	require(w);
	fake_libusb.allocated++;
	return &w->transfer;
}

void libusb_free_transfer(struct libusb_transfer *t)
{
	if (!t)
		return;
	require(!wrapper_of(t)->under_way);
	fake_libusb.allocated--;
	free(wrapper_of(t));
}

static void check_transfer(const struct libusb_device *d, const struct libusb_transfer *t)
{
	int interface = interface_of(d, t->endpoint);

	require(t->callback && !t->timeout && t->length >= setup_size(t));
	if (t->type == LIBUSB_TRANSFER_TYPE_CONTROL)
		require(t->length ==
			(int)LIBUSB_CONTROL_SETUP_SIZE + (t->buffer[6] | t->buffer[7] << 8));
	else
		require(interface >= 0 && d->claimed & 1u << interface);
}

int libusb_submit_transfer(struct libusb_transfer *t)
{
	struct wrapper *w = wrapper_of(t), **at = &transfers;
	struct libusb_device *d = t->dev_handle->device;
	int error = enter(FAKE_LIBUSB_SUBMIT);

	require(!w->under_way);
	check_transfer(d, t);
	if (!error && !d->plugged)
		error = LIBUSB_ERROR_NO_DEVICE;
	if (error)
		return leave(error);
	w->device = d;
	w->under_way = true;
	w->ended = false;
	w->next = NULL;
	w->out_sum = sum(t);
	if (is_in(t))
		memset(t->buffer + setup_size(t), SPOILT, (size_t)(t->length - setup_size(t)));
	while (*at)
		at = &(*at)->next;
	*at = w;
	fake_libusb.num_transfers++;
	fake_libusb.submitted++;
	return leave(0);
}

struct libusb_transfer *fake_libusb_transfer(unsigned n)
{
	struct wrapper *w = transfers;

	for (; w && n; n--)
		w = w->next;
	return w ? &w->transfer : NULL;
}

void fake_libusb_end(
	struct libusb_transfer *t, enum libusb_transfer_status status, const void *data, int actual)
{
	struct wrapper *w = wrapper_of(t);

	require(w->under_way && !w->ended && w->out_sum == sum(t));
	w->ended = true;
	t->status = status;
	t->actual_length = actual;
	if (data)
		memcpy(t->buffer + setup_size(t), data, (size_t)actual);
	tell();
}

int libusb_cancel_transfer(struct libusb_transfer *t)
{
	struct wrapper *w = wrapper_of(t);

	require(w->under_way);
	pthread_mutex_lock(&lock);
	call("cancel %02x, ", t->endpoint);
	pthread_mutex_unlock(&lock);
	if (w->ended)
		return LIBUSB_ERROR_NOT_FOUND;
	if (!fake_libusb.cancels_late)
		fake_libusb_end(t, LIBUSB_TRANSFER_CANCELLED, NULL, 0);
	return 0;
}

void fake_libusb_deliver(void)
{
	struct wrapper **at = &transfers, *w;

	while ((w = *at)) {
		if (!w->ended) {
			at = &w->next;
			continue;
		}
		pthread_mutex_lock(&lock);
		*at = w->next;
		w->under_way = false;
		fake_libusb.num_transfers--;
		pthread_mutex_unlock(&lock);
		fake_libusb.done++;
		w->transfer.callback(&w->transfer);
		at = &transfers; /* others may have come and gone */
	}
}

/* ---- a device that is open ---- */

int libusb_open(libusb_device *d, libusb_device_handle **handle)
{
	int error = enter(FAKE_LIBUSB_OPEN);

	if (!error && !d->plugged)
		error = LIBUSB_ERROR_NO_DEVICE;
	if (error)
		return leave(error);
	*handle = calloc(1, sizeof(**handle));
	require(*handle);
	(*handle)->device = d;
	d->opened++;
	d->refs++;
	(void)leave(0);
	(*handle)->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* Full: it can never be written. */
	require(!eventfd_write((*handle)->fd, UINT64_MAX - 1));
	if (context.added)
		context.added((*handle)->fd, POLLOUT, context.watcher);
	return 0;
}

void libusb_close(libusb_device_handle *handle)
{
	struct libusb_device *d = handle->device;

	if (context.removed)
		context.removed(handle->fd, context.watcher);
	close(handle->fd);
	pthread_mutex_lock(&lock);
	require(!has_transfers(d, -1));
	call("close, ");
	d->claimed = 0;
	d->opened--;
	pthread_mutex_unlock(&lock);
	unref(d);
	free(handle);
}

libusb_device *libusb_get_device(libusb_device_handle *handle)
{
	return handle->device;
}

int libusb_set_auto_detach_kernel_driver(libusb_device_handle *handle, int enable)
{
	handle->auto_detach = enable;
	return 0;
}

int libusb_claim_interface(libusb_device_handle *handle, int interface)
{
	struct libusb_device *d = handle->device;
	uint32_t bit = 1u << interface;
	int error;

	pthread_mutex_lock(&lock);
	wait_unblocked();
	call("claim %d, ", interface);
	require(interface >= 0 && interface < 2);
	error = fake_libusb.claim_errors[interface];
	if (!error && !d->plugged)
		error = LIBUSB_ERROR_NO_DEVICE;
	if (!error && d->drivers & bit && !handle->auto_detach)
		error = LIBUSB_ERROR_BUSY;
	if (!error) {
		d->drivers &= ~bit;
		d->claimed |= bit;
	}
	return leave(error);
}

int libusb_release_interface(libusb_device_handle *handle, int interface)
{
	struct libusb_device *d = handle->device;
	uint32_t bit = 1u << interface;

	pthread_mutex_lock(&lock);
	call("%s %d, ", handle->auto_detach ? "give back" : "release", interface);
	require(d->claimed & bit && !has_transfers(d, interface));
	d->claimed &= ~bit;
	if (handle->auto_detach)
		d->drivers |= bit;
	return leave(0);
}

int libusb_get_configuration(libusb_device_handle *handle, int *configuration)
{
	*configuration = handle->device->configuration;
	return 0;
}

/* usbfs and the kernel's configuring, as in proc_setconfig and usb_set_configuration. */
int libusb_set_configuration(libusb_device_handle *handle, int value)
{
	struct libusb_device *d = handle->device;
	int error = enter(FAKE_LIBUSB_SET_CONFIGURATION);

	call("configuration %d, ", value);
	wait_unblocked();
	require(!has_transfers(d, -1));
	if (!error && d->claimed)
		error = LIBUSB_ERROR_BUSY;
	if (!error && (value == 0 || value > 2))
		error = LIBUSB_ERROR_NOT_FOUND;
	if (!error) {
		d->configuration = value < 0 ? 0 : value;
		d->drivers = all_interfaces(d->configuration);
		memset(d->settings, 0, sizeof(d->settings));
	}
	return leave(error);
}

int libusb_set_interface_alt_setting(libusb_device_handle *handle, int interface, int setting)
{
	struct libusb_device *d = handle->device;
	int error = enter(FAKE_LIBUSB_SET_INTERFACE);

	call("setting %d of %d, ", setting, interface);
	wait_unblocked();
	require(d->claimed & 1u << interface && !has_transfers(d, interface));
	if (!error && (setting > interface || setting < 0))
		error = LIBUSB_ERROR_NOT_FOUND;
	if (!error)
		d->settings[interface] = (uint8_t)setting;
	return leave(error);
}

int libusb_clear_halt(libusb_device_handle *handle, unsigned char endpoint)
{
	int error = enter(FAKE_LIBUSB_CLEAR_HALT);

	(void)handle;
	call("clear %02x, ", endpoint);
	wait_unblocked();
	return leave(error);
}

int libusb_reset_device(libusb_device_handle *handle)
{
	struct libusb_device *d = handle->device;
	int error = enter(FAKE_LIBUSB_RESET);

	call("reset, ");
	wait_unblocked();
	require(!has_transfers(d, -1));
	return leave(error || d->plugged ? error : LIBUSB_ERROR_NO_DEVICE);
}

/* ---- what is known of one ---- */

libusb_device *libusb_ref_device(libusb_device *d)
{
	pthread_mutex_lock(&lock);
	d->refs++;
	pthread_mutex_unlock(&lock);
	return d;
}

void libusb_unref_device(libusb_device *d)
{
	unref(d);
}

int libusb_get_device_descriptor(libusb_device *d, struct libusb_device_descriptor *out)
{
	*out = d->descriptor;
	return leave(enter(FAKE_LIBUSB_DESCRIPTOR));
}

static int get_config(int n, struct libusb_config_descriptor **out)
{
	*out = malloc(sizeof(**out));
	require(*out);
	**out = configs[n];
	fake_libusb.configs++;
	return 0;
}

int libusb_get_active_config_descriptor(libusb_device *d, struct libusb_config_descriptor **out)
{
	int error = enter(FAKE_LIBUSB_ACTIVE_CONFIG);

	if (!error && !d->configuration)
		error = LIBUSB_ERROR_NOT_FOUND;
	return leave(error ? error : get_config(d->configuration - 1, out));
}

int libusb_get_config_descriptor(
	libusb_device *d, uint8_t index, struct libusb_config_descriptor **out)
{
	int error = enter(FAKE_LIBUSB_CONFIG);

	require(index < d->descriptor.bNumConfigurations);
	return leave(error ? error : get_config(index, out));
}

void libusb_free_config_descriptor(struct libusb_config_descriptor *config)
{
	pthread_mutex_lock(&lock);
	fake_libusb.configs--;
	pthread_mutex_unlock(&lock);
	free(config);
}

uint8_t libusb_get_bus_number(libusb_device *d)
{
	(void)d;
	return FAKE_LIBUSB_BUS;
}

uint8_t libusb_get_device_address(libusb_device *d)
{
	return (uint8_t)d->address;
}

int libusb_get_device_speed(libusb_device *d)
{
	return d->speed;
}

int libusb_get_port_numbers(libusb_device *d, uint8_t *ports, int room)
{
	if (d->num_ports > room)
		return LIBUSB_ERROR_OVERFLOW;
	memcpy(ports, d->ports, (size_t)d->num_ports);
	return d->num_ports;
}

const char *libusb_strerror(int error)
{
	static const char *const texts[] = {[0] = "Success",
		[1] = "Input/Output Error",
		[3] = "Access denied",
		[4] = "No such device",
		[6] = "Resource busy",
		[11] = "Insufficient memory"};
	size_t n = (size_t)-error;

	return n < sizeof(texts) / sizeof(texts[0]) && texts[n] ? texts[n] : "Another error";
}

/* ---- the library ---- */

int libusb_init(libusb_context **out)
{
	if (leave(enter(FAKE_LIBUSB_INIT)))
		return fake_libusb.errors[FAKE_LIBUSB_INIT];
	require(!fake_libusb.contexts++);
	context.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	require(context.fd > 0);
	*out = &context;
	return 0;
}

void libusb_exit(libusb_context *c)
{
	require(c == &context && fake_libusb.contexts-- && !fake_libusb.num_transfers);
	for (const struct libusb_device *d = devices; d; d = d->next)
		require(!d->opened && d->refs == 1);
	close(context.fd);
	memset(&context, 0, sizeof(context));
}

const struct libusb_pollfd **libusb_get_pollfds(libusb_context *c)
{
	static struct libusb_pollfd fd;
	static const struct libusb_pollfd *all[2] = {&fd};

	fd = (struct libusb_pollfd){.fd = c->fd, .events = POLLIN};
	return leave(enter(FAKE_LIBUSB_POLLFDS)) ? NULL : all;
}

void libusb_free_pollfds(const struct libusb_pollfd **fds)
{
	(void)fds;
}

void libusb_set_pollfd_notifiers(libusb_context *c, libusb_pollfd_added_cb added,
	libusb_pollfd_removed_cb removed, void *user)
{
	c->added = added;
	c->removed = removed;
	c->watcher = user;
}

int libusb_handle_events_timeout_completed(libusb_context *c, struct timeval *tv, int *completed)
{
	eventfd_t events;

	require(!tv->tv_sec && !tv->tv_usec && !completed);
	(void)eventfd_read(c->fd, &events);
	fake_libusb_deliver();
	return 0;
}

int libusb_hotplug_register_callback(libusb_context *c, int events, int flags, int vendor,
	int product, int class, libusb_hotplug_callback_fn callback, void *user,
	libusb_hotplug_callback_handle *handle)
{
	require(events == 3 && flags == LIBUSB_HOTPLUG_ENUMERATE && !handle);
	require(vendor == LIBUSB_HOTPLUG_MATCH_ANY && product == LIBUSB_HOTPLUG_MATCH_ANY &&
		class == LIBUSB_HOTPLUG_MATCH_ANY);
	if (leave(enter(FAKE_LIBUSB_HOTPLUG)))
		return fake_libusb.errors[FAKE_LIBUSB_HOTPLUG];
	c->on_hotplug = callback;
	c->user = user;
	for (struct libusb_device *d = devices; d; d = d->next) {
		if (d->plugged)
			callback(c, d, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED, user);
	}
	return 0;
}
