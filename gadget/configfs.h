/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * configfs: the gadget's tree under /sys/kernel/config/usb_gadget, through libusbgx.
 *
 * One gadget, one configuration with the camera's number, one FunctionFS function; all three carry
 * the same name. `view` is a folder for libusbgx to find that gadget alone in; it is made if
 * missing, and may be left.
 */
#ifndef GADGET_CONFIGFS_H
#define GADGET_CONFIGFS_H

struct configfs;
struct usb_profile;

/* Removes the gadget `name` that a killed predecessor left, bound or not. Unmount its FunctionFS
 * first. 0 also when there is none; -ENOENT: no USB gadget support in this kernel, or configfs not
 * mounted. */
int configfs_clean(const char *name, const char *view);

/* Makes the tree as `profile` says. The function instance exists afterwards, and can be mounted. */
int configfs_new(const struct usb_profile *profile, const char *name, const char *view,
	struct configfs **out);

/* Binds it to the UDC of that name. -ENODEV: there is none; -EBUSY: it is taken. The log says so.
 */
int configfs_bind(struct configfs *c, const char *udc);

/* The UDC that it is bound to, or NULL. */
const char *configfs_udc(const struct configfs *c);

/* The phone sees an unplug. No error when it is not bound. */
void configfs_unbind(struct configfs *c);

/* Unbinds and removes the tree. The FunctionFS must be unmounted. */
void configfs_free(struct configfs *c);

#endif
