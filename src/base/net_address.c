#include "base/net_address.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define IP(...)                                                                                    \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

struct block {
	u8 bits;
	u8 ip[16];
};

/* IANA IPv4 Special-Purpose Address Registry, with multicast (RFC 5771) and what is reserved. */
static const struct block special_v4[] = {
	{ 8, IP(0) },		  /* this network, RFC 791 */
	{ 8, IP(10) },		  /* private, RFC 1918 */
	{ 10, IP(100, 64) },	  /* shared, RFC 6598 */
	{ 8, IP(127) },		  /* loopback, RFC 1122 */
	{ 16, IP(169, 254) },	  /* link-local, RFC 3927; cloud metadata lives there */
	{ 12, IP(172, 16) },	  /* private, RFC 1918 */
	{ 24, IP(192, 0, 0) },	  /* protocol assignments, RFC 6890 */
	{ 24, IP(192, 0, 2) },	  /* documentation, RFC 5737 */
	{ 24, IP(192, 88, 99) },  /* 6to4 relay anycast, RFC 7526 */
	{ 16, IP(192, 168) },	  /* private, RFC 1918 */
	{ 15, IP(198, 18) },	  /* benchmarking, RFC 2544 */
	{ 24, IP(198, 51, 100) }, /* documentation, RFC 5737 */
	{ 24, IP(203, 0, 113) },  /* documentation, RFC 5737 */
	{ 4, IP(224) },		  /* multicast, RFC 5771 */
	{ 4, IP(240) },		  /* reserved, RFC 1112, with the broadcast address */
};

/* Inside 2000::/3; what is outside of that is no global unicast address at all. */
static const struct block special_v6[] = {
	{ 23, IP(0x20, 0x01) },		    /* protocol assignments with Teredo, RFC 2928 */
	{ 32, IP(0x20, 0x01, 0x0d, 0xb8) }, /* documentation, RFC 3849 */
	{ 20, IP(0x3f, 0xff) },		    /* documentation, RFC 9637 */
};

static const struct block global_unicast = { 3, IP(0x20) };
static const struct block nat64 = { 96, IP(0x00, 0x64, 0xff, 0x9b) }; /* RFC 6052 */
static const struct block six_to_four = { 16, IP(0x20, 0x02) };	      /* RFC 3056 */
static const struct block mapped = { 96, IP(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff) };

static bool in_block(const u8 *ip, const u8 *base, u32 bits)
{
	u32 bytes = bits / 8;
	u32 rest = bits % 8;

	if (memcmp(ip, base, bytes) != 0)
		return false;
	return rest == 0 || ((ip[bytes] ^ base[bytes]) >> (8 - rest)) == 0;
}

static bool parse_host(struct net_address *address, struct slice text)
{
	char copy[INET6_ADDRSTRLEN];
	bool v6 = slice_find_char(text, ':') >= 0;

	if (text.len == 0 || slice_find_char(text, '\0') >= 0 ||
	    !slice_copy(copy, sizeof(copy), text))
		return false;
	*address = (struct net_address){ .family = v6 ? 6 : 4 };
	return inet_pton(v6 ? AF_INET6 : AF_INET, copy, address->ip) == 1;
}

static bool parse_port(u16 *port, struct slice text)
{
	u32 value;

	if (text.len > 5 || !slice_to_u32(text, &value) || value < 1 || value > 65535)
		return false;
	*port = (u16)value;
	return true;
}

bool net_address_parse(struct net_address *address, struct slice text, bool with_port)
{
	struct slice host;
	i64 end;

	if (parse_host(address, text))
		return true;
	if (!with_port || text.len == 0)
		return false;
	if (text.ptr[0] == '[') {
		end = slice_find(text, SLICE("]:"));
		if (end < 0)
			return false;
		host = slice_from(slice_first(text, (size_t)end), 1);
		return parse_host(address, host) && address->family == 6 &&
		       parse_port(&address->port, slice_from(text, (size_t)end + 2));
	}
	end = slice_find_char(text, ':');
	if (end < 0)
		return false;
	return parse_host(address, slice_first(text, (size_t)end)) &&
	       parse_port(&address->port, slice_from(text, (size_t)end + 1));
}

void net_address_format(char out[NET_ADDRESS_TEXT_SIZE], const struct net_address *address,
			bool with_port)
{
	char host[INET6_ADDRSTRLEN] = "";
	bool v6 = address->family == 6;

	inet_ntop(v6 ? AF_INET6 : AF_INET, address->ip, host, sizeof(host));
	if (with_port)
		snprintf(out, NET_ADDRESS_TEXT_SIZE, v6 ? "[%s]:%u" : "%s:%u", host, address->port);
	else
		snprintf(out, NET_ADDRESS_TEXT_SIZE, "%s", host);
}

static size_t ip_length(const struct net_address *address)
{
	return address->family == 6 ? 16 : 4;
}

static bool same_ip(const struct net_address *a, const struct net_address *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, ip_length(a)) == 0;
}

bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
	return same_ip(a, b) && a->port == b->port;
}

static struct net_address unmap(const struct net_address *address)
{
	struct net_address v4 = { .family = 4, .port = address->port };

	if (address->family != 6 || !in_block(address->ip, mapped.ip, mapped.bits))
		return *address;
	memcpy(v4.ip, address->ip + 12, 4);
	return v4;
}

bool net_address_same_host(const struct net_address *a, const struct net_address *b)
{
	struct net_address a4 = unmap(a);
	struct net_address b4 = unmap(b);

	return same_ip(&a4, &b4);
}

bool net_range_parse(struct net_range *range, struct slice text)
{
	struct slice bits_text = text;
	struct slice base = slice_split(&bits_text, '/');
	u32 width;
	u32 bits;

	if (!parse_host(&range->base, base))
		return false;
	width = range->base.family == 6 ? 128 : 32;
	bits = width;
	if (bits_text.ptr && (bits_text.len > 3 || !slice_to_u32(bits_text, &bits) || bits > width))
		return false;
	for (u32 i = bits; i < width; i++) {
		if (range->base.ip[i / 8] & (0x80 >> i % 8))
			return false;
	}
	range->bits = (u8)bits;
	return true;
}

bool net_range_has(const struct net_range *range, const struct net_address *address)
{
	return range->base.family == address->family &&
	       in_block(address->ip, range->base.ip, range->bits);
}

bool net_prefix_parse(struct net_prefix *prefix, struct slice text)
{
	struct slice bits_text = text;
	struct slice host = slice_split(&bits_text, '/');
	u32 bits;

	if (!bits_text.ptr || bits_text.len > 3 || !slice_to_u32(bits_text, &bits) ||
	    !parse_host(&prefix->address, host) || bits > 8 * ip_length(&prefix->address))
		return false;
	prefix->bits = (u8)bits;
	return true;
}

void net_prefix_format(char out[NET_PREFIX_TEXT_SIZE], const struct net_prefix *prefix)
{
	char host[NET_ADDRESS_TEXT_SIZE];

	net_address_format(host, &prefix->address, false);
	snprintf(out, NET_PREFIX_TEXT_SIZE, "%s/%u", host, prefix->bits);
}

bool net_prefix_has(const struct net_prefix *prefix, const struct net_address *address)
{
	return prefix->address.family == address->family &&
	       in_block(address->ip, prefix->address.ip, prefix->bits);
}

static bool in_any(const u8 *ip, const struct block *blocks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (in_block(ip, blocks[i].ip, blocks[i].bits))
			return true;
	}
	return false;
}

static bool is_special_v4(const u8 *ip)
{
	return in_any(ip, special_v4, array_count(special_v4));
}

bool net_address_is_special(const struct net_address *address)
{
	const u8 *ip = address->ip;

	if (address->family == 4)
		return is_special_v4(ip);
	if (address->family != 6)
		return true;
	if (in_block(ip, nat64.ip, nat64.bits))
		return is_special_v4(ip + 12);
	if (in_block(ip, six_to_four.ip, six_to_four.bits))
		return is_special_v4(ip + 2);
	return !in_block(ip, global_unicast.ip, global_unicast.bits) ||
	       in_any(ip, special_v6, array_count(special_v6));
}
