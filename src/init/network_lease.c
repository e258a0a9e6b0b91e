/* What a DHCP server said, checked: anybody on the link can play one. */
#include "init/network_wanted.h"

#include "base/text.h"

#include <string.h>

#define LEASE_S_DEFAULT 3600
#define LEASE_S_MIN 30		     /* shorter ones are held so long: a client renews at half */
#define LEASE_S_MAX (366u * 86400u) /* also those without an end */
#define MTU_MIN 1280		     /* less would shut IPv6 off */
#define MTU_MAX 9216

static struct slice word(const json_t *words, const char *name)
{
	const char *text = json_string_value(json_object_get(words, name));

	return text ? slice_trim(slice_of(text)) : SLICE("");
}

/* IPv4 addresses that a host can have, separated by spaces; others are left out. */
static size_t read_addresses(struct slice text, struct net_address *out, size_t max)
{
	size_t count = 0;

	while (text.ptr && count < max) {
		struct slice item = slice_split(&text, ' ');

		if (net_address_parse(&out[count], item, false) && out[count].family == 4 &&
		    out[count].ip[0] != 0 && out[count].ip[0] < 224)
			count++;
	}
	return count;
}

/* "10.0.0.0/8 192.0.2.1 0.0.0.0/0 192.0.2.254" */
static void read_routes(struct slice text, struct network_lease *lease)
{
	while (text.ptr && lease->route_count < NETWORK_LEASE_ROUTES_MAX) {
		struct network_lease_route *route = &lease->routes[lease->route_count];
		struct slice to = slice_split(&text, ' ');
		struct slice gateway = text.ptr ? slice_split(&text, ' ') : SLICE("");
		struct net_range range;

		if (!net_range_parse(&range, to) || range.base.family != 4 ||
		    !net_address_parse(&route->gateway, gateway, false) ||
		    route->gateway.family != 4 || route->gateway.ip[0] >= 224)
			continue;
		route->to = (struct net_prefix){ range.base, range.bits };
		lease->route_count++;
	}
}

/* Labels only: it becomes a line of resolv.conf. */
static void read_domain(struct slice text, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '.' && c != '_')
			return;
	}
	if (!slice_copy(out, size, text))
		out[0] = '\0';
}

bool network_lease_read(struct network_lease *lease, const char *interface, const json_t *words,
			u64 now_ms, struct error *error)
{
	struct slice ip = word(words, "ip");
	u32 seconds = LEASE_S_DEFAULT;
	u32 number;

	memset(lease, 0, sizeof(*lease));
	if (!slice_copy(lease->interface, sizeof(lease->interface), slice_of(interface)))
		return error_set(error, "network.dhcp: no interface has such a name");
	if (read_addresses(ip, &lease->address.address, 1) != 1 ||
	    lease->address.address.ip[0] == 127)
		return error_set(error, "network.dhcp: \"%.40s\" is no address of a host", ip.ptr);
	lease->address.bits = 24;
	if (slice_to_u32(word(words, "mask"), &number) && number >= 1 && number <= 32)
		lease->address.bits = (u8)number;
	if (read_addresses(word(words, "router"), &lease->router, 1) != 1)
		lease->router.family = 0;
	if (read_addresses(word(words, "serverid"), &lease->server, 1) != 1)
		lease->server.family = 0;
	read_routes(word(words, "staticroutes"), lease);
	lease->resolver_count =
		read_addresses(word(words, "dns"), lease->resolvers, NETWORK_LEASE_SERVERS_MAX);
	lease->ntp_count =
		read_addresses(word(words, "ntpsrv"), lease->ntp, NETWORK_LEASE_SERVERS_MAX);
	read_domain(word(words, "domain"), lease->domain, sizeof(lease->domain));
	if (slice_to_u32(word(words, "mtu"), &number) && number >= MTU_MIN && number <= MTU_MAX)
		lease->mtu = number;
	if (slice_to_u32(word(words, "lease"), &number))
		seconds = number;
	seconds = seconds < LEASE_S_MIN ? LEASE_S_MIN : min_u32(seconds, LEASE_S_MAX);
	lease->until_ms = now_ms + 1000ull * seconds;
	return true;
}
