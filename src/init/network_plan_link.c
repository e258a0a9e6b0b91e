/* Links that have to get another name, to be made, or to go. */
#include "init/network_plan.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#define BOND_MONITOR_MS 100 /* how often a bond looks at its members' carriers */
#define BOND_LACP_FAST 1    /* a dead partner is noticed after 3 s and not after 90 */
#define BOND_HASH_LAYER34 1 /* by address and port: sessions to one host share the members */

static size_t begin_link(struct network_plan *plan, u16 type, u16 flags, u32 index)
{
	struct ifinfomsg head = { .ifi_index = (int)index };

	return message_begin(plan->messages, type, (u16)(NLM_F_ACK | flags), &head, sizeof(head));
}

static bool ask_down(struct network_plan *plan, const struct network_link *link)
{
	struct ifinfomsg head = { .ifi_index = (int)link->index, .ifi_change = IFF_UP };
	size_t begin;

	if (!(link->flags & IFF_UP))
		return true;
	begin = message_begin(plan->messages, RTM_NEWLINK, NLM_F_ACK, &head, sizeof(head));
	return network_plan_ask(plan, begin, "%s: down", link->name);
}

static bool ask_delete(struct network_plan *plan, const struct network_link *link)
{
	size_t begin = begin_link(plan, RTM_DELLINK, 0, link->index);

	return network_plan_ask(plan, begin, "%s: removed", link->name);
}

/* ---- names ---- */

static bool has_mac(const struct network_link *link, const u8 mac[6])
{
	static const u8 none[6];

	if (!network_is_ethernet(link))
		return false;
	/* Members of a bond all show the bond's address. */
	if (memcmp(link->permanent_mac, none, 6) != 0)
		return memcmp(link->permanent_mac, mac, 6) == 0;
	return memcmp(link->mac, mac, 6) == 0;
}

static bool ask_rename(struct network_plan *plan, const struct network_link *link, const char *name)
{
	size_t begin;

	/* A link that is up keeps its name. */
	if (!ask_down(plan, link))
		return false;
	begin = begin_link(plan, RTM_NEWLINK, 0, link->index);
	message_add_text(plan->messages, IFLA_IFNAME, name);
	return network_plan_ask(plan, begin, "%s: is now %s", link->name, name);
}

/* Whoever has the name of another gives way to it. */
static bool plan_name(struct network_plan *plan, const struct network_interface *interface)
{
	const struct network_known_link *holder = network_state_named(plan->state, interface->name);
	char other[IFNAMSIZ];

	for (size_t i = 0; i < plan->state->link_count; i++) {
		const struct network_known_link *known = &plan->state->links[i];

		if (!has_mac(&known->link, interface->mac))
			continue;
		if (known == holder)
			return false;
		if (holder) {
			snprintf(other, sizeof(other), "port%u", holder->link.index);
			if (!ask_rename(plan, &holder->link, other))
				return false;
		}
		return ask_rename(plan, &known->link, interface->name);
	}
	return false;
}

static bool plan_names(struct network_plan *plan)
{
	static const u8 none[6];
	bool asked = false;

	for (size_t i = 0; i < plan->wanted->interface_count; i++) {
		const struct network_interface *interface = &plan->wanted->interfaces[i];

		if (memcmp(interface->mac, none, 6) != 0)
			asked = plan_name(plan, interface) || asked;
	}
	return asked;
}

/* ---- VLANs and bonds ---- */

static bool is_made_by_us(const struct network_link *link)
{
	return strcmp(link->kind, "vlan") == 0 || strcmp(link->kind, "bond") == 0;
}

static bool is_as_wanted(const struct network_plan *plan, const struct network_interface *interface,
			 const struct network_link *link)
{
	const struct network_known_link *parent;

	if (interface->kind == APPLIANCE_BOND)
		return strcmp(link->kind, "bond") == 0 && link->bond_mode == interface->mode;
	if (interface->kind != APPLIANCE_VLAN)
		return !is_made_by_us(link);
	parent = network_state_named(plan->state, interface->parent);
	return strcmp(link->kind, "vlan") == 0 && link->vlan_id == interface->vlan_id && parent &&
	       link->parent == parent->link.index;
}

static void ask_bond(struct network_plan *plan, const struct network_interface *interface)
{
	size_t begin = begin_link(plan, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	bool hashes = interface->mode == APPLIANCE_BOND_BALANCE_XOR ||
		      interface->mode == APPLIANCE_BOND_802_3AD ||
		      interface->mode == APPLIANCE_BOND_BALANCE_TLB;
	size_t info;
	size_t data;

	message_add_text(plan->messages, IFLA_IFNAME, interface->name);
	info = message_nest(plan->messages, IFLA_LINKINFO);
	message_add(plan->messages, IFLA_INFO_KIND, "bond", 4);
	data = message_nest(plan->messages, IFLA_INFO_DATA);
	message_add(plan->messages, IFLA_BOND_MODE, &interface->mode, 1);
	message_add_u32(plan->messages, IFLA_BOND_MIIMON, BOND_MONITOR_MS);
	if (hashes)
		message_add(plan->messages, IFLA_BOND_XMIT_HASH_POLICY,
			    &(u8){ BOND_HASH_LAYER34 }, 1);
	if (interface->mode == APPLIANCE_BOND_802_3AD)
		message_add(plan->messages, IFLA_BOND_AD_LACP_RATE, &(u8){ BOND_LACP_FAST }, 1);
	message_nest_end(plan->messages, data);
	message_nest_end(plan->messages, info);
	network_plan_ask(plan, begin, "%s: bond made", interface->name);
}

static void ask_vlan(struct network_plan *plan, const struct network_interface *interface)
{
	const struct network_known_link *parent =
		network_state_named(plan->state, interface->parent);
	size_t begin;
	size_t info;
	size_t data;

	if (!parent)
		return;
	begin = begin_link(plan, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	message_add_text(plan->messages, IFLA_IFNAME, interface->name);
	message_add_u32(plan->messages, IFLA_LINK, parent->link.index);
	info = message_nest(plan->messages, IFLA_LINKINFO);
	message_add(plan->messages, IFLA_INFO_KIND, "vlan", 4);
	data = message_nest(plan->messages, IFLA_INFO_DATA);
	message_add(plan->messages, IFLA_VLAN_ID, &interface->vlan_id, sizeof(u16));
	message_nest_end(plan->messages, data);
	message_nest_end(plan->messages, info);
	network_plan_ask(plan, begin, "%s: VLAN %u on %s made", interface->name,
			 interface->vlan_id, interface->parent);
}

static void plan_unwanted(struct network_plan *plan)
{
	for (size_t i = 0; i < plan->state->link_count; i++) {
		const struct network_link *link = &plan->state->links[i].link;
		const struct network_interface *interface =
			network_wanted_named(plan->wanted, link->name);

		if (is_made_by_us(link) && (!interface || !is_as_wanted(plan, interface, link)))
			ask_delete(plan, link);
	}
}

static void plan_made(struct network_plan *plan)
{
	for (size_t i = 0; i < plan->wanted->interface_count; i++) {
		const struct network_interface *interface = &plan->wanted->interfaces[i];

		if (interface->kind == APPLIANCE_ETHERNET ||
		    network_state_named(plan->state, interface->name))
			continue;
		if (interface->kind == APPLIANCE_BOND)
			ask_bond(plan, interface);
		else
			ask_vlan(plan, interface);
	}
}

static void ask_master(struct network_plan *plan, const struct network_link *link, u32 master,
		       const char *name)
{
	size_t begin;

	/* A bond takes only members that are down, and brings them up itself. */
	if (master != 0 && !ask_down(plan, link))
		return;
	begin = begin_link(plan, RTM_NEWLINK, 0, link->index);
	message_add_u32(plan->messages, IFLA_MASTER, master);
	network_plan_ask(plan, begin, "%s: %s %s", link->name, master ? "joins" : "leaves", name);
}

static const struct network_known_link *bond_for(const struct network_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->wanted->interface_count; i++) {
		const struct network_interface *bond = &plan->wanted->interfaces[i];

		for (size_t k = 0; k < bond->member_count; k++) {
			if (strcmp(bond->members[k], name) == 0)
				return network_state_named(plan->state, bond->name);
		}
	}
	return NULL;
}

static void plan_members(struct network_plan *plan)
{
	for (size_t i = 0; i < plan->state->link_count; i++) {
		const struct network_link *link = &plan->state->links[i].link;
		const struct network_known_link *bond = bond_for(plan, link->name);
		const struct network_known_link *now =
			network_state_link(plan->state, link->master);

		if (bond && strcmp(bond->link.kind, "bond") == 0 &&
		    link->master != bond->link.index)
			ask_master(plan, link, bond->link.index, bond->link.name);
		else if (!bond && now && strcmp(now->link.kind, "bond") == 0)
			ask_master(plan, link, 0, now->link.name);
	}
}

bool network_plan_links(struct network_plan *plan)
{
	if (plan_names(plan))
		return true;
	plan_unwanted(plan);
	plan_made(plan);
	plan_members(plan);
	return false;
}
