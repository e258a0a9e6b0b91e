#include "base/appliance_table.h"

#include "base/net_address.h"
#include "base/text.h"

#include <stdio.h>

#define HOSTNAME_MAX 63
#define ZONE_MAX 63
#define KEY_TEXT_MAX 4096 /* RSA-16384 has 2,800 */
#define KEY_COMMENT_MAX 128
#define RSA_BYTES_MIN 256 /* 2048 bits */

static const char *keep(struct arena *arena, const char *text)
{
	return arena_copy(arena, slice_of(text)).ptr;
}

const char *appliance_shape_hostname(struct arena *arena, struct slice text)
{
	if (text.len == 0 || text.len > HOSTNAME_MAX || slice_find_char(text, '_') >= 0)
		return NULL;
	return config_shape_selector(arena, text);
}

/* "Asia/Tokyo", "America/Argentina/Ushuaia", "Etc/GMT+9": no part may lead out of the folder. */
const char *appliance_shape_zone(struct arena *arena, struct slice text)
{
	struct slice rest = text;

	if (text.len == 0 || text.len > ZONE_MAX)
		return NULL;
	while (rest.ptr) {
		struct slice part = slice_split(&rest, '/');

		if (part.len == 0 || !ascii_is_alpha(part.ptr[0]))
			return NULL;
		for (size_t i = 0; i < part.len; i++) {
			char c = part.ptr[i];

			if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '_' && c != '-' &&
			    c != '+')
				return NULL;
		}
	}
	return arena_copy(arena, text).ptr;
}

const char *appliance_shape_domain(struct arena *arena, struct slice text)
{
	return text.len == 0 ? keep(arena, "") : config_shape_domain(arena, text);
}

/* An address that one host can have: not unspecified, loopback, multicast or reserved. */
static bool is_host(const struct net_address *address)
{
	const u8 *ip = address->ip;
	bool low = true;

	if (address->family == 4)
		return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
	for (u32 i = 0; i < 15; i++)
		low = low && ip[i] == 0;
	return ip[0] != 0xff && !low;
}

static const char *shape_host(struct arena *arena, struct slice text, u8 family)
{
	struct net_address address;
	char canonical[NET_ADDRESS_TEXT_SIZE];

	if (!net_address_parse(&address, text, false) || !is_host(&address) ||
	    (family && address.family != family))
		return NULL;
	net_address_format(canonical, &address, false);
	return keep(arena, canonical);
}

/* A resolver may be on this machine. */
const char *appliance_shape_address(struct arena *arena, struct slice text)
{
	struct net_address address;
	char canonical[NET_ADDRESS_TEXT_SIZE];

	if (!net_address_parse(&address, text, false))
		return NULL;
	net_address_format(canonical, &address, false);
	return keep(arena, canonical);
}

const char *appliance_shape_gateway(struct arena *arena, struct slice text)
{
	return text.len == 0 ? keep(arena, "") : shape_host(arena, text, 4);
}

const char *appliance_shape_gateway6(struct arena *arena, struct slice text)
{
	return text.len == 0 ? keep(arena, "") : shape_host(arena, text, 6);
}

const char *appliance_shape_server(struct arena *arena, struct slice text)
{
	const char *address = shape_host(arena, text, 0);

	if (address)
		return address;
	return slice_find_char(text, '_') < 0 ? config_shape_domain(arena, text) : NULL;
}

/* Behind the prefix neither all zeros (the network) nor, in IPv4, all ones (broadcast). */
static bool is_host_in_prefix(const struct net_prefix *prefix)
{
	u32 width = prefix->address.family == 4 ? 32 : 128;
	bool zeros = true;
	bool ones = true;

	if (prefix->bits + 1u >= width)
		return prefix->bits > 0;
	for (u32 i = prefix->bits; i < width; i++) {
		bool bit = prefix->address.ip[i / 8] & (0x80 >> i % 8);

		zeros = zeros && !bit;
		ones = ones && bit;
	}
	return prefix->bits > 0 && !zeros && !(ones && width == 32);
}

const char *appliance_shape_prefix(struct arena *arena, struct slice text)
{
	struct net_prefix prefix;
	char canonical[NET_PREFIX_TEXT_SIZE];

	if (!net_prefix_parse(&prefix, text) || !is_host(&prefix.address) ||
	    !is_host_in_prefix(&prefix))
		return NULL;
	net_prefix_format(canonical, &prefix);
	return keep(arena, canonical);
}

static bool is_hex(char c)
{
	return ascii_is_digit(c) || (c >= 'a' && c <= 'f');
}

const char *appliance_shape_mac(struct arena *arena, struct slice text)
{
	char mac[18];

	if (text.len == 0)
		return keep(arena, "");
	if (text.len != 17 || !slice_copy(mac, sizeof(mac), text))
		return NULL;
	ascii_lower_in_place(mac, 17);
	for (u32 i = 0; i < 17; i++) {
		if (i % 3 == 2 && mac[i] == '-')
			mac[i] = ':';
		if (i % 3 == 2 ? mac[i] != ':' : !is_hex(mac[i]))
			return NULL;
	}
	/* The lowest bit of the first byte is that of groups. */
	return strchr("13579bdf", mac[1]) ? NULL : keep(arena, mac);
}

/* "all" and "default" are folders beside interfaces in /proc/sys/net; "ssh" is a section here. */
const char *appliance_shape_interface(struct arena *arena, struct slice text)
{
	if (text.len == 0 || text.len > APPLIANCE_NAME_MAX || slice_equal(text, SLICE("lo")) ||
	    slice_equal(text, SLICE("all")) || slice_equal(text, SLICE("default")) ||
	    slice_equal(text, SLICE("ssh")))
		return NULL;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) &&
		    (i == 0 || (c != '.' && c != '_' && c != '-')))
			return NULL;
	}
	return arena_copy(arena, text).ptr;
}

/* RFC 4253 section 6.6, 5656, 8709; OpenSSH's PROTOCOL.u2f: how many strings a key consists of. */
static const struct key_type {
	const char *name;
	u32 parts;
	u32 check; /* which of them has a length to look at */
	u32 min;
	u32 max;
} key_types[] = {
	{ "ssh-ed25519", 2, 1, 32, 32 },
	{ "ssh-rsa", 3, 2, RSA_BYTES_MIN, KEY_TEXT_MAX },
	{ "ecdsa-sha2-nistp256", 3, 2, 65, 65 },
	{ "ecdsa-sha2-nistp384", 3, 2, 97, 97 },
	{ "ecdsa-sha2-nistp521", 3, 2, 133, 133 },
	{ "sk-ssh-ed25519@openssh.com", 3, 1, 32, 32 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", 4, 2, 65, 65 },
};

/* The next string (RFC 4251 section 5) of a blob. */
static bool take_string(struct slice *blob, struct slice *string)
{
	const u8 *p = (const u8 *)blob->ptr;
	u32 len;

	if (blob->len < 4)
		return false;
	len = (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
	if (len > blob->len - 4)
		return false;
	*string = slice_first(slice_from(*blob, 4), len);
	*blob = slice_from(*blob, 4 + (size_t)len);
	return true;
}

static bool is_key_blob(const struct key_type *type, struct slice base64)
{
	u8 bytes[KEY_TEXT_MAX];
	struct slice blob = { (const char *)bytes, 0 };
	struct slice part;

	if (base64.len > KEY_TEXT_MAX || !base64_decode(bytes, sizeof(bytes), &blob.len, base64))
		return false;
	for (u32 i = 0; i < type->parts; i++) {
		if (!take_string(&blob, &part))
			return false;
		if (i == 0 && !slice_equal(part, slice_of(type->name)))
			return false;
		if (i == type->check && (part.len < type->min || part.len > type->max))
			return false;
	}
	return blob.len == 0;
}

/* What may stand in a file of keys, and in ours, as it is. */
static bool is_plain_line(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		u8 c = (u8)text.ptr[i];

		if (c < ' ' || c == 0x7f || c == '|' || c == '"' || c == '\\' || c == '$')
			return false;
	}
	return true;
}

const char *appliance_shape_ssh_key(struct arena *arena, struct slice text)
{
	struct slice comment = slice_trim(text);
	struct slice name = slice_split(&comment, ' ');
	struct slice base64 = SLICE_NONE;
	const struct key_type *type = NULL;
	char whole[KEY_TEXT_MAX + 256];

	if (comment.ptr) {
		comment = slice_trim(comment);
		base64 = slice_split(&comment, ' ');
	}
	comment = comment.ptr ? slice_trim(comment) : SLICE("");
	for (size_t i = 0; i < array_count(key_types); i++) {
		if (slice_equal(name, slice_of(key_types[i].name)))
			type = &key_types[i];
	}
	if (!type || !is_plain_line(text) || comment.len > KEY_COMMENT_MAX ||
	    !is_key_blob(type, base64))
		return NULL;
	snprintf(whole, sizeof(whole), "%.*s %.*s%s%.*s", SLICE_FMT(name), SLICE_FMT(base64),
		 comment.len > 0 ? " " : "", SLICE_FMT(comment));
	return keep(arena, whole);
}
