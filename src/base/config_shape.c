#include "base/config_text.h"

#include "base/config.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define TOKEN_PLACE SLICE("{{_token}}")
#define LOCAL_PREFIX_MAX 24 /* leaves 40 of the 64 bytes of a local part for "-<token>" */

bool config_size(struct slice text, u64 *bytes)
{
	static const char units[] = "KMGT";
	const char *unit = NULL;
	u64 factor = 1;

	if (text.len > 1 && (unit = memchr(units, text.ptr[text.len - 1], 4)) != NULL) {
		factor = 1ull << (10 * (unit - units + 1));
		text.len--;
	}
	return slice_to_u64(text, bytes) && !__builtin_mul_overflow(*bytes, factor, bytes);
}

const char *config_shape_any(struct arena *arena, struct slice text)
{
	return text.len > 0 ? arena_copy(arena, text).ptr : NULL;
}

const char *config_shape_path(struct arena *arena, struct slice text)
{
	return text.len > 1 && text.ptr[0] == '/' ? arena_copy(arena, text).ptr : NULL;
}

const char *config_shape_www_path(struct arena *arena, struct slice text)
{
	if (slice_find_char(text, '"') >= 0 || slice_find_char(text, '\\') >= 0)
		return NULL;
	return config_shape_path(arena, text);
}

const char *config_shape_socket(struct arena *arena, struct slice text)
{
	struct sockaddr_un address;

	return text.len < sizeof(address.sun_path) ? config_shape_path(arena, text) : NULL;
}

static bool label_is_fine(struct slice label, bool underscore)
{
	if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' ||
	    label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		char c = label.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' &&
		    !(underscore && c == '_'))
			return false;
	}
	return true;
}

/* Labels between single dots; returns how many, 0 when one is wrong. */
static size_t count_labels(struct slice text, bool underscore)
{
	size_t count = 0;

	if (text.len == 0 || text.len > 253)
		return 0;
	while (text.ptr) {
		if (!label_is_fine(slice_split(&text, '.'), underscore))
			return 0;
		count++;
	}
	return count;
}

static const char *copy_lower(struct arena *arena, struct slice text)
{
	char *copy = (char *)arena_copy(arena, text).ptr;

	if (copy)
		ascii_lower_in_place(copy, text.len);
	return copy;
}

static struct slice drop_final_dot(struct slice text)
{
	return text.len > 1 && text.ptr[text.len - 1] == '.' ? slice_first(text, text.len - 1)
							     : text;
}

/* A name whose last label is all digits would be taken for an IPv4 address (RFC 3696 section 2). */
static bool is_domain(struct slice text)
{
	size_t last = text.len;
	u64 number;

	if (count_labels(text, false) < 2)
		return false;
	while (text.ptr[last - 1] != '.')
		last--;
	return !slice_to_u64(slice_from(text, last), &number);
}

const char *config_shape_domain(struct arena *arena, struct slice text)
{
	text = drop_final_dot(text);
	return is_domain(text) ? copy_lower(arena, text) : NULL;
}

const char *config_shape_block_list(struct arena *arena, struct slice text)
{
	return slice_equal_nocase(text, SLICE("none")) ? copy_lower(arena, text)
						       : config_shape_domain(arena, text);
}

const char *config_shape_selector(struct arena *arena, struct slice text)
{
	return count_labels(text, true) > 0 ? copy_lower(arena, text) : NULL;
}

const char *config_shape_pattern(struct arena *arena, struct slice text)
{
	struct slice name = drop_final_dot(text);

	if (slice_equal(text, SLICE("*")))
		return arena_copy(arena, text).ptr;
	if (slice_has_prefix(name, SLICE("*.")))
		return count_labels(slice_from(name, 2), false) > 0 ? copy_lower(arena, name)
								    : NULL;
	return is_domain(name) ? copy_lower(arena, name) : NULL;
}

/* Canonical text of an address; returns its length in bits, 0 when it is none. */
static u32 canonical_address(struct slice text, char out[INET6_ADDRSTRLEN], u8 ip[16])
{
	char copy[INET6_ADDRSTRLEN];
	int family;

	if (memchr(text.ptr ? text.ptr : "", '\0', text.len) ||
	    !slice_copy(copy, sizeof(copy), text))
		return 0;
	family = strchr(copy, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, copy, ip) != 1)
		return 0;
	if (!inet_ntop(family, ip, out, INET6_ADDRSTRLEN))
		return 0;
	return family == AF_INET ? 32 : 128;
}

static bool is_port(struct slice text)
{
	u32 port;

	return text.len <= 5 && slice_to_u32(text, &port) && port >= 1 && port <= 65535;
}

const char *config_shape_source(struct arena *arena, struct slice text)
{
	char canonical[INET6_ADDRSTRLEN];
	u8 ip[16];

	if (slice_equal(text, SLICE(CONFIG_ANY_ADDRESS)))
		return arena_copy(arena, text).ptr;
	if (canonical_address(text, canonical, ip) == 0)
		return NULL;
	return arena_copy(arena, slice_of(canonical)).ptr;
}

const char *config_shape_endpoint(struct arena *arena, struct slice text)
{
	char canonical[INET6_ADDRSTRLEN];
	char whole[INET6_ADDRSTRLEN + 9];
	struct slice host;
	struct slice port;
	bool v6 = text.len > 0 && text.ptr[0] == '[';
	i64 end = v6 ? slice_find(text, SLICE("]:")) : slice_find_char(text, ':');
	u8 ip[16];

	if (end < 0)
		return NULL;
	host = v6 ? slice_from(slice_first(text, (size_t)end), 1) : slice_first(text, (size_t)end);
	port = slice_from(text, (size_t)end + (v6 ? 2 : 1));
	if (canonical_address(host, canonical, ip) != (v6 ? 128 : 32) || !is_port(port))
		return NULL;
	snprintf(whole, sizeof(whole), v6 ? "[%s]:%.*s" : "%s:%.*s", canonical, SLICE_FMT(port));
	return arena_copy(arena, slice_of(whole)).ptr;
}

const char *config_shape_door(struct arena *arena, struct slice text)
{
	return slice_equal_nocase(text, SLICE(CONFIG_NOWHERE)) ? copy_lower(arena, text)
							       : config_shape_endpoint(arena, text);
}

const char *config_shape_loopback(struct arena *arena, struct slice text)
{
	const char *endpoint = config_shape_endpoint(arena, text);

	if (!endpoint || (!slice_has_prefix(slice_of(endpoint), SLICE("127.")) &&
			  !slice_has_prefix(slice_of(endpoint), SLICE("[::1]:"))))
		return NULL;
	return endpoint;
}

static bool is_forwarder(struct slice text)
{
	struct slice host = slice_split(&text, '@');
	char canonical[INET6_ADDRSTRLEN];
	u8 ip[16];

	return canonical_address(host, canonical, ip) != 0 && (!text.ptr || is_port(text));
}

const char *config_shape_forwarder(struct arena *arena, struct slice text)
{
	return is_forwarder(text) ? arena_copy(arena, text).ptr : NULL;
}

const char *config_shape_stub(struct arena *arena, struct slice text)
{
	struct slice rest = text;
	struct slice zone = slice_split(&rest, ' ');

	if (!rest.ptr || !is_forwarder(rest))
		return NULL;
	if (!slice_equal(zone, SLICE(".")) && count_labels(drop_final_dot(zone), true) == 0)
		return NULL;
	return copy_lower(arena, text);
}

const char *config_shape_range(struct arena *arena, struct slice text)
{
	char canonical[INET6_ADDRSTRLEN];
	char whole[INET6_ADDRSTRLEN + 4];
	struct slice bits_text = text;
	struct slice base = slice_split(&bits_text, '/');
	u8 ip[16] = { 0 };
	u32 width = canonical_address(base, canonical, ip);
	u32 bits;

	if (width == 0 || !bits_text.ptr || bits_text.len > 3 || !slice_to_u32(bits_text, &bits) ||
	    bits > width)
		return NULL;
	for (u32 i = bits; i < width; i++) {
		if (ip[i / 8] & (0x80 >> i % 8))
			return NULL;
	}
	snprintf(whole, sizeof(whole), "%s/%u", canonical, bits);
	return arena_copy(arena, slice_of(whole)).ptr;
}

/* '+' would make "bounce+x" look like a sub-address of "bounce" to many a mail system. */
const char *config_shape_local(struct arena *arena, struct slice text)
{
	if (text.len == 0 || text.len > LOCAL_PREFIX_MAX)
		return NULL;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_')
			return NULL;
	}
	return arena_copy(arena, text).ptr;
}

static bool is_visible_ascii(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	}
	return true;
}

const char *config_shape_mailbox(struct arena *arena, struct slice text)
{
	i64 at = slice_find_char(text, '@');

	if (at < 1 || at > 64 || !is_visible_ascii(text) ||
	    !is_domain(slice_from(text, (size_t)at + 1)))
		return NULL;
	for (size_t i = 0; i < (size_t)at; i++) {
		if (strchr("<>,;:\\\"()[]", text.ptr[i]))
			return NULL;
	}
	return arena_copy(arena, text).ptr;
}

/* RFC 8058 section 3.1 wants https; '<', '>' and ',' would end the URL inside List-Unsubscribe. */
const char *config_shape_url(struct arena *arena, struct slice text)
{
	static const struct slice scheme = { "https://", 8 };
	struct slice host = slice_from(text, scheme.len);
	i64 slash = slice_find_char(host, '/');
	i64 colon;

	if (text.len > 900 || !is_visible_ascii(text) || !slice_has_prefix(text, scheme) ||
	    slash < 0 || slice_find(slice_from(host, (size_t)slash), TOKEN_PLACE) < 0)
		return NULL;
	if (slice_find_char(text, '<') >= 0 || slice_find_char(text, '>') >= 0 ||
	    slice_find_char(text, ',') >= 0)
		return NULL;
	host = slice_first(host, (size_t)slash);
	colon = slice_find_char(host, ':');
	if (colon >= 0 && !is_port(slice_from(host, (size_t)colon + 1)))
		return NULL;
	if (!is_domain(colon >= 0 ? slice_first(host, (size_t)colon) : host))
		return NULL;
	return arena_copy(arena, text).ptr;
}

const char *config_shape_mailto(struct arena *arena, struct slice text)
{
	struct slice domain = text;
	struct slice local = slice_split(&domain, '@');
	i64 place = slice_find(local, TOKEN_PLACE);
	struct slice after;

	if (place < 0 || !domain.ptr || !is_domain(domain) || text.len > 254)
		return NULL;
	after = slice_from(local, (size_t)place + TOKEN_PLACE.len);
	if (place > 0 && !config_shape_local(arena, slice_first(local, (size_t)place)))
		return NULL;
	if (after.len > 0 && !config_shape_local(arena, after))
		return NULL;
	return arena_copy(arena, text).ptr;
}

const char *const config_events[] = { "delivered", "failed",  "deferred",   "expired",
				      "cancelled", "in-doubt", "held",	     "bounced",
				      "complained", "unsubscribed", "auto-reply", NULL };

const char *config_shape_event(struct arena *arena, struct slice text)
{
	for (size_t i = 0; config_events[i]; i++) {
		if (slice_equal(text, slice_of(config_events[i])))
			return arena_copy(arena, text).ptr;
	}
	return NULL;
}

const char *config_shape_hook_url(struct arena *arena, struct slice text)
{
	struct slice rest = text;
	struct slice host;

	if (slice_has_prefix(text, SLICE("https://")))
		rest = slice_from(text, 8);
	else if (slice_has_prefix(text, SLICE("http://")))
		rest = slice_from(text, 7);
	else
		return NULL;
	host = slice_split(&rest, '/');
	if (text.len > 2000 || host.len == 0 || host.ptr[0] == ':' || !is_visible_ascii(text) ||
	    slice_find_char(host, '@') >= 0 || slice_find_char(host, '?') >= 0 ||
	    slice_find_char(text, '#') >= 0)
		return NULL;
	return arena_copy(arena, text).ptr;
}

const char *config_shape_site_url(struct arena *arena, struct slice text)
{
	const char *url = config_shape_hook_url(arena, text);

	/* The second '/' of "https://" is the last one. */
	return url && !strchr(strchr(url, '/') + 2, '/') ? url : NULL;
}

const char *config_shape_hook_name(struct arena *arena, struct slice text)
{
	if (text.len == 0 || text.len > 63)
		return NULL;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_' && c != '.')
			return NULL;
	}
	return arena_copy(arena, text).ptr;
}
