/* What options have to be to one another, and how that is told. */
#include "base/appliance_table.h"

#include "base/check.h"
#include "base/net_address.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MTU_MIN 576	   /* RFC 791: what every host takes */
#define MTU_IPV6_MIN 1280 /* RFC 8200 section 5 */

struct checker {
	const struct appliance *appliance;
	const struct appliance_interface *interface; /* the one that is looked at */
	struct appliance_fault *fault;
};

static bool refuse(struct checker *c, const char *option, const char *fmt, ...) PRINTF_LIKE(3, 4);

static bool refuse(struct checker *c, const char *option, const char *fmt, ...)
{
	va_list args;

	c->fault->interface = c->interface;
	c->fault->option = option;
	va_start(args, fmt);
	vsnprintf(c->fault->text, sizeof(c->fault->text), fmt, args);
	va_end(args);
	return false;
}

static bool has_item(const struct config_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], text) == 0)
			return true;
	}
	return false;
}

/* Shapes were checked before. */
static struct net_prefix prefix_of(const char *text)
{
	struct net_prefix prefix;
	bool fine = net_prefix_parse(&prefix, slice_of(text));

	ASSERT(fine);
	return prefix;
}

static size_t count_family(const struct appliance_interface *interface, u8 family)
{
	size_t count = 0;

	for (size_t i = 0; i < interface->addresses.count; i++)
		count += prefix_of(interface->addresses.items[i]).address.family == family;
	return count;
}

static bool check_families(struct checker *c)
{
	const struct appliance_interface *i = c->interface;
	size_t v4 = count_family(i, 4);
	size_t v6 = count_family(i, 6);

	if (i->method == APPLIANCE_STATIC && v4 == 0)
		return refuse(c, "method", "static, but no IPv4 address is among the addresses");
	if (i->method == APPLIANCE_NO_IPV4 && v4 > 0)
		return refuse(c, "addresses", "has IPv4, but the method is none");
	if (i->method != APPLIANCE_STATIC && i->gateway)
		return refuse(c, "gateway", "goes with the method static only");
	if (i->ipv6 == APPLIANCE_IPV6_STATIC && v6 == 0)
		return refuse(c, "ipv6", "static, but no IPv6 address is among the addresses");
	if (i->ipv6 == APPLIANCE_IPV6_OFF && v6 > 0)
		return refuse(c, "addresses", "has IPv6, but ipv6 is off");
	if (i->ipv6 == APPLIANCE_IPV6_OFF && i->gateway6)
		return refuse(c, "gateway6", "given, but ipv6 is off");
	return true;
}

static bool is_link_local(const struct net_address *address)
{
	return address->family == 6 && address->ip[0] == 0xfe && (address->ip[1] & 0xc0) == 0x80;
}

/*
 * A gateway is in a network of the interface. Hosts that were given a single address (a prefix of
 * the whole length) have theirs outside: whoever numbers them so means it to be on the link.
 */
static bool check_gateway(struct checker *c, const char *option, const char *text)
{
	const struct config_list *addresses = &c->interface->addresses;
	struct net_address gateway;
	bool reached = false;

	if (!text)
		return true;
	if (!net_address_parse(&gateway, slice_of(text), false))
		return refuse(c, option, "not an address");
	for (size_t i = 0; i < addresses->count; i++) {
		struct net_prefix own = prefix_of(addresses->items[i]);

		if (net_address_equal(&own.address, &gateway))
			return refuse(c, option, "%s is an address of the interface itself", text);
		if (own.address.family == gateway.family)
			reached = reached || net_prefix_has(&own, &gateway) ||
				  own.bits == (own.address.family == 4 ? 32 : 128);
	}
	if (reached || is_link_local(&gateway) ||
	    (gateway.family == 6 && c->interface->ipv6 == APPLIANCE_IPV6_AUTO))
		return true;
	return refuse(c, option, "%s is in no network of the addresses", text);
}

/* No two interfaces, and no one twice, whatever the length of the prefix. */
static bool check_addresses(struct checker *c)
{
	const struct config_list *mine = &c->interface->addresses;

	for (size_t i = 0; i < mine->count; i++) {
		struct net_prefix one = prefix_of(mine->items[i]);

		for (const struct appliance_interface *other = c->appliance->interfaces;
		     other <= c->interface; other++) {
			size_t count = other == c->interface ? i : other->addresses.count;

			for (size_t j = 0; j < count; j++) {
				struct net_prefix two = prefix_of(other->addresses.items[j]);

				if (net_address_equal(&one.address, &two.address))
					return refuse(c, "addresses",
						      "%s is there twice, first in \"%s\"",
						      mine->items[i], other->name);
			}
		}
	}
	return true;
}

static bool check_mtu(struct checker *c)
{
	const struct appliance_interface *i = c->interface;
	u32 min = i->ipv6 == APPLIANCE_IPV6_OFF ? MTU_MIN : MTU_IPV6_MIN;

	if (i->mtu == 0 || i->mtu >= min)
		return true;
	return refuse(c, "mtu", "less than %u, which %s needs", min,
		      min == MTU_MIN ? "IPv4" : "IPv6");
}

/* The bond that has it among its members, or NULL. */
static const struct appliance_interface *bond_of(const struct checker *c, const char *name)
{
	for (size_t i = 0; i < c->appliance->interface_count; i++) {
		const struct appliance_interface *bond = &c->appliance->interfaces[i];

		if (bond->kind == APPLIANCE_BOND && has_item(&bond->members, name))
			return bond;
	}
	return NULL;
}

static const struct appliance_interface *find(const struct checker *c, const char *name)
{
	for (size_t i = 0; i < c->appliance->interface_count; i++) {
		if (strcmp(c->appliance->interfaces[i].name, name) == 0)
			return &c->appliance->interfaces[i];
	}
	return NULL;
}

static bool check_vlan(struct checker *c)
{
	const struct appliance_interface *i = c->interface;
	const struct appliance_interface *parent;

	if (i->kind != APPLIANCE_VLAN)
		return true;
	if (!i->parent)
		return refuse(c, "parent", "is missing");
	if (i->id == 0)
		return refuse(c, "id", "is missing");
	parent = find(c, i->parent);
	if (parent && parent->kind == APPLIANCE_VLAN)
		return refuse(c, "parent", "\"%s\" is a VLAN itself", i->parent);
	if (bond_of(c, i->parent))
		return refuse(c, "parent", "\"%s\" is a member of \"%s\"", i->parent,
			      bond_of(c, i->parent)->name);
	if (parent && parent->mtu > 0 && i->mtu > parent->mtu)
		return refuse(c, "mtu", "more than the %u of \"%s\"", parent->mtu, parent->name);
	for (const struct appliance_interface *other = c->appliance->interfaces; other < i;
	     other++) {
		if (other->kind == APPLIANCE_VLAN && other->id == i->id && other->parent &&
		    strcmp(other->parent, i->parent) == 0)
			return refuse(c, "id", "%u is that of \"%s\", too", i->id, other->name);
	}
	return true;
}

static bool check_bond(struct checker *c)
{
	const struct appliance_interface *i = c->interface;

	if (i->kind == APPLIANCE_BOND && i->members.count == 0)
		return refuse(c, "members", "at least one is needed");
	for (size_t k = 0; k < i->members.count; k++) {
		const char *name = i->members.items[k];
		const struct appliance_interface *member = find(c, name);

		if (bond_of(c, name) != i)
			return refuse(c, "members", "\"%s\" is a member of \"%s\", too", name,
				      bond_of(c, name)->name);
		if (member && member->kind != APPLIANCE_ETHERNET)
			return refuse(c, "members", "\"%s\" is no Ethernet interface", name);
		if (member && (member->method != APPLIANCE_NO_IPV4 ||
			       member->ipv6 != APPLIANCE_IPV6_OFF))
			return refuse(c, "members",
				      "\"%s\" has addresses of its own: its method must be none, "
				      "its ipv6 off",
				      name);
	}
	return true;
}

static bool check_names(struct checker *c)
{
	const struct appliance_interface *i = c->interface;

	for (const struct appliance_interface *other = c->appliance->interfaces; other < i;
	     other++) {
		if (strcmp(other->name, i->name) == 0)
			return refuse(c, NULL, "this interface is there twice");
		if (i->match_mac && other->match_mac &&
		    strcmp(i->match_mac, other->match_mac) == 0)
			return refuse(c, "match-mac", "%s is that of \"%s\", too", i->match_mac,
				      other->name);
	}
	return true;
}

bool appliance_is_sound(const struct appliance *appliance, struct appliance_fault *fault)
{
	struct checker c = { .appliance = appliance, .fault = fault };

	for (size_t i = 0; i < appliance->interface_count; i++) {
		c.interface = &appliance->interfaces[i];
		if (!check_names(&c) || !check_families(&c) || !check_addresses(&c) ||
		    !check_gateway(&c, "gateway", c.interface->gateway) ||
		    !check_gateway(&c, "gateway6", c.interface->gateway6) || !check_mtu(&c) ||
		    !check_vlan(&c) || !check_bond(&c))
			return false;
	}
	return true;
}

bool appliance_check(const struct appliance *appliance, struct error *error)
{
	struct appliance_fault fault;

	if (appliance_is_sound(appliance, &fault))
		return true;
	return error_set(error, "%s \"%s\": %s%s%s",
			 appliance_section_of(fault.interface->kind)->name, fault.interface->name,
			 fault.option ? fault.option : "", fault.option ? ": " : "", fault.text);
}
