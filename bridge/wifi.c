/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridge/wifi.h"

#include <errno.h>

#ifdef HAVE_NL
#include <net/if.h>

#include <linux/nl80211.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

static int on_valid(struct nl_msg *message, void *user)
{
	struct nlattr *attributes[NL80211_ATTR_PS_STATE + 1];
	int *state = user;

	if (!genlmsg_parse(nlmsg_hdr(message), 0, attributes, NL80211_ATTR_PS_STATE, NULL) &&
		attributes[NL80211_ATTR_PS_STATE])
		*state = nla_get_u32(attributes[NL80211_ATTR_PS_STATE]) == NL80211_PS_ENABLED;
	return NL_OK;
}

/* libnl's numbers are its own; those of the kernel that tell something are these. */
static int to_errno(int r)
{
	return r == -NLE_OPNOTSUPP		       ? -EOPNOTSUPP
		: r == -NLE_PERM || r == -NLE_NOACCESS ? -EPERM
		: r == -NLE_NODEV		       ? -ENODEV
		: r == -NLE_NOMEM		       ? -ENOMEM
						       : -EIO;
}

static int request(struct nl_sock *socket, int command, const char *interface, const bool *on)
{
	unsigned index = if_nametoindex(interface);
	int family = genl_ctrl_resolve(socket, NL80211_GENL_NAME), r;
	struct nl_msg *message;

	if (!index || family < 0)
		return index ? -EOPNOTSUPP : -ENODEV;
	message = nlmsg_alloc();
	if (!message)
		return -ENOMEM;
	r = genlmsg_put(message, 0, 0, family, 0, 0, (uint8_t)command, 0) &&
			!nla_put_u32(message, NL80211_ATTR_IFINDEX, index) &&
			(!on ||
				!nla_put_u32(message, NL80211_ATTR_PS_STATE,
					*on ? NL80211_PS_ENABLED : NL80211_PS_DISABLED))
		? nl_send_auto(socket, message)
		: -NLE_NOMEM;
	nlmsg_free(message);
	if (r >= 0)
		r = nl_wait_for_ack(socket);
	return r < 0 ? to_errno(r) : 0;
}

/* `on` NULL: asks, and *state is set. */
static int talk(int command, const char *interface, const bool *on, int *state)
{
	struct nl_sock *socket = nl_socket_alloc();
	int r;

	if (!socket)
		return -ENOMEM;
	r = nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_valid, state);
	if (!r)
		r = genl_connect(socket);
	r = r ? to_errno(r) : request(socket, command, interface, on);
	nl_socket_free(socket);
	return r;
}

int wifi_power_save(const char *interface)
{
	int state = -EOPNOTSUPP;
	int r = talk(NL80211_CMD_GET_POWER_SAVE, interface, NULL, &state);

	return r ? r : state;
}

int wifi_set_power_save(const char *interface, bool on)
{
	int state;

	return talk(NL80211_CMD_SET_POWER_SAVE, interface, &on, &state);
}

#else

int wifi_power_save(const char *interface)
{
	(void)interface;
	return -EOPNOTSUPP;
}

int wifi_set_power_save(const char *interface, bool on)
{
	(void)interface;
	(void)on;
	return -EOPNOTSUPP;
}

#endif
