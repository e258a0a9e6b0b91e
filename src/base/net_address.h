/*
 * IP addresses with ports, ranges of them, and the ranges that mail must never be sent to.
 */
#ifndef BASE_NET_ADDRESS_H
#define BASE_NET_ADDRESS_H

#include "base/types.h"

/* An IPv4 or IPv6 address with port. */
struct net_address {
	u8 family; /* 4 or 6 */
	u16 port;  /* host byte order */
	u8 ip[16]; /* network byte order; IPv4 in the first four */
};
/* "192.0.2.1", "2001:db8::1"; with_port also "192.0.2.1:25" and "[2001:db8::1]:25". */
bool net_address_parse(struct net_address *address, struct slice text, bool with_port) MUST_CHECK;
#define NET_ADDRESS_TEXT_SIZE 56
void net_address_format(char out[NET_ADDRESS_TEXT_SIZE], const struct net_address *address,
			bool with_port);
bool net_address_equal(const struct net_address *a, const struct net_address *b);

/* A range such as 10.0.0.0/8. */
struct net_range {
	struct net_address base;
	u8 bits;
};
bool net_range_parse(struct net_range *range, struct slice text) MUST_CHECK;
bool net_range_has(const struct net_range *range, const struct net_address *address);

/*
 * True when mail must never be sent there: unspecified, loopback, private, link-local, shared
 * (100.64/10), multicast, broadcast, reserved, documentation ranges, and IPv4-mapped or NAT64 forms of
 * these (RFC 6890). Our own addresses are the caller's to add.
 */
bool net_address_is_special(const struct net_address *address);

#endif
