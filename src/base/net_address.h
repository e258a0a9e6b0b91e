/*
 * IP addresses with ports, ranges of them, and the ranges that mail must never be sent to.
 */
#ifndef BASE_NET_ADDRESS_H
#define BASE_NET_ADDRESS_H

#include "base/types.h"

/* An IPv4 or IPv6 address with port. */
struct net_address {
	u8 family; /* 4 or 6 */
	u16 port;  /* host byte order; 0: none */
	u8 ip[16]; /* network byte order; IPv4 in the first four, the rest zero */
};
/*
 * "192.0.2.1", "2001:db8::1"; with_port also "192.0.2.1:25" and "[2001:db8::1]:25" (port 1..65535).
 * No zones ("fe80::1%eth0"), no short or octal forms.
 */
bool net_address_parse(struct net_address *address, struct slice text, bool with_port) MUST_CHECK;
#define NET_ADDRESS_TEXT_SIZE 56
void net_address_format(char out[NET_ADDRESS_TEXT_SIZE], const struct net_address *address,
			bool with_port);
bool net_address_equal(const struct net_address *a, const struct net_address *b); /* and ports */
/* The same host: ports do not count, and ::ffff:192.0.2.1 is 192.0.2.1. */
bool net_address_same_host(const struct net_address *a, const struct net_address *b);

/* A range such as 10.0.0.0/8. */
struct net_range {
	struct net_address base;
	u8 bits;
};
/* An address alone is a range of one. Refuses bits that are set behind the prefix. */
bool net_range_parse(struct net_range *range, struct slice text) MUST_CHECK;
/* Families do not mix: ::ffff:10.0.0.1 is not in 10.0.0.0/8. */
bool net_range_has(const struct net_range *range, const struct net_address *address);

/* An interface's address and how many of its bits are the network's: 192.0.2.10/24. */
struct net_prefix {
	struct net_address address; /* its port is 0 */
	u8 bits;
};
/* The slash must be there. False: another shape, or more bits than the family has. */
bool net_prefix_parse(struct net_prefix *prefix, struct slice text) MUST_CHECK;
#define NET_PREFIX_TEXT_SIZE (NET_ADDRESS_TEXT_SIZE + 4)
void net_prefix_format(char out[NET_PREFIX_TEXT_SIZE], const struct net_prefix *prefix);
/* Whether the address is in that network; families do not mix. */
bool net_prefix_has(const struct net_prefix *prefix, const struct net_address *address);

/*
 * True when mail must never be sent there (RFC 6890 and the IANA registries behind it): IPv4
 * unspecified, loopback, private, link-local, shared (100.64/10), protocol assignments,
 * benchmarking, documentation, multicast, reserved, broadcast; IPv6 everything outside 2000::/3 (so
 * also ::, ::1, fc00::/7, fe80::/10, ff00::/8, every IPv4-mapped and -compatible form), 2001::/23,
 * documentation; NAT64 (64:ff9b::/96) and 6to4 (2002::/16) when the IPv4 address inside is special.
 * Our own addresses are the caller's to add.
 */
bool net_address_is_special(const struct net_address *address);

#endif
