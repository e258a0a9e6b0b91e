#include "dns/tlsrpt.h"

#include "base/text.h"
#include "dns/mx_parts.h"

#include <string.h>

#define HTTPS_PORT 443

/* RFC 3986 section 2: what a URI consists of, percent signs apart. */
static bool is_uri_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) ||
	       (c != '\0' && strchr("-._~:/?#[]@!$&'()*+,;=", c) != NULL);
}

static bool is_uri(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '%') {
			if (text.len - i < 3 || ascii_hex_value(text.ptr[i + 1]) < 0 ||
			    ascii_hex_value(text.ptr[i + 2]) < 0)
				return false;
			i += 2;
		} else if (!is_uri_char(text.ptr[i])) {
			return false;
		}
	}
	return text.len > 0;
}

/* RFC 6068: what stands behind `?` are header fields, which a report has its own of. */
static bool read_mailto(struct tlsrpt_uri *uri, struct slice rest)
{
	struct slice address = slice_split(&rest, '?');
	size_t len = 0;

	for (size_t i = 0; i < address.len; i++) {
		char c = address.ptr[i];

		if (c == '%') {
			c = (char)(ascii_hex_value(address.ptr[i + 1]) << 4 |
				   ascii_hex_value(address.ptr[i + 2]));
			i += 2;
		}
		/* One address, and nothing that could end a command or a header. */
		if (c <= ' ' || c == 0x7f || c == ',' || len + 1 == sizeof(uri->target))
			return false;
		uri->target[len++] = c;
	}
	uri->target[len] = '\0';
	return slice_find_char(slice_of(uri->target), '@') > 0;
}

/* A host by name, without a user's; what path and query say is the host's affair. */
static bool read_https(struct tlsrpt_uri *uri, struct slice rest)
{
	size_t end = 0;
	struct slice port;
	struct slice host;
	u32 number = HTTPS_PORT;

	while (end < rest.len && !strchr("/?#", rest.ptr[end]))
		end++;
	port = slice_first(rest, end);
	host = slice_split(&port, ':');
	if (port.ptr && (!slice_to_u32(port, &number) || number == 0 || number > UINT16_MAX))
		return false;
	uri->port = (u16)number;
	if (!slice_copy(uri->target, sizeof(uri->target), host))
		return false;
	ascii_lower_in_place(uri->target, host.len);
	return host.len <= MX_NAME_MAX && mx_name_kind(uri->target) == MX_NAME_HOST;
}

static bool read_uri(struct tlsrpt_uri *uri, struct slice text)
{
	uri->text = text;
	uri->port = 0;
	if (!is_uri(text))
		return false;
	if (slice_has_prefix_nocase(text, SLICE("mailto:"))) {
		uri->kind = TLSRPT_MAILTO;
		return read_mailto(uri, slice_from(text, 7));
	}
	uri->kind = TLSRPT_HTTPS;
	return slice_has_prefix_nocase(text, SLICE("https://")) &&
	       read_https(uri, slice_from(text, 8));
}

bool tlsrpt_uri_next(struct slice *rua, struct tlsrpt_uri *uri)
{
	while (rua->ptr) {
		if (read_uri(uri, slice_trim(slice_split(rua, ','))))
			return true;
	}
	return false;
}

/* Those that can be used; others, of schemes to come perhaps, are passed over. */
static void keep_uris(char rua[TLSRPT_RUA_SIZE], struct slice value)
{
	struct tlsrpt_uri uri;
	size_t used = 0;
	u32 count = 0;

	while (count < TLSRPT_URIS_MAX && tlsrpt_uri_next(&value, &uri)) {
		if (used + uri.text.len + 2 > TLSRPT_RUA_SIZE)
			continue;
		if (used > 0)
			rua[used++] = ',';
		memcpy(rua + used, uri.text.ptr, uri.text.len);
		used += uri.text.len;
		count++;
	}
	rua[used] = '\0';
}

enum tlsrpt_txt tlsrpt_txt_read(char rua[TLSRPT_RUA_SIZE], struct slice txt)
{
	struct slice version = slice_split(&txt, ';');
	bool seen = false;

	rua[0] = '\0';
	if (!slice_has_prefix(version, SLICE("v=TLSRPTv1")) || slice_trim(version).len != 10)
		return TLSRPT_TXT_OTHER;
	while (txt.ptr) {
		struct slice value = slice_trim(slice_split(&txt, ';'));
		struct slice name = slice_split(&value, '=');

		/* Behind the last semicolon there may be nothing. */
		if (name.len == 0 && !value.ptr && !txt.ptr)
			break;
		if (!value.ptr)
			return TLSRPT_TXT_BROKEN;
		if (!slice_equal(name, SLICE("rua")))
			continue;
		if (seen)
			return TLSRPT_TXT_BROKEN;
		seen = true;
		keep_uris(rua, value);
	}
	return rua[0] != '\0' ? TLSRPT_TXT_GOOD : TLSRPT_TXT_BROKEN;
}
