/*
 * What the kernel has told of links, addresses and routes, kept up to date by its messages. The
 * tables are bounded; what does not fit is forgotten and counted.
 */
#ifndef INIT_NETWORK_STATE_H
#define INIT_NETWORK_STATE_H

#include "init/network_message.h"

#define NETWORK_LINKS_MAX 256
#define NETWORK_ADDRESSES_MAX 16384
#define NETWORK_ROUTES_MAX 4096
#define NETWORK_RULES_MAX 2048
#define NETWORK_ADVERTISED_MAX 16
/* The table of an interface: this and its index. */
#define NETWORK_TABLE_FIRST 1000

/* How the IPv6 settings of a link were last written. */
enum network_ipv6 {
	NETWORK_IPV6_UNKNOWN,
	NETWORK_IPV6_AUTO,
	NETWORK_IPV6_STATIC,
	NETWORK_IPV6_OFF,
};

struct network_known_link {
	struct network_link link;
	u32 first_mtu; /* as it was when it was first seen */
	enum network_ipv6 ipv6;
	bool carrier;
	bool seen;	     /* by the dump that is under way */
	u64 carrier_lost_ms; /* when it went away; 0: it never was there */
};

struct network_known_advertised {
	struct network_advertised advertised;
	u64 until_ms;
};

struct network_state {
	struct network_known_link *links;
	size_t link_count;
	struct network_address *addresses;
	size_t address_count;
	struct network_route *routes; /* of the main table and of interfaces' own */
	size_t route_count;
	struct network_rule *rules;
	size_t rule_count;
	struct network_known_advertised advertised[NETWORK_ADVERTISED_MAX];
	size_t advertised_count;
	u64 forgotten;
};

/* False: no memory. */
bool network_state_init(struct network_state *state) MUST_CHECK;
void network_state_done(struct network_state *state);
/*
 * Around a dump: addresses and routes are forgotten before it, links that it did not tell of after
 * it; the others keep what we know beside them.
 */
void network_state_begin(struct network_state *state);
void network_state_end(struct network_state *state);
/* Takes one message in; true: something is different now. */
bool network_state_apply(struct network_state *state, const struct message *message, u64 now_ms);
/* Name servers whose time is over go. True: some went. */
bool network_state_expire(struct network_state *state, u64 now_ms);

struct network_known_link *network_state_link(const struct network_state *state, u32 index);
struct network_known_link *network_state_named(const struct network_state *state, const char *name);
bool network_rule_equal(const struct network_rule *a, const struct network_rule *b);
bool network_route_equal(const struct network_route *a, const struct network_route *b);

#endif
