#include "init/network_wanted.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static void parse_optional(struct net_address *address, const char *text)
{
	if (!text || !net_address_parse(address, slice_of(text), false))
		*address = (struct net_address){ .family = 0 };
}

static u8 digit_of(char c)
{
	return (u8)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
}

/* "52:54:00:12:34:56", as the appliance's file has it. */
static void parse_mac(u8 mac[6], const char *text)
{
	for (u32 i = 0; text && i < 6; i++)
		mac[i] = (u8)(digit_of(text[3 * i]) << 4 | digit_of(text[3 * i + 1]));
}

static bool set_interface(struct network_interface *to, const struct appliance_interface *from)
{
	*to = (struct network_interface){ .kind = from->kind,
					  .method = from->method,
					  .ipv6 = from->ipv6,
					  .mtu = from->mtu,
					  .vlan_id = (u16)from->id,
					  .mode = (u8)from->mode };
	to->addresses = calloc(from->addresses.count + 1, sizeof(*to->addresses));
	if (!to->addresses)
		return false;
	slice_copy(to->name, sizeof(to->name), slice_of(from->name));
	if (from->parent)
		slice_copy(to->parent, sizeof(to->parent), slice_of(from->parent));
	for (size_t i = 0; i < from->addresses.count; i++) {
		if (net_prefix_parse(&to->addresses[to->address_count],
				     slice_of(from->addresses.items[i])))
			to->address_count++;
	}
	for (size_t i = 0; i < from->members.count && i < NETWORK_MEMBERS_MAX; i++)
		slice_copy(to->members[to->member_count++], IFNAMSIZ,
			   slice_of(from->members.items[i]));
	parse_optional(&to->gateway, from->gateway);
	parse_optional(&to->gateway6, from->gateway6);
	parse_mac(to->mac, from->match_mac);
	return true;
}

bool network_wanted_set(struct network_wanted *wanted, const struct appliance *appliance)
{
	struct network_wanted *fresh = calloc(1, sizeof(*fresh));
	bool done = fresh != NULL;

	for (size_t i = 0; done && i < appliance->interface_count; i++) {
		done = set_interface(&fresh->interfaces[i], &appliance->interfaces[i]);
		fresh->interface_count++;
	}
	if (!done) {
		if (fresh)
			network_wanted_done(fresh);
		free(fresh);
		return false;
	}
	for (size_t i = 0; i < appliance->resolvers.count; i++) {
		if (fresh->resolver_count < NETWORK_RESOLVERS_MAX &&
		    net_address_parse(&fresh->resolvers[fresh->resolver_count],
				      slice_of(appliance->resolvers.items[i]), false))
			fresh->resolver_count++;
	}
	slice_copy(fresh->hostname, sizeof(fresh->hostname), slice_of(appliance->hostname));
	if (appliance->domain)
		slice_copy(fresh->domain, sizeof(fresh->domain), slice_of(appliance->domain));
	network_wanted_done(wanted);
	*wanted = *fresh;
	free(fresh);
	return true;
}

void network_wanted_done(struct network_wanted *wanted)
{
	for (size_t i = 0; i < wanted->interface_count; i++)
		free(wanted->interfaces[i].addresses);
	memset(wanted, 0, sizeof(*wanted));
}

const struct network_interface *network_wanted_named(const struct network_wanted *wanted,
						     const char *name)
{
	for (size_t i = 0; i < wanted->interface_count; i++) {
		if (strcmp(wanted->interfaces[i].name, name) == 0)
			return &wanted->interfaces[i];
	}
	return NULL;
}
