#include "init/network_state.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

bool network_state_init(struct network_state *state)
{
	*state = (struct network_state){ .links = NULL };
	state->links = calloc(NETWORK_LINKS_MAX, sizeof(*state->links));
	state->addresses = calloc(NETWORK_ADDRESSES_MAX, sizeof(*state->addresses));
	state->routes = calloc(NETWORK_ROUTES_MAX, sizeof(*state->routes));
	state->rules = calloc(NETWORK_RULES_MAX, sizeof(*state->rules));
	if (state->links && state->addresses && state->routes && state->rules)
		return true;
	network_state_done(state);
	return false;
}

void network_state_done(struct network_state *state)
{
	free(state->links);
	free(state->addresses);
	free(state->routes);
	free(state->rules);
	*state = (struct network_state){ .links = NULL };
}

struct network_known_link *network_state_link(const struct network_state *state, u32 index)
{
	for (size_t i = 0; i < state->link_count; i++) {
		if (state->links[i].link.index == index)
			return &state->links[i];
	}
	return NULL;
}

struct network_known_link *network_state_named(const struct network_state *state, const char *name)
{
	for (size_t i = 0; i < state->link_count; i++) {
		if (strcmp(state->links[i].link.name, name) == 0)
			return &state->links[i];
	}
	return NULL;
}

static void drop_address(struct network_state *state, size_t at)
{
	memmove(&state->addresses[at], &state->addresses[at + 1],
		(--state->address_count - at) * sizeof(*state->addresses));
}

static void drop_route(struct network_state *state, size_t at)
{
	memmove(&state->routes[at], &state->routes[at + 1],
		(--state->route_count - at) * sizeof(*state->routes));
}

/* Family 0: of both. */
static void drop_routes_of(struct network_state *state, u32 index, u8 family)
{
	for (size_t i = state->route_count; i-- > 0;) {
		if (state->routes[i].index == index &&
		    (family == 0 || state->routes[i].to.address.family == family))
			drop_route(state, i);
	}
}

/* Member by member: what lies between them is anything. */
static bool same_link(const struct network_link *a, const struct network_link *b)
{
	return strcmp(a->name, b->name) == 0 && memcmp(a->mac, b->mac, 6) == 0 &&
	       memcmp(a->permanent_mac, b->permanent_mac, 6) == 0 && a->type == b->type &&
	       a->flags == b->flags && a->mtu == b->mtu && a->master == b->master &&
	       a->parent == b->parent && strcmp(a->kind, b->kind) == 0 &&
	       a->vlan_id == b->vlan_id && a->bond_mode == b->bond_mode;
}

static bool apply_link(struct network_state *state, const struct network_link *link, u64 now_ms)
{
	struct network_known_link *known = network_state_link(state, link->index);
	bool carrier = link->flags & IFF_LOWER_UP;
	bool changed;

	if (!known) {
		if (state->link_count == NETWORK_LINKS_MAX) {
			state->forgotten++;
			return false;
		}
		known = &state->links[state->link_count++];
		*known = (struct network_known_link){ .first_mtu = link->mtu };
	}
	changed = !same_link(&known->link, link);
	/* The kernel takes the routes of a link that is shut down, and does not tell of each. */
	if ((known->link.flags & IFF_UP) && !(link->flags & IFF_UP))
		drop_routes_of(state, link->index, 0);
	if (known->carrier && !carrier)
		known->carrier_lost_ms = now_ms;
	known->carrier = carrier;
	known->seen = true;
	known->link = *link;
	return changed;
}

/* What hung on it goes with it. */
static bool drop_link(struct network_state *state, u32 index)
{
	struct network_known_link *known = network_state_link(state, index);
	size_t at;

	if (!known)
		return false;
	at = (size_t)(known - state->links);
	memmove(known, known + 1, (--state->link_count - at) * sizeof(*known));
	drop_routes_of(state, index, 0);
	for (size_t i = state->address_count; i-- > 0;) {
		if (state->addresses[i].index == index)
			drop_address(state, i);
	}
	return true;
}

void network_state_begin(struct network_state *state)
{
	state->address_count = 0;
	state->route_count = 0;
	state->rule_count = 0;
	for (size_t i = 0; i < state->link_count; i++)
		state->links[i].seen = false;
}

void network_state_end(struct network_state *state)
{
	for (size_t i = state->link_count; i-- > 0;) {
		if (!state->links[i].seen)
			drop_link(state, state->links[i].link.index);
	}
}

/* IPv4 may have one address with two lengths; IPv6 has each once. */
static struct network_address *find_address(struct network_state *state,
					    const struct network_address *address)
{
	for (size_t i = 0; i < state->address_count; i++) {
		struct network_address *known = &state->addresses[i];

		if (known->index == address->index &&
		    known->prefix.bits == address->prefix.bits &&
		    net_address_equal(&known->prefix.address, &address->prefix.address))
			return known;
	}
	return NULL;
}

static bool has_ipv4(const struct network_state *state, u32 index)
{
	for (size_t i = 0; i < state->address_count; i++) {
		if (state->addresses[i].index == index &&
		    state->addresses[i].prefix.address.family == 4)
			return true;
	}
	return false;
}

/*
 * IPv4 routes that the kernel takes without a word: those that prefer the address as their source,
 * and with a link's last address all of that link.
 */
static void drop_routes_with(struct network_state *state, const struct network_address *address)
{
	if (address->prefix.address.family != 4)
		return;
	for (size_t i = state->route_count; i-- > 0;) {
		const struct net_address *source = &state->routes[i].source;

		if (source->family == 4 && net_address_equal(source, &address->prefix.address))
			drop_route(state, i);
	}
	if (!has_ipv4(state, address->index))
		drop_routes_of(state, address->index, 4);
}

static bool apply_address(struct network_state *state, const struct network_address *address,
			  bool gone)
{
	struct network_address *known = find_address(state, address);
	bool changed;

	if (gone) {
		if (known)
			drop_address(state, (size_t)(known - state->addresses));
		drop_routes_with(state, address);
		return known != NULL;
	}
	if (!known) {
		if (state->address_count == NETWORK_ADDRESSES_MAX) {
			state->forgotten++;
			return false;
		}
		state->addresses[state->address_count++] = *address;
		return true;
	}
	changed = known->flags != address->flags;
	*known = *address;
	return changed;
}

static bool same_optional(const struct net_address *a, const struct net_address *b)
{
	return a->family == b->family && (a->family == 0 || net_address_equal(a, b));
}

bool network_route_equal(const struct network_route *a, const struct network_route *b)
{
	return a->index == b->index && a->metric == b->metric && a->protocol == b->protocol &&
	       a->table == b->table && a->to.bits == b->to.bits &&
	       net_address_equal(&a->to.address, &b->to.address) &&
	       same_optional(&a->gateway, &b->gateway) && same_optional(&a->source, &b->source);
}

static bool apply_route(struct network_state *state, const struct network_route *route, bool gone)
{
	size_t at = 0;

	if (route->table != RT_TABLE_MAIN && route->table < NETWORK_TABLE_FIRST)
		return false;
	while (at < state->route_count && !network_route_equal(&state->routes[at], route))
		at++;
	if (at < state->route_count) {
		if (gone)
			drop_route(state, at);
		return gone;
	}
	if (gone)
		return false;
	if (state->route_count == NETWORK_ROUTES_MAX) {
		state->forgotten++;
		return false;
	}
	state->routes[state->route_count++] = *route;
	return true;
}

bool network_rule_equal(const struct network_rule *a, const struct network_rule *b)
{
	return a->family == b->family && a->priority == b->priority && a->table == b->table &&
	       a->no_defaults == b->no_defaults && a->from.bits == b->from.bits &&
	       net_address_equal(&a->from.address, &b->from.address);
}

static bool apply_rule(struct network_state *state, const struct network_rule *rule, bool gone)
{
	size_t at = 0;

	while (at < state->rule_count && !network_rule_equal(&state->rules[at], rule))
		at++;
	if (gone) {
		if (at == state->rule_count)
			return false;
		memmove(&state->rules[at], &state->rules[at + 1],
			(--state->rule_count - at) * sizeof(*state->rules));
		return true;
	}
	if (at < state->rule_count)
		return false;
	if (state->rule_count == NETWORK_RULES_MAX) {
		state->forgotten++;
		return false;
	}
	state->rules[state->rule_count++] = *rule;
	return true;
}

static void drop_advertised(struct network_state *state, size_t at)
{
	memmove(&state->advertised[at], &state->advertised[at + 1],
		(--state->advertised_count - at) * sizeof(*state->advertised));
}

static bool apply_advertised(struct network_state *state, const struct network_advertised *item,
			     u64 now_ms)
{
	size_t at = 0;

	while (at < state->advertised_count &&
	       (state->advertised[at].advertised.index != item->index ||
		!net_address_equal(&state->advertised[at].advertised.address, &item->address)))
		at++;
	if (item->lifetime_s == 0) {
		if (at < state->advertised_count)
			drop_advertised(state, at);
		return true;
	}
	if (at == NETWORK_ADVERTISED_MAX) {
		state->forgotten++;
		return false;
	}
	if (at == state->advertised_count)
		state->advertised_count++;
	state->advertised[at].advertised = *item;
	state->advertised[at].until_ms = now_ms + 1000ull * item->lifetime_s;
	return true;
}

bool network_state_expire(struct network_state *state, u64 now_ms)
{
	bool changed = false;

	for (size_t i = state->advertised_count; i-- > 0;) {
		if (state->advertised[i].until_ms <= now_ms) {
			drop_advertised(state, i);
			changed = true;
		}
	}
	return changed;
}

bool network_state_apply(struct network_state *state, const struct message *message, u64 now_ms)
{
	bool changed = false;

	switch (message->kind) {
	case MESSAGE_LINK:
		return apply_link(state, &message->link, now_ms);
	case MESSAGE_LINK_GONE:
		return drop_link(state, message->link.index);
	case MESSAGE_ADDRESS:
		return apply_address(state, &message->address, false);
	case MESSAGE_ADDRESS_GONE:
		return apply_address(state, &message->address, true);
	case MESSAGE_ROUTE:
		return apply_route(state, &message->route, false);
	case MESSAGE_ROUTE_GONE:
		return apply_route(state, &message->route, true);
	case MESSAGE_RULE:
		return apply_rule(state, &message->rule, false);
	case MESSAGE_RULE_GONE:
		return apply_rule(state, &message->rule, true);
	case MESSAGE_ADVERTISED:
		for (u32 i = 0; i < message->advertised.count; i++)
			changed = apply_advertised(state, &message->advertised.items[i], now_ms) ||
				  changed;
		return changed;
	default:
		return false;
	}
}
