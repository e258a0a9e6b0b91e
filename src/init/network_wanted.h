/*
 * What the network is to be: appliance.conf in a form to compare with what the kernel tells, and
 * the leases that DHCP brought.
 */
#ifndef INIT_NETWORK_WANTED_H
#define INIT_NETWORK_WANTED_H

#include "base/appliance.h"
#include "base/net_address.h"
#include "init/network_state.h"

#include <jansson.h>

#define NETWORK_MEMBERS_MAX 16
#define NETWORK_RESOLVERS_MAX 8
#define NETWORK_LEASE_ROUTES_MAX 16
#define NETWORK_LEASE_SERVERS_MAX 4

struct network_interface {
	char name[IFNAMSIZ];
	enum appliance_kind kind;
	enum appliance_method method;
	enum appliance_ipv6 ipv6;
	struct net_prefix *addresses; /* owned */
	size_t address_count;
	struct net_address gateway; /* family 0: none */
	struct net_address gateway6;
	u32 mtu;   /* 0: as it comes */
	u8 mac[6]; /* zeros: the name counts */
	char parent[IFNAMSIZ];
	u16 vlan_id;
	char members[NETWORK_MEMBERS_MAX][IFNAMSIZ];
	size_t member_count;
	u8 mode;
};

struct network_wanted {
	/* None: every Ethernet interface with a carrier gets dhcp and ipv6 auto. */
	struct network_interface interfaces[APPLIANCE_INTERFACES_MAX];
	size_t interface_count;
	struct net_address resolvers[NETWORK_RESOLVERS_MAX];
	size_t resolver_count;
	char hostname[64];
	char domain[256];
};

/* `wanted` is zeroed or of an earlier call. False: no memory, and it is as it was. */
bool network_wanted_set(struct network_wanted *wanted, const struct appliance *appliance)
	MUST_CHECK;
void network_wanted_done(struct network_wanted *wanted);
const struct network_interface *network_wanted_named(const struct network_wanted *wanted,
						     const char *name);

struct network_lease_route {
	struct net_prefix to;
	struct net_address gateway; /* 0.0.0.0: on the link */
};

struct network_lease {
	char interface[IFNAMSIZ]; /* "": none */
	struct net_prefix address;
	struct net_address router; /* family 0: none */
	/* RFC 3442: with any of these the router does not count. */
	struct network_lease_route routes[NETWORK_LEASE_ROUTES_MAX];
	size_t route_count;
	struct net_address resolvers[NETWORK_LEASE_SERVERS_MAX];
	size_t resolver_count;
	struct net_address ntp[NETWORK_LEASE_SERVERS_MAX];
	size_t ntp_count;
	struct net_address server; /* who gave it */
	char domain[256];
	u32 mtu; /* 0: not told */
	u64 until_ms;
};

/*
 * From the words that udhcpc gives its program: ip, mask, router, staticroutes, dns, domain,
 * ntpsrv, lease, mtu, serverid. What a server sends is checked; parts that make no sense are left
 * out, an address that makes none refuses the lease.
 */
bool network_lease_read(struct network_lease *lease, const char *interface, const json_t *words,
			u64 now_ms, struct error *error) MUST_CHECK;

#endif
