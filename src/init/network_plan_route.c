/* Addresses and routes: what there should be, and the difference. */
#include "init/network_plan.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/* Those of a lease, one for each family, and these once more in the link's own table. */
#define ROUTES_OF_LINK (2 * (NETWORK_LEASE_ROUTES_MAX + 2))

static u8 af_of(const struct net_address *address)
{
	return address->family == 6 ? AF_INET6 : AF_INET;
}

static size_t length_of(const struct net_address *address)
{
	return address->family == 6 ? 16 : 4;
}


static bool is_link_local(const struct net_address *address)
{
	return address->family == 6 && address->ip[0] == 0xfe && (address->ip[1] & 0xc0) == 0x80;
}

static const char *name_of(const struct network_plan *plan, u32 index)
{
	const struct network_known_link *known = network_state_link(plan->state, index);

	return known ? known->link.name : "?";
}

/* ---- what there should be ---- */

static void want_address(struct network_plan *plan, u32 index, const struct net_prefix *prefix)
{
	if (plan->address_count < plan->address_max)
		plan->addresses[plan->address_count++] =
			(struct network_address){ .index = index, .prefix = *prefix };
}

static bool wants_family(const struct network_planned *planned, u8 family)
{
	if (family == 4)
		return planned->interface->method != APPLIANCE_NO_IPV4;
	return planned->interface->ipv6 != APPLIANCE_IPV6_OFF;
}

/* A gateway in none of the networks is on the link all the same: somebody said so. */
static bool is_outside(const struct network_planned *planned, const struct net_address *gateway)
{
	const struct network_interface *interface = planned->interface;

	if (is_link_local(gateway))
		return false;
	if (planned->lease && net_prefix_has(&planned->lease->address, gateway))
		return false;
	for (size_t i = 0; i < interface->address_count; i++) {
		if (net_prefix_has(&interface->addresses[i], gateway))
			return false;
	}
	return true;
}

static struct network_route *want_route(struct network_plan *plan,
					const struct network_planned *planned,
					const struct net_address *gateway, u32 metric, u8 protocol)
{
	struct network_route *route = &plan->routes[plan->route_count++];

	*route = (struct network_route){ .protocol = protocol,
					 .table = RT_TABLE_MAIN,
					 .to.address.family = gateway->family,
					 .gateway = *gateway,
					 .index = planned->known->link.index,
					 .metric = metric + planned->rank };
	route->onlink = gateway->family == 4 && is_outside(planned, gateway);
	return route;
}

/* Sessions that do not choose an address have the first one, whichever the kernel took first. */
static void want_static(struct network_plan *plan, const struct network_planned *planned)
{
	const struct network_interface *interface = planned->interface;
	struct network_route *route;

	for (size_t i = 0; i < interface->address_count; i++) {
		if (wants_family(planned, interface->addresses[i].address.family))
			want_address(plan, planned->known->link.index, &interface->addresses[i]);
	}
	if (interface->gateway.family == 4 && interface->method == APPLIANCE_STATIC) {
		route = want_route(plan, planned, &interface->gateway, NETWORK_METRIC_STATIC,
				   RTPROT_STATIC);
		for (size_t i = interface->address_count; i-- > 0;) {
			if (interface->addresses[i].address.family == 4)
				route->source = interface->addresses[i].address;
		}
	}
	if (interface->gateway6.family == 6 && interface->ipv6 != APPLIANCE_IPV6_OFF) {
		route = want_route(plan, planned, &interface->gateway6, NETWORK_METRIC_STATIC,
				   RTPROT_STATIC);
		route->onlink = is_outside(planned, &interface->gateway6);
	}
}

static void want_leased(struct network_plan *plan, const struct network_planned *planned)
{
	const struct network_lease *lease = planned->lease;

	if (!lease)
		return;
	want_address(plan, planned->known->link.index, &lease->address);
	for (size_t i = 0; i < lease->route_count; i++) {
		const struct network_lease_route *from = &lease->routes[i];
		struct network_route *route = want_route(plan, planned, &from->gateway,
							 NETWORK_METRIC_DHCP, RTPROT_DHCP);

		route->to = from->to;
		route->source = lease->address.address;
		if (from->gateway.ip[0] == 0) {
			route->gateway.family = 0;
			route->onlink = false;
		}
	}
	if (lease->route_count == 0 && lease->router.family == 4)
		want_route(plan, planned, &lease->router, NETWORK_METRIC_DHCP, RTPROT_DHCP)
			->source = lease->address.address;
}

static bool collect(struct network_plan *plan)
{
	for (size_t i = 0; i < plan->planned_count; i++)
		plan->address_max += plan->planned[i].interface->address_count + 1;
	plan->addresses = calloc(plan->address_max + 1, sizeof(*plan->addresses));
	plan->routes = calloc(plan->planned_count * ROUTES_OF_LINK + 1, sizeof(*plan->routes));
	if (!plan->addresses || !plan->routes)
		return false;
	for (size_t i = 0; i < plan->planned_count; i++) {
		want_static(plan, &plan->planned[i]);
		want_leased(plan, &plan->planned[i]);
	}
	return network_plan_sources(plan);
}

/* ---- addresses ---- */

static bool same_address(const struct network_address *a, const struct network_address *b)
{
	return a->index == b->index && a->prefix.bits == b->prefix.bits &&
	       net_address_equal(&a->prefix.address, &b->prefix.address);
}

static bool has_address(const struct network_address *list, size_t count,
			const struct network_address *address)
{
	for (size_t i = 0; i < count; i++) {
		if (same_address(&list[i], address))
			return true;
	}
	return false;
}

static void ask_address(struct network_plan *plan, const struct network_address *address, bool add)
{
	const struct net_prefix *prefix = &address->prefix;
	const struct net_address *ip = &prefix->address;
	struct ifaddrmsg head = { .ifa_family = af_of(ip),
				  .ifa_prefixlen = prefix->bits,
				  .ifa_index = address->index };
	u16 flags = NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	char text[NET_PREFIX_TEXT_SIZE];
	size_t begin = message_begin(plan->messages, add ? RTM_NEWADDR : RTM_DELADDR, flags, &head,
				     sizeof(head));

	message_add(plan->messages, IFA_LOCAL, ip->ip, length_of(ip));
	message_add(plan->messages, IFA_ADDRESS, ip->ip, length_of(ip));
	if (add && ip->family == 4 && prefix->bits < 31) {
		u8 broadcast[4];

		memcpy(broadcast, ip->ip, 4);
		for (u32 i = prefix->bits; i < 32; i++)
			broadcast[i / 8] |= (u8)(0x80 >> i % 8);
		message_add(plan->messages, IFA_BROADCAST, broadcast, 4);
	}
	net_prefix_format(text, prefix);
	network_plan_ask(plan, begin, "%s: address %s%s", name_of(plan, address->index), text,
			 add ? "" : " removed");
}

static void plan_addresses_wanted(struct network_plan *plan)
{
	for (size_t i = 0; i < plan->address_count; i++) {
		const struct network_address *address = &plan->addresses[i];
		const struct network_known_link *known =
			network_state_link(plan->state, address->index);

		/* A link that is down has no IPv6. */
		if (address->prefix.address.family == 6 && known && !(known->link.flags & IFF_UP))
			continue;
		if (!has_address(plan->state->addresses, plan->state->address_count, address))
			ask_address(plan, address, true);
	}
}

static const struct network_planned *planned_of(const struct network_plan *plan, u32 index)
{
	for (size_t i = 0; i < plan->planned_count; i++) {
		if (plan->planned[i].known->link.index == index)
			return &plan->planned[i];
	}
	return NULL;
}

static bool is_auto(const struct network_plan *plan, u32 index)
{
	const struct network_planned *planned = planned_of(plan, index);

	return planned && planned->interface->ipv6 == APPLIANCE_IPV6_AUTO;
}

/* The kernel's own: link-local, and what routers advertise where that is wanted. */
static bool is_kernels(const struct network_plan *plan, const struct network_address *address)
{
	if (address->prefix.address.family != 6)
		return false;
	return is_link_local(&address->prefix.address) ||
	       (!(address->flags & IFA_F_PERMANENT) && is_auto(plan, address->index));
}

static void plan_addresses_unwanted(struct network_plan *plan)
{
	for (size_t i = 0; i < plan->state->address_count; i++) {
		const struct network_address *address = &plan->state->addresses[i];
		const struct network_known_link *known =
			network_state_link(plan->state, address->index);

		if (!known || (known->link.flags & IFF_LOOPBACK) || is_kernels(plan, address) ||
		    has_address(plan->addresses, plan->address_count, address))
			continue;
		ask_address(plan, address, false);
	}
}

/* ---- routes ---- */

static bool has_route(const struct network_route *list, size_t count,
		      const struct network_route *route)
{
	for (size_t i = 0; i < count; i++) {
		if (network_route_equal(&list[i], route))
			return true;
	}
	return false;
}

static void ask_route(struct network_plan *plan, const struct network_route *route, bool add)
{
	struct rtmsg head = { .rtm_family = af_of(&route->to.address),
			      .rtm_dst_len = route->to.bits,
			      .rtm_table = route->table < 256 ? (u8)route->table : RT_TABLE_UNSPEC,
			      .rtm_protocol = route->protocol,
			      .rtm_type = RTN_UNICAST,
			      .rtm_flags = route->onlink ? RTNH_F_ONLINK : 0 };
	u16 flags = NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	char to[NET_PREFIX_TEXT_SIZE];
	char via[NET_ADDRESS_TEXT_SIZE] = "";
	size_t begin;

	if (route->gateway.family == 0 && route->to.address.family == 4)
		head.rtm_scope = RT_SCOPE_LINK;
	begin = message_begin(plan->messages, add ? RTM_NEWROUTE : RTM_DELROUTE, flags, &head,
			      sizeof(head));
	if (route->to.bits > 0)
		message_add(plan->messages, RTA_DST, route->to.address.ip,
			    length_of(&route->to.address));
	if (route->gateway.family)
		message_add(plan->messages, RTA_GATEWAY, route->gateway.ip,
			    length_of(&route->gateway));
	if (route->source.family)
		message_add(plan->messages, RTA_PREFSRC, route->source.ip,
			    length_of(&route->source));
	message_add_u32(plan->messages, RTA_OIF, route->index);
	message_add_u32(plan->messages, RTA_PRIORITY, route->metric);
	message_add_u32(plan->messages, RTA_TABLE, route->table);
	net_prefix_format(to, &route->to);
	if (route->gateway.family)
		net_address_format(via, &route->gateway, false);
	network_plan_ask(plan, begin, "%s: route %s%s%s%s%s", name_of(plan, route->index), to,
			 via[0] ? " via " : "", via,
			 route->table == RT_TABLE_MAIN ? "" : " for its addresses",
			 add ? "" : " removed");
}

/* Ours, and those of routers where nobody wants them; the kernel's own go with their addresses. */
static void plan_routes_unwanted(struct network_plan *plan)
{
	for (size_t i = 0; i < plan->state->route_count; i++) {
		const struct network_route *route = &plan->state->routes[i];
		bool ours = route->protocol == RTPROT_STATIC || route->protocol == RTPROT_DHCP ||
			    route->protocol == RTPROT_BOOT;
		bool routers = route->protocol == RTPROT_RA && !is_auto(plan, route->index);

		if ((ours || routers) && !has_route(plan->routes, plan->route_count, route))
			ask_route(plan, route, false);
	}
}

static void plan_routes_wanted(struct network_plan *plan)
{
	for (size_t i = 0; i < plan->route_count; i++) {
		const struct network_route *route = &plan->routes[i];
		const struct network_known_link *known =
			network_state_link(plan->state, route->index);

		if (!known || !(known->link.flags & IFF_UP))
			continue;
		if (!has_route(plan->state->routes, plan->state->route_count, route))
			ask_route(plan, route, true);
	}
}

bool network_plan_addresses(struct network_plan *plan)
{
	if (!collect(plan))
		return false;
	network_plan_rules(plan, false);
	plan_routes_unwanted(plan);
	plan_addresses_wanted(plan);
	plan_addresses_unwanted(plan);
	plan_routes_wanted(plan);
	network_plan_rules(plan, true);
	return true;
}
