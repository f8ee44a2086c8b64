/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "properties.h"

#include <pthread.h>

#include "dataset.h"
#include "events.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define TYPE_U8 2
#define TYPE_U16 4
#define TYPE_U32 6
#define FORM_RANGE 1
#define FORM_ENUMERATION 2

/* Light that a picture needs: exposure time (0.1 ms) times sensitivity. */
#define EXPOSURE (1250 * 100)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct property {
	uint16_t code, type;
	bool writable;
	uint32_t initial, value;
	unsigned num_choices; /* none: from 0 to 100 */
	uint32_t choices[8];
} properties[] = {
	{PROPERTY_BATTERY_LEVEL, TYPE_U8, false, 80, 80, 0, {0}},
	{PROPERTY_EXPOSURE_TIME, TYPE_U32, true, 1250, 1250, 7, {19, 39, 78, 156, 312, 625, 1250}},
	{PROPERTY_EXPOSURE_INDEX, TYPE_U16, true, 100, 100, 7,
		{100, 200, 400, 800, 1600, 3200, 6400}},
	{PROPERTY_LIVE_VIEW_STATUS, TYPE_U8, false, 0, 0, 2, {0, 1}},
};

static struct property *find(uint16_t code)
{
	for (size_t i = 0; i < LENGTH(properties); i++) {
		if (properties[i].code == code)
			return &properties[i];
	}
	return NULL;
}

static size_t size_of(const struct property *p)
{
	return p->type == TYPE_U8 ? 1 : p->type == TYPE_U16 ? 2 : 4;
}

static void put(struct dataset *d, const struct property *p, uint32_t value)
{
	for (size_t i = 0; i < size_of(p); i++)
		dataset_put_u8(d, (uint8_t)(value >> (8 * i)));
}

void properties_put_codes(struct dataset *d)
{
	uint16_t codes[LENGTH(properties)];

	for (size_t i = 0; i < LENGTH(codes); i++)
		codes[i] = properties[i].code;
	dataset_put_u16s(d, codes, LENGTH(codes));
}

bool properties_put_description(struct dataset *d, uint16_t code)
{
	const struct property *p = find(code);

	if (!p)
		return false;
	pthread_mutex_lock(&lock);
	dataset_put_u16(d, p->code);
	dataset_put_u16(d, p->type);
	dataset_put_u8(d, p->writable);
	put(d, p, p->initial);
	put(d, p, p->value);
	dataset_put_u8(d, p->num_choices ? FORM_ENUMERATION : FORM_RANGE);
	if (p->num_choices) {
		dataset_put_u16(d, (uint16_t)p->num_choices);
		for (unsigned i = 0; i < p->num_choices; i++)
			put(d, p, p->choices[i]);
	} else {
		put(d, p, 0);
		put(d, p, 100);
		put(d, p, 1);
	}
	pthread_mutex_unlock(&lock);
	return true;
}

bool properties_put_value(struct dataset *d, uint16_t code)
{
	const struct property *p = find(code);

	if (!p)
		return false;
	pthread_mutex_lock(&lock);
	put(d, p, p->value);
	pthread_mutex_unlock(&lock);
	return true;
}

size_t properties_writable_size(uint16_t code)
{
	const struct property *p = find(code);

	return p && p->writable ? size_of(p) : 0;
}

static bool is_allowed(const struct property *p, uint32_t value)
{
	for (unsigned i = 0; i < p->num_choices; i++) {
		if (p->choices[i] == value)
			return true;
	}
	return !p->num_choices && value <= 100;
}

static void changed(uint16_t code)
{
	events_send(EVENT_DEVICE_PROP_CHANGED, EVENT_NO_TRANSACTION, code);
}

bool properties_set(uint16_t code, uint32_t value)
{
	struct property *p = find(code), *time = find(PROPERTY_EXPOSURE_TIME);

	if (!p || !is_allowed(p, value))
		return false;
	pthread_mutex_lock(&lock);
	p->value = value;
	if (code == PROPERTY_EXPOSURE_INDEX && time->value != EXPOSURE / value) {
		time->value = EXPOSURE / value;
		changed(time->code);
	}
	pthread_mutex_unlock(&lock);
	return true;
}

bool properties_change(uint16_t code, uint32_t value)
{
	if (!properties_set(code, value))
		return false;
	changed(code);
	return true;
}
